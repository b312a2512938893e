"""When to ask next. A pure function of what came of the last visit and the clock.

Times are whole seconds since 1970; `dice` is a random number in [0, 1) that the
caller throws, so that a thousand sources that failed together do not come back
together.
"""

from __future__ import annotations

from monitor.terms import Outcome

MINUTE, HOUR, DAY = 60, 3600, 86400

LONGEST_PAUSE = DAY
"""What an upstream may ask of us at most (fault A04)."""

GIVEN_UP = 7 * DAY
"""Who has not answered for so long is listed apart, and asked once a week at last (D11)."""

_HOURLY = 24
"""Failures in a row after which the distance grows beyond an hour: a day of them."""

CONFIRM = 5 * MINUTE
"""How long after a doubtful answer the second one is fetched."""


def next_visit(
    outcome: Outcome,
    at: int,
    every: int,
    *,
    fails: int = 0,
    retry_after: float | None = None,
    dice: float = 0.5,
    jitter: float = 0.1,
) -> int:
    """When a feed, an index or a project is to be asked again.

    `every` is the regular distance in seconds, `fails` counts visits in a row
    that did not answer, this one included. `jitter` is the share by which the
    distance varies.
    """
    match outcome:
        case Outcome.OK | Outcome.UNCHANGED:
            wait = float(every)
        case Outcome.SUSPECT:
            wait = _backoff(min(CONFIRM, every), fails, max(every, CONFIRM))
        case Outcome.THROTTLED:
            wait = max(1.0, min(retry_after or _backoff(MINUTE, fails), LONGEST_PAUSE))
            wait = max(wait, _growing(fails))  # "in a minute", and that for weeks
        case Outcome.BLOCKED:
            wait = max(HOUR, _backoff(HOUR, fails, 7 * DAY))
        case Outcome.GONE:
            wait = _backoff(8 * HOUR, fails, 7 * DAY)
        case Outcome.HOSTILE:
            wait = _backoff(DAY, fails, 7 * DAY)
        case Outcome.INVALID:
            # A page of errors is gone in minutes, a new shape stays: soon, then ever more rarely.
            wait = _backoff(10 * MINUTE, fails, DAY)
        case Outcome.RETRY:
            # Hourly through a day, then more and more rarely (fault J07).
            wait = _backoff(MINUTE, min(fails, 7), max(every, HOUR))
            wait = max(wait, _growing(fails))
    return at + max(1, round(wait * (1 - jitter + 2 * jitter * dice)))


def project_interval(now: int, last_change: int | None, *, shortest: int, longest: int) -> int:
    """How often one project is worth asking when nothing announces its releases.

    A project that changed lately is asked often, one that has slept for years
    rarely: a twentieth of the time since its last change.
    """
    if last_change is None:
        return shortest
    return max(shortest, min((now - last_change) // 20, longest))


def stale(answered: int | None, now: int, fresh: int) -> bool:
    """Is this source's news older than it may be?"""
    return answered is None or now - answered > fresh


def _growing(fails: int) -> float:
    """What a failure that does not end costs at least: the distance doubles, up to a week."""
    return _backoff(HOUR, fails - _HOURLY, GIVEN_UP) if fails > _HOURLY else 0.0


def _backoff(first: float, fails: int, longest: float = DAY) -> float:
    return float(min(first * 2 ** min(max(fails - 1, 0), 20), longest))
