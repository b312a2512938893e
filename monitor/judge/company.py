"""What a version is among the others: a date among numbers, a number among dates, a wild jump.

All of it is cautious: a version is called an intruder only where the others
leave little doubt, since a project may well change its mind. What is called
one stays visible with the reason, and `allow` in the settings admits it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from statistics import median
from typing import Final

from monitor.judge.shapes import Shape, bare, first, numbers, shape

YEAR: Final = timedelta(days=365)
EVER: Final = datetime.max.replace(tzinfo=UTC)

MAGNITUDE: Final = 10
"""Numbers are of another kind when they are more than so many times larger."""

WILD: Final = 100
"""A first number below this is never a wild jump by its size alone: GNOME went from 3 to 40."""

YEARS: Final = range(15, 50)
"""Two digits that may be a year."""

ENOUGH: Final = 3
"""So many others are needed before one of them is odd."""

FEW: Final = 2
"""As many versions with the same wild number may still be a mistake."""


@dataclass(frozen=True, slots=True)
class Member:
    """A version among the others. `name` identifies it for the caller."""

    name: int
    version: str
    key: bytes
    published: datetime | None = None
    first_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a member does not fit: the rule's code, the reason, and what is left of it.

    `release`  it is a release all the same, though no stable one
    `counts`   it may be called the newest pre-release
    """

    rule: str
    reason: str
    release: bool
    counts: bool = False


def doubts(members: Iterable[Member]) -> dict[int, Doubt]:
    """The members of one numbering that do not belong, by name."""
    known = list(members)
    # Spellings of one version are one voice; the earliest date speaks for them.
    spellings: dict[bytes, list[Member]] = {}
    for m in sorted(known, key=lambda m: (m.published is None, m.published or EVER, m.version)):
        spellings.setdefault(m.key, []).append(m)
    voices = [same[0] for same in spellings.values()]
    found: dict[int, Doubt] = {}
    if len(voices) > ENOUGH:
        found |= _without_dots(voices)
        dates, plain = _split([m for m in voices if m.name not in found])
        found |= _dates_among_numbers(dates, plain)
        found |= _numbers_among_dates(dates, plain)
        found |= _wild([m for m in voices if m.name not in found])
    found = {m.name: found[v.name] for v in voices if v.name in found for m in spellings[v.key]}
    return found | _older_but_higher([m for m in known if m.name not in found])


def _split(members: Sequence[Member]) -> tuple[list[Member], list[Member]]:
    """Dates and plain numbers. A date in the numbers' own magnitude is one of them.

    Builds numbered 231105, 231107, 240101 are numbers even where one is a date.
    """
    dates = [m for m in members if shape(m.version).dated]
    plain = [m for m in members if shape(m.version) is Shape.NUMBER]
    if not dates or not plain:
        return dates, plain
    usual = median(first(m.version) for m in plain)
    far = [m for m in dates if first(m.version) > MAGNITUDE * usual]
    return far, plain + [m for m in dates if m not in far]


def _without_dots(members: Sequence[Member]) -> dict[int, Doubt]:
    """696 beside 0.696, 011 beside 1.14.7: the dots were forgotten."""
    dotted = [m for m in members if len(numbers(m.version)) > 1]
    joined = {"".join(numbers(m.version)).lstrip("0") for m in dotted}
    below = max((first(m.version) for m in dotted), default=0)
    found = {}
    for m in members:
        digits = bare(m.version)
        if not digits.isdigit() or len(digits) < 2 or 2 * len(dotted) < len(members):
            continue
        if digits[0] == "0" or (int(digits) > MAGNITUDE * (below + 1) and digits in joined):
            reason = f"a bare number among {len(dotted)} versions with dots, as if they were lost"
            found[m.name] = Doubt("without-dots", reason, False)
    return found


def _dates_among_numbers(dates: list[Member], plain: list[Member]) -> dict[int, Doubt]:
    """Snapshots and old numberings that would beat every number for ever."""
    if not dates or len(plain) < ENOUGH or len(dates) >= len(plain):
        return {}
    count = f"{len(dates)} among {len(plain)} numbered versions"
    if _timed(dates) and _timed(plain):
        last = max(_begun(plain))
        after = [m for m in dates if m.published and m.published > last]
        if not after:
            return {
                m.name: Doubt(
                    "date-among-numbers",
                    f"a date ({count}), and numbered versions were published after it",
                    False,
                )
                for m in dates
            }
        if len(after) >= ENOUGH or any(shape(m.version) is Shape.YEAR for m in after):
            return {}  # the project moved to dates
    share = {Shape.DATE: 1.0, Shape.SPELLED: 1 / 2, Shape.YEAR: 1 / 20}
    odd = [m for m in dates if len(dates) < share[shape(m.version)] * len(plain)]
    return {m.name: Doubt("date-among-numbers", f"a date ({count})", False) for m in odd}


def _begun(members: Iterable[Member]) -> Iterable[datetime]:
    """When each series began: a fix of an old one says nothing of where the project goes."""
    begun: dict[tuple[str, ...], datetime] = {}
    for m in members:
        if m.published:
            parts = numbers(m.version)
            series = parts[:-1] if len(parts) > 2 else parts
            begun[series] = min(begun.get(series, EVER), m.published)
    return begun.values()


def _numbers_among_dates(dates: list[Member], plain: list[Member]) -> dict[int, Doubt]:
    """Numbers that turned up while versions were dates: the numbering may have changed."""
    if not plain or len(dates) < ENOUGH or len(plain) >= len(dates):
        return {}
    lowest = min(m.key for m in dates)
    low = [m for m in plain if m.key < lowest]
    if _timed(dates) and _timed(plain):
        began = min(m.published for m in dates if m.published)
        odd = [m for m in low if m.published and m.published > began]
    else:
        odd = low if len(low) <= FEW and 5 * len(low) <= len(dates) else []
    reason = (
        f"a number among {len(dates)} versions that are dates; if the numbering changed, "
        "declare it in `epochs`"
    )
    return {m.name: Doubt("number-among-dates", reason, True) for m in odd}


def _wild(members: list[Member]) -> dict[int, Doubt]:
    """9.9.9 or 99999 where all others are 1.x: placeholders, typing errors, squatters."""
    found: dict[int, Doubt] = {}
    rest = [m for m in members if first(m.version) >= 0]
    for _ in range(ENOUGH):
        top = max((first(m.version) for m in rest), default=0)
        group = [m for m in rest if first(m.version) == top]
        others = [m for m in rest if first(m.version) != top]
        if len(group) > FEW or len(others) < ENOUGH:
            break
        below = max(first(m.version) for m in others)
        if not all(_is_wild(m.version, top, below, others) for m in group):
            break
        reason = f"a jump from {below} to {top}; all {len(others)} other versions are lower"
        found |= {m.name: Doubt("implausible-jump", reason, False) for m in group}
        rest = others
    return found


def _is_wild(version: str, top: int, below: int, others: Sequence[Member]) -> bool:
    parts = numbers(version)
    nines = all(set(part) == {"9"} for part in parts)
    if nines and top > below + 1 and (len(parts) >= 3 or (len(parts) == 2 and top >= 99)):
        return True
    if shape(version).dated:
        return False
    if _counted(top, others):
        return True
    if top < WILD or top <= MAGNITUDE * (below + 1):
        return False
    # 0.120 was followed by 121: the leading zero was dropped.
    seconds = (numbers(m.version)[1:2] for m in others)
    return not any(top // 2 <= int(second) <= top for [second] in filter(None, seconds))


def _counted(top: int, others: Iterable[Member]) -> bool:
    """Did the first number count on without a jump, as it does not now (53, then 72)?

    What may be a year is none: 26 came after 18 at Apple's, 24 after 7 at LibreOffice's.
    """
    firsts = sorted({first(m.version) for m in others})
    steps = [after - before for before, after in pairwise(firsts)]
    jump = top - firsts[-1]
    return len(steps) >= MAGNITUDE <= jump and max(steps) < MAGNITUDE and top not in YEARS


def _older_but_higher(members: Sequence[Member]) -> dict[int, Doubt]:
    """Fault C15: what newly turned up is higher than the newest, but more than a year older.

    A fork inherits the tags of its ancestor: 4.02.3 of 2015 beside 0.14 of 2021.
    """
    dated = [(m.first_seen, m.published, m) for m in members if m.published and m.first_seen]
    dated.sort(key=lambda entry: entry[0])
    found: dict[int, Doubt] = {}
    head: tuple[bytes, str, datetime] | None = None  # the newest of what was seen earlier
    for _, together in groupby(dated, key=lambda entry: entry[0]):
        batch = list(together)
        known = head
        for _, published, m in batch:
            if known and m.key > known[0] and published < known[2] - YEAR:
                found[m.name] = Doubt(
                    "older-but-higher",
                    f"published {published:%Y-%m-%d}, over a year before {known[1]}, which was "
                    "newest when this turned up",
                    False,
                )
            elif head is None or (m.key, m.version, published) > head:
                head = (m.key, m.version, published)
    return found


def _timed(members: Sequence[Member]) -> bool:
    """Are most of them dated, so that time can bear witness?"""
    return 2 * sum(m.published is not None for m in members) > len(members)
