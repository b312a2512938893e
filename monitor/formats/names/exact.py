"""Formats whose rule for file names is exact, so that nothing needs to be guessed."""

from __future__ import annotations

import re
from typing import Final

from monitor.formats.names.stem import Found, find

__all__ = ["by_rule"]

_WHEEL: Final = re.compile(r"([^-]+)-([^-]+)(?:-\d[^-]*)?-([^-]+-[^-]+-[^-]+)\Z")
_DEB: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9+.-]*)_(\d[^_]*)_([a-z][a-z0-9-]*)\Z")
_RPM: Final = re.compile(r"(.+)-(\d[^-]*-[^-]+)\.([A-Za-z][A-Za-z0-9_]*)\Z")
_DEBIAN_SOURCE: Final = re.compile(r"(.+)_(\d[^_]*?)\.(?:orig(?:-[A-Za-z0-9-]+)?|debian)\Z")
_BOTTLE: Final = re.compile(r"(.+)\.([a-z0-9_]+)\.bottle(?:\.\d+)?\Z")


def by_rule(stem: str, extension: str) -> Found | None:
    """What the format's own rule says of a stem, or None where none applies.

    Wheels (PEP 427), Debian's binary and source packages, RPM's name-version-release.arch, and
    Homebrew's bottles. Versions are whole: with the packager's revision, without the wheel's build.
    """
    if stem.endswith((".orig", ".debian")) or ".orig-" in stem:
        match = _DEBIAN_SOURCE.match(stem)
        return Found(match[1], match[2], None, 0.95) if match else None
    if ".bottle" in stem and (match := _BOTTLE.match(stem)):
        return find(match[1])._replace(platform=match[2])
    if extension == "whl" and (match := _WHEEL.match(stem)):
        return Found(match[1], match[2], match[3], 1.0)
    if extension in ("deb", "udeb") and (match := _DEB.match(stem)):
        return Found(match[1], match[2], match[3], 1.0)
    if extension in ("rpm", "drpm") and (match := _RPM.match(stem)):
        return Found(match[1], match[2], match[3], 1.0)
    if extension == "src.rpm" and (match := _RPM.match(stem + ".src")):
        return Found(match[1], match[2], None, 1.0)
    return None
