"""`monitor backup`, `restore`, `export-db`; `new`, `record`, `ask`; `notify`."""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Cli


@pytest.fixture
def known(cli: Cli, registry) -> Cli:
    registry.publish("pypi", "aurora", "1.0")
    assert cli("watch", "pypi/aurora").code == 0
    assert cli("poll").code == 0
    return cli


def test_H12_a_restored_copy_begins_another_life_and_announces_nothing_twice(known, registry):
    copy = known.folder / "copy.db"
    made = known("backup", copy, "--json").json
    registry.publish("pypi", "aurora", "1.1")
    assert known("poll").code == 0
    assert known("show", "aurora", "--json").json["stable"] == "1.1"

    said = known("restore", copy, "--json").json

    assert said["cursor"].partition(".")[0] != made["cursor"].partition(".")[0]
    assert Path(said["former"]).exists()
    assert known("show", "aurora", "--json").json["stable"] == "1.0"
    assert known("poll").code == 0
    assert known("show", "aurora", "--json").json["stable"] == "1.1"
    told = known("feed", "--json", "--limit", "1000").lines
    assert not [one for one in told if one["tags"][0] == "released"]


def test_a_restore_waits_for_no_daemon(known: Cli):
    copy = known.folder / "copy.db"
    assert known("backup", copy).code == 0
    daemon = subprocess.Popen(known.argv("run"), env=known.environ(), cwd=ROOT,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        wait_for(lambda: known("status", "--json").json["daemon"] == "running")
        said = known("restore", copy)
        assert (said.code, "stop it first" in said.err) == (1, True)
        assert "told" in known("poll").out  # the daemon does it
        assert known("watch", "crates/nothing").code == 0
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(30)
    assert known("restore", copy).code == 0


def test_H11_a_damaged_database_is_found_and_a_copy_brings_it_back(known: Cli):
    copy = known.folder / "copy.db"
    assert known("backup", copy).code == 0
    for beside in ("monitor.db-wal", "monitor.db-shm"):
        (known.state / beside).unlink(missing_ok=True)
    path = known.state / "monitor.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        for place in range(4096, size, 8192):
            file.seek(place)
            file.write(os.urandom(2000))

    ill = known("doctor")
    assert (ill.code, "monitor restore" in ill.out) == (1, True)
    assert known("restore", copy).code == 0
    assert known("doctor").code == 0
    assert known("show", "aurora", "--json").json["stable"] == "1.0"


def test_a_damaged_copy_replaces_nothing(known: Cli):
    copy = known.folder / "copy.db"
    copy.write_bytes(b"SQLite format 3\0" + os.urandom(5000))

    assert known("restore", copy).code == 1
    assert known("show", "aurora", "--json").json["stable"] == "1.0"


def test_all_that_is_known_is_written_as_json_lines(known: Cli, tmp_path):
    lines = known("export-db").lines
    file = tmp_path / "all.jsonl"
    assert known("export-db", file).code == 0

    assert [json.loads(line) for line in file.read_text("utf-8").splitlines()] == lines
    tables = {line["table"] for line in lines}
    assert {"source", "project", "version", "event", "watch", "sighting"} <= tables
    db = sqlite3.connect(known.state / "monitor.db")
    for table in tables:
        (count,) = db.execute(f'SELECT count(*) FROM "{table}"').fetchone()
        assert count == sum(line["table"] == table for line in lines)
    db.close()


# ── for authors of providers ──────────────────────────────────────────────────────────


def test_a_new_provider_s_test_passes_at_once(bare: Cli, tmp_path):
    assert bare("new", "forge_x", "--folder", tmp_path).code == 0

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout
    assert bare("new", "forge_x", "--folder", tmp_path).code == 2  # nothing is overwritten


def test_a_new_provider_keeps_what_every_provider_owes(bare: Cli, tmp_path, monkeypatch):
    """In a checkout it goes to its place, and says what the shared tests ask it to say."""
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers/__init__.py").touch()
    monkeypatch.chdir(tmp_path)

    assert bare("new", "forge").code == 0

    text = (tmp_path / "providers/forge.py").read_text("utf-8")
    for sentence in ("\nVersions ", "\nSettings\n  url ", 'name="forge"', "urls=URLS"):
        assert sentence in text
    for path in ("providers/forge.py", "tests/providers/test_forge.py"):
        checked = subprocess.run(
            [sys.executable, "-m", "ruff", "check", "--ignore", "I001",
             "--stdin-filename", path, "-"],
            input=(tmp_path / path).read_bytes(), capture_output=True, check=False, cwd=ROOT,
        )  # fmt: skip
        assert checked.returncode == 0, checked.stdout.decode()


def test_an_answer_is_recorded_where_a_replay_finds_it(cli: Cli, registry, tmp_path):
    registry.publish("pypi", "aurora", "1.0")
    said = cli("record", f"{registry.pypi_url}/simple/aurora/", "--to", tmp_path / "kept",
               "--accept", "application/vnd.pypi.simple.v1+json")  # fmt: skip
    assert said.code == 0
    registry.stop()
    cli.before += ["--replay", str(tmp_path / "kept")]

    assert [row["version"] for row in cli("ask", "pypi", "aurora", "--json").lines] == ["1.0"]


def test_a_source_is_asked_in_each_way_it_can_be(cli: Cli, registry):
    registry.publish("pypi", "aurora", "1.0")

    feed = cli("ask", "pypi", "--json").lines
    index = cli("ask", "pypi", "--index", "--json").lines
    versions = cli("ask", "pypi", "aurora", "--json").lines

    assert feed[0]["finding"] == "release"
    assert {"finding": "mention", "project": "aurora"}.items() <= index[0].items()
    assert versions[0]["files"][0]["digest"].startswith("sha256:")
    assert "aurora 1.0" in cli("ask", "pypi", "aurora").out
    assert len(cli("ask", "pypi", "--limit", "1").out.splitlines()) == 1
    assert not cli.state.exists()  # nothing is stored


# ── poll ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("after", [0.05, 0.3, 0.5, 0.7, 0.9, 1.2])
def test_ctrl_c_at_any_moment_leaves_everything_whole(cli: Cli, registry, after):
    registry.many_projects(300)
    for name in ("aurora", "boreas"):
        registry.publish("pypi", name, "1.0")
    registry.fail("/pypi/simple/aurora/", status=None, delay=1.0, times=2)
    polling = subprocess.Popen(cli.argv("poll", "--json"), env=cli.environ(), cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    time.sleep(after)
    polling.send_signal(signal.SIGINT)
    out, err = polling.communicate(timeout=30)

    if after > 0.1:  # before that, Python itself is still starting
        assert b"Traceback" not in err, err.decode()
        asleep = -signal.SIGINT if not out and not err else 130  # a busy machine starts it late
        assert polling.returncode in (0, 3, 130, asleep)
    for line in out.splitlines():
        json.loads(line)
    registry.heal()
    assert cli("poll").code == 0
    assert cli("doctor", "--json").code == 0
    db = sqlite3.connect(cli.state / "monitor.db")
    projects = db.execute("SELECT count(*) FROM project").fetchone()[0]
    released = db.execute("SELECT count(*) FROM event WHERE kind = 'released'").fetchone()[0]
    db.close()
    assert projects >= 302
    assert released == 0  # the first complete look is no news, however often it was begun


def test_H01_what_a_killed_round_was_asking_is_asked_by_the_next_one(cli: Cli, registry):
    registry.many_projects(3)
    registry.fail("/pypi/simple/", status=None, delay=30.0, times=1)
    polling = subprocess.Popen(cli.argv("poll", "pypi"), env=cli.environ(), cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    while not registry.requests("/pypi/simple/"):
        time.sleep(0.02)
    polling.kill()
    polling.communicate()

    visits = cli("poll", "pypi", "--json").lines

    assert ("index", "ok") in [(row["mechanism"], row["outcome"]) for row in visits]


def test_nothing_is_visited_twice_in_a_round(cli: Cli, registry):
    for name in ("aurora", "boreas"):
        registry.publish("pypi", name, "1.0")

    visits = cli("poll", "--json").lines

    asked = [(row["source"], row["mechanism"], row["project"]) for row in visits]
    assert len(asked) == len(set(asked))
    assert ("pypi", "index", None) in asked


def test_why_visits_failed_is_said_once(cli: Cli, registry):
    registry.fail("/crates*", status=500, times=None)

    said = cli("poll")

    assert said.code == 3
    assert "1 failed" in said.out
    assert said.err.count("crates feed") == 1


# ── notices ───────────────────────────────────────────────────────────────────────────


def test_people_are_told_once_of_what_they_asked_for(known: Cli, registry):
    pytest.importorskip("apprise")
    got: list[dict[str, str]] = []

    class Mailbox(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Mailbox)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with (known.config / "monitor.toml").open("a") as file:
            file.write(f'\n[notify]\nurls = ["json://127.0.0.1:{server.server_port}"]\n')
        assert known("notify").out == "nothing new to tell\n"  # what was there is told already
        registry.publish("pypi", "aurora", "1.1")
        registry.publish("pypi", "aurora", "2.0rc1")
        assert known("poll").code == 0
        assert known("notify").code == 0
        assert known("notify").out == "nothing new to tell\n"
        assert known("notify", "--test").code == 0
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    news, test = got
    assert "pkg:pypi/aurora 1.1: released" in news["message"]
    assert "2.0rc1" not in news["message"]  # stable_only
    assert re.search("test", test["title"], re.IGNORECASE)


def test_a_mailbox_that_is_not_there_is_told_and_tried_again(known: Cli, registry):
    pytest.importorskip("apprise")
    with (known.config / "monitor.toml").open("a") as file:
        file.write('\n[notify]\nurls = ["json://127.0.0.1:9"]\n')
    assert known("notify").code == 0
    registry.publish("pypi", "aurora", "1.1")
    assert known("poll").code == 0

    for _ in range(2):
        said = known("notify")
        assert (said.code, "did not take the message" in said.err) == (3, True)


def wait_for(holds, seconds: float = 20.0) -> None:
    """Until it holds. Fails the test where it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
