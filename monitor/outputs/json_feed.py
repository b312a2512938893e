"""The event log as a JSON Feed 1.1: a folder of files that any web server can serve.

`feed.json` holds the newest events, newest first. Older ones stand in pages
that `next_url` leads to. A page is cut by sequence numbers (page k holds
k·size+1 to (k+1)·size) and never rewritten, so a reader that walks back never
meets an event twice, nor misses one, whatever is published meanwhile.

Pages are written first and `feed.json` last; after a crash the same pages come
out again, byte for byte.

Each item carries its digest, each page that of the page before, and `feed.json`
that of the last page, the time it was issued, and a signature: who checks it has
checked every byte back to the first page (faults E23 and E24).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urljoin

import msgspec

from monitor.errors import StoreError
from monitor.model import Event, Json
from monitor.outputs.feed_items import item, when
from monitor.outputs.files import read_plain, remedy_for, remove, sweep, write_whole
from monitor.outputs.seal import Seal, digest
from monitor.settings import FeedSettings

VERSION = "https://jsonfeed.org/version/1.1"
SHARD = 1000  # pages in one folder
ISSUES = 4  # times that a head is issued anew within its validity, though nothing happens


class Log(Protocol):
    """What the feed is written from. Events are numbered in commit order and never change."""

    @property
    def epoch(self) -> str | int: ...

    def head(self) -> int:
        """The number of the newest event; 0 where there is none."""
        ...

    def events(self, after: int, limit: int) -> list[Event]:
        """Up to that many events behind `after`, oldest first."""
        ...


class _Standing(msgspec.Struct, rename={"monitor": "_monitor"}):
    """What `feed.json` says of itself; its items are not looked at."""

    monitor: dict[str, str | int | None]
    title: str = ""
    feed_url: str | None = None


def publish(
    log: Log,
    folder: Path,
    settings: FeedSettings,
    wanted: Callable[[Event], bool] | None = None,
    *,
    at: int | None = None,
    seal: Seal | None = None,
) -> int:
    """Bring the folder up to the head of the log and return that number.

    Events that are not `wanted` are left out; their numbers are given to nothing else.
    `at` (seconds since 1970) is when the head is issued; `seal` signs it.

    Reads only what is new, and the last two pages at most. Raises StoreError
    where a file cannot be written; what stands there stays whole.
    """
    return _Feed(log, folder, settings, wanted or (lambda event: True), at, seal).publish()


def page_at(epoch: str, size: int, number: int) -> str:
    """Where a page stands in the folder of the feed."""
    return f"pages/{epoch}.{size}/{number // SHARD:03d}/{number:07d}.json"


class _Feed:
    def __init__(
        self,
        log: Log,
        folder: Path,
        settings: FeedSettings,
        wanted: Callable[[Event], bool],
        at: int | None,
        seal: Seal | None,
    ) -> None:
        self.at = at
        self.seal = seal
        self.log = log
        self.wanted = wanted
        self.folder = folder
        self.settings = settings
        self.epoch = str(log.epoch)
        self.size = settings.page_size
        self.head = log.head()
        self.full = self.head // self.size  # pages 0 … full-1 are complete
        self.first = max(0, self.full - settings.keep) if settings.keep else 0  # the oldest kept
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.epoch):
            raise StoreError(str(folder), f"{self.epoch!r} cannot be the epoch of a feed")

    def publish(self) -> int:
        standing = self._standing()
        if standing and self._is_current(standing):
            return self.head
        missing = range(self._pages_there(standing), self.full)
        # The page before may be whole, and what it was linked from still be there.
        touched = range(max(0, missing.start - 1), self.full)
        for folder in {self.folder, *(self._file(number).parent for number in touched)}:
            _make(folder)
            sweep(folder)  # what a crash left; a feed has one writer
        before = self._digest(missing.start - 1)
        for number in missing:
            if self._file(number).exists():
                before = self._digest(number)
            else:
                before = self._write_page(number, before)
        if self.seal and before and missing:
            self.seal.remember(self._name(), missing[-1], before)
        self._write_feed(before)
        if self.first and not (standing and standing.monitor.get("oldest") == self._oldest()):
            self._forget_old_pages()
        return self.head

    def _standing(self) -> _Standing | None:
        """What the last run left; None where that is nothing, or nothing of ours."""
        try:
            return msgspec.json.decode((self.folder / "feed.json").read_bytes(), type=_Standing)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None  # it is written anew
        except OSError as error:
            what = error.strerror or str(error)
            raise StoreError(str(self.folder / "feed.json"), what, remedy_for(error)) from error

    def _is_current(self, standing: _Standing) -> bool:
        told = standing.monitor
        return (
            (told.get("epoch"), told.get("head")) == (self.epoch, self.head)
            and (told.get("page_size"), told.get("oldest")) == (self.size, self._oldest())
            and (standing.title, standing.feed_url) == (self.settings.title, self._address())
            and told.get("key") == (self.seal.fingerprint if self.seal else None)
            and self._is_fresh(told.get("issued"), told.get("expires"))
        )

    def _is_fresh(self, issued: object, expires: object) -> bool:
        """May the head that was issued then stand for a while?"""
        if self.at is None:
            return issued is None
        try:
            since, until = (
                int(datetime.fromisoformat(str(text)).timestamp()) for text in (issued, expires)
            )
        except ValueError:
            return False
        valid = int(self.settings.valid)
        return until - since == valid and since <= self.at < since + max(1, valid // ISSUES)

    def _pages_there(self, standing: _Standing | None) -> int:
        """The first page that may be missing."""
        if standing and standing.monitor.get("epoch") == self.epoch:
            head, size = standing.monitor.get("head"), standing.monitor.get("page_size")
            if isinstance(head, int) and size == self.size and head <= self.head:
                there = head // self.size
                if there and self._file(there - 1).exists():
                    return max(there, self.first)
        return self.first

    def _digest(self, number: int) -> str | None:
        """The digest of a page that stands there: of what we wrote, as far as we remember that."""
        if number < 0 or (found := read_plain(self._file(number))) is None:
            return None
        known = self.seal.remembered(self._name(), number) if self.seal else None
        return known or digest(found[0])

    def _write_page(self, number: int, before: str | None) -> str:
        first, last = number * self.size + 1, (number + 1) * self.size
        document = self._document(self._relative(number), number - 1 if number else None)
        document["_monitor"] = {
            "epoch": self.epoch,
            "page": number,
            "first": first,
            "last": last,
            "before": before,
        }
        document["items"] = self._items(first, last)
        data = encoded(document)
        write_whole(self._file(number), data, replace=False)
        return digest(data)

    def _write_feed(self, before: str | None) -> None:
        """The events of the unfinished page, and those of the last full one."""
        events = list(self._between(max(0, self.full - 1) * self.size + 1, self.head))
        following = self.full - 2
        document = self._document("feed.json", following if following >= self.first else None)
        document["_monitor"] = {
            "epoch": self.epoch,
            "head": self.head,
            # of the newest event, so that the same log gives the same bytes
            "generated": when(int(events[-1].at.timestamp())) if events and events[-1].at else None,
            "oldest": self._oldest(),
            "page_size": self.size,
            "before": before,
            "issued": None if self.at is None else when(self.at),
            "expires": None if self.at is None else when(self.at + int(self.settings.valid)),
            "key": self.seal.fingerprint if self.seal else None,
            "signature": None,
        }
        document["items"] = [sealed(item(event, self.epoch)) for event in reversed(events)]
        data = encoded(document)
        if self.seal:
            data = signed(data, self.seal.sign(data))
        write_whole(self.folder / "feed.json", data)

    def _document(self, path: str, following: int | None) -> Json:
        """The head of a document that stands at `path`; `following` is the page it leads to."""
        document: Json = {"version": VERSION, "title": self.settings.title}
        if address := self._address():
            document["feed_url"] = address
        if following is not None:
            target = self._relative(following)
            document["next_url"] = (
                urljoin(self._base(), target)
                if self.settings.base_url
                else os.path.relpath(target, Path(path).parent)
            )
        return document

    def _items(self, first: int, last: int) -> list[Json]:
        events = list(self._between(first, last))
        return [sealed(item(event, self.epoch)) for event in reversed(events)]

    def _between(self, first: int, last: int) -> Iterator[Event]:
        after = first - 1
        while after < last and (found := self.log.events(after, last - after)):
            for event in found:
                assert event.seq is not None
                after = event.seq
                if after > last:
                    return
                if self.wanted(event):
                    yield event

    def _oldest(self) -> int:
        """The oldest number that can still be read; events before it were dropped."""
        return self.first * self.size + 1

    def _relative(self, number: int) -> str:
        return page_at(self.epoch, self.size, number)

    def _name(self) -> str:
        """What is numbered anew has another name."""
        return f"{self.epoch}.{self.size}"

    def _file(self, number: int) -> Path:
        return self.folder / self._relative(number)

    def _base(self) -> str:
        return (self.settings.base_url or "").rstrip("/") + "/"

    def _address(self) -> str | None:
        return urljoin(self._base(), "feed.json") if self.settings.base_url else None

    def _forget_old_pages(self) -> None:
        """Remove the pages before the oldest that is kept, whoever left them."""
        for shard in sorted(self._file(0).parent.parent.glob("[0-9]*")):
            if int(shard.name) > self.first // SHARD:
                break
            for path in sorted(shard.glob("[0-9]*.json")):
                if int(path.stem) < self.first:
                    remove(path)
            if not any(shard.iterdir()):
                shard.rmdir()


UNSIGNED = b'"signature":null'  # in the head, which stands before whatever an upstream wrote


def signed(data: bytes, signature: str) -> bytes:
    """The same document with its signature in place of null: what was signed is got back so."""
    head, unsigned, rest = data.partition(UNSIGNED)
    assert unsigned
    return head + b'"signature":' + msgspec.json.encode(signature) + rest


def item_digest(found: Json) -> str:
    """The digest of an item without `_digest`, in the canonical form of RFC 8785."""
    bare = {key: value for key, value in found.items() if key != "_digest"}
    return digest(_canonical(bare))


_canonical = msgspec.json.Encoder(order="sorted").encode


def sealed(found: Json) -> Json:
    """The item with its digest."""
    found["_digest"] = digest(_canonical(found))
    return found


def encoded(document: Json) -> bytes:
    """A document as bytes. `<`, `>` and `&` are escaped: inert even inside a page of HTML."""
    data = msgspec.json.encode(document)
    for sign, escape in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        data = data.replace(sign, escape)
    return data + b"\n"


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = error.strerror or str(error)
        raise StoreError(
            str(folder), what, remedy_for(error) or "choose another: [feed] dir"
        ) from error
