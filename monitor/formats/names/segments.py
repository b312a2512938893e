"""The pieces of a stem, and what each of them looks like by itself."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from monitor.formats.names.words import NAMES_WITH_NUMBERS, PLATFORMS, UNFINISHED

__all__ = ["CONTINUES", "FULL", "PLAIN", "STARTS", "Segment", "segments_of"]


class Segment(msgspec.Struct, frozen=True, gc=False):
    """A piece of a stem between separators.

    `kind`   dotted (1.2, v1.2rc1), number (12, v12), lettered (9f, 8u92), revision (r475),
             coded (R15B01), letter (b8117), pre (rc1, p4, g1a2b3c4), commit (464e9d8),
             joined (tcl8.6.13), after (jpegsrc.v9f), glued (unzip60) or word
    `start`  `end`  where it stands
    `begin`  where the version in it begins: behind a `v`, behind the word that it is joined to
    """

    kind: str
    start: int
    end: int
    begin: int


FULL: Final = frozenset(("dotted", "joined"))
PLAIN: Final = frozenset(("number", "lettered", "revision", "coded", "after", "letter"))
STARTS: Final = FULL | PLAIN | {"glued"}
CONTINUES: Final = {"dotted", "pre", *PLAIN} - {"after"}

_PRE: Final = "|".join(sorted(UNFINISHED, key=len, reverse=True))

# A number may be followed by such words, or by single letters:
# 9f, 2024a, 8u92, 1rc2, 2.0.0b7, 30.pre9, 1.2~beta2, 5.0.M3.
_TAIL: Final = rf"(?:[._~]?(?:{_PRE}|[a-z](?![a-z]))\.?\d*+(?:\.\d++)*+)*+(?:[+~^].*)?"
_MONTH: Final = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"

_SEGMENT: Final = re.compile(
    rf"""(?:
      (?P<commit>  g?(?!(?:19|20)\d{{6}})(?=[0-9]*+[a-f])(?=[a-f]*+[0-9])[0-9a-f]{{7,40}}
                 | g(?=[a-f]*+\d)[0-9a-f]{{4,40}} | 0\d{{6}} )
    | (?P<dotted>  v?\.?(?:\d+:)?\d++(?:\.\d++)++.* | v?\d{{8}}\.[0-9a-z.]++ )
    | (?P<number>  v?\.?\d++ )
    | (?P<lettered>v?\.?\d++{_TAIL} | \d{{1,4}}(?:{_MONTH})[a-z]*+\d{{1,4}} )
    | (?P<revision>r\d++(?:\.\d++)*+[a-z]? )
    | (?P<coded>   r\d++[a-z]\d*+ )
    | (?P<pre>     (?:{_PRE})[.]?\d*+(?:[.]\w++)*+(?:[+~].*)?
                 | [a-hk-npr-v][.]?\d++(?:[.]\d++)*+(?:[.][a-z]{{2,}})? | [a-z]\d++[a-z]\d++ )
    | (?P<joined>  [a-z0-9.+]*?[a-z+](?:\.v?|(?<=[a-z0-9.])v)?
                   (?P<dots>\d++(?:\.\d++)++{_TAIL})(?:\.[a-z].*)? )
    | (?P<after>   [a-z0-9.+]*?[a-z+](?:\.v?|[0-9.]v)(?P<one>\d++{_TAIL}) )
    | (?P<glued>   (?:[a-z+.]+?|\d[a-z]+)(?P<int>\d++{_TAIL}) )
    )\Z""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
).match
_PLAIN: Final = re.compile(r"(?:\d+(\.)\d[\d.]*+(?<!\.)|\d{1,6})\Z", re.ASCII).match
_INNER: Final = {"joined": "dots", "after": "one", "glued": "int"}
_PIECES: Final = re.compile(r"[^-_ ,@()\[\]]+").finditer
_X86_64: Final = re.compile("x86[-_]64", re.IGNORECASE)
_SEVEN_ZIPPED: Final = re.compile(
    r"\d[a-z](?:\d{3,}|(?<![abjpru])\d{2,}\.\d+)\Z", re.IGNORECASE | re.ASCII
)
_STABLE: Final = re.compile(r"(?:stable|release|rel)(?=\d{4,}\Z)", re.IGNORECASE | re.ASCII)
# LVM2.2.03.31, soup3.3.4.1: the number in the name is the first of the version, said twice.
_TWICE: Final = re.compile(r"(?<![vV.])(\d)\.(?=\1\.\d+\.\d)")
# win-x86.4.13.0: the number belongs to the machine.
_MACHINE: Final = re.compile(
    r"(?:[a-z0-9.+]*\.)?"
    r"(?:x86|x64|arm64|amd64|aarch64|win32|win64|i386|i686|linux64|py3|python3)\.(?=\d)"
    r"|[a-z.+]+(?:32|64)\.(?=\d+\.\d+\.\d)",
    re.IGNORECASE,
)


def segments_of(body: str) -> list[Segment]:
    """The pieces of a stem, in their order."""
    if "x86" in body or "X86" in body:
        body = _X86_64.sub("x86|64", body)  # one word, of the same length
    found = []
    for piece in _PIECES(body):
        start, end = piece.span()
        text = piece[0]
        if text.isalpha():
            kind = "pre" if text.lower() in UNFINISHED else "word"
        elif plain := _PLAIN(text):  # most are; the long expression would say the same
            kind = "dotted" if plain[1] else "number"
        else:
            found.append(_segment(body, text, start, end))
            continue
        found.append(Segment(kind, start, end, start))
    return found


def _segment(body: str, text: str, start: int, end: int) -> Segment:
    match = _SEGMENT(text)
    if match is None or (text[0].isalpha() and text.lower() in PLATFORMS):
        return Segment("word", start, end, start)
    kind = match.lastgroup or "word"
    begin = start
    if kind in ("dotted", "number", "lettered"):
        if kind == "lettered" and not start and _SEVEN_ZIPPED.match(text):
            kind = "joined" if "." in text else "glued"
            return Segment(kind, start, end, start + 2)  # 7z2301, 7z19.00
        begin += len(text) - len(text.lstrip("vV."))
    elif kind == "pre" and (announced := _STABLE.match(text)):  # edk2-stable202511
        return Segment("number", start, end, start + announced.end())
    elif kind == "pre":
        if not start and len(text) > 2 and text[1].isdecimal():  # b8117, n4.4
            if text[1:] in NAMES_WITH_NUMBERS:
                return Segment("word", start, end, start)
            return Segment("letter", start, end, start + ("." in text))
    elif kind == "commit":
        bound = len(text) < 20 and start and body[start - 1] == "_"
        if bound or text[0] in "gG":  # 20240306_709e60f; git describe: 1.2-15-g1a2b3c4
            kind = "pre"
    elif kind == "revision":
        if text[-1].isupper():
            kind = "coded"  # R13B, but not R59c
        else:
            begin += 1
    elif inner := _INNER.get(kind):
        begin += match.start(inner)
        if kind == "joined" and (
            named := _TWICE.match(text, match.start(inner)) or _MACHINE.match(text)
        ):
            begin = start + named.end()
    return Segment(kind, start, end, begin)
