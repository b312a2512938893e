"""One visit: ask, walk, record.

Everything that can go wrong with an upstream ends here as an outcome of the
visit, is stored with its address and remedy, and delays that upstream only.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Protocol

import msgspec
from msgspec import structs

from monitor.errors import FetchError, MonitorError, ReadError, UsageError
from monitor.formats.text import unread
from monitor.model import (
    Cursor,
    Finding,
    Ignored,
    Mention,
    Outcome,
    Partial,
    Release,
    Renamed,
    Reply,
    Request,
    Unread,
)
from monitor.plausible import Gate
from monitor.protocols import Reader, Transport
from monitor.schedule import next_visit, project_interval
from monitor.sources import Source, Wanted
from monitor.store import bulk, staging
from monitor.store.addresses import Answer
from monitor.store.appraise import EPOCH_ZERO, key_of
from monitor.store.due import Due
from monitor.store.record import (
    DENIALS,
    OvertakenError,
    PoisonedError,
    Result,
    Visit,
    record,
)
from monitor.store.writer import Writer
from providers import Row
from spiders.address import without_secrets
from spiders.thrifty import fresh
from spiders.walk import blaming, lots

Told = list[Row] | Cursor
"""What an index tells in bulk: rows, and once its cursor."""

BATCH = 5000
"""Findings of an index that are staged together."""

QUICK = 200
"""Findings that are written within a few milliseconds."""

QUICK_PROJECTS = 5
"""The same of projects that we know: each that has news is judged anew, with all its versions."""

SMALL = 64 * 1024
"""Bytes of an answer that is read at once: a thread for it would cost more."""

MISNAMED = "is that its name? It may have moved: correct packages.toml, or `monitor unwatch` it"
"""What to do about a watched project that its upstream does not have."""

OVERTAKEN = "somebody else asked the same meanwhile; what this visit brought was left to theirs"

MOST_POISONED = 10
"""Projects of one visit that cannot be stored; of more, the visit as a whole is to blame."""

BAD_SHARE = 0.01
"""More unreadable entries than this, and the answer as a whole is not to be trusted (B05)."""


class Transports(Protocol):
    """The transport on behalf of a source. With the time of the last answer it asks conditionally;
    without, it brings every body."""

    def __call__(self, source: Source, answered: int | None, /) -> Transport: ...


class Rests:
    """Sources whose server wants no more for now: their projects need not be tried one by one.

    When the time is over, one project is asked, then two, then four: a quota that is spread over
    an hour has room for one at a time, and hundreds that ask in vain would each be a failure.
    """

    FULL = 64
    """Projects at a time from which on a source counts as recovered."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}
        self._most: dict[str, int] = {}

    def refused(self, due: Due, until: int) -> None:
        """A visit was throttled. One that is called by its address speaks for its server only."""
        if due.project is not None and "://" not in due.project:
            self._until[due.source] = max(until, self._until.get(due.source, 0))
            self._most[due.source] = 1

    def answered(self, due: Due) -> None:
        """A visit came through."""
        if due.project is not None and (most := self._most.get(due.source)):
            self._most[due.source] = 2 * most
            if most >= self.FULL:
                del self._most[due.source], self._until[due.source]

    def most(self, at: int) -> dict[str, int]:
        """How many projects may be asked at a time, of sources where that is few; 0 while a rest
        lasts."""
        return {name: 0 if self._until[name] > at else most for name, most in self._most.items()}


@dataclass(slots=True)
class Crawler:
    """Makes visits for whoever runs it: the daemon, or one command.

    `trail` says which further addresses the last walk from an address led to,
    `now` is the clock, `dice` spreads what would otherwise come back together.
    """

    writer: Writer
    transport: Transports
    trail: Callable[[Source, str], list[str]]
    now: Callable[[], int]
    wanted: Wanted
    gate: Gate = field(default_factory=Gate)
    jitter: float = 0.1
    dice: Callable[[], float] = random.random
    rests: Rests = field(default_factory=Rests)
    indexing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def visit(self, source: Source, due: Due) -> Report:
        """Make one visit and record it. Raises only what is the machine's fault (StoreError)."""
        at = self.now()
        request, read, bulky = question(source, due)
        if due.doubt:
            request = fresh(request)  # past all caches: is it really so?
        visit = Visit(source, due.mechanism, at, Outcome.OK, None, due.project, lease=due.lease)
        try:
            result = await self._made(visit, due, request, read, bulky)
        except OvertakenError:
            visit.next, visit.remedy = None, None
            visit.error = f"{without_secrets(request.url)}: {OVERTAKEN}"
            result = Result(Outcome.RETRY)
        return Report(source, due, result, visit, self.now() - at)

    async def _made(
        self,
        visit: Visit,
        due: Due,
        request: Request,
        read: Reader,
        bulky: Callable[[Reply], Iterator[Told]] | None,
    ) -> Result:
        source = visit.source
        asked = _Asked(self.transport(source, None if request.tree else due.answered))
        try:
            # Nothing is known of a walk that never ended well.
            known = due.answered is not None and not request.tree
            if trail := self.trail(source, request.url) if known else []:
                if await self._rests(request, trail, asked):
                    self._conclude(visit, asked, due)
                    return await self.writer.write(lambda db: record(db, visit), quick=True)
                asked = _Asked(self.transport(source, None))
            if due.mechanism == "index":
                return await self._index(visit, asked, request, read, bulky, due)
            await self._collect(visit, lots(request, read, asked))
            self._conclude(visit, asked, due)
            self.rests.answered(due)
            return await self._write(
                visit,
                lambda db: record(db, visit, wanted=self.wanted, gate=self.gate),
                quick=_is_quick(visit, due),
            )
        except (FetchError, ReadError) as error:
            return await self._failed(visit, asked, due, error)
        except (MonitorError, OvertakenError):
            raise  # the machine's fault, or the operator's; or no fault at all
        except Exception as error:
            # What was read cannot be stored. It must be seen, and rest like any other failure.
            return await self._failed(visit, asked, due, _unstorable(request, error))

    async def _rests(self, first: Request, trail: list[str], asked: _Asked) -> bool:
        """Did none of the pages change that the last walk led to?

        A page that did not change comes without body, so its next page cannot be read out of it:
        all are asked whether they changed, and if one did, the walk is made anew in full.
        """
        for request in (first, *(structs.replace(first, url=url, further=True) for url in trail)):
            reply = await asked.fetch(request)
            reply.body.close()
            if not reply.unchanged:
                return False
        return True

    async def _write(
        self,
        visit: Visit,
        write: Callable[[sqlite3.Connection], Result],
        *,
        quick: bool,
        staged: bool = False,
    ) -> Result:
        """Record a visit, if need be without the few projects that cannot be stored (D10).

        `staged`: the stage of indexes is used, and not ours yet.
        """
        while True:
            if staged:
                async with self.indexing:
                    pass  # what is written from here on comes behind whoever had it
            try:
                return await self.writer.write(write, quick=quick)
            except PoisonedError as error:
                if len(visit.poisoned) > MOST_POISONED or error.project in visit.poisoned:
                    raise
                visit.poisoned[error.project] = f"cannot be stored: {error}"

    async def _collect(self, visit: Visit, found: AsyncIterator[Sequence[Finding]]) -> None:
        visit.complete = visit.mechanism == "versions"
        async for lot in found:
            for finding in lot:
                match finding:
                    case Release():
                        visit.releases.append(finding)
                    case Cursor(value):
                        visit.cursor = value
                    case Unread():
                        visit.unread.append(finding)
                    case Partial(reason):
                        visit.complete, visit.partial = False, reason
                    case Ignored(raw):
                        visit.ignored.append(raw)
                    case Renamed(_, name):
                        visit.renamed = name
                    case Mention(project) if visit.mechanism == "feed":
                        visit.mentions.append(project)
                    case Mention(project):
                        raise ReadError(
                            project, f"a {visit.mechanism} only mentions it", "mend the provider"
                        )
        if visit.unread and len(visit.unread) > BAD_SHARE * len(visit.releases) + 3:
            letter = visit.unread[0]
            raise ReadError(
                visit.source.name,
                f"{len(visit.unread)} entries cannot be read, the first: {letter.reason}",
                "the upstream changed its shape: mend the provider",
            )

    async def _index(
        self,
        visit: Visit,
        asked: _Asked,
        request: Request,
        read: Reader,
        bulky: Callable[[Reply], Iterator[Told]] | None,
        due: Due,
    ) -> Result:
        """Walk an index, stage it in batches so that it never stands in memory whole, apply it.

        The stage belongs to one walk at a time. A walk of one batch needs it only
        for the moment of its write, and waits for nobody but a larger one.
        """
        visit.complete = True
        stager = _Stager(visit)
        try:
            if bulky is not None:
                await self._stage_in_bulk(stager, request, asked, bulky)
            else:
                await self._stage(stager, visit, lots(request, read, asked))
            if len(visit.unread) > BAD_SHARE * stager.count + 3:
                raise ReadError(
                    visit.source.name,
                    f"{len(visit.unread)} of {stager.count} entries cannot be read",
                    "the upstream changed its shape: mend the provider",
                )
            self._conclude(visit, asked, due)
            last, begun = stager.take(), stager.begun

            def apply(db: sqlite3.Connection) -> Result:
                return bulk.apply(db, visit, last, begun=begun, wanted=self.wanted, gate=self.gate)

            quick = stager.count <= QUICK
            return await self._write(visit, apply, quick=quick, staged=not begun)
        finally:
            if stager.holds:
                self.indexing.release()

    async def _stage(
        self, stager: _Stager, visit: Visit, found: AsyncIterator[Sequence[Finding]]
    ) -> None:
        async for lot in found:
            for finding in stager.add(lot):
                match finding:
                    case Unread():
                        visit.unread.append(finding)
                    case Partial():
                        visit.complete = False
                    case Cursor(value):
                        visit.cursor = value
            if stager.full:
                await self._write_batch(stager)

    async def _stage_in_bulk(
        self,
        stager: _Stager,
        request: Request,
        asked: _Asked,
        bulky: Callable[[Reply], Iterator[Told]],
    ) -> None:
        """As above, for an index that one answer settles; a large one is read in a thread."""
        reply = await asked.fetch(request)
        if reply.unchanged:
            return
        with blaming(request, reply):
            batches = bulky(reply)
            if reply.size <= SMALL:
                while stager.add_some(batches):
                    pass
                return
            while await asyncio.to_thread(stager.add_some, batches):
                if stager.full:
                    await self._write_batch(stager)

    async def _write_batch(self, stager: _Stager) -> None:
        if not stager.holds:
            await self.indexing.acquire()
            stager.holds = True
        first, batch = not stager.begun, stager.take()
        stager.begun = True

        def stage(db: sqlite3.Connection) -> None:
            if first:
                staging.begin(db)
            staging.stage(db, batch)

        await self.writer.write(stage)

    def _conclude(self, visit: Visit, asked: _Asked, due: Due) -> None:
        """An answer came: what it was worth, and when to ask again."""
        visit.answers = asked.answers
        if asked.answers and asked.changed == 0:
            visit.outcome = Outcome.UNCHANGED
        visit.next = self._next(visit.source, due, visit.outcome, visit.at, 0, None)
        doubts = due.fails + 1 if due.doubt else 1
        # Of the visit itself it must know nothing: a circle would keep all that was found.
        visit.confirm = partial(
            self._next, visit.source, due, Outcome.SUSPECT, visit.at, doubts, None
        )

    async def _failed(
        self, visit: Visit, asked: _Asked, due: Due, error: FetchError | ReadError
    ) -> Result:
        retry_after = None
        visit.outcome = Outcome.INVALID
        if isinstance(error, FetchError):
            visit.outcome, retry_after = error.outcome, error.retry_after
            if error.outcome is Outcome.THROTTLED:
                self.rests.refused(due, visit.at + round(retry_after or 60))
            else:
                self.rests.answered(due)
        visit.releases, visit.answers, visit.cursor = [], asked.answers, None
        visit.error, visit.remedy = f"{error.where}: {error.what}", error.remedy
        if isinstance(error, FetchError) and error.status and not error.remedy:
            visit.remedy = _remedy_of(visit)
        if visit.outcome is Outcome.GONE and due.watched:
            visit.remedy = visit.remedy or MISNAMED
        visit.next = self._next(
            visit.source, due, visit.outcome, visit.at, due.fails + 1, retry_after
        )
        return await self.writer.write(lambda db: record(db, visit), quick=True)

    def _next(
        self,
        source: Source,
        due: Due,
        outcome: Outcome,
        at: int,
        fails: int,
        retry_after: float | None,
    ) -> int | None:
        if due.project is None:
            every = source.every(due.mechanism)
        elif not due.watched and (
            outcome in (Outcome.OK, Outcome.UNCHANGED)
            or (outcome is Outcome.GONE and due.fails > DENIALS)
        ):
            return None  # its source announces it
        elif source.mechanisms:
            every = source.longest  # announced as well; this only catches what was lost
        else:
            every = project_interval(
                at, due.changed, shortest=source.shortest, longest=source.longest
            )
        return next_visit(
            outcome,
            at,
            every,
            fails=fails,
            retry_after=retry_after,
            dice=self.dice(),
            jitter=self.jitter,
        )


class Report(msgspec.Struct, frozen=True):
    """What a visit came to, for the log, the progress bar and the exit code."""

    source: Source
    due: Due
    result: Result
    visit: Visit
    seconds: int


def question(
    source: Source, due: Due
) -> tuple[Request, Reader, Callable[[Reply], Iterator[Told]] | None]:
    """The request of a visit, and who reads its answer. Raises UsageError: no such question."""
    mechanism = getattr(source.provider, due.mechanism)
    if mechanism is None:
        raise UsageError(
            source.name,
            f"its provider {source.provider.name} has no {due.mechanism}",
            "`monitor providers` shows what each can answer",
        )
    if due.mechanism == "feed":
        request = mechanism.since(due.cursor)
    elif due.mechanism == "index":
        request = mechanism.all()
    else:
        request = mechanism.of(due.project or "")
    return request, _readable(mechanism.read), getattr(mechanism, "bulk", None)


def _is_quick(visit: Visit, due: Due) -> bool:
    """May it be written in the loop? A feed that is looked at for the first time judges nothing."""
    judged = {one.project for one in visit.releases} if due.answered is not None else ()
    return len(visit.releases) <= QUICK and len(judged) <= QUICK_PROJECTS


def _remedy_of(visit: Visit) -> str | None:
    """What to do where an upstream no longer takes a question of ours (fault D16)."""
    name = visit.source.provider.name
    if visit.outcome is Outcome.INVALID:
        return f"its interface may have changed: then the provider {name} must be mended"
    if visit.outcome is Outcome.GONE and visit.project is None:
        return f"has this part of its interface been removed? Then mend the provider {name}"
    return None


class _Asked:
    """Passes requests on and remembers what the addresses said of themselves."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.answers: list[Answer] = []
        self.changed = 0

    async def fetch(self, request: Request) -> Reply:
        reply = await self._transport.fetch(request)
        self.changed += not reply.unchanged
        self.answers.append(answer_of(request, reply))
        return reply


def _unstorable(request: Request, error: Exception) -> ReadError:
    return ReadError(
        without_secrets(request.url),
        f"what it says cannot be stored: {type(error).__name__}: {error}",
        "keep the answer with `monitor record` and report it: this is a fault of ours",
    )


def answer_of(request: Request, reply: Reply) -> Answer:
    """What is worth remembering of a reply."""
    digest = reply.digest.removeprefix("sha256:") if reply.digest else None
    return Answer(
        request.url,
        reply.headers.get("etag"),
        reply.headers.get("last-modified"),
        bytes.fromhex(digest) if digest else None,
        whole=not reply.unchanged,
        moved=reply.headers.get(":moved"),
        identity=reply.headers.get(":identity", ""),
        part=request.part is not None,
    )


def _readable(read: Reader) -> Reader:
    """An answer that did not change has no body: there is nothing to read."""
    return lambda reply: iter(()) if reply.unchanged else read(reply)


class _Stager:
    """Turns findings into rows. Projects are numbered, so that a name is staged once."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self._purl = visit.source.namer()
        rules = visit.source.rules
        self._key = key_of(rules.scheme or visit.source.provider.ordering, rules)
        self._numbers: dict[str, int] = {}  # by purl, and by name
        self._last = 0
        self.begun = False
        self.holds = False  # the stage, until the walk is applied
        self._named: list[staging.Named] = []
        self._staged: list[staging.Staged] = []
        self._bare: list[staging.Bare] = []
        self.count = 0

    @cached_property
    def _known_keys(self) -> Callable[[str], bytes]:
        return lru_cache(8192)(self._key)  # many projects have a 1.0

    def add(self, lot: Sequence[Finding]) -> list[Finding]:
        """Add what can be staged of it; returns the rest."""
        others: list[Finding] = []
        stage, key, known = self._staged.extend, self._key, self._numbers.get
        left = iter(lot)
        while True:
            try:
                for finding in left:
                    if isinstance(finding, Release):
                        number = known(finding.project) or self._number(finding.project)
                        stage(staging.rows_of(number, finding, key(finding.version)))
                    elif isinstance(finding, Mention):
                        self._mention(finding.project, finding.revision)
                    else:
                        others.append(finding)
            except Exception as error:  # of one finding, which is behind us
                assert isinstance(finding, Release | Mention)
                what = f"{finding.project} {getattr(finding, 'version', '')}"
                self._leave_out(what.strip(), error)
            else:
                self.count += len(lot) - len(others)
                return others

    def add_rows(self, rows: list[Row]) -> None:
        """The same, for what an index tells in bulk."""
        self.count += len(rows)
        bare, key, known = self._bare, self._known_keys, self._numbers.get
        mention, purl = self._named.append, self._purl
        left = iter(rows)
        while True:
            try:
                for project, version, published, revision, page in left:
                    if version is None:  # as `_mention`, of which there are a million
                        self._last += 1
                        mention((self._last, purl(project), project, revision))
                    else:
                        number = known(project) or self._number(project)
                        bare.append((number, version, EPOCH_ZERO + key(version), published, page))
            except Exception as error:  # of one row, which is behind us
                self._leave_out(f"{project} {version or ''}".strip(), error)
            else:
                return

    def _leave_out(self, what: str, error: Exception) -> None:
        """One entry that cannot be stored keeps no other from it (fault D10)."""
        reason = f"cannot be stored: {type(error).__name__}: {error}"
        self.visit.unread.append(unread(what, reason))

    def add_some(self, batches: Iterator[Told]) -> bool:
        """The next lot of rows; False where there is none."""
        for rows in batches:
            if isinstance(rows, Cursor):
                self.visit.cursor = rows.value
                continue
            self.add_rows(rows)
            return True
        return False

    def _mention(self, project: str, revision: str | None) -> None:
        """A name alone. Nothing refers to its row, so it need not be remembered."""
        self._last += 1
        self._named.append((self._last, self._purl(project), project, revision))

    def _number(self, project: str) -> int:
        number = self._numbers.get(project)
        if number is None:
            purl = self._purl(project)
            number = self._numbers.get(purl)
            if number is None:
                self._last += 1
                number = self._numbers[purl] = self._last
                self._named.append((number, purl, project, None))
            self._numbers[project] = number
        return number

    @property
    def full(self) -> bool:
        return len(self._named) + len(self._staged) + len(self._bare) >= BATCH

    def take(self) -> staging.Batch:
        """What has gathered."""
        batch = staging.Batch(self._named, self._staged, self._bare)
        self._named, self._staged, self._bare = [], [], []
        return batch
