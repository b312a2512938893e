"""HTTP by httpx2, over our own wire. Redirects are followed here, each hop checked anew.

Beside the upstream's headers the answer has some of ours, under names that no
server can send:

`:moved`     where the upstream says the address has moved for good (301, 308)
`:unframed`  nothing tells where the body ends, so half of it would look like all of it
"""

from __future__ import annotations

import base64
from functools import lru_cache

import httpx2

from monitor import __version__
from monitor.errors import FetchError
from monitor.model import Outcome, Request
from monitor.settings import NetworkSettings
from spiders.address import Address, join, printable, without_secrets
from spiders.credentials import Credentials, Secret
from spiders.engine import Body
from spiders.guard import Guard

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
# What may follow a redirect to another origin. Everything else might be a secret.
_HARMLESS = frozenset(
    {
        "accept",
        "accept-language",
        "cache-control",
        "if-modified-since",
        "if-none-match",
        "range",
        "user-agent",
        "accept-encoding",
    }
)
ENCODINGS = "gzip, deflate"
_NOTHING = httpx2.ByteStream(b"")


class Http:
    """Carries requests by HTTP and HTTPS. `open` returns as soon as the headers are there."""

    def __init__(
        self,
        client: httpx2.AsyncClient,
        guard: Guard,
        credentials: Credentials,
        network: NetworkSettings,
    ) -> None:
        self._client = client
        self._guard = guard
        self._credentials = credentials
        self._network = network
        contact = f" (+{network.contact})" if network.contact else ""
        self.agent = f"{network.user_agent}/{__version__}{contact}"
        self._gateway = guard.gateway.url.rstrip("/") if guard.gateway else None

    def check(self, url: str) -> Address:
        return self._guard.check(url)

    async def open(self, request: Request, address: Address) -> HttpStream:
        first = address
        headers = self._headers(request, address)
        seen: set[str] = set()
        permanent = True
        for _ in range(self._network.max_hops):
            url = address.url
            seen.add(url)
            secret = self.secret(address)
            response = await self._send(address, headers, secret)
            status = response.status_code
            if status == 401 and secret is not None and self._rejected(secret):
                await response.aclose()
                continue
            answer = HttpStream(self, response, url)
            if status not in _REDIRECTS or "location" not in answer.headers:
                if address is not first and permanent:
                    answer.headers[":moved"] = without_secrets(address.url)
                return answer
            await response.aclose()
            location = answer.headers["location"]
            permanent = permanent and status in _PERMANENT
            target = self._follow(address, location)
            if target.url in seen:
                raise self._invalid(request, "redirects in a circle")
            if target.origin != address.origin:
                headers = {name: v for name, v in headers.items() if name in _HARMLESS}
            address = target
        raise self._invalid(request, f"redirects more than {self._network.max_hops - 1} times")

    def _headers(self, request: Request, address: Address) -> dict[str, str]:
        headers = {
            "user-agent": self.agent,
            "accept": request.accept or "*/*",
            "accept-encoding": ENCODINGS,
        }
        if address.userinfo:
            # In a header it is bound to this origin, and shown nowhere.
            from urllib.parse import unquote_to_bytes

            user = base64.b64encode(unquote_to_bytes(address.userinfo)).decode()
            headers["authorization"] = f"Basic {user}"
        for name, value in request.headers:
            if not name.startswith(":"):
                headers[name.lower()] = value
        if "range" in headers:
            headers["accept-encoding"] = "identity"
        return headers

    def secret(self, address: Address) -> Secret | None:
        secret = self._credentials.of(address.origin)
        if secret is None:
            return None
        if secret.rejected:
            if secret.anonymous:
                return None
            raise self._refused(address, secret)
        gateway = self._guard.gateway
        if gateway is not None and gateway.scheme != "https":
            # In the clear it may only go to a gateway on this machine.
            loopback = gateway.host == "localhost" or (gateway.ip and gateway.ip.is_loopback)
            return secret if loopback else None
        return secret

    def _rejected(self, secret: Secret) -> bool:
        """Remember that it was refused; True if the question may be asked without it."""
        secret.rejected = True
        return secret.anonymous

    def _refused(self, address: Address, secret: Secret) -> FetchError:
        return FetchError(
            without_secrets(address.url),
            f"credential {secret.name} was rejected",
            f"renew the secret of network.credentials.{secret.name} and start again",
            outcome=Outcome.BLOCKED,
            status=401,
        )

    async def _send(
        self, address: Address, headers: dict[str, str], secret: Secret | None
    ) -> httpx2.Response:
        base = f"{address.scheme}://{address.netloc}"
        target = f"{address.path}?{address.query}" if address.query else address.path
        if self._gateway is not None and self._guard.gateway is not None:
            gateway = self._guard.gateway
            base = f"{gateway.scheme}://{gateway.netloc}"
            prefix = gateway.path.rstrip("/")
            target = f"{prefix}/{address.scheme}/{address.netloc}{target}"
        if secret is not None:
            headers = {**headers, secret.header: secret.value}
        try:
            # As the target the path is sent as it was written, and is not parsed once more.
            question = httpx2.Request(
                "GET",
                _parsed(base),
                headers=headers,
                stream=_NOTHING,
                extensions={"target": target.encode(), "base": base},
            )
            response = await self._client.send(question, stream=True)
        except (httpx2.TransportError, httpx2.InvalidURL, UnicodeError, ValueError) as error:
            raise self.failure(address.url, error) from error
        if secret is not None and response.status_code == 401 and not secret.anonymous:
            await response.aclose()
            secret.rejected = True
            raise self._refused(address, secret)
        return response

    def _follow(self, address: Address, location: str) -> Address:
        try:
            url = join(address.url, location)
        except ValueError as error:
            raise FetchError(
                without_secrets(address.url),
                f"redirects to something that is no address: {printable(str(error))}",
                outcome=Outcome.INVALID,
            ) from error
        if self._gateway is not None and url.startswith(self._gateway + "/"):
            scheme, _, rest = url.removeprefix(self._gateway + "/").partition("/")
            url = f"{scheme}://{rest}"
        if not url.startswith(("http:", "https:")) or (
            address.scheme == "https" and not url.startswith("https:")
        ):
            raise FetchError(
                without_secrets(address.url),
                f"redirects from {address.scheme} to {printable(url.partition(':')[0], 20)}",
                "it is not followed; ask the upstream, or correct the address of the source",
                outcome=Outcome.HOSTILE,
            )
        return self._guard.check(url)._replace(userinfo=None)

    def failure(self, url: str, error: BaseException) -> FetchError:
        """An error of the client in our words."""
        what = printable(self._credentials.redact(str(error))) or type(error).__name__
        outcome = Outcome.RETRY
        remedy = None
        if isinstance(error, httpx2.RemoteProtocolError):
            if "more than" in what or "too long" in what.lower() or "too many" in what.lower():
                outcome, what = Outcome.HOSTILE, "the headers are larger than the limits allow"
                remedy = "network.max_header and network.max_headers set the limits"
            else:
                outcome, what = Outcome.INVALID, f"does not speak HTTP: {what}"
        elif not isinstance(error, httpx2.TransportError):
            outcome = Outcome.INVALID
        elif "certificate" in what:
            remedy = "the upstream must renew it; for a server of yours set network.ca_file"
        return FetchError(without_secrets(url), what, remedy, outcome=outcome)

    @staticmethod
    def _invalid(request: Request, what: str) -> FetchError:
        return FetchError(without_secrets(request.url), what, outcome=Outcome.INVALID)


class HttpStream:
    """An answer of a web server whose body is still to come."""

    def __init__(self, http: Http, response: httpx2.Response, url: str) -> None:
        self._http = http
        assert isinstance(response.stream, Body)
        self._body = response.stream
        self.status = response.status_code
        self.headers = _lower(response.headers.raw)
        self.url = without_secrets(url) if "@" in url or "?" in url else url
        if not ("content-length" in self.headers or "transfer-encoding" in self.headers):
            self.headers[":unframed"] = "1"

    async def more(self) -> bytes:
        try:
            return await self._body.more()
        except httpx2.TransportError as error:
            raise self._http.failure(self.url, error) from error

    async def close(self) -> None:
        await self._body.aclose()


@lru_cache(maxsize=1024)
def _parsed(base: str) -> httpx2.URL:
    return httpx2.URL(base)


def _lower(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for key, value in raw:
        name = key.decode("ascii", "replace").lower()
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        if name in headers:
            # Two lengths or two types are no list: the first holds.
            if name not in ("content-length", "content-type", "etag", "last-modified"):
                headers[name] = f"{headers[name]}, {text}"
        else:
            headers[name] = text
    return headers
