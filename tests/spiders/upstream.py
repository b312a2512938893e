"""A server that plays what a test tells it to, byte for byte.

`Upstream` listens on loopback. Its script is called for each request with the
parsed head and a writer; whatever it returns as bytes is sent, and what it does
to the writer is done. The connection is closed after an answer unless the script
says `keep`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Asked:
    """The head of a request, as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: asyncio.StreamReader


Script = Callable[[Asked, asyncio.StreamWriter], "Awaitable[bytes | None] | bytes | None"]


def answer(
    body: bytes = b"", status: str = "200 OK", *, length: int | None = -1, **headers: str
) -> bytes:
    """An HTTP answer. `length` None leaves Content-Length out, another number lies about it."""
    lines = [f"HTTP/1.1 {status}"]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length == -1 else length}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class Upstream:
    """A scripted server; `asked` are the requests that reached it."""

    script: Script | bytes
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0
    port: int = 0
    host: str = "127.0.0.1"

    async def __aenter__(self) -> Upstream:
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, path: str = "/", scheme: str | None = None) -> str:
        return f"{scheme or ('https' if self.tls else 'http')}://{self.host}:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(Exception):
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *rest = head.strip().split("\r\n")
            method, target, _ = first.split(" ", 2)
            headers = dict(line.split(": ", 1) for line in rest)
            asked = Asked(method, target, {k.lower(): v for k, v in headers.items()}, reader)
            self.asked.append(asked)
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
            try:
                said = self.script
                if callable(said):
                    said = said(asked, writer)
                    if asyncio.iscoroutine(said):
                        said = await said
                if said is None:
                    return
                writer.write(said)
                await writer.drain()
            finally:
                self.open_now -= 1
            if b"Content-Length" not in said and b"chunked" not in said:
                return
