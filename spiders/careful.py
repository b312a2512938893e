"""Reads an answer to its end, or not at all: limits on size, time and shape.

Half an answer, a page in place of data, a bomb, a drip: each becomes the
`FetchError` that says so, and nothing of it reaches a reader.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import monotonic
from urllib.parse import urlsplit

from monitor.errors import FetchError
from monitor.model import Outcome, Reply, Request
from monitor.settings import HostSettings, NetworkSettings
from spiders import verdict
from spiders.address import Address, printable, without_secrets
from spiders.body import BadEncoding, Decoder, Spool, decoder
from spiders.stream import Carrier, Stream

_GLANCE = 64 * 1024  # bytes of an answer without success that are looked at
_SNIFF = 16 * 1024


class Careful:
    """A transport over one carrier for each scheme; replies are complete and within limits."""

    def __init__(
        self,
        carriers: Mapping[str, Carrier],
        network: NetworkSettings,
        clock: Callable[[], float],
    ) -> None:
        self._carriers = carriers
        self._network = network
        self._clock = clock
        self._portal = Portal()
        self._limits: dict[str, HostSettings] = {}

    async def fetch(self, request: Request) -> Reply:
        scheme = request.url.partition(":")[0].lower()
        carrier = self._carriers.get(scheme)
        if carrier is None:
            raise FetchError(
                without_secrets(request.url),
                f"addresses of the scheme {printable(scheme, 20)!r} are not asked",
                f"use one of {', '.join(sorted(self._carriers))}",
                outcome=Outcome.HOSTILE,
            )
        address = carrier.check(request.url)
        self._portal.check(request)
        limits = self._of(address)
        try:
            async with asyncio.timeout(limits.deadline):
                stream = await carrier.open(request, address)
                try:
                    reply = await self._read(request, stream, limits)
                finally:
                    await stream.close()
        except TimeoutError as error:
            raise FetchError(
                without_secrets(request.url),
                f"was not done within {limits.deadline:g} s",
                "it is tried again; network.deadline sets the limit",
                outcome=Outcome.RETRY,
            ) from error
        self._portal.look(address, reply)
        return reply

    def _of(self, address: Address) -> HostSettings:
        place = address.place if self._network.hosts else ""
        limits = self._limits.get(place)
        if limits is None:
            limits = self._limits[place] = self._network.of_host(address.host, address.port)
        return limits

    async def _read(self, request: Request, stream: Stream, limits: HostSettings) -> Reply:
        status, headers = stream.status, stream.headers
        partial = status in (206, 416) and any(n.lower() == "range" for n, _ in request.headers)
        if status == 304 or (status == 416 and partial):
            return Reply(request, status=status, headers=headers, url=stream.url, at=self._now())
        if status not in (200, 203) and not (status == 206 and partial):
            glance = await _glance(stream)
            raise verdict.refusal(request, status, headers, glance, self._clock())
        spool = Spool(self._network.spool)
        try:
            await self._collect(request, stream, limits, spool)
            body, digest = spool.finish()
            return Reply(
                request,
                body,
                status=status,
                headers=headers,
                url=stream.url,
                at=self._now(),
                digest=digest,
                size=spool.size,
            )
        except BaseException:
            spool.close()
            raise

    async def _collect(
        self, request: Request, stream: Stream, limits: HostSettings, spool: Spool
    ) -> None:
        """Bring the body in, judging it as soon as there is enough of it."""
        wire, judged = 0, False
        undo: Decoder | None = None
        began = monotonic()
        encoding = stream.headers.get("content-encoding")
        try:
            while chunk := await stream.more():
                if not wire:
                    undo = decoder(encoding, chunk) if encoding else None
                wire += len(chunk)
                if wire > (limits.max_body or 0):
                    raise self._too_large(request, "max_body", limits.max_body)
                if undo is None:
                    spool.write(chunk)
                else:
                    for piece in undo.feed(chunk):
                        spool.write(piece)
                        if spool.size > (limits.max_decompressed or 0):
                            raise self._too_large(
                                request, "max_decompressed", limits.max_decompressed
                            )
                if not judged and spool.size >= _SNIFF:
                    judged = True
                    self._judge(request, stream, spool)
                self._check_rate(request, wire, monotonic() - began)
            if undo is not None:
                undo.finish()
        except BadEncoding as error:
            raise FetchError(
                without_secrets(request.url), str(error), outcome=Outcome.INVALID
            ) from error
        if not judged:
            self._judge(request, stream, spool)

    def _judge(self, request: Request, stream: Stream, spool: Spool) -> None:
        beginning = spool.beginning(_SNIFF)
        if verdict.is_wall(stream.headers, beginning):
            raise verdict.wall(request, stream.status)
        if stream.status != 206 and (why := verdict.misfit(request, stream.headers, beginning)):
            raise FetchError(
                without_secrets(request.url),
                f"sends {why}",
                "look at the address in a browser; has the upstream moved?",
                outcome=Outcome.INVALID,
                status=stream.status,
            )

    def _check_rate(self, request: Request, wire: int, took: float) -> None:
        network = self._network
        if took > network.min_rate_after and wire < network.min_rate * took:
            raise FetchError(
                without_secrets(request.url),
                f"drips: {wire} bytes in {took:.0f} s",
                "it is tried again; network.min_rate sets the limit",
                outcome=Outcome.RETRY,
            )

    def _too_large(self, request: Request, key: str, limit: int | None) -> FetchError:
        return FetchError(
            without_secrets(request.url),
            f"sends more than {limit} bytes",
            f"if it is right, raise {key} for its host in network.hosts",
            outcome=Outcome.HOSTILE,
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


async def _glance(stream: Stream) -> bytes:
    """The beginning of a body that is no answer, as far as it can be had."""
    seen = bytearray()
    try:
        undo: Decoder | None = None
        while len(seen) < _GLANCE and (chunk := await stream.more()):
            if not seen:
                undo = decoder(stream.headers.get("content-encoding"), chunk)
            if undo is None:
                seen += chunk
            else:
                for piece in undo.feed(chunk):
                    seen += piece
                    if len(seen) >= _GLANCE:
                        break
    except (FetchError, BadEncoding):
        pass  # the status is the news; its page need not be whole
    return bytes(seen[:_GLANCE])


class Portal:
    """Notices that something between us and the world answers for everyone.

    A captive portal gives the same page for whatever is asked. When so many
    different hosts give one and the same HTML page, none of it is believed
    for a while.
    """

    HOSTS = 6
    PAUSE = 300.0

    def __init__(self) -> None:
        self._pages: OrderedDict[str, set[str]] = OrderedDict()
        self._until = 0.0

    def check(self, request: Request) -> None:
        """FetchError while a portal stands in the way."""
        if self._until > monotonic():
            raise self._blocked(request)

    def look(self, address: Address, reply: Reply) -> None:
        """Remember this answer; FetchError if it is the portal's."""
        if not reply.digest or not 0 < reply.size <= 1_000_000:
            return
        beginning = reply.body.read(512)
        reply.body.seek(0)
        if not verdict.looks_like_page(beginning):
            return
        hosts = self._pages.setdefault(reply.digest, set())
        self._pages.move_to_end(reply.digest)
        if len(self._pages) > 256:
            self._pages.popitem(last=False)
        hosts.add(address.place)
        # Mirrors give the same page too, but for one path; this counts hosts of any path.
        if len(hosts) >= self.HOSTS:
            self._pages.clear()
            self._until = monotonic() + self.PAUSE
            raise self._blocked(reply.request)

    def _blocked(self, request: Request) -> FetchError:
        return FetchError(
            f"{urlsplit(request.url).scheme}: every host",
            "many hosts give one and the same page: something between us answers for them",
            "is there a captive portal or a proxy? Log in, or ask whoever runs the network",
            outcome=Outcome.BLOCKED,
            retry_after=self.PAUSE,
        )
