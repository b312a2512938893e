"""Which servers are left alone, until when and why. Survives a restart if somebody keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from monitor.model import Outcome


class Pause(NamedTuple):
    """`place` is "host:port", `until` seconds since 1970, `outcome` throttled or blocked."""

    place: str
    until: float
    outcome: Outcome
    reason: str
    remedy: str = ""


class Pauses:
    """The pauses that are running.

    `changed` is called with each pause as it begins, so that a store can keep
    it; `restore` takes back what was kept.
    """

    def __init__(
        self, kept: Iterable[Pause] = (), changed: Callable[[Pause], None] | None = None
    ) -> None:
        self._pauses = {pause.place: pause for pause in kept}
        self._changed = changed

    def __iter__(self) -> Iterator[Pause]:
        return iter(self._pauses.values())

    def restore(self, kept: Iterable[Pause]) -> None:
        """Take up pauses that began before we did; the longer of two holds."""
        for pause in kept:
            known = self._pauses.get(pause.place)
            if known is None or known.until < pause.until:
                self._pauses[pause.place] = pause

    def begin(self, pause: Pause) -> None:
        """Leave a server alone. A pause is never made shorter."""
        known = self._pauses.get(pause.place)
        if known is None or known.until < pause.until:
            self._pauses[pause.place] = pause
            if self._changed is not None:
                self._changed(pause)

    def of(self, place: str, now: float) -> Pause | None:
        """The pause of a server, or None if it may be asked."""
        if not self._pauses or (pause := self._pauses.get(place)) is None:
            return None
        if pause.until <= now:
            del self._pauses[place]
            return None
        return pause
