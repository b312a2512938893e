"""What only a person can decide: asked once, seen until it is answered, never assumed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from monitor.model import Kind
from monitor.settings import Source
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


def github(registry):
    return Source(
        provider="github", settings={"url": registry.github_api_url, "site": registry.github_url}
    )


async def test_C19_a_renamed_repository_is_proposed_and_never_merged_silently(
    cli: Cli, registry, now
):
    registry.publish("github", "acme/rocket", "v1.0")
    settings = settings_of(cli.state, registry, sources={"github": github(registry)})
    async with station(cli.state, settings, now) as one:
        await one.act("watch", what="github/acme/rocket", current="1.0", owner="me")
        await one.poll()
        registry.rename("acme/rocket", "acme-space/rocket")
        registry.publish("github", "acme-space/rocket", "v1.1")
        for _ in range(3):
            await one.poll(9 * DAY)

        [moved] = one.events(Kind.SOURCE_MOVED)
        assert moved.payload["name"] == "acme-space/rocket"
        assert one.released() == ["pkg:github/acme/rocket@1.1"]
        watched = [w["purl"] for w in cli("list", "--json").lines]
        assert watched == ["pkg:github/acme/rocket"]
        [asked] = cli("proposals", "--json").lines
        assert (asked["kind"], asked["subject"]) == ("rename", "acme-space/rocket")

        await one.act("answer", number=asked["id"], accept=True, who="somebody")
        await one.poll()
    [watched] = cli("list", "--json").lines
    assert (watched["purl"], watched["owner"], watched["current"]) == (
        "pkg:github/acme-space/rocket", "me", "1.0",
    )  # fmt: skip
    assert watched["stable"] == "1.1"


async def test_C19_spellings_that_its_registry_takes_for_one_are_one_project(
    cli: Cli, registry, now
):
    registry.publish("pypi", "Foo_Bar", "1.0")
    settings = settings_of(cli.state, registry)
    async with station(cli.state, settings, now) as one:
        for name in ("foo-bar", "Foo.Bar", "FOO_BAR"):
            await one.act("watch", what=f"pypi/{name}")
        await one.poll()
        registry.publish("pypi", "Foo_Bar", "1.1")
        for _ in range(3):
            await one.poll(3601)
        assert one.released() == ["pkg:pypi/foo-bar@1.1"]
    assert [w["purl"] for w in cli("list", "--json").lines] == ["pkg:pypi/foo-bar"]
    assert cli("proposals", "--json").lines == []


async def test_C19_another_spelling_that_its_source_does_not_fold_is_proposed(
    cli: Cli, registry, now
):
    """The crates' registry takes `-` and `_` for one name; a list of files does not."""
    registry.publish("crates", "serde_json", "1.0.0")
    crates = Source(
        provider="crates",
        poll=60.0,
        settings={
            "url": registry.crates_index_url,
            "feed": f"{registry.crates_static_url}/rss/updates.xml",
        },
    )
    settings = settings_of(cli.state, registry, sources={"crates": crates})
    async with station(cli.state, settings, now) as one:
        await one.act("watch", what="crates/serde_json")
        await one.poll()
        registry.publish("crates", "serde.json", "1.0.0")
        await one.poll(61)
        assert [e.payload["other"] for e in one.events(Kind.LOOKALIKE)] == ["pkg:cargo/serde.json"]
    [asked] = cli("proposals", "--json").lines
    assert (asked["kind"], asked["purl"], asked["subject"]) == (
        "rename", "pkg:cargo/serde-json", "serde.json",
    )  # fmt: skip
    assert [w["purl"] for w in cli("list", "--json").lines] == ["pkg:cargo/serde-json"]


@pytest.mark.parametrize("follow", ["all", "watched"])
async def test_E20_a_new_project_named_like_a_watched_one_is_told_and_never_followed(
    cli: Cli, registry, now, follow
):
    registry.publish("pypi", "requests", "1.0")
    registry.publish("pypi", "request", "1.0")  # it was there when we came
    settings = settings_of(cli.state, registry, AT_ONCE, follow=follow)
    async with station(cli.state, settings, now) as one:
        await one.act("watch", what="pypi/requests")
        await one.poll()
        for name in ("requessts", "erquests", "aurora"):
            registry.publish("pypi", name, "1.0")
        for _ in range(3):
            await one.poll(3601)

        told = one.events(Kind.LOOKALIKE)
        assert {e.payload["other"] for e in told} == {"pkg:pypi/requessts", "pkg:pypi/erquests"}
        assert {e.project for e in told} == {"pkg:pypi/requests"}
        assert len(told) == 2
        assert [w["purl"] for w in cli("list", "--json").lines] == ["pkg:pypi/requests"]
    item = cli("feed", "--kind", "lookalike", "--json").lines[0]
    assert item["title"] == "A new project is named much like requests"
    assert "differs from it in one letter" in item["_release"]["reason"]
    assert "lookalike" in cli("show", "pypi/requests").out


async def test_E20_a_watched_name_that_turns_up_in_another_ecosystem_is_told(
    cli: Cli, registry, now
):
    registry.publish("pypi", "aurora", "1.0")
    registry.publish("crates", "other", "1.0.0")
    crates = Source(
        provider="crates",
        poll=60.0,
        settings={
            "url": registry.crates_index_url,
            "feed": f"{registry.crates_static_url}/rss/updates.xml",
        },
    )
    settings = settings_of(cli.state, registry)
    both = replace(settings, sources={**settings.sources, "crates": crates})
    async with station(cli.state, both, now) as one:
        await one.act("watch", what="pypi/aurora")
        await one.poll()
        registry.publish("crates", "aurora", "1.0.0")
        await one.poll(61)
        assert [e.payload["other"] for e in one.events(Kind.LOOKALIKE)] == ["pkg:cargo/aurora"]
