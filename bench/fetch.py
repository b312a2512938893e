"""What a fetch with all manners costs, beside a bare aiohttp loop.

2,000 small sources (1 kB of JSON each) on 500 hosts of loopback, a server in
another process. Ours runs the shipped settings: pace, limits, conditional
requests, digests, address policy. The bare loop only reads the bodies.
CPU of this process, the better of several rounds each.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import signal
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import msgspec

from monitor.model import Request
from monitor.settings import NetworkSettings
from spiders import transport
from spiders.thrifty import Known

SOURCES, HOSTS, ROUNDS, AT_ONCE = 2_000, 500, 5, 50
GOAL = 2.5

_BODY = json.dumps(
    {"name": "example", "versions": [f"1.{n}.0" for n in range(90)], "serial": 123}
).encode()
_HEAD = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "e"\r\n'
    b"Last-Modified: Sat, 21 Nov 2026 00:00:00 GMT\r\nServer: bench\r\nContent-Length: "
)
_FULL = _HEAD + str(len(_BODY)).encode() + b"\r\n\r\n" + _BODY
_SAME = b'HTTP/1.1 304 Not Modified\r\nETag: "e"\r\n\r\n'


class _Server(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        same = b"if-none-match" in data.lower()
        self._transport.write(_SAME if same else _FULL)


def _host(number: int) -> str:
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


def _serve(ports: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        found = {}
        for number in range(HOSTS):
            server = await loop.create_server(_Server, _host(number), 0, backlog=16)
            found[_host(number)] = server.sockets[0].getsockname()[1]
        ports.put(found)
        await asyncio.Event().wait()

    asyncio.run(main())


class _Kept:
    """Validators of every source, for the second poll."""

    def __init__(self, known: Known | None) -> None:
        self._known = known

    def get(self, url: str, identity: str) -> Known | None:
        return self._known


async def _many(urls: list[str], one: Any) -> None:
    todo = iter(urls)

    async def work() -> None:
        for url in todo:
            await one(url)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def _bare(urls: list[str]) -> float:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(url: str) -> None:
            async with session.get(url) as answer:
                assert await answer.read() == _BODY

        began = time.process_time()
        await _many(urls, one)
        return time.process_time() - began


async def _ours(urls: list[str], network: NetworkSettings, known: Known | None) -> float:
    async with transport(network, validators=_Kept(known)) as way:

        async def one(url: str) -> None:
            reply = await way.fetch(Request(url, "application/json"))
            assert reply.unchanged if known else reply.bytes() == _BODY

        began = time.process_time()
        await _many(urls, one)
        return time.process_time() - began


def run() -> Iterator[dict[str, Any]]:
    """One row for a cold poll, one for a second poll in which nothing changed."""
    context = multiprocessing.get_context("spawn")
    ports: Any = context.Queue()
    server = context.Process(target=_serve, args=(ports,), daemon=True)
    server.start()
    try:
        found: dict[str, int] = ports.get(timeout=60)
        places = [f"{host}:{port}" for host, port in found.items()]
        urls = [f"http://{places[n % HOSTS]}/source/{n}" for n in range(SOURCES)]
        network = msgspec.structs.replace(NetworkSettings(), allow_private=tuple(places))
        known = Known('"e"', None, "sha256:00")
        # In turns, so that what else the machine does meets all three alike.
        rounds = [
            (
                asyncio.run(_bare(urls)),
                asyncio.run(_ours(urls, network, None)),
                asyncio.run(_ours(urls, network, known)),
            )
            for _ in range(ROUNDS)
        ]
        bare, cold, warm = (min(times) for times in zip(*rounds, strict=True))
    finally:
        server.terminate()
        server.join()
    for name, ours in (("fetch, cold", cold), ("fetch, nothing new", warm)):
        yield {
            "name": name,
            "ours": round(ours / SOURCES * 1e6),
            "other": round(bare / SOURCES * 1e6),
            "what": f"CPU of one of {SOURCES} fetches with all manners, and by bare aiohttp",
            "unit": "us",
            "ratio": round(ours / bare, 2),
            "goal": GOAL,
            "holds": ours / bare <= GOAL,
        }


if __name__ == "__main__":
    for row in run():
        print(json.dumps(row))
