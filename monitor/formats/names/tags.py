"""Tags: v1.2, release-1_2, project-1.2, foo/v1.2, @scope/pkg@1.2.3, REL_16_1, n4.4."""

from __future__ import annotations

import re
from typing import Final

from monitor.formats.names.stem import Found, find
from monitor.formats.names.words import MARKERS

__all__ = ["find_in_tag", "without_marker"]

_REF: Final = re.compile(r"\A(?:refs/)?(?:tags|heads)/|\Arefs/")
_SCOPED: Final = re.compile(
    r"(?P<name>@?[^@\s]*[^@\s\d:=]\d*)(?:@|:|==)(?P<rest>[vV]?\d[^@\s/:]*)\Z"
)
_MARKER: Final = re.compile(r"(?:\A|[-_./ ])([A-Za-z]+)\Z")


def find_in_tag(tag: str, *, named: bool = False) -> Found:
    """The version that a tag names, and the name in front of it, if it is one.

    A word that only announces a version (`release-1.2`, `REL_16_1`) is no name, and neither is a
    single letter (`n4.4`). `named` says that the name is cut off already.
    """
    text = _REF.sub("", tag).removesuffix("^{}")
    if scoped := _SCOPED.match(text):
        found = find(scoped["rest"])
        if found.version:
            return found._replace(name=scoped["name"], confidence=0.97)
    folder, slash, last = text.rpartition("/")
    found = find(last, named=named)
    name = without_marker(found.name if found.version else None)
    if name and len(name) == 1 and found.version and last.startswith(name + found.version):
        name = None  # n4.4
    if slash and name is None:
        name = without_marker(folder)
    return found._replace(name=name)


def without_marker(name: str | None) -> str | None:
    """A name without the words that only announce a version (`trilinos-release`), or None."""
    while name and (match := _MARKER.search(name)) and match[1].lower() in MARKERS:
        name = name[: match.start()]
    return name or None
