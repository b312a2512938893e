"""May we believe this answer? The plausibility gate, and the overlap of feeds.

An `ok` answer in doubt becomes `suspect`: it is parked until a second answer
agrees. All of it is arithmetic on counts and keys; the store counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Annotated, Final, TypeGuard

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]

WINDOW: Final = 200
"""Items of a feed that are remembered: more than any feed's window that we know of by number."""

_DIGITS: Final = 16  # hexadecimal digits of an item's digest of 8 bytes


class Gate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is believed at once. The defaults are those of the fault catalogue."""

    drop_share: Share = 0.10
    """Share of a project's live versions that may be missing from a complete answer."""

    drop_floor: Count = 2
    """So many missing versions are believed in any case, unless they are all there were."""

    add_limit: Count = 20
    """New versions at once in a project that already has a history."""

    index_drop_share: Share = 0.01
    """Share of a source's live versions that may be missing from a complete index."""

    list_change_share: Share = 0.5
    """Share by which the list of a source's projects may shrink or grow overnight."""

    list_floor: Count = 10
    """A list may change by so many projects in any case."""


DEFAULT: Final = Gate()


def doubt_versions(
    *, live: int, dropped: int, added: int, known: int, gate: Gate = DEFAULT
) -> str | None:
    """Why a complete answer about one project is not believed at once, or None.

    `known` is how many versions were ever recorded, `live` how many of them
    stood upstream before, `dropped` how many of those the answer leaves out
    and `added` how many it brings that were never recorded. A first look
    (`known` 0) is a baseline: there is nothing to doubt.
    """
    if known <= 0:
        return None
    if live and dropped >= live:
        return f"all {live} live versions are missing"
    if dropped > max(gate.drop_floor, gate.drop_share * live):
        return f"{dropped} of {live} live versions are missing"
    if added > gate.add_limit:
        return f"{added} new versions at once, beside {known} known ones"
    return None


def doubt_index(
    *,
    live_versions: int,
    dropped_versions: int,
    projects_before: int,
    projects_now: int,
    gate: Gate = DEFAULT,
) -> str | None:
    """Why a complete index is not believed at once, or None: parked whole, not in parts.

    Counts are of the whole source, before and in this answer. An index that
    only mentions projects passes zeros for the versions.
    """
    if live_versions and dropped_versions >= live_versions:
        return f"all {live_versions} live versions of the source are missing"
    if dropped_versions > max(gate.drop_floor, gate.index_drop_share * live_versions):
        return f"{dropped_versions} of the source's {live_versions} live versions are missing"
    change = projects_now - projects_before
    if projects_before and projects_now == 0:
        return f"all {projects_before} projects are missing"
    allowed = max(gate.list_floor, gate.list_change_share * projects_before - 1)
    if projects_before and abs(change) > allowed:
        verb = "grew" if change > 0 else "shrank"
        return f"the list of projects {verb} from {projects_before} to {projects_now}"
    return None


def doubt_name(
    asked: str, answered: str | None, normalise: Callable[[str], str] = str
) -> str | None:
    """Why an answer is about another project than the one asked for, or None.

    None as the answer's name means that it does not say.
    """
    if answered is None or normalise(asked) == normalise(answered):
        return None
    return f"asked for {asked!r}, answered {answered!r}"


def doubt_serial(stored: str | None, answered: str | None) -> str | None:
    """Why an upstream's cursor is not believed at once (fault D04): it is a serial and went back.

    A server that lags behind says the same, once; an upstream that counts anew goes on to.
    Cursors that are not digits alone are no serials, and say nothing.
    """
    if not _serial(stored) or not _serial(answered) or int(answered) >= int(stored):
        return None
    return f"its serial went back from {stored} to {answered}"


def _serial(cursor: str | None) -> TypeGuard[str]:
    return cursor is not None and cursor.isascii() and cursor.isdigit() and len(cursor) < 40


def item(project: str, version: str) -> str:
    """The identity of a feed's item: never its own id, which servers change (fault D02)."""
    return f"{project}\n{version}"


def gap(previous: frozenset[str], page: Iterable[str]) -> bool:
    """Were there items between two looks at a feed that neither showed?

    `previous` is what the last look remembered (`keys_of`), `page` the items of
    this one (`item`), in any order. One item in common proves that nothing lies
    between. Nothing remembered is no gap, but the first look. An empty page
    proves nothing: a gap.
    """
    return bool(previous) and previous.isdisjoint(map(_digest, page))


def risen(cursor: str | None, page: Iterable[str]) -> frozenset[str]:
    """Items at the end of a page that may have stood below the window of the last look.

    Where releases are deleted, a window of so many items fills up from below:
    with things that are older than all we remember, and no news. As many as
    were taken out above them; of a page in no order this says too much, so the
    items' dates must agree.
    """
    before = (cursor or "").split(" ")
    items = list(page)
    keys = [_digest(one) for one in items]
    remembered, here = set(before), set(keys)
    last = max((n for n, key in enumerate(keys) if key in remembered), default=None)
    if last is None:
        return frozenset()
    taken_out = sum(key not in here for key in before[: before.index(keys[last])])
    return frozenset(items[last + 1 :][:taken_out])


def window_cursor(page: Iterable[str]) -> str:
    """What to remember of a page, newest item first: a cursor of at most 3,400 characters."""
    return " ".join(map(_digest, list(dict.fromkeys(page))[:WINDOW]))


def keys_of(cursor: str | None) -> frozenset[str]:
    """What a cursor's text remembers; what is none (another program's cursor) is left out."""
    return frozenset(
        key
        for key in (cursor or "").split(" ")
        if len(key) == _DIGITS and set(key) <= set("0123456789abcdef")
    )


def _digest(item: str) -> str:
    return blake2b(item.encode("utf-8", "surrogatepass"), digest_size=_DIGITS // 2).hexdigest()


def expected_interval(
    window: float | None, *, shortest: float = 60.0, longest: float = 3600.0
) -> float:
    """Seconds until the next look at a feed whose page covered `window` seconds.

    A third of the window, so that one failed look loses nothing; None (no
    dates) keeps the longest distance.
    """
    return longest if window is None else min(max(window / 3, shortest), longest)
