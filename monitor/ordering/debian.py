"""Debian's order: deb-version(7), [epoch:]upstream[-revision].

The upstream version and the revision are each compared in turns: what is not
digits by characters (`~` below the end, the end below letters, letters below
the rest), then digits as a number. A missing revision equals `0`.

What `dpkg --validate-version` refuses cannot be read: an upstream version that
does not begin with a digit, an empty revision, an epoch above 2147483647.

In a key every character stands for itself in one byte: `~` and the end of a
part lie below the numbers, the other characters above.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, ZERO, Unreadable

_FULL = re.compile(r"(?:([0-9]+):)?([0-9][A-Za-z0-9.+~:-]*?)(?:-([A-Za-z0-9.+~]+))?").fullmatch
_RUNS = re.compile(r"([^0-9]*)([0-9]*)").findall
_EPOCH_MAX = 2**31 - 1

_END = b"\x09"
_ORDER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-.:"
_CHARACTERS = bytes.maketrans(b"~" + _ORDER, b"\x08" + bytes(range(0xC8, 0xC8 + len(_ORDER))))
_DOT = b".".translate(_CHARACTERS)

# What is packed again, for Debian or by it, says `~` to sort below a later proper package:
# the software itself is no pre-release.
_REPACKED = re.compile(r"~(?:dfsg|ds[0-9]|repack|bpo|deb|ubuntu|debian|stable|really)", re.I)


def key(version: str) -> bytes:
    epoch, upstream, revision = _parts(version)
    code = NUMBERS[epoch] if epoch else ZERO
    return code + _part(upstream) + (_part(revision) if revision else ZERO + _END)


def canonical(version: str) -> str:
    """No canonical form is defined: the version itself."""
    _parts(version)
    return version


def is_prerelease(version: str) -> bool:
    """`~` in the upstream version, unless it only says that the source was packed again.

    `1.0~rc1-1` is one; `1.0~dfsg-1`, `1.0-1~bpo12+1` and `1.0-1~exp1` are not.
    """
    upstream = _parts(version)[1]
    return "~" in _REPACKED.sub("", upstream)


def _parts(version: str) -> tuple[str | None, str, str | None]:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not [epoch:]upstream[-revision] by Debian's rules")
    epoch, upstream, revision = match.groups()
    if epoch and int(epoch) > _EPOCH_MAX:
        raise Unreadable(f"its epoch is above {_EPOCH_MAX}")
    if revision is None and "-" in upstream:
        raise Unreadable("its revision is empty, or has a colon")
    if epoch is None and ":" in upstream:
        raise Unreadable("there is a colon and no number before it")
    return epoch, upstream, revision


def _part(part: str) -> bytes:
    pieces = part.split(".")
    if "".join(pieces).isdigit() and "" not in pieces:
        return _DOT.join([NUMBERS[piece] for piece in pieces]) + _END
    code = b""
    for other, digits in _RUNS(part):
        if digits:
            code += other.encode().translate(_CHARACTERS) + NUMBERS[digits]
        elif other:
            code += other.encode().translate(_CHARACTERS) + ZERO
    return code + _END
