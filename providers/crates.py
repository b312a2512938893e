"""crates.io, the Rust package registry.

Feed      static.crates.io/rss/updates.xml   the last hour, and never fewer than a hundred versions
Versions  index.crates.io/<shard>/<crate>    one JSON object per line and version

Documented in https://doc.rust-lang.org/cargo/reference/registry-index.html
A yank shows in the index only, not in the feed. Two versions that differ in
build metadata alone cannot both be published.

Settings
  url       address of the sparse index
  feed      address of the feed of new versions
  download  address of the archives; {crate} and {version} are filled in
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from monitor.formats import rss
from monitor.formats.dates import utc
from monitor.formats.text import checked, unread
from monitor.model import File, Finding, Partial, Release, Reply, Request, State
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
) -> Provider:
    return Provider(
        name="crates",
        ordering="semver",
        purl=PURL,
        feed=Ask(feed, read_updates),
        versions=SparseIndex(url.rstrip("/"), download),
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
