"""An event as an item of the JSON feed. Pure; `docs/feed-format.md` is the promise it keeps.

Whatever came from an upstream is plain text here: control characters, bidi
controls and invisible characters are replaced, addresses that are not http(s)
never become links.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from unicodedata import category
from urllib.parse import unquote

from monitor.model import Event, Json, Kind

LONGEST_TEXT: Final = 2000
"""Characters of one text of an upstream; a reason or a name that is longer is cut."""

_SAYS: Final = {
    Kind.BASELINE: "{source} was looked at for the first time",
    Kind.RELEASED: "{what} was released",
    Kind.YANKED: "{what} was yanked",
    Kind.RESTORED: "{what} is listed again",
    Kind.MISSING: "{what} is no longer listed; a second look will tell",
    Kind.WITHDRAWN: "{what} was withdrawn",
    Kind.RETAGGED: "the tag of {what} was moved",
    Kind.CHANGED: "{what} changed after its release",
    Kind.HELD: "{what} is held back",
    Kind.ELIGIBLE: "{what} may be built",
    Kind.QUEUED: "{what} waits to be built",
    Kind.MARKED: "{what} was marked for building",
    Kind.UNMARKED: "{what} is no longer marked for building",
    Kind.REVOKED: "the job of {what} was revoked",
    Kind.BUILT: "{what} was built",
    Kind.EXPLORED: "{what} was explored",
    Kind.FAILED: "the build of {what} failed",
    Kind.RETRACTED: "our announcement of {what} was wrong",
    Kind.GAP: "{source} may have passed over releases",
    Kind.SUSPECT: "an answer of {source} is doubtful and was put aside",
    Kind.SOURCE_MOVED: "the source of {what} moved",
    Kind.LICENCE_CHANGED: "the licence of {what} changed",
    Kind.PROVENANCE_LOST: "{what} is no longer attested where it was made",
    Kind.IDENTITY_CHANGED: "{what} is attested by somebody else than before",
    Kind.MAINTAINER_CHANGED: "the maintainers of {what} changed",
    Kind.LATEST_CHANGED: "the newest stable version of {what} is now {newest}",
    Kind.EPOCH_PROPOSED: "{what} may have begun to count anew",
    Kind.BURST: "unusually many releases of {what} at once",
    Kind.RESET: "{source} has begun to count anew",
    Kind.STALLED: "{source} stands still while its projects release",
    Kind.RECREATED: "{what} was given to somebody else",
    Kind.LOOKALIKE: "a new project is named much like {what}",
}

_NONE_LEFT: Final = "{what} has no stable version any more"

_TOLD: Final = (
    "provider",
    "previous",
    "newest",
    "newest_stable",
    "stable",
    "stream",
    "newest_of_stream",
    "published",
    "first_seen",
    "eligible",
    "page",
    "files",
    "job",
    "reason",
)
_LINK: Final = re.compile(r"https?://[^\s<>\"\\^`{|}]+", re.IGNORECASE)
_EARLIEST, _LATEST = -62135596800, 253402300799  # the years 1 to 9999


def item(event: Event, epoch: str) -> Json:
    """The item of that event, keys in the order of the documentation."""
    assert event.seq is not None
    assert event.at is not None
    told = event.payload
    release = {
        "kind": event.kind.value,
        "cursor": f"{epoch}.{event.seq}",
        "purl": clean(event.project) or None,
        "project": name_of(event.project),
        "version": _text(event.version),
        "previous": _text(told.get("previous")),
        "newest": _flag(told.get("newest")),
        "newest_stable": _flag(told.get("newest_stable")),
        "stable": _flag(told.get("stable")),
        "stream": _text(told.get("stream")),
        "newest_of_stream": _flag(told.get("newest_of_stream")),
        "published": _time(told.get("published")),
        "first_seen": _time(told.get("first_seen")),
        "eligible": _time(told.get("eligible")),
        "source": _text(event.source),
        "provider": _text(told.get("provider")),
        "page": link(told.get("page")),
        "files": [_file(file) for file in told.get("files") or ()],
        "job": _text(told.get("job")) if _count(told.get("job")) is None else told["job"],
        "reason": _text(told.get("reason")),
        "details": {clean(k): _plain(v) for k, v in sorted(told.items()) if k not in _TOLD},
    }
    found: Json = {"id": f"monitor:{epoch}.{event.seq}"}
    if release["page"]:
        found["url"] = release["page"]
    found["title"] = _sentence(event.kind, release)
    found["content_text"] = _content(found["title"], release)
    found["date_published"] = when(int(event.at.timestamp()))
    found["tags"] = _tags(release)
    found["_release"] = release
    return found


def clean(text: str) -> str:
    """Text that cannot steer a terminal, hide anything or turn the direction of writing.

    Line ends and tabs become spaces; other controls, format characters (bidi,
    zero width) and lone surrogates become U+FFFD.
    """
    text = text[:LONGEST_TEXT]
    if text.isprintable():
        return text
    return "".join(map(_harmless, text))


def name_of(purl: str) -> str | None:
    """The name in a purl, with its namespace: "@angular/core" of "pkg:npm/%40angular/core"."""
    if not purl.startswith("pkg:"):
        return None
    path = re.split(r"[@?#]", purl, maxsplit=1)[0]
    return clean(unquote(path.partition("/")[2])) or None


def link(address: object) -> str | None:
    """That address where a reader may follow it: http or https, in plain characters."""
    if isinstance(address, str) and len(address) <= LONGEST_TEXT and _LINK.fullmatch(address):
        return address if address.isprintable() else None
    return None


def when(seconds: int) -> str:
    """Seconds since 1970 as RFC 3339: "2026-11-21T21:49:00Z"."""
    at = datetime.fromtimestamp(seconds, UTC)
    return at.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _harmless(character: str) -> str:
    if character in "\t\n\r\x0b\x0c\x85\u2028\u2029":
        return " "
    return "\ufffd" if category(character) in {"Cc", "Cf", "Cs", "Co"} else character


def _text(value: object) -> str | None:
    return None if value is None else clean(str(value))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _time(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return when(int(value)) if _EARLIEST <= value <= _LATEST else None
    return None


def _file(file: Json) -> Json:
    return {
        "address": _text(file.get("address")),
        "digest": _text(file.get("digest")),
        "size": _count(file.get("size")),
        "name": _text(file.get("name")),
    }


def _plain(value: Any) -> Any:
    """Any value of a payload, with its texts cleaned and its keys in order."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(k)): _plain(v) for k, v in sorted(value.items(), key=_key)}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value if isinstance(value, int | float | None) else clean(str(value))


def _key(pair: tuple[object, object]) -> str:
    return str(pair[0])


def _sentence(kind: Kind, release: Json) -> str:
    name = release["project"] or release["purl"] or release["source"] or "something"
    what = f"{name} {release['version']}" if release["version"] else name
    newest = release["details"].get("stable_version")
    said = _NONE_LEFT if kind is Kind.LATEST_CHANGED and newest is None else _SAYS[kind]
    said = said[:1].upper() + said[1:]
    return said.format(what=what, source=release["source"] or name, newest=newest)


def _content(title: str, release: Json) -> str:
    lines = [title + "."]
    for label, key in (
        ("Reason", "reason"),
        ("Before", "previous"),
        ("Published", "published"),
        ("Seen", "first_seen"),
        ("Source", "source"),
        ("Page", "page"),
    ):
        if release[key]:
            lines.append(f"{label}: {release[key]}")
    return "\n".join(lines)


def _tags(release: Json) -> list[str]:
    tags = [release["kind"]]
    if release["purl"] and release["project"]:
        tags.append(release["purl"].removeprefix("pkg:").partition("/")[0])
    if release["newest"]:
        tags.append("newest")
    if release["newest_stable"]:
        tags.append("newest-stable")
    if release["stable"] is False:
        tags.append("pre-release")
    return tags
