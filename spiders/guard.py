"""Where requests may go: one policy for HTTP, Scrapy, rsync and git.

An address is checked twice: as it is written (scheme, port, literal IP, hosts
that opted out), and after its name was resolved, on the very addresses that
are then connected to. What is refused is refused with the same words whether
or not anything listens there, so that nobody can explore a network through us.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from time import monotonic

from monitor.errors import FetchError, SettingsError
from monitor.model import Outcome
from monitor.settings import NetworkSettings
from spiders.address import Address, take_apart, without_secrets

_NAT64 = ip_network("64:ff9b::/96")
_NOT_PUBLIC = (
    ip_network("64:ff9b:1::/48"),  # NAT64 for local use
    ip_network("::/96"),  # IPv4-compatible, long dead
    ip_network("2001::/32"),  # Teredo: the IPv4 address inside is disguised
    ip_network("fec0::/10"),  # site-local
    ip_network("192.88.99.0/24"),  # relays of 6to4
)
_LOOKUPS = 64  # name lookups at the same time
_REMEMBERED = 60.0  # seconds that a resolved name is used again


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """May the world be there? Looks inside addresses that carry an IPv4 address."""
    if isinstance(ip, IPv6Address):
        if (inner := ip.ipv4_mapped or ip.sixtofour) is not None:
            return is_public(inner)
        if ip in _NAT64:
            return is_public(IPv4Address(int(ip) & 0xFFFFFFFF))
    if any(ip.version == net.version and ip in net for net in _NOT_PUBLIC):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


class Guard:
    """The policy of `NetworkSettings`, and the only resolver that requests go through."""

    def __init__(self, network: NetworkSettings) -> None:
        self.network = network
        self._private = {_host_and_port(entry) for entry in network.allow_private}
        self._extra = {_host_and_port(entry) for entry in network.allow_ports}
        self._out = tuple(host.lower() for host in network.opt_out)
        self.gateway = take_apart(network.gateway) if network.gateway else None
        if self.gateway is not None and self.gateway.scheme not in ("http", "https"):
            raise SettingsError("network.gateway", "must be an http: or https: address")
        self._resolved: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._looking: dict[str, asyncio.Future[tuple[str, ...]]] = {}
        self._slots = asyncio.Semaphore(_LOOKUPS)
        # (IP, port) pairs that passed; the socket is made only for these.
        self.approved: set[tuple[str, int]] = set()

    def check(self, url: str) -> Address:
        """Take an address apart; FetchError if it may not be asked, as far as it can be read."""
        address = take_apart(url)
        if self._out and self._opted_out(address.host):
            raise FetchError(
                without_secrets(url),
                "this host does not want to be asked",
                "it is listed in network.opt_out",
                outcome=Outcome.BLOCKED,
            )
        if self._is_own(address.host, address.port):
            return address
        if address.ip is not None and not is_public(address.ip):
            raise self._refusal(address)  # before the port: allowing that would not help
        ports = self.network.ports.get(address.scheme.removeprefix("git+"), ())
        extra = (address.host, address.port) in self._extra or (address.host, 0) in self._extra
        if address.port not in ports and not extra:
            raise FetchError(
                without_secrets(url),
                f"port {address.port} is not one that {address.scheme} is asked on",
                f'add "{address.place}" to network.allow_ports if that is right',
                outcome=Outcome.HOSTILE,
            )
        if not self.network.contact and self.gateway is None:
            raise FetchError(
                without_secrets(url),
                "public servers are not asked without a contact",
                'set network.contact = "mailto:you@your.example", so that they can reach you',
                outcome=Outcome.BLOCKED,
            )
        return address

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses to connect to, all of them allowed. FetchError, or OSError from the DNS."""
        try:
            found: tuple[str, ...] = (str(ip_address(host)),)
        except ValueError:
            found = await self._look_up(host)
        if not self._is_own(host, port) and not all(is_public(ip_address(ip)) for ip in found):
            raise self._refusal(Address("", host, port, "", ""))
        self.approved.update((ip, port) for ip in found)
        return found

    def _is_own(self, host: str, port: int) -> bool:
        if self._private and ((host, port) in self._private or (host, 0) in self._private):
            return True
        gateway = self.gateway
        return gateway is not None and (host, port) == (gateway.host, gateway.port)

    def _opted_out(self, host: str) -> bool:
        return any(
            host.endswith(out) or host == out[1:] if out.startswith(".") else host == out
            for out in self._out
        )

    def _refusal(self, address: Address) -> FetchError:
        return FetchError(
            without_secrets(address.url) if address.scheme else address.place,
            "leads to an address that is not public",
            f'add "{address.place}" to network.allow_private if it is a server of yours',
            outcome=Outcome.HOSTILE,
        )

    async def _look_up(self, host: str) -> tuple[str, ...]:
        known = self._resolved.get(host)
        if known is not None and known[0] > monotonic():
            return known[1]
        async with asyncio.timeout(self.network.connect_timeout):
            future = self._looking.get(host)
            if future is None:
                async with self._slots:
                    if (future := self._looking.get(host)) is None:
                        future = self._start(host)
            # Shielded: others may wait for the same name, and a thread cannot be called back.
            found = await asyncio.shield(future)
        if len(self._resolved) > 4096:
            self._resolved.clear()
        self._resolved[host] = (monotonic() + _REMEMBERED, found)
        return found

    def _start(self, host: str) -> asyncio.Future[tuple[str, ...]]:
        """Ask the system's resolver in a thread of its own.

        A stalled name holds one thread until the system gives up, however often
        it is asked for; threads of a shared pool would all be held in the end.
        """
        loop = asyncio.get_running_loop()
        future = self._looking[host] = loop.create_future()

        def end(found: tuple[str, ...] | None, error: OSError | None) -> None:
            self._looking.pop(host, None)
            if not future.done():
                if error is not None:
                    future.set_exception(error)
                    future.exception()  # nobody may be left to hear of it
                else:
                    future.set_result(found or ())

        def look() -> None:
            found, error = None, None
            try:
                found = self.ask_system(host)
            except OSError as problem:
                error = problem
            except UnicodeError as problem:
                error = OSError(str(problem))
            try:
                loop.call_soon_threadsafe(end, found, error)
            except RuntimeError:
                return  # the loop ended before the resolver did

        threading.Thread(target=look, name=f"resolve {host}", daemon=True).start()
        return future

    def ask_system(self, host: str) -> tuple[str, ...]:
        """What the system's resolver says, in its order. Blocks. OSError where it fails."""
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        return tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def _host_and_port(entry: str) -> tuple[str, int]:
    host, colon, port = entry.rpartition(":")
    host = host.removeprefix("[").removesuffix("]").lower()
    if not colon or not host or not (port == "*" or (port.isascii() and port.isdigit())):
        raise SettingsError(
            f"network: {entry!r}", "must name host and port", 'write "127.0.0.1:8080" or "host:*"'
        )
    try:
        host = str(ip_address(host))
    except ValueError:
        host = host.removesuffix(".")
    return host, 0 if port == "*" else int(port)
