"""Visits need a way out and a memory: the transport with the store's validators and pauses.

Used by the daemon and by commands that store what they see.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from monitor.crawl import Crawler
from monitor.model import Outcome, Reply, Request
from monitor.protocols import Transport
from monitor.runtime import Runtime
from monitor.store import due
from monitor.store.writer import Writer
from spiders import transport
from spiders.pauses import Pause, Pauses
from spiders.thrifty import Known, fresh

_whose: ContextVar[tuple[int, int] | None] = ContextVar("whose", default=None)
"""The source on whose behalf a request is made, and when whoever asks last had an answer; None
asks without conditions. Validators say nothing to one who has not read what they stand for."""


@asynccontextmanager
async def crawling(
    runtime: Runtime, writer: Writer, reader: sqlite3.Connection, now: Callable[[], int]
) -> AsyncIterator[Crawler]:
    """A crawler over the real network (or the recordings that the settings name)."""
    pauses = Pauses(
        [
            Pause(row["host"], row["until"], Outcome(row["outcome"]), row["why"])
            for row in due.pauses(reader, now())
        ],
        lambda pause: _keep(writer, pause),
    )
    memory = _Memory(reader, int(runtime.settings.schedule.full_refresh), now)
    async with transport(
        runtime.settings.network, validators=memory, pauses=pauses, clock=time.time
    ) as inner:
        yield Crawler(
            writer,
            lambda source, answered: _Asker(inner, memory, source.id, answered),
            lambda source, url: due.trail(reader, source.id, url),
            now,
            lambda purl: runtime.interested(reader, purl),
            runtime.gate,
            runtime.settings.schedule.jitter,
        )


def _keep(writer: Writer, pause: Pause) -> None:
    writer.submit(
        lambda db: due.keep_pause(
            db, pause.place, int(pause.until), pause.outcome.value, pause.reason
        )
    )


@dataclass(frozen=True, slots=True)
class _Memory:
    """The store's validators, as the transport asks for them."""

    reader: sqlite3.Connection
    refresh: (
        int  # seconds after which a source is asked in full, in case it says "unchanged" wrongly
    )
    now: Callable[[], int]

    def get(self, url: str, identity: str) -> Known | None:
        source, answered = _whose.get() or (0, 0)
        row = due.validators(self.reader, source, url) if answered else None
        if row is None or row["identity"] != identity or row["changed"] > answered:
            return None
        if row["whole"] < self.now() - self.refresh:
            return None
        digest = f"sha256:{row['digest'].hex()}" if row["digest"] else None
        return Known(row["etag"], row["last_modified"], digest)


@dataclass(frozen=True, slots=True)
class _Asker:
    """The transport on behalf of one source."""

    inner: Transport
    memory: _Memory
    source: int
    answered: int | None

    async def fetch(self, request: Request) -> Reply:
        _whose.set((self.source, self.answered) if self.answered else None)
        reply = await self.inner.fetch(request)
        if reply.unchanged and not self.answered:
            # Somebody else asked the same at the same time: they know the answer, we do not.
            reply = await self.inner.fetch(fresh(request))
        return reply
