"""Alpine's order: apk-package(5), numbers[letter][_suffix[number]…][~hash][-rN].

Suffixes: `_alpha _beta _pre _rc` below the version without them, `_cvs _svn _git
_hg _p` above. After the first, a number with a leading zero compares as text,
as Gentoo's do, so `1.01` is below `1.1` and `1.02` above `1.01`. A revision is
above none.

Where apk-tools 2 and 3 differ (runs of zeros: `1.0` against `1.00`) this is
apk-tools 3. What apk calls invalid (`1.0bc`, `23_foo`) cannot be read; apk itself
compares it as far as it gets.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable, text

_FULL = re.compile(
    r"""
    ([0-9]+ (?:\.[0-9]+)*) ([a-z])?                                    # 1, 2
    ((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)               # 3
    (?:~([0-9a-f]+))?                                                  # 4
    (?:-r([0-9]+))?                                                    # 5
    """,
    re.VERBOSE,
).fullmatch
_SUFFIXES = re.compile(r"_([a-z]+)([0-9]*)").findall

# A part of a kind earlier here is less than any part of a kind later, as in apk's table of tokens.
_PRE = {"alpha": b"\x02", "beta": b"\x03", "pre": b"\x04", "rc": b"\x05"}
_END = b"\x06"
_REVISION = b"\x07"
_HASH = b"\x08"
_SUFFIX_NUMBER = b"\x09"
_POST = {"cvs": b"\x0a", "svn": b"\x0b", "git": b"\x0c", "hg": b"\x0d", "p": b"\x0e"}
_LETTER = b"\x0f\x02"
_LEADING_ZERO = b"\x0f\x03"
_SUFFIX = _PRE | _POST


def key(version: str) -> bytes:
    numbers, letter, suffixes, commit, revision = _parts(version)
    first, *rest = numbers.split(".")
    code = NUMBERS[first]
    for number in rest:
        code += NUMBERS[number] if number[0] != "0" else _LEADING_ZERO + text(number[1:])
    if letter:
        code += _LETTER + letter.encode()
    for suffix, number in _SUFFIXES(suffixes):
        code += _SUFFIX[suffix]
        if number:
            code += _SUFFIX_NUMBER + NUMBERS[number]
    if commit:
        code += _HASH + text(commit)
    if revision:
        code += _REVISION + NUMBERS[revision]
    return code + _END


def canonical(version: str) -> str:
    """No canonical form is defined: the version itself."""
    return version


def is_prerelease(version: str) -> bool:
    """`_alpha`, `_beta`, `_pre` or `_rc`."""
    return any(suffix in _PRE for suffix, _ in _SUFFIXES(_parts(version)[2]))


def _parts(version: str) -> tuple[str, str | None, str, str | None, str | None]:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not numbers[letter][_suffix][~hash][-rN], as Alpine demands")
    return match.groups()  # type: ignore[return-value]
