"""A few hundred recipes of each format lead to the upstream they were made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.importing import detect, read
from tests.importing.made import MAKERS, recipes

COUNT = 300


@pytest.mark.parametrize("kind", MAKERS)
def test_recipes_lead_to_their_upstreams(kind: str, tmp_path: Path) -> None:
    missed = []
    for number, (name, text, wanted) in enumerate(recipes(kind, 1, COUNT)):
        path = tmp_path / str(number) / name
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
        assert detect(path) == kind
        [found] = read(path)
        assert found.upstream or found.reason, f"{path} is neither resolved nor explained"
        if found.upstream != wanted:
            missed.append((wanted, found.upstream, found.reason, text))
    assert len(missed) <= COUNT * 0.03, missed[:3]
