"""A table of what somebody ships: package, upstream, packaged version.

CSV, tabs or blanks; with a head that names the columns in any order, or
without, in the order above; two columns are package and version. "#" begins a
comment line.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.rules import Rules

_COLUMNS = {
    **dict.fromkeys(("package", "name", "source"), "package"),
    **dict.fromkeys(("upstream", "purl", "url", "project"), "upstream"),
    **dict.fromkeys(("version", "packaged", "current"), "version"),
    **dict.fromkeys(("packaged version", "packaged_version"), "version"),
    **dict.fromkeys(("owner", "maintainer"), "owner"),
}
"""What a head may call the columns."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """One line. `upstream` is None where only a name was given; `where` is "FILE:line: ".

    `rules` are those of its entry in packages.toml; None: those of the project.
    """

    package: str
    upstream: str | None
    version: str
    where: str = ""
    owner: str | None = None
    rules: Rules | None = None


def read(path: Path) -> list[Shipped]:
    """The table in that file ("-" is standard input). Raises UsageError naming file and line."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        what = error.strerror or str(error)
        raise UsageError(str(path), what, "name a file that you may read") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(str(path), f"not UTF-8 at byte {error.start}", "save it as UTF-8") from (
            error
        )
    return parse(text, str(path))


def parse(text: str, name: str) -> list[Shipped]:
    """The table in a text; `name` is what messages call it. Raises UsageError."""
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise UsageError(name, "the table is empty", "lines of package, upstream, packaged version")
    split = _splitter([line for _, line in lines])
    order: dict[str, int] | None = None
    found: list[Shipped] = []
    for number, line in lines:
        cells = [cell.strip() for cell in split(line)]
        if not found and order is None and (order := _head(cells)):
            continue
        found.append(_line(cells, order, f"{name}:{number}: "))
    return found


def _splitter(lines: list[str]) -> Callable[[str], list[str]]:
    for mark in "\t,;":
        if all(mark in line for line in lines):
            return lambda line: next(csv.reader([line], delimiter=mark))
    return str.split


def _head(cells: list[str]) -> dict[str, int]:
    """The places of the columns, where this line names them; else nothing."""
    named = [_COLUMNS.get(cell.lower()) for cell in cells]
    if "version" not in named or not {"package", "upstream"} & {*named}:
        return {}
    return {name: place for place, name in reversed(list(enumerate(named))) if name}


def _line(cells: list[str], order: dict[str, int] | None, where: str) -> Shipped:
    if not order:
        order = {"package": 0, "version": 1}
        if len(cells) > 2:
            order = {"package": 0, "upstream": 1, "version": 2}
    told = {key: cells[place] for key, place in order.items() if place < len(cells)}
    upstream = told.get("upstream") or None
    package = told.get("package") or (upstream or "").rstrip("/").rpartition("/")[2]
    version = told.get("version", "")
    if not package or not version:
        raise UsageError(
            where.rstrip(": "),
            "a line needs a package and a version",
            "such as: zlib, github/madler/zlib, 1.3",
        )
    return Shipped(package, upstream, version, where, told.get("owner") or None)
