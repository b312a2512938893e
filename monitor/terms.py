"""The closed lists of the vocabulary: states, outcomes, kinds of events, what releases say.

Apart from `monitor.model`, which has all of them too, so that a command which only looks into
the store begins without what the values there are made of.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class State(StrEnum):
    """How a version stands upstream.

    `missing` and `withdrawn` are ours: a complete answer left it out, once or
    confirmed. All others are what the upstream says of it.
    """

    LISTED = "listed"
    YANKED = "yanked"
    DEPRECATED = "deprecated"
    INSECURE = "insecure"
    REVOKED = "revoked"
    END_OF_LIFE = "end-of-life"
    QUARANTINED = "quarantined"
    MISSING = "missing"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """How a visit ended. Only `ok` may change the set of versions."""

    OK = "ok"
    UNCHANGED = "unchanged"
    SUSPECT = "suspect"
    RETRY = "retry"
    THROTTLED = "throttled"
    BLOCKED = "blocked"
    GONE = "gone"
    INVALID = "invalid"
    HOSTILE = "hostile"


class Kind(StrEnum):
    """Kinds of events; `docs/feed-format.md` says what each promises."""

    BASELINE = "baseline"
    RELEASED = "released"
    YANKED = "yanked"
    RESTORED = "restored"
    MISSING = "missing"
    WITHDRAWN = "withdrawn"
    RETAGGED = "retagged"
    CHANGED = "changed"
    HELD = "held"
    ELIGIBLE = "eligible"
    QUEUED = "queued"
    MARKED = "marked"
    UNMARKED = "unmarked"
    REVOKED = "revoked"
    BUILT = "built"
    EXPLORED = "explored"
    FAILED = "failed"
    RETRACTED = "retracted"
    GAP = "gap"
    SUSPECT = "suspect"
    SOURCE_MOVED = "source_moved"
    LICENCE_CHANGED = "licence_changed"
    PROVENANCE_LOST = "provenance_lost"
    IDENTITY_CHANGED = "identity_changed"
    MAINTAINER_CHANGED = "maintainer_changed"
    LATEST_CHANGED = "latest_changed"
    EPOCH_PROPOSED = "epoch_proposed"
    BURST = "burst"
    RESET = "reset"
    STALLED = "stalled"
    RECREATED = "recreated"
    LOOKALIKE = "lookalike"


class About(StrEnum):
    """What a release says of itself, or its registry of it, and that should not change silently.

    licence       an SPDX expression where the upstream gives one, else its words
    source        address of the source repository
    owners        who may publish the project, in order, with a space between
    uploader      who published this release
    provenance    whether it is attested where it was made: "attested", "partly" or "none"
    signature     whether a signature lies beside its archive: "yes" or "no"
    identity      who attests it: "GitHub repository=owner/name workflow=release.yml"
    install_hook  whether installing it runs code of its own: "yes" or "no"
    """

    LICENCE = "licence"
    SOURCE = "source"
    OWNERS = "owners"
    UPLOADER = "uploader"
    PROVENANCE = "provenance"
    SIGNATURE = "signature"
    IDENTITY = "identity"
    INSTALL_HOOK = "install_hook"
