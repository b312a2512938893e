"""When to ask next: a pure function, tried over months of failures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Outcome
from monitor.schedule import DAY, HOUR, LONGEST_PAUSE, next_visit, project_interval, stale

AT = 1_790_000_000


@given(
    st.sampled_from(list(Outcome)),
    st.integers(1, 30 * DAY),
    st.integers(0, 10_000),
    st.none() | st.floats(-1e12, 1e12, allow_nan=False),
    st.floats(0, 1, exclude_max=True),
)
def test_the_next_visit_is_later_and_not_forever_away(outcome, every, fails, retry_after, dice):
    due = next_visit(outcome, AT, every, fails=fails, retry_after=retry_after, dice=dice)

    assert AT < due <= AT + 1.1 * max(every, 7 * DAY) + 1


@pytest.mark.parametrize("said", [None, -5.0, 0.0, 1e15])
def test_A04_an_absurd_pause_is_clamped(said):
    due = next_visit(Outcome.THROTTLED, AT, 600, fails=1, retry_after=said, jitter=0)

    assert AT + 1 <= due <= AT + LONGEST_PAUSE


def test_A02_who_was_refused_stays_away_for_an_hour_at_least():
    assert next_visit(Outcome.BLOCKED, AT, 60, fails=1, jitter=0) >= AT + HOUR


@pytest.mark.parametrize("outcome", [Outcome.RETRY, Outcome.INVALID, Outcome.BLOCKED, Outcome.GONE])
def test_J07_always_failing_projects_cost_under_one_percent_of_the_requests(outcome):
    """A tenth of all projects fails for 60 days; the others are asked once an hour."""
    at, asked, end = AT, 0, AT + 60 * DAY
    while at < end:
        asked += 1
        at = next_visit(outcome, at, HOUR, fails=asked)
    good = 9 * 60 * 24

    assert asked / (good + asked) < 0.01


@pytest.mark.parametrize("every", [300, HOUR, DAY, 7 * DAY])
@pytest.mark.parametrize("dice", [0.0, 0.5, 0.99])
@pytest.mark.parametrize(
    ("outcome", "retry_after"),
    [
        (Outcome.RETRY, None),
        (Outcome.THROTTLED, None),
        (Outcome.THROTTLED, 60.0),
        (Outcome.BLOCKED, None),
        (Outcome.GONE, None),
        (Outcome.INVALID, None),
        (Outcome.HOSTILE, None),
    ],
)
def test_D11_what_always_fails_is_tried_forty_times_in_thirty_days_at_most(
    outcome, retry_after, every, dice
):
    at, tries, waits = 0, 0, []
    while at < 30 * DAY:
        tries += 1
        due = next_visit(
            outcome, at, every, fails=tries, retry_after=retry_after, dice=dice, jitter=0.1
        )
        waits.append(due - at)
        at = due

    assert tries <= 40
    assert waits[-1] <= 1.1 * 7 * DAY  # and never left alone for good
    assert sum(wait < 1.2 * HOUR for wait in waits[:10]) >= 1 or waits[0] >= 7 * HOUR


def test_J07_the_first_success_ends_the_backing_off():
    assert next_visit(Outcome.OK, AT, 600, fails=0, jitter=0) == AT + 600


def test_J04_what_failed_together_does_not_come_back_together():
    times = {next_visit(Outcome.OK, AT, 6000, dice=n / 100) for n in range(100)}

    assert len(times) > 90
    assert max(times) - min(times) <= 0.2 * 6000


def test_a_doubt_is_looked_into_soon_and_then_more_rarely():
    waits = [next_visit(Outcome.SUSPECT, 0, DAY, fails=n, jitter=0) for n in range(1, 12)]

    assert waits[0] == 300
    assert waits == sorted(waits)
    assert waits[-1] <= DAY


def test_what_could_not_be_read_is_asked_again_soon_however_rarely_it_is_asked_else():
    """A page of errors in the answer's place must not hide a yank for a day."""
    waits = [next_visit(Outcome.INVALID, 0, DAY, fails=n, jitter=0) for n in range(1, 12)]

    assert waits[0] == 600
    assert waits == sorted(waits)
    assert waits[-1] == DAY


def test_a_project_that_sleeps_is_asked_rarely():
    assert project_interval(AT, AT - 60, shortest=600, longest=7 * DAY) == 600
    assert project_interval(AT, AT - 20 * DAY, shortest=600, longest=7 * DAY) == DAY
    assert project_interval(AT, AT - 3650 * DAY, shortest=600, longest=7 * DAY) == 7 * DAY
    assert project_interval(AT, None, shortest=600, longest=7 * DAY) == 600


def test_R10_silence_is_stale():
    assert stale(None, AT, 60)
    assert stale(AT - 61, AT, 60)
    assert not stale(AT - 60, AT, 60)
