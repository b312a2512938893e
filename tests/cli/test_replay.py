"""`monitor --replay`: every provider answers from what upstreams really said, without any network.

The recorded data lies beside the repository; it is linked into the layout of
docs/recorded-answers.md, and skipped where it is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from spiders.recorded import place_of
from tests.cli.conftest import Cli


@dataclass
class Replay:
    """A folder of answers, and the command that answers from it."""

    cli: Cli
    data: Path

    @property
    def folder(self) -> Path:
        return self.cli.folder / "recorded"

    def answer(self, url: str, *path: str) -> None:
        """That address says what is in this file of the recorded data."""
        file = self.data.joinpath(*path)
        if not file.is_file():
            pytest.skip(f"no {'/'.join(path)} among the recorded data")
        place = place_of(self.folder, url)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(file)

    def source(self, name: str, provider: str, **settings: str) -> None:
        folder = self.cli.config / "sources"
        folder.mkdir(parents=True, exist_ok=True)
        lines = "".join(f'{key} = "{value}"\n' for key, value in settings.items())
        (folder / f"{name}.toml").write_text(f'provider = "{provider}"\n[settings]\n{lines}')

    def __call__(self, *arguments: str):
        self.cli.before = ["--config", str(self.cli.config), "--replay", str(self.folder)]
        return self.cli(*arguments)


@pytest.fixture
def replay(bare: Cli, shared: Path) -> Replay:
    bare.config.mkdir()
    return Replay(bare, shared / "data")


def test_a_crate(replay: Replay):
    replay.source("crates", "crates", url="https://index.example")
    replay.answer("https://index.example/li/bc/libc", "crates", "index-libc")

    said = replay("check", "crates/libc@0.1.0", "--json")

    assert (said.code, said.json["purl"]) == (10, "pkg:cargo/libc")
    assert said.json["versions"] > 10


def test_a_python_project(replay: Replay):
    replay.source("pypi", "pypi", url="https://index.example")
    replay.answer("https://index.example/simple/numpy/", "pypi", "numpy-simple.json")

    said = replay("check", "pkg:pypi/numpy", "--json").json

    assert said["stable"]
    assert said["published"] is None or said["published"].endswith("Z")


def test_the_updates_of_all_python_projects(replay: Replay):
    replay.source("pypi", "pypi", url="https://index.example")
    replay.answer("https://index.example/rss/updates.xml", "pypi", "updates.xml")

    found = replay("ask", "pypi", "--json").lines

    assert sum(one["finding"] == "release" for one in found) >= 20


def test_the_tags_of_a_repository(replay: Replay):
    replay.answer("git+https://forge.example/a/tool.git", "git", "ls-remote.txt")

    said = replay("check", "https://forge.example/a/tool.git", "--json").json

    assert said["versions"] > 0
    assert said["stable"] or said["prerelease"]


@pytest.mark.parametrize("page", ["busybox", "iproute2", "openssh", "lighttpd"])
def test_a_folder_page(replay: Replay, page: str):
    replay.source("files", "folder", url="https://files.example/pub/")
    replay.answer("https://files.example/pub/", "listings", f"{page}.html")

    projects = {
        row["project"] for row in replay("ask", "files", "--index", "--json").lines
        if row["finding"] == "release"
    }  # fmt: skip

    assert projects
    said = replay("check", *(f"files/{name}" for name in sorted(projects)), "--json").lines
    assert all(row["outcome"] in ("nothing newer", "no versions") for row in said)


def test_an_address_that_was_not_recorded_is_answered_with_its_place(replay: Replay):
    replay.source("pypi", "pypi", url="https://index.example")
    replay.folder.mkdir()

    said = replay("check", "pypi/nothing")

    assert said.code in (2, 3)
    assert "index.example/simple/nothing" in said.err
