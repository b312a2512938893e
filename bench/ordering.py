"""Sorting versions: our keys against `packaging` for PEP 440 and against univers elsewhere.

Both sides sort distinct texts from scratch, in turns; times are of this process's processor, the
best of three rounds, or of fewer where three take over 1.5 seconds. What the other
side cannot read is left out for both. Univers sorts a tenth of the list, since the whole takes it
up to half a minute; its time is multiplied by ten, which favours it, since sorting grows faster.
Our orders are also compared with theirs, so that a wrong answer does not pass for a fast one:
`agree` is the share of neighbours in their order that ours puts the same way.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from monitor.ordering import key_function

COUNT = 100_000
TENTH = 10
ROUNDS = 3
PATIENCE = 1.5  # seconds for the rounds of one scheme

# What stands behind the numbers in this scheme, most often nothing.
_ENDS = {
    "pep440": ["rc{}", "b{}", "a{}", ".post{}", ".dev{}", "+cu{}", ".post{}.dev1"],
    "semver": ["-alpha.{}", "-beta.{}", "-rc.{}", "-{}", "-next.{}", "+build.{}"],
    "gem": [".rc{}", ".beta{}", ".pre.{}", ".alpha.{}", ".dev"],
    "maven": ["-alpha-{}", "-beta-{}", "-rc{}", "-SNAPSHOT", ".Final", ".RELEASE", "-M{}"],
    "debian": ["-{}", "-{}+deb12u1", "~rc{}-1", "+dfsg-{}", "-{}ubuntu2"],
    "rpm": ["-{}", "-{}.fc40", "~rc{}-1", "-{}.el9", "^git{}-1"],
    "composer": ["-beta{}", "-RC{}", "-alpha{}", "-p{}", "-dev"],
    "alpine": ["-r{}", "_alpha{}", "_rc{}", "_p{}", "_git{}-r1"],
    "go": ["-rc.{}", "-beta.{}", "-0.20240101{:06}-0123456789ab"],
    "nuget": ["-preview.{}", "-beta{}", "-rc.{}"],
    "generic": ["rc{}", "-beta{}", "p{}", "a", "-{}"],
}
_UNIVERS = {
    "semver": "SemverVersion",
    "gem": "RubygemsVersion",
    "maven": "MavenVersion",
    "debian": "DebianVersion",
    "rpm": "RpmVersion",
    "composer": "ComposerVersion",
    "alpine": "AlpineLinuxVersion",
    "go": "GolangVersion",
    "nuget": "NugetVersion",
    "generic": "GenericVersion",
}


def versions(scheme: str, count: int) -> list[str]:
    """Distinct versions as projects make them, shuffled: one in four is more than numbers."""
    chance = random.Random(scheme)
    made: set[str] = set()
    while len(made) < count:
        size = 3 if scheme in ("semver", "go") else chance.choice((2, 3, 3, 3, 4))
        reach = chance.choice((3, 12, 40))
        numbers = [chance.randrange(reach) for _ in range(size)]
        if chance.random() < 0.03:
            numbers[0] = chance.randrange(2000, 2030)
        version = ("v" if scheme == "go" else "") + ".".join(map(str, numbers))
        if chance.random() < 0.25 or len(made) > 0.9 * count:
            version += chance.choice(_ENDS[scheme]).format(chance.randrange(300))
        made.add(version)
    listed = sorted(made)
    chance.shuffle(listed)
    return listed


def run(count: int = COUNT, rounds: int = ROUNDS) -> Iterator[dict[str, Any]]:
    """One row for each scheme: seconds of ours and of the other, and their ratio."""
    from packaging.version import Version

    yield _row("pep440", Version, "packaging", 1.2, count, rounds, 1)
    from univers import versions as univers

    for scheme, name in _UNIVERS.items():
        yield _row(scheme, getattr(univers, name), "univers", 0.25, count, rounds, TENTH)


def _row(
    scheme: str,
    other: Callable[[str], Any],
    name: str,
    goal: float,
    count: int,
    rounds: int,
    share: int,
) -> dict[str, Any]:
    listed = versions(scheme, count)
    part = [version for version in listed[: count // share] if _reads(other, version)]
    key = key_function(scheme)
    ours: list[float] = []
    theirs: list[float] = []
    by_them: list[str] = []
    while len(ours) < rounds and _fits(ours + theirs, len(ours)):
        ours.append(_seconds(lambda: sorted(listed, key=key))[0])
        spent, by_them = _seconds(lambda: sorted(part, key=other))
        theirs.append(spent)
    scale = len(listed) / len(part)
    agree = sum(key(a) <= key(b) for a, b in pairwise(by_them)) / (len(by_them) - 1)
    ratio = min(ours) / (scale * min(theirs))
    return {
        "name": f"ordering: sort {len(listed):,} versions, {scheme}",
        "ours": round(min(ours), 4),
        "other": round(scale * min(theirs), 4),
        "what": name,
        "unit": "s",
        "ratio": round(ratio, 4),
        "goal": goal,
        "holds": ratio <= goal,
        "agree": round(agree, 4),
    }


def _fits(spent: list[float], rounds: int) -> bool:
    """Whether one more round like those so far would end in time; the first one always does."""
    return not rounds or sum(spent) * (rounds + 1) / rounds < PATIENCE


def _reads(other: Callable[[str], Any], version: str) -> bool:
    try:
        other(version)
    except ValueError:
        return False
    return True


def _seconds(work: Callable[[], list[str]]) -> tuple[float, list[str]]:
    gc.collect()
    begun = time.process_time()
    done = work()
    return time.process_time() - begun, done


if __name__ == "__main__":
    import json

    for row in run():
        print(json.dumps(row))
