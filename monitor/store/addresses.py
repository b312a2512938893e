"""What addresses said of themselves, and entries that could not be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from monitor.model import Unread

MOST_TEXT = 2000
"""Characters kept of an error or a dead letter."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What one address said of itself: to be sent back next time, word for word."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    digest: bytes | None = None
    whole: bool = True  # its body did come
    moved: str | None = None
    identity: str = ""  # representation and credential that all this was got with
    part: bool = False  # says nothing of its address as a whole


def remember(db: sqlite3.Connection, source: int, answers: Sequence[Answer], at: int) -> None:
    """Keep the validators of a walk's answers; the first address leads the others."""
    db.executemany(
        """
        INSERT INTO address (source, url, etag, last_modified, digest, checked, whole, changed,
                             moved, moved_since, identity, leader)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6, ?8, CASE WHEN ?8 IS NULL THEN NULL ELSE ?6 END,
                ?9, ?10)
        ON CONFLICT (source, url) DO UPDATE SET
            etag = CASE WHEN ?7 THEN ?3 ELSE coalesce(?3, etag) END,
            last_modified = CASE WHEN ?7 THEN ?4 ELSE coalesce(?4, last_modified) END,
            changed = CASE WHEN ?7 AND ?5 IS NOT digest THEN ?6 ELSE changed END,
            digest = coalesce(?5, digest), checked = ?6,
            whole = CASE WHEN ?7 THEN ?6 ELSE whole END,
            moved_since = CASE WHEN ?8 IS moved THEN moved_since
                               WHEN ?8 IS NULL THEN NULL ELSE ?6 END,
            moved = ?8, identity = ?9, leader = ?10
        """,
        [
            (
                source,
                one.url,
                one.etag,
                one.last_modified,
                one.digest,
                at,
                one.whole,
                one.moved,
                one.identity,
                answers[0].url,
            )
            for one in answers
            if not one.part
        ],
    )


def bury(db: sqlite3.Connection, source: int, letter: Unread, at: int) -> None:
    """Keep an entry that could not be read (faults B05, C09, R4)."""
    db.execute(
        """
        INSERT INTO dead (source, raw, reason, first, last) VALUES (?1, ?2, ?3, ?4, ?4)
        ON CONFLICT (source, raw) DO UPDATE SET last = ?4, times = times + 1, reason = ?3
        """,
        (source, printable(letter.raw)[:MOST_TEXT], printable(letter.reason)[:MOST_TEXT], at),
    )


def printable(text: str) -> str:
    """Upstream text made harmless: what is not printable is escaped (fault B07)."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )
