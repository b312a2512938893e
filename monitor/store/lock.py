"""One writer per state folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import StoreError

NAME = "monitor.lock"


class Busy(StoreError):
    """Another process has the folder; `what` says which."""


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold the folder for as long as the block runs. Raises `Busy`, naming the holder."""
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StoreError(
            str(path),
            os.strerror(error.errno or 0),
            "choose a folder that you may write: --state DIR",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(handle, 200, 0).decode(errors="replace").strip() or "another process"
            raise Busy(
                str(folder),
                f"in use by {owner}",
                "stop it first, or use another folder: --state DIR",
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def holder(folder: Path) -> str | None:
    """Who holds the folder ("process 17"), as far as it can be seen; None where nobody does."""
    try:
        handle = os.open(folder / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(handle, 200, 0).decode(errors="replace").strip() or "another process"
    except OSError:
        return None
    finally:
        os.close(handle)
    return None
