"""Plain lists: a purl, `provider/project`, an address or a name a line, perhaps with a version.

"pkg:pypi/requests 2.31.0", "github/psf/requests", "https://…/foo-1.2.tar.gz", "zlib 1.3".
Separated by spaces, tabs, commas or semicolons; "#" begins a comment, and a first line of
column names is none. A bare name, or an archive's, does not say where its project is
published, and nothing is guessed; a few kinds of archive are one registry's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from monitor.importing.addresses import PURL_TYPES, place
from monitor.importing.result import Recipe, Upstream

__all__ = ["read"]

_KINDS: Final = {purl: kind for kind, purl in PURL_TYPES.items() if "/" not in purl}
_BARE: Final = (
    "a bare name does not say where it is published: write a purl, provider/project or an address"
)
_ARCHIVE_NAME: Final = (
    "an archive's name does not say where it is published: write its address, or a purl"
)
_OWN: Final = {"gem": "rubygems", "crate": "crates", "whl": "pypi", "src.rock": "luarocks"}
"""Endings of archives that one registry's packages have."""

_COLUMNS: Final = frozenset(
    "archive file name package project version packaged upstream url address source purl".split()  # noqa: SIM905
)


def read(path: Path, text: str) -> Iterator[Recipe]:
    """A recipe a line."""
    first = True
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(?:^|\s)#.*$", "", raw).strip()
        if not line:
            continue
        words = _words(line)
        head = first and len(words) > 1 and {word.lower() for word in words} <= _COLUMNS
        if not head:
            yield _recipe(line, f"{path}:{number}")
        first = False


def _words(line: str) -> list[str]:
    return [word for word in re.split(r"[\s,;]+", line) if word]


def _recipe(line: str, origin: str) -> Recipe:
    words = _words(line)
    places = [
        n
        for n, word in enumerate(words)
        if word.startswith("pkg:") or "://" in word or re.fullmatch(r"[a-z_]+/\S+", word)
    ]
    if places:
        word = words[places[0]]
        rest = words[: places[0]] + words[places[0] + 1 :]
        version = next((one for one in rest if re.match(r"[vV]?\d", one)), None)
        name = next((one for one in rest if not re.match(r"[vV]?\d", one)), None)
        return _located(word, name, version, origin)
    exact = re.fullmatch(r"([^=<>!~@]+?)\s*(?:==?|@)\s*(\S+)", line)
    if exact:
        return Recipe(name=exact[1], version=exact[2], origin=origin, reason=_BARE)
    version = words[1] if len(words) > 1 and re.match(r"[vV]?\d", words[1]) else None
    if ending := _ENDING.search(words[0]):
        return _archive(words[0], ending[1], words[1:], origin)
    return Recipe(name=words[0], version=version, origin=origin, reason=_BARE)


_ENDING: Final = re.compile(
    r"\.(tar(?:\.\w+)?|t[gbx]z2?|zip|gem|crate|whl|src\.rock|jar|7z|gz|bz2|xz|bin|deb|rpm)$"
)


def _archive(file: str, ending: str, beside: list[str], origin: str) -> Recipe:
    """The name of an archive, perhaps with version and package in the columns after it."""
    from monitor.formats.archive_names import split

    found = split(file)
    version = next((one for one in beside if re.match(r"[vV]?\d", one)), found.version)
    called = next((one for one in beside if one != version), found.name) or file
    if ending in _OWN and found.name:
        name = file.split("-", maxsplit=1)[0] if ending == "whl" else found.name
        return Recipe(name=called, version=version, upstream=(_OWN[ending], name), origin=origin)
    return Recipe(name=called, version=version, origin=origin, reason=_ARCHIVE_NAME)


def _located(word: str, name: str | None, version: str | None, origin: str) -> Recipe:
    if word.startswith("pkg:"):
        return _purl(word, name, version, origin)
    if "://" in word:
        return _address(word, name, version, origin)
    provider, _, project = word.partition("/")
    import providers

    kind = "github" if provider == "github" else provider
    if (
        kind not in providers.names()
        and kind not in set(_KINDS.values())
        and place(f"https://github.com/{word}") is not None
    ):
        return Recipe(
            name=name or word,
            version=version,
            origin=origin,
            reason=f"there is no provider {provider!r}: write github/{word} if that is meant",
        )
    return Recipe(
        name=name or project.rpartition("/")[2],
        version=version,
        upstream=(kind, project),
        origin=origin,
    )


def _purl(word: str, name: str | None, version: str | None, origin: str) -> Recipe:
    from packageurl import PackageURL

    try:
        purl = PackageURL.from_string(word)
    except ValueError as error:
        return Recipe(name=name or word, origin=origin, reason=f"is no purl: {error}")
    project = f"{purl.namespace}/{purl.name}" if purl.namespace else str(purl.name)
    kind = _KINDS.get(str(purl.type))
    if purl.type == "generic" and purl.namespace:
        kind, _, project = project.partition("/")
    if purl.type == "maven" and purl.namespace:
        project = f"{purl.namespace}:{purl.name}"
    version = str(purl.version) if purl.version else version
    called = name or str(purl.name)
    if kind is None:
        kind = str(purl.type)
        if kind in ("deb", "rpm", "apk", "alpm", "docker", "oci"):
            return Recipe(
                name=called,
                version=version,
                origin=origin,
                reason=f"a purl of type {kind} names a distribution's package, not its upstream",
            )
    upstream: Upstream = kind, project
    return Recipe(name=called, version=version, upstream=upstream, origin=origin)


def _address(word: str, name: str | None, version: str | None, origin: str) -> Recipe:
    from monitor.formats.archive_names import split

    found = split(word)
    spot = place(word)
    if version is None and found.version and found.extension and found.confidence >= 0.5:
        version = found.version
    if re.search(r"\.git/?$", word) or word.startswith("git"):
        stem = word.rstrip("/").rpartition("/")[2].removesuffix(".git")
        return Recipe(name=name or stem, version=version, repositories=(word,), origin=origin)
    called = name or (spot.project.rpartition("/")[2] if spot else None) or found.name or word
    return Recipe(name=called, version=version, sources=(word,), origin=origin)
