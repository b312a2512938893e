"""What can be set, with its default and the reason for it.

Each field is followed by a sentence or two; `docs/settings.md` and
`config/monitor.toml` are written from them, so there is one place to keep true.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from monitor.plausible import Gate
from monitor.rules import Rules
from monitor.settings.units import Duration, Size

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Rate = Annotated[float, Meta(ge=0)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of a settings file."""


class StateSettings(_Table, frozen=True, kw_only=True):
    """Where the monitor keeps what it knows."""

    dir: str = ""
    """Folder of the database, the lock and the control socket. Empty: the state folder of systemd,
    else `$XDG_STATE_HOME/release-monitor`."""

    @property
    def database(self) -> Path:
        """The one SQLite file."""
        return Path(self.dir) / "monitor.db"


class HostSettings(_Table, frozen=True, kw_only=True):
    """What differs for one host. The table's name is the host, with ":port" where that matters."""

    concurrency: Positive | None = None
    """Requests to this host at the same time, in place of `network.concurrency`."""

    pace: Rate | None = None
    """Requests a second to this host, in place of `network.pace`. 0: no limit."""

    max_body: Size | None = None
    """Largest answer taken from this host, in place of `network.max_body`."""

    max_decompressed: Size | None = None
    """Largest answer of this host once unpacked, in place of `network.max_decompressed`."""

    deadline: Duration | None = None
    """Longest time for one answer of this host, in place of `network.deadline`."""

    retries: Count | None = None
    """Further attempts, in place of `network.retries`."""


class Credential(_Table, frozen=True, kw_only=True):
    """One secret, bound to one origin: it is sent there and nowhere else."""

    origin: str | None = None
    """Scheme, host and port: "https://api.forge.example". A secret without an origin is refused."""

    file: str | None = None
    """File that holds the secret, readable by its owner only; relative to
    `network.credentials_folder`. Left out: the credential's name."""

    header: str = "Authorization"
    """Header that carries it."""

    prefix: str = "Bearer "
    """What stands before the secret in that header."""

    anonymous: bool = False
    """Ask without it where the upstream rejects it; otherwise the source is blocked and says so."""


class NetworkSettings(_Table, frozen=True, kw_only=True):
    """How upstreams are asked: who we are, limits, manners, and what is never done."""

    user_agent: str = "release-monitor"
    """The name we go by; the version and the contact are added."""

    contact: str | None = None
    """Address or page where the people behind an upstream reach you. Registries ask for one and
    block crawlers that have none, so public hosts are not asked without."""

    gateway: str | None = None
    """Address that every HTTP request is sent through, as
    `GATEWAY/<scheme>/<host>/<path>?<query>`. For a laboratory, or a caching proxy."""

    record: str | None = None
    """Folder in which every answer is kept as it came, to be replayed later."""

    replay: str | None = None
    """Folder from which every question is answered; no connection is opened."""

    allow_private: tuple[str, ...] = ()
    """Hosts with port ("127.0.0.1:8080", "mirror.lan:443", "mirror.lan:*") that may be asked
    although their address is private. Everything else that resolves to a private address is
    refused, so that no upstream can send us to a service behind your firewall."""

    ports: dict[str, tuple[Port, ...]] = field(
        default_factory=lambda: {"http": (80,), "https": (443,), "rsync": (873,), "git": (9418,)}
    )
    """Ports that may be asked, by scheme."""

    allow_ports: tuple[str, ...] = ()
    """Public servers on other ports, as "host:port"."""

    opt_out: tuple[str, ...] = ()
    """Hosts that do not want to be asked; a leading dot takes their subdomains along."""

    files: tuple[str, ...] = ()
    """Folders of this machine that `file:` addresses may read."""

    max_body: Size = 512 * 1024 * 1024
    """Largest answer taken over the wire. A larger one ends the visit as hostile."""

    max_decompressed: Size = 2 * 1024 * 1024 * 1024
    """Largest answer once it is unpacked; a small file may unpack to no end."""

    max_headers: Positive = 128
    """Most headers of one answer."""

    max_header: Size = 16 * 1024
    """Largest single header."""

    deadline: Duration = 300.0
    """Longest time for one answer as a whole, redirects included."""

    connect_timeout: Duration = 15.0
    """Longest time until there is a connection, TLS included."""

    stall_timeout: Duration = 30.0
    """Longest time without a single byte."""

    min_rate: Annotated[float, Meta(ge=0, extra={"unit": "size"})] = 1024.0
    """Fewest bytes a second, on average, before an answer is given up as too slow."""

    min_rate_after: Duration = 30.0
    """Time after which `min_rate` is asked for."""

    max_hops: Positive = 5
    """Requests that one question may cost, redirects included. Each target passes the same checks
    as the first."""

    concurrency: Positive = 2
    """Requests to one host at the same time."""

    pace: Rate = 5.0
    """Requests a second to one host. A provider whose upstream states a rule is slower. 0: no
    limit."""

    connections: Positive = 512
    """Requests at the same time, all hosts together."""

    retries: Count = 2
    """Further attempts after a failure that may pass. Each waits for the host's pace like any other
    request."""

    retry_wait: Duration = 0.5
    """Pause before the first further attempt; doubled for each, and varied."""

    retry_wait_max: Duration = 10.0
    """Longest pause before a further attempt."""

    patience: Duration = 10.0
    """Longest pause an upstream may ask for that is waited for in place; for a longer one the visit
    ends as throttled, and the host is left alone until then."""

    spool: Size = 1024 * 1024
    """Answers up to this size are kept in memory, larger ones in a temporary file."""

    hosts: dict[str, HostSettings] = field(default_factory=dict)
    """What is different for single hosts, one table each."""

    credentials: dict[str, Credential] = field(default_factory=dict)
    """Secrets by name, one table each."""

    credentials_folder: str | None = None
    """Folder of the secrets. Left out: the credentials folder of systemd, else `credentials` in the
    configuration folder."""

    ca_file: str | None = None
    """Further certificate authorities (PEM), for own servers. Verification stays on."""

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


class FeedSettings(_Table, frozen=True, kw_only=True):
    """The JSON feed."""

    enabled: bool = True
    """Whether the feed is written at all."""

    dir: str = ""
    """Folder of `feed.json` and its pages, to be served by any web server. Empty: `feed` in the
    state folder."""

    base_url: str | None = None
    """Address under which that folder is served. Without it, links between pages are relative."""

    title: str = "Releases"
    """Title of the feed."""

    page_size: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Events per page. A page is cut by sequence numbers and never rewritten once full."""

    keep: Count = 0
    """How many full pages are kept; older ones are removed, and readers that far behind are told
    so. 0 keeps all."""

    watched_only: bool = False
    """Leave out projects that nobody watches. Otherwise everything is told that the feeds of
    registries tell, which is much. Pages that are full stay as they are."""

    valid: Annotated[float, Meta(ge=60, extra={"unit": "duration"})] = 86400.0
    """How long `feed.json` may be believed. It is issued anew four times within, whether or not
    anything happened, so a reader can tell a quiet day from a mirror that stands still."""

    sign: bool = True
    """Sign the feed with a key of its own (`feed-key` in the state folder), by OpenSSH's
    `ssh-keygen`."""


class QueueSettings(_Table, frozen=True, kw_only=True):
    """The build queue."""

    enabled: bool = True
    """Whether recipes are written and jobs handed out."""

    dir: str = ""
    """Folder of `dockerfiles/all` and `dockerfiles/build`. Empty: `queue` in the state folder."""

    lease: Duration = 3600.0
    """How long a worker may keep a job without a sign of life; afterwards it is free again."""

    attempts: Positive = 3
    """How often a job is tried before it is set aside as failed."""

    pause: Duration = 600.0
    """Time between two attempts at a job; doubled after each."""


class ScheduleSettings(_Table, frozen=True, kw_only=True):
    """What is asked, and when."""

    sweep: Duration = 5.0
    """How often we look for projects that are due."""

    visits: Positive = 50
    """Visits at the same time, all hosts together."""

    min_interval: Duration = 600.0
    """Shortest time between two looks at one project."""

    max_interval: Duration = 7 * 86400.0
    """Longest time between two looks at one project that never changes, or always fails."""

    full_refresh: Duration = 7 * 86400.0
    """How often a project is asked without validators, in case an upstream says "unchanged" when
    it is not."""

    jitter: Share = 0.1
    """Share by which each interval varies, so that a restart does not ask everybody at once."""


class LogSettings(_Table, frozen=True, kw_only=True):
    """What the daemon says."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is worth a line."""

    format: Literal["auto", "text", "json"] = "auto"
    """auto: JSON under systemd, text on a terminal."""


class NotifySettings(_Table, frozen=True, kw_only=True):
    """Who is told, beside the feed (needs the extra `notify`)."""

    urls: tuple[str, ...] = ()
    """Addresses as apprise takes them, e.g. "mailto://…". An
    address without "://" is the name of a file in `network.credentials_folder` that holds one."""

    kinds: tuple[str, ...] = ("released",)
    """Kinds of events that are told."""

    match: tuple[str, ...] = ("*",)
    """Projects that are told about: purls, where `*` stands for anything."""

    stable_only: bool = True
    """Leave pre-releases out."""

    watched_only: bool = True
    """Leave out projects that nobody watches."""


class DaemonSettings(_Table, frozen=True, kw_only=True):
    """The process itself."""

    socket: str = ""
    """Control socket, through which commands reach the daemon. Empty: `control.sock` in the state
    folder."""

    grace: Duration = 20.0
    """Time that visits under way have to finish when the daemon is told to stop."""

    watchdog: Duration = 60.0
    """Longest time without committed progress before the daemon says that it is stuck. systemd's
    own watchdog time wins where it is set."""

    backup_keep: Count = 7
    """Daily backups kept in the state folder; 0 makes none."""


class Source(_Table, frozen=True, kw_only=True):
    """One file in `sources/`: a provider with its settings."""

    provider: str
    """Name of the provider; `monitor providers` lists them."""

    name: str = ""
    """What the source is called. Empty: the name of its file."""

    enabled: bool = True
    """Whether the daemon asks it."""

    settings: dict[str, Any] = {}
    """The provider's own settings: its keyword arguments, e.g. `url` for a mirror."""

    poll: Duration | None = None
    """Time between two looks at its feed. Left out: as the provider says."""

    walk: Duration | None = None
    """Time between two walks over its index. Left out: as the provider says."""

    fresh: Duration | None = None
    """How old its news may be before `monitor status` complains. Left out: as the provider says."""

    min_interval: Duration | None = None
    """Shortest time between two looks at one of its projects, in place of the schedule's."""

    max_interval: Duration | None = None
    """Longest time between two looks at one of its projects, in place of the schedule's."""

    follow: Literal["all", "watched"] = "watched"
    """all: every project that it mentions is looked at. watched: only those in `packages.toml` or
    added by `monitor watch`."""

    traits: bool = True
    """Ask new releases that are watched or built, once each, what they say of themselves: licence,
    who published them, what attests them. It costs a request or three a release."""

    priority: int = 0
    """Where several sources show one project, those of the highest priority are believed: a version
    that only others show is kept and shown, and never called newest."""

    exclusive: bool = False
    """Its projects are its own, as those of a company's index. What another source shows under the
    same name is ignored, and an alarm (dependency confusion)."""

    projects: tuple[str, ...] = ()
    """Projects of this source that are watched, as the upstream spells them."""

    purl: str | None = None
    """Purl type and namespace of its projects ("github", "generic/gnu"), in place of the
    provider's. A mirror keeps the purl of the original."""

    rules: Rules = Rules()
    """How its versions are judged."""


class Package(_Table, frozen=True, kw_only=True):
    """One `[[package]]` in `packages.toml`: something that you ship, and where it comes from."""

    upstream: str | tuple[str, ...]
    """Where it is published: a purl ("pkg:pypi/requests") or a source and a project
    ("github/psf/requests"). Several are asked together."""

    name: str = ""
    """What you call it. Empty: the last part of the first upstream."""

    packaged: str | None = None
    """The version that you ship."""

    skip: tuple[str, ...] = ()
    """Versions that are never proposed, in any spelling; short for `rules.skip`."""

    pin: str | None = None
    """Only these versions are proposed: a series ("4.2") or bounds (">=4.2,<5"); short for
    `rules.pin`."""

    owner: str | None = None
    """Who looks after it."""

    note: str | None = None
    """Anything worth remembering."""

    rules: Rules = Rules()
    """How its versions are judged."""

    @property
    def judged(self) -> Rules:
        """Its rules, with `skip` and `pin` of the package itself."""
        return replace(self.rules, skip=self.rules.skip + self.skip, pin=self.pin or self.rules.pin)

    @property
    def called(self) -> str:
        """Its name: as given, else the last part of its leading upstream."""
        return self.name or self.upstreams[0].rstrip("/").rpartition("/")[2]

    @property
    def upstreams(self) -> tuple[str, ...]:
        """All upstreams, the leading one first."""
        return (self.upstream,) if isinstance(self.upstream, str) else self.upstream


Doubt = Literal[
    "provenance_lost",
    "identity_changed",
    "maintainer_changed",
    "licence_changed",
    "source_moved",
]
"""Kinds of events that may hold a release back."""


class Build(_Table, frozen=True, kw_only=True):
    """One `[[build]]` in `builds.toml`. The first whose `match` fits a project decides."""

    match: str
    """Projects that are meant: a purl without version, where `*` stands for anything."""

    enabled: bool = True
    """false: no recipes for these projects, whatever stands further down."""

    stable_only: bool = True
    """Leave pre-releases out."""

    minimum_age: Duration = 3 * 86400.0
    """How old a release must be, by its upstream's date or our first sight, whichever is later.
    Most malicious releases are found and removed within days."""

    newest_wins: bool = True
    """A newer release takes the place of one that still waits."""

    mark: Literal["auto", "manual"] = "auto"
    """auto: a recipe is marked for building as it is written. manual: `monitor queue mark`."""

    hold: tuple[Doubt, ...] = ("provenance_lost", "identity_changed")
    """Which changes in what a release says of itself hold it back until `monitor unhold`:
    provenance_lost, identity_changed, maintainer_changed, licence_changed, source_moved. All of
    them are told, whatever is held."""

    template: str | None = None
    """Template of the recipe. Left out: the one for the purl type, else the generic archive."""

    base: str | None = None
    """Image that the recipe starts from. Left out: as the template says."""

    priority: int = 0
    """Higher goes first."""


class Builds(_Table, frozen=True, kw_only=True):
    """`builds.toml`: which projects and releases become recipes."""

    high_water: Positive = 1000
    """Waiting jobs above which nothing is added; the rest waits until there is room."""

    settle: Duration = 300.0
    """Time without a new file after which a release counts as complete."""

    build: tuple[Build, ...] = ()
    """The rules, first match first."""


class Settings(_Table, frozen=True, kw_only=True):
    """Everything that is set, from all files."""

    state: StateSettings = StateSettings()
    network: NetworkSettings = NetworkSettings()
    feed: FeedSettings = FeedSettings()
    queue: QueueSettings = QueueSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    gate: Gate = Gate()
    log: LogSettings = LogSettings()
    notify: NotifySettings = NotifySettings()
    daemon: DaemonSettings = DaemonSettings()
    sources: dict[str, Source] = {}
    """By name."""
    packages: tuple[Package, ...] = ()
    builds: Builds = Builds()
    folder: str = ""
    """The configuration folder that this was read from."""
    origins: dict[str, str] = {}
    """Where a value was set: "network.pace" → "monitor.toml:12". What is missing is a default."""
