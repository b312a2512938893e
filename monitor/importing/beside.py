"""The files beside a recipe that say more of it: read whole, where they are files of their size.

A tree may come from anywhere: what is called `metadata.xml` in it can be a link to a device, a
pipe that nobody writes into, or a file without end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["text_of"]

LARGEST: Final = 16 << 20
"""Bytes; a distribution's oldest changelogs have some five million."""


def text_of(path: Path) -> str | None:
    """The text of a file; None where there is none, or none that can be read."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return None
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8", "replace")
    except OSError:
        return None
