"""RPM's order: rpm-version(7), [epoch:]version[-release], each compared by `rpmvercmp`.

Runs of digits and runs of letters count, everything else only separates. A
number is above letters, a longer version above its beginning; `~` sorts below
the end of the version and `^` just above it. A missing release is below every
release, a missing epoch is 0.

What RPM does not allow in a version (its spec parser's set of characters) cannot be read.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, ZERO, Unreadable, text

_FULL = re.compile(
    r"(?:([0-9]*):)?([A-Za-z0-9._+%{}~^][A-Za-z0-9._+%{}~^-]*?)(?:-([A-Za-z0-9._+%{}~^]+))?"
).fullmatch
_DOTTED = re.compile(r"[0-9]+(?:\.[0-9]+)*").fullmatch
_PIECES = re.compile(r"[0-9]+|[A-Za-z]+|[~^]").findall

_TILDE = b"\x04"
_END = b"\x05"
_CARET = b"\x06"
_LETTERS = b"\x07"


def key(version: str) -> bytes:
    epoch, main, release = _parts(version)
    code = (NUMBERS[epoch] if epoch else ZERO) + _part(main)
    return code if release is None else code + _part(release)


def canonical(version: str) -> str:
    """No canonical form is defined: the version itself."""
    return version


def is_prerelease(version: str) -> bool:
    """`~` in the version, which RPM has for this: `1.0~rc1`. In the release it says nothing."""
    return "~" in _parts(version)[1]


def _parts(version: str) -> tuple[str | None, str, str | None]:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not [epoch:]version[-release] by RPM's rules")
    parts = match.groups()
    if parts[2] is None and parts[1].endswith("-"):
        raise Unreadable("its release is empty")
    if not any(character.isalnum() for character in parts[1]):
        raise Unreadable("there is neither a number nor a letter in it")
    return parts  # type: ignore[return-value]


def _part(part: str) -> bytes:
    if _DOTTED(part):
        return b"".join([NUMBERS[piece] for piece in part.split(".")]) + _END
    code = b""
    for piece in _PIECES(part):
        if piece.isdigit():
            code += NUMBERS[piece]
        elif piece == "~":
            code += _TILDE
        elif piece == "^":
            code += _CARET
        else:
            code += _LETTERS + text(piece)
    return code + _END
