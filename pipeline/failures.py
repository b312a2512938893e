"""Why a build failed, in one word, read from what the build said.

Only a help for people and reports: a build may print what it likes, so nothing is
decided by it but whether trying again can help.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Failure(StrEnum):
    """Classes of failure; `docs/queue-format.md` says what each asks of whom."""

    RESOLVE = "resolve"  # a dependency cannot be had, or not for this Python
    DOWNLOAD = "download"  # a server did not answer, or refused
    DIGEST = "digest"  # the bytes are not those that the recipe pins
    BUILD = "build"  # the artefact cannot be built or unpacked
    IMPORT = "import"  # it is installed, and does not import
    TIMEOUT = "timeout"
    RESOURCES = "resources"  # memory, disk or processes ran out
    INFRASTRUCTURE = "infrastructure"  # the worker's own machine; the release is not to blame

    @property
    def passing(self) -> bool:
        """Whether the same recipe may well succeed later or elsewhere."""
        return self in {
            Failure.DOWNLOAD,
            Failure.TIMEOUT,
            Failure.RESOURCES,
            Failure.INFRASTRUCTURE,
        }


_OURS = re.compile(r"^release-monitor: (download|digest|build|resources): ", re.MULTILINE)

# In this order: a mismatch is told after a download, a failed resolution after both.
_SIGNS: tuple[tuple[Failure, str], ...] = (
    (Failure.DIGEST, r"DO NOT MATCH THE HASHES|Expected sha\d+ [0-9a-f]|HashMismatch"),
    (
        Failure.RESOURCES,
        r"No space left on device|Cannot allocate memory|MemoryError|Disk quota exceeded"
        r"|Resource temporarily unavailable|exit (?:status|code):? 137|signal: killed",
    ),
    (
        Failure.INFRASTRUCTURE,
        r"image not known|unable to copy from source|error pinging container registry|pull access"
        r"|initializing source docker://|did not resolve to an alias|manifest unknown"
        r"|error creating (?:build|overlay)|storage-driver|executable file .* not found in"
        r"|python3[\"']?: (?:executable file )?not found"
        r"|connect to the Docker daemon|[Uu]nable to connect to Podman",
    ),
    (
        Failure.DOWNLOAD,
        r"HTTP error \d|\b(?:4\d\d|5\d\d) (?:Client|Server) Error|Connection ?(?:refused|reset)"
        r"|Connection broken|Max retries exceeded|Temporary failure in name resolution"
        r"|Name or service not known|CERTIFICATE_VERIFY_FAILED|Read timed out|ReadTimeoutError"
        r"|NewConnectionError|IncompleteRead",
    ),
    (
        Failure.RESOLVE,
        r"No matching distribution found|ResolutionImpossible|Could not find a version"
        r"|requires a different Python|is not a supported wheel on this platform"
        r"|upload-time metadata|conflicting dependencies|inconsistent (?:name|version)",
    ),
)
_COMPILED = [(failure, re.compile(pattern)) for failure, pattern in _SIGNS]


def of_build(log: str) -> Failure:
    """The class of a failed build from its log; the end of it counts."""
    end = log[-65_536:]
    if found := _OURS.findall(end):
        return Failure(found[-1])
    return next((failure for failure, sign in _COMPILED if sign.search(end)), Failure.BUILD)
