"""The end of a file name: its extensions, and what they make of the file."""

from __future__ import annotations

from typing import Final, Literal, cast

from monitor.formats.names.words import EXTENSIONS, SIDE_EXTENSIONS

__all__ = ["Kind", "extension_of"]

Kind = Literal["source", "signature", "digest", "patch", "binary", "metadata", "unknown"]

_LAST_OF_MAIN: Final = frozenset(key.rpartition(".")[2] for key in EXTENSIONS)
_LAST_OF_SIDE: Final = frozenset(key.rpartition(".")[2] for key in SIDE_EXTENSIONS)


def extension_of(name: str) -> tuple[str, str, Kind]:
    """The name without its extensions, the extensions, and what they make of the file.

    Only known extensions count, so that `waf-2.1.9` has none. What is about another file has both:
    `foo-1.0.tar.gz.sha256.asc` is `foo-1.0`, `tar.gz.sha256.asc`, a signature.
    """
    stem, side, kind = name, "", "unknown"
    third = name.rfind(".") + 1
    last = name[third:].lower()
    if last not in _LAST_OF_SIDE:
        if third < 2 or last not in _LAST_OF_MAIN:
            return name, "", "unknown"
        cut = _known(name, EXTENSIONS, _LAST_OF_MAIN)
        if cut < 2:
            return name, "", "unknown"
        return name[: cut - 1], name[cut:], cast("Kind", EXTENSIONS[name[cut:].lower()])
    while cut := _known(stem, SIDE_EXTENSIONS, _LAST_OF_SIDE):
        kind = kind if side else SIDE_EXTENSIONS[stem[cut:].lower()]
        side = stem[cut:] + ("." + side if side else "")
        stem = stem[: cut - 1]
    if whole := SIDE_EXTENSIONS.get(stem.lower()):  # SHA256SUMS, SHA256SUMS.asc
        return "", name, cast("Kind", kind if side else whole)
    cut = _known(stem, EXTENSIONS, _LAST_OF_MAIN)
    if cut < 2:
        return stem, side, cast("Kind", kind)
    extension = stem[cut:]
    if side:
        return stem[: cut - 1], f"{extension}.{side}", cast("Kind", kind)
    return stem[: cut - 1], extension, cast("Kind", EXTENSIONS[extension.lower()])


def _known(name: str, table: dict[str, str], lasts: frozenset[str]) -> int:
    """Where the longest known extension begins, behind its dot; 0 where there is none."""
    third = name.rfind(".") + 1
    if not third or name[third:].lower() not in lasts:
        return 0
    second = name.rfind(".", 0, third - 1) + 1
    first = name.rfind(".", 0, second - 1) + 1 if second else 0
    for cut in (first, second, third):
        if cut and name[cut:].lower() in table:
            return cut
    return 0
