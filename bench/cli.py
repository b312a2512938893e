"""How long the commands of a person take, beside an interpreter that does nothing.

Each is a process of its own: CPU (user and system) and wall, the best of five.
`--help`, `list`, `show` and `version` may cost 60 ms more than `python -c
pass`; `check` of one project 0.4 s of CPU in all. The database holds forty
watched projects, the registry is the lab's.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cli.conftest import write_sources
from tests.lab.registry import Registry

ROUNDS = 5
PROJECTS = 40
ABOVE = 0.060
CHECK = 0.4

ROOT = Path(__file__).resolve().parents[1]


def run() -> Iterator[dict[str, Any]]:
    """Every measurement; `ratio` is of ours to the goal's limit for CPU."""
    with tempfile.TemporaryDirectory() as folder, Registry() as registry:
        base = _prepared(Path(folder), registry)
        nothing = cost(["-c", "pass"], Path(folder))
        for name, arguments in {
            "--help": ["--help"],
            "list": [*base, "list"],
            "show": [*base, "show", "project-7"],
            "version": ["version", "compare", "pep440", "1.0", "1.0.0"],
        }.items():
            ours = cost(["-m", "monitor", *arguments], Path(folder))
            for unit, place in (("s CPU", 0), ("s", 1)):
                yield _row(f"monitor {name}", ours[place], nothing[place], unit)
        ours = cost(["-m", "monitor", *base, "check", "pypi/project-7"], Path(folder))
        yield {
            "name": "monitor check, one project",
            "ours": ours[0],
            "other": CHECK,
            "what": "the limit, all of its CPU",
            "unit": "s CPU",
            "ratio": ours[0] / CHECK,
            "goal": 1.0,
            "holds": ours[0] <= CHECK,
            "wall": ours[1],
        }


def _row(name: str, ours: float, nothing: float, unit: str) -> dict[str, Any]:
    limit = nothing + ABOVE
    return {
        "name": name,
        "ours": ours,
        "other": limit,
        "what": f"python -c pass ({nothing:.3f}) and {ABOVE:.3f} more",
        "unit": unit,
        "ratio": ours / limit,
        "goal": 1.0,
        "holds": ours <= limit,
    }


def cost(arguments: list[str], home: Path) -> tuple[float, float]:
    """CPU and wall seconds of one process, the least of several rounds each."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}
    cpu, wall = [], []
    for _ in range(ROUNDS):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [sys.executable, *arguments], env=env, cwd=home, stdout=subprocess.DEVNULL, check=True
        )
        wall.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(cpu), min(wall)


def _prepared(folder: Path, registry: Registry) -> list[str]:
    """A configuration and a database; the global options that name them."""
    names = [f"project-{number}" for number in range(PROJECTS)]
    for name in names:
        for version in ("1.0", "1.1", "2.0rc1"):
            registry.publish("pypi", name, version)
    write_sources(folder / "config", registry)
    base = ["--config", str(folder / "config"), "--state", str(folder / "state")]
    monitor = [sys.executable, "-m", "monitor", *base]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    for arguments in (["watch", *(f"pypi/{name}" for name in names)], ["poll", "pypi"]):
        subprocess.run(
            [*monitor, *arguments], env=env, stdout=subprocess.DEVNULL, check=True, cwd=folder
        )
    return base


if __name__ == "__main__":
    for row in run():
        print(row)
