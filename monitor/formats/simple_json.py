"""The list of all projects of a Python index (PEP 691), also with a million of them.

    {"meta": {"_last-serial": 9, "api-version": "1.4"},
     "projects": [{"_last-serial": 7, "name": "argset"}, …]}

The list is read in pieces: each piece is cut behind a `}` and decoded by
itself, so that memory stays small however long the list is. Should a cut fall
wrong, or the document be laid out otherwise, it is decoded in one go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from monitor.formats.text import is_name, unread
from monitor.model import Cursor, Finding, Mention, Reply, Request

PIECE = 2**20  # bytes read at a time
BAD_SHARE = 0.01  # of entries that may be unread in bulk

Row = tuple[str, str | None, int | None, str | None, str | None]


class _Project(msgspec.Struct, gc=False):
    name: str
    serial: int | None = msgspec.field(default=None, name="_last-serial")


class _Meta(msgspec.Struct):
    version: str | None = msgspec.field(default=None, name="api-version")
    serial: int | None = msgspec.field(default=None, name="_last-serial")


class _Head(msgspec.Struct):
    meta: _Meta
    projects: list[_Project]


class _Loose(msgspec.Struct):
    meta: _Meta
    projects: list[Any]


_START = b'{"meta":{},"projects":['  # stands before what is left at the end
_HEAD = re.compile(rb'\s*\{\s*"meta"\s*:\s*(\{[^{}\[\]]{0,1000}\})\s*,\s*"projects"\s*:\s*\[')
_TAIL = re.compile(rb"\]\s*\}\s*\Z")
_rest = msgspec.json.Decoder(_Head)
_list = msgspec.json.Decoder(list[_Project])


@dataclass(frozen=True, slots=True)
class Index:
    """The mechanism that asks for the list."""

    url: str
    accept: str

    def all(self) -> Request:
        return Request(self.url, self.accept)

    def read(self, reply: Reply) -> Iterator[Finding]:
        """A mention of each project, with the serial of its last change where there is one.

        The list's own serial is the cursor. An entry that cannot be read is an `Unread`. Raises
        ValueError for what is not such a document, or not a whole one.
        """
        for some in _in_pieces(reply):
            for project in some:
                if not isinstance(project, _Project):
                    yield unread(project, "not a project")
                elif not is_name(project.name):
                    yield unread(project.name, "not a project's name")
                else:
                    yield Mention(project.name, _serial(project))
        if cursor := _cursor(reply):
            yield cursor

    def bulk(self, reply: Reply) -> Iterator[list[Row] | Cursor]:
        """The same as rows; see `providers`.

        Raises ValueError where more than one entry in a hundred cannot be read.
        """
        good = bad = 0
        for some in _in_pieces(reply):
            rows: list[Row] = [
                (
                    project.name,
                    None,
                    None,
                    None if project.serial is None else str(project.serial),
                    None,
                )
                for project in some
                if isinstance(project, _Project) and is_name(project.name)
            ]
            good += len(rows)
            bad += len(some) - len(rows)
            yield rows
        if bad > BAD_SHARE * good + 3:
            raise ValueError(f"{bad} of {good + bad} entries cannot be read")
        if cursor := _cursor(reply):
            yield cursor


def _serial(project: _Project) -> str | None:
    return None if project.serial is None else str(project.serial)


def _cursor(reply: Reply) -> Cursor | None:
    """The serial of the last change to any project, where the list begins with it."""
    reply.body.seek(0)
    head = _HEAD.match(reply.body.read(2048))
    if head is None:
        return None
    meta = msgspec.json.decode(head[1], type=_Meta)
    return None if meta.serial is None else Cursor(str(meta.serial))


def _in_pieces(reply: Reply) -> Iterator[list[_Project | Any]]:
    """The projects, some thousand at a time; what is none is given as it was decoded."""
    told = 0
    try:
        for some in _cut(reply):
            yield some
            told += len(some)
    except (msgspec.MsgspecError, _OddError):
        # Once more in one go, and strictly: what was told already is left out.
        whole = msgspec.convert(reply.json(), _Loose)
        if rest := whole.projects[told:]:
            yield [_taken(project) for project in rest]


class _OddError(Exception):
    """The document is not laid out as a cut can be trusted."""


def _cut(reply: Reply) -> Iterator[list[_Project]]:
    reply.body.seek(0)
    left = reply.body.read(PIECE)
    head = _HEAD.match(left)
    if not head:
        raise _OddError
    left = left[head.end() :]
    while more := reply.body.read(PIECE):
        left += more
        end = left.rfind(b"},")
        if end < 0:
            continue
        piece, left = left[: end + 1], left[end + 2 :]
        yield _sure(_list.decode(b"[" + piece + b"]"), piece)
    if not _TAIL.search(left):
        raise _OddError
    yield _sure(_rest.decode(_START + left).projects, left)


def _sure(projects: list[_Project], piece: bytes) -> list[_Project]:
    # A key that is given twice would be decoded without a word.
    if piece.count(b'"name"') != len(projects):
        raise _OddError
    return projects


def _taken(project: Any) -> Any:
    try:
        return msgspec.convert(project, _Project)
    except msgspec.ValidationError:
        return project
