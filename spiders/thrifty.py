"""What did not change costs nothing: conditional requests, digests, tails of files.

Validators are sent back byte for byte as they came, and only together with the
identity (representation, credential) they were got with. This wrapper never
stores: the visit commits `validators_of(reply)` together with the data.

A request with the header `cache-control: no-cache` (see `fresh`) is asked
unconditionally and always answered in full: for the refetch every few days
that finds servers which say "not modified" for ever, and for the second look
at a suspect answer.

A request with a `range: bytes=N-` header is answered with status 206 and the
bytes from N on, 200 and the whole file, or `unchanged` if there is nothing new.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Protocol

from msgspec import structs

from monitor.errors import FetchError
from monitor.model import Outcome, Reply, Request
from monitor.protocols import Transport
from spiders.address import without_secrets

_USELESS = 3  # times a validator did not help with an unchanged body, until it is not sent
_NONE: frozenset[str] = frozenset()
_FULL = ":full"  # a mark for us; names with a colon are never sent
_LONGEST = 1024  # characters of a validator that we send back


@dataclass(frozen=True, slots=True)
class Known:
    """What an upstream gave us to compare with, and the digest ("sha256:<hex>") of the body."""

    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None


class Validators(Protocol):
    """Where validators are kept. None for what is not known, or is due for a full refetch."""

    def get(self, url: str, identity: str) -> Known | None: ...


def fresh(request: Request) -> Request:
    """The same question, asked past all caches, ours and others'."""
    return structs.replace(request, headers=(*request.headers, ("cache-control", "no-cache")))


def full(request: Request) -> Request:
    """The same question, answered in full even if nothing changed; caches may answer it."""
    return structs.replace(request, headers=(*request.headers, (_FULL, "1")))


def validators_of(reply: Reply) -> tuple[str, Known]:
    """The identity and the validators to keep for `reply.request.url`, with the data they cover."""
    headers = reply.headers
    return headers.get(":identity", ""), Known(
        headers.get("etag"), headers.get("last-modified"), reply.digest
    )


class Thrifty:
    """Asks conditionally, and says `unchanged` when the answer is what we have."""

    def __init__(
        self,
        inner: Transport,
        validators: Validators | None,
        fingerprint: Callable[[str], str],
    ) -> None:
        """`fingerprint` names the credential that goes with an address, "" for none."""
        self._inner = inner
        self._validators = validators
        self._fingerprint = fingerprint
        self._useless: OrderedDict[str, int] = OrderedDict()

    async def fetch(self, request: Request) -> Reply:
        names = {name.lower() for name, _ in request.headers} if request.headers else _NONE
        if "range" in names:
            return await self._tail(request)
        identity = self.identity(request)
        known: Known | None = None
        if self._validators is not None and not names & {_FULL, "cache-control"}:
            known = self._validators.get(request.url, identity)
        asked = self._conditional(request, known) if known is not None else request
        reply = await self._inner.fetch(asked)
        if reply.status == 304:
            if known is not None and asked is not request:
                return self._unchanged(request, reply, known, identity)
            # Nobody asked for that: a cache in between mixed something up.
            reply = await self._inner.fetch(fresh(request))
            if reply.status == 304:
                raise FetchError(
                    without_secrets(request.url),
                    "says nothing changed, but was not asked that",
                    "a cache in between is broken; it is tried again",
                    outcome=Outcome.INVALID,
                    status=304,
                )
        elif known is not None and reply.digest is not None and reply.digest == known.digest:
            if asked is not request:
                self._did_not_help(request.url)
            reply.body.close()
            return self._unchanged(request, reply, known, identity)
        return self._as_asked(request, reply, identity)

    def identity(self, request: Request) -> str:
        """What an answer depends on beside the address: representation and credential."""
        return _identity(request.accept, request.headers, self._fingerprint(request.url))

    def _conditional(self, request: Request, known: Known) -> Request:
        if self._useless.get(request.url, 0) >= _USELESS:
            return request
        # With an ETag the date says nothing more, and some servers let it decide.
        if known.etag and _sendable(known.etag):
            header = ("if-none-match", known.etag)
        elif known.last_modified and _sendable(known.last_modified):
            header = ("if-modified-since", known.last_modified)
        else:
            return request
        return structs.replace(request, headers=(*request.headers, header))

    def _did_not_help(self, url: str) -> None:
        self._useless[url] = self._useless.pop(url, 0) + 1
        if len(self._useless) > 4096:
            self._useless.popitem(last=False)

    def _unchanged(self, request: Request, reply: Reply, known: Known, identity: str) -> Reply:
        headers = dict(reply.headers)
        if reply.status == 304:
            # A 304 may leave validators out; those we have still hold.
            for name, value in (("etag", known.etag), ("last-modified", known.last_modified)):
                if value is not None:
                    headers.setdefault(name, value)
        headers[":identity"] = identity
        return structs.replace(
            reply,
            request=request,
            body=BytesIO(),
            headers=headers,
            digest=known.digest,
            size=0,
            unchanged=True,
        )

    @staticmethod
    def _as_asked(request: Request, reply: Reply, identity: str) -> Reply:
        reply.request = request
        if identity:
            reply.headers = {**reply.headers, ":identity": identity}
        return reply

    async def _tail(self, request: Request) -> Reply:
        """Ask for the end of a file; the whole of it where the answer is not that end."""
        asked = next(value for name, value in request.headers if name.lower() == "range")
        start = re.fullmatch(r"bytes=(\d{1,15})-", asked)
        if start is None:
            raise FetchError(
                without_secrets(request.url),
                f'a range {asked[:40]!r}, where only "bytes=N-" is understood',
                outcome=Outcome.INVALID,
            )
        reply = await self._inner.fetch(request)
        said = reply.headers.get("content-range", "")
        if reply.status == 416:
            if re.fullmatch(rf"bytes \*/{start[1]}", said):
                return structs.replace(reply, unchanged=True)
        elif reply.status != 206:
            return reply
        else:
            match = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)", said)
            if match and match[1] == start[1] and int(match[2]) - int(match[1]) + 1 == reply.size:
                return reply
        reply.body.close()
        whole = tuple((n, v) for n, v in request.headers if n.lower() != "range")
        return await self._inner.fetch(structs.replace(request, headers=whole))


@lru_cache(maxsize=256)
def _identity(accept: str | None, headers: tuple[tuple[str, str], ...], credential: str) -> str:
    seen = sorted(h for h in headers if h[0] not in (_FULL, "cache-control"))
    if accept is None and not seen and not credential:
        return ""
    return hashlib.sha256(repr((accept, seen, credential)).encode()).hexdigest()[:16]


def _sendable(value: str) -> bool:
    return len(value) <= _LONGEST and value.isprintable() and value.isascii()
