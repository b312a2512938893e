"""Is this feed what its monitor published? Follows the digests back from the signed head.

`feed.json` is signed as a whole and names the digest of the last full page, each page that of
the page before, each item its own. A page that is not what its successor says was altered; which
entry of it, its digest tells (fault E23). A head beyond its validity is a feed that somebody
holds back (fault E24).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.model import Json
from monitor.outputs.json_feed import UNSIGNED, item_digest, page_at
from monitor.outputs.seal import digest, fingerprint, verify

Read = Callable[[str], bytes | None]
"""The bytes of a file of the feed by its path in the folder; None where it is not there."""

Events = Callable[[int, int], list[Json]]
"""The items with these numbers, both included, newest first, as the log has them."""

_SIGNATURE = re.compile(rb'"signature":"[^"]*"')
_ID = re.compile(r'"id":"monitor:[A-Za-z0-9_-]{1,64}\.([0-9]{1,18})"')


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where: a page and the number of an entry, as far as they can be told."""

    what: str
    page: int | None = None  # None: feed.json
    entry: int | None = None

    def __str__(self) -> str:
        where = "feed.json" if self.page is None else f"page {self.page}"
        return (
            f"{where}, entry {self.entry}: {self.what}" if self.entry else f"{where}: {self.what}"
        )


@dataclass(slots=True)
class Checked:
    """What came of it. `problems` in the order of the entries, the first bad one first."""

    epoch: str = ""
    head: int = 0
    issued: str | None = None
    expires: str | None = None
    key: str | None = None
    signed: bool = False  # by the key that was asked for
    stale: bool = False
    pages: int = 0
    items: int = 0
    problems: list[Problem] = field(default_factory=list)


def check(read: Read, at: int, *, public: str | None = None, log: Events | None = None) -> Checked:
    """Check a feed as of that time (seconds since 1970).

    `public` is the key that must have signed it; without it the signature is not looked at. `log`
    is what the feed was written from, where that is at hand: it tells which entry was altered
    even where somebody took the trouble to make its digest anew.
    """
    found = Checked()
    data = read("feed.json")
    if data is None:
        found.problems.append(Problem("is not there"))
        return found
    document = _document(data)
    if document is None:
        found.problems.append(_torn(data, None))
        return found
    head = document["_monitor"]
    try:
        found.epoch, found.head = str(head["epoch"]), int(head["head"])
        size, oldest = int(head["page_size"]), int(head["oldest"])
        if size < 1 or not 0 <= oldest - 1 <= found.head:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        found.problems.append(Problem("does not say how far it goes"))
        return found
    found.issued, found.expires, found.key = (
        head[name] if isinstance(head.get(name), str) else None
        for name in ("issued", "expires", "key")
    )
    pages = range((oldest - 1) // size, found.head // size)
    places = {number: page_at(found.epoch, size, number) for number in pages}
    problems = list(_walk(found, read, head.get("before"), places, log))
    found.problems = sorted(problems, key=lambda one: (one.page or 0, one.entry or 0))
    found.items += len(document["items"])
    found.problems += [Problem(what, None, entry) for entry, what in _bad_items(document, log)]
    _check_head(found, data, public, at)
    return found


def _walk(
    found: Checked, read: Read, before: Any, places: dict[int, str], log: Events | None
) -> Iterator[Problem]:
    """Page by page, newest first. What an altered page says of the one before proves nothing."""
    proven = True
    for number, place in reversed(places.items()):
        data = read(place)
        document = data and _document(data)
        if not data or not document:
            yield _torn(data, number) if data else Problem("is not there", number)
            proven = False
            continue
        found.pages += 1
        found.items += len(document["items"])
        altered = proven and digest(data) != before
        if altered or not proven:
            bad = next(_bad_items(document, log), None)
            if bad is not None:
                yield Problem(bad[1], number, bad[0])
            elif altered:
                yield Problem("is not the page that was published", number)
        proven = proven and not altered
        before = document["_monitor"].get("before")


def _check_head(found: Checked, data: bytes, public: str | None, at: int) -> None:
    if found.expires is not None:
        try:
            found.stale = at > datetime.fromisoformat(found.expires).timestamp()
        except ValueError:
            found.problems.append(Problem(f"{found.expires!r} is no time"))
    if public is None:
        return
    match = _SIGNATURE.search(data)
    if match is None:
        found.problems.append(Problem("is not signed"))
        return
    own = fingerprint(public)
    unsigned = data[: match.start()] + UNSIGNED + data[match.end() :]
    found.signed = verify(unsigned, json.loads(match[0].partition(b":")[2]), public) is None
    if not found.signed:
        other = f": it names {found.key}" if found.key not in (None, own) else ""
        found.problems.append(Problem(f"its signature is not of {own}{other}"))


def _document(data: bytes) -> Json | None:
    """A file of the feed, None where it is none."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    items = document.get("items")
    if not isinstance(document.get("_monitor"), dict) or not isinstance(items, list):
        return None
    return document if all(isinstance(item, dict) for item in items) else None


def _bad_items(document: Json, log: Events | None) -> Iterator[tuple[int, str]]:
    """Numbers of the entries that are not what was published, the first first; and why."""
    number = document["_monitor"].get("first")
    number = number - 1 if isinstance(number, int) else 0
    entries = []
    for item in reversed(document["items"]):
        told = _ID.fullmatch(f'"id":"{item.get("id")}"')
        number = int(told[1]) if told and int(told[1]) > number else number + 1
        entries.append((number, item))
    known: dict[Any, Json] = {}
    if log is not None and entries:
        known = {item["id"]: item for item in log(entries[0][0], entries[-1][0])}
    for number, item in entries:
        try:
            own = item_digest(item)
        except (ValueError, TypeError, OverflowError, RecursionError):
            own = ""
        if own != item.get("_digest"):
            yield number, "is not what its digest says"
        elif log is not None and item != known.get(item.get("id")):
            yield number, "is not what the log says"


def _torn(data: bytes, page: int | None) -> Problem:
    """A file that is not JSON any more: the entry in which it breaks off."""
    at = len(data)
    try:
        json.loads(data.decode())
    except UnicodeDecodeError as error:
        at = error.start
    except json.JSONDecodeError as error:
        at = len(error.doc[: error.pos].encode())
    except RecursionError:
        at = 0
    entries = _ID.findall(data[:at].decode(errors="replace"))
    return Problem("cannot be read", page, int(entries[-1]) if entries else None)
