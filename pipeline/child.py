"""Run one program: argument vector, no shell, a time limit, its output in a bounded log.

The child leads a process group of its own. On a time-out, or when the caller
gives up, the group gets SIGTERM, ten seconds later SIGKILL; when this process
dies, the kernel sends the child SIGTERM.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GRACE = 10.0  # seconds between SIGTERM and SIGKILL
HEAD = 8 << 20  # bytes of output that are kept from the beginning…
TAIL = 256 << 10  # …and from the end
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended. `status` is negative for a signal; `output` its first and last bytes."""

    status: int
    output: bytes
    timed_out: bool = False

    @property
    def text(self) -> str:
        """The output as text that is safe to show: no control characters but the line's end."""
        return printable(self.output.decode("utf-8", "replace"))


def printable(text: str) -> str:
    """Text without what could drive a terminal or forge a line of a log."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(
        "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)
        for line in lines
    )


def run(
    argv: Sequence[str],
    *,
    timeout: float,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    tick: Callable[[], None] | None = None,
    every: float = 1.0,
    keep_open: Sequence[int] = (),
    folder: Path | None = None,
) -> Finished:
    """Run `argv` to its end; standard output and error come back as one stream.

    `timeout`    seconds until it is ended
    `log`        file that receives the output as well, appended
    `tick`       called every `every` seconds; what it raises ends the child and is passed on
    `keep_open`  file descriptors the child inherits
    `folder`     where it works, and may drop what it drops

    Raises FileNotFoundError when there is no such program.
    """
    process = subprocess.Popen(
        list(argv),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=None if env is None else dict(env),
        start_new_session=True,
        pass_fds=tuple(keep_open),
        preexec_fn=_die_with_parent,  # noqa: PLW1509 (no threads here)
    )
    kept = _Kept()
    timed_out = False
    try:
        with log.open("ab") if log else _Nowhere() as file:
            timed_out = not _follow(process, kept, file, time.monotonic() + timeout, tick, every)
    finally:
        end_group(process)
        if process.stdout:
            process.stdout.close()
    return Finished(process.returncode, kept.bytes(), timed_out)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a child and everything it started, politely first."""
    if process.poll() is None:
        _signal(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    _signal(process.pid, signal.SIGKILL)  # also what outlived the leader of the group
    process.wait()


class _Kept:
    """The beginning and the end of a stream."""

    def __init__(self) -> None:
        self.head = bytearray()
        self.tail: deque[bytes] = deque()
        self.in_tail = self.lost = 0

    def add(self, data: bytes) -> None:
        room = HEAD - len(self.head)
        self.head += data[:room]
        if data := data[room:] if room > 0 else data:
            self.tail.append(data)
            self.in_tail += len(data)
        while self.in_tail > TAIL and len(self.tail) > 1:
            gone = len(self.tail.popleft())
            self.in_tail -= gone
            self.lost += gone

    def bytes(self) -> bytes:
        between = f"\n… {self.lost} bytes left out …\n".encode() if self.lost else b""
        return bytes(self.head) + between + b"".join(self.tail)


class _Nowhere:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _follow(
    process: subprocess.Popen[bytes],
    kept: _Kept,
    file: IO[bytes] | None,
    deadline: float,
    tick: Callable[[], None] | None,
    every: float,
) -> bool:
    """Read until the child ends; False when the deadline came first."""
    assert process.stdout is not None
    written, next_tick = 0, time.monotonic() + every
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (now := time.monotonic()) < deadline:
            if tick is not None and now >= next_tick:
                tick()
                next_tick = now + every
            pause = min(deadline, next_tick if tick else deadline) - now
            if selector.select(min(pause, 1.0)):
                data = os.read(process.stdout.fileno(), 1 << 16)
                if not data:
                    break
                kept.add(data)
                if file is not None and written < HEAD:
                    written += file.write(data[: HEAD - written])
            elif process.poll() is not None:
                break  # a grandchild holds the pipe open; the group is ended by our caller
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))
    return process.returncode is not None


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
