"""What the tests of the store share: sources of plain values, and visits of them.

Readers matter little here, so an answer is a list of findings; the store, the
writer and the judging are the real ones.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import structs

from monitor.model import File, Finding, Kind, Mention, Outcome, Release, Reply, State, Unread
from monitor.plausible import Gate
from monitor.protocols import Ask, Provider
from monitor.sources import Source
from monitor.store import bulk, due, events, numbers, open_writer, projects, staging, transaction
from monitor.store.addresses import Answer
from monitor.store.appraise import key_of
from monitor.store.record import Result, Visit, record

AT = 1_790_000_000
DAY = 86400


def nothing(reply: Reply) -> Iterator[Finding]:
    """A reader of answers that never come."""
    return iter(())


ASK = Ask("https://up.example/{project}{cursor}", nothing)


def provider(*mechanisms: str, **more: Any) -> Provider:
    """A provider with these mechanisms, "feed", "index", "versions"."""
    slots: dict[str, Any] = dict.fromkeys(mechanisms, ASK)
    return Provider(**{"name": "shelf", "ordering": "generic", "purl": "generic"} | slots | more)


def when(at: int | None) -> datetime | None:
    """Seconds since 1970 as findings carry them."""
    return None if at is None else datetime.fromtimestamp(at, UTC)


def release(version: str, project: str = "foo", *, at: int | None = None, **more: Any) -> Release:
    """A release; `digests` gives it a file for each."""
    digests = more.pop("digests", ())
    files = tuple(
        File(f"https://up.example/{project}-{version}-{n}.tar.gz", f"sha256:{digest * 64}", 100)
        for n, digest in enumerate(digests)
    )
    return Release(
        project, version, published=when(at), files=files or more.pop("files", ()), **more
    )


@dataclass
class Shelf:
    """A store in a folder, one or more sources, and a clock that tests turn."""

    folder: Path
    at: int = AT
    gate: Gate = field(default_factory=Gate)
    wanted: bool = True
    large: bool = False  # indexes are staged before they are applied, as large ones are
    db: sqlite3.Connection = field(init=False)
    sources: dict[str, Source] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.db = open_writer(self.folder)

    def add(self, name: str = "shelf", *mechanisms: str, **more: Any) -> Source:
        """Configure a source; by default one that only answers for single projects."""
        slots = {key: more.pop(key) for key in ("ordering", "purl") if key in more}
        known = provider(*mechanisms or ("versions",), **slots)
        follow = more.pop("follow", "all")
        given = Source(name=name, provider=known, follow=follow, **more)
        with transaction(self.db):
            [source] = due.enlist(self.db, [given], self.at)
            self.sources[name] = source
            due.rank(self.db, self.sources.values())
        return source

    def visit(self, mechanism: str, source: str | None = None, **more: Any) -> Visit:
        """A visit that went well, unless `more` says otherwise."""
        self.at += more.pop("after", 60)
        own = self.sources[source] if source else next(iter(self.sources.values()))
        answer = Answer(f"https://up.example/{mechanism}", digest=bytes(32))
        found = Visit(
            own, mechanism, self.at, Outcome.OK, self.at + 600, answers=[answer],
            confirm=lambda at=self.at: at + 300,
        )  # fmt: skip
        return structs.replace(found, **more)

    def feed(self, *releases: Release, **more: Any) -> Result:
        """One look at a feed."""
        return self._record(self.visit("feed", releases=list(releases), **more))

    def versions(self, *releases: Release | str, project: str = "foo", **more: Any) -> Result:
        """One complete answer about a project; texts stand for releases that say no more."""
        found = [release(one, project) if isinstance(one, str) else one for one in releases]
        given = {"complete": True, "project": project, "releases": found} | more
        return self._record(self.visit("versions", **given))

    def failed(self, outcome: Outcome, project: str = "foo", **more: Any) -> Result:
        """A visit of a project that did not answer."""
        return self._record(
            self.visit("versions", outcome=outcome, project=project, error="no", answers=[], **more)
        )

    def index(self, *findings: Release | Mention, **more: Any) -> Result:
        """One walk over a whole index."""
        visit = self.visit("index", complete=True, **more)
        batch = found(visit.source, findings)
        with transaction(self.db):
            if self.large:
                staging.begin(self.db)
                staging.stage(self.db, batch)
                batch = staging.Batch()
            return bulk.apply(
                self.db,
                visit,
                batch,
                begun=self.large,
                wanted=lambda purl: self.wanted,
                gate=self.gate,
            )

    def _record(self, visit: Visit) -> Result:
        with transaction(self.db):
            return record(self.db, visit, wanted=lambda purl: self.wanted, gate=self.gate)

    # ── what came of it ───────────────────────────────────────────────────────────────

    def told(self, *kinds: Kind) -> list[tuple[str, str | None]]:
        """Kind and version of every event, of these kinds or of all but baselines."""
        return [
            (event.kind.value, event.version)
            for event in events.follow(self.db, 0)
            if event.kind in kinds or (not kinds and event.kind is not Kind.BASELINE)
        ]

    def count(self, kind: Kind) -> int:
        """How many events of that kind were told."""
        return len(self.told(kind))

    def released(self, project: str = "foo") -> list[str | None]:
        """The versions of a project that were told as released, in that order."""
        return [
            event.version
            for event in events.follow(self.db, 0)
            if event.kind is Kind.RELEASED and event.project.endswith(f"/{project}")
        ]

    def states(self, project: str = "foo") -> dict[str, State]:
        """Every version of a project with its state."""
        return {
            row["version"]: State(row["state"])
            for row in projects.versions(self.db, self.project(project))
        }

    def project(self, name: str = "foo") -> int:
        """Its id."""
        row = self.db.execute(
            "SELECT project FROM listing WHERE name = ? ORDER BY source", (name,)
        ).fetchone()
        return int(row[0])

    def listing(self, project: str = "foo", source: str | None = None) -> sqlite3.Row:
        """How it stands with a project at a source."""
        own = self.sources[source] if source else next(iter(self.sources.values()))
        row: sqlite3.Row = self.db.execute(
            "SELECT * FROM listing WHERE source = ? AND project = ?",
            (own.id, self.project(project)),
        ).fetchone()
        return row

    def question(self, mechanism: str) -> sqlite3.Row:
        """How it stands with a feed or an index."""
        row: sqlite3.Row = self.db.execute(
            "SELECT * FROM question WHERE mechanism = ?", (mechanism,)
        ).fetchone()
        return row


def found(source: Source, findings: Iterable[Release | Mention]) -> staging.Batch:
    """Findings of an index, as the crawler hands them on."""
    known: dict[str, int] = {}
    named: list[staging.Named] = []
    staged: list[staging.Staged] = []
    key = key_of(source.provider.ordering, source.rules)
    for finding in findings:
        purl = source.purl(finding.project)
        if purl not in known:
            known[purl] = len(known) + 1
            revision = finding.revision if isinstance(finding, Mention) else None
            named.append((known[purl], purl, finding.project, revision))
        if isinstance(finding, Release):
            staged += staging.rows_of(known[purl], finding, key(finding.version))
    return staging.Batch(named, staged)


__all__ = ["AT", "DAY", "Answer", "Shelf", "Unread", "numbers", "release"]
