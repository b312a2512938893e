"""Termux recipes (build.sh): https://github.com/termux/termux-packages/wiki/Creating-new-package"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from monitor.importing.result import Recipe
from monitor.importing.shell import read as read_shell
from monitor.importing.shell_recipes import at, cut_short, filled, sorted_out

__all__ = ["read"]

_GIVEN: Final = {
    "TERMUX_ARCH": "aarch64",
    "TERMUX_PREFIX": "/usr",
    "TERMUX_ARCH_BITS": "64",
    "TERMUX_PACKAGE_LIBRARY": "bionic",
}


def read(path: Path, text: str) -> Iterator[Recipe]:
    """The package of a build.sh; its name is its folder's."""
    shell = read_shell(text, {**_GIVEN, "TERMUX_PKG_NAME": path.parent.name})
    sources = shell.row("TERMUX_PKG_SRCURL")
    archives, repositories = sorted_out(sources)
    version = filled(shell.text("TERMUX_PKG_VERSION"))
    if (
        repositories
        and (tag := filled(shell.text("TERMUX_PKG_GIT_BRANCH")))
        and version
        and version in tag
    ):
        repositories = (f"{repositories[0]}#tag={tag}", *repositories[1:])
    reason = None
    if not archives and not repositories:
        if shell.text("TERMUX_PKG_METAPACKAGE") == "true":
            reason = "a metapackage, which only brings others in"
        else:
            reason = "has no sources: made from files of the recipe, or from another package"
    yield Recipe(
        name=path.parent.name,
        version=version.split(":", 1)[-1] if version else None,
        sources=archives,
        repositories=repositories,
        homepage=tuple(one for one in (filled(shell.text("TERMUX_PKG_HOMEPAGE")),) if one)
        if not reason
        else (),
        owner=(filled(shell.text("TERMUX_PKG_MAINTAINER")) or "").split("<")[0].strip(" @") or None,
        origin=at(path, shell, "TERMUX_PKG_SRCURL", "TERMUX_PKG_HOMEPAGE"),
        reason=cut_short(shell, reason),
    )
