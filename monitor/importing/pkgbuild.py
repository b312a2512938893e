"""Arch's PKGBUILD and .SRCINFO: https://wiki.archlinux.org/title/PKGBUILD, /title/.SRCINFO.

Both say the same, the latter with everything expanded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from monitor.importing.result import Recipe, Upstream
from monitor.importing.shell import read as read_shell
from monitor.importing.shell_recipes import at, cut_short, filled, sorted_out
from monitor.importing.shell_tools import UNKNOWN

__all__ = ["read", "read_srcinfo"]

_GIVEN: Final = {
    "CARCH": "x86_64",
    "CHOST": "x86_64-pc-linux-gnu",
    "MINGW_PACKAGE_PREFIX": "mingw-w64-x86_64",
    "MINGW_ARCH": "mingw64",
    "MSYSTEM": "MINGW64",
}
_LIVE: Final = re.compile(r"-(?:git|svn|hg|bzr|cvs|nightly|latest)$")
_REFERENCES: Final = {"pypi": "pypi", "crates": "crates", "rubygems": "rubygems", "npm": "npm"}
"""msys2_references that name an upstream: https://www.msys2.org/dev/package-metadata/"""


def read(path: Path, text: str) -> Iterator[Recipe]:
    """The package of a PKGBUILD."""
    shell = read_shell(text, _GIVEN)
    name = shell.text("pkgbase") or shell.text("pkgname") or path.parent.name
    sources = [one for key in _keys(shell.values) for one in shell.row(key)]
    archives, repositories = sorted_out(sources)
    hints: list[Upstream] = []
    for reference in shell.row("msys2_references"):
        kind, _, project = reference.partition(":")
        if kind in _REFERENCES and project.strip():
            hints.append((_REFERENCES[kind], project.strip()))
    yield Recipe(
        name=name.replace("${MINGW_PACKAGE_PREFIX}", "mingw-w64")
        if UNKNOWN not in name
        else path.parent.name,
        version=filled(shell.text("pkgver")),
        sources=archives,
        repositories=repositories,
        hints=tuple(hints),
        homepage=tuple(one for one in (filled(shell.text("url")),) if one),
        origin=at(path, shell, "pkgbase", "pkgname"),
        notes=_notes(name),
        reason=cut_short(shell, _reason(archives + repositories, sources)),
    )


def _keys(values: object) -> list[str]:
    """`source`, then those of one architecture, x86_64 first."""
    assert isinstance(values, dict)
    found = [key for key in values if re.fullmatch(r"source(?:_[a-z0-9_]+)?", key)]
    return sorted(found, key=lambda key: (key != "source", key != "source_x86_64"))


def _notes(name: str) -> tuple[str, ...]:
    if match := _LIVE.search(name):
        return (f"follows the newest commit ({match[0][1:]}); what is watched are releases",)
    return ()


def _reason(addresses: tuple[str, ...], sources: list[str]) -> str | None:
    if addresses:
        return None
    if not sources:
        return "has no sources: a package that only brings others in"
    return "its sources are files of the recipe itself"


def read_srcinfo(path: Path, text: str) -> Iterator[Recipe]:
    """The package of a .SRCINFO."""
    values: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        key, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith("#"):
            if key.strip() == "pkgname" and "pkgname" in values:
                continue
            values.setdefault(key.strip(), []).append(value.strip())
            lines.setdefault(key.strip(), number)
    sources = [one for key in _keys(values) for one in values[key]]
    archives, repositories = sorted_out(sources)
    name = (values.get("pkgbase") or values.get("pkgname") or [path.parent.name])[0]
    yield Recipe(
        name=name,
        version=next(iter(values.get("pkgver", ())), None),
        sources=archives,
        repositories=repositories,
        homepage=tuple(values.get("url", ())[:1]),
        origin=f"{path}:{lines.get('pkgbase', 1)}",
        notes=_notes(name),
        reason=_reason(archives + repositories, sources),
    )
