"""What can be set, with its default and the reason for it.

Each field is followed by a sentence or two; `docs/settings.md` and
`config/monitor.toml` are written from them, so there is one place to keep true.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from monitor.settings.units import Duration, Size

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
Positive = Annotated[int, Meta(ge=1)]
Rate = Annotated[float, Meta(gt=0)]
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
    """What differs for one host. The table's name is the host, with ":port" where it has one."""

    pace: Rate | None = None
    """Requests a second to this host, in place of `network.pace`."""

    per_host: Positive | None = None
    """Requests to this host at the same time, in place of `network.per_host`."""

    credential: str | None = None
    """Name of the file in `network.credentials` that holds the token for this host. A token is sent
    to the host that names it and nowhere else."""

    max_body: Size | None = None
    """Largest answer taken from this host, in place of `network.max_body`."""

    deadline: Duration | None = None
    """Longest time for one answer of this host, in place of `network.deadline`."""


class NetworkSettings(_Table, frozen=True, kw_only=True):
    """How upstreams are asked: manners, limits, and what is never done."""

    user_agent: str = ""
    """What we call ourselves. Empty: `release-monitor/VERSION (+contact)`."""

    contact: str | None = None
    """An address or page where the people behind an upstream reach you. Registries ask for one and
    block crawlers that have none."""

    gateway: str | None = None
    """Address that every HTTP request is sent through, as
    `GATEWAY/<scheme>/<host>/<path>?<query>`. For a laboratory, or a caching proxy."""

    record: str | None = None
    """Folder in which every answer is kept as it came, to be replayed later."""

    replay: str | None = None
    """Folder from which every question is answered; no connection is opened."""

    allow_private: tuple[str, ...] = ()
    """Hosts with port ("127.0.0.1:8080", "mirror.lan:443") that may be asked although their
    address is private. Everything else that resolves to a private address is refused, so that no
    upstream can send us to a service behind your firewall."""

    allow_ports: dict[str, tuple[Port, ...]] = field(
        default_factory=lambda: {
            "http": (80, 8080),
            "https": (443, 8443),
            "rsync": (873,),
            "git": (9418,),
        }
    )
    """Ports that may be asked, by scheme; ports named in `allow_private` are allowed as well."""

    max_body: Size = 64 * 2**20
    """Largest answer taken over the wire. A larger one ends the visit as hostile."""

    max_decompressed: Size = 2 * 2**30
    """Largest answer once it is unpacked; a small file may unpack to no end."""

    deadline: Duration = 300.0
    """Longest time for one answer, from the first byte sent to the last received."""

    connect_timeout: Duration = 10.0
    """Longest time to get a connection."""

    min_rate: Size = 1024
    """Fewest bytes a second, over half a minute, before an answer is given up as stalled."""

    max_redirects: Count = 5
    """Redirects followed for one question; each target passes the same checks as the first."""

    per_host: Positive = 2
    """Requests to one host at the same time."""

    pace: Rate = 2.0
    """Requests a second to one host. A provider may ask for a slower one."""

    retries: Count = 3
    """Further attempts after a failure that may pass. Each waits for the host's pace like any other
    request."""

    concurrency: Positive = 50
    """Requests at the same time, all hosts together."""

    credentials: str = ""
    """Folder with one file per token, readable by its owner only. Empty: the credentials folder of
    systemd, else `credentials` in the configuration folder."""

    hosts: dict[str, HostSettings] = {}
    """One table per host that is asked differently."""


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

    min_interval: Duration = 600.0
    """Shortest time between two looks at one project."""

    max_interval: Duration = 7 * 86400.0
    """Longest time between two looks at one project that never changes, or always fails."""

    full_refresh: Duration = 7 * 86400.0
    """How often a project is asked without validators, in case an upstream says "unchanged" when
    it is not."""

    jitter: Share = 0.1
    """Share by which each interval varies, so that a restart does not ask everybody at once."""


class GateSettings(_Table, frozen=True, kw_only=True):
    """When a complete answer is not believed until a second one agrees."""

    drop_least: Count = 2
    """As many missing versions are always believed."""

    drop_share: Share = 0.1
    """Share of the live versions that may be missing at once."""

    add_most: Positive = 20
    """New versions at once in a project that already has a history."""

    confirm_after: Duration = 900.0
    """Time until the confirming second look."""


class LogSettings(_Table, frozen=True, kw_only=True):
    """What the daemon says."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is worth a line."""

    format: Literal["auto", "text", "json"] = "auto"
    """auto: JSON under systemd, text on a terminal."""


class NotifySettings(_Table, frozen=True, kw_only=True):
    """Who is told, beside the feed (needs the extra `notify`)."""

    urls: tuple[str, ...] = ()
    """Addresses as apprise takes them, e.g. "mailto://…". A name of a file in
    `network.credentials` may stand in for an address that holds a secret."""

    kinds: tuple[str, ...] = ("released",)
    """Kinds of events that are told."""

    match: tuple[str, ...] = ("*",)
    """Projects that are told about: purls, where `*` stands for anything."""

    stable_only: bool = True
    """Leave pre-releases out."""


class DaemonSettings(_Table, frozen=True, kw_only=True):
    """The process itself."""

    socket: str = ""
    """Control socket. Empty: the runtime folder of systemd, else `control.sock` in the state
    folder."""

    grace: Duration = 20.0
    """Time that visits under way have to finish when the daemon is told to stop."""

    watchdog: Duration = 60.0
    """Longest time without committed progress before the daemon says that it is stuck. systemd's
    own watchdog time wins where it is set."""

    backup_keep: Count = 7
    """Daily backups kept in the state folder; 0 makes none."""


class Rules(_Table, frozen=True, kw_only=True):
    """How versions of a source or package are judged. None: as the layer above says."""

    ordering: str | None = None
    """Scheme by which versions compare, in place of the provider's."""


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

    follow: Literal["all", "watched"] = "watched"
    """all: every project that it mentions is looked at. watched: only those in `packages.toml` or
    added by `monitor watch`."""

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
    """Versions that are not to be told about; `*` stands for anything."""

    pin: str | None = None
    """Stay on these versions, e.g. "2.*"; newer ones are shown, but are no news."""

    owner: str | None = None
    """Who looks after it."""

    note: str | None = None
    """Anything worth remembering."""

    rules: Rules = Rules()
    """How its versions are judged."""

    @property
    def upstreams(self) -> tuple[str, ...]:
        """All upstreams, the leading one first."""
        return (self.upstream,) if isinstance(self.upstream, str) else self.upstream


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

    build: tuple[Build, ...] = ()
    """The rules, first match first."""


class Settings(_Table, frozen=True, kw_only=True):
    """Everything that is set, from all files."""

    state: StateSettings = StateSettings()
    network: NetworkSettings = NetworkSettings()
    feed: FeedSettings = FeedSettings()
    queue: QueueSettings = QueueSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    gate: GateSettings = GateSettings()
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
