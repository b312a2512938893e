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

from monitor.artefacts import Target, choose
from monitor.dockerfile import Recipe, Template, UnfitRelease, recipe_digest, render
from monitor.errors import SettingsError
from monitor.model import Event, File, Kind, State
from monitor.outputs import build_queue, json_feed
from monitor.outputs.build_queue import Expected, Place, Reconciled
from monitor.policy import Decision, Facts, decide, rule_for
from monitor.recipe_names import recipe_name
from monitor.settings import Build, Builds, FeedSettings
from monitor.sources import Source, project_of
from monitor.store import events, jobs, projects, states
from monitor.store.appraise import Appraisal, appraise

OUTPUT = "policy"

_REVOKING = (Kind.YANKED, Kind.REVOKED, Kind.WITHDRAWN, Kind.RETRACTED)

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
    _read(db, context, at)
    for job in jobs.to_decide(db, at):
        _decide(db, context, job, at)
    return events.head(db) - before


def _read(db: sqlite3.Connection, context: Context, at: int) -> None:
    """What each new event means for the queue."""
    seq = events.bookmark(db, OUTPUT)
    rows = db.execute(
        """
        SELECT event.seq, event.kind, event.project, event.version, event.payload, project.purl
        FROM event LEFT JOIN project ON project.id = event.project
        WHERE event.seq > ? ORDER BY event.seq LIMIT 2000
        """,
        (seq,),
    ).fetchall()
    for row in rows:
        if row["version"] is not None and '"job":"' not in row["payload"]:
            _consider(db, context, row, at)
    if rows:
        events.move_bookmark(db, OUTPUT, rows[-1]["seq"])


def _consider(db: sqlite3.Connection, context: Context, row: sqlite3.Row, at: int) -> None:
    kind, version = Kind(row["kind"]), row["version"]
    if kind in (Kind.RELEASED, Kind.RESTORED):
        rule = context.rule(row["purl"])
        if rule is not None:
            jobs.propose(db, version, rule.match, at, rule.priority)
    elif kind in _REVOKING:
        jobs.revoke(db, version, kind.value, at)
    elif kind is Kind.RETAGGED or (kind is Kind.CHANGED and '"digest_before"' in row["payload"]):
        name = db.execute("SELECT version FROM version WHERE id = ?", (version,)).fetchone()[0]
        why = "its tag moved" if kind is Kind.RETAGGED else "the bytes of a published file changed"
        projects.hold(db, row["project"], name, at, who="monitor", why=why)


def _decide(db: sqlite3.Connection, context: Context, job: sqlite3.Row, at: int) -> None:
    rule = context.rule(job["purl"])
    source = context.sources.get(job["source"])
    if rule is None or source is None:
        gone = "no entry of builds.toml asks for it any more"
        jobs.decided(db, job, Decision("refused", "no-rule", gone), at)
        return
    judged = appraise(db, source, job["project"])
    facts = _facts(db, source, job, judged)
    decision = decide(
        facts,
        rule,
        at,
        high_water=context.builds.high_water,
        settle=int(context.builds.settle),
    )
    if decision.verdict != "eligible":
        jobs.decided(db, job, decision, at)
        if decision.rule == "files-unknown":
            _ask_for_files(db, context, job["project"], at)
        return
    _queue(db, context, job, rule, decision, at)
    if rule.newest_wins:
        own = judged.of(job["label"])
        older = [
            row["id"]
            for row in db.execute(
                "SELECT id, version, sort_key FROM version WHERE project = ? AND sort_key < ?",
                (job["project"], own.key),
            )
            if row["version"] in judged.verdicts and judged.of(row["version"]).stream == own.stream
        ]
        jobs.supersede_older(db, job, older, at)


def _facts(db: sqlite3.Connection, source: Source, job: sqlite3.Row, judged: Appraisal) -> Facts:
    version = db.execute(
        "SELECT version.*, sighting.at FROM version JOIN sighting ON sighting.id = version.seen"
        " WHERE version.id = ?",
        (job["version"],),
    ).fetchone()
    files = projects.files(db, job["version"])
    own = judged.verdicts.get(job["label"])
    if own is None:  # another spelling of a version that is judged
        return Facts(False, State.LISTED, version["at"], newest=False)
    return Facts(
        stable=own.stable,
        state=states[version["state"]],
        first_seen=version["at"],
        newest=judged.heads.get(own.stream) in (job["label"], None) or not own.counts,
        pinned=own.reason if not own.counts or not own.release else None,
        held=projects.held(db, job["project"], job["label"]),
        files=len(files),
        unverifiable=sum(not file["digest"] for file in files),
        last_file=max((file["added"] for file in files), default=None),
        backlog=jobs.backlog(db),
    )


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
) -> None:
    try:
        name, text = recipe_of(db, context, job, rule, at)
    except (UnfitRelease, SettingsError) as error:
        jobs.refuse(db, job, str(error), at)
        return
    jobs.queue(
        db,
        job,
        name=name,
        recipe=text,
        digest=recipe_digest(text),
        at=at,
        marked=rule.mark == "auto",
        decision=decision,
        files=[
            {"address": f["url"], "digest": f["digest"], "size": f["size"], "name": f["name"]}
            for f in projects.files(db, job["version"])
        ],
    )


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
    found = []
    for row in jobs.recipes(db):
        place = Place.BUILD if row["marked"] else Place.ALL
        if row["state"] in ("revoked", "superseded"):
            place = Place.REVOKED if row["state"] == "revoked" else Place.ALL
        found.append(
            Expected(
                row["name"],
                place,
                datetime.fromtimestamp(row["written"], UTC),
                row["digest"],
                lambda text=row["recipe"]: text,  # type: ignore[misc]
            )
        )
    return found


def write_queue(db: sqlite3.Connection, folder: Path) -> Reconciled:
    """Make the queue's folders what the store says."""
    return build_queue.reconcile(folder, expected(db))


@dataclass(frozen=True, slots=True)
class Log:
    """The event log as the JSON feed reads it."""

    db: sqlite3.Connection
    epoch: str

    def head(self) -> int:
        return events.head(self.db)

    def events(self, after: int, limit: int) -> list[Event]:
        return events.after(self.db, after, limit)


def write_feed(db: sqlite3.Connection, epoch: str, folder: Path, settings: FeedSettings) -> int:
    """Bring the JSON feed up to the head of the log; returns its number."""
    return json_feed.publish(Log(db, epoch), folder, settings)


def notices(
    db: sqlite3.Connection, kinds: Sequence[str], wanted: Callable[[Event], bool]
) -> tuple[list[Event], int]:
    """Events behind the bookmark of the notices that somebody wants to be told of; and the head."""
    seq = events.bookmark(db, "notify")
    found = list(events.follow(db, seq))
    told = [event for event in found if event.kind.value in kinds and wanted(event)]
    return told, found[-1].seq or seq if found else seq
