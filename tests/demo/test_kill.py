"""Killed at any moment, nothing is lost and nothing is told twice (faults H01, H03, R1, R6)."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.__main__ import ROOT
from demo.judge import Judge
from demo.upstreams import write_settings
from monitor.acts import call
from tests.lab.registry import Registry
from tests.lab.world import Places

pytestmark = [pytest.mark.slow, pytest.mark.serial]

KILLS = 50 if os.environ.get("CI") else 12

# So many that none of them publishes a burst, which the policy would let calm down first (C11).
PROJECTS = [f"aurora-{number}" for number in range(12)]


class Victim:
    """The daemon as a process that is killed again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "monitor", "--config", str(self.folder / "config"),
                "--state", str(self.state), *arguments]  # fmt: skip

    def start(self) -> None:
        with (self.folder / "daemon.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command("run"), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def end(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(30)

    def listens(self) -> bool:
        """Has the daemon that runs now got as far as its control socket?"""
        return call(self.state / "control.sock", "ping", {})[0]

    def jobs(self) -> list[dict[str, Any]]:
        done = subprocess.run(
            self.command("queue", "list", "--all", "--json"),
            cwd=ROOT, capture_output=True, check=True,
        )  # fmt: skip
        return [json.loads(line) for line in done.stdout.splitlines()]

    def told(self) -> Counter[str]:
        judge = Judge(self.state / "feed", Path(), Path(), lambda purl: None)
        return Counter(
            f"{item['purl']}@{item['version']}"
            for item in judge.items()
            if item["kind"] == "released"
        )


@pytest.fixture
def victim(tmp_path: Path, registry: Registry) -> Iterator[Victim]:
    places = Places(str(tmp_path), "", "", "", registry=registry.urls())
    write_settings(tmp_path / "config", places, feed=True, builds=True)
    (tmp_path / "config" / "sources" / "github.toml").unlink()
    victim = Victim(tmp_path)
    yield victim
    if victim.process is not None and victim.process.poll() is None:
        victim.end(signal.SIGKILL)


def until(what: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to that in time"
        time.sleep(0.2)


def test_H01_a_daemon_that_is_killed_again_and_again_tells_each_release_once(
    victim: Victim, registry: Registry
) -> None:
    dice = random.Random(20261121)
    registry.publish("pypi", "was-there", "1.0")
    victim.start()
    until((victim.state / "feed" / "feed.json").exists, 30)
    until(lambda: len(_status(victim)) == 3 and all(_status(victim)), 30)
    published = []
    for number in range(KILLS):
        for project in dice.sample(PROJECTS, dice.randint(1, 2)):
            registry.publish("pypi", project, f"1.{number}")
            published.append(f"pkg:pypi/{project}@1.{number}")
        time.sleep(dice.uniform(0.2, 2.5))
        victim.end(signal.SIGKILL)
        victim.start()

    until(lambda: set(published) <= set(victim.told()), 60)
    until(lambda: all(job["state"] != "waiting" for job in victim.jobs()), 60)
    until(victim.listens, 30)
    victim.end(signal.SIGTERM)

    assert victim.process is not None
    assert victim.process.returncode == 0
    assert victim.told() == Counter(published)
    jobs = Counter(f"{job['purl']}@{job['version']}" for job in victim.jobs())
    assert jobs == Counter(published)
    folder = victim.state / "queue" / "dockerfiles"
    names = {job["name"] for job in victim.jobs() if job["name"]}
    assert {path.name for path in (folder / "all").iterdir()} == names


def _status(victim: Victim) -> list[Any]:
    done = subprocess.run(
        victim.command("status", "--json"), cwd=ROOT, capture_output=True, check=False
    )
    return [source["answered"] for source in json.loads(done.stdout or "{}").get("sources", [])]
