"""What a cold poll costs, from the socket to the committed store.

2,000 sources on 500 hosts of loopback, a server in another process: a quarter
each of PyPI project pages, crates, RSS feeds and folder pages. Ours is the
crawler with the shipped settings and all manners; its limit fetches with bare
aiohttp, reads with the fastest means (`msgspec`, regular expressions), and puts
the very same rows into the same tables in one transaction. CPU of this process.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
import msgspec

from bench.index import _insert
from monitor.asking import crawling
from monitor.model import Outcome
from monitor.runtime import Runtime
from monitor.settings import NetworkSettings, Settings, StateSettings
from monitor.settings import Source as SourceSettings
from monitor.store import NAME, due, open_reader
from monitor.store.writer import Writer

HOSTS, AT_ONCE, GOAL = 500, 50, 2.5
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


# Provider, its settings by the address of a host, mechanism, path, type, body, the fastest reader.
_read_rss = re.compile(rb"<title>(\S+) (\S+)</title>").findall
_read_folder = re.compile(rb'href="([^"]+)">').findall
KINDS: tuple[tuple[str, str, str, str, str, bytes, Callable[[bytes], object]], ...] = (
    ("pypi", "url", "versions", "/simple/aurora-{}/", "application/vnd.pypi.simple.v1+json",
     _pypi(), msgspec.json.decode),
    ("crates", "url", "versions", "/au/ro/aurora-{}", "text/plain", _crate(),
     lambda body: [msgspec.json.decode(line) for line in body.splitlines()]),
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
    try:
        port = near.recv()
        with tempfile.TemporaryDirectory() as place:
            ours, parts = asyncio.run(_ours(Path(place) / "ours", hosts, port))
            begun = time.process_time()
            asyncio.run(_bare(hosts, port))
            other = time.process_time() - begun
            other += _insert(Path(place) / "other", _rows(Path(place) / "ours"))
    finally:
        server.kill()
        server.join()
    ratio = round(ours / other, 2)
    yield {
        "name": f"cold poll of {hosts * len(KINDS):,} mixed HTTP sources",
        "ours": round(ours, 3),
        "other": round(other, 3),
        "what": "bare aiohttp, msgspec or regular expressions, one bulk insert",
        "unit": "CPU s",
        "ratio": ratio,
        "goal": GOAL,
        "holds": ratio <= GOAL,
        "parts": parts,
    }


async def _ours(folder: Path, hosts: int, port: int) -> tuple[float, dict[str, float]]:
    sources = {}
    for number in range(hosts):
        base = f"http://{_host(number)}:{port}"
        for name, key, _, path, _, _, _ in KINDS:
            url = base + path if name in ("rss", "folder") else base
            sources[f"{name}-{number}"] = SourceSettings(provider=name, settings={key: url})
    network = NetworkSettings(
        contact="bench@example.invalid",
        allow_private=tuple(f"{_host(n)}:{port}" for n in range(hosts)),
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
                    runtime.sources[name], due.Due(name, mechanism, 0, project)
                )
            assert report.result.outcome is Outcome.OK, report.visit.error

        total = 0.0
        for name, _, mechanism, *_ in KINDS:
            begun = time.process_time()
            await asyncio.gather(*(visit(f"{name}-{n}", mechanism) for n in range(hosts)))
            parts[name] = round(time.process_time() - begun, 3)
            total += parts[name]
    writer.close()
    reader.close()
    return total, parts


async def _bare(hosts: int, port: int) -> None:
    room = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession() as session:

        async def fetch(url: str, read: Callable[[bytes], object]) -> None:
            async with room, session.get(url) as reply:
                read(await reply.read())

        for *_, path, _, _, read in KINDS:
            await asyncio.gather(
                *(
                    fetch(f"http://{_host(n)}:{port}{path.format(_mark(_host(n)))}", read)
                    for n in range(hosts)
                )
            )


def _rows(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    import sqlite3

    db = sqlite3.connect(folder / NAME)
    rows = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}
    db.close()
    return rows


if __name__ == "__main__":
    for result in run(*map(int, sys.argv[1:])):
        print(msgspec.json.encode(result).decode(), flush=True)
