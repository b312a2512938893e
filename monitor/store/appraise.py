"""Judge what is stored of one project: what is newest, what is stable, which series there are.

The judging itself is pure (`monitor.judge`); this reads the versions, asks,
and keeps the answer beside them. Nothing is asked of an upstream, so a changed
rule is applied to what is known, and tells no news.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from monitor.judge import Candidate, Verdict, judge, newest, streams
from monitor.ordering import sort_key
from monitor.rules import Rules
from monitor.sources import Source, project_of
from monitor.store import states

_rules = msgspec.json.Decoder(Rules)

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


def rules_of(db: sqlite3.Connection, source: Source, project: int) -> tuple[Rules, str]:
    """The rules that hold for a project: its own over its source's; and the scheme."""
    rules = source.rules
    row = db.execute("SELECT rules FROM watch WHERE project = ?", (project,)).fetchone()
    if row and row["rules"] != "{}":
        rules = _rules.decode(row["rules"]).over(rules)
    return rules, rules.scheme or source.provider.ordering


def key_of(scheme: str, rules: Rules) -> Callable[[str], bytes]:
    """What two spellings of one version have in common."""
    if not (rules.prefix or rules.transform or rules.tag):
        return lambda version: EPOCH_ZERO + sort_key(scheme, version)

    def key(version: str) -> bytes:
        return EPOCH_ZERO + judge([Candidate(version)], scheme=scheme, rules=rules)[0].key[1:]

    return key


def appraise(
    db: sqlite3.Connection, source: Source, project: int, *, save: bool = False
) -> Appraisal:
    """Judge a project as it stands; with `save`, keep what was judged."""
    rules, scheme = rules_of(db, source, project)
    rows = db.execute(
        """
        SELECT version.id, version.version, version.tag, version.published, version.flag,
               version.state, version.sort_key, version.stable, sighting.at AS first_seen,
               version.alias
        FROM version JOIN sighting ON sighting.id = version.seen
        WHERE version.project = ?
        """,
        (project,),
    ).fetchall()
    by_candidate = {_candidate(row): row for row in rows if row["alias"] is None}
    purl = db.execute("SELECT purl FROM project WHERE id = ?", (project,)).fetchone()["purl"]
    verdicts = judge(by_candidate, scheme=scheme, rules=rules, project=project_of(purl))
    found = Appraisal({one.candidate.version: one for one in verdicts})
    best = newest(verdicts)
    found.stable = best.stable.candidate.version if best.stable else None
    found.newest = best.any.candidate.version if best.any else None
    found.heads = {name: head.candidate.version for name, head in streams(verdicts).items() if head}
    if save:
        _save(db, project, found, {row["version"]: row for row in rows})
    return found


def _save(
    db: sqlite3.Connection, project: int, found: Appraisal, rows: dict[str, sqlite3.Row]
) -> None:
    db.executemany(
        "UPDATE version SET stable = ?, sort_key = ? WHERE id = ?",
        [
            (one.stable, one.key, rows[name]["id"])
            for name, one in found.verdicts.items()
            if (bool(one.stable), one.key) != (rows[name]["stable"], rows[name]["sort_key"])
        ],
    )
    db.execute(
        "UPDATE project SET newest = ?, stable = ? WHERE id = ?",
        (
            rows[found.newest]["id"] if found.newest else None,
            rows[found.stable]["id"] if found.stable else None,
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
