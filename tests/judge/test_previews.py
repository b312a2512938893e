"""Fault C05: pre-releases that show only among the others."""

from __future__ import annotations

import pytest

from monitor.judge import newest
from tests.judge.builders import by_version, judged, prerelease, stable


@pytest.mark.parametrize(
    ("known", "preview", "best"),
    [
        (["1.50.3", "1.51", "1.52.1"], "1.99.3", "1.52.1"),
        (["3.0.4", "3.0.5"], "3.0.90", "3.0.5"),
        (["1.18.4", "1.19.6", "1.19.7"], "1.19.99.901", "1.19.7"),
        (["2.10.36", "2.10.38"], "2.99.18", "2.10.38"),
        (["1.05", "1.06"], "1.06.95", "1.06"),
    ],
)
def test_C05_high_numbers_on_the_way_to_the_next_series_do_not_leak(known, preview, best):
    verdicts = judged(*known, preview)

    assert (stable(verdicts), prerelease(verdicts)) == (best, preview)
    assert by_version(verdicts)[preview].rule == "high-number"


@pytest.mark.parametrize(
    "known",
    [
        ["1.11.88", "1.11.89", "1.11.90", "1.11.91"],  # counted up to there
        ["1.11.91", "1.11.92"],  # the list begins there
        ["0.47", "0.48.5", "0.91", "0.92.4"],  # nothing comes before the first release
        ["1.5", "1.7", "1.95"],  # decimals
        ["2.80", "2.83.1", "2.90.0", "2.93.0"],
        ["1.0.5", "1.0.95", "1.0.101"],  # and beyond
    ],
)
def test_high_numbers_that_were_counted_to_are_releases(known):
    assert stable(judged(*known)) == known[-1]


def test_high_numbers_are_releases_where_the_scheme_has_its_own_rule():
    assert stable(judged("1.0.0", "1.99.0", scheme="semver")) == "1.99.0"


def test_the_settings_admit_a_high_number():
    assert stable(judged("1.50.3", "1.52.1", "1.99.3", allow=("1.99.3",))) == "1.99.3"


def test_C05_previews_numbered_from_nought_do_not_leak():
    verdicts = judged("2.0.1-0", "2.0.1-1", "2.0.1", "2.0.2-0", "2.0.2-1")

    assert (stable(verdicts), prerelease(verdicts)) == ("2.0.1", "2.0.2-1")
    assert prerelease(judged("2.0.1-0", "2.0.1-1", "2.0.1")) is None


def test_revisions_are_releases_even_from_nought():
    assert stable(judged("7.1.1-46", "7.1.1-47", "7.1.2-0", "7.1.2-1")) == "7.1.2-1"
    assert stable(judged("1.5.6", "1.5.6-1", "1.5.6-2")) == "1.5.6-2"


def test_C05_a_day_and_a_commit_after_a_release_are_a_snapshot_of_what_comes_next():
    verdicts = judged("25.9.23", "25.12.19", "25.12.19-2026-02-06-03fffb2")

    assert stable(verdicts) == "25.12.19"
    assert newest(verdicts).any.rule == "snapshot"
