"""Get the programs of this machine that the demo and the tests use: `python -m tests.system demo`.

Installs Debian packages where it may (as root, or with a sudo that asks
nothing); elsewhere it says what is missing and goes on: whoever needs them
skips with the reason. Nothing of the machine is started or enabled.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from pipeline.backends import DEBIAN_PACKAGES as CONTAINERS
from tests.docs.machine import DEBIAN_PACKAGES as MACHINE
from tests.lab.answers import LabError
from tests.lab.tools import install as install_servers
from tests.ordering.oracles import DEBIAN_PACKAGES as ORACLES

SHELLS = ("fish", "zsh")
"""Shells whose completion is tried; bash is everywhere."""


def wanted(what: str) -> list[str]:
    """The Debian packages for the demo, or for the tests as well."""
    names = set(CONTAINERS)
    if what == "test":
        names |= {name for names in ORACLES.values() for name in names}
        names |= {*MACHINE, *SHELLS, "make", "openssh-client", "procps"}
    return sorted(names)


def missing(names: list[str]) -> list[str]:
    """Those that dpkg does not know as installed."""
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    here = {line.split()[0] for line in asked.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in here]


def install(names: list[str]) -> None:
    """Install these packages. Raises CalledProcessError where apt-get fails."""
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *names]):
        subprocess.run(
            [*rights, "apt-get", *command], env=environment, check=True, stdout=subprocess.DEVNULL
        )


def main() -> None:
    names = wanted(sys.argv[1] if len(sys.argv) > 1 else "test")
    if shutil.which("dpkg-query") is None or shutil.which("apt-get") is None:
        print(f"no apt-get here; by other means, get: {' '.join(names)}", file=sys.stderr)
    elif lacking := missing(names):
        print(f"installing {' '.join(lacking)}")
        try:
            install(lacking)
        except (OSError, subprocess.CalledProcessError) as error:
            print(
                f"not installed ({error}); sudo apt-get install {' '.join(lacking)}",
                file=sys.stderr,
            )
    try:
        install_servers()
    except LabError as error:
        print(f"not all servers of the lab are here: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
