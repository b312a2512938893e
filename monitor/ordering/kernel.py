"""The Linux kernel's order: numbers, then `-testN`, `-preN` or `-rcN` before the release.

`6.6` is `6.6.0`: so the kernel calls itself. Old spellings are read (`2.1.132pre3`,
`2.4.0-test13-pre7`, `0.99pl15j`), and the `v` of tags. `next-20240101` and other trees' names are
no versions of this scheme.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable

_FULL = re.compile(
    r"v?([0-9]+(?:\.[0-9]+)*)((?:[.-]?(?:test|pre|rc|pl)-?[0-9]+)*)([a-z])?"
).fullmatch
_MARKS = re.compile(r"(test|pre|rc|pl)-?([0-9]+)").findall

_MARK = {"test": b"\x03", "pre": b"\x04", "rc": b"\x05", "pl": b"\x07"}
_END = b"\x06"
_LETTER = b"\x08"


def key(version: str) -> bytes:
    release, marks, letter = _parts(version)
    numbers = release.split(".")
    while len(numbers) > 1 and not numbers[-1].strip("0"):
        numbers.pop()
    code = b"".join([NUMBERS[number] for number in numbers])
    for word, number in _MARKS(marks):
        code += _MARK[word] + NUMBERS[number]
    if letter:
        code += _LETTER + letter.encode()
    return code + _END


def canonical(version: str) -> str:
    """No canonical form is defined: the version itself."""
    return version


def is_prerelease(version: str) -> bool:
    """`-rc`, `-pre` and `-test`, and the development series 1.1 to 2.5 with their odd minors."""
    release, marks, _ = _parts(version)
    if any(word != "pl" for word, _ in _MARKS(marks)):
        return True
    major, minor = [int(number) for number in (release + ".0").split(".")[:2]]
    return major in (1, 2) and minor < 6 and minor % 2 == 1


def _parts(version: str) -> tuple[str, str, str | None]:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not numbers[-rcN], as the kernel's releases are named")
    return match.groups()  # type: ignore[return-value]
