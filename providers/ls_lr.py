"""Any server that publishes a recursive listing of itself: `ls-lR`, `find -ls`.

Index     <url>   the whole server in one file, plain or compressed (gz, bz2, xz)

Debian, Ubuntu, KDE and Apache publish such files; one conditional request says
whether anything changed. The listing's own time gives recent rows their year.

Settings
  url       address of the listing
  files     address of its top folder, where that is not the folder the listing lies in
  under     the part of the listing that counts, e.g. "pool" or "stable"
  projects  "name": projects are called as their archives are;
            "folder": as the folders in the top
  ordering  the scheme that versions follow
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urljoin

from monitor.formats import ls_lr
from monitor.formats.archives import Listing, depth_of
from monitor.protocols import Provider


def provider(
    url: str,
    files: str | None = None,
    under: str = "",
    projects: str = "name",
    ordering: str = "generic",
) -> Provider:
    under = under.strip("/")
    base = (files or urljoin(url, ".")).rstrip("/") + "/" + (under + "/" if under else "")
    return Provider(
        name="ls_lr",
        ordering=ordering,
        index=Listing(url, ls_lr.folders, base, depth_of(projects), under),
        walk=timedelta(hours=6),
        fresh=timedelta(hours=24),
        pace=0.1,
    )
