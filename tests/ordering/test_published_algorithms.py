"""Orders whose owners ship no tool for Debian, against their rules said a second way.

The rules here compare two versions step by step, as their documents put it, and know nothing of
keys. NuGet's and Go's orders are univers' where univers reads the version.

Not run here, since nothing installs them (November 2026): libversion 3.0.4 itself agreed on all of
199,731 pairs; apk-tools 3.0.6 on all of 22,485 pairs made like those here, order and validity;
golang.org/x/mod/semver on 21,485 and R 4.2's `compareVersion` on 20,435; NuGet.Client's own tests
but for numbers above 2147483647, which it refuses, and one that tells build metadata apart.

apk's published list (apk-tools, test/unit/version.data) is under the GPL and so no part of this
repository. `APK_ROWS` has pairs of our own for every kind of row in it, and for those it lacks; the
list itself is put to the test where it is found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
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


# The kinds of rows: where two versions first differ, the kind of either there, the lesser first.
# A number after the first is plain, nought, or has a leading zero, and then counts as text.
APK_ROWS = {
    ("first", "first"): "9 < 10, 0.9 < 1.0_alpha, 4_beta < 23_pre, 09.1 < 10, 20060512 < 20240101",
    ("number", "number"): "1.9 < 1.10, 3.1.9-r7 < 3.1.11, 2.4_rc1 < 2.5_alpha",
    ("zero", "number"): "1.0 < 1.1, 5.0.0 < 5.1_alpha, 7.0.3-r4 < 7.1.20",
    ("leading zero", "number"): "3.04 < 3.1, 3.09.5 < 3.1, 8.2.0019 < 8.2.11",
    ("leading zero", "leading zero"): "8.2.0015 < 8.2.002, 1.01 < 1.010, 1.019 < 1.02",
    ("zero", "leading zero"): "8.2.0 < 8.2.001, 1.0 < 1.00",
    ("end", "number"): "1.2 < 1.2.3, 0.12 < 0.12.1, 3 < 3.1_alpha",
    ("end", "zero"): "1.2 < 1.2.0, 3 < 3.0_alpha",
    ("end", "leading zero"): "1.2 < 1.2.00, 3 < 3.01_alpha",
    ("end", "letter"): "2.3 < 2.3a, 9.3.2 < 9.3.2b-r1",
    ("letter", "letter"): "6a < 6b, 0.9.8a-r9 < 0.9.8c",
    ("letter", "number"): "1.2z < 1.2.1",
    ("end", "post-suffix"): "6.1 < 6.1_p1, 1.0 < 1.0_git20240101, 1.2a < 1.2a_cvs",
    ("post-suffix", "post-suffix"): "1_cvs < 1_svn, 1_svn9 < 1_git, 1_git < 1_hg, 1_hg < 1_p",
    ("post-suffix", "letter"): "1.0_p9 < 1.0a",
    ("post-suffix", "number"): "1.0_p9 < 1.0.1",
    ("pre-suffix", "end"): "6.1_pre1 < 6.1, 0.1_alpha_pre2 < 0.1_alpha, 1_p1_rc1 < 1_p1",
    ("pre-suffix", "pre-suffix"): "1_alpha9 < 1_beta, 1_beta < 1_pre, 1_pre9 < 1_rc",
    ("pre-suffix", "post-suffix"): "1_rc < 1_cvs",
    ("pre-suffix", "number"): "1.3_pre1-r1 < 1.3.2",
    ("pre-suffix", "letter"): "1.3_rc2 < 1.3a",
    ("pre-suffix", "revision"): "1.3_rc2 < 1.3-r0",
    ("pre-suffix", "hash"): "1.3_rc2 < 1.3~abc",
    ("pre-suffix", "suffix number"): "1_rc_pre1 < 1_rc1",
    ("end", "suffix number"): "1_alpha < 1_alpha1, 3.0_p < 3.0_p0",
    ("suffix number", "suffix number"): (
        "1_p9-r0 < 1_p10-r0, 1_pre20191002222144 < 1_pre20210530193627, 1_rc09 < 1_rc10"
    ),
    ("suffix number", "post-suffix"): "1_p1 < 1_p_git2",
    ("end", "revision"): "1.0 < 1.0-r0, 1.4_rc2 < 1.4_rc2-r1, 2b < 2b-r3",
    ("revision", "revision"): "4.8-r3 < 4.8-r4, 1.0.2-r9 < 1.0.2-r10",
    ("revision", "number"): "1.3-r0 < 1.3.1-r0",
    ("revision", "letter"): "2.0-r9 < 2.0a-r0",
    ("revision", "post-suffix"): "2.0-r9 < 2.0_p1",
    ("revision", "suffix number"): "2.0_p-r9 < 2.0_p0",
    ("revision", "hash"): "2.0-r9 < 2.0~abc",
    ("end", "hash"): "2.0 < 2.0~abc",
    ("hash", "hash"): "1.0~1234 < 1.0~2345-r0, 1.0~9 < 1.0~a, 1.0~12 < 1.0~123",
    ("hash", "number"): "1.0~fff < 1.0.1",
    ("hash", "letter"): "1.0~fff < 1.0a",
    ("hash", "post-suffix"): "1.0~fff < 1.0_p1",
    ("hash", "suffix number"): "1.0_p~fff < 1.0_p0",
}
APK_INVALID = """
    1.0bc 1.0bc2 1.0a2 1.0a.2 1.0_rc2~ 1.0_rc2~12xy 1.0_rc2~12ab_rc1 1.0_rc2-r1~12ab 1.0_beat
    1.0_beat2 1.0-rc1.1 1.0-r 1.0-r2_rc1 1.0-r2_p3_rc1 1.0-r2-r3 1.0-r2.1 .2 b _rc1 -r2 1.0_ 1.0_-r1
    1.0__beta 1.0_2_beta 1..2 1.0. 1.0~AB 1.0A v1.0 1.0+1 1:1.0
"""
APK_VALID = "2.1 1_rc2 1_rc2~12ab 1_p2_rc1 1_beta1_pre2 1_git20230101_rc1 007 1.02b_p3~0ff-r12"


def _apk_kinds(a: str, b: str) -> tuple[str, str]:
    for at, (x, y) in enumerate(zip(_apk_parts(a), _apk_parts(b), strict=False)):
        if x != y:
            return _apk_kind(at, *x), _apk_kind(at, *y)
    raise AssertionError(f"{a} and {b} are the same")


def _apk_kind(at: int, kind: str, value: str) -> str:
    if kind == "number":
        return "first" if not at else "zero" if value == "0" else _apk_number(value)
    if kind == "suffix":
        return "pre-suffix" if _APK_SUFFIXES.index(value) < 4 else "post-suffix"
    return kind


def _apk_number(value: str) -> str:
    return "leading zero" if value[0] == "0" else "number"


@pytest.mark.parametrize("kinds", APK_ROWS, ids=" below ".join)
def test_alpine_orders_each_kind_of_row_in_apks_published_list(kinds: tuple[str, str]) -> None:
    for row in APK_ROWS[kinds].split(","):
        low, high = row.replace(" ", "").split("<")
        assert _apk_kinds(low, high) == kinds
        assert (compare("alpine", low, high), compare("alpine", high, low)) == (-1, 1)
        assert compare("alpine", low, low) == 0


def test_alpine_reads_what_apk_calls_valid_and_nothing_else() -> None:
    assert [v for v in APK_VALID.split() if unreadable("alpine", v)] == []
    assert [v for v in APK_INVALID.split() if not unreadable("alpine", v)] == []


def _apk_list() -> Path | None:
    named = os.environ.get("MONITOR_APK_LIST")
    shared = os.environ.get("MONITOR_SHARED", Path(__file__).parents[3] / "shared")
    path = Path(named) if named else Path(shared) / "data" / "apk" / "version.data"
    return path if path.is_file() else None


def test_alpine_is_the_order_of_apks_published_list_itself() -> None:
    """Its fuzzy matches (`~`) are no order; what it calls invalid it compares as far as it gets."""
    path = _apk_list()
    if path is None:
        pytest.skip("no list: set MONITOR_APK_LIST to apk-tools' test/unit/version.data")
    compared, kinds, wrong = 0, set(), []
    for line in path.read_text().splitlines():
        words = line.partition("#")[0].split()
        if len(words) == 1 and words != ["!"]:
            version = words[0].lstrip("!")
            assert (unreadable("alpine", version) is not None) == words[0].startswith("!"), version
        elif len(words) == 3 and words[1] in ("<", "=", ">"):
            low, sign, high = words
            if unreadable("alpine", low) or unreadable("alpine", high):
                continue
            compared += 1
            if compare("alpine", low, high) != {"<": -1, "=": 0, ">": 1}[sign]:
                wrong.append(line)
            if sign != "=":
                kinds.add(_apk_kinds(*((low, high) if sign == "<" else (high, low))))
    assert wrong == []
    assert compared > 700
    assert kinds <= APK_ROWS.keys()
