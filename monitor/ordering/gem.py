"""RubyGems' order: `Gem::Version`.

A version is cut into numbers and runs of letters; a run of letters is below
every number, and missing parts are zeros, so `1.a` and `1.0.a` are equal and
both below `1`. A dash reads as `.pre.`. Letters compare as bytes: `1.B` < `1.a`.

Unlike RubyGems an empty version is not read as 0.
"""

from __future__ import annotations

import re

from .encoding import ABOVE_ZERO, BELOW_ZERO, END_OF_ZEROS, NUMBERS, Unreadable, text

_PLAIN = re.compile(r"[1-9][0-9]*(?:\.[1-9][0-9]*)*").fullmatch
_FULL = re.compile(
    r" *([0-9]+(?:\.[0-9A-Za-z]+)*(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?) *"
).fullmatch
_PARTS = re.compile(r"[0-9]+|[A-Za-z]+").findall


def key(version: str) -> bytes:
    if _PLAIN(version):
        return b"".join([NUMBERS[part] for part in version.split(".")]) + END_OF_ZEROS
    code = b""
    zeros = 0
    release = True
    for part in _PARTS(canonical(version)):
        if part.isdigit():
            if part.strip("0"):
                code += ABOVE_ZERO[zeros] + NUMBERS[part]
                zeros = 0
            else:
                zeros += 1
        else:
            if release:
                zeros = 0  # zeros at the end of the numbers do not count
                release = False
            code += BELOW_ZERO[zeros] + text(part)
            zeros = 0
    return code + END_OF_ZEROS


def canonical(version: str) -> str:
    """As RubyGems prints it: `1.0-x` is `1.0.pre.x`."""
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not numbers and letters in dotted parts, as RubyGems demands")
    return match[1].replace("-", ".pre.")


def is_prerelease(version: str) -> bool:
    """Any letter makes a pre-release."""
    return any(character.isalpha() for character in canonical(version))
