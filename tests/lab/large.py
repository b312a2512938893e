"""Indexes and listings of any size, for benchmarks: always the same bytes for the same size.

The forms are those of the real thing: PyPI's index by `tests.lab.pypi`, `ls -lR` and
`rsync --list-only` as upstreams.md 2.1 and 2.2 describe them; tests compare the latter two with
what the real programs print.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.lab.answers import Ask
from tests.lab.pypi import PyPI
from tests.lab.pypi_pages import JSON

# fmt: off
_WORDS = (
    "data", "async", "tool", "kit", "fast", "core", "net", "graph",
    "auto", "test", "py", "cloud", "sdk", "ml", "web", "api",
)
# fmt: on
_NEWEST = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
PER_FOLDER = 40  # files


def many_names(n: int) -> list[str]:
    """n different project names, about as long as real ones."""
    size = len(_WORDS)
    return [
        f"{_WORDS[i % size]}-{_WORDS[i // size % size]}{_WORDS[i // size**2 % size]}-{i:x}"
        for i in range(n)
    ]


def simple_index(n: int, serial: int = 30_000_000) -> bytes:
    """PyPI's whole index (JSON) with n names."""
    shelf = PyPI(serial)
    shelf.fill(many_names(n))
    answer = shelf.answer(Ask("/simple/", headers={"accept": JSON}))
    assert answer is not None
    return answer.body


def _folders(n: int) -> list[tuple[str, list[tuple[str, int, datetime]]]]:
    """Folders with n files in all: archives with versions, and a signature beside each."""
    found = []
    for start in range(0, n, PER_FOLDER):
        name = f"{_WORDS[start // PER_FOLDER % len(_WORDS)]}-{start // PER_FOLDER:x}"
        rows = []
        for number in range(min(PER_FOLDER, n - start)):
            minor, signature = divmod(number, 2)
            file = f"{name}-1.{minor}.{start % 7}.tar.xz" + (".sig" if signature else "")
            size = 310 if signature else 100_000 + 977 * (start + number) % 90_000_000
            rows.append((file, size, _NEWEST - timedelta(hours=5 * (start + number) % 80_000)))
        found.append((f"pool/{name[0]}/{name}", sorted(rows)))
    return sorted(found)


def ls_lr(n: int) -> bytes:
    """`ls -lR` (C locale) of a tree with n files below `pool/`."""
    half_a_year = _NEWEST - timedelta(seconds=15_778_476)  # as ls reckons it
    parts = []
    for folder, rows in _folders(n):
        lines = [f"./{folder}:", f"total {sum(size for _, size, _ in rows) // 1024}"]
        for name, size, at in rows:
            when = at.strftime("%H:%M") if at > half_a_year else f" {at.year}"
            day = f"{at:%b} {at.day:2d}"
            lines.append(f"-rw-r--r-- 1 ftp ftp {size:9d} {day} {when} {name}")
        parts.append("\n".join(lines))
    return ("\n\n".join(parts) + "\n").encode()


def rsync_listing(n: int) -> bytes:
    """`rsync --list-only -r --no-h` of the same tree."""
    lines = []
    for folder, rows in _folders(n):
        lines.append(f"drwxr-xr-x {4096:11d} {_NEWEST:%Y/%m/%d %H:%M:%S} {folder}")
        lines += [
            f"-rw-r--r-- {size:11d} {at:%Y/%m/%d %H:%M:%S} {folder}/{name}"
            for name, size, at in rows
        ]
    return ("\n".join(lines) + "\n").encode()
