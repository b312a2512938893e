"""`monitor queue`: jobs for workers, and what a build by make leaves behind."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from monitor.outputs import markers
from tests.cli.conftest import Cli


@pytest.fixture
def queued(cli: Cli, registry) -> Cli:
    """The command with three recipes in the queue: aurora 1.1, boreas 1.1 and comet 1.1."""
    for name in ("aurora", "boreas", "comet"):
        registry.publish("pypi", name, "1.0")
    assert cli("poll").code == 0
    for name in ("aurora", "boreas", "comet"):
        registry.publish("pypi", name, "1.1")
    assert cli("poll").code == 0
    names = {row["name"] for row in cli("queue", "list", "--json").lines}
    assert names == {"aurora__1.1", "boreas__1.1", "comet__1.1"}
    return cli


def build(cli: Cli) -> Path:
    folder = cli.state / "queue" / "build"
    (folder / "dockerimages").mkdir(parents=True, exist_ok=True)
    (folder / "explored").mkdir(exist_ok=True)
    return folder


def leave(path: Path, text: str = "", ago: float = 0.0) -> None:
    """A file as make leaves it, written some seconds ago (or ahead)."""
    path.write_text(text)
    at = time.time() - ago
    os.utime(path, (at, at))


def states(cli: Cli) -> dict[str, str]:
    return {row["name"]: row["state"] for row in cli("queue", "list", "--all", "--json").lines}


def test_markers_and_logs_of_make_become_results_and_events(queued: Cli):
    folder = build(queued)
    soon = -5  # newer than the recipes, whatever the second
    leave(folder / "dockerimages/aurora__1.1.image", ago=soon)
    leave(folder / "dockerimages/aurora__1.1.image.log", "fine", ago=soon)
    leave(folder / "dockerimages/boreas__1.1.image", ago=soon)
    leave(folder / "explored/boreas__1.1.json", '{"graph": 1}', ago=soon)
    leave(folder / "dockerimages/comet__1.1.image.log", "Read timed out", ago=soon)

    told = queued("queue", "reconcile", "--json").json

    assert (told["built"], told["explored"]) == (["aurora__1.1"], ["boreas__1.1"])
    assert (told["failed"], told["running"]) == ([], ["comet__1.1"])  # its log is fresh
    assert states(queued) == {
        "aurora__1.1": "done", "boreas__1.1": "done", "comet__1.1": "ready",
    }  # fmt: skip
    kinds = [json.loads(line)["tags"][0] for line in queued("feed", "--json").out.splitlines()]
    assert kinds.count("built") == 1
    assert kinds.count("explored") == 1


def test_said_twice_it_is_no_news_and_exploring_follows_building(queued: Cli):
    folder = build(queued)
    leave(folder / "dockerimages/aurora__1.1.image", ago=-5)
    assert queued("queue", "reconcile", "--json").json["built"] == ["aurora__1.1"]
    assert queued("queue", "reconcile", "--json").json["built"] == []

    leave(folder / "explored/aurora__1.1.json", "[]", ago=-5)
    assert queued("queue", "reconcile", "--json").json["explored"] == ["aurora__1.1"]
    assert queued("queue", "reconcile").out == "everything agrees\n"


def test_a_log_that_has_fallen_silent_without_its_marker_is_a_failure(queued: Cli, monkeypatch):
    folder = build(queued)
    leave(folder / "dockerimages/comet__1.1.image.log", "…\nNo matching distribution found", -5)
    monkeypatch.setattr(markers, "QUIET", -3600)

    assert queued("queue", "reconcile", "--json").json["failed"] == ["comet__1.1"]

    (job,) = queued("queue", "list", "--state", "failed", "--json").lines
    assert (job["failure"], job["name"]) == ("resolve", "comet__1.1")
    assert queued("queue", "retry", "comet__1.1").code == 0
    leave(folder / "dockerimages/comet__1.1.image.log", "the old one", 3600)
    assert queued("queue", "reconcile", "--json").json["failed"] == []  # of the first attempt


def test_a_marker_that_is_older_than_its_recipe_is_of_another(queued: Cli):
    leave(build(queued) / "dockerimages/aurora__1.1.image", ago=3600)

    assert queued("queue", "reconcile", "--json").json["built"] == []


def test_strangers_and_links_among_the_markers_are_no_results(queued: Cli, tmp_path):
    folder = build(queued)
    leave(folder / "dockerimages/BASE", ago=-5)
    leave(folder / "dockerimages/no such name.image", ago=-5)
    (folder / "dockerimages/aurora__1.1.image").symlink_to("/etc/passwd")
    leave(folder / "explored/boreas__1.1.json", "", ago=-5)  # a program failed half-way

    told = queued("queue", "reconcile", "--json").json

    assert [told[key] for key in ("built", "explored", "failed")] == [[], [], []]


def test_marking_by_copying_is_taken_over(queued: Cli):
    recipes = queued.state / "queue" / "dockerfiles"
    assert queued("queue", "unmark", "aurora__1.1").code == 0
    assert not (recipes / "build/aurora__1.1").exists()
    shutil.copy2(recipes / "all/aurora__1.1", recipes / "build/aurora__1.1")

    assert queued("queue", "reconcile", "--json").json["by_hand"] == ["aurora__1.1"]

    rows = {row["name"]: row for row in queued("queue", "list", "--json").lines}
    assert rows["aurora__1.1"]["marked"]


def test_a_mark_that_was_copied_by_hand_is_never_taken_away(queued: Cli):
    recipes = queued.state / "queue" / "dockerfiles"
    assert queued("queue", "unmark", "aurora__1.1").code == 0
    shutil.copy2(recipes / "all/aurora__1.1", recipes / "build/aurora__1.1")

    assert queued("queue", "unmark", "boreas__1.1").code == 0
    assert (recipes / "build/aurora__1.1").exists()
    assert not (recipes / "build/boreas__1.1").exists()
    assert queued("poll").code == 0
    assert (recipes / "build/aurora__1.1").exists()
    assert not (recipes / "build/boreas__1.1").exists()
    assert queued("queue", "unmark", "aurora__1.1").code == 0
    assert not (recipes / "build/aurora__1.1").exists()


def test_a_recipe_that_was_deleted_is_written_again_and_a_stranger_is_named(queued: Cli):
    recipes = queued.state / "queue" / "dockerfiles"
    before = (recipes / "all/aurora__1.1").read_bytes()
    (recipes / "all/aurora__1.1").unlink()
    (recipes / "all/zzz__1").write_text("FROM scratch\n")

    told = queued("queue", "reconcile", "--json").json

    assert told["written"] == ["aurora__1.1"]
    assert told["strangers"] == ["all/zzz__1"]
    assert (recipes / "all/aurora__1.1").read_bytes() == before


def test_regenerating_writes_a_recipe_anew_and_has_it_built_again(queued: Cli):
    recipe = queued.state / "queue" / "dockerfiles" / "all" / "aurora__1.1"
    job = queued("queue", "take", "--worker", "w").json
    done = ["queue", "done", str(job["id"]), "--fence", str(job["fence"])]
    assert queued(*done).code == 0
    text = (queued.config / "builds.toml").read_text()
    (queued.config / "builds.toml").write_text(
        text + 'base = "example.invalid/base@sha256:' + "0" * 64 + '"\n'
    )

    said = queued("queue", "regenerate", job["recipe"])

    assert said.out == f"{job['recipe']}: written anew\n"
    path = recipe.with_name(job["recipe"])
    assert "FROM example.invalid/base@" in path.read_text()
    assert path.read_bytes() == (path.parents[1] / "build" / path.name).read_bytes()
    assert states(queued)[job["recipe"]] == "ready"
    assert queued("queue", "reconcile").out == "everything agrees\n"
    assert "came out the same" in queued("queue", "regenerate", job["recipe"]).out


def test_a_late_report_is_refused(queued: Cli):
    job = queued("queue", "take", "--worker", "w").json

    said = queued("queue", "done", str(job["id"]), "--fence", str(job["fence"] - 1))

    assert said.code == 2
    assert queued("queue", "renew", str(job["id"]), "--fence", str(job["fence"])).code == 0
    assert queued("queue", "fail", str(job["id"]), "--fence", str(job["fence"])).code == 0


def test_a_held_release_is_not_built(cli: Cli, registry):
    registry.publish("pypi", "aurora", "1.0")
    assert cli("poll").code == 0
    assert cli("hold", "pypi/aurora", "--why", "wait", "--json").code == 0
    registry.publish("pypi", "aurora", "1.1")
    assert cli("poll").code == 0

    (job,) = cli("queue", "list", "--json").lines
    assert job["state"] == "held"
    assert "wait" in cli("why", "pkg:pypi/aurora@1.1").out


def test_renewing_prints_the_job_as_taking_does_with_its_new_lease(queued: Cli):
    job = queued("queue", "take", "--worker", "one").json
    mine = [str(job["id"]), "--fence", str(job["fence"])]

    kept = queued("queue", "renew", *mine).json

    assert kept | {"lease_ends": 0} == job | {"lease_ends": 0}
    assert kept["lease_ends"] >= job["lease_ends"]
    done = queued("queue", "done", *mine).json
    assert (done["purl"], done["recipe"], done["state"]) == (job["purl"], job["recipe"], "done")


def test_the_event_of_a_failure_begins_with_its_class_and_says_what_broke(queued: Cli):
    job = queued("queue", "take", "--worker", "one").json
    log = "x\nERROR: No matching distribution found for nowhere\nError: building at STEP: 1\n"
    queued("queue", "fail", str(job["id"]), "--fence", str(job["fence"]), "--class", "resolve",
           "--text", log)  # fmt: skip

    told = queued("feed", "--kind", "failed", "--json").json["_release"]

    assert told["reason"] == "resolve: No matching distribution found for nowhere"
    assert told["details"]["class"] == "resolve"


def test_a_job_is_found_by_its_source_and_project_too(queued: Cli):
    assert queued("queue", "unmark", "pypi/aurora@1.1").out == "aurora__1.1: not marked\n"
    assert queued("queue", "mark", "pkg:pypi/aurora@1.1").out == "aurora__1.1: marked\n"
    assert queued("queue", "mark", "pypi/aurora@7").code == 2


def test_who_may_not_have_a_job_tried_again_is_told_what_to_do_instead(queued: Cli):
    job = queued("queue", "take", "--worker", "gone:1").json

    refused = queued("queue", "retry", job["recipe"])

    assert refused.code == 2
    assert "gone:1 has it" in refused.err
    assert f"monitor queue fail {job['id']} --fence {job['fence']}" in refused.err
    assert [row["NOTE"] for row in _rows(queued)] == ["gone:1", "", ""]
    (other, *_) = [row["RELEASE"] for row in _rows(queued) if row["STATE"] == "ready"]
    assert f"`monitor why {other}`" in queued("queue", "retry", other).err


def test_marking_what_is_held_says_that_it_is_held(queued: Cli):
    queued("queue", "unmark", "aurora__1.1")
    queued("hold", "pypi/aurora@1.1", "--why", "looking")

    assert "held" in queued("queue", "mark", "aurora__1.1").out


def _rows(cli: Cli) -> list[dict[str, str]]:
    """The table of `queue list`, by its headings."""
    head, *lines = cli("queue", "list").out.splitlines()
    starts = [head.index(word) for word in head.split()]
    names = head.split()
    ends = [*starts[1:], None]
    return [
        {name: line[a:b].strip() for name, a, b in zip(names, starts, ends, strict=True)}
        for line in lines
    ]


def test_who_mended_the_machine_need_not_wait_for_the_next_attempt(queued: Cli):
    job = queued("queue", "take", "--worker", "one").json
    queued("queue", "fail", str(job["id"]), "--fence", str(job["fence"]), "--class",
           "infrastructure", "--text", "docker is not running")  # fmt: skip
    assert queued("queue", "take", "--worker", "one").json["id"] != job["id"]

    assert queued("queue", "retry", job["recipe"]).code == 0

    again = queued("queue", "take", "--worker", "one").json
    assert (again["id"], again["attempts"]) == (job["id"], 1)


def test_the_list_says_that_a_job_whose_lease_has_ended_is_free(queued: Cli):
    toml = queued.config / "monitor.toml"
    toml.write_text(toml.read_text() + '\n[queue]\nlease = "1s"\n')
    job = queued("queue", "take", "--worker", "one").json
    with sqlite3.connect(queued.state / "monitor.db") as db:
        db.execute("UPDATE job SET free_at = free_at - 60 WHERE id = ?", (job["id"],))

    (row,) = [row for row in _rows(queued) if row["STATE"] == "taken"]

    assert row["NOTE"].startswith("free again: the lease of one")
