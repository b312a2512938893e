"""A whole index: staged in batches while it is walked, applied at once when the walk has ended.

Memory stays small, and nothing half-read is ever seen (`monitor.store.staging`). Only
projects in which something differs are looked at one by one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain

from monitor.model import File, Json, Kind, Outcome, Release, State
from monitor.plausible import Gate, doubt_index
from monitor.sources import Source, Wanted
from monitor.store import LIVE, numbers, staging, states
from monitor.store.changeset import Row, insert_versions
from monitor.store.events import tell
from monitor.store.known import enrol_all, last_id, unknown
from monitor.store.record import (
    SERIAL,
    Result,
    Visit,
    doubtful_serial,
    finish,
    nobody,
    poison,
)
from monitor.store.recorder import Recorder
from monitor.store.staging import INDEXES, MANY, Batch
from monitor.store.strangers import meet

_LIVE = ", ".join(map(str, LIVE))
_LISTED = numbers[State.LISTED]


def apply(
    db: sqlite3.Connection,
    visit: Visit,
    last: Batch,
    *,
    begun: bool = False,
    wanted: Wanted = nobody,
    gate: Gate | None = None,
) -> Result:
    """Bring the store up to date with a walk: its last batch, and what was staged of it before.

    `begun`: something was. The caller commits.
    """
    result = Result(visit.outcome)
    if visit.outcome is Outcome.OK and not doubtful_serial(db, visit, result):
        walk = _Applied(db, visit, wanted, gate or Gate(), result)
        if begun or not walk.at_once(last):
            if not begun:
                staging.begin(db)
            staging.stage(db, last)
            walk.run()
            for name in walk.indexes:
                db.execute(f"DROP INDEX temp.{name}")
    finish(db, visit, result)
    if begun:
        staging.clear(db)
    return result


class _Applied:
    """One walk being applied."""

    def __init__(
        self, db: sqlite3.Connection, visit: Visit, wanted: Wanted, gate: Gate, result: Result
    ) -> None:
        self.db = db
        self.visit = visit
        self.source: Source = visit.source
        self.wanted = wanted
        self.gate = gate
        self.result = result
        self.recorder = Recorder(db, visit, wanted, gate, result)
        self.first = "index" not in self.recorder.baseline
        self.indexes: list[str] = []  # of the stage, made for this walk
        self.facts = {
            "source": self.source.id,
            "at": visit.at,
            "follow": self.source.follow == "all" and self.source.provider.versions is not None,
            "first": self.first,
        }

    def run(self) -> None:
        if self.first:
            self._enrol()
            self._baseline()
            return
        self._number()
        for name, columns in INDEXES.items():
            if self._count(f"SELECT count(*) FROM temp.{columns.partition(' ')[0]}") > MANY:
                self.db.execute(f"CREATE INDEX temp.{name} ON {columns}")
                self.indexes.append(name)
        if self._doubtful():
            return
        differing = self._differing()
        if self.result.reset:
            self._ask_for_all()
        self._enrol()
        if self.visit.complete:
            self._ask_for_the_absent()
        for number in differing:
            self._project(number)
        for name in filter(None, self.visit.poisoned):
            self._ask_for(name)

    def at_once(self, batch: Batch) -> bool:
        """Record a small first look at projects that nobody knows, without staging it.

        Most folders are looked at like this. False, and nothing is done, where it is not one.
        """
        if not self.first or batch.size > MANY:
            return False
        if len(unknown(self.db, (purl for _, purl, _, _ in batch.named))) < len(batch.named):
            return False
        versions = batch.staged or batch.bare
        ids = enrol_all(
            self.db,
            self.source.id,
            [named[1:] for named in batch.named],
            self.visit.at,
            baseline=self.visit.at if versions else None,
        )
        project = {named[0]: number for named, number in zip(batch.named, ids, strict=True)}
        rows: dict[tuple[int, str], Row] = {}
        first: dict[tuple[int, bytes], int] = {}  # spellings of one version: it stands for all
        number, sighting = last_id(self.db, "version") + 1, self.recorder.sighting
        bare = ((*row[:4], _LISTED, None, None, None, None) for row in batch.bare)
        for no, version, key, published, state, _, _, _, _ in chain(batch.staged, bare):
            if (no, version) in rows:
                continue  # another file of it
            twin = first.setdefault((no, key), number)
            alias = None if twin == number else twin
            rows[no, version] = (
                number, project[no], version, key, state, published, sighting,
                None, None, None, alias,
            )  # fmt: skip
            number += 1
        insert_versions(self.db, list(rows.values()))
        self._tell_baseline(len(batch.named), len(rows))
        return True

    def _number(self) -> None:
        """Give what is staged the ids of the projects we know."""
        self.db.execute(
            "UPDATE temp.named SET project ="
            " (SELECT project.id FROM project WHERE project.purl = named.purl)"
            " WHERE project IS NULL"
        )

    def _enrol(self) -> None:
        """Add new projects; those whose revision moved become due."""
        last = last_id(self.db, "project")
        self.db.execute(
            "INSERT INTO project (purl) SELECT purl FROM temp.named WHERE project IS NULL"
            " ON CONFLICT DO NOTHING"
        )
        self._number()
        if not self.first and last_id(self.db, "project") > last:
            self._meet(last)
        self.db.execute(
            """
            UPDATE listing
            SET revision = named.revision,
                due = CASE WHEN due IS NOT NULL OR :follow AND NOT :first THEN :at ELSE due END
            FROM temp.named AS named
            WHERE listing.source = :source AND listing.project = named.project
                  AND named.revision IS NOT NULL AND listing.revision IS NOT named.revision
            """,
            self.facts,
        )
        # A look at each is cheaper than a conflict, and dearer where all of them are new.
        known = "EXISTS (SELECT 1 FROM listing WHERE source = :source AND project = named.project)"
        self.db.execute(
            f"""
            INSERT INTO listing (source, project, name, revision, added, due)
            SELECT :source, project, name, revision, :at,
                   CASE WHEN :follow AND NOT :first AND revision IS NOT NULL THEN :at END
            FROM temp.named WHERE {"true" if self.first else f"NOT {known}"}
            ON CONFLICT DO NOTHING
            """,
            self.facts,
        )

    def _ask_for_all(self) -> None:
        """The upstream counts anew: that a revision is the one we know says nothing (D04)."""
        self.db.execute(
            """
            UPDATE listing
            SET due = CASE WHEN due IS NOT NULL OR :follow THEN :at ELSE due END
            WHERE source = :source AND revision IS NOT NULL
            """,
            self.facts,
        )

    def _meet(self, last: int) -> None:
        """Projects that turned up in an index we know, compared with what is watched."""
        fresh = self.db.execute(
            "SELECT project.purl, named.name FROM temp.named AS named"
            " JOIN project ON project.id = named.project WHERE project.id > ?",
            (last,),
        )
        found = [(row["purl"], row["name"]) for row in fresh]
        self.result.events += meet(self.db, self.source, found, self.visit.at)

    def _ask_for_the_absent(self) -> None:
        """Projects that the list has mentioned and no longer does: their own page will say why."""
        self.db.execute(
            """
            UPDATE listing
            SET revision = NULL, due = CASE WHEN due IS NOT NULL OR :follow THEN :at ELSE due END
            WHERE source = :source AND revision IS NOT NULL
                  AND NOT EXISTS (SELECT 1 FROM temp.named WHERE named.project = listing.project)
            """,
            self.facts,
        )

    def _baseline(self) -> None:
        """What is there when we come is no news: one event for all of it."""
        last = self._count("SELECT coalesce(max(id), 0) FROM version")
        self.db.execute(
            """
            INSERT INTO version (project, version, sort_key, state, published, seen)
            SELECT named.project, staged.version, staged.sort_key, staged.state,
                   staged.published, :sighting
            FROM temp.staged AS staged JOIN temp.named AS named USING (no)
            WHERE true
            ON CONFLICT DO NOTHING
            """,
            {"sighting": self.recorder.sighting},
        )
        added = int(self.db.execute("SELECT changes()").fetchone()[0])
        if added:
            self._find_aliases(last, added)
            self.db.execute(
                "UPDATE listing SET baseline = coalesce(baseline, :at) WHERE source = :source"
                " AND project IN (SELECT project FROM temp.named)",
                self.facts,
            )
        if self._shared():
            self.db.execute(
                f"INSERT INTO also (version, source, state) SELECT version.id, :source,"
                f" nullif(staged.state, 0) {_STAGED} WHERE version.seen <> :sighting"
                " ON CONFLICT DO NOTHING",
                self.facts | {"sighting": self.recorder.sighting},
            )
        self._tell_baseline(self._count("SELECT count(*) FROM temp.named"), added)
        for row in self.db.execute(
            "SELECT no FROM temp.named JOIN watch ON watch.project = named.project"
            " WHERE no IN (SELECT no FROM temp.staged)"  # an index of mentions knows no versions
        ).fetchall():
            self._project(row["no"])

    def _tell_baseline(self, projects: int, versions: int) -> None:
        self.result.added = versions
        self._tell(
            Kind.BASELINE,
            {
                "mechanism": "index",
                "projects": projects,
                "versions": versions,
                "digest": self.visit.digest,
            },
        )

    def _find_aliases(self, last: int, added: int) -> None:
        """Spellings of one version: the first stands for all of them (fault B22).

        Only rows behind `last` are looked at, or a small folder would cost as much as the store.
        """
        # Left to itself SQLite reads all projects in their order, which is right for most of them.
        order = "" if added > last else "NOT INDEXED"
        self.db.execute(
            f"""
            UPDATE version SET alias = twin.first
            FROM (SELECT project, sort_key, min(id) AS first FROM version {order} WHERE id > :last
                  GROUP BY project, sort_key HAVING count(*) > 1) AS twin
            WHERE version.project = twin.project AND version.sort_key = twin.sort_key
                  AND version.id > twin.first
            """,
            {"last": last},
        )

    def _doubtful(self) -> bool:
        """May we believe what this walk leaves out? Nothing is applied yet."""
        live = self._count(f"SELECT count(*) {_OURS} AND version.state IN ({_LIVE})")
        dropped = 0
        if live:
            dropped = self._count(
                f"SELECT count(*) {_OURS} AND version.state IN ({_LIVE}) {_ABSENT}"
            )
        now = self._count("SELECT count(*) FROM temp.named")
        before = self._projects_before(now)
        reason = doubt_index(
            live_versions=live,
            dropped_versions=dropped,
            projects_before=before,
            projects_now=now,
            gate=self.gate,
        )
        if reason is None or not self.visit.complete:
            return False
        token = f"{before} {now} {dropped}"
        said = self.db.execute(
            "SELECT doubt FROM question WHERE source = :source AND mechanism = 'index'", self.facts
        ).fetchone()["doubt"]
        if _agree(said, token):
            return False
        serial = f"{SERIAL}{self.visit.cursor};" if self.result.reset else ""
        self.result.token = serial + token
        self.result.outcome, self.result.doubt = Outcome.SUSPECT, reason
        self._tell(Kind.SUSPECT, {"reason": reason})
        return True

    def _projects_before(self, now: int) -> int:
        """How many projects the list had: those that it has shown, and of those that only a feed
        has told us of, as many as may have joined it."""
        shown = self._count(
            "SELECT count(*) FROM listing WHERE source = :source AND (revision IS NOT NULL"
            " OR baseline IS NOT NULL) AND lost IS NULL"
        )
        every = self._count("SELECT count(*) FROM listing WHERE source = :source")
        return max(shown, min(every, now))

    def _differing(self) -> Sequence[int]:
        """Numbers of the projects in which something is new, back, changed or absent."""
        if not self._count("SELECT count(*) FROM (SELECT 1 FROM temp.staged LIMIT 1)"):
            return []
        queries = [
            f"{_STAGED} WHERE version.id IS NULL OR version.state NOT IN ({_LIVE})"
            " OR staged.state <> version.state AND staged.state <> 0"
        ]
        if self.visit.complete:
            self._forsaken()
            queries.append(f"{_OURS} {_ABSENT}")
        if self._shared():
            queries += [_SHOWN_TOO, _LEFT]
        found: set[int] = set()
        for query in queries:
            rows = self.db.execute(f"SELECT DISTINCT named.no {query}", self.facts)
            found.update(row["no"] for row in rows if row["no"] is not None)
        return sorted(found)

    def _shared(self) -> bool:
        """Are projects of this index looked at in other sources as well?"""
        return bool(
            self._count(
                "SELECT EXISTS (SELECT 1 FROM temp.named AS named JOIN listing"
                " ON listing.project = named.project AND listing.source <> :source)"
            )
        )

    def _forsaken(self) -> None:
        """Projects of ours that the walk does not show at all are staged empty."""
        self.db.execute(
            f"""
            INSERT INTO temp.named (purl, name, project)
            SELECT DISTINCT project.purl, listing.name, project.id
            FROM version JOIN sighting ON sighting.id = version.seen
            JOIN project ON project.id = version.project
            JOIN listing ON listing.project = project.id AND listing.source = :source
            WHERE sighting.source = :source AND sighting.mechanism = 'index'
                  AND version.state IN ({_LIVE}, {numbers[State.MISSING]})
                  AND NOT EXISTS (SELECT 1 FROM temp.named WHERE named.project = project.id)
            """,
            self.facts,
        )

    def _project(self, number: int) -> None:
        """One project of the index, recorded as if its versions had been asked."""
        name = self.db.execute("SELECT name FROM temp.named WHERE no = ?", (number,)).fetchone()[
            "name"
        ]
        rows = self.db.execute(
            "SELECT * FROM temp.staged WHERE no = ? ORDER BY rowid", (number,)
        ).fetchall()
        if name in self.visit.poisoned:
            return
        try:
            self.recorder.project(name, [_release(name, row) for row in rows], listed=True)
        except Exception as error:
            poison(name, error)
            raise

    def _ask_for(self, name: str) -> None:
        """A project of which the index cannot be stored: its own page, perhaps (fault D10)."""
        if self.source.provider.versions is not None:
            self.db.execute(
                """
                UPDATE listing
                SET due = CASE WHEN due IS NOT NULL OR :follow THEN :at ELSE due END
                WHERE source = :source AND name = :name
                """,
                self.facts | {"name": name},
            )

    def _count(self, sql: str) -> int:
        return int(self.db.execute(sql, self.facts).fetchone()[0])

    def _tell(self, kind: Kind, payload: Json) -> None:
        self.result.events.append(
            tell(
                self.db,
                kind,
                self.visit.at,
                source=self.source.id,
                payload={"provider": self.source.provider.name} | payload,
            )
        )


_STAGED = """
    FROM temp.staged AS staged JOIN temp.named AS named USING (no)
    LEFT JOIN version ON version.project = named.project AND version.version = staged.version
"""

# Versions that this source's index has shown, and that we take for present or just missing. They
# are found by its projects: a small folder costs no look at everything that others have shown.
_OURS = f"""
    FROM listing CROSS JOIN version ON version.project = listing.project
    JOIN sighting ON sighting.id = version.seen
    LEFT JOIN temp.named AS named ON named.project = version.project
    WHERE listing.source = :source AND sighting.source = :source AND sighting.mechanism = 'index'
          AND version.state <> {numbers[State.WITHDRAWN]} AND version.alias IS NULL
"""

_NOT_STAGED = """
    NOT EXISTS (SELECT 1 FROM temp.staged WHERE staged.no = named.no
                AND staged.version = version.version)
"""

_ABSENT = f"""
    AND {_NOT_STAGED}
    AND NOT EXISTS (SELECT 1 FROM also WHERE also.version = version.id
                    AND also.source <> :source AND coalesce(also.state, 0) IN ({_LIVE}))
"""

# Versions of another source that this one shows as well since now, and those that it has left.
_SHOWN_TOO = f"""
    {_STAGED} JOIN sighting ON sighting.id = version.seen
    WHERE sighting.source <> :source AND NOT EXISTS (
          SELECT 1 FROM also WHERE also.version = version.id AND also.source = :source
          AND coalesce(also.state, 0) = staged.state)
"""

_LEFT = f"""
    FROM also JOIN version ON version.id = also.version
    JOIN temp.named AS named ON named.project = version.project
    WHERE also.source = :source AND coalesce(also.state, 0) IN ({_LIVE}) AND {_NOT_STAGED}
"""


def _agree(said: str | None, token: str) -> bool:
    """Does a second answer leave out as much as the doubtful one, give or take what a day brings?

    Tokens are numbers: projects before, projects now, versions left out.
    """
    words = (said or "").rpartition(";")[2].split(" ")
    first = [int(word) for word in words if word.isdigit()]
    second = [int(word) for word in token.split(" ")]
    return len(first) == len(second) and all(
        abs(one - other) <= max(10, one // 100) for one, other in zip(first, second, strict=True)
    )


def _release(name: str, row: sqlite3.Row) -> Release:
    published = row["published"]
    file = File(row["url"], row["digest"], row["size"], kind=row["kind"]) if row["url"] else None
    return Release(
        name,
        row["version"],
        published=None if published is None else datetime.fromtimestamp(published, UTC),
        state=states[row["state"]] if row["state"] else None,
        files=(file,) if file else (),
    )
