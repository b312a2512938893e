"""Bring the store up to date with one visit, and say what changed.

Everything that a visit taught (versions, files, states), what it caused
(events), how far the source's cursor has come and the validators of the
answers are one transaction: after a crash the same page is read again, which
changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b

from monitor.diff import GONE, Added, Changed, Difference, Known, diff
from monitor.model import File, Json, Kind, Outcome, Release, State, Unread
from monitor.plausible import Gate, doubt_versions, gap, keys_of, window_cursor
from monitor.sources import Source, Wanted
from monitor.store import numbers, states
from monitor.store.appraise import Appraisal, appraise, key_of, rules_of
from monitor.store.events import tell

MOST_TEXT = 2000
"""Characters kept of an error or a dead letter."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one address said of itself: to be sent back next time, word for word."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    digest: bytes | None = None
    whole: bool = True  # its body did come
    moved: str | None = None
    identity: str = ""  # representation and credential that all this was got with


@dataclass(slots=True)
class Visit:
    """One question followed to its end. `project` is the upstream's name, for `versions`.

    `next` is when to ask again, None where only an announcement makes it due; `lease` is the due
    time that the claim left behind, so that an announcement made meanwhile is not overwritten.
    `complete`: what the answer leaves out is absent.
    """

    source: Source
    mechanism: str
    at: int
    outcome: Outcome
    next: int | None
    project: str | None = None
    lease: int | None = None
    confirm: int | None = None  # when to ask again, should the answer be doubted
    answers: list[Answer] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    cursor: str | None = None
    complete: bool = False
    error: str | None = None
    remedy: str | None = None

    @property
    def digest(self) -> str:
        """Names the answer as a whole, to recognise it when it is confirmed."""
        return ",".join((answer.digest or b"").hex()[:16] for answer in self.answers)


@dataclass(slots=True)
class Result:
    """What a visit came to: the events it told, and the outcome after the gate has spoken."""

    outcome: Outcome
    events: list[int] = field(default_factory=list)
    released: int = 0
    added: int = 0
    doubt: str | None = None
    token: str | None = None  # names a doubtful answer, to recognise the one that confirms it
    ask: list[str] = field(default_factory=list)  # projects that became due by it
    woken: int = 0  # jobs that waited for what it brought


def nobody(purl: str) -> bool:
    """No project's files are wanted."""
    return False


def record(
    db: sqlite3.Connection, visit: Visit, *, wanted: Wanted = nobody, gate: Gate | None = None
) -> Result:
    """Store what a feed or one project's versions said. The caller commits.

    Index walks are staged instead, see `monitor.store.bulk`.
    """
    gate = gate or Gate()
    result = Result(visit.outcome)
    if visit.outcome is Outcome.OK:
        Recorder(db, visit, wanted, gate, result).run()
    for letter in visit.unread:
        bury(db, visit.source.id, letter, visit.at)
    if result.outcome in (Outcome.OK, Outcome.UNCHANGED):
        remember(db, visit.source.id, visit.answers, visit.at)
    keep_book(db, visit, result)
    return result


class Recorder:
    """One visit being recorded: its steps share the visit, the sighting and the result."""

    def __init__(
        self, db: sqlite3.Connection, visit: Visit, wanted: Wanted, gate: Gate, result: Result
    ) -> None:
        self.db = db
        self.visit = visit
        self.source = visit.source
        self.wanted = wanted
        self.gate = gate
        self.result = result
        self._sighting: int | None = None
        self.baseline = baselines(db, self.source.id)

    def run(self) -> None:
        if self.visit.mechanism == "feed":
            self._feed()
        else:
            self._project()

    def _feed(self) -> None:
        """Each item is news, except in the first window we ever see."""
        grouped: dict[str, list[Release]] = defaultdict(list)
        for release in self.visit.releases:
            grouped[release.project].append(release)
        fresh = "feed" not in self.baseline
        for name, releases in grouped.items():
            self._record(name, releases, news=lambda release: not fresh, complete=False)
        if fresh:
            self._tell_baseline(None, len(grouped), sum(map(len, grouped.values())))
        self._window()

    def _window(self) -> None:
        """Notice releases that fell out of the window between two polls (fault D01)."""
        row = self.db.execute(
            "SELECT cursor, gap FROM question WHERE source = ? AND mechanism = 'feed'",
            (self.source.id,),
        ).fetchone()
        if self.visit.cursor is not None:  # the upstream has a cursor of its own
            return
        items = [f"{release.project}\n{release.version}" for release in self.visit.releases]
        open_gap: int | None = row["gap"] if row else None
        if open_gap is not None:
            repaired = self.db.execute(
                "SELECT 1 FROM question WHERE source = ? AND mechanism = 'index' AND answered >= ?",
                (self.source.id, open_gap),
            ).fetchone()
            if not repaired:
                self.visit.cursor = row["cursor"]
                return
        elif row and row["cursor"] and items and gap(keys_of(row["cursor"]), items):
            self._gap(row["cursor"])
            return
        self.visit.cursor = window_cursor(items) if items else (row["cursor"] if row else None)
        self.db.execute(
            "UPDATE question SET gap = NULL WHERE source = ? AND mechanism = 'feed'",
            (self.source.id,),
        )

    def _gap(self, cursor: str) -> None:
        repair = self.source.provider.index is not None
        self._tell(Kind.GAP, payload={"repaired_by": "index" if repair else None})
        if not repair:
            items = [f"{release.project}\n{release.version}" for release in self.visit.releases]
            self.visit.cursor = window_cursor(items)
            return
        self.visit.cursor = cursor
        self.db.execute(
            "UPDATE question SET gap = ? WHERE source = ? AND mechanism = 'feed'",
            (self.visit.at, self.source.id),
        )
        self.db.execute(
            "UPDATE question SET due = min(due, ?) WHERE source = ? AND mechanism = 'index'",
            (self.visit.at, self.source.id),
        )

    def _project(self) -> None:
        """All versions of one project."""
        assert self.visit.project is not None
        self.project(self.visit.project, self.visit.releases)

    def project(self, name: str, releases: Sequence[Release], *, listed: bool = False) -> None:
        """Record what was said of one project, alone or (`listed`) as part of an index.

        The first look is a baseline, save for what came since we know the source.
        """
        project, listing = enrol(self.db, self.source, name, self.visit.at)
        first = listing["baseline"] is None
        news = self._news_of_first_look(listing, releases, listed) if first else _all_news
        added = self._record(name, releases, news=news, complete=self.visit.complete)
        if added is None or not first:
            return
        self.db.execute(
            "UPDATE listing SET baseline = ? WHERE source = ? AND project = ?",
            (self.visit.at, self.source.id, project),
        )
        if not self.baseline and not self.source.mechanisms:
            self._tell_baseline(project, 1, added)

    def _news_of_first_look(
        self, listing: sqlite3.Row, releases: Sequence[Release], listed: bool
    ) -> Callable[[Release], bool]:
        """What of a project's versions is news when we see them for the first time.

        Dated ones, where they came after our first look at the whole source; undated ones only
        where the index has told us that the project did not exist then.
        """
        since = self.baseline.get("index", self.baseline.get("feed"))
        if since is None:
            return _no_news
        born = "index" in self.baseline and listing["added"] > self.baseline["index"]
        few = len(releases) <= self.gate.add_limit

        def news(release: Release) -> bool:
            if born and few:
                return True
            return not listed and (seconds(release.published) or 0) >= since

        return news

    def _record(
        self,
        name: str,
        releases: Sequence[Release],
        *,
        news: Callable[[Release], bool],
        complete: bool,
    ) -> int | None:
        """One project's releases. Returns how many are new to us, None where we doubt them."""
        project, listing = enrol(self.db, self.source, name, self.visit.at)
        purl = self.source.purl(name)
        rules, scheme = rules_of(self.db, self.source, project)
        known, ids = known_versions(self.db, project, self.source.id)
        found = diff(known, releases, key=key_of(scheme, rules), complete=complete, news=news)
        if complete and (reason := self._doubt(known, found, listing)):
            token = _token(releases)
            if listing["doubt"] != token:
                self._suspect(project, reason, token)
                return None
        wanted = self.wanted(purl)
        self.result.added += len(found.added)
        if found.added or found.changed or found.seen:
            self._store(project, purl, found, ids, wanted, rules, scheme)
        return len(found.added)

    def _doubt(
        self, known: dict[str, Known], found: Difference, listing: sqlite3.Row
    ) -> str | None:
        live = sum(version.state not in GONE for version in known.values())
        dropped = sum(change.kind is Kind.MISSING for change in found.changed)
        added = len(found.news) if listing["baseline"] is not None else 0
        return doubt_versions(
            live=live, dropped=dropped, added=added, known=len(known), gate=self.gate
        )

    def _suspect(self, project: int, reason: str, token: str) -> None:
        """Park the answer; an equal one confirms it."""
        self._tell(Kind.SUSPECT, project=project, payload={"reason": reason})
        if self.visit.project is not None:
            self.result.outcome, self.result.doubt = Outcome.SUSPECT, reason
            self.result.token = token
            return
        self.db.execute(
            "UPDATE listing SET doubt = ?, outcome = 'suspect', error = ?"
            " WHERE source = ? AND project = ?",
            (token, reason, self.source.id, project),
        )

    def _store(
        self,
        project: int,
        purl: str,
        found: Difference,
        ids: dict[str, int],
        wanted: bool,
        rules: object,
        scheme: str,
    ) -> None:
        before = appraise(self.db, self.source, project) if found.news else None
        for added in found.added:
            ids[added.release.version] = self._insert(project, added, ids)
        self._refresh(found.seen, ids)
        for change in found.changed:
            self._change(change, ids[change.before.version])
        late = self._files(found, ids) if wanted else {}
        if not (found.added or found.changed or late):
            return
        after = appraise(self.db, self.source, project, save=True)
        for added in sorted(found.news, key=lambda one: (one.release.published or _LAST, one.key)):
            self._announce(project, ids, added.release, before, after)
        for change in found.changed:
            self._tell(
                change.kind,
                project=project,
                version=ids[change.before.version],
                payload=_changed_payload(change),
            )
        for version, problems in late.items():
            for problem in problems:
                self._tell(Kind.CHANGED, project=project, version=version, payload=problem)
        if before and before.stable and after.stable != before.stable and not found.news:
            self._tell(
                Kind.LATEST_CHANGED,
                project=project,
                payload={"previous": before.stable, "stable_version": after.stable},
            )

    def _insert(self, project: int, added: Added, ids: dict[str, int]) -> int:
        release = added.release
        cursor = self.db.execute(
            """
            INSERT INTO version (project, version, sort_key, state, published, seen,
                                 flag, revision, tag, alias)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                project,
                release.version,
                added.key,
                numbers[release.state or State.LISTED],
                seconds(release.published),
                self.sighting,
                release.prerelease,
                release.revision,
                release.tag if release.tag != release.version else None,
                ids.get(added.alias) if added.alias else None,
            ),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _refresh(self, seen: Iterable[Release], ids: dict[str, int]) -> None:
        """Add what earlier answers did not say; take nothing away."""
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
                    ids[one.version],
                )
                for one in seen
                if one.published or one.prerelease is not None or one.revision or one.tag
            ],
        )
        self.db.executemany(
            """
            INSERT OR IGNORE INTO also (version, source)
            SELECT version.id, ?2 FROM version JOIN sighting ON sighting.id = version.seen
            WHERE version.id = ?1 AND sighting.source <> ?2
            """,
            [(ids[one.version], self.source.id) for one in seen],
        )

    def _change(self, change: Changed, version: int) -> None:
        self.db.execute(
            "UPDATE version SET state = ?, revision = coalesce(?, revision) WHERE id = ?",
            (numbers[change.state], change.release.revision, version),
        )

    def _files(self, found: Difference, ids: dict[str, int]) -> dict[int, list[Json]]:
        """Keep the files. What changed in files that we knew is told: bytes do not change."""
        told: dict[int, list[Json]] = defaultdict(list)
        for release in [one.release for one in found.added] + found.seen:
            if not release.files:
                continue
            version = ids[release.version]
            told[version] += keep_files(self.db, version, release.files, self.visit.at)
            if wake(self.db, version, self.visit.at):
                self.result.woken += 1
        return {version: problems for version, problems in told.items() if problems}

    def _announce(
        self,
        project: int,
        ids: dict[str, int],
        release: Release,
        before: Appraisal | None,
        after: Appraisal,
    ) -> None:
        own = after.of(release.version)
        payload: Json = {
            "provider": self.source.provider.name,
            "previous": after.below(release.version),
            "newest": after.newest == release.version,
            "newest_stable": after.stable == release.version,
            "stable": own.stable,
            "stream": own.stream,
            "newest_of_stream": after.heads.get(own.stream) == release.version,
            "rule": own.rule,
            "reason": release.reason or (None if own.stable else own.reason),
            "published": seconds(release.published),
            "first_seen": self.visit.at,
            "eligible": None,
            "page": release.page,
            "tag": release.tag,
            "files": [
                {"address": f.url, "digest": f.digest, "size": f.size, "name": f.name}
                for f in release.files
            ],
            "job": None,
        }
        self._tell(Kind.RELEASED, project=project, version=ids[release.version], payload=payload)
        self.result.released += 1
        if not release.files and self.source.provider.versions and self.visit.mechanism == "feed":
            self.db.execute(
                """
                UPDATE listing SET due = min(coalesce(due, ?1), ?1)
                WHERE source = ?2 AND project = ?3 AND (?4 OR due IS NOT NULL)
                """,
                (
                    self.visit.at,
                    self.source.id,
                    project,
                    self.wanted(self.source.purl(release.project)),
                ),
            )
            self.result.ask.append(release.project)

    @property
    def sighting(self) -> int:
        """The row that everything new in this visit rests on; made when it is first needed."""
        if self._sighting is None:
            answer = self.visit.answers[-1] if self.visit.answers else Answer("")
            cursor = self.db.execute(
                """
                INSERT INTO sighting (source, mechanism, url, at, digest, validator)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                (
                    self.source.id,
                    self.visit.mechanism,
                    answer.url,
                    self.visit.at,
                    answer.digest,
                    answer.etag or answer.last_modified,
                ),
            )
            self._sighting = cursor.lastrowid
            assert self._sighting is not None
        return self._sighting

    def _tell_baseline(self, project: int | None, projects: int, versions: int) -> None:
        self._tell(
            Kind.BASELINE,
            project=project,
            payload={
                "mechanism": self.visit.mechanism,
                "projects": projects,
                "versions": versions,
                "digest": self.visit.digest,
            },
        )

    def _tell(
        self,
        kind: Kind,
        *,
        project: int | None = None,
        version: int | None = None,
        payload: Json | None = None,
    ) -> None:
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


_LAST = datetime.max.replace(tzinfo=UTC)


def _token(releases: Sequence[Release]) -> str:
    return blake2b(
        "\n".join(sorted(r.version for r in releases)).encode(), digest_size=8
    ).hexdigest()


def _all_news(release: Release) -> bool:
    return True


def _no_news(release: Release) -> bool:
    return False


def _changed_payload(change: Changed) -> Json:
    payload: Json = {
        "state": change.state.value,
        "before": change.before.state.value,
        "reason": change.release.reason,
    }
    if change.kind is Kind.RETAGGED:
        payload |= {"revision": change.release.revision, "revision_before": change.before.revision}
    return payload


def seconds(moment: datetime | None) -> int | None:
    """Whole seconds since 1970."""
    return None if moment is None else int(moment.timestamp())


def baselines(db: sqlite3.Connection, source: int) -> dict[str, int]:
    """When each mechanism of a source was looked at for the first time."""
    return {
        row["mechanism"]: row["baseline"]
        for row in db.execute(
            "SELECT mechanism, baseline FROM question WHERE source = ? AND baseline IS NOT NULL",
            (source,),
        )
    }


def enrol(db: sqlite3.Connection, source: Source, name: str, at: int) -> tuple[int, sqlite3.Row]:
    """The project's id and its listing at this source, made where there is none."""
    purl = source.purl(name)
    row = db.execute(
        """
        SELECT project.id, listing.*
        FROM project LEFT JOIN listing
             ON listing.project = project.id AND listing.source = ?
        WHERE project.purl = ?
        """,
        (source.id, purl),
    ).fetchone()
    if row and row["source"] is not None:
        return row["id"], row
    if row is None:
        db.execute("INSERT INTO project (purl) VALUES (?)", (purl,))
    project = db.execute("SELECT id FROM project WHERE purl = ?", (purl,)).fetchone()[0]
    db.execute(
        "INSERT INTO listing (source, project, name, added) VALUES (?, ?, ?, ?)",
        (source.id, project, name, at),
    )
    row = db.execute(
        "SELECT * FROM listing WHERE source = ? AND project = ?", (source.id, project)
    ).fetchone()
    return project, row


def known_versions(
    db: sqlite3.Connection, project: int, source: int
) -> tuple[dict[str, Known], dict[str, int]]:
    """Every version of a project that we ever saw, by spelling; and the ids of their rows."""
    known: dict[str, Known] = {}
    ids: dict[str, int] = {}
    for row in db.execute(
        """
        SELECT version.id, version.version, version.sort_key, version.state, version.revision,
               sighting.source <> :source
               OR EXISTS (SELECT 1 FROM also WHERE also.version = version.id
                          AND also.source <> :source) AS elsewhere
        FROM version JOIN sighting ON sighting.id = version.seen
        WHERE version.project = :project
        """,
        {"project": project, "source": source},
    ):
        known[row["version"]] = Known(
            row["version"],
            row["sort_key"],
            states[row["state"]],
            row["revision"],
            bool(row["elsewhere"]),
        )
        ids[row["version"]] = row["id"]
    return known, ids


def keep_files(db: sqlite3.Connection, version: int, files: Iterable[File], at: int) -> list[Json]:
    """Store the files of one version; return what is odd about files that we knew (fault E03)."""
    known = {
        row["url"]: row["digest"]
        for row in db.execute("SELECT url, digest FROM file WHERE version = ?", (version,))
    }
    odd: list[Json] = []
    for file in files:
        before = known.get(file.url)
        if before and file.digest and before != file.digest:
            odd.append(
                {
                    "reason": "the bytes of a published file changed",
                    "file": file.url,
                    "digest": file.digest,
                    "digest_before": before,
                }
            )
            continue  # the first digest stands: a build of other bytes needs a person's word
        db.execute(
            """
            INSERT INTO file (version, url, name, kind, digest, size, published, yanked, added)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (version, url) DO UPDATE SET
                digest = coalesce(digest, excluded.digest), size = coalesce(excluded.size, size),
                published = coalesce(published, excluded.published), yanked = excluded.yanked
            """,
            (
                version,
                file.url,
                file.name,
                file.kind,
                file.digest,
                file.size,
                seconds(file.published),
                file.yanked,
                at,
            ),
        )
    return odd


def wake(db: sqlite3.Connection, version: int, at: int) -> bool:
    """Have a waiting job decided again at once: files of its release came."""
    return (
        db.execute(
            "UPDATE job SET look_at = ? WHERE version = ? AND state = 'waiting' AND look_at > ?",
            (at, version, at),
        ).rowcount
        > 0
    )


def remember(db: sqlite3.Connection, source: int, answers: Sequence[Answer], at: int) -> None:
    """Keep the validators of a walk's answers; the first address leads the others."""
    db.executemany(
        """
        INSERT INTO address (source, url, etag, last_modified, digest, checked, whole, changed,
                             moved, moved_since, identity, leader)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?6, ?8, CASE WHEN ?8 IS NULL THEN NULL ELSE ?6 END,
                ?9, ?10)
        ON CONFLICT (source, url) DO UPDATE SET
            etag = CASE WHEN ?7 THEN ?3 ELSE coalesce(?3, etag) END,
            last_modified = CASE WHEN ?7 THEN ?4 ELSE coalesce(?4, last_modified) END,
            changed = CASE WHEN ?7 AND ?5 IS NOT digest THEN ?6 ELSE changed END,
            digest = coalesce(?5, digest), checked = ?6,
            whole = CASE WHEN ?7 THEN ?6 ELSE whole END,
            moved_since = CASE WHEN ?8 IS moved THEN moved_since
                               WHEN ?8 IS NULL THEN NULL ELSE ?6 END,
            moved = ?8, identity = ?9, leader = ?10
        """,
        [
            (
                source,
                one.url,
                one.etag,
                one.last_modified,
                one.digest,
                at,
                one.whole,
                one.moved,
                one.identity,
                answers[0].url,
            )
            for one in answers
        ],
    )


def bury(db: sqlite3.Connection, source: int, letter: Unread, at: int) -> None:
    """Keep an entry that could not be read (faults B05, C09, R4)."""
    db.execute(
        """
        INSERT INTO dead (source, raw, reason, first, last) VALUES (?1, ?2, ?3, ?4, ?4)
        ON CONFLICT (source, raw) DO UPDATE SET last = ?4, times = times + 1, reason = ?3
        """,
        (source, printable(letter.raw)[:MOST_TEXT], printable(letter.reason)[:MOST_TEXT], at),
    )


def printable(text: str) -> str:
    """Upstream text made harmless: what is not printable is escaped (fault B07)."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text
    )


def keep_book(db: sqlite3.Connection, visit: Visit, result: Result) -> None:
    """Note how the visit went, and when the next one is due."""
    good = result.outcome in (Outcome.OK, Outcome.UNCHANGED)
    facts = {
        "source": visit.source.id,
        "mechanism": visit.mechanism,
        "at": visit.at,
        "outcome": result.outcome.value,
        "error": None if good else (result.doubt or printable(visit.error or ""))[:MOST_TEXT],
        "remedy": None if good else visit.remedy,
        "good": good,
        "changed": bool(result.events) and good,
        "next": visit.next if result.outcome is visit.outcome else visit.confirm,
        "lease": visit.lease,
        "cursor": visit.cursor if result.outcome is Outcome.OK else None,
        "doubt": result.token,
        "baseline": good and visit.outcome is Outcome.OK,
    }
    common = """
        asked = :at, outcome = :outcome, error = :error, remedy = :remedy, doubt = :doubt,
        answered = CASE WHEN :good THEN :at ELSE answered END,
        changed = CASE WHEN :changed THEN :at ELSE changed END,
        fails = CASE WHEN :good THEN 0 ELSE fails + 1 END
    """
    if visit.project is None:
        db.execute(
            f"""
            UPDATE question SET {common}, cursor = coalesce(:cursor, cursor),
                due = CASE WHEN :lease IS NOT NULL AND due <> :lease THEN due ELSE :next END,
                baseline = CASE WHEN :baseline THEN coalesce(baseline, :at) ELSE baseline END
            WHERE source = :source AND mechanism = :mechanism
            """,
            facts,
        )
        return
    project, listing = enrol(db, visit.source, visit.project, visit.at)
    gone = listing["gone"]
    if result.outcome is Outcome.GONE:
        gone = gone or visit.at
    elif good:
        gone = None
    db.execute(
        f"""
        UPDATE listing SET {common}, gone = :gone,
            due = CASE WHEN due IS NULL THEN NULL
                       WHEN :lease IS NOT NULL AND due <> :lease THEN due ELSE :next END
        WHERE source = :source AND project = :project
        """,
        facts | {"project": project, "gone": gone},
    )
