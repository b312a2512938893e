"""rsync: the listing of a module or folder, by the system's `rsync --list-only`.

Only `rsync://host[:port]/module/path` is an address here; whatever rsync would
also take (a remote shell, a local path, an option) is not. The child connects
to the address that was checked, by number, so the name is not resolved again.

The listing is without link targets (no `-l`): a name then stands verbatim from
its column to the end of the line, also when it holds " -> ".
"""

from __future__ import annotations

import re

from monitor.errors import FetchError
from monitor.model import Outcome, Request
from monitor.settings import NetworkSettings
from spiders import child
from spiders.address import Address, printable, without_secrets
from spiders.guard import Guard

_URL = re.compile(
    r"rsync://(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(/[A-Za-z0-9_.][A-Za-z0-9_.+-]*(?:/[A-Za-z0-9_.~+@,=%:-]*)*)"
)
_OLDEST = (3, 2, 7)  # before it, a server could write outside of the folder that was asked for


class Rsync:
    """Carries rsync: requests."""

    def __init__(self, guard: Guard, network: NetworkSettings, program: str = "rsync") -> None:
        self._guard = guard
        self._network = network
        self._program = program

    def check(self, url: str) -> Address:
        match = _URL.fullmatch(url)
        if match is None or ".." in match[1].split("/") or "." in match[1].split("/"):
            raise FetchError(
                printable(without_secrets(url)),
                "is not an address of an rsync server",
                "write rsync://host[:port]/module/path",
                outcome=Outcome.HOSTILE,
            )
        return self._guard.check(url)

    def arguments(self, address: Address, ip: str) -> list[str]:
        """The arguments of the child: all fixed but the address."""
        host = f"[{ip}]" if ":" in ip else ip
        return [
            "--list-only",
            "--recursive",
            "--no-motd",
            "--no-human-readable",
            f"--timeout={max(1, round(self._network.stall_timeout))}",
            f"--contimeout={max(1, round(self._network.connect_timeout))}",
            "--",
            f"rsync://{host}:{address.port}{address.path}",
        ]

    async def open(self, request: Request, address: Address) -> child.ChildStream:
        await child.warn_if_old(self._program, _OLDEST)
        try:
            ip = (await self._guard.resolve(address.host, address.port))[0]
        except OSError as error:
            raise FetchError(
                without_secrets(request.url),
                f"the name is not resolved: {error.strerror or 'no answer in time'}",
                outcome=Outcome.RETRY,
            ) from error
        process = await child.start(request.url, self._program, self.arguments(address, ip), {})

        def explain(code: int, complaint: str) -> FetchError:
            return failure(request.url, code, complaint)

        return child.ChildStream(process, address.url, explain)


def failure(url: str, code: int, complaint: str) -> FetchError:
    """What an exit status of rsync stands for; see "EXIT VALUES" in its manual."""
    words = complaint.lower()
    outcome, remedy = Outcome.RETRY, None
    if "max connections" in words:
        outcome = Outcome.THROTTLED
    elif "unknown module" in words or (code == 23 and "(2)" in words and "change_dir" in words):
        outcome = Outcome.GONE
    elif "auth failed" in words or "access denied" in words:
        outcome = Outcome.BLOCKED
    elif code in (1, 2, 4):
        outcome, remedy = Outcome.INVALID, "the two versions of rsync do not understand each other"
    what = {
        23: "could not list everything",
        24: "changed while it was listed",
        30: "fell silent",
        35: "no connection in time",
    }.get(code, f"rsync ends with {code}" if code >= 0 else f"rsync was ended by signal {-code}")
    return FetchError(
        without_secrets(url),
        f"{what}: {child.last_words(complaint)}",
        remedy,
        outcome=outcome,
        status=404 if outcome is Outcome.GONE else None,
    )
