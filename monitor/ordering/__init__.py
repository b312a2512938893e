"""How versions compare, scheme by scheme.

Every order is total and is given by a key of bytes: comparing two keys as
bytes (as SQLite does with BLOBs) compares the versions, and equal keys are the
scheme's own equality. No text raises: what a scheme cannot read gets a key
that begins with 0x00 and sorts below everything it can, and `unreadable` says
why. A scheme is a module beside this one and is loaded when first asked for.

    sort_key("pep440", "1.0rc1") < sort_key("pep440", "1.0")
    sort_key("pep440", "1.0") == sort_key("pep440", "1.0.0")
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

from monitor.errors import UsageError

from .encoding import Unreadable, flaw, printable, raw_key

__all__ = [
    "canonical",
    "compare",
    "is_prerelease",
    "key_function",
    "schemes",
    "sort_key",
    "unreadable",
]

Key = Callable[[str], bytes]

_SCHEMES = (
    "pep440",
    "semver",
    "gem",
    "maven",
    "debian",
    "rpm",
    "pvp",
    "cpan",
    "r",
    "composer",
    "alpine",
    "go",
    "nuget",
    "calver",
    "kernel",
    "drupal",
    "gnome",
    "generic",
)


class _Scheme(Protocol):
    """What a module of a scheme offers. It is only given printable ASCII of at most 256 characters.

    `key`            the key; raises `Unreadable` with the reason
    `canonical`      the one spelling of this version, or the version; raises `Unreadable`
    `is_prerelease`  by this scheme's own rule, None where it has none; raises `Unreadable`
    """

    def key(self, version: str, /) -> bytes: ...
    def canonical(self, version: str, /) -> str: ...
    def is_prerelease(self, version: str, /) -> bool | None: ...


def schemes() -> tuple[str, ...]:
    """The names of all schemes, in a fixed order."""
    return _SCHEMES


class _Modules(dict[str, _Scheme]):
    def __missing__(self, scheme: str) -> _Scheme:
        if scheme not in _SCHEMES:
            raise UsageError(
                repr(scheme), "no such version scheme", "one of " + ", ".join(_SCHEMES)
            )
        module = cast("_Scheme", import_module(f"{__name__}.{scheme}"))
        self[scheme] = module
        return module


class _Keys(dict[str, Key]):
    def __missing__(self, scheme: str) -> Key:
        read = _modules[scheme].key

        def key(version: str) -> bytes:
            if version and printable(version):
                try:
                    return read(version)
                except Unreadable:
                    pass
            return raw_key(version)

        self[scheme] = key
        return key


_modules = _Modules()
_keys = _Keys()


def key_function(scheme: str) -> Key:
    """`sort_key` of one scheme, for loops: `versions.sort(key=key_function("semver"))`.

    Raises `UsageError` for an unknown scheme.
    """
    return _keys[scheme]


def sort_key(scheme: str, version: str) -> bytes:
    """The key of a version: byte order is the scheme's order, equality its equality.

    Never raises for any text; `UsageError` for an unknown scheme.
    """
    return _keys[scheme](version)


def unreadable(scheme: str, version: str) -> str | None:
    """Why this scheme cannot read this version, in words, or None where it can."""
    module = _modules[scheme]
    reason = flaw(version)
    if reason is None:
        try:
            module.key(version)
        except Unreadable as no:
            return str(no)
    return reason


def compare(scheme: str, a: str, b: str) -> int:
    """-1, 0 or 1 as `a` is below, equal to or above `b`."""
    key = _keys[scheme]
    left, right = key(a), key(b)
    return (left > right) - (left < right)


def canonical(scheme: str, version: str) -> str:
    """The scheme's one spelling of this version, or the version itself.

    Itself where the scheme defines no canonical form, and where it cannot read the version.
    """
    module = _modules[scheme]
    if not version or not printable(version):
        return version
    try:
        return module.canonical(version)
    except Unreadable:
        return version


def is_prerelease(scheme: str, version: str) -> bool | None:
    """Whether this is a pre-release by the scheme's own rule alone.

    None where the scheme has no such notion, or cannot read the version. What
    the forge or the project says beside it is not this function's business.
    """
    module = _modules[scheme]
    if not version or not printable(version):
        return None
    try:
        return module.is_prerelease(version)
    except Unreadable:
        return None
