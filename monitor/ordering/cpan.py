"""Perl's order: `version.pm`, for decimal and dotted versions side by side.

A version with a leading `v` or with two dots is dotted: `v1.2.3`. Any other is
a decimal fraction and stands for a dotted one, three digits a part: `1.10` is
`v1.100`, and so is below `1.9`, which is `v1.900`. Missing parts are zeros.

An underscore marks a developer release and does not count otherwise: `1.02_03`
equals `1.0203` (version.pm since 0.9913). CPAN's `-TRIAL` stands in the file name
only and does not count either.

Unlike Perl, parts above 2147483647 keep their value, and `undef` cannot be read.
"""

from __future__ import annotations

import re

from .encoding import NUMBERS, Unreadable

_FULL = re.compile(
    r"""
    (?: v ([0-9]+ (?: (?:\.[0-9]+)+ (?:_[0-9]+)? )?)              # 1 dotted, marked
      | ([0-9]* (?:\.[0-9]+){2,} (?:_[0-9]+)?)                    # 2 dotted by its dots
      | ([0-9]+ (?:\. (?:[0-9]+ (?:_[0-9]+)?)? )? | \.[0-9]+ (?:_[0-9]+)?)   # 3 decimal
    )
    (-TRIAL[0-9]*)?                                               # 4
    """,
    re.VERBOSE,
).fullmatch


def key(version: str) -> bytes:
    parts = _parts(version)
    while len(parts) > 1 and not parts[-1].strip("0"):
        parts.pop()
    return b"".join([NUMBERS[part] for part in parts])


def canonical(version: str) -> str:
    """Perl's normal form: a `v` and at least three parts; `1.10` is `v1.100.0`."""
    numbers = [int(part) for part in _parts(version)]
    numbers += [0] * (3 - len(numbers))
    return "v" + ".".join(map(str, numbers))


def is_prerelease(version: str) -> bool:
    """An underscore or `-TRIAL`: PAUSE does not index these."""
    _parts(version)
    return "_" in version or "-TRIAL" in version


def _parts(version: str) -> list[str]:
    match = _FULL(version)
    if match is None:
        raise Unreadable("it is neither a decimal nor a dotted version of Perl")
    marked, dotted, decimal, _ = match.groups()
    if decimal is None:
        return [part or "0" for part in (marked or dotted).replace("_", "").split(".")]
    whole, _, fraction = decimal.replace("_", "").partition(".")
    fraction += "0" * (-len(fraction) % 3)
    return [whole or "0", *(fraction[at : at + 3] for at in range(0, len(fraction), 3))]
