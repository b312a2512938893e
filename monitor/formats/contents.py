"""What is in an archive, however it is packed: a digest of its tree.

Forges make an archive of a tag when somebody asks for it. The next version of
their `gzip` makes other bytes of the same tree, which is no change; another
tree is one (fault E04).

The digest is over what git keeps of a tree: path, mode (a file, one that can be
run, a link) and content of each member, in the order of the paths. The folder
that all of them lie in counts no more than dates, owners and compression.
Nothing is unpacked to disk, and what an archive claims of itself is limited.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from monitor.formats.compressed import blocks
from monitor.formats.names.urls import read_url
from monitor.model import Reply

MEMBERS = 500_000
LARGEST = 4 * 2**30
"""Bytes of all members together."""

_HEADER = 2**20  # bytes of a member's own headers: long names and the like
_PIECE = 2**20
_FILE, _RUN, _LINK = b"100644", b"100755", b"120000"  # as in a tree of git
_MADE = re.compile(r"/(?:legacy\.)?(?:tarball|zipball|tar\.gz|zip)/")

Member = tuple[str, bytes, bytes]
"""Path, mode, and sha256 of the content."""


def is_generated(address: str) -> bool:
    """Is it an archive that a forge makes of a tag, so that its bytes may change?"""
    found = read_url(address)
    if found.file is None and found.suffix:
        return True
    return found.project is not None and _MADE.search(address) is not None


def content_digest(reply: Reply) -> str:
    """Of the archive in this answer, a tar in any compression or a zip: "tree:<sha256>".

    Raises ValueError where it is none, damaged, or beyond the limits, and FetchError (hostile)
    where it does not stop growing.
    """
    reply.body.seek(0)
    zipped = reply.body.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    try:
        members = list(_of_zip(reply.body) if zipped else _of_tar(reply))
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
        raise ValueError(f"no archive that can be read: {error}") from error
    if not members:
        raise ValueError("an archive without a file in it")
    top = _common_folder([path for path, _, _ in members])
    tree = hashlib.sha256()
    for path, mode, content in sorted(members):
        name = path[len(top) :].encode("utf-8", "surrogateescape")
        tree.update(b"%b %d:%b %b\n" % (mode, len(name), name, content))
    return f"tree:{tree.hexdigest()}"


def _common_folder(paths: list[str]) -> str:
    first = paths[0].partition("/")
    top = first[0] + first[1]
    return top if first[1] and all(path.startswith(top) for path in paths) else ""


class _Limits:
    """Counts what comes out of an archive. Raises ValueError where it is too much."""

    def __init__(self) -> None:
        self.members = self.bytes = 0

    def add(self, size: int) -> None:
        self.members += 1
        self.bytes += size
        if self.members > MEMBERS or self.bytes > LARGEST or size < 0:
            raise ValueError(f"an archive of more than {MEMBERS} members or {LARGEST} bytes")


# ── tar ───────────────────────────────────────────────────────────────────────────────


class _Blocks:
    """Decompressed blocks as the file that `tarfile` reads from front to back."""

    def __init__(self, reply: Reply) -> None:
        self._blocks = blocks(reply, LARGEST + MEMBERS * 1024)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._rest = memoryview(block)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)


class _Careful(tarfile.TarInfo):
    """A member whose own headers are not read into memory whatever size they claim."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in _LONG and self.size > _HEADER:
            raise ValueError(f"a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


_LONG = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
         tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)  # fmt: skip


def _of_tar(reply: Reply) -> Iterator[Member]:
    limits = _Limits()
    source: Any = _Blocks(reply)
    with tarfile.open(fileobj=source, mode="r|", tarinfo=_Careful) as archive:
        for member in archive:
            limits.add(member.size)
            archive.members = []  # type: ignore[attr-defined]  # it would keep them all
            path = member.name.removeprefix("./")
            if member.issym():
                target = member.linkname.encode("utf-8", "surrogateescape")
                yield path, _LINK, hashlib.sha256(target).digest()
            elif member.islnk():
                yield path, b"hard", hashlib.sha256(member.linkname.encode()).digest()
            elif member.isfile():
                file = archive.extractfile(member)
                assert file is not None
                yield path, _RUN if member.mode & 0o111 else _FILE, _digest(file)


# ── zip ───────────────────────────────────────────────────────────────────────────────


def _of_zip(body: Any) -> Iterator[Member]:
    limits = _Limits()
    body.seek(0)
    with zipfile.ZipFile(body) as archive:
        for member in archive.infolist():
            limits.add(member.file_size)
            if member.is_dir():
                continue
            kind = member.external_attr >> 16
            mode = _LINK if kind & 0o170000 == 0o120000 else _RUN if kind & 0o111 else _FILE
            with archive.open(member) as file:
                yield member.filename, mode, _digest(file)


def _digest(file: IO[bytes]) -> bytes:
    found = hashlib.sha256()
    while piece := file.read(_PIECE):
        found.update(piece)
    return found.digest()
