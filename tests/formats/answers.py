"""Answers as a spider would bring them, for tests of readers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from monitor.model import Reply, Request

AT = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


def answer(
    body: Any,
    url: str = "https://upstream.example/pub/",
    project: str | None = None,
    **headers: str,
) -> Reply:
    """An answer with this body: bytes, text, or what is to be written as JSON."""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(url, project=project)
    return Reply(request, BytesIO(body), headers=names, url=url, at=AT, size=len(body))
