"""Feeds, bulk indexes and cursors against servers that lose count, rewrite, delete and fail."""

from __future__ import annotations

import random
import shutil
import time
from datetime import UTC, datetime

import pytest

from monitor.cli import status
from monitor.crawl import _Stager
from monitor.model import Kind, Outcome
from monitor.settings import Source as SourceSettings
from monitor.store import changeset, due, glance, projects
from tests.lab.gitrepo import GitRepo
from tests.store.shelf import Shelf
from tests.store.station import AT_ONCE, settings_of, station

HOUR, DAY = 3600, 86400


@pytest.fixture
def now():
    """Whole seconds since 1970."""
    return int(time.time())


def at(moment):
    return datetime.fromtimestamp(moment, UTC)


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


def gems(registry, follow):
    return SourceSettings(
        provider="rubygems",
        settings={"url": registry.rubygems_url},
        poll=300.0,
        walk=86400.0,
        follow=follow,
    )


def sent(registry, path):
    """Status and bytes of the answers so far, which are forgotten."""
    found = [(entry.status, entry.sent) for entry in registry.requests(path)]
    registry.forget()
    return found


@pytest.mark.parametrize("follow", ["all", "watched"])
async def test_D08_what_is_appended_is_read_by_range_and_a_rewrite_brings_no_duplicates(
    tmp_path, registry, now, follow
):
    for n in range(200):
        registry.publish("rubygems", f"gem{n}", "1.0", at=at(now - 40 * DAY))
    sources = {"rubygems": gems(registry, follow)}
    async with station(tmp_path, settings_of(tmp_path, registry, sources=sources), now) as one:
        await one.poll()
        await one.act("watch", what="rubygems/gem7")
        await one.poll(300)
        sent(registry, "*")
        registry.publish("rubygems", "gem7", "1.1", at=at(one.at))
        registry.publish("rubygems", "gem9", "1.1", at=at(one.at))
        await one.poll(300)

        [(status, size)] = sent(registry, "/rubygems/versions")
        assert (status, size < 5000) == (206, True)
        assert one.released() == ["pkg:gem/gem7@1.1", "pkg:gem/gem9@1.1"]
        assert one.versions("pkg:gem/gem7") == {"1.0": "listed", "1.1": "listed"}
        # The first day of the month, and something that came between it and our last look.
        registry.publish("rubygems", "gem7", "1.2", at=at(one.at + 10))
        registry.rewrite()
        await one.poll(300)
        assert 200 in [status for status, _ in sent(registry, "/rubygems/versions")]
        assert [event.payload["reason"] for event in one.events(Kind.GAP)]
        for _ in range(3):
            await one.poll(300)
        registry.publish("rubygems", "gem9", "1.2", at=at(one.at))
        sent(registry, "*")
        await one.poll(300)

        assert [status for status, _ in sent(registry, "/rubygems/versions")] == [206]
        assert one.released()[2:] == ["pkg:gem/gem7@1.2", "pkg:gem/gem9@1.2"]
        assert len(one.events(Kind.GAP)) == 1
        assert one.events(Kind.MISSING, Kind.WITHDRAWN, Kind.SUSPECT) == []


async def test_D08_a_server_that_knows_no_ranges_is_read_all_the_same(tmp_path, registry, now):
    registry.rubygems.ranges = False
    registry.publish("rubygems", "gem7", "1.0", at=at(now - 40 * DAY))
    sources = {"rubygems": gems(registry, "watched")}
    async with station(tmp_path, settings_of(tmp_path, registry, sources=sources), now) as one:
        await one.poll()
        registry.publish("rubygems", "gem7", "1.1")
        await one.poll(300)

        assert one.released() == ["pkg:gem/gem7@1.1"]
        assert one.events(Kind.GAP) == []


@pytest.mark.parametrize("follow", ["all", "watched"])
async def test_D09_a_list_whose_history_was_rewritten_brings_no_news(
    tmp_path, registry, now, follow
):
    for n in range(100):
        for version in ("1.0", "1.1", "1.2"):
            registry.publish("rubygems", f"gem{n}", version, at=at(now - 40 * DAY))
    sources = {"rubygems": gems(registry, follow)}
    async with station(tmp_path, settings_of(tmp_path, registry, sources=sources), now) as one:
        await one.act("watch", what="rubygems/gem7")
        await one.poll()
        for _ in range(3):  # another order, other lines, another length; nothing else
            registry.rewrite()
            registry.rubygems.shuffle()
            for _ in range(3):
                await one.poll(300)

        assert one.released() == []
        assert one.events(Kind.MISSING, Kind.WITHDRAWN, Kind.RETAGGED) == []


async def test_D09_a_repository_that_was_squashed_and_pushed_by_force_releases_nothing(
    tmp_path, registry, githttp, now
):
    names = [f"v1.{n}" for n in range(12)]
    for name in names:
        GitRepo(githttp.folder / "tool.git").tag(name)
    source = SourceSettings(provider="git", settings={"url": githttp.url + "{project}.git"})
    settings = settings_of(tmp_path, registry, sources={"git": source})
    async with station(tmp_path, settings, now) as one:
        await one.act("watch", what="git/tool")
        await one.poll()
        shutil.rmtree(githttp.folder / "tool.git")
        squashed = GitRepo(githttp.folder / "tool.git")
        squashed.commit("All of it, in one")
        for name in reversed(names):
            squashed.tag(name, annotated=False)
        for _ in range(3):
            await one.poll(DAY)

        assert one.released() == []
        [alarm] = one.events(Kind.RETAGGED)  # all of them at once, and no news
        assert alarm.payload["alarm"]
        squashed.tag("v1.12")
        await one.poll(DAY)
        assert [release.rpartition("@")[2] for release in one.released()] == ["1.12"]


async def test_D12_a_crate_that_is_deleted_is_withdrawn_with_a_reason_and_all_its_rows_stay(
    tmp_path, registry, now
):
    for version in ("0.1.0", "0.2.0", "0.3.0"):
        registry.publish("crates", "lantern", version, at=at(now - 40 * DAY))
    source = SourceSettings(
        provider="crates",
        settings={
            "url": registry.crates_index_url,
            "feed": f"{registry.crates_static_url}/rss/updates.xml",
        },
        follow="watched",
    )
    settings = settings_of(tmp_path, registry, sources={"crates": source})
    async with station(tmp_path, settings, now) as one:
        await one.act("watch", what="crates/lantern")
        await one.poll()
        registry.withdraw("crates", "lantern", "0.2.0")
        for _ in range(3):
            await one.poll(8 * DAY)
        assert one.versions("pkg:cargo/lantern")["0.2.0"] == "withdrawn"
        assert one.told(Kind.MISSING, Kind.WITHDRAWN) == [
            ("missing", "0.2.0"), ("withdrawn", "0.2.0"),
        ]  # fmt: skip
        registry.withdraw("crates", "lantern")
        for _ in range(6):
            await one.poll(8 * DAY)

        [gone] = [event for event in one.events(Kind.WITHDRAWN) if event.version is None]
        assert (gone.project, gone.payload["reason"]) == ("pkg:cargo/lantern", "gone")
        assert one.versions("pkg:cargo/lantern") == {
            "0.1.0": "listed", "0.2.0": "withdrawn", "0.3.0": "listed",
        }  # fmt: skip
        assert one.released() == []


@pytest.mark.parametrize("follow", ["all", "watched"])
async def test_D12_a_yank_that_the_list_tells_takes_the_version_out_and_keeps_its_row(
    tmp_path, registry, now, follow
):
    for version in ("1.0", "1.1", "1.2"):
        registry.publish("rubygems", "gem7", version, at=at(now - 40 * DAY))
    sources = {"rubygems": gems(registry, follow)}
    async with station(tmp_path, settings_of(tmp_path, registry, sources=sources), now) as one:
        await one.act("watch", what="rubygems/gem7")
        await one.poll()
        registry.yank("rubygems", "gem7", "1.1")
        await one.poll(300)
        assert one.versions("pkg:gem/gem7")["1.1"] == "missing"  # at once: its feed told us
        await one.poll(DAY)

        assert one.versions("pkg:gem/gem7") == {
            "1.0": "listed", "1.1": "withdrawn", "1.2": "listed",
        }  # fmt: skip
        assert one.released() == []


async def test_a_yank_of_a_gem_that_nobody_watches_says_nothing_new(tmp_path, registry, now):
    registry.publish("rubygems", "gem7", "1.0", at=at(now - 40 * DAY))
    sources = {"rubygems": gems(registry, "watched")}
    async with station(tmp_path, settings_of(tmp_path, registry, sources=sources), now) as one:
        await one.poll()
        before = one.told()
        registry.yank("rubygems", "gem7", "1.0")
        reports = await one.poll(300)

        assert outcomes(reports, "feed") == [Outcome.OK]
        assert one.told() == before
        assert registry.requests("/rubygems/info/*") == []


async def deleted(one, registry, *, days=4):
    """A project that is denied for days, until we believe it."""
    await one.poll()
    registry.withdraw("pypi", "aurora")
    for _ in range(4 * days):
        await one.poll(DAY // 4)
    [gone] = one.events(Kind.WITHDRAWN)
    assert gone.project == "pkg:pypi/aurora"


async def test_D13_a_name_that_was_given_to_somebody_else_is_an_alarm_and_nothing_is_queued(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 40 * DAY))
    registry.publish("pypi", "breeze", "1.0", at=at(now - 40 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await deleted(one, registry)
        registry.publish("pypi", "aurora", "1.1", at=at(one.at))
        registry.publish("pypi", "breeze", "1.1", at=at(one.at))
        for _ in range(10):
            await one.poll(DAY // 4)

        [alarm] = one.events(Kind.RECREATED)
        assert (alarm.project, alarm.payload["alarm"]) == ("pkg:pypi/aurora", True)
        assert "none of its 1 versions" in alarm.payload["reason"]
        assert one.files("all") == ["breeze__1.1"]
        assert one.events(Kind.RESTORED) == []
        # A person has looked, and lets it go on.
        await one.act("hold", what="pkg:pypi/aurora", on=False, who="me", why="")
        await one.poll(DAY)
        assert one.files("all") == ["aurora__1.1", "breeze__1.1"]


async def test_D13_the_same_version_with_other_bytes_after_a_deletion_is_an_alarm(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 40 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.act("watch", what="pypi/aurora")
        await deleted(one, registry)
        registry.publish("pypi", "aurora", "1.0", at=at(one.at), source="import evil\n")
        registry.publish("pypi", "aurora", "1.1", at=at(one.at))
        for _ in range(10):
            await one.poll(DAY // 4)

        [alarm] = one.events(Kind.RECREATED)
        assert "1.0 stands for something else" in alarm.payload["reason"]
        assert one.files("all") == []


async def test_D13_a_project_that_comes_back_as_it_was_is_restored_without_alarm(
    tmp_path, registry, now
):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 40 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry, AT_ONCE), now) as one:
        await one.act("watch", what="pypi/aurora")
        await one.poll()
        registry.fail("/pypi/simple/aurora/", 404, times=None)
        for _ in range(60):
            await one.poll(DAY // 4)
        assert one.told(Kind.WITHDRAWN) == [("withdrawn", None)]
        registry.heal()
        registry.publish("pypi", "aurora", "1.1", at=at(one.at))
        for _ in range(10):
            await one.poll(DAY // 4)

        assert one.events(Kind.RECREATED) == []
        assert one.told(Kind.RESTORED) == [("restored", None)]
        assert one.files("all") == ["aurora__1.1"]


def project_urls(registry, name):
    return registry.requests(f"/pypi/simple/{name}/")


async def test_D11_what_fails_for_thirty_days_is_listed_and_asked_again_when_somebody_says_so(
    tmp_path, registry, now
):
    for name in ("aurora", "breeze"):
        registry.publish("pypi", name, "1.0", at=at(now - 40 * DAY))
    source = SourceSettings(
        provider="pypi", settings={"url": registry.pypi_url}, poll=30.0 * DAY, follow="watched"
    )
    settings = settings_of(tmp_path, registry, sources={"pypi": source})
    async with station(tmp_path, settings, now) as one:
        await one.act("watch", what="pypi/aurora")
        await one.poll()
        registry.fail("/pypi/simple/aurora/", 200, times=None, body=b'{"name": "aurora"}')
        registry.forget()
        end = one.at + 30 * DAY
        while (next_one := one.next_due()) < end:
            await one.poll(max(0, next_one - one.at))
        tries = len(project_urls(registry, "aurora"))

        assert 20 <= tries <= 40
        [letter] = projects.troubled(one.reader, one.at, given_up=True)
        assert (letter["purl"], letter["outcome"]) == ("pkg:pypi/aurora", "invalid")
        assert letter["fails"] == tries
        assert projects.troubled(one.reader, one.at) == []
        assert one.versions("pkg:pypi/aurora") == {"1.0": "listed"}
        registry.heal()
        registry.publish("pypi", "aurora", "1.1", at=at(one.at))
        await one.act("nudge", what="pypi/aurora")
        await one.poll(60)
        assert projects.troubled(one.reader, one.at, given_up=True) == []
        assert one.released() == ["pkg:pypi/aurora@1.1"]


async def test_D15_a_notice_only_has_a_project_asked_early(tmp_path, registry, now):
    for name in ("aurora", "breeze"):
        registry.publish("pypi", name, "1.0", at=at(now - 40 * DAY))
    source = SourceSettings(
        provider="pypi", settings={"url": registry.pypi_url}, poll=DAY, follow="watched"
    )
    settings = settings_of(tmp_path, registry, sources={"pypi": source})
    async with station(tmp_path, settings, now) as one:
        await one.act("watch", what="pypi/aurora")
        await one.poll()
        await one.poll(HOUR)
        registry.forget()
        # Forged: of what nobody has published, nobody watches, or nobody could publish.
        for what in ("pypi/aurora", "pypi/breeze", "pypi/nobody", "pkg:pypi/../x", "\x1b[31m", "%"):
            await one.act("nudge", what=what)
        before = one.told()
        await one.poll()
        assert [entry.path for entry in registry.requests()] == ["/pypi/simple/aurora/"]
        assert one.told() == before
        assert projects.find(one.reader, "pypi/nobody") == []

        registry.publish("pypi", "aurora", "1.1", at=at(one.at))
        await one.act("nudge", what="pkg:pypi/aurora")
        await one.poll()
        assert one.released() == []  # it was asked a moment ago
        await one.poll(60)
        assert one.released() == ["pkg:pypi/aurora@1.1"]


async def test_J12_a_thousand_notices_are_one_request(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 40 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.act("watch", what="pypi/aurora")
        await one.poll()
        await one.poll(50)
        registry.forget()
        for _ in range(10):
            for _ in range(100):
                await one.writer.write(
                    lambda db: due.nudge(
                        db, "pkg:pypi/aurora", list(one.runtime.sources.values()), one.at
                    )
                )
            await one.poll(3)

        assert len(project_urls(registry, "aurora")) == 1


@pytest.mark.parametrize("lost", [0.0, 0.5, 1.0])
async def test_D15_lost_doubled_and_late_notices_end_in_the_same_state(
    tmp_path, registry, now, lost
):
    dice = random.Random(7)
    registry.publish("pypi", "aurora", "1.0", at=at(now - 40 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        published = []
        for n in range(1, 11):
            published.append(f"1.{n}")
            registry.publish("pypi", "aurora", published[-1], at=at(one.at))
            for _ in range(2):
                if dice.random() >= lost:
                    await one.act("nudge", what="pypi/aurora")
            await one.poll(60)  # the interval of the feed: no release waits longer
            assert [name.rpartition("@")[2] for name in one.released()] == published
        await one.act("nudge", what="pypi/aurora")
        await one.poll(60)

        assert len(one.released()) == 10


def poisoned(monkeypatch, purl):
    """Whatever is recorded of that project goes wrong."""
    sound = changeset.appraise

    def appraise(db, source, project, **how):
        [name] = db.execute("SELECT purl FROM project WHERE id = ?", (project,)).fetchone()
        if name == purl:
            raise RecursionError("a version without end")
        return sound(db, source, project, **how)

    monkeypatch.setattr(changeset, "appraise", appraise)
    return lambda: monkeypatch.setattr(changeset, "appraise", sound)


async def test_D10_one_project_of_many_whose_page_fails_is_retried_and_the_others_are_done(
    tmp_path, registry, now
):
    names = [f"p{n}" for n in range(40)]
    for name in names:
        registry.publish("pypi", name, "1.0", at=at(now - 40 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        registry.freeze("/pypi/rss/*")  # so that the index alone tells
        registry.fail("/pypi/simple/p7/", 200, times=None, body=b"{}")
        for name in names:
            registry.publish("pypi", name, "1.1", at=at(now))
        await one.poll(HOUR + 1)

        assert len(one.released()) == 39
        assert "pkg:pypi/p7@1.1" not in one.released()
        [[name, fails, revision]] = one.reader.execute(
            "SELECT name, fails, revision FROM listing WHERE error IS NOT NULL"
        ).fetchall()
        assert (name, fails) == ("p7", 1)
        assert revision == str(registry.pypi.projects["p7"].serial)
    async with station(tmp_path, settings_of(tmp_path, registry), now + 2 * HOUR) as again:
        await again.poll()
        assert len(again.released()) == 39
        registry.heal()
        registry.freeze("/pypi/*/")
        await again.poll(HOUR)
        assert sorted(again.released()) == sorted(f"pkg:pypi/{name}@1.1" for name in names)


async def test_D10_one_project_of_an_index_that_cannot_be_stored_keeps_no_other_from_it(
    tmp_path, registry, apache, now, monkeypatch
):
    def put(version, count=500):
        for n in range(count):
            (apache.folder / f"tool{n}-{version}.tar.gz").write_bytes(b"x")

    put("1.0")
    source = SourceSettings(provider="folder", settings={"url": apache.url}, walk=HOUR)
    settings = settings_of(tmp_path, registry, sources={"folder": source})
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        heal = poisoned(monkeypatch, "pkg:generic/folder/tool7")
        put("1.1")
        [report] = await one.poll(HOUR)

        assert report.result.outcome is Outcome.OK
        assert len(one.released()) == 499
        [letter] = glance.unread(one.reader)
        assert (letter["raw"], letter["entries"]) == ("tool7", 1)
        assert "RecursionError" in letter["reason"]
        assert one.versions("pkg:generic/folder/tool7") == {"1.0": "listed"}
        heal()
        put("1.2", count=1)  # the next walk that is one brings what was left out
        await one.poll(HOUR)
        assert "pkg:generic/folder/tool7@1.1" in one.released()
        assert one.events(Kind.MISSING) == []


async def test_D10_one_project_of_a_feed_that_cannot_be_stored_keeps_no_other_from_it(
    tmp_path, registry, now, monkeypatch
):
    for n in range(30):
        registry.publish("crates", f"p{n}", "1.0.0", at=at(now - 600))
    source = SourceSettings(
        provider="crates",
        settings={
            "url": registry.crates_index_url,
            "feed": f"{registry.crates_static_url}/rss/updates.xml",
        },
        poll=300.0,
        follow="watched",
    )
    settings = settings_of(tmp_path, registry, sources={"crates": source})
    async with station(tmp_path, settings, now) as one:
        await one.poll()
        heal = poisoned(monkeypatch, "pkg:cargo/p7")
        for n in range(30):
            registry.publish("crates", f"p{n}", "1.1.0", at=at(now))
        [report] = await one.poll(300)
        assert report.result.outcome is Outcome.OK
        assert len(one.released()) == 29
        [letter] = glance.unread(one.reader)
        assert letter["raw"] == "p7"
        heal()
        registry.publish("crates", "p1", "1.2.0", at=at(now))  # so that the feed is another one
        await one.poll(300)

        assert len(one.released()) == 31
        assert "pkg:cargo/p7@1.1.0" in one.released()


async def test_D10_where_nothing_can_be_stored_the_visit_as_a_whole_is_to_blame(
    tmp_path, registry, now, monkeypatch
):
    for n in range(30):
        registry.publish("pypi", f"p{n}", "1.0", at=at(now - 600))
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        before = one.told()

        def appraise(*_, **__):
            raise RecursionError("whatever it is")

        monkeypatch.setattr(changeset, "appraise", appraise)
        for n in range(30):
            registry.publish("pypi", f"p{n}", "1.1", at=at(now))
        reports = await one.poll(60)

        assert outcomes(reports, "feed") == [Outcome.INVALID]
        assert one.told() == before


def test_D10_one_of_ten_thousand_entries_that_cannot_be_staged_is_a_dead_letter(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.add("shelf", "index")
    stager = _Stager(shelf.visit("index"))
    names = [f"p{n}" for n in range(10_000)]
    sound = stager._purl

    def purl(name):
        if name == "p7000":
            raise ValueError("no such name")
        return sound(name)

    stager._purl = purl
    stager.add_rows([(name, "1.0", None, None, None) for name in names])

    assert len(stager._bare) == 9_999
    assert [letter.raw for letter in stager.visit.unread] == ["p7000 1.0"]
    shelf.db.close()


async def test_D16_an_interface_that_refuses_a_parameter_is_named_with_it_and_its_provider(
    tmp_path, registry, now
):
    registry.publish("github", "owner/tool", "v1.0", at=at(now - 40 * DAY))
    source = SourceSettings(
        provider="github", settings={"url": registry.github_api_url, "site": registry.github_url}
    )
    settings = settings_of(tmp_path, registry, sources={"github": source})
    async with station(tmp_path, settings, now) as one:
        await one.act("watch", what="github/owner/tool")
        await one.poll()
        registry.fail(
            "/github/*", 400, times=None, body=b'{"message": "per_page is not supported any more"}'
        )
        [report] = await one.poll(8 * DAY)
        [trouble] = projects.troubled(one.reader, one.at, given_up=True)

        assert report.result.outcome is Outcome.INVALID
        assert trouble["error"].startswith(f"{registry.github_api_url}/repos/owner/tool/releases?")
        assert "names per_page=100" in trouble["error"]
        assert "provider github" in trouble["remedy"]
        assert one.versions("pkg:github/owner/tool") == {"1.0": "listed"}


async def test_D16_a_feed_that_was_removed_names_its_address_and_provider(tmp_path, registry, now):
    registry.publish("pypi", "aurora", "1.0", at=at(now - 40 * DAY))
    async with station(tmp_path, settings_of(tmp_path, registry), now) as one:
        await one.poll()
        registry.fail("/pypi/rss/*", 410, times=None)
        registry.publish("pypi", "aurora", "1.1", at=at(now))
        await one.poll(HOUR + 1)
        [feed] = [row for row in projects.sources(one.reader) if row["mechanism"] == "feed"]

        assert (feed["outcome"], registry.pypi_url in feed["error"]) == ("gone", True)
        assert "provider pypi" in feed["remedy"]
        assert one.released() == ["pkg:pypi/aurora@1.1"]  # by the other route, the index


def at_standstill(registry, *, follow):
    """PyPI as it is asked by default, with news that may be two hours old."""
    return SourceSettings(
        provider="pypi",
        settings={"url": registry.pypi_url},
        poll=300.0,
        walk=3600.0,
        fresh=2.0 * HOUR,
        follow=follow,
    )


@pytest.mark.parametrize("follow", ["all", "watched"])
async def test_D05_a_source_that_stands_still_while_projects_release_is_seen_through(
    tmp_path, registry, now, follow
):
    for n in range(20):
        registry.publish("pypi", f"p{n}", "1.0", at=at(now - 40 * DAY))
    sources = {"pypi": at_standstill(registry, follow=follow)}
    async with station(tmp_path, settings_of(tmp_path, registry, sources=sources), now) as one:
        for n in range(8):
            await one.act("watch", what=f"pypi/p{n}")
        await one.poll()
        registry.publish("pypi", "p7", "1.1", at=at(now))
        await one.poll(300)
        for path in ("/pypi/rss/*", "/pypi/simple/"):
            registry.freeze(path)
        began, minor = one.at, 2
        while not one.events(Kind.STALLED) and one.at < began + 12 * HOUR:
            if one.at >= began + minor * HOUR:
                registry.publish("pypi", "p7", f"1.{minor}", at=at(one.at))
                minor += 1
            await one.poll(300)

        assert one.at < began + 6 * HOUR
        assert one.released()[0] == "pkg:pypi/p7@1.1"
        assert one.released()[-1] >= "pkg:pypi/p7@1.2"
        alarm = one.events(Kind.STALLED)[0]
        assert (alarm.source, alarm.payload["alarm"]) == ("pypi", True)
        assert alarm.payload["mechanism"] in ("feed", "index")
        rows = {row["mechanism"]: row for row in projects.sources(one.reader)}
        assert rows["feed"]["stalled"] is not None
        shown = status._source(one.runtime.sources["pypi"], "feed", rows["feed"], now, one.at)
        assert shown["stale"]  # so that `monitor status` ends with 3
        assert "STANDS STILL" in status._told(shown, one.at)[0]
        # Every watched project is asked by itself now, until the source moves again.
        registry.publish("pypi", "p2", "1.1", at=at(one.at))
        for _ in range(30):
            await one.poll(300)
        assert "pkg:pypi/p2@1.1" in one.released()
        registry.heal()
        for _ in range(13):
            await one.poll(300)
        assert [row["stalled"] for row in projects.sources(one.reader)] == [None] * len(rows)
        assert len(one.released()) == len(set(one.released()))
        assert {name for name in one.released() if "p7" in name} == {
            f"pkg:pypi/p7@1.{n}" for n in range(1, minor)
        }
        assert len(one.events(Kind.STALLED)) <= len(rows)


async def test_D05_a_quiet_weekend_is_no_alarm_and_costs_few_requests(tmp_path, registry, now):
    for n in range(20):
        registry.publish("pypi", f"p{n}", "1.0", at=at(now - 40 * DAY))
    sources = {"pypi": at_standstill(registry, follow="watched")}
    async with station(tmp_path, settings_of(tmp_path, registry, sources=sources), now) as one:
        for n in range(20):
            await one.act("watch", what=f"pypi/p{n}")
        await one.poll()
        registry.forget()
        for _ in range(2 * 24 * 4):
            await one.poll(900)

        assert one.events(Kind.STALLED) == []
        assert len(registry.requests("/pypi/simple/p*")) <= 2 * 24 * 4 + 5 * 24
        # The first release after it is told by the feed, and nothing is wrong.
        registry.publish("pypi", "p3", "1.1", at=at(one.at))
        for _ in range(8):
            await one.poll(300)
        assert one.released() == ["pkg:pypi/p3@1.1"]
        assert one.events(Kind.STALLED) == []


async def test_D16_while_a_feed_is_refused_the_watched_projects_are_asked_one_by_one(
    tmp_path, registry, now
):
    for n in range(20):
        registry.publish("pypi", f"p{n}", "1.0", at=at(now - 40 * DAY))
    sources = {"pypi": at_standstill(registry, follow="watched")}
    async with station(tmp_path, settings_of(tmp_path, registry, sources=sources), now) as one:
        for n in range(20):
            await one.act("watch", what=f"pypi/p{n}")
        await one.poll()
        registry.fail("/pypi/rss/*", 400, times=None)
        for n in range(20):
            registry.publish("pypi", f"p{n}", "1.1", at=at(one.at))
        for _ in range(6):
            await one.poll(HOUR)

        assert sorted(one.released()) == sorted(f"pkg:pypi/p{n}@1.1" for n in range(20))
