"""`monitor` as its users call it: arguments in, text and exit code out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.lab.registry import Registry
from tests.lab.world import World

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value that was printed."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def lines(self) -> list[Any]:
        """All JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Cli:
    """Calls the command, in this process (`cli(...)`) or in one of its own (`cli.apart(...)`)."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]
    before: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "config"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def __call__(self, *arguments: str | Path) -> Said:
        from monitor.cli import main

        self.capfd.readouterr()
        argv = ["monitor", *self.before, *map(str, arguments)]
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "argv", argv)
            with pytest.raises(SystemExit) as ended:
                main()
        sys.stdout.flush()
        out, err = self.capfd.readouterr()
        return Said(int(ended.value.code or 0), out, err)

    def argv(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "monitor", *self.before, *map(str, arguments)]

    def apart(self, *arguments: str | Path, **more: Any) -> Said:
        """In a process of its own, with nothing of this one's environment that matters."""
        env = self.environ() | more.pop("env", {})
        done = subprocess.run(
            self.argv(*arguments), cwd=ROOT, env=env, capture_output=True, check=False,
            timeout=60, **more,
        )  # fmt: skip
        return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode())

    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
        }


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """The command on a machine where nothing is configured."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("MONITOR_", "XDG_", "COLUMNS"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("HOME", str(home))
    # The shipped configuration is not there: no test may depend on which sources it names.
    monkeypatch.setattr("monitor.settings.places.shipped", lambda: home / "nothing")
    return Cli(home, monkeypatch, capfd)


@pytest.fixture
def cli(bare: Cli, registry: Registry) -> Cli:
    """The command with the lab's PyPI, crates.io, RubyGems and GitHub as sources."""
    write_sources(bare.config, registry)
    bare.before = ["--config", str(bare.config), "--state", str(bare.state)]
    return bare


@pytest.fixture
def everything(bare: Cli, world: World) -> Cli:
    """The command with all servers of the lab as sources, as in the demo."""
    from demo.upstreams import write_settings

    write_settings(bare.config, world.places, feed=True, builds=True)
    bare.before = ["--config", str(bare.config), "--state", str(bare.state)]
    return bare


def write_sources(config: Path, registry: Registry, more: str = "") -> None:
    """A configuration folder with the registries of the lab."""
    (config / "sources").mkdir(parents=True, exist_ok=True)
    (config / "monitor.toml").write_text(
        f"""{more}
[network]
contact = "tests@example.invalid"
allow_private = ["{urlsplit(registry.pypi_url).netloc}"]
pace = 0
retries = 0

[schedule]
min_interval = "1s"
"""
    )
    (config / "builds.toml").write_text(
        'settle = "0s"\n\n[[build]]\nmatch = "pkg:pypi/*"\nminimum_age = "0s"\n'
    )
    for name, text in {
        "pypi": f'follow = "all"\n[settings]\nurl = "{registry.pypi_url}"\n',
        "crates": f'[settings]\nurl = "{registry.crates_index_url}"\n'
        f'feed = "{registry.crates_static_url}/rss/updates.xml"\n'
        f'api = "{registry.crates_static_url}"\n',
        "rubygems": f'[settings]\nurl = "{registry.rubygems_url}"\n',
        "github": f'[settings]\nurl = "{registry.github_api_url}"\n'
        f'site = "{registry.github_url}"\n',
    }.items():
        (config / "sources" / f"{name}.toml").write_text(f'provider = "{name}"\n{text}')
