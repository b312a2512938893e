"""What an importer finds: recipes as their authors wrote them, and where these lead.

A format's reader yields `Recipe`: facts, nothing decided. `monitor.importing.resolving`
turns each into an `Imported`: the best upstream, or the reason why there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["resolved", "lacking", "unresolved"]
"""resolved    the upstream is known, and this version can ask it
lacking     the upstream is known, but this version has no provider for it
unresolved  no upstream; the reason says why"""

Upstream = tuple[str, str]
"""A provider (of this version or a later one) and a project as that upstream spells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What one recipe says. Addresses are expanded; what could not be is `shell.UNKNOWN`.

    `name`          what the packager calls it
    `origin`        "file:line" or "file"
    `version`       the packaged version
    `upstream`      stated outright: a lock file's registry, a configuration's source
    `sources`       addresses of archives, the most important first
    `repositories`  addresses of git repositories
    `hints`         upstreams named beside the sources, such as remote-ids
    `homepage`      addresses of pages for people
    `ours`          an address (or a part) of the packager's own mirror: never an upstream
    `settings`      settings of the provider, beyond its defaults
    `notes`         what the recipe says and we do not carry over
    `reason`        why it has no upstream, where the format itself says so
    """

    name: str
    origin: str
    version: str | None = None
    upstream: Upstream | None = None
    sources: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    hints: tuple[Upstream, ...] = ()
    homepage: tuple[str, ...] = ()
    rules: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None
    notes: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A recipe with its upstream, or with the reason why it has none.

    `packaged`  the version that is shipped
    `upstream`  (provider, project); None: see `reason`
    `purl`      the project's, where the kind of upstream has a purl type
    `rules`     how its versions are judged: arguments of `monitor.rules.Rules`
    `settings`  settings that the provider needs for it, such as the `url` of an own server
    `instead`   an address that this version can ask while it lacks the provider: a git repository
    `reason`    why there is no upstream, or which provider is lacking
    `note`      anything the reader should check: what was not carried over, where it was found
    `origin`    "file:line" or "file"
    """

    name: str
    packaged: str | None = None
    upstream: Upstream | None = None
    purl: str | None = None
    rules: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    owner: str | None = None
    instead: str | None = None
    reason: str | None = None
    note: str | None = None
    origin: str = ""

    @property
    def state(self) -> State:
        """Whether it can be asked for now."""
        if self.upstream is None:
            return "unresolved"
        return "lacking" if self.reason else "resolved"
