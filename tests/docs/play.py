"""Play a page: write its files, run its commands, and say where it is not as the page says.

python -m tests.docs.play PAGE     the same by hand: prints every command and what it printed
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.gateway import Gateway
from tests.docs.pages import ROOT, Block, Command, agree, blocks
from tests.lab.__main__ import publish
from tests.lab.world import Hand, World

_MARK = "\x1e"
PORT = "8731"
"""Where a page lets a server of its own listen; a free port takes its place."""
_PATIENCE = 60  # seconds for "until"


def free_port() -> int:
    """A port of this machine on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Stage:
    """A home of its own, the lab behind the public names, and a shell."""

    home: Path
    hand: Hand
    gateway: str
    loud: bool = False
    builds: bool = True  # whether images can be built here
    folder: Path = field(init=False)
    source: Path = ROOT  # the checkout that `monitor` comes from
    port: int = field(default_factory=free_port)  # in place of PORT in the page
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder = self.home

    @property
    def environ(self) -> dict[str, str]:
        left_out = ("XDG_", "MONITOR_", "COLUMNS")  # nothing of whoever plays may show
        keep = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
        return keep | {
            "HOME": str(self.home),
            # What a page prepares in ~/bin stands in for other machines.
            "PATH": f"{self.home / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MONITOR_NETWORK__GATEWAY": self.gateway,
            "MONITOR_NETWORK__PACE": "0",
            "PIP_INDEX_URL": f"{self.hand.places.registry['pypi_url']}/simple/",
            "PYTHONPATH": str(self.source),
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
            "USER": "you",
        }

    @property
    def _before(self) -> str:
        """What one block exports holds in the next."""
        kept = shlex.quote(str(self.home / ".stage"))
        return f"if [ -f {kept} ]; then . {kept}; fi\n"

    def shell(self) -> list[str]:
        """The words in front of a script."""
        return ["bash", "-c"]

    def play(self, page: Path) -> list[str]:
        """What is not as the page says; empty where all is."""
        wrong: list[str] = []
        for block in blocks(page, lambda text: text.replace(PORT, str(self.port))):
            try:
                wrong += [f"{page.name}:{text}" for text in self._block(block)]
            except Exception as error:
                wrong.append(f"{page.name}:{block.line}: {error}")
            if wrong:
                break  # what follows builds on it
        return wrong

    def end(self) -> None:
        """End what the page left running, by its process group."""
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait(30)

    def _block(self, block: Block) -> list[str]:
        if block.kind == "test":
            return self._instruct(block)
        if block.skipped is not None or block.by or (block.containers and not self.builds):
            return []
        if block.title is not None:
            file = self.folder / block.title.removeprefix("~/")
            if block.title.startswith("~/"):
                file = self.home / block.title.removeprefix("~/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
            return []
        if block.background:
            for command in block.commands:
                self._start(command.text)
            return []
        return self.session(block.commands) if block.commands else []

    def _instruct(self, block: Block) -> list[str]:
        word, *words = shlex.split(block.text)
        if word == "lab":
            publish(self.hand, words[0], words[1:])
            return []
        if word == "until":
            command = block.text.removeprefix("until ")
            end = time.monotonic() + _PATIENCE
            while time.monotonic() < end:
                done = subprocess.run(
                    ["bash", "-c", self._before + command], cwd=self.folder, env=self.environ,
                    check=False, capture_output=True, text=True,
                )  # fmt: skip
                if done.returncode == 0:
                    return []
                time.sleep(0.3)
            logs = "".join(
                log.read_text()[-2000:] for log in sorted(self.home.glob("background-*.log"))
            )
            return [f"{block.line}: never came true: {command}\n{done.stdout}{done.stderr}{logs}"]
        if word == "checkout":
            self.source = self.folder = self.home / "release-monitor"
            leave = shutil.ignore_patterns(
                ".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis"
            )
            shutil.copytree(ROOT, self.source, ignore=leave, symlinks=True)
            return []
        if word == "shell":  # what the test prepares; readers do not need it
            command = block.text.removeprefix("shell ")
            subprocess.run(
                ["bash", "-ec", self._before + command],
                cwd=self.folder,
                env=self.environ,
                check=True,
            )
            return []
        return [f"{block.line}: unknown instruction {word!r}"]

    def _start(self, command: str) -> None:
        log = (self.home / f"background-{len(self.running)}.log").open("wb")
        self.running.append(
            subprocess.Popen(
                ["bash", "-c", f"{self._before}exec {command}"], cwd=self.folder,
                env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )
        )  # fmt: skip

    def session(self, commands: tuple[Command, ...]) -> list[str]:
        """Run these commands, one shell for all; returns what is not as it is shown."""
        script = "".join(
            f"{command.text}\n__s=$?; printf '{_MARK}%s{_MARK}' $__s; (exit $__s)\n"
            for command in commands
        )
        kept = shlex.quote(str(self.home / ".stage"))
        begin = f"cd {shlex.quote(str(self.folder))}\n{self._before}"
        done = subprocess.run(
            [*self.shell(), f"{begin}{script}export -p > {kept}; pwd"], cwd="/",
            env=self.environ, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=240,
        )  # fmt: skip
        parts = done.stdout.split(_MARK)
        wrong = []
        following = [*commands[1:], None]
        for number, (command, then) in enumerate(zip(commands, following, strict=True)):
            printed = parts[2 * number].splitlines()
            status = int(parts[2 * number + 1])
            if self.loud:
                print(f"$ {command.text}", *printed, f"[{status}]", sep="\n")
            told = then is not None and then.text == "echo $?"
            if status != 0 and not told:
                wrong.append(self._tell(command, f"ended with {status}", printed))
            elif command.output and not agree(command.output, printed):
                wrong.append(self._tell(command, "printed something else", printed))
        self.folder = Path(parts[-1].strip())
        return wrong

    @staticmethod
    def _tell(command: Command, what: str, printed: list[str]) -> str:
        text = "\n".join(printed)
        return f"{command.line}: $ {command.text}\n{what}:\n{text}"


def main() -> int:
    """Play the pages named on the command line, loudly."""
    pages = sys.argv[1:]
    if missing := [name for name in pages or ["--help"] if not Path(name).is_file()]:
        print(__doc__ if missing == ["--help"] else f"{missing[0]}: no such page", file=sys.stderr)
        return 2
    wrong: list[str] = []
    for name in pages:
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            world = stack.enter_context(World())
            gateway = stack.enter_context(Gateway(world.places))
            stage = Stage(home, world.hand, gateway.url, loud=True)
            stack.callback(stage.end)
            wrong += stage.play(Path(name).resolve())
    print(*wrong, sep="\n\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
