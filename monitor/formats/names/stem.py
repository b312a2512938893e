"""Where the version begins and ends in a name without its extension.

A stem is cut at `-`, `_`, `@` and blanks into *segments*; each segment is classed by its shape. A
*run* is an unbroken row of segments that may together be a version. The best run wins: a dotted one
before a plain number, a later one before an earlier one, because digits in a name
(`log4j-1.2-api-2.22.1`) stand left of the version, and what stands right of it (platforms,
contents, commits) is recognised and cut first.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from monitor.formats.names.ends import trim, trim_inside
from monitor.formats.names.segments import CONTINUES, FULL, PLAIN, STARTS, Segment, segments_of
from monitor.formats.names.words import CUTTING, MARKERS, MOVING, NAMES_WITH_NUMBERS, SYSTEMS

__all__ = ["Found", "dotted", "find"]

_DOTTED: Final = re.compile(r"\d\.\d")
_DATE: Final = re.compile(
    r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?:\d{2,6})?\Z", re.ASCII
)
_YEAR: Final = re.compile(r"(?:19[89]|20[0-4])\d\Z", re.ASCII)
_UNDERSCORED: Final = re.compile(r"\d+(?:_\d+)+(?:[._]?[A-Za-z]+\d*)?\Z", re.ASCII)
_ANNOUNCED: Final = re.compile(r"[A-Z0-9.][vV]\Z")
_SCALA: Final = re.compile(r"_(?:2\.(?:9|1[0-3])(?:\.\d)?|3)-")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ."
_AROUND: Final = "-_. ~@"
_CONFIDENCE: Final = {1: 0.45, 2: 0.7, 3: 0.95}


class Found(NamedTuple):
    """What a stem holds: the version as published, the name before it, the platform behind it."""

    name: str | None
    version: str | None
    platform: str | None
    confidence: float


class _Run(msgspec.Struct, frozen=True, gc=False):
    """Segments `first` to `last`; the version begins at `begin`; `rank` as `_rank` says."""

    first: int
    last: int
    rank: int
    begin: int


def dotted(version: str) -> str | None:
    """The version with dots where it was published with underscores (1_84_0), or None."""
    return version.replace("_", ".") if "_" in version and _UNDERSCORED.match(version) else None


def find(stem: str, *, maven: bool = False, named: bool = False) -> Found:
    """The version in a stem (a file name without its extension, or a tag).

    `maven`  it is a Maven artefact, whose versions may end with words (31.1-jre, 5.3.39.RELEASE)
    `named`  the name is cut off already, so that the stem should begin with the version
    """
    body, platform = trim(stem, maven=maven)
    segments = segments_of(body)
    run = _best(body, segments)
    if named and segments and segments[0].kind in STARTS:
        whole = _whole(body, segments)
        run = whole if run is None or whole.rank >= run.rank else run
    if run is None:
        return _vague(body, segments, platform)
    end = segments[run.last].end
    version = body[run.begin : end].rstrip("-_.+~ ")
    if end < len(body):
        version, more = trim(version, maven=maven)
        platform = platform or more
    confidence = _CONFIDENCE[run.rank]
    if run.last < len(segments) - 1:
        confidence -= 0.15  # words follow that nobody knows
    name = _name_before(body, segments[run.first], run)
    return Found(name, trim_inside(version), platform, confidence)


def _name_before(body: str, first: Segment, run: _Run) -> str | None:
    if first.kind not in ("joined", "after", "glued"):
        return body[: first.start].strip(_AROUND) or None
    name = body[: run.begin]
    if first.kind != "glued" and _ANNOUNCED.search(name):
        name = name[:-1]
    return name.strip(_AROUND) or None


def _vague(body: str, segments: list[Segment], platform: str | None) -> Found:
    """What to say without a run: a pre-release word with a number may be all there is.

    `git20130818` is a version then, and `cr3.2.59` says 3.2.59.
    """
    if segments and body[segments[-1].start : segments[-1].end].lower() in MOVING:
        body = body[: segments.pop().start].rstrip(_AROUND)  # foo-latest
    while segments and segments[-1].kind == "word":
        segments = segments[:-1]
    if not segments:
        return Found(body or None, None, platform, 0.2)
    last = segments[-1]
    text = body[last.start : last.end]
    name = body[: last.start].strip(_AROUND) or None
    if last.kind == "commit":
        return Found(name, None, platform, 0.2)
    if _DOTTED.search(text):
        return Found(name or text.rstrip("0123456789."), text.lstrip(_LETTERS), platform, 0.6)
    if last.kind == "pre" and text[-1].isdecimal():
        return Found(name, text, platform, 0.5)
    return Found(body or None, None, platform, 0.2)


def _best(body: str, segments: list[Segment]) -> _Run | None:
    """The run of segments that is the version, or None."""
    best: _Run | None = None
    index = 0
    count = len(segments)
    while index < count:
        segment = segments[index]
        kind = segment.kind
        if kind == "word" or (
            kind == "pre" and best and body[segment.start : segment.end].isalpha()
        ):
            word = body[segment.start : segment.end].lower()
            if best and (
                word.partition(".")[0] in CUTTING or word in SYSTEMS
                if best.rank == 3
                else best.rank == 2
                and word in SYSTEMS
                and _DATE.match(body[best.begin : segments[best.last].end])
            ):
                break
            index += 1
            continue
        if kind not in STARTS:
            index += 1
            continue
        last = index
        while last + 1 < count and segments[last + 1].kind in CONTINUES:
            last += 1
        run = _run(body, segments, index, last)
        if run and (best is None or _is_better(body, segments, run, best)):
            best = run
            if (
                run.rank == 3
                and segments[run.first].kind == "dotted"
                and (run.first == 0 or body[segments[run.first].start] in "vV")
            ):
                break  # said outright: v2.10.0_libuv_v1.42
        elif (
            run
            and best
            and best.rank == 3
            and run.first == run.last
            and _DATE.match(body[run.begin : segments[last].end])
        ):
            best = _Run(best.first, last, best.rank, best.begin)  # 1.4-bootstrap-20171003
        index = last + 1
    return best


def _is_better(body: str, segments: list[Segment], run: _Run, best: _Run) -> bool:
    """Whether a later run is the version rather than the best one so far.

    Of two dotted ones the later wins, unless it has fewer numbers: log4j-1.2-api-2.22.1, but
    mono-6.12.0.206-gtksharp-2.12.45.
    """
    if run.rank != best.rank or run.rank < 3:
        return run.rank >= best.rank
    earlier = body.count(".", best.begin, segments[best.last].end)
    later = body.count(".", run.begin, segments[run.last].end)
    return later > earlier or (later == earlier and segments[run.first].kind != "joined")


def _whole(body: str, segments: list[Segment]) -> _Run:
    """The run at the very beginning, nothing of which belongs to a name."""
    last = 0
    while last + 1 < len(segments) and segments[last + 1].kind in CONTINUES:
        last += 1
    return _Run(0, last, max(1, _rank(body, segments[: last + 1])), segments[0].begin)


def _run(body: str, segments: list[Segment], first: int, last: int) -> _Run | None:
    """The version in an unbroken row of segments, without what belongs to the name before it."""
    while first < last and _belongs_to_name(body, segments, first, last):
        first += 1
    start = segments[first]
    rank = _rank(body, segments[first : last + 1])
    if rank == 0:
        return None
    return _Run(first, last, rank, start.begin)


def _belongs_to_name(body: str, segments: list[Segment], first: int, last: int) -> bool:
    """Whether the first segment of a row is still the name: the 2 of gtk-2-1.4, x11 of x11-1.0."""
    start, following = segments[first], segments[first + 1]
    text = body[start.start : start.end]
    if start.kind == "pre":
        return True
    if following.kind == "pre":
        return start.kind in ("glued", "letter") and any(
            segment.kind in (FULL | PLAIN) for segment in segments[first + 1 : last + 1]
        )
    between = body[start.end : following.start]
    if start.kind == "glued":
        return not _goes_on(body, segments[first : last + 1])
    if (
        start.kind == "dotted"
        and between == "-"
        and following.kind == "dotted"
        and _SCALA.match(body, start.start - 1)
    ):
        return True  # kafka_2.13-4.3.1: built for Scala 2.13
    if (
        start.kind == following.kind == "dotted"
        and between == "-"
        and following.begin > following.start
        and start.begin == start.start
    ):
        return True  # keybinder-3.0-v0.3.2
    if start.kind == "joined":
        return following.kind == "dotted"  # python3.11-1.2
    if following.kind not in FULL:
        return first == 0 and (
            start.kind == "lettered"
            or (start.kind in ("revision", "coded", "letter") and between != "_")
        )
    # A number in front of a dotted version belongs to the name (2048-0.9); a date does not.
    return start.kind in PLAIN and not _DATE.match(text)


def _goes_on(body: str, run: list[Segment]) -> bool:
    """Whether a number glued to a word begins the version: pio2_5_8, release0_9_11, Isabelle2025-2.

    But not in bzip2-1.0, tcl8-20200101, icu4c-74_2.
    """
    glued = body[run[0].begin : run[0].end]
    if not glued.isdecimal() or any(s.kind != "number" or s.begin > s.start for s in run[1:]):
        return False
    if len({body[one.end : two.start] for one, two in pairwise(run)}) > 1 or glued in ("32", "64"):
        return False
    if len(run) == 3 or (len(run) > 3 and glued == "0") or _YEAR.match(glued):
        return True
    return body[run[0].start : run[0].begin].lower() in MARKERS


def _rank(body: str, run: list[Segment]) -> int:
    """How much a row of segments looks like a version: 3 surely, 2 likely, 1 perhaps, 0 no."""
    numbers = 0
    for segment in run:
        if segment.kind in FULL:
            return 3
        numbers += segment.kind in PLAIN
    if numbers > 1:
        return 3
    start = run[0]
    digits = body[start.begin : start.end]
    if start.kind == "glued":
        return 0 if digits in NAMES_WITH_NUMBERS else 1
    return 2
