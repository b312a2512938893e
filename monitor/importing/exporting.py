"""What is watched, written for others: nvchecker's configuration, a table, `packages.toml`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

__all__ = ["Row", "nvchecker_text", "table_text", "toml_text"]


@dataclass(frozen=True, slots=True)
class Row:
    """A watched project. `upstream` is "source/project" or a purl; `rules` those of its entry."""

    name: str
    upstream: str
    packaged: str | None = None
    newest: str | None = None
    owner: str | None = None
    rules: dict[str, Any] = field(default_factory=dict)


_SOURCES: Final = {
    "pypi": ("pypi", "pypi"),
    "github": ("github", "github"),
    "gitlab": ("gitlab", "gitlab"),
    "bitbucket": ("bitbucket", "bitbucket"),
    "gitea": ("gitea", "gitea"),
    "crates": ("cratesio", "cratesio"),
    "cargo": ("cratesio", "cratesio"),
    "rubygems": ("gems", "gems"),
    "gem": ("gems", "gems"),
    "hackage": ("hackage", "hackage"),
    "cpan": ("cpan", "cpan"),
    "cran": ("cran", "cran"),
    "npm": ("npm", "npm"),
    "packagist": ("packagist", "packagist"),
    "composer": ("packagist", "packagist"),
    "launchpad": ("launchpad", "launchpad"),
    "sourceforge": ("sourceforge", "sourceforge"),
    "maven": ("maven", "maven"),
    "go": ("go", "go"),
    "golang": ("go", "go"),
    "opam": ("opam", "pkg"),
    "openvsx": ("openvsx", "openvsx"),
    "vsmarketplace": ("vsmarketplace", "vsmarketplace"),
    "snapcraft": ("snapcraft", "snap"),
    "git": ("git", "git"),
}
"""Our kind or purl type → nvchecker's source and key."""


def nvchecker_text(rows: Iterable[Row]) -> str:
    """nvchecker.toml. What nvchecker cannot ask is a comment with the reason."""
    lines = ["# Written by `monitor export`. https://nvchecker.readthedocs.io/", ""]
    for row in rows:
        lines += [*_nvchecker(row), ""]
    return "\n".join(lines)


def _nvchecker(row: Row) -> list[str]:
    kind, project = _parts(row.upstream)
    head = f"[{_text(row.name)}]"
    if kind in ("folder", "folder-tree") and "://" in project:
        address, _, called = project.partition("#")
        called = called or unquote(address.rstrip("/").rpartition("/")[2])
        return [
            head,
            'source = "regex"',
            f"url = {_text(address)}",
            f"regex = {_text(_archives(called))}",
        ]
    if kind == "gnu":
        return [
            head,
            'source = "regex"',
            f"url = {_text(f'https://ftp.gnu.org/gnu/{project}/')}",
            f"regex = {_text(_archives(project))}",
        ]
    host = None
    if match := re.fullmatch(r"(gitlab|gitea)-([a-z0-9-]+(?:\.[a-z0-9-]+)+)", kind):
        kind, host = match[1], match[2]
    if kind not in _SOURCES:
        return [f"# {_line(row.name)}: nvchecker has no source for {_line(row.upstream)}"]
    source, key = _SOURCES[kind]
    lines = [head, f"source = {_text(source)}", f"{key} = {_text(project)}"]
    if host:
        lines.append(f"host = {_text(host)}")
    if source in ("github", "gitlab", "bitbucket", "gitea"):
        lines.append("use_max_tag = true")
    if row.rules.get("prereleases") == "allow":
        lines.append("use_pre_release = true" if source == "pypi" else "# not told: prereleases")
    lines += _filters(row.rules)
    return lines


def _archives(name: str) -> str:
    """What nvchecker's regex source finds archives of that name by."""
    return re.escape(name) + r"[-_]v?([0-9][0-9.]*)\.tar"


_SEPARATORS: Final = {"underscores": "_", "dashes": "-"}


def _filters(rules: dict[str, Any]) -> list[str]:
    """nvchecker's filters for our rules; what it has no setting for is told in a comment."""
    lines: list[str] = []
    untold = [one for one in ("pin", "skip", "scheme", "epochs") if rules.get(one)]
    before, _, after = str(rules.get("tag") or "").partition("{version}")
    prefix = rules.get("prefix")
    separators = [_SEPARATORS[one] for one in rules.get("transform", ()) if one in _SEPARATORS]
    if rules.get("tag"):
        pattern = f"{re.escape(before)}(.*){re.escape(after)}"
        if not rules.get("include"):
            lines.append(f"include_regex = {_text(pattern)}")
        if separators and not after:
            prefix = before  # nvchecker rewrites once, and cuts a prefix off before that
        else:
            lines += [f"from_pattern = {_text(pattern)}", 'to_pattern = "\\\\1"']
            untold += ["transform"] if separators else []
            separators = []
    if prefix:
        lines.append(f"prefix = {_text(prefix)}")
    if separators:
        lines += [f"from_pattern = {_text(separators[0])}", 'to_pattern = "."']
    for key, name in (("include", "include_regex"), ("exclude", "exclude_regex")):
        if patterns := rules.get(key):
            # nvchecker asks for a full match, our rules search.
            lines.append(f"{name} = {_text('|'.join(_full(one) for one in patterns))}")
    return lines + ([f"# not told: {', '.join(untold)}"] if untold else [])


def _full(pattern: str) -> str:
    if match := re.fullmatch(r"\^\(\?:(.*)\)\$", pattern, re.DOTALL):
        return match[1]
    return f".*(?:{pattern}).*"


def _parts(upstream: str) -> tuple[str, str]:
    if upstream.startswith("pkg:"):
        from packageurl import PackageURL

        purl = PackageURL.from_string(upstream)
        name = f"{purl.namespace}/{purl.name}" if purl.namespace else str(purl.name)
        if purl.type == "generic":
            kind, _, rest = name.partition("/")
            return kind, rest
        return str(purl.type), name
    kind, _, project = upstream.partition("/")
    return kind, project


def table_text(rows: Iterable[Row]) -> str:
    """A plain table: name, packaged, newest, upstream, owner; tabs between, "-" for nothing."""
    lines = ["package\tpackaged\tnewest\tupstream\towner"]
    for row in rows:
        cells = (row.name, row.packaged, row.newest, row.upstream, row.owner)
        lines.append("\t".join(_line(cell) if cell else "-" for cell in cells))
    return "\n".join(lines) + "\n"


def toml_text(rows: Iterable[Row]) -> str:
    """`packages.toml`, which `monitor` reads back."""
    from msgspec import convert

    from monitor.rules import Rules
    from monitor.settings import Package
    from monitor.settings.pages import packages_text

    return packages_text(
        Package(
            upstream=row.upstream,
            name=row.name,
            packaged=row.packaged,
            owner=row.owner,
            rules=convert(row.rules, Rules),
        )
        for row in rows
    )


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _line(value: object) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(value))
