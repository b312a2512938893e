"""What a cold poll costs, from the socket to the committed store.

2,000 sources on 500 hosts of loopback, a server in another process: a quarter
each of PyPI project pages, crates, RSS feeds and folder pages. Ours is the
crawler with the shipped settings and all manners. Its limit is the same work by
the fastest means: bare aiohttp, a digest, `msgspec` or one regular expression made
for these very pages, names, dates and sort keys out of them (checked to be the
rows that ours stored), and the same rows into the same tables in one transaction.
CPU of this process; both have fetched from one more host before, so that neither
pays for importing its libraries. They take turns, and the least of each counts: what
else a machine does makes a turn dearer, never cheaper.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import re
import signal
import sys
import tempfile
import time
from calendar import month_abbr, timegm
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import msgspec

from bench.index import _insert
from monitor.asking import crawling
from monitor.model import Outcome
from monitor.ordering import key_function
from monitor.runtime import Runtime
from monitor.settings import NetworkSettings, Settings, StateSettings
from monitor.settings import Source as SourceSettings
from monitor.store import NAME, due, open_reader
from monitor.store.writer import Writer

HOSTS, AT_ONCE, GOAL, ROUNDS = 500, 50, 2.5, 9
AT = 1_800_000_000
TABLES = ("project", "listing", "sighting", "version", "address", "event")


def _pypi() -> bytes:
    files = [
        {
            "filename": f"aurora_@@@@@@-1.{n}.0{end}",
            "url": f"https://files.example/@@@@@@/{n:04d}/aurora_@@@@@@-1.{n}.0{end}",
            "hashes": {"sha256": f"{n:064x}"},
            "size": 10_000 + n,
            "upload-time": f"2024-01-{1 + n % 28:02d}T00:00:00.000000Z",
            "yanked": False,
        }
        for n in range(12)
        for end in ("-py3-none-any.whl", ".tar.gz")
    ]
    versions = [f"1.{n}.0" for n in range(12)]
    page = {
        "meta": {"api-version": "1.1"},
        "name": "aurora-@@@@@@",
        "files": files,
        "versions": versions,
    }
    return msgspec.json.encode(page)


def _crate() -> bytes:
    lines = [
        {"name": "aurora-@@@@@@", "vers": f"0.{n}.1", "deps": [], "cksum": f"{n:064x}",
         "features": {}, "yanked": False}
        for n in range(12)
    ]  # fmt: skip
    return b"\n".join(map(msgspec.json.encode, lines)) + b"\n"


def _rss() -> bytes:
    items = "".join(
        f"<item><title>aurora-{n} 1.{n}.0</title><link>https://up.example/@@@@@@/{n}</link>"
        "<pubDate>Tue, 22 Mar 2022 16:54:42 GMT</pubDate></item>"
        for n in range(20)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'.encode()


def _folder() -> bytes:
    rows = "".join(
        f'<a href="aurora-1.{n}.tar.gz">aurora-1.{n}.tar.gz</a>   2024-01-02 10:00   1.2M\n'
        for n in range(20)
    )
    return (
        "<html><head><title>Index of /pub</title></head><body><h1>Index of @@@@@@ /pub</h1><pre>"
        f'<a href="../">../</a>\n{rows}</pre></body></html>'
    ).encode()


# What the pages say: project, version, sort key, seconds since 1970.
Row = tuple[str, str, bytes, int | None]
_pep440, _semver, _generic = map(key_function, ("pep440", "semver", "generic"))
_MONTHS = {name: n for n, name in enumerate(month_abbr)}
_items = re.compile(
    r"<title>(\S+) (\S+)</title>.*?<pubDate>\w+, (\d+) (\w+) (\d+) (\d+):(\d+):(\d+) GMT<"
).findall
_links = re.compile(
    r'href="([^"]+)-([^"-]+)\.tar\.gz">[^<]*</a> +(\d+)-(\d+)-(\d+) (\d+):(\d+) '
).findall


class _File(msgspec.Struct):
    filename: str
    time: datetime = msgspec.field(name="upload-time")


class _Page(msgspec.Struct):
    name: str
    files: list[_File]
    versions: list[str]


class _Line(msgspec.Struct):
    name: str
    vers: str


_page, _line = msgspec.json.Decoder(_Page).decode, msgspec.json.Decoder(_Line).decode


def _read_pypi(body: bytes) -> list[Row]:
    page = _page(body)
    name, start = page.name, len(page.name) + 1
    dates: dict[str, datetime] = {}
    for file in page.files:
        version = file.filename[start:].removesuffix(".tar.gz").partition("-")[0]
        if version not in dates or file.time < dates[version]:
            dates[version] = file.time
    return [(name, v, _pep440(v), int(dates[v].timestamp())) for v in page.versions]


def _read_crate(body: bytes) -> list[Row]:
    lines = map(_line, body.splitlines())
    return [(line.name, line.vers, _semver(line.vers), None) for line in lines]


def _read_rss(body: bytes) -> list[Row]:
    return [
        (name, v, _generic(v), timegm((int(y), _MONTHS[mo], int(d), int(h), int(m), int(s))))
        for name, v, d, mo, y, h, m, s in _items(body.decode())
    ]


def _read_folder(body: bytes) -> list[Row]:
    return [
        (name, v, _generic(v), timegm((int(y), int(mo), int(d), int(h), int(m), 0)))
        for name, v, y, mo, d, h, m in _links(body.decode())
    ]


# Provider, its settings by the address of a host, mechanism, path, type, body, the fastest reader.
KINDS: tuple[tuple[str, str, str, str, str, bytes, Callable[[bytes], list[Row]]], ...] = (
    ("pypi", "url", "versions", "/simple/aurora-{}/", "application/vnd.pypi.simple.v1+json",
     _pypi(), _read_pypi),
    ("crates", "url", "versions", "/au/ro/aurora-{}", "text/plain", _crate(), _read_crate),
    ("rss", "url", "feed", "/news.xml", "application/rss+xml", _rss(), _read_rss),
    ("folder", "url", "index", "/pub/", "text/html", _folder(), _read_folder),
)  # fmt: skip


class _Server(asyncio.Protocol):
    """Each host's pages differ a little: the same from everywhere would be a captive portal."""

    answers: ClassVar[dict[bytes, bytes]] = {
        path[:4].encode(): (
            f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nETag: \"e\"\r\nServer: bench\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        + body
        for _, _, _, path, kind, body, _ in KINDS
    }  # fmt: skip

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._mark = _mark(transport.get_extra_info("sockname")[0]).encode()

    def data_received(self, data: bytes) -> None:
        answer = self.answers[data.split(b" ", 2)[1][:4]]
        self._transport.write(answer.replace(b"@@@@@@", self._mark))


def _serve(pipe: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Server, "0.0.0.0", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def _host(number: int) -> str:
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


def _mark(host: str) -> str:
    return "".join(f"{int(part):03d}" for part in host.split(".")[2:])


def run(hosts: int = HOSTS) -> Iterator[dict[str, Any]]:
    """One result: name, ours, other, what, unit, ratio, goal, holds."""
    near, far = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(far,), daemon=True)
    server.start()
    far.close()  # so that a server which does not start is an error, not a wait without end
    try:
        port = near.recv()
        with tempfile.TemporaryDirectory() as place:
            asyncio.run(_ours(Path(place) / "first", range(hosts, hosts + 1), port))
            asyncio.run(_bare(range(hosts, hosts + 1), port))
            rounds = [_round(Path(place) / str(n), hosts, port) for n in range(ROUNDS)]
    finally:
        server.kill()
        server.join()
    ours, _, parts = min(rounds, key=lambda one: one[0])
    other = min(one[1] for one in rounds)
    ratio = round(ours / other, 2)
    yield {
        "name": f"cold poll of {hosts * len(KINDS):,} mixed HTTP sources",
        "ours": round(ours, 3),
        "other": round(other, 3),
        "what": "bare aiohttp, msgspec or regular expressions, keys and dates, one bulk insert",
        "unit": "CPU s",
        "ratio": ratio,
        "goal": GOAL,
        "holds": ratio <= GOAL,
        "parts": parts,
        "ratios": [round(one[0] / one[1], 2) for one in rounds],
    }


def _round(place: Path, hosts: int, port: int) -> tuple[float, float, dict[str, float]]:
    ours, parts = asyncio.run(_ours(place / "ours", range(hosts), port))
    begun = time.process_time()
    found = asyncio.run(_bare(range(hosts), port))
    other = time.process_time() - begun
    rows = _rows(place / "ours")
    assert sorted(found, key=repr) == sorted(_told(place / "ours"), key=repr)
    other += _insert(place / "other", rows)
    return ours, other, parts


async def _ours(folder: Path, hosts: range, port: int) -> tuple[float, dict[str, float]]:
    sources = {}
    for number in hosts:
        base = f"http://{_host(number)}:{port}"
        for name, key, _, path, _, _, _ in KINDS:
            url = base + path if name in ("rss", "folder") else base
            sources[f"{name}-{number}"] = SourceSettings(provider=name, settings={key: url})
    network = NetworkSettings(
        contact="bench@example.invalid",
        allow_private=tuple(f"{_host(n)}:{port}" for n in hosts),
    )
    settings = Settings(state=StateSettings(dir=str(folder)), network=network, sources=sources)
    runtime = Runtime.of(settings)
    writer = Writer(folder)
    given = list(runtime.sources.values())
    runtime.numbered(writer(lambda db: due.enlist(db, given, AT)))
    reader = open_reader(folder)
    room = asyncio.Semaphore(AT_ONCE)
    parts: dict[str, float] = {}
    async with crawling(runtime, writer, reader, lambda: AT) as crawler:

        async def visit(name: str, mechanism: str) -> None:
            mark = _mark(_host(int(name.rpartition("-")[2])))
            project = f"aurora-{mark}" if mechanism == "versions" else None
            async with room:
                report = await crawler.visit(
                    runtime.sources[name], due.Due(name, mechanism, None, project)
                )
            assert report.result.outcome is Outcome.OK, report.visit.error

        total = 0.0
        for name, _, mechanism, *_ in KINDS:
            begun = time.process_time()
            await asyncio.gather(*(visit(f"{name}-{n}", mechanism) for n in hosts))
            parts[name] = round(time.process_time() - begun, 3)
            total += parts[name]
    writer.close()
    reader.close()
    return total, parts


async def _bare(hosts: range, port: int) -> list[Row]:
    room = asyncio.Semaphore(AT_ONCE)
    found: list[Row] = []
    async with aiohttp.ClientSession() as session:

        async def fetch(url: str, read: Callable[[bytes], list[Row]]) -> None:
            async with room, session.get(url) as reply:
                body = await reply.read()
            hashlib.sha256(body).digest()
            found.extend(read(body))

        for *_, path, _, _, read in KINDS:
            await asyncio.gather(
                *(
                    fetch(f"http://{_host(n)}:{port}{path.format(_mark(_host(n)))}", read)
                    for n in hosts
                )
            )
    return found


def _told(folder: Path) -> list[Row]:
    """What ours stored, as the pages say it."""
    import sqlite3

    db = sqlite3.connect(folder / NAME)
    rows = db.execute(
        "SELECT listing.name, version.version, substr(version.sort_key, 2), version.published"
        " FROM version JOIN listing USING (project)"
    ).fetchall()
    db.close()
    return rows


def _rows(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    import sqlite3

    db = sqlite3.connect(folder / NAME)
    rows = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    db.close()
    return rows


if __name__ == "__main__":
    for result in run(*map(int, sys.argv[1:])):
        print(msgspec.json.encode(result).decode(), flush=True)
