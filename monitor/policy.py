"""Which releases deserve a build, and when.

One pure function. Whatever it decides carries the rule that decided, and the
store keeps both: `monitor why` shows them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol, TypeVar

from monitor.model import State
from monitor.schedule import HOUR


class Rule(Protocol):
    """An entry of `builds.toml`, as far as the policy looks at it. Durations are seconds."""

    @property
    def match(self) -> str: ...
    @property
    def stable_only(self) -> bool: ...
    @property
    def minimum_age(self) -> float: ...
    @property
    def newest_wins(self) -> bool: ...


R = TypeVar("R", bound=Rule)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a release when it is judged. Times are seconds since 1970."""

    stable: bool
    state: State
    first_seen: int
    newest: bool  # no later release of the same stream waits to be built
    pinned: str | None = None  # why the owner's settings leave it out
    held: str | None = None  # who holds it, and why
    files: int = 0
    unverifiable: int = 0  # files without a digest
    last_file: int | None = None  # when the last file arrived
    asks_for_files: bool = True  # the provider can name files at all
    backlog: int = 0  # jobs that wait for a builder already
    advisory: bool = False  # it mends a known hole: no waiting
    awaited: int | None = None  # until when we wait for what it says of itself
    new_hands: bool = False  # somebody new published it
    burst: bool = False  # its project publishes one release after the other just now


@dataclass(frozen=True, slots=True)
class Decision:
    """`verdict`: eligible, wait, held, refused or superseded. `look_at`: when to decide again."""

    verdict: str
    rule: str
    reason: str
    look_at: int | None = None


LATER = HOUR

BURST = 600
"""Nothing of a project is queued while it publishes many releases within so many seconds (C11)."""

NEW_HANDS = 2
"""Times the usual cool-down for a release by new hands (fault E09)."""

SETTLE = 300
"""Wheels of one release arrive within minutes of each other; a rule without age waits for none."""


def decide(facts: Facts, rule: Rule, at: int, *, high_water: int, settle: int = SETTLE) -> Decision:
    """Is this release to be built now?

    `high_water` is how many jobs may wait for a builder, `settle` for how many
    seconds no file may have arrived.
    """
    if facts.state is not State.LISTED:
        return Decision(
            "refused", f"state-{facts.state.value}", f"its upstream says {facts.state.value}"
        )
    if facts.held:
        return Decision("held", "hold", facts.held)
    if facts.pinned:
        return Decision("refused", "pin", facts.pinned)
    if rule.stable_only and not facts.stable:
        return Decision(
            "refused", "stable-only", "it is a pre-release, and only stable ones are built"
        )
    if rule.newest_wins and not facts.newest:
        return Decision("superseded", "newest-wins", "a later release of the same stream is there")
    # Age counts from our first sight (faults C17, C18, E13): an upstream's own time is earlier, so
    # it could only shorten the wait, or lies in the future, and then says nothing.
    age = int(rule.minimum_age) * (NEW_HANDS if facts.new_hands else 1)
    ready = facts.first_seen + age
    if at < ready and not facts.advisory:
        if facts.new_hands:
            why = f"somebody new published it, so it must be {age} s old"
            return Decision("wait", "new-maintainer", why, ready)
        return Decision("wait", "minimum-age", f"it must be {age} s old", ready)
    if facts.asks_for_files:
        if not facts.files:
            return Decision("wait", "files-unknown", "no file of it is known yet", at + 60)
        if facts.unverifiable == facts.files:
            return Decision("wait", "digest-unknown", "no file of it has a digest", at + LATER)
        settled = (facts.last_file or facts.first_seen) + min(settle, int(rule.minimum_age))
        if at < settled:
            return Decision("wait", "settling", "files may still be arriving", settled)
    if facts.awaited is not None and at < facts.awaited:
        why = "it was not asked yet what it says of itself"
        return Decision("wait", "traits-unknown", why, min(facts.awaited, at + 60))
    if facts.burst:
        return Decision("wait", "burst", "its project publishes one after the other", at + BURST)
    if facts.backlog >= high_water:
        return Decision("wait", "high-water", f"{facts.backlog} jobs wait already", at + 60)
    return Decision("eligible", "old-enough", "old enough, settled, and its digests are known")


def rule_for(purl: str, rules: Iterable[R]) -> R | None:
    """The first entry whose `match` fits this purl (shell pattern, or the purl itself)."""
    return next(
        (rule for rule in rules if purl == rule.match or fnmatchcase(purl, rule.match)), None
    )
