"""The vocabulary: what is asked, what comes back, what is found, what is remembered.

Plain frozen values without behaviour beyond reading a body. Times are aware
`datetime`s in UTC; sizes are bytes; digests are written "sha256:<hex>".

What is found in answers comes in millions: it is a `msgspec.Struct`, which is made
in a tenth of the time that a frozen dataclass takes, and which the garbage collector
need not look at, as it refers to nothing above itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Any, BinaryIO

import msgspec

from monitor.terms import About, Json, Kind, Outcome, State

__all__ = [
    "About",
    "Cursor",
    "Event",
    "File",
    "Finding",
    "Ignored",
    "Json",
    "Kind",
    "Mention",
    "Outcome",
    "Partial",
    "Release",
    "Renamed",
    "Reply",
    "Request",
    "State",
    "Trait",
    "Unread",
]


class Request(msgspec.Struct, frozen=True):
    """One question, not yet put. The scheme of `url` chooses the spider.

    http, https   one answer by HTTP; with `tree` a crawl that follows what the reader raises
    rsync         `rsync --list-only` of that module or folder
    git+https, git+http, git   the tags of that repository (`ls-remote`)
    file          a file of this machine, only where the settings allow it
    """

    url: str
    accept: str | None = None
    project: str | None = None  # the project that is asked about, as its upstream spells it
    headers: tuple[tuple[str, str], ...] = ()
    tree: bool = False  # a folder of folders or a trail of pages: Scrapy carries it
    part: str | None = (
        None  # what of it we know: the answer may be its end (monitor.formats.growing)
    )
    further: bool = False  # an answer has led to it: it ends a walk. Counts in comparisons


class Reply(msgspec.Struct):
    """What came back: bytes and headers, nothing understood yet.

    `body` is seekable and complete: length, transfer encoding and content
    encoding were checked and undone. `unchanged` means the upstream (or an
    equal digest) says it is what we saw before; then `body` is empty.
    `digest` is of the body; `url` is where redirects ended.
    """

    request: Request
    body: BinaryIO = msgspec.field(default_factory=BytesIO)
    status: int = 200
    headers: Mapping[str, str] = {}  # names in lower case
    url: str = ""
    at: datetime | None = None
    digest: str | None = None
    size: int = 0
    unchanged: bool = False

    def bytes(self) -> bytes:
        """The whole body."""
        self.body.seek(0)
        return self.body.read()

    def text(self) -> str:
        """The whole body as UTF-8; what is not UTF-8 raises UnicodeDecodeError."""
        return self.bytes().decode("utf-8-sig")

    def json(self) -> Any:
        """The whole body as JSON; duplicate keys raise ValueError."""
        return json.loads(self.text(), object_pairs_hook=_unique)

    def lines(self) -> Iterator[str]:
        """The body's lines without their ends; empty ones are left out."""
        self.body.seek(0)
        for line in self.body:
            if text := line.decode("utf-8").rstrip("\r\n"):
                yield text


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"duplicate key {next(n for n in names if names.count(n) > 1)!r}")
    return found


class File(msgspec.Struct, frozen=True, gc=False):
    """One artefact of a release. `digest` is "sha256:<hex>" (or another algorithm's name)."""

    url: str
    digest: str | None = None
    size: int | None = None
    name: str | None = None  # where the address does not end in it
    published: datetime | None = None
    yanked: bool = False
    kind: str | None = None  # source, generated, binary, signature, digest, patch
    provenance: str | None = None  # address of what attests where it was made; "": it has none


class Release(msgspec.Struct, frozen=True, gc=False):
    """One version of a project, as an upstream shows it. None: "did not say".

    `project` and `version` are the published spelling. `prerelease` is a flag
    of the forge or registry, never a guess. `revision` identifies what the
    version stands for where that can move: the object id of a tag.
    """

    project: str
    version: str
    published: datetime | None = None
    page: str | None = None
    state: State | None = None
    files: tuple[File, ...] = ()
    prerelease: bool | None = None
    revision: str | None = None
    reason: str | None = None  # why it was yanked, deprecated, …
    tag: str | None = None  # the raw spelling the version was taken from: a tag, a file name


class Mention(msgspec.Struct, frozen=True, gc=False):
    """A project seen in passing; its `revision` moves when the project does."""

    project: str
    revision: str | None = None


class Cursor(msgspec.Struct, frozen=True, gc=False):
    """How far this answer brings us; stored with the data it covers.

    One of digits alone is a serial: it never falls, and where it does the upstream has begun to
    count anew (fault D04).
    """

    value: str


class Unread(msgspec.Struct, frozen=True, gc=False):
    """An entry that could not be read: kept as a dead letter, visible, the rest goes on."""

    raw: str
    reason: str


class Trait(msgspec.Struct, frozen=True, gc=False):
    """One thing that the release that was asked about says of itself."""

    name: About
    value: str


class Partial(msgspec.Struct, frozen=True, gc=False):
    """This answer turned out to be incomplete (a capped list, unread pages).

    What it shows is taken; what it leaves out says nothing. In a feed it means that something may
    have been passed over: a log that was cut off, or written anew behind our cursor (D07, D08).
    """

    reason: str


class Ignored(msgspec.Struct, frozen=True, gc=False):
    """What stands among a project's versions and is none of them: a branch, another's tag.

    It is counted and shown, so that nobody wonders where it is.
    """

    raw: str


class Renamed(msgspec.Struct, frozen=True, gc=False):
    """The upstream calls the project that was asked for by another name now."""

    project: str
    name: str


Finding = Release | Mention | Cursor | Request | Unread | Partial | Trait | Ignored | Renamed


@dataclass(frozen=True, slots=True)
class Event:
    """A change worth remembering. `seq` is given by the log; payload never changes."""

    kind: Kind
    project: str  # a purl without version
    version: str | None = None
    source: str | None = None
    payload: Json = field(default_factory=dict)
    seq: int | None = None
    at: datetime | None = None
