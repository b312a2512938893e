"""Where the version begins and ends in a name without its extension.

A stem is cut at `-`, `_`, `@` and blanks into *segments*; each segment is classed by its shape
(dotted version, plain number, number with letters, pre-release word, commit, word). A *run* is an
unbroken row of segments that may together be a version. The best run wins: a dotted one before a
plain number, a later one before an earlier one, because digits in a name (`log4j-1.2-api-2.22.1`)
stand left of the version, and what stands right of it (platforms, contents, commits) is recognised
and cut first.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple

from monitor.formats.names.words import (
    CONTENTS,
    MARKERS,
    NAMES_WITH_NUMBERS,
    PLATFORMS,
    RELEASED,
)

__all__ = ["Found", "dotted", "find"]


class Found(NamedTuple):
    """What a stem holds: the version as published, the name before it, the platform behind it."""

    name: str | None
    version: str | None
    platform: str | None
    confidence: float


_PRE: Final = (
    "alpha|beta|gamma|rc|cr|preview|prerelease|pre|dev|devel|post|patch|pl|rev|hotfix|update|upd|snapshot|nightly|svn|git|hg|bzr|cvs"
    "|build|snap|test|milestone|eap|ea|sp|tp|dp|rel|ga|mr|lts|ubuntu|debian|deb|dfsg|nmu|jre|jdk|trial|ds|stable|incubating|esr"
)
# A number may be followed by such words, or by single letters: 9f, 2024a, 8u92, 1rc2, 2.0.0b7, 30.pre9, 1.2~beta2, 5.0.M3.
_TAIL: Final = rf"(?:[._~]?(?:{_PRE}|[a-z](?![a-z]))\.?\d*+(?:\.\d++)*+)*+(?:[+~^].*)?"

_SEGMENT: Final = re.compile(
    rf"""(?:
      (?P<commit>  g?(?!(?:19|20)\d{{6}})(?=[0-9]*+[a-f])(?=[a-f]*+[0-9])[0-9a-f]{{7,40}}
                 | g(?=[a-f]*+\d)[0-9a-f]{{4,40}} | 0\d{{6}} )
    | (?P<dotted>  v?\.?(?:\d+:)?\d++(?:\.\d++)++.* | v?\d{{8}}\.[0-9a-z.]++ )
    | (?P<number>  v?\.?\d++ )
    | (?P<lettered>v?\.?\d++{_TAIL} | \d{{1,4}}(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*+\d{{1,4}} )
    | (?P<revision>r\d++(?:\.\d++)*+[a-z]? )
    | (?P<erlang>  r\d++[a-z]\d*+ )
    | (?P<pre>     (?:{_PRE})[.]?\d*+(?:[.]\w++)*+(?:[+~].*)?
                 | [a-hk-npr-v][.]?\d++(?:[.]\d++)*+ | [a-z]\d++[a-z]\d++ )
    | (?P<joined>  [a-z0-9.+@]*?[a-z+](?:\.v?|(?<=[A-Z0-9.])v)?(?P<dots>\d++(?:\.\d++)++{_TAIL})(?:\.[a-z].*)? )
    | (?P<after>   [a-z0-9.+@]*?[a-z+](?:\.v?|[0-9.]v)(?P<one>\d++{_TAIL}) )
    | (?P<glued>   (?:[a-z+.]+?|\d[a-z]+)(?P<int>\d++{_TAIL}) )
    )\Z""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PRE_WORDS: Final = frozenset(_PRE.split("|"))
_PIECE: Final = re.compile(r"[^-_ ,@()\[\]]+")
_DOTTED: Final = re.compile(r"\d\.\d")
_DATE: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?:\d{2,6})?\Z")
# Platform words that carry a number of their own: darwin9.8, centos6, py3.5, glibc2.17, cp39, vc14, gcc9.
_NUMBERED: Final = re.compile(
    r"(?:darwin|macosx?|osx|win|windows|linux|centos|el|fc|rhel|sles|ubuntu|debian|deb|freebsd|glibc|libc|musl|py|python|cp|abi|vc|vs|msvc|gcc"
    r"|clang|qt|gtk|openmpi|cuda|cu|rocm|jdk|jre|java|j|scala|amd64v|x86|wx|php|ruby|node|ios|android|api)\d[\d.]*+\Z"
)
_X86_64: Final = re.compile("x86[-_]64", re.IGNORECASE)
_GIT_DESCRIBED: Final = re.compile(r"-0-g[0-9a-f]{7,40}\Z")
# A word behind a dot that says nothing of how finished it is: 3.11.0.cpp, 5.3.28.NC.
_WORD_INSIDE: Final = re.compile(r"\.([A-Za-z]{2,}|x86|x64|win32|win64)(?![A-Za-z0-9])")
_KEPT: Final = RELEASED | _PRE_WORDS | {"windows", "incubating", "security"}
_SYSTEM_INSIDE: Final = re.compile(
    r"[._](?:linux|windows|win32|win64|macos|osx|darwin)-.*", re.IGNORECASE
)
_SCALA: Final = re.compile(r"_(?:2\.(?:9|1[0-3])(?:\.\d)?|3)-")
_SEVEN_ZIPPED: Final = re.compile(r"\d[a-z]\d{3,}\Z", re.IGNORECASE | re.ASCII)
_RELEASED: Final = re.compile(r"(?<=\d)rel\Z", re.IGNORECASE)
_FULL: Final = frozenset({"dotted", "joined"})
_PLAIN: Final = frozenset({"number", "lettered", "revision", "erlang", "after", "letter"})
_NUMERIC: Final = _FULL | _PLAIN
_STARTS: Final = _FULL | _PLAIN | {"glued"}
_CONTINUES: Final = {"dotted", "pre", *_PLAIN} - {"after"}
_SEPARATORS: Final = "-_.+ ~"
_CUTTING: Final = frozenset(
    "with without release src source srconly sources bin binary binaries".split()
)
_MIDDLE: Final = frozenset(
    "x86|64 msys msys2 msvc mingw mingw32 mingw64 gcc clang linux windows win32 win64 macos macosx osx darwin freebsd x86_64 amd64 arm64 aarch64 i386 i686 armhf armv7 x64 x86".split()
)


class _Segment(NamedTuple):
    kind: str
    start: int
    end: int
    begin: int  # where the version's digits begin: behind `v`, behind the word it is glued to


class _Run(NamedTuple):
    first: int
    last: int
    rank: int
    begin: int


def dotted(version: str) -> str | None:
    """The version with dots where it was published with underscores (`1_84_0` is `1.84.0`), or None."""
    return version.replace("_", ".") if _UNDERSCORED.match(version) else None


_UNDERSCORED: Final = re.compile(r"\d+(?:_\d+)+(?:[._]?[A-Za-z]+\d*)?\Z")


def find(stem: str, *, maven: bool = False, named: bool = False) -> Found:
    """The version in a stem (a file name without its extension, or a tag).

    `named` says that the name is cut off already, so that the stem should begin with the version.

    `maven` says that the file is a Maven artefact, whose versions may end with words (`31.1-jre`, `5.3.39.RELEASE`).
    """
    body, platform = _trim(stem, maven=maven)
    segments = _classify(body)
    run = _best(body, segments)
    if named and segments and segments[0].kind in _STARTS:
        whole = _whole(body, segments)
        run = whole if run is None or whole.rank >= run.rank else run
    if run is None:
        return _vague(body, segments, platform)
    end = segments[run.last].end
    version = body[run.begin : end].rstrip("-_.+~ ")
    if end < len(body):
        version, more = _trim(version, maven=maven)
        platform = platform or more
    if "-" in version:
        version = _SYSTEM_INSIDE.sub("", version)
    if (word := _WORD_INSIDE.search(version)) and word[1].lower() not in _KEPT:
        version = version[: word.start()]
    version = _RELEASED.sub("", _GIT_DESCRIBED.sub("", version))
    name = body[: run.begin]
    first = segments[run.first]
    if first.kind not in ("joined", "after", "glued"):
        name = body[: first.start]
    elif first.kind != "glued" and _ANNOUNCED.search(name):
        name = name[:-1]
    name = name.strip("-_. ~@")
    confidence = _CONFIDENCE[run.rank]
    if run.last < len(segments) - 1:
        confidence -= 0.15
    return Found(name or None, version, platform, confidence)


_CONFIDENCE: Final = {1: 0.45, 2: 0.7, 3: 0.95}


def _vague(body: str, segments: list[_Segment], platform: str | None) -> Found:
    """What to say without a run: a pre-release word with a number may be all the version there is (`git20130818`, `cr3.2.59`)."""
    while segments and segments[-1].kind == "word":
        segments = segments[:-1]
    if not segments or segments[-1].kind == "word":
        return Found(body or None, None, platform, 0.2)
    last = segments[-1]
    text = body[last.start : last.end]
    name = body[: last.start].strip("-_. ~@") or None
    if last.kind == "commit":
        return Found(name, None, platform, 0.2)
    if _DOTTED.search(text):
        return Found(name or text.rstrip("0123456789."), text.lstrip(_LETTERS), platform, 0.6)
    if last.kind == "pre" and text[-1] in "0123456789":
        return Found(name, text, platform, 0.5)
    return Found(body or None, None, platform, 0.2)


_ANNOUNCED: Final = re.compile(r"[A-Z0-9.][vV]\Z")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ."


def _trim(stem: str, *, maven: bool) -> tuple[str, str | None]:
    """Cut contents and platforms off the end; return what is left, and the platform."""
    platform: list[str] = []
    end = len(stem)
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
            if word[0].isdigit() and (stem[cut] == "." or not _is_platform(stem[:cut])):
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


_LAST_WORD: Final = re.compile(r"(.*)[-_.+ ~]([^-_.+ ~]+)[-_.+ ~]*\Z", re.DOTALL)
_DIGIT: Final = re.compile("[0-9]")


def _is_platform(rest: str) -> bool:
    """Whether a bare number after this may say 32 or 64 bits: behind a system's name or a full version."""
    last = _LAST_WORD.match(rest)
    return bool((last and last[2].lower() in PLATFORMS) or _DOTTED.search(rest))


def _classify(body: str) -> list[_Segment]:
    segments: list[_Segment] = []
    if "x86" in body or "X86" in body:
        body = _X86_64.sub("x86|64", body)  # one word, of the same length
    for piece in _PIECE.finditer(body):
        start, end = piece.span()
        text = piece[0]
        if text.isalpha():
            segments.append(
                _Segment("pre" if text.lower() in _PRE_WORDS else "word", start, end, start)
            )
            continue
        match = _SEGMENT.match(text)
        if match is None:
            segments.append(_Segment("word", start, end, start))
            continue
        kind = match.lastgroup or "word"
        if kind == "commit" and (
            text[0] in "gG" or (len(text) < 20 and start and body[start - 1] == "_")
        ):
            kind = "pre"  # git describe: 1.2-15-g1a2b3c4; 20240306_709e60f
        if kind == "pre" and not start and len(text) > 2 and text[1] in "0123456789":
            kind = "letter" if text[1:] not in NAMES_WITH_NUMBERS else "word"
        elif kind == "lettered" and not start and _SEVEN_ZIPPED.match(text):
            segments.append(_Segment("glued", start, end, start + 2))  # 7z2301
            continue
        elif kind == "revision" and text[-1] in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            kind = "erlang"  # R13B, but not R59c
        begin = start
        if kind in ("dotted", "number", "lettered"):
            begin += len(text) - len(text.lstrip("vV."))
        elif kind == "revision" or (kind == "letter" and "." in text):
            begin += 1
        elif kind in _INNER:
            begin += match.start(_INNER[kind])
            if kind == "joined" and (
                named := _TWICE.match(text, match.start("dots")) or _ARCHED.match(text)
            ):
                begin = start + named.end()
        segments.append(_Segment(kind, start, end, begin))
    return segments


# LVM2.2.03.31, soup3.3.4.1: the number in the name is the first of the version, said twice.
_TWICE: Final = re.compile(r"(\d)\.(?=\1\.\d+\.\d)")
# win-x86.4.13.0: the number belongs to the machine.
_ARCHED: Final = re.compile(
    r"(?:x86|x64|arm64|amd64|aarch64|win32|win64|i386|i686|linux64|py3|python3)\.(?=\d)",
    re.IGNORECASE,
)
_INNER: Final = {"joined": "dots", "after": "one", "glued": "int"}


def _best(body: str, segments: list[_Segment]) -> _Run | None:
    """The run of segments that is the version, or None."""
    best: _Run | None = None
    index = 0
    count = len(segments)
    while index < count:
        segment = segments[index]
        kind = segment.kind
        if kind == "word":
            word = body[segment.start : segment.end].lower()
            if best and best.rank == 3 and (word.partition(".")[0] in _CUTTING or word in _MIDDLE):
                break
            index += 1
            continue
        if kind not in _STARTS:
            index += 1
            continue
        last = index
        while last + 1 < count and segments[last + 1].kind in _CONTINUES:
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
            best = best._replace(last=last)  # 1.4-bootstrap-20171003
        index = last + 1
    return best


def _is_better(body: str, segments: list[_Segment], run: _Run, best: _Run) -> bool:
    """Whether a later run is the version rather than the best one so far.

    Of two dotted ones the later wins, unless it has fewer numbers: log4j-1.2-api-2.22.1, but mono-6.12.0.206-gtksharp-2.12.45.
    """
    if run.rank != best.rank or run.rank < 3:
        return run.rank >= best.rank
    earlier = body.count(".", best.begin, segments[best.last].end)
    later = body.count(".", run.begin, segments[run.last].end)
    return later > earlier or (later == earlier and segments[run.first].kind != "joined")


def _whole(body: str, segments: list[_Segment]) -> _Run:
    """The run at the very beginning, nothing of which belongs to a name."""
    last = 0
    while last + 1 < len(segments) and segments[last + 1].kind in _CONTINUES:
        last += 1
    return _Run(0, last, max(1, _rank(body, segments[: last + 1])), segments[0].begin)


def _run(body: str, segments: list[_Segment], first: int, last: int) -> _Run | None:
    """The version within an unbroken row of segments: what belongs to the name is left out at the beginning."""
    while first < last and _belongs_to_name(body, segments, first, last):
        first += 1
    start = segments[first]
    rank = _rank(body, segments[first : last + 1])
    if rank == 0:
        return None
    return _Run(first, last, rank, start.begin)


def _belongs_to_name(body: str, segments: list[_Segment], first: int, last: int) -> bool:
    start, following = segments[first], segments[first + 1]
    text = body[start.start : start.end]
    if start.kind == "pre":
        return True
    if following.kind == "pre":
        return start.kind in ("glued", "letter") and any(
            segment.kind in _NUMERIC for segment in segments[first + 1 : last + 1]
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
    if start.kind == "joined":
        return following.kind == "dotted"  # python3.11-1.2
    if following.kind not in _FULL:
        return first == 0 and (
            start.kind == "lettered"
            or (start.kind in ("revision", "erlang", "letter") and between != "_")
        )
    # A short number in front of a dotted version belongs to the name (2048-0.9, gtk-2-1.4); a date does not.
    return start.kind in _PLAIN and not _DATE.match(text)


def _goes_on(body: str, run: list[_Segment]) -> bool:
    """Whether a number glued to a word is the first of the version: pio2_5_8, release0_9_11.

    But not in bzip2-1.0, tcl8-20200101, icu4c-74_2.
    """
    glued = body[run[0].begin : run[0].end]
    if not glued.isdecimal() or any(s.kind != "number" or s.begin > s.start for s in run[1:]):
        return False
    if len({body[one.end : two.start] for one, two in pairwise(run)}) > 1:
        return False
    return len(run) == 3 or body[run[0].start : run[0].begin].lower() in MARKERS


def _rank(body: str, run: list[_Segment]) -> int:
    """How much a row of segments looks like a version: 3 surely, 2 likely, 1 perhaps, 0 not at all."""
    if any(segment.kind in _FULL for segment in run):
        return 3
    numbers = sum(segment.kind in _PLAIN for segment in run)
    if numbers > 1:
        return 3
    start = run[0]
    digits = body[start.begin : start.end]
    if start.kind == "glued":
        return 0 if digits in NAMES_WITH_NUMBERS else 1
    return 2
