"""Any server that speaks rsync.

Index     <url>             one recursive listing of the module or folder
Versions  <url><project>/   the same of one folder in it
Traits    nothing more is asked: is there a signature beside the archive?

Settings
  url       rsync address of the module or folder
  files     address under which the files are downloaded, where it is another
  projects  "name": projects are called as their archives are;
            "folder": as the folders in the top
  ordering  the scheme that versions follow
"""

from __future__ import annotations

from datetime import timedelta

from monitor.formats import rsync_listing
from monitor.formats.archives import Listing, Signatures, depth_of
from monitor.protocols import Provider

URLS = (r"(?P<project>rsync://.+)",)


def provider(
    url: str, files: str | None = None, projects: str = "name", ordering: str = "generic"
) -> Provider:
    if not url.startswith("rsync://"):
        raise ValueError(f"url: {url!r} does not begin with rsync://")
    url = url.rstrip("/") + "/"
    base = (files or url).rstrip("/") + "/"
    return Provider(
        name="rsync",
        ordering=ordering,
        index=Listing(url, rsync_listing.folders, base, depth_of(projects)),
        versions=Listing(url + "{project}/", rsync_listing.folders, base + "{project}/"),
        traits=Signatures(),
        walk=timedelta(hours=24),
        fresh=timedelta(hours=48),
        pace=0.1,
        urls=URLS,
    )
