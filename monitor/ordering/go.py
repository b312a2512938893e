"""Go modules' order: golang.org/x/mod/semver.

A leading `v` is required; `v1` and `v1.2` stand for `v1.0.0` and `v1.2.0`.
Build metadata does not count, nor does `+incompatible`. Pseudo-versions
(`v0.0.0-20240101120000-0123456789ab`) are pre-releases by their form.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable
from .semver import identifiers

_FULL = re.compile(
    r"""
    v (0|[1-9][0-9]*) (?: \. (0|[1-9][0-9]*) (?: \. (0|[1-9][0-9]*)
    (?:- ( (?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)
           (?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))* ) )?
    (\+ [0-9A-Za-z-]+ (?:\.[0-9A-Za-z-]+)* )?
    )?)?
    """,
    re.VERBOSE,
).fullmatch

_PRE = b"\x03"
_FINAL = b"\x06"


def key(version: str) -> bytes:
    major, minor, patch, pre, _ = _parts(version)
    code = NUMBERS[major] + NUMBERS[minor or "0"] + NUMBERS[patch or "0"]
    return code + (_FINAL if pre is None else _PRE + identifiers(pre))


def canonical(version: str) -> str:
    """The module form: three numbers, no build metadata but `+incompatible`."""
    major, minor, patch, pre, build = _parts(version)
    spelled = f"v{major}.{minor or 0}.{patch or 0}" + (f"-{pre}" if pre else "")
    return spelled + ("+incompatible" if build == "+incompatible" else "")


def is_prerelease(version: str) -> bool:
    """Pre-releases and pseudo-versions: whatever has a dash after the numbers."""
    return _parts(version)[3] is not None


def _parts(version: str) -> tuple[str, str | None, str | None, str | None, str | None]:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not vMAJOR[.MINOR[.PATCH[-PRE][+BUILD]]], as Go modules demand")
    return match.groups()  # type: ignore[return-value]
