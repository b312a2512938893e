"""A shelf for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.shelf import Shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """An empty store; give it a source with `shelf.add`."""
    found = Shelf(tmp_path)
    yield found
    found.db.close()
