"""Tables for people, JSON lines for programs, times in words."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

import click
import msgspec

_UNITS = (("year", 31557600), ("month", 2629800), ("day", 86400), ("hour", 3600), ("minute", 60))


def as_json(value: Any) -> str:
    """One JSON object in a line."""
    return msgspec.json.encode(value).decode()


def print_json(rows: Iterable[Any]) -> None:
    """One JSON object per line."""
    for row in rows:
        click.echo(as_json(row))


def ago(at: int | None, now: int | None = None) -> str:
    """A time in words: "3 hours ago", "in 5 minutes"; "-" where there is none."""
    if at is None:
        return "-"
    seconds = (int(time.time()) if now is None else now) - at
    words = span(abs(seconds))
    if words == "now":
        return words
    return f"{words} ago" if seconds > 0 else f"in {words}"


def span(seconds: float) -> str:
    """A length of time in words, the largest unit that fits."""
    for unit, size in _UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(seconds)} s" if seconds >= 1 else "now"


def clean(text: object) -> str:
    """Upstream text made harmless for a terminal."""
    shown = "-" if text is None else str(text)
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns that fit the terminal; elsewhere nothing is cut."""
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [
        max([len(head), *(len(row[place]) for row in cells)]) for place, head in enumerate(heads)
    ]
    if sys.stdout.isatty():
        widths = _fitting(widths, shutil.get_terminal_size().columns - 2 * (len(heads) - 1))
    lines = [click.style(_line(heads, widths), bold=True)] if rows else []
    lines += [_line(row, widths) for row in cells]
    for line in lines:
        click.echo(line.rstrip())


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        cell.ljust(width) if len(cell) <= width else cell[: width - 1] + "…"
        for cell, width in zip(cells, widths, strict=True)
    )


def _fitting(widths: list[int], room: int) -> list[int]:
    """Take from the widest column until all fit."""
    widths = list(widths)
    while sum(widths) > room and max(widths) > 8:
        widths[widths.index(max(widths))] -= 1
    return widths
