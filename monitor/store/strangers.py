"""New projects whose names are near a watched one (E20, C19): told, and never followed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import lru_cache

from monitor.lookalike import ELSEWHERE, SPELLING, Near, Watched
from monitor.model import Json, Kind
from monitor.sources import Source, project_of
from monitor.store import projects, proposals
from monitor.store.events import tell

Fresh = tuple[str, str]
"""A project that nobody had told us of before: its purl, and its name at the source."""


def meet(db: sqlite3.Connection, source: Source, fresh: Iterable[Fresh], at: int) -> list[int]:
    """Compare new projects with what is watched; returns the numbers of the events that were told.

    Another spelling at a source that has the watched one as well may be the same project: that is
    proposed, and nothing is merged.
    """
    watched = projects.watched_ids(db)
    if not watched:
        return []
    names, told = _filed(tuple(sorted(watched))), []
    for purl, name in fresh:
        near = names.near(purl)
        if near is None:
            continue
        payload: Json = {
            "provider": source.provider.name,
            "other": purl,
            "differs_in": near.how,
            "reason": _reason(purl, near),
        }
        if near.how == SPELLING and _has(db, source.id, watched[near.purl]):
            payload["proposal"] = proposals.propose(
                db, watched[near.purl], proposals.RENAME, name, source=source.id,
                reason=f"{project_of(purl)} turned up beside {project_of(near.purl)}", at=at,
            )  # fmt: skip
        # Told of the one that is watched: there it is looked for, and nobody follows the other.
        mine = watched[near.purl]
        told.append(tell(db, Kind.LOOKALIKE, at, project=mine, source=source.id, payload=payload))
    return told


def _reason(purl: str, near: Near) -> str:
    if near.how == ELSEWHERE:
        return f"{purl} has the same name in another ecosystem"
    return f"{purl} differs from it in {near.how}"


def _has(db: sqlite3.Connection, source: int, project: int) -> bool:
    row = db.execute(
        "SELECT 1 FROM listing WHERE source = ? AND project = ?", (source, project)
    ).fetchone()
    return row is not None


@lru_cache(maxsize=2)
def _filed(purls: tuple[str, ...]) -> Watched:
    return Watched(purls)
