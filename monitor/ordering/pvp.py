"""Haskell's order: the Package Versioning Policy. Dotted numbers, and `1.0` is below `1.0.0`.

Leading zeros are read as old Cabal libraries did (`1.02` equals `1.2`), though Hackage
takes no such version any more.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable

_FULL = re.compile(r"[0-9]+(?:\.[0-9]+)*").fullmatch


def key(version: str) -> bytes:
    return b"".join([NUMBERS[part] for part in _parts(version)])


def canonical(version: str) -> str:
    """Without leading zeros."""
    return ".".join([str(int(part)) for part in _parts(version)])


def is_prerelease(version: str) -> None:
    """The policy knows no pre-releases."""
    _parts(version)


def _parts(version: str) -> list[str]:
    if not _FULL(version):
        raise Unreadable("it is not dotted numbers, as the Haskell versioning policy demands")
    return version.split(".")
