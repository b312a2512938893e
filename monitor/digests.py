"""Digests of archives that are to be built and whose upstream tells none.

The archive is read once, with the usual limits, and only its digest is kept:
from then on a recipe pins those bytes, and others would be noticed.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from monitor.errors import FetchError
from monitor.model import Request
from monitor.protocols import Transport
from monitor.store.writer import Writer

AT_ONCE = 5
"""Archives read in one round."""

AGAIN = 3600
"""Seconds until an archive that could not be read is tried again."""


@dataclass(frozen=True, slots=True)
class Undigested:
    """A file without digest: its row, its address, and the source that showed it."""

    id: int
    url: str
    source: int


def missing(db: sqlite3.Connection, at: int) -> list[Undigested]:
    """Files that a waiting job needs and cannot pin, each tried once an hour."""
    rows = db.execute(
        """
        SELECT file.id, file.url, sighting.source
        FROM job JOIN decision ON decision.id = (
                 SELECT max(id) FROM decision WHERE decision.version = job.version)
        JOIN file ON file.version = job.version AND file.digest IS NULL
             AND (file.kind IS NULL OR file.kind = 'source')
        JOIN version ON version.id = job.version
        JOIN sighting ON sighting.id = version.seen
        WHERE job.state = 'waiting' AND decision.rule = 'digest-unknown'
              AND file.url LIKE 'http%' AND coalesce(file.tried, 0) <= ?
        ORDER BY job.id LIMIT ?
        """,
        (at - AGAIN, AT_ONCE),
    )
    return [Undigested(row["id"], row["url"], row["source"]) for row in rows]


async def take(file: Undigested, transport: Transport, writer: Writer, at: int) -> None:
    """Read one archive and keep its digest. What fails is tried again later."""
    digest, size = None, None
    try:
        reply = await transport.fetch(Request(file.url))
        digest, size = reply.digest, reply.size
        reply.body.close()
    except FetchError:
        pass  # the decision that waits for it says why it waits

    def keep(db: sqlite3.Connection) -> None:
        db.execute(
            "UPDATE file SET digest = ?, size = coalesce(size, ?), tried = ? WHERE id = ?",
            (digest, size, at, file.id),
        )
        if digest:
            db.execute(
                "UPDATE job SET look_at = ? WHERE state = 'waiting' AND version ="
                " (SELECT version FROM file WHERE id = ?)",
                (at, file.id),
            )

    await writer.write(keep)
