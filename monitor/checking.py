"""Ask upstreams for one project's versions now, and judge them. Nothing is stored."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitor.errors import FetchError, MonitorError, ReadError, UsageError
from monitor.judge import Candidate, Newest, Verdict, judge, key_function, newest
from monitor.model import Outcome, Partial, Release, Request, State
from monitor.protocols import Reader, Transport
from monitor.rules import Rules
from monitor.sources import Source
from spiders.walk import walk


@dataclass(slots=True)
class Checked:
    """What an upstream said of a project, and what follows from it.

    `problem` is why it said nothing: FetchError and ReadError where the upstream
    failed, UsageError where it knows no such project. `partial` says why not all
    versions were told, where that is so.
    """

    source: Source
    project: str
    verdicts: list[Verdict] = field(default_factory=list)
    newest: Newest = field(default_factory=Newest)
    releases: dict[str, Release] = field(default_factory=dict)
    problem: MonitorError | None = None
    at: int = 0
    partial: str | None = None
    rules: Rules = field(default_factory=Rules)

    @property
    def purl(self) -> str:
        return self.source.purl(self.project)

    @property
    def scheme(self) -> str:
        """The scheme that its versions are compared by."""
        return self.rules.scheme or self.source.provider.ordering

    def newer_than(self, current: str) -> Verdict | None:
        """What there is for somebody who has `current`; None where that is as new.

        Whoever has a pre-release is told of newer ones, everyone else of stable versions only,
        unless there are no others.
        """
        best, before = self.newest.stable, self.newest.prerelease
        own = next((one for one in self.verdicts if one.candidate.version == current), None)
        if own is not None:
            key, stable = own.key, own.stable
        else:
            judged = judge(
                [Candidate(current)], scheme=self.scheme, rules=self.rules, project=self.project
            )
            key, stable = judged[0].key, judged[0].stable
            spelling = key_function(self.scheme, self.rules, self.project)(current)
            for one in self.verdicts:  # the same version in another spelling
                if one.key[1:] == spelling:
                    key, stable = one.key, one.stable
                    break
        if best is not None and best.key > key:
            return best
        if before is not None and before.key > key and (best is None or not stable):
            return before
        return None


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
    found.rules = (rules or Rules()).over(source.rules)
    try:
        found.releases = await _releases(source, project, transport, found)
    except FetchError as error:
        found.problem = _helped(source, project, error)
        return found
    except (ReadError, UsageError) as error:
        found.problem = error
        return found
    found.verdicts = judge(
        [candidate_of(release) for release in found.releases.values()],
        scheme=found.scheme,
        rules=found.rules,
        project=project,
    )
    found.newest = newest(found.verdicts)
    return found


def _helped(source: Source, project: str, error: FetchError) -> MonitorError:
    """The error as whoever asked can use it.

    A project that is not there is no failure of its upstream: the question was wrong.
    """
    if error.outcome is Outcome.THROTTLED and error.remedy is None:
        after = (
            f"try again in {error.retry_after:.0f} s" if error.retry_after else "try again later"
        )
        name = source.provider.credential
        more = f"; a token raises the quota: [network.credentials.{name}]" if name else ""
        error.remedy = after + more
    if error.outcome is not Outcome.GONE:
        return error
    return UsageError(
        f"{source.name}/{project}",
        f"{source.name} knows no such project",
        f"asked {error.where}: {error.what}",
    )


async def _releases(
    source: Source, project: str, transport: Transport, found: Checked
) -> dict[str, Release]:
    """By published spelling. Without a versions mechanism, the index is read for that project."""
    from monitor.diff import once

    provider = source.provider
    request, read = question(source, project)
    wanted = provider.normalise(project)
    releases, others = [], set()
    async for finding in walk(request, read, transport):
        match finding:
            case Release() if provider.versions or provider.normalise(finding.project) == wanted:
                releases.append(finding)
            case Partial(reason):
                found.partial = reason
            case Release():
                others.add(provider.normalise(finding.project))
            case _:
                pass
    if provider.versions is None and not releases:
        raise _absent(source, project, others)
    return once(releases)


def question(source: Source, project: str) -> tuple[Request, Reader]:
    """What to ask for that project's versions, and how the answer is read.

    Raises UsageError for a name that cannot be one there.
    """
    provider = source.provider
    if provider.versions is None:
        assert provider.index is not None
        return provider.index.all(), provider.index.read
    try:
        return provider.versions.of(project), provider.versions.read
    except ValueError as error:
        raise UsageError(
            f"{source.name}/{project}", str(error), "write the name as its upstream does"
        ) from error


def _absent(source: Source, project: str, others: set[str]) -> UsageError:
    from difflib import get_close_matches

    near = get_close_matches(source.provider.normalise(project), sorted(others), 5)
    remedy = f"perhaps {', '.join(near)}" if near else f"it shows {len(others)} other projects"
    return UsageError(f"{source.name}/{project}", f"{source.name} shows no such project", remedy)


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
    return max(
        checked,
        key=lambda one: (
            one.problem is None,
            isinstance(one.problem, FetchError | ReadError),
            len(one.verdicts),
        ),
    )


def published(checked: Checked, verdict: Verdict | None) -> datetime | None:
    """When that version was published, as far as the upstream says."""
    if verdict is None:
        return None
    return checked.releases[verdict.candidate.version].published
