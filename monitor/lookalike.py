"""Names that are near a watched one: typing errors that somebody waits for (fault E20).

Pure. A name is near another where a person would confuse the two: by one letter (left out, put in,
another one, two changed about), by separators, by the order of its words, or by characters that
look alike. Each watched name is filed under its forms with one letter left out, so that a new name
costs a few look-ups, however many are watched.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SHORT: Final = 5
"""Characters; of names that are shorter, most are one letter from another, and mean nothing."""

_SEPARATORS = re.compile(r"[-_. ]+")
_ALIKE: Final = str.maketrans(
    {
        "0": "o", "1": "l", "i": "l", "|": "l", "5": "s", "3": "e", "4": "a", "8": "b", "9": "g",
        "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "l", "ѕ": "s",
        "ο": "o", "α": "a", "ρ": "p", "ν": "v", "ι": "l", "κ": "k",
    }
)  # fmt: skip
_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))


@dataclass(frozen=True, slots=True)
class Near:
    """A watched purl that a new one is near, and in what they differ."""

    purl: str
    how: str


class Watched:
    """Watched purls, filed so that a new one is compared with those alone that are near it."""

    def __init__(self, purls: Iterable[str]) -> None:
        self._known: set[str] = set()
        self._plain: dict[tuple[str, str], str] = {}
        self._anywhere: dict[str, list[str]] = {}
        self._words: dict[tuple[str, tuple[str, ...]], str] = {}
        self._alike: dict[tuple[str, str], str] = {}
        self._without: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for purl in purls:
            kind, name = _parts(purl)
            plain = _plain(name)
            self._known.add(purl)
            self._plain.setdefault((kind, plain), purl)
            self._anywhere.setdefault(_plain(name.rpartition("/")[2]), []).append(purl)
            self._words.setdefault((kind, _words(name)), purl)
            self._alike.setdefault((kind, _alike(plain)), purl)
            if len(plain) >= SHORT:
                for form in _forms(plain):
                    self._without.setdefault((kind, form), []).append((plain, purl))

    def near(self, purl: str) -> Near | None:
        """The watched purl that this one could be taken for, if there is one."""
        if purl in self._known:
            return None
        kind, name = _parts(purl)
        plain = _plain(name)
        if found := self._plain.get((kind, plain)):
            return Near(found, SPELLING)
        if len(plain) >= SHORT:
            if found := self._words.get((kind, _words(name))):
                return Near(found, "the order of its words")
            if found := self._alike.get((kind, _alike(plain))):
                return Near(found, "characters that look alike")
            for form in _forms(plain):
                for other, found in self._without.get((kind, form), ()):
                    if _one_step(plain, other):
                        return Near(found, "one letter")
        for found in self._anywhere.get(_plain(name.rpartition("/")[2]), ()):
            if _parts(found)[0] != kind:
                return Near(found, ELSEWHERE)
        return None


SPELLING: Final = "separators or case"
"""As likely another spelling of the same project as somebody else's (fault C19)."""

ELSEWHERE: Final = "its ecosystem"


def _parts(purl: str) -> tuple[str, str]:
    """The type of a purl and its name with namespace."""
    kind, _, name = purl.removeprefix("pkg:").partition("/")
    return kind, name


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name).casefold())


def _words(name: str) -> tuple[str, ...]:
    return tuple(sorted(_SEPARATORS.split(unicodedata.normalize("NFKC", name).casefold())))


def _alike(plain: str) -> str:
    text = plain.translate(_ALIKE)
    for pair, one in _PAIRS:
        text = text.replace(pair, one)
    return text


def _forms(plain: str) -> set[str]:
    """The name, and each that one letter less makes of it."""
    return {plain, *(plain[:n] + plain[n + 1 :] for n in range(len(plain)))}


def _one_step(a: str, b: str) -> bool:
    """Is the distance of Damerau and Levenshtein one?"""
    if len(a) < len(b):
        a, b = b, a
    if len(a) - len(b) > 1 or a == b:
        return False
    n = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(b))
    if len(a) > len(b):
        return a[n + 1 :] == b[n:]
    swapped = a[n : n + 2] == b[n : n + 2][::-1] and a[n + 2 :] == b[n + 2 :]
    return swapped or a[n + 1 :] == b[n + 1 :]
