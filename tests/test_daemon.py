"""The daemon as a process: how it starts, what it says, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from demo.upstreams import write_settings
from monitor.acts import call
from monitor.crawl import Rests
from monitor.daemon import Clock, Daemon
from monitor.errors import StoreError
from monitor.runtime import Runtime
from monitor.settings import FeedSettings, QueueSettings, Settings, StateSettings
from monitor.settings import Source as SourceSettings
from monitor.store import NAME, due, open_reader
from monitor.store.writer import Writer
from tests.lab.registry import Registry
from tests.lab.world import Places

ROOT = Path(__file__).resolve().parents[1]


class Process:
    """`monitor run` on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.log = folder / "daemon.log"
        self.running: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "monitor", "--config", str(self.folder / "config"),
                "--state", str(self.state), *arguments]  # fmt: skip

    def start(self, **environment: str) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command("run"), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | {"MONITOR_LOG__FORMAT": "json"} | environment,
            )  # fmt: skip

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False
        )

    def lines(self) -> list[dict[str, Any]]:
        said = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in said if line.startswith("{")]

    def until(self, event: str, seconds: float = 30, **facts: Any) -> dict[str, Any]:
        """The first line of that event with these facts."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.lines():
                if line["event"] == event and facts.items() <= line.items():
                    return line
            assert self.running is not None
            assert self.running.poll() is None, self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(f"no {event} {facts} in:\n{self.log.read_text()}")

    def stop(self) -> int:
        assert self.running is not None
        self.running.send_signal(signal.SIGTERM)
        return self.running.wait(30)


def asked(registry: Registry, path: str) -> None:
    """Wait until the daemon has asked for that path."""
    end = time.monotonic() + 30
    while not registry.requests(path):
        assert time.monotonic() < end, f"{path} was never asked for"
        time.sleep(0.05)


def appears(folder: Path, pattern: str) -> None:
    """Wait until there is such a file."""
    end = time.monotonic() + 30
    while not list(folder.glob(pattern)):
        assert time.monotonic() < end, f"{pattern} never appeared in {folder}"
        time.sleep(0.05)


@pytest.fixture
def daemon(tmp_path: Path, registry: Registry) -> Iterator[Process]:
    """Not started yet; watches PyPI and crates.io of the lab."""
    places = Places(str(tmp_path), "", "", "", registry=registry.urls())
    write_settings(tmp_path / "config", places, feed=True, builds=True)
    (tmp_path / "config" / "sources" / "github.toml").unlink()
    process = Process(tmp_path)
    yield process
    if process.running is not None and process.running.poll() is None:
        process.running.kill()
        process.running.wait()


def test_each_visit_is_one_line_with_its_outcome_and_the_next_time(
    daemon: Process, registry: Registry
) -> None:
    registry.publish("pypi", "aurora", "1.0")
    daemon.start()

    line = daemon.until("visit", source="pypi", mechanism="feed")

    assert line["outcome"] == "ok"
    assert line["added"] == 1
    assert line["next"] >= 0
    assert "released" not in line  # what is there when we come is no news


def test_D15_a_daemon_that_is_told_of_a_project_asks_its_upstream_and_believes_nothing_else(
    daemon: Process, registry: Registry
) -> None:
    registry.publish("pypi", "aurora", "1.0")
    daemon.start()
    daemon.until("visit", source="pypi", mechanism="index", outcome="ok")
    assert registry.requests("/pypi/simple/aurora/") == []

    forged, told = daemon.ask("nudge", "pypi/nobody"), daemon.ask("nudge", "pypi/aurora")

    assert (forged.returncode, told.returncode) == (2, 0)
    assert "pkg:pypi/aurora is asked now" in told.stdout
    daemon.until("visit", source="pypi", mechanism="versions", project="aurora", outcome="ok")
    assert "nobody" not in daemon.log.read_text()


def test_status_says_what_keeps_the_daemon_from_writing(daemon: Process) -> None:
    daemon.state.mkdir()
    (daemon.state / "feed").write_text("in the way of the folder")
    daemon.start()
    daemon.until("cannot go on", output="feed")

    said = daemon.ask("status")

    assert said.returncode == 1
    assert f"it cannot write: {daemon.state / 'feed'}" in said.stdout
    told = json.loads(daemon.ask("status", "--json").stdout)["trouble"]
    assert told["where"].startswith(str(daemon.state / "feed"))
    assert told["remedy"]


def test_whoever_follows_a_remedy_and_reloads_need_not_wait(daemon: Process) -> None:
    config = daemon.folder / "config" / "monitor.toml"
    text = config.read_text()
    config.write_text(
        "".join(line for line in text.splitlines(True) if "allow_private" not in line)
    )
    daemon.start()
    refused = daemon.until("visit", source="pypi", mechanism="feed")
    assert refused["outcome"] == "hostile"
    assert "network.allow_private" in refused["remedy"]

    config.write_text(text)
    assert daemon.running is not None
    daemon.running.send_signal(signal.SIGHUP)

    daemon.until("visit", source="pypi", mechanism="feed", outcome="ok")


def test_a_visit_under_way_ends_well_though_the_settings_are_read_anew(
    daemon: Process, registry: Registry
) -> None:
    registry.publish("pypi", "aurora", "1.0")
    registry.fail("/pypi/simple/", status=None, times=1, delay=4)
    daemon.start()
    daemon.until("visit", source="pypi", mechanism="feed")
    (index,) = [
        row
        for row in json.loads(daemon.ask("status", "--json").stdout)["sources"]
        if (row["source"], row["mechanism"]) == ("pypi", "index")
    ]
    assert index["under_way"]
    assert daemon.running is not None
    daemon.running.send_signal(signal.SIGHUP)
    daemon.until("settings taken")

    slow = daemon.until("visit", source="pypi", mechanism="index", outcome="ok")

    assert slow["seconds"] > 3
    assert daemon.stop() == 0


def test_H16_a_visit_under_way_is_abandoned_whole_when_the_daemon_is_told_to_stop(
    daemon: Process, registry: Registry
) -> None:
    registry.fail("/pypi/simple/", status=None, times=None, delay=60)
    config = daemon.folder / "config" / "monitor.toml"
    config.write_text(config.read_text() + '\n[daemon]\ngrace = "1s"\n')
    daemon.start()
    daemon.until("visit", source="pypi", mechanism="feed")
    asked(registry, "/pypi/simple/")
    began = time.monotonic()

    assert daemon.stop() == 0

    assert time.monotonic() - began < 10
    assert daemon.lines()[-1]["event"] == "stopped"
    assert daemon.lines()[-1]["abandoned"] == 1
    registry.heal()
    daemon.start()  # what was abandoned is due again at once
    daemon.until("visit", source="pypi", mechanism="index", outcome="ok", seconds=15)
    assert daemon.stop() == 0


def test_H08_a_second_daemon_on_the_same_folder_is_refused_and_told_who_has_it(
    daemon: Process,
) -> None:
    daemon.start()
    daemon.until("ready")
    assert daemon.running is not None

    second = daemon.ask("run")

    assert second.returncode == 1
    assert f"process {daemon.running.pid}" in second.stderr
    assert "--state" in second.stderr
    assert daemon.stop() == 0


def test_H18_broken_settings_leave_the_old_ones_in_force(daemon: Process) -> None:
    daemon.start()
    daemon.until("ready")
    file = daemon.folder / "config" / "monitor.toml"
    sound = file.read_text()
    assert daemon.running is not None

    file.write_text(sound + "\n[network\n")
    daemon.running.send_signal(signal.SIGHUP)
    refused = daemon.until("settings not taken")
    file.write_text(sound)
    daemon.running.send_signal(signal.SIGHUP)

    assert "monitor.toml" in refused["where"]
    daemon.until("settings taken", sources=2)
    assert daemon.stop() == 0


def test_systemd_is_told_ready_then_fed_by_commits_then_told_of_the_end(daemon: Process) -> None:
    address = daemon.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(20)
        daemon.start(NOTIFY_SOCKET=str(address), WATCHDOG_USEC="3000000")
        said = []
        while not any("WATCHDOG=1" in one for one in said):
            said.append(manager.recv(4096).decode())
        assert daemon.stop() == 0
        manager.settimeout(2)
        try:
            while True:
                said.append(manager.recv(4096).decode())
        except TimeoutError:
            pass

    assert said[0].startswith("READY=1")
    assert any("STOPPING=1" in one for one in said)


def test_acts_reach_the_writer_over_the_control_socket(daemon: Process) -> None:
    daemon.start()
    daemon.until("ready")
    path = daemon.state / "control.sock"

    assert path.stat().st_mode & 0o007 == 0
    assert call(path, "ping", {})[0] is True
    unknown = daemon.ask("watch", "nowhere/at-all")
    watched = daemon.ask("watch", "pypi/aurora")

    assert unknown.returncode == 2
    assert "nowhere/at-all" in unknown.stderr
    assert watched.returncode == 0, watched.stderr
    assert "pkg:pypi/aurora" in watched.stdout
    assert daemon.stop() == 0
    assert not path.exists()


def test_the_control_socket_is_reached_however_deep_the_state_folder_lies(
    daemon: Process,
) -> None:
    daemon.state = daemon.folder / ("deep" * 20) / ("deeper" * 20)
    daemon.start()
    daemon.until("ready")

    answered, _ = call(daemon.state / "control.sock", "ping", {})

    assert answered
    assert daemon.stop() == 0
    assert not (daemon.state / "control.sock").exists()


def test_H01_what_a_killed_daemon_was_asking_is_asked_at_once_by_the_next(
    daemon: Process, registry: Registry
) -> None:
    registry.fail("/pypi/simple/", status=None, times=1, delay=60)
    daemon.start()
    asked(registry, "/pypi/simple/")
    assert daemon.running is not None
    daemon.running.kill()
    daemon.running.wait()

    daemon.start()

    daemon.until("visit", source="pypi", mechanism="index", outcome="ok", seconds=15)
    assert daemon.stop() == 0


def test_H13_a_clock_that_is_set_is_noticed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    assert clock.jumped() == 0
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + 86400)

    assert clock.jumped() == 86400
    assert clock.jumped() == 0


def test_C13_rules_that_are_edited_judge_what_is_stored_and_tell_no_release(
    daemon: Process, registry: Registry
) -> None:
    for version in ("1.0", "1.1", "2.0"):
        registry.publish("pypi", "aurora", version)
    file = daemon.folder / "config" / "sources" / "pypi.toml"
    file.write_text('projects = ["aurora"]\n' + file.read_text())
    daemon.start()
    daemon.until("visit", source="pypi", project="aurora")
    assert json.loads(daemon.ask("show", "aurora", "--json").stdout)["stable"] == "2.0"
    assert daemon.running is not None

    file.write_text(file.read_text() + '\n[rules]\npin = "1"\n')
    daemon.running.send_signal(signal.SIGHUP)
    daemon.until("settings taken")

    assert json.loads(daemon.ask("show", "aurora", "--json").stdout)["stable"] == "1.1"
    told = [json.loads(line) for line in daemon.ask("feed", "--json").stdout.splitlines()]
    assert "released" not in {one["_release"]["kind"] for one in told}
    assert daemon.stop() == 0


def test_a_feed_that_somebody_took_away_is_written_again_to_the_byte(
    daemon: Process, registry: Registry
) -> None:
    registry.publish("pypi", "aurora", "1.0")
    daemon.start(MONITOR_FEED__PAGE_SIZE="1")
    feed = daemon.state / "feed"
    appears(feed, "pages/*/*/0000001.json")
    pages = {page.name: page.read_bytes() for page in feed.glob("pages/*/*/*.json")}

    feed.rename(daemon.state / "taken")

    appears(feed, "feed.json")
    again = {page.name: page.read_bytes() for page in feed.glob("pages/*/*/*.json")}
    assert again | pages == again


# ── parts of it, with a clock and a writer of the test's ──────────────────────────────


@pytest.fixture
async def parts(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that nobody has started: it has no sources, and writes no outputs."""
    settings = Settings(
        state=StateSettings(dir=str(tmp_path)),
        queue=QueueSettings(enabled=False),
        feed=FeedSettings(enabled=False),
    )
    runtime = Runtime.of(settings)
    daemon = Daemon(runtime, lambda: runtime)
    daemon.log = structlog.get_logger()
    daemon.writer = Writer(tmp_path)
    daemon.reader = open_reader(tmp_path)
    daemon.crawler = SimpleNamespace(rests=Rests())  # type: ignore[assignment]
    yield daemon
    daemon.writer.close()
    daemon.reader.close()


async def test_H13_E08_a_clock_that_is_set_gives_up_no_question_about_a_release(
    parts: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(parts.writer.folder / NAME)) as db, db:
        db.execute(
            "INSERT INTO inquiry (version, project, source, quiet, added, due, ready)"
            " VALUES (1, 1, 1, 0, ?1, ?1, ?1)",
            (int(time.time()),),
        )
    parts.published, parts.issue_at = 0, 1 << 40
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + 10 * 365 * 86400)
    await parts._publish()  # what decides comes round more often than the watchdog is fed

    [row] = parts.reader.execute("SELECT due FROM inquiry").fetchall()
    assert row["due"] > wall() + 9 * 365 * 86400
    assert parts.issue_at < 1 << 40  # and the feed says anew until when it holds


async def test_visits_that_are_stranded_while_others_are_released_are_released_too(
    parts: Daemon, tmp_path: Path
) -> None:
    runtime = Runtime.of(Settings(sources=dict.fromkeys("ab", SourceSettings(provider="pypi"))))
    parts.runtime.numbered(runtime.sources.values())
    sources = list(runtime.sources.values())
    found = await parts.writer.write(lambda db: due.enlist(db, sources, 0))
    at = int(time.time())
    first, second, *_ = await parts.writer.write(lambda db: due.claim(db, found, at, 9))
    parts.stranded.append(first)
    write = parts.writer.write

    async def meanwhile(function: Any) -> Any:
        done = await write(function)
        parts.stranded.append(second)
        parts.writer.write = full  # type: ignore[method-assign]
        return done

    async def full(function: Any) -> Any:
        raise StoreError("disk", "is full")

    parts.writer.write = meanwhile  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        await parts._sweep()
    assert parts.stranded == [second]
    with pytest.raises(StoreError):
        await parts._sweep()  # what cannot be released is kept
    assert parts.stranded == [second]
