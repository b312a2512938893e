"""Who attests a file: what registries say of the identity behind an attestation.

PEP 740 and crates.io describe a publisher as an object: `kind` or `provider`
and what names it there, such as `repository` and `workflow`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

ATTESTED, PARTLY, NONE = "attested", "partly", "none"

# Not whose it is, but which run of theirs; and an environment is a setting of the same publisher.
_PASSING = frozenset(("claims", "environment", "run_id", "sha", "ref"))


def attested(files: Collection[bool]) -> str | None:
    """The value of `provenance` where of each file is known whether it is attested."""
    if not files:
        return None
    return ATTESTED if all(files) else PARTLY if any(files) else NONE


def identity(publisher: Mapping[str, Any]) -> str:
    """A publisher as one line: "GitHub repository=owner/name workflow=release.yml"."""
    kind = publisher.get("kind") or publisher.get("provider") or "unknown"
    parts = [
        f"{key}={value}"
        for key, value in sorted(publisher.items())
        if key not in _PASSING and key not in ("kind", "provider") and isinstance(value, str | int)
    ]
    return " ".join([str(kind), *parts])
