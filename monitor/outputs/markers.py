"""What a build by make leaves beside the queue, read back: markers, graphs and logs.

    dockerimages/NAME.image       the image was built; written last
    dockerimages/NAME.image.log   what the build said
    explored/NAME.json            the exploration came to its end
    explored/NAME.log             what it said in the container
    explored/NAME.json.log        what it said outside of it

A log without its marker is a failure, or a build under way: one that was
written to lately is left for the next time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from monitor.outputs.files import read_plain
from monitor.recipe_names import is_recipe_name

IMAGES, EXPLORED = "dockerimages", "explored"

QUIET = 600
"""Seconds without a word after which a log without its marker is a failure."""

TAIL = 4000
"""Bytes of a log that are reported."""

Stage = Literal["built", "explored", "failed", "running"]


@dataclass(frozen=True, slots=True)
class Marker:
    """How far make came with one recipe. `at` is when that file was written.

    `during` is the step that failed or runs: "image" or "exploration".
    """

    name: str
    stage: Stage
    at: int
    path: Path
    during: str = "image"

    def text(self) -> str:
        """The end of the log."""
        found = read_plain(self.path)
        return (found[0][-TAIL:] if found else b"").decode("utf-8", "replace")


def find(folder: Path, now: int) -> Iterator[Marker]:
    """One marker for each recipe that make has touched, in order of their names.

    `folder` holds `dockerimages` and `explored`; where they are missing, nothing was built.
    """
    images = _times(folder / IMAGES)
    explored = _times(folder / EXPLORED)
    names = {name.removesuffix(".log").removesuffix(".image") for name in images}
    names |= {name.removesuffix(".log").removesuffix(".json") for name in explored}
    for name in sorted(names):
        if is_recipe_name(name):
            yield from _one(folder, name, images, explored, now)


def _one(
    folder: Path, name: str, images: dict[str, int], explored: dict[str, int], now: int
) -> Iterator[Marker]:
    graph, image = explored.get(f"{name}.json"), images.get(f"{name}.image")
    if graph is not None and _size(folder / EXPLORED / f"{name}.json"):
        yield Marker(name, "explored", graph, folder / EXPLORED / f"{name}.json", "exploration")
        return
    logs = [log for log in (f"{name}.log", f"{name}.json.log") if log in explored]
    if logs:
        last = max(logs, key=lambda log: explored[log])
        path = folder / EXPLORED / last
        yield Marker(name, _ended(explored[last], now), explored[last], path, "exploration")
    if image is not None:
        yield Marker(name, "built", image, folder / IMAGES / f"{name}.image")
    elif not logs and (log := images.get(f"{name}.image.log")) is not None:
        yield Marker(name, _ended(log, now), log, folder / IMAGES / f"{name}.image.log")


def _ended(at: int, now: int) -> Stage:
    return "failed" if now - at > QUIET else "running"


def _times(folder: Path) -> dict[str, int]:
    """The plain files of a folder and when they were written."""
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: int(entry.stat(follow_symlinks=False).st_mtime)
                for entry in entries
                if entry.is_file(follow_symlinks=False) and not entry.name.startswith(".")
            }
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _size(path: Path) -> int:
    """Bytes of a file; make leaves an empty one where a program failed half-way."""
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
