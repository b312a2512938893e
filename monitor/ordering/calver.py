"""Calendar versions (calver.org): a year or a date comes first, anything may follow.

All spellings of a date are brought to year.month.day, and then the generic
order holds: `20240115`, `2024-01-15` and `2024.1.15` are equal, `24.04` is
`2024.04`. The `v` of tags does not count. Short years count from 2000, as calver.org has it.
"""

from __future__ import annotations

import re

from . import generic
from .encoding import Unreadable

_FIRST = re.compile(r"v?([0-9]+)(?:[Tt]([0-9]{4,6})[Zz]?(?![0-9A-Za-z]))?")
_YEARS = range(1970, 2200)
_SHORT_YEARS = range(200)


def key(version: str) -> bytes:
    return generic.key(canonical(version))


def canonical(version: str) -> str:
    """With the year in four digits and the date in parts; what follows it stays."""
    match = _FIRST.match(version)
    if match is None:
        raise Unreadable("it does not begin with a year or a date")
    digits, clock = match.groups()
    rest = version[match.end() :]
    date = _date(digits)
    if date is None:
        raise Unreadable(f"{digits} is neither a year nor a date")
    return date + (f".{clock}" if clock else "") + rest


def is_prerelease(version: str) -> bool:
    """By the words of the generic order."""
    return generic.is_prerelease(canonical(version))


def _date(digits: str) -> str | None:
    """Digits as year, year.month or year.month.day[.rest]; None where they are no date."""
    length = len(digits)
    if length >= 8 and _is_date(digits[:4], digits[4:6], digits[6:8]):
        date = f"{digits[:4]}.{digits[4:6]}.{digits[6:8]}"
        return f"{date}.{digits[8:]}" if length > 8 else date
    if length == 6 and _is_date(digits[:4], digits[4:], "01"):
        return f"{digits[:4]}.{digits[4:]}"
    if length == 6 and _is_date("20" + digits[:2], digits[2:4], digits[4:]):
        return f"20{digits[:2]}.{digits[2:4]}.{digits[4:]}"
    if length == 4 and int(digits) in _YEARS:
        return digits
    if length < 4 and int(digits) in _SHORT_YEARS:
        return str(2000 + int(digits))
    return None


def _is_date(year: str, month: str, day: str) -> bool:
    return int(year) in _YEARS and 1 <= int(month) <= 12 and 1 <= int(day) <= 31
