"""Whose tags these are: in a repository of many packages not every tag is the project's own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitor.judge.shapes import numbers, shape

ENOUGH: Final = 3
"""So many tags without a name, and more than with another, make those with a name strangers."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A version and the name that its tag gives, None where it gives none; a folder's has a /."""

    name: str | None
    version: str
    key: bytes
    stable: bool


def same_name(name: str, project: str) -> bool:
    """Does a tag's name mean this project, with or without its namespace?"""
    return _folded(name) in {_folded(project), _folded(project.rpartition("/")[2])}


def strangers(tags: Sequence[Tagged], project: str | None) -> set[int]:
    """The places of tags that name something else than the project (fault C14).

    Where some name the project, or a tag has none of the names, that is the
    project's own: "dua-core-v3.1.0" among 2.41.0, 2.42.0 is a part of it. A
    project may also begin to write its name: where all of one name come right
    after all without a name ("v1.9", then "foo-2.0"), they are its own; but
    no part of the project ("dua-core"), no folder ("kuttl/v2.0.0") and no mere
    number ("pr-379-v2") goes on with its count.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    plain: list[int] = []
    for n, tag in enumerate(tags):
        if tag.name is None:
            plain.append(n)
        else:
            groups[_folded(tag.name)].append(n)
    own = {name for name in groups if project and same_name(name, project)}
    others = [name for name in groups if name not in own]
    if not own:
        if len(plain) < ENOUGH:
            return set()
        part = project and others and others[0].startswith(_folded(project) + "-")
        if len(others) == 1 and not part and _continues(tags, plain, groups[others[0]]):
            return set()
        others = [name for name in others if len(groups[name]) < len(plain)]
    return {n for name in others for n in groups[name]}


def _continues(tags: Sequence[Tagged], plain: list[int], named: list[int]) -> bool:
    """Do the versions with a name come right after those without: 1.9, then 1.10 or 2.0?"""
    counted = [tags[n] for n in plain if tags[n].stable and not shape(tags[n].version).dated]
    if not counted:
        return False
    last = max(counted, key=lambda tag: tag.key)
    after = min((tags[n] for n in named), key=lambda tag: tag.key)
    if "/" in (after.name or "") or after.key <= last.key:
        return False
    if len(numbers(after.version)) < min(2, len(numbers(last.version))):
        return False
    old, new = ([int(n) for n in (*numbers(t.version), "0", "0")[:2]] for t in (last, after))
    return new <= [old[0], old[1] + 1] or new == [old[0] + 1, 0]


def _folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.lower().strip("/"))
