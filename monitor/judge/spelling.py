"""From what an upstream wrote to the version that is read: templates, prefixes, transforms."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from monitor import ordering
from monitor.judge import shapes, words
from monitor.judge.verdicts import Candidate
from monitor.rules import Rules, template

LONGEST: Final = 256
"""Characters of a version; what is longer is none (fault C09)."""

SURE: Final = 0.7
"""How sure the splitter of names must be of a version that it found in a tag."""

# Schemes that give a leading "v" a meaning of their own, or read it themselves.
_KEEPS_V: Final = frozenset({"go", "cpan", "maven", "debian", "rpm"})

# Orders by words: there a release by its words must not sort below the plain version.
BY_WORDS: Final = frozenset({"generic", "calver", "gnome"})

_XYYZZPP = re.compile(r"([0-9]{1,2})([0-9]{2})([0-9]{2})([0-9]{2})(?![0-9])")
_NAMED = re.compile(r"(?i)(?:release|rel|version|ver|stable)[-_./ ]?v?(?=[0-9])")
_PATCH = re.compile(
    r"(?<=[0-9])[-._]?(?:p|sp|sr|sec|hotfix|fix|bugfix|u|upd|update|rev)(?=[0-9])", re.I
)
_DONE = re.compile(r"[-._]?(?:final|ga|gold|release|released|stable|lts|esr)$", re.I)
_JOINED = re.compile(r"[0-9]+(?:(?:-[0-9]+){2,}|(?:_[0-9]+)+)").fullmatch
_BUILD = re.compile(r"([0-9]+(?:\.[0-9]+)*)\+(?=[0-9])").match
_DEPTH: Final = 6  # numbers of a version; those of builds are put behind as many
_TAG = re.compile(r"[A-Za-z0-9._/@+~-]+").fullmatch
_TOKEN = re.compile(r"[A-Za-z]+")

# Words around the version in a tag or file name, where names of things stand too:
# fewer of them are trusted than inside of a version.
_AROUND: Final = frozenset(
    """
    alpha beta rc cr pre prerelease preview dev devel nightly snapshot daily weekly canary
    unstable experimental testing test trial milestone
    """.split()  # noqa: SIM905
)

# Where a branch began (llvmorg-18-init), and words that stand in names as well.
_BEHIND: Final = frozenset({"init", "start", "next", "edge", "eap", "insider", "wip", "draft"})


def flaw(version: str) -> str | None:
    """Why this text cannot be a version at all, whatever the scheme."""
    if not version.strip():
        return "it is empty"
    if len(version) > LONGEST:
        return f"it has {len(version)} characters, more than {LONGEST}"
    for c in version:
        if not " " <= c <= "~" and (unicodedata.category(c)[0] in "CZMN"):
            return f"it holds U+{ord(c):04X}, which looks like something else or like nothing"
    return None


@dataclass(frozen=True, slots=True)
class Reading:
    """A candidate's version as it is read.

    `name`    the project that the tag names, where it names one; with a `/` where it is a folder
    `moving`  why this names something that moves, and is no version
    """

    version: str
    name: str | None = None
    moving: str | None = None


def read(candidate: Candidate, rules: Rules, project: str | None, scheme: str) -> Reading | None:
    """The version in this candidate, None where the tag template does not fit."""
    version = candidate.version
    if rules.tag is not None:
        match = template(rules.tag, project).match(candidate.spelling)
        if match is None:
            return None
        version = match.group("version")
    elif rules.prefix:
        if version.startswith(rules.prefix):
            version = version[len(rules.prefix) :]
        elif candidate.spelling.startswith(rules.prefix):
            version = candidate.spelling[len(rules.prefix) :]
    for transform in rules.transform:
        version = _transformed(version, transform)
    name = None
    if scheme not in _KEEPS_V:
        version, name = _unnamed(version, project)
    if rules.tag is not None:
        return Reading(version)
    if reason := words.moving(version):
        return Reading(version, name, reason)
    return _split(version, name, project, scheme)


def _split(version: str, name: str | None, project: str | None, scheme: str) -> Reading:
    """A tag that nobody took apart yet: "curl-8_5_0", "foo/v1.2", "VER-2-13-2"."""
    if version[:1].isdigit() or not _TAG(version):
        return Reading(_dotted(version) if scheme in BY_WORDS else version, name)
    if scheme not in BY_WORDS and ordering.unreadable(scheme, version) is None:
        return Reading(version, name)
    from monitor.formats.archive_names import split_tag

    found = split_tag(version, project=project)
    if found.version is None or found.confidence < SURE or not found.version[:1].isdigit():
        return Reading(version, name)
    taken = _dotted(found.alias_version or found.version)
    if ordering.unreadable(scheme, taken) and not ordering.unreadable(scheme, f"v{taken}"):
        taken = f"v{taken}"
    folder = found.name is not None and f"{found.name}/" in version
    return Reading(taken, f"{found.name}/" if folder else found.name)


def _dotted(version: str) -> str:
    """2-13-2 and 8_5_0 as 2.13.2 and 8.5.0; dates stay, and 1-2, which may be a revision."""
    if _JOINED(version) and not shapes.shape(version).dated:
        return version.replace("-", ".").replace("_", ".")
    return version


def sortable(scheme: str, version: str) -> str:
    """The version as the scheme's order has to see it.

    In the generic order every unknown word is a pre-release. What is judged a
    release by its words (1.9.15p5, 1.0-final; fault C06) must not sort below
    the version that it mends or finishes. A build behind "+" counts last:
    21+35 is below 21.0.1+12.
    """
    if scheme not in BY_WORDS or not version[-1:].isalnum():
        return version
    if match := _BUILD(version):
        release = match[1].split(".")
        release += ["0"] * (_DEPTH - len(release))
        version = ".".join([*release, version[match.end() :]])
    return _DONE.sub("", _PATCH.sub("patch", version)) or version


def around(candidate: Candidate, version: str, project: str | None) -> frozenset[str]:
    """Words before and behind the version in the tag or file name that say "not yet"."""
    text = candidate.spelling
    inner = next((v for v in (candidate.version, version) if v and v != text and v in text), None)
    if inner is None:
        return frozenset()
    before, _, behind = text.rpartition(inner)
    own = set(_TOKEN.findall((project or "").lower()))
    said = {word.lower() for word in _TOKEN.findall(before)} - own
    said &= _AROUND
    return frozenset(said | ({w.lower() for w in _TOKEN.findall(behind)} & (_AROUND | _BEHIND)))


def _transformed(version: str, name: str) -> str:
    if name == "underscores":
        return version.replace("_", ".")
    if name == "dashes":
        return re.sub(r"(?<=[0-9])-(?=[0-9])", ".", version)
    if name == "xyyzzpp":
        if not (match := _XYYZZPP.match(version)):
            return version
        parts = [str(int(part)) for part in match.groups()]
        if parts[3] == "0":
            parts.pop()
        return ".".join(parts) + version[match.end() :]
    cut = 1 if name == "last-digit" else 2
    digits = re.match(r"[0-9]+(?![0-9.])", version)
    if not digits or digits.end() <= cut:
        return version
    return f"{version[: digits.end() - cut]}.{version[digits.end() - cut :]}"


def _unnamed(version: str, project: str | None) -> tuple[str, str | None]:
    """Without a leading "v", "release-" or the project's own name; and that name."""
    if match := _NAMED.match(version):
        return version[match.end() :], None
    name = None
    for own in filter(None, (project, (project or "").rpartition("/")[2])):
        rest = version[len(own) :]
        if version.lower().startswith(own.lower()) and re.match(r"[-_/@][vV]?[0-9]", rest):
            version, name = rest[1:], own
            break
    if re.match(r"[vV][-_.]?[0-9]", version) and not words.moving(version):
        version = version[1:].lstrip("-_.")
    return version, name
