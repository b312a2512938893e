"""Tell people what the log says, from a bookmark of its own. At least once, and in few messages."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial

from monitor.model import Event
from monitor.outputs import notices
from monitor.settings import Settings
from monitor.store import events
from monitor.store.writer import Writer

OUTPUT = "notify"


async def tell(writer: Writer, reader: sqlite3.Connection, settings: Settings) -> int:
    """Send what is new as one message; returns how many events it told.

    The bookmark moves once the message is taken: what could not be sent is sent
    the next time. The first time, everything that is there already counts as
    told. Raises SettingsError and FetchError.
    """
    if not settings.notify.urls:
        return 0
    told, seq = pending(reader, settings)
    if told:
        title, body = notices.compose(told)
        await asyncio.to_thread(notices.send, settings.notify, settings.network, title, body)
    if seq is not None:
        await writer.write(partial(events.move_bookmark, output=OUTPUT, seq=seq))
    return len(told)


def pending(db: sqlite3.Connection, settings: Settings) -> tuple[list[Event], int | None]:
    """What is to be told, and where the bookmark goes then; None where it stays."""
    seq, head = events.bookmark(db, OUTPUT), events.head(db)
    if seq == head:
        return [], None
    if not seq:
        return [], head
    wanted = notices.wanted(settings.notify)
    mine = events.of_watched(db) if settings.notify.watched_only else lambda event: True
    return [event for event in events.follow(db, seq) if wanted(event) and mine(event)], head
