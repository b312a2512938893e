"""What the registries of the lab share: a question, an answer, validators, and times as written.

A registry is a plain object with `answer(Ask) -> Answer`: no socket, no loop.
`tests.lab.registry` carries it over HTTP and adds what every server does:
conditional requests, HEAD, compression, faults.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Self
from xml.sax.saxutils import escape

NO_HEADERS: Mapping[str, str] = {}


class LabError(Exception):
    """The lab was asked for something that it does not have, or cannot do."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `path` begins behind the registry's own prefix; header names in lower case."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    base: str = ""  # the registry's own address, without a slash at its end
    method: str = "GET"


@dataclass(slots=True)
class Answer:
    """One response. `etag` and `modified` are what a conditional request is compared with."""

    body: bytes = b""
    status: int = 200
    type: str = "text/plain; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = None
    modified: datetime | None = None
    ranges: bool = False  # the end of it may be asked for
    gzipped: bytes | None = None  # kept beside the body once it was asked for


class Clock:
    """The lab's time: the real one, unless it was stopped. Copies of a registry share it."""

    def __init__(self) -> None:
        self.stopped: datetime | None = None

    def __call__(self) -> datetime:
        return self.stopped or datetime.now(UTC)

    def __deepcopy__(self, memo: object) -> Self:
        return self


def strong(body: bytes) -> str:
    """A strong ETag made of the body, as `"<md5>"`."""
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def weak(body: bytes) -> str:
    """A weak ETag made of the body, as `W/"<sha256>"`."""
    return f'W/"{hashlib.sha256(body).hexdigest()}"'


def as_json(value: Any, type: str = "application/json", **more: Any) -> Answer:
    """An answer with `value` as compact JSON."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    return Answer(body, type=type, **more)


def moved(location: str, status: int = 301, **more: Any) -> Answer:
    """A redirect to `location`."""
    return Answer(status=status, headers={"Location": location}, **more)


def utc(at: datetime | str | None) -> datetime | None:
    """`at` as an aware time in UTC; text is ISO 8601, without a zone it is UTC already."""
    if at is None:
        return None
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def http_date(at: datetime) -> str:
    """As in "Tue, 22 Mar 2022 16:54:42 GMT" (RFC 9110; PyPI's RSS)."""
    return format_datetime(at.replace(microsecond=0), usegmt=True)


def rfc2822(at: datetime) -> str:
    """As in "Sat, 22 Jun 2024 15:57:19 +0000" (crates.io's RSS)."""
    return format_datetime(at.replace(microsecond=0))


def seconds(at: datetime) -> str:
    """As in "2025-11-18T08:58:23Z"."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def micros(at: datetime) -> str:
    """As in "2010-09-15T14:44:53.723687Z"; without a fraction where it is zero (isoformat)."""
    return at.replace(tzinfo=None).isoformat() + "Z"


def tag(name: str, text: str | None) -> str:
    """An XML element with escaped text."""
    return f"<{name}>{escape(text or '')}</{name}>"
