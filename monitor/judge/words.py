"""What the words in a version say: not yet a release, a release after all, or no version."""

from __future__ import annotations

import re
from typing import Final

UNFINISHED: Final = frozenset(
    """
    alfa alpha beta gamma rc cr pre prealpha prebeta prerelease prever preview dev devel develop
    development snap snapshot snapshots nightly daily weekly canary edge unstable testing test
    tests experimental experiment ea eap insider insiders milestone candidate trial draft wip ctp
    poc demo trunk tip unreleased next broken init start git svn hg bzr cvs
    """.split()  # noqa: SIM905
)
"""Words by which upstreams say "not yet", wherever they stand in a version."""

_REPOSITORIES: Final = frozenset({"git", "svn", "hg", "bzr", "cvs"})

_NUMBERED: Final = frozenset({"a", "b", "m"})
"""Say so only right before a number: 1.1.1a is a fix of OpenSSL's, 1.0a1 an alpha."""

FINISHED: Final = frozenset(
    """
    final ga gold release released rel stable lts esr post p pl patch patchlevel sp sr sec
    hotfix fix bugfix errata update u upd r rev revision incubating incubator
    """.split()  # noqa: SIM905
)
"""Words that look like a pre-release and are none (fault C06)."""

MOVING: Final = frozenset(
    """
    latest stable nightly trunk master main default develop devel development dev head tip edge
    canary current snapshot snapshots unstable testing experimental next rolling weekly daily
    continuous ci wip tmp temp backup old new production prod staging deploy deployment
    """.split()  # noqa: SIM905
)
"""Names of what moves: branches, channels, "the newest build"."""

_BRANCH_FOLDERS: Final = frozenset(
    """
    feature features fix bugfix hotfix pull pr merge merges branch branches heads wip backup refs
    user users dependabot renovate revert
    """.split()  # noqa: SIM905
)

_BRANCHES: Final = frozenset({"branch", "branches", "branchpoint", "basepoint", "basepoints"})

_WORD = re.compile(r"[A-Za-z]+")
_COMMIT = re.compile(r"(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,64}").fullmatch
_NOT_COMMIT = re.compile(r"[0-9]+[a-f](?:[0-9]{1,3})?").fullmatch  # 20240101a, 20240101b2
_OPEN_SERIES = re.compile(
    r"(?:.*[^0-9A-Za-z])?[vV]?[0-9]+(?:[._][0-9]+)*[._][xX](?:[-._]?[A-Za-z]+)?"
).fullmatch
_AFTER_MOVING = re.compile(
    r"[0-9a-f]{7,64}|[rR]?[0-9]+|(?:19|20)[0-9]{2}[-._]?[0-9]{2}[-._]?[0-9]{2}(?:[-._T][0-9]+)*"
).fullmatch
_MAVEN_SNAPSHOT = re.compile(r"-(?:SNAPSHOT|[0-9]{8}\.[0-9]{6}-[0-9]+)$").search
_DESCRIBED = re.compile(r"-[0-9]+-g[0-9a-f]{7,}(?:-dirty)?$").search


def unfinished(text: str, *, snapshots: bool = True) -> str | None:
    """The word by which this version says that it is not, or not quite, a release.

    With `snapshots` also where it says which revision of a repository it is.
    """
    for match in _WORD.finditer(text):
        word, end = match[0].lower(), match.end()
        before, numbered = text[match.start() - 1 : match.start()], text[end : end + 1].isdigit()
        if word in UNFINISHED:
            if word in _REPOSITORIES and not snapshots:
                continue
            return match[0]
        if word in _NUMBERED and numbered and before not in {"", "+"}:
            # "b8117" is a build, "+b1" a rebuild of Debian's, and 8m2 no milestone as 2.0-M3 is.
            if word == "m" and before not in {".", "-", "_", "~"}:
                continue
            return match[0] + "…"
        if word.startswith(("alpha", "beta")) or (word.startswith("rc") and numbered):
            return match[0]
    if snapshots and _DESCRIBED(text):
        return "git describe"
    return None


def only_finished(text: str) -> bool:
    """There are words, and all of them say that this is a release."""
    words = _WORD.findall(text)
    return bool(words) and all(word.lower() in FINISHED for word in words)


def moving(text: str) -> str | None:
    """Why this names something that moves (a branch, a channel, a commit), or None."""
    if not any("0" <= c <= "9" for c in text):
        return "there is no number in it"
    words = re.split(r"[-_./ ]+", text.lower())
    if _COMMIT(text) and not _NOT_COMMIT(text):
        return "it is a commit"
    if _OPEN_SERIES(text):
        return "it names a series, not a version of it"
    if _MAVEN_SNAPSHOT(text):
        return "a snapshot changes without notice"
    if "/" in text and words[0] in _BRANCH_FOLDERS:
        return f'"{words[0]}/" holds branches'
    if words[0] == "dev" and len(words) > 1 and not words[1][:1].isdigit():
        return "it is a branch"
    head = re.match(r"[A-Za-z]+", text)
    if head and head[0].lower() in MOVING and head[0].lower() != "stable":
        rest = text[head.end() :].lstrip("-_./ ")
        if _AFTER_MOVING(rest):
            return f'"{head[0]}" moves'
    if named := next((word for word in words if word in _BRANCHES), None):
        return f'"{named}" names a branch'
    if words[-1] in {"maintenance", "head", "master", "latest"}:
        return f'"{words[-1]}" names a branch'
    return None
