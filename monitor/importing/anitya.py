"""Projects as Anitya exports them (release-monitoring.org): JSON of its API, version 1 or 2.

A list of projects, or an object with `projects` or `items`. A project's `backend` says where
it is looked for, `version_url` (or else its name or homepage) which one it is there.
https://anitya.readthedocs.io/en/stable/api.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from monitor.importing.addresses import place
from monitor.importing.result import Recipe, Upstream

__all__ = ["read"]

_REGISTRIES: Final = {
    "pypi": "pypi",
    "crates.io": "crates",
    "rubygems": "rubygems",
    "npmjs": "npm",
    "hackage": "hackage",
    "stackage": "hackage",
    "cpan (perl)": "cpan",
    "cran (r)": "cran",
    "gnu project": "gnu",
    "gnome": "gnome",
    "kde": "kde",
    "launchpad": "launchpad",
    "sourceforge": "sourceforge",
    "maven central": "maven",
    "packagist": "packagist",
    "pear": "pear",
    "pecl": "pecl",
    "drupal6": "drupal",
    "drupal7": "drupal",
    "debian project": "debian",
}
_FORGES: Final = {
    "github": "https://github.com/",
    "gitlab": "https://gitlab.com/",
    "bitbucket": "https://bitbucket.org/",
    "gitea": "https://gitea.com/",
    "codeberg": "https://codeberg.org/",
    "pagure": "https://pagure.io/",
    "sourcehut": "https://git.sr.ht/",
    "forgejo": "https://codeberg.org/",
}


def read(path: Path, text: str) -> Iterator[Recipe]:
    """A recipe for each project. Raises ValueError where the file is no such export."""
    content = json.loads(text)
    if isinstance(content, dict):
        content = (
            content.get("projects")
            or content.get("items")
            or ([content] if "backend" in content else None)
        )
    if not isinstance(content, list):
        raise ValueError("no list of projects, and no object with `projects` or `items`")
    for number, project in enumerate(content, 1):
        origin = f"{path}:{number}. project"
        if isinstance(project, dict) and isinstance(project.get("name"), str):
            yield _recipe(project, origin)
        else:
            yield Recipe(name=f"{number}. project", origin=origin, reason="has no name")


def _recipe(project: dict[str, Any], origin: str) -> Recipe:
    def text(key: str) -> str:
        value = project.get(key)
        return value.strip() if isinstance(value, str) else ""

    name, backend = text("name"), text("backend").lower()
    rules: dict[str, Any] = {}
    prefix = text("version_prefix")
    if prefix and prefix not in ("v", "V") and ";" not in prefix:
        rules["prefix"] = prefix
    elif ";" in prefix:
        rules["prefix"] = prefix.split(";")[0]
    notes = []
    if ";" in prefix:
        notes.append(f"only the first of its prefixes is carried over ({prefix})")
    if text("regex") and text("regex") != "DEFAULT":
        notes.append("its regular expression is not carried over")
    upstream, sources, repositories, reason = _whence(name, backend, text)
    return Recipe(
        name=name,
        version=text("version") or None,
        upstream=upstream,
        sources=sources,
        repositories=repositories,
        homepage=(text("homepage"),) if text("homepage") else (),
        rules=rules,
        origin=origin,
        notes=tuple(notes),
        reason=reason,
    )


def _whence(
    name: str, backend: str, text: Any
) -> tuple[Upstream | None, tuple[str, ...], tuple[str, ...], str | None]:
    url, homepage = text("version_url"), text("homepage")
    base = next((value for key, value in _FORGES.items() if backend.startswith(key)), None)
    if base:
        if "://" not in url:
            url = base + url.strip("/") if url else homepage
        return None, (), (url,), None
    if backend in ("git", "sourceforge (git)", "sourceforge(git)", "cgit"):
        address = url if "://" in url else homepage
        if backend.startswith("sourceforge"):
            return ("sourceforge", (url.split("/")[-1] if url else name).lower()), (), (), None
        return None, (), (address,), None
    if backend in _REGISTRIES:
        kind = _REGISTRIES[backend]
        spot = place(homepage) if homepage else None
        project = (
            url
            if url and "://" not in url
            else spot.project
            if spot and spot.kind == kind
            else name
        )
        return (kind, project.lower() if kind == "sourceforge" else project), (), (), None
    if backend == "folder":
        if url and (spot := place(url)):
            return spot.upstream, (), (), None
        return (
            (("folder", url if url.endswith("/") else url + "/"), (), (), None)
            if "://" in url
            else (None, (), (), "its folder has no address")
        )
    if backend == "custom":
        for address in (url, homepage):
            if spot := place(address):
                return spot.upstream, (), (), None
        if re.match(r"https?://.*/$", url):
            return ("folder", url), (), (), None
        return (
            None,
            (),
            (),
            f"searches {url[:120] or 'its homepage'} by a pattern: it needs its own provider",
        )
    if backend == "stackage":
        return ("hackage", name), (), (), None
    if not backend:
        return None, (url,) if url else (), (), None if url or homepage else "names no backend"
    return None, (), (), f"has the backend {backend!r}, for which there is no provider"
