"""The settings of everything that leaves this machine: the table `[network]`.

Frozen values without I/O, so that `monitor.settings` can read them from TOML
(msgspec fills and checks them). Sizes are bytes, times are seconds, a host is
written as in an address: "host" or, where the port matters, "host:port".
"""

from __future__ import annotations

import msgspec

__all__ = ["Credential", "HostSettings", "NetworkSettings"]


class HostSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is different for one host. None: as for everyone.

    `concurrency`  requests at the same time
    `pace`         requests a second; 0 for no limit
    `max_body`     bytes of one answer as they come over the wire
    `max_decompressed`  bytes of one answer after its content encoding was undone
    `deadline`     seconds one answer may take as a whole, redirects included
    `retries`      further attempts after the first failed
    """

    concurrency: int | None = None
    pace: float | None = None
    max_body: int | None = None
    max_decompressed: int | None = None
    deadline: float | None = None
    retries: int | None = None


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One secret, bound to one origin: it is sent there and nowhere else.

    `origin`     scheme, host and port: "https://api.forge.example" (the scheme's port if none)
    `file`       where the secret is; relative to the credentials folder. None: its own name
    `header`     the header that carries it
    `prefix`     what stands before the secret in that header
    `anonymous`  ask without it where the upstream rejected it; else the source is blocked
    """

    origin: str | None = None
    file: str | None = None
    header: str = "Authorization"
    prefix: str = "Bearer "
    anonymous: bool = False


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this program behaves towards the servers of others.

    Who we are
    `user_agent`   the name we go by; the version and the contact are added
    `contact`      address or page where operators reach you. Public hosts are not asked without

    Where requests go
    `gateway`      address that takes every HTTP request as GATEWAY/<scheme>/<host>/<path>?<query>
    `record`       folder that keeps a copy of every answer
    `replay`       folder that answers instead of the network
    `allow_private`  "host:port" (or "host:*") of own servers on loopback or private networks
    `ports`        the ports that may be asked, per scheme
    `allow_ports`  "host:port" of public servers on other ports
    `opt_out`      hosts that do not want to be asked; a leading dot takes their subdomains along
    `files`        folders of this machine that file: addresses may read

    Limits of one answer
    `max_body` `max_decompressed` `max_headers` `max_header`  bytes, bytes, count, bytes of one
    `deadline`     seconds as a whole
    `connect_timeout`  seconds until there is a connection, TLS included
    `stall_timeout`    seconds without a byte
    `min_rate` `min_rate_after`  bytes a second on average, asked for after that many seconds
    `max_hops`     requests one question may cost, redirects included

    Manners
    `concurrency` `pace`  at the same time, and a second, for one host
    `connections`  at the same time, for all hosts together
    `retries` `retry_wait` `retry_wait_max`  further attempts; first and longest pause before one
    `patience`     the longest pause that is waited for; for longer ones the visit ends `throttled`
    `spool`        bytes of a body that are kept in memory; larger ones go to a temporary file
    `hosts`        what is different for single hosts, by "host" or "host:port"

    Secrets
    `credentials`  by name; see `Credential`
    `credentials_folder`  where their files are; None: $CREDENTIALS_DIRECTORY, as systemd sets it
    `ca_file`      further certificate authorities (PEM), for own servers. Verification stays on
    """

    user_agent: str = "release-monitor"
    contact: str | None = None

    gateway: str | None = None
    record: str | None = None
    replay: str | None = None
    allow_private: tuple[str, ...] = ()
    ports: dict[str, tuple[int, ...]] = msgspec.field(
        default_factory=lambda: {"http": (80,), "https": (443,), "rsync": (873,), "git": (9418,)}
    )
    allow_ports: tuple[str, ...] = ()
    opt_out: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    max_body: int = 512 * 1024 * 1024
    max_decompressed: int = 2 * 1024 * 1024 * 1024
    max_headers: int = 128
    max_header: int = 16 * 1024
    deadline: float = 300.0
    connect_timeout: float = 15.0
    stall_timeout: float = 30.0
    min_rate: float = 1024.0
    min_rate_after: float = 30.0
    max_hops: int = 5

    concurrency: int = 2
    pace: float = 5.0
    connections: int = 512
    retries: int = 2
    retry_wait: float = 0.5
    retry_wait_max: float = 10.0
    patience: float = 10.0
    spool: int = 1024 * 1024
    hosts: dict[str, HostSettings] = msgspec.field(default_factory=dict)

    credentials: dict[str, Credential] = msgspec.field(default_factory=dict)
    credentials_folder: str | None = None
    ca_file: str | None = None

    def of_host(self, host: str, port: int) -> HostSettings:
        """What holds for this host: its own settings, else those of everyone."""
        own = self.hosts.get(f"{host}:{port}") or self.hosts.get(host)
        return HostSettings(
            **{
                name: getattr(self, name)
                if own is None or getattr(own, name) is None
                else getattr(own, name)
                for name in HostSettings.__struct_fields__
            }
        )
