"""Which supported series (stream) a version belongs to: Django 4.2 beside 5.2, kernel 6.6."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.judge import shapes
from monitor.rules import Rules, pattern

# Schemes whose versions always have a third number, and the one whose numbers are a fraction.
_BY_MINOR = frozenset({"semver", "kernel", "pvp", "go", "nuget"})
_BY_MAJOR = frozenset({"cpan"})

_DRUPAL = re.compile(r"[0-9]+\.x-[0-9]+").match  # 8.x-1.2 belongs to the branch 8.x-1


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep the numbering of a project goes.

    `majors`  those below which minors are series: some version has a third number
    `dotted`  some version has a second number; bare counts (less 643) have no series
    """

    majors: frozenset[str]
    dotted: bool


def depth(versions: Iterable[str]) -> Depth:
    """PostgreSQL had 9.6.24 and has 16.1: its series are 9.6 and 16.

    The short spelling "4.2" then belongs to the same series as "4.2.1".
    """
    parts = [shapes.numbers(version) for version in versions]
    return Depth(
        frozenset(_plain(p[0]) for p in parts if len(p) > 2),
        any(len(p) > 1 for p in parts),
    )


def stream_of(
    scheme: str, version: str, rules: Rules | None = None, among: Depth | None = None
) -> str:
    """The series of this version, "" where it has none to speak of.

    `among` is the depth of all versions; without it, this version speaks for
    itself.
    """
    rule = rules.streams if rules else None
    if rule == "none":
        return ""
    if rule not in {None, "major", "minor"}:
        match = pattern(rule or "", "streams").search(version)
        return (match.group(1) or "") if match else ""
    parts = shapes.numbers(version)
    if not parts:
        return ""
    if rule is None and (year := shapes.year(version)):
        return year
    if rule is None and scheme == "drupal" and (branch := _DRUPAL(version)):
        return branch[0]
    major = _plain(parts[0])
    if rule is None:
        if scheme not in _BY_MINOR and not (among.dotted if among else len(parts) > 1):
            return ""
        rule = "minor" if _by_minor(scheme, major, parts, among) else "major"
    if rule == "major":
        return major
    return f"{major}.{_plain(parts[1])}" if len(parts) > 1 else f"{major}.0"


def _by_minor(scheme: str, major: str, parts: tuple[str, ...], among: Depth | None) -> bool:
    if scheme in _BY_MINOR | _BY_MAJOR:
        return scheme in _BY_MINOR
    return len(parts) > 2 if among is None else major in among.majors


def _plain(number: str) -> str:
    return number.lstrip("0") or "0"
