"""What is stored of a source and of one project, as the deciding code takes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from monitor.diff import GONE, Known, most_cautious
from monitor.model import State
from monitor.sources import Source
from monitor.store import insert_rows, numbers, states
from monitor.store.ranks import counted, ranking


def baselines(db: sqlite3.Connection, source: int) -> dict[str, int]:
    """When each mechanism of a source was looked at for the first time."""
    return {
        row["mechanism"]: row["baseline"]
        for row in db.execute(
            "SELECT mechanism, baseline FROM question WHERE source = ? AND baseline IS NOT NULL",
            (source,),
        )
    }


class Listing(msgspec.Struct, frozen=True):
    """How a project stands at a source: what is stored of it, and beside that

    `judged`  the project's newest version as it was judged last
    `known`   had we heard of the project at all?
    """

    added: int
    known: bool = False
    judged: int | None = None
    baseline: int | None = None
    answered: int | None = None
    doubt: str | None = None
    gone: int | None = None
    denied: int = 0
    lost: int | None = None


Enrolled = tuple[int, Listing]


def enrol(db: sqlite3.Connection, source: Source, name: str, at: int) -> Enrolled:
    """The project's id and its listing at this source, made where there is none."""
    purl = source.purl(name)
    found: sqlite3.Row | None = db.execute(
        """
        SELECT project.id, listing.added, project.newest AS judged, listing.baseline,
               listing.answered, listing.doubt, listing.gone, listing.denied, listing.lost
        FROM project LEFT JOIN listing ON listing.project = project.id AND listing.source = ?
        WHERE project.purl = ?
        """,
        (source.id, purl),
    ).fetchone()
    if found is not None and found["added"] is not None:
        project, added, *rest = found
        return project, Listing(added, True, *rest)
    if found is None:
        project = db.execute("INSERT INTO project (purl) VALUES (?)", (purl,)).lastrowid
        assert project is not None
        listing = Listing(at)
    else:
        project = found["id"]
        listing = Listing(at, known=True, judged=found["judged"])
    db.execute(
        "INSERT INTO listing (source, project, name, added) VALUES (?, ?, ?, ?)",
        (source.id, project, name, at),
    )
    return project, listing


def unknown(db: sqlite3.Connection, purls: Iterable[str]) -> set[str]:
    """Those of these purls that no source has ever told us of."""
    wanted = set(purls)
    if len(wanted) == 1:  # as most folders
        (purl,) = wanted
        found = db.execute("SELECT 1 FROM project WHERE purl = ?", (purl,)).fetchone()
        return set() if found else wanted
    rows = db.execute(
        "SELECT purl FROM project WHERE purl IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(list(wanted)).decode(),),
    )
    return wanted.difference(row["purl"] for row in rows)


def enrol_all(
    db: sqlite3.Connection,
    source: int,
    projects: Sequence[tuple[str, str, str | None]],
    at: int,
    *,
    baseline: int | None = None,
) -> range:
    """As `enrol`, for many (purl, name, revision) that are all `unknown`.

    Returns their ids, in order.
    """
    first = last_id(db, "project") + 1
    ids = range(first, first + len(projects))
    insert_rows(
        db,
        "project (id, purl)",
        [(number, purl) for number, (purl, _, _) in zip(ids, projects, strict=True)],
    )
    insert_rows(
        db,
        "listing (source, project, name, revision, added, baseline)",
        [
            (source, number, name, revision, at, baseline)
            for number, (_, name, revision) in zip(ids, projects, strict=True)
        ],
    )
    return ids


def last_id(db: sqlite3.Connection, table: str) -> int:
    """The highest id in use: there is but one writer, so what comes next is known beforehand."""
    return int(db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])


def shared(db: sqlite3.Connection, project: int) -> bool:
    """Is the project looked at in several sources?"""
    return (
        db.execute(
            "SELECT 1 FROM listing WHERE project = ? LIMIT 1 OFFSET 1", (project,)
        ).fetchone()
        is not None
    )


def known_versions(
    db: sqlite3.Connection, project: int, source: int
) -> tuple[dict[str, Known], dict[str, int]]:
    """Every version of a project that we ever saw, by spelling; and the ids of their rows."""
    rows = db.execute(
        "SELECT id, version, sort_key, state, revision, alias FROM version WHERE project = ?",
        (project,),
    ).fetchall()
    others = _elsewhere(db, project, source) if rows and shared(db, project) else {}
    known = {
        row["version"]: Known(
            row["version"],
            row["sort_key"][1:],  # without its epoch
            states[row["state"]],
            row["revision"],
            row["alias"] is not None,
            others.get(row["id"]),
        )
        for row in rows
    }
    return known, {row["version"]: row["id"] for row in rows}


def _elsewhere(db: sqlite3.Connection, project: int, source: int) -> dict[int, State]:
    """What the other sources say of the versions that they show."""
    said: dict[int, list[State]] = {}
    ranks = ranking(db, project)
    # What a stranger says of a version that is called like ours is said of something else (E21).
    ours = counted(db, project, ranks) if ranks and ranks.exclusive else set()
    for row in db.execute(
        """
        SELECT also.version, also.source, coalesce(also.state, :listed) AS state
        FROM also JOIN version ON version.id = also.version
        WHERE version.project = :project AND also.source <> :source
        UNION ALL
        SELECT version.id, sighting.source, version.state  -- shown by one source so far: another
        FROM version JOIN sighting ON sighting.id = version.seen
        WHERE version.project = :project AND sighting.source <> :source
              AND NOT EXISTS (SELECT 1 FROM also WHERE also.version = version.id
                              AND also.source = sighting.source)
        """,
        {"project": project, "source": source, "listed": numbers[State.LISTED]},
    ):
        if row["version"] in ours and ranks and row["source"] not in ranks.ids:
            continue
        if (state := states[row["state"]]) not in GONE:
            said.setdefault(row["version"], []).append(state)
    return {version: most_cautious(found) for version, found in said.items()}


def keep_statements(
    db: sqlite3.Connection,
    project: int,
    source: int,
    said: dict[int, State | None],
    *,
    complete: bool,
) -> None:
    """What this source says of a shared project's versions, by their ids.

    Where its answer was complete, it no longer shows the others.
    """
    if complete:
        for row in db.execute(
            """
            SELECT version.id FROM version JOIN sighting ON sighting.id = version.seen
            WHERE version.project = ?1 AND (sighting.source = ?2 OR EXISTS (
                  SELECT 1 FROM also WHERE also.version = version.id AND also.source = ?2))
            """,
            (project, source),
        ).fetchall():
            said.setdefault(row["id"], State.MISSING)
    db.executemany(
        "INSERT INTO also (version, source, state) VALUES (?, ?, ?)"
        " ON CONFLICT (version, source) DO UPDATE SET state = excluded.state",
        [
            (version, source, None if state is None else numbers[state])
            for version, state in said.items()
        ],
    )
