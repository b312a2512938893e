"""Which of several sources of one project is believed: by `priority`, or because it is its own.

Where sources differ in rank, versions that only the lower ones show are kept, shown and never
newest (fault C16). A source that is `exclusive` has its projects to itself: what another one shows
under the same name is somebody else's, and an alarm (fault E21, dependency confusion).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ranking:
    """The sources that are believed about a project, where not all of them are."""

    ids: frozenset[int]
    names: tuple[str, ...]
    exclusive: bool

    @property
    def marks(self) -> str:
        """The ids for a statement; whole numbers of ours."""
        return ", ".join(map(str, sorted(self.ids)))

    @property
    def said(self) -> str:
        """Their names, for people."""
        return " and ".join(self.names)


def ranking(db: sqlite3.Connection, project: int) -> Ranking | None:
    """Who is believed about a project; None where all sources are alike, or there is but one."""
    rows = db.execute(
        "SELECT source.id, source.name, source.priority, source.exclusive FROM listing"
        " JOIN source ON source.id = listing.source WHERE listing.project = ? ORDER BY source.name",
        (project,),
    ).fetchall()
    if len(rows) < 2:
        return None
    best = max((row["exclusive"], row["priority"]) for row in rows)
    leading = [row for row in rows if (row["exclusive"], row["priority"]) == best]
    if len(leading) == len(rows):
        return None
    ids = frozenset(row["id"] for row in leading)
    return Ranking(ids, tuple(row["name"] for row in leading), bool(best[0]))


def counted(db: sqlite3.Connection, project: int, ranks: Ranking) -> set[int]:
    """The ids of the versions that a believed source has shown, in whatever spelling."""
    rows = db.execute(
        f"""
        SELECT coalesce(version.alias, version.id) FROM version
        JOIN sighting ON sighting.id = version.seen
        WHERE version.project = ? AND (sighting.source IN ({ranks.marks}) OR EXISTS (
              SELECT 1 FROM also
              WHERE also.version = version.id AND also.source IN ({ranks.marks})))
        """,
        (project,),
    )
    return {row[0] for row in rows}
