"""What is said of a job by somebody who never took it: a build by make, a person."""

from __future__ import annotations

import sqlite3

from monitor.model import Json
from monitor.store import jobs

MAKE = "make"


def built(db: sqlite3.Connection, name: str, at: int, *, finished: int, result: Json) -> bool:
    """That recipe was built or explored outside. False where that says nothing new.

    `finished` is when, by the file that says so: one that is older than the
    recipe is of another. Exploring comes after building; both are told.
    """
    job = _job(db, name)
    if job is None or finished < job["written"] or job["state"] not in ("ready", "failed", "done"):
        return False
    if job["state"] == "done" and not _adds(job["result"], result):
        return False
    jobs.done(db, job["id"], _take(db, job, at), at, result)
    return True


def failed(
    db: sqlite3.Connection, name: str, at: int, *, finished: int, failure: str, text: str
) -> bool:
    """That recipe could not be built or explored outside. False where that says nothing new.

    What happened before somebody asked for another attempt does not count.
    """
    job = _job(db, name)
    if job is None or job["state"] != "ready" or finished < max(job["written"], job["free_at"]):
        return False
    jobs.fail(
        db, job["id"], _take(db, job, at), at, failure=failure, text=text, attempts=0, pause=0
    )  # fmt: skip
    return True


def _job(db: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT id, state, written, free_at, fence, result FROM job WHERE name = ?", (name,)
    ).fetchone()
    return row


def _adds(before: str | None, result: Json) -> bool:
    return bool(result.get("explored")) and '"explored"' not in (before or "")


def _take(db: sqlite3.Connection, job: sqlite3.Row, at: int) -> int:
    """Whoever reports has the job for this moment, as if it had been taken; returns the fence."""
    fence: int = job["fence"] + 1
    db.execute(
        "UPDATE job SET state = 'taken', worker = ?, attempts = attempts + 1, fence = ?,"
        " free_at = ? WHERE id = ?",
        (MAKE, fence, at + 60, job["id"]),
    )
    return fence
