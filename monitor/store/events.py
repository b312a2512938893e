"""The event log and its bookmarks. Events are numbered in commit order and never change."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from monitor.model import Event, Json, Kind
from monitor.store import projects

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(dict).decode

_SELECT = """
    SELECT event.seq, event.at, event.kind, project.purl, version.version,
           source.name AS source, event.payload
    FROM event
    LEFT JOIN project ON project.id = event.project
    LEFT JOIN version ON version.id = event.version
    LEFT JOIN source ON source.id = event.source
"""


def tell(
    db: sqlite3.Connection,
    kind: Kind,
    at: int,
    *,
    project: int | None = None,
    version: int | None = None,
    source: int | None = None,
    payload: Json | None = None,
) -> int:
    """Append one event and return its number. The caller's transaction commits it."""
    cursor = db.execute(
        "INSERT INTO event (at, kind, project, version, source, payload) VALUES (?, ?, ?, ?, ?, ?)",
        (at, kind.value, project, version, source, _encode(payload or {}).decode()),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def after(db: sqlite3.Connection, seq: int, limit: int = 1000) -> list[Event]:
    """The events behind `seq`, oldest first."""
    rows = db.execute(f"{_SELECT} WHERE event.seq > ? ORDER BY event.seq LIMIT ?", (seq, limit))
    return [_from_row(row) for row in rows]


def of_kinds(
    db: sqlite3.Connection, kinds: Sequence[Kind], seq: int, limit: int
) -> list[sqlite3.Row]:
    """Events of these kinds about a project, behind `seq`, oldest first, with ids and raw payload.

    Columns: seq, kind, project, version (ids), purl, label (the version), payload (JSON).
    """
    return db.execute(
        f"""
        SELECT event.seq, event.kind, event.project, event.version, event.payload, project.purl,
               version.version AS label
        FROM event JOIN project ON project.id = event.project
        LEFT JOIN version ON version.id = event.version
        WHERE event.seq > ? AND event.kind IN ({", ".join("?" * len(kinds))})
        ORDER BY event.seq LIMIT ?
        """,
        (seq, *(kind.value for kind in kinds), limit),
    ).fetchall()


def of_project(db: sqlite3.Connection, project: int, limit: int = 100) -> list[Event]:
    """The newest events of one project, newest first."""
    rows = db.execute(
        f"{_SELECT} WHERE event.project = ? ORDER BY event.seq DESC LIMIT ?", (project, limit)
    )
    return [_from_row(row) for row in rows]


def head(db: sqlite3.Connection) -> int:
    """The number of the newest event, 0 where there is none."""
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])


def bookmark(db: sqlite3.Connection, output: str) -> int:
    """How far that output has read; 0 at first."""
    row = db.execute("SELECT seq FROM bookmark WHERE output = ?", (output,)).fetchone()
    return int(row[0]) if row else 0


def move_bookmark(db: sqlite3.Connection, output: str, seq: int) -> None:
    """Remember that the output has read everything up to `seq`."""
    db.execute(
        "INSERT INTO bookmark VALUES (?, ?) ON CONFLICT (output) DO UPDATE SET seq = excluded.seq",
        (output, seq),
    )


def follow(db: sqlite3.Connection, seq: int) -> Iterator[Event]:
    """All events behind `seq`, oldest first, however many there are."""
    while found := after(db, seq):
        yield from found
        seq = found[-1].seq or seq


def of_watched(db: sqlite3.Connection) -> Callable[[Event], bool]:
    """Is an event of a project that is watched now, or of none?"""
    watched = projects.watched_ids(db)
    return lambda event: not event.project or event.project in watched


def _from_row(row: sqlite3.Row) -> Event:
    return Event(
        Kind(row["kind"]),
        row["purl"] or "",
        row["version"],
        row["source"],
        _decode(row["payload"]),
        row["seq"],
        datetime.fromtimestamp(row["at"], UTC),
    )


def was_told(db: sqlite3.Connection, kind: Kind, project: int, version: int) -> bool:
    """Was an event of that kind ever told of that version?"""
    return (
        db.execute(
            "SELECT 1 FROM event WHERE project = ? AND version = ? AND kind = ?",
            (project, version, kind.value),
        ).fetchone()
        is not None
    )


MINUTES = 600
"""Seconds within which many releases of one project are a burst."""


def recently_released(db: sqlite3.Connection, project: int, at: int, most: int) -> int:
    """How many releases of a project were told within the last minutes; counts up to `most`."""
    return int(
        db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM event WHERE project = ? AND kind = 'released'"
            " AND at > ? ORDER BY seq DESC LIMIT ?)",
            (project, at - MINUTES, most),
        ).fetchone()[0]
    )


def burst(db: sqlite3.Connection, project: int, since: int) -> bool:
    """Was a burst of that project told since then?"""
    return (
        db.execute(
            "SELECT 1 FROM event WHERE project = ? AND kind = 'burst' AND at > ?", (project, since)
        ).fetchone()
        is not None
    )
