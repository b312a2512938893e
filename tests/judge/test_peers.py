"""Wrong answers that deployed monitors gave: each named by what was said instead."""

from __future__ import annotations

from datetime import UTC, datetime

from monitor.judge import Candidate, judge, newest, streams
from monitor.model import State
from monitor.rules import Rules
from tests.judge.builders import by_version, day, judged, prerelease, stable


def test_a_peer_said_dev_master():
    verdicts = judged(
        "dev-master", "dev-feature/x", "1.x-dev", "v1.2.0", "v1.3.0-RC1", scheme="composer"
    )

    assert (stable(verdicts), prerelease(verdicts)) == ("1.2.0", "1.3.0-RC1")


def test_a_peer_said_a_date():
    # Launchpad's Unity: "2010-06-03" beside 0.2, 3.8 and 7.x.
    numbered = [f"{major}.{minor}" for major in range(3, 8) for minor in range(0, 8, 2)]

    assert stable(judged(*numbered, "0.2", "2010-06-03", "2010-06-10")) == "7.6"


def test_a_peer_said_an_old_series_security_fix():
    fix = Candidate("1.3.9", published=day("2024-05-01"))
    head = Candidate("1.4.9", published=day("2023-01-01"))

    assert stable(judge([head, fix], scheme="semver")) == "1.4.9"


def test_a_peer_said_a_nightly():
    verdicts = judged("nightly", "nightly-2024-01-01", "1.76.0", "1.78.0-nightly", "latest")

    assert stable(verdicts) == "1.76.0"


def test_a_peer_said_gnomes_odd_minor():
    gnome = ("3.36.9", "3.37.92", "3.38.4", "3.39.1", "40.alpha", "40.0", "40.10", "41.rc")

    by_scheme = judged(*gnome, scheme="gnome")
    by_rule = judged(*gnome, odd_minors=True, odd_before=40, unstable_from=90)
    old = judged("2.30.3", "2.91.6", "3.0.1", odd_minors=True, odd_before=40, unstable_from=90)

    for verdicts in (by_scheme, by_rule):
        assert stable(verdicts) == "40.10"
        assert prerelease(verdicts) == "41.rc"
        assert not by_version(verdicts)["3.39.1"].stable
        assert not by_version(verdicts)["3.37.92"].stable
    assert stable(old) == "3.0.1"


def test_a_peer_said_mavens_last_deployed():
    # <release> is what was deployed last: a back-port of 1.x after 2.x.
    versions = ("2.0.0", "1.9.5", "2.1.0-M1", "1.9.6", "2.0.1-SNAPSHOT")

    verdicts = judged(*versions, scheme="maven")

    assert (stable(verdicts), prerelease(verdicts)) == ("2.0.0", "2.1.0-M1")
    assert not by_version(verdicts)["2.0.1-SNAPSHOT"].release


def test_a_peer_said_guavas_r09():
    assert stable(judged("r09", "r03", "10.0", "33.5.0-jre", scheme="maven")) == "33.5.0-jre"


def test_a_peer_said_linux_next_or_mainline():
    kernel = [
        Candidate("next-20251120", prerelease=None),
        Candidate("7.3-rc4"),
        Candidate("7.2.8"),
        Candidate("6.6.159"),
    ]
    verdicts = judge(kernel, scheme="kernel")

    assert stable(verdicts) == "7.2.8"
    assert streams(verdicts)["6.6"].version == "6.6.159"


def test_a_peer_said_drupals_development_snapshot():
    verdicts = judged("8.x-1.x-dev", "2.0.x-dev", "8.x-1.5", "2.0.0-alpha1", scheme="drupal")

    assert (stable(verdicts), prerelease(verdicts)) == ("8.x-1.5", "2.0.0-alpha1")


def test_a_peer_said_drupals_insecure_release():
    releases = [Candidate("8.x-1.2", state=State.INSECURE), Candidate("8.x-1.1")]

    assert stable(judge(releases, scheme="drupal")) == "8.x-1.1"


def test_a_peer_said_a_jetbrains_patch_of_an_older_line_or_a_preview():
    releases = [
        Candidate("2025.2.5", published=day("2025-12-20")),
        Candidate("2025.3", published=day("2025-12-08")),
        Candidate("2026.1", prerelease=True),
    ]
    verdicts = judge(releases, scheme="calver")

    assert (stable(verdicts), prerelease(verdicts)) == ("2025.3", "2026.1")
    assert by_version(verdicts)["2025.2.5"].stream == "2025.2"


def test_a_peer_said_cpans_longer_decimal_or_its_trial():
    assert stable(judged("1.9", "1.10", "1.23_01", scheme="cpan")) == "1.9"
    trial = Candidate("1.101580", tag="Dist-Zilla-Plugin-ProgCriticTests-1.101580-TRIAL.tar.gz")
    verdicts = judge([trial, Candidate("1.101570")], scheme="cpan", project="Dist-Zilla")

    assert stable(verdicts) == "1.101570"
    assert by_version(verdicts)[trial.spelling].rule == "word"


def test_a_peer_said_rs_development_version():
    assert stable(judged("1.2-3", "1.2-10", "1.2.9.9000", scheme="r")) == "1.2-10"


def test_a_peer_said_a_yanked_crate():
    crates = [Candidate("0.2.51+metadata", state=State.YANKED), Candidate("0.2.50")]

    assert stable(judge(crates, scheme="semver")) == "0.2.50"


def test_a_peer_said_a_prerelease_gem():
    assert stable(judged("1.13.0", "1.14.0.rc1", scheme="gem")) == "1.13.0"


def test_a_peer_said_a_date_that_an_epoch_should_have_ended():
    # PEP 440 has epochs of its own.
    assert stable(judged("2013.6.1", "1!3.0.1", scheme="pep440")) == "1!3.0.1"


def test_a_peer_said_the_branch_import_export():
    assert newest(judged("Import/Export", scheme="generic")).any is None


def test_a_peer_said_the_tag_that_was_made_last():
    tags = [
        Candidate("0.9", published=datetime(2024, 1, 1, tzinfo=UTC)),
        Candidate("1.0", published=datetime(2020, 1, 1, tzinfo=UTC)),
    ]

    assert stable(judge(tags, scheme="generic")) == "1.0"


def test_a_peer_said_sqlites_number_as_it_stands():
    verdicts = judged("3450100", "3081002", "3460000", transform=("xyyzzpp",))

    assert stable(verdicts) == "3.46.0"


def test_a_peer_said_the_ancestors_version_of_a_fork():
    seen = day("2021-05-01")
    fork = [
        Candidate("0.14", published=day("2021-04-01"), first_seen=seen),
        Candidate("4.02.3", published=day("2015-07-01"), first_seen=day("2021-06-01")),
    ]

    assert stable(judge(fork, scheme="generic")) == "0.14"


def test_a_peer_said_99_0_of_a_squatter():
    assert stable(judged("1.4.0", "1.5.0", "1.5.1", "2.0.0", "999.0.0", scheme="semver")) == "2.0.0"


def test_a_word_in_a_projects_name_is_no_prerelease():
    tags = [Candidate(v, tag=f"beta-tool-{v}") for v in ("1.0", "1.1")]

    assert stable(judge(tags, scheme="generic")) == "1.1"
    assert stable(judge(tags[:1], scheme="generic", project="owner/beta-tool")) == "1.0"


def test_a_word_before_the_version_of_one_tag_is_one():
    tags = [Candidate("1.0", tag="v1.0"), Candidate("1.1", tag="beta-1.1")]

    assert stable(judge(tags, scheme="generic", rules=Rules())) == "1.0"
