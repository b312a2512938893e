"""Addresses of files: which part is the file, which the tag, which the project.

Forges build addresses by rule, so their parts are known and not guessed; everywhere else the file
name speaks first, then the query, then the folders from right to left.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

from monitor.formats.names.extensions import extension_of

__all__ = ["Address", "read_url"]


class Address(NamedTuple):
    """An address, understood.

    `file`      the file's name, or None where the address ends in a tag or a question
    `tag`       the tag it was made from, where the forge's rule says so
    `project`   the repository's name, likewise
    `folders`   the other parts of the path, outermost first
    `queries`   the values of the query
    `suffix`    the extension that the forge adds to a tag
    """

    file: str | None
    tag: str | None = None
    project: str | None = None
    folders: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    suffix: str = ""


_ARCHIVE: Final = re.compile(r"(.+?)\.(tar\.(?:gz|bz2|xz|zst|lz)|tgz|tbz2|zip|tar)\Z")
_FORGE: Final = re.compile(
    r"(?:^|[./])(?:github|gitlab|gitea|codeberg|bitbucket|git|salsa|framagit|sr\.ht|gitee|pagure|invent)\b|/-/|/archive/"
)
_FILE: Final = re.compile(r"[.0-9]")
_DIGIT: Final = re.compile("[0-9]")
_KINDS: Final = frozenset(
    ("tar.gz", "tgz", "zip", "tar.bz2", "legacy.tar.gz", "legacy.zip", "tarball", "zipball")
)


def read_url(url: str) -> Address:
    """The parts of an address that may speak of a name or version. Nobody is asked."""
    rest = url.split("://", 1)[-1]
    rest, _, _fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    host, _, path = rest.partition("/")
    parts = [unquote(part) for part in path.split("/") if part]
    queries = tuple(
        unquote(pair.partition("=")[2] or pair) for pair in re.split("[&;]", query) if pair
    )
    if not parts:
        return Address(None, queries=queries)
    return _forge(host, parts, queries) or _plain(parts, queries)


def _plain(parts: list[str], queries: tuple[str, ...]) -> Address:
    """The last part is the file, but for glew-2.0.0.tgz/download, php-7.1.10.tar.gz/from/here."""
    at = len(parts) - 1
    while at and not _FILE.search(parts[at]):
        at -= 1
    if not (_FILE.search(parts[at]) and extension_of(parts[at])[1]):
        at = len(parts) - 1
    return Address(parts[at], folders=tuple(parts[:at]), queries=queries)


def _forge(host: str, parts: list[str], queries: tuple[str, ...]) -> Address | None:
    """What the rules of the forges say; None where none of them applies."""
    count = len(parts)
    owner_repo = parts[1] if count > 1 else None
    if "archive" in parts[2:-1]:
        at = parts.index("archive", 2)
        project = parts[at - 2] if parts[at - 1] == "-" else parts[at - 1]
        tag = parts[at + 1 :]
        if tag[:1] == ["refs"] and len(tag) > 2:
            whole = (
                tag[2:-1]
                if len(tag) > 3 and not _DIGIT.search(tag[-1].partition(".")[0])
                else tag[2:]
            )
            return _tagged(
                "/".join(whole) + ("" if whole[-1] == tag[-1] else ".tar.gz"), project, queries
            )
        if parts[at - 1] == "-" and len(tag) > 1:  # gitlab: /-/archive/TAG/NAME-TAG.tar.gz
            return Address(
                None, "/".join(tag[:-1]), project, queries=queries, suffix=_suffix(tag[-1])
            )
        if len(tag) == 1 and _host(host):
            return _tagged(tag[0], project, queries)
        if len(tag) > 1 and _host(host):
            if _ARCHIVE.match(tag[-1]) and any(ch.isdigit() for ch in tag[-1]):
                return Address(tag[-1], "/".join(tag[:-1]), project, queries=queries)
            return _tagged("/".join(tag), project, queries)
        return None
    if "releases" in parts[2:-1]:
        at = parts.index("releases", 2)
        project = parts[at - 2] if parts[at - 1] == "-" else parts[at - 1]
        tail = [part for part in parts[at + 1 :] if part not in ("download", "downloads")]
        if parts[at + 1] == "tag":
            return Address(None, "/".join(tail[1:]), project, queries=queries)
        if len(tail) > 1 and parts[at + 1] == "download":
            return Address(tail[-1], "/".join(tail[:-1]), project, queries=queries)
        if parts[at - 1] == "-":
            return Address(None, tail[0], project, queries=queries) if tail else None
        return None
    if count > 3 and owner_repo and parts[2] in _KINDS:
        return _tagged("/".join(parts[3:]).removeprefix("refs/tags/"), owner_repo, queries)
    if count == 4 and parts[2] == "get":  # bitbucket
        return _tagged(parts[3], owner_repo, queries)
    if (
        parts[-1].startswith("archive.") and "repository" in parts[2:]
    ):  # old gitlab, the tag in the query or the folder
        at = parts.index("repository")
        ref = parts[at + 1] if at + 2 < count else queries[0] if queries else None
        suffix = parts[-1].partition(".")[2]
        return Address(None, ref, parts[at - 1], queries=queries, suffix=suffix)
    return None


def _host(host: str) -> bool:
    return "launchpad" not in host and "web.archive" not in host


def _tagged(text: str, project: str | None, queries: tuple[str, ...]) -> Address:
    """A file whose name is a tag and an extension."""
    match = _ARCHIVE.match(text)
    if match:
        return Address(None, match[1], project, queries=queries, suffix=match[2])
    return Address(None, text, project, queries=queries)


def _suffix(file: str) -> str:
    match = _ARCHIVE.match(file)
    return match[2] if match else ""
