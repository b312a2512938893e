"""How close the readers of large listings come to what the machine can do at all.

The limit of each does the same rows, with the same keys and durability, by the
fastest means known: `isal` or a plain read, no understanding beyond cutting
lines (or the fastest decoder), and one bulk insert. Ours is the reader with
that same insert. CPU seconds of this process; the ratio counts.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from isal import igzip

from monitor.formats import ls_lr, rsync_listing, simple_json
from monitor.formats.archives import Listing
from monitor.model import Reply, Request

PROJECTS = 880_000  # in PyPI's list
FOLDERS = 60_000  # of a listing as Debian's; nine files in each
GOAL = 4.0


def run() -> Iterator[dict[str, Any]]:
    """One result after the other: name, ours, other, what, unit, ratio, goal, holds."""
    ls = gzip.compress(_ls_lr(), 6)
    yield _compare(
        "ls-lR, every file",
        lambda insert: insert(_files(ls_lr.folders(_reply(ls)))),
        lambda insert: insert(_limit_of_lines(igzip.open(io.BytesIO(ls)))),
        "isal, lines, bulk insert",
    )
    provider = Listing("https://up.example/ls-lR.gz", ls_lr.folders, "https://up.example/")
    yield _compare_releases("ls-lR, releases", provider, ls, lambda: igzip.open(io.BytesIO(ls)))
    rsync = _rsync()
    yield _compare(
        "rsync listing, every file",
        lambda insert: insert(_files(rsync_listing.folders(_reply(rsync)))),
        lambda insert: insert(_limit_of_lines(io.BytesIO(rsync))),
        "lines, bulk insert",
    )
    provider = Listing("rsync://up.example/m/", rsync_listing.folders, "https://up.example/")
    yield _compare_releases("rsync listing, releases", provider, rsync, lambda: io.BytesIO(rsync))
    simple = _simple()
    index = simple_json.Index("https://up.example/simple/", "application/json")
    yield _compare(
        "/simple/ of 880,000 projects",
        lambda insert: insert(
            (row[0], "", row[3] or "", 0)
            for rows in index.bulk(_reply(simple))
            if isinstance(rows, list)
            for row in rows
        ),
        lambda insert: insert(
            (project.name, "", project.serial, 0)
            for project in msgspec.json.decode(simple, type=_Page).projects
        ),
        "msgspec in one go, bulk insert",
    )


class _Project(msgspec.Struct, gc=False):
    name: str
    serial: int = msgspec.field(name="_last-serial")


class _Page(msgspec.Struct):
    projects: list[_Project]


Insert = Callable[[Iterable[tuple[Any, ...]]], int]


def _compare(
    name: str, ours: Callable[[Insert], int], limit: Callable[[Insert], int], means: str
) -> dict[str, Any]:
    times, counts = [], []
    for work in (ours, limit):
        seconds, rows = min(_timed(work) for _ in range(2))
        times.append(seconds)
        counts.append(rows)
    assert counts[0] == counts[1] > 0, f"{name}: not the same rows: {counts}"
    ratio = times[0] / times[1]
    return {
        "name": name,
        "ours": round(times[0], 3),
        "other": round(times[1], 3),
        "what": f"{counts[0]} rows; limit: {means}",
        "unit": "CPU s",
        "ratio": round(ratio, 2),
        "goal": GOAL,
        "holds": ratio <= GOAL,
    }


def _compare_releases(
    name: str, listing: Listing, data: bytes, lines: Callable[[], Any]
) -> dict[str, Any]:
    """The limit reads every line and inserts as many rows as there are releases."""
    releases = [row for rows in listing.bulk(_reply(data)) for row in rows]

    def limit(insert: Insert) -> int:
        for _ in _limit_of_lines(lines()):
            pass
        return insert((row[0], row[1], row[4], row[2]) for row in releases)

    return _compare(
        name,
        lambda insert: insert(
            (row[0], row[1], row[4], row[2]) for rows in listing.bulk(_reply(data)) for row in rows
        ),
        limit,
        "every line read, the releases inserted in bulk",
    )


def _timed(work: Callable[[Insert], int]) -> tuple[float, int]:
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder, "bench.db"), isolation_level=None)
        db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;"
            "CREATE TABLE row (a TEXT, b TEXT, c TEXT, d INTEGER);"
        )

        def insert(rows: Iterable[tuple[Any, ...]]) -> int:
            db.execute("BEGIN")
            db.executemany("INSERT INTO row VALUES (?, ?, ?, ?)", rows)
            db.execute("COMMIT")
            count: int = db.execute("SELECT count(*) FROM row").fetchone()[0]
            return count

        begun = time.process_time()
        count = work(insert)
        seconds = time.process_time() - begun
        db.close()
    return seconds, count


def _files(folders: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    for folder in folders:
        for name, size, at in folder.files:
            yield folder.path, name, size, at


def _limit_of_lines(file: Any) -> Iterator[tuple[str, str, str, int]]:
    """Each line that is a file, cut where its columns end and no further."""
    left = b""
    while block := file.read(2**22):
        lines = (left + block).split(b"\n")
        left = lines.pop()
        for line in lines:
            if line[:1] == b"-":
                text = line.decode()
                yield text[:16], text[24:], text[16:24], 0


def _reply(data: bytes) -> Reply:
    return Reply(
        Request("https://up.example/ls-lR.gz"),
        io.BytesIO(data),
        headers={"last-modified": "Sat, 21 Nov 2026 20:00:00 GMT"},
        size=len(data),
    )


def _ls_lr() -> bytes:
    """A listing as Debian's: for each package a few versions with archive, packaging and builds."""
    out = [".:\ntotal 336\ndrwxr-xr-x 23 dak debadmin   4096 Nov 18 16:36 pool\n"]
    row = "-rw-r--r-- 2 dak debadmin {:>8} {} {}\n"
    for n in range(FOLDERS):
        name = f"lib{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10 % 10]}-pkg{'uvwxyz'[n % 6]}"
        out.append(f"\n./pool/main/{name[0]}/{name}{n}:\ntotal 2024\n")
        for minor in range(3):
            version, date = f"1.{n % 40}.{minor}", ("May 25  2010", "Sep  5 10:41")[minor % 2]
            files = ("{}_{}.orig.tar.xz", "{}_{}-1.dsc", "{}-dev_{}-1_amd64.deb")
            out += [row.format(1000 + n, date, file.format(name, version)) for file in files]
    return "".join(out).encode()


def _rsync() -> bytes:
    """A listing as of a server of archives: each with its signature."""
    out = ["drwxr-xr-x        4096 2026/11/21 20:34:49 .\n"]
    for n in range(FOLDERS // 2):
        out.append(f"drwxr-xr-x        4096 2026/11/21 20:34:49 project{'abcdefgh'[n % 8]}{n}\n")
        for minor in range(5):
            day = f"2026/{n % 12 + 1:02}/{n % 28 + 1:02} 12:34:{n % 60:02}"
            stem = (
                f"project{'abcdefgh'[n % 8]}{n}/project-{'abcdefgh'[n % 8]}-{minor}.{n % 30}.tar.gz"
            )
            out += [
                f"-rw-r--r--     1234567 {day} {stem}\n-rw-r--r--         833 {day} {stem}.sig\n"
            ]
    return "".join(out).encode()


def _simple() -> bytes:
    projects = ",".join(
        f'{{"_last-serial":{3_000_000 + n},"name":"project-{n:x}"}}' for n in range(PROJECTS)
    )
    return f'{{"meta":{{"_last-serial":1,"api-version":"1.4"}},"projects":[{projects}]}}'.encode()


if __name__ == "__main__":
    os.nice(5)
    for result in run():
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
