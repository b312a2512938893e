"""Where an index stands until it is applied: temporary tables of the writing connection.

A crash forgets them, and the walk starts again. One walk has them at a time (`monitor.crawl`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from monitor.model import Release, State
from monitor.store import insert_rows, numbers
from monitor.store.appraise import EPOCH_ZERO
from monitor.store.artefacts import size_of
from monitor.store.changeset import seconds

Named = tuple[int, str, str, str | None]
"""A project as it is staged: its number in this walk, purl, name at the upstream, revision."""

Staged = tuple[int, str, bytes, int | None, int, str | None, str | None, int | None, str | None]
"""A file of a version: the project's number, version, sort_key, published, state, and the file's
address, digest, size and kind. A version with several files is staged once for each."""

Bare = tuple[int, str, bytes, int | None, str | None]
"""The same of an index that tells no more: number, version, sort_key, published, address."""


def begin(db: sqlite3.Connection) -> None:
    """Empty the stage. One index is walked at a time.

    The tables stay: making them anew would have every statement prepared anew.
    """
    for table in (
        "named (no INTEGER PRIMARY KEY, purl TEXT, name TEXT, revision TEXT, project INTEGER)",
        "staged (no INTEGER, version TEXT, sort_key BLOB, published INTEGER,"
        " state INTEGER DEFAULT 0, url TEXT, digest TEXT, size INTEGER, kind TEXT)",
    ):
        db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table}")
    clear(db)


def clear(db: sqlite3.Connection) -> None:
    """Forget what is staged."""
    db.execute("DELETE FROM temp.named")
    db.execute("DELETE FROM temp.staged")


INDEXES = {"named_project": "named (project)", "staged_version": "staged (no, version)"}

MANY = 1000
"""Rows from which on an index of the stage is worth making."""


class Batch(NamedTuple):
    """Some of what a walk has found, as rows."""

    named: Sequence[Named] = ()
    staged: Sequence[Staged] = ()
    bare: Sequence[Bare] = ()

    @property
    def size(self) -> int:
        return len(self.named) + len(self.staged) + len(self.bare)


def stage(db: sqlite3.Connection, batch: Batch) -> None:
    """Add one batch to what is staged."""
    insert_rows(db, "temp.named (no, purl, name, revision)", batch.named)
    insert_rows(db, "temp.staged", batch.staged)
    insert_rows(db, "temp.staged (no, version, sort_key, published, url)", batch.bare)


def rows_of(number: int, release: Release, key: bytes) -> Iterable[Staged]:
    """A release as it is staged; `key` is what all its spellings have in common."""
    key = EPOCH_ZERO + key
    published, state = seconds(release.published), numbers[release.state or State.LISTED]
    version, files = release.version, release.files
    if not files:
        return ((number, version, key, published, state, None, None, None, None),)
    if len(files) == 1:
        (f,) = files
        return ((number, version, key, published, state, f.url, f.digest, size_of(f), f.kind),)
    return [
        (number, version, key, published, state, f.url, f.digest, size_of(f), f.kind) for f in files
    ]
