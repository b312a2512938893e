"""Tables for people, JSON lines for programs, times in words.

What an upstream wrote is shown with `clean`: a terminal obeys what it is sent.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.errors import MonitorError

_UNITS = (("year", 31557600), ("month", 2629800), ("day", 86400), ("hour", 3600), ("minute", 60))
_NARROWEST = 3
"""No column is made narrower than this to fit the terminal."""

_LEGIBLE = 12
"""Where even the widest column would get less than this, a row is told in several lines."""

_ALIKE = 5
"""Complaints that say the same, and are still all told."""


# ── for programs ──────────────────────────────────────────────────────────────────────


def as_json(value: Any) -> str:
    """One JSON value in a line."""
    import json

    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def print_json(rows: Iterable[Any]) -> None:
    """One JSON object per line."""
    for row in rows:
        click.echo(as_json(row))


def iso(at: int | float | datetime | None) -> str | None:
    """A time as programs read it (RFC 3339, UTC); seconds since 1970 are taken, too."""
    if at is None:
        return None
    from datetime import UTC, datetime

    moment = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return moment.isoformat().replace("+00:00", "Z")


def timed(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """A row with these times as programs read them."""
    return row | {name: iso(row[name]) for name in names if name in row}


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return iso(value)
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


# ── for people ────────────────────────────────────────────────────────────────────────


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


def several(count: int, what: str) -> str:
    """A number of things in words: "1 visit", "0 visits"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def size(count: int) -> str:
    """Bytes in words."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            break
        amount /= 1024
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"


def clean(text: object) -> str:
    """Upstream text made harmless for a terminal."""
    shown = "-" if text is None else str(text)
    if shown.isprintable():
        return shown
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def colourful(stream: Any) -> bool:
    """May this stream be sent colours? Only a terminal, and not where NO_COLOR is set."""
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(stream.isatty())


def styled(text: str, **style: Any) -> str:
    """Text in bold or in a colour, where standard output may be sent such."""
    return click.style(text, **style) if colourful(sys.stdout) else text


def complaint(error: MonitorError) -> None:
    """One line on standard error for what is wrong, one for what to do about it."""
    head = "monitor:"
    if colourful(sys.stderr):
        head = click.style(head, fg="red", bold=True)
    click.echo(f"{head} {clean(error.where)}: {clean(error.what)}", err=True)
    if error.remedy:
        click.echo(f"  → {clean(error.remedy)}", err=True)


def complaints(errors: Sequence[MonitorError], rest: str, *, every: bool = False) -> None:
    """Each of them; of many that are alike, three. `rest` says how all of them are told."""
    alike: dict[str, list[MonitorError]] = {}
    for error in errors:
        alike.setdefault("".join(c for c in error.what if not c.isdigit()), []).append(error)
    for ones in alike.values():
        shown = ones if every or len(ones) <= _ALIKE else ones[:3]
        for error in shown:
            complaint(error)
        if len(ones) > len(shown):
            click.echo(f"  … and {len(ones) - len(shown)} more like that: {rest}", err=True)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, indent: str = "") -> None:
    """Print columns that fit the terminal; elsewhere nothing is cut.

    In a terminal too narrow for columns, a row is a paragraph.

    A column that says nothing in any row is left out.
    """
    cells = [[clean(cell) if cell != "" else "" for cell in row] for row in rows]
    places = [n for n, _ in enumerate(heads) if any(row[n] not in ("", "-") for row in cells)]
    if not places:
        return
    cells = [[row[n] for n in places] for row in cells]
    heads = [heads[n] for n in places]
    widths = [max([len(head), *(_width(row[n]) for row in cells)]) for n, head in enumerate(heads)]
    if (room := width()) is not None:
        fitting = _fitting(widths, room - len(indent) - 2 * (len(heads) - 1))
        if max(fitting) < min(max(widths), _LEGIBLE):
            _stacked(heads, cells, room, indent)
            return
        widths = fitting
    lines = [indent + styled(_line(heads, widths), bold=True)]
    lines += [indent + _line(row, widths) for row in cells]
    click.echo("\n".join(lines))


def _stacked(heads: Sequence[str], rows: Sequence[Sequence[str]], room: int, indent: str) -> None:
    """Print each row as a paragraph: its first cell, and below it the others with their heads."""
    for first, *rest in rows:
        click.echo(indent + styled(first, bold=True))
        line = ""
        for head, cell in zip(heads[1:], rest, strict=True):
            if cell in ("", "-"):
                continue
            said = f"  {head.lower()} {cell}".replace("   ", "  ")
            if line and _width(indent + line + said) > room:
                click.echo(indent + line)
                line = ""
            line += said
        if line:
            click.echo(indent + line)


def width() -> int | None:
    """Columns that fit: of the terminal, or as $COLUMNS says; None where there is no limit."""
    if "COLUMNS" in os.environ or (sys.stdout is not None and sys.stdout.isatty()):
        import shutil

        return max(shutil.get_terminal_size().columns, 20)
    return None


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(_cell(cell, width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _cell(text: str, room: int) -> str:
    missing = room - _width(text)
    if missing >= 0:
        return text + " " * missing
    while _width(text) > room - 1:
        text = text[:-1]
    return text + "…"


def _width(text: str) -> int:
    """Columns that a text takes: East Asian letters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _fitting(widths: list[int], room: int) -> list[int]:
    """Take from the widest column until all fit."""
    widths = list(widths)
    while sum(widths) > room and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths
