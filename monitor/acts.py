"""What can be asked of whoever writes: the daemon over its control socket, or a command itself.

An act is a plain function of the store, the runtime, the time and its
arguments; it returns what is printed. A command calls `perform`: where a
daemon runs, the act is done there, else here, under the folder's lock.
"""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from monitor.errors import MonitorError, SettingsError, StoreError, UsageError
from monitor.model import Json, Kind
from monitor.runtime import Runtime
from monitor.store import events, jobs, open_writer, projects, transaction
from monitor.store.lock import lock
from monitor.unix import reachable

Act = Callable[..., Any]

ACTS: dict[str, Act] = {}

LONGEST = 1 << 20
"""Bytes of one request or answer on the control socket."""


def act(name: str) -> Callable[[Act], Act]:
    """Register a function as an act of that name."""

    def registered(function: Act) -> Act:
        ACTS[name] = function
        return function

    return registered


# ── the queue ─────────────────────────────────────────────────────────────────────────


@act("queue.take")
def _take(
    db: sqlite3.Connection, runtime: Runtime, at: int, *, worker: str, lease: int | None = None
) -> Json | None:
    queue = runtime.settings.queue
    return jobs.take(db, worker, at, lease or int(queue.lease), queue.attempts)


@act("queue.renew")
def _renew(
    db: sqlite3.Connection,
    runtime: Runtime,
    at: int,
    *,
    job: int,
    fence: int,
    lease: int | None = None,
) -> Json:
    return jobs.renew(db, job, fence, at, lease or int(runtime.settings.queue.lease))


@act("queue.done")
def _done(
    db: sqlite3.Connection, runtime: Runtime, at: int, *, job: int, fence: int, result: Json
) -> Json:
    return jobs.done(db, job, fence, at, result)


@act("queue.fail")
def _fail(
    db: sqlite3.Connection,
    runtime: Runtime,
    at: int,
    *,
    job: int,
    fence: int,
    failure: str,
    text: str,
) -> Json:
    queue = runtime.settings.queue
    return jobs.fail(
        db,
        job,
        fence,
        at,
        failure=failure,
        text=text,
        attempts=queue.attempts,
        pause=int(queue.pause),
    )


@act("queue.mark")
def _mark(
    db: sqlite3.Connection, runtime: Runtime, at: int, *, which: str, on: bool, who: str
) -> Json:
    return jobs.mark(db, which, at, on=on, who=who)


@act("queue.retry")
def _retry(db: sqlite3.Connection, runtime: Runtime, at: int, *, which: str) -> Json:
    return jobs.retry(db, which, at)


@act("queue.regenerate")
def _regenerate(db: sqlite3.Connection, runtime: Runtime, at: int, *, which: str) -> Json:
    """Make a recipe anew from what is known now. The same text keeps its digest and its time."""
    from monitor import publish
    from monitor.dockerfile import UnfitRelease, recipe_digest
    from monitor.outputs import build_queue

    job = jobs.with_recipe(db, which)
    rule = runtime.context.rule(job["purl"])
    if rule is None:
        raise UsageError(which, "no entry of builds.toml asks for it", "add one for this project")
    try:
        _, text = publish.recipe_of(db, runtime.context, job, rule, at)
    except UnfitRelease as error:
        raise UsageError(which, str(error), "its recipe stays as it was") from error
    digest = recipe_digest(text)
    if digest == job["digest"]:
        return jobs.show(db, job["id"]) | {"changed": False}
    done = jobs.rewrite(db, job["id"], text, digest, at)
    moment = datetime.fromtimestamp(at, UTC)
    build_queue.regenerate(runtime.queue_folder, job["name"], text, moment)
    return done | {"changed": True}


@act("queue.reconcile")
def _reconcile(db: sqlite3.Connection, runtime: Runtime, at: int) -> Json:
    """Make folders and store agree, and take up what a build by make has left behind."""
    from dataclasses import asdict

    from monitor import publish
    from monitor.outputs import build_queue

    expected = publish.expected(db)
    found = build_queue.reconcile(runtime.queue_folder, expected, adopt_marks=True)
    for name in found.by_hand:
        jobs.mark(db, name, at, on=True, who="a copy in build/")
    return asdict(found) | _take_up(db, Path(runtime.settings.queue.dir) / "build", at)


def _take_up(db: sqlite3.Connection, folder: Path, at: int) -> Json:
    """Results of builds that nobody took from the queue, by their markers and logs."""
    from monitor.outputs import markers
    from monitor.store import reports
    from pipeline.failures import of_build

    told: dict[str, list[str]] = {"built": [], "explored": [], "failed": [], "running": []}
    for marker in markers.find(folder, at):
        new = marker.stage == "running"
        if marker.stage in ("built", "explored"):
            finished = datetime.fromtimestamp(marker.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            result: Json = {"backend": reports.MAKE, "finished": finished}
            if marker.stage == "explored":
                result |= {"explored": True, "graph": str(marker.path.relative_to(folder))}
            new = reports.built(db, marker.name, at, finished=marker.at, result=result)
        elif marker.stage == "failed":
            text = marker.text()
            new = reports.failed(
                db, marker.name, at, finished=marker.at, failure=of_build(text).value, text=text
            )
        if new:
            told[marker.stage].append(marker.name)
    return told


# ── projects ──────────────────────────────────────────────────────────────────────────


@act("watch")
def _watch(
    db: sqlite3.Connection,
    runtime: Runtime,
    at: int,
    *,
    what: str,
    name: str | None = None,
    current: str | None = None,
    owner: str | None = None,
    rules: str | None = None,
) -> Json:
    from monitor.store.known import enrol

    found = [(s, p) for s, p in runtime.resolve(what) if s.name in runtime.sources]
    if not found:
        if "/" not in what:
            known = projects.find(db, what) or [f"{name}/{what}" for name in runtime.sources]
            remedy = f"such as {', '.join(known[:5])}" if known else "`monitor sources` lists them"
            raise UsageError(what, "at which source?", f"write it as source/project, {remedy}")
        raise UsageError(
            what,
            "no configured source knows it",
            "`monitor sources` lists what is configured, `monitor providers` what there is",
        )
    source, project_name = found[0]
    project, _ = enrol(db, source, project_name, at)
    settled = projects.named_in_settings(db, project)
    if settled and (name or current or owner or rules):
        raise UsageError(
            what, "is watched because the settings name it", "say there what is to hold of it"
        )
    fresh = not settled and projects.watch(
        db,
        project,
        at,
        source=source,
        name=name or project_name.rpartition("/")[2],
        current=current,
        owner=owner,
        rules=rules,
    )
    return {"purl": source.purl(project_name), "source": source.name, "new": fresh}


@act("unwatch")
def _unwatch(db: sqlite3.Connection, runtime: Runtime, at: int, *, what: str) -> Json:
    row = projects.one(db, what)
    if projects.named_in_settings(db, row["id"]):
        remedy = "remove it from packages.toml, or from `projects` of its source"
        raise UsageError(what, "is watched because the settings name it", remedy)
    return {"purl": row["purl"], "watched": projects.unwatch(db, row["id"])}


@act("ack")
def _ack(
    db: sqlite3.Connection, runtime: Runtime, at: int, *, what: str, version: str | None = None
) -> Json:
    row = projects.one(db, what)
    seen = projects.ack(db, row["id"], version)
    if seen is None:
        raise UsageError(
            f"{what}@{version or 'newest'}", "is not known", "`monitor show` lists all"
        )
    return {"purl": row["purl"], "version": seen}


@act("hold")
def _hold(
    db: sqlite3.Connection,
    runtime: Runtime,
    at: int,
    *,
    what: str,
    version: str = "",
    who: str,
    why: str,
    on: bool = True,
) -> Json:
    row = projects.one(db, what)
    if on:
        projects.hold(db, row["id"], version, at, who=who, why=why)
    elif not projects.unhold(db, row["id"], version):
        raise UsageError(what, "is not held", "`monitor status` shows what is held")
    found = db.execute(
        "SELECT 1 FROM version WHERE project = ? AND version = ?", (row["id"], version)
    ).fetchone()
    return {
        "purl": row["purl"],
        "version": version or None,
        "held": on,
        "seen": found is not None if version else None,
    }


@act("answer")
def _answer(
    db: sqlite3.Connection, runtime: Runtime, at: int, *, number: int, accept: bool, who: str
) -> Json:
    """What a person says to a proposal. What was declined stays, and is not asked again."""
    from monitor.runtime import default_source
    from monitor.store import proposals
    from monitor.store.appraise import re_evaluate

    found = proposals.one(db, number)
    proposals.answer(db, number, accept, who, at)
    told = {"proposal": number, "purl": found["purl"], "accepted": accept, "kind": found["kind"]}
    if not accept:
        return told | {"subject": found["subject"]}
    row = db.execute(
        "SELECT name, provider FROM source WHERE id = ?", (found["source"],)
    ).fetchone()
    source = runtime.sources.get(row["name"]) or default_source(row["provider"])
    if found["kind"] == proposals.ADMIT:
        proposals.admit(db, source, found["project"], found["subject"].split(" "), at)
    elif found["kind"] == proposals.EPOCH:
        re_evaluate(db, source, found["project"], at, apply=True)
    else:
        told["purl"] = proposals.rename(db, source, found["project"], found["subject"], at)
    return told | {"subject": found["subject"]}


@act("retract")
def _retract(
    db: sqlite3.Connection, runtime: Runtime, at: int, *, what: str, version: str, why: str
) -> Json:
    """Take back an announcement of ours that was wrong. The version stays, with its history."""
    row = projects.one(db, what)
    found = db.execute(
        "SELECT id FROM version WHERE project = ? AND version = ?", (row["id"], version)
    ).fetchone()
    if found is None:
        raise UsageError(f"{what}@{version}", "is not known", "`monitor show` lists all versions")
    seq = events.tell(
        db,
        Kind.RETRACTED,
        at,
        project=row["id"],
        version=found["id"],
        payload={"reason": why},
    )
    return {"purl": row["purl"], "version": version, "event": seq}


def known_sources(runtime: Runtime, names: list[str]) -> list[str]:
    """These sources, or all. Raises UsageError for one that is not there, or if none is."""
    if not runtime.sources:
        folder = f"{runtime.settings.folder}/sources"
        raise UsageError(folder, "no source is configured", "add a file there")
    for name in names:
        if name not in runtime.sources:
            from difflib import get_close_matches

            near = get_close_matches(name, runtime.sources, 1, 0.4)
            hint = f"did you mean {near[0]}? " if near else ""
            there = ", ".join(runtime.sources)
            raise UsageError(name, "there is no such source", f"{hint}There are: {there}")
    return names or list(runtime.sources)


@act("poll")
def _poll(
    db: sqlite3.Connection, runtime: Runtime, at: int, *, sources: list[str], projects: bool = True
) -> Json:
    """Everything of these sources (or all) is due now; the daemon asks it at its usual pace."""
    names = known_sources(runtime, sources)
    marks = ",".join("?" * len(names))
    own = f"(SELECT id FROM source WHERE name IN ({marks}))"
    due = db.execute(
        f"UPDATE question SET due = min(due, ?) WHERE source IN {own}", (at, *names)
    ).rowcount
    if projects:
        due += db.execute(
            f"UPDATE listing SET due = min(due, ?) WHERE due IS NOT NULL AND source IN {own}",
            (at, *names),
        ).rowcount
    return {"due": due}


@act("nudge")
def _nudge(db: sqlite3.Connection, runtime: Runtime, at: int, *, what: str) -> Json:
    """Somebody says that a project changed (fault D15): it is asked soon, and that is all.

    Nothing of what is said is taken for true, a project that nobody asks for is not begun with,
    and whoever says it a thousand times has it asked once a minute at most.
    """
    from monitor.store import due

    sources = list(runtime.sources.values())
    if not projects.find(db, what):
        return {}
    purl = projects.one(db, what)["purl"]
    return {purl: due.nudge(db, purl, sources, at)}


@act("ping")
def _ping(db: sqlite3.Connection, runtime: Runtime, at: int) -> Json:
    return {"at": at}


# ── here or there ─────────────────────────────────────────────────────────────────────


def perform(runtime: Runtime, name: str, at: int, /, **arguments: Any) -> Any:
    """Do an act where the writer is. Raises what the act raises, or StoreError."""
    answered, result = call(runtime.socket, name, arguments)
    if answered:
        return result
    from monitor import publish
    from monitor.outputs import build_queue

    with lock(runtime.state):
        db = open_writer(runtime.state)
        try:
            from monitor.store.due import enlist

            with transaction(db):
                runtime.numbered(enlist(db, list(runtime.sources.values()), at))
                before = events.head(db)
                result = ACTS[name](db, runtime, at, **arguments)
            if name.startswith("queue.") and runtime.settings.queue.enabled:
                # Not all of it: a mark that somebody copied by hand is not ours to remove.
                build_queue.prepare(runtime.queue_folder)
                publish.write_changed(db, runtime.queue_folder, before)
            return result
        finally:
            db.close()


def call(path: Path, name: str, arguments: Json) -> tuple[bool, Any]:
    """Ask the daemon. False where none listens there. Raises what the act raised there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(5 if name == "ping" else 60)  # a ping is answered without any write
        try:
            with reachable(path) as name_of_it:
                line.connect(name_of_it)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return False, None
        except OSError as error:
            raise StoreError(
                str(path),
                f"the daemon's control socket cannot be used: {error.strerror or error}",
                "run this as the daemon's user, or as a member of its group",
            ) from error
        try:
            line.sendall(json.dumps({"act": name, "arguments": arguments}).encode() + b"\n")
            answer = line.makefile("rb").readline(LONGEST)
            said = json.loads(answer)
        except (OSError, ValueError) as error:
            raise StoreError(
                str(path), "the daemon did not answer", "see its log; try again"
            ) from error
    if "error" in said:
        raise _error(said["error"])
    return True, said.get("result")


_KINDS = {kind.__name__: kind for kind in (SettingsError, StoreError, UsageError)}


def answer(outcome: Any) -> bytes:
    """A result or an error as one line for the control socket."""
    if isinstance(outcome, MonitorError):
        told = {
            "kind": type(outcome).__name__,
            "where": outcome.where,
            "what": outcome.what,
            "remedy": outcome.remedy,
        }
        return msgspec.json.encode({"error": told}) + b"\n"
    return msgspec.json.encode({"result": outcome}) + b"\n"


def _error(told: Json) -> MonitorError:
    kind = _KINDS.get(told["kind"], UsageError)
    return kind(told["where"], told["what"], told["remedy"])
