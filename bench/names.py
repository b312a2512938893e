"""Names of archives: splitting them against finding one compiled expression in the same lines.

The peers are what a monitor does that knows one shape only, compiled once and without a given name:
the default pattern of Anitya, the `@ANY_VERSION@` and `@ARCHIVE_EXT@` of uscan, and the patterns of
Guix and nixpkgs-monitor with the extensions set behind, all with the parts named and taken out.
They give name and version of the plain shape; ours knows all shapes, kinds and platforms.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from monitor.formats.archive_names import split_many

GOAL = 2.0
LOOSE_GOAL = 3.0  # against expressions that take fewer than 30 of 41 hard names right
LINES = 100_000
ROUNDS = 7

PEERS = {
    "Anitya's": re.compile(
        r"(?i)(?P<name>[^/\s]+?)(?:[-_]?(?:minsrc|src|source))?[-_](?P<version>[^-/_\s]+?)"
        r"(?:[-_](?:minsrc|src|source|asc))?\.(?:orig\.)?(?:tar|t[bglx]z|tbz2|zip)"
    ),
    "uscan's": re.compile(
        r"(?i)(?P<name>[^/\s]+?)[-_]?v?(?P<version>\d[\-+\.:\~\da-zA-Z]*?)"
        r"\.(?:tar\.(?:xz|bz2|gz|zstd?)|zip|tgz|tbz|txz)$"
    ),
    "Guix's": re.compile(
        r"^(?P<name>.*)[-_][vV]?(?P<version>(?:[0-9]|\.)+)(?:-src|\.src|\.orig)?"
        r"\.(?:tar\.(?:gz|bz2|xz|lz)|tgz|zip)$"
    ),
    "nixpkgs-monitor's": re.compile(
        r"^(?P<name>.+?)[._-][vV]?(?P<version>[^A-Za-z].*?)"
        r"\.(?:tar\.(?:gz|bz2|xz|lz|zst)|tgz|tbz2|zip)$"
    ),
}
LOOSE = {"Guix's", "nixpkgs-monitor's"}


def run() -> Iterator[dict[str, Any]]:
    """Yield one measurement per list of names: seconds for 100,000 lines, best of seven."""
    for what, names in _lists():
        for whose, peer in PEERS.items():
            goal = LOOSE_GOAL if whose in LOOSE else GOAL
            ours, other = _side_by_side(partial(_split, names), partial(_match, peer, names))
            ratio = ours / other
            yield {
                "name": "names",
                "ours": ours,
                "other": other,
                "what": f"splitting {LINES:,} names ({what}) against {whose} expression",
                "unit": "s",
                "ratio": ratio,
                "goal": f"at most {goal} times",
                "holds": ratio <= goal,
            }


def _split(names: list[str]) -> None:
    for _ in split_many(names):
        pass


def _match(peer: re.Pattern[str], names: list[str]) -> None:
    match = peer.match
    for name in names:
        if found := match(name):
            found.group("name", "version")


def _side_by_side(ours: Callable[[], None], other: Callable[[], None]) -> tuple[float, float]:
    times: list[tuple[float, float]] = [(_timed(ours), _timed(other)) for _ in range(ROUNDS)]
    return min(mine for mine, _ in times), min(theirs for _, theirs in times)


def _timed(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _lists() -> Iterator[tuple[str, list[str]]]:
    yield "made, mixed shapes", made(LINES)
    shared = Path(os.environ.get("MONITOR_SHARED", Path(__file__).parents[2] / "shared"))
    table = shared / "data" / "archive-names.tsv"
    if table.is_file():
        rows = table.read_text("utf-8").splitlines()[1:]
        names = [row.partition("\t")[0] for row in rows]
        yield "of a distribution", (names * (LINES // len(names) + 1))[:LINES]


WORDS = """
    lib gtk font python perl net core data tool kit proto media image sound config parser http
    crypt json xml plugin server client util wave graph mesh cairo pixel thread socket
"""


def made(count: int, seed: int = 1) -> list[str]:
    """Names as a distribution's sources have them: mostly plain, some of every other shape."""
    rng = random.Random(seed)
    words = WORDS.split()

    def name() -> str:
        parts = rng.choices(words, k=rng.choice((1, 2, 2, 3)))
        digit = rng.choice(("", "", "", "", "", "2", "3", "11"))
        return rng.choice("---_").join(parts) + digit

    def version() -> str:
        numbers = ".".join(str(rng.randrange(40)) for _ in range(rng.choice((2, 3, 3, 3, 4))))
        return numbers + rng.choice(("",) * 12 + ("rc1", "b2", "a", "p1", ".post1"))

    shapes: tuple[tuple[int, Callable[[], str]], ...] = (
        (84, lambda: f"{name()}-{version()}.tar.{rng.choice(('gz', 'gz', 'xz', 'bz2'))}"),
        (3, lambda: f"{name()}_{version()}.orig.tar.gz"),
        (3, lambda: f"v{version()}.tar.gz"),
        (2, lambda: f"{name()}-{version()}-src.tgz"),
        (2, lambda: f"{name()}-v{version()}.zip"),
        (1, lambda: f"{name()}-{version()}-linux-x86_64.tar.gz"),
        (1, lambda: f"{name()}-{version()}.tar.gz.sig"),
        (1, lambda: f"{name()}{version()}.tgz"),
        (1, lambda: f"{name()}_{version().replace('.', '_')}.zip"),
        (1, lambda: f"{name()}-{rng.randrange(20100101, 20251231)}.tar.gz"),
        (1, lambda: f"{name()}-{version()}-{rng.randrange(16**7):07x}.bin"),
    )
    weights = [weight for weight, _ in shapes]
    makers = [make for _, make in shapes]
    return [make() for make in rng.choices(makers, weights, k=count)]


if __name__ == "__main__":
    for row in run():
        print(row)
