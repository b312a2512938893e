"""The program as it is installed: by pip, by pipx, from a checkout, under a systemd that is real.

Runs the blocks of the pages that say `<!-- run by: NAME -->`, word by word.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor import __version__
from tests.conftest import lacking, need
from tests.docs import machine as machines
from tests.docs import wheelhouse
from tests.docs.gateway import Gateway
from tests.docs.machine import Machine
from tests.docs.pages import PAGES, ROOT, Command, blocks
from tests.docs.play import Stage
from tests.lab.world import Hand, World

RUN = {"pipx", "clone", "root", "journal", "remove", "timer"}
"""Who runs what the pages leave to this module."""

pytestmark = [pytest.mark.slow, pytest.mark.serial]

BASE = Path(getattr(sys, "_base_executable", sys.executable))


def sessions(name: str) -> list[tuple[Command, ...]]:
    """The blocks of the pages that this module runs under that name."""
    return [block.commands for page in PAGES for block in blocks(page) if block.by == name]


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout, and the wheels of its dependencies, whose hashes its lock file holds."""
    folder = tmp_path_factory.mktemp("installed")
    folder.chmod(0o755)
    leave = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, folder / "release-monitor", ignore=leave, symlinks=True)
    wheels = wheelhouse.make(folder / "wheels")
    (folder / "release-monitor" / "requirements.lock").write_text(wheelhouse.lock(wheels))
    return folder


@dataclass
class Installed(Stage):
    """A stage on which nothing of this checkout is seen: neither its environment nor its code."""

    wheels: Path = Path()

    @property
    def environ(self) -> dict[str, str]:
        environ = super().environ | wheelhouse.environment(self.wheels)
        for name in ("PYTHONPATH", "PIP_INDEX_URL", "VIRTUAL_ENV"):
            environ.pop(name, None)
        ours = str(Path(sys.executable).parent)
        places = [str(self.home / ".local" / "bin"), str(BASE.parent)]
        places += [place for place in os.environ["PATH"].split(":") if place != ours]
        return environ | {"PATH": ":".join(places), "PIPX_DEFAULT_PYTHON": str(BASE)}

    def said(self, command: str) -> str:
        """What a command prints that ends with 0."""
        done = subprocess.run(
            ["bash", "-ec", command], cwd=self.folder, env=self.environ, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture
def stage(tmp_path: Path, shared_folder: Path) -> Iterator[Installed]:
    """A fresh home beside the checkout."""
    need("rsync", "apache2", "nginx", "git")
    home = tmp_path / "home"
    home.mkdir()
    with World() as world, Gateway(world.places) as gateway:
        made = Installed(home, world.hand, gateway.url, wheels=shared_folder / "wheels")
        made.folder = shared_folder / "release-monitor"
        try:
            yield made
        finally:
            made.end()


def look_at_what_came_along(stage: Installed, python: str) -> None:
    """It is the installed one, and all is there that is no module: settings, units, man page."""
    stage.folder = stage.home
    there = stage.said(f"{python} -c 'import monitor, sys; print(monitor.__file__, sys.prefix)'")
    module, prefix = there.split()
    assert module.startswith(f"{prefix}/lib/")
    assert stage.said("monitor --version").strip() == __version__
    share = Path(prefix) / "share"
    assert stage.said("monitor config check").startswith(f"{share}/release-monitor/config: good")
    assert {path.name for path in (share / "release-monitor" / "systemd").rglob("*.*")} == {
        path.name for path in (ROOT / "systemd").rglob("*.*")
    }
    assert stage.said("monitor man") == (share / "man" / "man1" / "monitor.1").read_text()
    for shell in ("bash", "zsh", "fish"):
        assert "_MONITOR_COMPLETE" in stage.said(f"monitor completion {shell}")


def work(stage: Installed) -> None:
    """It asks, watches, and writes a recipe: the templates are there."""
    stage.hand.publish("pypi", "requests", "2.31.0")
    assert "2.31.0" in stage.said("monitor check pypi/requests")
    config = stage.home / ".config" / "release-monitor"
    (config / "sources").mkdir(parents=True)
    (config / "monitor.toml").write_text('[network]\ncontact = "mailto:you@example.org"\n')
    (config / "sources" / "pypi.toml").write_text('provider = "pypi"\nprojects = ["requests"]\n')
    (config / "builds.toml").write_text(
        'settle = "0s"\n[[build]]\nmatch = "pkg:pypi/*"\nminimum_age = "0s"\n'
    )
    stage.said("monitor poll")
    stage.hand.publish("pypi", "requests", "2.32.0")
    assert "1 release, 0 failed" in stage.said("monitor poll")
    recipes = stage.home / ".local" / "state" / "release-monitor" / "queue" / "dockerfiles" / "all"
    assert [recipe.name for recipe in recipes.iterdir()] == ["requests__2.32.0"]


def test_pipx_installs_all_of_it(stage: Installed) -> None:
    if shutil.which("pipx") is None:
        lacking("pipx is not installed; apt-get install pipx")
    for commands in sessions("pipx"):
        assert stage.session(commands) == []
    look_at_what_came_along(stage, '"$(dirname "$(readlink -f "$(which monitor)")")"/python')
    work(stage)


def test_a_clone_is_set_up_by_the_words_of_the_page(stage: Installed, shared_folder: Path) -> None:
    need("git")
    stage.said("git init -q && git add -A && git -c user.name=x -c user.email=x@x commit -qm x")
    stage.folder = stage.home
    for commands in sessions("clone"):
        given = tuple(
            Command(
                one.text.replace("ADDRESS-OF-THIS-REPOSITORY", f"{shared_folder}/release-monitor"),
                one.output, one.line,
            )
            for one in commands
        )  # fmt: skip
        assert stage.session((*given, Command("monitor --version", (__version__,), 0))) == []
    assert stage.folder == stage.home / "release-monitor"


def test_a_wheel_holds_what_a_machine_without_the_checkout_needs(
    stage: Installed, tmp_path: Path
) -> None:
    stage.said(f"python3 -m pip wheel . --no-deps -w {tmp_path}/dist")
    (wheel,) = (tmp_path / "dist").iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("monitor", "providers", "spiders", "pipeline"):
        here = {
            str(path.relative_to(ROOT))
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }
        assert here - set(names) == set()
    assert not [name for name in names if name.startswith(("tests/", "bench/", "demo/"))]


# ── a machine with systemd ────────────────────────────────────────────────────────────


@dataclass
class There(Stage):
    """A stage in a machine of its own."""

    machine: Machine | None = None
    user: str = "root"

    @property
    def environ(self) -> dict[str, str]:
        assert self.machine is not None
        environ = self.machine.environ(self.user)
        environ |= wheelhouse.environment(Path("/run/shared/wheels"))
        if self.user != "root":
            environ["XDG_RUNTIME_DIR"] = "/run/user/4711"
            environ["PATH"] = f"{self.home}/.local/bin:{environ['PATH']}"
        return environ

    def shell(self) -> list[str]:
        assert self.machine is not None
        words = self.machine.shell()
        return words if self.user == "root" else [
            *words[:-2], "runuser", "-u", self.user, "--", "bash", "-c",
        ]  # fmt: skip


DROP_IN = """
[Service]
IPAddressAllow=127.0.0.1
Environment=MONITOR_NETWORK__GATEWAY={url} MONITOR_NETWORK__PACE=0
WatchdogSec=6
RestartSec=1
"""
"""What is particular to this machine; it is impatient, because the test is."""

EDITOR = """#!/bin/sh
printf '[network]\\ncontact = "mailto:admin@example.org"\\n' > "$1"
"""
"""What the administrator types."""


@pytest.fixture(scope="module")
def machine(
    tmp_path_factory: pytest.TempPathFactory, shared_folder: Path
) -> Iterator[tuple[Machine, Hand, str]]:
    """A machine, a lab that it reaches at the address told, and nothing else."""
    need("rsync", "apache2", "nginx", "git")
    if os.geteuid() != 0:
        pytest.skip("only root can boot a machine of its own")
    if missing := machines.missing():
        get = f"apt-get install {' '.join(machines.DEBIAN_PACKAGES)}"
        lacking(f"{', '.join(missing)} not installed; {get}")
    folder = tmp_path_factory.mktemp("machine")
    version = "import sys; print(sys.version_info[:2], sys.implementation.name)"
    found = subprocess.run(
        ["python3", "-c", version], env={"PATH": machines.PATH}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    here = subprocess.run(
        [sys.executable, "-c", version], capture_output=True, text=True, check=False
    )
    if found.stdout != here.stdout:
        pytest.skip("the python3 of this machine is another than that of the tests")
    try:
        booted = Machine(folder / "root", shared_folder).__enter__()
    except TimeoutError as error:
        lacking(f"no machine can be booted here: {error}")
    try:
        with World() as world, Gateway(world.places, booted.listen()) as gateway:
            yield booted, world.hand, gateway.url
    finally:
        booted.__exit__(None, None, None)


def property_of(machine: Machine, name: str) -> str:
    """What systemd says of the service."""
    return machine.run(f"systemctl show monitor -p {name} --value").stdout.strip()


def test_the_service_of_a_machine_from_installation_to_removal(machine) -> None:
    booted, hand, url = machine
    hand.publish("pypi", "requests", "2.31.0")
    stage = There(Path("/root"), hand, url, machine=booted)
    stage.folder = Path("/root/release-monitor")
    (booted.shared / "editor").write_text(EDITOR)
    (booted.shared / "lab.conf").write_text(DROP_IN.format(url=url))
    prepared = booted.run(
        "set -e; cd /run/shared; cp -r release-monitor /root/; touch /root/before\n"
        "install -m 755 editor /usr/local/bin/editor\n"
        "install -D -m 644 lab.conf /etc/systemd/system/monitor.service.d/lab.conf"
    )
    assert prepared.returncode == 0, prepared.stdout

    # Installed by the words of the page. `systemctl enable --now` returns at READY=1.
    for commands in sessions("root"):
        assert stage.session(commands) == []
    assert property_of(booted, "ActiveState") == "active"
    assert property_of(booted, "User") == "monitor"
    seen = booted.run("monitor status", user="nobody").stdout
    assert seen.startswith("daemon running as another user (process ")
    booted.wait("monitor feed --kind baseline | grep -q pypi")
    assert (
        "no such user" not in booted.run("runuser -u monitor -- monitor watch pypi/requests").stdout
    )
    booted.wait("monitor show requests | grep -q 2.31.0")

    # It lives by its watchdog, which is fed; one that hangs is killed, and started anew.
    first = property_of(booted, "MainPID")
    fed = property_of(booted, "WatchdogTimestampMonotonic")
    booted.wait(f"test $(systemctl show monitor -p WatchdogTimestampMonotonic --value) -gt {fed}")
    booted.run(f"kill -STOP {first}")
    booted.wait(
        f"test $(systemctl show monitor -p NRestarts --value) = 1"
        f" && test $(systemctl show monitor -p MainPID --value) != {first}"
        " && systemctl is-active monitor"
    )
    hand.publish("pypi", "requests", "2.32.0")
    booted.run("runuser -u monitor -- monitor poll pypi")
    booted.wait("monitor feed --kind released | grep -q requests@2.32.0")

    # A reload with settings that are wrong is refused before the daemon hears of it.
    pid = property_of(booted, "MainPID")
    booted.run("echo 'poll = 7' > /etc/release-monitor/sources/broken.toml")
    assert booted.run("systemctl reload monitor").returncode != 0
    assert property_of(booted, "ActiveState") == "active"
    booted.run("printf 'provider = \"crates\"\\n' > /etc/release-monitor/sources/broken.toml")
    reloaded = booted.run("systemctl reload monitor")
    assert reloaded.returncode == 0, reloaded.stdout
    booted.wait('monitor status --json | grep -q \'"source":"broken"\'')
    assert property_of(booted, "MainPID") == pid

    # Logs, as the page looks for them.
    hand.registry.fail(path="/pypi/rss/*", status=200, times=None)  # with nothing in it
    booted.run("runuser -u monitor -- monitor poll pypi")
    booted.wait("journalctl -u monitor -o cat | grep -q rss/updates.xml")
    hand.registry.heal()
    for commands in sessions("journal"):
        assert stage.session(commands) == []

    # Removed: nothing is left of it.
    stage.folder = Path("/root")
    for commands in sessions("remove"):
        assert stage.session(commands) == []
    left = booted.run(
        "find / -xdev -path /root -prune -o -newer /root/before -iname '*monitor*' -print;"
        " getent passwd monitor"
    ).stdout.split()
    assert [path for path in left if not path.startswith("/var/lib/systemd")] == []


def test_the_timer_and_the_daemon_of_one_person(machine) -> None:
    booted, hand, url = machine
    hand.publish("pypi", "flask", "3.0.3")
    stage = There(Path("/home/you"), hand, url, machine=booted, user="you")
    stage.folder = Path("/home/you/release-monitor")
    (booted.shared / "user.conf").write_text(DROP_IN.format(url=url).replace("IPAddress", "#"))
    prepared = booted.run(
        "set -e; useradd --create-home --uid 4711 --shell /bin/bash you; cd /run/shared\n"
        "cp -r release-monitor /home/you/; cd /home/you\n"
        "mkdir -p .config/release-monitor/sources .config/systemd/user\n"
        "for unit in monitor-check monitor; do\n"
        "  install -D /run/shared/user.conf .config/systemd/user/$unit.service.d/lab.conf; done\n"
        "echo 'provider = \"pypi\"\nprojects = [\"flask\"]' | sed 's/.n/\\n/'"
        " > .config/release-monitor/sources/pypi.toml\n"
        "editor .config/release-monitor/monitor.toml; chown -R you: .\n"
        "systemctl start user@4711.service"
    )
    assert prepared.returncode == 0, prepared.stdout
    for name in ("pipx", "timer"):
        for commands in sessions(name):
            assert stage.session(commands) == []

    def manage(words: str) -> subprocess.CompletedProcess[str]:
        return booted.run(f"XDG_RUNTIME_DIR=/run/user/4711 systemctl --user {words}", user="you")

    assert "monitor-check.timer" in manage("list-timers").stdout
    looked = manage("start monitor-check.service")
    assert looked.returncode == 0, looked.stdout
    assert "3.0.3" in booted.run("~/.local/bin/monitor list", user="you").stdout

    # An upstream that fails is no failure of the unit.
    hand.registry.fail(path="/pypi/*", status=503, times=None)
    assert manage("start monitor-check.service").returncode == 0
    hand.registry.heal()

    # Or the daemon.
    booted.run(
        "cd; cp release-monitor/systemd/user/monitor.service .config/systemd/user/", user="you"
    )
    started = manage("enable --now monitor")
    assert started.returncode == 0, started.stdout
    assert "daemon running" in booted.run("~/.local/bin/monitor status", user="you").stdout
