"""What only a person can decide: raised once, shown until it is answered, and never assumed.

admit    versions that are higher than the newest and much older (fault C15): are they releases?
epoch    a project seems to count anew (fault C03): does the new numbering stand above the old?
rename   another name seems to be the same project (fault C19): shall it be watched in its place?
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from monitor.errors import UsageError
from monitor.model import Json, Kind
from monitor.sources import Source
from monitor.store import projects
from monitor.store.appraise import Appraisal, appraise, judged
from monitor.store.events import tell
from monitor.store.glance import PROPOSALS
from monitor.store.known import enrol

ADMIT: Final = "admit"
EPOCH: Final = "epoch"
RENAME: Final = "rename"


def propose(
    db: sqlite3.Connection,
    project: int,
    kind: str,
    subject: str,
    *,
    source: int,
    reason: str,
    at: int,
) -> int | None:
    """Raise a question, unless it was raised before, whatever was answered. Returns its number.

    `subject` is what it is about: versions with spaces between, an epoch as JSON, a project's name
    as its source spells it.
    """
    row = db.execute(
        """
        INSERT INTO proposal (project, kind, subject, source, reason, at) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING RETURNING id
        """,
        (project, kind, subject, source, reason, at),
    ).fetchone()
    return None if row is None else int(row["id"])


def one(db: sqlite3.Connection, number: int) -> Json:
    """An open question. Raises UsageError where there is none of that number."""
    row = db.execute(f"{PROPOSALS} WHERE proposal.id = ?", (number,)).fetchone()
    if row is None:
        raise UsageError(
            f"proposal {number}", "there is none", "`monitor proposals` lists what waits"
        )
    if row["answer"] is not None:
        word = "accepted" if row["answer"] else "declined"
        raise UsageError(f"proposal {number}", f"was {word} by {row['who']}")
    return dict(row)


def answer(db: sqlite3.Connection, number: int, accepted: bool, who: str, at: int) -> None:
    """Keep what a person said."""
    db.execute(
        "UPDATE proposal SET answer = ?, who = ?, answered = ? WHERE id = ?",
        (accepted, who, at, number),
    )


def admit(
    db: sqlite3.Connection, source: Source, project: int, versions: Sequence[str], at: int
) -> list[int]:
    """Announce versions that were parked, now that somebody said that they are releases."""
    before, after = judged(db, project), appraise(db, source, project, save=True)
    told = []
    for version in versions:
        row = db.execute(
            "SELECT id, published, tag FROM version WHERE project = ? AND version = ?",
            (project, version),
        ).fetchone()
        payload = announcement(after, version, source) | {
            "published": row["published"],
            "first_seen": at,
            "tag": row["tag"],
            "files": projects.described(db, row["id"]),
            "reason": "admitted by hand",
        }
        told.append(
            tell(
                db, Kind.RELEASED, at, project=project, version=row["id"], source=source.id,
                payload=payload,
            )
        )  # fmt: skip
    if after.stable != before.stable and after.stable not in versions:
        payload = {"previous": before.stable, "stable_version": after.stable}
        told.append(
            tell(
                db, Kind.LATEST_CHANGED, at, project=project, source=source.id,
                payload=payload | {"reason": "versions were admitted by hand"},
            )
        )  # fmt: skip
    return told


def rename(db: sqlite3.Connection, source: Source, project: int, name: str, at: int) -> str:
    """Watch another name in place of this one, now that somebody said that it is the same project.

    What is known of both stays apart. What the settings watch they watch until they are mended.
    Returns the purl that is watched now.
    """
    fresh, _ = enrol(db, source, name, at)
    watch = db.execute("SELECT * FROM watch WHERE project = ?", (project,)).fetchone()
    if watch is not None:
        projects.watch(
            db, fresh, at, source=source, name=watch["name"], current=watch["current"],
            owner=watch["owner"], rules=watch["rules"],
        )  # fmt: skip
        if watch["origin"] == "command":
            projects.unwatch(db, project)
    return source.purl(name)


def announcement(after: Appraisal, version: str, source: Source) -> Json:
    """What a `released` event says of how a version stands among the others."""
    own = after.of(version)
    return {
        "provider": source.provider.name,
        "previous": after.below(version),
        "newest": after.newest == version,
        "newest_stable": after.stable == version,
        "stable": own.stable,
        "stream": own.stream,
        "newest_of_stream": after.heads.get(own.stream) == version,
        "rule": own.rule,
        "eligible": None,
        "page": None,
        "job": None,
    }
