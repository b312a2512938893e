"""Carry a question to an upstream and follow the answer to its end."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager

from msgspec import structs

from monitor.errors import FetchError, MonitorError, ReadError
from monitor.model import Finding, Outcome, Reply, Request
from monitor.protocols import Reader, Transport
from spiders.address import without_secrets
from spiders.thrifty import full

PAGES = 10_000  # of one walk
ITEMS = 20_000_000  # findings of one walk


LOT = 500
"""Findings handed on together: each turn of an asynchronous loop costs as much as reading one."""


async def walk(
    first: Request,
    read: Reader,
    transport: Transport,
    *,
    pages: int = PAGES,
    items: int = ITEMS,
    seen: Callable[[Reply], None] | None = None,
) -> AsyncGenerator[Finding]:
    """Yield what the upstream says, one finding after the other; as `lots`."""
    found = lots(first, read, transport, pages=pages, items=items, seen=seen, size=1)
    async with aclosing(found):
        async for lot in found:
            for finding in lot:
                yield finding


def lots(
    first: Request,
    read: Reader,
    transport: Transport,
    *,
    pages: int = PAGES,
    items: int = ITEMS,
    seen: Callable[[Reply], None] | None = None,
    size: int = LOT,
) -> AsyncGenerator[Sequence[Finding]]:
    """Yield what the upstream says, asking every further question the reader raises.

    Findings come in lots of one reply, `size` of them at most. `seen` is told each reply
    before it is read: its validators are committed with the data. If the first one is
    `unchanged`, nothing is read and nothing yielded; an unchanged later page is fetched
    again in full, since its part is needed.

    Raises FetchError where an answer does not come, ReadError where one cannot be
    read, and FetchError `hostile` beyond `pages` answers or `items` findings. A
    request with `tree` is carried by Scrapy (`spiders.crawl`), to the same findings.
    """
    if first.tree:
        from spiders.crawl import crawl

        return _counted(first, crawl(first, read, transport, pages=pages, seen=seen), items)
    return _follow(first, read, transport, pages, items, seen, size)


async def _counted(
    first: Request, findings: AsyncGenerator[Finding], items: int
) -> AsyncGenerator[Sequence[Finding]]:
    found = 0
    async with aclosing(findings):
        async for finding in findings:
            found += 1
            if found > items:
                raise too_many(first, f"more than {items} findings")
            yield (finding,)


async def _follow(
    first: Request,
    read: Reader,
    transport: Transport,
    pages: int,
    items: int,
    seen: Callable[[Reply], None] | None,
    size: int,
) -> AsyncGenerator[Sequence[Finding]]:
    todo, asked, left = deque([first]), set[Request](), items
    while todo:
        request = todo.popleft()
        if request is not first:
            if request in asked:
                continue
            asked.add(request)
        if len(asked) > pages:
            raise too_many(first, f"more than {pages} pages")
        reply = await transport.fetch(request)
        if reply.unchanged and request is not first:
            reply = await transport.fetch(full(request))
        if seen is not None:
            seen(reply)
        if reply.unchanged:
            return
        try:
            lot: list[Finding] = []
            for finding in read(reply):
                if isinstance(finding, Request):
                    asked.add(structs.replace(first, further=True))
                    todo.append(structs.replace(finding, further=True))
                    continue
                left -= 1
                if left < 0:
                    raise too_many(first, f"more than {items} findings")
                lot.append(finding)
                if len(lot) >= size:
                    yield lot
                    lot = []
            if lot:
                yield lot
        except Exception as error:
            blamed = _blamed(error, request, reply)
            if not isinstance(blamed, ReadError):  # which keeps it, for whoever mends the provider
                reply.body.close()
            if blamed is error:
                raise
            raise blamed from error
        except BaseException:
            reply.body.close()
            raise
        else:
            reply.body.close()


@contextmanager
def blaming(request: Request, reply: Reply | None = None) -> Iterator[None]:
    """Report whatever a reader trips over as an answer that cannot be read.

    Upstreams change without notice. One that does must never stop the others.
    The ReadError has the answer as its attribute `reply`.
    """
    try:
        yield
    except Exception as error:
        blamed = _blamed(error, request, reply)
        if blamed is error:
            raise
        raise blamed from error


def _blamed(error: Exception, request: Request, reply: Reply | None) -> MonitorError:
    if isinstance(error, MonitorError):
        blamed = error
    else:
        blamed = ReadError(
            without_secrets(request.url),
            f"{type(error).__name__}: {error}",
            "look at the answer: has the upstream changed its shape? Then mend the provider",
        )
    if isinstance(blamed, ReadError):
        blamed.reply = reply  # type: ignore[attr-defined]
    return blamed


def too_many(request: Request, what: str) -> FetchError:
    """The failure of a question that does not come to an end."""
    return FetchError(
        without_secrets(request.url),
        what,
        "a trail without end, or a source that needs higher limits",
        outcome=Outcome.HOSTILE,
    )
