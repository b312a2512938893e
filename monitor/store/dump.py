"""All that is stored, as JSON lines: to be read without SQLite, and without us."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

LEFT_OUT = ("pause",)
"""Tables that are about this moment only."""


def lines(db: sqlite3.Connection) -> Iterator[str]:
    """One line for each row of each table, as of one moment."""
    db.execute("BEGIN")
    try:
        for table in _tables(db):
            for row in db.execute(f'SELECT * FROM "{table}"'):
                told = {key: _plain(row[key]) for key in row.keys()}  # noqa: SIM118
                yield json.dumps({"table": table} | told, ensure_ascii=False)
    finally:
        db.execute("ROLLBACK")


def _tables(db: sqlite3.Connection) -> list[str]:
    rows = db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY rowid"
    )
    return [row[0] for row in rows if row[0] not in LEFT_OUT]


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
