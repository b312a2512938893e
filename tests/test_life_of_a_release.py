"""A release from the upstream to the queue: real servers, real store, real outputs."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from monitor.model import Kind, Outcome
from monitor.settings import Build
from tests.store.station import AT_ONCE, settings_of, station

HOUR, DAY = 3600, 86400


@pytest.fixture
def now():
    """Whole seconds since 1970: the lab dates what it publishes by the same clock."""
    return int(time.time())


def at(moment):
    return datetime.fromtimestamp(moment, UTC)


async def test_a_release_is_stored_announced_queued_and_in_the_feed_once(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        assert one.told() == [("baseline", None)] * 2
        registry.publish("pypi", "aurora", "1.1", at=at(now + 60))
        for _ in range(5):
            await one.poll(HOUR + 1)

        assert one.released() == ["pkg:pypi/aurora@1.1"]
        assert one.jobs() == {"1.1": "ready"}
        assert one.files("all") == one.files("build") == ["aurora__1.1"]
        kinds = [(i["_release"]["kind"], i["_release"]["version"]) for i in one.feed()]
        assert kinds.count(("released", "1.1")) == kinds.count(("queued", "1.1")) == 1


async def test_D01_more_releases_than_the_window_holds_all_become_known_once(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - DAY))
    registry.many_projects(1000)
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        for n in range(150):
            registry.publish("pypi", f"burst-{n}", "1.0", at=at(now + n))
            registry.publish("pypi", "aurora", f"2.{n % 15}.{n}", at=at(now + n))
        await one.poll(61)
        await one.poll(61)
        await one.poll(HOUR)
        expected = {f"pkg:pypi/burst-{n}@1.0" for n in range(150)}
        expected |= {f"pkg:pypi/aurora@2.{n % 15}.{n}" for n in range(150)}

        # The many of one project are doubted first; the second answer confirms them.
        assert sorted(one.released()) == sorted(expected)
        assert len(one.events(Kind.GAP)) == 1
        assert (
            one.reader.execute("SELECT gap FROM question WHERE mechanism = 'feed'").fetchone()[0]
            is None
        )


async def test_E12_a_young_release_is_announced_at_once_and_queued_when_it_is_old_enough(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    rule = Build(match="pkg:pypi/*", minimum_age=3.0 * DAY)
    async with station(tmp_path, settings_of(tmp_path, registry, rule), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.1", at=at(now + 60))
        await one.poll(61)
        seen = one.at
        assert one.released() == ["pkg:pypi/aurora@1.1"]
        [held] = one.events(Kind.HELD)
        assert held.payload["eligible"] == seen + 3 * DAY
        await one.poll(71 * HOUR)
        assert one.files("all") == []
        await one.poll(HOUR + 1)

        assert one.files("build") == ["aurora__1.1"]


async def test_E13_a_back_dated_release_waits_as_long_as_any_other(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 900 * DAY))
    rule = Build(match="pkg:pypi/*", minimum_age=3.0 * DAY)
    async with station(tmp_path, settings_of(tmp_path, registry, rule), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.1", at=at(now - 800 * DAY))
        await one.poll(HOUR + 1)
        await one.poll(2 * DAY)
        assert one.jobs() == {"1.1": "waiting"}
        await one.poll(DAY + 1)

        assert one.jobs() == {"1.1": "ready"}


async def test_E17_a_yank_takes_a_job_out_and_its_end_puts_it_back(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.1", at=at(now + 60))
        await one.poll(61)
        text = (one.runtime.queue_folder / "all" / "aurora__1.1").read_bytes()
        registry.yank("pypi", "aurora", "1.1", "broken")
        await one.poll(HOUR + 1)
        assert (one.files("build"), one.files("revoked")) == ([], ["aurora__1.1"])
        assert one.jobs() == {"1.1": "revoked"}
        registry.unyank("pypi", "aurora", "1.1")
        await one.poll(HOUR + 1)

        assert one.jobs() == {"1.1": "ready"}
        assert one.files("build") == ["aurora__1.1"]
        assert (one.runtime.queue_folder / "all" / "aurora__1.1").read_bytes() == text
        assert len(one.released()) == 1
        assert one.told(Kind.YANKED, Kind.RESTORED) == [("yanked", "1.1"), ("restored", "1.1")]


async def test_E17_an_old_version_that_is_no_longer_yanked_is_not_built(tmp_path, registry, now):
    for version in ("1.0", "1.1"):
        registry.publish("pypi", "aurora", version, at=at(now - 9 * DAY))
    settings = settings_of(tmp_path, registry, AT_ONCE)
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        await one.act("watch", what="pypi/aurora")
        await one.poll()
        for act in (registry.yank, registry.unyank):
            act("pypi", "aurora", "1.1")
            await one.poll(HOUR + 1)

        assert len(one.told(Kind.YANKED, Kind.RESTORED)) == 2
        assert one.jobs() == {}


async def test_E03_bytes_that_change_stop_a_job_and_leave_its_recipe_as_it_was(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.1", at=at(now + 60))
        await one.poll(61)
        recipe = one.runtime.queue_folder / "all" / "aurora__1.1"
        before = recipe.read_bytes()
        _, release = registry.pypi.find("aurora", "1.1")
        for file in release.files.values():
            file.sha256 = "0" * 64
        registry.pypi.yank("aurora", "1.0", None)  # so that the page moves
        await one.poll(HOUR + 1)
        await one.poll(HOUR + 1)

        assert one.told(Kind.CHANGED) == [("changed", "1.1")] * 2  # two files, each told once
        assert one.jobs() == {"1.1": "held"}
        assert one.files("build") == []
        assert recipe.read_bytes() == before
        await one.act("hold", what="pypi/aurora", version="1.1", who="me", why="seen", on=False)
        assert one.jobs() == {"1.1": "ready"}
        assert one.files("build") == ["aurora__1.1"]
        assert recipe.read_bytes() == before


async def test_a_persons_hold_stops_what_is_queued_until_it_is_taken_back(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.1", at=at(now + 60))
        await one.poll(61)
        await one.act("hold", what="pypi/aurora", who="me", why="not today")
        assert await one.act("queue.take", worker="w") is None
        assert (one.jobs(), one.files("build")) == ({"1.1": "held"}, [])
        await one.act("hold", what="pypi/aurora", who="me", why="", on=False)

        assert one.files("build") == ["aurora__1.1"]
        assert (await one.act("queue.take", worker="w"))["version"] == "1.1"


async def test_C11_a_burst_is_stored_whole_and_queued_once_it_is_over(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "0.1", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        for n in range(193):
            for part in range(4):
                registry.publish("pypi", "aurora", f"1.{n}.{part}", at=at(now + 3 * n))
            if n % 20 == 19:
                await one.poll(60)
        await one.poll(300)
        for _ in range(3):
            await one.poll(HOUR + 1)

        assert len(one.released()) == len(set(one.released())) == 772
        assert len(one.events(Kind.BURST)) == 1
        assert 1 <= len(one.files("all")) <= 5
        assert one.jobs()["1.192.3"] == "ready"


async def test_A07_a_project_that_is_deleted_upstream_is_withdrawn_once(tmp_path, registry, now):
    registry.many_projects(50)
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.1", at=at(now + 60))
        await one.poll(61)
        registry.withdraw("pypi", "aurora")
        for _ in range(40):
            await one.poll(HOUR + 1)

        assert one.told(Kind.WITHDRAWN) == [("withdrawn", None)]
        assert one.versions("pkg:pypi/aurora") == {"1.0": "listed", "1.1": "listed"}
        assert one.jobs() == {"1.1": "revoked"}
        assert one.files("build") == []


async def test_a_version_that_is_deleted_upstream_is_missing_then_withdrawn(
    tmp_path, registry, now
):
    for n in range(4):
        registry.publish("pypi", "aurora", f"1.{n}", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.4", at=at(now + 60))
        await one.poll(61)
        registry.withdraw("pypi", "aurora", "1.3")
        await one.poll(HOUR + 1)
        assert one.versions("pkg:pypi/aurora")["1.3"] == "missing"
        await one.poll(HOUR + 1)

        assert one.versions("pkg:pypi/aurora")["1.3"] == "withdrawn"
        assert one.told(Kind.MISSING, Kind.WITHDRAWN) == [("missing", "1.3"), ("withdrawn", "1.3")]


async def test_E18_a_quarantined_project_keeps_its_versions(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.1", at=at(now + 60))
        await one.poll(61)
        registry.set_status("aurora", "quarantined")
        await one.poll(HOUR + 1)

        assert set(one.versions("pkg:pypi/aurora")) == {"1.0", "1.1"}
        assert one.released() == ["pkg:pypi/aurora@1.1"]
        row = one.reader.execute("SELECT outcome, error FROM listing").fetchone()
        assert row["outcome"] == Outcome.GONE.value


async def test_H01_started_again_it_goes_on_and_tells_nothing_twice(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    settings = settings_of(tmp_path, registry, AT_ONCE)
    for n in range(4):
        async with station(tmp_path, settings, now + n * 2 * HOUR) as one:
            await one.poll()
            registry.publish("pypi", "aurora", f"1.1.{n}", at=at(one.at))
            await one.poll(61)
            assert len(one.released()) == n + 1
    assert len(set(one.files("all"))) == 4


async def test_H03_lost_queue_files_are_written_again_as_they_were(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        registry.publish("pypi", "aurora", "1.1", at=at(now + 60))
        await one.poll(61)
        recipe = one.runtime.queue_folder / "all" / "aurora__1.1"
        before = recipe.read_bytes(), recipe.stat().st_mtime
        recipe.unlink()
        (one.runtime.queue_folder / "build" / "aurora__1.1").unlink()
        await one.publish()

        assert (recipe.read_bytes(), recipe.stat().st_mtime) == before
        assert one.files("build") == ["aurora__1.1"]
