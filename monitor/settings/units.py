"""Durations and sizes as people write them: "90s", "10m", "3d", "64 MiB".

A duration is a number of seconds, a size a number of bytes. Both may be given
as plain numbers too; as text they carry their unit, so that nobody has to
count zeros.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from msgspec import Meta

Duration = Annotated[float, Meta(ge=0, extra={"unit": "duration"})]
Size = Annotated[int, Meta(ge=0, extra={"unit": "size"})]

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_NUMBER: Final = r"([0-9]{1,15}(?:\.[0-9]{1,9})?)"
_PART: Final = re.compile(_NUMBER + r" ?([smhdw])")
_DURATION: Final = re.compile(rf"(?:{_NUMBER} ?[smhdw] ?)+")
_SIZE: Final = re.compile(_NUMBER + r" ?([kMGT]?B|[KMGT]iB)")


def duration(text: str) -> float:
    """Seconds of "90s", "10m", "1h 30m", "3d", "2w". Raises ValueError for anything else."""
    if not _DURATION.fullmatch(text.strip()):
        raise ValueError(f'{text!r} is not a duration; write it as "90s", "10m", "12h" or "3d"')
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def size(text: str) -> int:
    """Bytes of "512 KiB", "64 MiB", "2GB". Raises ValueError for anything else."""
    if not (match := _SIZE.fullmatch(text.strip())):
        raise ValueError(f'{text!r} is not a size; write it as "512 KiB", "64 MiB" or "2 GB"')
    return int(float(match[1]) * _BYTES[match[2]])


def duration_text(seconds: float) -> str:
    """The shortest text that `duration` reads back: 604800 is "7d", 5400 is "90m"."""
    for unit, factor in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds and seconds % factor == 0:
            return f"{int(seconds // factor)}{unit}"
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def size_text(count: int) -> str:
    """The shortest exact text that `size` reads back: 67108864 is "64 MiB"."""
    for unit in ("TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB", "kB"):
        if count and count % _BYTES[unit] == 0:
            return f"{count // _BYTES[unit]} {unit}"
    return f"{count} B"
