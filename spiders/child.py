"""Child processes: fixed argument vectors, an empty environment, limits, and a certain end.

No shell is involved anywhere. A child writes nothing (file size limit 0), leads
a process group of its own, and the whole group is killed when the question is
settled or given up, whatever it started.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import resource
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence

from monitor.errors import FetchError
from monitor.model import Outcome
from spiders.address import printable, without_secrets

_log = logging.getLogger(__name__)
_PATH = "/usr/local/bin:/usr/bin:/bin"
_BLOCK = 256 * 1024
_COMPLAINT = 16 * 1024  # bytes of standard error that are kept
_LIMITS = {
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_CPU: 600,
    resource.RLIMIT_NOFILE: 256,
    resource.RLIMIT_AS: 4 << 30,
}
_warned: set[str] = set()


async def start(
    url: str, program: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start a program; its standard output and error are pipes. FetchError if it is not there."""
    path = shutil.which(program, path=os.environ.get("PATH", _PATH))
    if path is None:
        raise FetchError(
            without_secrets(url),
            f"the program {program!r} is not installed",
            f"install it, for example: apt-get install {program}",
            outcome=Outcome.RETRY,
        )
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": _PATH, "LC_ALL": "C", "TZ": "UTC", "HOME": "/nonexistent", **environment},
            cwd="/",
            start_new_session=True,
            limit=_BLOCK,
        )
    except OSError as error:
        raise FetchError(
            without_secrets(url),
            f"{program} cannot be started: {error.strerror}",
            outcome=Outcome.RETRY,
        ) from error
    with contextlib.suppress(OSError, ValueError):
        for what, limit in _LIMITS.items():
            resource.prlimit(process.pid, what, (limit, limit))
    return process


class ChildStream:
    """What a child says, as an answer. Its exit status is judged before the end is believed.

    `explain` turns a status other than 0, and what the child complained about,
    into the failure that they stand for.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        url: str,
        explain: Callable[[int, str], FetchError],
    ) -> None:
        self._process = process
        self._explain = explain
        self._complaints = asyncio.create_task(_beginning(process.stderr))
        self.status = 200
        self.headers: dict[str, str] = {}
        self.url = url

    async def more(self) -> bytes:
        out = self._process.stdout
        assert out is not None
        if chunk := await out.read(_BLOCK):
            return chunk
        complaint = await self._complaints
        if (code := await self._process.wait()) != 0:
            raise self._explain(code, complaint)
        return b""

    async def close(self) -> None:
        """End the child and everything it started."""
        # The group may outlive its leader, so it is killed in any case.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._complaints.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._complaints
        await asyncio.shield(self._process.wait())
        transport = getattr(self._process, "_transport", None)
        if transport is not None:
            transport.close()


async def _beginning(stream: asyncio.StreamReader | None) -> str:
    """The first words of a stream; the rest is read and dropped, or the child would block."""
    kept = bytearray()
    while stream is not None and (chunk := await stream.read(_BLOCK)):
        kept += chunk[: _COMPLAINT - len(kept)]
    return kept.decode("utf-8", "replace")


def last_words(complaint: str) -> str:
    """The part of a complaint that says most, fit for a message."""
    lines = [line for line in complaint.splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"@?(?:ERROR|fatal|error|rsync):", line)]
    return printable((telling or lines or ["no reason given"])[0], 200)


async def warn_if_old(program: str, least: tuple[int, ...]) -> None:
    """Log a warning, once, if a program is older than the version whose safety we rely on."""
    if program in _warned or shutil.which(program) is None:
        return
    _warned.add(program)
    process = await start(program, program, ["--version"], {})
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 10)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return
    if found := re.search(rb"(\d+)\.(\d+)(?:\.(\d+))?", out[:400]):
        version = tuple(int(part) for part in found.groups(b"0"))
        if version < least:
            _log.warning(
                "%s %s is older than %s and has known holes; install a newer one",
                program,
                ".".join(map(str, version)),
                ".".join(map(str, least)),
            )
