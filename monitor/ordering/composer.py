"""Composer's order: a version is normalised to four numbers, then PHP's `version_compare` holds.

`1.0`, `v1.0.0` and `1.0.0-stable` are equal; `dev` < `alpha` < `beta` < `RC` < nothing <
`patch`; build metadata, an alias (`1.0 as 2.0`) and a stability flag (`@beta`) do not
count. Branches (`dev-main`) are below all numbers, by name; `1.x-dev` is the tip of its
series.

Unlike Composer, which compares branches only for equality, they have an order here.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable, text

_AROUND = re.compile(r"^ +| +as +.+$|@(?:stable|RC|beta|alpha|dev)$| +$", re.IGNORECASE)
_MODIFIER = (
    r"[._-]?(?:(stable|beta|b|RC|alpha|a|patch|pl|p)((?:[.-]?[0-9]+)*)?)?([.-]?dev)?"
    r"(?:\+[^ ]*)?"
)
_CLASSIC = re.compile(
    r"v?([0-9]{1,5})(?:\.([0-9]+))?(?:\.([0-9]+))?(?:\.([0-9]+))?" + _MODIFIER, re.IGNORECASE
).fullmatch
_DATE = re.compile(
    r"v?([0-9]{4}(?:[.:-]?[0-9]{2}){1,6}(?:[.:-]?[0-9]{1,3}){0,2})" + _MODIFIER, re.IGNORECASE
).fullmatch
_TIP = re.compile(r"v?([0-9]+)((?:\.(?:[0-9]+|[xX*])){0,3})[.-]?dev", re.IGNORECASE).fullmatch
_DIGITS = re.compile(r"[0-9]+").findall

_BRANCH = b"\x01"
_DEV = b"\x02"
_STABILITY = {
    "a": (b"\x03", "alpha"),
    "alpha": (b"\x03", "alpha"),
    "b": (b"\x04", "beta"),
    "beta": (b"\x04", "beta"),
    "rc": (b"\x05", "RC"),
    "p": (b"\x07", "patch"),
    "pl": (b"\x07", "patch"),
    "patch": (b"\x07", "patch"),
}
_END = b"\x06"
_NO_LIMIT = "9999999"  # what Composer puts for an x

_Parts = tuple[list[str], str | None, list[str], bool]


def key(version: str) -> bytes:
    version = _AROUND.sub("", version)
    if version[:4].lower() == "dev-":
        return _BRANCH + text(version[4:])
    numbers, word, counts, dev = _parts(version)
    code = b"".join([NUMBERS[number] for number in numbers])
    if word:
        code += _STABILITY[word][0] + b"".join([NUMBERS[count] for count in counts])
    return code + (_DEV + _END if dev else _END)


def canonical(version: str) -> str:
    """Composer's normalised form: `v1.0-b2` is `1.0.0.0-beta2`, a branch is `dev-NAME`."""
    version = _AROUND.sub("", version)
    if version[:4].lower() == "dev-":
        return "dev-" + version[4:]
    numbers, word, counts, dev = _parts(version)
    spelled = ".".join(numbers)
    if word:
        spelled += "-" + _STABILITY[word][1] + ".".join(counts)
    return spelled + ("-dev" if dev else "")


def is_prerelease(version: str) -> bool:
    """Every stability but `stable`: dev, alpha, beta and RC. A patch is stable."""
    version = _AROUND.sub("", version)
    if version[:4].lower() == "dev-":
        return True
    _, word, _, dev = _parts(version)
    return dev or (word is not None and _STABILITY[word][1] != "patch")


def _parts(version: str) -> _Parts:
    """Numbers, stability word in small letters, its numbers, whether it is a dev version."""
    match = _TIP(version)
    if match and ("x" in match[2].lower() or "*" in match[2]):
        parts = (match[1] + match[2]).split(".")
        numbers = [part if part.isdigit() else _NO_LIMIT for part in parts]
        numbers += [_NO_LIMIT] * (4 - len(numbers))
        return numbers, None, [], True
    match = _CLASSIC(version)
    if match:
        numbers = [number or "0" for number in match.groups()[:4]]
        word, counts, dev = match.groups()[4:7]
    else:
        match = _DATE(version)
        if match is None:
            raise Unreadable("it is not a version that Composer can normalise")
        numbers = _DIGITS(match[1])
        word, counts, dev = match.groups()[1:4]
    word = word.lower() if word else None
    if word == "stable":
        return numbers, None, [], False
    return numbers, word, _DIGITS(counts or ""), bool(dev)
