"""Tags of a repository become versions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from monitor.formats.archive_names import split_tag

SURE = 0.5  # of a split; below it nobody should act on it


def versions(tags: Iterable[str], project: str) -> dict[str, str]:
    """The tags that name a version of the project, each with that version.

    `nightly` and `latest` name none. Where one repository holds several products
    (`core-1.2`, `docs-2.0` beside `v1.2`), the tags without a name and those with
    the project's are its own; where there are none of these, those with the most
    common name are.
    """
    splits = [split_tag(tag, project=project) for tag in tags]
    sure = [split for split in splits if split.version and split.confidence >= SURE]
    known = _folded(project)
    own = {known, *known.split("-")}
    names = Counter(_folded(split.name or project) for split in sure)
    if names and own.isdisjoint(names):
        own = {names.most_common(1)[0][0]}
    return {
        split.input: split.version
        for split in sure
        if split.version and _folded(split.name or project) in own
    }


def _folded(name: str) -> str:
    return re.sub(r"[-_./ @]+", "-", name).strip("-").lower()
