"""`monitor poll`: one round of visits, stored."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import UPSTREAM, App
from monitor.cli.completion import of_sources
from monitor.cli.render import as_json, clean, complaint, iso, print_json, several, width

if TYPE_CHECKING:
    import sqlite3

    from monitor.crawl import Crawler, Report
    from monitor.sources import Source
    from monitor.store.due import Due
    from monitor.store.writer import Writer

GOOD = ("ok", "unchanged")

BITE = 1000
"""Projects that are claimed at once."""


@click.command()
@click.argument("source", nargs=-1, shell_complete=of_sources)
@click.option("--json", "json", is_flag=True, help="Print one JSON object per visit.")
@click.option("--quiet", is_flag=True, help="Say only what failed.")
@click.pass_context
def poll(ctx: click.Context, source: tuple[str, ...], json: bool, quiet: bool) -> None:
    """Visit these sources once (or all), and their projects that are watched.

    Where a daemon runs, it is told that they are due, and does it at its pace.
    Ctrl-C at any moment leaves everything whole: what was visited is stored,
    the rest is due as before. Exit code 3 where an upstream failed.
    """
    app: App = ctx.obj
    from monitor.acts import call, known_sources
    from monitor.cli.byhand import quiet as silence

    silence()
    chosen = known_sources(app.runtime, list(source))
    ran, told = call(app.runtime.socket, "poll", {"sources": list(source)})
    if ran:
        said = f"the daemon has been told: {several(told['due'], 'visit')} due"
        click.echo(as_json(told) if json else said)
        return
    one = Round(app, [app.runtime.sources[name] for name in chosen])
    reports = asyncio.run(one.run(json=json, quiet=quiet or json))
    failed = [report for report in reports if report.result.outcome.value not in GOOD]
    if not json:
        released = sum(report.result.released for report in reports)
        told = f"{several(len(reports), 'visit')}, {several(released, 'release')}"
        mine = f" ({one.watched} of what you watch)" if one.watched < released else ""
        if not quiet:
            click.echo(f"{told}{mine}, {len(failed)} failed")
        _complain(failed)
        _tell_left(one.left)
    ctx.exit(UPSTREAM if failed else 0)


class Round:
    """Everything that is due of these sources, once it has been said that it is."""

    def __init__(self, app: App, chosen: list[Source]) -> None:
        self.app = app
        self.names = [source.name for source in chosen]
        self.reports: list[Report] = []
        self.watched = 0  # releases of projects that are watched
        self.left: Counter[str] = Counter()  # projects that were not asked, by source
        self._met: set[tuple[str, str, str | None]] = set()

    async def run(self, *, json: bool, quiet: bool) -> list[Report]:
        from monitor import publish
        from monitor.acts import ACTS
        from monitor.asking import crawling
        from monitor.daemon import now
        from monitor.inquiries import inquire
        from monitor.model import Kind
        from monitor.store import epoch, events, open_reader
        from monitor.store.lock import lock
        from monitor.store.writer import Writer

        app, runtime = self.app, self.app.runtime
        with lock(app.state), contextlib.closing(Writer(app.state)) as writer:
            known = await self._begin(writer, now())
            with contextlib.closing(open_reader(app.state)) as reader:
                before = events.head(reader)
                async with crawling(runtime, writer, reader, now) as crawler:
                    with _progress(quiet, known) as bar:
                        visits = self._visits(writer, crawler, bar)
                        async with contextlib.aclosing(visits):
                            async for report in visits:
                                if json:
                                    print_json([_json(report)])
                    self.left = self._waiting(reader, crawler)
                    step = publish.advance if app.settings.queue.enabled else publish.inquire
                    await writer.write(lambda db: step(db, runtime.context, now()))
                    numbered, paced = runtime.context.sources, app.settings.network.pace > 0
                    await inquire(writer, crawler.transport, numbered, now, paced=paced)
                mine = events.of_watched(reader)
                self.watched = sum(
                    event.kind is Kind.RELEASED and mine(event)
                    for event in events.follow(reader, before)
                )
                if app.settings.queue.enabled:
                    await writer.write(lambda db: publish.advance(db, runtime.context, now()))
                    await writer.write(lambda db: ACTS["queue.reconcile"](db, runtime, now()))
                if app.settings.feed.enabled:
                    seal, _ = publish.seal_of(runtime.state, app.settings.feed)
                    publish.write_feed(
                        reader, epoch(reader), runtime.feed_folder, app.settings.feed,
                        at=now(), seal=seal,
                    )  # fmt: skip
        return self.reports

    async def _begin(self, writer: Writer, at: int) -> int:
        """Everything is due now; returns how much that is."""
        from monitor.acts import ACTS
        from monitor.store import due

        runtime = self.app.runtime
        given = list(runtime.sources.values())
        await writer.write(lambda db: due.void_leases(db, at))  # of a round that was ended by force
        runtime.numbered(await writer.write(lambda db: due.enlist(db, given, at)))
        problems = await writer.write(lambda db: runtime.sync_packages(db, at))
        for problem in problems:
            complaint(problem)
        told = await writer.write(lambda db: ACTS["poll"](db, runtime, at, sources=self.names))
        return int(told["due"])

    def _waiting(self, reader: sqlite3.Connection, crawler: Crawler) -> Counter[str]:
        """How many projects are still due of sources whose servers want no more for now."""
        from monitor.store import due

        at, sources = _now(), self.app.runtime.sources
        resting = [sources[name] for name in crawler.rests.most(at) if name in self.names]
        return +Counter({one.name: due.waiting(reader, one, at) for one in resting})

    async def _visits(self, writer: Writer, crawler: Crawler, bar: Bar) -> AsyncGenerator[Report]:
        """Visit in rounds: what one brings to light is visited in the next, and nothing twice."""
        from monitor.errors import StoreError
        from monitor.store import due

        room = asyncio.Semaphore(self.app.settings.schedule.visits)
        sources = self.app.runtime.sources

        async def visit(one: Due) -> Report | None:
            async with room:
                if one.project is not None and crawler.rests.most(_now()).get(one.source) == 0:
                    left.append(one)  # it would be refused like those before it
                    return None
                report = await crawler.visit(sources[one.source], one)
            self.reports.append(report)
            bar(report, 0)
            return report

        while claimed := await self._claim(writer, crawler):
            left: list[Due] = []
            bar(None, len(claimed))
            tasks = [asyncio.create_task(visit(one)) for one in claimed]
            try:
                for done in asyncio.as_completed(tasks):
                    if (report := await done) is not None:
                        yield report
                if left:
                    at = _now()
                    await writer.write(partial(due.release_claims, dues=left, at=at))
            except BaseException:
                # Ctrl-C, or a full disk: what is under way is abandoned whole, and due again.
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                with contextlib.suppress(StoreError):
                    at = _now()
                    await writer.write(partial(due.release_claims, dues=claimed, at=at))
                raise

    async def _claim(self, writer: Writer, crawler: Crawler) -> list[Due]:
        """What is due and was not visited in this round yet."""
        from monitor.store import due

        chosen = [self.app.runtime.sources[name] for name in self.names]
        at = _now()
        claimed = await writer.write(lambda db: due.claim_questions(db, chosen, at))
        most = crawler.rests.most(at)
        claimed += await writer.write(
            lambda db: due.claim_projects(db, chosen, at, BITE, most=most)
        )
        fresh = [one for one in claimed if _name(one) not in self._met]
        again = [one for one in claimed if _name(one) in self._met]
        if again:
            await writer.write(partial(due.release_claims, dues=again, at=at))
        self._met.update(_name(one) for one in fresh)
        return fresh


Bar = Callable[["Report | None", int], None]


def _name(one: Due) -> tuple[str, str, str | None]:
    return one.source, one.mechanism, one.project


def _now() -> int:
    from monitor.daemon import now

    return now()


@contextlib.contextmanager
def _progress(quiet: bool, known: int) -> Iterator[Bar]:
    """A bar of the visits made, out of those that are `known` to be due, and what they lead to."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda report, more: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    room = max(10, (width() or 80) - 50)
    with Progress(
        TextColumn("visits"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[last]}", markup=False),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("", total=known, last="")
        counts = {"claimed": 0, "failed": 0}

        def step(report: Report | None, more: int) -> None:
            counts["claimed"] += more
            if report is None:
                progress.update(task, total=max(known, counts["claimed"]))
                return
            counts["failed"] += report.result.outcome.value not in GOOD
            bad = f"{counts['failed']} failed, " if counts["failed"] else ""
            what = f"{report.source.name} {report.due.project or report.due.mechanism}"
            progress.update(task, advance=1, last=(bad + clean(what))[:room])

        yield step


def _complain(failed: list[Report]) -> None:
    """Why visits failed; many that failed alike are told once."""
    from monitor.errors import MonitorError

    alike: dict[tuple[str, str, str | None], list[Report]] = {}
    for report in failed:
        visit = report.visit
        gist = (report.source.name, report.result.outcome.value, visit.remedy)
        alike.setdefault(gist, []).append(report)
    for (name, outcome, remedy), reports in alike.items():
        report = reports[0]
        where = f"{name} {report.due.project or report.due.mechanism}"
        more = f" (and {len(reports) - 1} more alike)" if len(reports) > 1 else ""
        what = report.result.doubt or report.visit.error or outcome
        complaint(MonitorError(where, f"{outcome}: {what}{more}", remedy))


def _tell_left(left: Counter[str]) -> None:
    """Projects that would have been refused like others of their source."""
    from monitor.errors import MonitorError

    for name, count in left.items():
        what = f"{several(count, 'more project')} there were not asked, and stay due"
        complaint(MonitorError(name, what, "`monitor run` asks them as fast as its quota allows"))


def _json(report: Report) -> dict[str, Any]:
    return {
        "source": report.source.name,
        "mechanism": report.due.mechanism,
        "project": report.due.project,
        "outcome": report.result.outcome.value,
        "added": report.result.added,
        "released": report.result.released,
        "error": report.result.doubt or report.visit.error,
        "remedy": report.visit.remedy,
        "next": iso(report.visit.next),
    }
