"""RSS 0.9x to 2.0, RDF and Atom: the entries of a feed.

`fastfeedparser` reads nearly all of them a hundred times faster than
`feedparser`, which gets those that the first one refuses.

Both expand what a document type declares, so a document with one is refused
before either sees it: https://owasp.org/www-community/vulnerabilities/XML_External_Entity_(XXE)_Processing
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec

from monitor.errors import FetchError
from monitor.formats.dates import utc
from monitor.formats.text import address_of, charset_of, decode
from monitor.model import Outcome, Reply

LARGEST = 8 * 2**20  # bytes; the largest feed known to us has 1 MB
DEEPEST = 100  # elements within elements; feeds have six

_DECLARED = re.compile(r"""^\s*<\?xml[^<>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""")
_PROLOG = re.compile(r"<[A-Za-z_]")
_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(rss|feed|RDF)[\s>]")
_END = re.compile(
    r"</(?:[A-Za-z_][\w.-]*:)?(rss|feed|RDF)\s*>\s*(?:<!--(?:[^-]|-(?!->))*-->\s*)*\Z"
)
_TAG = re.compile(r"<(/?)[A-Za-z_][^<>]*?(/?)>")


class Item(msgspec.Struct, frozen=True, gc=False):
    """One entry of a feed. Empty text where it has none."""

    title: str
    link: str
    id: str
    published: datetime | None  # as Atom's `published` or RSS' `pubDate` says, else `updated`


def items(reply: Reply) -> list[Item]:
    """The entries in the order of the feed. An empty feed has none.

    Raises ValueError for what is no feed, or ends before its end, and
    FetchError with the outcome `hostile` for one that could harm us.
    """
    data = reply.bytes()
    if len(data) > LARGEST:
        raise _hostile(reply, f"a feed of {len(data)} bytes; at most {LARGEST} are read")
    text = _text(data, charset_of(reply))
    first = _PROLOG.search(text)
    prolog = text[: first.start()] if first else text
    if "<!DOCTYPE" in prolog.upper() or "<!ENTITY" in text:
        raise _hostile(reply, "a feed with a document type or entities of its own")
    root = first and _ROOT.match(text, first.start())
    if not root:
        raise ValueError(f"neither RSS nor Atom: {text[:80]!r}")
    if not (end := _END.search(text, max(0, len(text) - 4096))) or end[1] != root[1]:
        raise ValueError(f"the feed ends before </{root[1]}>")
    if _depth(text) > DEEPEST:
        raise _hostile(reply, f"a feed with elements nested more than {DEEPEST} deep")
    return [_item(entry) for entry in _entries(text, address_of(reply))]


def _text(data: bytes, declared: str | None) -> str:
    """The document as text, without the declaration of an encoding it no longer has."""
    if not declared:
        found = _DECLARED.match(data[:300].decode("latin-1"))
        declared = found[1] if found else None
    text, certain = decode(data, declared)
    if not certain:
        raise ValueError("a feed that is not in the encoding it declares")
    text = text.lstrip("\ufeff \t\r\n")
    return text.partition("?>")[2] if text.startswith("<?xml ") else text


def _depth(text: str) -> int:
    # Each "<" begins one element at most, and none where it ends one.
    if text.count("<") - text.count("</") <= DEEPEST:
        return 0
    depth = deepest = 0
    for closing, empty in _TAG.findall(text):
        if closing:
            depth -= 1
        elif not empty:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _entries(text: str, address: str) -> list[Any]:
    data = text.encode()
    try:
        import fastfeedparser

        return list(fastfeedparser.parse(data).entries)
    except Exception:  # whatever it trips over, the tolerant one may still read
        import feedparser

        found = feedparser.parse(
            data,
            response_headers={
                "content-location": address,
                "content-type": "text/xml; charset=utf-8",
            },
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        if not found.entries and found.bozo:
            raise ValueError(f"not a feed: {found.bozo_exception}") from None
        return list(found.entries)


def _item(entry: Any) -> Item:
    said = entry.get
    return Item(
        _line(said("title")),
        _line(said("link")),
        _line(said("id")),
        utc(said("published")) or utc(said("updated")),
    )


def _line(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _hostile(reply: Reply, what: str) -> FetchError:
    return FetchError(address_of(reply), what, outcome=Outcome.HOSTILE)
