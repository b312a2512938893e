"""From what an upstream wrote to the version that is read: templates, prefixes, transforms."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from monitor.judge import words
from monitor.judge.verdicts import Candidate
from monitor.rules import Rules, template

LONGEST: Final = 256
"""Characters of a version; what is longer is none (fault C09)."""

# Schemes that give a leading "v" a meaning of their own, or read it themselves.
_KEEPS_V: Final = frozenset({"go", "cpan", "maven", "debian", "rpm"})

# Orders by words: there a release by its words must not sort below the plain version.
_BY_WORDS: Final = frozenset({"generic", "calver", "gnome"})

_XYYZZPP = re.compile(r"([0-9]{1,2})([0-9]{2})([0-9]{2})([0-9]{2})(?![0-9])")
_NAMED = re.compile(r"(?i)(?:release|rel|version|ver|stable)[-_./ ]?v?(?=[0-9])")
_PATCH = re.compile(
    r"(?<=[0-9])[-._]?(?:p|sp|sr|sec|hotfix|fix|bugfix|u|upd|update|rev)(?=[0-9])", re.I
)
_DONE = re.compile(r"[-._]?(?:final|ga|gold|release|released|stable|lts|esr)$", re.I)
_TOKEN = re.compile(r"[A-Za-z]+")

# Words around the version in a tag or file name, where names of things stand too:
# fewer of them are trusted than inside of a version.
_AROUND: Final = frozenset(
    """
    alpha beta rc cr pre prerelease preview dev devel nightly snapshot daily weekly canary
    unstable experimental testing test trial milestone
    """.split()  # noqa: SIM905
)


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


def taken(candidate: Candidate, rules: Rules, project: str | None, scheme: str) -> str | None:
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
    for name in rules.transform:
        version = _transformed(version, name)
    if scheme not in _KEEPS_V:
        version = _unnamed(version, project)
    return version


def sortable(scheme: str, version: str) -> str:
    """The version as the scheme's order has to see it.

    In the generic order every unknown word is a pre-release. What is judged a
    release by its words (1.9.15p5, 1.0-final; fault C06) must not sort below
    the version that it mends or finishes.
    """
    if scheme not in _BY_WORDS or not version[-1:].isalnum():
        return version
    return _DONE.sub("", _PATCH.sub("patch", version)) or version


def around(candidate: Candidate, project: str | None) -> frozenset[str]:
    """Words before and behind the version in the tag or file name that say "not yet"."""
    before, behind = _sides(candidate)
    own = set(_TOKEN.findall((project or "").lower()))
    said = {w.lower() for w in _TOKEN.findall(before)} - own
    said |= {w.lower() for w in re.findall(r"(?<![A-Za-z])[A-Za-z]+", behind)}
    return frozenset(said & _AROUND)


def _sides(candidate: Candidate) -> tuple[str, str]:
    if candidate.tag is None or not candidate.version:
        return "", ""
    before, found, behind = candidate.tag.rpartition(candidate.version)
    return (before, behind) if found else ("", "")


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


def _unnamed(version: str, project: str | None) -> str:
    """Without a leading "v", "release-" or the project's own name."""
    if match := _NAMED.match(version):
        return version[match.end() :]
    for name in {project or "", (project or "").rpartition("/")[2]} - {""}:
        rest = version[len(name) :]
        if version.lower().startswith(name.lower()) and rest[:1] in {"-", "_", "/", "@"}:
            rest = rest[1:]
            if re.match(r"[vV]?[0-9]", rest):
                version = rest
                break
    if re.match(r"[vV][-_.]?[0-9]", version) and not words.moving(version):
        return version[1:].lstrip("-_.")
    return version
