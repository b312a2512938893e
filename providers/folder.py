"""Any folder that a web server shows: Apache, nginx, lighttpd, Caddy and their like.

Versions  <url>   the page of one project's folder, with `tree` also the folders in it
Traits    nothing more is asked: is there a signature beside the archive?

With {project} in the address, each project has its folder there. Without, the
address is an Index of all archives found, called as they are, or with
`projects = "folder"` as the folders in the top. By default the project is the
address of its folder; in a folder that several share, the name of its archives
follows: "https://dist.example/pub/#tool". Archives of other names do not count then.

Settings
  url       address of the folder; {project} stands for the project
  tree      follow the folders in it, too
  projects  "name" or "folder", where there is no {project} in the address
  deepest   how many folders down a tree is followed
  ordering  the scheme that versions follow
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, unquote

from msgspec import structs

from monitor.formats import html_listing
from monitor.formats.archives import Signatures, depth_of, releases
from monitor.formats.text import address_of, folder_of
from monitor.model import Finding, Reply, Request
from monitor.protocols import Ask, Provider

TOP = 8  # parts of an address down to the first folder that matters; trees begin about there
PLAIN = ":/?&=%@+~,;!$'()*"  # what stays as it is where a project is an address


def provider(
    url: str = "{project}",
    tree: bool = False,
    projects: str = "name",
    deepest: int = 6,
    ordering: str = "generic",
) -> Provider:
    single = "{project}" in url
    pages = Pages(url if not single else None, tree, depth_of(projects), deepest)
    if url == "{project}":
        ask: Ask = Address(url, pages.read, tree=tree, safe=PLAIN)
    else:
        ask = Ask(url, pages.read, tree=tree)
    return Provider(
        name="folder",
        ordering=ordering,
        index=None if single else ask,
        versions=ask if single else None,
        traits=Signatures(),
        walk=timedelta(hours=12),
        fresh=timedelta(hours=24),
        pace=0.5,
    )


@dataclass(frozen=True, slots=True)
class Address(Ask):
    """The project is an address, perhaps with "#" and the name of its archives."""

    def of(self, project: str) -> Request:
        return structs.replace(Ask.of(self, project.partition("#")[0]), project=project)


@dataclass(frozen=True)
class Pages:
    """Reads the page of a folder, and asks for the folders in it where a tree is wanted."""

    top: str | None  # None: each project has a top of its own
    tree: bool = False
    depth: int | None = None
    deepest: int = 6

    def read(self, reply: Reply) -> Iterator[Finding]:
        """The releases in this folder, then the questions for those below."""
        folder = html_listing.folder(reply)
        here = folder_of(address_of(reply))
        project = reply.request.project
        base = here
        called = project.partition("#")[2] if project and "://" in project else ""
        if self.top and here.startswith(self.top):
            folder.path = unquote(here[len(self.top) :]).strip("/")
            base = self.top
        yield from releases(
            [folder], base, depth=self.depth, project=project, called=called or None
        )
        if self.tree:
            yield from self._below(reply.request, here, folder.folders)

    def _below(self, request: Request, here: str, names: list[str]) -> Iterator[Request]:
        for name in names:
            # A folder that shows up in itself again and again is a link to above.
            path = [*here.split("/"), quote(name)]
            if path.count(quote(name)) <= 3 and len(path) < self.deepest + TOP:
                yield structs.replace(request, url=here + quote(name) + "/")
