"""Files of this machine, as if they were upstream. Only below the folders of `network.files`."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from monitor.errors import FetchError
from monitor.model import Outcome, Reply, Request
from monitor.protocols import Transport
from monitor.settings import NetworkSettings
from spiders.address import Address, without_secrets

_BLOCK = 256 * 1024


class Files:
    """Carries file: requests."""

    def __init__(self, network: NetworkSettings) -> None:
        self._folders = [Path(folder).resolve() for folder in network.files]

    def check(self, url: str) -> Address:
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost") or parts.query or "\0" in unquote(parts.path):
            raise _refusal(url, "is not the address of a file here")
        return Address("file", "localhost", 0, unquote(parts.path), "")

    async def open(self, request: Request, address: Address) -> FileStream:
        # Resolved first: a link must not lead out of the folders.
        path = Path(address.path).resolve()  # noqa: ASYNC240  (a local file system)
        if not any(path.is_relative_to(folder) for folder in self._folders):
            raise _refusal(request.url, "is outside of the folders that may be read")
        try:
            file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
        except OSError as error:
            gone = isinstance(error, FileNotFoundError)
            raise FetchError(
                request.url,
                error.strerror or "cannot be read",
                outcome=Outcome.GONE if gone else Outcome.RETRY,
                status=404 if gone else None,
            ) from error
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise _refusal(request.url, "is not a regular file")
        return FileStream(file, request.url)


class FileStream:
    """A file that is being read."""

    def __init__(self, file: BinaryIO, url: str) -> None:
        self._file = file
        self.status = 200
        self.headers: dict[str, str] = {}
        self.url = url

    async def more(self) -> bytes:
        return self._file.read(_BLOCK)

    async def close(self) -> None:
        self._file.close()


class Beside:
    """A transport that takes file: requests to `here`, past all manners, and others `away`."""

    def __init__(self, here: Transport, away: Transport) -> None:
        self._here = here
        self._away = away

    async def fetch(self, request: Request) -> Reply:
        inner = self._here if request.url.startswith("file:") else self._away
        return await inner.fetch(request)


def _refusal(url: str, what: str) -> FetchError:
    return FetchError(
        without_secrets(url),
        what,
        "network.files lists the folders that file: addresses may read",
        outcome=Outcome.HOSTILE,
    )
