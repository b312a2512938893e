"""Visits: what every outcome leaves behind, who is asked how often."""

from __future__ import annotations

import asyncio
import gc
import time
from io import BytesIO

import pytest
from msgspec import structs

from monitor.crawl import BATCH, Crawler, Rests
from monitor.model import Mention, Outcome, Reply
from monitor.protocols import Ask, Provider
from monitor.settings import Source as SourceSettings
from monitor.sources import Source
from monitor.store import bulk, due, staging
from monitor.store.record import PoisonedError, Visit
from monitor.store.writer import Writer
from tests.store.station import settings_of, station

HOUR = 3600
NOON = 1_800_000_000


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


async def test_what_a_visit_found_is_forgotten_with_it(tmp_path, registry, now):
    """Without waiting for the garbage collector, which comes seldom."""
    registry.publish("pypi", "aurora", "1.0")
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        gc.collect()
        gc.disable()
        try:
            made = [len(await one.poll(HOUR + 1)) for _ in range(9)]
            one.reports.clear()
            left = sum(isinstance(thing, Visit) for thing in gc.get_objects())
        finally:
            gc.enable()

    assert left <= made[-1]  # the writer's threads still have the last in their hands
    assert sum(made) > 2 * made[-1]


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


async def test_a_feed_with_news_of_many_projects_keeps_no_loop_from_its_sockets(
    tmp_path, registry, now, monkeypatch
):
    """Each of them is judged anew, with all of its versions."""
    quick, write = [], Writer.write

    def watched(self, function, **more):
        quick.append(more.get("quick", False))
        return write(self, function, **more)

    monkeypatch.setattr(Writer, "write", watched)
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:

        async def look(count):
            for n in range(count):
                registry.publish("pypi", f"p{n}", f"1.{len(one.reports)}")
            one.at += HOUR
            source, at = one.runtime.sources["pypi"], one.at
            claimed = await one.writer.write(lambda db: due.claim_questions(db, [source], at))
            [feed] = [claim for claim in claimed if claim.mechanism == "feed"]
            quick.clear()
            one.reports.append(await one.crawler.visit(source, feed))
            assert one.reports[-1].result.outcome is Outcome.OK
            return quick[-1]

        assert await look(50)  # a first look, at what nobody knows
        assert not await look(50)


async def test_D10_a_small_index_that_is_written_again_leaves_the_stage_of_a_large_one_alone(
    tmp_path, registry, now, monkeypatch
):
    """Its second attempt comes when a larger walk has begun to stage."""

    def index(pages):
        def read(reply):
            page, count = pages[reply.request.url]
            yield from (Mention(f"{page}{n}", "1") for n in range(count))
            if page == "first":
                yield structs.replace(reply.request, url="https://large.example/second")

        return Ask(next(iter(pages)), read)

    large = index({"https://large.example/first": ("first", BATCH + 1),
                   "https://large.example/second": ("second", 9)})  # fmt: skip
    small = index({"https://small.example/": ("small", staging.MANY + 1)})
    known = {"ordering": "generic", "purl": "generic"}
    given = [
        Source(name=name, provider=Provider(name=name, index=ask, **known))
        for name, ask in (("large", large), ("small", small))
    ]
    tried = asyncio.Event()
    loop, attempts, real = asyncio.get_running_loop(), [], bulk.apply

    def apply(db, visit, *more, **facts):
        if visit.source.name == "small":
            attempts.append(1)
            if len(attempts) == 1:
                loop.call_soon_threadsafe(tried.set)
                while not crawler.indexing.locked():
                    time.sleep(0.001)
                raise PoisonedError("small1", ValueError("no"))
        return real(db, visit, *more, **facts)

    class Upstream:
        async def fetch(self, request):
            if request.url.endswith("/first"):
                await tried.wait()
            while request.url.endswith("/second") and not (
                len(attempts) > 1 or crawler.indexing._waiters
            ):
                await asyncio.sleep(0)
            return Reply(request, BytesIO(b""), url=request.url)

    monkeypatch.setattr(bulk, "apply", apply)
    writer = Writer(tmp_path)
    try:
        sources = await writer.write(lambda db: due.enlist(db, given, now))
        crawler = Crawler(
            writer, lambda *_: Upstream(), lambda *_: [], lambda: now, lambda purl: False
        )
        claimed = await writer.write(lambda db: due.claim(db, sources, now, 9))
        reports = await asyncio.gather(
            *(crawler.visit(sources[claim.source == "small"], claim) for claim in claimed)
        )
        counts = await writer.write(
            lambda db: dict(
                db.execute("SELECT source, count(*) FROM listing GROUP BY source").fetchall()
            )
        )
    finally:
        writer.close()

    assert {report.result.outcome for report in reports} == {Outcome.OK}
    assert counts == {1: BATCH + 10, 2: staging.MANY + 1}


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


def test_J03_a_source_that_had_enough_is_tried_with_one_project_then_with_more():
    rests = Rests()
    one = due.Due("github", "versions", 0, "o/tool")

    rests.refused(one, NOON + 240)
    assert rests.most(NOON) == {"github": 0}
    assert rests.most(NOON + 240) == {"github": 1}
    rests.answered(one)
    assert rests.most(NOON + 240) == {"github": 2}
    rests.refused(one, NOON + 600)
    assert rests.most(NOON + 300) == {"github": 0}
    for _ in range(7):
        rests.answered(one)
    assert rests.most(NOON + 600) == {}


def test_a_server_that_had_enough_says_nothing_of_the_others_of_its_source():
    """Of a source whose projects are addresses (git, folder), each lies on a server of its own."""
    rests = Rests()
    rests.refused(due.Due("git", "versions", 0, "https://git.example/a.git"), NOON + 240)
    rests.refused(due.Due("pypi", "feed", 0), NOON + 240)
    assert rests.most(NOON) == {}
