"""Killed at any moment and started again: nothing lost, nothing twice (faults H01, H03)."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from monitor.model import Kind
from monitor.store import events, jobs, open_reader
from monitor.store.backup import check
from tests import crash_child

KILLS = 50


@pytest.fixture
def play():
    """Play the script in a folder to its end, or kill it after some seconds; True if it ended."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash_child"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as nursery:  # fmt: skip
        assert nursery.stdin
        assert nursery.stdout

        def run(folder, seconds=0.0):
            print(seconds, folder, file=nursery.stdin, flush=True)
            status = int(nursery.stdout.readline())
            assert status in (0, -signal.SIGKILL)
            return status == 0

        yield run
        nursery.stdin.close()


def feed_items(folder):
    """Every item of the feed, from its pages and its head."""
    found = {}
    for path in [*(folder / "feed" / "pages").rglob("*.json"), folder / "feed" / "feed.json"]:
        for item in json.loads(path.read_text())["items"]:
            told = item["_release"]
            found[item["id"]] = (
                told["kind"],
                (told.get("purl") or "").partition("@")[0],
                told["version"],
            )
    return list(found.values())


def test_H01_killed_fifty_times_every_release_is_told_fed_and_queued_exactly_once(tmp_path, play):
    assert play(tmp_path / "0")
    begun = time.monotonic()
    assert play(tmp_path / "1")
    whole = time.monotonic() - begun
    dice, number, kills = random.Random(3), 2, 0
    while kills < KILLS:
        if play(tmp_path / str(number), dice.uniform(0.01, 0.3) * whole):
            number += 1  # it ended before it was killed: once more from the beginning
        else:
            kills += 1

    for place in tmp_path.iterdir():
        assert play(place)
        db = open_reader(place)
        released = Counter(
            (event.project, event.version)
            for event in events.follow(db, 0)
            if event.kind is Kind.RELEASED
        )
        assert released == Counter(crash_child.expected())
        assert [e.seq for e in events.follow(db, 0)] == list(range(1, events.head(db) + 1))
        queued = Counter(e.version for e in events.follow(db, 0) if e.kind is Kind.QUEUED)
        assert set(queued.values()) == {1}
        names = sorted(job["name"] for job in jobs.listed(db) if job["name"])
        assert names == sorted(path.name for path in (place / "queue" / "all").iterdir())
        assert len(names) == len(crash_child.expected())
        fed = Counter(
            (purl, version) for kind, purl, version in feed_items(place) if kind == "released"
        )
        assert fed == released
        assert check(db) == []
        db.close()
