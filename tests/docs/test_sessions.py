"""Every command of these pages is run, in order, against the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import need
from tests.docs.gateway import Gateway
from tests.docs.pages import ROOT
from tests.docs.play import Stage
from tests.lab.world import Hand, Places, World

PLAYED = [ROOT / "README.md", *(ROOT / "docs" / name for name in (
    "for-a-laptop.md", "for-a-distribution.md", "for-a-build-farm.md", "first-provider.md",
    "operating.md",
))]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("page", PLAYED, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    need("rsync", "apache2", "nginx", "git")
    home = tmp_path / "home"
    home.mkdir()
    with World() as world, Gateway(world.places) as gateway:
        stage = Stage(home, world.hand, gateway.url)
        try:
            assert stage.play(page) == []
        finally:
            stage.end()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A stage without upstreams."""
    places = Places("", "", "", "", "http://127.0.0.1:9", registry={"pypi_url": ""})
    return Stage(tmp_path, Hand(places), "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("session", "wrong"),
    [
        ("$ echo one\none\n", None),
        ("$ echo one\ntwo\n", "printed something else"),
        ("$ false\n", "ended with 1"),
        ("$ false\n$ echo $?\n1\n", None),
        ("$ false\n$ echo $?\n0\n", "printed something else"),
        ("$ monitor version compare semver 1.0.0 2.0.0\n<\n", None),
        ("$ seq 3\n1\n…\n3\n", None),
        ("$ seq 3\n1\n…\n4\n", "printed something else"),
    ],
)
def test_a_session_that_goes_otherwise_is_found_out(stage, tmp_path, session, wrong):
    page = tmp_path / "page.md"
    page.write_text(f"Text.\n\n```console\n{session}```\n")
    told = stage.play(page)

    assert told == [] if wrong is None else wrong in told[0]


def test_files_folders_and_variables_last_from_block_to_block(stage, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        '```text title="~/d/f.txt"\nhello\n```\n\n'
        "```console\n$ cd ~/d && export A=b\n```\n\n"
        "<!-- test: shell echo more >> f.txt -->\n"
        "```console\n$ cat f.txt; echo $A\nhello\nmore\nb\n```\n\n"
        "<!-- not run: it would fail -->\n```console\n$ false\n```\n"
    )
    assert stage.play(page) == []
