"""Orders whose owners ship no tool for Debian, against their rules said a second way.

The rules here compare two versions step by step, as their documents put it, and know nothing of
keys. NuGet's and Go's orders are univers' where univers reads the version.

Not run here, since nothing installs them (November 2026): libversion 3.0.4 itself agreed on all of
199,731 pairs; apk-tools 3.0.6 on all of 13,190 pairs of valid versions made like those here, on the
validity of all versions in 20,000 pairs, and on its published list (test/unit/version.data) but for
`23_foo` and `1.0bc`, which it calls invalid and compares all the same, and for its fuzzy matches,
which are no order.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

import pytest

from monitor.ordering import compare, unreadable

from . import samples

Part = tuple[int, int | str]


def _sign(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def _libversion_parts(version: str) -> list[Part]:
    parts: list[Part] = []
    found = list(re.finditer(r"[0-9]+|[A-Za-z]+", version))
    for at, match in enumerate(found):
        value = match[0].lower()
        before = found[at - 1] if at else None
        after = found[at + 1] if at + 1 < len(found) else None
        if value.isdigit():
            parts.append((3, int(value)) if int(value) else (1, 0))
        elif value in ("alpha", "beta", "rc") or value[:3] == "pre":
            parts.append((0, value[0]))
        elif value in ("pl", "errata") or value[:4] == "post" or value[:5] == "patch":
            parts.append((2, value[0]))
        elif (
            before is not None
            and before[0].isdigit()
            and before.end() == match.start()
            and not (after is not None and after[0].isdigit() and after.start() == match.end())
        ):
            parts.append((4, value[0]))
        else:
            parts.append((0, value[0]))
    return parts


def by_libversion(a: str, b: str) -> int:
    pairs = zip_longest(_libversion_parts(a), _libversion_parts(b), fillvalue=(1, 0))
    return next((_sign(x, y) for x, y in pairs if x != y), 0)


def by_dotted_numbers(a: str, b: str) -> int:
    left, right = ([int(part) for part in re.split("[.-]", version)] for version in (a, b))
    return _sign(left, right)


_APK = r"\.?[0-9]+|(?<=[0-9])[a-z]|_[a-z]+|~[0-9a-f]+|-r[0-9]+"
_APK_SUFFIXES = ("alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p")


def _apk_parts(version: str) -> list[tuple[str, str]]:
    parts = []
    kind = ""
    for token in re.findall(_APK, version):
        head = token[0]
        if head.isdigit():
            kind = "suffix number" if kind == "suffix" else "number"
        elif head.isalpha():
            kind = "letter"
        else:
            kind = {".": "number", "_": "suffix", "~": "hash", "-": "revision"}[head]
        parts.append((kind, token.lstrip("._~-r" if head == "-" else "._~")))
    return [*parts, ("end", "")]


def by_apk(a: str, b: str) -> int:
    kinds = ("end", "revision", "hash", "suffix number", "suffix", "letter", "number")
    for at, (x, y) in enumerate(zip(_apk_parts(a), _apk_parts(b), strict=False)):
        if x == y:
            continue
        (kind, left), (other, right) = x, y
        if kind != other:
            for one, value, sign in ((kind, left, -1), (other, right, 1)):
                if one == "suffix" and _APK_SUFFIXES.index(value) < 4:
                    return sign
            return _sign(kinds.index(kind), kinds.index(other))
        if kind == "suffix":
            return _sign(_APK_SUFFIXES.index(left), _APK_SUFFIXES.index(right))
        as_text = kind in ("letter", "hash") or (
            kind == "number" and at and "0" in left[0] + right[0]
        )
        signs = _sign(left, right) if as_text else _sign(int(left), int(right))
        if signs:
            return signs
    return 0


@pytest.mark.parametrize(
    ("scheme", "rule"),
    [
        ("generic", by_libversion),
        ("pvp", by_dotted_numbers),
        ("r", by_dotted_numbers),
        ("alpine", by_apk),
    ],
)
def test_the_order_is_its_published_rule(scheme: str, rule: Callable[[str, str], int]) -> None:
    compared = 0
    for a, b in samples.pairs(scheme):
        if unreadable(scheme, a) is None and unreadable(scheme, b) is None:
            compared += 1
            assert compare(scheme, a, b) == rule(a, b), (a, b)
    assert compared > samples.PAIRS / 4


@pytest.mark.parametrize(("scheme", "name"), [("nuget", "NugetVersion"), ("go", "GolangVersion")])
def test_the_order_is_that_of_univers_where_univers_reads_the_version(
    scheme: str, name: str
) -> None:
    from univers import versions as univers

    read = getattr(univers, name)
    compared = 0
    for a, b in samples.pairs(scheme, None, 4_000):
        if unreadable(scheme, a) or unreadable(scheme, b):
            continue
        try:
            x, y = read(a), read(b)
        except ValueError:
            continue
        compared += 1
        assert compare(scheme, a, b) == (x > y) - (x < y), (a, b)
    assert compared > 500
