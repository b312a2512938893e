"""What a version looks like: a number, a date, or one that begins with a year."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache


class Shape(Enum):
    """`DATE` 20240131 or 240131, `SPELLED` 2024-01-31, `YEAR` 2024.1, `NUMBER` 1.2.3."""

    DATE = "date"
    SPELLED = "date with separators"
    YEAR = "year first"
    NUMBER = "number"
    OTHER = "no number"

    @property
    def dated(self) -> bool:
        return self in {Shape.DATE, Shape.SPELLED, Shape.YEAR}


_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = r"(?:0[1-9]|[12][0-9]|3[01])"
_YEAR = r"(?:19[7-9][0-9]|20[0-9]{2})"
_DATE = re.compile(rf"{_YEAR}{_MONTH}{_DAY}(?:[0-9]{{4}}(?:[0-9]{{2}})?)?(?![0-9])").match
_SHORT = re.compile(rf"(?:[7-9][0-9]|[0-4][0-9]){_MONTH}{_DAY}").fullmatch
_SPELLED = re.compile(
    rf"{_YEAR}([-._]){_MONTH}\1{_DAY}(?![0-9])|[0-4][0-9]-{_MONTH}-{_DAY}(?![0-9.])"
).match
_FIRST_YEAR = re.compile(rf"{_YEAR}(?![0-9])").match

_LEAD = re.compile(r"(?:[0-9]+[!:])?[vVrR]?(?=[0-9])")
_NUMBERS = re.compile(r"(?:[0-9]+[!:])?[vVrR]?([0-9]+(?:[._][0-9]+)*)").match


@lru_cache(maxsize=4096)
def shape(version: str) -> Shape:
    """What this version looks like by itself; only its company says what it is."""
    text = bare(version)
    if _DATE(text) or _SHORT(text):
        return Shape.DATE
    if _SPELLED(text):
        return Shape.SPELLED
    if _FIRST_YEAR(text):
        return Shape.YEAR
    return Shape.NUMBER if text[:1].isdigit() else Shape.OTHER


def bare(version: str) -> str:
    """The version without an epoch and a leading "v" or "r"."""
    return version[m.end() :] if (m := _LEAD.match(version)) else version


@lru_cache(maxsize=4096)
def numbers(version: str) -> tuple[str, ...]:
    """The numbers that it begins with, as spelled: "1!3.0rc1" is ("3", "0")."""
    match = _NUMBERS(version)
    return tuple(match[1].replace("_", ".").split(".")) if match else ()


def first(version: str) -> int:
    """The number that it begins with, -1 where there is none."""
    parts = numbers(version)
    return int(parts[0]) if parts else -1


def year(version: str) -> str | None:
    """The year of a date: what its series is called."""
    kind, text = shape(version), bare(version)
    if kind is Shape.DATE and _SHORT(text):
        return ("19" if text[0] in "789" else "20") + text[:2]
    if kind is Shape.SPELLED and text[2] == "-":
        return "20" + text[:2]
    return text[:4] if kind in {Shape.DATE, Shape.SPELLED} else None
