"""Files in folders become releases: archives by their names, signatures beside them.

What a file is and which version it carries, `archive_names` says. Here is
decided what counts: a source archive is a release; a signature, a digest, a
patch or a build for one system belongs to the release of its version, and
makes none by itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote

from monitor.errors import UsageError
from monitor.formats.archive_names import Kind, split_file, split_folder
from monitor.formats.listing import FileRow, Folder, Note, inside
from monitor.formats.text import LONGEST, checked, is_name, is_version
from monitor.model import (
    About,
    File,
    Finding,
    Mention,
    Partial,
    Release,
    Reply,
    Request,
    Trait,
    Unread,
)

SURE = 0.5  # of a split; below it nobody should act on it
BAD_SHARE = 0.01  # of lines that may be unread in bulk
PIECE = 5000  # rows in one list

Row = tuple[str, str | None, int | None, str | None, str | None]

# What may be a source archive. Most rows of a large listing are not, and left at that.
_ARCHIVES = frozenset(
    "tar gz tgz bz2 tbz tbz2 xz txz lz lzma tlz zst tzst Z taz zip 7z crate gem jar el oxt".split()  # noqa: SIM905
)
_SIGNATURES = frozenset(("sig", "asc", "sign", "gpg"))
_BESIDE = _SIGNATURES | {"sha256", "sha512", "sha256sum", "md5", "sha1"}
# One compressed file is no archive: "patch-6.8.1.xz".
_SINGLE = frozenset(("gz", "bz2", "xz", "lz", "lzma", "zst", "Z"))
# Debian's own packaging lies beside the upstream's archive; "latest" moves from one to the next.
_NONE = re.compile(r"\.debian\.tar\.|\.diff\.|\.shar\.|[-_.]latest[-_.]", re.IGNORECASE).search
# "gcc-g77-2.95", "aspell5-ga-3.5-0": what follows the project's name is the rest of another name.
_OTHER = re.compile(
    r"[A-Za-z]{2,}\d*-\d|[A-Za-z]\d+-\d+\.|\d+-(?!rc|pre|beta|alpha|b|a|p|patch|dev|test|snap)[a-z]{1,12}-\d"
).match
# Nine of ten names, at a tenth of the price: what `archive_names` says of them is the same.
_PLAIN = re.compile(
    r"([A-Za-z][A-Za-z+]*+(?:[-.][A-Za-z][A-Za-z+]*+)*+)[-_](?:v(?!.*\.orig\.))?(\d++(?:\.\d++)*+)(?:\.orig)?"
    r"\.(?:tar\.(?:gz|xz|bz2|zst|lz)|tgz|zip)\Z"
).match


# What is written in an address as it is.
_SAFE = re.compile(r"[A-Za-z0-9_.~/+:@,=!-]*").fullmatch


@dataclass(frozen=True, slots=True)
class Listing:
    """The mechanism for a listing of archives: a whole server's, or one project's folder.

    `url`      address of the listing; with {project} in it, of that project's folder
    `folders`  the reader of its format
    `base`     address of the files listed in the top, with "/" at its end, {project} likewise
    `depth`    see `releases`
    `under`    only this folder of the listing counts, and is the top
    """

    url: str
    folders: Callable[[Reply], Iterator[Folder]]
    base: str
    depth: int | None = None
    under: str = ""

    def all(self) -> Request:
        return Request(self.url)

    def of(self, project: str) -> Request:
        if not inside(project) or not is_name(project):
            raise UsageError(project, "cannot be a folder of the server", "name a project in it")
        return Request(self._named(self.url, project), project=project)

    def read(self, reply: Reply) -> Iterator[Finding]:
        """The releases of all archives in it."""
        project = reply.request.project
        base = self._named(self.base, project)
        return releases(self._top(reply), base, depth=self.depth, project=project)

    def bulk(self, reply: Reply) -> Iterator[list[Row]]:
        """The same as rows; see `providers`."""
        project = reply.request.project
        base = self._named(self.base, project)
        return rows(self._top(reply), base, depth=self.depth, project=project)

    def _named(self, address: str, project: str | None) -> str:
        return address.replace("{project}", _quoted(address, project)) if project else address

    def _top(self, reply: Reply) -> Iterator[Folder]:
        for folder in self.folders(reply):
            if not self.under or folder.path == self.under:
                folder.path = "" if self.under else folder.path
                yield folder
            elif folder.path.startswith(self.under + "/"):
                folder.path = folder.path[len(self.under) + 1 :]
                yield folder


@dataclass(frozen=True, slots=True)
class Signatures:
    """What files beside one another say of a release: is a signature among them?

    Nothing is asked, and no signature is verified; one that is missing where those before had one
    is worth a look.
    """

    files: bool = True
    late: int = (
        6 * 3600
    )  # people sign after they have uploaded, and mirrors copy in their own order
    pace: float = 1.0

    def seen(self, release: Release) -> Iterator[Trait]:
        kinds = {file.kind for file in release.files}
        if "signature" in kinds:
            yield Trait(About.SIGNATURE, "yes")
        elif kinds and None not in kinds:  # an index in bulk names archives alone, without kind
            yield Trait(About.SIGNATURE, "no")

    def of(self, release: Release) -> Iterator[Request]:
        return iter(())

    def read(self, reply: Reply) -> Iterator[Finding]:
        return iter(())


def depth_of(projects: str) -> int | None:
    """The depth that the setting `projects` means: "name" or "folder"."""
    if projects not in ("name", "folder"):
        raise ValueError(f'projects: {projects!r} is neither "name" nor "folder"')
    return 1 if projects == "folder" else None


class _Part(NamedTuple):
    """A file of a release, and what its name says."""

    name: str | None
    version: str
    kind: Kind
    path: str
    file: FileRow


def releases(
    folders: Iterable[Folder],
    base: str,
    *,
    depth: int | None = None,
    project: str | None = None,
    called: str | None = None,
) -> Iterator[Release | Note]:
    """The releases in these folders; `base` is the address of the top, with "/" at its end.

    `project`  whose files these are; without it the archives' own names are believed
    `depth`    the projects are the folders of this depth, 1 for those in the top
    `called`   the name of its archives, in a folder that it shares: no other counts

    Where the project is known, archives of another name in its folder are other
    products and left out, unless not one of them has the project's name. Of a
    project that is an address or a path, the last part is the name.
    """
    for name, some in _by_project(folders, depth, project):
        for folder in some:
            yield from folder.notes
        found = _by_version(name, some, _ARCHIVES | _BESIDE, called)
        for (owner, version), parts in found.items():
            yield _release(owner, version, parts, base)


def rows(
    folders: Iterable[Folder], base: str, *, depth: int | None = None, project: str | None = None
) -> Iterator[list[Row]]:
    """The same as rows for the store, in lists; see `providers`.

    Raises ValueError where the listing is not whole, or too much of it cannot be read.
    """
    piece: list[Row] = []
    folders = _mostly_read(folders)
    for name, some in _by_project(folders, depth, project):
        piece += _rows(name, some, base) if name else _rows_by_name(some[0], base)
        if len(piece) >= PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


def _mostly_read(folders: Iterable[Folder]) -> Iterator[Folder]:
    """The folders; raises at their end if more than one line in a hundred was not read."""
    lines = strange = 0
    note: Note | None = None
    for folder in folders:
        lines += len(folder.files)
        for note in folder.notes:
            if isinstance(note, Partial):
                raise ValueError(note.reason)
            strange += 1
        yield folder
    if note is not None and strange > BAD_SHARE * lines + 3:
        raise ValueError(f"{strange} lines beside {lines} files cannot be read, as: {note}")


def _rows(project: str | None, folders: list[Folder], base: str) -> Iterator[Row]:
    for (owner, version), parts in _by_version(project, folders, _ARCHIVES).items():
        if is_name(owner) and is_version(version):
            sources = [part for part in parts if part.kind == "source"]
            yield owner, version, _first(sources), None, _address(base, sources[0].path)


def _rows_by_name(folder: Folder, base: str) -> list[Row]:
    """The rows of a folder whose archives' own names are believed.

    It says what `_rows` says, without a part for each of millions of plain names.
    """
    found: dict[tuple[str, str], tuple[int | None, str]] = {}
    strange: list[FileRow] = []
    stem, none = "", False
    for file in folder.files:
        name, _, at = file
        if name[name.rfind(".") + 1 :] not in _ARCHIVES:
            continue
        if (plain := _PLAIN(name)) is None or len(name) > LONGEST:
            if not _NONE(name):
                strange.append(file)
            continue
        key = (plain[1], plain[2])
        if key[0] != stem:  # whether a plain name is none of ours, its stem decides
            stem, none = key[0], _NONE(name) is not None
        if none:
            continue
        if key in found:
            _add(found, key, at, name)
        else:
            found[key] = (at, name)
    for name, part in _strange(folder, None, strange, ""):
        owner, version = part.name, part.version
        if owner and part.kind == "source" and is_name(owner) and is_version(version):
            _add(found, (owner, version), part.file[2], _quoted(base, name))
    prefix = _address(base, folder.path + "/") if folder.path else base
    return [(key[0], key[1], at, None, prefix + name) for key, (at, name) in found.items()]


def _add(
    found: dict[tuple[str, str], tuple[int | None, str]],
    key: tuple[str, str],
    at: int | None,
    name: str,
) -> None:
    """One more archive of a version: the first one stands for it, with the earliest date."""
    before = found.get(key)
    if before is None:
        found[key] = (at, name)
    elif at is not None and (before[0] is None or at < before[0]):
        found[key] = (at, before[1])


def _by_project(
    folders: Iterable[Folder], depth: int | None, project: str | None
) -> Iterator[tuple[str | None, list[Folder]]]:
    if project is not None:
        yield project, list(folders)
    elif depth is None:
        for folder in folders:
            yield None, [folder]
    else:
        for path, some in groupby(folders, lambda folder: folder.path.split("/")[:depth]):
            # What lies above the folders of the projects belongs to none of them.
            if len(path) == depth and path[-1] != "":
                yield path[-1], list(some)
            else:
                yield None, [Folder(folder.path, notes=folder.notes) for folder in some]


def _by_version(
    project: str | None,
    folders: list[Folder],
    endings: frozenset[str],
    called: str | None = None,
) -> dict[tuple[str, str], list[_Part]]:
    """The files under (project, version); versions without a source archive are left out."""
    known = called or (project.rstrip("/").rpartition("/")[2] if project else None)
    parts = [part for folder in folders for part in _parts(folder, known, endings)]
    own = _folded(called) if called else _own_name(known, parts) if known else None
    versions: dict[tuple[str, str], list[_Part]] = {}
    for part in parts:
        if own is not None and part.name is not None and _folded(part.name) != own:
            continue
        if called and _folded(called) not in _folded(part.path):
            continue  # "1.2.tar.gz" among others' archives may be anybody's
        if owner := project or part.name:
            versions.setdefault((owner, part.version), []).append(part)
    return {
        key: found
        for key, found in versions.items()
        if found[0].kind == "source" or any(part.kind == "source" for part in found)
    }


def _parts(folder: Folder, project: str | None, endings: frozenset[str]) -> Iterator[_Part]:
    """The files of one folder whose names say a version, in the order of the listing."""
    prefix = folder.path + "/" if folder.path else ""
    strange: list[FileRow] = []
    beside: list[FileRow] = []
    known = _folded(project) if project else None
    said: dict[str, _Part] = {}
    stem, none, same = None, False, True
    for file in folder.files:
        name = file[0]
        ending = name[name.rfind(".") + 1 :]
        if ending not in endings:
            continue
        if (plain := _PLAIN(name)) is not None:
            if plain[1] != stem:  # which decides for all of its plain names
                stem, none = plain[1], _NONE(name) is not None
                same = known is None or _folded(stem) == known
            if same and not none:
                said[name] = _Part(stem, plain[2], "source", prefix + name, file)
            elif not none:
                strange.append(file)
        elif _NONE(name):
            continue
        elif ending in _BESIDE:
            beside.append(file)
        else:
            strange.append(file)
    said.update(_strange(folder, project, strange, prefix))
    yield from said.values()
    for file in beside:
        name, _, ending = file[0].rpartition(".")
        kind: Kind = "signature" if ending in _SIGNATURES else "digest"
        if of := said.get(name):
            yield of._replace(kind=kind, path=prefix + file[0], file=file)
        else:  # kernel.org signs "linux-6.7.tar", and serves it as tar.xz
            split = split_file(file[0], project=project)
            if split.version is not None and split.confidence >= SURE:
                yield _Part(split.name, split.version, kind, prefix + file[0], file)


def _strange(
    folder: Folder, project: str | None, files: list[FileRow], prefix: str
) -> Iterator[tuple[str, _Part]]:
    """The archives whose names are not plain, under their names."""
    if not files:
        return
    splits = split_folder([file[0] for file in files], project=project)
    around = folder.path.rpartition("/")[2] or None
    for split, file in zip(splits, files, strict=True):
        name = file[0]
        if project and split.version and _OTHER(split.version):
            split = split_file(name)  # noqa: PLW2901
        elif around and (split.version is None or split.confidence < SURE):
            split = split_file(name, project=project, folder=around)  # noqa: PLW2901
        if split.version is None or split.confidence < SURE or split.extension in _SINGLE:
            continue
        if not (project and _OTHER(split.version)):
            yield name, _Part(split.name, split.version, split.kind, prefix + name, file)


def _own_name(project: str, parts: list[_Part]) -> str | None:
    """The name that the project's own archives have: the project's, or what most are called."""
    names = Counter(_folded(part.name) for part in parts if part.kind == "source" and part.name)
    own = _folded(project)
    return own if own in names or not names else names.most_common(1)[0][0]


def _folded(name: str) -> str:
    return re.sub(r"[-_. ]+", "-", name).lower()


def _release(owner: str, version: str, parts: list[_Part], base: str) -> Release | Unread:
    if len(parts) == 1:  # as nearly all are: one archive
        path, (name, size, seconds) = parts[0].path, parts[0].file
        at = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
        safe = _SAFE(path) is not None  # and so is what it ends in
        if (len(name) <= LONGEST) if safe else is_name(name):
            address = base + path if safe else _address(base, path)
            files: tuple[File, ...] = (File(address, None, size, name, at, kind="source"),)
        else:
            files = ()
        found = checked(Release(owner, version, at, files=files, tag=name))
        assert not isinstance(found, Mention)
        return found
    order = sorted(parts, key=lambda part: part.kind != "source")
    found = checked(
        Release(
            owner,
            version,
            published=_moment(_first([part for part in parts if part.kind == "source"])),
            files=tuple(
                File(
                    _address(base, part.path),
                    size=part.file[1],
                    name=part.file[0],
                    published=_moment(part.file[2]),
                    kind=part.kind,
                )
                for part in order
                if is_name(part.file[0])
            ),
            tag=order[0].file[0],
        )
    )
    assert not isinstance(found, Mention)
    return found


def _first(sources: list[_Part]) -> int | None:
    return min((part.file[2] for part in sources if part.file[2] is not None), default=None)


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _address(base: str, path: str) -> str:
    return base + _quoted(base, path)


def _quoted(address: str, path: str) -> str:
    """As it is written in such an address: rsync's have no escapes."""
    if _SAFE(path) or address.startswith("rsync:"):
        return path
    return quote(path, safe="/+~:@,=!", errors="surrogateescape")
