"""Archives in folders become releases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import UsageError
from monitor.formats import archives, tree_json
from monitor.formats.archives import Listing
from monitor.formats.listing import Folder
from monitor.model import Release, Unread
from tests.formats.answers import answer

BASE = "https://up.example/pub/"


def releases(*folders, **how):
    return list(archives.releases(folders, BASE, **how))


def rows(*folders, **how):
    return [row for rows in archives.rows(folders, BASE, **how) for row in rows]


def folder(*names, path="", at=1000):
    return Folder(path, [(name, 12, at) for name in names])


def test_an_archive_is_a_release_with_its_file_date_and_spelling():
    (release,) = releases(folder("boost_1_84_0.tar.bz2", path="a b"))

    assert (release.project, release.version) == ("boost", "1_84_0")
    assert release.published == datetime(1970, 1, 1, 0, 16, 40, tzinfo=UTC)
    assert release.tag == "boost_1_84_0.tar.bz2"
    assert release.files[0].url == BASE + "a%20b/boost_1_84_0.tar.bz2"
    assert (release.files[0].size, release.files[0].kind) == (12, "source")


def test_signatures_and_digests_belong_to_the_release_and_make_none():
    (release,) = releases(
        folder("foo-1.tar.xz.sig", "foo-1.tar.xz", "foo-1.tar.xz.sha256", "foo-2.tar.xz.sig")
    )

    assert [(file.name, file.kind) for file in release.files] == [
        ("foo-1.tar.xz", "source"),
        ("foo-1.tar.xz.sig", "signature"),
        ("foo-1.tar.xz.sha256", "digest"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("README", "foo-latest.tar.gz", "foo-1.0.tar.gz.sig", "patch-6.8.1.xz", "foo_1.0-1.dsc"),
        *(
            "foo_1.0-1.debian.tar.xz",
            "foo_1.0-1.diff.gz",
            "foo-1.0-1.1.patch.gz",
            "foo_1.0_amd64.deb",
        ),
        *(
            "sha256sums.asc",
            "LATEST-IS-3.24",
            ".foo-1.0.tar.gz.a8Xq2",
            "foo-1.0.shar.gz",
            "foo.tar.gz",
        ),
    ],
)
def test_B20_what_is_no_source_archive_is_no_release(name):
    assert releases(folder(name)) == []
    assert rows(folder(name)) == []


def test_the_name_of_the_folder_is_the_project_and_other_products_in_it_are_left_out():
    found = releases(
        folder("GCC-1.0.tar.gz", "gcc-core-1.0.tar.gz", path="gcc"),
        folder("gcc-2.0.tar.gz", path="gcc/gcc-2.0"),
        folder("only-3.0.tar.gz", path="other"),
        folder("above-1.0.tar.gz"),
        depth=1,
    )

    assert [(r.project, r.version) for r in found] == [
        ("gcc", "1.0"),
        ("gcc", "2.0"),
        ("other", "3.0"),
    ]
    assert found[1].files[0].url == BASE + "gcc/gcc-2.0/gcc-2.0.tar.gz"


@pytest.mark.parametrize("name", ["gcc-g77-2.95.tar.gz", "gcc5-ga-3.5-0.tar.bz2"])
def test_the_rest_of_a_longer_name_is_no_version(name):
    assert [r.version for r in releases(folder("gcc-2.95.tar.gz", name), project="gcc")] == ["2.95"]


def test_a_version_in_two_forms_is_one_release_dated_by_the_first():
    young, old = ("foo-1.0.tar.gz", 5, 900), ("foo-1.0.tar.xz", 4, 800)
    (release,) = releases(Folder("", [young, old]))

    assert release.published == datetime(1970, 1, 1, 0, 13, 20, tzinfo=UTC)
    assert [file.size for file in release.files] == [5, 4]
    assert rows(Folder("", [young, old])) == [("foo", "1.0", 800, None, BASE + "foo-1.0.tar.gz")]


@pytest.mark.parametrize(
    "name", ["foo-1.0\x1b[31m.tar.gz", "foo\u202e-1.0.tar.gz", "fo\udce9-1.0.tar.gz"]
)
def test_B07_names_that_cannot_be_taken_are_no_release(name):
    found = releases(folder(name))

    assert not [finding for finding in found if isinstance(finding, Release)]
    assert rows(folder(name)) == []


def test_dead_letters_of_the_listing_are_told():
    assert releases(Folder("", notes=[Unread("x", "y")])) == [Unread("x", "y")]
    assert releases(Folder("", notes=[Unread("x", "y")]), depth=1) == [Unread("x", "y")]


NAMES = st.from_regex(
    r"\A[A-Za-z]{1,4}([-_.][A-Za-z+]{1,4}){0,2}[-_]v?[0-9]{1,3}(\.[0-9]{1,2}){0,3}"
    r"(\.orig)?\.(tar\.(gz|xz|bz2)|tgz|zip)(\.sig|\.asc)?\Z"
)


@given(st.lists(NAMES, max_size=8, unique=True))
def test_rows_say_the_same_as_releases(names):
    listed = Folder("d", [(name, None, at) for at, name in enumerate(names, 1)])
    found = [r for r in releases(listed) if isinstance(r, Release)]

    assert sorted((r[0], r[1], r[2]) for r in rows(listed)) == sorted(
        (r.project, r.version, int(r.published.timestamp())) for r in found if r.published
    )


# Names as servers have them, plain ones and all others, of few projects so that they meet.
PARTS = st.sampled_from(
    """foo Foo foo-bar libfoo2 g77 x11 font-75dpi 7zip foo-1.2 foo_1 foo-Latest foo.debian.tar.x
    foo-v2 foo.diff foo-amd64 patch 3d foo-rc1""".split()  # noqa: SIM905
)
ENDS = st.sampled_from(
    """.tar.gz .tar.xz .tgz .zip .tar .gem .gz .orig.tar.gz +dfsg1.orig.tar.xz .debian.tar.xz
    .diff.gz -linux-x86_64.tar.gz -src.zip rc1.tar.gz -1.tar.gz .tar.gz.sig .tar.gz.sha256 .exe .7z
    -latest.tar.gz .shar.gz -g1a2b3c4.tar.gz é.zip""".split()  # noqa: SIM905
)
FILES = st.builds(
    lambda stem, sep, version, end: f"{stem}{sep}{version}{end}",
    PARTS,
    st.sampled_from(["-", "_", "-v", ""]),
    st.sampled_from(["1.0", "1", "1.2.3", "20200101", "2.0", "1_2", ""]),
    ENDS,
)


@settings(max_examples=500)
@given(
    st.dictionaries(FILES, st.none() | st.integers(1, 9), max_size=8),
    st.sampled_from(["", "d", "foo", "libfoo2", "a/foo-1.2", "a b/v2.0"]),
)
@example({"foo-Latest-1.0.tar.gz": 1}, "")
@example({"g77-1.0.tar.gz": 1, "foo-1.0.tar": None, "foo-1.0.tar.gz": 3}, "")
def test_rows_by_name_are_those_of_the_long_way(files, path):
    listed = Folder(path, [(name, None, at) for name, at in files.items()])

    short = sorted(archives._rows_by_name(listed, BASE), key=str)

    assert short == sorted(archives._rows(None, [listed], BASE), key=str)


def test_rows_of_a_recorded_tree_are_those_of_the_long_way(shared):
    tree = list(tree_json.folders(answer((shared / "data/gnu/tree.json.gz").read_bytes())))
    short = [row for listed in tree for row in archives._rows_by_name(listed, BASE)]

    assert len(short) > 5000
    assert short == [row for listed in tree for row in archives._rows(None, [listed], BASE)]


@given(NAMES)
def test_the_shortcut_for_plain_names_says_what_the_long_way_says(name):
    plain = archives._PLAIN(name)
    (split,) = archives.split_folder([name])

    assert plain is None or (plain[1], plain[2]) == (split.name, split.version)


@pytest.mark.parametrize("project", ["..", "../etc", "", "a/../b", "/etc", "a\nb"])
def test_a_project_cannot_lead_out_of_the_server(project):
    listing = Listing("rsync://up.example/m/{project}/", tree_json.folders, BASE)

    with pytest.raises(UsageError):
        listing.of(project)


def test_a_listing_may_count_from_a_folder_on():
    body = [
        {"type": "directory", "name": ".", "contents": [
            {"type": "directory", "name": "gnu", "contents": [
                {"type": "directory", "name": "foo", "contents": [
                    {"type": "file", "name": "foo-1.0.tar.gz", "size": 12, "time": "1569969605"},
                    {"type": "link", "name": "foo-latest.tar.gz", "target": "x"}]}]},
            {"type": "directory", "name": "old", "contents": [
                {"type": "file", "name": "bar-1.0.tar.gz", "size": 12, "time": "1"}]}]},
        {"type": "report", "directories": 3, "files": 2},
    ]  # fmt: skip
    listing = Listing("https://up.example/tree.json", tree_json.folders, BASE, depth=1, under="gnu")
    (release,) = listing.read(answer(body))

    assert (release.project, release.files[0].url) == ("foo", BASE + "foo/foo-1.0.tar.gz")
    assert release.published == datetime(2019, 10, 1, 22, 40, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"<html>", [{"type": "directory", "name": "."}]]
)
def test_A12_a_tree_without_its_report_is_not_read(body):
    with pytest.raises(ValueError):
        list(tree_json.folders(answer(body)))
