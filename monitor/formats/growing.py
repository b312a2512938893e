"""Files that only grow, read from where we were.

The cursor is how much of the file was read, and a digest of the end of that
part, the seam: "30123456 4096 9f86d081884c7d65". The next request asks for the
seam once more and for all behind it (`Range`, RFC 9110 14.2). Where the seam is
another one the file was written anew, as RubyGems does once a month, and
nothing in it can be told from what was there before: the reader says so, and
those who know the projects one by one find out. A change before the seam that
keeps the file's length is not seen here: it appends nothing, and whoever reads
the file as a whole sees it.

Only whole lines count: what stands behind the last line's end is read next time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

from monitor.model import Cursor, Reply, Request

SEAM = 4096
"""Bytes of the known part that are asked for again: some dozen lines with their digests."""

_BLOCK = 65536  # within which a line of such a file ends
_CURSOR = re.compile(r"(\d{1,15}) (\d{1,6}) ([0-9a-f]{16})").fullmatch


@dataclass(frozen=True, slots=True)
class Appended:
    """What stands behind the cursor; nothing where we had none, or it is of another file.

    `anew`: why that may have passed over something, or None.
    """

    text: bytes
    cursor: Cursor
    anew: str | None = None


def since(url: str, cursor: str | None) -> Request:
    """Ask for what was appended since the cursor; for the whole file where there is none.

    The answer says nothing of the file as a whole, so nothing is to be remembered of it.
    """
    known = _CURSOR(cursor or "")
    start = int(known[1]) - int(known[2]) if known else -1
    if start < 0:
        return Request(url, part="")
    return Request(url, headers=(("range", f"bytes={start}-"),), part=cursor)


def appended(reply: Reply) -> Appended | None:
    """What the answer adds. None: the seam does not fit, so the file is to be asked for whole,
    with `since(url, None)`.

    Servers that know no ranges send the whole file: then the seam is looked for in it. Raises
    ValueError for a file in which no line ends.
    """
    known = _CURSOR(reply.request.part or "")
    if known is None:
        return Appended(b"", _end_of(reply), "the file was read from its beginning")
    size, overlap = int(known[1]), int(known[2])
    body = reply.body
    body.seek(0 if reply.status == 206 else size - overlap)
    seam = body.read(overlap)
    if len(seam) < overlap or _digest(seam) != known[3]:
        if reply.status == 206:
            return None
        return Appended(b"", _end_of(reply), "the file was written anew")
    text = body.read()
    text = text[: text.rfind(b"\n") + 1]
    seam = (seam + text)[-SEAM:]
    return Appended(text, _cursor(size + len(text), seam))


def _end_of(reply: Reply) -> Cursor:
    size = reply.body.seek(0, 2)
    start = max(0, size - _BLOCK)
    reply.body.seek(start)
    block = reply.body.read()
    end = block.rfind(b"\n") + 1
    if not end:
        raise ValueError("no line ends at the end of the file")
    return _cursor(start + end, block[:end][-SEAM:])


def _cursor(size: int, seam: bytes) -> Cursor:
    return Cursor(f"{size} {len(seam)} {_digest(seam)}")


def _digest(seam: bytes) -> str:
    return blake2b(seam, digest_size=8).hexdigest()
