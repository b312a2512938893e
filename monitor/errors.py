"""What can go wrong, sorted by who can put it right.

`FetchError`     the upstream did not answer as it should: wait, it is tried again
`ReadError`      the upstream changed its shape: mend the provider; the reply is kept
`SettingsError`  the operator mends the configuration
`StoreError`     the operator mends the machine: disk, permissions, an older program
`UsageError`     the question itself was wrong
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.model import Outcome


class MonitorError(Exception):
    """Anything we foresee. It names the address, file or key, and what to do.

    `where`   the address, file or key concerned, without secrets
    `what`    what happened, in words
    `remedy`  what the reader can do about it, or None where waiting is all
    """

    def __init__(self, where: str, what: str, remedy: str | None = None) -> None:
        self.where = where
        self.what = what
        self.remedy = remedy
        super().__init__(f"{where}: {what}" + (f" ({remedy})" if remedy else ""))


class FetchError(MonitorError):
    """An upstream did not answer, or refused.

    `outcome`      how the visit ends: retry, throttled, blocked, gone, invalid or hostile
    `status`       the status code, where there was one
    `retry_after`  seconds the upstream asked us to stay away, where it did
    """

    def __init__(
        self,
        where: str,
        what: str,
        remedy: str | None = None,
        *,
        outcome: Outcome,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(where, what, remedy)
        self.outcome = outcome
        self.status = status
        self.retry_after = retry_after


class ReadError(MonitorError):
    """An answer came, and a reader could not make sense of it."""


class SettingsError(MonitorError):
    """The configuration is wrong: `where` is "file: line or key"."""


class StoreError(MonitorError):
    """The database or a folder of ours cannot be used as it is."""


class UsageError(MonitorError):
    """The question was wrong: an unknown project, provider or source."""
