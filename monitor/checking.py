"""Ask upstreams for one project's versions now, and judge them. Nothing is stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitor.errors import FetchError, ReadError, UsageError
from monitor.judge import Candidate, Newest, Verdict, judge, newest
from monitor.model import Cursor, Mention, Partial, Release, State, Unread
from monitor.protocols import Transport
from monitor.rules import Rules
from monitor.sources import Source
from spiders.walk import walk


@dataclass(slots=True)
class Checked:
    """What an upstream said of a project, and what follows from it."""

    source: Source
    project: str
    verdicts: list[Verdict] = field(default_factory=list)
    newest: Newest = field(default_factory=Newest)
    releases: dict[str, Release] = field(default_factory=dict)
    problem: FetchError | ReadError | None = None
    at: int = 0
    partial: str | None = None

    @property
    def purl(self) -> str:
        return self.source.purl(self.project)


async def check(
    source: Source, project: str, transport: Transport, *, rules: Rules | None = None
) -> Checked:
    """Ask one source for one project. An upstream's failure is in the answer, not raised.

    Raises UsageError where the source cannot be asked for a project.
    """
    mechanism = source.provider.versions
    if mechanism is None and source.provider.index is None:
        raise UsageError(
            source.name,
            f"its provider {source.provider.name} cannot be asked for one project",
            "`monitor providers` shows what each can answer",
        )
    found = Checked(source, project, at=int(time.time()))
    try:
        found.releases = await _releases(source, project, transport, found)
    except (FetchError, ReadError) as error:
        found.problem = error
        return found
    rules = (rules or Rules()).over(source.rules)
    found.verdicts = judge(
        [candidate_of(release) for release in found.releases.values()],
        scheme=rules.scheme or source.provider.ordering,
        rules=rules,
        project=project,
    )
    found.newest = newest(found.verdicts)
    return found


async def _releases(
    source: Source, project: str, transport: Transport, found: Checked
) -> dict[str, Release]:
    """By published spelling. Without a versions mechanism, the index is read for that project."""
    from monitor.diff import once

    provider = source.provider
    if provider.versions is not None:
        request, read = provider.versions.of(project), provider.versions.read
    else:
        assert provider.index is not None
        request, read = provider.index.all(), provider.index.read
    wanted = provider.normalise(project)
    releases = []
    async for finding in walk(request, read, transport):
        match finding:
            case Release() if provider.versions or provider.normalise(finding.project) == wanted:
                releases.append(finding)
            case Partial(reason):
                found.partial = reason
            case Mention() | Cursor() | Unread() | Release():
                pass
    return {release.version: release for release in once(releases)}


def candidate_of(release: Release) -> Candidate:
    """A release as the judge looks at it."""
    return Candidate(
        release.version,
        tag=release.tag,
        published=release.published,
        prerelease=release.prerelease,
        state=release.state or State.LISTED,
    )


def first_answer(checked: Sequence[Checked]) -> Checked:
    """Of several sources that were asked the same, the one that knows most."""
    return max(checked, key=lambda one: (one.problem is None, len(one.verdicts)))


def published(checked: Checked, verdict: Verdict | None) -> datetime | None:
    """When that version was published, as far as the upstream says."""
    if verdict is None:
        return None
    return checked.releases[verdict.candidate.version].published
