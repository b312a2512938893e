"""The world as the demo uses it: started by a command, changed by another, ended for good."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from tests.conftest import need
from tests.lab.__main__ import _pairs
from tests.lab.client import get
from tests.lab.pypi_pages import JSON
from tests.lab.test_servers import run, runs
from tests.lab.world import Places, World

ROOT = Path(__file__).parents[2]
LS_ROW = re.compile(
    r"[-dl][-rwxsStT]{9}[+.@]? +\d+ \S+ +\S+ +\d+ [A-Z][a-z]{2} [ \d]\d (\d\d:\d\d| \d{4}) \S.*"
)


def lab(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.lab", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_version_that_looks_like_a_number_is_a_text() -> None:
    assert _pairs(["version=1.10", "count=2", "flag=true", "title=x"]) == {
        "version": "1.10", "count": 2, "flag": True, "title": "x",
    }  # fmt: skip


def test_each_upstream_shows_what_was_published(world: World) -> None:
    hand, places = world.hand, world.places
    hand.publish_file("gnu/hello/hello-2.13.tar.gz")
    assert "gnu/hello/hello-2.13.tar.gz.sig" in run("rsync", "-r", places.rsync_url)
    assert "hello-2.13.tar.gz" in get(f"{places.apache_url}gnu/hello/").text
    hand.publish_file("pool/less-668.tar.gz", on="mirror")
    assert "less-668.tar.gz" in get(f"{places.nginx_url}pool/").text
    assert b"less-668.tar.gz" in gzip.decompress(get(places.ls_lr_url).content)
    commit = hand.push_tag("v2.0")
    assert f"{commit}\trefs/tags/v2.0^{{}}" in run("git", "ls-remote", f"{places.git_url}tool.git")
    hand.append_feed("less <668> released")
    feed = fromstring(get(places.feed_url).content)
    assert feed.findtext("channel/item/title") == "less <668> released"
    hand.publish("pypi", "Lab-Demo", "2.0")
    page = get(f"{places.registry['pypi_url']}/simple/lab-demo/", accept=JSON).json()
    assert page["versions"] == ["1.0", "1.1", "2.0"]
    hand.withdraw_file("gnu/hello/hello-2.13.tar.gz")
    hand.withdraw_file("pool/less-668.tar.gz", on="mirror")
    assert "hello-2.13" not in get(f"{places.apache_url}gnu/hello/").text
    assert b"less-668" not in gzip.decompress(get(places.ls_lr_url).content)


def test_the_listing_is_written_like_recorded_ones(world: World, shared: Path) -> None:
    ours = gzip.decompress(get(world.places.ls_lr_url).content).decode()
    assert ours.startswith(".:\ntotal ")
    for text in (ours, (shared / "data/ls-lR/debian.txt").read_text()):
        rows = [line for line in text.splitlines() if line[:1] in {"-", "d", "l"}]
        assert rows
        assert all(LS_ROW.fullmatch(row) for row in rows)


def test_the_feed_is_a_window(world: World) -> None:
    for number in range(25):
        world.hand.append_feed(f"n{number}")
    feed = fromstring(get(world.places.feed_url).content)
    assert [item.findtext("title") for item in feed.iter("item")] == [
        f"n{number}" for number in reversed(range(5, 25))
    ]


def test_places_can_be_read_by_another_process(world: World, tmp_path: Path) -> None:
    world.places.save(tmp_path / "state.json")
    assert Places.load(tmp_path / "state.json") == world.places


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_serve_is_driven_by_commands_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    need("rsync", "apache2", "nginx", "git")
    state = tmp_path / "state.json"
    command = [sys.executable, "-m", "tests.lab", "serve", "--state", str(state)]
    alone = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=alone) as child:
        while not state.exists():
            assert child.poll() is None
            time.sleep(0.05)
        places = Places.load(state)
        done = lab("publish", "--state", str(state), "pypi", "Lab-Demo", "3.0", "source=x = 1")
        assert done.returncode == 0, done.stderr
        assert "Lab-Demo 3.0" in get(f"{places.registry['pypi_url']}/rss/updates.xml").text
        wrong = lab(
            "do", "--state", str(state), "yank", "ecosystem=pypi", "project=none", 'version="1"'
        )
        assert (wrong.returncode, wrong.stderr) == (1, "lab: none: no such project\n")
        assert lab("publish", "--state", str(state), "nowhere", "x").returncode == 1
        assert all(runs(pid) for pid in places.pids.values())
        child.send_signal(number)
        child.wait()
    until = time.monotonic() + 20
    while any(runs(pid) for pid in places.pids.values()) and time.monotonic() < until:
        time.sleep(0.05)  # the kernel told them when their parent died
    assert not any(runs(pid) for pid in places.pids.values())
    if number is signal.SIGTERM:
        assert child.returncode == 0
        assert not state.exists()
        assert not list(tmp_path.glob("lab-*"))
