"""Which sources there are, what is due, and what their addresses said last time."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heapreplace
from itertools import chain

import msgspec

from monitor.schedule import DAY, LONGEST_PAUSE
from monitor.sources import Source

WEEK = 7 * DAY

LEASE = 900
"""Seconds after which a visit that never ended is due again: its process is gone."""

_NONE: Mapping[str, int] = {}


class Due(msgspec.Struct, frozen=True):
    """A visit to be made. `project` is the upstream's name; None for a feed or an index.

    `lease` is the due time that the claim left behind, and with it what fences the visit: whoever
    claims it anew has another one. None: nobody else can ask at the same time. `cursor` is
    where the feed has got to.
    """

    source: str
    mechanism: str
    lease: int | None
    project: str | None = None
    cursor: str | None = None
    fails: int = 0
    changed: int | None = None
    watched: bool = False
    answered: int | None = None
    doubt: bool = False


def enlist(db: sqlite3.Connection, sources: Iterable[Source], at: int) -> list[Source]:
    """Give each configured source its row and its questions; returns them with their ids."""
    found = []
    for source in sources:
        db.execute(
            """
            INSERT INTO source (name, provider, added) VALUES (?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET provider = excluded.provider
            """,
            (source.name, source.provider.name, at),
        )
        number = db.execute("SELECT id FROM source WHERE name = ?", (source.name,)).fetchone()[0]
        for mechanism in source.mechanisms:
            db.execute(
                "INSERT OR IGNORE INTO question (source, mechanism, due) VALUES (?, ?, ?)",
                (number, mechanism, at),
            )
            # A wrong clock may have put it far ahead (fault H15).
            most = max(WEEK, source.every(mechanism))
            db.execute(
                "UPDATE question SET due = ?1 WHERE source = ?2 AND mechanism = ?3 AND due > ?4",
                (at + source.every(mechanism), number, mechanism, at + most + most // 10),
            )
        if source.provider.versions is None:  # it is read as a whole, and was not always
            db.execute(
                "UPDATE listing INDEXED BY listing_due SET due = NULL"
                " WHERE source = ? AND due IS NOT NULL",
                (number,),
            )
        longest = max(WEEK, source.longest)
        db.execute(
            "UPDATE listing INDEXED BY listing_due SET due = ?1 WHERE source = ?2 AND due > ?3",
            (at + source.shortest, number, at + longest + longest // 10),
        )
        found.append(replace(source, id=number))
    db.execute("UPDATE pause SET until = ?1 WHERE until > ?1", (at + LONGEST_PAUSE,))
    return found


def rank(db: sqlite3.Connection, sources: Iterable[Source]) -> None:
    """Whom to believe where sources differ. One that is no longer configured has no rank."""
    given = [(one.priority, one.exclusive, one.name) for one in sources]
    names = ", ".join("?" * len(given))
    db.execute(
        "UPDATE source SET priority = 0, exclusive = 0"
        f" WHERE (priority <> 0 OR exclusive) AND name NOT IN ({names})",
        [name for _, _, name in given],
    )
    db.executemany(
        "UPDATE source SET priority = ?1, exclusive = ?2"
        " WHERE name = ?3 AND (priority, exclusive) <> (?1, ?2)",
        given,
    )


def ask_anew(db: sqlite3.Connection, source: Source, how: str, at: int) -> int:
    """What was refused, or failed, is due at once where its source is asked otherwise from now on.

    `how` stands for all settings by which the source is asked; it is remembered, so that a restart
    notices a change. Returns how many questions and projects are due.
    """
    key = f"how {source.name} is asked"
    before = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    if before and before["value"] == how:
        return 0
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, how))
    return ask_refused(db, [source.id], at) if before else 0


def ask_refused(db: sqlite3.Connection, sources: Sequence[int], at: int) -> int:
    """What these sources refused, or failed to answer, is due at once; returns how many.

    Whoever sets the contact or the address that a remedy named need not wait for the end of a
    pause that grew to days. Upstreams that asked for a pause keep it.
    """
    found = 0
    for number in sources:
        for table, outcomes in (
            ("question", "'blocked', 'hostile', 'gone', 'invalid', 'retry'"),
            ("listing", "'blocked', 'hostile'"),
        ):
            found += db.execute(
                f"UPDATE {table} SET due = ?1 WHERE source = ?2 AND leased IS NULL AND due > ?1"
                f" AND outcome IN ({outcomes})",
                (at, number),
            ).rowcount
    return found


_FREE = f"(leased IS NULL OR leased NOT BETWEEN ?2 - {LEASE - 1} AND ?2)"
"""Nobody is asking it just now, whatever was announced meanwhile: that is asked afterwards."""


def claim_questions(db: sqlite3.Connection, sources: Sequence[Source], at: int) -> list[Due]:
    """Feeds and indexes that are due. Each is leased, so that nobody else asks it meanwhile."""
    names = {source.id: source.name for source in sources}
    rows = db.execute(
        f"""
        UPDATE question SET due = ?1, leased = ?2
        WHERE due <= ?2 AND {_FREE} AND source IN ({_marks(names, 3)})
        RETURNING source, mechanism, cursor, fails, changed, answered, doubt
        """,
        (at + LEASE, at, *names),
    ).fetchall()
    return [
        Due(
            names[row["source"]],
            row["mechanism"],
            at + LEASE,
            cursor=row["cursor"],
            fails=row["fails"],
            changed=row["changed"],
            answered=row["answered"],
            doubt=row["doubt"] is not None,
        )
        for row in rows
    ]


def claim_projects(
    db: sqlite3.Connection,
    sources: Sequence[Source],
    at: int,
    limit: int,
    *,
    busy: Mapping[str, int] = _NONE,
    most: Mapping[str, int] = _NONE,
) -> list[Due]:
    """Projects that are due, shared out among their sources (fault J03).

    The source with the fewest visits is served first, so that a hundred thousand names at one
    registry keep nobody from asking another. Of each source those that are watched come first,
    three places out of four; among equals the longest overdue.

    Only at sources that answer for a single project: what stands in a feed or an index alone is
    not asked for by itself, whoever watches it.

    `busy`  visits under way, by the source's name
    `most`  visits that a source may have at a time, where that is less than `limit`
    """
    names = {source.id: source.name for source in sources if source.provider.versions}
    chosen = _shared_out(db, names, at, limit, busy, most)
    if not chosen:
        return []
    rows = {
        (row["source"], row["project"]): row
        for row in db.execute(
            """
            UPDATE listing SET due = ?1, leased = ?2
            WHERE (source, project) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?3))
            RETURNING source, project, name, fails, changed, answered, doubt
            """,
            (at + LEASE, at, json.dumps(chosen)),
        ).fetchall()
    }
    watched = {
        row[0]
        for row in db.execute(
            f"SELECT project FROM watch WHERE project IN ({','.join('?' * len(rows))})",
            [project for _, project in rows],
        )
    }
    return [
        Due(
            names[row["source"]],
            "versions",
            at + LEASE,
            row["name"],
            fails=row["fails"],
            changed=row["changed"],
            watched=row["project"] in watched,
            answered=row["answered"],
            doubt=row["doubt"] is not None,
        )
        for row in map(rows.__getitem__, chosen)
    ]


def claim(
    db: sqlite3.Connection,
    sources: Sequence[Source],
    at: int,
    room: int,
    under_way: Sequence[Due] = (),
    *,
    most: Mapping[str, int] = _NONE,
) -> list[Due]:
    """Questions that are due, and projects for as long as there is room (see `claim_projects`).

    A visit `under_way` that takes longer than its lease keeps it: it is not begun anew, and what
    it brings is taken.
    """
    claimed = claim_questions(db, sources, at)
    if len(claimed) < room:
        busy = Counter(one.source for one in (*under_way, *claimed))
        rest = room - len(claimed)
        claimed += claim_projects(db, sources, at, rest, busy=busy, most=most)
    leases = {(one.source, one.mechanism, one.project): one.lease or 0 for one in under_way}
    found = []
    for one in claimed:
        lease = leases.get((one.source, one.mechanism, one.project))
        if lease is None:
            found.append(one)
            continue
        table, own = ("listing", "name") if one.project else ("question", "mechanism")
        db.execute(
            f"UPDATE {table} SET leased = ? WHERE {own} = ?"
            " AND source = (SELECT id FROM source WHERE name = ?)",
            (lease - LEASE, one.project or one.mechanism, one.source),
        )
    return found


def _shared_out(
    db: sqlite3.Connection,
    names: Mapping[int, str],
    at: int,
    limit: int,
    busy: Mapping[str, int],
    most: Mapping[str, int],
) -> list[tuple[int, int]]:
    """The (source, project) to be asked now, in that order."""
    waiting: list[tuple[int, int, int, Iterator[tuple[int, int]]]] = []
    for number, name in names.items():
        under_way = busy.get(name, 0)
        room = min(limit, most[name] - under_way) if name in most else limit
        line = _in_line(db, number, at, room) if room > 0 else iter(())
        if (first := next(line, None)) is not None:
            waiting.append((under_way, first[0], number, chain((first,), line)))
    heapify(waiting)
    chosen: list[tuple[int, int]] = []
    while waiting and len(chosen) < limit:
        under_way, since, number, line = waiting[0]
        if (following := next(line, None)) is None:
            heappop(waiting)
            continue
        chosen.append((number, following[1]))
        heapreplace(waiting, (under_way + 1, since, number, line))
    return chosen


def _in_line(db: sqlite3.Connection, source: int, at: int, room: int) -> Iterator[tuple[int, int]]:
    """What is due at a source as (since when, project): three that are watched, one that is not."""
    eager, others = (
        deque(
            db.execute(
                "SELECT due, project FROM listing INDEXED BY listing_due"
                f" WHERE source = ?1 AND eager = ?3 AND due <= ?2 AND {_FREE}"
                # Where a quota does not suffice for all, not always the same ones go without.
                f" ORDER BY due{', answered' if kind else ''} LIMIT ?4",
                (source, at, kind, room),
            )
        )
        for kind in (1, 0)
    )
    for place in range(min(room, len(eager) + len(others))):
        line = others if others and (not eager or place % 4 == 3) else eager
        due, project = line.popleft()
        yield due, project


def waiting(db: sqlite3.Connection, source: Source, at: int) -> int:
    """How many projects are due at a source."""
    row = db.execute(
        "SELECT count(*) FROM listing WHERE source = ? AND due <= ?", (source.id, at)
    ).fetchone()
    return int(row[0])


def release_claims(db: sqlite3.Connection, dues: Iterable[Due], at: int) -> None:
    """Visits that were abandoned whole (the daemon ends, the disk was full): due again at once."""
    for due in dues:
        if due.project is None:
            db.execute(
                "UPDATE question SET due = ?, leased = NULL WHERE mechanism = ? AND due = ?"
                " AND source = (SELECT id FROM source WHERE name = ?)",
                (at, due.mechanism, due.lease, due.source),
            )
        else:
            db.execute(
                "UPDATE listing SET due = ?, leased = NULL WHERE name = ? AND due = ?"
                " AND source = (SELECT id FROM source WHERE name = ?)",
                (at, due.project, due.lease, due.source),
            )


def void_leases(db: sqlite3.Connection, at: int) -> int:
    """The process that held them is gone (fault H01): what it was asking is due at once.

    For whoever holds the folder's lock and has just begun. Returns how many.
    """
    voided = 0
    for table in ("question", "listing"):
        voided += db.execute(
            f"UPDATE {table} SET due = min(due, ?1), leased = NULL"
            " WHERE due IS NOT NULL AND leased IS NOT NULL",
            (at,),
        ).rowcount
    return voided


def shift(db: sqlite3.Connection, seconds: int) -> None:
    """The clock was set: what was to happen in an hour still happens in an hour (fault H13)."""
    for table, column in (
        ("question", "due"),
        ("listing", "due"),
        ("job", "look_at"),
        ("job", "free_at"),
        ("pause", "until"),
        ("inquiry", "added"),
        ("inquiry", "due"),
        ("inquiry", "ready"),
        ("file", "tried"),
    ):
        db.execute(f"UPDATE {table} SET {column} = {column} + ?1 WHERE {column} <> 0", (seconds,))


NUDGED = 60
"""Seconds between two visits of a project that somebody asks for at least."""


def nudge(db: sqlite3.Connection, purl: str, sources: Sequence[Source], at: int) -> int | None:
    """Have a project asked soon at all sources that ask for it. Returns when; None: at none."""
    soon: list[int] = []
    for source in sources:
        listing = db.execute(
            "SELECT listing.project, listing.due, listing.asked FROM listing"
            " JOIN project ON project.id = listing.project WHERE source = ? AND purl = ?",
            (source.id, purl),
        ).fetchone()
        if listing is None:
            continue
        if source.provider.versions is not None:
            if listing["due"] is None and source.follow != "all":
                continue
            when = max(at, (listing["asked"] or 0) + NUDGED)
            db.execute(
                "UPDATE listing SET due = min(coalesce(due, ?1), ?1)"
                " WHERE source = ?2 AND project = ?3",
                (when, source.id, listing["project"]),
            )
            soon.append(when)
            continue
        rows = db.execute(  # it stands in a feed or an index alone
            "UPDATE question SET due = min(due, max(?1, coalesce(asked, 0) + ?2))"
            " WHERE source = ?3 RETURNING due",
            (at, NUDGED, source.id),
        ).fetchall()
        soon += [row["due"] for row in rows]
    return min(soon, default=None)


def idle(db: sqlite3.Connection, sources: Sequence[Source]) -> list[str]:
    """Sources that have nothing to be asked: no feed, no index, no project that is watched."""
    busy = {
        row[0]
        for row in db.execute(
            "SELECT id FROM source WHERE EXISTS"
            " (SELECT 1 FROM listing WHERE listing.source = source.id AND due IS NOT NULL)"
        )
    }
    return [one.name for one in sources if not one.mechanisms and one.id not in busy]


def validators(db: sqlite3.Connection, source: int, url: str) -> sqlite3.Row | None:
    """What that address said of itself: etag, last_modified, digest, identity, whole, changed."""
    row: sqlite3.Row | None = db.execute(
        "SELECT etag, last_modified, digest, identity, whole, changed FROM address"
        " WHERE source = ? AND url = ?",
        (source, url),
    ).fetchone()
    return row


def trail(db: sqlite3.Connection, source: int, leader: str) -> list[str]:
    """The further addresses of the last walk that began there."""
    return [
        row["url"]
        for row in db.execute(
            "SELECT url FROM address WHERE source = ? AND leader = ? AND leader <> url ORDER BY id",
            (source, leader),
        )
    ]


def forget_validators(db: sqlite3.Connection, source: int) -> None:
    """Ask that source without conditions next time: its settings changed."""
    db.execute("DELETE FROM address WHERE source = ?", (source,))


def pauses(db: sqlite3.Connection, at: int) -> list[sqlite3.Row]:
    """Hosts that asked us to stay away: host, until, outcome, why."""
    return db.execute(
        "SELECT host, until, outcome, why FROM pause WHERE until > ?", (at,)
    ).fetchall()


def keep_pause(db: sqlite3.Connection, host: str, until: int, outcome: str, why: str) -> None:
    """Remember a pause, so that a restart does not forget it (fault A04)."""
    db.execute(
        """
        INSERT INTO pause VALUES (?, ?, ?, ?)
        ON CONFLICT (host) DO UPDATE SET until = max(until, excluded.until),
            outcome = excluded.outcome, why = excluded.why
        """,
        (host, until, outcome, why),
    )


def _marks(values: Iterable[object], first: int) -> str:
    return ", ".join(f"?{first + n}" for n, _ in enumerate(values))
