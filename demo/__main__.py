"""`python -m demo`: play the story, print the table, end with 0 if every stage was reached."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from demo.judge import Judge, Track, table
from demo.upstreams import releases, write_settings
from tests.lab.world import Hand, Places

ROOT = Path(__file__).resolve().parents[1]
UNPLUGGABLE = ("publish", "daemon", "feed", "consumer", "builds", "worker", "import")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "var" / "demo", metavar="DIR",
                        help="where everything is kept, to be looked at afterwards")  # fmt: skip
    parser.add_argument("--unplug", choices=UNPLUGGABLE, help="leave one stage out: it must fail")
    parser.add_argument("--deadline", type=float, default=120.0, help="seconds after publication")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return Demo(given.folder, given.unplug, given.deadline, given.json).play()


class Demo:
    def __init__(self, folder: Path, unplug: str | None, deadline: float, as_json: bool) -> None:
        self.folder = folder.absolute()
        self.unplug = unplug
        self.deadline = deadline
        self.as_json = as_json
        self.config = self.folder / "config"
        self.state = self.folder / "state"
        self.told = self.folder / "consumer.txt"

    def play(self) -> int:
        self._clean()
        with contextlib.ExitStack() as stack:
            places = self._world(stack)
            tracks = [Track(one) for one in releases(places, broken_import=self.unplug == "import")]
            write_settings(
                self.config, places, feed=self.unplug != "feed", builds=self.unplug != "builds"
            )
            if self.unplug != "daemon":
                self._start(stack, "daemon", *self._monitor("run"))
                self._await_baseline(places)
            self._start_helpers(stack, places)
            if self.unplug != "publish":
                self._publish(Hand(places), tracks)
            self._follow(tracks)
        return self._conclude(tracks)

    # ── the stage ─────────────────────────────────────────────────────────────────────

    def _clean(self) -> None:
        """Begin anew; only the base image of the builds is kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in (self.config, self.told, *self.folder.glob("*.log"), *self.state.glob("*")):
            if old.name == "worker":
                continue
            if old.is_dir():
                shutil.rmtree(old)
            else:
                old.unlink(missing_ok=True)

    def _world(self, stack: contextlib.ExitStack) -> Places:
        file = self.folder / "lab.json"
        file.unlink(missing_ok=True)
        self._say("starting local upstreams: PyPI, crates.io, GitHub, rsync, Apache, nginx, git")
        lab = self._start(
            stack, "lab", sys.executable, "-m", "tests.lab", "serve", "--state", str(file)
        )
        _until(file.exists, 60, lab, "the lab")
        places = Places.load(file)
        for program, package in places.absent.items():
            self._say(f"without {program}: it is not installed (package {package})")
        return places

    def _start(
        self, stack: contextlib.ExitStack, name: str, *command: str
    ) -> subprocess.Popen[bytes]:
        log = stack.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        stack.callback(_end, process)
        return process

    def _start_helpers(self, stack: contextlib.ExitStack, places: Places) -> None:
        if self.unplug != "consumer":
            feed = self.state / "feed" / "feed.json"
            log = stack.enter_context(self.told.open("wb"))
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "examples" / "consumer.py"), str(feed),
                 str(self.folder / "consumer.cursor"), "0.5"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            stack.callback(_end, process)
        if self.unplug not in ("worker", "daemon"):
            index = f"PIP_INDEX_URL={places.registry['pypi_url']}/simple/"
            self._say("starting a build worker (the first time it makes a base image)")
            self._start(stack, "worker", *self._monitor("queue", "work", "--build-arg", index))

    def _monitor(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "monitor", "--config", str(self.config),
                "--state", str(self.state), *arguments]  # fmt: skip

    def _await_baseline(self, places: Places) -> None:
        """What is there when the daemon comes is no news; wait until it has looked around."""
        self._say("the daemon looks around: what is there already is no news")

        def looked() -> bool:
            status = self._ask("status", "--json") or {}
            sources = status.get("sources", [])
            return (
                bool(sources)
                and all(
                    source["answered"] for source in sources if source["mechanism"] != "versions"
                )
                and self._knows_watched()
            )

        with contextlib.suppress(TimeoutError):
            _until(looked, 30, None, "the first look")

    def _knows_watched(self) -> bool:
        done = subprocess.run(
            self._monitor("list", "--json"), capture_output=True, check=False, cwd=ROOT
        )
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return bool(rows) and all(row["answered"] for row in rows)

    def _ask(self, *arguments: str) -> dict[str, Any] | None:
        """What a command of ours prints as JSON; None where it fails."""
        done = subprocess.run(self._monitor(*arguments), capture_output=True, check=False, cwd=ROOT)
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            return None
        return found

    # ── the story ─────────────────────────────────────────────────────────────────────

    def _publish(self, hand: Hand, tracks: list[Track]) -> None:
        for track in tracks:
            self._say(
                f"{track.release.upstream} publishes {track.release.purl} {track.release.version}"
            )
            track.release.publish(hand)
            track.published = time.time()

    def _follow(self, tracks: list[Track]) -> None:
        judge = Judge(
            self.state / "feed",
            self.state / "queue" / "dockerfiles",
            self.told,
            lambda purl: self._ask("show", purl, "--json", "--limit", "0"),
        )
        end = time.monotonic() + self.deadline
        while time.monotonic() < end and any(track.missing for track in tracks):
            before = {(id(track), stage) for track in tracks for stage in track.at}
            judge.look(tracks)
            for track in tracks:
                for stage in track.at:
                    if (id(track), stage) not in before and stage in ("event", "image"):
                        self._say(f"  {stage}: {track.release.purl} after {track.after(stage)}")
            if (
                self.unplug
                and time.monotonic() > end - self.deadline / 2
                and not _moving(before, tracks)
            ):
                break
            time.sleep(0.3)

    def _conclude(self, tracks: list[Track]) -> int:
        good = all(not track.missing and not track.problem for track in tracks)
        if self.as_json:
            print(
                json.dumps(
                    {
                        "good": good,
                        "missing": {
                            track.release.purl: track.missing for track in tracks if track.missing
                        },
                    }
                )
            )
        else:
            print()
            print(table(tracks))
            print()
        for track in tracks:
            if track.missing or track.problem:
                why = f" ({track.problem})" if track.problem else ""
                print(
                    f"{track.release.purl}@{track.release.version}: not"
                    f" {', '.join(track.missing) or 'right'}{why}",
                    file=sys.stderr,
                )
        if good and not self.as_json:
            print(f"All of it happened. Look around in {os.path.relpath(self.folder)}:")
            print("state/feed/feed.json, state/queue/dockerfiles, consumer.txt, and the logs")
        elif not good:
            print(f"The logs are in {os.path.relpath(self.folder)}/*.log", file=sys.stderr)
        return 0 if good else 1

    def _say(self, text: str) -> None:
        if not self.as_json:
            print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def _moving(before: set[tuple[int, str]], tracks: list[Track]) -> bool:
    return {(id(track), stage) for track in tracks for stage in track.at} != before


def _until(what: Any, seconds: float, process: subprocess.Popen[bytes] | None, name: str) -> None:
    end = time.monotonic() + seconds
    while not what():
        if process is not None and process.poll() is not None:
            sys.exit(f"demo: {name} ended with {process.returncode}; see its log")
        if time.monotonic() > end:
            raise TimeoutError(name)
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process of ours by its id: asked first, then made to."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(25)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
