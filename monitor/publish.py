"""From new events to every output, each from its own bookmark.

The log is the truth; feed, queue folders and notices are derived from it and
can be derived again. What is decided (`advance`) is written to the store; the
files are then made to agree with it, so that a crash between the two heals
itself at the next round.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import get_args

import msgspec

from monitor.artefacts import Target, choose
from monitor.dockerfile import Recipe, Template, UnfitRelease, recipe_digest, render
from monitor.errors import SettingsError
from monitor.model import Event, File, Kind, State
from monitor.outputs import build_queue, json_feed
from monitor.outputs.build_queue import Expected, Place, Reconciled
from monitor.outputs.seal import Seal, UnsealedError
from monitor.policy import LATER, Decision, Facts, decide, rule_for
from monitor.recipe_names import recipe_name
from monitor.schedule import DAY
from monitor.settings import Build, Builds, Doubt, FeedSettings
from monitor.sources import Source, project_of
from monitor.store import events, jobs, projects, states, traits, transaction
from monitor.store.appraise import Appraisal, appraise

OUTPUT = "policy"

_REVOKING = (Kind.YANKED, Kind.REVOKED, Kind.WITHDRAWN, Kind.RETRACTED)

_DOUBTS = frozenset(map(Kind, get_args(Doubt)))

_ALARMS = (Kind.RETAGGED, Kind.CHANGED, Kind.RECREATED)

_HEARD = (*_REVOKING, Kind.RELEASED, Kind.RESTORED, *_ALARMS, *_DOUBTS)

MOST = 2000
"""Events that are read in one turn."""

BURST = 20
"""So many releases of one project within minutes: none is queued before it has calmed down."""

_decode = msgspec.json.Decoder(dict).decode

_OWN_TEMPLATE = frozenset(("pypi",))


@dataclass(frozen=True, slots=True)
class Context:
    """What the policy needs beside the store: the settings, and the sources by id."""

    builds: Builds
    sources: Mapping[int, Source]
    templates: Path | None = None

    def rule(self, purl: str) -> Build | None:
        """The entry of `builds.toml` that asks for this project, if one does."""
        found = rule_for(purl, self.builds.build)
        return found if found and found.enabled else None


def advance(db: sqlite3.Connection, context: Context, at: int) -> int:
    """Let the policy read new events and decide what waits. Returns how many events it told.

    The caller commits; everything that follows from one event, and the
    bookmark behind it, is one transaction.
    """
    before = events.head(db)
    inquire(db, context, at)
    _read(db, context, at)
    jobs.stop_held(db, at)
    turn = _Turn(db, context, at)
    for job in jobs.to_decide(db, at):
        turn.decide(job)
    return events.head(db) - before


def inquire(db: sqlite3.Connection, context: Context, at: int) -> None:
    """Have new releases of what is watched or built asked what they say of themselves."""
    settle = int(context.builds.settle)

    def wait(purl: str, watched: bool) -> tuple[int, int] | None:
        if (rule := context.rule(purl)) is not None:
            return settle, int(rule.minimum_age)
        return (settle, settle) if watched else None

    traits.enlist(db, context.sources, wait, at)


def _read(db: sqlite3.Connection, context: Context, at: int) -> None:
    """What each new event means for the queue."""
    seq = events.bookmark(db, OUTPUT)
    rows = events.of_kinds(db, _HEARD, seq, MOST)
    for row in rows:
        _consider(db, context, row, at)
    reached = rows[-1]["seq"] if len(rows) == MOST else events.head(db)
    if reached != seq:
        events.move_bookmark(db, OUTPUT, reached)


def _consider(db: sqlite3.Connection, context: Context, row: sqlite3.Row, at: int) -> None:
    kind, payload = Kind(row["kind"]), _decode(row["payload"])
    if payload.get("job") is not None:
        return  # told by the queue itself
    if kind is Kind.RELEASED:
        rule = context.rule(row["purl"])
        if rule is not None:
            jobs.propose(db, row["version"], rule.match, at, rule.priority)
    elif kind is Kind.RESTORED:
        for version in _versions(db, row):
            jobs.revive(db, version, at)
    elif kind in _REVOKING:
        for version in _versions(db, row):
            jobs.revoke(db, version, kind.value, at)
    elif kind in _DOUBTS:
        rule = context.rule(row["purl"])
        if rule is not None and kind.value in rule.hold and row["label"]:
            why = str(payload.get("reason"))
            projects.hold(db, row["project"], row["label"], at, who="monitor", why=why)
    elif payload.get("clears") and row["label"]:
        projects.clear(db, row["project"], row["label"], str(payload["clears"]))
    elif payload.get("alarm"):
        why = str(payload.get("reason"))
        projects.hold(db, row["project"], row["label"] or "", at, who="monitor", why=why)


def _versions(db: sqlite3.Connection, event: sqlite3.Row) -> list[int]:
    """The version that an event is about, or all of its project's that have a job."""
    if event["version"] is not None:
        return [event["version"]]
    return [
        row["version"]
        for row in db.execute(
            "SELECT job.version FROM job JOIN version ON version.id = job.version"
            " WHERE version.project = ? AND job.state <> 'done'",
            (event["project"],),
        ).fetchall()
    ]


class _Turn:
    """One turn of the policy: what many decisions need is found out once."""

    def __init__(self, db: sqlite3.Connection, context: Context, at: int) -> None:
        self.db = db
        self.context = context
        self.at = at
        self.backlog = jobs.backlog(db)
        self._judged: dict[tuple[int, int], Appraisal] = {}
        self._bursting: dict[int, bool] = {}

    def decide(self, job: sqlite3.Row) -> None:
        """Decide about one job. What goes wrong with it keeps no other one waiting."""
        try:
            with transaction(self.db):
                self._decide(job)
        except sqlite3.Error:
            raise  # the disk's fault, not the job's
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            decision = Decision("wait", "error", what, self.at + LATER)
            jobs.decided(self.db, job, decision, self.at)

    def _decide(self, job: sqlite3.Row) -> None:
        rule = self.context.rule(job["purl"])
        source = self.context.sources.get(job["source"])
        if rule is None or source is None:
            gone = "no entry of builds.toml asks for it any more"
            jobs.decided(self.db, job, Decision("refused", "no-rule", gone), self.at)
            return
        judged = self._appraise(source, job["project"])
        builds = self.context.builds
        decision = decide(
            self._facts(job, judged),
            rule,
            self.at,
            high_water=builds.high_water,
            settle=int(builds.settle),
        )
        if decision.verdict != "eligible":
            jobs.decided(self.db, job, decision, self.at)
            if decision.rule == "files-unknown":
                _ask_for_files(self.db, self.context, job["project"], self.at)
            return
        if job["name"] is not None:
            jobs.resume(self.db, job, decision, self.at)
        elif not _queue(self.db, self.context, job, rule, decision, self.at):
            return
        self.backlog += 1
        if rule.newest_wins:
            self._supersede(job, judged)

    def _supersede(self, job: sqlite3.Row, judged: Appraisal) -> None:
        own = judged.of(job["label"])
        older = [
            row["id"]
            for row in self.db.execute(
                "SELECT id, version FROM version WHERE project = ? AND sort_key < ?",
                (job["project"], own.key),
            )
            if row["version"] in judged.verdicts and judged.of(row["version"]).stream == own.stream
        ]
        jobs.supersede_older(self.db, job, older, self.at)

    def _appraise(self, source: Source, project: int) -> Appraisal:
        found = self._judged.get((source.id, project))
        if found is None:
            found = self._judged[source.id, project] = appraise(self.db, source, project)
        return found

    def _facts(self, job: sqlite3.Row, judged: Appraisal) -> Facts:
        version = self.db.execute(
            "SELECT version.state, version.alias, sighting.at FROM version"
            " JOIN sighting ON sighting.id = version.seen WHERE version.id = ?",
            (job["version"],),
        ).fetchone()
        own = judged.verdicts.get(job["label"])
        if own is None:  # another spelling of a version that is judged
            return Facts(False, State.LISTED, version["at"], newest=False, pinned="is an alias")
        files = projects.files(self.db, job["version"])
        return Facts(
            stable=own.stable,
            state=states[version["state"]],
            first_seen=version["at"],
            newest=self._newest(job, judged) or not own.counts,
            pinned=own.reason if not own.counts or not own.release else None,
            held=projects.held(self.db, job["project"], job["label"]),
            files=len(files),
            unverifiable=sum(not file["digest"] for file in files),
            last_file=max((file["added"] for file in files), default=None),
            backlog=self.backlog,
            awaited=traits.awaited(self.db, job["version"]),
            new_hands=traits.new_hands(self.db, job["version"]),
            burst=self._burst(job["project"]),
        )

    def _newest(self, job: sqlite3.Row, judged: Appraisal) -> bool:
        """Is nothing later there, in its series; after a burst, in all of its project (C11)?"""
        if events.burst(self.db, job["project"], self.at - DAY):
            return job["label"] in (judged.stable, judged.newest)
        return judged.heads.get(judged.of(job["label"]).stream) in (job["label"], None)

    def _burst(self, project: int) -> bool:
        if project not in self._bursting:
            self._bursting[project] = (
                events.recently_released(self.db, project, self.at, BURST) >= BURST
            )
        return self._bursting[project]


def _ask_for_files(db: sqlite3.Connection, context: Context, project: int, at: int) -> None:
    """Have those sources asked that can name the files (fault B21)."""
    for source in context.sources.values():
        if source.provider.versions is not None:
            db.execute(
                "UPDATE listing SET due = min(coalesce(due, ?1), ?1)"
                " WHERE project = ?2 AND source = ?3",
                (at, project, source.id),
            )


def _queue(
    db: sqlite3.Connection,
    context: Context,
    job: sqlite3.Row,
    rule: Build,
    decision: Decision,
    at: int,
) -> bool:
    """Write the recipe. False where none can be made of it."""
    try:
        name, text = recipe_of(db, context, job, rule, at)
        taken = db.execute("SELECT 1 FROM job WHERE name = ?", (name,)).fetchone()
        if taken is not None:
            raise UnfitRelease(job["purl"], f"another job has the name {name}")
    except (UnfitRelease, SettingsError) as error:
        jobs.refuse(db, job, str(error), at)
        return False
    jobs.queue(
        db,
        job,
        name=name,
        recipe=text,
        digest=recipe_digest(text),
        at=at,
        marked=rule.mark == "auto",
        decision=decision,
        notices=traits.notices(db, job["version"]),
        files=projects.described(db, job["version"]),
    )
    return True


def recipe_of(
    db: sqlite3.Connection, context: Context, job: sqlite3.Row, rule: Build, at: int
) -> tuple[str, str]:
    """The name and the text of a job's recipe. Raises UnfitRelease or SettingsError."""
    from packageurl import PackageURL

    purl = PackageURL.from_string(job["purl"])
    kind, project, version = str(purl.type), project_of(job["purl"]), job["label"]
    files = [
        File(
            row["url"],
            row["digest"],
            row["size"],
            row["name"],
            None,
            bool(row["yanked"]),
            row["kind"],
        )
        for row in projects.files(db, job["version"])
    ]
    artefact = choose(job["purl"], files, target=_target())
    template = rule.template or (kind if kind in _OWN_TEMPLATE else "generic")
    pinned = str(PackageURL(kind, purl.namespace, purl.name, version).to_string())
    recipe = Recipe(pinned, project, version, artefact, datetime.fromtimestamp(at, UTC))
    text = render(_template(template, context.templates), recipe, base=rule.base or "auto")
    return recipe_name(kind, project, version), text


@lru_cache
def _target() -> Target:
    return Target.here()


@lru_cache
def _template(name: str, folder: Path | None) -> Template:
    return build_queue.load_template(name, folder)


def expected(db: sqlite3.Connection) -> list[Expected]:
    """What the queue's folders should hold."""
    return [
        Expected(
            row["name"],
            place_of(row),
            datetime.fromtimestamp(row["written"], UTC),
            row["digest"],
            lambda text=row["recipe"]: text,  # type: ignore[misc]
            adopt=row["state"] not in _WAITS,
        )
        for row in jobs.recipes(db)
    ]


_WAITS = ("superseded", "held")  # states in which nothing may be built


def place_of(job: sqlite3.Row) -> Place:
    """The folder where a job's recipe belongs. What is held or superseded must not be built."""
    if job["state"] == "revoked":
        return Place.REVOKED
    return Place.BUILD if job["marked"] and job["state"] not in _WAITS else Place.ALL


def write_queue(db: sqlite3.Connection, folder: Path) -> Reconciled:
    """Make the queue's folders what the store says."""
    return build_queue.reconcile(folder, expected(db))


def write_changed(db: sqlite3.Connection, folder: Path, seq: int) -> list[str]:
    """The same for the recipes that events behind `seq` are about; returns those written anew."""
    written = []
    for row in jobs.recipes_since(db, seq):
        if place_of(row) is Place.REVOKED:
            build_queue.revoke(folder, row["name"])
            continue
        at = datetime.fromtimestamp(row["written"], UTC)
        build_queue.restore(folder, row["name"])
        if build_queue.write_recipe(folder, row["name"], row["recipe"], at):
            written.append(row["name"])
        if place_of(row) is Place.BUILD:
            build_queue.mark(folder, row["name"])
        else:
            build_queue.unmark(folder, row["name"])
    return written


@dataclass(frozen=True, slots=True)
class Log:
    """The event log as the JSON feed reads it."""

    db: sqlite3.Connection
    epoch: str

    def head(self) -> int:
        return events.head(self.db)

    def events(self, after: int, limit: int) -> list[Event]:
        return events.after(self.db, after, limit)


def write_feed(
    db: sqlite3.Connection,
    epoch: str,
    folder: Path,
    settings: FeedSettings,
    *,
    at: int,
    seal: Seal | None,
) -> int:
    """Bring the JSON feed up to the head of the log; returns its number."""
    wanted = events.of_watched(db) if settings.watched_only else None
    return json_feed.publish(Log(db, epoch), folder, settings, wanted, at=at, seal=seal)


def seal_of(state: Path, settings: FeedSettings) -> tuple[Seal | None, UnsealedError | None]:
    """The seal of the feed, or why this machine has none. Raises StoreError for a bad key."""
    if not settings.sign:
        return None, None
    try:
        return Seal.of(state), None
    except UnsealedError as error:
        return None, error


def notices(
    db: sqlite3.Connection, kinds: Sequence[str], wanted: Callable[[Event], bool]
) -> tuple[list[Event], int]:
    """Events behind the bookmark of the notices that somebody wants to be told of; and the head."""
    seq = events.bookmark(db, "notify")
    found = list(events.follow(db, seq))
    told = [event for event in found if event.kind.value in kinds and wanted(event)]
    return told, found[-1].seq or seq if found else seq
