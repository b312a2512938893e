"""Ask new releases what they say of themselves, and tell what is not as it was.

A few requests for each new release of what is watched or built; nothing of it
in the way of the visits. What does not answer is asked again: "unknown" is not
"absent" (fault E08).
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial

from aiolimiter import AsyncLimiter

from monitor.crawl import Transports
from monitor.errors import FetchError, ReadError, StoreError
from monitor.model import About, Outcome, Trait
from monitor.protocols import Traits, Transport
from monitor.sources import Source
from monitor.store import traits
from monitor.store.traits import Inquiry
from monitor.store.writer import Writer
from spiders.walk import walk

LONGEST = 500
"""Characters of a value; more is not needed to see that it changed."""

PAGES = 10
"""Answers that one question may lead to."""


async def inquire(
    writer: Writer,
    transport: Transports,
    sources: Mapping[int, Source],
    now: Callable[[], int],
    *,
    paced: bool = True,
    asking: set[int] | None = None,
) -> int:
    """Ask whatever is due, each source one release after the other. Returns how many were asked.

    `paced`: no faster than the rules of the upstream allow, beside the pace of its host. `asking`
    holds the sources that are being asked: one that hangs is left to the call that waits for it,
    and others are asked by further calls meanwhile.
    """
    busy = set() if asking is None else asking
    asked = 0
    while due := await writer.write(
        lambda db: traits.open_inquiries(
            db, {key: source for key, source in sources.items() if key not in busy}, now()
        )
    ):
        lines: dict[int, list[Inquiry]] = {}
        for one in due:
            if one.source not in busy:  # by another call, while this one waited for the store
                lines.setdefault(one.source, []).append(one)
        busy.update(lines)
        done = await asyncio.gather(
            *(
                _in_turn(line, sources[source], transport, writer, now, paced, busy)
                for source, line in lines.items()
            ),
            return_exceptions=True,
        )
        for error in done:
            if isinstance(error, BaseException):
                raise error
        asked += sum(map(len, lines.values()))
    return asked


async def _in_turn(
    line: list[Inquiry],
    source: Source,
    transport: Transports,
    writer: Writer,
    now: Callable[[], int],
    paced: bool,
    busy: set[int],
) -> None:
    asked = source.provider.traits
    assert asked is not None
    pace = AsyncLimiter(1, 1 / asked.pace) if paced else contextlib.nullcontext()
    try:
        for inquiry in line:
            keep = partial(_keep, inquiry=inquiry)
            try:
                said, error = await ask(inquiry, asked, transport(source, None), pace)
                await writer.write(partial(keep, said=said, at=now(), error=error))
            except StoreError:
                raise  # the disk's fault, not the release's
            except Exception as problem:  # it keeps no other one waiting
                why = f"{type(problem).__name__}: {problem}"
                await writer.write(partial(keep, said={}, at=now(), error=why))
    finally:
        busy.difference_update((source.id,))


def _keep(
    db: sqlite3.Connection, inquiry: Inquiry, said: dict[About, str], at: int, error: str | None
) -> int:
    return traits.answered(db, inquiry, said, at, error)


async def ask(
    inquiry: Inquiry,
    asked: Traits,
    transport: Transport,
    pace: AbstractAsyncContextManager[None] = contextlib.nullcontext(),  # noqa: B008
) -> tuple[dict[About, str], str | None]:
    """What a release says of itself, and why not all of it is known, where that is so.

    Of several answers the one that came first counts; identities are put together.
    """
    release, error = inquiry.release, None
    said: dict[About, list[str]] = {}
    for trait in asked.seen(release):
        said.setdefault(trait.name, []).append(trait.value)
    for request in asked.of(release):
        try:
            async with pace:
                pass
            async for finding in walk(request, asked.read, transport, pages=PAGES):
                if isinstance(finding, Trait) and (value := _text(finding.value)):
                    said.setdefault(finding.name, []).append(value)
        except FetchError as problem:
            if problem.outcome is not Outcome.GONE:
                error = f"{problem.where}: {problem.what}"
        except ReadError as problem:
            error = f"{problem.where}: {problem.what}"
    found = {name: values[0] for name, values in said.items()}
    if identities := said.get(About.IDENTITY):
        found[About.IDENTITY] = "; ".join(sorted(set(identities)))
    if error is not None:
        found.pop(About.IDENTITY, None)  # one of several may be missing
    return found, error


def _text(value: str) -> str:
    """A value as it can be stored: on one line, without half a pair of surrogates."""
    return " ".join(value.encode("utf-8", "replace").decode().split())[:LONGEST]
