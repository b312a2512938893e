"""What all listings of files have in common: folders, and the files in them.

A listing is text. Nothing in it is followed or opened: a link is no file, and a
path that leads out of the tree (`..`) is a dead letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.formats.text import unread
from monitor.model import Partial, Unread

PATIENCE = 2**25  # bytes without a border, after which a cut behind a line must do


class Entry(NamedTuple):
    """A file. Readers may give plain tuples of the same order: they are made a million times."""

    name: str
    size: int | None  # bytes; None where the listing rounds them
    at: int | None  # seconds since 1970; None where it does not say


Note = Unread | Partial  # a line that cannot be read; an end that is missing
FileRow = tuple[str, int | None, int | None]


@dataclass(slots=True)
class Folder:
    """One folder of a listing. `path` is relative to its top, without "/" at the ends."""

    path: str
    files: list[FileRow] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def whole_lines(blocks: Iterable[bytes], border: str = "\n") -> Iterator[str | Partial]:
    """The text of the blocks, cut behind a border where one comes soon, else behind a line.

    Names need not be UTF-8: other bytes are kept as surrogates. What stands
    behind the last line end is not a whole line, and told as `Partial`.
    """
    left, mark = b"", border.encode()
    for block in blocks:
        data = left + block
        cut = data.rfind(mark)
        if cut < 0 and len(data) < PATIENCE:
            left = data
            continue
        end = cut + len(mark) if cut >= 0 else data.rfind(b"\n") + 1
        left = data[end:]
        if end:
            yield data[:end].decode("utf-8", "surrogateescape")
    if left:
        end = left.rfind(b"\n") + 1
        if end:
            yield left[:end].decode("utf-8", "surrogateescape")
        if left[end:]:
            yield Partial(f"the listing ends within a line: {left[end:][-80:]!r}")


def inside(path: str) -> bool:
    """Whether a relative path stays where it is: no "..", no empty part, not absolute."""
    return path == "" or not any(part in ("", ".", "..") for part in path.split("/"))


PathRow = tuple[str, str, FileRow | None]  # the folder's path, the name, None for a folder


class Opened:
    """The folders that a listing which goes depth first has open, so that only these are kept.

    `here`  the folder that its rows are in
    `left`  those that it has left since somebody took them away. Comes it back to one, that one
            is opened again, for the rest of its rows
    """

    __slots__ = ("_stack", "here", "left")

    def __init__(self) -> None:
        self.here = Folder("")
        self.left: list[Folder] = []
        self._stack = [self.here]

    def enter(self, path: str, name: str) -> Folder | None:
        """Open the folder `path`, where a row stands for `name`; None where it leads elsewhere."""
        if not inside(path):
            self.here.notes.append(unread(f"{path}/{name}", "a path that leads elsewhere"))
            return None
        stack = self._stack
        while path != stack[-1].path and not _within(path, stack[-1].path):
            self.left.append(stack.pop())
        if path != stack[-1].path:
            stack.append(Folder(path))
        self.here = stack[-1]
        return self.here

    def take(self) -> list[Folder]:
        """What it has left."""
        found, self.left = self.left, []
        return found

    def rest(self) -> list[Folder]:
        """What is still open when the listing has ended."""
        return self.take() + self._stack[::-1]


def grouped(rows: Iterable[PathRow | Note]) -> Iterator[Folder]:
    """Folders from the rows of a listing that goes depth first; ("", "", None) is the top.

    A folder is handed out when the listing has left it; see `Opened`.
    """
    opened = Opened()
    here = opened.here
    for row in rows:
        if isinstance(row, (Unread, Partial)):
            here.notes.append(row)
            continue
        parent, name, file = row
        if parent != here.path:
            if (found := opened.enter(parent, name)) is None:
                continue
            here = found
            if opened.left:
                yield from opened.take()
        if file is not None:
            here.files.append(file)
        elif name not in ("", ".", ".."):
            here.folders.append(name)
    yield from opened.rest()


def _within(path: str, folder: str) -> bool:
    return folder == "" or path.startswith(folder + "/")
