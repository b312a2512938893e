"""Judge what is stored of one project: what is newest, what is stable, which series there are.

The judging itself is pure (`monitor.judge`); this reads the versions, asks,
and keeps the answer beside them. Nothing is asked of an upstream, so a changed
rule is applied to what is known, and tells no news.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from monitor import ordering
from monitor.judge import Candidate, Verdict, judge, key_function, newest, streams
from monitor.model import Kind
from monitor.rules import Epoch, Rules
from monitor.sources import Source, project_of
from monitor.store import states
from monitor.store.events import tell
from monitor.store.ranks import counted, ranking

_rules = msgspec.json.Decoder(Rules)
_epoch = msgspec.json.Decoder(Epoch)

_DIGITS = str.maketrans("", "", ".0123456789")

EPOCH_ZERO = b"\x00"
"""Stored keys begin with the number of the project's numbering; most have but one."""


@dataclass(slots=True)
class Appraisal:
    """The verdicts on all versions of a project, by published spelling."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    newest: str | None = None
    stable: str | None = None
    heads: dict[str, str] = field(default_factory=dict)  # stream → its newest version

    def of(self, version: str) -> Verdict:
        return self.verdicts[version]

    def below(self, version: str) -> str | None:
        """The highest release below that version, of any series: what it follows."""
        own = self.verdicts[version]
        lower = [
            one
            for one in self.verdicts.values()
            if one.release and one.key < own.key and (one.stable or not own.stable)
        ]
        return max(lower, key=lambda one: one.key).candidate.version if lower else None


def rules_of(
    db: sqlite3.Connection, source: Source, project: int, own: Rules | None = None
) -> tuple[Rules, str]:
    """The rules that hold for a project: its own over its source's; and the scheme.

    `own` are those of one of several packages that share it.
    """
    rules = source.rules
    row = db.execute(
        "SELECT (SELECT rules FROM watch WHERE project = ?1) AS rules,"
        " EXISTS (SELECT 1 FROM proposal WHERE project = ?1 AND answer = 1) AS answered",
        (project,),
    ).fetchone()
    if own is not None:
        rules = own.over(rules)
    elif row["rules"] not in (None, "{}"):
        rules = _rules.decode(row["rules"]).over(rules)
    if row["answered"]:
        said = db.execute(
            "SELECT kind, subject FROM proposal WHERE project = ? AND answer = 1", (project,)
        ).fetchall()
        rules = _with_answers(rules, said)
    return rules, rules.scheme or source.provider.ordering


def _with_answers(rules: Rules, said: list[sqlite3.Row]) -> Rules:
    """What people answered to proposals (`monitor.store.proposals`) stands beside the settings."""
    allow = [name for row in said if row["kind"] == "admit" for name in row["subject"].split(" ")]
    epochs = [_epoch.decode(row["subject"]) for row in said if row["kind"] == "epoch"]
    return msgspec.structs.replace(
        rules, allow=(*rules.allow, *allow), epochs=(*rules.epochs, *epochs)
    )


_SHORT = 24
"""Characters of a version whose key is remembered: many projects have a 1.0."""


@lru_cache(maxsize=32)
def _remembered(scheme: str) -> Callable[[str], bytes | None]:
    plain = ordering.key_function(scheme)

    @lru_cache(maxsize=8192)
    def key(version: str) -> bytes | None:
        """That of a version which needs no reading, of numbers and points as most; else None."""
        return plain(version) if version[:1] != "." and not version.translate(_DIGITS) else None

    return key


def key_of(scheme: str, rules: Rules, purl: str | None = None) -> Callable[[str], bytes]:
    """What all spellings of one version of a project have in common: its key without the epoch."""
    if rules.prefix or rules.transform or rules.tag:
        return key_function(scheme, rules, purl and project_of(purl))
    remembered = _remembered(rules.scheme or scheme)

    def key(version: str) -> bytes:
        found = remembered(version) if len(version) <= _SHORT else None
        if found is not None:
            return found
        return key_function(scheme, rules, purl and project_of(purl))(version)

    return key


def appraise(
    db: sqlite3.Connection,
    source: Source,
    project: int,
    *,
    save: bool = False,
    rules: Rules | None = None,
) -> Appraisal:
    """Judge a project as it stands, or by these rules; with `save`, keep what was judged."""
    if rules is None:
        rules, scheme = rules_of(db, source, project)
    else:
        scheme = rules.scheme or source.provider.ordering
    rows = _rows(db, project)
    found = _judged(db, rows, project, scheme, rules)
    if save:
        _save(db, project, found, rows)
    return found


@dataclass(frozen=True, slots=True)
class Reappraisal:
    """What other rules change of what is stored. Pairs are before and after; None: not judged.

    `versions` holds those whose standing as stable changes, lowest first.
    """

    stable: tuple[str | None, str | None]
    newest: tuple[str | None, str | None]
    versions: tuple[tuple[str, bool | None, bool], ...]


def re_evaluate(
    db: sqlite3.Connection,
    source: Source,
    project: int,
    at: int,
    *,
    rules: Rules | None = None,
    apply: bool = False,
) -> Reappraisal:
    """What a project's rules, as they are set now or as given, change of what is stored.

    The dry run and the deed are equal, and nothing of it is news (fault C13):
    with `apply` verdicts and keys are stored, and another newest stable version
    is told as such. The caller commits.
    """
    own, scheme = rules_of(db, source, project)
    rules = own if rules is None else rules
    rows = _rows(db, project)
    found = _judged(db, rows, project, rules.scheme or scheme, rules)
    before = judged(db, project)
    changed = sorted(
        (verdict.key, row["version"], None if row["stable"] is None else bool(row["stable"]))
        for row in rows
        if (verdict := found.verdicts.get(row["version"])) and verdict.stable != row["stable"]
    )
    result = Reappraisal(
        (before.stable, found.stable),
        (before.newest, found.newest),
        tuple((name, was, found.of(name).stable) for _, name, was in changed),
    )
    if apply:
        _save(db, project, found, rows)
        if before.stable is not None and before.stable != found.stable:
            payload = {
                "previous": before.stable,
                "stable_version": found.stable,
                "reason": "its rules were changed",
            }
            tell(db, Kind.LATEST_CHANGED, at, project=project, source=source.id, payload=payload)
    return result


def judged(db: sqlite3.Connection, project: int) -> Appraisal:
    """What was judged of a project when it changed last; without the verdicts."""
    row = db.execute(
        """
        SELECT newest.version AS newest, stable.version AS stable FROM project
        LEFT JOIN version AS newest ON newest.id = project.newest
        LEFT JOIN version AS stable ON stable.id = project.stable
        WHERE project.id = ?
        """,
        (project,),
    ).fetchone()
    return Appraisal(newest=row["newest"], stable=row["stable"])


def _rows(db: sqlite3.Connection, project: int) -> list[sqlite3.Row]:
    return db.execute(
        """
        SELECT version.id, version.version, version.tag, version.published, version.flag,
               version.state, version.sort_key, version.stable, sighting.at AS first_seen,
               version.alias
        FROM version JOIN sighting ON sighting.id = version.seen
        WHERE version.project = ? ORDER BY version.id
        """,
        (project,),
    ).fetchall()


def _judged(
    db: sqlite3.Connection, rows: list[sqlite3.Row], project: int, scheme: str, rules: Rules
) -> Appraisal:
    purl = db.execute("SELECT purl FROM project WHERE id = ?", (project,)).fetchone()["purl"]
    candidates = [_candidate(row) for row in rows if row["alias"] is None]
    if (ranks := ranking(db, project)) is not None:
        why = f"{ranks.said} does not show it, and is believed about this project"
        known = counted(db, project, ranks)
        ids = [row["id"] for row in rows if row["alias"] is None]
        candidates = [
            one if number in known else replace(one, outside=why)
            for number, one in zip(ids, candidates, strict=True)
        ]
    verdicts = judge(candidates, scheme=scheme, rules=rules, project=project_of(purl))
    found = Appraisal({one.candidate.version: one for one in verdicts})
    best = newest(verdicts)
    found.stable = best.stable.candidate.version if best.stable else None
    found.newest = best.any.candidate.version if best.any else None
    found.heads = {name: head.candidate.version for name, head in streams(verdicts).items() if head}
    return found


def _save(db: sqlite3.Connection, project: int, found: Appraisal, rows: list[sqlite3.Row]) -> None:
    by_name = {row["version"]: row for row in rows}
    db.executemany(
        "UPDATE version SET stable = ?, sort_key = ? WHERE id = ?",
        [
            (one.stable, one.key, by_name[name]["id"])
            for name, one in found.verdicts.items()
            if (one.stable, one.key) != (by_name[name]["stable"], by_name[name]["sort_key"])
        ],
    )
    db.execute(
        "UPDATE project SET newest = ?, stable = ? WHERE id = ?",
        (
            by_name[found.newest]["id"] if found.newest else None,
            by_name[found.stable]["id"] if found.stable else None,
            project,
        ),
    )


def _candidate(row: sqlite3.Row) -> Candidate:
    return Candidate(
        row["version"],
        tag=row["tag"],
        published=_moment(row["published"]),
        prerelease=None if row["flag"] is None else bool(row["flag"]),
        state=states[row["state"]],
        first_seen=_moment(row["first_seen"]),
    )


def _moment(at: int | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
