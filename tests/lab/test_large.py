"""The large inputs look like the small real ones."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from tests.conftest import need
from tests.lab import large
from tests.lab.client import get
from tests.lab.large import PER_FOLDER, ls_lr, rsync_listing, simple_index
from tests.lab.pypi_pages import JSON
from tests.lab.registry import Registry
from tests.lab.servers import Rsyncd
from tests.lab.test_servers import RSYNC_ROW
from tests.lab.test_world import LS_ROW


def test_the_index_is_the_one_that_the_registry_serves(registry: Registry) -> None:
    index = json.loads(simple_index(5000))
    assert len({row["name"] for row in index["projects"]}) == 5000
    registry.many_projects(5000)
    served = get(f"{registry.pypi_url}/simple/", accept=JSON).json()
    assert served.keys() == index.keys()
    assert [row["name"] for row in served["projects"]] == [row["name"] for row in index["projects"]]


@pytest.mark.parametrize("n", [1, PER_FOLDER, 3 * PER_FOLDER + 1])
def test_listings_have_as_many_files_as_asked_for(n: int) -> None:
    for listing, row in ((ls_lr(n), LS_ROW), (rsync_listing(n), RSYNC_ROW)):
        files = [line for line in listing.decode().splitlines() if line.startswith("-")]
        assert len(set(files)) == n
        assert all(row.fullmatch(line) for line in files)


def test_no_two_projects_have_one_name_and_some_have_digits() -> None:
    names = {large._project(n) for n in range(20_000)}
    assert len(names) == 20_000
    assert 0.1 < sum(not name.replace("-", "").isalpha() for name in names) / len(names) < 0.14


def test_listings_are_those_of_the_real_programs(tmp_path: Path) -> None:
    """The same tree on disk, listed by ls and rsync: equal but for sizes of folders and owners."""
    need("rsync")
    ours = rsync_listing(50).decode().splitlines()
    served = tmp_path / "served"
    for line in ours:
        mode, size, day, clock, name = line.split()
        if mode.startswith("d"):
            (served / name).mkdir(parents=True)
        else:
            with (served / name).open("wb") as file:
                file.truncate(int(size))  # sparse: takes no room
            at = datetime.strptime(f"{day} {clock} +0000", "%Y/%m/%d %H:%M:%S %z").timestamp()
            os.utime(served / name, (at, at))
    alone = os.environ | {"LC_ALL": "C", "TZ": "UTC"}
    with Rsyncd(served) as server:
        real = subprocess.run(
            ["rsync", "--list-only", "-r", "--no-h", server.url],
            env=alone,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    assert sorted(line for line in real if line.startswith("-")) == sorted(
        line for line in ours if line.startswith("-")
    )
    listed = subprocess.run(
        ["ls", "-lR", "pool"], cwd=served, env=alone, capture_output=True, text=True, check=True
    ).stdout
    assert "\n\npool/d/data-datadata/0.0.0:\ntotal " in listed
    names = [line.split()[-1] for line in listed.splitlines() if line.startswith("-")]
    assert names == [
        line.split()[-1] for line in ls_lr(50).decode().splitlines() if line.startswith("-")
    ]
