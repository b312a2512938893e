"""A project that changed its numbering: seen, said, never assumed (fault C03)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from monitor.judge.shapes import Shape, shape
from monitor.judge.verdicts import Verdict
from monitor.rules import Epoch

ENOUGH = 3
"""So many lower numbers after higher ones speak of a new count; fewer are an old series' fixes."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry for `epochs`, and what speaks for it.

    `newest` would be the newest version under the new numbering, `masking` is
    what stays newest without it.
    """

    epoch: Epoch
    newest: str
    masking: str
    reason: str


def propose_epoch(verdicts: Iterable[Verdict]) -> Proposal | None:
    """An epoch to declare, or None where order and dates agree.

    Raised where versions that are lower were all published after all that are
    higher: one is enough where the kind of numbering changed (20160708, then
    2.0.0), three where both are numbers (4.02.3, then 0.1, 0.2, 0.3).
    """
    timed: list[tuple[datetime, Verdict]] = []
    for v in verdicts:
        usable = v.release or v.rule == "date-among-numbers"
        if usable and v.rule != "unreadable" and v.candidate.published:
            timed.append((v.candidate.published, v))
    timed.sort(key=lambda entry: (entry[0], entry[1].key, entry[1].version))
    cut = _cut([v for _, v in timed])
    if cut is None:
        return None
    old, new = [v for _, v in timed[:cut]], [v for _, v in timed[cut:]]
    top, began = max(old, key=_rank), timed[cut][0]
    changed = shape(top.version).dated and all(shape(v.version) is Shape.NUMBER for v in new)
    if not (changed or _is_count(timed[cut:])):
        return None
    best = max(new, key=_rank)
    number = top.epoch + 1
    if number > 255:
        return None
    kind = "the versions were dates and are numbers now" if changed else "the count began anew"
    return Proposal(
        epoch=Epoch(number=number, match=r"^[vV]?\d{1,3}(\.|$)")
        if changed
        else Epoch(number=number, since=f"{began:%Y-%m-%d}"),
        newest=best.version,
        masking=top.version,
        reason=f"{kind}: {best.version} was published after {top.version}, but sorts below it",
    )


def _is_count(timed: list[tuple[datetime, Verdict]]) -> bool:
    """Do these look like releases one after another, not like a mass upload?"""
    keys = {verdict.key for _, verdict in timed}
    days = {published.date() for published, _ in timed}
    return min(len(keys), len(days)) >= ENOUGH


def _cut(ordered: list[Verdict]) -> int | None:
    """Where a list in order of time falls apart into a higher and then a lower part, last time.

    What has one date stands in order of versions, so there is no cut between.
    """
    lowest = [b""] * len(ordered)
    low: bytes | None = None
    for n, verdict in enumerate(ordered):
        low = verdict.key if low is None else min(low, verdict.key)
        lowest[n] = low
    high: bytes | None = None
    for n in range(len(ordered) - 1, 0, -1):
        high = ordered[n].key if high is None else max(high, ordered[n].key)
        if high < lowest[n - 1]:
            return n
    return None


def _rank(verdict: Verdict) -> tuple[bytes, str]:
    return verdict.key, verdict.version
