"""What a person means by PKG: a purl, provider/name, an address, or a bare name.

Shared by the commands that take one; nothing here asks an upstream.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.cli import App
    from monitor.runtime import Runtime
    from monitor.sources import Source

REGISTRIES = ("pypi", "crates", "rubygems", "hackage", "cpan", "cran")
"""Where a bare name is looked up that nobody watches."""

_VERSION_FOLDER = re.compile(r"[vVrR]?\d+(?:[._-]\w+)*", re.ASCII).fullmatch


@dataclass(slots=True)
class Meant:
    """What one PKG means, and whom to ask.

    `known`   the row of the watched project, where it is one
    `places`  sources and the project's name there; the answers are of one project,
              unless it was a `bare` name
    """

    text: str
    version: str | None = None
    known: dict[str, Any] | None = None
    places: list[tuple[Source, str]] = field(default_factory=list)
    bare: bool = False
    error: UsageError | None = None

    @property
    def have(self) -> str | None:
        """The version that this person has, as far as it was said somewhere."""
        row = self.known or {}
        return self.version or row.get("current") or row.get("acked") or row.get("stable")


def split_version(text: str) -> tuple[str, str | None]:
    """PKG@VERSION in its halves: "pkg:npm/%40scope/name@1.0", "requests@2.0", "pypi/x@1".

    An "@" in front of a slash is no version ("git@host/name"), and none that
    begins a name is ("npm/@scope/name"). An address has no version.
    """
    if "://" in text and not text.startswith("pkg:"):
        return text, None
    name, at, version = text.rpartition("@")
    if not at or "/" in version or not version or not name or name.endswith("/"):
        return text, None
    return name, unquote(version) if text.startswith("pkg:") else version


def without_version(text: str) -> str:
    """PKG of PKG@VERSION."""
    return split_version(text)[0]


def meant(app: App, texts: list[str]) -> list[Meant]:
    """What these texts mean. A wrong one carries its error, so that the others are answered."""
    watched = _watched(app)
    return [_meant(app, text, watched) for text in texts]


def all_watched(app: App) -> list[Meant]:
    """Everything that is watched. Raises UsageError where nothing is."""
    rows = _watched(app)
    if not rows:
        raise UsageError(
            "--all", "nothing is watched yet", "`monitor watch pypi/requests` begins it"
        )
    return [_stored(app, Meant(row["purl"], known=row), row["purl"]) for row in rows]


def _watched(app: App) -> list[dict[str, Any]]:
    if not app.remembers:
        return []
    from monitor.store import projects

    return projects.watched(app.reader)


def _meant(app: App, text: str, watched: list[dict[str, Any]]) -> Meant:
    name, version = split_version(text)
    found = Meant(text, version)
    try:
        rows = _matching(name, watched)
        if len({row["purl"] for row in rows}) == 1:
            # Of packages that share a project none is meant where it is called by its own name.
            found.known = rows[0] if len(rows) == 1 else None
            return _stored(app, found, rows[0]["purl"])
        if rows:
            raise ambiguous(name, [row["purl"] for row in rows])
        if not name.strip():
            raise UsageError(repr(text), "names no project", "write it as provider/name")
        if "/" in name or name.startswith("pkg:"):
            return _placed(app, found, name)
        return _bare(app, found, name)
    except UsageError as error:
        found.error = error
        return found


def _matching(name: str, watched: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The watched projects that a name means: their purl, their given name, or its last part."""
    for told in (
        [row for row in watched if row["purl"] == name],
        [row for row in watched if row["name"] == name],
        [row for row in watched if row["purl"].rpartition("/")[2].lower() == name.lower()],
    ):
        if told:
            return told
    return []


def _stored(app: App, found: Meant, purl: str) -> Meant:
    """Fill in whom to ask for a project of the database: where it was looked at before."""
    from monitor.store import glance

    known = glance.places(app.reader, purl)
    runtime = _runtime_with(app, {source for source, _ in known})
    found.places = [
        (runtime.sources[source], name) for source, name in known if source in runtime.sources
    ]
    return found if found.places else _placed(app, found, purl)


def _placed(app: App, found: Meant, name: str) -> Meant:
    """Fill in whom to ask for a purl, source/name, or address."""
    address = "://" in name and not name.startswith("pkg:")
    runtime = _runtime_for(app, name)
    found.places = runtime.resolve(name)
    if not found.places and address:
        found.places = _of_address(app, name)
    if found.places:
        return found
    if address:
        raise UsageError(
            name,
            "no provider knows this address",
            "give the address of an archive, of a git repository (git+https://…), or provider/name",
        )
    if name.startswith("pkg:"):
        raise UsageError(
            name, "no provider has projects of this type", "`monitor providers` lists them"
        )
    raise unknown_provider(app, name)


def unknown_provider(app: App, name: str) -> UsageError:
    """There is neither a source nor a provider of that name; with what may have been meant."""
    from difflib import get_close_matches

    import providers

    first, _, rest = name.partition("/")
    there = sorted({*app.settings.sources, *providers.names()})
    if first in there:
        return UsageError(name, f"names no project of {first}", f"write it as {first}/NAME")
    if _is_registry(first):
        return UsageError(
            name, f"there is no provider for {first} yet", "`monitor providers` lists what there is"
        )
    near = [f"{one}/{rest}" for one in get_close_matches(first.lower(), there, 3, 0.5)]
    if "github" in there and re.fullmatch(r"[\w-]+/[\w.-]+", name):
        near.append(f"github/{name}")
    remedy = f"did you mean {' or '.join(near)}? " if near else ""
    return UsageError(
        name,
        f"there is no source or provider {first!r}",
        f"{remedy}`monitor providers` lists them",
    )


def _is_registry(word: str) -> bool:
    """Is this a type of purl whose registry is known, as in "npm/react"?"""
    from monitor.homes import home_of

    try:
        return bool(home_of(f"pkg:{word}/name"))
    except ValueError:
        return False


def ambiguous(name: str, candidates: list[str]) -> UsageError:
    """Several projects are meant; say which one."""
    return UsageError(name, "means several projects", "one of: " + ", ".join(candidates[:10]))


def _bare(app: App, found: Meant, name: str) -> Meant:
    """A name alone: of a project that the database knows, else of one that a registry knows."""
    if app.remembers:
        from monitor.store import projects

        purls = projects.find(app.reader, name)
        if len(purls) > 1:
            raise ambiguous(name, purls)
        if purls:
            return _stored(app, found, purls[0])
    import providers

    there = [one for one in REGISTRIES if one in providers.names()]
    runtime = _runtime_with(app, set(there))
    found.bare = True
    found.places = [place for one in there for place in runtime.resolve(f"{one}/{name}")]
    return found


def _runtime_for(app: App, name: str) -> Runtime:
    """The runtime with only those sources that may know this: each one costs its import."""
    import providers

    if name.startswith("pkg:"):
        kind = name.removeprefix("pkg:").partition("/")[0].lower()
        wanted = set(providers.for_purl(kind))
    elif "://" in name:
        wanted = {one for one, _ in providers.find(name)}
    else:
        wanted = {name.partition("/")[0]}
    return _runtime_with(app, wanted)


def _runtime_with(app: App, wanted: set[str]) -> Runtime:
    """Only sources of these names or providers, and those with a purl of their own."""
    from msgspec import structs

    from monitor.runtime import Runtime

    sources = {
        name: source
        for name, source in app.settings.sources.items()
        if name in wanted or source.provider in wanted or source.purl
    }
    return Runtime.of(structs.replace(app.settings, sources=sources))


def _of_address(app: App, url: str) -> list[tuple[Source, str]]:
    """An archive's address: its forge or registry, a configured folder, else the folder it is in.

    A folder that is named as a version is one of several: those beside it are read as well.
    """
    from packageurl.contrib.url2purl import get_purl

    try:
        purl = get_purl(url)  # type: ignore[no-untyped-call]
    except ValueError:
        purl = None
    if purl is not None and purl.type != "generic":
        text = str(type(purl)(purl.type, purl.namespace, purl.name).to_string())
        if places := _runtime_for(app, text).resolve(text):
            return places
    parts = urlsplit(url)
    folder, _, last = parts.path.partition("?")[0].rpartition("/")
    name = _archive_name(unquote(last))
    if name is None or parts.scheme not in ("http", "https", "rsync"):
        return []
    if configured := _configured(app, url, name):
        return configured
    from monitor.runtime import default_source

    tree = False
    while folder and _VERSION_FOLDER(folder.rpartition("/")[2]):
        folder, tree = folder.rpartition("/")[0], True
    top = f"{parts.scheme}://{parts.netloc}{folder}/"
    if parts.scheme == "rsync":
        source = default_source("rsync", url=top)
        whole = replace(source.provider, versions=None)  # its projects are the archives' names
        return [(replace(source, provider=whole), name)]
    return [(default_source("folder", url=top, tree=tree), name)]


def _archive_name(text: str) -> str | None:
    from monitor.formats.archive_names import split_file

    found = split_file(text)
    return found.name if found.version and found.confidence >= 0.5 else None


def _configured(app: App, url: str, name: str) -> list[tuple[Source, str]]:
    """The configured sources that look after an address above this one, as a whole."""
    from monitor.runtime import source_of

    found = []
    for called, given in app.settings.sources.items():
        tops = [str(value) for value in given.settings.values() if "://" in str(value)]
        if any(url.startswith(top.rstrip("/") + "/") for top in tops if "{" not in top):
            source = source_of(called, given, app.settings)
            if source.provider.versions is None and source.provider.index is not None:
                found.append((source, name))
    return found
