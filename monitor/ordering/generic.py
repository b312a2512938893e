"""The order for all without rules: libversion's published algorithm.

From Repology's `doc/ALGORITHM.md`, written anew: a version is cut into words
and numbers, everything else separates; each part has a rank, and missing parts
are zeros, so `1.0` equals `1.0.0`:

    pre-release  alpha, beta, rc, pre…, and words that are not known (`1.0git5`)
    zero         0, and what is missing
    post-release pl, errata, patch…, post…
    number       any other number
    letter       a word right after a number and not right before one (`1.0a`, `1.0a.1`)

Words count by their first letter, without regard to case: `1.0a1` equals
`1.0alpha1`. `p` before a number is a pre-release, as is libversion's default.

What has no digit at all (`latest`, `stable`, a branch) is no version.

The order pads with zeros without end, which no finite text of parts could be
compared by. So zeros are not written but counted, and the count is put in
front of the part that follows them; see `encoding`.
"""

from __future__ import annotations

import re

from .encoding import ABOVE_ZERO, BELOW_ZERO, END_OF_ZEROS, JUST_ABOVE_ZERO, NUMBERS, Unreadable

_PLAIN = re.compile(r"[1-9][0-9]*(?:\.[1-9][0-9]*)*").fullmatch
_PART = re.compile(r"(0+(?![0-9]))|([0-9]+)|([A-Za-z]+)")
_PRE_WORDS = frozenset({"alpha", "beta", "rc"})
_POST_WORDS = frozenset({"pl", "errata"})
_POST_BEGINNINGS = ("patch", "post")

_LETTER = 0xC8

# Words by which upstreams say that this is not yet, or not quite, a release.
_UNFINISHED = frozenset(
    [
        "alpha",
        "beta",
        "canary",
        "cr",
        "cvs",
        "bzr",
        "daily",
        "dev",
        "devel",
        "development",
        "ea",
        "eap",
        "edge",
        "experimental",
        "git",
        "hg",
        "insider",
        "insiders",
        "milestone",
        "nightly",
        "rc",
        "snap",
        "snapshot",
        "svn",
        "testing",
        "tip",
        "trunk",
        "unstable",
        "wip",
    ]
)
_UNFINISHED_BEFORE_NUMBER = frozenset({"a", "b", "m"})

_NO_NUMBER = "there is no number in it"


def key(version: str) -> bytes:
    if _PLAIN(version):
        return b"".join([NUMBERS[part] for part in version.split(".")]) + END_OF_ZEROS
    code = b""
    zeros = 0
    digits = False
    last = -1  # where the number before this part ended
    for match in _PART.finditer(version):
        zero, value, word = match.groups()
        if word is None:
            digits = True
            last = match.end()
            if zero is not None:
                zeros += 1
                continue
            code += ABOVE_ZERO[zeros] + NUMBERS[value]
        else:
            word = word.lower()
            end = match.end()
            if word in _PRE_WORDS or word.startswith("pre"):
                code += BELOW_ZERO[zeros] + word[:1].encode()
            elif word in _POST_WORDS or word.startswith(_POST_BEGINNINGS):
                code += ABOVE_ZERO[zeros] + JUST_ABOVE_ZERO + word[:1].encode()
            elif last == match.start() and not version[end : end + 1].isdigit():
                code += ABOVE_ZERO[zeros] + bytes((_LETTER + ord(word[0]) - 97,))
            else:
                code += BELOW_ZERO[zeros] + word[:1].encode()
        zeros = 0
    if not digits:
        raise Unreadable(_NO_NUMBER)
    return code + END_OF_ZEROS


def canonical(version: str) -> str:
    """No canonical form is defined: the version itself."""
    return version


def is_prerelease(version: str) -> bool:
    """By words: `1.0-beta`, `2.0rc1`, `1.0a2`, `3.0-M1`, `1.0.dev5`, `1.0-git20240101`.

    `a`, `b` and `m` only between two numbers: `1.1.1a` is a fix of OpenSSL's, not an alpha, and
    `b8117` is a build.
    """
    digits = False
    unfinished = False
    for match in _PART.finditer(version):
        word = match[3]
        if word is None:
            digits = True
            continue
        word = word.lower()
        before_number = version[match.end() :][:1].isdigit()
        unfinished |= word in _UNFINISHED or word.startswith("pre")
        unfinished |= digits and before_number and word in _UNFINISHED_BEFORE_NUMBER
    if not digits:
        raise Unreadable(_NO_NUMBER)
    return unfinished
