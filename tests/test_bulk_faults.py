"""Feeds, bulk indexes and cursors against servers that lose count, rewrite, delete and fail."""

from __future__ import annotations

import time

import pytest

from monitor.model import Kind, Outcome
from tests.store.station import settings_of, station

HOUR, DAY = 3600, 86400


@pytest.fixture
def now():
    """Whole seconds since 1970."""
    return int(time.time())


def outcomes(reports, mechanism):
    return [one.result.outcome for one in reports if one.due.mechanism == mechanism]


async def test_D04_a_registry_that_counts_anew_is_asked_for_everything_and_loses_no_release(
    tmp_path, registry, now
):
    for n in range(30):
        registry.publish("pypi", f"p{n}", "1.0")
    serial = registry.pypi.projects["p7"].serial
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        registry.freeze("/pypi/rss/*")  # so that the index alone must find it
        registry.pypi.serial = 5
        for n in range(30):
            registry.publish("pypi", f"p{n}", "1.1")
        registry.pypi.projects["p7"].serial = serial  # as before, by chance
        reports = await one.poll(HOUR + 1)
        assert outcomes(reports, "index") == [Outcome.SUSPECT]
        assert one.released() == []
        reports = await one.poll(10 * 60)

        assert outcomes(reports, "index") == [Outcome.OK]
        assert sorted(one.released()) == sorted(f"pkg:pypi/p{n}@1.1" for n in range(30))
        [reset] = one.events(Kind.RESET)
        assert (reset.source, reset.payload["alarm"]) == ("pypi", True)
        await one.poll(HOUR + 1)
        assert len(one.released()) == 30
        assert len(one.events(Kind.RESET)) == 1
