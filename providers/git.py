"""Any git repository: its tags.

Versions  <url>   the tags, as `git ls-remote --tags` lists them

A tag is a version where its name can be read as one; `nightly` is none. Refs
have no dates. A tag that points elsewhere than before shows in its revision:
the commit, also where the tag is annotated.

Settings
  url       address of a repository; {project} stands for the project. By default
            the project is the address itself
  ordering  the scheme that versions follow
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec import structs

from monitor.errors import UsageError
from monitor.formats import git_refs, tags
from monitor.formats.text import checked
from monitor.model import Finding, Ignored, Release, Reply, Request, Unread
from monitor.protocols import Ask, Provider

URLS = (
    r"(?:git\+)?(?P<project>(?:https?|git)://[^?#]+\.git)/?",
    r"git\+(?P<project>https?://[^?#]+)",
)
SCHEMES = ("git", "git+https", "git+http")


def provider(url: str = "{project}", ordering: str = "generic") -> Provider:
    return Provider(
        name="git",
        ordering=ordering,
        versions=Tags(url, read_tags, safe="/" if url != "{project}" else ":/?=&%@+~,;"),
        normalise=lambda project: project.removeprefix("git+").rstrip("/"),
        pace=0.5,
        urls=URLS,
    )


class Tags(Ask):
    """Asks by the scheme that stands for git, however the address was written."""

    def of(self, project: str) -> Request:
        request = Ask.of(self, project)
        scheme = urlsplit(request.url).scheme
        url = f"git+{request.url}" if scheme in ("http", "https") else request.url
        if urlsplit(url).scheme not in SCHEMES:
            raise UsageError(
                project, "is not the address of a repository", "give one with https://"
            )
        return structs.replace(request, url=url)


def read_tags(reply: Reply) -> Iterator[Finding]:
    """A release for each tag that names a version."""
    project = reply.request.project or reply.request.url.removeprefix("git+")
    own = project.rstrip("/").rpartition("/")[2].removesuffix(".git")
    commits: dict[str, str] = {}
    for tag in git_refs.tags(reply):
        if isinstance(tag, Unread):
            yield tag
        else:
            commits[tag[0]] = tag[1]
    found = tags.versions(commits, own)
    yield from (Ignored(name) for name in commits if name not in found)
    for name, version in found.items():
        yield checked(Release(project, version, revision=commits[name], tag=name))
