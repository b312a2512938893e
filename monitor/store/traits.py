"""What releases say of themselves, and which are still to be asked.

Only for projects that are watched or built. A release is asked once, when it
is new; the release before it first, where nothing is known of it, so that
there is something to compare with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from monitor.model import About, File, Kind, Release, State
from monitor.schedule import DAY
from monitor.sources import Source
from monitor.store import events, numbers
from monitor.store.addresses import MOST_TEXT, printable
from monitor.store.ranks import ranking
from monitor.traits import Before, compare

BOOKMARK = "traits"

AT_ONCE = 50
"""Releases asked in one round."""

GRACE = 600
"""Seconds that a build waits for the first answer, where it need not wait for its age."""

AGAIN, LONGEST = 60, 6 * 3600
"""Seconds until the first further try, doubled up to the longest."""

GIVEN_UP = 7 * DAY
"""Seconds after which what was not answered is not asked again, nor what has no files."""

FORGOTTEN = 4 * GIVEN_UP
"""Seconds after which nobody is there any more who could be asked: its source is not configured."""

MOST = 2000
"""Events that are read in one turn."""

_decode = msgspec.json.Decoder(dict).decode

# Those that a later release may be compared with: nobody has reason to doubt them.
_GOOD = f"""
    version.alias IS NULL AND coalesce(version.stable, 1)
    AND version.state IN ({numbers[State.LISTED]}, {numbers[State.DEPRECATED]})
    AND NOT EXISTS (SELECT 1 FROM hold
                    WHERE hold.project = version.project AND hold.version = version.version)
"""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A release to be asked about: its row, its source, and what is known of it."""

    id: int
    version: int
    project: int
    source: int
    quiet: bool
    fails: int
    last: int  # when it is given up
    release: Release


# ── whom to ask ───────────────────────────────────────────────────────────────────────


def enlist(
    db: sqlite3.Connection,
    sources: Mapping[int, Source],
    wait: Callable[[str, bool], tuple[int, int] | None],
    at: int,
) -> None:
    """Have new releases asked, and those whose files became more.

    `wait` says of a purl, and whether it is watched, for how many seconds files may still be
    arriving and how long its cool-down is; None: nobody wants to know.
    """
    able = {key for key, source in sources.items() if source.tells_traits}
    seq = events.bookmark(db, BOOKMARK)
    rows = _news(db, seq) if able else []
    for row in rows:
        wanted = wait(row["purl"], bool(row["watched"]))
        if wanted is None or row["version"] is None:
            continue
        source = _whom(db, row, able)
        if source is None:
            continue
        settle, age = wanted
        if row["kind"] == Kind.RELEASED:
            mechanism = sources[source].provider.traits
            settle = max(settle, mechanism.late if mechanism else 0)
            before = _unknown_before(db, row["version"], source)
            if before is not None:
                _ask(db, row["project"], before, source, at, due=at, ready=at, quiet=True)
        elif not _decode(row["payload"]).get("files"):
            continue
        due, ready = at + min(settle, age), row["seen"] + age
        _ask(db, row["project"], row["version"], source, at, due=due, ready=ready, quiet=False)
    db.execute("DELETE FROM inquiry WHERE due < ?", (at - FORGOTTEN,))
    reached = rows[-1]["seq"] if len(rows) == MOST else events.head(db)
    if reached != seq:
        events.move_bookmark(db, BOOKMARK, reached)


def _news(db: sqlite3.Connection, seq: int) -> list[sqlite3.Row]:
    return db.execute(
        """
        SELECT event.seq, event.kind, event.project, event.version, event.source, event.payload,
               project.purl, sighting.at AS seen,
               EXISTS (SELECT 1 FROM watch WHERE watch.project = event.project) AS watched
        FROM event JOIN project ON project.id = event.project
        LEFT JOIN version ON version.id = event.version
        LEFT JOIN sighting ON sighting.id = version.seen
        WHERE event.seq > ? AND event.kind IN ('released', 'changed')
        ORDER BY event.seq LIMIT ?
        """,
        (seq, MOST),
    ).fetchall()


def _whom(db: sqlite3.Connection, row: sqlite3.Row, able: set[int]) -> int | None:
    """The source that told of it, else another that shows the project and can be asked.

    Of a name that is one source's own, others would tell what a stranger published (fault E21).
    """
    if row["source"] in able:
        return int(row["source"])
    listings = db.execute("SELECT source FROM listing WHERE project = ?", (row["project"],))
    if (ranks := ranking(db, row["project"])) is not None and ranks.exclusive:
        able = able & ranks.ids
    return next((one["source"] for one in listings if one["source"] in able), None)


def _unknown_before(db: sqlite3.Connection, version: int, source: int) -> int | None:
    """The stable release below that version, where nobody has asked about it yet."""
    row = db.execute(
        f"""
        SELECT version.id,
               EXISTS (SELECT 1 FROM trait WHERE trait.version = version.id AND source = ?2)
               OR EXISTS (SELECT 1 FROM inquiry WHERE inquiry.version = version.id) AS asked
        FROM version JOIN version AS own ON own.id = ?1
        WHERE version.project = own.project AND version.sort_key < own.sort_key AND {_GOOD}
        ORDER BY version.sort_key DESC LIMIT 1
        """,
        (version, source),
    ).fetchone()
    return None if row is None or row["asked"] else int(row["id"])


def _ask(
    db: sqlite3.Connection,
    project: int,
    version: int,
    source: int,
    at: int,
    *,
    due: int,
    ready: int,
    quiet: bool,
) -> None:
    db.execute(
        "INSERT INTO inquiry (project, version, source, quiet, added, due, ready)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (version) DO UPDATE SET quiet = min(quiet, excluded.quiet),"
        " due = min(due, excluded.due), fails = 0",
        (project, version, source, quiet, at, due, ready),
    )


def open_inquiries(db: sqlite3.Connection, sources: Mapping[int, Source], at: int) -> list[Inquiry]:
    """Those that are due; not before the release that theirs is to be compared with.

    Where there are none, old ones that cannot be asked are given up: a week in which we were away
    says nothing of the others.
    """
    able = {key: source for key, source in sources.items() if source.provider.traits is not None}
    after_files = [
        key
        for key, source in able.items()
        if source.provider.traits and source.provider.traits.files
    ]
    found: list[Inquiry] = []
    for row in db.execute(
        """
        SELECT inquiry.*, version.version AS label, version.tag, listing.name
        FROM inquiry JOIN version ON version.id = inquiry.version
        JOIN listing ON listing.project = inquiry.project AND listing.source = inquiry.source
        WHERE inquiry.due <= ?1 AND NOT EXISTS (
              SELECT 1 FROM inquiry AS first
              WHERE first.project = inquiry.project AND first.quiet AND first.id < inquiry.id)
              AND inquiry.source IN (SELECT value FROM json_each(?2))
              AND (inquiry.source NOT IN (SELECT value FROM json_each(?3)) OR EXISTS (
                   SELECT 1 FROM version AS any JOIN file ON file.version = any.id
                   WHERE any.project = inquiry.project
                         AND (inquiry.quiet OR any.id = inquiry.version)))
        ORDER BY inquiry.id LIMIT ?4
        """,
        (at, _json(list(able)), _json(after_files), AT_ONCE),
    ).fetchall():
        files, tag = _files(db, row["version"]), row["tag"] or row["label"]
        found.append(
            Inquiry(
                row["id"],
                row["version"],
                row["project"],
                row["source"],
                bool(row["quiet"]),
                row["fails"],
                max(row["ready"], row["added"] + GIVEN_UP),
                Release(row["name"], row["label"], files=files, tag=tag),
            )
        )
    if not found:
        db.execute(
            "DELETE FROM inquiry WHERE due < ? AND source IN (SELECT value FROM json_each(?))",
            (at - GIVEN_UP, _json(list(able))),
        )
    return found


def _json(value: list[int]) -> str:
    return msgspec.json.encode(value).decode()


def _files(db: sqlite3.Connection, version: int) -> tuple[File, ...]:
    rows = db.execute(
        "SELECT url, name, kind, provenance FROM file WHERE version = ? ORDER BY id", (version,)
    )
    return tuple(
        File(row["url"], name=row["name"], kind=row["kind"], provenance=row["provenance"])
        for row in rows
    )


def awaited(db: sqlite3.Connection, version: int) -> int | None:
    """Until when the answer about a release is waited for; None: nothing is open."""
    row = db.execute(
        "SELECT added, ready, fails FROM inquiry WHERE version = ? AND NOT quiet", (version,)
    ).fetchone()
    if row is None:
        return None
    return int(row["ready"] if row["fails"] else max(row["ready"], row["added"] + GRACE))


# ── what was answered ─────────────────────────────────────────────────────────────────


def answered(
    db: sqlite3.Connection,
    inquiry: Inquiry,
    said: Mapping[About, str],
    at: int,
    error: str | None = None,
) -> int:
    """Keep what a release said, and tell what is not as it was. Returns how many events.

    `error` is why part of the answer did not come: that part is not known, which is not the same
    as absent (fault E08), and is asked again later.
    """
    rows = db.execute(
        "SELECT name, value, before FROM trait WHERE version = ? AND source = ?",
        (inquiry.version, inquiry.source),
    ).fetchall()
    known = {About(row["name"]): row["value"] for row in rows}
    doubts = {About(row["name"]): row["value"] for row in rows if row["before"] is not None}
    fresh = {name: value for name, value in said.items() if known.get(name) != value}
    before = {} if inquiry.quiet else {name: _before(db, inquiry, name) for name in fresh}
    changed = {
        change.name: change
        for change in compare(
            inquiry.release.version,
            fresh,
            {name: one for name, one in before.items() if one is not None},
            _uploaders(db, inquiry) if About.UPLOADER in fresh else (),
        )
    }
    db.executemany(
        "INSERT INTO trait (version, source, name, value, before, at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (version, source, name) DO UPDATE SET"
        " value = excluded.value, before = excluded.before, at = excluded.at",
        [
            (
                inquiry.version,
                inquiry.source,
                name.value,
                value,
                changed[name].before.value if name in changed else None,
                at,
            )
            for name, value in fresh.items()
        ],
    )
    for change in changed.values():
        events.tell(
            db,
            change.kind,
            at,
            project=inquiry.project,
            version=inquiry.version,
            source=inquiry.source,
            payload=change.payload(),
        )
    for name, value in fresh.items():
        if name not in changed and (former := doubts.get(name)) is not None:
            _clear(db, inquiry, name, former, value, at)
    if error is None or at > inquiry.last:
        db.execute("DELETE FROM inquiry WHERE id = ?", (inquiry.id,))
    else:
        again = min(AGAIN * 2 ** min(inquiry.fails, 20), LONGEST)
        db.execute(
            "UPDATE inquiry SET due = ?, fails = fails + 1, error = ? WHERE id = ?",
            (at + again, printable(error)[:MOST_TEXT], inquiry.id),
        )
    _wake(db, inquiry.version, at)
    return len(changed)


def _clear(
    db: sqlite3.Connection, inquiry: Inquiry, name: About, former: str, value: str, at: int
) -> None:
    """What was told of a release is so no longer: what came late is there."""
    told = db.execute(
        """
        SELECT seq, payload ->> 'reason' AS reason FROM event
        WHERE project = ? AND version = ? AND payload ->> 'trait' = ? AND kind <> 'changed'
        ORDER BY seq DESC LIMIT 1
        """,
        (inquiry.project, inquiry.version, name.value),
    ).fetchone()
    if told is None:
        return
    events.tell(
        db,
        Kind.CHANGED,
        at,
        project=inquiry.project,
        version=inquiry.version,
        source=inquiry.source,
        payload={
            "trait": name.value,
            "value": value,
            "value_before": former,
            "clears": told["reason"],
            "reason": f"no longer so: {told['reason']}",
        },
    )


def _wake(db: sqlite3.Connection, version: int, at: int) -> None:
    """Have its job decided again: it waited for this, or has to wait longer now."""
    db.execute(
        """
        UPDATE job SET look_at = ?1
        WHERE version = ?2 AND state = 'waiting' AND look_at > ?1 AND (
              added < ?1 OR 'traits-unknown' = (
              SELECT rule FROM decision WHERE decision.version = ?2 ORDER BY id DESC LIMIT 1))
        """,
        (at, version),
    )


def _before(db: sqlite3.Connection, inquiry: Inquiry, name: About) -> Before | None:
    """What the nearest stable release below says of it: a series is compared with itself.

    What somebody holds back is not taken for what is usual.
    """
    row = db.execute(
        f"""
        SELECT version.version, trait.value FROM version
        JOIN version AS own ON own.id = ?1
        JOIN trait ON trait.version = version.id AND trait.source = ?2 AND trait.name = ?3
        WHERE version.project = own.project AND version.sort_key < own.sort_key AND {_GOOD}
        ORDER BY version.sort_key DESC LIMIT 1
        """,
        (inquiry.version, inquiry.source, name.value),
    ).fetchone()
    return None if row is None else Before(row["version"], row["value"])


def _uploaders(db: sqlite3.Connection, inquiry: Inquiry) -> list[str]:
    """Who published other releases of the project."""
    rows = db.execute(
        f"""
        SELECT DISTINCT trait.value FROM version
        JOIN trait ON trait.version = version.id AND trait.source = ?1 AND trait.name = 'uploader'
        WHERE version.project = ?2 AND version.id <> ?3 AND {_GOOD}
        """,
        (inquiry.source, inquiry.project, inquiry.version),
    )
    return [row["value"] for row in rows]


# ── who wants to know ─────────────────────────────────────────────────────────────────


def notices(db: sqlite3.Connection, version: int) -> list[str]:
    """One sentence for each thing that a release says otherwise than the one before it."""
    rows = db.execute(
        """
        SELECT payload ->> 'reason' FROM event
        WHERE project = (SELECT project FROM version WHERE id = ?1) AND version = ?1
              AND payload ->> 'trait' IS NOT NULL AND payload ->> 'clears' IS NULL
              AND NOT EXISTS (SELECT 1 FROM event AS later
                              WHERE later.project = event.project AND later.version = ?1
                                    AND later.payload ->> 'clears' = event.payload ->> 'reason')
        ORDER BY seq
        """,
        (version,),
    )
    return [row[0] for row in rows]


def new_hands(db: sqlite3.Connection, version: int) -> bool:
    """Was it published by somebody new, or did those change who may (fault E09)?"""
    return (
        db.execute(
            "SELECT 1 FROM trait WHERE version = ? AND before IS NOT NULL"
            " AND name IN ('owners', 'uploader')",
            (version,),
        ).fetchone()
        is not None
    )
