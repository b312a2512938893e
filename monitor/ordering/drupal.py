"""Drupal's order: [API.x-]MAJOR.MINOR[.PATCH][-unstable|alpha|beta|rc N | -dev].

A release for an API before 8 is below all for 8 and later; `8.x-` names the API
that semantic versions go on with, so `8.x-3.1` is below `4.0.0`. A branch
(`8.x-1.x-dev`, `2.0.x-dev`) is the tip of its series and a pre-release.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, ZERO, Unreadable

_FULL = re.compile(
    r"(?:([0-9]+)\.x-)?([0-9]+(?:\.[0-9]+){0,2})(\.x)?"
    r"(?:-(unstable|alpha|beta|rc)-?([0-9]+))?(-dev)?",
    re.IGNORECASE,
).fullmatch

_MARK = {"unstable": b"\x03", "alpha": b"\x04", "beta": b"\x05", "rc": b"\x06"}
_DEV = b"\x02"
_END = b"\x07"
_TIP = b"\xc8"  # above every number of the series


def key(version: str) -> bytes:
    api, release, branch, word, number, dev = _parts(version)
    numbers = [NUMBERS[part] for part in release.split(".")]
    if branch:
        numbers.append(_TIP)
    numbers += [ZERO] * (3 - len(numbers))
    generation = NUMBERS[api] if api and int(api) < 8 else NUMBERS["8"]
    code = generation + b"".join(numbers)
    if word:
        code += _MARK[word.lower()] + NUMBERS[number or "0"]
    return code + (_DEV if dev else _END)


def canonical(version: str) -> str:
    """No canonical form is defined: the version itself."""
    return version


def is_prerelease(version: str) -> bool:
    """Unstable, alpha, beta, release candidates and development snapshots."""
    _, _, branch, word, _, dev = _parts(version)
    return bool(word or dev or branch)


def _parts(
    version: str,
) -> tuple[str | None, str, str | None, str | None, str | None, str | None]:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not [API.x-]MAJOR.MINOR[.PATCH][-PRE], as Drupal demands")
    return match.groups()  # type: ignore[return-value]
