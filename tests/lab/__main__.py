"""The lab from the command line.

    python -m tests.lab install                 get the servers that are missing (apt-get)
    python -m tests.lab serve --state FILE      start all, write where they are, run until SIGTERM
    python -m tests.lab publish --state FILE pypi NAME VERSION [key=value …]
    python -m tests.lab publish --state FILE file PATH | mirror PATH | tag NAME | feed TITLE
    python -m tests.lab do --state FILE ACTION [key=value …]     any action of the registry

Values are JSON where they read as JSON, else text; project, version and reason are always text.
An action is a method of tests/lab/registry.py: `do yank ecosystem=pypi project=x version=1.0`.
Ends with 1 and one line of words on an error.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from tests.lab.answers import LabError
from tests.lab.control import ACTIONS
from tests.lab.tools import install, install_hint
from tests.lab.world import Hand, Places, World

TEXTS = frozenset({"ecosystem", "project", "version", "reason", "name"})
"""Arguments that are never numbers, however they look: a version "1.10" is not 1.1."""


def serve(state: Path) -> None:
    """Run a world until SIGTERM or SIGINT; `state` appears when all answer and goes at the end."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with World() as world:
        if world.places.absent:
            print(install_hint(world.places.absent), file=sys.stderr)
        world.places.save(state)
        try:
            ended.wait()
        finally:
            state.unlink(missing_ok=True)


def publish(hand: Hand, where: str, words: list[str]) -> None:
    """Publish one thing: `where` is a registry, or file, mirror, tag, feed."""
    match where, words:
        case (("pypi" | "crates" | "github"), [project, version, *more]):
            hand.publish(where, project, version, **_pairs(more))
        case (("file" | "mirror"), [path]):
            hand.publish_file(path, on="tree" if where == "file" else "mirror")
        case "tag", [name]:
            print(hand.push_tag(name))
        case "feed", [title]:
            hand.append_feed(title)
        case _:
            raise LabError(f"cannot publish {' '.join([where, *words])}; see --help")


def _pairs(words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise LabError(f"{word}: expected key=value")
        try:
            found[key] = text if key in TEXTS else json.loads(text)
        except ValueError:
            found[key] = text
    return found


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(
        "tests.lab", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["install", "serve", "publish", "do"])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--state", type=Path, help="where `serve` writes what it started")
    given = parser.parse_intermixed_args()
    if given.command != "install" and given.state is None:
        parser.error("--state FILE is missing")
    try:
        match given.command, given.words:
            case "install", []:
                print(*install() or ["nothing is missing"])
            case "serve", []:
                serve(given.state)
            case "publish", [where, *words]:
                publish(Hand(Places.load(given.state)), where, words)
            case "do", [action, *words]:
                if action not in ACTIONS:
                    raise LabError(
                        f"{action}: no such action; there are {' '.join(sorted(ACTIONS))}"
                    )
                control = Hand(Places.load(given.state)).registry
                print(json.dumps(getattr(control, action)(**_pairs(words))))
            case _:
                parser.error("see --help")
    except (LabError, OSError, AttributeError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
