"""Addresses of Unix sockets: 107 bytes and no more, however deep the folder lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 100
"""Bytes of a path that is used as it is; unix(7) allows 107."""


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """A name of that socket that is short enough, for as long as the block runs.

    A long path is reached through a handle of its folder. Raises OSError where
    there is no such folder.
    """
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
