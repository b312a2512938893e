"""What a provider can answer, and what a transport must do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from urllib.parse import quote

from monitor.model import Finding, Release, Reply, Request, Trait

Reader = Callable[[Reply], Iterator[Finding]]


class Transport(Protocol):
    """Carries a request to its upstream. Raises `FetchError`, never anything else."""

    async def fetch(self, request: Request) -> Reply: ...


class Feed(Protocol):
    """What happened since the cursor? Quick and cheap, but the answer may have gaps."""

    @property
    def read(self) -> Reader: ...
    def since(self, cursor: str | None) -> Request: ...


class Index(Protocol):
    """What is there? Slow but complete, so what is absent is gone."""

    @property
    def read(self) -> Reader: ...
    def all(self) -> Request: ...


class Versions(Protocol):
    """Which versions does this project have? Complete for that one project."""

    @property
    def read(self) -> Reader: ...
    def of(self, project: str) -> Request: ...


class Traits(Protocol):
    """What does this release say of itself? Asked once, of what is watched or built.

    `files`  it is not asked before a file of the release is known
    `late`   seconds after which nothing more comes of a release, where that is long
    `pace`   requests a second, where the upstream states a rule
    `seen`   what its files alone tell
    `of`     what else to ask; an answer that is not there ("gone") says nothing
    `read`   yields `Trait`s
    """

    @property
    def files(self) -> bool: ...
    @property
    def late(self) -> int: ...
    @property
    def pace(self) -> float: ...
    @property
    def read(self) -> Reader: ...
    def seen(self, release: Release) -> Iterable[Trait]: ...
    def of(self, release: Release) -> Iterable[Request]: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """The common case of all three: one address, one reader.

    The address may hold `{cursor}` or `{project}`; `safe` are characters of a
    project's name that stay as they are ("/" for "owner/name").
    """

    url: str
    read: Reader
    accept: str | None = None
    tree: bool = False
    safe: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def since(self, cursor: str | None) -> Request:
        return self._ask(self.url.format(cursor=quote(cursor or "")))

    def all(self) -> Request:
        return self._ask(self.url)

    def of(self, project: str) -> Request:
        return self._ask(self.url.format(project=quote(project, safe=self.safe)), project)

    def _ask(self, url: str, project: str | None = None) -> Request:
        return Request(url, self.accept, project, self.headers, self.tree)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """All that is known about one upstream: which questions it answers, and how.

    `purl`       the purl type (and namespace) of its projects: "pypi", "github", "generic"
    `ordering`   the scheme of `monitor.ordering` that its versions follow
    `normalise`  one spelling per project, as the upstream itself compares names
    `fresh`      how old its news may be before `monitor status` complains
    `urls`       regular expressions (RE2, full match from the start) of addresses it knows, each
                 with a group `project`: how `monitor check URL` and the importers find a provider
    """

    name: str
    ordering: str
    purl: str = "generic"
    feed: Feed | None = None
    index: Index | None = None
    versions: Versions | None = None
    traits: Traits | None = None
    normalise: Callable[[str], str] = str
    poll: timedelta = timedelta(minutes=10)  # the feed
    walk: timedelta = timedelta(hours=24)  # the index
    fresh: timedelta = timedelta(hours=2)
    pace: float = 1.0  # requests a second to one host, where the upstream states a rule
    urls: tuple[str, ...] = ()
    credential: str | None = None  # name of the credential that helps, e.g. "github"
    notes: tuple[str, ...] = field(default=())
