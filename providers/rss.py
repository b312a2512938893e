"""Any feed of releases: RSS or Atom whose titles end in, or consist of, a version.

Feed      <url>   the newest entries; a feed shows a window and nothing else

Settings
  url       address of the feed; with {project} in it, the feeds of single projects
  project   whose releases these are, where the titles do not say it
  ordering  the scheme that versions follow
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.formats import archive_names, rss
from monitor.formats.text import checked, unread
from monitor.model import Finding, Partial, Release, Reply
from monitor.protocols import Ask, Provider

SURE = 0.5
# Words between a name and its version.
_NOISE = {"version", "release", "released", "new", "v", "-", "update", "of", "announcing", "stable"}


def provider(url: str, project: str | None = None, ordering: str = "generic") -> Provider:
    titles = Titles(project)
    single = "{project}" in url
    return Provider(
        name="rss",
        ordering=ordering,
        feed=None if single else Ask(url, titles.read),
        versions=Ask(url, titles.read_one, safe="/") if single else None,
    )


@dataclass(frozen=True)
class Titles:
    """Reads each entry's title as a release: "Foo 1.2 released", "v1.2", "foo-1.2.tar.gz"."""

    project: str | None = None

    def read(self, reply: Reply) -> Iterator[Finding]:
        """The releases of the window."""
        for item in rss.items(reply):
            name, version = _split(item.title, reply.request.project or self.project)
            if not name or not version:
                yield unread(item.title, "a title without a version")
                continue
            yield checked(
                Release(
                    name,
                    version,
                    item.published,
                    page=item.link or None,
                    tag=item.title,
                )
            )

    def read_one(self, reply: Reply) -> Iterator[Finding]:
        """The same of one project: what the window leaves out says nothing."""
        yield Partial("a feed shows only the newest releases")
        yield from self.read(reply)


# "name 1.2.3", which needs no thought: what the long way says of it is the same.
_PLAIN = re.compile(
    r"([A-Za-z][A-Za-z0-9+]*(?:[-_][A-Za-z0-9+]+)*) ([0-9]{1,6}(?:\.[0-9]{1,6}){1,3})"
).fullmatch


def _split(title: str, project: str | None) -> tuple[str | None, str | None]:
    """Name and version in a title; what stands before the version is the name."""
    plain = _PLAIN(title)
    if plain and plain[1].lower() not in _NOISE:
        return project or plain[1], plain[2]
    return _split_long(title, project)


def _split_long(title: str, project: str | None) -> tuple[str | None, str | None]:
    words = [word.strip("()[],;:!\"'") for word in title.split()]
    splits = [archive_names.split(word, project=project) for word in words]
    usable = [i for i, s in enumerate(splits) if s.version and s.confidence >= SURE]
    # A dotted word is a version sooner than a bare number is.
    dotted = [i for i in usable if "." in (splits[i].version or "")]
    if not usable:
        return None, None
    at = (dotted or usable)[0]
    before = [word for word in words[:at] if word and word.lower() not in _NOISE]
    return project or splits[at].name or " ".join(before) or None, splits[at].version
