"""Short ways to say what is judged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from monitor.judge import Candidate, Verdict, judge, newest
from monitor.rules import Rules


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def dated(**published: str) -> list[Candidate]:
    """Versions with the day they were published; `_` in a keyword stands for "."."""
    return [
        Candidate(v.lstrip("v").replace("_", "."), published=day(d)) for v, d in published.items()
    ]


def judged(*versions: str | Candidate, scheme: str = "generic", **rest: Any) -> list[Verdict]:
    """Verdicts on versions, given as text or as candidates; other keywords are rules."""
    project = rest.pop("project", None)
    candidates = [v if isinstance(v, Candidate) else Candidate(v) for v in versions]
    return judge(candidates, scheme=scheme, rules=Rules(**rest), project=project)


def by_version(verdicts: list[Verdict]) -> dict[str, Verdict]:
    return {verdict.candidate.spelling: verdict for verdict in verdicts}


def stable(verdicts: list[Verdict]) -> str | None:
    found = newest(verdicts).stable
    return found.version if found else None


def prerelease(verdicts: list[Verdict]) -> str | None:
    found = newest(verdicts).prerelease
    return found.version if found else None
