"""Read a page: its blocks of code, and what the tests are told about them.

A comment that readers do not see stands on a line of its own before a block, or alone:

    <!-- test: lab pypi requests 2.32.3 -->   now the lab publishes (see `python -m tests.lab`)
    <!-- test: until COMMAND -->              wait until this command ends with 0
    <!-- test: checkout -->                   a copy of this repository, in which the rest happens
    <!-- test: shell COMMAND -->              what the test prepares, and readers need not know
    <!-- test: background -->                 the next block starts something that runs on
    <!-- test: needs containers -->           the next block is left out where nothing builds images
    <!-- run by: NAME -->                     the next block is run by tests/docs/test_installed.py
    <!-- not run: REASON -->                  the next block is only checked for what it names

A block ```console holds commands behind "$ " and below each what it prints; with no output shown,
none is compared. In it, "…" stands for anything within a line, and alone for any lines. A block
with title="FILE" holds the content of that file, relative to the home folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "docs").rglob("*.md"))

_FENCE = re.compile(r"^( *)```(\S*)(?: title=\"([^\"]+)\")?\s*$")
_SAID = re.compile(r"^<!-- (test|run by|not run): (.*?) -->$")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a session, and the lines that the page shows below it."""

    text: str
    output: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code, or (with `kind` "test") an instruction that stands alone."""

    kind: str  # console, toml, python, …; test
    text: str
    line: int
    title: str | None = None
    background: bool = False
    containers: bool = False
    skipped: str | None = None  # why it is not run
    by: str | None = None  # who else runs it
    commands: tuple[Command, ...] = field(default=())


def blocks(page: Path, change: Callable[[str], str] = str) -> list[Block]:
    """The blocks of a page, in order; `change` has a look at its text first."""
    found: list[Block] = []
    lines = iter(enumerate(change(page.read_text("utf-8")).splitlines(), 1))
    background, containers, skipped, by = False, False, None, None
    for number, line in lines:
        if said := _SAID.match(line):
            if said[1] == "not run":
                skipped = said[2]
            elif said[1] == "run by":
                by = said[2]
            elif said[2] == "background":
                background = True
            elif said[2] == "needs containers":
                containers = True
            else:
                found.append(Block("test", said[2], number))
        elif fence := _FENCE.match(line):
            body = []
            for _, inner in lines:
                if inner.strip() == "```":
                    break
                body.append(inner.removeprefix(fence[1]))
            text = "\n".join(body) + "\n"
            commands = _commands(body, number + 1) if fence[2] == "console" else ()
            found.append(
                Block(
                    fence[2], text, number, fence[3], background, containers, skipped,
                    by, tuple(commands),
                )
            )  # fmt: skip
            background, containers, skipped, by = False, False, None, None
    return found


def _commands(lines: list[str], first: int) -> list[Command]:
    """Split a session at its prompts; "> " continues a command."""
    found: list[tuple[list[str], list[str], int]] = []
    for number, line in enumerate(lines, first):
        if line.startswith(("$ ", "# ")):
            found.append(([line[2:]], [], number))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0].append(line[2:])
        elif found:
            found[-1][1].append(line)
    return [Command("\n".join(text), tuple(output), at) for text, output, at in found]


# ── comparing ─────────────────────────────────────────────────────────────────────────

_VARIABLE = [
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"\bDATE \d\d:\d\d\b|\b\d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\bhttps?://[^\s/]+"), "URL"),
    (re.compile(r"\b127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"\b[0-9a-f]{12,}\b"), "HEX"),
    (re.compile(r"\b(?:in )?\d+(?:\.\d+)? (?:s|minutes?|hours?|days?|months?|years?)\b"), "SPAN"),
    (re.compile(r"\bSPAN ago\b|\bnow\b"), "SPAN"),
    (re.compile(r"[ \t]+"), " "),
]


def masked(line: str) -> str:
    """A line of output without what differs from run to run: times, digests, ports, widths."""
    for pattern, word in _VARIABLE:
        line = pattern.sub(word, line)
    return line.strip()


def agree(shown: tuple[str, ...], printed: list[str]) -> bool:
    """Did a command print what the page shows?"""
    wanted = [masked(line) for line in shown]
    got = [masked(line) for line in printed]
    while wanted and not wanted[-1]:
        wanted.pop()
    while got and not got[-1]:
        got.pop()
    pattern = "".join(
        "(?:.*\n)*?" if line == "…" else ".*?".join(map(re.escape, line.split("…"))) + "\n"
        for line in wanted
    )
    return re.fullmatch(pattern, "".join(line + "\n" for line in got)) is not None
