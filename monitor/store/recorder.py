"""One project's releases: compared with what is stored, judged, kept and told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from monitor.diff import GONE, Difference, Known, diff
from monitor.model import Json, Kind, Outcome, Release
from monitor.plausible import Gate, doubt_versions
from monitor.schedule import DAY
from monitor.sources import Source, Wanted
from monitor.store import proposals
from monitor.store.appraise import key_of, rules_of
from monitor.store.artefacts import changes
from monitor.store.changeset import Changeset, Row, insert_versions, row_of, rows_of, seconds
from monitor.store.events import tell
from monitor.store.known import (
    Enrolled,
    Listing,
    baselines,
    enrol,
    enrol_all,
    known_versions,
    last_id,
    unknown,
)
from monitor.store.strangers import Fresh, meet

if TYPE_CHECKING:
    from monitor.store.record import Result, Visit

ABSENT = "missing"
"""The doubt that a complete answer leaves behind when it leaves out a version: the next visit asks
past all caches, and what is still absent then is withdrawn."""


class Recorder:
    """One visit being recorded: its steps share the visit, the sighting and the result."""

    def __init__(
        self, db: sqlite3.Connection, visit: Visit, wanted: Wanted, gate: Gate, result: Result
    ) -> None:
        self.db = db
        self.visit = visit
        self.source: Source = visit.source
        self.wanted = wanted
        self.gate = gate
        self.result = result
        self._sighting: int | None = None
        self._fresh: list[Fresh] = []
        self.baseline = baselines(db, self.source.id)

    def project(self, name: str, releases: Sequence[Release], *, listed: bool = False) -> Enrolled:
        """Record what was said of one project, alone or (`listed`) as part of an index.

        The first look is a baseline, save for what came since we know the source. Returns the
        project as it stood before.
        """
        project, listing = enrolled = enrol(self.db, self.source, name, self.visit.at)
        first = listing.baseline is None
        news = self._news_of_first_look(listing, releases, listed) if first else _all_news
        told = self.result.released
        added = self._releases(name, project, listing, releases, news, self.visit.complete)
        if added is None or not first:
            return enrolled
        if listed:
            self.db.execute(
                "UPDATE listing SET baseline = ? WHERE source = ? AND project = ?",
                (self.visit.at, self.source.id, project),
            )
        else:
            self.result.first = True
        alone = not self.baseline and not self.source.mechanisms
        if alone and (added or listing.answered is None):
            self.tell_baseline(project, 1, added - (self.result.released - told))
        return enrolled

    def _news_of_first_look(
        self, listing: Listing, releases: Sequence[Release], listed: bool
    ) -> Callable[[Release], bool]:
        """What of a project's versions is news when we see them for the first time (fault C12).

        Dated ones, where they came after our first look at the whole source; others only where
        the index has told us that the project did not exist then.
        """
        since = self.baseline.get("index", self.baseline.get("feed"))
        if since is None:
            return _no_news
        born = "index" in self.baseline and listing.added > self.baseline["index"]
        few = len(releases) <= self.gate.add_limit
        latest = self.visit.at + DAY  # what is dated later says nothing (fault C17)

        def news(release: Release) -> bool:
            if born and few:
                return True
            return not listed and since <= (seconds(release.published) or 0) <= latest

        return news

    def first_sight(
        self, grouped: Mapping[str, Sequence[Release]], news: Callable[[Release], bool]
    ) -> set[str]:
        """Record at once all projects that nobody has told us of and that bring no news.

        That is most of a first window. Returns their names; the others go their way one by one.
        """
        purl_of = self.source.namer()
        named = {purl_of(name): name for name in grouped}
        if len(named) < len(grouped):  # two spellings of one project
            return set()
        fresh = unknown(self.db, named)
        strangers = [
            (purl, name, None)
            for purl, name in named.items()
            if purl in fresh and not any(one.files or news(one) for one in grouped[name])
        ]
        if not strangers:
            return set()
        rules, scheme, sighting = self.source.rules, self.source.scheme, self.sighting
        rows: list[Row] = []
        next_id = last_id(self.db, "version") + 1
        numbered = enrol_all(self.db, self.source.id, strangers, self.visit.at)
        for project, (purl, name, _) in zip(numbered, strangers, strict=True):
            releases, key, number = grouped[name], key_of(scheme, rules, purl), next_id + len(rows)
            if len(releases) == 1:  # nothing to compare it with
                one = releases[0]
                rows.append(row_of(number, project, one, key(one.version), sighting, None))
            else:
                added = diff({}, releases, key=key, news=news).added
                rows += rows_of(project, added, sighting, number, {})
        insert_versions(self.db, rows)
        self.result.added += len(rows)
        return {name for _, name, _ in strangers}

    def releases(
        self,
        name: str,
        releases: Sequence[Release],
        *,
        news: Callable[[Release], bool],
        complete: bool,
    ) -> int | None:
        """One project's releases. Returns how many are new to us, None where we doubt them."""
        project, listing = enrol(self.db, self.source, name, self.visit.at)
        if not listing.known and self.baseline:
            self._fresh.append((self.source.purl(name), name))
        return self._releases(name, project, listing, releases, news, complete)

    def meet(self) -> None:
        """Compare the projects that were new to us with what is watched (fault E20)."""
        if self._fresh:
            self.result.events += meet(self.db, self.source, self._fresh, self.visit.at)

    def moved(self, name: str, now: str) -> None:
        """The upstream calls the project otherwise now: told and proposed once (fault C19)."""
        if self.source.purl(name) == self.source.purl(now):
            return
        project, _ = enrol(self.db, self.source, name, self.visit.at)
        reason = f"{self.source.name} calls it {now} now"
        number = proposals.propose(
            self.db, project, proposals.RENAME, now, source=self.source.id, reason=reason,
            at=self.visit.at,
        )  # fmt: skip
        if number is not None:
            payload = {"reason": reason, "name": now, "proposal": number}
            self.tell(Kind.SOURCE_MOVED, project=project, payload=payload)

    def _releases(
        self,
        name: str,
        project: int,
        listing: Listing,
        releases: Sequence[Release],
        news: Callable[[Release], bool],
        complete: bool,
    ) -> int | None:
        purl = self.source.purl(name)
        known: dict[str, Known] = {}
        ids: dict[str, int] = {}
        rules, scheme = self.source.rules, self.source.scheme
        if listing.known:
            rules, scheme = rules_of(self.db, self.source, project)
            known, ids = known_versions(self.db, project, self.source.id)
        key = key_of(scheme, rules, purl)
        found = diff(known, releases, key=key, complete=complete, news=news)
        if complete and self._doubted(project, listing, known, found):
            return None
        if listing.doubt is not None and self.visit.project is None and complete:
            self._believe(project)
        self.result.added += len(found.added)
        if found.dropped:
            self.result.token = ABSENT
        if complete and listing.lost is not None and (found.seen or found.added):
            self._recognise(project, listing.lost, known, ids, found)
        Changeset(self, project, purl, found, ids, known, news).store(listing)
        return len(found.added)

    # ── doubt ─────────────────────────────────────────────────────────────────────────

    def _doubted(
        self, project: int, listing: Listing, known: dict[str, Known], found: Difference
    ) -> bool:
        """Park an implausible answer; one that says the same again confirms it."""
        live = sum(one.state not in GONE and not one.alias for one in known.values())
        reason = doubt_versions(
            live=live,
            dropped=len(found.dropped),
            added=len(found.news) if listing.baseline is not None else 0,
            known=len(known),
            gate=self.gate,
        )
        if reason is None:
            return False
        # What is new may have grown meanwhile (fault C11); what is absent must be the same.
        token = "added" if not found.dropped else _digest(found.dropped)
        if listing.doubt == token:
            return False
        self.tell(Kind.SUSPECT, project=project, payload={"reason": reason})
        if self.visit.project is not None:
            self.result.outcome, self.result.doubt = Outcome.SUSPECT, reason
            self.result.token = token
            return True
        self.result.token = token  # so that the next walk asks past all caches
        self.db.execute(
            "UPDATE listing SET doubt = ?, outcome = 'suspect', error = ?"
            " WHERE source = ? AND project = ?",
            (token, reason, self.source.id, project),
        )
        return True

    # ── whose is it? ──────────────────────────────────────────────────────────────────

    def _recognise(
        self,
        project: int,
        lost: int,
        known: dict[str, Known],
        ids: dict[str, int],
        found: Difference,
    ) -> None:
        """A project that we believed gone is back: by its former owner, as far as can be told?

        Whoever takes a name that became free shows other versions, or other bytes by the names of
        the former ones (fault D13). Upstreams hardly ever say who owns a project.
        """
        former = {
            row["version"]
            for row in self.db.execute(
                "SELECT version.version FROM version JOIN sighting ON sighting.id = version.seen"
                " WHERE version.project = ? AND sighting.at <= ?",
                (project, lost),
            )
        }
        same = [one for one in found.seen if one.version in former]
        aliases = any(one.alias in former for one in found.added)
        if former and not same and not aliases:
            why = f"none of its {len(former)} versions before is there"
        elif other := [one.version for one in same if self._is_other(one, known, ids)]:
            why = f"{', '.join(other[:5])} stands for something else than before"
        else:
            return
        self.result.other_hands = True
        reason = f"it was gone and is back, perhaps by other hands: {why}"
        payload: Json = {"alarm": True, "reason": reason, "gone_since": lost}
        self.tell(Kind.RECREATED, project=project, payload=payload)

    def _is_other(self, release: Release, known: dict[str, Known], ids: dict[str, int]) -> bool:
        """Does a version of the same name have another commit, or a file other bytes?"""
        before = known[release.version].revision
        if before and release.revision and before != release.revision:
            return True
        version = ids[release.version]
        return any(changes(self.db, version, file) for file in release.files)

    def _believe(self, project: int) -> None:
        self.db.execute(
            "UPDATE listing SET doubt = NULL, outcome = 'ok', error = NULL"
            " WHERE source = ? AND project = ?",
            (self.source.id, project),
        )

    # ── what everything rests on ──────────────────────────────────────────────────────

    @property
    def sighting(self) -> int:
        """The row that everything new in this visit rests on; made when it is first needed."""
        if self._sighting is None:
            answer = self.visit.answers[-1] if self.visit.answers else None
            cursor = self.db.execute(
                """
                INSERT INTO sighting (source, mechanism, url, at, digest, validator)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                (
                    self.source.id,
                    self.visit.mechanism,
                    answer.url if answer else "",
                    self.visit.at,
                    answer and answer.digest,
                    answer and (answer.etag or answer.last_modified),
                ),
            )
            self._sighting = cursor.lastrowid
            assert self._sighting is not None
        return self._sighting

    def tell_baseline(self, project: int | None, projects: int, versions: int) -> None:
        """What was there before we came: one event for all of it."""
        self.tell(
            Kind.BASELINE,
            project=project,
            payload={
                "mechanism": self.visit.mechanism,
                "projects": projects,
                "versions": versions,
                "digest": self.visit.digest,
            },
        )

    def tell(
        self,
        kind: Kind,
        *,
        project: int | None = None,
        version: int | None = None,
        payload: Json | None = None,
    ) -> None:
        """Append an event of this visit."""
        seq = tell(
            self.db,
            kind,
            self.visit.at,
            project=project,
            version=version,
            source=self.source.id,
            payload={"provider": self.source.provider.name} | (payload or {}),
        )
        self.result.events.append(seq)


def _digest(names: Iterable[str]) -> str:
    return blake2b("\n".join(sorted(names)).encode(), digest_size=8).hexdigest()


def _all_news(release: Release) -> bool:
    return True


def _no_news(release: Release) -> bool:
    return False
