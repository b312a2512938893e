"""What stands behind a version and is no part of it: platforms, contents, words nobody knows."""

from __future__ import annotations

import re
from typing import Final

from monitor.formats.names.words import CONTENTS, PLATFORMS, RELEASED, UNFINISHED

__all__ = ["trim", "trim_inside"]

_SEPARATORS: Final = "-_.+ ~"
# Nothing is cut off such an end but 32, 64 and 386, which may be a machine.
_ENDS_IN_NUMBER: Final = re.compile(r".*[-_.](?!(?:32|64|386)\Z)[0-9]+\Z", re.DOTALL).match
_LAST_WORD: Final = re.compile(r"(.*)[-_.+ ~]([^-_.+ ~]+)[-_.+ ~]*\Z", re.DOTALL)
_DIGIT: Final = re.compile("[0-9]")
_DOTTED: Final = re.compile(r"\d\.\d")
# Platform words that carry a number of their own: darwin9.8, centos6, py3, glibc2, cp39, vc14.
_NUMBERED: Final = re.compile(
    r"(?:darwin|macosx?|osx|win|windows|linux|centos|el|fc|rhel|sles|ubuntu|debian|deb|freebsd|glibc"
    r"|libc|musl|py|python|cp|abi|vc|vs|msvc|gcc|clang|qt|gtk|openmpi|cuda|cu|rocm|jdk|jre|java|j"
    r"|scala|amd64v|x86|wx|php|ruby|node|ios|android|api)\d+\Z"
)
# A word behind a dot that says nothing of how finished it is: 3.11.0.cpp, 5.3.28.NC.
_WORD: Final = re.compile(
    r"\.([A-Za-z]{2,}|x86|x64|(?:win|linux)(?:32|64)[a-z]*|(?:32|64)bit)(?![A-Za-z0-9])"
)
_KEPT: Final = RELEASED | UNFINISHED | {"windows", "security"}
_SYSTEM: Final = re.compile(r"[._](?:linux|windows|win32|win64|macos|osx|darwin)-.*", re.IGNORECASE)
_GIT_DESCRIBED: Final = re.compile(r"-0-g[0-9a-f]{7,40}\Z")
_GLUED_WORD: Final = re.compile(r"(?<=\d)(?:src|source|(linux|win(?:32|64)?))\Z", re.IGNORECASE)
_GLUED_ENDS: Final = frozenset("cexnCEXN24")  # the last characters of these
_GLUED: Final = re.compile(r"(?<=\d)rel\Z", re.IGNORECASE)


def trim(stem: str, *, maven: bool) -> tuple[str, str | None]:
    """Cut contents and platforms off the end; return what is left, and the platform.

    Of contents only what stands behind a digit is cut: in `foo-src` it is part of the name.
    """
    platform: list[str] = []
    end = len(stem)
    if stem[-1:] in _GLUED_ENDS and (glued := _GLUED_WORD.search(stem, 1)):
        end = glued.start()  # winico06src, flare06linux
        platform += filter(None, glued.groups())
    elif _ENDS_IN_NUMBER(stem):
        return stem, None  # as most do: nothing to cut
    while last := _LAST_WORD.match(stem, 0, end):
        cut, start, end = last.end(1), last.start(2), last.end(2)
        word = stem[start:end].lower()
        if word in ("64", "32") and last[1].lower().endswith("x86"):  # x86_64 is one word
            cut, word = cut - 4, "x86_64"
            if cut < 0 or stem[cut] not in _SEPARATORS:
                break
        if cut == 0:
            break
        if word in PLATFORMS or (word[:1].isalpha() and _NUMBERED.match(word)):
            if word.isdecimal() and (stem[cut] == "." or not _says_bits(stem[:cut])):
                break
            platform.append(stem[cut + 1 : end])
        elif (
            word not in CONTENTS
            or (word in RELEASED and stem[cut] == ".")
            or (maven and (word in RELEASED or word == "jre"))
            or not _DIGIT.search(stem, 0, cut)
        ):
            break
        end = cut
    return stem[:end].rstrip(_SEPARATORS), "-".join(reversed(platform)) or None


def _says_bits(rest: str) -> bool:
    """Whether a number behind this may be 32 or 64 bits: behind a system or a dotted version."""
    last = _LAST_WORD.match(rest)
    return bool((last and last[2].lower() in PLATFORMS) or _DOTTED.search(rest))


def trim_inside(version: str) -> str:
    """Cut what is glued to a version and is no part of it."""
    if "-" in version:
        version = _SYSTEM.sub("", version)
    if (word := _WORD.search(version)) and word[1].lower() not in _KEPT:
        version = version[: word.start()]
    return _GLUED.sub("", _GIT_DESCRIBED.sub("", version))
