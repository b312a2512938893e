"""Trees and trails of pages, carried by Scrapy: a folder of folders, a download page.

The one `scrapy.Spider` of the project. It hands each answer to the provider's
reader; a `Request` that the reader yields becomes a `scrapy.Request`. Robots
rules, AutoThrottle, the duplicate filter and the depth are Scrapy's. Its
downloads go through our own transport, so that one policy of addresses, limits,
gateway, pace, recording and replay binds both ways to go.

Runs in our own event loop, without a Twisted reactor. Scrapy is imported only
when a crawl begins; import this module then, not before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

import scrapy
from msgspec import structs
from scrapy.crawler import AsyncCrawlerRunner
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response, TextResponse

from monitor.errors import FetchError, MonitorError
from monitor.model import Finding, Outcome, Partial, Reply, Request
from monitor.protocols import Reader, Transport
from monitor.settings import NetworkSettings
from spiders.address import without_secrets
from spiders.thrifty import full
from spiders.walk import blaming, too_many

DEPTH = 12  # levels below the first page
_FAILURES = 25  # pages that may be missing from a tree before all of it is given up
_AHEAD = 1_000  # findings that wait for whoever takes them

_SETTINGS: dict[str, Any] = {
    "TWISTED_REACTOR_ENABLED": False,
    "DOWNLOAD_HANDLERS": {
        "http": "spiders.crawl.Handler",
        "https": "spiders.crawl.Handler",
        **dict.fromkeys(("data", "file", "ftp", "s3")),
    },
    "ROBOTSTXT_OBEY": True,
    "ROBOTSTXT_USER_AGENT": NetworkSettings().user_agent,
    "AUTOTHROTTLE_ENABLED": True,
    "AUTOTHROTTLE_START_DELAY": 0.0,
    "AUTOTHROTTLE_TARGET_CONCURRENCY": 2.0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 2,
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_TIMEOUT": 0,
    # These are the manners of our transport.
    "RETRY_ENABLED": False,
    "REDIRECT_ENABLED": False,
    "METAREFRESH_ENABLED": False,
    "COOKIES_ENABLED": False,
    "COMPRESSION_ENABLED": False,
    "HTTPPROXY_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "MEMUSAGE_ENABLED": False,
    "STATS_DUMP": False,
    "LOGSTATS_INTERVAL": 0,
    "LOG_ENABLED": False,
}


async def crawl(
    first: Request,
    read: Reader,
    transport: Transport,
    *,
    pages: int = 10_000,
    depth: int = DEPTH,
    seen: Callable[[Reply], None] | None = None,
) -> AsyncGenerator[Finding]:
    """Yield what the whole tree below `first` says.

    Every page is asked in full: that a folder did not change says nothing of the
    folders in it. A page that does not come, that robots.txt forbids or that lies
    too deep makes the answer `Partial`; if it is the first one, FetchError is raised,
    as it is when a host says stop, or when too much is missing. ReadError as in `walk`.
    """
    first = structs.replace(
        first, further=True
    )  # the rules for robots are what a crawl begins with
    logging.getLogger("scrapy").setLevel(logging.WARNING)
    runner = AsyncCrawlerRunner({**_SETTINGS, "DEPTH_LIMIT": depth})
    crawler = runner.create_crawler(Tree)
    journey = Journey(first, read, transport, pages, depth, seen)
    task = runner.crawl(crawler, journey=journey)
    task.add_done_callback(lambda _: journey.end())
    try:
        async for finding in journey.findings():
            yield finding
        await task
        if journey.error is not None:
            raise journey.error
    finally:
        journey.over = True
        if not task.done():
            await crawler.stop_async()
            while not task.done():
                journey.drain()
                await asyncio.wait([task], timeout=0.02)
        with suppress(Exception):
            await task


class Journey:
    """One crawl: its question, its reader, and what was found and not yet taken."""

    def __init__(
        self,
        first: Request,
        read: Reader,
        transport: Transport,
        pages: int,
        depth: int,
        seen: Callable[[Reply], None] | None,
    ) -> None:
        self.first = first
        self.read = read
        self.transport = transport
        self.depth = depth
        self.over = False
        self.error: MonitorError | None = None
        self._pages = pages
        self._failed = 0
        self._seen = seen
        self._found: asyncio.Queue[Finding | None] = asyncio.Queue(_AHEAD)
        self._ended = asyncio.Event()

    async def fetch(self, request: Request) -> Reply:
        """Ask for one page of the tree."""
        if self.over or self.error is not None:
            raise IgnoreRequest("the crawl is over")
        if self._pages <= 0:
            raise too_many(self.first, "has more pages than a crawl may read")
        self._pages -= 1
        reply = await self.transport.fetch(full(request))
        reply.request = request
        if self._seen is not None:
            self._seen(reply)
        return reply

    async def tell(self, finding: Finding) -> None:
        """Pass a finding on, waiting while too many are not yet taken."""
        if not self.over:
            await self._found.put(finding)

    async def missed(self, request: Request, error: Exception) -> None:
        """A page did not come."""
        if self.over or self.error is not None:
            return
        self._failed += 1
        if not isinstance(error, FetchError):
            forbidden = isinstance(error, IgnoreRequest)
            error = FetchError(
                without_secrets(request.url),
                "robots.txt forbids it" if forbidden else f"{type(error).__name__}: {error}",
                "ask its operators, or use another source" if forbidden else None,
                outcome=Outcome.BLOCKED if forbidden else Outcome.RETRY,
            )
        stop = error.outcome in (Outcome.THROTTLED, Outcome.HOSTILE)
        if request is self.first or stop or self._failed > _FAILURES:
            self.error = error
        else:
            await self.tell(Partial(str(error)))

    def end(self) -> None:
        """The crawl is done; what was found is all."""
        self._ended.set()

    def drain(self) -> None:
        """Throw away what nobody takes any more, so that nobody waits to put more."""
        while not self._found.empty():
            self._found.get_nowait()

    async def findings(self) -> AsyncIterator[Finding]:
        """What is found, as it is found."""
        ended = asyncio.create_task(self._ended.wait())
        try:
            while True:
                while not self._found.empty():
                    if (finding := self._found.get_nowait()) is not None:
                        yield finding
                if self._ended.is_set():
                    return
                getter = asyncio.create_task(self._found.get())
                await asyncio.wait({getter, ended}, return_when=asyncio.FIRST_COMPLETED)
                if getter.done():
                    if (finding := getter.result()) is not None:
                        yield finding
                else:
                    getter.cancel()
        finally:
            ended.cancel()


class Tree(scrapy.Spider):
    """Asks, reads, follows."""

    name = "tree"

    def __init__(self, journey: Journey, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.journey = journey

    async def start(self) -> AsyncIterator[Any]:
        yield self._ask(self.journey.first)

    def _ask(self, request: Request) -> scrapy.Request:
        return scrapy.Request(
            request.url, callback=self.parse, errback=self.failed, meta={"asked": request}
        )

    async def parse(self, response: Response, **_: Any) -> AsyncIterator[Any]:
        """Hand the answer to the reader, and ask what it asks."""
        journey, reply = self.journey, response.meta["reply"]
        too_deep = response.meta.get("depth", 0) >= journey.depth
        try:
            with blaming(reply.request, reply):
                for finding in journey.read(reply):
                    if not isinstance(finding, Request):
                        await journey.tell(finding)
                    elif too_deep:
                        where = without_secrets(finding.url)
                        await journey.tell(Partial(f"{where} lies more than {journey.depth} deep"))
                    elif not journey.over and journey.error is None:
                        yield self._ask(structs.replace(finding, further=True))
        except MonitorError as error:
            journey.error = journey.error or error
        else:
            reply.body.close()

    async def failed(self, failure: Any) -> None:
        """Scrapy's word for a request that ended without an answer."""
        await self.journey.missed(failure.request.meta["asked"], failure.value)


class Handler:
    """Scrapy's way to the network: our transport."""

    lazy = True

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> Handler:
        return cls(crawler)

    async def download_request(self, request: scrapy.Request) -> Response:
        """Fetch; the answer travels in the request's meta as a `Reply`."""
        journey: Journey = self._crawler.spider.journey
        asked = request.meta.get("asked")
        if asked is None:
            return await self._robots(request, journey)
        began = monotonic()
        request.meta["reply"] = await journey.fetch(asked)
        request.meta["download_latency"] = monotonic() - began
        return Response(request.url, status=200, request=request)

    @staticmethod
    async def _robots(request: scrapy.Request, journey: Journey) -> Response:
        """The rules of a host. Where they cannot be had, nothing is allowed (RFC 9309, 2.3.1.4)."""
        try:
            reply = await journey.transport.fetch(full(Request(request.url, "text/plain, */*")))
            body = reply.bytes()[:500_000]
            reply.body.close()
        except FetchError as error:
            unreachable = error.outcome in (Outcome.RETRY, Outcome.THROTTLED)
            body = b"User-agent: *\nDisallow: /\n" if unreachable else b""
        return TextResponse(request.url, status=200, body=body, request=request)

    async def close(self) -> None:
        """Nothing is ours to close."""
