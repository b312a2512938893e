"""Python's order: PEP 440, now the "Version specifiers" page of the packaging standards.

Reads what the specification's appendix B accepts, surrounding blanks, a leading
`v` and all alternative spellings included, but unlike `packaging` no tabs or line
ends around it; the order is that of its "summary of
permitted suffixes and relative ordering".

A key is [epoch] release suffixes [local]. Trailing zeros of the release are
left out. The marks of the suffixes sort as the suffixes do, and all of them
below the numbers of a longer release.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable, text

_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)*").fullmatch
_FULL = re.compile(
    r"""
    \ * v?
    (?:([0-9]+)!)?                                                          # 1 epoch
    ([0-9]+(?:\.[0-9]+)*)                                                   # 2 release
    (?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]*))?              # 3, 4 pre-release
    (?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]*))?                         # 5 to 7 post-release
    (?:[-_.]?(dev)[-_.]?([0-9]*))?                                          # 8, 9 development
    (?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?                                   # 10 local
    \ *
    """,
    re.VERBOSE | re.IGNORECASE,
).fullmatch
_LOCAL_PARTS = re.compile(r"[-_.]").split

_DEV = b"\x02"
_PRE = {
    "a": b"\x03",
    "alpha": b"\x03",
    "b": b"\x04",
    "beta": b"\x04",
    "c": b"\x05",
    "rc": b"\x05",
    "pre": b"\x05",
    "preview": b"\x05",
}
_PRE_NAME = {b"\x03": "a", b"\x04": "b", b"\x05": "rc"}
_FINAL = b"\x06"
_POST = b"\x07"
_LOCAL_TEXT = b"\x02"
_EPOCH = b"\xff"

_Parts = tuple[
    str | None,
    str,
    str | None,
    str | None,
    str | None,
    str | None,
    str | None,
    str | None,
    str | None,
    str | None,
]


def key(version: str) -> bytes:
    if _PLAIN(version):
        return _release(version) + _FINAL
    epoch, release, pre, pre_number, bare_post, post, post_number, dev, dev_number, local = _parts(
        version
    )
    code = _release(release)
    if epoch and epoch.strip("0"):
        code = _EPOCH + NUMBERS[epoch] + code
    if pre:
        code += _PRE[pre.lower()] + NUMBERS[pre_number or "0"]
    if bare_post:
        code += _POST + NUMBERS[bare_post]
    elif post:
        code += _POST + NUMBERS[post_number or "0"]
    code += _DEV + NUMBERS[dev_number or "0"] if dev else _FINAL
    if local:
        for part in _LOCAL_PARTS(local.lower()):
            code += NUMBERS[part] if part.isdigit() else _LOCAL_TEXT + text(part)
    return code


def canonical(version: str) -> str:
    """The normal form of the specification: `1.0` stays `1.0`, `v1.0-RC.1` is `1.0rc1`."""
    epoch, release, pre, pre_number, bare_post, post, post_number, dev, dev_number, local = _parts(
        version
    )
    spelled = ".".join([str(int(part)) for part in release.split(".")])
    if epoch and epoch.strip("0"):
        spelled = f"{int(epoch)}!{spelled}"
    if pre:
        spelled += f"{_PRE_NAME[_PRE[pre.lower()]]}{int(pre_number or 0)}"
    if bare_post or post:
        spelled += f".post{int(bare_post or post_number or 0)}"
    if dev:
        spelled += f".dev{int(dev_number or 0)}"
    if local:
        parts = _LOCAL_PARTS(local.lower())
        spelled += "+" + ".".join([str(int(p)) if p.isdigit() else p for p in parts])
    return spelled


def is_prerelease(version: str) -> bool:
    """Pre-releases and development releases, also those of a post-release."""
    parts = _parts(version)
    return bool(parts[2] or parts[7])


def _release(release: str) -> bytes:
    numbers = release.split(".")
    while len(numbers) > 1 and not numbers[-1].strip("0"):
        numbers.pop()
    return b"".join([NUMBERS[part] for part in numbers])


def _parts(version: str) -> _Parts:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is not a version by PEP 440")
    return match.groups()  # type: ignore[return-value]
