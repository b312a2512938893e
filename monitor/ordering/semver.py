"""Semantic Versioning 2.0.0: npm, Cargo and whoever else says so.

Like npm's `semver` it reads a leading `v` and surrounding space beside what
the specification's grammar allows; numbers may be of any size. Build metadata
does not count (rule 10): `1.0.0+a` equals `1.0.0+b`, which is also how
crates.io compares.

A key is three numbers, and either the mark of a release or that of a
pre-release and its identifiers.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable, text

_FULL = re.compile(
    r"""
    \ * v?
    (0|[1-9][0-9]*) \. (0|[1-9][0-9]*) \. (0|[1-9][0-9]*)
    (?:- ( (?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)
           (?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))* ) )?
    (\+ [0-9A-Za-z-]+ (?:\.[0-9A-Za-z-]+)* )?
    \ *
    """,
    re.VERBOSE,
).fullmatch

_PRE = b"\x03"
_FINAL = b"\x06"
_WORD = b"\xc8"  # numeric identifiers sort below the others


def key(version: str) -> bytes:
    major, minor, patch, pre, _ = _parts(version)
    code = NUMBERS[major] + NUMBERS[minor] + NUMBERS[patch]
    return code + (_FINAL if pre is None else _PRE + identifiers(pre))


def canonical(version: str) -> str:
    """Without what stands around the version; build metadata stays."""
    major, minor, patch, pre, build = _parts(version)
    return f"{major}.{minor}.{patch}" + (f"-{pre}" if pre else "") + (build or "")


def is_prerelease(version: str) -> bool:
    return _parts(version)[3] is not None


def identifiers(pre: str) -> bytes:
    """The code of the dotted identifiers of a pre-release; numbers below words."""
    return b"".join(
        [NUMBERS[part] if part.isdigit() else _WORD + text(part) for part in pre.split(".")]
    )


def _parts(version: str) -> tuple[str, str, str, str | None, str | None]:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not MAJOR.MINOR.PATCH[-PRE][+BUILD] by Semantic Versioning 2.0.0")
    return match.groups()  # type: ignore[return-value]
