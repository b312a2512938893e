"""Where in a TOML text a key stands, so that an error can name its line.

`tomllib` does not keep positions. This finds them again: headers and keys are
read line by line, with `tomllib` itself taking the odd spellings apart. Only
messages depend on it, never a value.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, Final

Path = tuple[str | int, ...]

_HEADER: Final = re.compile(r"\s*(\[\[?)(.*?)(\]\]?)\s*(?:#.*)?$")
_KEY: Final = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
    r"""(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_LONG: Final = re.compile(r'"""|' + r"'''")


def lines_of(text: str) -> dict[Path, int]:
    """The line, counted from 1, of each table and key: ("package", 2, "pin") → 14."""
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    inside: str | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            if inside in line:
                inside = None
            continue
        if header := _HEADER.match(line):
            names = _split(header[2])
            if names is None:
                continue
            table = _below(names[:-1], counts) + names[-1:]
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            elif table in counts:
                table = (*table, counts[table])
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            if names := _split(key[1]):
                for depth in range(1, len(names) + 1):
                    found.setdefault(table + names[:depth], number)
            quotes = _LONG.findall(line)
            if len(quotes) % 2:
                inside = quotes[-1]
    return found


def nearest(lines: dict[Path, int], path: Path) -> int | None:
    """The line of that key, or of the nearest table around it; None where there is neither."""
    for depth in range(len(path), 0, -1):
        if line := lines.get(path[:depth]):
            return line
    return None


def _split(dotted: str) -> tuple[str, ...] | None:
    dotted = dotted.strip()
    if _BARE.fullmatch(dotted):
        return (dotted,)
    try:
        value: Any = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return None
    names: list[str] = []
    while isinstance(value, dict):
        name, value = next(iter(value.items()))
        names.append(name)
    return tuple(names)


def _below(names: tuple[str, ...], counts: dict[Path, int]) -> Path:
    """The path of those tables, with the current element of each array of tables."""
    path: Path = ()
    for name in names:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path])
    return path
