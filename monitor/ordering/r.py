"""R's order: `compareVersion`. Numbers between dots or dashes, and `1.0` is below `1.0.0`.

Dots and dashes are equal: `1.2-3` equals `1.2.3`. Numbers may be of any size; R's end at
2147483647.

R has a second order: its operators (`package_version("1.0") == "1.0.0"`) fill the shorter
version up with zeros. The documented function for "which is later" decides here.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable

_FULL = re.compile(r"[0-9]+(?:[.-][0-9]+)*").fullmatch


def key(version: str) -> bytes:
    return b"".join([NUMBERS[part] for part in _parts(version)])


def canonical(version: str) -> str:
    """As R prints it: `1.02-3` is `1.2.3`."""
    return ".".join([str(int(part)) for part in _parts(version)])


def is_prerelease(version: str) -> None:
    """R has a custom (a last part of 9000) but no rule."""
    _parts(version)


def _parts(version: str) -> list[str]:
    if not _FULL(version):
        raise Unreadable("it is not numbers between dots and dashes, as R demands")
    return version.replace("-", ".").split(".")
