"""Laws of splitting that hold for whole families of names."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.formats import archive_names
from monitor.formats.archive_names import Split, split, split_file, split_folder, split_many
from monitor.formats.names.ends import trim
from monitor.formats.names.words import CONTENTS, PLATFORMS, UNFINISHED

# Words that are neither read as part of a version nor as what surrounds one.
words = st.from_regex(r"[A-Za-z]{2,9}", fullmatch=True).filter(
    lambda word: word.lower() not in UNFINISHED | CONTENTS | PLATFORMS
)
names = st.builds(
    lambda parts, sep, digits: sep.join(parts) + digits,
    st.lists(words, min_size=1, max_size=4),
    st.sampled_from("-_"),
    st.sampled_from(["", "", "", "2", "3", "11"]),
).filter(lambda name: not name.endswith(("64", "86", "32")))
numbers = st.lists(st.integers(0, 99).map(str), min_size=2, max_size=4).map(".".join)
versions = st.builds(
    str.__add__,
    numbers,
    st.sampled_from(
        ["", "", "", "a", "rc1", "b2", ".post1", "-rc1", "-beta2", "-1", "+git20230121"]
    ),
)
archives = st.sampled_from(["tar.gz", "tar.xz", "tar.bz2", "tgz", "zip", "tar.zst", "tar.lz"])
contents = st.sampled_from(["", "", "-src", ".src", "-source", "-linux-x86_64", "-win64", "_all"])
texts = st.text(max_size=80) | st.text("abv12.-_+~/@:?&=%#rcx ", max_size=60)


@given(names, versions, contents, archives)
def test_a_name_with_its_version_comes_apart_into_both(
    name: str, version: str, content: str, archive: str
) -> None:
    found = split(f"{name}-{version}{content}.{archive}")

    assert (found.name, found.version, found.extension) == (name, version, archive)


@given(names, versions, archives)
def test_a_known_name_is_always_found(name: str, version: str, archive: str) -> None:
    for glue in ("-", "_", "-v"):
        found = split(f"{name}{glue}{version}.{archive}", project=name)

        assert (found.name, found.version) == (name, version)


@given(names, versions, archives, st.sampled_from(["sig", "asc", "sha256", "md5"]))
def test_what_is_about_a_file_has_the_version_of_the_file(
    name: str, version: str, archive: str, side: str
) -> None:
    whole = split(f"{name}-{version}.{archive}")
    about = split(f"{name}-{version}.{archive}.{side}")

    assert (about.name, about.version) == (whole.name, whole.version)
    assert about.extension == f"{archive}.{side}"
    assert about.kind in ("signature", "digest")


@given(names, versions)
def test_a_forge_adds_nothing_to_the_tag_it_makes_an_archive_of(name: str, version: str) -> None:
    base = "https://github.example/owner/repository"

    for tag in (f"v{version}", f"{name}-{version}"):
        alone = split(tag)
        there = split(f"{base}/archive/refs/tags/{tag}.tar.gz")

        assert there.version == alone.version == version
        assert there.name == (alone.name or "repository")


@given(names, versions, archives, contents)
@example("libX11", "1.8.7", "tar.gz", "")
@example("foo_bar", "45.0", "zip", ".src")
def test_the_short_way_says_what_the_long_way_says(
    name: str, version: str, archive: str, content: str
) -> None:
    for text in (
        f"{name}-{version}{content}.{archive}",
        f"{name}_{version}.orig.{archive}",
        f"v{version}.{archive}",
        f"{name}-{version.partition('.')[0]}.{archive}",
    ):
        long = archive_names._file(text, text, None, None, ())

        assert split(text) == long


# What a stem may be made of, and what of it looks like a version, a machine or a commit itself.
PIECES = """
    foo bar alpha beta rc pre dev src 3d 2to3 g77 x11 gtk2 libX11 p1 r5 v2 rc1 100f 1a 7zip el7
    win32 x86 amd64 i386 b2 b post1 2f3 M3 a2 v1a 75dpi py3 10b 4rc1 release1 1 2 20200101 1.2 1.2.3
    v1.2 2.13 2024 tcl8.6 soup3.3 x86_64 darwin9.8 jpegsrc.v9 unzip60 R15B01 g1a2b3c4 464e9d8 with
    msys release1.1.orig 1.orig 1.2.bottle orig debian latest release v src.2 + ~ 9f 8u92 0000001
""".split()  # noqa: SIM905
stems = st.lists(
    st.tuples(st.sampled_from(PIECES), st.sampled_from("--__.+~")), min_size=1, max_size=4
).map(lambda parts: "".join(map("".join, parts))[:-1])
tricky = st.lists(
    st.sampled_from("0 1 2 3 9 10 32 64 86 386 1.1 2024 20200101 1234567 999999".split()),  # noqa: SIM905
    min_size=2,
    max_size=4,
).map(".".join)


TAILS = """
    -linux-x86_64.tar.gz _amd64.deb -deps.tar.xz .gh.tar.gz -frappe-blue.zip .x86_64.rpm .tar.gz.sig
    -darwin-arm64 -beta -rc1 .Final.jar -with-nspr.tar.gz -windows.exe.sha256 .orig.tar.xz -g1a2b3c4
    -git20240101.tar.gz .dev-src.zip -macos12-x64.dmg _all-in-one.tar.bz2 -p4-win32.zip.asc .patch
    rc1.tar.gz a.zip -1.tar.xz z.exe .7z .7.zip ..tar.gz -- .gz .bz2.sig .whl -1.fc40.src.rpm
    -2_amd64.deb
    .orig-data.tar.xz .debian.tar.xz -1.debian.tar.gz +ds.orig.tar.gz _1.orig.tar.gz -64.zip
    _32.tar.gz
    -1a2b3c4d.tar.gz -20240101.tgz _20240101-src.zip -v2.zip /x.zip ?a=1 @2 %20b.zip -bar1_2_3.zip
    .apk bit-x64.zip -psf-20150529.tar.gz _PUBLIC_20260605.zip -ucrt-ubuntu-20.04.tgz .cpp-src.zip
""".split()  # noqa: SIM905


@settings(max_examples=1000)
@given(
    names | stems,
    versions | tricky,
    st.sampled_from(["-", "_", "-v", "_V"]),
    st.sampled_from(TAILS),
)
@example("patch", "6.7", "-", ".xz")
@example("ngspice", "47.7", "_", "z")
@example("foo", "10.56.7", "-", "z")
@example("foo-src", "1.0", "-", "-linux-x86_64.tar.gz")
@example("foo-", "1.0", "-", ".tar.gz")
@example("RELEASE", "12.1", "-", "")
def test_what_ends_many_names_alike_says_the_same_of_each(
    name: str, version: str, separator: str, tail: str
) -> None:
    for text in (name + separator + version + tail, version + tail, "v" + version + tail):
        assert split(text) == archive_names._split_long(text, None, None, ())


@settings(max_examples=1000)
@given(stems, st.sampled_from(["-", "_", "-v", "_V"]), tricky, archives)
@example("font-adobe-75dpi", "-", "1.0.3", "tar.bz2")
@example("x86", "_", "64.1", "tar.gz")
@example("post1-release1.1.orig_3", "_", "32.999", "tar.gz")
@example("foo-1.2.3", "-", "7919.7919", "zip")
@example("jpegsrc.v9-alpha", "-", "0.0", "tar.gz")
@example("p1.rc", "_", "1", "zip")
@example("foo-v4l", "_", "2020", "zip")
def test_what_stands_before_a_dotted_version_says_the_same_of_each(
    stem: str, separator: str, version: str, archive: str
) -> None:
    for end in ("", "-linux", "rc1", "-1"):
        text = f"{stem}{separator}{version}{end}.{archive}"

        assert split(text) == archive_names._split_long(text, None, None, ())


@settings(max_examples=500)
@given(stems, tricky, st.sampled_from(["", "+dfsg1", "~rc1", "+ds.orig", "a"]), archives)
@example("foo-amd64", "1.2", "+dfsg", "tar.xz")
def test_debians_archive_of_an_upstream_is_read_by_its_rule(
    stem: str, version: str, more: str, archive: str
) -> None:
    for separator in "_-":
        text = f"{stem}{separator}{version}{more}.orig.{archive}"

        assert split(text) == archive_names._split_long(text, None, None, ())


@settings(max_examples=500)
@given(texts, st.none() | texts, st.none() | texts, st.lists(texts, max_size=3))
@example("", "", "", [])
@example("https://", None, None, [])
@example("//", None, None, [])
@example("?", None, None, [])
@example("a/archive/b/c", None, None, [])
@example("https://h/a/b/releases", None, None, [])
@example("https://h/a/b/archive/refs/tags/", None, None, [])
@example("https://h/repository/archive.zip", None, None, [])
def test_no_text_is_too_strange(
    text: str, project: str | None, folder: str | None, siblings: list[str]
) -> None:
    found = split(text, project=project, folder=folder, siblings=siblings)

    assert found.input == text
    assert 0.0 <= found.confidence <= 1.0
    assert found.version != ""
    assert found.name != ""
    if found.version:
        assert found.version.isascii()
        assert found.version.isprintable()


@given(st.lists(texts, max_size=6))
def test_many_texts_give_as_many_answers_in_their_order(many: list[str]) -> None:
    assert [one.input for one in split_many(many)] == many
    assert [one.input for one in split_folder(many)] == many


@given(texts)
def test_splitting_again_says_the_same(text: str) -> None:
    assert split(text) == split(text)
    assert split_file(text) == split_file(text)


@given(names, versions, archives)
def test_a_folder_of_one_project_has_one_name(name: str, version: str, archive: str) -> None:
    files = [f"{name}-{v}.{archive}" for v in (version, "1.0", "1.1", "2.0")]

    assert {found.name for found in split_folder(files)} == {name}


@given(names, versions)
def test_what_is_cut_off_the_end_is_cut_off_once(name: str, version: str) -> None:
    rest, _ = trim(f"{name}-{version}-src-linux-x86_64", maven=False)

    assert rest == f"{name}-{version}"
    assert trim(rest, maven=False) == (rest, None)


def test_an_answer_cannot_be_changed() -> None:
    found: Split = split("foo-1.0.tar.gz")

    assert hash(found) == hash(split("foo-1.0.tar.gz"))
