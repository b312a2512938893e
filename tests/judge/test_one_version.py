"""What one version is by itself. Faults C04 to C09, B07, B08."""

from __future__ import annotations

import pytest

from monitor.judge import Candidate, is_stable, judge
from monitor.ordering import schemes
from monitor.rules import Rules
from tests.judge.builders import by_version, judged

NO_RELEASE = """
latest stable nightly trunk master main HEAD tip develop dev-master dev-feature/login-2 edge
canary gh-pages Import/Export current release 1.x 2.0.x-dev 8.x-1.x-dev v4.2.x stable/3.x
deadbe1f 0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c nightly-2024-01-01 nightly20240101 next-20251120
latest-20240101 master-1234 snapshot-3f2a1bc 1.0-SNAPSHOT 1.0-20240131.101500-7 v3-branch
1.2-latest feature/2024 dependabot/npm/lodash-4.17.21 daily-42 undef
""".split()  # noqa: SIM905

PRERELEASES = """
2.0rc1 2.0-M3 2.0.Beta 1.0-alpha 1.0a1 1.0b2 1.0-beta.3 6.7-rc1 8.3.2RC1 1.0.dev5 1.0-pre
1.0-preview2 3.0-ea 2024.2-EAP1 1.77.0-nightly 2.0-CR1 1.0-snapshot.20240131 beta2 0.9~beta2
1.0-git20240131 1.0.m4 2.1-canary.7 1.0-insider 5.0-milestone-2 1.0-unstable 1.0-trial
v1.2.3-4-gabcdef0
1.0-test
""".split()  # noqa: SIM905

RELEASES = """
1.0 v1.0 1.0.0 2024.1 20240131 1.0-final 1.0.Final 1.0.RELEASE 1.0-GA 1.0.post1 1.9.15p5 9.6p1
4.2.8p15 1.1.1w 2024a 9f 643 7.1.1-29 33.5.0-jre 33.5.0-android 1.0.SP1 1.0-r3 1.0-hotfix1
2.4.4_20240125 1.0-stable 1.0-lts 8u392 1.0pl2 1.0-patch3 20240101a 0.9.0-incubating b8117 8m2
""".split()  # noqa: SIM905


def test_C04_the_tables_hold_more_than_forty_strings():
    assert len(NO_RELEASE) + len(PRERELEASES) + len(RELEASES) > 90


@pytest.mark.parametrize("version", NO_RELEASE)
def test_C04_names_of_what_moves_are_no_releases_but_visible(version):
    [verdict] = judged(version)

    assert not verdict.release
    assert not verdict.counts
    assert verdict.rule == "branch-name"
    assert verdict.reason


@pytest.mark.parametrize("version", PRERELEASES)
def test_C05_a_prerelease_does_not_leak_as_stable(version):
    [verdict] = judged(version)

    assert verdict.release
    assert not verdict.stable
    assert not is_stable("generic", version)


@pytest.mark.parametrize("version", RELEASES)
def test_C06_what_looks_like_a_prerelease_and_is_none_stays_stable(version):
    [verdict] = judged(version)

    assert (verdict.release, verdict.stable, verdict.rule) == (True, True, "release")
    assert is_stable("generic", version)


@pytest.mark.parametrize(
    ("scheme", "version", "expected"),
    [
        ("pep440", "2.0rc1", False),
        ("pep440", "2.0.dev1", False),
        ("pep440", "1.0.post1", True),
        ("pep440", "1.0c1", False),
        ("pep440", "1!2.0", True),
        ("pep440", "1.0+dev.3", True),
        ("semver", "1.0.0-rc.1", False),
        ("semver", "1.0.0-0", False),
        ("semver", "1.0.0-final", False),
        ("semver", "0.11.0+wasi-snapshot-preview1", True),
        ("go", "v0.0.0-20191109021931-daa7c04131f5", False),
        ("go", "v2.0.0+incompatible", True),
        ("gem", "1.0.0.pre1", False),
        ("gem", "1.15.0", True),
        ("maven", "2.0-M3", False),
        ("maven", "1.0.RELEASE", True),
        ("maven", "5.6.15.Final", True),
        ("maven", "33.5.0-jre", True),
        ("maven", "1.0-alpha-1", False),
        ("debian", "1.2~rc1-1", False),
        ("debian", "1.2-3+b1", True),
        ("debian", "0.5.3+git20230121-2", True),
        ("debian", "1.0-1~bpo12+1", True),
        ("rpm", "1.0~beta2-1", False),
        ("alpine", "1.2_rc3-r0", False),
        ("alpine", "1.2_p1-r0", True),
        ("pvp", "0.1.2.3", True),
        ("cpan", "1.23_01", False),
        ("cpan", "1.2301", True),
        ("r", "1.2-3", True),
        ("r", "0.8.0.9000", False),
        ("composer", "v1.0.0-RC2", False),
        ("composer", "1.0.0-p1", True),
        ("nuget", "1.0.0-beta", False),
        ("kernel", "6.7-rc1", False),
        ("kernel", "6.6.159", True),
        ("drupal", "8.x-1.2-beta1", False),
        ("drupal", "8.x-1.2", True),
        ("calver", "2024.1b1", False),
        ("gnome", "40.alpha", False),
    ],
)
def test_C05_C06_every_scheme_has_its_own_words(scheme, version, expected):
    assert is_stable(scheme, version) is expected


@pytest.mark.parametrize(
    ("version", "flag", "expected"),
    [
        ("1.0", None, True),
        ("1.0", False, True),
        ("1.0", True, False),
        ("1.0-beta1", False, False),
        ("1.0-beta1", None, False),
        ("1.0-final", True, False),
    ],
)
def test_C05_the_most_cautious_voice_wins(version, flag, expected):
    assert is_stable("generic", version, flag=flag) is expected


def test_C05_the_forges_flag_is_named_as_the_rule():
    [verdict] = judge([Candidate("3.0", prerelease=True)], scheme="generic")

    assert verdict.rule == "forge-flag"


def test_C05_odd_minors_are_development_releases_where_the_project_says_so():
    rules = Rules(odd_minors=True, odd_before=40)

    assert not is_stable("generic", "3.37.2", rules=rules)
    assert is_stable("generic", "3.38.2", rules=rules)
    assert is_stable("generic", "41.1", rules=rules)
    assert is_stable("generic", "3.37.2")


def test_C05_high_numbers_before_the_next_release_are_prereleases_where_the_project_says_so():
    verdicts = by_version(judged("1.19.99.901", "21.1.0", "1.0.20240131", unstable_from=99))

    assert verdicts["1.19.99.901"].rule == "high-number"
    assert verdicts["21.1.0"].stable
    assert verdicts["1.0.20240131"].stable


@pytest.mark.parametrize("scheme", schemes())
def test_C08_what_a_scheme_cannot_read_is_kept_below_all_it_can(scheme):
    readable = "v0.0.1" if scheme == "go" else "2001.1.1"
    verdicts = by_version(judged("foo!bar1 2", readable, scheme=scheme))

    odd = verdicts["foo!bar1 2"]
    if odd.rule == "unreadable":
        assert odd.release
        assert not odd.counts
        assert odd.key < verdicts[readable].key
        assert scheme in odd.reason


def test_C08_at_least_the_strict_schemes_find_it_unreadable():
    odd = [s for s in schemes() if judged("foo!bar1 2", scheme=s)[0].rule == "unreadable"]

    assert {"pep440", "semver", "gem", "debian", "pvp", "cpan", "r", "go", "nuget"} <= set(odd)


@pytest.mark.parametrize("version", ["", "  ", "1" * 257, "1." * 5000])
def test_C09_what_is_too_long_or_empty_is_no_version(version):
    [verdict] = judged(version)

    assert (verdict.release, verdict.rule) == (False, "no-version")


@pytest.mark.parametrize(
    "version",
    ["1.\N{FULLWIDTH DIGIT ZERO}", "1.0\u200b", "1.0\u202e", "1.0\x00", "1.\x1b[31m0", "1\n2"],
)
def test_b07_b08_what_cannot_be_seen_or_looks_like_something_else_is_no_version(version):
    [verdict] = judged(version)

    assert (verdict.release, verdict.rule) == (False, "unprintable")


def test_b22_four_spellings_are_one_version():
    verdicts = judged("v1.0", "1.0", "1.0.0", "release-1.0", "tool-1.0", project="owner/tool")

    assert len({verdict.key for verdict in verdicts}) == 1
    assert [v.candidate.version for v in verdicts[:2]] == ["v1.0", "1.0"]
