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

_LETTERED = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+([a-z])").fullmatch
_MONTH = re.compile(r"[0-9]{2}\.0[1-9]").fullmatch
_DRUPAL = re.compile(r"[0-9]+\.x-[0-9]+").match  # 8.x-1.2 belongs to the branch 8.x-1


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep the numbering of a project goes.

    `majors`    those below which minors are series: some version has a third number, or the
                second is a month (25.04, 25.10)
    `dotted`    some version has a second number; bare counts (less 643) have no series
    `lettered`  numbers before the last, where letters count the fixes (1.0 of 1.0.2u, 1.0.2t)
    """

    majors: frozenset[str]
    dotted: bool
    lettered: frozenset[tuple[str, ...]] = frozenset()


def depth(versions: Iterable[str]) -> Depth:
    """PostgreSQL had 9.6.24 and has 16.1: its series are 9.6 and 16.

    The short spelling "4.2" then belongs to the same series as "4.2.1".
    """
    parts = []
    lettered: dict[tuple[str, ...], set[str]] = {}
    for version in versions:
        own = shapes.numbers(version)
        parts.append(own)
        if match := _LETTERED(shapes.bare(version)):
            lettered.setdefault(own, set()).add(match[1])
    return Depth(
        frozenset(_plain(p[0]) for p in parts if len(p) > 2 or _MONTH(".".join(p))),
        any(len(p) > 1 for p in parts),
        frozenset(p[:2] for p, letters in lettered.items() if len(letters) > 1),
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
    by_third = rule is None and len(parts) > 2 and _by_third(scheme, parts, among)
    if rule is None:
        if scheme not in _BY_MINOR and not (among.dotted if among else len(parts) > 1):
            return ""
        rule = "minor" if _by_minor(scheme, major, parts, among) else "major"
    if rule == "major":
        return major
    if by_third:
        return ".".join(map(_plain, parts[:3]))
    if len(parts) < 2:
        return f"{major}.0"
    month = _MONTH(f"{parts[0]}.{parts[1]}")
    return month[0] if month else f"{major}.{_plain(parts[1])}"


def _by_minor(scheme: str, major: str, parts: tuple[str, ...], among: Depth | None) -> bool:
    if scheme in _BY_MINOR | _BY_MAJOR:
        return scheme in _BY_MINOR
    return len(parts) > 2 if among is None else major in among.majors


def _by_third(scheme: str, parts: tuple[str, ...], among: Depth | None) -> bool:
    """OpenSSL 1.0.2u is of 1.0.2, and the kernel's 2.6.32.71 is of 2.6.32."""
    if scheme == "kernel":
        return parts[:2] == ("2", "6")
    return scheme == "generic" and among is not None and parts[:2] in among.lettered


def _plain(number: str) -> str:
    return number.lstrip("0") or "0"
