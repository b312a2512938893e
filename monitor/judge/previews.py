"""Pre-releases that show only among the others: 1.99.1 before 2.0, 2.0.2-0 before 2.0.2.

For schemes without a rule of their own; registries that have one say it in words.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from monitor.judge.company import Doubt, Member
from monitor.judge.shapes import bare, numbers

HIGH: Final = range(90, 100)
"""GNU, GNOME, X.org and KDE count so on the way to the next series: 3.0.90, 2.99.3, 1.19.99.901."""

GAP: Final = 20
"""Such a number is a sign only where so many before it are missing."""

_NUMBERED = re.compile(r"([0-9]+\.[0-9]+\.[0-9]+)-([0-9]+)").fullmatch
_SNAPSHOT = re.compile(
    r"([0-9]+(?:\.[0-9]+)+)[-+._](?:19|20)[0-9]{2}([-.]?)[0-9]{2}\2[0-9]{2}[-._]g?[0-9a-f]{7,40}"
).fullmatch


def previews(members: Iterable[Member]) -> dict[int, Doubt]:
    """The members of one numbering that come before, or between, releases; by name."""
    known = list(members)
    return _snapshots(known) | _numbered(known) | _high(known)


def _high(members: list[Member]) -> dict[int, Doubt]:
    counted: dict[tuple[int, ...], set[int]] = defaultdict(set)
    parts = {m.name: tuple(map(int, numbers(m.version))) for m in members}
    for own in parts.values():
        for place in (1, 2):
            if len(own) >= place:
                counted[own[:place]].add(own[place] if len(own) > place else 0)
    found = {}
    for m in members:
        own = parts[m.name]
        for place in (1, 2):
            if len(own) < 3 or own[place] not in HIGH or not own[0]:
                continue
            siblings = counted[own[:place]]
            lower = [n for n in siblings if n < HIGH[0]]
            if lower and max(lower) + GAP <= own[place] and max(siblings) in HIGH:
                reason = (
                    f"{own[place]} after {max(lower)}: so the versions before the next are counted"
                )
                found[m.name] = Doubt("high-number", reason, release=True, counts=True)
    return found


def _numbered(members: list[Member]) -> dict[int, Doubt]:
    """2.0.2-0 where 2.0.2 came as well: counted as SemVer does; elsewhere -1 is a revision."""
    plain = {bare(m.version) for m in members}
    counted = [(m, match) for m in members if (match := _NUMBERED(bare(m.version)))]
    if not any(match[2] == "0" and match[1] in plain for _, match in counted):
        return {}
    return {
        m.name: Doubt(
            "numbered-preview",
            f"{match[1]}-0 and the like come before {match[1]} here",
            release=True,
            counts=match[1] not in plain,
        )
        for m, match in counted
    }


def _snapshots(members: list[Member]) -> dict[int, Doubt]:
    """25.12.19-2026-02-06-03fffb2 where 25.12.19 came as well: a day and a commit after it."""
    plain = {bare(m.version) for m in members}
    return {
        m.name: Doubt("snapshot", f"a day and a commit after {match[1]}", release=True, counts=True)
        for m in members
        if (match := _SNAPSHOT(bare(m.version))) and match[1] in plain
    }
