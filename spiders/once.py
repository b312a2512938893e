"""One request for all who ask the same at the same time.

A listing of a hundred projects is asked for by each of them; it is fetched
once, and everyone gets a view of the body with a position of its own.
"""

from __future__ import annotations

import asyncio
import os
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, BinaryIO, cast

from msgspec import structs

from monitor.errors import FetchError
from monitor.model import Reply, Request
from monitor.protocols import Transport

_Key = tuple[str, str | None, tuple[tuple[str, str], ...]]
_Waiting = list["asyncio.Future[Reply | FetchError | None]"]


class Once:
    """Lets the first of several equal questions go, and shares its answer."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._flying: dict[_Key, _Waiting] = {}

    async def fetch(self, request: Request) -> Reply:
        key = (request.url, request.accept, request.headers)
        while (waiting := self._flying.get(key)) is not None:
            future: asyncio.Future[Reply | FetchError | None] = (
                asyncio.get_running_loop().create_future()
            )
            waiting.append(future)
            shared = await future
            if isinstance(shared, FetchError):
                raise shared
            if shared is not None:
                return structs.replace(shared, request=request)
            # Whoever asked was cancelled; the question still stands.
        waiting = self._flying[key] = []
        result: Reply | FetchError | None = None
        try:
            result = reply = await self._inner.fetch(request)
            return reply
        except FetchError as error:
            result = error
            raise
        finally:
            del self._flying[key]
            for future in waiting:
                if not future.done():
                    # Made now: the first to ask may close its body before the others wake.
                    future.set_result(_share(result))


def _share(result: Reply | FetchError | None) -> Reply | FetchError | None:
    if isinstance(result, Reply):
        return structs.replace(result, body=_view(result.body), headers=dict(result.headers))
    if isinstance(result, FetchError):
        return FetchError(
            result.where,
            result.what,
            result.remedy,
            outcome=result.outcome,
            status=result.status,
            retry_after=result.retry_after,
        )
    return None


def _view(body: BinaryIO) -> BinaryIO:
    if isinstance(body, BytesIO):
        return BytesIO(body.getvalue())
    body.flush()
    return cast("BinaryIO", BufferedReader(_Window(os.dup(body.fileno()))))


class _Window(RawIOBase):
    """An open file with a position of its own; a duplicated descriptor would share it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def readinto(self, buffer: Any) -> int:
        read = os.preadv(self._descriptor, [buffer], self._at)
        self._at += read
        return read

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        match whence:
            case os.SEEK_CUR:
                offset += self._at
            case os.SEEK_END:
                offset += os.fstat(self._descriptor).st_size
        if offset < 0:
            raise ValueError("a position before the beginning")
        self._at = offset
        return offset

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
