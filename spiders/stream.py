"""An answer that is still on its way: what carriers bring, and `Careful` reads to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from monitor.model import Request
from spiders.address import Address


class Stream(Protocol):
    """Status and headers are there, the body is not. It raises FetchError while it is read.

    `headers`  names in lower case; names that begin with ":" are ours (see `spiders.http`)
    `url`      where redirects ended
    """

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def url(self) -> str: ...
    async def more(self) -> bytes:
        """The next piece of the body; b"" at its end."""
        ...

    async def close(self) -> None: ...


class Carrier(Protocol):
    """Goes to an upstream, and comes back as soon as it begins to answer."""

    def check(self, url: str) -> Address: ...
    async def open(self, request: Request, address: Address) -> Stream: ...
