"""`monitor poll`: one round of visits, stored."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import UPSTREAM, App
from monitor.cli.render import print_json

if TYPE_CHECKING:
    from monitor.crawl import Report


@click.command()
@click.argument("source", nargs=-1)
@click.option("--json", "json", is_flag=True, help="Print one JSON object per visit.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.pass_context
def poll(ctx: click.Context, source: tuple[str, ...], json: bool, quiet: bool) -> None:
    """Visit these sources once (or all), and their projects that are watched.

    Where a daemon runs, it is told that they are due, and does it at its pace.
    """
    app: App = ctx.obj
    from monitor.acts import call

    ran, told = call(app.runtime.socket, "poll", {"sources": list(source)})
    if ran:
        click.echo(f"the daemon has been told: {told['due']} visits are due")
        return
    reports = asyncio.run(_round(app, source, json, quiet or json))
    failed = sum(report.result.outcome.value not in ("ok", "unchanged") for report in reports)
    released = sum(report.result.released for report in reports)
    if not json:
        click.echo(f"{len(reports)} visits, {released} releases, {failed} failed")
    ctx.exit(UPSTREAM if failed else 0)


async def _round(app: App, names: tuple[str, ...], json: bool, quiet: bool) -> list[Report]:
    """Everything that is due once it has been said that it is."""
    from monitor import publish
    from monitor.acts import ACTS
    from monitor.asking import crawling
    from monitor.daemon import now
    from monitor.store import due, epoch, open_reader
    from monitor.store.lock import lock
    from monitor.store.writer import Writer

    runtime = app.runtime
    reports: list[Report] = []
    with lock(Path(app.state)), contextlib.closing(Writer(Path(app.state))) as writer:
        given, at = list(runtime.sources.values()), now()
        runtime.numbered(await writer.write(lambda db: due.enlist(db, given, at)))
        await writer.write(lambda db: runtime.sync_packages(db, at))
        await writer.write(lambda db: ACTS["poll"](db, runtime, at, sources=list(names)))
        chosen = [runtime.sources[name] for name in names or runtime.sources]
        with contextlib.closing(open_reader(Path(app.state))) as reader:
            async with crawling(runtime, writer, reader, now) as crawler:
                with _progress(quiet) as bar:
                    room = asyncio.Semaphore(app.settings.schedule.visits)

                    async def visit(one: due.Due) -> None:
                        async with room:
                            report = await crawler.visit(runtime.sources[one.source], one)
                        reports.append(report)
                        bar(report)
                        if json:
                            print_json([_json(report)])

                    while True:
                        claimed = await writer.write(lambda db: due.claim_questions(db, chosen, at))
                        claimed += await writer.write(
                            lambda db: due.claim_projects(db, chosen, now(), 1000)
                        )
                        if not claimed:
                            break
                        bar(None, len(claimed))
                        try:
                            await asyncio.gather(*(visit(one) for one in claimed))
                        except asyncio.CancelledError:
                            await writer.write(partial(due.release_claims, dues=claimed, at=at))
                            raise
            if app.settings.queue.enabled:
                await writer.write(lambda db: publish.advance(db, runtime.context, now()))
                publish.write_queue(reader, runtime.queue_folder)
            if app.settings.feed.enabled:
                publish.write_feed(reader, epoch(reader), runtime.feed_folder, app.settings.feed)
    return reports


@contextlib.contextmanager
def _progress(quiet: bool) -> Any:
    """A bar that grows with the visits made, out of those that are known to be due."""
    if quiet or not sys.stderr.isatty():
        yield lambda report, more=0: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[last]}"),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task("visits", total=0, last="")

        def step(report: Report | None, more: int = 0) -> None:
            if report is None:
                progress.update(task, total=(progress.tasks[0].total or 0) + more)
                return
            what = report.due.project or report.due.mechanism
            progress.update(task, advance=1, last=f"{report.source.name} {what}")

        yield step


def _json(report: Report) -> dict[str, Any]:
    return {
        "source": report.source.name,
        "mechanism": report.due.mechanism,
        "project": report.due.project,
        "outcome": report.result.outcome.value,
        "added": report.result.added,
        "released": report.result.released,
        "error": report.result.doubt or report.visit.error,
        "next": report.visit.next,
    }
