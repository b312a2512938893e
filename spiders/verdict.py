"""What an answer means before anybody reads it: status codes, bot walls, pages in place of data.

Pure functions of status, headers and the first bytes. The outcomes are those
of `monitor.model.Outcome`; a missing project is `gone` here at once, the visit
waits for confirmation before it believes it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from monitor.errors import FetchError
from monitor.model import Outcome, Request
from spiders.address import printable, without_secrets

SHORTEST, LONGEST = 1.0, 86_400.0  # seconds that a pause asked for by an upstream may last
BLOCKED_FOR = 3_600.0  # seconds until a host that turned us away is asked again

_WORTH_ANOTHER_TRY = frozenset({202, 408, 409, 421, 423, 425, 500, 502, 503, 504})
# The question itself does not please: a parameter, a header, the method.
_REFUSED = frozenset({400, 405, 406, 414, 415, 422, 501, 505})
_WALL_HEADERS = ("cf-mitigated", "x-datadome", "x-amzn-waf-action", "x-vercel-mitigated")
# Titles and scripts of interstitial pages, never words that a listing could hold as file names.
# In lower case, as they are searched: without regard to case that takes fifty times as long.
_TITLE = re.compile(
    rb"<title>\s*(?:just a moment|attention required! \| cloudflare|client challenge"
    rb"|making sure you(?:'|&#39;|&#x27;)re not a bot|access denied|pardon our interruption"
    rb"|vercel security checkpoint|human verification|are you a robot|bot verification"
    rb"|checking your browser|one moment, please|ddos-guard|security check|request rejected"
    rb"|you have been blocked|oh noes!|verifying your browser|validating your browser)"
)
_SCRIPT = re.compile(
    rb"/cdn-cgi/challenge-platform/|cf[-_]chl[-_]opt|id=.?anubis_challenge"
    rb"|/\.within\.website/x/cmd/anubis/|_incapsula_resource|captcha-delivery\.com"
    rb"|awswafcookiedomainlist|\.awswaf\.com/|/\.well-known/sgcaptcha|sucuri_cloudproxy"
    rb"|/_fs-ch-[0-9a-z]+/|go-away challenge|window\.kpsdk"
)
# One of these stands in all that the expression finds.
_HINTS = (
    b"/cdn-cgi/challenge-platform/", b"chl", b"anubis", b"_incapsula_resource",
    b"captcha", b"awswafcookiedomainlist", b".awswaf.com/", b"sucuri_cloudproxy",
    b"/_fs-ch-", b"go-away challenge", b"window.kpsdk",
)  # fmt: skip
_LIMITED = re.compile(
    rb"rate.?limit|too many requests|quota|throttl|slow down|abuse detection", re.IGNORECASE
)
_PAGE = re.compile(
    rb"\s*(?:<!--.{0,400}?-->\s*)*<(?:!doctype\s+html|html|head|body|title)", re.I | re.S
)
_SILENT_DATA = re.compile(r"(?i)(?:\.(?:gz|xz|bz2|zst|txt|csv|tar|tgz)|/ls-lR)$")


def is_data_file(path: str) -> bool:
    """Is this a data file by its name, which an HTML page can never be?"""
    return _SILENT_DATA.search(path) is not None


class Quota(NamedTuple):
    """What an upstream says is left: requests of `limit` until `reset` seconds from now."""

    limit: int | None
    remaining: int
    reset: float | None


def refusal(
    request: Request, status: int, headers: Mapping[str, str], body: bytes, now: float
) -> FetchError:
    """The failure that a status other than success stands for. `body` may be a beginning."""
    where = without_secrets(request.url)
    after = retry_after(headers.get("retry-after"), now)
    left = quota(headers, now)
    spent = left is not None and left.remaining <= 0
    if is_wall(headers, body):
        return wall(request, status)
    outcome, what, remedy = Outcome.INVALID, f"answers {status}", None
    match status:
        case 429:
            outcome, what = Outcome.THROTTLED, "says we ask too often"
        case 403 if after is not None or spent or _LIMITED.search(body[:4096]):
            outcome, what = Outcome.THROTTLED, "says we ask too often (403)"
        case 503 if after is not None:
            outcome, what = Outcome.THROTTLED, "asks us to come back later"
        case 401 | 402 | 403 | 407 | 418:
            outcome, what = Outcome.BLOCKED, f"turns us away ({status})"
            remedy = "a credential may help; else ask its operators"
        case 404 | 410:
            outcome, what = Outcome.GONE, f"is not there ({status})"
        case 451:
            outcome, what = Outcome.GONE, "is not there for legal reasons (451)"
        case 304:
            what = "says nothing changed, but was not asked that"
        case _ if status in _REFUSED:
            what = f"refuses what it is asked ({status}){_blamed(request, body)}"
        case _ if status in _WORTH_ANOTHER_TRY or 520 <= status <= 599:
            outcome, what = Outcome.RETRY, f"has trouble ({status})"
    if outcome is Outcome.THROTTLED and after is None and spent and left is not None:
        after = left.reset
    if outcome is Outcome.BLOCKED:
        after = BLOCKED_FOR
    return FetchError(where, what, remedy, outcome=outcome, status=status, retry_after=after)


def _blamed(request: Request, body: bytes) -> str:
    """Which of what we asked with is refused: what the answer names, else all of it (fault D16)."""
    query = urlsplit(without_secrets(request.url)).query
    asked = {name: f"{name}={value}" for name, value in parse_qsl(query, keep_blank_values=True)}
    asked |= {name: f"{name}: {value}" for name, value in request.headers}
    if request.accept:
        asked["accept"] = f"accept: {request.accept}"
    said = body[:4096].decode("utf-8", "replace")
    named = [
        asked[name]
        for name in asked
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said, re.IGNORECASE)
    ]
    words = "" if looks_like_page(body) else printable(said, 120).strip()
    told = f", and names {', '.join(named)}" if named else ""
    if not named and asked:
        told = f"; it was asked with {', '.join(asked.values())}"
    return told + (f'; it says "{words}"' if words else "")


def retry_after(text: str | None, now: float) -> float | None:
    """Seconds to stay away, within sane bounds; None for nothing or nonsense.

    Takes seconds and dates, as RFC 9110 10.2.3 has them.
    """
    if not text:
        return None
    text = text.strip()[:64]
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, OverflowError, TypeError):
            return None
    if math.isnan(seconds):
        return None
    return min(max(seconds, SHORTEST), LONGEST)


def quota(headers: Mapping[str, str], now: float) -> Quota | None:
    """What `X-RateLimit-*` or `RateLimit-*` headers say; None where there are none.

    A reset is seconds from now, or a time since 1970 where it is too large for that.
    """
    for prefix in ("x-ratelimit-", "ratelimit-", "x-rate-limit-"):
        if (remaining := _number(headers.get(prefix + "remaining"))) is None:
            continue
        limit = _number(headers.get(prefix + "limit"))
        reset = _number(headers.get(prefix + "reset"))
        if reset is not None:
            reset = reset - now if reset > 1_000_000_000 else reset
            reset = min(max(reset, SHORTEST), LONGEST)
        return Quota(int(limit) if limit else None, int(remaining), reset)
    return None


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.match(r"\s*(-?\d{1,12})", text)
    return float(match[1]) if match else None


def is_wall(headers: Mapping[str, str], body: bytes) -> bool:
    """Is this the page of a bot wall, whatever its status says?"""
    if any(name in headers for name in _WALL_HEADERS):
        return headers.get("cf-mitigated", "challenge") == "challenge"
    if not looks_like_page(body):
        return False
    text = body[:65_536].lower()
    if _TITLE.search(text):
        return True
    return any(map(text.__contains__, _HINTS)) and _SCRIPT.search(text) is not None


def wall(request: Request, status: int) -> FetchError:
    """The failure that a bot wall stands for."""
    return FetchError(
        without_secrets(request.url),
        "shows a bot wall instead of an answer",
        "it is not bypassed; ask its operators to let this program in, or use another source",
        outcome=Outcome.BLOCKED,
        status=status,
        retry_after=BLOCKED_FOR,
    )


def looks_like_page(beginning: bytes) -> bool:
    """Do these bytes begin an HTML page?"""
    return _PAGE.match(beginning.removeprefix(b"\xef\xbb\xbf")) is not None


def misfit(request: Request, headers: Mapping[str, str], beginning: bytes) -> str | None:
    """Why a successful answer cannot be what was asked for; None if it can."""
    accept = request.accept or ""
    path = request.url.partition("?")[0].partition("#")[0]
    json = "json" in accept or (not accept and path.endswith(".json"))
    xml = "xml" in accept or (not accept and path.endswith((".xml", ".rss", ".atom", ".rdf")))
    if "html" in accept or "*/*" in accept or not (json or xml or is_data_file(path)):
        return None
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start and (json or xml):
        return "an empty answer"
    if looks_like_page(start):
        return "an HTML page in place of data"
    if json and not xml and start[:1] == b"<":
        return "XML or HTML in place of JSON"
    html = headers.get("content-type", "").lower().startswith("text/html")
    if html and ((json and start[:1] not in b"{[") or (xml and not json and start[:1] != b"<")):
        return f"a page that says {printable(start[:60].decode('utf-8', 'replace'))!r}"
    if start.startswith(b"\x1f\x8b") and (json or xml) and not is_data_file(path):
        return "data that is compressed twice"
    return None
