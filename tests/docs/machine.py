"""A machine of its own with a real systemd, thrown away afterwards.

This machine's files under a layer in memory, booted by systemd-nspawn: what is installed there
changes nothing here. It has no network but what `listen` gives it. Needs root, and a kernel that
lets namespaces and overlays be made.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

DEBIAN_PACKAGES = ("systemd", "systemd-container", "dbus", "pipx", "python3-venv")
"""What these tests use beside the lab."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CLONE_NEWNET = 0x40000000
_PATIENCE = 60  # seconds until it has booted

_BOOT = """
set -e
mount -t tmpfs -o size=2g,mode=755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
shift 1
exec systemd-nspawn --quiet --directory="$0/root" --register=no --keep-unit --console=pipe \\
  --private-network --uuid=4f6b2a0d5c1e4f7a9b3d2c1e0f9a8b7c --boot "$@" systemd.unit=basic.target
"""


def missing() -> list[str]:
    """The programs that are not here and would be needed to boot a machine and install on it."""
    wanted = ("systemd-nspawn", "/lib/systemd/systemd", "dbus-daemon", "nsenter", "pipx")
    return [name for name in wanted if shutil.which(name) is None]


class Machine:
    """Booted when the block is entered, gone when it is left. `shared` is at /run/shared there."""

    def __init__(self, folder: Path, shared: Path) -> None:
        self.folder = folder
        self.shared = shared
        self.leader = 0  # its first process, seen from here

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True)
        self._log = (self.folder.parent / "machine.log").open("wb")
        name = f"--machine=monitor-{os.getpid()}"
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "bash", "-c", _BOOT,
             self.folder, self.folder, f"--bind={self.shared}:/run/shared", name],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            env={"PATH": PATH}, start_new_session=True,
        )  # fmt: skip
        try:
            self.wait("systemctl is-system-running | grep -q -e running -e degraded")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)  # nspawn shuts it down
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(30)
        self._log.close()

    @property
    def said(self) -> str:
        """What its console said."""
        return (self.folder.parent / "machine.log").read_text(errors="replace")

    def shell(self) -> list[str]:
        """The words in front of a script that is run there, as root."""
        return ["nsenter", "-t", str(self.leader), "-a", "bash", "-c"]

    def run(self, script: str, *, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a script there."""
        words = self.shell()
        if user != "root":
            words = [*words[:-2], "runuser", "-u", user, "--", "bash", "-c"]
        return subprocess.run(
            [*words, script], env=self.environ(user), check=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240, cwd="/",
        )  # fmt: skip

    @staticmethod
    def environ(user: str = "root") -> dict[str, str]:
        """What a login there begins with."""
        home = "/root" if user == "root" else f"/home/{user}"
        return {"PATH": PATH, "HOME": home, "USER": user, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}

    def wait(self, script: str, patience: float = _PATIENCE) -> None:
        """Wait until a script ends with 0 there. Raises TimeoutError with what was said."""
        end = time.monotonic() + patience
        said = ""
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise TimeoutError(f"the machine does not run: {self.said}")
            if self.leader or self._find():
                done = self.run(script)
                if done.returncode == 0:
                    return
                said = done.stdout
            time.sleep(0.2)
        raise TimeoutError(f"never came true: {script}\n{said}\n{self.said[-2000:]}")

    def _find(self) -> int:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        with contextlib.suppress(OSError):
            self.leader = int((children.read_text().split() or [0])[0])
        return self.leader

    def listen(self) -> socket.socket:
        """A port of its loopback interface that is answered from here."""
        made: list[socket.socket | OSError] = []

        def enter() -> None:  # a thread has a network of its own, where it asks for one
            library = ctypes.CDLL(None, use_errno=True)
            with Path(f"/proc/{self.leader}/ns/net").open("rb") as network:
                if library.setns(network.fileno(), _CLONE_NEWNET) != 0:
                    made.append(OSError(ctypes.get_errno(), "setns"))
                    return
            made.append(socket.create_server(("127.0.0.1", 0)))

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        return made[0]
