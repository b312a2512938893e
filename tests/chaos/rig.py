"""A whole monitor to be mistreated: the daemon as a process, the lab's registry, and what users
see of them. Nothing here looks into the store."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from demo.upstreams import write_settings
from tests.lab.registry import Registry
from tests.lab.world import Places
from tests.test_daemon import Process

T = TypeVar("T")


@dataclass
class Rig:
    """`monitor run` on a folder of its own, watching the lab's PyPI and what a test adds."""

    folder: Path
    registry: Registry
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        places = Places(str(self.folder), "", "", "", registry=self.registry.urls())
        write_settings(self.config, places, feed=True, builds=True)
        self.process = Process(self.folder)
        pypi = self.config / "sources" / "pypi.toml"
        pypi.write_text(pypi.read_text().replace('walk = "20s"', 'walk = "2s"'))

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def queue(self) -> Path:
        return self.process.state / "queue" / "dockerfiles"

    def only(self, *names: str) -> None:
        """Leave out all other sources."""
        for file in (self.config / "sources").iterdir():
            if file.stem not in names:
                file.unlink()

    def set(self, text: str) -> None:
        """Add to monitor.toml."""
        file = self.config / "monitor.toml"
        file.write_text(f"{file.read_text()}\n{text}\n")

    def start(self, **environment: str) -> None:
        """Start it, and wait until it has looked at PyPI for the first time."""
        self.process.start(**environment)
        for mechanism in ("feed", "index"):
            self.process.until("visit", source="pypi", mechanism=mechanism, outcome="ok")

    def end(self) -> None:
        """Whatever state it is in."""
        running = self.process.running
        if running is not None and running.poll() is None:
            running.kill()
            running.wait()

    # ── what users see ────────────────────────────────────────────────────────────────

    def json(self, *arguments: str) -> Any:
        """What a command prints."""
        said = self.process.ask(*arguments, "--json")
        assert said.returncode in (0, 3), said.stderr
        return json.loads(said.stdout)

    def lines(self, *arguments: str) -> list[dict[str, Any]]:
        """What a command prints that lists: one object a line."""
        said = self.process.ask(*arguments, "--json")
        assert said.returncode in (0, 3), said.stderr
        return [json.loads(line) for line in said.stdout.splitlines()]

    def items(self) -> list[dict[str, Any]]:
        """All items of the JSON feed, oldest first, page by page as a reader goes."""
        path, found = self.process.state / "feed" / "feed.json", []
        if not path.exists():
            return []
        while True:
            page = json.loads(path.read_text())
            found += page["items"]
            if "next_url" not in page:
                return found[::-1]
            path = path.parent / page["next_url"]

    def told(self, *kinds: str) -> list[tuple[str, str | None, str | None]]:
        """Kind, project and version of the items, oldest first; all, or those of these kinds."""
        facts = [item["_release"] for item in self.items()]
        return [
            (one["kind"], one["project"], one["version"])
            for one in facts
            if not kinds or one["kind"] in kinds
        ]

    def jobs(self) -> dict[str, str]:
        """State by name and version."""
        jobs = self.lines("queue", "list", "--all")
        return {f"{job['purl']}@{job['version']}": job["state"] for job in jobs}

    def files(self, place: str) -> list[str]:
        """Recipes in `all`, `build` or `revoked`."""
        folder = self.queue / place
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def until(self, seen: Callable[[], T], seconds: float = 30) -> T:
        """Wait until that is true, and return it."""
        end = time.monotonic() + seconds
        while not (found := seen()):
            assert time.monotonic() < end, f"{self.told()}\n{self.process.log.read_text()[-6000:]}"
            running = self.process.running
            assert running is None or running.poll() is None, self.process.log.read_text()[-6000:]
            time.sleep(0.1)
        return found

    def visits(self, count: int = 2, source: str = "pypi", mechanism: str = "index") -> None:
        """Wait for so many further visits."""

        def made() -> int:
            facts = {"source": source, "mechanism": mechanism, "event": "visit"}
            return sum(facts.items() <= line.items() for line in self.process.lines())

        before = made()
        self.until(lambda: made() >= before + count)
