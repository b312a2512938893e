"""A recipe becomes an upstream, or a reason: where does this archive really come from?

In this order: what the recipe states outright; the forge or registry of the
archive's address; the git repository it is built from; upstreams named beside
(remote-ids); the folder that the archive lies in; a forge named as homepage.
Whatever is less than certain is said in `Imported.note`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from monitor.importing.addresses import (
    PURL_TYPES,
    Place,
    is_distribution,
    name_of,
    place,
    plain,
    repository_of,
)
from monitor.importing.result import Imported, Recipe, Upstream
from monitor.importing.shell_tools import UNKNOWN
from monitor.model import Release

__all__ = ["FORGES", "WAYS", "resolved"]

FORGES: Final = frozenset(("github", "gitlab", "gitea", "bitbucket", "git"))
"""Kinds whose versions are tags."""

MOST: Final = 500
"""Sources of one recipe that are looked at."""

LONGEST: Final = 4096
"""Characters of an address."""

_SERVERS: Final = frozenset(("gnome", "kde", "kernel", "savannah", "xorg", "cpan", "debian"))
"""Kinds whose archives lie in folders that anybody can list."""

_TOPS: Final = {
    "gnome": "https://download.gnome.org/sources/",
    "savannah": "https://download.savannah.nongnu.org/releases/",
}
"""Of kinds that are named beside, without an archive: where the folders of their projects lie."""

WAYS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "cran": ("folder", {"url": "https://cran.r-project.org/src/contrib/"}),
    "hackage": ("rss", {"url": "https://hackage.haskell.org/package/{project}.rss"}),
    "pecl": ("rss", {"url": "https://pecl.php.net/feeds/pkg_{project}.rss"}),
}
"""Kinds without a provider of their own that another provider can ask: its name and settings."""

_BESIDE: Final = re.compile(
    r"\.(?:sig|asc|sign|sha\d*(?:sum)?|md5|minisig|gpg|patch|diff|desktop|png|svg|conf|service|txt|rules)(?:$|[?#])"
    r"|\D\.1(?:$|[?#])"
    r"|/(?:raw|blob|plain|commit|patch(?:es)?)/",
    re.IGNORECASE,
)
_OTHER_VCS: Final = re.compile(
    r"^(svn|hg|bzr|cvs|fossil|darcs)(?:\+|://)|^(hg|svn|bzr)::", re.IGNORECASE
)
_ARCHIVE: Final = re.compile(
    r"\.(?:tar(?:\.\w+)?|t[gbx]z\d?|tbz2|tlz|zip|gz|bz2|xz|lzma|lz|zst|7z|crate|gem|jar|deb|rpm|appimage|run|exe|msi|dmg|"
    r"iso|whl|rar|z|phar|el|pl|py|sh|ttf|otf|bin|shar|src\.rock|vsix|xpi|oxt|pdf|love|pkg|apk|war)$",
    re.IGNORECASE,
)
_VERSION: Final = re.compile(
    r"(?:[A-Za-z][\w.+]*?[-_.])?[vVrR]?\d+(?:[._-]\d+)*(?:[-_.~+]?(?:a|b|rc|alpha|beta|pre|p|patch|stable|final|GA|x)[\d.x]*)?",
)


def resolved(recipe: Recipe, known: Collection[str]) -> Imported:
    """The upstream of a recipe; `known` are the providers and sources of this installation."""
    recipe = _bounded(recipe)
    notes = list(recipe.notes)
    found, instead, reason = _found(recipe, notes)
    if found is None:
        return Imported(
            name=recipe.name,
            packaged=_clean(recipe.version),
            owner=recipe.owner,
            reason=recipe.reason or reason,
            note="; ".join(notes) or None,
            origin=recipe.origin,
        )
    rules = dict(recipe.rules)
    if found.kind in FORGES and not {"tag", "prefix", "include"} & rules.keys():
        rules |= _tag_rules(recipe, found)
    lacking = None
    if found.kind not in known:
        lacking = f"needs the provider {found.kind}, which this version does not have"
        instead = f"git+{found.repository}" if found.repository else instead
    return Imported(
        name=recipe.name,
        packaged=_clean(recipe.version),
        upstream=found.upstream,
        purl=_purl(found.upstream),
        rules=rules,
        settings=found.settings | recipe.settings,
        owner=recipe.owner,
        instead=instead if lacking else None,
        reason=lacking,
        note="; ".join(notes) or None,
        origin=recipe.origin,
    )


def _bounded(recipe: Recipe) -> Recipe:
    """A recipe without what no recipe has: addresses by the thousand, or of many pages."""
    if len(recipe.sources) <= MOST and all(len(one) <= LONGEST for one in recipe.sources):
        return recipe
    kept = tuple(one for one in recipe.sources[: 4 * MOST] if len(one) <= LONGEST)[:MOST]
    return replace(recipe, sources=kept)


def _clean(version: str | None) -> str | None:
    return version if version and UNKNOWN not in version else None


def _purl(upstream: Upstream) -> str | None:
    kind, project = upstream
    if kind not in PURL_TYPES:
        return None
    from monitor.sources import purl_of

    if kind == "pypi":
        project = re.sub(r"[-_.]+", "-", project).lower()
    elif kind in ("github", "gitlab", "bitbucket"):
        project = project.lower()
    try:
        return purl_of(PURL_TYPES[kind], project)
    except ValueError:
        return None


def _found(recipe: Recipe, notes: list[str]) -> tuple[Place | None, str | None, str | None]:
    """Place, an address to ask instead, and the reason where there is no place."""
    if recipe.upstream:
        kind, project = recipe.upstream
        given = place(project) if kind == "git" else None
        if given and given.kind in FORGES:
            return given, None, None
        repository = _repository(kind, project, recipe.settings.get("url"))
        return Place(kind, project, {}, repository), _instead_of(kind, project), None
    archives = [one for one in recipe.sources if not _BESIDE.search(one.split("::")[-1])]
    theirs = [one for one in archives if not is_distribution(one)]
    if main := _main(recipe, theirs):
        best, address = main
        return best, _instead(address, recipe, best), None
    for address in recipe.repositories:
        if spot := place(address):
            return spot, None, None
        if repository := repository_of(address):
            return Place("git", repository, {}, repository), None, None
    for kind, project in recipe.hints:
        notes.append("named beside the source, not by its address")
        return (
            Place(kind, project, {}, _repository(kind, project)),
            _instead_of(kind, project),
            None,
        )
    reason = None
    for number, address in enumerate(theirs):
        # What comes with the main archive does not stand for it: it lies elsewhere for itself.
        if number and (place(address) or not _akin(_file_name(address), recipe.name)):
            continue
        folder, problem = _folder(address, recipe.version, notes)
        if folder:
            return folder, None, None
        reason = reason or problem
    for address in recipe.sources:
        spot = place(address)
        if spot and (address == recipe.sources[0] or _akin(spot.project, recipe.name)):
            notes.append("its source is a single file of that project")
            return spot, None, None
    for address in recipe.homepage:
        spot = place(address)
        # Of a recipe that has no source, the page is often the recipes' own.
        named = not recipe.reason or (spot is not None and _akin(spot.project, recipe.name))
        if spot and named and spot.kind != "debian":
            notes.append("taken from the homepage")
            return spot, None, None
    return None, None, reason or _why_not(recipe, archives)


def _main(recipe: Recipe, archives: list[str]) -> tuple[Place, str] | None:
    """Of the archives that lie with a forge or registry the main one: where, and its address.

    The first, where it names the version; else the one that has the recipe's name; else the
    first, where no repository has that name. A recipe may begin with what it bundles.
    """
    placed = [(number, one, spot) for number, one in enumerate(archives) if (spot := place(one))]
    akin = [one for one in placed if _akin(one[2].project, recipe.name)]
    version = recipe.version or ""

    def named(one: tuple[int, str, Place]) -> bool:
        return bool(version) and (version in one[1] or _names(one[1], version))

    mine = _folded(recipe.name.rpartition("/")[2])
    same = [one for one in akin if _folded(one[2].project.rpartition("/")[2]) == mine]
    first = [one for one in placed if one[0] == 0]
    for chosen in (
        [one for one in first if named(one) and not _better(recipe)],
        [one for one in same if named(one)],
        [one for one in akin if named(one)],
        same,
        akin,
        [] if _better(recipe) else first,
    ):
        if chosen:
            return chosen[0][2], chosen[0][1]
    return None


def _file_name(address: str) -> str:
    return name_of(re.split(r"[?#]", address)[0].rstrip("/").rpartition("/")[2]) or ""


_HOSTS: Final = {
    "github": "github.com",
    "gitlab": "gitlab.com",
    "gitea": "codeberg.org",
    "bitbucket": "bitbucket.org",
}


def _repository(kind: str, project: str, server: str | None = None) -> str | None:
    """The git repository of a forge's project that was named by name."""
    if kind == "git":
        return project
    return f"{server or f'https://{_HOSTS[kind]}'}/{project}.git" if kind in _HOSTS else None


def _better(recipe: Recipe) -> bool:
    """Whether a repository has the recipe's name: then an archive without it is something else."""
    return any(
        _akin(re.split(r"[#?]", one)[0].rstrip("/").removesuffix(".git"), recipe.name)
        for one in recipe.repositories
    )


def _why_not(recipe: Recipe, archives: list[str]) -> str:
    for address in (*recipe.repositories, *recipe.sources):
        if match := _OTHER_VCS.match(address):
            kind = (match[1] or match[2]).lower()
            return f"its source is a repository of {kind}, which cannot be asked for tags"
    if any(one.startswith("file:") for one in recipe.sources):
        return "must be downloaded by hand: it has no address"
    if any("://" in one for one in archives):
        return "its archive lies with the distribution only, and nothing names an upstream"
    if any("://" not in one for one in recipe.sources):
        return "its address depends on what only the build knows"
    if recipe.sources:
        return "its sources are files of the recipe, patches or single pages; none is a release"
    return "names no source: it brings others in, or is made of files of the recipe"


def _akin(project: str, name: str) -> bool:
    """Whether a project may be what the recipe is named after."""
    last, mine = _folded(project.rpartition("/")[2]), _folded(name.rpartition("/")[2])
    return bool(last) and (
        last == mine or (len(last) > 2 and last in mine) or (len(mine) > 2 and mine in last)
    )


def _folded(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


# Folders


def _instead(address: str, recipe: Recipe, spot: Place) -> str | None:
    """How a project can be asked for as long as there is no provider for its kind."""
    if spot.kind not in _SERVERS:
        return f"{spot.kind}/{spot.project}" if spot.kind in WAYS else None
    if re.match(r"mirror://debian|https?://snapshot\.", address):
        return None  # of no server in particular, or of one day
    folder, _ = _folder(address, recipe.version, [])
    if folder is None:
        return None
    return f"{folder.kind}{'-tree' if folder.settings.get('tree') else ''}/{folder.project}"


def _instead_of(kind: str, project: str) -> str | None:
    """The same of a project of which no archive is known."""
    if kind in _TOPS and re.fullmatch(r"[\w.+-]+", project):
        return f"folder-tree/{_TOPS[kind]}{project}/"
    return f"{kind}/{project}" if kind in WAYS else None


def _folder(address: str, version: str | None, notes: list[str]) -> tuple[Place | None, str | None]:
    """The folder above the archive and above the parts of the path that name a version."""
    if _OTHER_VCS.match(address):
        return None, None
    if re.match(r"https?://hg\.", address):
        return None, "its source is a repository of hg, which cannot be asked for tags"
    if address.startswith("mirror://"):
        text = plain(address)
        if text.startswith(("mirror://", "mirror.invalid")):
            return None, f"nobody knows which servers {address.split('/')[2]!r} stands for"
        address = f"https://{text}"
    if (text := plain(address)).startswith("archive.apache.org/") and "closer." in address:
        address = f"https://{text}"  # what Apache's choice of a mirror would lead to
    try:
        parts = urlsplit(address)
    except ValueError:
        return None, f"{_shown(address)} is no address"
    if parts.scheme not in ("http", "https", "ftp", "rsync") or not parts.netloc:
        return None, None
    if parts.netloc == "web.archive.org" or "google-code-archive" in parts.path:
        return None, "only an archive of the past has it: nothing new appears there"
    if UNKNOWN in parts.netloc:
        return None, "its address depends on what only the build knows"
    path = [one for one in parts.path.split("/") if one]
    if re.search(r"(?:^|[;&])a=snapshot(?:[;&]|$)", parts.query):
        return None, "its archive is made from a git repository, whose own address it does not say"
    asked = parts.query and not _ARCHIVE.search(parts.path)
    if asked or any(re.search(r"\.(?:php|cgi|aspx?|jsp)$", one) for one in path):
        return None, f"{_shown(address)} is an answer to a question, not a file in a folder"
    if re.search(r"/attachments/(?:download/)?[\w]+/", parts.path):
        return None, f"{_shown(address)} is an attachment, and no folder lists those to come"
    if chance := next((one for one in path[:-1] if _CHANCE.fullmatch(one)), None):
        return None, f"the folder {chance[:40]!r} is of one release: the next lies under another"
    while path and path[-1] in ("download", "latest"):
        path = path[:-1]
    if not path:
        return None, f"{_shown(address)} is a server, not a file"
    folders = path[:-1] if not parts.path.endswith("/") else path
    may_be = _ARCHIVE.search(path[-1]) or UNKNOWN in path[-1] or parts.path.endswith("/")
    if not may_be and not re.search(r"\d", path[-1]):
        return None, f"{_shown(address)} is no archive"
    rest = "/".join(path)
    inside = _version_in(path[-1])
    if inside and version and not _names(rest, version):
        version = inside  # the address is an example, of another version
    if version and not inside and UNKNOWN not in rest and not _names(rest, version):
        return None, f"{_shown(address)} does not name the version: what lies there may change"
    cut = next((n for n, one in enumerate(folders) if _versioned(one, version)), len(folders))
    if parts.scheme == "ftp":
        notes.append("the recipe says ftp, which is not asked; https on the same server is")
    scheme = "https" if parts.scheme == "ftp" else parts.scheme
    project = f"{scheme}://{parts.netloc.rpartition('@')[2]}/" + "".join(
        f"{one}/" for one in folders[:cut]
    )
    if UNKNOWN in project:
        return None, "its address depends on what only the build knows"
    if _STORE.search(parts.netloc):
        notes.append("an object store, which seldom lists its files")
    elif not folders[:cut]:
        notes.append("the top of a server, which seldom lists its files")
    settings: dict[str, Any] = {"tree": True} if cut < len(folders) else {}
    if scheme == "rsync":
        return Place("rsync", project, settings), None
    if not parts.path.endswith("/"):
        project += _called(project, path[-1], notes)
    return Place("folder", project, settings), None


_CHANCE: Final = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?=.*[a-f])(?=.*\d)[0-9a-f]{32,}"
)
_STORE: Final = re.compile(
    r"(?:^|\.)(?:storage\.googleapis\.com|s3[.-](?:[a-z0-9-]+\.)*amazonaws\.com|cloudfront\.net|"
    r"blob\.core\.windows\.net|r2\.dev)$"
)


def _called(project: str, file: str, notes: list[str]) -> str:
    """ "#name", where a folder is not the archive's own: others may lie there, too.

    What the provider would not find there is told in the notes.
    """
    from monitor.formats.archives import releases
    from monitor.formats.listing import Folder

    name = name_of(file)
    folder = _folded(project.rstrip("/").rpartition("/")[2])
    own = bool(name) and (_folded(name or "") == folder)
    mark = f"#{name}" if name and not own and re.fullmatch(r"[\w.+~@-]+", name) else ""
    if UNKNOWN in file:
        return mark
    row = (unquote(file), None, None)
    for called in (mark[1:] or None, None):
        try:
            seen = [*releases([Folder("", [row])], project, project=project, called=called)]
        except ValueError:
            seen = []
        if any(isinstance(one, Release) for one in seen):
            return mark if called else ""
    notes.append(
        f"{_shown(file)} does not read as a source archive, which a folder is searched for"
    )
    return mark


def _version_in(file: str) -> str | None:
    from monitor.formats.archive_names import split

    found = split(file)
    return found.version if found.confidence >= 0.5 else None


def _shown(address: str) -> str:
    return address.replace(UNKNOWN, "…")[:120]


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)


def _names(text: str, version: str) -> bool:
    """Whether an address names the version, in whatever spelling."""
    numbers = _digits(version)
    return (
        not numbers
        or numbers in _digits(text)
        or _digits(version.split("-", maxsplit=1)[0]) in _digits(text)
        or any(len(one) > 1 and one in text for one in re.split(r"[._~+-]", version))
    )


def _versioned(folder: str, version: str | None) -> bool:
    """Whether this part of a path is another one for another version."""
    if UNKNOWN in folder:
        return True
    if not re.search(r"\d", folder):
        return False
    if version:
        numbers = _digits(version)
        if len(numbers) > 2 and re.fullmatch(rf"[A-Za-z_-]*0*{numbers}(?:[a-z]\d?)?", folder):
            return True  # dcmtk370 of 3.7.0
        plain_version = version.replace("_", ".").replace("-", ".")
        text = (
            re.sub(r"^[A-Za-z+-]*[-_.]?[vVrR]?(?=\d)", "", folder)
            .replace("_", ".")
            .replace("-", ".")
        )
        if version in folder or plain_version in text:
            return True
        # 1.2 of 1.2.3, 4 of 4.5, 2024 of 2024.1, 1.2.x of 1.2.3
        series = re.sub(r"(?:\.x)+$", "", text)
        if (
            series
            and re.fullmatch(r"[\d.]+", series)
            and (plain_version + ".").startswith(series + ".")
        ):
            return (
                folder[:1].isdigit()
                or bool(re.match(r"[vVrR]\d|[A-Za-z+]+[-_]", folder))
                or "." in series
            )
    return bool(_VERSION.fullmatch(folder)) and (
        "." in folder or bool(re.fullmatch(r"[vV]\d+|\d{4}(?:-\d\d)*", folder))
    )


# Tags


def _tag_rules(recipe: Recipe, found: Place) -> dict[str, Any]:
    """A template of tags, where the general reading of the tag does not give the version."""
    version = recipe.version
    if not version or UNKNOWN in version or not version[0].isdigit():
        return {}
    tag = _tag(recipe, found)
    if not tag or UNKNOWN in tag or re.fullmatch(r"[0-9a-f]{7,40}", tag):
        return {}
    from monitor.formats import tags
    from monitor.formats.archive_names import split_tag

    name = found.project.rstrip("/").rpartition("/")[2].removesuffix(".git")
    split = split_tag(tag, project=name)
    own = {_folded(name), *map(_folded, re.split(r"[-_.]", name))}
    stranger = split.name is not None and _folded(split.name) not in own
    # "cli/v1.2" in a repository of many; "release/1.2" is a manner of speaking.
    folder = _folded(tag.rpartition("/")[0])
    stranger = stranger or folder not in {"", "release", "releases", "version", "tags", *own}
    read = tags.versions([tag], name).get(tag)
    spelled = {
        version: (),
        version.replace(".", "_"): ("underscores",),
        version.replace(".", "-"): ("dashes",),
    }
    for text, transform in spelled.items():
        if text not in tag:
            continue
        if read and not stranger and (read == text or _digits(read) == _digits(version)):
            return (
                {"transform": transform} if transform and read == text and text != version else {}
            )
        before, _, after = tag.rpartition(text)
        series = re.match(r"\d+[._-]\d+", text)
        if not before + after or re.search(r"\d[.]?$", before):
            return {}
        if (
            {"{", "}"} & set(before + after)
            or re.search(r"\d", after)
            or (series and series[0] in before)
        ):
            return {}  # no template fits the next version, too
        rules: dict[str, Any] = {"tag": f"{before}{{version}}{after}"}
        return rules | ({"transform": transform} if transform and text != version else {})
    return {}


def _tag(recipe: Recipe, found: Place) -> str | None:
    """The tag that the recipe asks for."""
    from monitor.formats.names.urls import read_url

    for address in recipe.repositories:
        if match := re.search(r"#(?:.*&)?tag=([^&?]+)", address):
            return match[1]
    for address in recipe.sources:
        if place(address) == found:
            if found.kind == "git":
                return None
            read = read_url(address)
            if read.tag and read.file and not re.search(r"\d", read.tag):
                # …/archive/cli/v1.2.tar.gz: the tag has a slash, and no file follows it.
                return f"{read.tag}/{_ARCHIVE.sub('', read.file).removesuffix('.tar')}"
            return read.tag
    return None
