"""The units: systemd takes them, and they keep the daemon in."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.settings import DaemonSettings
from monitor.settings.units import duration

FOLDER = Path(__file__).resolve().parent.parent / "systemd"
UNITS = sorted(p for p in FOLDER.rglob("*") if p.suffix in {".service", ".timer"})
SERVICES = [p for p in UNITS if p.suffix == ".service"]
PROGRAM = re.compile(r"(/opt/release-monitor/bin|%h/\.local/bin)/monitor")

analyse = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")


def settings_of(path):
    """The lines of a unit as (section, key) → values."""
    found, section = {}, ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault((section, key), []).append(value)
    return found


def installed(path, folder):
    """That unit with a program that is there, as after an installation."""
    target = folder / path.name
    target.write_text(PROGRAM.sub("/bin/true", path.read_text()))
    return target


@analyse
@pytest.mark.parametrize("user", [False, True], ids=["system", "user"])
def test_systemd_finds_nothing_wrong(tmp_path, monkeypatch, user):
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    units = [installed(p, tmp_path) for p in UNITS if (p.parent.name == "user") is user]
    command = ["systemd-analyze", "verify", "--man=no", f"--{'user' if user else 'system'}", *units]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@analyse
def test_the_service_is_sandboxed(tmp_path):
    unit = installed(FOLDER / "monitor.service", tmp_path)
    command = ["systemd-analyze", "security", "--offline=yes", "--threshold=15", str(unit)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_private_networks_are_fenced_off_a_second_time():
    unit = settings_of(FOLDER / "monitor.service")
    denied = " ".join(unit["Service", "IPAddressDeny"]).split()
    for network in ("localhost", "link-local", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"):
        assert network in denied
    assert "fc00::/7" in denied


def test_what_the_daemon_needs_is_there_before_it_starts():
    unit = settings_of(FOLDER / "monitor.service")
    assert unit["Service", "Type"] == ["notify"]
    assert unit["Service", "StateDirectory"] == ["monitor"]
    assert unit["Service", "ConfigurationDirectory"] == ["release-monitor"]
    user = unit["Service", "User"][0]
    assert re.search(rf"^u +{user} ", (FOLDER / "sysusers.conf").read_text(), re.MULTILINE)
    assert "MemoryMax" in {key for _, key in unit}


@pytest.mark.parametrize("name", ["monitor.service", "user/monitor.service"])
def test_systemd_waits_longer_than_the_daemon_for_visits_under_way(name):
    unit = settings_of(FOLDER / name)
    assert duration(f"{unit['Service', 'TimeoutStopSec'][0]}s") > DaemonSettings().grace
    assert duration(f"{unit['Service', 'WatchdogSec'][0]}s") > DaemonSettings().watchdog


@pytest.mark.parametrize("name", ["monitor.service", "user/monitor.service"])
def test_H18_a_reload_checks_the_settings_before_the_daemon_is_told(name):
    first, second = settings_of(FOLDER / name)["Service", "ExecReload"]
    assert first.endswith("monitor config check")
    assert "-HUP $MAINPID" in second


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: str(p.relative_to(FOLDER)))
def test_no_service_may_gain_privileges_or_eat_the_machine(path):
    unit = settings_of(path)
    assert unit["Service", "NoNewPrivileges"] == ["yes"]
    assert unit["Service", "MemoryMax"]
    assert unit["Service", "TasksMax"]


def test_the_timer_spreads_its_looks():
    timer = settings_of(FOLDER / "user" / "monitor-check.timer")
    assert timer["Timer", "RandomizedDelaySec"]
    assert (FOLDER / "user" / "monitor-check.service").exists()
