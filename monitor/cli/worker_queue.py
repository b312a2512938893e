"""The queue as `pipeline.worker` needs it, over the acts of this program."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from monitor.cli import App
from monitor.errors import UsageError
from pipeline.worker import Job


class ActsQueue:
    """Takes and reports jobs where the writer is: the daemon, or this process."""

    def __init__(self, app: App) -> None:
        self._app = app

    def take(self, worker: str, lease: timedelta) -> Job | None:
        """The next job, leased to this worker; None when there is nothing to do."""
        job = self._app.do("queue.take", worker=worker, lease=int(lease.total_seconds()))
        if job is None:
            return None
        return Job(
            id=job["id"],
            fence=job["fence"],
            purl=f"{job['purl']}@{job['version']}",
            version=job["version"],
            recipe=job["name"],
            path=self._app.runtime.queue_folder / "build" / job["name"],
            digest=job["digest"],
            attempts=job["attempts"],
        )

    def renew(self, job: int, fence: int, lease: timedelta) -> bool:
        """Lengthen the lease; False when it was lost."""
        return self._said("queue.renew", job=job, fence=fence, lease=int(lease.total_seconds()))

    def done(self, job: int, fence: int, result: Mapping[str, Any]) -> bool:
        """Report success; False when the lease was lost."""
        return self._said("queue.done", job=job, fence=fence, result=dict(result))

    def fail(self, job: int, fence: int, failure: str, text: str) -> bool:
        """Report a failure of that class; False when the lease was lost."""
        return self._said("queue.fail", job=job, fence=fence, failure=str(failure), text=text)

    def _said(self, act: str, **arguments: Any) -> bool:
        try:
            self._app.do(act, **arguments)
        except UsageError:
            return False
        return True
