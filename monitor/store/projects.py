"""What people ask of the store: projects, their versions, who watches them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from monitor.errors import UsageError
from monitor.schedule import GIVEN_UP
from monitor.store import numbers, states
from monitor.store.ranks import ranking
from monitor.terms import Json, State

if TYPE_CHECKING:  # `monitor list` has no time for it
    from monitor.rules import Rules
    from monitor.sources import Source


AS_A_WHOLE = """(SELECT max(question.answered) FROM question
    WHERE question.source = listing.source AND listing.due IS NULL)"""
"""When the source of a listing answered last, where the project itself is not asked for."""


def by_purl(db: sqlite3.Connection, purl: str) -> sqlite3.Row | None:
    """The project's row: id, purl, newest, stable."""
    row: sqlite3.Row | None = db.execute(
        "SELECT id, purl, newest, stable FROM project WHERE purl = ?", (purl,)
    ).fetchone()
    return row


def find(db: sqlite3.Connection, text: str) -> list[str]:
    """Purls that a text may mean: a purl, "source/name", or a bare name; watched ones first."""
    if text.startswith("pkg:"):
        rows = db.execute("SELECT purl FROM project WHERE purl = ?", (text,))
        return [row["purl"] for row in rows]
    source, slash, name = text.partition("/")
    if slash:
        rows = db.execute(
            """
            SELECT project.purl FROM listing
            JOIN project ON project.id = listing.project
            JOIN source ON source.id = listing.source
            WHERE (source.name = ?1 OR source.provider = ?1)
                  AND (listing.name = ?2 OR listing.name = lower(?2))
            """,
            (source, name),
        )
        if found := [row["purl"] for row in rows]:
            return found
    like = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = db.execute(
        """
        SELECT project.purl FROM watch CROSS JOIN project ON project.id = watch.project
        WHERE lower(watch.name) = ?1 OR lower(project.purl) LIKE ?2 ESCAPE '\\'
              OR watch.project IN (SELECT project FROM package WHERE lower(name) = ?1)
        ORDER BY project.purl
        """,
        (text.lower(), f"%/{like}"),
    )
    if found := [row["purl"] for row in rows]:
        return found
    rows = db.execute(
        """
        SELECT DISTINCT project.purl FROM listing JOIN project ON project.id = listing.project
        WHERE listing.name = ?1 LIMIT 20
        """,
        (text,),
    )
    return [row["purl"] for row in rows]


def one(db: sqlite3.Connection, text: str) -> sqlite3.Row:
    """The one project that a text means. Raises UsageError with the candidates."""
    found = find(db, text)
    if len(found) == 1 and (row := by_purl(db, found[0])):
        return row
    if found:
        raise UsageError(text, "means several projects", "one of: " + ", ".join(found[:10]))
    raise UsageError(text, "is not known here", "`monitor watch` adds it, `monitor list` shows all")


def watch(
    db: sqlite3.Connection,
    project: int,
    at: int,
    *,
    source: Source,
    name: str | None = None,
    current: str | None = None,
    owner: str | None = None,
    rules: str | None = None,
    origin: str = "command",
) -> bool:
    """Watch a project: it is asked now and from then on. Returns False where it was watched.

    Where its source is only read as a whole, that is how it is asked.

    What is known of it already is judged by the rules that are given now. What a command leaves
    out stays as it was; what the settings leave out is gone from them.
    """
    before = db.execute("SELECT rules FROM watch WHERE project = ?", (project,)).fetchone()
    db.execute(
        """
        INSERT INTO watch (project, added, name, current, owner, rules, origin)
        VALUES (?1, ?2, ?3, ?4, ?5, coalesce(?6, '{}'), ?7)
        ON CONFLICT (project) DO UPDATE SET
            name = coalesce(?3, name), rules = coalesce(?6, rules), origin = ?7,
            current = CASE ?7 WHEN 'settings' THEN ?4 ELSE coalesce(?4, current) END,
            owner = CASE ?7 WHEN 'settings' THEN ?5 ELSE coalesce(?5, owner) END
        """,
        (project, at, name, current, owner, rules, origin),
    )
    db.execute("UPDATE listing SET eager = 1 WHERE project = ? AND NOT eager", (project,))
    if source.provider.versions is not None:
        db.execute(
            "UPDATE listing SET due = coalesce(due, ?) WHERE project = ? AND source = ?",
            (at, project, source.id),
        )
    if before is None or (rules is not None and rules != before["rules"]):
        from monitor.store.appraise import re_evaluate  # reading alone needs no judge

        re_evaluate(db, source, project, at, apply=True)
    return before is None


def judge_anew(db: sqlite3.Connection, source: Source, at: int) -> int:
    """Judge what is watched at a source whose own rules changed; returns how many projects.

    The rules that were judged by are remembered by source, so that a restart notices a change.
    """
    import msgspec

    key = f"rules of {source.name}"
    said = [source.provider.ordering, source.rules, source.priority, source.exclusive]
    now = msgspec.json.encode(said).decode()
    before = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    if before and before["value"] == now:
        return 0
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, now))
    if before is None:
        return 0
    from monitor.store.appraise import re_evaluate

    watched = db.execute(
        "SELECT project FROM watch JOIN listing USING (project) WHERE listing.source = ?",
        (source.id,),
    ).fetchall()
    for row in watched:
        re_evaluate(db, source, row["project"], at, apply=True)
    return len(watched)


def named_in_settings(db: sqlite3.Connection, project: int) -> bool:
    """Is it watched because the settings name it? Then they have the last word."""
    found = db.execute("SELECT origin FROM watch WHERE project = ?", (project,)).fetchone()
    return found is not None and found["origin"] == "settings"


def unwatch(db: sqlite3.Connection, project: int) -> bool:
    """No longer watched. What is known stays."""
    gone = db.execute("DELETE FROM watch WHERE project = ?", (project,)).rowcount > 0
    db.execute("DELETE FROM package WHERE project = ?", (project,))
    db.execute("UPDATE listing SET due = NULL, eager = 0 WHERE project = ?", (project,))
    return gone


_FEWER = ("skip", "exclude", "allow")
"""Rules that are lists of exceptions: what all packages except, all of them except."""


def in_common(packages: Sequence[Json]) -> Json:
    """What several packages of one project have in common: name (the first), current, owner, rules.

    A project is judged by this, in whatever order they stand: a pin that only one of them has says
    nothing of the project.
    """
    import json

    first, *others = (json.loads(package["rules"]) for package in packages)
    rules = {}
    for key, value in first.items():
        said = [other.get(key) for other in others]
        if key in _FEWER:
            if common := [one for one in value if all(one in (other or ()) for other in said)]:
                rules[key] = common
        elif all(other == value for other in said):
            rules[key] = value
    facts: Json = {"name": packages[0]["name"], "rules": json.dumps(rules, separators=(",", ":"))}
    for key in ("current", "owner"):
        values = {package[key] for package in packages}
        facts[key] = values.pop() if len(values) == 1 else None
    return facts


def share(db: sqlite3.Connection, packages: Mapping[int, Sequence[Json]]) -> None:
    """Keep which packages share a project: by project, their name, current, owner and rules."""
    rows = sorted(
        (project, one["name"], one["current"], one["owner"], one["rules"])
        for project, several in packages.items()
        for one in several
    )
    there = db.execute("SELECT project, name, current, owner, rules FROM package").fetchall()
    if [tuple(row) for row in there] != rows:
        db.execute("DELETE FROM package")
        db.executemany("INSERT INTO package VALUES (?, ?, ?, ?, ?)", rows)


def package_rules(db: sqlite3.Connection, project: int, name: str) -> Rules | None:
    """The rules of the package that is called so, where several share the project; else None."""
    row = db.execute(
        "SELECT rules FROM package WHERE project = ? AND lower(name) = lower(?)", (project, name)
    ).fetchone()
    if row is None:
        return None
    import msgspec

    from monitor.rules import Rules

    return msgspec.json.decode(row["rules"], type=Rules)


def packages_of(db: sqlite3.Connection, project: int) -> list[str]:
    """The names of the packages that share a project; empty where it is one package's alone."""
    rows = db.execute("SELECT name FROM package WHERE project = ? ORDER BY name", (project,))
    return [row["name"] for row in rows]


def ack(db: sqlite3.Connection, project: int, version: str | None) -> str | None:
    """Its owner has seen that version (or the newest stable one). Returns which."""
    row = db.execute(
        """
        SELECT version.id, version.version FROM project
        JOIN version ON version.project = project.id
        WHERE project.id = ?1 AND CASE WHEN ?2 IS NULL
              THEN version.id = coalesce(project.stable, project.newest)
              ELSE version.version = ?2 END
        """,
        (project, version),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE watch SET acked = ? WHERE project = ?", (row["id"], project))
    return str(row["version"])


def watched(db: sqlite3.Connection) -> list[Json]:
    """Every watched project with what is known of it, by name.

    One that several packages share has a row for each: `shared` is then the project's id, and
    `newest` and `stable` are those of the project, not by the package's rules.
    """
    rows = db.execute(
        f"""
        SELECT project.purl, coalesce(package.name, watch.name) AS name,
               CASE WHEN package.name IS NULL THEN watch.current
                    ELSE package.current END AS current,
               CASE WHEN package.name IS NULL THEN watch.owner
                    ELSE package.owner END AS owner,
               watch.added, coalesce(package.rules, watch.rules) AS rules,
               package.project AS shared,
               newest.version AS newest, newest.published AS newest_published,
               stable.version AS stable, stable.published AS stable_published,
               stable.sort_key AS stable_key, acked.version AS acked,
               sighting.at AS stable_seen,
               (SELECT group_concat(source.name, ' ') FROM listing
                JOIN source ON source.id = listing.source
                WHERE listing.project = project.id) AS sources,
               (SELECT max(coalesce(listing.answered, {AS_A_WHOLE})) FROM listing
                WHERE listing.project = project.id) AS answered,
               (SELECT listing.error FROM listing WHERE listing.project = project.id
                AND listing.error IS NOT NULL LIMIT 1) AS error,
               (SELECT listing.outcome FROM listing WHERE listing.project = project.id
                ORDER BY listing.asked DESC LIMIT 1) AS outcome
        FROM watch CROSS JOIN project ON project.id = watch.project
        LEFT JOIN package ON package.project = watch.project
        LEFT JOIN version AS newest ON newest.id = project.newest
        LEFT JOIN version AS stable ON stable.id = project.stable
        LEFT JOIN version AS acked ON acked.id = watch.acked
        LEFT JOIN sighting ON sighting.id = stable.seen
        ORDER BY coalesce(package.name, watch.name, project.purl) COLLATE NOCASE
        """
    )
    return [dict(row) for row in rows]


def spelled(db: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """Of every watched project its purl, a source that lists it, and its name there."""
    rows = db.execute(
        """
        SELECT project.purl, source.name AS source, listing.name
        FROM watch CROSS JOIN project ON project.id = watch.project
        JOIN listing ON listing.project = project.id
        JOIN source ON source.id = listing.source
        ORDER BY listing.added DESC, source.id DESC
        """
    )
    return {row["purl"]: (row["source"], row["name"]) for row in rows}


def names(db: sqlite3.Connection) -> list[tuple[str, str | None]]:
    """The purl of every watched project, and what its watcher calls it."""
    rows = db.execute(
        "SELECT purl, coalesce(package.name, watch.name) AS name"
        " FROM watch CROSS JOIN project ON project.id = watch.project"
        " LEFT JOIN package ON package.project = watch.project"
    )
    return [(row["purl"], row["name"]) for row in rows]


def watched_ids(db: sqlite3.Connection) -> dict[str, int]:
    """The purl of every watched project, and its id."""
    # Left to itself SQLite would go through all projects that there are.
    rows = db.execute(
        "SELECT purl, project FROM watch CROSS JOIN project ON project.id = watch.project"
    )
    return {row["purl"]: row["project"] for row in rows}


def versions(db: sqlite3.Connection, project: int) -> list[Json]:
    """Every version of a project, the highest first, with where and when it was seen."""
    rows = db.execute(
        """
        SELECT version.id, version.version, version.state, version.stable, version.published,
               version.flag, version.revision, version.tag, version.alias, version.sort_key,
               sighting.at AS first_seen, sighting.url, source.name AS source
        FROM version JOIN sighting ON sighting.id = version.seen
        JOIN source ON source.id = sighting.source
        WHERE version.project = ?
        ORDER BY version.sort_key DESC, version.id
        """,
        (project,),
    )
    return [dict(row) | {"state": states[row["state"]].value} for row in rows]


def files(db: sqlite3.Connection, version: int) -> list[sqlite3.Row]:
    """The files of one version, as far as they are kept."""
    return db.execute(
        "SELECT url, name, kind, digest, size, published, yanked, added FROM file"
        " WHERE version = ? ORDER BY id",
        (version,),
    ).fetchall()


def described(db: sqlite3.Connection, version: int) -> list[Json]:
    """The files of one version as events tell of them: address, digest, size, name."""
    return [
        {"address": one["url"], "digest": one["digest"], "size": one["size"], "name": one["name"]}
        for one in files(db, version)
    ]


def listings(db: sqlite3.Connection, project: int) -> list[Json]:
    """Where a project is looked at, and how that goes."""
    rows = db.execute(
        f"""
        SELECT source.name AS source, source.provider, listing.name, listing.added,
               listing.baseline, listing.due, listing.asked, listing.changed,
               listing.outcome, listing.error, listing.remedy, listing.fails, listing.gone,
               listing.ignored,
               coalesce(listing.answered, {AS_A_WHOLE}) AS answered
        FROM listing JOIN source ON source.id = listing.source
        WHERE listing.project = ? ORDER BY source.name
        """,
        (project,),
    )
    return [dict(row) for row in rows]


def sources(db: sqlite3.Connection) -> list[Json]:
    """Every question of every source, and how it goes."""
    rows = db.execute(
        """
        SELECT source.name AS source, source.provider, question.mechanism, question.baseline,
               question.due, question.asked, question.answered, question.changed,
               question.outcome, question.error, question.remedy, question.fails, question.gap,
               question.doubt, question.leased, question.moved, question.stalled
        FROM question JOIN source ON source.id = question.source
        ORDER BY source.name, question.mechanism
        """
    )
    return [dict(row) for row in rows]


def troubled(
    db: sqlite3.Connection, at: int, *, given_up: bool = False, limit: int = 50
) -> list[Json]:
    """Projects whose last visit did not answer, the longest first: at most `limit` of each kind.

    A kind is a source with an outcome and a remedy; `alike` is how many projects are of it, so
    that one server's trouble hides nobody else's.

    Those that have not answered for a week are listed apart (`given_up`): what
    is asked of them is little, and none is ever forgotten (faults D11, J06).
    """
    rows = db.execute(
        """
        SELECT * FROM (
            SELECT project.purl, source.name AS source, listing.outcome, listing.error,
                   listing.remedy, listing.fails, listing.due, listing.answered,
                   coalesce(listing.answered, listing.added) AS since,
                   count(*) OVER kind AS alike,
                   row_number() OVER (kind ORDER BY listing.answered, listing.project) AS place
            FROM listing JOIN project ON project.id = listing.project
            JOIN source ON source.id = listing.source
            WHERE listing.error IS NOT NULL AND listing.due IS NOT NULL
                  AND (coalesce(listing.answered, listing.added) < ?) = ?
            WINDOW kind AS (PARTITION BY listing.source, listing.outcome, listing.remedy)
        ) WHERE place <= ? ORDER BY answered, purl
        """,
        (at - GIVEN_UP, given_up, limit),
    )
    return [{key: value for key, value in dict(row).items() if key != "place"} for row in rows]


def counts(db: sqlite3.Connection) -> Json:
    """How much there is."""
    tables = ("source", "project", "version", "event", "watch", "dead", "hold")
    found: Json = {
        table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
    }
    found["jobs"] = {
        row["state"]: row["n"]
        for row in db.execute("SELECT state, count(*) AS n FROM job GROUP BY state")
    }
    return found


def hold(
    db: sqlite3.Connection, project: int, version: str, at: int, *, who: str, why: str
) -> None:
    """A person's word: this version (or "", all of them) is not built until it is released."""
    db.execute(
        "INSERT OR REPLACE INTO hold (project, version, at, who, why) VALUES (?, ?, ?, ?, ?)",
        (project, version, at, who, why),
    )


def unhold(db: sqlite3.Connection, project: int, version: str) -> bool:
    """Take a hold back; what waited for it is decided again at once."""
    gone = db.execute("DELETE FROM hold WHERE project = ? AND version = ?", (project, version))
    db.execute(
        "UPDATE job SET look_at = 0 WHERE state = 'held'"
        " AND version IN (SELECT id FROM version WHERE project = ?)",
        (project,),
    )
    return gone.rowcount > 0


def clear(db: sqlite3.Connection, project: int, version: str, why: str) -> None:
    """Take back a hold of our own for that reason: it is so no longer. A person's word stays."""
    ours = db.execute(
        "SELECT 1 FROM hold WHERE project = ? AND version = ? AND who = 'monitor' AND why = ?",
        (project, version, why),
    ).fetchone()
    if ours is not None:
        unhold(db, project, version)


def held(db: sqlite3.Connection, project: int, version: str) -> str | None:
    """Who holds it and why, or None."""
    row = db.execute(
        "SELECT who, why FROM hold WHERE project = ? AND version IN ('', ?)", (project, version)
    ).fetchone()
    return f"held by {row['who']}: {row['why']}" if row else None


def rules_text(db: sqlite3.Connection, project: int) -> str | None:
    """The settings of a watched project, as JSON."""
    row = db.execute("SELECT rules FROM watch WHERE project = ?", (project,)).fetchone()
    return row["rules"] if row and row["rules"] != "{}" else None


def decisions(db: sqlite3.Connection, version: int) -> list[Json]:
    """What the policy said of a version, in order."""
    rows = db.execute(
        "SELECT at, verdict, rule, reason FROM decision WHERE version = ? ORDER BY id", (version,)
    )
    return [dict(row) for row in rows]


def dead_letters(db: sqlite3.Connection, limit: int = 100) -> Sequence[Json]:
    """Entries that could not be read."""
    rows = db.execute(
        """
        SELECT source.name AS source, dead.raw, dead.reason, dead.first, dead.last, dead.times
        FROM dead JOIN source ON source.id = dead.source ORDER BY dead.last DESC LIMIT ?
        """,
        (limit,),
    )
    return [dict(row) for row in rows]


def conflict(db: sqlite3.Connection, project: int) -> dict[str, str]:
    """The newest stable version by source, where the sources differ in it (fault C16); else empty.

    What counts is what each of them shows now, as it was judged for all of them together. Of a
    source that is not believed (`monitor.store.ranks`) it is the highest version, whatever it is.
    """
    ranks = ranking(db, project)
    trusted = "version.stable"
    if ranks is not None:
        trusted += f" OR listing.source NOT IN ({ranks.marks})"
    rows = db.execute(
        f"""
        SELECT source.name, version.version, max(version.sort_key)
        FROM listing JOIN source ON source.id = listing.source
        JOIN version ON version.project = listing.project AND ({trusted})
        JOIN sighting ON sighting.id = version.seen
        LEFT JOIN also ON also.version = version.id AND also.source = listing.source
        WHERE listing.project = ?1 AND version.state < ?2
              AND CASE WHEN also.version IS NULL THEN sighting.source = listing.source
                       ELSE coalesce(also.state, 0) < ?2 END
        GROUP BY source.id ORDER BY source.name
        """,
        (project, numbers[State.MISSING]),
    ).fetchall()
    newest = {row["name"]: row["version"] for row in rows}
    return newest if len(set(newest.values())) > 1 else {}
