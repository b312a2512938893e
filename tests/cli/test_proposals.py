"""What only a person can decide: asked once, seen until it is answered, never assumed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from monitor.model import Kind
from tests.cli.conftest import Cli
from tests.store.station import AT_ONCE, settings_of, station

DAY = 86400


@pytest.fixture
def now():
    """Whole seconds since 1970."""
    return int(time.time())


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_C15_a_much_older_release_with_a_higher_number_waits_for_a_persons_word(
    cli: Cli, registry, now
):
    registry.publish("pypi", "opam", "0.13", at=day("2020-05-01"))
    registry.publish("pypi", "opam", "0.14", at=day("2021-05-01"))
    settings = settings_of(cli.state, registry, AT_ONCE)
    async with station(cli.state, settings, now) as one:
        await one.act("watch", what="pypi/opam")
        await one.poll()
        for version in ("4.02.2", "4.02.3"):
            registry.publish("pypi", "opam", version, at=day("2015-07-27"))
        for _ in range(3):
            await one.poll(DAY)

        assert one.released() == []
        [parked] = one.events(Kind.SUSPECT)
        assert parked.payload["versions"] == ["4.02.2", "4.02.3"]
        assert one.jobs() == {}
    said = cli("show", "pypi/opam", "--json").json
    assert (said["stable"], said["newest"]) == ("0.14", "0.14")
    assert {v["version"] for v in said["versions"]} == {"0.13", "0.14", "4.02.2", "4.02.3"}
    [asked] = cli("proposals", "--json").lines
    assert (asked["kind"], asked["subject"]) == ("admit", "4.02.2 4.02.3")
    for command in (("status",), ("show", "pypi/opam"), ("why", "pypi/opam")):
        assert f"monitor accept {asked['id']}" in cli(*command).out

    assert cli("accept", asked["id"]).code == 0

    assert cli("proposals").out == "nothing waits for you\n"
    assert cli("show", "pypi/opam", "--json").json["stable"] == "4.02.3"
    told = [item["_release"] for item in cli("feed", "--kind", "released", "--json").lines]
    assert [(one["version"], one["newest_stable"]) for one in told] == [
        ("4.02.2", False),
        ("4.02.3", True),
    ]
    assert cli("accept", asked["id"]).code == 2


async def test_C15_what_is_declined_stays_out_and_is_not_asked_again(cli: Cli, registry, now):
    registry.publish("pypi", "opam", "0.14", at=day("2021-05-01"))
    settings = settings_of(cli.state, registry)
    async with station(cli.state, settings, now) as one:
        await one.poll()
        registry.publish("pypi", "opam", "4.02.3", at=day("2015-07-27"))
        await one.poll(DAY)
        [number] = [p["id"] for p in cli("proposals", "--json").lines]
        await one.act("answer", number=number, accept=False, who="somebody")
        registry.publish("pypi", "opam", "0.15", at=day("2022-05-01"))
        for _ in range(2):
            await one.poll(DAY)

        assert one.released() == ["pkg:pypi/opam@0.15"]
        assert one.told(Kind.SUSPECT) == [("suspect", "4.02.3")]
    assert cli("proposals", "--json").lines == []
    assert cli("show", "pypi/opam", "--json").json["stable"] == "0.15"


async def test_C03_a_numbering_that_began_anew_is_proposed_and_applied_by_a_persons_word(
    cli: Cli, registry, now
):
    for number, version in enumerate(("20150101", "20160101", "20160708")):
        registry.publish("pypi", "aurora", version, at=day(f"201{5 + number}-01-01"))
    settings = settings_of(cli.state, registry, AT_ONCE)
    async with station(cli.state, settings, now) as one:
        await one.act("watch", what="pypi/aurora")
        await one.poll()
        assert cli("proposals", "--json").lines == []
        registry.publish("pypi", "aurora", "2.0.0", at=day("2018-01-01"))
        for _ in range(3):
            await one.poll(DAY)
        assert one.told(Kind.EPOCH_PROPOSED) == [("epoch_proposed", "2.0.0")]
        assert one.released() == ["pkg:pypi/aurora@2.0.0"]
    assert cli("show", "pypi/aurora", "--json").json["stable"] == "20160708"
    [asked] = cli("proposals", "--json").lines
    assert asked["kind"] == "epoch"

    assert cli("accept", asked["id"]).code == 0

    shown = cli("show", "pypi/aurora", "--json").json
    assert shown["stable"] == "2.0.0"
    assert shown["versions"][0]["version"] == "2.0.0"
    async with station(cli.state, settings, now + 9 * DAY) as one:  # it holds for what comes
        registry.publish("pypi", "aurora", "2.1.0", at=day("2019-01-01"))
        await one.poll()
        assert one.released()[-1] == "pkg:pypi/aurora@2.1.0"
        assert one.events(Kind.RELEASED)[-1].payload["newest_stable"] is True
        assert one.told(Kind.EPOCH_PROPOSED) == [("epoch_proposed", "2.0.0")]


async def test_C03_a_numbering_that_had_changed_when_we_came_is_proposed_too(
    cli: Cli, registry, now
):
    for number, version in enumerate(("20150101", "20160101", "20160708", "2.0.0")):
        registry.publish("pypi", "aurora", version, at=day(f"201{5 + number}-01-01"))
    async with station(cli.state, settings_of(cli.state, registry), now) as one:
        await one.act("watch", what="pypi/aurora")
        await one.poll()
    [asked] = cli("proposals", "--json").lines
    assert asked["kind"] == "epoch"
    assert "numbers now" in cli("status").out
