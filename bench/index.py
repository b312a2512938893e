"""How close a whole index, from its bytes to the committed store, comes to the machine's limit.

Ours is a real visit: read, staged, doubted, applied, committed. The limit of
each unpacks with `isal`, cuts lines (or decodes with `msgspec`), and inserts the
very same rows, which it is given ready-made, into the same tables with the same
keys, indexes and durability in one go. CPU seconds of this process.
"""

from __future__ import annotations

import asyncio
import io
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from isal import igzip

from monitor.crawl import Crawler
from monitor.model import Outcome, Reply, Request
from monitor.sources import Source
from monitor.store import NAME, due, open_writer
from monitor.store.writer import Writer
from providers import load
from spiders import seldom_swept

PROJECTS = 880_000  # in PyPI's list
FILES = 400_000  # of a listing
GOAL = 4.0
AT = 1_800_000_000
TABLES = ("project", "listing", "sighting", "version")


def run(projects: int = PROJECTS, files: int = FILES) -> Iterator[dict[str, Any]]:
    """One result after the other: name, ours, other, what, unit, ratio, goal, holds."""
    from tests.lab import large

    simple = large.simple_index(projects)
    serials = msgspec.json.Decoder(_Simple)
    yield _compare(
        f"/simple/ of {projects:,} projects",
        load("pypi", url="https://up.example"),
        simple,
        lambda: serials.decode(simple),
        "msgspec, bulk insert",
    )
    yield _again(f"/simple/ of {projects:,} projects, 1,000 of them changed", simple, serials)
    top = b".:\ntotal 4\ndrwxr-xr-x 2 ftp ftp 4096 Nov  1 12:00 pool\n\n"
    listing = top + large.ls_lr(files)
    packed = igzip.compress(listing)
    yield _compare(
        f"ls-lR.gz of {files:,} files",
        load("ls_lr", url="https://up.example/pub/ls-lR.gz"),
        packed,
        lambda: _lines(igzip.open(io.BytesIO(packed))),
        "isal, lines, bulk insert",
    )
    rsync = large.rsync_listing(files)
    yield _compare(
        f"rsync listing of {files:,} files",
        load("rsync", url="rsync://up.example/pub/"),
        rsync,
        lambda: _lines(io.BytesIO(rsync)),
        "lines, bulk insert",
    )


class _Name(msgspec.Struct):
    name: str
    serial: int | None = msgspec.field(default=None, name="_last-serial")


class _Simple(msgspec.Struct):
    projects: list[_Name]


def _lines(file: Any) -> int:
    return sum(1 for _ in file)


class Given:
    """A transport that has one answer."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def fetch(self, request: Request) -> Reply:
        return Reply(request, io.BytesIO(self.body), url=request.url, size=len(self.body))


def visit(folder: Path, provider: Any, body: bytes, times: int = 1) -> Callable[[bytes], float]:
    """Make the first visits; returns what makes another one and says its CPU seconds."""
    writer = Writer(folder)
    # Who follows only what is watched has no question "index": each walk would be the first.
    wholly = Source(name="up", provider=provider, follow="all")
    [source] = writer(lambda db: due.enlist(db, [wholly], AT))
    clock = iter(range(AT, AT + 100 * 86400, 86400))

    def once(body: bytes) -> float:
        crawler = Crawler(
            writer,
            lambda source, answered: Given(body),
            lambda source, url: [],
            lambda: next(clock),
            lambda purl: False,
        )
        with seldom_swept():  # as within every transport
            begun = time.process_time()
            report = asyncio.run(crawler.visit(source, due.Due("up", "index", None)))
            spent = time.process_time() - begun
        assert report.result.outcome is Outcome.OK, report.visit.error
        return spent

    for _ in range(times):
        once.first = once(body)  # type: ignore[attr-defined]
    once.close = writer.close  # type: ignore[attr-defined]
    return once


def _compare(
    name: str, provider: Any, body: bytes, read: Callable[[], object], what: str
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        once = visit(Path(place) / "ours", provider, body)
        ours = once.first  # type: ignore[attr-defined]
        once.close()  # type: ignore[attr-defined]
        rows = _rows(Path(place) / "ours" / NAME)
        begun = time.process_time()
        read()
        other = time.process_time() - begun + _insert(Path(place) / "other", rows)
    return _result(name, ours, other, what)


def _again(name: str, body: bytes, serials: Any) -> dict[str, Any]:
    """The usual visit: a list that is known, of which a little has changed."""
    whole = msgspec.json.decode(body)
    for row in whole["projects"][:: max(1, len(whole["projects"]) // 1000)]:
        row["_last-serial"] += 100_000_000
    changed = msgspec.json.encode(whole)
    del whole
    with tempfile.TemporaryDirectory() as place:
        once = visit(Path(place), load("pypi", url="https://up.example"), body)
        ours = once(changed)
        once.close()  # type: ignore[attr-defined]
        db = sqlite3.connect(Path(place) / NAME)
        begun = time.process_time()
        known = dict(
            db.execute("SELECT name, revision FROM listing")  # what it is compared with
        )
        for row in serials.decode(changed).projects:
            known.get(row.name)
        other = time.process_time() - begun
        db.close()
    return _result(name, ours, other, "msgspec, comparison in memory")


def _rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    db = sqlite3.connect(path)
    rows = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    db.close()
    return rows


def _insert(folder: Path, rows: dict[str, list[tuple[Any, ...]]]) -> float:
    """The same rows into an empty store, in one transaction."""
    db = open_writer(folder)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute("INSERT INTO source (id, name, provider, added) VALUES (1, 'up', 'up', 0)")
    begun = time.process_time()
    db.execute("BEGIN")
    for table, found in rows.items():
        if found:
            marks = ", ".join("?" * len(found[0]))
            db.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
    db.execute("COMMIT")
    spent = time.process_time() - begun
    db.close()
    return spent


def _result(name: str, ours: float, other: float, what: str) -> dict[str, Any]:
    ratio = round(ours / other, 2)
    return {
        "name": name,
        "ours": round(ours, 3),
        "other": round(other, 3),
        "what": what,
        "unit": "CPU s",
        "ratio": ratio,
        "goal": GOAL,
        "holds": ratio <= GOAL,
    }


if __name__ == "__main__":
    for result in run(*map(int, sys.argv[1:])):
        print(msgspec.json.encode(result).decode(), flush=True)
