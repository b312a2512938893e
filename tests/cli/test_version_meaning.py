"""What a version means, from a forge's tags to what people see (faults C04 to C09, C14)."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from monitor.settings import Source
from tests.store.station import settings_of, station

DAY = 86400


@pytest.fixture
def now():
    """Whole seconds since 1970."""
    return int(time.time())


@pytest.fixture
def see(registry, tmp_path, now, cli):
    """Publish these tags of one repository, look at it, and give `monitor`'s words of it."""

    async def seen(*tags, watched="acme/rocket", command="show"):
        for number, tag in enumerate(tags):
            at = datetime.fromtimestamp(now - (99 - number) * DAY, UTC)
            registry.publish("github", "acme/rocket", tag, at=at, release=False)
        github = Source(
            provider="github",
            settings={"url": registry.github_api_url, "site": registry.github_url},
        )
        settings = settings_of(cli.state, registry, sources={"github": github})
        async with station(cli.state, settings, now) as one:
            await one.act("watch", what=f"github/{watched}")
            await one.poll()
        return cli(command, f"github/{watched}", "--json").json

    return seen


async def test_C04_nonsense_among_the_tags_is_visible_and_never_newest(see, cli):
    seen = await see("1.0", "1.1", "1.2", "nightly-2", "99999", "latest", "main", command="why")

    assert seen["version"] == "1.2"
    assert {one["spelling"]: one["rule"] for one in seen["rejected"]} == {
        "99999": "implausible-jump"
    }
    assert seen["ignored"]["github"].startswith("2: ")
    assert all(name in seen["ignored"]["github"] for name in ("latest", "main"))
    assert "ignored" in cli("why", "github/acme/rocket").out


async def test_C05_a_prerelease_of_a_forge_that_sets_no_flag_is_not_newest_stable(see):
    seen = await see("2.0", "2.1-M3", "2.1.Beta")

    assert seen["stable"] == "2.0"
    assert seen["newest"] in ("2.1-M3", "2.1.Beta")
    assert [one["stable"] for one in seen["versions"]] == [False, False, True]


async def test_C06_a_final_release_is_stable(see):
    seen = await see("2.0-rc1", "2.0-final")

    tags = {one["tag"] or one["version"]: one["stable"] for one in seen["versions"]}
    assert tags == {"2.0-rc1": False, "2.0-final": True}


async def test_C07_the_tenth_follows_the_ninth(see):
    seen = await see("1.9", "1.10", "1.04")

    assert [one["version"] for one in seen["versions"]] == ["1.10", "1.9", "1.04"]


async def test_C08_what_the_scheme_cannot_read_is_kept_below_all_and_shown(
    registry, tmp_path, now, cli
):
    for version in ("1.0.0", "1.0!bar", "1.1.0"):
        registry.publish("crates", "rocket", version)
    crates = Source(
        provider="crates",
        settings={
            "url": registry.crates_index_url,
            "feed": f"{registry.crates_static_url}/rss/updates.xml",
        },
    )
    settings = settings_of(cli.state, registry, sources={"crates": crates})
    async with station(cli.state, settings, now) as one:
        await one.act("watch", what="crates/rocket")
        await one.poll()

    seen = cli("show", "crates/rocket", "--json").json
    assert seen["stable"] == "1.1.0"
    assert [one["version"] for one in seen["versions"]] == ["1.1.0", "1.0.0", "1.0!bar"]
    said = cli("why", "crates/rocket@1.0!bar", "--json").json
    assert said["verdict"]["rule"] == "unreadable"
    assert cli("show", "crates/rocket").code == cli("why", "crates/rocket@1.0!bar").code == 0


async def test_C09_a_version_without_end_is_a_dead_letter_that_status_shows(see, cli):
    long = "1." + ".".join("1" * 150)
    seen = await see("1.0", "1.1", long)

    assert [one["version"] for one in seen["versions"]] == ["1.1", "1.0"]
    [unread] = cli("status", "--json").json["unread"]
    assert unread["source"] == "github"
    assert long[:100] in unread["raw"]
    assert "could not be read" in cli("status").out


async def test_C14_each_project_of_a_repository_gets_its_own_tags_and_the_others_are_counted(
    see, cli
):
    tags = ("rocket-1.0", "rocket-1.1", *(f"booster-3.{n}" for n in range(5)))
    seen = await see(*tags)

    assert seen["stable"] == "1.1"
    assert [one["version"] for one in seen["versions"]] == ["1.1", "1.0"]
    assert "ignored 5: booster-3." in cli("show", "github/acme/rocket").out
