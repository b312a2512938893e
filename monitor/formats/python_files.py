"""Files of a Python project: which version does each belong to?

The file name says it, but not always in the spelling of the release: a wheel
of `1.0.0-RC1` is called `…-1.0.0rc1-…`. So names are compared by their
canonical form, and the list of versions that the index gives has the last word.
Formats: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
and source-distribution-format; eggs, installers and dumb archives are older.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from packaging.utils import canonicalize_name
from packaging.version import Version

SOURCE = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.Z", ".tar", ".tbz")
BINARY = (".whl", ".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg")

# What stands behind "name-" in the names of today: "1.0-cp312-none-any.whl", "1.0.tar.gz".
_MODERN = re.compile(
    r"([0-9a-z][0-9a-z.+!]*)-(?:py|cp|pp)[0-9][0-9a-z_.]*-[0-9a-z_.]+-[0-9a-z_.]+\.whl\Z"
    r"|([0-9a-z][0-9a-z.+!]*)\.tar\.gz\Z"
).match

_SEPARATORS = re.compile(r"[-_.]+")


def by_version(
    project: str, files: Iterable[str], versions: Iterable[str] | None = None
) -> tuple[dict[str, list[str]], list[str]]:
    """File names under the version each belongs to, and those that belong to none.

    `versions` are the published ones, where the index lists them: each appears
    in the result, also without files. Without them, versions are spelled as in
    the file names.
    """
    found: dict[str, list[str]] = {version: [] for version in versions or ()}
    spelled: Mapping[str, str] = {canonical(version): version for version in found}
    strays = []
    start = canonicalize_name(project).replace("-", "_") + "-"
    # Where a version may have hyphens, a file's name has to be read with more care.
    plain = start[:1].isalnum() and start[-2:-1].isalnum()
    plain = plain and not any("-" in version or "_" in version for version in found)
    for file in files:
        version = None
        if plain and file.startswith(start) and (match := _MODERN(file, len(start))):
            version = spelled.get(canonical(match[1] or match[2]))
        if version is None:
            version = _version(project, file, spelled)
        if version is None:
            strays.append(file)
        else:
            found.setdefault(version, []).append(file)
    return found, strays


def kind(file: str) -> str:
    """`source` or `binary`, by the ending (a dumb archive passes for source)."""
    return "binary" if file.endswith(BINARY) else "source"


@lru_cache(maxsize=4096)
def canonical(version: str) -> str:
    """One spelling for equal versions (PEP 440); what is no such version stays, in lower case."""
    try:
        found = Version(version)
    except ValueError:  # also a number of thousands of digits, which int() refuses
        return version.lower().replace("_", "-")
    release = found.release
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    head = f"{found.epoch}!" + ".".join(map(str, release))
    return head + str(found)[len(found.base_version) :]


def _version(project: str, file: str, spelled: Mapping[str, str]) -> str | None:
    rest = _after_name(project, file)
    if rest is None:
        return None
    for ending in SOURCE + BINARY:
        if rest.endswith(ending):
            rest = rest[: -len(ending)]
            break
    # The longest beginning that is a known version: `1.0-py3-none-any`, `1.5.0.win32-py2.6`.
    borders = [len(rest), *(m.start() for m in reversed(list(_SEPARATORS.finditer(rest))))]
    for border in borders:
        if (version := spelled.get(canonical(rest[:border]))) is not None:
            return version
    if spelled:
        return None
    candidate = rest.split("-")[0] if file.endswith((".whl", ".egg")) else rest
    try:
        Version(candidate)
    except ValueError:
        return None
    return candidate


def _after_name(project: str, file: str) -> str | None:
    """What follows the project's name in a file name; the name may be spelled differently."""
    wanted = canonicalize_name(project)
    for border in _SEPARATORS.finditer(file):
        if canonicalize_name(file[: border.start()]) == wanted:
            return file[border.end() :]
    return None
