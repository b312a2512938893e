"""Feeds and indexes that say nothing new: is nothing new, or do they stand still? (fault D05)

Where a source has shown nothing new for as long as its news may be old, or does
not answer at all, some of its projects are asked directly. When one of them has
a release that the source goes on not to show, the source stands still: that is
told, and its projects are asked one by one until it moves again.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from monitor.model import Json, Kind
from monitor.schedule import MINUTE
from monitor.store.events import tell

if TYPE_CHECKING:
    from monitor.store.record import Result, Visit

SAMPLE = 300
"""For each so many seconds between two visits to a source that is merely quiet, one of its projects
is asked."""

ALL = 200
"""Projects that are asked at each visit to one that does not answer or stands still."""

BUSIEST, TAIL = 5, 2000
"""Projects that released most often, as far as the last events tell: where nothing new is shown,
they show it first."""

GRACE = 15 * MINUTE
"""A release may stand on its project's page so long before a feed behind a cache shows it."""


def moved(visit: Visit, result: Result) -> bool:
    """Did it show something new, beside a cursor that went on? The bytes of a feed say little: a
    server that stands still may date each answer anew."""
    if result.released or result.moved:
        return True
    return visit.mechanism == "index" and visit.cursor is None and bool(visit.answers)


def look(db: sqlite3.Connection, visit: Visit, result: Result, row: sqlite3.Row) -> None:
    """After a visit to a feed or an index: have projects asked in its place where it is quiet.

    `row` is how it stands with the question now: moved, behind, stalled, error.
    """
    source = visit.source
    if row["moved"] is None or visit.at - row["moved"] <= source.fresh:
        return
    every = source.every(visit.mechanism)
    answers, behind = row["error"] is None, row["behind"]
    lags = behind is not None and visit.at - behind >= max(GRACE, every - every // 10)
    if answers and lags and row["stalled"] is None:
        _tell(db, visit, result, row["moved"])
    if source.provider.versions is not None:
        _sample(db, visit, ALL if lags or not answers else max(1, every // SAMPLE))


def released(db: sqlite3.Connection, visit: Visit) -> None:
    """A project has shown a release: what of its source has been quiet did not show it."""
    db.execute(
        "UPDATE question SET behind = :at"
        " WHERE source = :source AND behind IS NULL AND moved < :at - :fresh",
        {"source": visit.source.id, "at": visit.at, "fresh": visit.source.fresh},
    )


def _tell(db: sqlite3.Connection, visit: Visit, result: Result, since: int) -> None:
    db.execute(
        "UPDATE question SET stalled = ? WHERE source = ? AND mechanism = ?",
        (visit.at, visit.source.id, visit.mechanism),
    )
    payload: Json = {
        "alarm": True,
        "provider": visit.source.provider.name,
        "mechanism": visit.mechanism,
        "since": since,
        "reason": f"its {visit.mechanism} shows nothing new, and a project of it has a release",
    }
    seq = tell(db, Kind.STALLED, visit.at, source=visit.source.id, payload=payload)
    result.events.append(seq)


def _sample(db: sqlite3.Connection, visit: Visit, count: int) -> None:
    """Projects that are asked for at all, and were not for as long as news may be old: those that
    released most of late, and in turn so many of the others."""
    due = (
        "source = :source AND coalesce(answered, 0) < :at - :fresh AND leased IS NULL AND fails = 0"
        " AND (due > :at OR :all AND due IS NULL)"
    )
    db.execute(
        f"""
        UPDATE listing SET due = :at WHERE {due} AND project IN (
            SELECT project FROM (
                SELECT kind, project, source FROM event ORDER BY seq DESC LIMIT {TAIL})
            WHERE kind = 'released' AND source = :source
            GROUP BY project ORDER BY count(*) DESC, project LIMIT {BUSIEST})
        """,
        facts := {
            "source": visit.source.id,
            "at": visit.at,
            "fresh": visit.source.fresh,
            "all": visit.source.follow == "all",
            "count": count,
        },
    )
    db.execute(
        f"""
        UPDATE listing SET due = :at WHERE source = :source AND project IN (
            SELECT project FROM listing INDEXED BY listing_due
            WHERE due IS NOT NULL AND {due} ORDER BY answered LIMIT :count)
        """,
        facts,
    )
