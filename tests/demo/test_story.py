"""The demo is the proof of the whole; each stage that is unplugged must be missed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.__main__ import ROOT, UNPLUGGABLE
from pipeline.backends import BackendError, Podman, detect

pytestmark = [pytest.mark.slow, pytest.mark.serial]

MISSED = {
    "publish": "published",
    "daemon": "event",
    "feed": "event",
    "consumer": "told",
    "builds": "recipe",
    "worker": "image",
    "import": "image",
}


def play(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m demo` in a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "demo", "--folder", str(folder), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder for all plays, so that the base image is made once."""
    folder = tmp_path_factory.mktemp("demo")
    try:
        detect(folder / "probe")
    except BackendError as error:
        import os

        if os.environ.get("CI"):
            pytest.fail(f"nothing here builds images: {error}")
        pytest.skip(f"nothing here builds images: {error}")
    yield folder
    left = detect(folder / "state" / "worker")
    if isinstance(left, Podman):
        left.purge()


def test_the_demo_tells_the_whole_story(folder: Path) -> None:
    played = play(folder)

    assert played.returncode == 0, played.stdout + played.stderr
    assert "All of it happened" in played.stdout
    assert "MISSING" not in played.stdout


@pytest.mark.parametrize("stage", UNPLUGGABLE)
def test_the_demo_fails_when_a_stage_is_unplugged(folder: Path, stage: str) -> None:
    played = play(folder, "--unplug", stage, "--deadline", "24", "--json")

    assert played.returncode == 1, played.stdout + played.stderr
    missing = json.loads(played.stdout)["missing"]["pkg:pypi/aurora"]
    assert MISSED[stage] in missing
