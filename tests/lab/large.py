"""Indexes and listings of any size, for benchmarks: always the same bytes for the same size.

The forms are those of the real thing: PyPI's index by `tests.lab.pypi`, `ls -lR` and
`rsync --list-only` as upstreams.md 2.1 and 2.2 describe them; tests compare the latter two with
what the real programs print.

What the listings hold is mixed as the recorded names of archives and GNU's recorded tree are:

    names      88 of 100 of letters alone, 11 with digits (`gtk2-core`), 1 with a part that begins
               with them (`font-75dpi`)
    versions   77 of 100 of three numbers, 18 of two, 2 of one, 1 of four, 2 with more (`1.2rc1`)
    packed     half as tar.gz, a third as tar.xz, the rest as tar.bz2, tgz, zip and tar.lz
    folders    one project in 17 keeps one for each version, all others have theirs in one
    files      half are archives, four of five archives are signed, a tenth is something else

GNU has fewer archives (a quarter); a listing of nothing else would have as many rows as files.
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
PER_FOLDER = 40  # files of a project


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


_PACKED = ["tar.gz"] * 12 + ["tar.xz"] * 8 + ["tar.bz2", "tgz", "zip", "tar.lz"]
Files = list[tuple[str, int, datetime]]


def _project(n: int) -> str:
    """The name of the n-th project of a server; no two are the same."""
    size = len(_WORDS)
    name = f"{_WORDS[n % size]}-{_WORDS[n // size % size]}{_WORDS[n // size**2 % size]}"
    more = n // size**3
    while more:
        more, letter = divmod(more, 26)
        name += "-" * (name[-1:] != "-") + chr(ord("a") + letter)
    share = n * 37 % 100
    if share == 99:
        return f"{name}-{75 + n % 50}dpi"
    return name.replace("-", f"{2 + n % 9}-", 1) if share >= 88 else name


def _version(n: int, number: int) -> str:
    """The version of the n-th project that is the oldest but `number`."""
    share = (n * 37 + number * 11) % 100
    major, minor = n % 4, number + n % 7
    if share < 77:
        return f"{major}.{minor}.{n % 11}"
    if share < 95:
        return f"{major}.{minor}"
    if share < 97:
        return f"{2000 + minor}"
    return (f"{major}.{minor}.0.{n % 11}", f"{major}.{minor}rc1", f"{major}.{minor}b")[share - 97]


def _folders(n: int) -> list[tuple[str, Files]]:
    """Folders with n files in all."""
    found: dict[str, Files] = {}
    for start in range(0, n, PER_FOLDER):
        project = start // PER_FOLDER
        name = _project(project)
        top = f"pool/{name[0]}/{name}"
        found[top] = []
        for number in range(min(PER_FOLDER, n - start)):
            place, (release, beside) = top, divmod(number, 2)
            version = _version(project, release)
            file = f"{name}-{version}.{_PACKED[(project + release) % len(_PACKED)]}"
            if project % 17 == 0:
                place = f"{top}/{version}"
            if beside:
                file = f"ChangeLog-{version}" if release % 5 == 4 else file + ".sig"
            size = 310 if beside else 100_000 + 977 * (start + number) % 90_000_000
            at = _NEWEST - timedelta(hours=5 * (start + number) % 80_000)
            found.setdefault(place, []).append((file, size, at))
    return [(place, sorted(found[place])) for place in sorted(found, key=lambda at: at.split("/"))]


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
