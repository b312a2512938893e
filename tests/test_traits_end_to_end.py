"""What releases say of themselves, from the registry to the queue and what people see."""

from __future__ import annotations

import time

import pytest

from monitor.model import Kind
from monitor.settings import Build, Source
from monitor.store import projects
from tests.lab.artefacts import make_sdist, make_source_archive
from tests.store.station import AT_ONCE, settings_of, station
from tests.test_life_of_a_release import at

HOUR, DAY = 3600, 86400
FLASK = {"kind": "GitHub", "repository": "aurora/aurora", "workflow": "publish.yml"}
OTHER = FLASK | {"repository": "stranger/aurora"}


@pytest.fixture
def now():
    return int(time.time())


async def released(one, registry, version, **more):
    """Publish one more release of the project, and look at it."""
    registry.publish("pypi", "aurora", version, at=at(one.at + 60), **more)
    await one.poll(61)


def payload(one, kind):
    [event] = one.events(kind)
    return event.payload | {"version": event.version}


async def test_E06_a_release_that_is_not_attested_as_those_before_is_held(tmp_path, registry, now):
    for n in range(5):
        registry.publish("pypi", "aurora", f"1.{n}", at=at(now - 9 * DAY), publisher=FLASK)
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        await released(one, registry, "1.5")

        told = payload(one, Kind.PROVENANCE_LOST)
        assert told["alarm"]
        assert told["reason"] == "1.5 is not attested, 1.4 was"
        assert (told["version_before"], told["version"]) == ("1.4", "1.5")
        assert one.jobs() == {"1.5": "held"}
        assert one.files("all") == []

        await released(one, registry, "1.6")  # nor does the next one count as usual
        assert len(one.events(Kind.PROVENANCE_LOST)) == 2
        assert one.jobs()["1.6"] == "held"
        await released(one, registry, "1.7", publisher=FLASK)
        assert one.jobs()["1.7"] == "ready"


async def test_E06_what_somebody_has_accepted_is_what_later_releases_are_compared_with(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), publisher=FLASK)
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        await released(one, registry, "1.1")
        await one.act("hold", what="pkg:pypi/aurora", version="1.1", who="me", why="", on=False)
        await released(one, registry, "1.2")

        assert one.told(Kind.PROVENANCE_LOST) == [("provenance_lost", "1.1")]
        assert one.jobs()["1.2"] == "ready"


async def test_E06_whoever_says_so_has_it_told_and_not_held(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), publisher=FLASK)
    rule = Build(match="pkg:pypi/*", minimum_age=0.0, hold=())
    async with station(tmp_path, settings_of(tmp_path, registry, rule), now) as one:
        await one.poll()
        await released(one, registry, "1.1")

        assert one.told(Kind.PROVENANCE_LOST) == [("provenance_lost", "1.1")]
        assert one.jobs() == {"1.1": "ready"}


async def test_E06_a_file_that_comes_later_without_attestation_is_an_alarm_too(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), publisher=FLASK)
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        await released(one, registry, "1.1", publisher=FLASK)
        assert one.jobs() == {"1.1": "ready"}
        wheel = {"aurora-1.1-cp313-cp313-win_arm64.whl": b"strange"}
        registry.publish("pypi", "aurora", "1.1", files=wheel, at=at(one.at + 60))
        await one.poll(HOUR + 1)

        assert payload(one, Kind.PROVENANCE_LOST)["value"] == "partly"
        assert one.jobs() == {"1.1": "held"}


async def test_E07_a_release_attested_by_another_repository_is_held(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), publisher=FLASK)
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        await released(one, registry, "1.1", publisher=FLASK | {"environment": "release"})
        assert one.jobs() == {"1.1": "ready"}
        await released(one, registry, "1.2", publisher=OTHER)

        told = payload(one, Kind.IDENTITY_CHANGED)
        assert told["alarm"]
        assert told["value"] == "GitHub repository=stranger/aurora workflow=publish.yml"
        assert told["value_before"] == "GitHub repository=aurora/aurora workflow=publish.yml"
        assert one.jobs()["1.2"] == "held"
        [item] = [i["_release"] for i in one.feed() if i["_release"]["kind"] == "identity_changed"]
        assert item["details"]["version_before"] == "1.1"


async def test_E08_an_endpoint_that_is_down_is_unknown_not_absent(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), publisher=FLASK)
    rule = Build(match="pkg:pypi/*", minimum_age=3.0 * DAY)
    async with station(tmp_path, settings_of(tmp_path, registry, rule), now) as one:
        await one.poll()
        registry.fail("/pypi/integrity/*", 503, None)
        await released(one, registry, "1.1", publisher=OTHER)
        seen = one.at
        for _ in range(70):
            await one.poll(HOUR)
        assert one.told(Kind.PROVENANCE_LOST, Kind.IDENTITY_CHANGED) == []
        assert one.jobs() == {"1.1": "waiting"}
        await one.poll(seen + 3 * DAY - one.at)
        assert one.jobs() == {"1.1": "ready"}  # and no longer than its cool-down

        registry.heal()
        await one.poll(DAY)  # nothing is lost: it is told, and held, when it is known
        assert one.told(Kind.IDENTITY_CHANGED) == [("identity_changed", "1.1")]
        assert one.jobs() == {"1.1": "held"}


async def test_E08_without_a_cool_down_the_first_failure_ends_the_wait(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), publisher=FLASK)
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        await released(one, registry, "1.1", publisher=FLASK)
        registry.fail("/pypi/integrity/*", 503, None)
        await released(one, registry, "1.2", publisher=FLASK)

        assert one.jobs()["1.2"] == "ready"
        assert one.told(Kind.PROVENANCE_LOST, Kind.IDENTITY_CHANGED) == []


async def test_E09_new_maintainers_are_told_before_the_queue_and_wait_twice_as_long(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), owners=["ann", "bob"])
    rule = Build(match="pkg:pypi/*", minimum_age=3.0 * DAY)
    async with station(tmp_path, settings_of(tmp_path, registry, rule), now) as one:
        await one.poll()
        await released(one, registry, "1.1")
        await one.poll(3 * DAY + HOUR)
        assert one.jobs() == {"1.1": "ready"}
        await released(one, registry, "1.2", owners=["ann", "mallory"])
        seen = one.at
        await one.poll(5 * DAY)
        told = payload(one, Kind.MAINTAINER_CHANGED)
        assert told["reason"] == "the maintainers changed since 1.1: with mallory, without bob"
        assert one.jobs()["1.2"] == "waiting"
        assert one.events(Kind.HELD)[-1].payload["eligible"] == seen + 6 * DAY
        await one.poll(seen + 6 * DAY - one.at)

        assert one.jobs()["1.2"] == "ready"
        kinds = [kind for kind, version in one.told() if version == "1.2"]
        assert kinds.index("maintainer_changed") < kinds.index("queued")


async def test_E09_whoever_wants_it_has_new_maintainers_held(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), owners=["ann"])
    rule = Build(match="pkg:pypi/*", minimum_age=0.0, hold=("maintainer_changed",))
    async with station(tmp_path, settings_of(tmp_path, registry, rule), now) as one:
        await one.poll()
        await released(one, registry, "1.1")
        await released(one, registry, "1.2", owners=["mallory"])

        assert one.jobs()["1.2"] == "held"


@pytest.mark.parametrize(("hold", "state"), [((), "ready"), (("licence_changed",), "held")])
async def test_E10_another_licence_is_told_with_both_and_held_where_the_policy_says_so(
    tmp_path, registry, now, hold, state
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    rule = Build(match="pkg:pypi/*", minimum_age=0.0, hold=hold)
    async with station(tmp_path, settings_of(tmp_path, registry, rule), now) as one:
        await one.poll()
        await released(one, registry, "1.1", info={"license_expression": "BUSL-1.1"})

        told = payload(one, Kind.LICENCE_CHANGED)
        assert (told["value_before"], told["value"]) == ("MIT", "BUSL-1.1")
        assert one.jobs() == {"1.1": state}


async def test_E11_another_source_repository_is_told(tmp_path, registry, now):
    urls = {"Source Code": "https://github.com/aurora/aurora.git"}
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), info={"project_urls": urls})
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        same = {"repository": "https://www.github.com/Aurora/aurora/"}
        await released(one, registry, "1.1", info={"project_urls": same})
        assert one.told(Kind.SOURCE_MOVED) == []
        other = {"Source": "https://github.com/stranger/aurora"}
        await released(one, registry, "1.2", info={"project_urls": other})

        told = payload(one, Kind.SOURCE_MOVED)
        assert told["value"] == "https://github.com/stranger/aurora"
        assert one.jobs()["1.2"] == "ready"


async def test_E22_a_release_that_newly_runs_code_when_it_is_installed_says_so(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        await released(one, registry, "1.1")
        await released(
            one, registry, "1.2", files={"aurora-1.2.tar.gz": make_sdist("aurora", "1.2")}
        )

        told = payload(one, Kind.CHANGED)
        assert told["reason"] == "installing 1.2 runs code of its own, installing 1.1 did not"
        assert told["version"] == "1.2"
        assert one.jobs()["1.2"] == "ready"
        queued = {event.version: event.payload for event in one.events(Kind.QUEUED)}
        assert queued["1.2"]["notices"] == [told["reason"]]
        assert "notices" not in queued["1.1"]


# ── the other registries ──────────────────────────────────────────────────────────────

TOKIO = {"provider": "github", "repository": "tokio-rs/tokio"}


def watching(tmp_path, registry, provider, project, **settings):
    """A monitor that watches and builds one project of another registry."""
    source = Source(
        name=provider, provider=provider, settings=settings, projects=(project,), follow="watched",
        min_interval=60.0, max_interval=60.0,
    )  # fmt: skip
    return settings_of(
        tmp_path, registry, Build(match="*", minimum_age=0.0), sources={provider: source}
    )


def crates(tmp_path, registry):
    return watching(
        tmp_path, registry, "crates", "tokio", url=registry.crates_index_url,
        feed=f"{registry.crates_static_url}/rss/updates.xml", api=registry.crates_static_url,
    )  # fmt: skip


async def test_E06_E07_a_crate_that_no_workflow_or_another_one_published_is_held(
    tmp_path, registry, now
):
    registry.publish("crates", "tokio", "1.0.0", at=at(now - 9 * DAY), trustpub=TOKIO)
    async with station(tmp_path, crates(tmp_path, registry), now) as one:
        await one.poll()
        for version, publisher in (
            ("1.0.1", TOKIO),
            ("1.0.2", None),
            ("1.0.3", TOKIO | {"repository": "stranger/tokio"}),
        ):
            registry.publish("crates", "tokio", version, trustpub=publisher)
            await one.poll(HOUR)

        assert one.told(Kind.PROVENANCE_LOST) == [("provenance_lost", "1.0.2")]
        assert one.told(Kind.IDENTITY_CHANGED) == [("identity_changed", "1.0.3")]
        assert {one.jobs()["1.0.2"], one.jobs()["1.0.3"]} == {"held"}


async def test_E09_a_crate_by_a_new_uploader_is_told_and_one_by_a_former_one_is_not(
    tmp_path, registry, now
):
    registry.publish("crates", "tokio", "1.0.0", at=at(now - 9 * DAY), uploader="ann")
    async with station(tmp_path, crates(tmp_path, registry), now) as one:
        await one.poll()
        for version, uploader in (("1.0.1", "bob"), ("1.0.2", "ann"), ("1.0.3", "bob")):
            registry.publish("crates", "tokio", version, uploader=uploader)
            await one.poll(HOUR)

        assert one.told(Kind.MAINTAINER_CHANGED) == [("maintainer_changed", "1.0.1")]


async def test_E10_E11_a_repository_that_was_renamed_and_put_under_another_licence_is_told(
    tmp_path, registry, now
):
    registry.publish("github", "ann/tool", "v1.0.0", at=at(now - 9 * DAY))
    settings = watching(
        tmp_path, registry, "github", "ann/tool", url=registry.github_api_url,
        site=registry.github_url,
    )  # fmt: skip
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        registry.publish("github", "ann/tool", "v1.1.0")
        await one.poll(HOUR)
        assert one.released() == ["pkg:github/ann/tool@1.1.0"]
        registry.rename("ann/tool", "corp/tool")
        registry.publish("github", "corp/tool", "v1.2.0", author="ann", licence="BUSL-1.1")
        await one.poll(HOUR)

        assert payload(one, Kind.LICENCE_CHANGED)["value"] == "BUSL-1.1"
        [moved] = one.events(Kind.SOURCE_MOVED)  # and not once more of the release
        assert (moved.version, moved.payload["name"]) == (None, "corp/tool")
        assert one.told(Kind.MAINTAINER_CHANGED) == []


async def test_a_source_that_is_told_not_to_ask_asks_nothing_more(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    source = Source(
        provider="pypi", settings={"url": registry.pypi_url}, follow="all", traits=False
    )
    settings = settings_of(tmp_path, registry, AT_ONCE, sources={"pypi": source})
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        await released(one, registry, "1.1")
        await one.poll(HOUR)

        assert one.jobs() == {"1.1": "ready"}
        assert registry.requests("/pypi/pypi/*") == []


async def test_what_nobody_watches_or_builds_is_not_asked(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        await released(one, registry, "1.1")
        await one.poll(HOUR)

        assert one.released() == ["pkg:pypi/aurora@1.1"]
        assert registry.requests("/pypi/pypi/*") == []


async def test_a_new_release_costs_one_question_and_one_for_each_kind_of_attested_file(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 9 * DAY), publisher=FLASK)
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.poll()
        await released(one, registry, "1.1", publisher=FLASK)  # and the release before it
        registry.forget()
        await released(one, registry, "1.2", publisher=FLASK)
        for _ in range(5):
            await one.poll(HOUR + 1)

        assert len(registry.requests("/pypi/pypi/*")) == 1
        assert len(registry.requests("/pypi/integrity/*")) == 2


# ── signatures beside archives ────────────────────────────────────────────────────────


def put(apache, version, *, signed=True):
    """An archive in a folder of a web server, and its signature."""
    folder = apache.folder / "aurora"
    folder.mkdir(exist_ok=True)
    archive = folder / f"aurora-{version}.tar.gz"
    archive.write_bytes(make_source_archive("aurora", version))
    if signed:
        archive.with_name(f"{archive.name}.sig").write_bytes(b"signature\n")


def folder_of(apache, tmp_path, registry):
    source = Source(
        name="files", provider="folder", settings={"url": f"{apache.url}{{project}}/"},
        projects=("aurora",), follow="watched", min_interval=60.0, max_interval=60.0,
    )  # fmt: skip
    rule = Build(match="*", minimum_age=DAY * 1.0)
    return settings_of(tmp_path, registry, rule, sources={"files": source})


async def test_E06_a_release_without_a_signature_after_signed_ones_is_held(
    tmp_path, registry, apache, now
):
    put(apache, "1.0")
    async with station(tmp_path, folder_of(apache, tmp_path, registry), now) as one:
        await one.poll()
        put(apache, "1.1")
        await one.poll(HOUR)
        put(apache, "1.2", signed=False)
        for _ in range(30):
            await one.poll(HOUR)

        told = payload(one, Kind.PROVENANCE_LOST)
        assert told["reason"] == "no signature lies beside 1.2, one lay beside 1.1"
        assert one.jobs()["1.2"] == "held"


async def test_E06_a_signature_that_comes_within_hours_is_waited_for(
    tmp_path, registry, apache, now
):
    put(apache, "1.0")
    async with station(tmp_path, folder_of(apache, tmp_path, registry), now) as one:
        await one.poll()
        put(apache, "1.1", signed=False)
        for _ in range(4):
            await one.poll(HOUR)
        put(apache, "1.1")
        for _ in range(4):
            await one.poll(HOUR)

        assert one.told(Kind.PROVENANCE_LOST) == []


async def test_E06_a_signature_that_comes_late_takes_the_hold_back(tmp_path, registry, apache, now):
    put(apache, "1.0")
    async with station(tmp_path, folder_of(apache, tmp_path, registry), now) as one:
        await one.poll()
        put(apache, "1.1", signed=False)
        for _ in range(12):
            await one.poll(HOUR)
        assert one.told(Kind.PROVENANCE_LOST) == [("provenance_lost", "1.1")]
        assert projects.held(one.reader, 1, "1.1")
        put(apache, "1.1")
        for _ in range(3):
            await one.poll(HOUR)

        assert one.events(Kind.CHANGED)[-1].payload["reason"] == (
            "no longer so: no signature lies beside 1.1, one lay beside 1.0"
        )
        assert projects.held(one.reader, 1, "1.1") is None


async def test_E06_what_a_person_holds_stays_held(tmp_path, registry, apache, now):
    put(apache, "1.0")
    async with station(tmp_path, folder_of(apache, tmp_path, registry), now) as one:
        await one.poll()
        put(apache, "1.1", signed=False)
        for _ in range(12):
            await one.poll(HOUR)
        await one.act(
            "hold", what="pkg:generic/files/aurora", version="1.1", who="me", why="I look"
        )
        put(apache, "1.1")
        for _ in range(3):
            await one.poll(HOUR)

        assert projects.held(one.reader, 1, "1.1") == "held by me: I look"
