"""File names, tags and addresses, taken apart into name and version.

`split("gtk+-3.24.38.tar.xz")` says `gtk+` and `3.24.38`, a source in a `tar.xz`. What stands around
a name is believed before any guess: the known name of the project, the folder, the siblings.
Everything here is pure, never raises on a text, and refuses texts beyond `LONGEST`, so that no text
takes long.

The version comes out as it was published: `boost_1_84_0` says `1_84_0`, and its reading with dots,
`1.84.0`, stands beside it as `alias_version`. A leading `v` or `r` that only announces the version
is no part of it; neither is what says how a file was packed (`-src`, `-linux-x86_64`), nor a commit
(`-464e9d8`), nor a word nobody knows (`-Omega`). A revision (`-1`), a date, a pre-release, and what
git describe adds (`-15-g1a2b3c4`) are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final
from urllib.parse import unquote

import msgspec

from monitor.formats.names.exact import by_rule
from monitor.formats.names.extensions import Kind, extension_of
from monitor.formats.names.stem import Found, dotted, find
from monitor.formats.names.tags import find_in_tag
from monitor.formats.names.urls import Address, read_url
from monitor.formats.names.words import MACHINES

__all__ = [
    "Kind",
    "Split",
    "split",
    "split_file",
    "split_folder",
    "split_many",
    "split_tag",
    "split_url",
]

LONGEST: Final = 512
"""No file name or tag of more characters is taken apart (file systems end at 255 bytes)."""

LONGEST_URL: Final = 8192


class Split(msgspec.Struct, frozen=True, gc=False):
    """A name, taken apart.

    `input`          the text as it was given
    `name`           the project or artefact, or None where the text does not say
    `version`        the version as published, or None where there is none
    `kind`           what the file is; a tag or bare version is a source
    `extension`      without its first dot (`tar.gz`, `tar.gz.sig`), or empty
    `platform`       the system and machine that a binary is for, as written
    `confidence`     0 to 1; below 0.5 nobody should act on it
    `alias_version`  the version with dots where it was published with underscores
    """

    input: str
    name: str | None
    version: str | None
    kind: Kind
    extension: str
    platform: str | None
    confidence: float
    alias_version: str | None = None


# The common case, by an expression that never steps back: words (with a digit or two behind the
# last, as in libxml2, but for those that speak of machines), a dotted version, and an end. As
# there are few ends, what each means is worked out once, by the long way (`_Ends`).
_PLAIN_LINE: Final = (
    r"(?:([A-Za-z][A-Za-z+_-]{0,80}+(?:(?<![vVrR])[0-9]{1,2}+(?<!64)(?<!32)(?<!86)[-_][vV]?)?+)"
    r"(?:(?<=[A-Za-z0-9+][-_])|(?<=[A-Za-z0-9+][-_][vV])))?+"
    r"[vV]?([0-9]{1,20}+(?:\.[0-9]{1,20}+){1,9}+)(.*)"
)
_PLAIN: Final = re.compile(_PLAIN_LINE, re.DOTALL).match
# For many lines at once, each of which it matches: Python then finds them all in one call.
_PLAIN_LINES: Final = re.compile(rf"(?:{_PLAIN_LINE}|.*)\n").findall
_AT_ONCE: Final = 1000

# The same with more kinds of names, and plain numbers in an archive. The name may hold digits; none
# of its words is one that a version may begin with (v2, r5).
_COMMON: Final = re.compile(
    r"((?![vVrR]\d)[A-Za-z][A-Za-z0-9+]*+"
    r"(?:[-_.](?<!\d\.)(?![vVrR]\d)[A-Za-z][A-Za-z0-9+]*+)*)"
    r"(?<!64)(?<!32)(?<!86)([-_][vV]?)"
    r"(?:(\d++(?:\.\d++)++)(.*)"
    r"|(?<=[A-Za-z+][-_])(?!(?:32|64|386)\b)([1-9]\d{0,7}+(?:(?<!\d{6})[a-z])?+)(?!\.orig)"
    r"(?:[-_.](?:[Ss]ource|src|stable)|-(?:vendor|deps|dist|web|all|full|bin))?+"
    r"\.(tar(?:\.(?:gz|xz|bz2|zst|lzma|lz))?+|tgz|zip|txz|tbz2?+|crate|gem)\Z)",
    re.ASCII | re.DOTALL,
).match


# A dotted version and an archive, from the last separator on: what the version is, the text before
# it decides alone.
_LAST_DOTTED: Final = re.compile(
    r"([-_][vV]?)(\d++(?:\.\d++)++)\.(tar\.(?:gz|xz|bz2|zst|lz)|tgz|zip)\Z", re.ASCII
).match
_STEM: Final = re.compile(r"[A-Za-z0-9][\w.+~-]*+\Z", re.ASCII).match
# Debian's name for an upstream's archive; its rule is exact. A name may end in a machine.
_ORIG: Final = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9+.-]*+)(?<!64)(?<!32)(?<!86)_(\d[A-Za-z0-9.+~]*+)(?<=\.orig)"
    r"\.(tar\.(?:gz|xz|bz2|zst|lz))\Z"
).match
_DIGITS: Final = re.compile(r"\d\.\d", re.ASCII)
_FOLDER: Final = re.compile(
    r"[vVrR]\d+|\d{8}(?:[-_.]\d+)*"
    r"|(?:v|ver|version|rel|release)[-_.]?\d+(?:[-_]\d+)+",
    re.ASCII | re.IGNORECASE,
)
_DAY: Final = re.compile(
    r"(?:19|20)\d\d([-_.]?)[01]\d\1[0-3]\d|[0-3]\d([-_.])[01]\d\2(?:19|20)\d\d", re.ASCII
)
_V: Final = re.compile(r"[vV]\d", re.ASCII)
_FROM_TO: Final = re.compile(r"\d[\w.]*-(?:to-)?v?(\d+\.[\w.]+)", re.ASCII)
_LAST: Final = re.compile(r"(?:x86[-_]64|[^-_. ]+)\Z", re.IGNORECASE)
_SOURCES: Final = re.compile(r"[-_.](?:src|source|sources|orig)\b", re.IGNORECASE)
_BETWEEN: Final = "-_. @/"
_LONGEST_END: Final = 100
# A second version; an address; a digit of the version is the end's (foo-1.2.7z, foo-1.2.64bit).
_UNSURE_END: Final = re.compile(r"\d\.\d|[/?@:=#%]|\A(?:\d|z|bit)", re.ASCII | re.IGNORECASE)
_ALONE_DIFFERENT: Final = frozenset(("gz", "xz", "bz2"))  # patch-6.7.xz is a patch
_RULED: Final = frozenset(("deb", "udeb", "rpm", "drpm", "whl"))  # whose rules look at the name
_MAVEN: Final = frozenset(("jar", "war", "ear", "aar", "pom"))
_SCRIPTS: Final = frozenset(("php", "cgi", "asp", "aspx", "jsp", "pl"))
_ENOUGH: Final = 200  # siblings that are asked for their opinion
_NOTHING: Final = Found(None, None, None, 0.0)


def split(
    text: str,
    *,
    project: str | None = None,
    folder: str | None = None,
    siblings: Sequence[str] = (),
) -> Split:
    """Take a file name, a tag or an address apart, whichever it is.

    `project`   the name of the project, where it is known
    `folder`    the name of the folder the file lies in
    `siblings`  the names of the other files in it, or of the other tags
    """
    if project is None and folder is None and not siblings:
        return _alone(text)
    return _split_long(text, project, folder, siblings)


def _alone(text: str) -> Split:
    """`split` where nothing is known but the text: the short ways, then the long one."""
    plain = _PLAIN(text)
    return (plain and _plainly(text, plain[1], plain[2], plain[3])) or _otherwise(text)


def _plainly(text: str, name: str | None, version: str, end: str) -> Split | None:
    """What `_PLAIN` found, where its end says the same of all names. The name has its separator."""
    if not name:
        known = _ENDS_ALONE[end]
        name = None
    elif name[-1] == "-":
        known = _ENDS[end]
        name = name[:-1]
    elif name[-1] == "_":
        known = _ENDS_UNDERSCORED[end]
        name = name[:-1]
    else:  # foo-v, foo_v
        known = _ENDS_SAID[end]
        name = name[:-2]
    if known:
        more, extension, kind, platform, sure = known
        if platform is None or name is None or not _SOURCES.search(name):  # foo-src-1.0-linux
            return Split(text, name, version + more, kind, extension, platform, sure)
    return None


def _otherwise(text: str) -> Split:
    """`_alone` for what is not plain."""
    if len(text) > LONGEST:
        return _split_long(text, None, None, ())
    if common := _COMMON(text):
        name, separator, dotted, end, version, extension = common.groups()
        if version:
            return Split(text, name, version, "source", extension, None, 0.7)
        known = _ENDS_BEHIND[separator.lower()][end]
        if known:
            more, extension, kind, platform, sure = known
            if platform is None or not _SOURCES.search(name):
                return Split(text, name, dotted + more, kind, extension, platform, sure)
    cut = max(text.rfind("-"), text.rfind("_"))
    if cut > 0 and (last := _LAST_DOTTED(text, cut)) and _STEM(stem := text[:cut]):
        separator, version, extension = last.groups()
        if by := _before(stem, separator, version.count(".")):
            name, kind, platform, sure = by
            return Split(text, name, version, kind, extension, platform, sure)
    elif orig := _ORIG(text):
        return Split(text, orig[1], orig[2][:-5], "source", orig[3], None, 0.95)
    return _split_long(text, None, None, ())


def _split_long(
    text: str, project: str | None, folder: str | None, siblings: Sequence[str]
) -> Split:
    if "/" in text or "?" in text:
        if "://" in text or text.startswith("//") or "?" in text:
            return split_url(text, project=project)
        inside, _, last = text.rpartition("/")
        if not text.startswith(("@", "refs/")) and extension_of(last)[1]:
            holder = folder or inside.rpartition("/")[2] or None
            return _file(last, text, project, holder, siblings)
        return split_tag(text, project=project, siblings=siblings)
    parts = extension_of(text)
    if parts[1]:
        return _file(text, text, project, folder, siblings, parts)
    return split_tag(text, project=project, siblings=siblings)


@lru_cache(maxsize=4096)
def _before(stem: str, separator: str, dots: int) -> tuple[str, Kind, str | None, float] | None:
    """What stands before a dotted version says of any such archive, or None where it depends.

    The name, the kind, the platform, and how sure that is. Of the version only the number of its
    dots matters, when there is another one before it.
    """
    version = ".".join(["7919"] * (dots + 1))  # what stands in no stem by chance
    if version in stem or stem[-3:].lower() == "x86":  # x86-64.1
        return None
    found = _split_long(f"{stem}{separator}{version}.tar.gz", None, None, ())
    if not found.name or found.version != version:
        return None
    return found.name, found.kind, found.platform, found.confidence


_End = tuple[str, str, Kind, str | None, float]


class _Ends(dict[str, _End | None]):
    """What stands behind a dotted version says of any such file, or None where it depends.

    What of it belongs to the version, the extension, the kind, the platform, and how sure that is.
    At most 4,096 ends are kept. `before` is what stands before the version: a name and a separator,
    or nothing.
    """

    def __init__(self, before: str) -> None:
        self.before = before

    def __missing__(self, end: str) -> _End | None:
        if len(end) > _LONGEST_END:
            return None
        if len(self) >= 4096:
            self.clear()
        found = self[end] = self._read(end)
        return found

    def _read(self, end: str) -> _End | None:
        if _UNSURE_END.search(end):
            return None
        text = f"{self.before}1.0{end}"
        suffix = extension_of(text)[1].lower()
        if not suffix or suffix in _ALONE_DIFFERENT or suffix.rpartition(".")[2] in _RULED:
            return None
        found = _split_long(text, None, None, ())
        version, name = found.version or "", self.before[:1] or None
        if found.name != name or not version.startswith("1.0"):
            return None
        return version[3:], found.extension, found.kind, found.platform, found.confidence


_ENDS: Final = _Ends("x-")
_ENDS_UNDERSCORED: Final = _Ends("x_")
_ENDS_SAID: Final = _Ends("x-v")
_ENDS_ALONE: Final = _Ends("")
_ENDS_BEHIND: Final = {
    "-": _ENDS,
    "_": _ENDS_UNDERSCORED,
    "-v": _ENDS_SAID,
    "_v": _ENDS_SAID,
}


def split_many(texts: Iterable[str], *, project: str | None = None) -> Iterator[Split]:
    """`split` for many texts, one after the other; up to 1,000 are read ahead."""
    if project is not None:
        for text in texts:
            yield split(text, project=project)
        return
    rest = iter(texts)
    while some := list(islice(rest, _AT_ONCE)):
        found = _PLAIN_LINES("\n".join(some) + "\n")
        if len(found) != len(some):  # one of them holds a line end
            yield from map(_alone, some)
            continue
        for text, (name, version, end) in zip(some, found, strict=True):
            if name and name[-1] == "-" and (known := _ENDS[end]):  # most, and without a call
                more, extension, kind, platform, sure = known
                if platform is None:
                    yield Split(text, name[:-1], version + more, kind, extension, None, sure)
                    continue
            yield (version and _plainly(text, name, version, end)) or _otherwise(text)


def split_file(
    name: str,
    *,
    project: str | None = None,
    folder: str | None = None,
    siblings: Sequence[str] = (),
) -> Split:
    """Take a file name apart."""
    return _file(name, name, project, folder, siblings)


def split_tag(tag: str, *, project: str | None = None, siblings: Sequence[str] = ()) -> Split:
    """Take a tag apart. Without a name of its own it is the project's."""
    if not _readable(tag):
        return _unknown(tag)
    text = (unquote(tag) if "%" in tag else tag).removeprefix("refs/tags/")
    found = find_in_tag(text)
    if project and (closer := _after(text, project)):
        found = closer
    elif siblings and (other := _common_name(siblings, found.name)):
        found = _after(text, other) or found
    return _split(tag, found, "source" if found.version else "unknown", "", project)


def split_url(url: str, *, project: str | None = None) -> Split:
    """Take an address apart: its file's name, then what forge, query and folders say."""
    if not _readable(url, LONGEST_URL):
        return _unknown(url)
    address = read_url(url)
    if address.tag is not None and address.file is None:
        known = project or address.project
        found = find_in_tag(address.tag)
        if known and (closer := _after(address.tag, known)):
            found = closer
        kind: Kind = "source" if found.version or address.suffix else "unknown"
        return _split(url, found, kind, address.suffix, known)
    return _addressed(url, address, project)


def split_folder(
    names: Sequence[str], *, project: str | None = None, folder: str | None = None
) -> list[Split]:
    """Take all names of a folder apart, in their order.

    What most of them agree on helps with the others.
    """
    alone = [split(name, project=project, folder=folder) for name in names]
    common = project or _most_common(found.name for found in alone if found.version)
    if common is None:
        return alone
    return [
        found
        if found.name == common or found.kind == "unknown"
        else _file(found.input, found.input, common, folder, ())
        for found in alone
    ]


def _file(
    name: str,
    given: str,
    project: str | None,
    folder: str | None,
    siblings: Sequence[str],
    parts: tuple[str, str, Kind] | None = None,
) -> Split:
    if not _readable(name):
        return _unknown(given)
    if "%" in name:
        name, parts = unquote(name), None
    stem, extension, kind = parts or extension_of(name)
    suffix = extension.lower()
    if exact := by_rule(stem, suffix):
        return _split(given, exact, kind, extension, None)
    found = find(stem, maven=suffix.partition(".")[0] in _MAVEN)
    if project and (closer := _after(stem, project)):
        found = closer
    elif siblings and (other := _common_name(siblings, found.name)):
        found = _after(stem, other) or found
    elif folder:
        found = _in_folder(stem, folder, found)
    if kind == "patch" and found.version and "_" + found.version not in stem:
        if ends := _FROM_TO.fullmatch(found.version):  # foo-1.2-1.3.diff brings 1.3
            found = found._replace(version=ends[1])
    elif found.name == "patch" and suffix in ("gz", "xz", "bz2"):
        kind = "patch"  # the kernel's
    return _split(given, found, kind, extension, project)


def _split(given: str, found: Found, kind: Kind, extension: str, project: str | None) -> Split:
    name, version, platform, confidence = found
    if version is not None and not version.isascii():  # full-width digits and their like
        version, confidence = None, 0.0
    if name and platform is None and name.endswith(("64", "86", "32")):
        last = _LAST.search(name)
        platform = last[0] if last and last[0].lower() in MACHINES else None
    if kind == "source" and platform and extension not in ("src.rpm", "gem"):
        kind = "source" if _SOURCES.search(given) else "binary"
    alias = dotted(version) if version else None
    return Split(
        given,
        (project or None) if name is None and version is not None else name,
        version,
        kind,
        extension,
        platform,
        round(confidence, 2),
        alias,
    )


def _unknown(text: str) -> Split:
    return Split(text, None, None, "unknown", "", None, 0.0)


def _readable(text: str, longest: int = LONGEST) -> bool:
    """Whether a text may be taken apart: no control, format or lone surrogate characters."""
    return len(text) <= longest and text.isprintable()


def _after(stem: str, project: str) -> Found | None:
    """The version in a stem that begins with the known name, or None where it does not."""
    size = len(project)
    if not size or _folded(stem[:size]) != _folded(project):
        return None
    rest = stem[size:]
    if not rest or not (
        rest[0] in _BETWEEN or (rest[0].isdigit() and not project[-1].isdigit()) or _V.match(rest)
    ):
        return None
    if project[-1].isdigit() and len(rest) > 1 and rest[0] in "._" and rest[1].isdigit():
        return None  # agg-2.6 is no prefix of agg-2.6.1
    bare = rest.lstrip(_BETWEEN)
    found = find_in_tag(bare, named=len(bare) < len(rest)) if bare else None
    if found is None or found.version is None:
        return None
    if len(bare) == len(rest) and (found.name or find(stem).version not in (None, found.version)):
        return None  # glued to a number that may belong to the name: libidn2-2.3.0 is not libidn
    if found.name is None:
        return found._replace(name=stem[:size], confidence=0.98)
    at = rest.find(found.name)
    return found._replace(name=stem[: size + at + len(found.name)]) if at >= 0 else None


def _folded(text: str) -> str:
    return text.lower().replace("_", "-").replace(".", "-").replace(" ", "-")


def _in_folder(stem: str, folder: str, found: Found) -> Found:
    """What the folder adds: its name is the project's, or its version stands in the stem."""
    holds = find_in_tag(folder)
    if holds.version is None:
        closer = _after(stem, folder)
        return closer if closer and closer.name == stem[: len(folder)] else found
    if holds.version == found.version:
        return found._replace(confidence=0.98)
    return found


def _common_name(siblings: Sequence[str], own: str | None) -> str | None:
    """The name that most siblings have, where it differs from the own one."""
    common = _most_common(find(extension_of(text)[0]).name for text in siblings[:_ENOUGH])
    return common if common != own else None


def _most_common(names: Iterable[str | None]) -> str | None:
    counts: dict[str, int] = {}
    for name in names:
        if name:
            counts[name] = counts.get(name, 0) + 1
    if not counts:
        return None
    name = max(counts, key=counts.__getitem__)
    return name if counts[name] * 2 > sum(counts.values()) else None


def _addressed(url: str, address: Address, project: str | None) -> Split:
    """An address with a file: its name, or the release's tag; else the query, else a folder."""
    name = address.file or ""
    parent = address.folders[-1] if address.folders else None
    own = _file(name, url, project, address.tag or parent, ()) if name else _unknown(url)
    released = find_in_tag(address.tag) if address.tag else _NOTHING
    if holds := _holds(name, own, released):
        return _split(url, holds, own.kind, own.extension, project)
    if spelled := _spelled(own.version, (*address.folders, *address.queries)):
        return _split(
            url, Found(own.name, spelled, own.platform, 0.9), own.kind, own.extension, project
        )
    if own.version is not None and own.confidence >= 0.5 and not _says_more(released.version, own):
        return own
    if released.version is not None and released.confidence >= 0.5:
        return _around(url, own, released._replace(name=address.project))
    if asked := _asked(url, own, address.queries, parent):
        return asked
    for part in reversed(address.folders):
        found = find_in_tag(part)
        if (
            found.version
            and (_DIGITS.search(part) or _FOLDER.fullmatch(part))
            and (own.version is None or _says_more(found.version, own))
        ):
            return _around(url, own, found)
    return own


def _holds(file: str, own: Split, released: Found) -> Found | None:
    """The release's version, where the file's name has it beside another: NanaRun_1.0_1.0.92.0."""
    version = released.version
    if version is None or own.version in (None, version) or released.confidence < 0.5:
        return None
    if len(version) < 3 or own.version.startswith(version):  # 1.2-3 says more than 1.2
        return None
    if _DAY.fullmatch(version) and _DIGITS.search(own.version):
        return None
    there = re.search(
        rf"(?:^|[-_])v?({re.escape(version)})(?![0-9A-Za-z]|\.\d)", file, re.IGNORECASE | re.ASCII
    )
    if there is None:
        return None
    return Found(file[: there.start()].strip(_BETWEEN) or None, there[1], own.platform, 0.95)


def _spelled(version: str | None, around: Iterable[str]) -> str | None:
    """The version with the dots that a folder or query spells it with: 6.40/clips_640.tar.gz."""
    if version is None or len(version) < 2 or not version.isdecimal():
        return None
    for part in around:
        said = find_in_tag(part).version if _DIGITS.search(part) else None
        if said and said.replace(".", "") == version:
            return said
    return None


def _says_more(version: str | None, own: Split) -> bool:
    """Whether a release's tag knows the version better than its file.

    It does with dots where the file has none, and where it goes on behind the file's version.
    """
    if version is None or own.version is None or not _DIGITS.search(version):
        return False
    if _DIGITS.search(own.version):
        return (
            len(version) > len(own.version)
            and version.startswith(own.version)
            and version[len(own.version)] in ".-+_~"
        )
    if _DAY.fullmatch(own.version):  # a day says less than a number, and a day is not another one
        return not _DAY.fullmatch(version)
    return own.confidence <= 0.75 and "_" not in own.version and "-" not in own.version


def _around(url: str, own: Split, found: Found) -> Split:
    """The file as it is, with the version that stands around it."""
    name = own.name if own.version is None and own.name else found.name or own.name
    return _split(
        url, Found(name, found.version, own.platform, 0.75), own.kind, own.extension, None
    )


def _asked(url: str, own: Split, queries: Sequence[str], folder: str | None) -> Split | None:
    """What the values of a query say: a whole file name, or at least a version."""
    plain: Split | None = None
    for value in queries:
        last = value.rpartition("/")[2]
        asked = split(last) if last else _unknown(value)
        if asked.version and asked.extension:
            return msgspec.structs.replace(asked, input=url)
        if asked.version and (plain is None or asked.confidence > plain.confidence):
            plain = asked
    if plain is None:
        return None
    return msgspec.structs.replace(
        own,
        input=url,
        version=plain.version,
        alias_version=plain.alias_version,
        name=(None if own.extension in _SCRIPTS else own.name) or plain.name or folder,
        confidence=0.7,
    )
