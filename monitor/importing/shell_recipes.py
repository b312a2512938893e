"""What recipes in shell language have in common: sources with names, repositories, origins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from monitor.importing.shell import Shell
from monitor.importing.shell_tools import UNKNOWN

__all__ = ["at", "cut_short", "filled", "sorted_out", "unnamed"]

_NAMED: Final = re.compile(r"^[^\s:/]+::(?=\S)|^[^:]*?::(?=[a-z+]+://)")
_GIT: Final = re.compile(
    r"^git(?:\+|://)|^git@|^ssh://git@|^[a-z+]*://(?!.*/(?:archive|snapshot|releases|raw|uploads)/)[^?#]+\.git/?(?:[?#].*)?$"
)


def at(path: Path, shell: Shell, *names: str) -> str:
    """ "file:line" of the first of these variables that is set."""
    for name in names:
        if name in shell.lines:
            return f"{path}:{shell.lines[name]}"
    return str(path)


def cut_short(shell: Shell, reason: str | None) -> str | None:
    """Why a recipe has no upstream, where it was not even read to its end."""
    if reason is None or shell.whole:
        return reason
    return "costs more to read than any recipe does, and was not read to its end"


def filled(text: str | None) -> str | None:
    """A value, None where it is empty or not known."""
    return text if text and UNKNOWN not in text else None


def unnamed(source: str) -> str:
    """A source without the name it is kept under: "name::address" """
    return _NAMED.sub("", source)


def sorted_out(sources: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Addresses of archives and of git repositories; files of the recipe itself are left out."""
    archives: list[str] = []
    repositories: list[str] = []
    for source in sources:
        address = unnamed(source.strip())
        if "://" not in address and not re.match(r"git@[\w.-]+:", address):
            continue
        (repositories if _GIT.match(address) else archives).append(address)
    return tuple(archives), tuple(repositories)
