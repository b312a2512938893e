"""Newest, series, states, epochs, changed rules. Faults C01 to C03, C13, C14, E17."""

from __future__ import annotations

import pytest

from monitor.judge import Candidate, differences, judge, newest, propose_epoch, standing, streams
from monitor.model import State
from monitor.rules import Epoch, Rules
from tests.judge.builders import by_version, dated, judged, prerelease, stable

SPOILT = [s for s in State if s not in {State.LISTED, State.DEPRECATED}]


@pytest.mark.parametrize("state", SPOILT)
def test_e17_what_is_no_longer_good_is_kept_and_never_newest(state):
    verdicts = judge([Candidate("1.0"), Candidate("1.1", state=state)], scheme="generic")

    assert stable(verdicts) == "1.0"
    assert newest(verdicts).any.version == "1.0"
    odd = by_version(verdicts)["1.1"]
    assert (odd.release, odd.counts, odd.rule) == (True, False, f"state-{state.value}")


def test_e17_un_yanking_makes_it_newest_again():
    verdicts = judge([Candidate("1.0"), Candidate("1.1", state=State.LISTED)], scheme="generic")

    assert stable(verdicts) == "1.1"


def test_where_all_is_yanked_nothing_is_newest():
    assert newest(judge([Candidate("1.0", state=State.YANKED)], scheme="semver")).any is None


def test_deprecated_versions_count_only_where_there_is_no_other():
    old = Candidate("2.0", state=State.DEPRECATED)

    assert stable(judge([Candidate("1.0"), old], scheme="pvp")) == "1.0"
    assert stable(judge([old], scheme="pvp")) == "2.0"


def test_C01_a_withdrawn_release_gives_the_place_back_to_the_one_before():
    before = judged("1.9", "2.0")
    after = judge([Candidate("1.9"), Candidate("2.0", state=State.WITHDRAWN)], scheme="generic")

    assert (stable(before), stable(after)) == ("2.0", "1.9")
    assert len(after) == 2


def test_C02_a_fix_of_an_old_series_is_news_but_not_newest():
    verdicts = judged("1.3.8", "1.3.9", "1.4.9", scheme="semver")
    fix = by_version(verdicts)["1.3.9"]

    assert stable(verdicts) == "1.4.9"
    assert standing(fix, verdicts).of_stream
    assert not standing(fix, verdicts).of_stable
    assert not standing(fix, verdicts).of_all


def test_several_supported_series_come_from_one_list():
    django = judged("4.2", "4.2.16", "5.0.9", "5.1", "5.1.2", "5.2a1", scheme="pep440")

    assert {name: head.version for name, head in streams(django).items()} == {
        "5.2": "5.2a1",
        "5.1": "5.1.2",
        "5.0": "5.0.9",
        "4.2": "4.2.16",
    }
    assert by_version(django)["4.2"].stream == "4.2"
    assert standing(by_version(django)["4.2.16"], django).of_stream


def test_the_kernels_longterm_series_stand_beside_the_newest():
    kernel = [
        Candidate("7.3-rc4"),
        Candidate("7.2.8"),
        Candidate("6.6.159"),
        Candidate("6.12.60"),
        Candidate("4.19.325", state=State.END_OF_LIFE),
        Candidate("next-20251120"),
    ]
    verdicts = judge(kernel, scheme="kernel")

    assert (stable(verdicts), prerelease(verdicts)) == ("7.2.8", "7.3-rc4")
    assert list(streams(verdicts)) == ["7.3", "7.2", "6.12", "6.6"]
    assert not by_version(verdicts)["next-20251120"].release


@pytest.mark.parametrize(
    ("scheme", "versions", "expected"),
    [
        ("generic", ["9.6.24", "15.4", "16.1"], ["9.6", "15", "16"]),
        ("generic", ["3.38.4", "45.1", "45.2"], ["3.38", "45", "45"]),
        ("generic", ["641", "643"], ["", ""]),
        ("generic", ["20240131", "2023-05-01"], ["2024", "2023"]),
        ("generic", ["2024.1.2", "2024.1"], ["2024.1", "2024.1"]),
        ("drupal", ["8.x-1.2", "2.0.1"], ["8.x-1", "2.0"]),
        ("cpan", ["1.0203", "2.13"], ["1", "2"]),
        ("debian", ["1:2.3.1-4", "2.4.0-1"], ["2.3", "2.4"]),
        ("pep440", ["1!3.0.1", "3.1.1"], ["3.0", "3.1"]),
    ],
)
def test_a_series_is_the_minor_where_there_are_three_numbers_else_the_major(
    scheme, versions, expected
):
    assert [verdict.stream for verdict in judged(*versions, scheme=scheme)] == expected


def test_the_settings_say_what_a_series_is():
    def of(rule: str) -> list[str]:
        return [v.stream for v in judged("18.20.4", "v20.1", streams=rule)]

    assert of("major") == ["18", "20"]
    assert of("minor") == ["18.20", "20.1"]
    assert of("none") == ["", ""]
    assert of(r"^\d(\d)\.") == ["8", "0"]


def test_C03_a_date_then_a_number_is_proposed_and_not_assumed():
    history = dated(v20160708="2016-07-08", v2_0_0="2017-01-01")
    verdicts = judge(history, scheme="generic")
    proposal = propose_epoch(verdicts)

    assert stable(verdicts) == "20160708"
    assert proposal is not None
    assert (proposal.masking, proposal.newest) == ("20160708", "2.0.0")

    declared = judge(history, scheme="generic", rules=Rules(epochs=(proposal.epoch,)))

    assert stable(declared) == "2.0.0"
    assert by_version(declared)["2.0.0"].epoch == 1
    assert propose_epoch(declared) is None


def test_C03_a_count_that_began_anew_is_proposed_once_it_is_certain():
    fork = dated(v4_02_3="2015-01-01", v0_1="2018-01-01", v0_2="2019-01-01", v0_3="2020-01-01")

    backport = dated(v0_2_1="2020-06-01")
    proposal = propose_epoch(judge(fork + backport, scheme="generic"))

    assert proposal is not None
    assert proposal.epoch == Epoch(number=1, since="2018-01-01")
    assert stable(judge(fork, scheme="generic", rules=Rules(epochs=(proposal.epoch,)))) == "0.3"
    assert propose_epoch(judge(fork[:3], scheme="generic")) is None


def test_C03_a_mass_upload_of_old_versions_is_no_new_count():
    old = dated(v2_5="2000-01-01")
    one_day = dated(v1_40="2002-08-13", v1_41="2002-08-13", v1_42="2002-08-13")
    backwards = dated(v1_42="2002-08-13", v1_41="2002-08-14", v1_40="2002-08-15")
    together = dated(v20160708="2017-01-01", v2_0="2017-01-01")

    for history in (old + one_day, old + backwards, together):
        assert propose_epoch(judge(history, scheme="generic")) is None


def test_C03_an_old_series_fix_is_no_new_count():
    history = dated(v4_8="2017-01-01", v5_0="2018-01-01", v4_9_1="2019-01-01", v4_9_2="2020-01-01")

    assert propose_epoch(judge(history, scheme="generic")) is None


def test_C03_without_dates_nothing_is_proposed():
    assert propose_epoch(judged("20160708", "2.0.0")) is None


def test_an_unreadable_version_is_below_all_others_in_whatever_epoch():
    rules = {"epochs": (Epoch(number=3, match="."),)}
    verdicts = by_version(judged("foo!1 2", "1.0", scheme="pep440", **rules))

    assert verdicts["foo!1 2"].key < judged("0.0.1", scheme="pep440")[0].key
    assert verdicts["1.0"].epoch == 3


def test_C14_packages_of_one_repository_each_get_their_own_tags():
    tags = [Candidate(t, tag=t) for t in ("a-1.0", "a-1.1", "b-2.0", "a-b-3.0", "v9")]

    def of(project: str) -> list[str]:
        verdicts = judge(
            tags, scheme="generic", rules=Rules(tag="{project}-{version}"), project=project
        )
        return [v.version for v in verdicts if v.release]

    assert of("a") == ["1.0", "1.1"]
    assert of("b") == ["2.0"]
    assert of("a-b") == ["3.0"]


def test_C14_unmatched_tags_are_counted_with_the_rule():
    verdicts = judged("a-1.0", "b-2.0", "c-3.0", tag="a-{version}")

    assert [v.rule for v in verdicts].count("tag-template") == 2


def test_C13_the_dry_run_of_a_changed_rule_equals_what_it_does():
    candidates = [Candidate(v) for v in ("v1.0", "v1.1", "v1.2-test", "app-2.0", "v1.3")]
    before = judge(candidates, scheme="generic")
    after = judge(candidates, scheme="generic", rules=Rules(tag="v{version}", skip=("1.3",)))

    changed = differences(before, after)

    assert [d.candidate.version for d in changed] == ["app-2.0", "v1.3"]
    assert all(d.before != d.after for d in changed)
    assert differences(after, after) == []
    patched = {d.candidate: d.after for d in changed}
    assert [patched.get(v.candidate, v) for v in before] == after


def test_pin_keeps_to_a_series_or_within_bounds():
    versions = ("3.2.9", "4.1.1", "4.2", "4.2.16", "4.20", "5.1")

    assert stable(judged(*versions, pin="4.2")) == "4.2.16"
    assert stable(judged(*versions, pin="4.2.*")) == "4.2.16"
    assert stable(judged(*versions, pin="4")) == "4.20"
    assert stable(judged(*versions, pin=">=3,<4.2")) == "4.1.1"
    assert stable(judged(*versions, pin="!=5.1, !=4.20")) == "4.2.16"
    assert by_version(judged(*versions, pin="4"))["5.1"].rule == "pin"


def test_skip_leaves_a_version_out_in_every_spelling():
    verdicts = judged("1.0", "v1.1", skip=("1.1.0",))

    assert stable(verdicts) == "1.0"
    assert by_version(verdicts)["v1.1"].rule == "skip"


def test_include_and_exclude_look_at_the_published_spelling():
    tags = [Candidate("1.0", tag="desktop-v1.0"), Candidate("2.0", tag="web-v2.0")]

    assert stable(judge(tags, scheme="generic", rules=Rules(include=("^desktop-",)))) == "1.0"
    assert stable(judge(tags, scheme="generic", rules=Rules(exclude=("^web-",)))) == "1.0"


def test_prefix_and_transforms_respell_the_version():
    def read(version: str, **rules: object) -> str:
        return judged(version, **rules)[0].version

    assert read("boost-1_84_0", prefix="boost-", transform=("underscores",)) == "1.84.0"
    assert read("3450100", transform=("xyyzzpp",)) == "3.45.1"
    assert read("3081002", transform=("xyyzzpp",)) == "3.8.10.2"
    assert read("60", transform=("last-digit",)) == "6.0"
    assert read("2301", transform=("last-two",)) == "23.01"
    assert read("1-84-0-rc1", transform=("dashes",)) == "1.84.0-rc1"
    assert read("1.2.3", transform=("last-digit", "xyyzzpp")) == "1.2.3"


def test_fixes_by_letter_are_above_what_they_fix():
    assert stable(judged("1.9.15", "1.9.15p5", "1.9.15p2")) == "1.9.15p5"
    assert stable(judged("21", "21+35", "21.0.1+9", "21.0.1+12")) == "21.0.1+12"
    assert stable(judged("1.0-rc1", "1.0.Final")) == "1.0.Final"
    assert prerelease(judged("1.0-rc1", "1.0.Final")) is None


def test_tags_that_nobody_took_apart_are_read_all_the_same():
    assert stable(judged("curl-7_88_1", "curl-8_5_0", "curl-8_10_0")) == "8.10.0"
    assert stable(judged("VER-2-9-1", "VER-2-13-2", "VER-2-13-3-rc1")) == "2.13.2"
    assert stable(judged("R_2_6_0", "R_2_10_0", "R_2_11_0_beta1")) == "2.10.0"
    assert stable(judged("llvmorg-17.0.6", "llvmorg-18.1.0-rc1")) == "17.0.6"
    assert stable(judged("tool/v1.2.0", "tool/v1.10.0", scheme="semver")) == "1.10.0"
    assert stable(judged("tool/v1.2.0", "tool/v1.10.0", scheme="go")) == "v1.10.0"


def test_C14_where_tags_name_the_project_those_of_another_are_left_out():
    verdicts = judged("curl-8_5_0", "tiny-curl-9_0_0", "v7.1", project="curl/curl")

    assert stable(verdicts) == "8.5.0"
    assert by_version(verdicts)["tiny-curl-9_0_0"].rule == "other-name"
    assert by_version(verdicts)["v7.1"].release
    assert stable(judged("llvmorg-17.0.6", project="llvm/llvm-project")) == "17.0.6"


def test_a_word_before_the_version_of_a_raw_tag_says_that_it_is_not_finished():
    assert stable(judged("v1.0", "beta-1.1", "nightly-1.2.3")) == "1.0"


def test_tags_where_a_branch_began_are_no_releases():
    assert stable(judged("llvmorg-17.0.6", "llvmorg-18-init")) == "17.0.6"
    assert stable(judged("ghc-9.8.1-release", "ghc-9.9-start")) == "9.8.1"
    assert stable(judged("releases/gcc-13.2.0", "basepoints/gcc-14")) == "13.2.0"
    assert stable(judged("mesa-23.3.3", "24.0-branchpoint")) == "23.3.3"
    assert stable(judged("libreoffice-7.6.4.1", "libreoffice-24-2-branch-point")) == "7.6.4.1"


def test_underscores_in_tags_are_dots():
    assert stable(judged("v3_2_2", "v3_3_0", "v3_4_0_preview1")) == "3.3.0"
    assert stable(judged("REL9_6_24", "REL_16_1", "REL_17_BETA1")) == "16.1"


def test_series_lie_deeper_where_letters_count_the_fixes():
    verdicts = judged("1.0.1t", "1.0.1u", "1.0.2t", "1.0.2u", "1.1.1v", "1.1.1w", "3.0.1", "3.0.2")

    heads = [v.version for v in streams(verdicts).values()]
    assert heads == ["3.0.2", "1.1.1w", "1.0.2u", "1.0.1u"]


def test_the_kernels_old_longterm_series_had_three_numbers():
    verdicts = judged("2.6.32.70", "2.6.32.71", "2.6.34.15", "3.2.102", scheme="kernel")

    assert list(streams(verdicts)) == ["3.2", "2.6.34", "2.6.32"]


def test_a_month_makes_a_series():
    assert list(streams(judged("24.04", "24.10", "25.04", "25.10"))) == [
        "25.10",
        "25.04",
        "24.10",
        "24.04",
    ]


def test_builds_of_one_version_count_by_their_numbers():
    verdicts = judged("1.0.0+build.9", "1.0.0+build.10", "0.9.0", scheme="semver")

    assert stable(verdicts) == "1.0.0+build.10"
