"""Which one file of a release a recipe pins.

PyPI: the wheel that fits the target best (tag order of the packaging
specifications, as pip chooses), else the source archive. Everything else: a
source archive, the smallest common format first; one that a forge makes of a
tag where nobody published another. Pure.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.dockerfile import PATTERNS, UnfitRelease, file_name
from monitor.model import File

ARCHIVES = (".tar.xz", ".tar.bz2", ".tbz2", ".tar.gz", ".tgz", ".txz", ".zip", ".tar")
_SDISTS = (".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz")
_NO_SOURCE = {"signature", "digest", "patch", "binary"}


@dataclass(frozen=True, slots=True)
class Target:
    """What the base image offers: a CPython on glibc."""

    python: tuple[int, int]
    machine: str  # as `uname -m` says: "x86_64", "aarch64"
    glibc: tuple[int, int]

    @classmethod
    def here(cls) -> Target:
        """The running interpreter: what `--base auto` packs into the base image."""
        try:
            libc = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")[2].split(".")
            glibc = (int(libc[0]), int(libc[1]))
        except (ValueError, IndexError, OSError):
            glibc = (2, 17)  # the oldest that current wheels are made for
        return cls((sys.version_info.major, sys.version_info.minor), platform.machine(), glibc)

    def platforms(self) -> list[str]:
        """Platform tags from the newest to the oldest (PEP 600)."""
        major, minor = self.glibc
        oldest = 5 if self.machine in {"x86_64", "i686"} else 17
        legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
        found = []
        for m in range(minor, oldest - 1, -1):
            found.append(f"manylinux_{major}_{m}_{self.machine}")
            if m in legacy:
                found.append(f"{legacy[m]}_{self.machine}")
        return [*found, f"linux_{self.machine}"]


def choose(
    purl: str,
    files: Iterable[File],
    *,
    target: Target,
    prefer: Sequence[str] = ("wheel", "sdist"),
    unpinned: bool = False,
) -> File:
    """The file that a recipe pins.

    `prefer`    for PyPI: the kinds that may be used, the best first
    `unpinned`  whether a file without a strong digest (SHA-256 or better) will do

    Raises UnfitRelease, saying why no file will do.
    """
    usable = [file for file in files if not file.yanked]
    if not usable:
        raise UnfitRelease(purl, "none of its files is known or all are yanked")
    pypi = purl.startswith("pkg:pypi/")
    ranked = _python_files(usable, target, prefer) if pypi else _archives(usable)
    if not ranked:
        names = ", ".join(repr(file_name(file)[:80]) for file in usable[:5])
        wanted = f"{' or '.join(prefer)} for Python {'.'.join(map(str, target.python))}"
        what = f"no {wanted if pypi else 'source archive'} among its {len(usable)} files ({names})"
        raise UnfitRelease(purl, what, "set another base image or preference in builds.toml")
    for file in ranked:
        if file.digest and PATTERNS["digest"].fullmatch(file.digest):
            return file
    if unpinned:
        return ranked[0]
    remedy = "`monitor queue retry` once its upstream names a SHA-256 or better"
    raise UnfitRelease(purl, "no digest is known of its files, so nothing can be pinned", remedy)


def _python_files(files: list[File], target: Target, prefer: Sequence[str]) -> list[File]:
    from packaging.tags import Tag, compatible_tags, cpython_tags
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    platforms = target.platforms()
    order: dict[Tag, int] = {}
    for tag in cpython_tags(target.python, platforms=platforms):
        order.setdefault(tag, len(order))
    interpreter = f"cp{target.python[0]}{target.python[1]}"
    for tag in compatible_tags(target.python, interpreter, platforms):
        order.setdefault(tag, len(order))

    found: list[tuple[int, int, tuple[int, ...], File]] = []
    for place, file in enumerate(files):
        name = file_name(file)
        if name.endswith(".whl") and "wheel" in prefer:
            try:
                _, _, build, tags = parse_wheel_filename(name)
            except InvalidWheelFilename:
                continue
            fits = [order[tag] for tag in tags if tag in order]
            if fits:
                newest_build = -(build[0] if build else 0)
                found.append((prefer.index("wheel"), min(fits), (newest_build, place), file))
        elif "sdist" in prefer and (kind := _ending(name, _SDISTS)) is not None:
            found.append((prefer.index("sdist"), kind, (place,), file))
    return [file for *_, file in sorted(found, key=lambda row: row[:3])]


def _archives(files: list[File]) -> list[File]:
    found = [
        (file.kind == "generated", kind, place, file)
        for place, file in enumerate(files)
        if file.kind not in _NO_SOURCE and (kind := _ending(file_name(file), ARCHIVES)) is not None
    ]
    return [file for *_, file in sorted(found, key=lambda row: row[:3])]


def _ending(name: str, endings: Sequence[str]) -> int | None:
    """Which of these endings the name has, whatever its case."""
    lower = name.lower()
    return next((place for place, end in enumerate(endings) if lower.endswith(end)), None)
