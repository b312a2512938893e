"""Visits: what every outcome leaves behind, who is asked how often."""

from __future__ import annotations

import asyncio
import time

import pytest

from monitor.model import Outcome
from monitor.settings import Source as SourceSettings
from monitor.store import due
from tests.store.station import settings_of, station

HOUR = 3600


@pytest.fixture
def now():
    """Whole seconds since 1970."""
    return int(time.time())


async def test_a_failed_visit_changes_nothing_and_says_where_why_and_when_next(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0")
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        before = one.told()
        registry.fail("/pypi/*", 503, times=None)
        reports = await one.poll(HOUR + 1)

        assert {report.result.outcome for report in reports} == {Outcome.RETRY}
        assert all(registry.pypi_url in (report.visit.error or "") for report in reports)
        assert all(report.visit.next > one.at for report in reports)
        assert one.told() == before
        registry.heal()
        registry.publish("pypi", "aurora", "1.1")
        await one.poll(HOUR)
        assert len(one.released()) == 1


async def test_what_did_not_change_is_not_read_again(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0")
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        registry.forget()
        reports = await one.poll(HOUR + 1)

        assert {report.result.outcome for report in reports} == {Outcome.UNCHANGED}
        assert {entry.status for entry in registry.requests()} == {304}


async def test_J13_many_projects_at_one_address_are_one_request(tmp_path, registry, now):
    """A hundred watched projects of a source whose one page answers for all of them."""
    registry.publish("pypi", "aurora", "1.0")
    source = SourceSettings(
        provider="rss", settings={"url": registry.pypi_url + "/rss/updates.xml"}
    )
    names = {f"feed-{n}": source for n in range(100)}
    async with station(tmp_path, settings_of(tmp_path, registry, sources=names), now) as one:
        registry.fail("/pypi/rss/updates.xml", None, times=None, delay=0.3)
        sources = list(one.runtime.sources.values())
        claimed = await one.writer.write(lambda db: due.claim_questions(db, sources, one.at))
        reports = await asyncio.gather(
            *(one.crawler.visit(one.runtime.sources[claim.source], claim) for claim in claimed)
        )

        assert len(reports) == 100
        assert {report.result.outcome for report in reports} == {Outcome.OK}
        assert len(registry.requests("/pypi/rss/updates.xml")) == 1


async def test_a_large_index_and_small_ones_at_the_same_time_do_not_mix(
    tmp_path, registry, apache, now
):
    registry.many_projects(20_000)
    settings = settings_of(tmp_path, registry)
    for n in range(12):
        place = apache.folder / f"d{n}"
        place.mkdir()
        for version in range(5):
            (place / f"tool{n}-1.{version}.tar.gz").write_bytes(b"x")
    folders = {
        f"folder-{n}": SourceSettings(provider="folder", settings={"url": f"{apache.url}d{n}/"})
        for n in range(12)
    }
    settings = settings_of(tmp_path, registry, sources=dict(settings.sources) | folders)
    async with station(tmp_path, settings, now) as one:
        reports = await one.poll()
        counts = dict(
            one.reader.execute(
                "SELECT source.name, count(*) FROM listing JOIN source ON source.id = source"
                " GROUP BY source"
            ).fetchall()
        )

        assert {report.result.outcome for report in reports} == {Outcome.OK}
        assert counts == {"pypi": 20_000} | dict.fromkeys(folders, 1)
        assert one.reader.execute("SELECT count(*) FROM version").fetchone()[0] == 60


async def test_D18_two_workers_with_one_feed_tell_once_and_the_stale_one_says_why(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0")
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.1")
        source = one.runtime.sources["pypi"]
        claims = []
        for moment in (one.at + HOUR, one.at + HOUR + due.LEASE):  # the second takes it over
            found = await one.writer.write(lambda db: due.claim_questions(db, [source], moment))  # noqa: B023
            claims += [claim for claim in found if claim.mechanism == "feed"]
        one.at += HOUR + due.LEASE
        quick = await one.crawler.visit(source, claims[1])
        slow = await one.crawler.visit(source, claims[0])

        assert quick.result.outcome is Outcome.OK
        assert slow.result.outcome is Outcome.RETRY
        assert "somebody else" in (slow.visit.error or "")
        assert one.released() == ["pkg:pypi/aurora@1.1"]
