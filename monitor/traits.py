"""What a change in what releases say of themselves means.

Pure: what the release before said and what this one says go in, what is worth
telling comes out. What a release does not say changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from monitor.formats.attestations import ATTESTED, NONE, PARTLY
from monitor.model import About, Json, Kind

KIND_OF = {
    About.LICENCE: Kind.LICENCE_CHANGED,
    About.SOURCE: Kind.SOURCE_MOVED,
    About.OWNERS: Kind.MAINTAINER_CHANGED,
    About.UPLOADER: Kind.MAINTAINER_CHANGED,
    About.PROVENANCE: Kind.PROVENANCE_LOST,
    About.SIGNATURE: Kind.PROVENANCE_LOST,
    About.IDENTITY: Kind.IDENTITY_CHANGED,
    About.INSTALL_HOOK: Kind.CHANGED,
}

ALARMS = frozenset((Kind.PROVENANCE_LOST, Kind.IDENTITY_CHANGED))

_RANK = (NONE, PARTLY, ATTESTED)


@dataclass(frozen=True, slots=True)
class Before:
    """What the release before it said of the same: its version and the value."""

    version: str
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """A trait that is not what it was, and why that is told."""

    name: About
    value: str
    before: Before
    reason: str

    @property
    def kind(self) -> Kind:
        return KIND_OF[self.name]

    def payload(self) -> Json:
        """What its event carries."""
        told: Json = {
            "trait": self.name.value,
            "value": self.value,
            "value_before": self.before.value,
            "version_before": self.before.version,
            "reason": self.reason,
        }
        return told | {"alarm": True} if self.kind in ALARMS else told


def compare(
    version: str,
    said: Mapping[About, str],
    before: Mapping[About, Before],
    uploaders: Collection[str] = (),
) -> Iterator[Change]:
    """What `version` says otherwise than the release before it, and what that means.

    `uploaders` are all who ever published a release of the project: only who is
    none of them is new, since several people take turns in many projects.
    """
    for name in About:
        value, last = said.get(name), before.get(name)
        if value is None or last is None:
            continue
        if why := _REASONS[name](version, value, last, uploaders):
            yield Change(name, value, last, why)


# ── one sentence each, or None where nothing is to be told ────────────────────────────


def _provenance(version: str, now: str, last: Before, _: Collection[str]) -> str | None:
    if now not in _RANK or last.value not in _RANK or _RANK.index(now) >= _RANK.index(last.value):
        return None
    said = "is attested in part only" if now == PARTLY else "is not attested"
    return f"{version} {said}, {last.version} was{' in part' if last.value == PARTLY else ''}"


def _signature(version: str, now: str, last: Before, _: Collection[str]) -> str | None:
    if now != "no" or last.value != "yes":
        return None
    return f"no signature lies beside {version}, one lay beside {last.version}"


def _identity(version: str, now: str, last: Before, _: Collection[str]) -> str | None:
    if now == last.value:
        return None
    return f"{version} is attested by {now}, {last.version} by {last.value}"


def _owners(version: str, now: str, last: Before, _: Collection[str]) -> str | None:
    here, there = set(now.split()), set(last.value.split())
    parts = [
        f"{label} {', '.join(sorted(names))}"
        for label, names in (("with", here - there), ("without", there - here))
        if names
    ]
    return f"the maintainers changed since {last.version}: {', '.join(parts)}" if parts else None


def _uploader(version: str, now: str, last: Before, known: Collection[str]) -> str | None:
    if now == last.value or now in known:
        return None
    return f"{version} was published by {now}, who published none before; {last.version} by " + (
        last.value
    )


def _licence(version: str, now: str, last: Before, _: Collection[str]) -> str | None:
    if same_licence(now, last.value):
        return None
    return f"{version} is under {now}, {last.version} was under {last.value}"


def _source(version: str, now: str, last: Before, _: Collection[str]) -> str | None:
    if same_address(now, last.value):
        return None
    return f"{version} names {now} as its source, {last.version} named {last.value}"


def _hook(version: str, now: str, last: Before, _: Collection[str]) -> str | None:
    if now != "yes" or last.value != "no":
        return None
    return f"installing {version} runs code of its own, installing {last.version} did not"


_REASONS = {
    About.LICENCE: _licence,
    About.SOURCE: _source,
    About.OWNERS: _owners,
    About.UPLOADER: _uploader,
    About.PROVENANCE: _provenance,
    About.SIGNATURE: _signature,
    About.IDENTITY: _identity,
    About.INSTALL_HOOK: _hook,
}

# ── what is the same in other words ───────────────────────────────────────────────────

_WORDS = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)*")
_FILLING = frozenset(
    ("the", "a", "license", "licence", "licenses", "version", "osi", "approved", "or", "later",
     "software", "foundation", "gnu", "public", "general", "only")
)  # fmt: skip


def same_licence(one: str, other: str) -> bool:
    """Do two statements mean the same licence, as far as one can tell?

    SPDX expressions are compared as such. Where one of them is free text ("BSD License"), they
    differ only where neither says the other more vaguely: a project that begins to write
    expressions has not changed its licence.
    """
    first, second = spdx(one), spdx(other)
    if first is not None and second is not None:
        return first == second
    here, there = _words(one), _words(other)
    return not here or not there or here <= there or there <= here


def spdx(text: str) -> str | None:
    """A statement as an SPDX expression in one spelling, or None where it is none."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        # Crates' older manifests have a slash where SPDX says OR.
        return str(canonicalize_license_expression(text.replace("/", " OR ")))
    except (InvalidLicenseExpression, ValueError, RecursionError):
        return None


def _words(text: str) -> frozenset[str]:
    plain = re.sub(r"v(?=[0-9])", " ", text.lower())  # "GPLv3"
    found = (word.removesuffix(".0") for word in _WORDS.findall(plain))
    return frozenset(found) - _FILLING


def same_address(one: str, other: str) -> bool:
    """Do two addresses name the same repository?"""
    return _plain(one) == _plain(other)


def _plain(address: str) -> str:
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return address
    path = parts.path.rstrip("/").removesuffix(".git")
    # What forges show of a repository is the repository: its branch, its folders.
    path = re.sub(r"/(?:-/)?(?:tree|blob|src)/.*", "", path)
    return f"{host}{path}".lower()
