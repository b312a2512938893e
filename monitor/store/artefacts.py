"""The files of releases: kept only for projects that are watched or built.

A published file does not change. What does change is told once, with both
digests, and the first one stands: whoever builds other bytes must say so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from monitor.model import File, Json

LATE = 14 * 86400
"""Seconds after which a release is complete: what is added later is odd (fault E19)."""


def keep_files(
    db: sqlite3.Connection, version: int, files: Iterable[File], at: int
) -> tuple[list[Json], bool]:
    """Store the files of one version. Returns what is to be told of them, and whether more is
    known of them now.

    Told is what came after the first ones, and what changed in those that we had. A payload with
    `alarm` means that nothing should be built before somebody has looked.
    """
    known = {
        row["url"]: row
        for row in db.execute(
            "SELECT url, name, kind, digest, other, size, yanked, provenance,"
            " published IS NOT NULL AS dated, coalesce(published, added) AS born"
            " FROM file WHERE version = ?",
            (version,),
        )
    }
    named = {_name(row["name"], row["url"]): row for row in known.values()}
    told: list[Json] = []
    added: list[File] = []
    more = False
    for file in files:
        before = known.get(file.url)
        twin = named.get(_name(file.name, file.url))
        if before is None and twin is not None and file.digest == twin["digest"] is not None:
            continue  # the same bytes elsewhere: a mirror
        if before is None and twin is not None and _differ(twin["digest"], file.digest):
            before = twin  # registries whose addresses hold the digest
        if before is None:
            added.append(file)
        elif _differ(before["digest"], file.digest):
            if before["other"] != file.digest:
                told.append(
                    {
                        "alarm": True,
                        "reason": "the bytes of a published file changed",
                        "file": file.url,
                        "digest": file.digest,
                        "digest_before": before["digest"],
                    }
                )
                db.execute(
                    "UPDATE file SET other = ? WHERE version = ? AND url = ?",
                    (file.digest, version, before["url"]),
                )
            continue
        elif not _says_more(before, file):
            continue
        elif before["provenance"] and file.provenance == "":
            reason = "what attested a published file is gone"
            told.append({"alarm": True, "reason": reason, "file": file.url})
        more = True
        _save(db, version, file, at)
    # What a forge makes of a tag is there from the first moment: the release's own come later.
    first = [row["born"] for row in known.values() if row["kind"] != "generated"]
    if first and added:
        told += _of_added(added, min(first), at)
    return told, more


def changes(db: sqlite3.Connection, version: int, file: File) -> bool:
    """Is this a file that we know of that version, with other bytes?"""
    return any(
        _name(row["name"], row["url"]) == _name(file.name, file.url)
        and _differ(row["digest"], file.digest)
        for row in db.execute("SELECT url, name, digest FROM file WHERE version = ?", (version,))
    )


def _name(name: str | None, url: str) -> str:
    return name or url.partition("?")[0].rpartition("/")[2]


def _says_more(before: sqlite3.Row, file: File) -> bool:
    return (
        (before["digest"] is None and file.digest is not None)
        or (size_of(file) is not None and file.size != before["size"])
        or bool(before["yanked"]) is not file.yanked
        or (not before["dated"] and file.published is not None)
        or file.provenance not in (None, before["provenance"])
    )


def _differ(before: str | None, now: str | None) -> bool:
    """Do two digests of the same kind differ?"""
    if before is None or now is None or before == now:
        return False
    return before.partition(":")[0] == now.partition(":")[0]


def _of_added(files: Sequence[File], born: int, at: int) -> list[Json]:
    late = [file for file in files if _born(file, at) - born > LATE]
    early = [file for file in files if file not in late]
    told: list[Json] = []
    if early:
        told.append({"reason": "files were added", "files": describe(early)})
    if late:
        reason = f"files were added more than {LATE // 86400} days after the release"
        told.append({"alarm": True, "reason": reason, "files": describe(late)})
    return told


def _born(file: File, at: int) -> int:
    return at if file.published is None else _whole(file.published)


def _whole(moment: datetime) -> int:
    # Cut, not rounded: the last moment of the year 9999 is in no year 10000.
    return int(moment.replace(microsecond=0).timestamp())


def size_of(file: File) -> int | None:
    """The size that is said of it; what no file can have says nothing."""
    return file.size if file.size is not None and 0 <= file.size < 1 << 63 else None


def describe(files: Iterable[File]) -> list[Json]:
    """Files as events carry them."""
    return [
        {"address": file.url, "digest": file.digest, "size": size_of(file), "name": file.name}
        for file in files
    ]


def _save(db: sqlite3.Connection, version: int, file: File, at: int) -> None:
    db.execute(
        """
        INSERT INTO file (version, url, name, kind, digest, size, published, yanked, added,
                          provenance)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (version, url) DO UPDATE SET
            digest = coalesce(digest, excluded.digest), size = coalesce(excluded.size, size),
            published = coalesce(published, excluded.published), yanked = excluded.yanked,
            provenance = coalesce(excluded.provenance, provenance)
        """,
        (
            version,
            file.url,
            file.name,
            file.kind,
            file.digest,
            size_of(file),
            None if file.published is None else _whole(file.published),
            file.yanked,
            at,
            file.provenance,
        ),
    )


def wake(db: sqlite3.Connection, version: int, at: int) -> bool:
    """Have a waiting job decided again at once: files of its release came."""
    return (
        db.execute(
            "UPDATE job SET look_at = ? WHERE version = ? AND state = 'waiting' AND look_at > ?",
            (at, version, at),
        ).rowcount
        > 0
    )
