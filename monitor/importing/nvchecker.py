"""nvchecker's configuration: https://nvchecker.readthedocs.io/en/latest/usage.html

Every table is a package; `source` names where it is looked for. What would run a
program, or asks a distribution, has no upstream here, and the reason is given.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from monitor.importing.addresses import place
from monitor.importing.beside import text_of
from monitor.importing.result import Recipe, Upstream
from monitor.rules import LONGEST_PATTERN

__all__ = ["read"]

Table = dict[str, Any]

_PLAIN: Final = {
    "pypi": ("pypi", "pypi"),
    "gems": ("gems", "rubygems"),
    "hackage": ("hackage", "hackage"),
    "cratesio": ("cratesio", "crates"),
    "npm": ("npm", "npm"),
    "packagist": ("packagist", "packagist"),
    "launchpad": ("launchpad", "launchpad"),
    "sourceforge": ("sourceforge", "sourceforge"),
    "maven": ("maven", "maven"),
    "go": ("go", "go"),
    "opam": ("pkg", "opam"),
    "openvsx": ("openvsx", "openvsx"),
    "vsmarketplace": ("vsmarketplace", "vsmarketplace"),
    "snapcraft": ("snap", "snapcraft"),
}
"""Source → its key, our kind; the key's value is the project, else the table's name."""

_REASONS: Final = {
    "cmd": "is found by running a program, which an import never does",
    "manual": "is given by hand: there is nothing to ask",
    "none": "has the source none: there is nothing to ask",
    "aur": "asks the AUR, which packages others' releases; import its PKGBUILD instead",
    "archpkg": "asks a distribution (Arch), not its upstream",
    "alpm": "asks the local package database, not an upstream",
    "alpmfiles": "asks the local package database, not an upstream",
    "apt": "asks a distribution's package index, not its upstream",
    "debianpkg": "asks a distribution (Debian), not its upstream",
    "ubuntupkg": "asks a distribution (Ubuntu), not its upstream",
    "rpmrepo": "asks a distribution's package index, not its upstream",
    "repology": "asks Repology, which compares distributions, not its upstream",
    "container": "follows the tags of a container image, for which there is no provider",
    "combiner": "combines other entries; import these",
    "android_sdk": "asks the Android SDK's list, for which there is no provider",
    "sparkle": "reads an update feed of one application; add a source with the provider rss",
    "mercurial": "its source is a repository of hg, which cannot be asked for tags",
    "julia": "asks Julia's registry, for which there is no provider",
}


def read(path: Path, text: str) -> Iterator[Recipe]:
    """A recipe for each table. Raises ValueError where the file is no TOML."""
    tables = tomllib.loads(text)
    lines = _lines(text)
    versions = _versions(path, tables.get("__config__", {}))
    for name, table in _packages(tables):
        origin = f"{path}:{lines.get(name, 1)}"
        recipe = _recipe(name, table, origin)
        yield recipe if versions.get(name) is None else _with(recipe, versions[name])


def _with(recipe: Recipe, version: str) -> Recipe:
    from dataclasses import replace

    return replace(recipe, version=version)


def _packages(tables: Table, above: str = "") -> Iterator[tuple[str, Table]]:
    """Tables that name a source, also those whose dotted names make tables in tables."""
    for name, table in tables.items():
        if not isinstance(table, dict) or name == "__config__":
            continue
        whole = f"{above}.{name}" if above else name
        if "source" in table or not any(isinstance(one, dict) for one in table.values()):
            yield whole, table
        else:
            yield from _packages(table, whole)


def _lines(text: str) -> dict[str, int]:
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"""\s*\[\s*["']?([^\]"']+)["']?\s*\]""", line):
            found[match[1].strip()] = number
    return found


def _versions(path: Path, config: Any) -> dict[str, str]:
    """What was packaged, from the `oldver` file beside, in either of its shapes."""
    named = config.get("oldver") if isinstance(config, dict) else None
    if not isinstance(named, str) or "/" in named.strip("./") or ".." in named:
        return {}
    try:
        content = json.loads(text_of(path.parent / named) or "")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    data = content.get("data", content) if content.get("version") == 2 else content
    found = {}
    for name, value in data.items():
        version = value.get("version") if isinstance(value, dict) else value
        if isinstance(version, str):
            found[name] = version
    return found


def _recipe(name: str, table: Table, origin: str) -> Recipe:
    source = table.get("source")
    rules, notes = _judging(table)
    settings: dict[str, Any] = {}
    if not isinstance(source, str):
        return Recipe(name=name, origin=origin, reason="names no source")
    if source in _REASONS:
        reason = _REASONS[source]
        if source == "repology" and isinstance(table.get("repology"), str):
            reason += f" (its name there: {table['repology']})"
        return Recipe(name=name, origin=origin, reason=reason)
    if source in _PLAIN:
        key, kind = _PLAIN[source]
        project = table.get(key)
        upstream: Upstream = (kind, project if isinstance(project, str) and project else name)
        return Recipe(name=name, origin=origin, upstream=upstream, rules=rules, notes=notes)
    if source in ("cpan", "cran"):
        project = table.get(source)
        text = project if isinstance(project, str) and project else name
        return Recipe(
            name=name,
            origin=origin,
            upstream=(source, text.replace("::", "-")),
            rules=rules,
            notes=notes,
        )
    if source == "anitya":
        return _anitya(name, table, origin)
    if source in _FORGES:
        return _forge(source, name, table, origin, rules, notes)
    if source in ("git", "vcs"):
        address = table.get("git") or table.get("vcs") or ""
        if not isinstance(address, str) or not address:
            return Recipe(
                name=name, origin=origin, reason=f"the source {source} names no repository"
            )
        return Recipe(name=name, origin=origin, repositories=(address,), rules=rules, notes=notes)
    if source in ("regex", "htmlparser", "httpheader", "jq", "json"):
        return _page(source, name, table, origin)
    return Recipe(
        name=name,
        origin=origin,
        settings=settings,
        reason=f"has the source {source!r}, which we do not know",
    )


_FORGES: Final[dict[str, str]] = {
    "github": "https://github.com",
    "gitlab": "https://gitlab.com",
    "bitbucket": "https://bitbucket.org",
    "gitea": "https://gitea.com",
    "pagure": "https://pagure.io",
    "gogs": "https://notabug.org",
}


def _forge(
    source: str, name: str, table: Table, origin: str, rules: dict[str, Any], notes: tuple[str, ...]
) -> Recipe:
    project = table.get(source)
    if not isinstance(project, str) or not project:
        return Recipe(
            name=name, origin=origin, reason=f"the source {source} names no project: {source} = …"
        )
    host = table.get("host")
    base = (
        f"https://{str(host).removeprefix('https://').removeprefix('http://').rstrip('/')}"
        if host
        else _FORGES[source]
    )
    project = re.sub(r"^https?://[^/]+/", "", project).strip("/").removesuffix(".git")
    address = f"{base}/{project}"
    if source == "pagure":
        return Recipe(
            name=name, origin=origin, repositories=(f"{address}.git",), rules=rules, notes=notes
        )
    spot = place(address)
    if spot is not None and spot.kind == source:
        return Recipe(
            name=name,
            origin=origin,
            upstream=spot.upstream,
            settings=spot.settings,
            rules=rules,
            notes=notes,
        )
    settings = {"url": base} if host else {}
    kind = "gitea" if source == "gogs" else source
    return Recipe(
        name=name,
        origin=origin,
        upstream=(kind, project),
        settings=settings,
        rules=rules,
        notes=notes,
    )


def _anitya(name: str, table: Table, origin: str) -> Recipe:
    number = table.get("anitya_id") or table.get("anitya")
    said = f" (its name there: {number})" if number else ""
    return Recipe(
        name=name,
        origin=origin,
        reason=f"asks release-monitoring.org, not the upstream; import its export{said}",
    )


def _page(source: str, name: str, table: Table, origin: str) -> Recipe:
    """A page that is searched: the forge, registry or folder that its address is of."""
    url = table.get("url")
    if not isinstance(url, str) or "://" not in url:
        return Recipe(name=name, origin=origin, reason=f"the source {source} names no address")
    note = f"nvchecker searches the page by {source}, which is not carried over"
    spot = place(url)
    if spot is not None:
        return Recipe(
            name=name, origin=origin, upstream=spot.upstream, settings=spot.settings, notes=(note,)
        )
    if re.search(r"\.git/?$", url):
        return Recipe(name=name, origin=origin, repositories=(url,), notes=(note,))
    pattern = table.get("regex")
    path = url.partition("?")[0].partition("#")[0]
    lists_files = path.endswith("/") or (
        isinstance(pattern, str)
        and re.search(r"\.(?:tar|t\\?\.?gz|zip|tgz|bz2|xz)|\\?\.tar", pattern)
    )
    if (
        source in ("regex", "htmlparser")
        and lists_files
        and not re.search(r"\.(?:json|xml|txt|ya?ml)$", path)
    ):
        folder = path + "/" if path.count("/") < 3 else path
        called = _called(pattern) if isinstance(pattern, str) else None
        if called and called.lower() != folder.rstrip("/").rpartition("/")[2].lower():
            folder += f"#{called}"
        return Recipe(
            name=name,
            origin=origin,
            upstream=("folder", folder),
            notes=(note, "read as a folder of archives"),
        )
    return Recipe(
        name=name,
        origin=origin,
        reason=f"searches {url[:120]} by {source}: a page that needs a provider of its own",
    )


def _called(pattern: str) -> str | None:
    """The name of the archives that a pattern finds: the plain text before its version."""
    before = re.sub(r"\\(.)", r"\1", pattern.partition("(")[0][-200:])
    match = re.search(r"([A-Za-z][\w+.-]*?)(?:\[[-_]+\]|[-_])v?\??$", before)
    return match[1] if match else None


def _judging(table: Table) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Rules from nvchecker's filters; what does not fit into one is told."""
    rules: dict[str, Any] = {}
    notes: list[str] = []
    for key, rule in (("include_regex", "include"), ("exclude_regex", "exclude")):
        value = table.get(key)
        if isinstance(value, str) and value:
            if _is_re2(value):
                # nvchecker asks for a full match of the tag.
                rules[rule] = (f"^(?:{value})$",)
            else:
                notes.append(f"{key} is not carried over: it needs what RE2 lacks")
    if isinstance(table.get("prefix"), str) and table["prefix"]:
        prefix = table["prefix"]
        if prefix not in ("v", "V"):
            rules["prefix"] = prefix
    pattern, replacement = table.get("from_pattern"), table.get("to_pattern")
    if isinstance(pattern, str) and isinstance(replacement, str):
        changed = _rewriting(pattern, replacement)
        if changed is None:
            notes.append("from_pattern is not carried over")
        rules |= changed or {}
    if table.get("include_prereleases") or table.get("use_pre_release"):
        rules["prereleases"] = "allow"
    if table.get("use_commit") or (table.get("source") == "git" and table.get("use_commit")):
        notes.append("follows commits; what is watched are releases")
    return rules, tuple(notes)


_TEXT: Final = r"(?:[A-Za-z0-9_@/+-]|\\[.+/-])*"
_SEPARATED: Final = {"_": ("underscores",), "-": ("dashes",)}


def _rewriting(pattern: str, replacement: str) -> dict[str, Any] | None:
    """Rules that do what a rewriting of the tag does; None where none does.

    nvchecker searches the pattern and replaces what it finds. A rule follows where what is cut
    off is plain text around the version, or where separators become dots.
    """
    if len(pattern) > LONGEST_PATTERN:
        return None
    if (pattern, replacement) in (("_", "."), ("-", ".")):
        return {"transform": _SEPARATED[pattern]}
    if replacement == "":
        if match := re.fullmatch(rf"\^({_TEXT})", pattern):
            return {"prefix": _unescaped(match[1])}
        if match := re.fullmatch(rf"({_TEXT})\$", pattern):
            return {"tag": "{version}" + _unescaped(match[1])}
        return None
    match = re.fullmatch(rf"\^?(?P<before>{_TEXT})(?P<groups>\(.*\))(?P<after>{_TEXT})\$?", pattern)
    if match is None:
        return None
    before, after = _unescaped(match["before"]), _unescaped(match["after"])
    groups = re.findall(r"\(([^()]*)\)", match["groups"])
    between = set(re.split(r"\([^()]*\)", match["groups"])[1:-1])
    wanted = ".".join(f"\\{number}" for number in range(1, len(groups) + 1))
    if replacement.replace("\\g<1>", "\\1") != wanted or not all(map(_numbers, groups)):
        return None
    if len(between) > 1 or not between <= {"_", "-", "\\."}:
        return None
    rules: dict[str, Any] = {}
    if before.lower() not in ("", "v") or after:
        whole = len(groups) == 1 or after
        rules |= {"tag": f"{before}{{version}}{after}"} if whole else {"prefix": before}
    for separator in between & _SEPARATED.keys():
        rules["transform"] = _SEPARATED[separator]
    return rules


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _numbers(group: str) -> bool:
    """Whether a group may stand for (a part of) a version."""
    if group.startswith("?"):
        return False
    try:
        return any(re.fullmatch(group, one) for one in ("1", "12", "1.2", "1.2.3", "1_2_3"))
    except re.error:
        return False


def _is_re2(pattern: str) -> bool:
    from monitor.errors import SettingsError
    from monitor.rules import pattern as compiled

    try:
        compiled(f"^(?:{pattern})$", "pattern")
    except SettingsError:
        return False
    return True
