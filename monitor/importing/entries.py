"""What was imported, as entries of `packages.toml`.

An entry is added, never changed: what an operator wrote stays as it is, to the byte. Settings
that belong to a provider (a folder's `tree`, the address of an own server) belong to a source;
`sources_needed` says which files these are.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from msgspec import convert

from monitor.errors import SettingsError
from monitor.importing.resolving import WAYS
from monitor.importing.result import Imported
from monitor.rules import Rules
from monitor.settings import Package
from monitor.settings.pages import packages_text, written

__all__ = ["added", "package_of", "source_name", "sources_needed", "spelled"]


def source_name(one: Imported) -> str | None:
    """The source that an entry needs: its provider's, or one with settings of its own."""
    if one.upstream is None:
        return None
    if one.reason and one.instead:
        return one.instead.partition("/")[0].partition("+")[0]
    kind = one.upstream[0]
    if not one.settings:
        return kind
    if one.settings == {"tree": True}:
        return f"{kind}-tree"
    host = re.sub(r"^[a-z]+://|[^a-z0-9.-].*$", "", str(one.settings.get("url", "")))
    return f"{kind}-{host}" if host else kind


def spelled(one: Imported) -> str | None:
    """The upstream as `packages.toml` writes it: "source/project"."""
    if one.upstream is None:
        return None
    if one.reason and one.instead:
        return re.sub(r"^git\+(?=[a-z]+://)", "git/", one.instead)
    return f"{source_name(one)}/{one.upstream[1]}"


def package_of(one: Imported) -> Package | None:
    """The entry of a recipe; None where it has no upstream."""
    upstream = spelled(one)
    if upstream is None:
        return None
    try:
        rules = convert(dict(one.rules), Rules)
    except (SettingsError, ValueError, TypeError):
        rules = Rules()
    return Package(
        upstream=upstream, name=one.name, packaged=one.packaged, owner=one.owner, rules=rules
    )


def added(
    text: str, existing: Iterable[Package], found: Iterable[Imported]
) -> tuple[str, int, int]:
    """A `packages.toml` with what is new at its end; how many were added, and were there before.

    A package that is there under its name is left as it is; and one whose upstream is there
    without a name. Several packages may have one upstream: python3.12, python3.13.
    """
    there = list(existing)
    names = {one.called for one in there}
    upstreams = {one for package in there if not package.name for one in package.upstreams}
    parts = []
    kept = 0
    for one in found:
        package = package_of(one)
        if package is None:
            continue
        if package.name in names or str(package.upstream) in upstreams:
            kept += 1
            continue
        names.add(package.name)
        parts.append(_comment(one) + packages_text([package]))
    if not parts:
        return text, 0, kept
    head = text if not text or text.endswith("\n") else text + "\n"
    return head + ("\n" if head.strip() else "") + "\n".join(parts), len(parts), kept


def _comment(one: Imported) -> str:
    lines = []
    if one.reason and one.upstream:
        kind, project = one.upstream
        instead = "; asked in another way until then" if one.instead else ""
        lines.append(f"{kind}/{project}: {one.reason}{instead}")
    if one.note:
        lines.append(one.note)
    return "".join(f"# {_plain(line)}\n" for line in lines)


def _plain(text: str) -> str:
    """Text without what could end a comment: control characters, line ends of any kind."""
    return "".join(c if c.isprintable() else "?" for c in text)[:300]


def sources_needed(
    found: Iterable[Imported], configured: Collection[str], providers: Collection[str]
) -> dict[str, str]:
    """Names of source files that the entries need and nobody has written, with their text."""
    needed: dict[str, str] = {}
    for one in found:
        name = source_name(one)
        if not name or name in configured or name in needed:
            continue
        kind, values = _made_of(name, one, providers)
        if kind not in providers:
            continue
        lines = [
            "# Written by `monitor import` for entries of packages.toml.",
            "",
            f"provider = {written(str, kind)}",
        ]
        if values:
            lines += ["", "[settings]"]
            lines += [f"{key} = {written(Any, value)}" for key, value in values.items()]
        needed[name] = "\n".join(lines) + "\n"
    return needed


def _made_of(name: str, one: Imported, providers: Collection[str]) -> tuple[str, dict[str, Any]]:
    """The provider and settings of a source of that name."""
    if one.reason and one.instead:
        if name.endswith("-tree"):
            return name.removesuffix("-tree"), {"tree": True}
        return WAYS.get(name, (name, {})) if name not in providers else (name, {})
    kind = name if name in providers else one.upstream[0] if one.upstream else name
    return kind, {} if one.reason else dict(one.settings)
