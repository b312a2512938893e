"""What an answer changed of one project: judged, kept and told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from monitor.diff import Added, Changed, Difference, Known
from monitor.judge import propose_epoch
from monitor.model import Json, Kind, Release, State
from monitor.schedule import DAY
from monitor.store import insert_rows, numbers, proposals
from monitor.store.appraise import EPOCH_ZERO, Appraisal, appraise, judged
from monitor.store.artefacts import describe, keep_files, wake
from monitor.store.events import burst, recently_released, was_told
from monitor.store.known import (
    Listing,
    keep_statements,
    last_id,
    shared,
)
from monitor.store.proposals import announcement
from monitor.store.ranks import Ranking, counted, ranking

if TYPE_CHECKING:
    from monitor.store.recorder import Recorder

RETAGGED_AT_ONCE = 3
"""So many moved tags are told one by one; of more, and of most of a project's, once (E02)."""

OLDER = "older-but-higher"
"""The judge's rule for what somebody has to look at."""

FOREIGN = "other-source"
"""The judge's rule for what only a source shows that is not believed."""

_LAST = datetime.max.replace(tzinfo=UTC)
_1970 = datetime(1970, 1, 1, tzinfo=UTC)


class Changeset:
    """What an answer changed of one project, on its way into the store."""

    def __init__(
        self,
        recorder: Recorder,
        project: int,
        purl: str,
        found: Difference,
        ids: dict[str, int],
        known: dict[str, Known],
        news: Callable[[Release], bool],
    ) -> None:
        self.recorder = recorder
        self.db = recorder.db
        self.visit = recorder.visit
        self.source = recorder.source
        self.project = project
        self.purl = purl
        self.found = found
        self.ids = ids
        self.known = known
        self.is_news = news
        self.announced: set[str] = set()
        self.ranks: Ranking | None = None  # where not all of its sources are believed
        self.believed: set[int] = set()  # versions that a believed source had shown before
        self.alone = False  # it belongs to one source alone
        self.foreign = False  # and this is another one

    @cached_property
    def wanted(self) -> bool:
        """Does somebody watch or build it?"""
        return self.recorder.wanted(self.purl)

    def store(self, listing: Listing) -> None:
        """Keep it all, judge the project anew where that may matter, tell what is news."""
        found = self.found
        if listing.known:
            self._rank()
        before = self._before(listing)
        self._insert()
        self._refresh()
        if listing.known:
            self._keep_states()
        told = self._keep_files()
        unjudged = listing.judged is None
        late = self._late(listing)
        if not (found.added or found.changed or told or unjudged or late or self.alone):
            return
        quiet = not (found.news or found.changed)
        if unjudged and quiet and not (listing.known and self.wanted):
            return  # a first look at what nobody asked for: judged when somebody does
        after = appraise(self.db, self.source, self.project, save=True)
        self._tell_news(late, after)
        if self.ranks is not None and self.alone:
            self._tell_confusion(self.ranks, after)
        if self._may_count_anew(after, unjudged):
            self._propose_epoch(after)
        self._tell_changes()
        for version, payloads in told.items():
            for payload in payloads:
                self._tell(Kind.CHANGED, version, payload)
        self._tell_latest(before, after)
        if found.news:
            self._tell_burst()

    def _rank(self) -> None:
        """Find out whether this source is believed about this project (faults C16 and E21)."""
        self.ranks = ranks = ranking(self.db, self.project)
        if ranks is None:
            return
        self.believed = counted(self.db, self.project, ranks)
        self.alone = ranks.exclusive
        self.foreign = ranks.exclusive and self.source.id not in ranks.ids
        if self.foreign:  # it speaks of a stranger's versions, even where they are called like ours
            self.found.changed = []
            self.found.seen = [Release(one.project, one.version) for one in self.found.seen]

    def _late(self, listing: Listing) -> list[Release]:
        """What only others had shown, who are not believed, and was not told therefore."""
        if self.ranks is None or self.source.id not in self.ranks.ids:
            return []
        if listing.baseline is None and self.visit.mechanism != "feed":
            return []  # a first look is no news; a feed knows itself what is none
        fresh = counted(self.db, self.project, self.ranks) - self.believed
        # Of what nobody had shown it is known by now whether it is news.
        fresh -= {self.ids[one.release.version] for one in self.found.added}
        shown = {one.version: one for one in self._shown}
        # Perhaps in a spelling of its own: then it is told in that which we know.
        late = [
            shown.get(version) or Release(self._shown[0].project, version)
            for version, number in self.ids.items()
            if number in fresh and not was_told(self.db, Kind.RELEASED, self.project, number)
        ]
        return [one for one in late if self.is_news(one)]

    @property
    def _shown(self) -> list[Release]:
        return [one.release for one in self.found.added] + self.found.seen

    def _before(self, listing: Listing) -> Appraisal:
        if listing.judged is not None:
            return judged(self.db, self.project)
        if self.found.changed:
            return appraise(self.db, self.source, self.project)
        return Appraisal()

    def _insert(self) -> None:
        if not self.found.added:
            return
        first = last_id(self.db, "version") + 1
        rows = rows_of(self.project, self.found.added, self.recorder.sighting, first, self.ids)
        insert_versions(self.db, rows)

    def _refresh(self) -> None:
        """Add what earlier answers did not say; take nothing away."""
        if not self.found.seen:
            return
        self.db.executemany(
            """
            UPDATE version
            SET published = coalesce(?1, published), flag = coalesce(?2, flag),
                revision = coalesce(revision, ?3), tag = coalesce(tag, ?4)
            WHERE id = ?5 AND (published IS NOT coalesce(?1, published)
                  OR flag IS NOT coalesce(?2, flag) OR (revision IS NULL AND ?3 IS NOT NULL)
                  OR (tag IS NULL AND ?4 IS NOT NULL))
            """,
            [
                (
                    seconds(one.published),
                    one.prerelease,
                    one.revision,
                    one.tag if one.tag != one.version else None,
                    self.ids[one.version],
                )
                for one in self.found.seen
                if one.published or one.prerelease is not None or one.revision or one.tag
            ],
        )

    def _keep_states(self) -> None:
        self.db.executemany(
            "UPDATE version SET state = ?, revision = coalesce(?, revision) WHERE id = ?",
            [
                (numbers[one.state], one.release.revision, self.ids[one.before.version])
                for one in self.found.changed
            ],
        )
        if shared(self.db, self.project):
            keep_statements(
                self.db,
                self.project,
                self.source.id,
                {self.ids[one.version]: one.state for one in self._shown},
                complete=self.visit.complete,
            )

    def _keep_files(self) -> dict[int, list[Json]]:
        told: dict[int, list[Json]] = {}
        if self.foreign or not (any(one.files for one in self._shown) and self.wanted):
            return told
        for release in self._shown:
            if not release.files:
                continue
            version = self.ids[release.version]
            payloads, more = keep_files(self.db, version, release.files, self.visit.at)
            if payloads:
                told[version] = payloads
            if more and wake(self.db, version, self.visit.at):
                self.recorder.result.woken += 1
        return told

    # ── what is told ──────────────────────────────────────────────────────────────────

    def _tell_news(self, late: Sequence[Release], after: Appraisal) -> None:
        """Announce what is new, but for what has to be looked at, or is not believed."""
        news = sorted(self.found.news, key=lambda one: (one.release.published or _LAST, one.key))
        parked = []
        for release in [*late, *(one.release for one in news)]:
            rule = after.of(release.version).rule
            if rule == OLDER:
                parked.append(release)
            elif rule != FOREIGN:
                self._announce(release, after)
        if parked:
            self._park(parked, after)

    def _announce(self, release: Release, after: Appraisal) -> None:
        own = after.of(release.version)
        payload = announcement(after, release.version, self.source) | {
            "reason": release.reason or (None if own.stable else own.reason),
            "published": seconds(release.published),
            "first_seen": self.visit.at,
            "page": release.page,
            "tag": release.tag,
            "files": describe(release.files),
        }
        self._tell(Kind.RELEASED, self.ids[release.version], payload)
        self.announced.add(release.version)
        self.recorder.result.released += 1
        if not release.files and self.source.provider.versions and self.visit.mechanism == "feed":
            self._ask(release.project)

    def _ask(self, name: str) -> None:
        """A feed names no files: the project itself is asked, where somebody wants them."""
        asked = self.db.execute(
            """
            UPDATE listing SET due = min(coalesce(due, ?1), ?1)
            WHERE source = ?2 AND project = ?3 AND (?4 OR due IS NOT NULL)
            """,
            (
                self.visit.at,
                self.source.id,
                self.project,
                self.wanted or self.source.follow == "all",
            ),
        ).rowcount
        if asked:
            self.recorder.result.ask.append(name)

    def _tell_confusion(self, ranks: Ranking, after: Appraisal) -> None:
        """A name that is ours alone exists elsewhere as well, with a higher version (fault E21)."""
        mine = max((one.key for one in after.verdicts.values() if one.release), default=b"")
        others = [one for one in after.verdicts.values() if one.rule == FOREIGN and one.key > mine]
        if not others:
            return
        top = max(others, key=lambda one: one.key).candidate.version
        if was_told(self.db, Kind.SUSPECT, self.project, self.ids[top]):
            return
        reason = (
            f"{ranks.said} has this project to itself, and {top} comes from elsewhere: it is"
            " ignored. Somebody may have taken the name"
        )
        versions = sorted(one.candidate.version for one in others)[:100]
        self._tell(Kind.SUSPECT, self.ids[top], {
            "alarm": True, "reason": reason, "versions": versions, "believed": list(ranks.names),
        })  # fmt: skip

    def _park(self, parked: Sequence[Release], after: Appraisal) -> None:
        """Higher than the newest and much older: a fork's ancestors, or a slip (fault C15).

        They are kept, and no news until somebody says that they are releases.
        """
        versions = [one.version for one in parked]
        reason = f"{versions[0]} is {after.of(versions[0]).reason}"
        if len(versions) > 1:
            reason += f"; and {len(versions) - 1} more like it"
        number = self._propose(proposals.ADMIT, " ".join(versions), reason)
        alone = self.ids[versions[0]] if len(versions) == 1 else None
        payload = {"reason": reason, "versions": versions[:100], "proposal": number}
        self._tell(Kind.SUSPECT, alone, payload)

    def _may_count_anew(self, after: Appraisal, unjudged: bool) -> bool:
        """Did something come that does not stand above what was there?"""
        if unjudged:
            return self.wanted
        heads = (after.newest, after.stable)
        return any(one.release.version not in heads for one in self.found.news)

    def _propose_epoch(self, after: Appraisal) -> None:
        """Another numbering is seen and said, never assumed (fault C03)."""
        found = propose_epoch(after.verdicts.values())
        if found is None:
            return
        epoch = msgspec.json.encode(found.epoch).decode()
        number = self._propose(proposals.EPOCH, epoch, found.reason)
        if number is not None:
            payload = {
                "reason": found.reason,
                "epoch": msgspec.to_builtins(found.epoch),
                "would_be_newest": found.newest,
                "masking": found.masking,
                "proposal": number,
            }
            self._tell(Kind.EPOCH_PROPOSED, self.ids.get(found.newest), payload)

    def _propose(self, kind: str, subject: str, reason: str) -> int | None:
        return proposals.propose(
            self.db, self.project, kind, subject, source=self.source.id, reason=reason,
            at=self.visit.at,
        )  # fmt: skip

    def _tell_changes(self) -> None:
        moved = [one for one in self.found.changed if one.kind is Kind.RETAGGED]
        tags = sum(one.revision is not None for one in self.known.values())
        at_once = len(moved) > RETAGGED_AT_ONCE and len(moved) * 2 > tags
        if at_once:
            self._tell(
                Kind.RETAGGED,
                None,
                {
                    "alarm": True,
                    "reason": f"{len(moved)} of {tags} tags moved at once",
                    "versions": [one.before.version for one in moved[:100]],
                },
            )
        for change in self.found.changed:
            if not (at_once and change.kind is Kind.RETAGGED):
                self._tell(change.kind, self.ids[change.before.version], _payload_of(change))

    def _tell_latest(self, before: Appraisal, after: Appraisal) -> None:
        """Another version is the newest stable one, and not because it is new (fault C01)."""
        if before.stable in (None, after.stable) or after.stable in self.announced:
            return
        why = sorted({one.state.value for one in self.found.changed})
        self._tell(
            Kind.LATEST_CHANGED,
            None,
            {"previous": before.stable, "stable_version": after.stable, "states": why},
        )

    def _tell_burst(self) -> None:
        """Many releases within minutes: said once a day, and nothing is built meanwhile (C11)."""
        at = self.visit.at
        count = recently_released(self.db, self.project, at, self.recorder.gate.add_limit + 1)
        if count > self.recorder.gate.add_limit and not burst(self.db, self.project, at - DAY):
            reason = f"more than {self.recorder.gate.add_limit} releases within minutes"
            self._tell(Kind.BURST, None, {"reason": reason})

    def _tell(self, kind: Kind, version: int | None, payload: Json) -> None:
        self.recorder.tell(kind, project=self.project, version=version, payload=payload)


Row = tuple[
    int, int, str, bytes, int, int | None, int, bool | None, str | None, str | None, int | None
]

_PLAIN = 7
"""Columns that every version has; the others say something of few."""

_NOTHING = (None,) * 4


_COLUMNS = "id, project, version, sort_key, state, published, seen"


def insert_versions(db: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Store new versions. Where most columns say nothing, they are not even bound."""
    if all(row[_PLAIN:] == _NOTHING for row in rows):
        columns, rows = _COLUMNS, [row[:_PLAIN] for row in rows]
    else:
        columns = f"{_COLUMNS}, flag, revision, tag, alias"
    insert_rows(db, f"version ({columns})", rows)


def rows_of(
    project: int, added: Iterable[Added], sighting: int, first: int, ids: dict[str, int]
) -> list[Row]:
    """New versions as they are inserted, numbered from `first` on; `ids` learns their numbers."""
    rows: list[Row] = []
    for number, one in enumerate(added, first):
        release = one.release
        ids[release.version] = number
        alias = None if one.alias is None else ids[one.alias]
        rows.append(row_of(number, project, release, one.key, sighting, alias))
    return rows


def row_of(
    number: int, project: int, release: Release, key: bytes, sighting: int, alias: int | None
) -> Row:
    return (
        number,
        project,
        release.version,
        EPOCH_ZERO + key,
        numbers[release.state or State.LISTED],
        seconds(release.published),
        sighting,
        release.prerelease,
        release.revision,
        release.tag if release.tag != release.version else None,
        alias,
    )


def _payload_of(change: Changed) -> Json:
    payload: Json = {
        "state": change.state.value,
        "before": change.before.state.value,
        "reason": change.release.reason,
    }
    if change.kind is Kind.RETAGGED:
        payload |= {
            "alarm": True,
            "reason": "its tag moved",
            "revision": change.release.revision,
            "revision_before": change.before.revision,
        }
    return payload


def seconds(moment: datetime | None) -> int | None:
    """Whole seconds since 1970: cut, as the year 9999 must not end in the year 10000."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        return int(moment.replace(microsecond=0).timestamp())
    since = moment - _1970
    return since.days * DAY + since.seconds
