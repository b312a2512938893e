"""What is judged, what comes out, and what follows from it: newest, streams, differences."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from monitor.model import State


@dataclass(frozen=True, slots=True)
class Candidate:
    """One published version, as it is stored. None: "did not say".

    `version`     the published spelling, perhaps already taken out of a tag or file name
    `tag`         the raw spelling it was taken from
    `prerelease`  the flag of the forge or registry
    `outside`     why the source that shows it is not believed about this project
    """

    version: str
    tag: str | None = None
    published: datetime | None = None
    prerelease: bool | None = None
    state: State | None = None
    first_seen: datetime | None = None
    outside: str | None = None

    @property
    def spelling(self) -> str:
        """What the upstream wrote: the tag where there is one, else the version."""
        return self.version if self.tag is None else self.tag


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one candidate is, and the rule that decided.

    `version`   as it is read: after tag template, prefix and transforms
    `release`   it is a release of this project at all
    `stable`    it is a release and no pre-release
    `counts`    it may be called newest: no state, pin or setting speaks against it
    `stream`    the series that it belongs to; "" where there is no telling
    `key`       epoch and sort key: byte order is the order of the versions
    `rule`      short code of the rule that decided; `reason` says it in words
    """

    candidate: Candidate
    version: str
    release: bool
    stable: bool
    counts: bool
    stream: str
    key: bytes
    rule: str
    reason: str

    @property
    def epoch(self) -> int:
        """The numbering it belongs to: 0 unless the settings declare others."""
        return self.key[0]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest versions of a project, each None where there is none.

    `prerelease` only where it is newer than `stable`; `any` is the higher of both.
    """

    stable: Verdict | None = None
    prerelease: Verdict | None = None

    @property
    def any(self) -> Verdict | None:
        return self.prerelease or self.stable


@dataclass(frozen=True, slots=True)
class Standing:
    """How a version stands among the others: what an event says of it."""

    of_stream: bool
    of_stable: bool
    of_all: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A candidate whose verdict a changed rule changed; None where it was not judged."""

    candidate: Candidate
    before: Verdict | None
    after: Verdict | None


def newest(verdicts: Iterable[Verdict]) -> Newest:
    """The newest stable version, and the newest pre-release where that is newer."""
    stable = before = None
    for verdict in verdicts:
        if not (verdict.release and verdict.counts):
            continue
        if verdict.stable:
            stable = _higher(stable, verdict)
        else:
            before = _higher(before, verdict)
    if stable and before and before.key <= stable.key:
        before = None
    return Newest(stable, before)


def streams(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """The newest version of each series, highest series first.

    A series without a stable version is headed by its newest pre-release.
    """
    heads: dict[str, Verdict] = {}
    for verdict in verdicts:
        if verdict.release and verdict.counts:
            head = heads.get(verdict.stream)
            if head is None or (verdict.stable, *_rank(verdict)) > (head.stable, *_rank(head)):
                heads[verdict.stream] = verdict
    return dict(sorted(heads.items(), key=lambda item: _rank(item[1]), reverse=True))


def standing(verdict: Verdict, verdicts: Iterable[Verdict]) -> Standing:
    """Is this version the newest of its stream, of the stable ones, of all?

    Spellings of one version ("1.0", "v1.0") stand alike.
    """
    known = list(verdicts)
    if not (verdict.release and verdict.counts):
        return Standing(False, False, False)
    best, head = newest(known), streams(known).get(verdict.stream)
    return Standing(
        of_stream=head is not None and head.key == verdict.key,
        of_stable=verdict.stable and best.stable is not None and best.stable.key == verdict.key,
        of_all=best.any is not None and best.any.key == verdict.key,
    )


def differences(before: Iterable[Verdict], after: Iterable[Verdict]) -> list[Difference]:
    """What a changed rule changes, lowest version first: the dry run and the deed are equal.

    Nothing here is news: no difference is a release event.
    """
    old = {verdict.candidate: verdict for verdict in before}
    new = {verdict.candidate: verdict for verdict in after}
    changed = [
        Difference(candidate, old.get(candidate), new.get(candidate))
        for candidate in {**old, **new}
        if _facts(old.get(candidate)) != _facts(new.get(candidate))
    ]
    return sorted(changed, key=lambda d: (_rank(d.after or d.before), d.candidate.spelling))


def _facts(verdict: Verdict | None) -> tuple[object, ...] | None:
    if verdict is None:
        return None
    v = verdict
    return (v.version, v.release, v.stable, v.counts, v.stream, v.key, v.rule)


def _rank(verdict: Verdict | None) -> tuple[bytes, tuple[int, ...], str, str]:
    """By key; spellings of one version in a fixed order, so that the answer is always the same.

    Builds of one version (1.0+build.9, 1.0+build.10) count by their numbers.
    """
    if verdict is None:
        return b"", (), "", ""
    build = tuple(map(int, re.findall("[0-9]{1,18}", verdict.version.partition("+")[2])))
    return verdict.key, build, verdict.version, verdict.candidate.spelling


def _higher(one: Verdict | None, other: Verdict) -> Verdict:
    return other if one is None or _rank(other) > _rank(one) else one
