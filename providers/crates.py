"""crates.io, the Rust package registry.

Feed      static.crates.io/rss/updates.xml   the last hour, and never fewer than a hundred versions
Versions  index.crates.io/<shard>/<crate>    one JSON object per line and version
Traits    crates.io/api/v1/crates/<crate>/<version>   licence, who published it, by which workflow

Documented in https://doc.rust-lang.org/cargo/reference/registry-index.html
The last is what https://crates.io/api/openapi.json describes; a version that a workflow published
without a token of a person ("trusted publishing") counts as attested by that workflow.
A yank shows in the index only, not in the feed. Two versions that differ in
build metadata alone cannot both be published.

Settings
  url       address of the sparse index
  feed      address of the feed of new versions
  download  address of the archives; {crate} and {version} are filled in
  api       address of the interface that tells of one version, without /api/v1
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from monitor.formats import rss
from monitor.formats.attestations import ATTESTED, NONE, identity
from monitor.formats.dates import utc
from monitor.formats.text import checked, unread
from monitor.model import About, File, Finding, Partial, Release, Reply, Request, State, Trait
from monitor.protocols import Ask, Provider

DOWNLOAD = "https://static.crates.io/crates/{crate}/{crate}-{version}.crate"
PURL = "cargo"
URLS = (
    r"https?://(?:www\.)?crates\.io/crates/(?P<project>[A-Za-z0-9_-]+)(?:/.*)?",
    r"https?://(?:www\.)?lib\.rs/crates/(?P<project>[A-Za-z0-9_-]+)(?:/.*)?",
    r"https?://docs\.rs/(?:crate/)?(?P<project>[A-Za-z0-9_-]+)(?:/.*)?",
)
# "New crate version published: foo v1.2.0"
_TITLE = re.compile(r"[^:]{1,80}: (\S+) v?(\d\S*)")


def provider(
    url: str = "https://index.crates.io",
    feed: str = "https://static.crates.io/rss/updates.xml",
    download: str = DOWNLOAD,
    api: str = "https://crates.io",
) -> Provider:
    return Provider(
        name="crates",
        ordering="semver",
        purl=PURL,
        feed=Ask(feed, read_updates),
        versions=SparseIndex(url.rstrip("/"), download),
        traits=Traits(api.rstrip("/")),
        normalise=lambda name: name.lower().replace("_", "-"),
        poll=timedelta(minutes=10),
        pace=10.0,
        urls=URLS,
    )


def read_updates(reply: Reply) -> Iterator[Finding]:
    """The newest versions of all crates."""
    for item in rss.items(reply):
        if not (title := _TITLE.fullmatch(item.title)):
            yield unread(item.title, "a title without crate and version")
            continue
        yield checked(Release(title[1], title[2], item.published, page=item.link or None))


class _Line(msgspec.Struct):
    name: str
    vers: str
    cksum: str
    yanked: bool
    pubtime: str | None = None  # optional; filled in for old versions by and by


@dataclass(frozen=True)
class SparseIndex:
    """The index over HTTP: one small file per crate, found by its name alone."""

    url: str
    download: str = DOWNLOAD

    def of(self, project: str) -> Request:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", project):
            raise ValueError(f"{project!r} cannot be the name of a crate")
        name = project.lower()
        match len(name):
            case 1 | 2:
                shard = str(len(name))
            case 3:
                shard = f"3/{name[0]}"
            case _:
                shard = f"{name[:2]}/{name[2:4]}"
        return Request(f"{self.url}/{shard}/{name}", project=project)

    def read(self, reply: Reply) -> Iterator[Finding]:
        """Every version of one crate. A line that cannot be read makes the answer partial."""
        asked = reply.request.project
        good, bad = 0, []
        for line in reply.lines():
            try:
                crate = msgspec.json.decode(line, type=_Line)
            except (msgspec.MsgspecError, RecursionError) as error:
                bad.append(unread(line, str(error)))
                continue
            if asked and crate.name.lower() != asked.lower():
                raise ValueError(f"a line of {crate.name!r} in the file of {asked!r}")
            good += 1
            yield checked(self._release(crate))
        if not good:
            raise ValueError(f"no line can be read; the first: {bad[0].raw[:80] if bad else ''!r}")
        if bad:
            yield from bad
            yield Partial(f"{len(bad)} of {good + len(bad)} lines cannot be read")

    def _release(self, crate: _Line) -> Release:
        address = self.download.format(crate=crate.name, version=crate.vers)
        published = utc(crate.pubtime)
        return Release(
            crate.name,
            crate.vers,
            published=published,
            state=State.YANKED if crate.yanked else State.LISTED,
            files=(File(address, f"sha256:{crate.cksum}", published=published, kind="source"),),
        )


# ── what a release says of itself ─────────────────────────────────────────────────────


class _User(msgspec.Struct):
    login: str


class _Version(msgspec.Struct):
    license: str | None = None
    repository: str | None = None
    published_by: _User | None = None
    trustpub: dict[str, Any] | msgspec.UnsetType | None = msgspec.field(
        default=msgspec.UNSET, name="trustpub_data"
    )


class _Document(msgspec.Struct):
    version: _Version


@dataclass(frozen=True, slots=True)
class Traits:
    """The document of one version."""

    url: str
    files: bool = False
    late: int = 0
    pace: float = 1.0  # https://crates.io/data-access asks for no more

    def seen(self, release: Release) -> Iterator[Trait]:
        """Nothing: a crate is one file, and what it runs when it is built does not show."""
        return iter(())

    def of(self, release: Release) -> Iterator[Request]:
        crate, version = quote(release.project, safe=""), quote(release.version, safe="")
        yield Request(f"{self.url}/api/v1/crates/{crate}/{version}", project=release.project)

    def read(self, reply: Reply) -> Iterator[Finding]:
        found = msgspec.convert(reply.json(), _Document).version
        if found.license:
            yield Trait(About.LICENCE, found.license)
        if found.repository:
            yield Trait(About.SOURCE, found.repository)
        if found.published_by:
            yield Trait(About.UPLOADER, found.published_by.login)
        if found.trustpub is not msgspec.UNSET:
            yield Trait(About.PROVENANCE, ATTESTED if found.trustpub else NONE)
            if found.trustpub:
                yield Trait(About.IDENTITY, identity(found.trustpub))
