"""What the monitor remembers. The only code that speaks SQL.

One writer, in one process (`monitor.store.writer`); readers
have connections of their own that cannot write. SQLite in WAL mode with
`synchronous=FULL`: what was committed survives a power cut.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path

from monitor.errors import StoreError
from monitor.terms import State

NAME = "monitor.db"

states: tuple[State, ...] = tuple(State)
"""States by the number they are stored under. Append only."""

numbers: dict[State, int] = {state: number for number, state in enumerate(states)}

LIVE = tuple(numbers[state] for state in State if state not in (State.MISSING, State.WITHDRAWN))
"""The states of versions that their upstream still shows."""

BUSY = 10_000
"""Milliseconds for which the writer waits for another program that writes."""


def open_writer(folder: Path) -> sqlite3.Connection:
    """Open the store of that folder for writing, made or migrated as needed.

    The caller holds the folder's lock (`monitor.store.lock`). Raises
    `StoreError` where the folder or the database cannot be used.
    """
    from monitor.store.schema import NEWEST, migrations

    path = folder / NAME
    with blaming(path):
        folder.mkdir(parents=True, exist_ok=True)
        db = _connect(str(path), uri=False)
        try:
            check_schema(db, path)
            db.execute("PRAGMA journal_mode = WAL")
            for setting in (
                "synchronous = FULL",
                "foreign_keys = ON",
                f"busy_timeout = {BUSY}",
                "cache_size = -8192",
                "temp_store = FILE",
                "wal_autocheckpoint = 1000",
                "journal_size_limit = 67108864",
            ):
                db.execute(f"PRAGMA {setting}")
            if db.execute("PRAGMA user_version").fetchone()[0] < NEWEST:
                from sqlite_utils import Database

                migrations().apply(Database(db))
            _first_epoch(db)
        except BaseException:
            db.close()
            raise
    return db


def open_reader(folder: Path) -> sqlite3.Connection:
    """Open the store of that folder for reading only.

    Raises `StoreError` where there is none yet, or it is not ours.
    """
    from monitor.store.schema import NEWEST

    path = folder / NAME
    if not path.exists():
        raise StoreError(
            str(path), "there is no database yet", "start `monitor run`, or `monitor poll` once"
        )
    with blaming(path):
        db = _connect(
            f"file:{path.as_posix().replace('?', '%3f').replace('#', '%23')}?mode=ro", uri=True
        )
        try:
            db.execute("PRAGMA query_only = ON")
            db.execute("PRAGMA busy_timeout = 5000")
            check_schema(db, path)
            if db.execute("PRAGMA user_version").fetchone()[0] < NEWEST:
                raise StoreError(
                    str(path),
                    "the database was made by an older version of this program",
                    "start `monitor run` once: it upgrades the database",
                )
        except BaseException:
            db.close()
            raise
    return db


def _connect(path: str, *, uri: bool) -> sqlite3.Connection:
    db = sqlite3.connect(path, uri=uri, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    return db


def check_schema(db: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError where this program cannot understand that database."""
    from monitor.store.schema import NEWEST

    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found > NEWEST:
        raise StoreError(
            str(path),
            f"the database has schema {found}, this program knows schemas up to {NEWEST}",
            "install the newer release-monitor that wrote it, or restore an older backup",
        )
    if not found and db.execute("SELECT 1 FROM sqlite_master WHERE name = 'event'").fetchone():
        raise StoreError(str(path), "this is not a database of ours", "choose another folder")


def _first_epoch(db: sqlite3.Connection) -> None:
    """An epoch names one life of the log: a restored copy starts another one."""
    import secrets

    db.execute("INSERT OR IGNORE INTO meta VALUES ('epoch', ?)", (secrets.token_hex(4),))


def epoch(db: sqlite3.Connection) -> str:
    """The name of this life of the event log, the first half of every cursor."""
    return str(db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()[0])


TOGETHER = (64, 16, 4, 1)
"""Rows in one statement. One by one, each row costs half as much again as it does among others;
few sizes, as each is a statement of its own to be prepared and remembered."""


def insert_rows(db: sqlite3.Connection, into: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows into "table" or "table (some, columns)", in their order."""
    at = 0
    for size in TOGETHER:
        end = len(rows) - (len(rows) - at) % size
        if at < end:
            db.executemany(
                _insertion(into, len(rows[0]), size),
                [tuple(chain.from_iterable(rows[n : n + size])) for n in range(at, end, size)],
            )
            at = end


@lru_cache(maxsize=64)
def _insertion(into: str, width: int, size: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"INSERT INTO {into} VALUES {', '.join([row] * size)}"


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; inside another transaction, a savepoint of it."""
    if db.in_transaction:
        db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if db.in_transaction:  # else a full disk has rolled back all of it
                db.execute("ROLLBACK TO part")
                db.execute("RELEASE part")
            raise
        db.execute("RELEASE part")
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        _roll_back(db)
        raise
    db.execute("COMMIT")


def _roll_back(db: sqlite3.Connection) -> None:
    """A full disk makes SQLite roll back by itself."""
    if db.in_transaction:
        db.execute("ROLLBACK")


@contextmanager
def blaming(path: Path | str) -> Iterator[None]:
    """Turn what SQLite and the file system say into errors that say what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        raise StoreError(str(path), text, _remedy(text)) from error
    except OSError as error:
        raise StoreError(str(path), os.strerror(error.errno or 0), _remedy(str(error))) from error


def _remedy(text: str) -> str:
    text = text.lower()
    if "full" in text or "no space" in text:
        return "the disk is full: make room; nothing was lost, it goes on by itself"
    if "locked" in text or "busy" in text:
        return "another program holds the database: end it, or try again"
    if "malformed" in text or "not a database" in text:
        return "the file is damaged: `monitor restore` brings back a backup"
    if "readonly" in text or "read-only" in text or "permission" in text:
        return "give this user the right to write there, or choose another folder with --state"
    if "unable to open" in text:
        return "check that the folder exists and may be written"
    return "check the disk and the file's permissions"
