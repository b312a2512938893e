"""Alpine's APKBUILD: https://wiki.alpinelinux.org/wiki/APKBUILD_Reference"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from monitor.importing.result import Recipe
from monitor.importing.shell import read as read_shell
from monitor.importing.shell_recipes import at, cut_short, filled, sorted_out

__all__ = ["read"]

_GIVEN: Final = {
    "CARCH": "x86_64",
    "CTARGET_ARCH": "x86_64",
    "CHOST": "x86_64-alpine-linux-musl",
    "CBUILD": "x86_64-alpine-linux-musl",
}


def read(path: Path, text: str) -> Iterator[Recipe]:
    """The package of an APKBUILD."""
    shell = read_shell(text, _GIVEN)
    name = filled(shell.text("pkgname")) or path.parent.name
    sources = shell.row("source")
    archives, repositories = sorted_out(sources)
    extra = tuple(one for one in (filled(shell.text("giturl")),) if one)
    reason = None
    if not archives and not repositories and not extra:
        reason = (
            "its sources are files of the recipe itself"
            if sources
            else "has no sources: it brings others in, or fetches by itself what it is made of"
        )
    yield Recipe(
        name=name,
        version=filled(shell.text("pkgver")),
        sources=archives,
        repositories=repositories + tuple(one.split()[-1] for one in extra),
        homepage=tuple(one for one in (filled(shell.text("url")),) if one),
        owner=_maintainer(text),
        origin=at(path, shell, "pkgname"),
        reason=cut_short(shell, reason),
    )


def _maintainer(text: str) -> str | None:
    """The name in "# Maintainer: Name <mail>", or in the variable of newer recipes."""
    import re

    match = re.search(r'^(?:# *Maintainer: *|maintainer=")([^<\n"]+)', text, re.MULTILINE)
    return match[1].strip() or None if match else None
