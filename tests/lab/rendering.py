"""What every HTTP server does with an answer: conditional requests, compression, breaking off."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from aiohttp import web

from tests.lab.answers import Answer, http_date


def rendered(answer: Answer, asked: Mapping[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body after conditional request, range and compression (RFC 9110)."""
    fields, body = dict(answer.headers), answer.body
    if answer.etag:
        fields["ETag"] = answer.etag
    if answer.modified:
        fields["Last-Modified"] = http_date(answer.modified)
    if answer.status == 200 and _unchanged(answer, asked):
        return 304, fields, b""
    fields["Content-Type"] = answer.type
    if answer.ranges and answer.status == 200:
        fields["Accept-Ranges"] = "bytes"
        if part := re.fullmatch(r"bytes=(\d+)-", asked.get("range", "")):
            start, size = int(part[1]), len(body)
            if start >= size:
                return 416, fields | {"Content-Range": f"bytes */{size}"}, b""
            fields["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
            return 206, fields, body[start:]
    if "gzip" in asked.get("accept-encoding", "") and len(body) > 1000 and _is_text(answer.type):
        answer.gzipped = body = answer.gzipped or gzip.compress(body, 6, mtime=0)
        fields["Content-Encoding"] = "gzip"
        fields["Vary"] = ", ".join(filter(None, [fields.get("Vary"), "Accept-Encoding"]))
    return answer.status, fields, body


def _unchanged(answer: Answer, asked: Mapping[str, str]) -> bool:
    wanted = asked.get("if-none-match")
    if wanted is not None:
        etags = {part.strip().removeprefix("W/") for part in wanted.split(",")}
        return "*" in etags or (answer.etag or "").removeprefix("W/") in etags
    since = asked.get("if-modified-since")
    if since is None or answer.modified is None:
        return False
    try:
        return answer.modified.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False


def _is_text(kind: str) -> bool:
    return any(word in kind for word in ("text/", "json", "xml", "html"))


async def cut_short(
    request: web.Request, status: int, fields: Mapping[str, str], body: bytes, cut: int
) -> web.StreamResponse:
    """Announce all of `body`, send `cut` bytes of it, and drop the connection."""
    response = web.StreamResponse(status=status, headers=dict(fields))
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[:cut])
    if request.transport:
        request.transport.close()
    return response
