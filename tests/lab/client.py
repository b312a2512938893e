"""How the lab's own tests ask: plain HTTP without proxies, redirects shown, nothing remembered."""

from __future__ import annotations

import httpx2


def get(url: str | httpx2.URL, **headers: str) -> httpx2.Response:
    """GET `url`; `if_none_match="x"` becomes the header If-None-Match."""
    return ask("GET", url, **headers)


def ask(method: str, url: str | httpx2.URL, **headers: str) -> httpx2.Response:
    """Any method; as `get`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with httpx2.Client(trust_env=False, headers={"User-Agent": "lab-test"}) as client:
        return client.request(method, url, headers=named)
