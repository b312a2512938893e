r"""Recursive listings: `ls -lR` in its variants, and `find -ls`.

    ./pool/main/a/asterisk-addons:
    total 2024
    -rw-rw-r-- 2 dak debadmin 880340 May 25  2010 asterisk-addons_1.6.2.1.orig.tar.gz

Understood: headers from `.` or absolute; the date forms of GNU `ls` (`Sep  5
10:41`, `Jun 26  2010`, `long-iso`, `full-iso`, `iso`); marks of access lists,
devices, owners with spaces; names quoted by `-Q`. Sources: coreutils' ls.c,
findutils' `-ls`. Times have no zone: they are taken for UTC.

A recent row has no year. It is the latest one that does not put the row more
than a day after the listing itself, by the time that its server gives for it.
The same file is told to the minute when it is young and to the day when it is
old: the difference is no change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from monitor.formats.compressed import blocks
from monitor.formats.dates import utc
from monitor.formats.listing import Folder, Note, PathRow, grouped, inside, whole_lines
from monitor.formats.text import unread
from monitor.model import Partial, Reply

_MONTHS = {
    name: number
    for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)  # noqa: SIM905
}
_DATE = (
    r"[A-Z][a-z][a-z] [ \d]\d {1,2}(?:\d\d:\d\d|\d{4})"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d(?:\.\d+)? [+-]\d{4})?"
    r"|\d{4}-\d\d-\d\d |\d\d-\d\d \d\d:\d\d"
    # Other languages, month and day in either order: such a date is not read.
    r"|[^\s\d]\S{0,9} +\d\d? +(?:\d\d:\d\d|\d{4})"
    r"|\d\d?\.? [^\s\d]\S{0,9} +(?:\d\d:\d\d|\d{4})"
)
_MODE = r"([-a-zA-Z])[-rwxsStTlL]{9}[+.@]?"
_LINE = rf"{_MODE} +\d+ +\S[^\n]*? +(\d+|\d+, *\d+) +({_DATE}) ([^\n]+)$"
_ROW = re.compile("^" + _LINE, re.MULTILINE)
_FOUND = re.compile(r"^ *\d+ +\d+ +" + _LINE, re.MULTILINE)
_TOTAL = re.compile(r"\S+ \d[\d.,]*[A-Z]?$")  # "total 2024", in any language
_ESCAPE = re.compile(r"\\([0-3][0-7]{2}|.)")
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

When = Callable[[str], int | None]
_Row = tuple[str, str, str, str]  # type, size, date, name


def folders(reply: Reply) -> Iterator[Folder]:
    """The folders of the listing with their files, compressed or not.

    A line that cannot be read is an `Unread` of its folder; a listing that ends
    within a line is `Partial`. Raises ValueError for what is no such listing.
    """
    texts = whole_lines(blocks(reply), "\n\n")
    first = next(texts, "")
    first = "" if isinstance(first, Partial) else first.lstrip("\n")
    start = first.partition("\n")[0]
    when = _reader_of_dates(utc(reply.headers.get("last-modified")) or reply.at)
    if _FOUND.match(start):
        return grouped(_found(_again(first, texts), when))
    if start.endswith(":") or _ROW.match(start) or _TOTAL.match(start):
        return _listed(_again(first, texts), when)
    raise ValueError(f"neither `ls -lR` nor `find -ls`: {start[:80]!r}")


def _again(first: str, rest: Iterator[str | Partial]) -> Iterator[str | Partial]:
    yield first
    yield from rest


def _listed(texts: Iterator[str | Partial], when: When) -> Iterator[Folder]:
    """`ls -lR`: a header, perhaps a total, rows; a blank line before the next header."""
    top: str | None = None
    path, quoted, alive = "", False, False
    for text in texts:
        if isinstance(text, Partial):
            yield Folder("", notes=[text])
            continue
        for part in text.split("\n\n"):
            header, _, rows = part.strip("\n").partition("\n")
            if not header:
                continue
            if header.endswith(":") and not _ROW.match(header):
                quoted = header[0] == '"'
                name = _unquoted(header[:-1]) if quoted else header[:-1]
                top = name.rstrip("/") if top is None else top
                inner = _below(top, name)
                if inner is None:
                    yield Folder("", notes=[unread(header, "a folder that leads elsewhere")])
                    continue
                path = inner
            else:
                rows = part.strip("\n")
            if rows:
                alive = True
            yield _folder(path, rows, when, quoted)
    if not alive:
        raise ValueError("headers without a single row")


def _below(top: str, name: str) -> str | None:
    """A folder's path below the top of the listing; None where it lies elsewhere."""
    if name.rstrip("/") == top:
        return ""
    path = name[len(top) + 1 :] if name.startswith(top + "/") else None
    return path if path is not None and inside(path) else None


def _folder(path: str, text: str, when: When, quoted: bool) -> Folder:
    first, _, rest = text.partition("\n")
    if _TOTAL.match(first):
        text = rest
    folder = Folder(path)
    rows: list[_Row] = _ROW.findall(text)
    if text and len(rows) != text.count("\n") + 1:
        rows = _one_by_one(text, folder.notes)
    files, subfolders = folder.files, folder.folders
    for kind, size, date, name in rows:
        plain = _unquoted(name) if quoted else name
        if kind == "-":
            files.append((plain, int(size), when(date)))
        elif kind == "d" and plain not in (".", ".."):
            subfolders.append(plain)
    return folder


def _one_by_one(text: str, strange: list[Note]) -> list[_Row]:
    """The rows of a text in which some line is none.

    Such a line may be the rest of a name with a line end in it, so the row
    before it is not believed either.
    """
    rows: list[_Row] = []
    before = ""
    for line in text.split("\n"):
        if found := _ROW.match(line):
            rows.append(found.groups())  # type: ignore[arg-type]
        elif line:
            if before and rows:
                rows.pop()
                strange.append(unread(before, "a name with a line end in it"))
            strange.append(unread(line, "not a row of a listing"))
        before = line if found else ""
    return rows


def _found(texts: Iterator[str | Partial], when: When) -> Iterator[PathRow | Note]:
    """`find -ls`: no headers, the path in every row."""
    for text in texts:
        if isinstance(text, Partial):
            yield text
            continue
        rows: list[_Row | str] = _FOUND.findall(text)
        if len(rows) != text.count("\n"):
            rows = [
                found.groups() if (found := _FOUND.match(line)) else line  # type: ignore[misc]
                for line in text.split("\n")
                if line
            ]
        for row in rows:
            if isinstance(row, str):
                yield unread(row, "not a row of `find -ls`")
                continue
            kind, size, date, path = row
            if "\\" in path:
                path = _unescaped(path)
            parent, _, name = ("" if path == "." else path.removeprefix("./")).rpartition("/")
            if kind == "-":
                yield parent, name, (name, int(size), when(date))
            elif kind == "d":
                yield parent, name, None


def _unquoted(name: str) -> str:
    return _unescaped(name[1:-1]) if name[:1] == name[-1:] == '"' else name


def _unescaped(name: str) -> str:
    """C's escapes back to what they stand for; bytes beyond ASCII are UTF-8 where they can be."""

    def meant(found: re.Match[str]) -> str:
        what = found[1]
        if len(what) == 1:
            return _LETTERS.get(what, what)
        byte = int(what, 8)
        return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)

    text = _ESCAPE.sub(meant, name)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _reader_of_dates(listed: datetime | None) -> When:
    """A function from the text of a date to seconds since 1970; None for what it does not say."""

    @lru_cache(maxsize=65536)
    def when(text: str) -> int | None:
        try:
            found = _date(text, listed)
        except (ValueError, KeyError, OverflowError):
            return None
        # The first second of 1970 is what is written where no time is known.
        return int(found.timestamp()) or None if found else None

    return when


def _date(text: str, listed: datetime | None) -> datetime | None:
    if text[0].isdigit():
        words = text.split()
        if len(words[0]) == 10:
            zone = words[2] if len(words) == 3 else "+0000"
            clock = words[1][:5] if len(words) > 1 else "00:00"
            return datetime.strptime(f"{words[0]} {clock} {zone}", "%Y-%m-%d %H:%M %z")
        if len(words[0]) == 5:
            month, day = words[0].split("-")
            return _without_year(int(month), int(day), words[1], listed)
        return None
    name, day, last = text.split()
    month_ = _MONTHS[name]
    if ":" in last:
        return _without_year(month_, int(day), last, listed)
    return datetime(int(last), month_, int(day), tzinfo=UTC)


def _without_year(month: int, day: int, clock: str, listed: datetime | None) -> datetime | None:
    """The latest such moment that lies at most a day after the listing."""
    if listed is None:
        return None
    limit = listed + timedelta(days=1)
    hour, minute = map(int, clock.split(":"))
    for year in range(limit.year, limit.year - 9, -1):  # 1896 to 1904 had no leap day
        try:
            found = datetime(year, month, day, hour, minute, tzinfo=UTC)
        except ValueError:
            continue
        if found <= limit:
            return found
    return None
