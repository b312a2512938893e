"""The output of `tree -Js --timefmt=%s`, as GNU's file server publishes it.

    [{"type": "directory", "name": ".", "contents": [
       {"type": "file", "name": "a-1.0.tar.gz", "size": 12, "time": "1569969605"},
       {"type": "link", "name": "latest", "target": "a-1.0.tar.gz", "contents": []}]},
     {"type": "report", "directories": 2759, "files": 64626}]

The report stands at the end and nowhere else: without it, the tree is not whole.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from monitor.formats.compressed import blocks
from monitor.formats.listing import FileRow, Folder
from monitor.formats.text import unread
from monitor.model import Reply

LARGEST = 256 * 2**20  # bytes of JSON; GNU's tree has 6 MB


class _Node(msgspec.Struct):
    type: str
    name: str = ""
    size: int | None = None
    time: int | str | None = None
    contents: list[_Node] = []


def folders(reply: Reply) -> Iterator[Folder]:
    """The folders of the tree with their files, parents first.

    Raises ValueError when the report is missing, msgspec.DecodeError for another shape.
    """
    nodes = msgspec.json.decode(b"".join(blocks(reply, LARGEST)), type=list[_Node])
    if len(nodes) < 2 or nodes[-1].type != "report":
        raise ValueError("a tree without its report: it is not whole")
    todo = [("", node) for node in reversed(nodes[:-1])]
    while todo:
        path, node = todo.pop()
        folder = Folder(path)
        for entry in node.contents:
            if entry.type == "file":
                folder.files.append(_file(entry))
            elif entry.type == "directory":
                if entry.name in ("", ".", "..") or "/" in entry.name:
                    folder.notes.append(unread(entry.name, "a folder that leads elsewhere"))
                    continue
                folder.folders.append(entry.name)
        below = {entry.name: entry for entry in node.contents if entry.type == "directory"}
        prefix = path + "/" if path else ""
        todo += [(prefix + name, below[name]) for name in reversed(folder.folders)]
        yield folder


def _file(node: _Node) -> FileRow:
    try:
        at = int(node.time) if node.time is not None else None
    except ValueError:
        at = None
    return node.name, node.size, at or None
