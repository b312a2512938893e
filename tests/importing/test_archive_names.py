"""The names of 1,718 real archives, imported in each way that a packager could write them down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.formats.archives import releases
from monitor.formats.listing import Folder
from monitor.importing import Imported, read
from monitor.model import Release

Row = tuple[str, str, str]  # the file, its version, the package that uses it
SHARE = 0.97


@pytest.fixture
def names(shared: Path) -> list[Row]:
    lines = (shared / "data/archive-names.tsv").read_text("utf-8").splitlines()[1:]
    rows = [tuple(line.split("\t")) for line in lines]
    return [(row[0], row[1], row[2]) for row in rows]


def _list(folder: Path, rows: list[Row], address: Callable[[Row], str]) -> list[Imported]:
    path = folder / "names.txt"
    path.write_text("".join(f"{row[2]} {row[1]} {address(row)}\n" for row in rows), "utf-8")
    return list(read(path))


def _buildroot(folder: Path, rows: list[Row], address: Callable[[Row], str]) -> list[Imported]:
    for row in rows:
        prefix = "".join(char if char.isalnum() else "_" for char in row[2]).upper()
        site, _, source = address(row).rpartition("/")
        path = folder / "package" / row[2] / f"{row[2]}.mk"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"{prefix}_VERSION = {row[1]}\n{prefix}_SITE = {site}\n{prefix}_SOURCE = {source}\n"
            "$(eval $(generic-package))\n",
            "utf-8",
        )
    return list(read(folder))


def _srcinfo(folder: Path, rows: list[Row], address: Callable[[Row], str]) -> list[Imported]:
    for row in rows:
        path = folder / row[2] / ".SRCINFO"
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            f"pkgbase = {row[2]}\n\tpkgver = {row[1]}\n\tsource = {address(row)}\n", "utf-8"
        )
    return list(read(folder))


WRITERS = {"list": _list, "buildroot": _buildroot, "srcinfo": _srcinfo}
ADDRESSES: dict[str, tuple[str, Callable[[Row], str]]] = {
    "folder": ("folder", lambda row: f"https://dist.example.org/{row[2]}/{row[0]}"),
    "shared folder": ("folder", lambda row: f"https://dist.example.org/pub/{row[0]}"),
    "folder of versions": (
        "folder",
        lambda row: f"https://dist.example.org/{row[2]}/{row[1]}/{row[0]}",
    ),
    "release of a forge": (
        "github",
        lambda row: f"https://github.com/maker/{row[2]}/releases/download/v{row[1]}/{row[0]}",
    ),
    "registry": (
        "pypi",
        lambda row: f"https://files.registry.example/packages/source/x/{row[2]}/{row[0]}",
    ),
}


@pytest.mark.parametrize(
    ("writer", "where"),
    [("list", where) for where in ADDRESSES]
    + [("buildroot", "shared folder"), ("srcinfo", "release of a forge")],
)
def test_real_names_lead_to_the_kind_of_their_address(
    writer: str, where: str, names: list[Row], tmp_path: Path
) -> None:
    kind, address = ADDRESSES[where]
    rows = list({row[2]: row for row in names}.values())  # a recipe for each package
    found = WRITERS[writer](tmp_path, rows, address)

    assert len(found) == len(rows)
    assert all(one.upstream or one.reason for one in found)
    wrong = [one for one in found if one.upstream and one.upstream[0] != kind]
    assert not wrong
    assert sum(one.upstream is not None for one in found) >= SHARE * len(rows)


def test_a_folder_s_page_with_such_a_name_gives_its_version(
    names: list[Row], tmp_path: Path
) -> None:
    """What was imported finds the release it was imported from, or says that it will not."""
    found = _list(tmp_path, names, ADDRESSES["shared folder"][1])
    right, silent = 0, []
    for one, (file, version, _) in zip(found, names, strict=True):
        if one.upstream is None:
            assert one.reason
            continue
        address, _, called = one.upstream[1].partition("#")
        page = Folder("", [(file, None, None), ("another-9.9.tar.gz", None, None)])
        seen = releases([page], address, project=one.upstream[1], called=called or None)
        versions = [each.version for each in seen if isinstance(each, Release)]
        right += versions == [version]
        if version not in versions and not one.note:
            silent.append((file, version, versions))
    assert right >= SHARE * len(names)
    assert len(silent) <= 0.005 * len(names), silent


def test_a_mere_name_is_not_guessed_where_to_look_for(shared: Path) -> None:
    found = list(read(shared / "data/archive-names.tsv"))
    assert len(found) == 1718  # the head is no package
    for one in found:
        assert one.name
        assert one.packaged
        if one.upstream:  # a registry's own kind of archive
            assert one.upstream[0] in ("rubygems", "crates", "pypi", "luarocks")
        else:
            assert "does not say where it is published" in (one.reason or "")


def test_a_registry_s_own_kind_of_archive_names_it(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text(
        "tool-kit-1.2.3.gem\ntool_kit-0.4.0.crate\ntool_kit-2.0-py3-none-any.whl\ntool-1.0.tar.gz\n"
    )
    found = list(read(path, format="list"))
    assert [one.upstream for one in found] == [
        ("rubygems", "tool-kit"),
        ("crates", "tool_kit"),
        ("pypi", "tool_kit"),
        None,
    ]
    assert [one.packaged for one in found] == ["1.2.3", "0.4.0", "2.0", "1.0"]
