"""Compare what we knew of one project with what we see now.

Pure: values in, values out. A version is recognised by its key (equality as
its scheme has it), so another spelling of a known version is an alias and no
news. `None` in a release means "this answer did not say" and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

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

# Where sources disagree, the later in this list is believed.
_CAUTION = (
    State.LISTED,
    State.DEPRECATED,
    State.END_OF_LIFE,
    State.YANKED,
    State.INSECURE,
    State.REVOKED,
    State.QUARANTINED,
)


class Known(msgspec.Struct, frozen=True, gc=False):
    """A version as it is stored.

    `alias`      it is another spelling of a version that is stored as well
    `elsewhere`  what other sources that show it say of it; None: none of them does
    """

    version: str
    key: bytes
    state: State = State.LISTED
    revision: str | None = None
    alias: bool = False
    elsewhere: State | None = None


class Added(msgspec.Struct, frozen=True, gc=False):
    """A spelling that is not stored yet. `alias` names the version it is equal to."""

    release: Release
    key: bytes
    alias: str | None = None
    news: bool = False


class Changed(msgspec.Struct, frozen=True, gc=False):
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

    @property
    def dropped(self) -> list[str]:
        """Versions that were live and that this answer leaves out."""
        return [one.before.version for one in self.changed if one.kind is Kind.MISSING]


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
    first = {one.key: one.version for one in known.values() if not one.alias}
    present: set[bytes] = set()
    releases = once(seen)
    for release in releases.values():
        before = known.get(release.version)
        if before is None:
            own = key(release.version)
            present.add(own)
            alias = first.setdefault(own, release.version)
            if alias == release.version:
                found.added.append(Added(release, own, news=news(release)))
                continue
            found.added.append(Added(release, own, alias=alias))
        else:
            present.add(before.key)
            found.seen.append(release)
            alias = first.get(before.key, release.version) if before.alias else release.version
        # An alias speaks for its version where that one says nothing itself.
        speaks = alias == release.version or alias not in releases
        if speaks and (before := known.get(alias)):
            found.changed.extend(_changes(before, release))
    if complete:
        found.changed.extend(_absent(known, present))
    return found


def once(releases: Iterable[Release]) -> dict[str, Release]:
    """One release for each spelling; later mentions add what earlier ones did not say."""
    merged: dict[str, Release] = {}
    for release in releases:
        first = merged.get(release.version)
        merged[release.version] = release if first is None else _merge(first, release)
    return merged


def most_cautious(states: Iterable[State]) -> State:
    """What is believed where sources disagree. States that are ours (gone) do not count."""
    return max((s for s in states if s not in GONE), key=_CAUTION.index, default=State.LISTED)


def _merge(first: Release, more: Release) -> Release:
    urls = {file.url for file in first.files}
    return msgspec.structs.replace(
        first,
        published=first.published or more.published,
        page=first.page or more.page,
        state=first.state or more.state,
        files=first.files + tuple(file for file in more.files if file.url not in urls),
        prerelease=more.prerelease if first.prerelease is None else first.prerelease,
        revision=first.revision or more.revision,
        reason=first.reason or more.reason,
        tag=first.tag or more.tag,
    )


def _changes(before: Known, release: Release) -> Iterator[Changed]:
    state = _state(before, release.state)
    if state is not before.state:
        kind = Kind.RESTORED if before.state in GONE else _KIND_OF[state]
        yield Changed(kind, release, before, state)
    if release.revision and before.revision and release.revision != before.revision:
        yield Changed(Kind.RETAGGED, release, before, state)


def _state(before: Known, said: State | None) -> State:
    if said is None:
        return before.elsewhere or State.LISTED if before.state in GONE else before.state
    return said if before.elsewhere is None else most_cautious((said, before.elsewhere))


def _absent(known: Mapping[str, Known], present: set[bytes]) -> Iterator[Changed]:
    for before in known.values():
        if before.alias or before.key in present or before.elsewhere is not None:
            continue
        release = Release("", before.version)
        if before.state is State.MISSING:
            yield Changed(Kind.WITHDRAWN, release, before, State.WITHDRAWN)
        elif before.state is not State.WITHDRAWN:
            yield Changed(Kind.MISSING, release, before, State.MISSING)
