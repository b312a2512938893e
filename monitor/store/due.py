"""Which sources there are, what is due, and what their addresses said last time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from monitor.schedule import DAY, LONGEST_PAUSE
from monitor.sources import Source

WEEK = 7 * DAY

LEASE = 900
"""Seconds after which a visit that never ended is due again: its process is gone."""


@dataclass(frozen=True, slots=True)
class Due:
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
    db: sqlite3.Connection, sources: Sequence[Source], at: int, limit: int
) -> list[Due]:
    """Projects that are due, the longest overdue first (fault J03).

    Only at sources that answer for a single project: what stands in a feed or an index alone is
    not asked for by itself, whoever watches it.
    """
    names = {source.id: source.name for source in sources if source.provider.versions}
    if not names:
        return []
    rows = db.execute(
        f"""
        UPDATE listing SET due = ?1, leased = ?2
        WHERE (source, project) IN (
            SELECT source, project FROM listing INDEXED BY listing_due
            WHERE due <= ?2 AND {_FREE} AND source IN ({_marks(names, 4)})
            ORDER BY due LIMIT ?3)
        RETURNING source, project, name, fails, changed, answered, doubt
        """,
        (at + LEASE, at, limit, *names),
    ).fetchall()
    # Where a quota does not suffice for all, it is not always the same ones that go without.
    rows.sort(key=lambda row: row["answered"] or 0)
    watched = {
        row[0]
        for row in db.execute(
            f"SELECT project FROM watch WHERE project IN ({','.join('?' * len(rows))})",
            [row["project"] for row in rows],
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
        for row in rows
    ]


def claim(
    db: sqlite3.Connection,
    sources: Sequence[Source],
    at: int,
    room: int,
    under_way: Iterable[Due] = (),
) -> list[Due]:
    """Questions that are due, and projects for as long as there is room.

    A visit `under_way` that takes longer than its lease keeps it: it is not begun anew, and what
    it brings is taken.
    """
    claimed = claim_questions(db, sources, at)
    if len(claimed) < room:
        claimed += claim_projects(db, sources, at, room - len(claimed))
    busy = {(one.source, one.mechanism, one.project): one.lease or 0 for one in under_way}
    found = []
    for one in claimed:
        lease = busy.get((one.source, one.mechanism, one.project))
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
    busy = {row[0] for row in db.execute("SELECT source FROM listing WHERE due IS NOT NULL")}
    return [one.name for one in sources if not one.mechanisms and one.id not in busy]


def next_due(db: sqlite3.Connection) -> int | None:
    """When the next visit of any kind is due."""
    times = [
        row[0]
        for row in db.execute(
            "SELECT min(due) FROM question UNION ALL"
            " SELECT min(due) FROM listing WHERE due IS NOT NULL"
        )
        if row[0] is not None
    ]
    return min(times, default=None)


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
