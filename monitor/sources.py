"""A source: a provider with the settings of one installation.

Pure: knows which questions there are and how projects are named, asks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from monitor.protocols import Provider
from monitor.rules import Rules

_PLAIN = re.compile(r"[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)*").fullmatch

# Types whose purl is the name as it is, once the provider has normalised it.
_AS_IS = frozenset(("pypi", "cargo", "generic", "gem", "hackage", "cran", "maven"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`follow` is "all" (every project that changes is asked) or "watched".

    `poll` and `walk` are seconds between feed and index visits, `fresh` how
    old the source's news may become. `shortest` and `longest` bound the
    distance between two visits of one project that nothing announces.
    `traits` says whether new releases are asked what they say of themselves.
    """

    name: str
    provider: Provider
    follow: str = "watched"
    poll: int = 600
    walk: int = 86400
    fresh: int = 7200
    shortest: int = 3600
    longest: int = 604800
    namespace: str | None = None
    rules: Rules = field(default_factory=Rules)
    traits: bool = True
    priority: int = 0
    exclusive: bool = False
    id: int = 0

    def purl(self, project: str) -> str:
        """The purl of a project of this source, without version."""
        return purl_of(self._base, self.provider.normalise(project))

    def namer(self) -> Callable[[str], str]:
        """The same as a function of its own, for loops over a whole index."""
        base, normalise = self._base, self.provider.normalise
        if base.partition("/")[0] not in _AS_IS - {"maven"}:
            return self.purl
        start = f"pkg:{base}/"

        def purl(project: str) -> str:
            name = normalise(project)
            return start + name if _PLAIN(name) else purl_of(base, name)

        return purl

    @property
    def _base(self) -> str:
        base = self.namespace or self.provider.purl
        return f"generic/{self.name}" if base == "generic" else base

    @property
    def scheme(self) -> str:
        """The scheme by which versions of its projects compare."""
        return self.rules.scheme or self.provider.ordering

    @property
    def tells_traits(self) -> bool:
        """Are new releases asked what they say of themselves?"""
        return self.traits and self.provider.traits is not None

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The questions that this source as a whole is asked.

        Who follows only what is watched asks for single projects, where the provider can, and
        leaves an index of everything alone.
        """
        found = [name for name in ("feed", "index") if getattr(self.provider, name)]
        if self.follow == "watched" and self.provider.versions is not None:
            found = [name for name in found if name != "index"]
        return tuple(found)

    def every(self, mechanism: str) -> int:
        return self.poll if mechanism == "feed" else self.walk


@lru_cache(maxsize=4096)
def purl_of(base: str, name: str) -> str:
    """`base` is a purl type, perhaps with a namespace ("generic/gnu").

    Of a name that is an address the scheme is left out; Maven's
    "group:artifact" becomes "group/artifact".
    """
    name = name.partition("://")[2] or name
    kind = base.partition("/")[0]
    if kind == "maven":
        name = name.replace(":", "/", 1)
    if kind in _AS_IS and _PLAIN(name):
        return f"pkg:{base}/{name}"
    from packageurl import PackageURL

    namespace, _, last = f"{base.partition('/')[2]}/{name}".strip("/").rpartition("/")
    return str(PackageURL(kind, namespace or None, last).to_string())


def project_of(purl: str) -> str:
    """The name in a purl, with its namespace: "owner/name" for forges."""
    _, _, rest = purl.partition("/")
    if rest and _PLAIN(rest):
        return rest
    from packageurl import PackageURL

    found = PackageURL.from_string(purl)
    return f"{found.namespace}/{found.name}" if found.namespace else str(found.name)


Wanted = Callable[[str], bool]
"""Does somebody watch or build this purl? Then its files are kept too."""
