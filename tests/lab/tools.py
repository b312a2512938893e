"""Where the real servers are on this machine, which are missing, and how to get them.

Nothing here starts or enables a service of the machine: rsync and apache2-bin bring none, and
nginx, whose Debian package would, is only unpacked below the virtual environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.lab.answers import LabError

DEBIAN_PACKAGES = {
    "rsync": "rsync",
    "apache2": "apache2-bin",
    "nginx": "nginx",
    "git": "git",
}
"""Programs of the lab and the Debian packages they are in."""

UNPACKED = Path(sys.prefix) / "lab"
"""Where `install` unpacks what must not be installed."""

_OTHER_NAMES = {"apache2": ("apache2", "httpd")}
_PLACES = ("/usr/local/sbin", "/usr/sbin", "/sbin", f"{UNPACKED}/usr/sbin")


def find(program: str) -> str | None:
    """The path of a program of DEBIAN_PACKAGES, also where PATH leaves out the sbin folders."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_PLACES])
    names = _OTHER_NAMES.get(program, (program,))
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def need(program: str) -> str:
    """The path of a program; LabError with the remedy where it is missing."""
    found = find(program)
    if found is None:
        raise LabError(f"{program} is not installed; {install_hint([program])}")
    return found


def available() -> frozenset[str]:
    """The programs that are here."""
    return frozenset(DEBIAN_PACKAGES) - missing().keys()


def missing() -> dict[str, str]:
    """The programs that are not here, and the packages they would be in."""
    return {name: package for name, package in DEBIAN_PACKAGES.items() if find(name) is None}


def install_hint(programs: Iterable[str]) -> str:
    """What to type to get `programs`."""
    names = " ".join(sorted(programs))
    return f"to get {names}: sudo {sys.executable} -m tests.lab install"


def install() -> list[str]:
    """Get what is missing with apt-get, and return its names. Raises LabError where it cannot.

    Needs root, except for nginx, which is downloaded and unpacked into UNPACKED.
    """
    wanted = missing()
    system = sorted(package for name, package in wanted.items() if name != "nginx")
    if wanted and shutil.which("apt-get") is None:
        raise LabError(f"no apt-get here; install {', '.join(sorted(wanted))} by other means")
    if system and os.geteuid() != 0:
        raise LabError(f"only root can install {', '.join(system)}; {install_hint(wanted)}")
    if system:
        _apt(["install", "-y", "-q", "--no-install-recommends", *system])
    if "nginx" in wanted:
        with tempfile.TemporaryDirectory(prefix="lab-") as folder:
            Path(folder).chmod(0o755)  # apt downloads as a user of its own
            _apt(["download", "-q", "nginx"], folder)
            UNPACKED.mkdir(parents=True, exist_ok=True)
            for package in Path(folder).glob("nginx_*.deb"):
                _run(["dpkg-deb", "-x", str(package), str(UNPACKED)])
        _run([need("nginx"), "-v"])  # its libraries are there
    return sorted(wanted)


def _apt(arguments: list[str], folder: str = "/") -> None:
    try:
        _run(["apt-get", *arguments], folder)
    except LabError:
        if os.geteuid() != 0:
            raise
        _run(["apt-get", "update", "-q"])  # the lists of a fresh machine are empty or old
        _run(["apt-get", *arguments], folder)


def _run(command: list[str], folder: str = "/") -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LabError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-2000:]}")
