"""RubyGems, the registry of Ruby, and every server that speaks its compact index.

Feed      /versions     what was appended to the list of all versions since the last look
Index     /versions     the whole list: each gem, with the digest of its page
Versions  /info/<gem>   a line for each version and platform, with digest and date

Documented in https://guides.rubygems.org/rubygems-org-compact-index-api
The list grows during the month and is written anew on its first day, one line
for each gem; then nothing of it says what is news, and what follows the source
is asked. A yank is appended too ("-1.2"), and takes the version out of the page
of its gem, which is asked at once: it is missing there, then withdrawn. A
version may come for many platforms, one after the other.

Settings
  url  address of the server
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from monitor.errors import UsageError
from monitor.formats import growing
from monitor.formats.dates import utc
from monitor.formats.text import checked, is_name, is_version, unread
from monitor.model import Cursor, File, Finding, Mention, Partial, Release, Reply, Request, Unread
from monitor.protocols import Provider

PURL = "gem"
URLS = (
    r"https?://(?:www\.)?rubygems\.org/gems/(?P<project>[A-Za-z0-9._-]+?)(?:/.*)?",
    r"https?://(?:www\.)?rubygems\.org/info/(?P<project>[A-Za-z0-9._-]+)",
)
BATCH = 5000
BAD_SHARE = 0.01  # of lines that may be unread in bulk
_GEM = re.compile(r"[A-Za-z0-9._-]{1,200}").fullmatch
_DIGEST = re.compile(r"[0-9a-f]{32}").fullmatch
_HEAD = re.compile(rb"(?:[^\n]*\n){0,20}?---\n")

Row = tuple[str, str | None, int | None, str | None, str | None]


def provider(url: str = "https://rubygems.org") -> Provider:
    url = url.rstrip("/")
    return Provider(
        name="rubygems",
        ordering="gem",
        purl=PURL,
        feed=Appendix(url + "/versions"),
        index=List(url + "/versions"),
        versions=Page(url),
        poll=timedelta(minutes=5),
        pace=5.0,
        urls=URLS,
    )


@dataclass(frozen=True)
class Appendix:
    """Asks for the end of the list."""

    url: str

    def since(self, cursor: str | None) -> Request:
        return growing.since(self.url, cursor)

    def read(self, reply: Reply) -> Iterator[Finding]:
        """A release for each version that was appended, a mention of each gem with a yank."""
        found = growing.appended(reply)
        if found is None:
            yield growing.since(self.url, None)
            return
        if reply.status != 206:
            _begin(reply)
        for line in found.text.decode("utf-8", "replace").splitlines():
            entry = _entry(line)
            if isinstance(entry, Unread):
                yield entry
                continue
            name, versions, _ = entry
            for said in versions.split(","):
                version, _ = _parted(said.removeprefix("-"))
                if said.startswith("-"):
                    yield checked(Mention(name))
                else:
                    yield checked(Release(name, version))
        yield found.cursor
        if found.anew is not None:
            yield Partial(found.anew)


@dataclass(frozen=True)
class List:
    """Asks for all of the list. Of a gem that stands in it several times the last digest holds."""

    url: str

    def all(self) -> Request:
        return Request(self.url)

    def read(self, reply: Reply) -> Iterator[Finding]:
        """A mention of each gem; a line that cannot be read is an `Unread`.

        Raises ValueError for what is no such list, or not a whole one.
        """
        bad: list[Unread] = []
        yield from (Mention(name, digest) for name, digest in _gems(reply, bad).items())
        yield from bad

    def bulk(self, reply: Reply) -> Iterator[list[Row] | Cursor]:
        """The same as rows; see `providers`."""
        bad: list[Unread] = []
        rows: list[Row] = [
            (name, None, None, digest, None) for name, digest in _gems(reply, bad).items()
        ]
        if len(bad) > BAD_SHARE * len(rows) + 3:
            raise ValueError(f"{len(bad)} of {len(rows) + len(bad)} lines cannot be read")
        for start in range(0, len(rows), BATCH):
            yield rows[start : start + BATCH]


@dataclass(frozen=True)
class Page:
    """Asks for the page of one gem."""

    url: str

    def of(self, project: str) -> Request:
        if not _GEM(project) or project in (".", ".."):
            raise UsageError(project, "cannot be the name of a gem", "letters, digits and ._-")
        return Request(f"{self.url}/info/{quote(project)}", project=project)

    def read(self, reply: Reply) -> Iterator[Finding]:
        """Every version of one gem, with a file for each platform.

        A line that cannot be read makes the answer partial.
        """
        project = reply.request.project or ""
        _begin(reply)
        files: dict[str, list[File]] = {}
        bad: list[Unread] = []
        for raw in reply.body:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if (parsed := self._file(project, line)) is None:
                bad.append(unread(line, "not a version of a gem"))
            else:
                files.setdefault(parsed[0], []).append(parsed[1])
        for version, its in files.items():
            dates = [file.published for file in its if file.published is not None]
            yield checked(
                Release(project, version, published=min(dates, default=None), files=tuple(its))
            )
        if bad:
            yield from bad
            yield Partial(f"{len(bad)} lines cannot be read")

    def _file(self, project: str, line: str) -> tuple[str, File] | None:
        """The version and the file of a line: "1.2-java dep:>= 1|checksum:…,created_at:…"."""
        head, bar, more = line.partition("|")
        full, space, _ = head.partition(" ")
        version, platform = _parted(full)
        if not bar or not space or not is_version(full):
            return None
        said = dict(_pair(part) for part in more.split(","))
        digest = said.get("checksum", "")
        published: datetime | None = utc(said.get("created_at"))
        name = f"{project}-{full}.gem"
        return version, File(
            f"{self.url}/gems/{quote(name)}",
            f"sha256:{digest}" if re.fullmatch(r"[0-9a-f]{64}", digest) else None,
            name=name,
            published=published,
            kind="source" if platform is None else "binary",
        )


def _gems(reply: Reply, bad: list[Unread]) -> dict[str, str]:
    """The digest of each gem's page, as the list has it; `bad` takes what cannot be read."""
    _begin(reply)
    found: dict[str, str] = {}
    raw = b"\n"
    for raw in reply.body:
        entry = _entry(raw.decode("utf-8", "replace").rstrip("\n"))
        if isinstance(entry, Unread):
            bad.append(entry)
        else:
            found[entry[0]] = entry[2]
    if not raw.endswith(b"\n"):
        raise ValueError("the list ends within a line")
    return found


def _begin(reply: Reply) -> None:
    """Go to the first line behind the header. Raises ValueError where there is none."""
    reply.body.seek(0)
    head = _HEAD.match(reply.body.read(4096))
    if head is None:
        raise ValueError("not a compact index: no line of dashes ends its header")
    reply.body.seek(head.end())


def _entry(line: str) -> tuple[str, str, str] | Unread:
    """Name, versions and digest. A name may begin with a dash or a dot, or be one."""
    name, first, rest = line.partition(" ")
    versions, last, digest = rest.rpartition(" ")
    whole = first and last and versions and _DIGEST(digest) and "\ufffd" not in line
    if not whole or not is_name(name):
        return unread(line, "not a gem with its versions and a digest")
    return name, versions, digest


def _parted(full: str) -> tuple[str, str | None]:
    """Version and platform: "1.15.0-x86_64-linux" is 1.15.0 for x86_64-linux."""
    version, dash, platform = full.partition("-")
    return version, platform if dash else None


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name, value
