"""NuGet's order: SemVer 2.0.0 with one to four numbers and without regard to case.

Missing numbers are zeros: `1.0` equals `1.0.0.0`. Leading zeros and blanks around a
number or the whole are read. Build metadata does not count.

Unlike NuGet's, numbers may be of any size: those above 2147483647 it refuses, and in a
pre-release takes for words.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable
from .semver import identifiers

_FULL = re.compile(
    r"""
    \ *([0-9]+)\ * (?:\.\ *([0-9]+)\ *)? (?:\.\ *([0-9]+)\ *)? (?:\.\ *([0-9]+)\ *)?
    (?:- ([0-9A-Za-z-]+ (?:\.[0-9A-Za-z-]+)*) )?
    (?:\+ [0-9A-Za-z-]+ (?:\.[0-9A-Za-z-]+)* )?
    \ *
    """,
    re.VERBOSE,
).fullmatch

_PRE = b"\x03"
_FINAL = b"\x06"


def key(version: str) -> bytes:
    major, minor, patch, revision, pre = _parts(version)
    code = NUMBERS[major] + NUMBERS[minor or "0"] + NUMBERS[patch or "0"]
    if revision and revision.strip("0"):
        code += NUMBERS[revision]  # above both marks, as a fourth number must be
    return code + (_FINAL if pre is None else _PRE + identifiers(pre.lower()))


def canonical(version: str) -> str:
    """NuGet's normalised form: three numbers, a fourth only if not zero, no build metadata."""
    major, minor, patch, revision, pre = _parts(version)
    spelled = f"{int(major)}.{int(minor or 0)}.{int(patch or 0)}"
    if revision and revision.strip("0"):
        spelled += f".{int(revision)}"
    return spelled + (f"-{pre}" if pre else "")


def is_prerelease(version: str) -> bool:
    return _parts(version)[4] is not None


def _parts(version: str) -> tuple[str, str | None, str | None, str | None, str | None]:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not one to four numbers and [-PRE][+BUILD], as NuGet demands")
    return match.groups()  # type: ignore[return-value]
