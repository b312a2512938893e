"""A monitor without its daemon: the real store, writer, crawler, transports, policy and outputs,
in the test's own loop and with a clock that the test turns."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor import publish
from monitor.asking import crawling
from monitor.crawl import Crawler, Report
from monitor.inquiries import inquire
from monitor.model import Event, Kind
from monitor.runtime import Runtime
from monitor.settings import Build, Builds, NetworkSettings, ScheduleSettings, Settings
from monitor.settings import Source as SourceSettings
from monitor.store import due, epoch, events, jobs, open_reader, projects
from monitor.store.writer import Writer
from tests.lab.registry import Registry

NETWORK = NetworkSettings(
    contact="tests@example.invalid",
    allow_private=("127.0.0.1:*",),
    allow_ports=("127.0.0.1:*",),
    pace=0,
    retries=0,
)
AT_ONCE = Build(match="pkg:pypi/*", minimum_age=0.0)


@dataclass
class Station:
    """Polls, decides and publishes when it is told to."""

    folder: Path
    runtime: Runtime
    at: int
    writer: Writer = field(init=False)
    reader: sqlite3.Connection = field(init=False)
    crawler: Crawler = field(init=False)
    reports: list[Report] = field(default_factory=list)

    async def poll(self, after: int = 0) -> list[Report]:
        """Let time pass, then visit whatever is due until nothing is."""
        self.at += after
        reports: list[Report] = []
        sources = list(self.runtime.sources.values())
        while True:
            claimed = await self.writer.write(lambda db: due.claim_questions(db, sources, self.at))
            claimed += await self.writer.write(
                lambda db: due.claim_projects(db, sources, self.at, 1000)
            )
            if not claimed:
                break
            reports += await asyncio.gather(
                *(self.crawler.visit(self.runtime.sources[one.source], one) for one in claimed)
            )
        await self.publish()
        self.reports += reports
        return reports

    async def publish(self) -> None:
        """Policy, what new releases say of themselves, queue folders, feed."""
        await self.writer.write(lambda db: publish.advance(db, self.runtime.context, self.at))
        sources, asking = self.runtime.context.sources, self.crawler.transport
        if await inquire(self.writer, asking, sources, lambda: self.at, paced=False):
            await self.writer.write(lambda db: publish.advance(db, self.runtime.context, self.at))
        publish.write_queue(self.reader, self.runtime.queue_folder)
        feed = self.runtime.settings.feed
        seal, _ = publish.seal_of(self.runtime.state, feed)
        publish.write_feed(
            self.reader, epoch(self.reader), self.runtime.feed_folder, feed, at=self.at, seal=seal
        )

    async def act(self, name: str, **arguments: Any) -> Any:
        """An act of the control socket."""
        from monitor.acts import ACTS

        done = await self.writer.write(
            lambda db: ACTS[name](db, self.runtime, self.at, **arguments)
        )
        await self.publish()
        return done

    def events(self, *kinds: Kind) -> list[Event]:
        """All events, or those of these kinds."""
        found = events.follow(self.reader, 0)
        return [event for event in found if not kinds or event.kind in kinds]

    def next_due(self) -> int:
        """When the next visit of any kind is due."""
        due = "SELECT due FROM question UNION ALL SELECT due FROM listing"
        return int(self.reader.execute(f"SELECT min(due) FROM ({due})").fetchone()[0])

    def told(self, *kinds: Kind) -> list[tuple[str, str | None]]:
        """Kind and version."""
        return [(event.kind.value, event.version) for event in self.events(*kinds)]

    def released(self) -> list[str]:
        """Purls with version, as they were announced."""
        return [f"{event.project}@{event.version}" for event in self.events(Kind.RELEASED)]

    def jobs(self) -> dict[str, str]:
        """State by version."""
        return {job["version"]: job["state"] for job in jobs.listed(self.reader)}

    def files(self, place: str) -> list[str]:
        """Recipes in `all`, `build` or `revoked`."""
        folder = self.runtime.queue_folder / place
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def feed(self) -> list[dict[str, Any]]:
        """The items of the newest page of the JSON feed."""
        document = json.loads((self.runtime.feed_folder / "feed.json").read_text())
        items: list[dict[str, Any]] = document["items"]
        return items

    def versions(self, purl: str) -> dict[str, str]:
        """State by version."""
        row = projects.by_purl(self.reader, purl)
        assert row is not None
        return {one["version"]: one["state"] for one in projects.versions(self.reader, row["id"])}


def settings_of(
    folder: Path, registry: Registry, *builds: Build, follow: str = "all", **more: Any
) -> Settings:
    """One source, the lab's PyPI, and everything in one folder."""
    from monitor.settings import DaemonSettings, FeedSettings, QueueSettings, StateSettings

    source = SourceSettings(
        provider="pypi", settings={"url": registry.pypi_url}, poll=60.0, walk=3600.0, follow=follow
    )
    given: dict[str, Any] = {
        "network": NETWORK,
        "state": StateSettings(dir=str(folder)),
        "feed": FeedSettings(dir=str(folder / "feed")),
        "queue": QueueSettings(dir=str(folder / "queue")),
        "daemon": DaemonSettings(socket=str(folder / "socket")),
        "schedule": ScheduleSettings(jitter=0.0),
        "sources": {"pypi": source},
        "builds": Builds(settle=0.0, build=builds),
    }
    return Settings(**given | more)


@asynccontextmanager
async def station(folder: Path, settings: Settings, at: int) -> AsyncIterator[Station]:
    """Open it; what it knows stays in the folder."""
    found = Station(folder, Runtime.of(settings), at)
    found.writer = Writer(folder)
    given = list(found.runtime.sources.values())
    await found.writer.write(lambda db: due.void_leases(db, at))
    found.runtime.numbered(await found.writer.write(lambda db: due.enlist(db, given, at)))
    await found.writer.write(lambda db: found.runtime.sync_packages(db, at))
    found.reader = open_reader(folder)
    try:
        async with crawling(found.runtime, found.writer, found.reader, lambda: found.at) as crawler:
            found.crawler = crawler
            yield found
    finally:
        found.writer.close()
        found.reader.close()
