"""Faults through the whole stack: a daemon as a process, the lab's registry, and what users see."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.acts import call
from monitor.errors import UsageError
from tests.chaos.rig import Rig
from tests.conftest import need
from tests.lab.registry import Registry
from tests.test_daemon import ROOT


@pytest.fixture
def rig(tmp_path: Path, registry: Registry) -> Iterator[Rig]:
    """Not started yet; watches the lab's PyPI."""
    made = Rig(tmp_path, registry)
    made.only("pypi")
    yield made
    made.end()


def test_E03_what_is_held_leaves_the_build_folder_and_comes_back_with_its_release(
    rig: Rig, registry: Registry
) -> None:
    registry.publish("pypi", "aurora", "1.0")
    rig.start()
    registry.publish("pypi", "aurora", "1.1")
    rig.until(lambda: rig.files("build") == ["aurora__1.1"])
    recipe = (rig.queue / "all" / "aurora__1.1").read_bytes()

    _, release = registry.pypi.find("aurora", "1.1")
    for file in release.files.values():
        file.sha256 = "0" * 64
    registry.pypi.yank("aurora", "1.0", None)  # so that the page moves

    rig.until(lambda: rig.files("build") == [])
    assert rig.jobs() == {"pkg:pypi/aurora@1.1": "held"}
    assert (rig.queue / "all" / "aurora__1.1").read_bytes() == recipe
    assert rig.process.ask("unhold", "pypi/aurora@1.1").returncode == 0
    rig.until(lambda: rig.files("build") == ["aurora__1.1"])


def test_E06_whoever_is_asked_why_sees_what_attested_the_release_before(
    rig: Rig, registry: Registry
) -> None:
    publisher = {"kind": "GitHub", "repository": "aurora/aurora", "workflow": "publish.yml"}
    registry.publish("pypi", "aurora", "1.0", publisher=publisher)
    rig.start()
    registry.publish("pypi", "aurora", "1.1", publisher=publisher)
    rig.until(lambda: rig.files("build") == ["aurora__1.1"])
    registry.publish("pypi", "aurora", "1.2", info={"license_expression": "BUSL-1.1"})
    rig.until(lambda: rig.jobs().get("pkg:pypi/aurora@1.2") == "held")

    assert ("provenance_lost", "aurora", "1.2") in rig.told()
    assert ("licence_changed", "aurora", "1.2") in rig.told()
    why = rig.process.ask("why", "pypi/aurora@1.2").stdout
    assert "held by monitor: 1.2 is not attested, 1.1 was" in why
    assert "provenance: none, and attested before" in why
    show = rig.process.ask("show", "pypi/aurora").stdout
    assert "BUSL-1.1, and MIT before" in show
    said = {one["name"]: one for one in rig.json("why", "pypi/aurora@1.1")["says"]}
    assert said["identity"]["value"] == "GitHub repository=aurora/aurora workflow=publish.yml"

    assert rig.process.ask("unhold", "pypi/aurora@1.2").returncode == 0
    rig.until(lambda: "aurora__1.2" in rig.files("build"))
    registry.publish("pypi", "aurora", "1.3")  # from now on that is usual
    rig.until(lambda: "aurora__1.3" in rig.files("build"))


def test_E17_a_recipe_is_in_one_place_whatever_its_upstream_takes_back_and_gives_again(
    rig: Rig, registry: Registry
) -> None:
    registry.publish("pypi", "aurora", "1.0")
    rig.start()
    registry.publish("pypi", "aurora", "1.1")
    rig.until(lambda: rig.files("build") == ["aurora__1.1"])

    registry.yank("pypi", "aurora", "1.1", "broken")
    rig.until(lambda: rig.files("revoked") == ["aurora__1.1"])
    assert rig.files("all") == rig.files("build") == []
    registry.unyank("pypi", "aurora", "1.1")
    rig.until(lambda: rig.files("build") == ["aurora__1.1"])

    assert rig.files("all") == ["aurora__1.1"]
    assert rig.files("revoked") == []


def test_H03_queue_and_feed_folders_that_were_taken_away_are_made_anew(
    rig: Rig, registry: Registry
) -> None:
    registry.publish("pypi", "aurora", "1.0")
    rig.start()
    registry.publish("pypi", "aurora", "1.1")
    rig.until(lambda: rig.files("build") == ["aurora__1.1"])

    shutil.rmtree(rig.queue)
    shutil.rmtree(rig.process.state / "feed")
    registry.publish("pypi", "aurora", "1.2")
    rig.until(lambda: "aurora__1.2" in rig.files("build"))

    assert rig.files("all") == ["aurora__1.1", "aurora__1.2"]
    told = rig.until(lambda: rig.told("released"))
    assert told == [("released", "aurora", "1.1"), ("released", "aurora", "1.2")]


def test_H06_a_queue_that_cannot_be_written_stops_neither_the_asking_nor_the_feed(
    rig: Rig, registry: Registry
) -> None:
    registry.publish("pypi", "aurora", "1.0")
    rig.start()
    rig.queue.rename(rig.folder / "taken")  # at once: it is written to
    rig.queue.write_text("something else stands here")

    for number in range(1, 4):
        registry.publish("pypi", "aurora", f"1.{number}")
        # queued, not just released: of two releases in one turn only the newer is queued
        rig.until(lambda n=number: ("queued", "aurora", f"1.{n}") in rig.told())
    stuck = rig.process.until("cannot go on", output="queue")
    assert stuck["remedy"]
    rig.queue.unlink()

    rig.until(lambda: len(rig.files("all")) == 3)


ANSWER = {"content-type": "application/vnd.pypi.simple.v1+json"}


def page(project: str, versions: list[str], **file: object) -> bytes:
    """A project's page in which one file says that."""
    said = {
        "filename": f"{project}-{versions[-1]}.tar.gz",
        "url": "x.tar.gz",
        "hashes": {"sha256": "a" * 64},
    }
    return json.dumps({"name": project, "versions": versions, "files": [said | file]}).encode()


def test_B_what_no_file_and_no_date_can_be_says_nothing_and_hides_nothing(
    rig: Rig, registry: Registry
) -> None:
    said: dict[str, dict[str, object]] = {
        "huge": {"size": 10**30},
        "negative": {"size": -5},
        "last": {"size": 5, "upload-time": "9999-12-31T23:59:59.999999Z"},
        "first": {"size": 5, "upload-time": "0001-01-01T00:00:00+14:00"},
        "torn": {"yanked": "half a pair: \ud800"},
        "plain": {},
    }
    for project in said:
        registry.publish("pypi", project, "1.0")
    rig.start()
    for project in said:
        assert rig.process.ask("watch", f"pypi/{project}").returncode == 0
        rig.process.until("visit", mechanism="versions", project=project, outcome="ok")
    for project, file in said.items():
        body = page(project, ["1.0", "2.0"], **file)
        registry.fail(f"/pypi/simple/{project}/", 200, None, ANSWER, body)
    rig.process.ask("poll")

    told = {("released", project, "2.0") for project in said}
    rig.until(lambda: told <= set(rig.told("released")))
    assert rig.json("status")["troubled"] == []
    assert not [line for line in rig.process.lines() if line["event"] == "visit failed"]


@pytest.mark.parametrize("standard_error", ["/dev/full", None])
def test_H04_a_log_that_cannot_be_written_ends_nothing(
    rig: Rig, registry: Registry, standard_error: str | None
) -> None:
    """The log's disk may be full, or whoever started us may have closed standard error."""
    registry.publish("pypi", "aurora", "1.0")
    redirect = f"2>{standard_error}" if standard_error else "2>&-"
    command = shlex.join(rig.process.command("run"))
    # As services run, and not as some test machines do: what is said waits to be written.
    usual = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    rig.process.running = subprocess.Popen(
        ["bash", "-c", f"exec {command} {redirect}"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        env=usual,
    )
    rig.until(lambda: len(rig.told("baseline")) == 2)

    registry.publish("pypi", "aurora", "1.1")
    rig.until(lambda: rig.files("build") == ["aurora__1.1"])

    assert rig.process.stop() == 0


def test_H_an_act_with_impossible_arguments_is_refused_in_words(
    rig: Rig, registry: Registry
) -> None:
    rig.start()
    path = rig.process.state / "control.sock"
    for act, arguments in (
        ("watch", {"what": "pypi/\ud800"}),
        ("watch", {"what": 5}),
        ("queue.done", {"job": 10**20, "fence": 1, "result": {}}),
    ):
        with pytest.raises(UsageError) as refused:
            call(path, act, arguments)
        assert refused.value.where == act
        assert refused.value.remedy

    assert call(path, "ping", {})[0]


def test_H_a_database_that_is_taken_away_ends_the_daemon_loudly(
    rig: Rig, registry: Registry
) -> None:
    """It would go on well, in a file that nobody can ever open again."""
    rig.set('[daemon]\nwatchdog = "3s"')
    rig.start()
    assert rig.process.running is not None

    rig.process.state.rename(rig.process.state.with_name("taken"))  # at once: it is written to

    assert rig.process.running.wait(20) == 1
    assert "taken away" in rig.process.log.read_text()


def test_E23_E24_a_page_altered_on_disk_is_named_and_a_feed_held_back_is_stale(
    rig: Rig, registry: Registry
) -> None:
    need("ssh-keygen")
    registry.publish("pypi", "aurora", "1.0")
    rig.start(MONITOR_FEED__PAGE_SIZE="2", MONITOR_FEED__VALID="60s")
    for number in range(1, 9):
        registry.publish("pypi", "aurora", f"1.{number}")
        rig.until(lambda n=number: ("queued", "aurora", f"1.{n}") in rig.told())
    folder = rig.process.state / "feed"
    copy = rig.folder / "copy"
    shutil.copytree(folder, copy)  # what a mirror got
    assert rig.process.ask("feed", "verify").returncode == 0

    [page] = folder.rglob("0000007.json")
    page.write_text(page.read_text().replace("aurora", "aurore", 1))
    said = rig.process.ask("feed", "verify")
    assert said.returncode == 1
    first, *_ = said.stdout.splitlines()
    assert first.startswith("page 7, entry 16: ")  # the first, as the feed is read
    shutil.rmtree(folder)  # it is written anew from the log
    registry.publish("pypi", "aurora", "1.9")
    rig.until(lambda: ("released", "aurora", "1.9") in rig.told())
    assert rig.process.ask("feed", "verify").returncode == 0

    key = str(rig.process.state / "feed-key.pub")
    assert rig.process.ask("feed", "verify", str(copy), "--key", key).returncode == 0
    head = copy / "feed.json"
    text = head.read_text()
    issued = json.loads(text)["_monitor"]["issued"]
    rig.until(lambda: json.loads((folder / "feed.json").read_text())["_monitor"]["issued"] > issued)
    head.write_text(text.replace(issued, "2026-01-01T00:00:00Z"))  # nor can its date be altered
    said = rig.process.ask("feed", "verify", str(copy), "--key", key)
    assert said.returncode == 1
    assert "its signature is not of" in said.stdout


def test_E08_a_registry_that_hangs_when_asked_about_releases_holds_up_no_other(
    rig: Rig, registry: Registry
) -> None:
    other = registry.urls()
    (rig.config / "sources" / "crates.toml").write_text(
        f'''
provider = "crates"
projects = ["boreal"]
poll = "1s"

[settings]
url = "{other["crates_index_url"]}"
feed = "{other["crates_static_url"]}/rss/updates.xml"
api = "{other["crates_static_url"]}"
'''
    )
    registry.publish("pypi", "aurora", "1.0")
    registry.publish("crates", "boreal", "1.0.0")
    rig.start()
    rig.process.until("visit", source="crates", project="boreal", outcome="ok")
    registry.fail("/pypi/pypi/aurora/*", None, times=None, delay=1000.0)
    registry.publish("pypi", "aurora", "1.1")
    rig.until(lambda: registry.requests("/pypi/pypi/aurora/*"))
    registry.publish("crates", "boreal", "1.1.0", licence="BUSL-1.1")

    rig.until(lambda: ("licence_changed", "boreal", "1.1.0") in rig.told())
    rig.end()  # while it waits
    registry.heal()
    registry.publish("pypi", "aurora", "1.2", info={"license_expression": "BUSL-1.1"})
    rig.start()
    rig.until(lambda: ("licence_changed", "aurora", "1.2") in rig.told())
    assert rig.process.stop() == 0
