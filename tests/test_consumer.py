"""`examples/consumer.py` follows the feed: nothing missed, nothing told twice."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor.model import Event, Kind
from monitor.outputs.json_feed import publish
from monitor.settings import FeedSettings
from tests.outputs.test_json_feed import Memory, event

CONSUMER = Path(__file__).resolve().parent.parent / "examples" / "consumer.py"
SMALL = FeedSettings(page_size=4)


@pytest.fixture
def follow(tmp_path):
    """Run the consumer once, on the folder `feed`, with a cursor file of its own."""

    def run(feed=tmp_path / "feed" / "feed.json", *, ok=True):
        command = [sys.executable, str(CONSUMER), str(feed), str(tmp_path / "cursor")]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) is ok, done.stderr
        return done

    return run


def lines(first, last):
    return [f"pkg:pypi/argset 1.{n}" for n in range(first, last + 1)]


def told(output):
    return [line.rpartition(" ")[0] for line in output.splitlines()]


def test_each_release_is_told_once_whenever_one_looks(tmp_path, follow):
    dice, log, found = random.Random(4), Memory(), []
    for _ in range(14):
        publish(log.grow(dice.randrange(0, 12)), tmp_path / "feed", SMALL)
        if dice.random() < 0.7:
            found += told(follow().stdout)
    found += told(follow().stdout)
    assert found == lines(1, log.head())
    assert follow().stdout == ""


def test_killed_anywhere_it_goes_on_behind_the_last_line(tmp_path):
    """The line and the cursor are two steps: at worst the last line comes again."""
    dice, log = random.Random(7), Memory()
    found = []
    for _ in range(12):
        publish(log.grow(dice.randrange(1, 30)), tmp_path / "feed", SMALL)
        command = [sys.executable, str(CONSUMER), tmp_path / "feed/feed.json", tmp_path / "cursor"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            for _ in range(dice.randrange(0, 6)):
                found.append(process.stdout.readline())
            process.kill()
            found += process.stdout.readlines()
    command = [sys.executable, str(CONSUMER), tmp_path / "feed/feed.json", tmp_path / "cursor"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = told("".join(found) + done.stdout)
    once = [line for line, before in zip(found, [None, *found], strict=False) if line != before]
    assert once == lines(1, log.head())


def test_it_follows_over_http_while_the_feed_grows(tmp_path):
    feed, log = tmp_path / "feed", Memory().grow(3)
    publish(log, feed, SMALL)
    handler = partial(QuietHandler, directory=str(feed))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/feed.json"
    command = [sys.executable, str(CONSUMER), address, str(tmp_path / "cursor"), "0.01"]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            found = [process.stdout.readline() for _ in range(3)]
            for step in (1, 9, 2, 17, 5):
                publish(log.grow(step), feed, SMALL)
                found += [process.stdout.readline() for _ in range(step)]
            process.terminate()
            found += process.stdout.readlines()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert told("".join(found)) == lines(1, log.head())


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def test_only_releases_are_told_and_the_cursor_passes_the_rest(tmp_path, follow):
    log = Memory().grow(2)
    log.all.append(Event(Kind.YANKED, "pkg:pypi/argset", "1.1", seq=3, at=event(3).at))
    publish(log, tmp_path / "feed", SMALL)
    assert told(follow().stdout) == lines(1, 2)
    assert (tmp_path / "cursor").read_text() == "a1b2.3\n"


def test_after_a_restore_it_reads_the_new_epoch_from_its_beginning(tmp_path, follow):
    publish(Memory("one").grow(9), tmp_path / "feed", SMALL)
    follow()
    publish(Memory("two").grow(6), tmp_path / "feed", SMALL)
    assert told(follow().stdout) == lines(1, 6)


def test_I02_it_says_when_events_were_dropped_before_it_came(tmp_path, follow):
    log, kept = Memory().grow(3), FeedSettings(page_size=4, keep=1)
    publish(log, tmp_path / "feed", kept)
    follow()
    publish(log.grow(40), tmp_path / "feed", kept)
    done = follow()
    assert "events before 37 are gone" in done.stderr
    assert told(done.stdout) == lines(37, 43)


def test_I03_a_cursor_from_the_future_is_an_error_not_an_empty_answer(tmp_path, follow):
    publish(Memory().grow(3), tmp_path / "feed", SMALL)
    (tmp_path / "cursor").write_text("a1b2.9\n")
    done = follow(ok=False)
    assert "ends at 3" in done.stderr
    assert (tmp_path / "cursor").read_text() == "a1b2.9\n"


def test_E24_a_head_that_was_held_back_is_reported_and_its_events_are_read(tmp_path, follow):
    publish(Memory().grow(3), tmp_path / "feed", SMALL, at=1_790_000_000)
    done = follow()
    assert "stale since 2026-09-22T14:13:20Z" in done.stderr
    assert told(done.stdout) == lines(1, 3)
    publish(Memory().grow(3), tmp_path / "feed", SMALL, at=int(time.time()))
    assert "stale" not in follow().stderr
