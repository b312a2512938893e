"""Small reads for the person at the terminal: what a screen shows, and no more.

Kept apart from the rest, and light: a command that shows something must start
at once.
"""

from __future__ import annotations

import sqlite3

from monitor.store import LIVE
from monitor.terms import Json


def events_of(
    db: sqlite3.Connection, project: int, limit: int, version: int | None = None
) -> list[Json]:
    """The newest events of a project (or of one version of it), newest first, as stored."""
    rows = db.execute(
        """
        SELECT event.seq, event.kind, version.version, event.at
        FROM event LEFT JOIN version ON version.id = event.version
        WHERE event.project = ?1 AND (?2 IS NULL OR event.version = ?2)
        ORDER BY event.seq DESC LIMIT ?3
        """,
        (project, version, limit),
    )
    return [dict(row) for row in rows]


def sighting(db: sqlite3.Connection, version: int) -> Json:
    """The answer that brought a version: source, mechanism, url, at, validator, digest."""
    row = db.execute(
        """
        SELECT source.name AS source, source.provider, sighting.mechanism, sighting.url,
               sighting.at, sighting.validator, sighting.digest
        FROM version JOIN sighting ON sighting.id = version.seen
        JOIN source ON source.id = sighting.source WHERE version.id = ?
        """,
        (version,),
    ).fetchone()
    digest = row["digest"]
    return dict(row) | {"digest": f"sha256:{digest.hex()}" if digest else None}


def also_at(db: sqlite3.Connection, version: int) -> list[str]:
    """Further sources that show a version."""
    rows = db.execute(
        "SELECT name FROM also JOIN source ON source.id = also.source WHERE version = ?"
        " ORDER BY name",
        (version,),
    )
    return [row["name"] for row in rows]


def says(db: sqlite3.Connection, version: int) -> list[Json]:
    """What a version says of itself: name, value, what was said before, source, time."""
    rows = db.execute(
        """
        SELECT trait.name, trait.value, trait.before, source.name AS source, trait.at
        FROM trait JOIN source ON source.id = trait.source WHERE trait.version = ?
        ORDER BY trait.name, source.name
        """,
        (version,),
    )
    return [dict(row) for row in rows]


def unanswered(db: sqlite3.Connection, version: int) -> Json | None:
    """The open inquiry about a version: since when, when it is asked next, what went wrong."""
    row = db.execute(
        "SELECT added, due, fails, error FROM inquiry WHERE version = ?", (version,)
    ).fetchone()
    return None if row is None else dict(row)


PROPOSALS = """
    SELECT proposal.id, proposal.project, project.purl, proposal.kind, proposal.subject,
           proposal.reason, proposal.at, proposal.source, proposal.answer, proposal.who
    FROM proposal JOIN project ON project.id = proposal.project
"""


def proposals(db: sqlite3.Connection, project: int | None = None) -> list[Json]:
    """The questions that wait for an answer, oldest first; of one project, or all."""
    rows = db.execute(
        f"{PROPOSALS} WHERE proposal.answer IS NULL AND (?1 IS NULL OR proposal.project = ?1)"
        " ORDER BY proposal.id",
        (project,),
    )
    return [dict(row) for row in rows]


def jobs_of(db: sqlite3.Connection, version: int) -> list[Json]:
    """The jobs of a version, with what came of them."""
    rows = db.execute(
        """
        SELECT id, rule, state, name, digest, added, look_at, written, marked, worker, attempts,
               failure, result
        FROM job WHERE version = ? ORDER BY id
        """,
        (version,),
    )
    return [dict(row) for row in rows]


def holds(db: sqlite3.Connection) -> list[Json]:
    """What is held, by whom and why; `version` is "" where the whole project is."""
    rows = db.execute(
        """
        SELECT project.purl, hold.version, hold.at, hold.who, hold.why
        FROM hold JOIN project ON project.id = hold.project ORDER BY hold.at, project.purl
        """
    )
    return [dict(row) for row in rows]


def visits(db: sqlite3.Connection) -> list[Json]:
    """How the visits of single projects go, put together by source.

    `projects` are those asked from time to time, `answered` is the last time that one of
    them had an answer, `due` when the next one is asked; `failing` counts those whose last
    visit failed, `purl`, `outcome`, `error` and `remedy` are of one of them.
    """
    rows = db.execute(
        """
        SELECT source.name AS source, count(*) AS projects,
               max(listing.answered) AS answered, max(listing.asked) AS asked,
               min(listing.due) AS due, count(listing.leased) AS leased,
               sum(listing.error IS NOT NULL) AS failing,
               sum(listing.asked IS NULL) AS unasked
        FROM listing JOIN source ON source.id = listing.source
        WHERE listing.due IS NOT NULL GROUP BY source.name
        """
    ).fetchall()
    found = []
    for row in rows:
        worst = db.execute(
            """
            SELECT project.purl, listing.outcome, listing.error, listing.remedy, listing.fails
            FROM listing JOIN source ON source.id = listing.source
            JOIN project ON project.id = listing.project
            WHERE source.name = ? AND listing.due IS NOT NULL
            ORDER BY listing.error IS NULL, listing.answered IS NULL, listing.answered LIMIT 1
            """,
            (row["source"],),
        ).fetchone()
        found.append(dict(row) | dict(worst))
    return found


def pauses(db: sqlite3.Connection, at: int) -> list[Json]:
    """Hosts that asked us to stay away for a while: host, until, outcome, why."""
    rows = db.execute(
        "SELECT host, until, outcome, why FROM pause WHERE until > ? ORDER BY until", (at,)
    )
    return [dict(row) for row in rows]


def unread(db: sqlite3.Connection) -> list[Json]:
    """Entries that could not be read, put together by source, with the latest of each."""
    rows = db.execute(
        """
        SELECT source.name AS source, count(*) AS entries, max(dead.last) AS last, dead.reason,
               dead.raw
        FROM dead JOIN source ON source.id = dead.source GROUP BY source.name
        """
    )
    return [dict(row) for row in rows]


def lag(db: sqlite3.Connection, since: int) -> Json | None:
    """How long news took, of the releases told since then: median and worst, in seconds.

    From the upstream's own date to the moment it was recorded here; only what
    was published after its project was first looked at counts.
    """
    rows = [
        row[0]
        for row in db.execute(
            """
            SELECT event.at - version.published FROM event
            JOIN version ON version.id = event.version
            WHERE event.kind = 'released' AND event.at >= ?1 AND version.published IS NOT NULL
                  AND version.published >= ?1
            ORDER BY 1
            """,
            (since,),
        )
    ]
    if not rows:
        return None
    return {"releases": len(rows), "median": rows[len(rows) // 2], "worst": rows[-1]}


def artefact(db: sqlite3.Connection, project: int, version: str) -> list[Json]:
    """The files of one version by its published spelling, as far as they are kept."""
    rows = db.execute(
        """
        SELECT file.url, file.name, file.kind, file.digest, file.size, file.published, file.yanked
        FROM file JOIN version ON version.id = file.version
        WHERE version.project = ? AND version.version = ? ORDER BY file.id
        """,
        (project, version),
    )
    return [dict(row) for row in rows]


def live(db: sqlite3.Connection, project: int) -> list[Json]:
    """The versions that their upstream still shows: version, key, stable, published, first seen."""
    rows = db.execute(
        f"""
        SELECT version.version, version.sort_key, version.stable, version.published, version.state,
               sighting.at AS first_seen
        FROM version JOIN sighting ON sighting.id = version.seen
        WHERE version.project = ? AND version.alias IS NULL
              AND version.state IN ({", ".join("?" * len(LIVE))})
        """,
        (project, *LIVE),
    )
    return [dict(row) for row in rows]


def places(db: sqlite3.Connection, purl: str) -> list[tuple[str, str]]:
    """Where a project is looked at: the source's name, and the project's name there."""
    rows = db.execute(
        """
        SELECT source.name AS source, listing.name FROM listing
        JOIN source ON source.id = listing.source
        JOIN project ON project.id = listing.project
        WHERE project.purl = ? ORDER BY listing.due IS NULL, source.name
        """,
        (purl,),
    )
    return [(row["source"], row["name"]) for row in rows]


def added(db: sqlite3.Connection) -> dict[str, int]:
    """Since when each source is configured."""
    return {row["name"]: row["added"] for row in db.execute("SELECT name, added FROM source")}
