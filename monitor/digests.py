"""Digests of archives that are to be built and whose upstream tells none.

The archive is read once, with the usual limits, and only its digest is kept:
from then on a recipe pins those bytes, and others would be noticed. Of an
archive that a forge makes of a tag the content has a digest as well: where a
builder was given other bytes, it is read again, and the same content packed
anew is no alarm (fault E04).
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor import publish
from monitor.dockerfile import UnfitRelease, recipe_digest
from monitor.errors import FetchError, SettingsError
from monitor.formats.contents import content_digest, is_generated
from monitor.model import Json, Kind, Reply, Request
from monitor.outputs import build_queue
from monitor.protocols import Transport
from monitor.runtime import Runtime
from monitor.store import events, jobs
from monitor.store.writer import Writer

AT_ONCE = 5
"""Archives read in one round."""

AGAIN = 3600
"""Seconds until an archive that could not be read is tried again."""


@dataclass(frozen=True, slots=True)
class Undigested:
    """A file to be read: its row, its address, and the source that showed it.

    `digest` and `content` are what is known of it: a builder was given other bytes.
    """

    id: int
    url: str
    source: int
    digest: str | None = None
    content: str | None = None


def missing(db: sqlite3.Connection, at: int) -> list[Undigested]:
    """Files that a waiting job needs and cannot pin, each tried once an hour; and generated ones
    whose bytes a builder found to be others."""
    rows = db.execute(
        """
        SELECT file.id, file.url, sighting.source, file.digest, file.content
        FROM job JOIN decision ON decision.id = (
                 SELECT max(id) FROM decision WHERE decision.version = job.version)
        JOIN file ON file.version = job.version AND file.digest IS NULL
        JOIN version ON version.id = job.version
        JOIN sighting ON sighting.id = version.seen
        WHERE job.state IN ('waiting', 'held') AND job.state = 'waiting'  -- as job_waiting has it
              AND decision.rule = 'digest-unknown'
              AND file.url LIKE 'http%' AND coalesce(file.tried, 0) <= ?
              AND (file.kind IS NULL OR file.kind = 'source' OR (
                   file.kind = 'generated' AND NOT EXISTS (
                   SELECT 1 FROM file AS better WHERE better.version = job.version
                   AND (better.kind IS NULL OR better.kind = 'source'))))
        UNION ALL
        SELECT file.id, file.url, sighting.source, file.digest, file.content
        FROM job JOIN file ON file.version = job.version
             AND file.content IS NOT NULL AND file.tried IS NULL
        JOIN version ON version.id = job.version
        JOIN sighting ON sighting.id = version.seen
        WHERE job.state = 'failed' AND job.failure = 'digest'
        LIMIT ?
        """,
        (at - AGAIN, AT_ONCE),
    )
    return [Undigested(*row) for row in rows]


async def take(
    file: Undigested, transport: Transport, writer: Writer, runtime: Runtime, at: int
) -> None:
    """Read one archive and keep its digest. What fails is tried again later."""
    digest, size, content = None, None, None
    try:
        reply = await transport.fetch(Request(file.url))
        digest, size = reply.digest, reply.size
        if is_generated(file.url):
            content = await asyncio.to_thread(_content, reply)
        reply.body.close()
    except FetchError:
        pass  # the decision that waits for it says why it waits

    def keep(db: sqlite3.Connection) -> None:
        if file.digest is not None:
            db.execute("UPDATE file SET tried = ? WHERE id = ?", (at, file.id))
            if digest is not None and digest != file.digest:
                _compare(db, file, digest, size, content, runtime, at)
            return
        db.execute(
            "UPDATE file SET digest = ?, size = coalesce(size, ?), content = ?, tried = ?"
            " WHERE id = ?",
            (digest, size, content, at, file.id),
        )
        if digest:
            db.execute(
                "UPDATE job SET look_at = ? WHERE state = 'waiting' AND version ="
                " (SELECT version FROM file WHERE id = ?)",
                (at, file.id),
            )

    await writer.write(keep)


def _content(reply: Reply) -> str | None:
    try:
        return content_digest(reply)
    except (ValueError, FetchError):
        return None  # its bytes alone will be compared


def _compare(
    db: sqlite3.Connection,
    file: Undigested,
    digest: str,
    size: int | None,
    content: str | None,
    runtime: Runtime,
    at: int,
) -> None:
    """The bytes are others. The same content is pinned anew, another one is an alarm."""
    payload: Json = {
        "file": file.url,
        "digest": digest,
        "digest_before": file.digest,
        "content": content,
    }
    if content == file.content:
        db.execute("UPDATE file SET digest = ?, size = ? WHERE id = ?", (digest, size, file.id))
        payload["reason"] = "its archive was packed anew, with the same content"
    else:
        db.execute("UPDATE file SET other = ? WHERE id = ?", (digest, file.id))
        payload |= {"alarm": True, "content_before": file.content}
        payload["reason"] = "the content of a published archive changed"
    for row in jobs.of_file(db, file.id):
        events.tell(
            db,
            Kind.CHANGED,
            at,
            project=row["project"],
            version=row["version"],
            source=row["source"],
            payload=payload,
        )
        if content == file.content:
            _pin_anew(db, row, runtime, at)


def _pin_anew(db: sqlite3.Connection, job: sqlite3.Row, runtime: Runtime, at: int) -> None:
    """A recipe for the new bytes, and another try."""
    rule = runtime.context.rule(job["purl"])
    if rule is None or job["name"] is None:
        return
    try:
        _, text = publish.recipe_of(db, runtime.context, job, rule, at)
    except (UnfitRelease, SettingsError):
        return  # it stays failed, and says why
    jobs.rewrite(db, job["id"], text, recipe_digest(text), at)
    moment = datetime.fromtimestamp(at, UTC)
    build_queue.regenerate(runtime.queue_folder, job["name"], text, moment)
