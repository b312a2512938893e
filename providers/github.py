"""GitHub, and every server that speaks its REST interface.

Versions  /repos/<owner>/<name>/releases, /tags   all pages of both
Traits    /repos/<owner>/<name>, /releases/tags/<tag>   licence, who published a release

Documented in https://docs.github.com/en/rest/releases and /repos#list-repository-tags
A tag without a release is a version, too; only the release has a date, files
and the flag for pre-releases, only the tag the commit. Drafts are left out.
Of every tag GitHub makes an archive when it is asked for; its bytes may change,
its content does not. It is built where a release has no source archive of its own.
Without a token 60 requests an hour are allowed, with one 5000, and then an
unchanged answer costs nothing. A repository that was renamed answers under its
old name, by a redirect, and its pages tell the new one. Its licence is that of
its default branch.

Settings
  url   address of the interface; "https://HOST/api/v3" of an own server
  site  address of the pages for people
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import msgspec
from msgspec import structs

from monitor.errors import UsageError
from monitor.formats import tags
from monitor.formats.dates import utc
from monitor.formats.text import address_of, checked, web_address
from monitor.model import (
    About,
    File,
    Finding,
    Ignored,
    Partial,
    Release,
    Renamed,
    Reply,
    Request,
    Trait,
)
from monitor.protocols import Provider

ACCEPT = "application/vnd.github+json"
HEADERS = (("x-github-api-version", "2022-11-28"),)
PAGE = 100  # the most that a page can hold
PURL = "github"
URLS = (
    r"(?:git\+)?https?://(?:www\.)?github\.com/(?P<project>[A-Za-z0-9-]+/[A-Za-z0-9._-]+?)(?:\.git)?(?:[/?#].*)?",
)
_PROJECT = re.compile(r"[A-Za-z0-9-]{1,100}/[A-Za-z0-9._-]{1,100}")
_LINK = re.compile(r'<([^<>]+)>\s*((?:;\s*\w+\s*=\s*"[^"]*"\s*)*)')


def provider(url: str = "https://api.github.com", site: str = "https://github.com") -> Provider:
    return Provider(
        name="github",
        ordering="generic",
        purl=PURL,
        versions=Repository(url.rstrip("/"), site.rstrip("/")),
        traits=Traits(url.rstrip("/")),
        normalise=str.lower,
        pace=1.0,
        urls=URLS,
        credential="github",
    )


class _Asset(msgspec.Struct):
    name: str
    browser_download_url: str
    size: int | None = None
    digest: str | None = None
    updated_at: str | None = None


class _Release(msgspec.Struct):
    tag_name: str
    draft: bool
    prerelease: bool
    html_url: str | None = None
    published_at: str | None = None
    assets: list[_Asset] = []


class _Commit(msgspec.Struct):
    sha: str
    url: str | None = None


class _Tag(msgspec.Struct):
    name: str
    commit: _Commit


@dataclass(frozen=True)
class Repository:
    """Asks for the releases of a repository, and then for its tags."""

    url: str
    site: str

    def of(self, project: str) -> Request:
        if not _PROJECT.fullmatch(project) or ".." in project.split("/"):
            raise UsageError(project, "is not a repository", "write it as owner/name")
        address = f"{self.url}/repos/{quote(project)}/releases?per_page={PAGE}"
        return Request(address, ACCEPT, project=project, headers=HEADERS)

    def read(self, reply: Reply) -> Iterator[Finding]:
        """A page of releases or of tags, the next page, and after the first the tags."""
        request = reply.request
        project = request.project or ""
        # The address that was asked for says which list this is; a redirect may hide the name.
        asked = urlsplit(request.url)
        if asked.path.endswith("/releases"):
            entries = msgspec.convert(reply.json(), list[_Release])
            page = entries[0].html_url if entries else None
            yield from self._renamed(project, page, f"{self.site}/")
            yield from self._releases(reply, project, entries)
            if "page=" not in asked.query.replace("per_page=", ""):
                address = request.url.replace("/releases?", "/tags?")
                yield structs.replace(request, url=address, headers=HEADERS[:1])
            count = len(entries)
        else:
            found = msgspec.convert(reply.json(), list[_Tag])
            page = found[0].commit.url if found else None
            yield from self._renamed(project, page, f"{self.url}/repos/")
            yield from self._tags(project, found)
            count = len(found)
        if following := _next(reply):
            yield structs.replace(request, url=following)
        elif count >= PAGE and "link" not in reply.headers:
            yield Partial(f"a full page of {PAGE} without a link to the next")

    def _renamed(self, project: str, page: str | None, root: str) -> Iterator[Renamed]:
        """The repository's name in the address of a page, where that is not the one asked for."""
        if page and page.startswith(root):
            name = "/".join(page[len(root) :].split("/")[:2])
            if _PROJECT.fullmatch(name) and name.lower() != project.lower():
                yield Renamed(project, name)

    def _releases(self, reply: Reply, project: str, entries: list[_Release]) -> Iterator[Finding]:
        entries = [entry for entry in entries if not entry.draft]
        versions = tags.versions([entry.tag_name for entry in entries], _name(project))
        for entry in entries:
            if version := versions.get(entry.tag_name):
                yield checked(
                    Release(
                        project,
                        version,
                        published=utc(entry.published_at),
                        page=web_address(address_of(reply), entry.html_url),
                        files=tuple(_files(reply, entry.assets)),
                        prerelease=entry.prerelease,
                        tag=entry.tag_name,
                    )
                )

    def _tags(self, project: str, entries: list[_Tag]) -> Iterator[Finding]:
        commits = {entry.name: entry.commit.sha for entry in entries}
        found = tags.versions(commits, _name(project))
        yield from (Ignored(tag) for tag in commits if tag not in found)
        for tag, version in found.items():
            page = f"{self.site}/{project}/releases/tag/{quote(tag)}"
            made = f"{self.site}/{project}/archive/refs/tags/{quote(tag)}.tar.gz"
            name = f"{_name(project)}-{version}.tar.gz"
            yield checked(
                Release(
                    project,
                    version,
                    page=page,
                    revision=commits[tag],
                    tag=tag,
                    files=(File(made, name=name, kind="generated"),),
                )
            )


class _Licence(msgspec.Struct):
    spdx_id: str | None = None


class _About(msgspec.Struct):
    full_name: str  # every repository has one: what has none is something else
    license: _Licence | None = None


class _Author(msgspec.Struct):
    login: str


class _Authored(msgspec.Struct):
    author: _Author | None = None


@dataclass(frozen=True, slots=True)
class Traits:
    """The repository, and the release of one tag, where there is one."""

    url: str
    files: bool = False
    late: int = 0
    pace: float = 1.0

    def seen(self, release: Release) -> Iterator[Trait]:
        """Nothing: who published what is in none of its files."""
        return iter(())

    def of(self, release: Release) -> Iterator[Request]:
        here = f"{self.url}/repos/{quote(release.project)}"
        tag = quote(release.tag or release.version, safe="")
        for address in (here, f"{here}/releases/tags/{tag}"):
            yield Request(address, ACCEPT, project=release.project, headers=HEADERS)

    def read(self, reply: Reply) -> Iterator[Finding]:
        if "/releases/tags/" in reply.request.url:
            author = msgspec.convert(reply.json(), _Authored).author
            if author:
                yield Trait(About.UPLOADER, author.login)
            return
        found = msgspec.convert(reply.json(), _About)
        # NOASSERTION: there is a licence, and GitHub does not know which.
        if found.license and found.license.spdx_id not in (None, "NOASSERTION"):
            yield Trait(About.LICENCE, str(found.license.spdx_id))


def _name(project: str) -> str:
    return project.rpartition("/")[2]


def _files(reply: Reply, assets: list[_Asset]) -> Iterator[File]:
    for asset in assets:
        if url := web_address(address_of(reply), asset.browser_download_url):
            yield File(
                url,
                digest=asset.digest,
                size=asset.size,
                name=asset.name,
                published=utc(asset.updated_at),
            )


def _next(reply: Reply) -> str | None:
    """The next page (RFC 8288). It must be on the server that was asked: a token goes with it."""
    for address, parameters in _LINK.findall(reply.headers.get("link", "")):
        if re.search(r'\brel\s*=\s*"(?:[^"]* )?next(?: [^"]*)?"', parameters):
            following = str(urljoin(address_of(reply), address))
            here, there = urlsplit(reply.request.url), urlsplit(following)
            if (here.scheme, here.netloc) != (there.scheme, there.netloc):
                raise ValueError(f"the next page is on another server: {there.netloc!r}")
            return following
    return None
