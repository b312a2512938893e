"""Files and folders become recipes: which format is it, and which files of a tree count.

A file is known by its name, and where many formats share one by its content. In a tree only
files with a recipe's name are read; of several descriptions of one package the one that says
most counts: `.SRCINFO` before PKGBUILD, the newest ebuild before older ones.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from monitor.errors import UsageError
from monitor.importing.result import Imported, Recipe

__all__ = ["FORMATS", "Format", "detect", "files", "read"]

LARGEST: Final = 64 << 20
"""Bytes of one file; no recipe or lock file is larger."""

_NEVER: Final = frozenset((".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", ".tox"))


@dataclass(frozen=True, slots=True)
class Format:
    """A format: module and function that read it, file names, and what must be in the text."""

    module: str
    function: str
    names: tuple[str, ...]
    holds: str | None = None
    tree: bool = True  # also looked for in trees


FORMATS: Final[dict[str, Format]] = {
    "srcinfo": Format("pkgbuild", "read_srcinfo", (".SRCINFO", "*.SRCINFO")),
    "pkgbuild": Format("pkgbuild", "read", ("PKGBUILD", "*.PKGBUILD", "PKGBUILD.*")),
    "apkbuild": Format("apkbuild", "read", ("APKBUILD", "*.APKBUILD")),
    "ebuild": Format("ebuild", "read", ("*.ebuild",)),
    "termux": Format("termux", "read", ("build.sh", "*.sh"), r"^TERMUX_PKG_\w+="),
    "buildroot": Format("buildroot", "read", ("*.mk",), r"-package\)\)|^[A-Z0-9_]+_SITE\s*[:?]?="),
    "spack": Format(
        "spack",
        "read",
        ("package.py", "*.py"),
        r"^class \w+\([^)]*(?:Package|builtin|Mirror)|^\s+version\(",
    ),
    "watch": Format(
        "watch",
        "read",
        ("watch", "*.watch"),
        r"^\s*(?:version\s*=|Version\s*:|opts\s*=|https?://|ftp://)",
    ),
    "nvchecker": Format(
        "nvchecker", "read", ("*nvchecker*.toml", "*.toml"), r"^\s*source\s*=|^\[__config__\]"
    ),
    "lock": Format(
        "locks",
        "read_toml_lock",
        (
            "poetry.lock",
            "uv.lock",
            "pdm.lock",
            "pylock.toml",
            "pylock.*.toml",
            "Cargo.lock",
            "*.lock",
        ),
        r"^\[\[packages?\]\]",
    ),
    "cargo": Format("locks", "read_cargo_toml", ("Cargo.toml",)),
    "pipfile": Format("locks", "read_pipfile", ("Pipfile.lock",)),
    "gemfile": Format("locks", "read_gemfile", ("Gemfile.lock", "gems.locked", "*.gemfile.lock")),
    "npm": Format("locks", "read_npm", ("package-lock.json", "npm-shrinkwrap.json")),
    "composer": Format("locks", "read_composer", ("composer.lock",)),
    "go": Format("locks", "read_go", ("go.mod",)),
    "mix": Format("locks", "read_mix", ("mix.lock",)),
    "cabal": Format("locks", "read_cabal", ("cabal.project.freeze", "*.freeze", "cabal.config")),
    "stack": Format("locks", "read_stack", ("stack.yaml.lock", "stack.yaml")),
    "requirements": Format(
        "locks",
        "read_requirements",
        ("*requirements*.txt", "*constraints*.txt", "*requirements*.in", "requirements/*.txt"),
    ),
    "anitya": Format(
        "anitya", "read", ("*.json",), r'"(?:backend|version_url|projects|items)"', tree=False
    ),
    "list": Format("plain_lists", "read", ("*.txt", "*.list", "*.csv", "*.tsv", "*"), tree=False),
}
"""Name → format, in the order in which they are tried."""


def detect(path: Path, text: str | None = None, *, tree: bool = False) -> str | None:
    """The format of a file, by name and content; None where nothing fits.

    With `tree` the file was met on the way, and only a recipe's own name counts.
    """
    for name, one in FORMATS.items():
        if tree and not one.tree:
            continue
        patterns = (
            one.names
            if not tree
            else tuple(n for n in one.names if n not in ("*.toml", "*.sh", "*.py", "*.lock"))
        )
        if not any(_named(path, pattern) for pattern in patterns):
            continue
        if one.holds is None:
            return name
        text = _text(path) if text is None else text
        if re.search(one.holds, text, re.MULTILINE):
            return name
    if not tree and text is None:
        text = _text(path)
    return None


def _named(path: Path, pattern: str) -> bool:
    if "/" in pattern:
        return fnmatch.fnmatchcase("/".join(path.parts[-2:]), pattern)
    return fnmatch.fnmatchcase(path.name, pattern)


def read(
    path: Path,
    *,
    format: str | None = None,
    known: Collection[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Imported]:
    """Every recipe in a file or a tree, with its upstream or a reason.

    `format`    one of `FORMATS`, where neither name nor content says
    `known`     providers and sources of this installation; by default the providers
    `progress`  told how many files of how many were read
    Raises UsageError for a path that is not there, a format that is unknown,
    and for a single file that is not of its format.
    """
    import providers
    from monitor.importing.resolving import resolved

    if format is not None and format not in FORMATS:
        raise UsageError(format, "is no format", f"there are: {', '.join(FORMATS)}")
    if not path.exists():
        raise UsageError(str(path), "is not there", "name a file or a folder of recipes")
    have = providers.names() if known is None else known
    if path.is_file():
        for recipe in _single(path, format):
            yield resolved(recipe, have)
        return
    found = files(path)
    for number, (file, kind) in enumerate(found):
        if progress:
            progress(number, len(found))
        if format is None or kind == format:
            for recipe in _met(file, kind):
                yield resolved(recipe, have)
    if progress:
        progress(len(found), len(found))


def _single(path: Path, format: str | None) -> Iterator[Recipe]:
    text = _text(path)
    kind = format or _listed(path, text)
    try:
        yield from _reader(kind)(path, text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(
            str(path), f"is no {kind}: {error}", "name its format with --format"
        ) from error


_STRUCTURED: Final = frozenset(
    ".lock .json .toml .yaml .yml .xml .html .py .sh .mk .nix .spec .ini .cfg .conf .js .rb".split()  # noqa: SIM905
)
"""Endings of files that are no list of names, whatever a line of theirs looks like."""


def _listed(path: Path, text: str) -> str:
    """A format for a file that was named: a list is one unless it holds requirements."""
    kind = detect(path, text) or "list"
    lines = [
        line
        for line in text.splitlines()
        if line.strip() and not line.lstrip().startswith(("#", "-"))  # an option: --hash=…
    ]
    wanted = re.compile(r"\s*[A-Za-z0-9][\w.-]*(?:\[[\w, -]*\])?\s*(?:==|>=|~=|<=|!=|<|>)\s*[\w.*]")
    if (
        kind == "list"
        and lines
        and sum(bool(wanted.match(line)) for line in lines) > len(lines) / 2
    ):
        return "requirements"
    if kind == "list" and path.suffix.lower() in _STRUCTURED:
        raise UsageError(
            str(path),
            "is of no format that is read here",
            f"known are {', '.join(sorted(FORMATS))}: say with --format if it is one of them",
        )
    return kind


def _met(path: Path, kind: str) -> Iterator[Recipe]:
    """The recipes of a file met in a tree: one that is broken costs itself only."""
    try:
        yield from _reader(kind)(path, _text(path))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        UsageError,
    ) as error:
        what = error.what if isinstance(error, UsageError) else error  # its file is said beside
        yield Recipe(
            name=path.parent.name, origin=str(path), reason=f"cannot be read as {kind}: {what}"
        )


def _reader(kind: str) -> Callable[[Path, str], Iterator[Recipe]]:
    one = FORMATS[kind]
    reader: Callable[[Path, str], Iterator[Recipe]] = getattr(
        import_module(f"monitor.importing.{one.module}"), one.function
    )
    return reader


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            # Room is made for as much as is asked for: not for the largest each time.
            size = os.fstat(file.fileno()).st_size
            content = file.read(min(size, LARGEST) + 1)
    except OSError as error:
        raise UsageError(str(path), f"cannot be read: {error.strerror}") from error
    if max(size, len(content)) > LARGEST:
        raise UsageError(str(path), "is larger than any recipe or lock file")
    if b"\0" in content[:4096]:
        raise UsageError(str(path), "is no text", "name a recipe, a lock file or a list")
    return content.decode("utf-8-sig", "replace")


def files(top: Path) -> list[tuple[Path, str]]:
    """The recipes of a tree with their formats, by path. Links to folders are not followed."""
    found: list[tuple[Path, str]] = []
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(one for one in folders if one not in _NEVER)
        here: list[tuple[Path, str]] = []
        for name in sorted(names):
            path = Path(folder) / name
            if not _may_be(name) or not path.is_file():
                continue
            try:
                kind = detect(path, tree=True)
            except UsageError:
                continue
            if kind:
                here.append((path, kind))
        found += _chosen(here)
    return found


_LIKELY: Final = re.compile(
    r".*(?:\.ebuild|\.mk|PKGBUILD|\.SRCINFO|APKBUILD|\.lock|\.toml|\.freeze|requirements.*|constraints.*|\.txt)$"
    r"|(?:build\.sh|package\.py|watch|.*\.watch|go\.mod|package-lock\.json|npm-shrinkwrap\.json|gems\.locked|stack\.yaml|cabal\.config)$"
)


def _may_be(name: str) -> bool:
    return _LIKELY.match(name) is not None


def _chosen(here: list[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Of several files that describe one package, the one that says most."""
    kinds = {kind for _, kind in here}
    ebuilds = [path for path, kind in here if kind == "ebuild"]
    if len(ebuilds) > 1:
        newest = _newest(ebuilds)
        here = [(path, kind) for path, kind in here if kind != "ebuild" or path == newest]
    if "srcinfo" in kinds:
        here = [(path, kind) for path, kind in here if kind != "pkgbuild"]
    if kinds & {"srcinfo", "pkgbuild"}:
        here = [(path, kind) for path, kind in here if kind in ("srcinfo", "pkgbuild")]
    return here


def _newest(ebuilds: list[Path]) -> Path:
    """The newest ebuild that is a release; where there is none, the live one."""
    from monitor.importing.ebuild import is_live, version_of
    from monitor.ordering import sort_key

    releases = [one for one in ebuilds if version_of(one) and not is_live(version_of(one))]
    # Alpine took Gentoo's versions over: 1.2_rc1-r0 is before 1.2-r0.
    return max(releases or ebuilds, key=lambda one: sort_key("alpine", version_of(one)))
