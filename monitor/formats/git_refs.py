"""The output of `git ls-remote --tags`.

    74a07a03c1c8…  refs/tags/v1.0
    ed71d0f4dd19…  refs/tags/v1.0^{}

The second line gives the commit that an annotated tag points to. Names follow
`git check-ref-format`; others are dead letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.errors import FetchError
from monitor.formats.text import address_of, unread
from monitor.model import Outcome, Reply, Unread

MOST = 500_000  # refs of one repository

_LINE = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})[\t ]+(\S[^\t]*)")
_BAD_NAME = re.compile(
    r"[\x00-\x20\x7f-\xa0\ud800-\udfff~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|\Z)|[/.]\Z|\A[/.-]"
)


def tags(reply: Reply) -> Iterator[tuple[str, str] | Unread]:
    """Each tag with the id of its commit (or of what else it points to).

    A repository without tags has none. Raises ValueError for what is no list of
    refs, FetchError with the outcome `hostile` for more than `MOST` of them.
    """
    found: dict[str, str] = {}
    strange: list[Unread] = []
    reply.body.seek(0)
    for number, data in enumerate(reply.body):
        if number >= MOST:
            raise FetchError(address_of(reply), f"more than {MOST} refs", outcome=Outcome.HOSTILE)
        line = data.decode("utf-8", "surrogateescape").rstrip("\r\n")
        match = _LINE.fullmatch(line)
        if not match:
            if not found and not strange and number == 0:
                raise ValueError(f"not a list of refs: {line[:80]!r}")
            strange.append(unread(line, "not a ref"))
        elif match[2].startswith("refs/tags/"):
            name = match[2].removeprefix("refs/tags/")
            if _BAD_NAME.search(name.removesuffix("^{}")):
                strange.append(unread(name, "not a name that git allows"))
            elif name.endswith("^{}"):
                found[name.removesuffix("^{}")] = match[1]
            else:
                found.setdefault(name, match[1])
    yield from found.items()
    yield from strange
