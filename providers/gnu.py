"""GNU's file server.

Index     <url>             one recursive rsync listing of all projects
Versions  <url><project>/   the same of one project's folder
Traits    nothing more is asked: is there a signature beside the archive?

A project is a folder of the top; its archives are the releases, and archives of
another name in it (`gcc-core`, `guile-www`) are other products. Signatures,
patches and `…-latest` links are no releases. The server also publishes its
whole tree as a file, https://ftp.gnu.org/tree.json.gz (`tree -Js`), which costs
600 kB where the listing costs several MB: set `tree` to ask that instead.
Downloads belong to the mirrors, which https://ftpmirror.gnu.org/ chooses.

Settings
  url    rsync address of the folder of projects
  files  address under which the files are downloaded
  tree   address of the tree, in place of the listing
"""

from __future__ import annotations

from datetime import timedelta

from monitor.formats import rsync_listing, tree_json
from monitor.formats.archives import Listing, Signatures
from monitor.protocols import Provider

URLS = (
    r"https?://(?:ftp|ftpmirror|alpha)\.gnu\.org/(?:pub/)?(?:gnu/)?(?P<project>[A-Za-z0-9+._-]+)/.*",
    r"rsync://ftp\.gnu\.org/gnu/(?P<project>[A-Za-z0-9+._-]+)(?:/.*)?",
    r"https?://(?:www\.)?gnu\.org/software/(?P<project>[A-Za-z0-9+._-]+)(?:/.*)?",
)


def provider(
    url: str = "rsync://ftp.gnu.org/gnu/",
    files: str = "https://ftp.gnu.org/gnu/",
    tree: str | None = None,
) -> Provider:
    url, files = url.rstrip("/") + "/", files.rstrip("/") + "/"
    whole = (
        Listing(tree, tree_json.folders, files, depth=1, under="gnu")
        if tree
        else Listing(url, rsync_listing.folders, files, depth=1)
    )
    return Provider(
        name="gnu",
        ordering="generic",
        index=whole,
        versions=Listing(url + "{project}/", rsync_listing.folders, files + "{project}/"),
        traits=Signatures(),
        walk=timedelta(hours=24),
        fresh=timedelta(hours=48),
        pace=0.1,
        urls=URLS,
    )
