"""All servers of the lab together, with something to find on each, and ways to publish more.

    with World() as world:
        world.hand.publish_file("gnu/hello/hello-2.13.tar.gz")

`Places` says where everything is and can be written to a file; `Hand(places)` publishes, also
from another process. Servers that are not installed are left out (`places.absent` says which).

What is served
- rsyncd module "pub" and Apache show the same tree: `gnu/hello`, `gnu/sed`, `sources/gtk+/3.24`.
- nginx shows `mirror/`, with `ls-lR.gz` (by the real ls, in UTC) and `news.xml` (RSS) beside it.
- git over HTTP has `tool.git` with annotated, light and moved tags.
- the registry knows one project in each of PyPI, crates.io and GitHub.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.lab.answers import http_date, tag
from tests.lab.artefacts import make_source_archive
from tests.lab.control import Control
from tests.lab.gitrepo import GitRepo
from tests.lab.registry import Registry
from tests.lab.servers import Apache, GitHttp, Nginx, Rsyncd, Server
from tests.lab.tools import missing

TREE = (
    "gnu/hello/hello-2.10.tar.gz",
    "gnu/hello/hello-2.12.tar.gz",
    "gnu/sed/sed-4.8.tar.gz",
    "gnu/sed/sed-4.9.tar.gz",
    "sources/gtk+/3.24/gtk+-3.24.38.tar.gz",
)
MIRROR = ("pool/less-643.tar.gz", "pool/less-661.tar.gz", "pool/zlib/zlib-1.3.tar.gz")


@dataclass(slots=True)
class Places:
    """Addresses (with a slash at their end where they are folders) and the folders behind them."""

    root: str
    tree: str  # served by rsyncd and Apache
    mirror: str  # served by nginx
    repositories: str  # served over git
    control_url: str = ""
    rsync_url: str = ""
    apache_url: str = ""
    nginx_url: str = ""
    git_url: str = ""
    registry: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)  # programs and their packages

    @property
    def ls_lr_url(self) -> str:
        """The listing of nginx's tree."""
        return f"{self.nginx_url}ls-lR.gz"

    @property
    def feed_url(self) -> str:
        """The RSS feed on nginx."""
        return f"{self.nginx_url}news.xml"

    def save(self, file: Path) -> None:
        """Write everything as JSON, at once."""
        beside = file.with_name(file.name + ".new")
        beside.write_text(json.dumps(asdict(self), indent=1) + "\n")
        beside.replace(file)

    @classmethod
    def load(cls, file: Path) -> Places:
        """Read what `save` wrote."""
        return cls(**json.loads(file.read_text()))


class Hand:
    """Publishes in a running world, from this process or another."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.registry = Control(places.control_url)

    def publish(self, ecosystem: str, project: str, version: str, **more: Any) -> None:
        """Publish in a registry; see `Registry.publish`."""
        self.registry.publish(ecosystem=ecosystem, project=project, version=version, **more)

    def publish_file(
        self, path: str, data: bytes | None = None, *, on: str = "tree", at: datetime | None = None
    ) -> Path:
        """Put a file and its signature into the tree of rsyncd and Apache, or nginx ("mirror").

        Without `data` an archive is made for a name such as "hello-2.13.tar.gz".
        """
        place = Path(self.places.tree if on == "tree" else self.places.mirror) / path
        if data is None:
            name, _, version = place.name.removesuffix(".tar.gz").rpartition("-")
            data = make_source_archive(name, version)
        place.parent.mkdir(parents=True, exist_ok=True)
        for target, content in ((place, data), (place.with_name(place.name + ".sig"), b"sig\n")):
            beside = target.with_name(f".{target.name}.new")  # never seen half written
            beside.write_bytes(content)
            if at is not None:
                os.utime(beside, (at.timestamp(), at.timestamp()))
            beside.replace(target)
        if on == "mirror":
            self.refresh_listing()
        return place

    def withdraw_file(self, path: str, *, on: str = "tree") -> None:
        """Remove a file and its signature."""
        place = Path(self.places.tree if on == "tree" else self.places.mirror) / path
        place.unlink()
        place.with_name(place.name + ".sig").unlink(missing_ok=True)
        if on == "mirror":
            self.refresh_listing()

    def refresh_listing(self) -> None:
        """Write `ls-lR.gz` anew, as mirrors do after each change."""
        folder = Path(self.places.mirror)
        listing = subprocess.run(
            ["ls", "-lR", "--ignore=ls-lR.gz*"],
            cwd=folder,
            env=os.environ | {"LC_ALL": "C", "TZ": "UTC"},
            capture_output=True,
            check=True,
        ).stdout
        beside = folder / ".ls-lR.gz.new"
        beside.write_bytes(gzip.compress(listing, mtime=0))
        beside.replace(folder / "ls-lR.gz")

    def push_tag(self, name: str, repository: str = "tool.git", *, annotated: bool = True) -> str:
        """Make or move a tag; the commit's object id is returned."""
        return GitRepo(Path(self.places.repositories) / repository).tag(name, annotated=annotated)

    def append_feed(self, title: str, at: datetime | None = None, *, keep: int = 20) -> None:
        """Put an entry on top of the feed, which keeps the newest `keep`."""
        folder = Path(self.places.mirror)
        entries = folder / ".news.json"
        held = json.loads(entries.read_text()) if entries.exists() else []
        when = http_date(at or datetime.now(UTC))
        held = [[title, when], *held][:keep]
        _replace(entries, json.dumps(held))
        news = f"{self.places.nginx_url}news"
        items = "".join(
            f"<item>{tag('title', title)}{tag('link', f'{news}/{quote(title)}')}"
            f'<guid isPermaLink="false">{escape(title)}</guid>{tag("pubDate", when)}</item>'
            for title, when in held
        )
        _replace(
            folder / "news.xml",
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel>'
            f"<title>News of the lab</title>{tag('link', self.places.nginx_url)}"
            f"<description>Releases</description>{items}</channel></rss>\n",
        )


def _replace(file: Path, text: str) -> None:
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text)
    beside.replace(file)


class World:
    """Starts every server that is installed, fills it, and ends all when the block is left."""

    def __init__(self, folder: Path | None = None) -> None:
        self._own = folder is None
        root = folder or Path(tempfile.mkdtemp(prefix="lab-world-"))
        self.places = Places(
            str(root), str(root / "tree"), str(root / "mirror"), str(root / "repositories")
        )
        for path in (self.places.tree, self.places.mirror, self.places.repositories):
            Path(path).mkdir(parents=True, exist_ok=True)
        self.registry = Registry()
        self.servers: dict[str, Server] = {}
        self._stack = contextlib.ExitStack()

    @property
    def hand(self) -> Hand:
        """Publishes here."""
        return Hand(self.places)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if self._own:
            shutil.rmtree(self.places.root, ignore_errors=True)

    def _start(self) -> None:
        places = self.places
        self._stack.enter_context(self.registry)
        places.registry, places.control_url = self.registry.urls(), self.registry.control_url
        places.absent = missing()
        tree, mirror = Path(places.tree), Path(places.mirror)
        wanted: dict[str, Callable[[], Server]] = {
            "rsync": lambda: Rsyncd(tree),
            "apache": lambda: Apache(tree),
            "nginx": lambda: Nginx(mirror),
            "git": lambda: GitHttp(Path(places.repositories)),
        }
        for name, make in wanted.items():
            server = make()
            if server.program in places.absent:
                continue
            self.servers[name] = self._stack.enter_context(server)
            setattr(places, f"{name}_url", server.url)
            places.pids[name] = server.pid
        self._fill()

    def _fill(self) -> None:
        hand, now = self.hand, datetime.now(UTC)
        for age, path in enumerate(reversed(TREE)):
            hand.publish_file(path, at=now - timedelta(days=30 + 100 * age))
        for age, path in enumerate(reversed(MIRROR)):
            hand.publish_file(path, on="mirror", at=now - timedelta(days=30 + 100 * age))
        hand.append_feed("less 643 released", now - timedelta(days=200))
        hand.append_feed("less 661 released", now - timedelta(days=20))
        if "git" not in self.places.absent:
            repository = GitRepo(Path(self.places.repositories) / "tool.git")
            repository.tag("v1.0", at=now - timedelta(days=90))
            repository.tag("v1.1-rc1", annotated=False, at=now - timedelta(days=40))
            repository.tag("v1.1", at=now - timedelta(days=30))
        old = now - timedelta(days=60)
        for version in ("1.0", "1.1"):
            self.registry.publish("pypi", "Lab-Demo", version, at=old)
        self.registry.publish("crates", "lab-demo", "0.1.0", at=old)
        self.registry.publish("github", "lab/demo", "v1.0.0", at=old)
