r"""The output of `rsync --list-only`, with `-r` and without.

    drwxr-xr-x        4096 2026/11/21 20:34:49 gtk+/3.24
    -rw-r--r--   1,234,567 2026/09/01 12:34:56 gtk+/3.24/gtk+-3.24.39.tar.xz

Source: `list_file_entry` in rsync's generator.c. Sizes may carry separators,
bytes that do not print come as `\#ooo`, a link's target only with `-l`. Times
are those of the client; ask with `TZ=UTC` and `LC_ALL=C`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import dropwhile

from monitor.formats.listing import Folder, Opened, whole_lines
from monitor.formats.text import unread
from monitor.model import Partial, Reply

BLOCK = 2**20

_ROW = re.compile(
    r"^([-a-zA-Z?])\S{9,10} +(\d[\d,.]*) (\d{4}/\d\d/\d\d) (\d\d:\d\d:\d\d) (.*)$", re.MULTILINE
)
_TIMELESS = re.compile(r"([-a-zA-Z?])\S{9,10} +(\d[\d,.]*) +\(time out of range\) (.*)$")
_STRANGE = "!"
_ESCAPE = re.compile(r"\\#([0-3][0-7]{2})")


def folders(reply: Reply) -> Iterator[Folder]:
    """The folders of the listing with their files; the first row stands for the top.

    What comes before the first row is the server's greeting. Raises ValueError
    where no row is found.
    """
    opened, begun, indent = Opened(), False, 0
    here = opened.here
    inside, append = here.path, here.files.append
    for text in whole_lines(_blocks(reply)):
        if isinstance(text, Partial):
            here.notes.append(text)
            continue
        rows: list[tuple[str, ...]] = _ROW.findall(text)
        if len(rows) != text.count("\n"):
            rows = [_split(line) for line in text.split("\n") if line.strip()]
        if not begun:
            # What stands before the first row is the server's greeting.
            rows = list(dropwhile(lambda row: row[0] == _STRANGE, rows))
            if not rows:
                continue
            begun = True
            # rsync 3.1.0 put two spaces before a name; the row of the top shows it.
            indent = len(rows[0][4]) - 1 if rows[0][4].strip() == "." else 0
        for kind, size, day, clock, written in rows:
            if kind not in "-d":
                if kind == _STRANGE:
                    here.notes.append(unread(written, "not a row of an rsync listing"))
                continue
            path = written[indent:] if indent else written
            if "\\#" in path:
                path = _unescaped(path)
            parent, _, name = path.rpartition("/")
            if parent != inside:
                if (found := opened.enter(parent, name)) is None:
                    continue
                here, inside, append = found, found.path, found.files.append
                if opened.left:
                    yield from opened.take()
            if kind == "-":
                at = _midnight(day) + _clock(clock) if day else None
                plain = size if size.isdigit() else size.replace(",", "").replace(".", "")
                append((name, int(plain), at))
            elif name not in ("", ".", ".."):
                here.folders.append(name)
    if not begun:
        raise ValueError("no row of an rsync listing in it")
    yield from opened.rest()


def _blocks(reply: Reply) -> Iterator[bytes]:
    reply.body.seek(0)
    while block := reply.body.read(BLOCK):
        yield block


def _split(line: str) -> tuple[str, ...]:
    """Kind, size, day, time, path; a line that is no row has a kind of its own, and no more."""
    if row := _ROW.match(line):
        return row.groups()
    if row := _TIMELESS.match(line):
        return row[1], row[2], "", "", row[3]
    return _STRANGE, "", "", "", line


def _unescaped(path: str) -> str:
    """`\\#012` and its like back to bytes, and these to text where they are UTF-8."""
    data = _ESCAPE.sub(lambda found: chr(0xDC00 + int(found[1], 8)), path)
    data = "".join(chr(ord(c) - 0xDC00) if "\udc00" <= c < "\udc80" else c for c in data)
    return data.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


@lru_cache(maxsize=86400)
def _clock(clock: str) -> int:
    return int(clock[:2]) * 3600 + int(clock[3:5]) * 60 + int(clock[6:])


@lru_cache(maxsize=16384)
def _midnight(day: str) -> int:
    try:
        return (date(int(day[:4]), int(day[5:7]), int(day[8:])) - date(1970, 1, 1)).days * 86400
    except ValueError:
        return 0
