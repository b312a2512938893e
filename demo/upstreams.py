"""What the demo's daemon is configured with, and what is published while it runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.lab.world import Hand, Places


@dataclass(frozen=True, slots=True)
class Release:
    """One release that the demo publishes.

    `purl` is what the feed will call it. `built`: a recipe and an image are
    expected; `imports`: and a Python module that imports in it.
    """

    upstream: str
    purl: str
    version: str
    publish: Callable[[Hand], object]
    built: bool = False
    imports: bool = False


def releases(places: Places, *, broken_import: bool = False) -> list[Release]:
    """One release at each kind of upstream that the lab could start."""
    body = (
        "raise ImportError('as the demo wants it')\n" if broken_import else "GREETING = 'hello'\n"
    )
    git = purl_name(f"{places.git_url}tool.git") if places.git_url else ""
    found = [
        Release(
            "PyPI",
            "pkg:pypi/aurora",
            "1.0",
            lambda hand: hand.publish("pypi", "aurora", "1.0", source=body),
            built=True,
            imports=True,
        ),
        Release(
            "crates.io",
            "pkg:cargo/lab-demo",
            "0.2.0",
            lambda hand: hand.publish("crates", "lab-demo", "0.2.0"),
        ),
        Release(
            "GitHub",
            "pkg:github/lab/demo",
            "1.1.0",
            lambda hand: hand.publish("github", "lab/demo", "v1.1.0"),
        ),
    ]
    if places.rsync_url and places.apache_url:
        found += [
            Release(
                "rsync listing",
                "pkg:generic/gnu/hello",
                "2.13",
                lambda hand: hand.publish_file("gnu/hello/hello-2.13.tar.gz"),
                built=True,
            ),
            Release(
                "Apache folders",
                "pkg:generic/apache/gtk%2B",
                "3.24.39",
                lambda hand: hand.publish_file("sources/gtk+/3.24/gtk+-3.24.39.tar.gz"),
            ),
        ]
    if places.nginx_url:
        found += [
            Release(
                "ls-lR",
                "pkg:generic/mirror/zlib",
                "1.3.1",
                lambda hand: hand.publish_file("pool/zlib/zlib-1.3.1.tar.gz", on="mirror"),
            ),
            Release(
                "RSS",
                "pkg:generic/news/less",
                "668",
                lambda hand: hand.append_feed("less 668 released"),
            ),
        ]
    if git:
        found.append(Release("git tags", git, "1.2", lambda hand: hand.push_tag("v1.2")))
    return found


def purl_name(address: str) -> str:
    """The purl of a repository at the source `git`."""
    from monitor.sources import purl_of

    return purl_of("generic/git", address)


def write_settings(folder: Path, places: Places, *, feed: bool, builds: bool) -> None:
    """A configuration folder in which everything is asked every second or two."""
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    registry = places.registry
    addresses = [*registry.values(), places.rsync_url, places.apache_url, places.nginx_url,
                 places.git_url]  # fmt: skip
    private = sorted({urlsplit(address).netloc for address in addresses if address})
    (folder / "monitor.toml").write_text(
        f"""
[network]
contact = "demo@example.invalid"
allow_private = {json.dumps(private)}
pace = 50.0

[feed]
enabled = {str(feed).lower()}

[queue]
enabled = {str(builds).lower()}

[schedule]
sweep = "1s"
min_interval = "2s"
"""
    )
    (folder / "builds.toml").write_text(
        """
settle = "0s"

[[build]]
match = "pkg:pypi/*"
minimum_age = "0s"

[[build]]
match = "pkg:generic/gnu/*"
minimum_age = "0s"
"""
    )
    for name, text in _sources(places).items():
        (folder / "sources" / f"{name}.toml").write_text(text)


def _sources(places: Places) -> dict[str, str]:
    registry = places.registry
    found = {
        "pypi": _source(
            "pypi", 'follow = "all"\npoll = "1s"\nwalk = "20s"', url=registry["pypi_url"]
        ),
        "crates": _source(
            "crates",
            'follow = "all"\npoll = "1s"',
            url=registry["crates_index_url"],
            feed=f"{registry['crates_static_url']}/rss/updates.xml",
            api=registry["crates_static_url"],
        ),
        "github": _source(
            "github",
            'projects = ["lab/demo"]\nmin_interval = "5s"',  # its quota is small, as in life
            url=registry["github_api_url"],
            site=registry["github_url"],
        ),
    }
    if places.rsync_url and places.apache_url:
        found["gnu"] = _source(
            "gnu",
            'follow = "all"\nwalk = "2s"',
            url=f"{places.rsync_url}gnu/",
            files=f"{places.apache_url}gnu/",
        )
        found["apache"] = _source(
            "folder", 'walk = "2s"', url=f"{places.apache_url}sources/", tree=True
        )
    if places.nginx_url:
        found["mirror"] = _source("ls_lr", 'walk = "2s"', url=places.ls_lr_url)
        found["news"] = _source("rss", 'poll = "1s"', url=places.feed_url)
    if places.git_url:
        found["git"] = _source("git", f'projects = ["{places.git_url}tool.git"]')
    return found


def _source(provider: str, lines: str, **settings: object) -> str:
    text = f'provider = "{provider}"\n{lines}\n\n[settings]\n'
    return text + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
