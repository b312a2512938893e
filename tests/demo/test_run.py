"""`make run` on a machine without any network: it says why, and when it tries again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.__main__ import ROOT
from monitor.settings import Config, load
from tests.conftest import lacking

pytestmark = [pytest.mark.slow]


def alone() -> list[str]:
    """A command prefix that takes all network away."""
    if shutil.which("unshare") is None:
        lacking("unshare is not installed (package util-linux)")
    prefix = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        lacking("this machine does not let us make a network namespace")
    return prefix


def test_without_any_network_it_starts_says_why_and_when_and_stays_up(tmp_path: Path) -> None:
    environment = os.environ | {
        "MONITOR_NETWORK__CONTACT": "test@example.invalid",
        "MONITOR_LOG__FORMAT": "json",
        "MONITOR_NETWORK__RETRIES": "0",
    }
    command = [*alone(), sys.executable, "-m", "monitor", "--config", str(ROOT / "config"),
               "--state", str(tmp_path / "state")]  # fmt: skip
    log = tmp_path / "log"
    with log.open("wb") as lines:
        process = subprocess.Popen([*command, "run"], cwd=ROOT, env=environment, stderr=lines)
    try:
        end = time.monotonic() + 60
        sources = {
            name for name, one in load(Config(ROOT / "config")).sources.items() if one.enabled
        }
        failed: dict[str, dict[str, object]] = {}
        quiet: set[str] = set()
        while time.monotonic() < end and not sources <= failed.keys() | quiet:
            time.sleep(0.5)
            assert process.poll() is None, log.read_text()
            said = [json.loads(line) for line in log.read_text().splitlines() if line[:1] == "{"]
            failed = {one["source"]: one for one in said if one["event"] == "visit"}
            quiet = {one["source"] for one in said if one.get("event") == "nothing to ask"}

        assert failed.keys() | quiet == sources
        for one in failed.values():
            assert one["outcome"] == "retry", one
            assert one["error"], one
            assert one["next"] > 0, one

        status = subprocess.run(
            [*command, "status"], cwd=ROOT, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        for name in failed:
            assert name in status.stdout
        assert status.stdout.count("retry") >= len(failed)
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
