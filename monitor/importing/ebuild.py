"""Gentoo's ebuilds: https://projects.gentoo.org/pms/8/pms.html

Name and version are the file's (`category/name/name-1.2.3-r1.ebuild`). The eclasses that
know where packages of a language come from are known by name. `metadata.xml` beside
names upstreams (remote-ids), for archives that lie with the distribution only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from monitor.importing import shell_tools
from monitor.importing.beside import text_of
from monitor.importing.result import Recipe, Upstream
from monitor.importing.shell import Shell
from monitor.importing.shell import read as read_shell
from monitor.importing.shell_recipes import at, cut_short, filled
from monitor.importing.shell_tools import UNKNOWN

__all__ = ["is_live", "named", "read", "version_of"]

_FILE: Final = re.compile(
    r"(?P<pn>[\w+][\w+-]*?)-(?P<pv>\d+(?:\.\d+)*[a-z]?(?:_(?:alpha|beta|pre|rc|p)\d*)*)(?:-(?P<pr>r\d+))?\.ebuild"
)
_CONDITION: Final = re.compile(r"^!?[A-Za-z0-9+_@-]+\?$")
_REMOTES: Final = {
    "github": "github",
    "gitlab": "gitlab",
    "bitbucket": "bitbucket",
    "codeberg": "gitea",
    "pypi": "pypi",
    "rubygems": "rubygems",
    "hackage": "hackage",
    "cpan": "cpan",
    "cran": "cran",
    "crates-io": "crates",
    "sourceforge": "sourceforge",
    "launchpad": "launchpad",
    "pecl": "pecl",
    "pear": "pear",
    "savannah": "savannah",
    "savannah-nongnu": "savannah",
    "hex": "hex",
    "osdn": "osdn",
    "npm": "npm",
    "maven": "maven",
    "bioconductor": "bioconductor",
}
"""Types of remote-id: https://www.gentoo.org/glep/glep-0068.html"""

_GITLABS: Final = {
    "gnome-gitlab": "https://gitlab.gnome.org",
    "freedesktop-gitlab": "https://gitlab.freedesktop.org",
    "kde-invent": "https://invent.kde.org",
    "heptapod": "https://foss.heptapod.net",
}
_NOTHING: Final = {
    "acct-group": "an account of the system, not software",
    "acct-user": "an account of the system, not software",
    "virtual": "a virtual package, which stands for others",
}


def named(path: Path) -> tuple[str, str, str] | None:
    """Name, version and revision in a file's name; None where it is no ebuild's."""
    match = _FILE.fullmatch(path.name)
    return (match["pn"], match["pv"], match["pr"] or "r0") if match else None


def version_of(path: Path) -> str:
    """The version in a file's name, with its revision; empty where there is none."""
    found = named(path)
    return f"{found[1]}-{found[2]}" if found else ""


def is_live(version: str) -> bool:
    """9999 and its like stand for the newest commit."""
    return re.search(r"(?:^|\.)9{4,}", version) is not None


def read(path: Path, text: str) -> Iterator[Recipe]:
    """The package of an ebuild."""
    found = named(path)
    if found is None:
        yield Recipe(
            name=path.stem, origin=str(path), reason="its file is not named as an ebuild's is"
        )
        return
    name, version, revision = found
    category = path.absolute().parent.parent.name
    inherited: list[str] = []
    shell = read_shell(
        text,
        {
            "PN": name,
            "PV": version,
            "PR": revision,
            "P": f"{name}-{version}",
            "PVR": version if revision == "r0" else f"{version}-{revision}",
            "PF": f"{name}-{version}" + ("" if revision == "r0" else f"-{revision}"),
            "CATEGORY": category,
            "ARCH": "amd64",
            "CHOST": "x86_64-pc-linux-gnu",
        },
        commands={"inherit": lambda shell, words: _inherit(shell, words, inherited)},
        functions=_FUNCTIONS,
    )
    eclasses = list(dict.fromkeys(inherited))
    sources, repositories = _sources(shell)
    upstream = _registry(shell, set(eclasses), name, category, bool(sources))
    live = is_live(version)
    hints = _remotes(path.parent / "metadata.xml")
    own = [
        hint
        for hint in hints
        if hint[0] in ("pypi", "rubygems", "hackage", "cpan", "cran", "crates")
    ]
    homepage = tuple(one for one in shell.text("HOMEPAGE").split() if UNKNOWN not in one)
    reason = _NOTHING.get(category)
    if not reason and not (sources or repositories or upstream or hints):
        by_hand = bool(shell.text("SRC_URI").split())
        reason = None if homepage else "names no source and no repository"
        reason = "its files must be fetched by hand: they have no address" if by_hand else reason
    yield Recipe(
        name=f"{category}/{name}" if category else name,
        version=None if live else version,
        upstream=None if reason else upstream,
        sources=tuple(sources),
        repositories=tuple(repositories),
        hints=tuple(own + [hint for hint in hints if hint not in own]) if upstream is None else (),
        homepage=homepage if not _NOTHING.get(category) else (),
        origin=at(path, shell, "SRC_URI", "EGIT_REPO_URI", "HOMEPAGE"),
        owner=None,
        notes=("follows the newest commit; what is watched are releases",) if live else (),
        reason=cut_short(shell, reason),
    )


def _inherit(shell: Shell, words: list[str], inherited: list[str]) -> None:
    """Eclasses set variables that the recipe goes on to use."""
    inherited.extend(words)
    name, version = shell.text("PN"), shell.text("PV")
    defaults: dict[str, str] = {}
    if "pypi" in words:
        pn = shell.text("PYPI_PN") or name
        defaults["SRC_URI"] = f"mirror://pypi/{pn[0]}/{pn}/{pn}-{version}.tar.gz"
        defaults["PYPI_SDIST_URL"] = defaults["SRC_URI"]
    if {"ruby-fakegem"} & set(words):
        defaults["RUBY_FAKEGEM_NAME"] = name
        defaults["RUBY_FAKEGEM_VERSION"] = version
    if {"perl-module"} & set(words):
        defaults["DIST_NAME"] = name
        defaults["DIST_VERSION"] = version
    if {"gnome2", "gnome.org"} & set(words):
        defaults["GNOME_ORG_MODULE"] = name
        defaults["GNOME_ORG_PVP"] = ".".join(version.split(".")[:2])
    for key, value in defaults.items():
        shell.values.setdefault(key, value)


def _sources(shell: Shell) -> tuple[list[str], list[str]]:
    """Addresses of SRC_URI without conditions and names, and those of repositories."""
    text = shell.text("SRC_URI") or str(shell.elsewhere.get("SRC_URI", ""))
    words = text.split()
    sources: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "->":
            skip = True
        elif "://" in word and not _CONDITION.match(word):
            sources.append(word.removeprefix("fetch+").removeprefix("mirror+"))
    repositories = []
    for values in (shell.values, shell.elsewhere):
        for key in ("EGIT_REPO_URI", "EGIT_OVERRIDE_REPO"):
            value = values.get(key, "")
            texts = value.split() if isinstance(value, str) else value
            repositories += [one for one in texts if "/" in one]
    archives = [one for one in sources if not re.search(r"\.git(?:[?#].*)?$", one)]
    return archives, list(dict.fromkeys(repositories))


def _registry(
    shell: Shell, eclasses: set[str], name: str, category: str, sourced: bool
) -> Upstream | None:
    """What an eclass says of where its packages come from, where the recipe has no own address."""
    own = shell.text("SRC_URI")
    from_default = not own or "mirror://pypi" in own

    def value(key: str, default: str = name) -> str:
        return filled(shell.text(key)) or default

    if "pypi" in eclasses and from_default:
        return "pypi", value("PYPI_PN")
    if own:
        return None
    if "ruby-fakegem" in eclasses:
        return "rubygems", value("RUBY_FAKEGEM_NAME")
    if "haskell-cabal" in eclasses:
        return "hackage", value("HACKAGE_N", value("CABAL_PN"))
    if "perl-module" in eclasses and (
        shell.text("DIST_AUTHOR") or category in {"dev-perl", "perl-core"}
    ):
        return "cpan", value("DIST_NAME")
    if "R-packages" in eclasses:
        return "cran", value("CRAN_PN")
    if {"php-ext-pecl-r3", "php-ext-pecl-r2"} & eclasses:
        return "pecl", value("PHP_EXT_PECL_PKG", value("PHP_EXT_NAME"))
    if {"php-pear-r2", "php-pear-r1"} & eclasses:
        return "pear", value("PHP_PEAR_PKG_NAME", value("PEAR_PN"))
    if {"gnome2", "gnome.org"} & eclasses:
        return "gnome", value("GNOME_ORG_MODULE")
    if {
        "kde.org",
        "ecm",
        "gear.kde.org",
        "plasma.kde.org",
        "frameworks.kde.org",
    } & eclasses and re.match(r"kde-|media-libs/k", f"{category}/"):
        return "kde", value("KDE_ORG_NAME")
    if {"xorg-3", "xorg-2", "xorg-meson"} & eclasses:
        return "xorg", value("XORG_PACKAGE_NAME")
    if {"mix", "rebar3"} & eclasses:
        return "hex", name
    if "nuget" in eclasses:
        return "nuget", name
    if {"qt5-build", "qt6-build"} & eclasses:
        return "folder", "https://download.qt.io/official_releases/qt/"
    if {"kernel-2"} & eclasses:
        return "kernel", "linux"
    if "github-archive" in eclasses and shell.text("GITHUB_HOMEPAGE") == "":
        return None
    return None


def _remotes(path: Path) -> list[Upstream]:
    """The remote-ids of a package."""
    text = text_of(path) or ""
    found: list[Upstream] = []
    for kind, project in re.findall(
        r'<remote-id\s+type="([\w-]+)"\s*>\s*([^<\s]+)\s*</remote-id>', text
    ):
        if kind == "launchpad" and project.startswith("~"):
            continue  # a person or a team, no project
        if kind in _REMOTES:
            found.append((_REMOTES[kind], project))
        elif kind in _GITLABS:
            found.append(("git", f"{_GITLABS[kind]}/{project}.git"))
        elif kind == "sourcehut":
            found.append(("git", f"https://git.sr.ht/{project}"))
    rank = ("github", "gitlab", "gitea", "bitbucket", "git")
    return sorted(found, key=lambda one: rank.index(one[0]) if one[0] in rank else -1)


def _ver_cut(shell: Shell, words: list[str]) -> str:
    return (
        shell_tools.ver_cut(words[1] if len(words) > 1 else shell.text("PV"), words[0])
        if words
        else UNKNOWN
    )


def _ver_rs(shell: Shell, words: list[str]) -> str:
    if len(words) % 2:
        return shell_tools.ver_rs(words[-1], words[:-1])
    return shell_tools.ver_rs(shell.text("PV"), words)


def _old(change: Callable[[str, list[str]], str]) -> Callable[[Shell, list[str]], str]:
    """A function of versionator.eclass, whose version is the last word or the package's."""

    def function(shell: Shell, words: list[str]) -> str:
        return change(shell.text("PV"), words)

    return function


def _pypi(shell: Shell, words: list[str]) -> str:
    """`pypi_sdist_url`, `pypi_wheel_url`: the project matters, the rest follows the rule."""
    options = [word for word in words if not word.startswith("--")]
    project = options[0] if options else (filled(shell.text("PYPI_PN")) or shell.text("PN"))
    version = options[1] if len(options) > 1 else shell.text("PV")
    suffix = options[2] if len(options) > 2 and options[2].startswith(".") else ".tar.gz"
    return f"mirror://pypi/{project[:1]}/{project}/{project}-{version}{suffix}"


_FUNCTIONS: Final[dict[str, Callable[[Shell, list[str]], str]]] = {
    "ver_cut": _ver_cut,
    "ver_rs": _ver_rs,
    "get_version_component_range": _old(
        lambda pv, words: (
            shell_tools.ver_cut(words[1] if len(words) > 1 else pv, words[0]) if words else UNKNOWN
        )
    ),
    "get_major_version": _old(lambda pv, words: shell_tools.ver_cut(pv, "1")),
    "get_all_version_components": _old(
        lambda pv, words: " ".join(re.findall(r"[A-Za-z]+|\d+|[._-]", pv))
    ),
    "replace_all_version_separators": _old(
        lambda pv, words: re.sub(r"[._-]", words[0] if words else "", pv)
    ),
    "delete_all_version_separators": _old(lambda pv, words: re.sub(r"[._-]", "", pv)),
    "delete_version_separator": _old(
        lambda pv, words: (
            shell_tools.ver_rs(pv, [words[0], ""])
            if words and words[0].isdecimal()
            else pv.replace((words or [""])[0].strip("'"), "", 1)
        )
    ),
    "replace_version_separator": _old(
        lambda pv, words: (
            shell_tools.ver_rs(pv, words[:2])
            if words and words[0].isdecimal()
            else pv.replace(words[0], words[1], 1)
            if len(words) > 1
            else UNKNOWN
        )
    ),
    "pypi_sdist_url": _pypi,
    "pypi_wheel_url": _pypi,
    "pypi_normalize_name": lambda shell, words: (
        re.sub(r"[-_.]+", "_", words[0]).lower() if words else UNKNOWN
    ),
    "pypi_translate_version": lambda shell, words: (
        re.sub(
            r"_(alpha|beta|rc)", lambda m: {"alpha": "a", "beta": "b", "rc": "rc"}[m[1]], words[0]
        )
        if words
        else UNKNOWN
    ),
    "cargo_crate_uris": lambda shell, words: "",
}
