"""Every command of these pages is run, in order, against the lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import need
from tests.docs.gateway import Gateway
from tests.docs.pages import ROOT
from tests.docs.play import Stage
from tests.lab.world import World

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
