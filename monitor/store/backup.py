"""Copies of the database, made while it is in use."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from monitor.store import blaming

FOLDER = "backups"


def backup(db: sqlite3.Connection, target: Path) -> None:
    """Write a whole copy beside the target, then put it in its place. Raises StoreError."""
    with blaming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(target.name + ".tmp")
        aside.unlink(missing_ok=True)
        copy = sqlite3.connect(aside)
        try:
            db.backup(copy, pages=1000)
        finally:
            copy.close()
        with aside.open("rb+") as handle:
            os.fsync(handle.fileno())
        aside.replace(target)


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
