"""Composer's order: a version is normalised to four numbers, then PHP's `version_compare` holds.

`1.0`, `v1.0.0` and `1.0.0-stable` are equal; `dev` < `alpha` < `beta` < `RC` < nothing <
`patch`; build metadata, an alias (`1.0 as 2.0`) and a stability flag (`@beta`) do not
count. Branches (`dev-main`) are below all numbers, by name; `1.x-dev` is the tip of its
series.

Unlike here, Composer has no order among branches, and reads `STABLE` in capitals as
below everything. Dates may have the two more parts that Composer reads since 3.4.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable, text

_AROUND = re.compile(r" +as +[^, ]+$|@(?:stable|RC|beta|alpha|dev)$", re.IGNORECASE)
_MODIFIER = r"[._-]?(?:(stable|beta|b|RC|alpha|a|patch|pl|p)((?:[.-]?[0-9]+)*)?)?([.-]?dev)?"
_CLASSIC = re.compile(
    r"v?([0-9]{1,5})(?:\.([0-9]+))?(?:\.([0-9]+))?(?:\.([0-9]+))?" + _MODIFIER, re.IGNORECASE
).fullmatch
_DATE = re.compile(
    r"v?([0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3}){0,2})" + _MODIFIER, re.IGNORECASE
).fullmatch
_TIP = re.compile(r"v?([0-9]+)((?:\.(?:[0-9]+|[x*])){0,3})[.-]?dev", re.IGNORECASE).fullmatch
_BUILD = re.compile(r"([^, +]+)\+[^ ]+").fullmatch
_DIGITS = re.compile(r"[0-9]+").findall

_BRANCH = b"\x01"
_DEV = b"\x02"
_STABILITY = {
    "a": (b"\x03", "alpha"),
    "alpha": (b"\x03", "alpha"),
    "b": (b"\x04", "beta"),
    "beta": (b"\x04", "beta"),
    "rc": (b"\x05", "RC"),
    "p": (b"\xc8", "patch"),  # above a further number, which only dates can have: 2010.1.2-p1
    "pl": (b"\xc8", "patch"),
    "patch": (b"\xc8", "patch"),
}
_END = b"\x06"
_NO_LIMIT = "9999999"  # what Composer puts for an x

_Parts = tuple[list[str], str | None, list[str], bool]


def key(version: str) -> bytes:
    version = _bare(version)
    if _is_branch(version):
        return _BRANCH + text(version[4:])
    numbers, word, counts, dev = _parts(version)
    code = b"".join([NUMBERS[number] for number in numbers])
    if word:
        code += _STABILITY[word][0] + b"".join([NUMBERS[count] for count in counts])
    return code + (_DEV + _END if dev else _END)


def canonical(version: str) -> str:
    """Composer's normalised form: `v1.0-b2` is `1.0.0.0-beta2`, a branch is `dev-NAME`."""
    version = _bare(version)
    if _is_branch(version):
        return "dev-" + version[4:]
    numbers, word, counts, dev = _parts(version)
    spelled = ".".join(numbers)
    if word:
        spelled += "-" + _STABILITY[word][1] + ".".join(counts)
    return spelled + ("-dev" if dev else "")


def is_prerelease(version: str) -> bool:
    """Every stability but `stable`: dev, alpha, beta and RC. A patch is stable."""
    version = _bare(version)
    if _is_branch(version):
        return True
    _, word, _, dev = _parts(version)
    return dev or (word is not None and _STABILITY[word][1] != "patch")


def _bare(version: str) -> str:
    """Without what Composer strips before it looks at the numbers."""
    version = version.strip(" ")
    for _ in range(2):  # an alias, then a stability flag
        version = _AROUND.sub("", version, count=1)
    if version in ("master", "trunk", "default"):
        return "dev-" + version
    if _is_branch(version):
        return version
    build = _BUILD(version)
    return build[1] if build else version


def _is_branch(version: str) -> bool:
    return version[:4].lower() == "dev-"


def _parts(version: str) -> _Parts:
    """Numbers, stability word in small letters, its numbers, whether it is a dev version."""
    match = _CLASSIC(version)
    if match:
        numbers = [number or "0" for number in match.groups()[:4]]
        word, counts, dev = match.groups()[4:7]
    elif match := _DATE(version):
        numbers = _DIGITS(match[1])
        word, counts, dev = match.groups()[1:4]
    elif match := _TIP(version):
        parts = (match[1] + match[2]).split(".")
        numbers = [part if part.isdigit() else _NO_LIMIT for part in parts]
        numbers += [_NO_LIMIT] * (4 - len(numbers))
        return numbers, None, [], True
    else:
        raise Unreadable("it is not a version that Composer can normalise")
    word = word.lower() if word else None
    if word == "stable":
        return numbers, None, [], False
    return numbers, word, _DIGITS(counts or ""), bool(dev)
