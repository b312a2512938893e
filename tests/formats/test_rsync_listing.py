"""The output of `rsync --list-only`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats import rsync_listing
from monitor.model import Partial, Unread
from tests.formats.answers import answer

TOP = "drwxr-xr-x        4096 2026/11/21 20:34:49 .\n"


def read(body):
    return list(rsync_listing.folders(answer(body)))


def row(
    path: str = "gtk+/gtk+-3.24.39.tar.xz", size: str = "1234567", mode: str = "-rw-r--r--"
) -> str:
    return f"{mode} {size:>11} 2026/09/01 12:34:56 {path}\n"


def test_folders_have_their_files_to_the_second():
    folders = read(TOP + row("README") + row("gtk+", "4096", "drwxr-xr-x") + row())

    assert [(f.path, f.files, f.folders) for f in folders] == [
        ("gtk+", [("gtk+-3.24.39.tar.xz", 1234567, at())], []),
        ("", [("README", 1234567, at())], ["gtk+"]),
    ]


def at() -> int:
    return int(datetime(2026, 9, 1, 12, 34, 56, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("size", ["1,234,567", "1.234.567", "1234567"])
def test_B19_sizes_for_people_are_read(size):
    (folder,) = read(TOP + row("a.zip", size))

    assert folder.files == [("a.zip", 1234567, at())]


def test_B19_a_size_beyond_its_column_pushes_the_rest_out():
    (folder,) = read(TOP + row("a.zip", "123456789012345"))

    assert folder.files[0][1] == 123456789012345


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("two  spaces.zip", "two  spaces.zip"),
        ("new\\#012line.zip", "new\nline.zip"),
        ("\\#303\\#251.zip", "é.zip"),
        ("\\#351.zip", "\udce9.zip"),
        ("\\#134#012.zip", "\\#012.zip"),
    ],
)
def test_B19_escaped_names_are_read(written, name):
    (folder,) = read(TOP + row(written))

    assert [file[0] for file in folder.files] == [name]


@pytest.mark.parametrize(
    "path", ["../evil.zip", "/etc/evil.zip", "a/../../evil.zip", "a//evil.zip"]
)
def test_B19_a_path_that_leads_elsewhere_is_a_dead_letter(path):
    folders = read(TOP + row(path) + row("good.zip"))

    assert [file[0] for folder in folders for file in folder.files] == ["good.zip"]
    assert [type(note) for folder in folders for note in folder.notes] == [Unread]


def test_links_and_devices_are_no_files():
    (folder,) = read(TOP + row("latest", "3", "lrwxrwxrwx") + row("x -> y", "1", "lrwxrwxrwx"))

    assert (folder.files, folder.folders) == ([], [])


def test_a_time_out_of_range_was_not_said():
    (folder,) = read(TOP + "-rw-r--r--          12 (time out of range) a.zip\n")

    assert folder.files == [("a.zip", 12, None)]


def test_rsync_3_1_0_put_two_spaces_before_a_name():
    (folder,) = read(TOP.replace(" .", "  .") + row(" a.zip"))

    assert folder.files[0][0] == "a.zip"


def test_the_greeting_of_a_server_is_passed_over():
    (folder,) = read("Welcome to our mirror!\n\n" + TOP + row("a.zip"))

    assert folder.files[0][0] == "a.zip"
    assert folder.notes == []


def test_B05_one_broken_line_is_a_dead_letter():
    folders = read(TOP + row("a.zip") + "@ERROR: something\n" + row("b.zip"))

    assert [file[0] for folder in folders for file in folder.files] == ["a.zip", "b.zip"]
    assert [type(note) for folder in folders for note in folder.notes] == [Unread]


def test_A12_a_listing_that_ends_within_a_line_is_partial():
    folders = read(TOP + row("a.zip") + row("b.zip")[:-3])

    assert [type(note) for folder in folders for note in folder.notes] == [Partial]
    assert [file[0] for folder in folders for file in folder.files] == ["a.zip"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>Sorry</html>\n", b"[]\n", b"null", b"apache  Apache\n"]
)
def test_A01_what_is_no_listing_is_not_read(body):
    with pytest.raises(ValueError):
        read(body)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\\/"), min_size=1)))
def test_names_come_out_as_they_went_in(names):
    names = [name for name in names if name not in (".", "..")]
    folders = read(TOP + "".join(row("d/" + name) for name in ["x", *names]))

    assert [file[0] for folder in folders for file in folder.files] == ["x", *names]


@pytest.mark.parametrize(
    ("file", "count"),
    [("v3.0.9.txt", 1), ("v3.1.0.txt", 1), ("wicket.txt", 14), ("sourceforge-mirror.txt", 44)],
)
def test_recorded_listings_are_read_without_a_dead_letter(shared, file, count):
    folders = read((shared / "data/rsync" / file).read_bytes())

    assert sum(len(folder.files) for folder in folders) == count
    assert not [note for folder in folders for note in folder.notes]


def test_a_list_of_modules_is_no_listing_of_files(shared):
    with pytest.raises(ValueError, match="no row"):
        read((shared / "data/rsync/modules.txt").read_bytes())
