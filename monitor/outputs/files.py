"""Files for others to read appear whole or not at all (rule R6).

A file is written beside its target, synced, renamed into place, and the folder
is synced. A reader sees the old content or the new one, and after a power cut
what was acknowledged is there. Everything is done relative to an open folder,
and nothing is ever written *through* a link.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from monitor.errors import StoreError

TEMPORARY = ".tmp-"  # how unfinished files begin; `sweep` removes those a crash left

_REMEDIES = {
    errno.ENOSPC: "make room on this file system; it is tried again",
    errno.EDQUOT: "raise the quota or make room; it is tried again",
    errno.EROFS: "the file system is read-only: remount it writable, or choose another folder",
    errno.EACCES: "give the user that runs this program write access to the folder",
    errno.EPERM: "give the user that runs this program write access to the folder",
    errno.ENOENT: "create the folder",
    errno.ENOTDIR: "something else stands where a folder was expected: move it away",
    errno.EEXIST: "something else stands where a folder was expected: move it away",
    errno.EIO: "the disk failed: check it before anything else is written",
    errno.ENAMETOOLONG: "choose a shorter folder name",
}


def remedy_for(error: OSError) -> str | None:
    """What to do about it, where that is known."""
    return _REMEDIES.get(error.errno or 0)


def write_whole(
    path: Path,
    data: bytes,
    *,
    mtime: datetime | None = None,
    replace: bool = True,
    mode: int = 0o644,
) -> bool:
    """Put `data` at `path` atomically and durably; True when it was written.

    `mtime`    the file's modification time, set before the file can be seen
    `replace`  with False an existing file is left alone and False is returned

    Raises StoreError, naming the path and what to do, when the target is a link,
    a folder or anything but a plain file, or when the machine refuses (disk full,
    read-only, no access). After an error the old content is still there, and no
    unfinished file.
    """
    with _blaming(path), open_folder(path.parent) as folder:
        exists = _is_plain(path, folder)
        if exists and not replace:
            return False
        temporary = TEMPORARY + secrets.token_hex(8)
        try:
            _write_new(temporary, data, mtime, mode, folder)
            if replace:
                os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            elif not _link_new(temporary, path.name, folder):
                return False
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
        os.fsync(folder)
    return True


def remove(path: Path) -> bool:
    """Remove a plain file durably; True when it was there. Raises StoreError."""
    with _blaming(path), open_folder(path.parent) as folder:
        if not _is_plain(path, folder):
            return False
        os.unlink(path.name, dir_fd=folder)
        os.fsync(folder)
    return True


def move(source: Path, target: Path) -> bool:
    """Rename a plain file within one file system, durably; True when it was there.

    A plain file at the target is replaced. Raises StoreError.
    """
    with _blaming(target), open_folder(source.parent) as old, open_folder(target.parent) as new:
        _is_plain(target, new)
        if not _is_plain(source, old):
            return False
        os.rename(source.name, target.name, src_dir_fd=old, dst_dir_fd=new)
        os.fsync(new)
        os.fsync(old)
    return True


def read_plain(path: Path) -> tuple[bytes, datetime] | None:
    """Content and modification time of a plain file, or None; no link is followed."""
    with _blaming(path), open_folder(path.parent) as folder:
        if not _is_plain(path, folder):
            return None
        handle = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        with os.fdopen(handle, "rb") as file:
            at = os.fstat(file.fileno()).st_mtime_ns
            return file.read(), from_ns(at)


def sweep(folder: Path) -> int:
    """Remove unfinished files that a crash left in `folder`; how many there were.

    Only for the folder's one writer, when it starts.
    """
    with _blaming(folder), os.scandir(folder) as entries:
        left = [Path(entry.path) for entry in entries if entry.name.startswith(TEMPORARY)]
    return sum(remove(path) for path in left)


def to_ns(at: datetime) -> int:
    """An aware time as whole nanoseconds since 1970, without the error of floats."""
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def from_ns(ns: int) -> datetime:
    """The time of `to_ns`, cut to whole microseconds."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1_000)


@contextmanager
def open_folder(path: Path) -> Iterator[int]:
    """A handle of the folder, so that what is done in it cannot be led elsewhere."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)


def _is_plain(path: Path, folder: int) -> bool:
    try:
        kind = os.lstat(path.name, dir_fd=folder).st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISREG(kind):
        return True
    found = "a link" if stat.S_ISLNK(kind) else "a folder" if stat.S_ISDIR(kind) else "no file"
    raise StoreError(
        str(path), f"{found} stands where a plain file belongs", "move it away; we follow no links"
    )


def _write_new(name: str, data: bytes, mtime: datetime | None, mode: int, folder: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, mode, dir_fd=folder), "wb", buffering=0) as file:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        if mtime is not None:
            os.utime(file.fileno(), ns=(to_ns(mtime), to_ns(mtime)))
        os.fsync(file.fileno())


def _link_new(temporary: str, name: str, folder: int) -> bool:
    """Give the file its name unless that is taken: what rename cannot promise."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        # File systems without hard links (FAT, some network mounts); we are the one writer.
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}:
            raise
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    return True


@contextmanager
def _blaming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = os.strerror(error.errno) if error.errno else str(error)
        raise StoreError(str(path), what, remedy_for(error)) from error
