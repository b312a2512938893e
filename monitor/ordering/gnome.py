"""GNOME's versions: the generic order, with GNOME's own rule for what is unstable.

Before 40 an odd minor number is a development series, and so is a minor or a micro
number from 90 up (`3.91`, `3.4.92`); since 40 it is said in words (`40.alpha`, `45.rc`).
"""

from __future__ import annotations

import re

from . import generic
from .encoding import Unreadable

_NUMBERS = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?")


def key(version: str) -> bytes:
    _NUMBERS.match(version) or _refuse()
    return generic.key(version)


def canonical(version: str) -> str:
    """No canonical form is defined: the version itself."""
    return version


def is_prerelease(version: str) -> bool:
    match = _NUMBERS.match(version) or _refuse()
    major, minor, micro = [int(number or 0) for number in match.groups()]
    if generic.is_prerelease(version):
        return True
    if major >= 40:
        return False
    return minor % 2 == 1 or minor >= 90 or 90 <= micro < 100


def _refuse() -> re.Match[str]:
    raise Unreadable("it does not begin with a number")
