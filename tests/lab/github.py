"""The lab's GitHub: REST releases and tags with paging, validators and limits; Atom; assets.

Sources of the shapes
- docs.github.com, REST reference (version 2022-11-28): "Releases", "List repository tags", "Using
  pagination", "Rate limits", "Best practices" (a 304 is free with a valid token only); facts in
  upstreams.md section 4.5.
- moved repositories: 301 to `/repositories/{id}/…` (REST guide, "Redirects").
There is no recorded answer of GitHub to compare with, so in detail all of this is unverified, most
of all: the order of tags (here by name, downwards), the weak form of ETags, the Atom feeds, the
exact texts of errors.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from tests.lab.answers import Answer, Ask, Clock, LabError, as_json, moved, seconds, tag, weak
from tests.lab.artefacts import make_source_archive, make_tar_gz

DOCS = "https://docs.github.com/rest"
ATOM_ENTRIES = 10
PER_PAGE, MOST_PER_PAGE = 30, 100


@dataclass(slots=True)
class GitTag:
    """A tag and the commit it points to; it may move."""

    name: str
    sha: str
    at: datetime


@dataclass(slots=True)
class GitRelease:
    """A release made from a tag."""

    id: int
    tag: str
    created: datetime
    prerelease: bool = False
    draft: bool = False
    author: str = ""
    assets: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Repository:
    """One repository; `id` stays when the name changes."""

    id: int
    name: str  # owner/name
    licence: str = "MIT"
    packed: int = 6  # level of compression of the archives that are made of tags
    tags: dict[str, GitTag] = field(default_factory=dict)
    releases: dict[str, GitRelease] = field(default_factory=dict)  # by tag


class GitHub:
    """State and answers; `tokens` are the ones it knows, `limits` the requests it allows."""

    def __init__(self, now: Clock) -> None:
        self.repositories: dict[str, Repository] = {}  # by lower-case owner/name
        self.renamed: dict[str, str] = {}
        self.tokens = {"lab-token"}
        self.limits = {False: 60, True: 5000}  # without and with a token, an hour
        self.used = {False: 0, True: 0}
        self.page_limit = MOST_PER_PAGE
        self._now = now
        self._ids = 1000
        self._reset = now() + timedelta(hours=1)

    # what happens

    def publish(
        self,
        project: str,
        version: str,
        files: Mapping[str, bytes] | None,
        at: datetime,
        *,
        prerelease: bool = False,
        draft: bool = False,
        release: bool = True,
        author: str = "",
        licence: str | None = None,
    ) -> None:
        """Add the tag `version` and, unless `release` is False, a release with assets.

        `author` published it, by default the owner; `licence` is the repository's from now on.
        Without `files` a release gets one source archive.
        """
        repository = self.repositories.get(project.lower())
        if repository is None:
            repository = Repository(self._id(), project)
            self.repositories[project.lower()] = repository
        repository.licence = licence or repository.licence
        if version in repository.releases:
            raise LabError(f"{project} {version}: this tag has a release already")
        repository.tags.setdefault(version, GitTag(version, _sha(project, version, at), at))
        if not release:
            return
        if files is None:
            name, bare = project.rpartition("/")[2], version.removeprefix("v")
            files = {f"{name}-{bare}.tar.gz": make_source_archive(name, bare)}
        repository.releases[version] = GitRelease(
            self._id(), version, at, prerelease, draft, author, dict(files)
        )

    def withdraw(self, project: str, version: str | None = None) -> None:
        """Delete a tag with its release, or the whole repository."""
        repository = self.find(project, version)
        if version is None:
            del self.repositories[project.lower()]
            return
        del repository.tags[version]
        repository.releases.pop(version, None)

    def retag(self, project: str, version: str, sha: str | None = None) -> str:
        """Let a tag point to another commit, and return that."""
        found = self.find(project, version).tags[version]
        found.sha = sha or _sha(project, version, self._now(), found.sha)
        return found.sha

    def repack(self, project: str, level: int) -> None:
        """Make archives of tags at another level of compression from now on."""
        self.find(project).packed = level

    def set_prerelease(self, project: str, version: str, flag: bool) -> None:
        """Set or clear the flag of a release."""
        release = self.find(project, version).releases.get(version)
        if release is None:
            raise LabError(f"{project} {version}: the tag has no release")
        release.prerelease = flag

    def rename(self, project: str, name: str) -> None:
        """Give a repository another name; the old one redirects."""
        repository = self.find(project)
        self.repositories[name.lower()] = self.repositories.pop(project.lower())
        self.renamed[project.lower()] = name
        repository.name = name

    def find(self, project: str, version: str | None = None) -> Repository:
        """The repository, which has that tag. Raises LabError."""
        repository = self.repositories.get(project.lower())
        if repository is None:
            raise LabError(f"{project}: no such repository")
        if version is not None and version not in repository.tags:
            raise LabError(f"{project} {version}: no such tag")
        return repository

    def _id(self) -> int:
        self._ids += 1
        return self._ids

    # what is asked: the API

    def answer_api(self, ask: Ask, web: str) -> Answer | None:
        """The API's host; `web` is the address of the site. Counts against the limit."""
        if self._now() >= self._reset:
            self.used, self._reset = {False: 0, True: 0}, self._now() + timedelta(hours=1)
        token = _token(ask.headers.get("authorization", ""))
        known = token in self.tokens
        if not ask.headers.get("user-agent"):
            return _error(403, "Request forbidden by administrative rules.")
        if token is not None and not known:
            return self._with_limits(_error(401, "Bad credentials"), known)
        if self.used[known] >= self.limits[known]:
            return self._with_limits(_error(403, "API rate limit exceeded"), known)
        answer = self._route(ask, web, known) or _error(404, "Not Found")
        if answer.status == 200:
            answer.etag = weak(answer.body)
            answer.headers["Cache-Control"] = (
                "private, max-age=60, s-maxage=60" if known else "public, max-age=60, s-maxage=60"
            )
            answer.headers["Vary"] = "Accept, Authorization, Cookie, X-GitHub-OTP"
        same = answer.etag is not None and answer.etag in ask.headers.get("if-none-match", "")
        if not (same and known):
            self.used[known] += 1
        return self._with_limits(answer, known)

    def _with_limits(self, answer: Answer, known: bool) -> Answer:
        limit, used = self.limits[known], min(self.used[known], self.limits[known])
        answer.headers |= {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(limit - used),
            "X-RateLimit-Used": str(used),
            "X-RateLimit-Reset": str(int(self._reset.timestamp())),
            "X-RateLimit-Resource": "core",
            "X-GitHub-Media-Type": "github.v3; format=json",
        }
        return answer

    def _route(self, ask: Ask, web: str, known: bool) -> Answer | None:
        match [unquote(part) for part in ask.path.strip("/").split("/")]:
            case ["repos", owner, name, *rest]:
                full = f"{owner}/{name}".lower()
                if full in self.renamed and full not in self.repositories:
                    held = self.repositories.get(self.renamed[full].lower())
                    if held is None:
                        return None
                    to = "/".join([f"{ask.base}/repositories/{held.id}", *rest])
                    body = {"message": "Moved Permanently", "url": to, "documentation_url": DOCS}
                    answer = as_json(body, status=301)
                    answer.headers["Location"] = to
                    return answer
                repository = self.repositories.get(full)
            case ["repositories", number, *rest]:
                held_all = self.repositories.values()
                repository = next((r for r in held_all if str(r.id) == number), None)
            case _:
                return None
        if repository is None:
            return None
        match rest:
            case []:
                licence = {"key": repository.licence.lower(), "spdx_id": repository.licence}
                facts = {"id": repository.id, "full_name": repository.name, "private": False}
                home = f"{web}/{repository.name}"
                return _json(facts | {"html_url": home, "license": licence})
            case ["tags"]:
                found = sorted(repository.tags.values(), key=lambda tag: tag.name, reverse=True)
                rows = [_tag_row(ask.base, repository, tag) for tag in found]
                return self._paged(ask, repository, "tags", rows)
            case ["releases"]:
                releases = _releases(repository, drafts=known)
                rows = [_release_row(ask.base, web, repository, r) for r in releases]
                return self._paged(ask, repository, "releases", rows)
            case ["releases", "latest"]:
                for release in _releases(repository, drafts=False):
                    if not release.prerelease:
                        return _json(_release_row(ask.base, web, repository, release))
            case ["releases", "tags", *parts]:
                chosen = repository.releases.get("/".join(parts))
                if chosen and not chosen.draft:
                    return _json(_release_row(ask.base, web, repository, chosen))
            case ["git", "matching-refs", "tags", *parts]:
                prefix = "/".join(parts)
                names = sorted(name for name in repository.tags if name.startswith(prefix))
                return _json([_ref_row(ask.base, repository, repository.tags[n]) for n in names])
        return None

    def _paged(self, ask: Ask, repository: Repository, what: str, rows: list[Any]) -> Answer:
        size = min(max(_whole(ask.query.get("per_page"), PER_PAGE), 1), self.page_limit)
        page = max(_whole(ask.query.get("page"), 1), 1)
        last = max(1, -(-len(rows) // size))
        answer = _json(rows[(page - 1) * size : page * size])

        def link(to: int, rel: str) -> str:
            query = "&".join(
                [f"{key}={quote(value)}" for key, value in ask.query.items() if key != "page"]
                + [f"page={to}"]
            )
            return f'<{ask.base}/repositories/{repository.id}/{what}?{query}>; rel="{rel}"'

        links = []
        if page > 1:
            links.append(link(min(page - 1, last), "prev"))
        if page < last:
            links += [link(page + 1, "next"), link(last, "last")]
        if page > 1:
            links.append(link(1, "first"))
        if links:
            answer.headers["Link"] = ", ".join(links)
        return answer

    # what is asked: the site

    def answer_web(self, ask: Ask) -> Answer | None:
        """The site's host: Atom feeds, assets, the redirect of `releases/latest`."""
        match [unquote(part) for part in ask.path.strip("/").split("/")]:
            case [owner, name, *rest] if repository := self.repositories.get(
                f"{owner}/{name}".lower()
            ):
                pass
            case _:
                return None
        home = f"{ask.base}/{repository.name}"
        match rest:
            case ["releases.atom"]:
                entries = [(r.tag, r.created) for r in _releases(repository, drafts=False)]
                plain = [t for t in repository.tags.values() if t.name not in repository.releases]
                entries += [(t.name, t.at) for t in plain]
                return _atom(home, "releases", "Release notes", repository, entries)
            case ["tags.atom"]:
                entries = [(t.name, t.at) for t in repository.tags.values()]
                return _atom(home, "tags", "Tags", repository, entries)
            case ["releases", "latest"]:
                for release in _releases(repository, drafts=False):
                    if not release.prerelease:
                        return moved(f"{home}/releases/tag/{quote(release.tag)}", 302)
            case ["archive", "refs", "tags", *parts] if parts[-1].endswith(".tar.gz"):
                found = repository.tags.get("/".join(parts).removesuffix(".tar.gz"))
                if found is not None:
                    return Answer(_archive(repository, found), type="application/x-gzip")
            case ["releases", "download", *parts]:
                held = repository.releases.get("/".join(parts[:-1]))
                data = held.assets.get(parts[-1]) if held else None
                if data is not None:
                    return Answer(data, type="application/octet-stream", etag=weak(data))
        return None


def _token(header: str) -> str | None:
    found = re.fullmatch(r"(?i:bearer|token) +(\S+)", header.strip())
    return found[1] if found else (header or None)


def _sha(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode()).hexdigest()


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else otherwise


def _json(value: Any) -> Answer:
    return as_json(value, type="application/json; charset=utf-8")


def _error(status: int, message: str) -> Answer:
    body = {"message": message, "documentation_url": DOCS, "status": str(status)}
    return as_json(body, type="application/json; charset=utf-8", status=status)


def _releases(repository: Repository, *, drafts: bool) -> list[GitRelease]:
    found = [r for r in repository.releases.values() if drafts or not r.draft]
    return sorted(found, key=lambda release: (release.created, release.id), reverse=True)


def _tag_row(base: str, repository: Repository, found: GitTag) -> dict[str, Any]:
    root = f"{base}/repos/{repository.name}"
    return {
        "name": found.name,
        "zipball_url": f"{root}/zipball/refs/tags/{quote(found.name)}",
        "tarball_url": f"{root}/tarball/refs/tags/{quote(found.name)}",
        "commit": {"sha": found.sha, "url": f"{root}/commits/{found.sha}"},
        "node_id": f"REF_{repository.id}_{found.name}",
    }


def _ref_row(base: str, repository: Repository, found: GitTag) -> dict[str, Any]:
    root = f"{base}/repos/{repository.name}/git"
    return {
        "ref": f"refs/tags/{found.name}",
        "node_id": f"REF_{repository.id}_{found.name}",
        "url": f"{root}/refs/tags/{quote(found.name)}",
        "object": {"sha": found.sha, "type": "commit", "url": f"{root}/commits/{found.sha}"},
    }


def _release_row(base: str, web: str, repository: Repository, found: GitRelease) -> dict[str, Any]:
    root, home = f"{base}/repos/{repository.name}", f"{web}/{repository.name}"
    at = seconds(found.created)
    return {
        "url": f"{root}/releases/{found.id}",
        "assets_url": f"{root}/releases/{found.id}/assets",
        "html_url": f"{home}/releases/tag/{quote(found.tag)}",
        "id": found.id,
        "author": {"login": found.author or repository.name.partition("/")[0], "type": "User"},
        "node_id": f"RE_{found.id}",
        "tag_name": found.tag,
        "target_commitish": "main",
        "name": found.tag,
        "draft": found.draft,
        "immutable": False,
        "prerelease": found.prerelease,
        "created_at": at,
        "updated_at": at,
        "published_at": None if found.draft else at,
        "assets": [
            {
                "url": f"{root}/releases/assets/{found.id}{number:03d}",
                "id": int(f"{found.id}{number:03d}"),
                "name": name,
                "label": "",
                "content_type": "application/octet-stream",
                "state": "uploaded",
                "size": len(data),
                "digest": f"sha256:{hashlib.sha256(data).hexdigest()}",
                "download_count": 0,
                "created_at": at,
                "updated_at": at,
                "browser_download_url": (
                    f"{home}/releases/download/{quote(found.tag)}/{quote(name)}"
                ),
            }
            for number, (name, data) in enumerate(found.assets.items())
        ],
        "tarball_url": f"{root}/tarball/{quote(found.tag)}",
        "zipball_url": f"{root}/zipball/{quote(found.tag)}",
        "body": f"{repository.name} {found.tag}",
    }


def _archive(repository: Repository, found: GitTag) -> bytes:
    """The tree of a tag: one folder named after both, with the commit in a global header."""
    name, bare = repository.name.rpartition("/")[2], found.name.removeprefix("v")
    files = {f"{name}-{bare}/README": f"{name} at {found.sha}\n".encode()}
    return make_tar_gz(files, level=repository.packed)


def _atom(
    home: str, what: str, title: str, repository: Repository, entries: list[tuple[str, datetime]]
) -> Answer:
    entries = sorted(entries, key=lambda entry: entry[1], reverse=True)[:ATOM_ENTRIES]
    name = repository.name.rpartition("/")[2]
    page = f"{home}/releases/tag"
    rows = "".join(
        f"  <entry>\n    {tag('id', f'tag:github.com,2008:Repository/{repository.id}/{git_tag}')}\n"
        f"    {tag('updated', seconds(at))}\n"
        f'    <link rel="alternate" type="text/html" href="{page}/{quote(git_tag)}"/>\n'
        f"    {tag('title', git_tag)}\n"
        '    <content type="text">made by the lab</content>\n'
        "    <author><name>lab</name></author>\n  </entry>\n"
        for git_tag, at in entries
    )
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en-US">\n'
        f"  {tag('id', f'tag:github.com,2008:{home}/{what}')}\n"
        f'  <link type="text/html" rel="alternate" href="{home}/{what}"/>\n'
        f'  <link type="application/atom+xml" rel="self" href="{home}/{what}.atom"/>\n'
        f"  {tag('title', f'{title} from {name}')}\n"
        f"  {tag('updated', seconds(entries[0][1]) if entries else '')}\n{rows}</feed>\n"
    ).encode()
    return Answer(body, type="application/atom+xml; charset=utf-8", etag=weak(body))
