"""A pace per host: few requests at a time, a gap between them, and away when we are unwelcome.

Kept by host and port. What an upstream asks for (Retry-After, quota headers)
goes before what the settings say. A server that only fails is left alone too,
and probed with one request after a while, so that it costs the others nothing.

A walk that has begun goes on before another begins, and is not held up by the
spreading of a quota: what it has cost already would be for nothing. Where a project
takes two requests and thirty are left, fifteen projects are answered, not thirty half.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from urllib.parse import urlsplit

from aiolimiter import AsyncLimiter

from monitor.errors import FetchError
from monitor.model import Outcome, Reply, Request
from monitor.protocols import Transport
from monitor.settings import NetworkSettings
from spiders import verdict
from spiders.address import take_apart, without_secrets
from spiders.pauses import Pause, Pauses

_FAILURES = 5  # in a row, until a server counts as down
_DOWN, _DOWN_LONGEST = 60.0, 600.0  # seconds until it is probed
_UNSAID, _UNSAID_LONGEST = 30.0, 3_600.0  # a pause nobody gave a length for; doubles each time
_RESERVE = 0.1  # of a quota, left for others who share it
_SPREAD_BELOW = 0.5  # of a quota: from here on the rest is spread over the window


class Polite:
    """Keeps the pace of each server. Raises `throttled` rather than wait long."""

    def __init__(
        self,
        inner: Transport,
        network: NetworkSettings,
        pauses: Pauses,
        clock: Callable[[], float],
        known_by: Callable[[str], str] = lambda _: "",
    ) -> None:
        """`known_by` names the credential that goes with an address, "" for none."""
        self._inner = inner
        self._known_by = known_by
        self._network = network
        self._pauses = pauses
        self._clock = clock
        self._servers: dict[str, _Server] = {}

    async def fetch(self, request: Request) -> Reply:
        address = take_apart(request.url)
        place = address.place
        server = self._servers.get(place)
        if server is None:
            server = self._server(place, address.host, address.port)
        await server.slots.take(ahead=request.further)
        try:
            await self._wait(request, place, server)
            if server.limiter is not None:
                await server.limiter.acquire()
            try:
                reply = await self._inner.fetch(request)
            except FetchError as error:
                self._failed(place, server, error)
                raise
            finally:
                server.probing = False
            if server.failures:
                server.failures, server.down = 0, 0.0
            server.unsaid = 0.0
            self._mind_quota(place, server, reply, request.url)
            return reply
        finally:
            server.slots.hand_on()

    def _server(self, place: str, host: str, port: int) -> _Server:
        if len(self._servers) > 4096:
            self._servers = {p: s for p, s in self._servers.items() if s.is_busy()}
        own = self._network.of_host(host, port)
        server = self._servers[place] = _Server(own.concurrency or 1, own.pace or 0.0)
        return server

    async def _wait(self, request: Request, place: str, server: _Server) -> None:
        while (pause := self._pauses.of(place, now := self._clock())) is not None:
            left = pause.until - now
            if left > self._network.patience:
                raise FetchError(
                    without_secrets(request.url),
                    f"{place} is left alone for {left:.0f} s more: {pause.reason}",
                    pause.remedy or None,
                    outcome=pause.outcome,
                    retry_after=left,
                )
            await asyncio.sleep(left + 0.001)
        if server.gap and request.further:
            server.next_at = max(server.next_at, monotonic()) + server.gap
        elif server.gap and (left := server.next_at - monotonic()) > 0:
            if left > self._network.patience:
                raise FetchError(
                    without_secrets(request.url),
                    f"the quota of {place} is spread over its window",
                    self._more_quota(request.url),
                    outcome=Outcome.THROTTLED,
                    retry_after=left,
                )
            server.next_at += server.gap
            await asyncio.sleep(left)
        elif server.gap:
            server.next_at = monotonic() + server.gap
        if server.failures >= _FAILURES:
            left = server.probe_at - monotonic()
            if left > 0 or server.probing:
                raise FetchError(
                    without_secrets(request.url),
                    f"{place} failed {server.failures} times in a row and is given a rest:"
                    f" {server.complaint}",
                    outcome=Outcome.RETRY,
                    retry_after=max(left, 1.0),
                )
            server.probing = True

    def _failed(self, place: str, server: _Server, error: FetchError) -> None:
        match error.outcome:
            case Outcome.RETRY:
                server.failures += 1
                server.complaint = error.what
                if server.failures >= _FAILURES:
                    server.down = min(max(server.down * 2, _DOWN), _DOWN_LONGEST)
                    server.probe_at = monotonic() + server.down
                return
            case Outcome.THROTTLED:
                after = error.retry_after
                if after is None:
                    server.unsaid = min(max(server.unsaid * 2, _UNSAID), _UNSAID_LONGEST)
                    after = error.retry_after = server.unsaid
                self._pauses.begin(Pause(place, self._clock() + after, error.outcome, error.what))
            case Outcome.BLOCKED if "bot wall" in error.what:
                # The whole host is behind it; a plain 403 concerns one address only.
                until = self._clock() + (error.retry_after or verdict.BLOCKED_FOR)
                self._pauses.begin(Pause(place, until, error.outcome, error.what))
        server.failures = 0

    def _mind_quota(self, place: str, server: _Server, reply: Reply, url: str) -> None:
        now = self._clock()
        left = verdict.quota(reply.headers, now)
        if left is None or left.reset is None:
            if server.gap:
                server.gap = 0.0
            return
        reserve = (left.limit or 0) * _RESERVE
        usable = left.remaining - reserve
        if usable <= 0:
            server.gap = 0.0
            reason = f"{left.remaining} of {left.limit} requests are left"
            until, more = now + left.reset, self._more_quota(url) or ""
            self._pauses.begin(Pause(place, until, Outcome.THROTTLED, reason, more))
        elif left.limit and left.remaining < left.limit * _SPREAD_BELOW:
            server.gap = left.reset / usable
            server.next_at = max(server.next_at, monotonic() + server.gap)
        else:
            server.gap = 0.0

    def _more_quota(self, url: str) -> str | None:
        """Those who sign in may mostly ask more."""
        if self._known_by(url):
            return None
        asked = urlsplit(url)
        origin = f"{asked.scheme}://{asked.netloc}"
        return f'a credential may allow more: [network.credentials.NAME] origin = "{origin}"'


class _Slots:
    """A few at a time, in the order in which they came; who is `ahead` goes before the others."""

    __slots__ = ("_ahead", "_free", "_others")

    def __init__(self, number: int) -> None:
        self._free = number
        self._ahead: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def take(self, *, ahead: bool) -> None:
        """Wait for a slot; whoever has one calls `hand_on` in the end."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        (self._ahead if ahead else self._others).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was our turn just then
                self.hand_on()
            raise

    def hand_on(self) -> None:
        """Give a slot to the next in line; those who no longer wait are passed over."""
        for queue in (self._ahead, self._others):
            while queue:
                if not (turn := queue.popleft()).done():
                    turn.set_result(None)
                    return
        self._free += 1

    def locked(self) -> bool:
        """Is none free?"""
        return not self._free


class _Server:
    """What is known of one host and port while we run."""

    __slots__ = (
        "complaint",
        "down",
        "failures",
        "gap",
        "limiter",
        "next_at",
        "probe_at",
        "probing",
        "slots",
        "unsaid",
    )

    def __init__(self, concurrency: int, pace: float) -> None:
        self.slots = _Slots(concurrency)
        # One request at a time: a burst at the start would not be a pace.
        self.limiter = AsyncLimiter(1, 1 / pace) if pace > 0 else None
        self.failures = 0
        self.complaint = ""  # what the last failure was
        self.down = 0.0
        self.probe_at = 0.0
        self.probing = False
        self.unsaid = 0.0
        self.gap = 0.0
        self.next_at = 0.0

    def is_busy(self) -> bool:
        return self.slots.locked() or bool(self.failures or self.unsaid or self.gap)
