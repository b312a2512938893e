"""Download an archive, verify its digest, unpack it. Runs inside a build: standard library only.

    unpack.py ADDRESS FILENAME DIGEST FOLDER        DIGEST is "sha256:<hex>" or "unpinned"

A failure's last line begins with "release-monitor: download|digest|build|resources:".
Members that would land outside the folder, links that lead out of it, and device
files end the build; so do archives above the limits.
"""

from __future__ import annotations

import hashlib
import lzma
import posixpath
import shutil
import stat
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
import zlib
from pathlib import Path
from typing import IO, NoReturn

MAX_DOWNLOAD = 2 << 30
MAX_UNPACKED = 8 << 30
MAX_MEMBERS = 500_000


def fail(kind: str, what: str) -> NoReturn:
    sys.exit(f"release-monitor: {kind}: {what}")


def download(address: str, file: IO[bytes]) -> None:
    if not address.startswith(("https://", "http://")):
        fail("download", f"no address for HTTP: {address}")
    try:
        with urllib.request.urlopen(address, timeout=60) as reply:  # noqa: S310 (checked above)
            while chunk := reply.read(1 << 20):
                file.write(chunk)
                if file.tell() > MAX_DOWNLOAD:
                    fail("download", f"more than {MAX_DOWNLOAD} bytes")
    except OSError as error:
        fail("download", f"{address}: {error}")


def verify(file: IO[bytes], expected: str) -> None:
    algorithm, _, wanted = expected.partition(":")
    found = hashlib.new(algorithm)
    file.seek(0)
    while chunk := file.read(1 << 20):
        found.update(chunk)
    if found.hexdigest() != wanted:
        fail("digest", f"expected {expected}, got {algorithm}:{found.hexdigest()}")


def leads_out(name: str) -> bool:
    path = posixpath.normpath(name)
    return path.startswith(("/", "../")) or path == ".." or "\0" in path


class Unpacking:
    """Where members go, and how much has been unpacked so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.members = self.bytes = 0

    def place(self, name: str) -> Path:
        """The path of a member; its folders are made. Ends the build when it is not inside."""
        if leads_out(name):
            fail("build", f"the archive has a member outside of it: {name!r}")
        target = self.folder / posixpath.normpath(name)
        parent = target.parent.resolve()
        if not (parent / target.name).is_relative_to(self.folder) or target.is_symlink():
            fail("build", f"the archive leads out of itself by a link: {name!r}")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def count(self) -> None:
        self.members += 1
        if self.members > MAX_MEMBERS:
            fail("resources", f"more than {MAX_MEMBERS} members")

    def copy(self, source: IO[bytes], target: Path, mode: int) -> None:
        with target.open("wb") as file:
            while chunk := source.read(1 << 20):
                self.bytes += len(chunk)
                if self.bytes > MAX_UNPACKED:
                    fail("resources", f"more than {MAX_UNPACKED} bytes unpacked")
                file.write(chunk)
        target.chmod(0o755 if mode & stat.S_IXUSR else 0o644)

    def tar(self, file: IO[bytes]) -> None:
        with tarfile.open(fileobj=file) as archive:
            for member in archive:
                self.count()
                if member.isdir():
                    self.place(member.name).mkdir(exist_ok=True)
                elif (
                    source := archive.extractfile(member) if member.isreg() else None
                ) is not None:
                    self.copy(source, self.place(member.name), member.mode)
                elif member.islnk():
                    origin = self.place(member.linkname)
                    if not origin.is_file():
                        fail("build", f"a hard link to nothing: {member.name!r}")
                    shutil.copy(origin, self.place(member.name))
                elif member.issym():
                    goal = posixpath.join(posixpath.dirname(member.name), member.linkname)
                    if member.linkname.startswith("/") or leads_out(goal):
                        fail("build", f"the archive has a link out of it: {member.name!r}")
                    self.place(member.name).symlink_to(member.linkname)
                else:
                    fail("build", f"the archive has a device or pipe: {member.name!r}")

    def zip(self, file: IO[bytes]) -> None:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                self.count()
                target = self.place(member.filename)
                if member.is_dir():
                    target.mkdir(exist_ok=True)
                    continue
                with archive.open(member) as source:
                    self.copy(source, target, member.external_attr >> 16)


def main(address: str, filename: str, digest: str, folder: str) -> None:
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as file:
        download(address, file)
        if digest != "unpinned":
            verify(file, digest)
        file.seek(0)
        unpacking = Unpacking(target)
        broken = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error)
        try:
            (unpacking.zip if filename.lower().endswith(".zip") else unpacking.tar)(file)
        except (*broken, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            fail("build", f"{filename} cannot be unpacked: {error}")
    if not any(target.iterdir()):
        fail("build", "the archive is empty")
    sys.stdout.write(f"unpacked {unpacking.members} members of {filename}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
