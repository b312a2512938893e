"""Folder pages, as web servers make them of a folder: HTML, JSON and XML.

Apache (`<pre>`, table, plain list), nginx (HTML, JSON, XML), lighttpd, Caddy
(HTML, JSON), and the many that look like one of them. Names are taken from the
addresses of links, never from their text, which servers cut; dates and sizes
from what stands between one link and the next. The expressions are linear in
the length of a page.

Only what lies directly in the folder counts: links to other hosts, upwards,
further down, or with a query (`?C=M;O=D` sorts) are not entries.

Times have no zone on most servers and are taken for UTC. Sizes are given where
the page tells them to the byte.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import msgspec

from monitor.errors import FetchError
from monitor.formats.dates import utc
from monitor.formats.listing import Folder
from monitor.formats.text import address_of, charset_of, decode, folder_of, is_name, unread
from monitor.model import Outcome, Reply

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST = 64 * 2**20  # bytes of a page; kernel.org's largest has 130 kB

_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_EVIDENCE = re.compile(r"index of |parent directory|directory listing|file listing", re.IGNORECASE)
_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
# A link; or at once the whole row of a plain name, as Apache and nginx write most of them, with
# its time and size. The long way says the same of it, unless there are dates in what it shows.
_LINK = re.compile(
    r'<a href="([A-Za-z0-9][A-Za-z0-9._+~-]{0,200}/?)">(?i:(?!\s{0,39}parent directory))[^<]*</a>'
    rf"[ \t]+(\d{{4}}-\d\d-\d\d \d\d:\d\d|\d\d-(?:{_MONTH})-\d{{4}} \d\d:\d\d)"
    r"[ \t]+(?:(\d{1,18})|-|\d[\d.]*[KMGT])[ \t]*\r?\n"
    r"|<[aA]\s([^<>]*)>"
)
_DATE = re.compile(
    r"(?=\d\d)(?:"  # most places are none where a date can begin
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?)"
    rf"|(\d\d-(?:{_MONTH})-\d{{4}} \d\d:\d\d)"
    rf"|(\d{{4}})-({_MONTH})-(\d\d \d\d:\d\d(?::\d\d)?))"
)
_EXACT = re.compile(r"""<td[^<>]*\bdata-(?:order|size)="(\d{1,18})\"""")
_BYTES = re.compile(r"\s{1,80}(\d{1,18})\s*(?:$|[^\d.\s,kKMGTi])")
_NUMBERS = {name: number for number, name in enumerate(_MONTH.split("|"), 1)}


def folder(reply: Reply) -> Folder:
    """What is in the folder that the page shows.

    A name that cannot be taken is an `Unread`. Raises ValueError for a page that
    is no listing, or one whose layout is unknown.
    """
    if reply.size > LARGEST:
        raise FetchError(address_of(reply), "a page too large to read", outcome=Outcome.HOSTILE)
    text, certain = decode(reply.bytes(), charset_of(reply))
    start = text.lstrip("\ufeff \t\r\n")
    if start[:1] in ("[", "{"):
        return _from_json(start, "json" in reply.headers.get("content-type", ""))
    if start.startswith("<?xml") and "<list>" in start[:400]:
        return _from_xml(start)
    return _from_html(text, address_of(reply), certain)


def _from_html(text: str, address: str, certain: bool) -> Folder:
    text = _without(_without(text, "<!--", "-->"), "<script", "</script>")
    found = Folder("")
    taken: set[str] = set()
    base = folder_of(address)
    links = list(_LINK.finditer(text))
    dated = upwards = False
    for link, following in zip_longest(links, links[1:]):
        name, date, digits, attributes = link.groups()
        if name is not None:
            at = _from_iso(date) if date[4] == "-" else _from_nginx(date)
            dated |= at is not None
            if name in taken:
                continue
            taken.add(name)
            if name[-1] == "/":
                found.folders.append(name[:-1])
            else:
                found.files.append((name, int(digits) if digits else None, at))
            continue
        href = _HREF.search(attributes)
        if not href:
            continue
        reference = href[1] or href[2] or href[3] or ""
        reference = (html.unescape(reference) if "&" in reference else reference).strip()
        rest = text[link.end() : following.start() if following else link.end() + 2000]
        at, size = _told(rest)
        dated |= at is not None
        parent = rest[:40].lstrip().lower().startswith("parent directory")
        if parent or reference in ("..", "../") or reference.startswith("?"):
            upwards = True
        elif entry := _directly_in(base, reference):
            _add(found, taken, entry, size, at, certain)
    if not (dated or upwards or _EVIDENCE.search(text)):
        raise ValueError(f"no page of a folder: {' '.join(_TAG.sub(' ', text).split())[:80]!r}")
    return found


def _add(
    found: Folder, taken: set[str], name: str, size: int | None, at: int | None, certain: bool
) -> None:
    plain = _unquoted(name.rstrip("/"))
    if plain is None or (not certain and not plain.isascii()):
        found.notes.append(unread(name, "a name in an unknown encoding"))
    elif not is_name(plain) or "/" in plain or plain in (".", ".."):
        found.notes.append(unread(plain, "not the name of a file"))
    elif name not in taken:
        taken.add(name)
        if name.endswith("/"):
            found.folders.append(plain)
        else:
            found.files.append((plain, size, at))


def _directly_in(base: str, reference: str) -> str | None:
    """The name that a link gives to an entry of the folder, still quoted, or None."""
    plain = reference.removeprefix("./")
    if not plain or "?" in plain or "#" in plain:
        return None
    if "/" not in plain[:-1] and plain != "/" and ":" not in plain:
        return plain
    try:
        there, here = urlsplit(urljoin(base, reference)), urlsplit(base)
    except ValueError:
        return None
    # A page behind a proxy may name itself with the other scheme.
    if there.scheme not in ("http", "https") or there.netloc != here.netloc:
        return None
    if not there.path.startswith(here.path):
        return None
    name = there.path[len(here.path) :]
    return name if name and "/" not in name[:-1] and name != "/" else None


def _unquoted(name: str) -> str | None:
    if "%" not in name and name.isascii():
        return name
    try:
        return unquote_to_bytes(name).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _told(rest: str) -> tuple[int | None, int | None]:
    """The time and the exact size that stand behind a link."""
    date = _DATE.search(rest)
    if not date:
        return None, None
    if "data-" in rest and (exact := _EXACT.search(rest)):
        return _moment(date), int(exact[1])
    behind = rest[date.end() : date.end() + 400]
    behind = _TAG.sub(" ", behind) if "<" in behind else behind
    size = _BYTES.match((html.unescape(behind) if "&" in behind else behind).rstrip())
    return _moment(date), int(size[1]) if size else None


def _moment(date: re.Match[str]) -> int | None:
    iso, nginx, year, month, rest = date.groups()
    if iso:
        return _from_iso(iso)
    return _from_nginx(nginx) if nginx else _from_iso(f"{year}-{_NUMBERS[month]:02d}-{rest}")


def _from_iso(text: str) -> int | None:
    try:
        return int(datetime.fromisoformat(text + "Z").timestamp()) or None
    except ValueError:
        return None


def _from_nginx(text: str) -> int | None:
    """A time like "17-Jan-2022 17:49"."""
    day, month, year = int(text[:2]), _NUMBERS[text[3:6]], int(text[7:11])
    try:
        moment = datetime(year, month, day, int(text[12:14]), int(text[15:17]), tzinfo=UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) or None


def _without(text: str, start: str, end: str) -> str:
    """The text without what stands between two marks; what is never ended is left out."""
    if start not in text:
        return text
    first, *others = text.split(start)
    return first + "".join(other.partition(end)[2] for other in others)


class _Json(msgspec.Struct):
    """An entry as nginx (`type`, `mtime`) or Caddy (`is_dir`, `mod_time`) writes it."""

    name: str
    type: str | None = None
    size: int | None = None
    mtime: str | None = None
    mod_time: str | None = None
    is_dir: bool = False
    is_symlink: bool = False


def _from_json(text: str, declared: bool) -> Folder:
    entries = msgspec.convert(json.loads(text), list[_Json])
    if not entries and not declared:
        raise ValueError("an empty list that does not say it is JSON")
    found = Folder("")
    for entry in entries:
        if entry.type is None and entry.mod_time is None:
            raise ValueError("a list of something else than files")
        if not is_name(name := entry.name.rstrip("/")) or "/" in name or name in (".", ".."):
            found.notes.append(unread(entry.name, "not the name of a file"))
        elif entry.is_dir or entry.type == "directory":
            found.folders.append(name)
        elif entry.type in (None, "file"):
            at = utc(entry.mtime or entry.mod_time)
            found.files.append((name, entry.size, int(at.timestamp()) if at else None))
    return found


def _from_xml(text: str) -> Folder:
    """nginx: `<list><file mtime="2026-05-05T20:34:49Z" size="0">old.txt</file></list>`."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text or not text.rstrip().endswith("</list>"):
        raise ValueError("not a whole <list>, or one with a document type")
    from xml.etree.ElementTree import fromstring

    return _listed(Folder(""), fromstring(text))  # noqa: S314 (no document type, see above)


def _listed(found: Folder, entries: Iterable[Element]) -> Folder:
    for entry in entries:
        name = entry.text or ""
        if not is_name(name) or "/" in name or name in (".", ".."):
            found.notes.append(unread(name, "not the name of a file"))
        elif entry.tag == "directory":
            found.folders.append(name)
        elif entry.tag == "file":
            at, size = utc(entry.get("mtime")), entry.get("size", "")
            moment = int(at.timestamp()) if at else None
            found.files.append((name, int(size) if size.isdigit() else None, moment))
    return found
