"""Addresses: taken apart strictly, and shown without their secrets."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from monitor.errors import FetchError
from monitor.model import Outcome

DEFAULT_PORTS = {
    "http": 80,
    "https": 443,
    "rsync": 873,
    "git": 9418,
    "git+http": 80,
    "git+https": 443,
}

_SECRET = re.compile(
    r"(?i)(^|[&;])([^=&;]*(?:token|secret|passw|api[-_]?key|signature|credential|auth)[^=&;]*"
    r"|key|sig|pwd|pass)=[^&;]*"
)
# Whatever a terminal, a log or an URL parser could take for something else.
_UNPRINTABLE = re.compile(
    r"[\x00-\x20\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\\]"
)
# Nearly all of them, at half the price: what `urlsplit` says of them is the same.
_PLAIN = re.compile(
    r"(https?)://([a-z0-9.-]+)(?::([0-9]{1,4}|[1-5][0-9]{4}))?"
    r"(?:(/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)(?:\?([A-Za-z0-9._~%!$&'()*+,;=:@/?-]*))?)?"
).fullmatch
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_ip = lru_cache(maxsize=4096)(ip_address)


class Address(NamedTuple):
    """An address taken apart: `host` is a name in lower case (punycode) or an IP address."""

    scheme: str
    host: str
    port: int
    path: str
    query: str
    ip: IPv4Address | IPv6Address | None = None
    userinfo: str | None = None

    @property
    def netloc(self) -> str:
        """Host and port as they stand in an address; the scheme's own port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def place(self) -> str:
        """The server: host and port, always both. What pace, pauses and failures are kept by."""
        return f"{self.host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what a secret is bound to."""
        return self.scheme.removeprefix("git+"), self.host, self.port

    @property
    def url(self) -> str:
        """The address in one piece, without userinfo and fragment."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.netloc}{self.path}{query}"


@lru_cache(maxsize=4096)
def take_apart(url: str) -> Address:
    """The parts of an absolute address. FetchError `invalid` or `hostile` if it is not one.

    A number in place of a host name is refused unless it is an IP address in
    its usual spelling: decimal, octal and hexadecimal forms hide where they lead.
    """
    return _plainly(url) or _strictly(url)


def _plainly(url: str) -> Address | None:
    if len(url) > 8192 or (plain := _PLAIN(url)) is None:
        return None
    scheme, name, number, path, query = plain.groups()
    if (host := _plain_host(name)) is None:
        return None
    port = int(number) if number else DEFAULT_PORTS[scheme]
    return Address(scheme, host[0], port, path or "/", query or "", host[1])


@lru_cache(maxsize=4096)
def _plain_host(name: str) -> tuple[str, IPv4Address | IPv6Address | None] | None:
    try:
        return _host(name, name)
    except FetchError:
        return None  # it is told with the whole address


def _strictly(url: str) -> Address:
    if len(url) > 8192 or _UNPRINTABLE.search(url):
        raise _bad(url, "the address is too long or has characters that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        raise _bad(url, f"not an address: {error}") from error
    scheme = parts.scheme
    if scheme not in DEFAULT_PORTS:
        raise _bad(url, f"the scheme {scheme[:20]!r} is not one that is asked", Outcome.HOSTILE)
    if port is None:
        port = DEFAULT_PORTS[scheme]
    userinfo = parts.netloc.rpartition("@")[0] or None
    host, ip = _host(host, url)
    path = parts.path
    if not path.isascii() or not parts.query.isascii():
        from urllib.parse import quote

        path = quote(path, safe="/%:@!$&'()*+,;=~-._")
        query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    else:
        query = parts.query
    return Address(scheme, host, port, path or "/", query, ip, userinfo)


def _host(host: str, url: str) -> tuple[str, IPv4Address | IPv6Address | None]:
    if not host.isascii():
        try:
            import idna

            host = idna.encode(host, uts46=True).decode()
        except (UnicodeError, ValueError) as error:
            raise _bad(url, f"not a host name: {error}") from error
    host = host.removesuffix(".")
    if not host:
        raise _bad(url, "there is no host in it")
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            ip = _ip(host)
        except ValueError:
            raise _bad(
                url, "the host is a number that hides where it leads", Outcome.HOSTILE
            ) from None
        if isinstance(ip, IPv6Address) and ip.scope_id is not None:
            raise _bad(url, "an address of one link only", Outcome.HOSTILE)
        return str(ip), ip
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise _bad(url, "not a host name")
    return host, None


def without_secrets(url: str) -> str:
    """The address as it may be shown: no userinfo, no tokens, nothing unprintable, not endless."""
    if len(url) > 2048:
        url = url[:2048] + "…"
    if "@" in url:
        scheme, colon, rest = url.partition("//")
        authority, slash, tail = rest.partition("/")
        url = scheme + colon + authority.rpartition("@")[2] + slash + tail
    if "?" in url:
        head, _, query = url.partition("?")
        url = f"{head}?{_SECRET.sub(lambda m: f'{m[1]}{m[2]}=…', query)}"
    return _UNPRINTABLE.sub(lambda m: f"\\x{ord(m[0]):02x}", url)


def printable(text: str, limit: int = 300) -> str:
    """Words of an upstream as they may stand in a message: one line, no control characters."""
    words = " ".join(text.split())
    return "".join(c if c.isprintable() else "?" for c in words[:limit])


def join(base: str, location: str) -> str:
    """Where a redirect leads. ValueError for what cannot be joined."""
    from urllib.parse import urljoin

    joined = urlsplit(urljoin(base, location))
    return urlunsplit(joined._replace(fragment=""))


def _bad(url: str, what: str, outcome: Outcome = Outcome.INVALID) -> FetchError:
    shown = without_secrets(url)
    return FetchError(shown, what, "correct the address of the source", outcome=outcome)
