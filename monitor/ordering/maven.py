"""Maven's order: `ComparableVersion`, as of Maven 3.8.7, made transitive.

A version is cut at dots, at dashes and between digits and letters. A dash, and a
change between digits and letters, begin a list inside the list, and a word at the end
or before digits does so too. Zeros, empty words and empty lists at the end of a list
do not count. Words in small letters; `a1 b1 m1` are alpha, beta, milestone, `cr` is `rc`,
and `ga`, `final` and `release` are the empty word.

    alpha < beta < milestone < rc < snapshot < "" < sp < other words by text
    a word < a list < a number; what is missing equals 0, "" and an empty list

Maven compares what is missing with a list by the first part of the list that counts, but
any word as less than any list, and any list as less than any number. So

    1.sp < 1-alpha (a word before a list),  1-alpha < 1 < 1.sp

which is no order: lists and zeros that end below nothing at all (`-alpha`, `.0.rc.1`) stand
above words that are above it (`.sp`, `.other`). Here such a list or zero sorts below the end
and such a word above it; all other comparisons are Maven's.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, ZERO, text

_PLAIN = re.compile(r"[1-9][0-9]*(?:\.[1-9][0-9]*)*").fullmatch
_PIECES = re.compile(r"([0-9]+)|([^0-9.-]+)|([.-])").findall

# Codes by their order; a list, a zero and an empty word by what they lead to.
_WORDS = {
    "alpha": b"\x02",
    "beta": b"\x03",
    "milestone": b"\x04",
    "rc": b"\x05",
    "snapshot": b"\x06",
}
_EMPTY_BELOW = b"\x07"
_LIST_BELOW = b"\x08"
_ZERO_BELOW = b"\x09"
_END = b"\x0a"
_EMPTY_ABOVE = b"\x0b"
_SP = b"\x0c"
_OTHER = b"\x0d"
_LIST_ABOVE = b"\x0e"

_ALIASES = {"ga": "", "final": "", "release": "", "cr": "rc"}
_BEFORE_DIGITS = {"a": "alpha", "b": "beta", "m": "milestone"}


class _List(list["str | _List"]):
    """Numbers in digits, words, and at most one list, which comes last."""


def key(version: str) -> bytes:
    if _PLAIN(version):
        return b"".join([NUMBERS[part] for part in version.split(".")]) + _END
    return _code(_parse(version))[0]


def canonical(version: str) -> str:
    """Maven's own canonical form: `1.0.0-RC1` is `1-rc-1`.

    Maven's forms of zero and of lists that begin with a list do not read as the same version
    again; there this is `0` and the version as it stands.
    """
    form = _spell(_parse(version)) or "0"
    return form if key(form) == key(version) else version.lower()


def is_prerelease(version: str) -> bool:
    """alpha, beta, milestone, rc, cr and snapshot; `final`, `ga`, `release` and `sp` are not."""
    rest: list[str | _List] = [_parse(version)]
    while rest:
        item = rest.pop()
        if isinstance(item, _List):
            rest += item
        elif item in _WORDS:
            return True
    return False


def _parse(version: str) -> _List:
    top = current = _List()
    lists = [top]

    def nest() -> _List:
        inner = _List()
        current.append(inner)
        lists.append(inner)
        return inner

    pieces = _PIECES(version.lower())
    last = len(pieces) - 1
    after = "."  # the piece before this one, if it was a separator
    for place, (digits, word, separator) in enumerate(pieces):
        following = pieces[place + 1] if place < last else ("", "", "")
        if separator:
            if after:
                current.append("0")
            if separator == "-":
                current = nest()
        elif digits:
            current.append(digits.lstrip("0") or "0")
            if following[1]:
                current = nest()
        else:
            if (following[0] or place == last) and current:
                current = nest()
            if following[0]:
                current.append(_BEFORE_DIGITS.get(word) or _ALIASES.get(word, word))
                current = nest()
            else:
                current.append(_ALIASES.get(word, word))
        after = separator
    for each in reversed(lists):
        _trim(each)
    return top


def _trim(items: _List) -> None:
    for place in range(len(items) - 1, -1, -1):
        item = items[place]
        if item in ("0", "") or item == []:
            del items[place]
        elif not isinstance(item, _List):
            break


def _code(items: _List) -> tuple[bytes, bool]:
    """The code of a list, and whether it is below an empty one. From its end to its front."""
    code, below = _END, False
    for item in reversed(items):
        if isinstance(item, _List):
            inner, below = _code(item)
            code = (_LIST_BELOW if below else _LIST_ABOVE) + inner + code
        elif item == "0":
            code = (_ZERO_BELOW if below else ZERO) + code
        elif item == "":
            code = (_EMPTY_BELOW if below else _EMPTY_ABOVE) + code
        elif item.isdigit():
            code, below = NUMBERS[item] + code, False
        elif item in _WORDS:
            code, below = _WORDS[item] + code, True
        else:
            code, below = (_SP if item == "sp" else _OTHER + text(item)) + code, False
    return code, below


def _spell(items: _List) -> str:
    spelled = ""
    for item in items:
        inner = isinstance(item, _List)
        if spelled:
            spelled += "-" if inner else "."
        spelled += _spell(item) if isinstance(item, _List) else item
    return spelled
