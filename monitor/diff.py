"""Compare what we knew of one project with what we see now.

Pure: values in, values out. A version is recognised by its key (equality as
its scheme has it), so another spelling of a known version is an alias and no
news. `None` in a release means "this answer did not say" and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from monitor.model import Kind, Release, State

GONE = frozenset((State.MISSING, State.WITHDRAWN))

_KIND_OF = {
    State.YANKED: Kind.YANKED,
    State.INSECURE: Kind.REVOKED,
    State.REVOKED: Kind.REVOKED,
    State.QUARANTINED: Kind.REVOKED,
    State.LISTED: Kind.RESTORED,
    State.DEPRECATED: Kind.CHANGED,
    State.END_OF_LIFE: Kind.CHANGED,
}


@dataclass(frozen=True, slots=True)
class Known:
    """A version as it is stored. `elsewhere`: another source shows it too."""

    version: str
    key: bytes
    state: State = State.LISTED
    revision: str | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Added:
    """A spelling that is not stored yet. `alias` names the version it is equal to."""

    release: Release
    key: bytes
    alias: str | None = None
    news: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """A stored version of which the upstream now says something else."""

    kind: Kind
    release: Release
    before: Known
    state: State


@dataclass(slots=True)
class Difference:
    """What has to be stored, and what of it is worth telling.

    `seen` are the releases of this answer that were known already.
    """

    added: list[Added] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    seen: list[Release] = field(default_factory=list)

    @property
    def news(self) -> list[Added]:
        return [added for added in self.added if added.news]


def diff(
    known: Mapping[str, Known],
    seen: Iterable[Release],
    *,
    key: Callable[[str], bytes],
    complete: bool = False,
    news: Callable[[Release], bool] = lambda release: True,
) -> Difference:
    """Say what changed between the known and the seen releases of one project.

    `known` is by published spelling. Absence counts only where the answer was
    `complete`, and then in two steps: live, missing, withdrawn. `news` says
    whether a version that is new to us is news, or was there before we came.
    """
    found = Difference()
    first_of = {version.key: version.version for version in known.values()}
    keys_seen: set[bytes] = set()
    for release in once(seen):
        before = known.get(release.version)
        if before is None:
            own = key(release.version)
            keys_seen.add(own)
            alias = first_of.setdefault(own, release.version)
            if alias == release.version:
                found.added.append(Added(release, own, news=news(release)))
            else:
                found.added.append(Added(release, own, alias=alias))
            continue
        keys_seen.add(before.key)
        found.seen.append(release)
        if change := _change(before, release):
            found.changed.append(change)
    if complete:
        found.changed.extend(_absent(known, keys_seen))
    return found


def once(releases: Iterable[Release]) -> Iterable[Release]:
    """One release for each spelling; later mentions add what earlier ones did not say."""
    merged: dict[str, Release] = {}
    for release in releases:
        first = merged.get(release.version)
        merged[release.version] = release if first is None else _merge(first, release)
    return merged.values()


def _merge(first: Release, more: Release) -> Release:
    urls = {file.url for file in first.files}
    return replace(
        first,
        published=first.published or more.published,
        page=first.page or more.page,
        state=first.state or more.state,
        files=first.files + tuple(file for file in more.files if file.url not in urls),
        prerelease=more.prerelease if first.prerelease is None else first.prerelease,
        revision=first.revision or more.revision,
        reason=first.reason or more.reason,
        licence=first.licence or more.licence,
        tag=first.tag or more.tag,
    )


def _change(before: Known, release: Release) -> Changed | None:
    if before.state in GONE:
        state = release.state or State.LISTED
        return Changed(Kind.RESTORED, release, before, state)
    if release.state is not None and release.state is not before.state:
        return Changed(_KIND_OF[release.state], release, before, release.state)
    if release.revision and before.revision and release.revision != before.revision:
        return Changed(Kind.RETAGGED, release, before, before.state)
    return None


def _absent(known: Mapping[str, Known], keys_seen: set[bytes]) -> Iterable[Changed]:
    for before in known.values():
        if before.key in keys_seen or before.elsewhere or before.state is State.WITHDRAWN:
            continue
        release = Release("", before.version)
        if before.state is State.MISSING:
            yield Changed(Kind.WITHDRAWN, release, before, State.WITHDRAWN)
        else:
            yield Changed(Kind.MISSING, release, before, State.MISSING)
