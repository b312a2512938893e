"""Recursive listings."""

from __future__ import annotations

import bz2
import gzip
import lzma
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats import ls_lr
from monitor.model import Partial, Unread
from tests.formats.answers import answer

LISTED = "Sat, 21 Nov 2026 20:00:00 GMT"
DEBIAN = """\
.:
total 336
-rw-rw-r--  2 dak debadmin   1499 Sep  5 10:41 README
drwxr-xr-x 23 dak debadmin   4096 Nov 18 16:36 pool
lrwxrwxrwx  1 dak debadmin      1 Nov 24  2010 debian -> .

./pool/main/f/foo:
total 2024
-rw-rw-r-- 2 dak debadmin 880340 May 25  2010 foo_1.6.2.1.orig.tar.gz
-rw-rw-r--+ 2 dak debadmin   1494 May 25  2010 foo_1.6.2.1-1.dsc
"""


def read(body, **headers):
    return list(ls_lr.folders(answer(body, last_modified=headers.pop("listed", LISTED), **headers)))


def row(date: str = "May 25  2010", name: str = "foo-1.0.tar.gz", mode: str = "-rw-r--r--") -> str:
    return f"{mode} 1 root root 12 {date} {name}\n"


def seconds(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


def when(date: str, listed: str = LISTED) -> int | None:
    (folder,) = read(".:\ntotal 4\n" + row(date), listed=listed)
    ((_, _, at),) = folder.files
    return at


def test_folders_have_their_files_and_links_are_none():
    top, foo = read(DEBIAN)

    assert (top.path, top.folders) == ("", ["pool"])
    assert top.files == [("README", 1499, seconds(2026, 9, 5, 10, 41))]
    assert foo.path == "pool/main/f/foo"
    assert foo.files[0] == ("foo_1.6.2.1.orig.tar.gz", 880340, seconds(2010, 5, 25))
    assert foo.files[1][0] == "foo_1.6.2.1-1.dsc"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, lambda data: data])
def test_a_compressed_listing_is_read_like_a_plain_one(pack):
    assert read(pack(DEBIAN.encode())) == read(DEBIAN)


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sep  5 10:41", (2026, 9, 5, 10, 41)),
        ("Nov 22 19:00", (2026, 11, 22, 19, 0)),  # less than a day after the listing
        ("Nov 23 19:00", (2025, 11, 23, 19, 0)),
        ("Jan 19 21:28", (2026, 1, 19, 21, 28)),
        ("Feb 29 10:00", (2024, 2, 29, 10, 0)),
        ("Jun 26  2010", (2010, 6, 26)),
        ("Jun  1  2027", (2027, 6, 1)),
        ("2010-05-25 10:41", (2010, 5, 25, 10, 41)),
        ("2010-05-25 10:41:07.000000000 +0200", (2010, 5, 25, 8, 41)),
        ("2026-05-05 ", (2026, 5, 5)),
        ("08-13 20:34", (2026, 8, 13, 20, 34)),
    ],
)
def test_B19_every_form_of_a_date_is_read_and_a_missing_year_follows_from_the_listing(date, moment):
    assert when(date) == seconds(*moment)


def test_B19_a_listing_of_january_has_rows_of_the_year_before():
    assert when("Dec 24 10:00", "Mon, 05 Jan 2026 00:00:00 GMT") == seconds(2025, 12, 24, 10)


@pytest.mark.parametrize("date", ["Mai 25  2010", "25. Mai 2010", "Jan  1  1970", "Feb 30  2010"])
def test_B19_a_date_in_another_language_or_of_no_calendar_was_not_said(date):
    assert when(date) is None


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (row(name="a b  c.zip"), "a b  c.zip"),
        (row(name=" leading.zip"), " leading.zip"),
        (row(name="arrow -> name"), "arrow -> name"),
        (row(name="ends with:"), "ends with:"),
        (row(mode="-rwsr-xr-t"), "foo-1.0.tar.gz"),
        (row(mode="-rw-r--r--."), "foo-1.0.tar.gz"),
        ("-rw-r--r-- 1 DOM\\domain users staff 12 May 25  2010 x.tgz\n", "x.tgz"),
        ("-rw-r--r-- 1 root root 1099511627776 May 25  2010 x.tgz\n", "x.tgz"),
    ],
)
def test_B19_odd_names_owners_modes_and_sizes_are_read(line, name):
    (folder,) = read(".:\ntotal 4\n" + line)

    assert [file[0] for file in folder.files] == [name]
    assert folder.notes == []


def test_B19_a_name_with_a_line_end_is_a_dead_letter_and_its_half_is_not_believed():
    (folder,) = read(
        ".:\ntotal 4\n" + row() + row(name="evil-1.0.tar.gz\nrest") + row(name="z.zip")
    )

    assert [file[0] for file in folder.files] == ["foo-1.0.tar.gz", "z.zip"]
    assert [type(note) for note in folder.notes] == [Unread, Unread]


def test_B19_a_folder_outside_of_the_listing_is_a_dead_letter():
    folders = read(DEBIAN + "\n./../etc:\ntotal 1\n" + row() + "\n/root:\ntotal 1\n" + row())

    assert [f.path for f in folders if f.files] == ["", "pool/main/f/foo"]
    assert sum(len(f.notes) for f in folders) == 2


def test_B19_devices_and_quoted_names_are_understood():
    body = '".":\ntotal 4\n' + row(name='"lat\\351 \\"x\\".txt"') + row(name='"n\\303\\251.zip"')
    (folder,) = read(body + 'brw-rw---- 1 root disk 8, 0 May 25  2010 "sda"\n')

    assert [file[0] for file in folder.files] == ['lat\udce9 "x".txt', "né.zip"]


def test_an_absolute_first_header_is_the_top():
    body = "/srv/ftp:\ntotal 4\n" + row() + "\n/srv/ftp/stable:\ntotal 4\n" + row()

    assert [folder.path for folder in read(body)] == ["", "stable"]


def test_find_ls_has_its_paths_in_the_rows():
    folders = read(
        " 12058625      4 drwxr-xr-x 194 svnwc    svnwc        4096 Sep 26 23:54 .\n"
        " 12190083      4 drwxrwxr-x   4 svnwc    svnwc        4096 May  4 15:57 ./perl\n"
        " 12083890     44 -rw-rw-r--   1 svnwc    svnwc       42740 Apr  3  2015 ./perl/a\\ b.zip\n"
    )

    assert [(f.path, f.files, f.folders) for f in folders] == [
        ("perl", [("a b.zip", 42740, seconds(2015, 4, 3))], []),
        ("", [], ["perl"]),
    ]


def test_B05_one_broken_line_is_a_dead_letter_and_all_others_are_read():
    lines = [row(name=f"foo-1.{i}.tar.gz") for i in range(1000)]
    lines.insert(500, "?? garbage ??\n")
    (folder,) = read(".:\ntotal 4\n" + "".join(lines))

    assert len(folder.files) >= 999
    assert any(isinstance(note, Unread) and "garbage" in note.raw for note in folder.notes)


def test_A12_a_listing_that_ends_within_a_line_is_partial():
    folders = read(DEBIAN[:-10])

    assert any(isinstance(note, Partial) for folder in folders for note in folder.notes)
    assert "foo_1.6.2.1-1.dsc" not in str([folder.files for folder in folders])


@pytest.mark.parametrize(
    "body", [b"", b"<html>\nSorry:\n</html>\n", b"[]", b"null", b"\xff\xfe", b"Error:\n", b"\n\n"]
)
def test_A01_what_is_no_listing_is_not_read(body):
    with pytest.raises(ValueError):
        read(body)


def test_B18_a_listing_is_cut_into_blocks_without_a_difference(monkeypatch):
    whole = ".:\ntotal 4\n" + "".join(
        f"\n./p{i}:\ntotal 4\n" + "".join(row(name=f"p{i}-1.{n}.tar.gz") for n in range(7))
        for i in range(200)
    )
    expected = read(whole)
    monkeypatch.setattr("monitor.formats.compressed.BLOCK", 300)

    assert read(whole) == expected
    assert sum(len(folder.files) for folder in expected) == 1400


@given(
    st.lists(
        st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]), min_size=1)
    )
)
def test_names_come_out_as_they_went_in(names):
    (folder,) = read(".:\ntotal 4\n" + "".join(row(name=name) for name in ["x", *names]))

    assert [file[0] for file in folder.files] == ["x", *names]


@given(st.binary(max_size=200))
def test_no_bytes_bring_anything_but_folders_or_a_value_error(data):
    with suppress(ValueError, EOFError):
        read(b".:\ntotal 1\n" + data)


@pytest.mark.parametrize(
    ("file", "count"),
    [("debian.txt", 18), ("ubuntu.txt", 18), ("short.txt", 6), ("find-ls-apache.txt", 7)],
)
def test_recorded_listings_are_read_without_a_dead_letter(shared, file, count):
    folders = read((shared / "data/ls-lR" / file).read_bytes())

    assert sum(len(folder.files) for folder in folders) == count
    assert not [n for folder in folders for n in folder.notes if isinstance(n, Unread)]
