"""From decisions to the queue, in numbers."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from monitor.model import Kind
from monitor.settings import Build, Builds
from monitor.store import jobs
from tests.store.station import AT_ONCE, settings_of, station

HOUR, DAY = 3600, 86400


@pytest.fixture
def now():
    """Whole seconds since 1970: the lab dates what it publishes by the same clock."""
    return int(time.time())


def at(moment):
    return datetime.fromtimestamp(moment, UTC)


async def test_I07_above_the_high_water_mark_nothing_is_queued_and_nothing_is_lost(
    tmp_path, registry, now
):
    registry.many_projects(300)
    registry.publish("pypi", "aurora", "1.0", at=at(now - DAY))
    settings = settings_of(
        tmp_path, registry, builds=Builds(settle=0.0, high_water=10, build=(AT_ONCE,))
    )
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        for n in range(60):
            registry.publish("pypi", f"new-{n}", "1.0", at=at(now + 60))
        await one.poll(HOUR + 1)
        for _ in range(3):
            await one.poll(61)
        assert len(one.files("all")) == 10
        assert len(one.released()) == 60
        built = set()
        for _ in range(60):
            while job := await one.act("queue.take", worker="w"):
                await one.act("queue.done", job=job["id"], fence=job["fence"], result={})
                built.add(job["purl"] if "purl" in job else job["name"])
            await one.poll(61)

        assert len(built) == 60
        assert {job["state"] for job in jobs.listed(one.reader)} == {"done"}


async def test_I08_a_changed_entry_of_the_settings_queues_nothing_twice(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - DAY))
    matches = ("pkg:pypi/*", "pkg:pypi/aur*", "*")
    for n, match in enumerate(matches):
        rule = Build(match=match, minimum_age=0.0)
        settings = settings_of(tmp_path, registry, rule)
        async with station(tmp_path, settings, now + n * 2 * HOUR) as one:
            await one.poll()
            if n == 0:
                registry.publish("pypi", "aurora", "1.1", at=at(one.at))
            for act in (registry.yank, registry.unyank):
                if n:
                    act("pypi", "aurora", "1.1")
                await one.poll(HOUR + 1)
            assert one.jobs() == {"1.1": "ready"}
            assert len(one.events(Kind.QUEUED)) == 1


async def test_a_job_that_cannot_be_decided_keeps_no_other_one_waiting(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - DAY))
    rule = Build(match="pkg:pypi/*", minimum_age=60.0)
    async with station(tmp_path, settings_of(tmp_path, registry, rule), now) as one:
        await one.poll()
        for name in ("aurora", "borealis", "cirrus"):
            registry.publish("pypi", name, "1.1", at=at(now + 60))
        await one.poll(61)
        await one.writer.write(
            lambda db: db.execute(  # as another program may leave it
                "INSERT INTO watch (project, added, rules) SELECT id, 0, 'no json' FROM project"
                " WHERE purl = 'pkg:pypi/aurora'"
            )
        )
        one.at += 61
        await one.publish()

        assert one.files("build") == ["borealis__1.1", "cirrus__1.1"]
        [job] = [job for job in jobs.listed(one.reader) if job["state"] == "waiting"]
        rows = one.reader.execute("SELECT rule, reason FROM decision ORDER BY id").fetchall()
        assert job["look_at"] > one.at
        assert any(row["rule"] == "error" and "JSON" in row["reason"] for row in rows)
