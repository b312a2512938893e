"""What a version is among the others: dates among numbers, numbers among dates, wild jumps."""

from __future__ import annotations

import pytest

from monitor.judge import Candidate, judge
from monitor.rules import Rules
from tests.judge.builders import by_version, dated, day, judged, prerelease, stable

NUMBERS = ("1.0", "1.1", "1.2.1", "1.10", "2.0")
DATES = ("20160708", "20161001", "20170402", "20180203")


@pytest.mark.parametrize(
    "intruder", ["20120211", "2010-06-03", "2010.06.03", "201202110930", "120211"]
)
def test_C04_a_date_among_numbers_is_not_newest(intruder):
    verdicts = judged(*NUMBERS, intruder)

    assert stable(verdicts) == "2.0"
    assert by_version(verdicts)[intruder].rule == "date-among-numbers"
    assert not by_version(verdicts)[intruder].release


@pytest.mark.parametrize("wild", ["9.9.9", "99999", "99.99.99", "999.0", "10000.1", "1000000.0.0"])
def test_C04_a_wild_jump_is_not_newest(wild):
    verdicts = judged(*NUMBERS, wild)

    assert stable(verdicts) == "2.0"
    assert by_version(verdicts)[wild].rule == "implausible-jump"
    assert not by_version(verdicts)[wild].release


def test_C04_several_wild_jumps_do_not_hide_behind_one_another():
    assert stable(judged(*NUMBERS, "9.9.9", "99999", "999.0.0", "1.3-beta1", "3.0-rc1")) == "2.0"


def test_C04_the_settings_admit_what_a_general_rule_doubts():
    assert stable(judged(*NUMBERS, "20120211", allow=("20120211",))) == "20120211"
    assert stable(judged(*NUMBERS, "99999", allow=("99999",))) == "99999"
    assert stable(judged("nightly20240101", tag="nightly{version}")) == "20240101"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(("0.13.0", "0.13.3", "0.14.0", "0.14.8"), "15.0.0", id="the zero was dropped"),
        pytest.param(("0.118", "0.119", "0.120"), "121", id="the zero was dropped at three digits"),
        pytest.param(("3.36.1", "3.37", "3.38.2"), "40.0", id="a new count"),
        pytest.param(("1.11.2", "1.12.6", "1.13.1"), "17.03.0", id="short years"),
        pytest.param(("4.12.3", "4.13.3", "4.14.3"), "14.12.0", id="short years again"),
        pytest.param(("0.116.0", "0.117.0", "0.118.5"), "2020.12.0", id="years"),
        pytest.param(("7.9.1", "8.0.1", "8.1"), "9.9.9", id="nines of its own series"),
        pytest.param(("8.0.1", "8.1", "9.9.8"), "9.9.9", id="nines after eights"),
        pytest.param(("388", "389", "390"), "391", id="bare counts"),
    ],
)
def test_a_project_may_change_its_mind(before, after):
    assert stable(judged(*before, after)) == after


def test_too_few_others_prove_nothing():
    assert stable(judged("1.0", "9.9.9")) == "9.9.9"
    assert stable(judged("1.0", "1.1", "20160708")) == "20160708"


def test_spellings_of_one_version_do_not_outvote_the_others():
    dates = ("20160708", "2016-07-08", "20160708.0")

    assert stable(judged("20160708", "v20160708", "r20160708", "1.0", "v1.0", "1.1")) == "20160708"
    assert stable(judged(*dates, *NUMBERS)) == "2.0"


def test_counts_in_the_magnitude_of_dates_are_counts():
    assert stable(judged("231099", "231105", "231132", "240101", "231250")) == "240101"


def test_a_calendar_project_is_fine():
    verdicts = judged(*DATES, "20180203.1", "20190101a")

    assert stable(verdicts) == "20190101a"
    assert all(verdict.stable for verdict in verdicts)


def test_numbers_before_the_first_date_are_plain_old_releases():
    history = dated(v0_0_8="2011-01-01", v1_0="2011-08-01") + dated(
        v2015_04_28="2015-04-28", v2016_2_28="2016-02-28", v2017_1_23="2017-01-23"
    )
    verdicts = judge(history, scheme="generic")

    assert stable(verdicts) == "2017.1.23"
    assert all(verdict.stable for verdict in verdicts)


def test_a_number_among_dates_waits_for_the_operator():
    verdicts = judged(*DATES, "20190303", "1.0", "v1.0")

    assert stable(verdicts) == "20190303"
    assert by_version(verdicts)["1.0"].rule == "number-among-dates"
    assert by_version(verdicts)["1.0"].release


def test_dates_that_came_last_are_the_new_numbering():
    history = dated(v1_0="2010-01-01", v1_1="2011-01-01", v1_2="2012-01-01", v1_3="2013-01-01")
    moved = dated(v20140101="2014-01-01", v20140801="2014-08-01", v20150101="2015-01-01")

    assert stable(judge(history + moved, scheme="generic")) == "20150101"


def test_dates_that_numbers_followed_were_snapshots():
    history = dated(v1_0="2010-01-01", v1_1="2011-01-01", v1_2="2012-01-01", v1_3="2013-01-01")
    snapshots = dated(v2010_1="2010-03-01", v2011_2="2011-08-01")

    verdicts = judge(history + snapshots, scheme="generic")

    assert stable(verdicts) == "1.3"
    assert {v.rule for v in verdicts if not v.release} == {"date-among-numbers"}


def c15(turned_up: str) -> list[Candidate]:
    seen = day("2021-05-01")
    return [
        Candidate("0.12", published=day("2019-01-01"), first_seen=seen),
        Candidate("0.14", published=day("2021-04-01"), first_seen=seen),
        Candidate("4.02.3", published=day("2015-01-01"), first_seen=day(turned_up)),
    ]


def test_C15_an_old_release_that_turns_up_with_a_higher_number_is_parked():
    verdicts = judge(c15("2022-01-01"), scheme="generic")

    assert stable(verdicts) == "0.14"
    assert by_version(verdicts)["4.02.3"].rule == "older-but-higher"
    assert "0.14" in by_version(verdicts)["4.02.3"].reason


def test_C15_the_operator_may_admit_it():
    verdicts = judge(c15("2022-01-01"), scheme="generic", rules=Rules(allow=("v4.02.3",)))

    assert stable(verdicts) == "4.02.3"


def test_C15_what_was_there_from_the_beginning_is_believed():
    assert stable(judge(c15("2021-05-01"), scheme="generic")) == "4.02.3"


def test_C15_what_is_less_than_a_year_older_is_believed():
    late = Candidate("1.0", published=day("2020-06-01"), first_seen=day("2022-01-01"))

    assert stable(judge([*c15("2022-01-01")[:2], late], scheme="generic")) == "1.0"


def test_an_old_series_that_is_kept_up_does_not_make_the_new_one_doubtful():
    seen = day("2020-01-01")
    history = [
        Candidate("5.0", published=day("2018-01-01"), first_seen=seen),
        Candidate("4.9.9", published=day("2019-12-01"), first_seen=seen),
        Candidate("4.9.10", published=day("2022-12-01"), first_seen=day("2022-12-01")),
    ]

    assert stable(judge(history, scheme="generic")) == "5.0"


def test_prereleases_are_shown_only_while_newer():
    assert prerelease(judged(*NUMBERS, "2.1rc1")) == "2.1rc1"
    assert prerelease(judged(*NUMBERS, "2.0rc1")) is None
    assert prerelease(judged(*NUMBERS, "2.1rc1", prereleases="forbid")) is None
    assert stable(judged(*NUMBERS, "2.1rc1", prereleases="allow")) == "2.1rc1"


@pytest.mark.parametrize("bare", ["011", "696"])
def test_C04_a_number_that_lost_its_dots_is_not_newest(bare):
    verdicts = judged("0.1.1", "0.695", "0.696", "0.735", bare)

    assert stable(verdicts) == "0.735"
    assert by_version(verdicts)[bare].rule == "without-dots"


def test_a_project_that_drops_the_leading_nought_goes_on():
    assert stable(judged("0.118", "0.119", "0.120", "121", "122")) == "122"


def test_C04_a_first_number_that_always_counted_does_not_leap():
    counted = [f"{n}.{m}.0" for n in range(37, 54) for m in range(3)]

    assert stable(judged(*counted, "72.3.83")) == "53.2.0"
    assert stable(judged(*counted, "54.0.0")) == "54.0.0"


def test_a_first_number_may_leap_to_the_year():
    assert stable(judged(*[f"{n}.0" for n in range(4, 19)], "26.0")) == "26.0"


def test_C04_a_day_with_a_short_year_is_not_newest():
    assert stable(judged("0.13.1", "0.14.2", "0.15.1", "23-03-28")) == "0.15.1"


def test_fixes_of_an_old_series_do_not_speak_against_the_move_to_years():
    history = dated(v5_0_1="2020-01-01", v6_0_1="2022-01-01", v7_0_1="2024-01-01")
    moved = dated(v2026_3="2026-03-01", v7_0_2="2026-04-01", v6_0_2="2026-04-01")

    assert stable(judge(history + moved, scheme="generic")) == "2026.3"
