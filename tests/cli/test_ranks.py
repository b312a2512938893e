"""Several sources of one project, from settings to what people see (faults C16 and E21)."""

from __future__ import annotations

import time

import pytest

from monitor.model import Kind
from monitor.settings import Package, Source
from tests.cli.conftest import Cli
from tests.lab.registry import Registry
from tests.store.station import AT_ONCE, settings_of, station


@pytest.fixture
def now():
    """Whole seconds since 1970."""
    return int(time.time())


@pytest.fixture
def second():
    """Another index."""
    with Registry() as server:
        yield server


def index(registry, **more):
    return Source(
        provider="pypi", settings={"url": registry.pypi_url}, poll=60.0, walk=3600.0, **more
    )


async def test_E21_a_private_name_that_is_taken_publicly_is_never_built_from_there(
    cli: Cli, registry, second, now
):
    registry.publish("pypi", "acme-tools", "1.0")
    second.publish("pypi", "other", "1.0")
    sources = {"company": index(registry, exclusive=True), "public": index(second, follow="all")}
    settings = settings_of(
        cli.state, registry, AT_ONCE,
        sources=sources, packages=(Package(upstream="company/acme-tools"),),
    )  # fmt: skip
    async with station(cli.state, settings, now) as one:
        await one.poll()
        second.publish("pypi", "acme-tools", "99.0")
        for _ in range(3):
            await one.poll(3601)

        assert one.released() == []
        assert one.jobs() == {}
        assert [e.payload["alarm"] for e in one.events(Kind.SUSPECT)] == [True]
        registry.publish("pypi", "acme-tools", "1.1")
        await one.poll(3601)
        assert one.released() == ["pkg:pypi/acme-tools@1.1"]
        assert one.jobs() == {"1.1": "ready"}

    shown = cli("show", "company/acme-tools", "--json").json
    assert shown["stable"] == shown["newest"] == "1.1"
    assert shown["conflict"] == {"company": "1.1", "public": "99.0"}
    assert "company is believed" in cli("show", "company/acme-tools").out
    why = cli("why", "company/acme-tools").out
    assert "99.0: rejected: other-source" in why
    assert "1.1 at company, 99.0 at public" in why
    told = [item["_release"] for item in cli("feed", "--kind", "suspect", "--json").lines]
    assert "Somebody may have taken the name" in told[0]["reason"]


async def test_C16_sources_that_differ_are_merged_by_their_priority_and_the_conflict_is_shown(
    cli: Cli, registry, second, now
):
    for one_of_them in (registry, second):
        one_of_them.publish("pypi", "aurora", "1.2")
    sources = {"main": index(registry, priority=5), "mirror": index(second)}
    packages = (Package(upstream=("main/aurora", "mirror/aurora")),)
    settings = settings_of(cli.state, registry, sources=sources, packages=packages)
    async with station(cli.state, settings, now) as one:
        await one.poll()
        assert cli("show", "main/aurora", "--json").json["conflict"] == {}
        second.publish("pypi", "aurora", "1.3")
        await one.poll(3601)

        shown = cli("show", "main/aurora", "--json").json
        assert shown["stable"] == "1.2"
        assert {v["version"]: v["source"] for v in shown["versions"]} == {
            "1.2": "main", "1.3": "mirror",
        }  # fmt: skip
        assert "1.2 at main, 1.3 at mirror; main is believed" in cli("show", "main/aurora").out
        assert one.released() == []
        registry.publish("pypi", "aurora", "1.3")
        await one.poll(3601)
        assert one.released() == ["pkg:pypi/aurora@1.3"]
