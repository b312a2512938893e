"""Copies of the database, made while it is in use, and how one is put in its place."""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from monitor.errors import StoreError
from monitor.store import NAME, blaming, check_schema, open_writer, transaction
from monitor.store.lock import lock

FOLDER = "backups"


def backup(db: sqlite3.Connection, target: Path) -> None:
    """Write a whole copy beside the target, look it over, then put it in its place.

    Raises StoreError, and leaves what was there, where it cannot be written or
    the copy is damaged: then so is the database.
    """
    with blaming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(target.name + ".tmp")
        aside.unlink(missing_ok=True)
        try:
            copy = sqlite3.connect(aside)
            try:
                db.backup(copy, pages=1000)
                problems = check(copy)
            finally:
                copy.close()
            if problems:
                raise StoreError(
                    str(target),
                    f"the database is damaged: {problems[0]}",
                    "`monitor restore` brings back an older backup",
                )
            _sync(aside)
            aside.replace(target)
            _sync(target.parent)
        finally:
            aside.unlink(missing_ok=True)


def check(db: sqlite3.Connection) -> list[str]:
    """What is wrong with a database, in SQLite's words; empty where it is whole (fault H11)."""
    factory, db.text_factory = db.text_factory, lambda text: text.decode(errors="replace")
    try:
        found = [row[0] for row in db.execute("PRAGMA integrity_check(20)")]
        strays = db.execute("PRAGMA foreign_key_check").fetchmany(20)
    except sqlite3.DatabaseError as error:
        return [str(error)]
    except UnicodeDecodeError:  # SQLite quotes names out of a schema that is none any more
        return ["the database's schema is damaged"]
    finally:
        db.text_factory = factory
    problems = [text for text in found if text != "ok"]
    return problems + [f"row {row[1]} of {row[0]} refers to no {row[2]}" for row in strays]


def daily(db: sqlite3.Connection, folder: Path, keep: int, at: int) -> Path | None:
    """One backup a day, the newest `keep` of them; returns the one made now, if one was."""
    if keep <= 0:
        return None
    place = folder / FOLDER
    target = place / f"monitor-{datetime.fromtimestamp(at, UTC):%Y-%m-%d}.db"
    if target.exists():
        return None
    backup(db, target)
    for old in sorted(place.glob("monitor-????-??-??.db"))[:-keep]:
        old.unlink()
    return target


def restore(folder: Path, source: Path, at: int | None = None) -> Path | None:
    """Put a backup in the place of the folder's database, under the folder's lock.

    The log begins another epoch. What was published since the backup is looked at
    as what was there before: nothing is announced or built twice. Returns where
    the former database is kept. Raises StoreError where the backup is damaged, not
    ours, of a newer program, or the folder is in use; then nothing has changed.
    """
    at = int(time.time()) if at is None else at
    path, fresh = folder / NAME, folder / f"{NAME}.new"
    with lock(folder), blaming(path):
        for name in (fresh, *_beside(fresh)):
            name.unlink(missing_ok=True)
        try:
            _copy(source, fresh)
            _begin_anew(fresh, at)
            former = _put_aside(path, at)
            fresh.replace(path)
            _sync(folder)
        finally:
            for name in (fresh, *_beside(fresh)):
                name.unlink(missing_ok=True)
    open_writer(folder).close()  # an older backup is brought up to date now
    return former


def _copy(source: Path, target: Path) -> None:
    address = f"{source.resolve().as_uri()}?mode=ro"
    given, made = sqlite3.connect(address, uri=True), sqlite3.connect(target)
    try:
        with blaming(source):
            if _head(source) != b"SQLite format 3\0":
                raise StoreError(str(source), "this is no backup of ours", "choose another file")
            check_schema(given, source)
            if not given.execute("PRAGMA user_version").fetchone()[0]:
                raise StoreError(str(source), "this is no backup of ours", "choose another file")
            given.backup(made, pages=1000)
        if problems := check(made):
            raise StoreError(
                str(source), f"the backup is damaged: {problems[0]}", "choose another one"
            )
    finally:
        given.close()
        made.close()


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _begin_anew(path: Path, at: int) -> None:
    """The first look at every source is a baseline again, and only what cannot have been queued
    since the backup is still queued by itself."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        with transaction(db):
            db.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (secrets.token_hex(4),))
            db.execute(
                "UPDATE question SET baseline = NULL, window = NULL, gap = NULL, doubt = NULL,"
                " moved = NULL, behind = NULL, stalled = NULL, leased = NULL, due = ?",
                (at,),
            )
            db.execute("UPDATE listing SET baseline = NULL, doubt = NULL, leased = NULL")
            db.execute("UPDATE listing SET due = min(due, ?) WHERE due IS NOT NULL", (at,))
            db.execute(
                "UPDATE job SET state = 'superseded', fence = fence + 1, look_at = NULL"
                " WHERE state IN ('ready', 'taken') OR (state = 'waiting' AND look_at <= ?)",
                (at,),
            )
            db.execute("UPDATE bookmark SET seq = (SELECT coalesce(max(seq), 0) FROM event)")
    finally:
        db.close()
    _sync(path)


def _put_aside(path: Path, at: int) -> Path | None:
    """Keep the former database under another name, whatever state it is in."""
    if not path.exists():
        return None
    stamp = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H%M%S}"
    former = path.with_name(f"{NAME}.before-{stamp}")
    former.unlink(missing_ok=True)
    for name in _beside(path):
        if name.exists():
            name.replace(name.with_name(name.name.replace(NAME, former.name, 1)))
    os.link(path, former)
    return former


def _beside(path: Path) -> tuple[Path, Path]:
    """SQLite's own files."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
