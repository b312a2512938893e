"""Upstream text: decoded strictly, and checked before it is taken for a name or a version.

What cannot be taken as it is becomes an `Unread`, a dead letter that a person
can look at; it is never repaired by guessing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

import msgspec

from monitor.model import Mention, Release, Reply, Unread

LONGEST = 255  # of a name or version; longer ones do not fit into a file name

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def decode(data: bytes, declared: str | None = None) -> tuple[str, bool]:
    """The text, and whether it is certain.

    A byte order mark decides; then UTF-8; then the declared encoding; at last
    Latin-1, which fits anything, so that only what is ASCII in it can be trusted.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name), True
    try:
        return data.decode("utf-8"), True
    except UnicodeDecodeError:
        pass
    if declared and declared.lower() not in ("utf-8", "utf8"):
        try:
            return data.decode(declared), True
        except (LookupError, ValueError):
            pass
    return data.decode("latin-1"), False


def charset_of(reply: Reply) -> str | None:
    """The encoding that the answer's `Content-Type` declares, if any."""
    found = _CHARSET.search(reply.headers.get("content-type", ""))
    return found[1] if found else None


def is_name(text: object) -> bool:
    """Whether it can be a project's name: printable, without white space around it."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= LONGEST
        and text.isprintable()
        and text.strip() == text
    )


def is_version(text: object) -> bool:
    """Whether it can be a version: printable ASCII without white space.

    Full-width digits and invisible characters look like versions and are none.
    """
    return (
        isinstance(text, str)
        and 0 < len(text) <= LONGEST
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )


# One page names its project with every version, and many projects have a 1.0. Only what could be
# either is remembered, nothing endless.
_is_name = lru_cache(8192)(is_name)
_is_version = lru_cache(8192)(is_version)


def checked(finding: Release | Mention) -> Release | Mention | Unread:
    """The finding itself, or a dead letter when its name or version cannot be taken."""
    name = finding.project
    if not (isinstance(name, str) and len(name) <= LONGEST and _is_name(name)):
        return unread(finding.project, "not a project's name")
    if isinstance(finding, Mention):
        return finding
    version = finding.version
    if not (isinstance(version, str) and len(version) <= LONGEST and _is_version(version)):
        return unread(f"{finding.project} {finding.version}", "not a version")
    if (reason := finding.reason) and not reason.isascii():
        # Half of a pair of surrogates is text in JSON, and nowhere else.
        whole = reason.encode("utf-8", "replace").decode()
        return msgspec.structs.replace(finding, reason=whole)
    return finding


def unread(raw: object, reason: str) -> Unread:
    """A dead letter whose text is harmless in a log, a terminal and a feed."""
    shown = raw if isinstance(raw, str) else repr(raw)
    return Unread(shown.encode("unicode_escape").decode("ascii")[:1000], reason)


# Whole addresses that joining leaves as they are; nearly all that registries write.
_WHOLE = re.compile(
    r"https?://[a-z0-9]+(?:[.-][a-z0-9]+)*(?::[0-9]{1,5})?/[A-Za-z0-9._~%+=,:@!/-]*"
).fullmatch


def web_address(base: str, reference: object) -> str | None:
    """The absolute http(s) address that a page at `base` refers to; None for anything else."""
    if isinstance(reference, str) and _WHOLE(reference):
        return reference
    if not isinstance(reference, str) or not reference.isprintable() or " " in reference:
        return None
    try:
        address = urljoin(base, reference)
        parts = urlsplit(address)
        usable = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        )
    except ValueError:
        return None
    return address if usable else None


@lru_cache(1024)  # who reads a folder's page asks more than once
def folder_of(address: str) -> str:
    """The folder that an address lies in, with "/" at its end."""
    return urljoin(address, ".")


def address_of(reply: Reply) -> str:
    """Where the answer came from, after redirects."""
    return reply.url or reply.request.url
