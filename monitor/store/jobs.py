"""The queue of builds: what waits for its time, what waits for a builder, what came of it.

A job is `waiting` until the policy lets it through, then `ready` with a
recipe, `taken` under a lease, and `done` or `failed`; `held`, `superseded` and
`revoked` are asides. Every change that others may want to know is an event.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from monitor.errors import UsageError
from monitor.formats.build_log import gist
from monitor.model import Json, Kind
from monitor.policy import Decision
from monitor.store import projects
from monitor.store.events import tell

AGAIN = 300
"""Seconds after which a job that is held is looked at again."""

# A failure of the machine says nothing about the release: it is tried again.
PASSING = frozenset(("download", "timeout", "resources", "infrastructure"))

_VIEW = """
    SELECT job.*, project.purl, project.id AS project, version.version AS label,
           sighting.source
    FROM job JOIN version ON version.id = job.version
    JOIN project ON project.id = version.project
    JOIN sighting ON sighting.id = version.seen
"""

# Most jobs are done, and are not gone through to find one that is not: a statement that is to use
# an index of some states names the same states as it (monitor.store.schema).
_FREE = "job.state IN ('ready', 'taken')"
_OPEN = "job.state IN ('waiting', 'held')"

# A hold on a job's version, or on all of its project.
_HELD = "hold.project = version.project AND hold.version IN ('', version.version)"


def propose(db: sqlite3.Connection, version: int, rule: str, at: int, priority: int = 0) -> None:
    """A released version that an entry of `builds.toml` asks for waits to be decided.

    Only once, whatever entry asks: what has a job is queued again by an explicit
    act alone (fault I08).
    """
    db.execute(
        """
        INSERT INTO job (version, rule, state, priority, added, look_at, free_at)
        SELECT ?1, ?2, 'waiting', ?3, ?4, ?4, ?4
        WHERE NOT EXISTS (SELECT 1 FROM job WHERE version = ?1)
        """,
        (version, rule, priority, at),
    )


def revive(db: sqlite3.Connection, version: int, at: int) -> None:
    """A release that was taken back is there again: its job goes on where it was (fault E17)."""
    db.execute(
        """
        UPDATE job SET look_at = ?2, state = 'waiting'
        WHERE version = ?1 AND state = 'revoked' AND (result IS NULL OR failure IS NOT NULL)
        """,
        (version, at),
    )
    db.execute("UPDATE job SET state = 'done' WHERE version = ? AND state = 'revoked'", (version,))


def stop_held(db: sqlite3.Connection, at: int) -> None:
    """Jobs that a builder could have, and that somebody has put a hold on meanwhile."""
    for row in db.execute(
        f"{_VIEW} WHERE {_FREE} AND job.state = 'ready'"
        f" AND EXISTS (SELECT 1 FROM hold WHERE {_HELD})"
    ).fetchall():
        db.execute(
            "UPDATE job SET state = 'held', look_at = ? WHERE id = ?", (at + AGAIN, row["id"])
        )
        why = db.execute(
            "SELECT why FROM hold WHERE project = ? AND version IN ('', ?)",
            (row["project"], row["label"]),
        ).fetchone()[0]
        note(db, row["version"], Decision("held", "hold", why), at)
        _tell(db, Kind.HELD, row, at, {"job": row["name"], "rule": "hold", "reason": why})


def resume(db: sqlite3.Connection, job: sqlite3.Row, decision: Decision, at: int) -> None:
    """It has its recipe already, which stays as it was written: builders may have it again."""
    note(db, job["version"], decision, at)
    db.execute(
        "UPDATE job SET state = 'ready', look_at = NULL, free_at = ? WHERE id = ?", (at, job["id"])
    )
    if job["marked"] is not None:
        _tell(db, Kind.MARKED, job, at, {"job": job["name"], "who": "policy"})


def to_decide(db: sqlite3.Connection, at: int, limit: int = 200) -> list[sqlite3.Row]:
    """Waiting jobs whose time has come, in the order their releases were seen."""
    return db.execute(
        f"{_VIEW} WHERE {_OPEN} AND job.look_at <= ? ORDER BY job.priority DESC, job.id LIMIT ?",
        (at, limit),
    ).fetchall()


def next_decision(db: sqlite3.Connection) -> int | None:
    """When the next waiting job is to be decided."""
    found: int | None = db.execute(f"SELECT min(look_at) FROM job WHERE {_OPEN}").fetchone()[0]
    return found


def decided(db: sqlite3.Connection, job: sqlite3.Row, decision: Decision, at: int) -> None:
    """Note what the policy said of a job that is not eligible now."""
    fresh = note(db, job["version"], decision, at)
    state = {"wait": "waiting", "held": "held", "refused": "revoked", "superseded": "superseded"}
    look_at = decision.look_at or (at + AGAIN if decision.verdict == "held" else None)
    if decision.verdict == "held" and job["state"] != "held":
        _tell(db, Kind.HELD, job, at, {"rule": decision.rule, "reason": decision.reason})
    db.execute(
        "UPDATE job SET state = ?, look_at = ? WHERE id = ?",
        (state[decision.verdict], look_at, job["id"]),
    )
    first = decision.rule == "minimum-age" and job["look_at"] == job["added"]
    if decision.look_at and (first or (fresh and decision.rule == "new-maintainer")):
        _tell(db, Kind.HELD, job, at, {"rule": decision.rule, "eligible": decision.look_at})


def note(db: sqlite3.Connection, version: int, decision: Decision, at: int) -> bool:
    """Keep a decision with the rule that made it; the same one twice in a row is kept once.

    Returns whether it is another one than the last.
    """
    last = db.execute(
        "SELECT verdict, rule FROM decision WHERE version = ? ORDER BY id DESC LIMIT 1", (version,)
    ).fetchone()
    if last and (last["verdict"], last["rule"]) == (decision.verdict, decision.rule):
        return False
    db.execute(
        "INSERT INTO decision (version, at, verdict, rule, reason) VALUES (?, ?, ?, ?, ?)",
        (version, at, decision.verdict, decision.rule, decision.reason),
    )
    return True


def queue(
    db: sqlite3.Connection,
    job: sqlite3.Row,
    *,
    name: str,
    recipe: str,
    digest: str,
    at: int,
    marked: bool,
    decision: Decision,
    files: Sequence[Json] = (),
    notices: Sequence[str] = (),
) -> None:
    """An eligible release has its recipe: from now on a builder may have it, if it is marked."""
    note(db, job["version"], decision, at)
    db.execute(
        """
        UPDATE job SET state = 'ready', name = ?, recipe = ?, digest = ?, written = ?, marked = ?,
            look_at = NULL, free_at = ?
        WHERE id = ?
        """,
        (name, recipe, digest, at, at if marked else None, at, job["id"]),
    )
    facts: Json = {"job": name, "recipe": digest, "rule": decision.rule, "eligible": at}
    if notices:
        facts["notices"] = list(notices)
    _tell(db, Kind.ELIGIBLE, job, at, facts | {"files": list(files)})
    _tell(db, Kind.QUEUED, job, at, facts | {"files": list(files)})
    if marked:
        _tell(db, Kind.MARKED, job, at, facts | {"who": "policy"})


def refuse(db: sqlite3.Connection, job: sqlite3.Row, reason: str, at: int) -> None:
    """No recipe can be made of it: said once, kept to be looked at."""
    note(db, job["version"], Decision("refused", "unfit", reason), at)
    db.execute(
        "UPDATE job SET state = 'failed', failure = 'unfit', result = ?, look_at = NULL"
        " WHERE id = ?",
        (reason, job["id"]),
    )
    _tell(db, Kind.FAILED, job, at, {"class": "unfit", "reason": f"unfit: {reason}"})


def supersede_older(
    db: sqlite3.Connection, job: sqlite3.Row, older: Sequence[int], at: int
) -> None:
    """Jobs of older versions that no builder has taken yet make way for this one."""
    for row in _of_versions(db, older, ("waiting", "ready", "held")):
        db.execute("UPDATE job SET state = 'superseded', look_at = NULL WHERE id = ?", (row["id"],))
        note(
            db,
            row["version"],
            Decision("superseded", "newest-wins", f"{job['label']} is later"),
            at,
        )
        if row["name"]:
            _tell(db, Kind.UNMARKED, row, at, {"job": row["name"], "reason": "newest wins"})


def revoke(db: sqlite3.Connection, version: int, reason: str, at: int) -> list[str]:
    """A release is no longer to be built; returns the recipes that have to go."""
    names = []
    for row in _of_versions(db, [version], ("waiting", "ready", "taken", "held", "done")):
        db.execute(
            "UPDATE job SET state = 'revoked', look_at = NULL, fence = fence + 1 WHERE id = ?",
            (row["id"],),
        )
        if row["name"]:
            names.append(row["name"])
            _tell(db, Kind.REVOKED, row, at, {"job": row["name"], "reason": reason})
    return names


def backlog(db: sqlite3.Connection) -> int:
    """How many jobs a builder could take or has taken."""
    return int(db.execute(f"SELECT count(*) FROM job WHERE {_FREE}").fetchone()[0])


def take(db: sqlite3.Connection, worker: str, at: int, lease: int, attempts: int) -> Json | None:
    """Give a worker the most urgent marked job, or None. Any number may call at once.

    A job is free from its `free_at` on, which serves as pause before another
    attempt and as lease: when a worker dies, its job frees itself.
    """
    for row in db.execute(
        f"{_VIEW} WHERE {_FREE} AND job.state = 'taken' AND job.free_at <= ? AND job.attempts >= ?",
        (at, attempts),
    ).fetchall():
        _end(db, row, "failed", at, "timeout", "every worker that took it fell silent")
    row = db.execute(
        f"""
        UPDATE job SET state = 'taken', worker = :worker, attempts = attempts + 1,
            fence = fence + 1, free_at = :until
        WHERE id = (
            SELECT id FROM job
            WHERE {_FREE} AND marked IS NOT NULL AND free_at <= :at
                  AND NOT EXISTS (SELECT 1 FROM hold JOIN version ON version.id = job.version
                                  WHERE {_HELD})
            ORDER BY priority DESC, id LIMIT 1)
        RETURNING id
        """,
        {"worker": worker, "until": at + lease, "at": at},
    ).fetchone()
    return None if row is None else show(db, row["id"])


def renew(db: sqlite3.Connection, job: int, fence: int, at: int, lease: int) -> Json:
    """The worker is still at it. Refused (UsageError) where its lease was lost."""
    _fenced(db, job, fence, at)
    db.execute("UPDATE job SET free_at = ? WHERE id = ?", (at + lease, job))
    return show(db, job)


def done(db: sqlite3.Connection, job: int, fence: int, at: int, result: Json) -> Json:
    """The build went well. Said twice it is the same; from a lost lease it is refused."""
    row = _fenced(db, job, fence, at, again="done")
    if row["state"] == "done":
        return show(db, job)
    kind = Kind.EXPLORED if result.get("explored") else Kind.BUILT
    db.execute(
        "UPDATE job SET state = 'done', failure = NULL, result = ? WHERE id = ?",
        (_text(result), job),
    )
    _tell(db, kind, row, at, {"job": row["name"], "recipe": row["digest"]} | result)
    return show(db, job)


def fail(
    db: sqlite3.Connection,
    job: int,
    fence: int,
    at: int,
    *,
    failure: str,
    text: str,
    attempts: int,
    pause: int,
) -> Json:
    """The build failed. A passing failure is tried again, after a pause that doubles."""
    row = _fenced(db, job, fence, at, again="failed")
    if row["state"] == "failed":
        return show(db, job)
    if failure in PASSING and row["attempts"] < attempts:
        db.execute(
            "UPDATE job SET state = 'ready', failure = ?, result = ?, free_at = ?,"
            " fence = fence + 1 WHERE id = ?",
            (failure, text, at + pause * 2 ** (row["attempts"] - 1), job),
        )
    else:
        _end(db, row, "failed", at, failure, text)
    return show(db, job)


def _end(
    db: sqlite3.Connection, row: sqlite3.Row, state: str, at: int, failure: str, text: str
) -> None:
    db.execute(
        "UPDATE job SET state = ?, failure = ?, result = ? WHERE id = ?",
        (state, failure, text, row["id"]),
    )
    if failure == "digest":  # generated archives are looked at again (fault E04)
        db.execute(
            "UPDATE file SET tried = NULL WHERE version = ? AND content IS NOT NULL",
            (row["version"],),
        )
    reason = ": ".join(part for part in (failure, gist(text)) if part)
    told = {"job": row["name"], "class": failure, "reason": reason, "attempts": row["attempts"]}
    _tell(db, Kind.FAILED, row, at, told)


def find(db: sqlite3.Connection, which: str) -> sqlite3.Row:
    """A job by its number, recipe name, "purl@version" or "source/project@version".

    Raises UsageError where there is none, or the project could be several.
    """
    sql, given = f"{_VIEW} WHERE job.name = ?", [which]
    name, at, version = which.rpartition("@")
    if which.isdigit():
        sql, given = f"{_VIEW} WHERE job.id = ?", [which]
    elif at and "/" in name:
        purl = projects.one(db, name)["purl"]
        sql, given = f"{_VIEW} WHERE project.purl = ? AND version.version = ?", [purl, version]
    row: sqlite3.Row | None = db.execute(sql, given).fetchone()
    if row is None:
        raise UsageError(which, "there is no such job", "`monitor queue list --all` shows them")
    return row


def mark(db: sqlite3.Connection, which: str, at: int, *, on: bool, who: str) -> Json:
    """Let builders have a job, or take it from their sight. `held` is why they still may not."""
    row = with_recipe(db, which)
    if bool(row["marked"]) is not on:
        db.execute("UPDATE job SET marked = ? WHERE id = ?", (at if on else None, row["id"]))
        _tell(db, Kind.MARKED if on else Kind.UNMARKED, row, at, {"job": row["name"], "who": who})
    held = db.execute(
        f"SELECT hold.why FROM hold JOIN version ON version.id = ? WHERE {_HELD}", (row["version"],)
    ).fetchone()
    return show(db, row["id"]) | {"held": held["why"] if held else None}


def retry(db: sqlite3.Connection, which: str, at: int) -> Json:
    """Have a job that failed tried again, its attempts counted anew.

    So does one that waits for its next attempt by itself: whoever mended what was in its way need
    not wait for the end of the pause.
    """
    row = find(db, which)
    pausing = row["state"] == "ready" and row["failure"] and row["free_at"] > at
    if row["state"] not in ("failed", "revoked", "superseded") and not pausing:
        raise UsageError(which, f"it is {row['state']}", _instead(row))
    state = "ready" if row["name"] else "waiting"
    db.execute(
        "UPDATE job SET state = ?, attempts = 0, failure = NULL, free_at = ?, look_at = ?,"
        " fence = fence + 1 WHERE id = ?",
        (state, at, None if row["name"] else at, row["id"]),
    )
    return show(db, row["id"])


def with_recipe(db: sqlite3.Connection, which: str) -> sqlite3.Row:
    """The same as `find`, of a job that has a recipe. Raises UsageError where it has none."""
    row = find(db, which)
    if row["name"] is None:
        raise UsageError(
            which, f"it is {row['state']} and has no recipe", f"`monitor why {_name(row)}` says why"
        )
    return row


def _instead(row: sqlite3.Row) -> str:
    """What to do with a job that cannot be tried again as it is."""
    if row["state"] == "taken":
        return (
            f"{row['worker']} has it, and it is free again when that lease ends; if that worker is"
            f" dead: `monitor queue fail {row['id']} --fence {row['fence']} --class infrastructure`"
        )
    if row["state"] == "done":
        return f"`monitor queue regenerate {row['name']}` builds it anew where that differs"
    return f"only what failed is tried again; `monitor why {_name(row)}` says what it waits for"


def _name(row: sqlite3.Row) -> str:
    return f"{row['purl']}@{row['label']}"


def rewrite(db: sqlite3.Connection, job: int, recipe: str, digest: str, at: int) -> Json:
    """A recipe made anew on request: another digest, so it may be built again."""
    db.execute(
        """
        UPDATE job SET recipe = ?, digest = ?, written = ?, state = 'ready', attempts = 0,
            failure = NULL, free_at = ?, fence = fence + 1
        WHERE id = ? AND digest <> ?
        """,
        (recipe, digest, at, at, job, digest),
    )
    return show(db, job)


def listed(db: sqlite3.Connection, states: Sequence[str] = (), limit: int = 1000) -> list[Json]:
    """Jobs as the command line shows them, the most urgent first."""
    where = f"WHERE job.state IN ({','.join('?' * len(states))})" if states else ""
    rows = db.execute(
        f"{_VIEW} {where} ORDER BY job.priority DESC, job.id LIMIT ?", (*states, limit)
    )
    return [_json(row) for row in rows]


def show(db: sqlite3.Connection, job: int) -> Json:
    """One job."""
    return _json(db.execute(f"{_VIEW} WHERE job.id = ?", (job,)).fetchone())


def of_file(db: sqlite3.Connection, file: int) -> list[sqlite3.Row]:
    """The jobs of the version that a file belongs to."""
    return db.execute(
        f"{_VIEW} WHERE job.version = (SELECT version FROM file WHERE id = ?)", (file,)
    ).fetchall()


def recipes(db: sqlite3.Connection) -> list[sqlite3.Row]:
    """Every recipe that was ever written: the folders are made to agree with these rows."""
    return db.execute(
        "SELECT id, name, recipe, digest, written, marked, state FROM job WHERE name IS NOT NULL"
    ).fetchall()


def recipes_since(db: sqlite3.Connection, seq: int) -> list[sqlite3.Row]:
    """The recipes of the versions that events behind `seq` are about."""
    return db.execute(
        "SELECT id, name, recipe, digest, written, marked, state FROM job"
        " WHERE name IS NOT NULL AND version IN (SELECT version FROM event WHERE seq > ?)"
        " ORDER BY id",
        (seq,),
    ).fetchall()


def _of_versions(
    db: sqlite3.Connection, versions: Sequence[int], states: Sequence[str]
) -> list[sqlite3.Row]:
    marks = ",".join("?" * len(versions)), ",".join("?" * len(states))
    return db.execute(
        f"{_VIEW} WHERE job.version IN ({marks[0]}) AND job.state IN ({marks[1]})",
        (*versions, *states),
    ).fetchall()


def _fenced(
    db: sqlite3.Connection, job: int, fence: int, at: int, again: str | None = None
) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(f"{_VIEW} WHERE job.id = ?", (job,)).fetchone()
    if row is None:
        raise UsageError(f"job {job}", "there is no such job", "`monitor queue list` shows them")
    if row["fence"] == fence:
        if row["state"] == "taken" and row["free_at"] > at:
            return row
        if row["state"] == again:
            return row
    raise UsageError(
        f"job {job}",
        f"it is {row['state']}, and not yours any more",
        "its lease had expired; drop the result and take another job",
    )


def _json(row: sqlite3.Row) -> Json:
    names = (
        "id", "purl", "version", "state", "name", "digest", "rule", "priority", "attempts",
        "fence", "worker", "failure", "result", "added", "look_at", "free_at", "marked", "written",
    )  # fmt: skip
    return {name: row["label" if name == "version" else name] for name in names}


def _text(result: Any) -> str:
    import msgspec

    return msgspec.json.encode(result, order="deterministic").decode()


def _tell(db: sqlite3.Connection, kind: Kind, job: sqlite3.Row, at: int, payload: Json) -> None:
    tell(
        db,
        kind,
        at,
        project=job["project"],
        version=job["version"],
        source=job["source"],
        payload=payload,
    )
