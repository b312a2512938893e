"""The loop around visits and outputs: signals, control socket, watchdog, graceful end.

apscheduler runs the few global jobs. Which source and which project is asked
next is a column in the store, claimed here in small bites.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from monitor import publish, sd
from monitor.acts import ACTS, LONGEST, answer
from monitor.asking import crawling
from monitor.crawl import Crawler, Report
from monitor.errors import MonitorError, SettingsError, StoreError, UsageError
from monitor.logs import set_up
from monitor.model import Outcome
from monitor.outputs import build_queue, json_feed
from monitor.outputs.seal import Seal
from monitor.runtime import Runtime
from monitor.settings import Settings
from monitor.store import due, epoch, events, open_reader
from monitor.store.backup import daily
from monitor.store.lock import lock
from monitor.store.writer import Writer
from monitor.unix import reachable

Reload = Callable[[], Runtime]

BUSY = (Outcome.OK, Outcome.UNCHANGED)

RECONCILE = 600
"""Seconds between looks at what people and make did in the queue's folders."""

CALLERS = 1000
"""Commands that may wait at the control socket until we have a moment for them."""

ROOM = 5
"""Seconds between attempts to go on where the disk was full."""


def now() -> int:
    """Whole seconds since 1970."""
    return int(time.time())


async def run(runtime: Runtime, reload: Reload, *, until: Callable[[], bool] | None = None) -> None:
    """Run until SIGTERM or SIGINT. Raises StoreError or SettingsError where it cannot start.

    `reload` reads the settings anew (SIGHUP); `until` ends it as well, for tests.
    """
    with lock(runtime.state):
        await Daemon(runtime, reload, until).run()


class Clock:
    """Notices when the wall clock is set: times that are due move with it (fault H13)."""

    LEAST = 30
    """Seconds; less is the usual discipline of a clock."""

    def __init__(self) -> None:
        self._offset = self._measure()

    def jumped(self) -> int:
        """By how many seconds the clock was set since the last question; 0 where it was not."""
        offset = self._measure()
        jump = round(offset - self._offset)
        if abs(jump) < self.LEAST:
            return 0
        self._offset = offset
        return jump

    @staticmethod
    def _measure() -> float:
        # The time since boot, sleep included: a machine that slept was not set.
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass
class Daemon:
    """One running daemon. Nothing in it is worth keeping: all state is in the store."""

    runtime: Runtime
    reload: Reload
    until: Callable[[], bool] | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    visits: dict[asyncio.Task[None], due.Due] = field(default_factory=dict)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    background: set[asyncio.Future[Any]] = field(default_factory=set)
    stranded: list[due.Due] = field(default_factory=list)  # visits that could not be recorded
    visited: int = 0
    hungry: bool = False  # the last sweep found more than there was room for
    stuck_until: float = 0.0
    trouble: StoreError | None = None  # what has kept us from writing since the last beat
    fatal: StoreError | None = None  # why we end although nobody told us to
    publishing: asyncio.Lock = field(default_factory=asyncio.Lock)
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)
    inquiring: set[int] = field(default_factory=set)  # sources that are asked of their releases
    inquiries: set[asyncio.Future[Any]] = field(default_factory=set)
    clock: Clock = field(default_factory=Clock)
    published: int = -1  # the log's head when the outputs were last brought up to it
    issue_at: int = 0  # when the feed's head is issued anew, whatever happens
    seal: Seal | None = None

    async def run(self) -> None:
        set_up(self.runtime.settings.log)
        self.log = structlog.get_logger()
        self.writer = Writer(self.runtime.state)
        try:
            await self._start()
            self.crawler, self.way = await self._open(self.runtime)
            try:
                await self._serve()
            finally:
                if self.background:  # older ways are closed
                    await asyncio.wait(list(self.background), timeout=5)
                await self.way.aclose()
            if self.fatal is not None:
                raise self.fatal
        finally:
            self.writer.close()
            for name in ("reader", "outlet"):
                if connection := getattr(self, name, None):
                    connection.close()

    async def _start(self) -> None:
        at = now()
        sources = list(self.runtime.sources.values())
        await self.writer.write(lambda db: due.void_leases(db, at))
        self.runtime.numbered(await self.writer.write(lambda db: due.enlist(db, sources, at)))
        await self._sync()
        self.reader = open_reader(self.runtime.state)
        self.outlet = open_reader(self.runtime.state)  # the outputs read in a thread of their own
        for name in due.idle(self.reader, list(self.runtime.sources.values())):
            self.log.info("nothing to ask", source=name, hint=f"monitor watch {name}/PROJECT")
        self.epoch = epoch(self.reader)
        self.seal = self._find_seal()
        self.database = self._find_database()
        if self.runtime.settings.queue.enabled:
            build_queue.prepare(self.runtime.queue_folder)

    async def _sync(self) -> None:
        at = now()
        for problem in await self.writer.write(lambda db: self.runtime.sync_packages(db, at)):
            self.log.warning("package cannot be watched", problem=str(problem))

    async def _open(self, runtime: Runtime) -> tuple[Crawler, contextlib.AsyncExitStack]:
        """A crawler by these settings, and what closes its connections. Raises SettingsError."""
        way = contextlib.AsyncExitStack()
        crawler = await way.enter_async_context(crawling(runtime, self.writer, self.reader, now))
        return crawler, way

    async def _serve(self) -> None:
        server = await self._listen()
        self._catch_signals()
        scheduler = AsyncIOScheduler(timezone="UTC")
        settings = self.runtime.settings
        for job, seconds in (
            (self._sweep, settings.schedule.sweep),
            (self._publish, settings.schedule.sweep),
            (self._fetch_digests, settings.schedule.sweep),
            (self._begin_inquiry, settings.schedule.sweep),
            (self._notify, settings.schedule.sweep),
            (self._beat, min(sd.watchdog_seconds() or 60, settings.daemon.watchdog) / 3),
            (self._reconcile, RECONCILE),
            (self._keep_house, 3600),
        ):
            scheduler.add_job(
                self._guarded(job), "interval", seconds=seconds, max_instances=1, coalesce=True,
                misfire_grace_time=None, id=job.__name__,
            )  # fmt: skip
        scheduler.start()
        await self._publish()
        sd.notify("READY=1", f"STATUS=watching {len(self.runtime.sources)} sources")
        if not (settings.network.contact or settings.network.gateway or settings.network.replay):
            self.log.warning(
                "no contact is set: public servers are not asked",
                remedy='monitor.toml: [network] contact = "mailto:you@your.example"',
            )
        self.log.info("ready", sources=len(self.runtime.sources), state=str(self.runtime.state))
        try:
            await self._until_stopped()
        finally:
            sd.notify("STOPPING=1")
            scheduler.pause()
            server.close()
            await self._finish()
            scheduler.shutdown(wait=False)
            with contextlib.suppress(OSError):
                self.runtime.socket.unlink()

    async def _until_stopped(self) -> None:
        """Sweep at once whenever a visit has made something due."""
        while not self.stopping.is_set():
            waiting = [asyncio.create_task(event.wait()) for event in (self.stopping, self.more)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            if self.more.is_set() and not self.stopping.is_set():
                self.more.clear()
                await self._guarded(self._sweep)()
                await self._guarded(self._publish)()
                await self._begin_inquiry()

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._guarded(self._reload)()))

    def _stop(self) -> None:
        if self.stopping.is_set():  # asked twice: at once
            for task in self.visits:
                task.cancel()
        self.stopping.set()

    def _spawn(self, work: Awaitable[Any]) -> asyncio.Future[Any]:
        task = asyncio.ensure_future(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)
        return task

    def _guarded(self, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """A global job that goes wrong is told, and tried again at its next turn."""

        async def guarded() -> None:
            try:
                await job()
            except asyncio.CancelledError:
                if not self.stopping.is_set():
                    raise
            except MonitorError as error:
                self._tell_error(error, job=job.__name__)
                if isinstance(error, StoreError):
                    self.stuck_until = time.monotonic() + ROOM
            except Exception:
                self.log.exception("failed", job=job.__name__)

        return guarded

    def _tell_error(self, error: MonitorError, **whose: str) -> None:
        self.log.error(
            "cannot go on", **whose, where=error.where, what=error.what, remedy=error.remedy
        )
        if isinstance(error, StoreError):
            self.trouble = error
            sd.notify(f"STATUS={error.what}: {error.remedy or 'see the log'}")

    # ── visits ────────────────────────────────────────────────────────────────────────

    async def _sweep(self) -> None:
        """Claim what is due, as much as there is room for."""
        await self._mind_clock()
        if self.until and self.until():
            self.stopping.set()
        room = self.runtime.settings.schedule.visits - len(self.visits)
        if room <= 0 or self.stopping.is_set() or time.monotonic() < self.stuck_until:
            return
        sources, at = list(self.runtime.sources.values()), now()
        if not sources:
            return
        if left := self.stranded:
            self.stranded = []  # others may be stranded while we write
            try:
                await self.writer.write(lambda db: due.release_claims(db, left, at))
            except BaseException:
                self.stranded += left
                raise
        under_way, most = list(self.visits.values()), self.crawler.rests.most(at)
        claimed = await self.writer.write(
            lambda db: due.claim(db, sources, at, room, under_way, most=most)
        )
        self.hungry = len(claimed) >= room
        for one in claimed:
            source = self.runtime.sources.get(one.source)
            if source is None:
                continue
            if one.project is None and one.mechanism not in source.mechanisms:
                continue  # its settings ask less of it than before
            task = asyncio.create_task(self._visit(one))
            self.visits[task] = one
            task.add_done_callback(self._visited)

    def _visited(self, task: asyncio.Task[None]) -> None:
        one = self.visits.pop(task)
        if not task.cancelled() and (error := task.exception()):
            self.log.error("visit failed", source=one.source, error=str(error))
            self.stranded.append(one)
            if isinstance(error, StoreError):
                self.trouble = error
                self.stuck_until = time.monotonic() + ROOM

    async def _visit(self, one: due.Due) -> None:
        started = time.monotonic()
        report = await self.crawler.visit(self.runtime.sources[one.source], one)
        self.visited += 1
        self._tell(report, time.monotonic() - started)
        more_waits = self.hungry and 2 * len(self.visits) <= self.runtime.settings.schedule.visits
        if more_waits or report.result.events or report.result.ask or report.result.woken:
            self.more.set()

    def _tell(self, report: Report, seconds: float) -> None:
        """One line for each visit."""
        result, visit = report.result, report.visit
        facts: dict[str, Any] = {
            "source": report.source.name,
            "mechanism": report.due.mechanism,
            "outcome": result.outcome.value,
            "seconds": round(seconds, 3),
        }
        if report.due.project:
            facts["project"] = report.due.project
        if result.added:
            facts["added"] = result.added
        if result.released:
            facts["released"] = result.released
        if visit.next is not None:
            facts["next"] = max(0, visit.next - now())
        if result.outcome in BUSY:
            self.log.info("visit", **facts)
            return
        error = result.doubt or visit.error or ""
        remedy = {"remedy": visit.remedy} if visit.remedy and not result.doubt else {}
        self.log.warning("visit", **facts, error=error, **remedy)

    # ── outputs ───────────────────────────────────────────────────────────────────────

    async def _publish(self) -> None:
        """Policy, queue folders, feed: each as far as the log has come."""
        await self._mind_clock()
        at, context, settings = now(), self.runtime.context, self.runtime.settings
        step = publish.advance if settings.queue.enabled else publish.inquire
        await self.writer.write(lambda db: step(db, context, at))
        head = events.head(self.reader)
        there = not settings.feed.enabled or (self.runtime.feed_folder / "feed.json").exists()
        if head == self.published and at < self.issue_at and there:
            return
        outputs = (("queue", settings.queue.enabled, self._write_queue),
                   ("feed", settings.feed.enabled, self._write_feed))  # fmt: skip
        async with self.publishing:
            whole = True
            for name, enabled, write in outputs:
                try:
                    if enabled:
                        await write()
                except StoreError as error:  # of its folder: no reason to stop asking, or the other
                    whole = False
                    self._tell_error(error, output=name)
            if whole:
                self.published = head
                self.issue_at = at + int(settings.feed.valid) // json_feed.ISSUES

    async def _write_feed(self) -> None:
        folder, settings = self.runtime.feed_folder, self.runtime.settings.feed
        await asyncio.to_thread(
            publish.write_feed, self.outlet, self.epoch, folder, settings,
            at=now(), seal=self.seal,
        )  # fmt: skip

    def _find_seal(self) -> Seal | None:
        """What signs the feed. Without it the feed is written all the same, and this is said."""
        settings = self.runtime.settings.feed
        if not settings.enabled:
            return None
        seal, why = publish.seal_of(self.runtime.state, settings)
        if why is not None:
            self.log.warning("the feed is not signed", error=why.what, remedy=why.remedy)
        return seal

    async def _write_queue(self) -> None:
        """What events touched; all of it when we begin (a crash may have come between store and
        folders), or where somebody took the folders away."""
        folder = self.runtime.queue_folder
        if self.published < 0 or not all((folder / place).is_dir() for place in build_queue.Place):
            await self._reconcile()
            return
        changed = publish.write_changed
        for name in await asyncio.to_thread(changed, self.outlet, folder, self.published):
            self.log.info("recipe", name=name)

    async def _reconcile(self) -> None:
        """Make the queue's folders what the store says, and take up what people and make did."""
        if self.runtime.settings.queue.enabled:
            act, at = ACTS["queue.reconcile"], now()
            done = await self.writer.write(lambda db: act(db, self.runtime, at))
            for what in ("written", "by_hand", "built", "explored", "failed"):
                for name in done[what]:
                    self.log.info("recipe", name=name, found=what)

    async def _fetch_digests(self) -> None:
        """Archives that are to be built and whose upstream tells no digest are read once."""
        if not self.runtime.settings.queue.enabled or self.stopping.is_set():
            return
        from monitor.digests import missing, take

        async with self.fetching:
            for file in await self.writer.write(lambda db: missing(db, now())):
                source = self.runtime.context.sources.get(file.source)
                if source is not None:
                    transport = self.crawler.transport(source, None)
                    await take(file, transport, self.writer, self.runtime, now())
                    self.more.set()

    async def _begin_inquiry(self) -> None:
        """Have new releases asked; nobody waits for a source that is slow to answer."""
        if not self.stopping.is_set():
            task = self._spawn(self._guarded(self._inquire)())
            self.inquiries.add(task)
            task.add_done_callback(self.inquiries.discard)

    async def _inquire(self) -> None:
        """New releases are asked once what they say of themselves."""
        from monitor.inquiries import inquire

        sources = self.runtime.context.sources
        paced = self.runtime.settings.network.pace > 0
        asking = self.crawler.transport
        if await inquire(self.writer, asking, sources, now, paced=paced, asking=self.inquiring):
            self.more.set()

    async def _notify(self) -> None:
        """Tell people, where the settings name any."""
        if self.runtime.settings.notify.urls:
            from monitor.notifying import tell

            await tell(self.writer, self.outlet, self.runtime.settings)

    async def _mind_clock(self) -> None:
        """Before anything is decided by it: what is to happen moves with a clock that was set."""
        if jump := self.clock.jumped():
            self.log.warning("the clock was set", by=jump)
            self.issue_at = 0  # the feed's head says until when it holds
            await self.writer.write(lambda db: due.shift(db, jump))

    async def _beat(self) -> None:
        """The watchdog is fed by a commit that reached the disk, and by nothing else (J01)."""
        await self._mind_clock()
        if self._find_database() != self.database:
            # What we write goes to a file that has no name any more, and would be lost with us.
            path = self.runtime.settings.state.database
            self.fatal = StoreError(
                str(path), "the database was taken away under us", "start again: it begins anew"
            )
            self._tell_error(self.fatal, job="_beat")
            self.stopping.set()
            return
        at = str(now())
        await self.writer.write(
            lambda db: db.execute("INSERT OR REPLACE INTO meta VALUES ('beat', ?)", (at,))
        )
        self.trouble = None
        sd.notify("WATCHDOG=1", f"STATUS={self.visited} visits, {len(self.visits)} under way")

    def _find_database(self) -> tuple[int, int] | None:
        """What stands under the database's name: device and inode."""
        try:
            found = self.runtime.settings.state.database.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    async def _keep_house(self) -> None:
        keep = self.runtime.settings.daemon.backup_keep
        await asyncio.to_thread(daily, self.reader, self.runtime.state, keep, now())

    async def _reload(self) -> None:
        """Take new settings; broken ones leave the old in force (fault H18)."""
        try:
            fresh = self.reload()
            if fresh.state != self.runtime.state:
                raise SettingsError("state.dir", f"is {fresh.state} now", "start the daemon anew")
            at, sources = now(), list(fresh.sources.values())
            fresh.numbered(await self.writer.write(lambda db: due.enlist(db, sources, at)))
            crawler, way = await self._open(fresh)
        except SettingsError as error:
            told = {"where": error.where, "what": error.what, "remedy": error.remedy}
            self.log.error("settings not taken", **told)
            return
        crawler.indexing = self.crawler.indexing  # walks under way go on with it
        former, self.crawler, self.way = self.way, crawler, way
        self._spawn(self._retire(former, [*self.visits, *self.inquiries]))
        before, self.runtime.settings = self.runtime.settings, fresh.settings
        self.runtime.sources = fresh.sources
        self.runtime.__dict__.pop("context", None)
        self.runtime.__dict__.pop("gate", None)
        await self._sync()
        # Whoever says so has mended something: a secret, a name server, what a remedy named.
        numbers = [source.id for source in self.runtime.sources.values()]
        await self.writer.write(lambda db: due.ask_refused(db, numbers, at))
        self.published = -1  # folders may lie elsewhere now
        with contextlib.suppress(StoreError):
            self.seal = self._find_seal()
        self.log.info("settings taken", sources=len(fresh.sources))
        if late := _needs_restart(before, fresh.settings):
            self.log.warning("some settings are taken at the next start only", settings=late)
        self.more.set()

    async def _retire(
        self, way: contextlib.AsyncExitStack, users: list[asyncio.Future[Any]]
    ) -> None:
        """Close the connections of former settings when whatever uses them has ended."""
        if users:
            await asyncio.wait(users)
        async with self.fetching:
            await way.aclose()

    # ── control socket ────────────────────────────────────────────────────────────────

    async def _listen(self) -> asyncio.AbstractServer:
        path = self.runtime.socket
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()  # we hold the lock, so nobody listens there
        try:
            with reachable(path) as name:
                server = await asyncio.start_unix_server(
                    self._answer, name, limit=LONGEST, backlog=CALLERS
                )
        except OSError as error:
            raise StoreError(
                str(path),
                f"the control socket cannot be made: {error.strerror or error}",
                "choose another path: [daemon] socket",
            ) from error
        path.chmod(0o660)
        return server

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await asyncio.wait_for(reader.readline(), 30)
            outcome = await self._act(line)
            writer.write(answer(outcome))
            await writer.drain()
        except (TimeoutError, OSError, ValueError):
            pass  # a caller that says nothing, or too much, or is gone
        finally:
            writer.close()

    async def _act(self, line: bytes) -> Any:
        try:
            asked = json.loads(line)
            name, arguments = asked["act"], dict(asked["arguments"])
            function = ACTS[name]
        except (ValueError, KeyError, TypeError, RecursionError):
            return UsageError("control socket", "no such act", "is this another version?")
        at = now()
        if name == "ping":
            return {"at": at, "trouble": self._trouble()}  # who asks this waits for no write
        try:
            outcome = await self.writer.write(
                lambda db: function(db, self.runtime, at, **arguments)
            )
        except MonitorError as error:
            return error
        except TypeError as error:
            return UsageError(name, str(error))
        except Exception as error:  # of the arguments: the act was undone whole
            what = f"{type(error).__name__}: {error}".encode("ascii", "backslashreplace").decode()
            self.log.error("act failed", act=name, error=what)
            return UsageError(name, what, "nothing was done; is an argument out of bounds?")
        if name.startswith("queue.") and name not in ("queue.take", "queue.renew"):
            await self._guarded(self._publish)()
        self.more.set()
        return outcome

    def _trouble(self) -> dict[str, str | None] | None:
        if self.trouble is None:
            return None
        return {name: getattr(self.trouble, name) for name in ("where", "what", "remedy")}

    # ── the end ───────────────────────────────────────────────────────────────────────

    async def _finish(self) -> None:
        """Let visits finish for a while; those that do not are abandoned whole, and due again."""
        if self.visits:
            await asyncio.wait(list(self.visits), timeout=self.runtime.settings.daemon.grace)
        left = dict(self.visits)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(list(left), timeout=5)
            at = now()
            with contextlib.suppress(StoreError):
                await self.writer.write(lambda db: due.release_claims(db, left.values(), at))
        if self.fatal is None:
            await self._guarded(self._publish)()
        self.log.info("stopped", visits=self.visited, abandoned=len(left))


def _needs_restart(old: Settings, new: Settings) -> list[str]:
    """What changed of the settings that are read when the daemon starts, and never after."""
    pairs = {
        "log": (old.log, new.log),
        "daemon.socket": (old.daemon.socket, new.daemon.socket),
        "daemon.watchdog": (old.daemon.watchdog, new.daemon.watchdog),
        "schedule.sweep": (old.schedule.sweep, new.schedule.sweep),
    }
    return [name for name, (before, after) in pairs.items() if before != after]
