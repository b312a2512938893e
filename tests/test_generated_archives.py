"""Archives that a forge makes of tags: from the tag to the recipe, and packed anew (fault E04)."""

from __future__ import annotations

import hashlib
import time

import pytest

from monitor.digests import missing, take
from monitor.model import Kind
from tests.lab.client import get
from tests.store.station import station
from tests.test_life_of_a_release import at
from tests.test_traits_end_to_end import watching

HOUR, DAY = 3600, 86400


@pytest.fixture
def now():
    return int(time.time())


async def digests(one):
    """A round of what the daemon does for files without digest."""
    for file in await one.writer.write(lambda db: missing(db, one.at)):
        source = one.runtime.context.sources[file.source]
        await take(file, one.crawler.transport(source, None), one.writer, one.runtime, one.at)
    await one.publish()


def archive(registry, version):
    return f"{registry.github_url}/ann/tool/archive/refs/tags/{version}.tar.gz"


def digest(registry, version):
    return "sha256:" + hashlib.sha256(get(archive(registry, version)).content).hexdigest()


async def queued(one, registry, version="v1.1.0"):
    """A release of which there is a tag only, as far as a builder can have it."""
    registry.publish("github", "ann/tool", version, release=False)
    await one.poll(HOUR)
    await digests(one)
    [job] = [job for job in await jobs(one) if job["version"] == version.removeprefix("v")]
    assert job["state"] == "ready"
    return job


async def jobs(one):
    from monitor.store import jobs

    return jobs.listed(one.reader)


def recipe(one, name):
    return (one.runtime.queue_folder / "all" / name).read_text()


async def refused(one):
    """A builder takes the job and is given other bytes than the recipe pins."""
    job = await one.act("queue.take", worker="w")
    why = "release-monitor: digest: expected one, got another"
    await one.act("queue.fail", job=job["id"], fence=job["fence"], failure="digest", text=why)
    await digests(one)


@pytest.fixture
def settings(tmp_path, registry):
    registry.publish("github", "ann/tool", "v1.0.0", release=False, at=at(time.time() - 9 * DAY))
    return watching(
        tmp_path, registry, "github", "ann/tool", url=registry.github_api_url,
        site=registry.github_url,
    )  # fmt: skip


async def test_E04_the_same_tree_packed_anew_is_no_alarm_and_is_built(
    tmp_path, registry, settings, now
):
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        job = await queued(one, registry)
        first = digest(registry, "v1.1.0")
        assert first.removeprefix("sha256:") in recipe(one, job["name"])
        registry.github.repack("ann/tool", 0)
        second = digest(registry, "v1.1.0")
        assert second != first
        await refused(one)

        [told] = one.events(Kind.CHANGED)
        assert "alarm" not in told.payload
        assert told.payload["reason"] == "its archive was packed anew, with the same content"
        assert (told.payload["digest_before"], told.payload["digest"]) == (first, second)
        assert one.jobs() == {"1.1.0": "ready"}
        assert second.removeprefix("sha256:") in recipe(one, job["name"])
        assert one.files("build") == [job["name"]]


async def test_E04_another_tree_is_an_alarm_and_is_not_built(tmp_path, registry, settings, now):
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        job = await queued(one, registry)
        text, first = recipe(one, job["name"]), digest(registry, "v1.1.0")
        registry.retag("ann/tool", "v1.1.0")
        await refused(one)
        await one.publish()

        [told] = one.events(Kind.CHANGED)
        assert told.payload["alarm"]
        assert told.payload["digest_before"] == first
        assert recipe(one, job["name"]) == text
        assert one.jobs() == {"1.1.0": "failed"}
        held = await one.act("queue.mark", which=job["name"], on=True, who="me")
        assert held["held"] == "the content of a published archive changed"


async def test_E04_the_archive_is_read_once_and_again_only_where_a_builder_was_refused(
    tmp_path, registry, settings, now
):
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        await queued(one, registry)
        for _ in range(5):
            await one.poll(HOUR)
            await digests(one)
        assert len(registry.requests("*/archive/*")) == 1
        await refused(one)  # by a fault of its own: the bytes are the same
        for _ in range(5):
            await one.poll(HOUR)
            await digests(one)

        assert len(registry.requests("*/archive/*")) == 2
        assert one.events(Kind.CHANGED) == []
        assert one.jobs() == {"1.1.0": "failed"}


async def test_a_release_with_an_archive_of_its_own_is_built_from_that(
    tmp_path, registry, settings, now
):
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        registry.publish("github", "ann/tool", "v1.1.0")
        await one.poll(HOUR)
        await digests(one)

        [job] = await jobs(one)
        assert "releases/download/v1.1.0/tool-1.1.0.tar.gz" in recipe(one, job["name"])
        assert registry.requests("*/archive/*") == []
