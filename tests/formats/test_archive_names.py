"""Names, tags and addresses are taken apart as their publishers meant them."""

from __future__ import annotations

import pytest

from monitor.formats.archive_names import (
    LONGEST,
    split,
    split_file,
    split_folder,
    split_many,
    split_tag,
    split_url,
)

# Names that other tools get wrong; the reference's table of hard names is among them.
HARD = {
    "gtk+-3.24.38.tar.xz": ("gtk+", "3.24.38"),
    "ImageMagick-7.1.1-29.tar.xz": ("ImageMagick", "7.1.1-29"),
    "boost_1_84_0.tar.bz2": ("boost", "1_84_0"),
    "sqlite-autoconf-3450100.tar.gz": ("sqlite-autoconf", "3450100"),
    "libX11-1.8.7.tar.xz": ("libX11", "1.8.7"),
    "xf86-video-intel-2.99.917.tar.bz2": ("xf86-video-intel", "2.99.917"),
    "bzip2-1.0.8.tar.gz": ("bzip2", "1.0.8"),
    "pcre2-10.42.tar.bz2": ("pcre2", "10.42"),
    "linux-6.7-rc1.tar.gz": ("linux", "6.7-rc1"),
    "xterm-389.tgz": ("xterm", "389"),
    "less-643.tar.gz": ("less", "643"),
    "unzip60.tar.gz": ("unzip", "60"),
    "7z2301-src.tar.xz": ("7z", "2301"),
    "p7zip_16.02_src_all.tar.bz2": ("p7zip", "16.02"),
    "dash_0.5.12.orig.tar.gz": ("dash", "0.5.12"),
    "tcl8.6.13-src.tar.gz": ("tcl", "8.6.13"),
    "go1.21.6.src.tar.gz": ("go", "1.21.6"),
    "tzdata2024a.tar.gz": ("tzdata", "2024a"),
    "jpegsrc.v9f.tar.gz": ("jpegsrc", "9f"),
    "icu4c-74_2-src.tgz": ("icu4c", "74_2"),
    "font-adobe-100dpi-1.0.4.tar.xz": ("font-adobe-100dpi", "1.0.4"),
    "nss-3.97-with-nspr-4.35.tar.gz": ("nss", "3.97"),
    "v8-12.1.285.tar.gz": ("v8", "12.1.285"),
    "w3m_0.5.3+git20230121.orig.tar.gz": ("w3m", "0.5.3+git20230121"),
    "libfoo-0.9~beta2.tar.gz": ("libfoo", "0.9~beta2"),
    "node-v20.11.0.tar.gz": ("node", "20.11.0"),
    "log4j-1.2-api-2.22.1.jar": ("log4j-1.2-api", "2.22.1"),
    "openssl-1.1.1w.tar.gz": ("openssl", "1.1.1w"),
    "sudo-1.9.15p5.tar.gz": ("sudo", "1.9.15p5"),
    "openssh-9.6p1.tar.gz": ("openssh", "9.6p1"),
    "php-8.3.2RC1.tar.xz": ("php", "8.3.2RC1"),
    "gnupg-w32-2.4.4_20240125.exe": ("gnupg-w32", "2.4.4_20240125"),
    "aspell6-en-2020.12.07-0.tar.bz2": ("aspell6-en", "2020.12.07-0"),
    "lame-398-2.tar.gz": ("lame", "398-2"),
    "kvm-unit-tests-v2026-04-17.tar.bz2": ("kvm-unit-tests", "2026-04-17"),
    "otp_src_R13B.tar.gz": ("otp_src", "R13B"),
    "mksh-R59c.tgz": ("mksh", "59c"),
    "wireless_tools.30.pre9.tar.gz": ("wireless_tools", "30.pre9"),
    "foo.bar.la.1.14.zip": ("foo.bar.la", "1.14"),
    "STAR-CCM+11.06.010_02_linux-x86_64.tar.gz": ("STAR-CCM+", "11.06.010_02"),
    "3to2-1.1.1.zip": ("3to2", "1.1.1"),
    "2048-0.9.tar.gz": ("2048", "0.9"),
    "kafka_2.13-4.3.1.tgz": ("kafka_2.13", "4.3.1"),
    "pypy3.10-v7.3.12-src.tar.bz2": ("pypy3.10", "7.3.12"),
    "LVM2.2.03.31.tgz": ("LVM2", "2.03.31"),
    "mono-6.12.0.206-gtksharp-2.12.45-win32.msi": ("mono", "6.12.0.206"),
    "b8117.tar.gz": (None, "b8117"),
    "v0.8.1.tar.gz": (None, "0.8.1"),
    "2026-06-04.tar.xz": (None, "2026-06-04"),
    # glued contents and systems
    "winico06src.zip": ("winico", "06"),
    "flare06linux.tgz": ("flare", "06"),
    "foo-1.2src.tar.gz": ("foo", "1.2"),
    "linux64src.zip": ("linux64", None),
    # how it was made is no part of it; which build it is may be
    "Ghidra_12.0.4_build.tar.gz": ("Ghidra", "12.0.4"),
    "foo-1.0-build3.tar.gz": ("foo", "1.0-build3"),
    "mdk4-4.2_p20240816.gh.tar.gz": ("mdk4", "4.2_p20240816"),
    "Isabelle2025-2_linux.tar.gz": ("Isabelle", "2025-2"),
    "proton-mail-bin-1.12.1.rpm": ("proton-mail-bin", "1.12.1"),
    "teams-for-linux-2.11.1.x86_64.rpm": ("teams-for-linux", "2.11.1"),
    "Bisq-64bit-1.9.12.rpm": ("Bisq-64bit", "1.9.12"),
    "foo_foo-0.9.orig.tar.gz": ("foo_foo", "0.9"),
    # a number that belongs to a machine, a system or another library
    "ConsoleZ.x64.1.19.0.19104.zip": ("ConsoleZ.x64", "1.19.0.19104"),
    "dotPeek64.2026.2.1.exe": ("dotPeek64", "2026.2.1"),
    "virt-viewer-x64-11.0-1.0.msi": ("virt-viewer-x64", "11.0-1.0"),
    "liteidex38.3-win64-qt5.15.2.zip": ("liteidex", "38.3"),
    "llvm-mingw-20251216-ucrt-ubuntu-22.04-x86_64.tar.xz": ("llvm-mingw", "20251216"),
    "rdiff-backup-2.2.6.win64exe.zip": ("rdiff-backup", "2.2.6"),
    "PAGIT.V1.01.64bit.tgz": ("PAGIT", "1.01"),
    "win-acme.v2.2.9.1701.x64.trimmed.zip": ("win-acme", "2.2.9.1701"),
    "keybinder-3.0-v0.3.2.tar.gz": ("keybinder-3.0", "0.3.2"),
    "encryptpad0_5_0_4_win32.zip": ("encryptpad", "0_5_0_4"),
    "re2-2025-08-12.tar.gz": ("re2", "2025-08-12"),
    "wsl-terminal-0.9.2.7z": ("wsl-terminal", "0.9.2"),
    "10.56.7z": (None, "10.56"),
    "7z19.00-x64.zip": ("7z", "19.00"),
    "edk2-stable202511.tar.gz": ("edk2", "202511"),
    "Pari64-2-17-4.exe": ("Pari64", "2-17-4"),
}

TAGS = {
    "v1.2": (None, "1.2"),
    "1.2.3-beta.1+build.5": (None, "1.2.3-beta.1+build.5"),
    "release-1_2": (None, "1_2"),
    "release/2.0.0": (None, "2.0.0"),
    "release0_9_11": (None, "0_9_11"),
    "refs/tags/v1.2^{}": (None, "1.2"),
    "R_2_6_0": (None, "2_6_0"),
    "REL_16_1": (None, "16_1"),
    "VERSION_1_2": (None, "1_2"),
    "n4.4": (None, "4.4"),
    "2024-01-15": (None, "2024-01-15"),
    "20240115": (None, "20240115"),
    "debian/1.2-3": (None, "1.2-3"),
    "project-1.2": ("project", "1.2"),
    "curl-8_5_0": ("curl", "8_5_0"),
    "libfoo_1_2_3": ("libfoo", "1_2_3"),
    "OpenSSL_1_1_1w": ("OpenSSL", "1_1_1w"),
    "foo/v1.2": ("foo", "1.2"),
    "sdk/storage/azblob/v1.2.0": ("sdk/storage/azblob", "1.2.0"),
    "@scope/pkg@1.2.3": ("@scope/pkg", "1.2.3"),
    "%40scope%2Fpkg%401.2.3": ("@scope/pkg", "1.2.3"),
    "trilinos-release-12-10-1": ("trilinos", "12-10-1"),
    "jdk-21+35": ("jdk", "21+35"),
    "OTP_R15B03-1": ("OTP", "R15B03-1"),
    "swift-5.9.2-RELEASE": ("swift", "5.9.2"),
    "v1.2.3-stable": (None, "1.2.3"),
    "rust-v0.149.0": ("rust", "0.149.0"),
    "v3.0-15-g1a2b3c4": (None, "3.0-15-g1a2b3c4"),
    "v3.0-0-g1a2b3c4": (None, "3.0"),
}

URLS = {
    "https://forge.example/o/name/archive/refs/tags/v1.2.tar.gz": ("name", "1.2", "tar.gz"),
    "https://github.example/o/name/archive/v1.2/name-1.2.tar.gz": ("name", "1.2", "tar.gz"),
    "https://github.example/o/name/releases/download/v0.20.1/name": ("name", "0.20.1", ""),
    "https://github.example/o/n/releases/download/v1.8.1/n-x86_64-windows.exe": (
        "n",
        "1.8.1",
        "exe",
    ),
    "https://github.example/o/n/releases/download/v1.0-2/n-1.0-x64.zip": ("n", "1.0-2", "zip"),
    "https://gitlab.example/g/name/-/archive/v1.2/name-v1.2.tar.bz2": ("name", "1.2", "tar.bz2"),
    "https://gitlab.example/g/name/repository/archive.tar.gz?ref=v0.3.0": (
        "name",
        "0.3.0",
        "tar.gz",
    ),
    "https://codeload.example/o/name/tar.gz/v0.7.1": ("name", "0.7.1", ""),
    "https://sourceforge.example/projects/glew/files/glew/2.0.0/glew-2.0.0.tgz/download": (
        "glew",
        "2.0.0",
        "tgz",
    ),
    "https://php.example/get/php-7.1.10.tar.gz/from/this/mirror": ("php", "7.1.10", "tar.gz"),
    "https://x.example/download.php?filename=slepc-3.6.2.tar.gz": ("slepc", "3.6.2", "tar.gz"),
    "https://x.example/get?path=a-4.1.8.tar.gz&file=1&id=26": ("a", "4.1.8", "tar.gz"),
    "https://x.example/sionlib/download.php?version=1.7.1": ("sionlib", "1.7.1", "php"),
    "https://mirrors.example/war/1.486/jenkins.war": ("jenkins", "1.486", "war"),
    "https://x.example/odbc/releases/REL-18_00_0002/psqlodbc.msi": (
        "psqlodbc",
        "18_00_0002",
        "msi",
    ),
    "https://x.example/stable/20260307-1417/fiji-jdk.zip": ("fiji-jdk", "20260307-1417", "zip"),
    "https://x.example/CLIPS/6.40/clips_core_640.tar.gz": ("clips_core", "6.40", "tar.gz"),
    "https://x.example/CLIPS/6.41/clips_core_640.tar.gz": ("clips_core", "640", "tar.gz"),
    "https://x.example/zip/lsqlite3_v097.zip?uuid=v0.9.7": ("lsqlite3", "0.9.7", "zip"),
    # a file of another count than the release's
    "https://github.example/o/n/releases/download/v1.9.2607/n_2026_07_29.zip": (
        "n",
        "1.9.2607",
        "zip",
    ),
    "https://github.example/o/n/releases/download/2021.01.04/n-20191221.zip": (
        "n",
        "20191221",
        "zip",
    ),
    "https://github.example/o/n/releases/download/v1.0.92.0/n_1.0_Preview3_1.0.92.0.zip": (
        "n_1.0_Preview3",
        "1.0.92.0",
        "zip",
    ),
    "https://github.example/o/n/releases/download/0.14rc2/n-0.14rc2-lib-2.3.8b.tar.xz": (
        "n",
        "0.14rc2",
        "tar.xz",
    ),
    "https://github.example/o/n/releases/download/n-20250417/n-26.0w-20250417.tar.gz": (
        "n",
        "26.0w-20250417",
        "tar.gz",
    ),
    "https://x.example/packages/pandas-0.16.0.tar.gz#md5=bfe311f05dc0c351f8955fbd1e296e73": (
        "pandas",
        "0.16.0",
        "tar.gz",
    ),
    "https://x.example/elib.intl_0.0.3%7Egit20110809.orig.tar.gz": (
        "elib.intl",
        "0.0.3~git20110809",
        "tar.gz",
    ),
    "https://x.example/npm/@angular/cli/-/cli-1.3.0-beta.1.tgz": ("cli", "1.3.0-beta.1", "tgz"),
    "https://x.example/blast-forum/cblas.tgz": ("cblas", None, "tgz"),
}

KINDS = {
    "foo-1.2.tar.gz": ("source", "tar.gz"),
    "foo-1.2.tar.gz.sig": ("signature", "tar.gz.sig"),
    "linux-6.7.tar.sign": ("signature", "tar.sign"),
    "foo-1.2.tar.gz.sha256": ("digest", "tar.gz.sha256"),
    "foo-1.2.tar.gz.sha256.asc": ("signature", "tar.gz.sha256.asc"),
    "SHA256SUMS": ("digest", "SHA256SUMS"),
    "SHA256SUMS.asc": ("signature", "SHA256SUMS.asc"),
    "foo-1.2.patch.gz": ("patch", "patch.gz"),
    "patch-6.7.xz": ("patch", "xz"),
    "foo_1.2-3.diff.gz": ("patch", "diff.gz"),
    "foo_1.2-3.dsc": ("metadata", "dsc"),
    "glib-2.78.3.news": ("metadata", "news"),
    "foo-1.2-linux-x86_64.tar.gz": ("binary", "tar.gz"),
    "git-lfs-windows-amd64-v3.7.1.zip": ("binary", "zip"),
    "love-0.7.2-linux-src.tar.gz": ("source", "tar.gz"),
    "foo-1.2.exe": ("binary", "exe"),
    "waf-2.1.9": ("source", ""),
    "README": ("unknown", ""),
}

# Formats with a rule of their own.
EXACT = {
    "numpy-1.26.3-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl": ("numpy", "1.26.3"),
    "foo_bar-1.0-1-py3-none-any.whl": ("foo_bar", "1.0"),
    "nokogiri-1.13.0-x86_64-linux.gem": ("nokogiri", "1.13.0"),
    "serde-1.0.195.crate": ("serde", "1.0.195"),
    "mtools_4.0.18-1_i386.deb": ("mtools", "4.0.18-1"),
    "foo-libs-1.2.3-4.fc39.x86_64.rpm": ("foo-libs", "1.2.3-4.fc39"),
    "foo-1.2.3-4.fc39.src.rpm": ("foo", "1.2.3-4.fc39"),
    "foo_1.2-3.debian.tar.xz": ("foo", "1.2-3"),
    "busybox-1.36.1-r5.apk": ("busybox", "1.36.1-r5"),
    "TH.data_1.0-8.tar.gz": ("TH.data", "1.0-8"),
    "Dist-Zilla-v6.031-TRIAL.tar.gz": ("Dist-Zilla", "6.031-TRIAL"),
    "guava-31.1-jre-sources.jar": ("guava", "31.1-jre"),
    "netty-all-4.1.100.Final.jar": ("netty-all", "4.1.100.Final"),
    "antlr-3.4-complete.jar": ("antlr", "3.4"),
    "erlang-R15B01.mountain_lion.bottle.tar.gz": ("erlang", "R15B01"),
    "qt-4.8.1.lion.bottle.1.tar.gz": ("qt", "4.8.1"),
}


@pytest.mark.parametrize("name", HARD)
def test_a_hard_file_name_gives_its_name_and_version(name: str) -> None:
    found = split(name)

    assert (found.name, found.version) == HARD[name]


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_gives_its_version_and_the_package_it_is_for(tag: str) -> None:
    found = split(tag)

    assert (found.name, found.version) == TAGS[tag]
    assert split_tag(tag) == found


@pytest.mark.parametrize("url", URLS)
def test_an_address_gives_what_its_file_forge_query_or_folder_says(url: str) -> None:
    found = split(url)

    assert (found.name, found.version, found.extension) == URLS[url]
    assert found == split_url(url)
    assert found.input == url


@pytest.mark.parametrize("name", KINDS)
def test_the_end_of_a_name_says_what_the_file_is(name: str) -> None:
    found = split(name)

    assert (found.kind, found.extension) == KINDS[name]


@pytest.mark.parametrize("name", EXACT)
def test_a_format_with_a_rule_is_read_by_its_rule(name: str) -> None:
    found = split(name)

    assert (found.name, found.version) == EXACT[name]


@pytest.mark.parametrize(
    "text",
    [
        *("latest", "stable", "nightly", "trunk", "master", "foo-latest.tar.gz", ""),
        *("257ec5951e7d4086344d98c99ebbe569f7c31211", "foo-9f2c32d.tar.gz"),
        *("bzip2.tar.gz", "base64.tar.gz"),
    ],
)
def test_what_names_no_version_gives_none(text: str) -> None:
    found = split(text)

    assert found.version is None
    assert found.confidence < 0.5


def test_a_word_for_what_moves_is_neither_version_nor_name() -> None:
    assert split("foo-latest.tar.gz").name == "foo"


def test_underscores_are_kept_as_published_and_read_with_dots_beside() -> None:
    assert split("boost_1_84_0.tar.bz2").version == "1_84_0"
    assert split("boost_1_84_0.tar.bz2").alias_version == "1.84.0"
    assert split("gnupg-w32-2.4.4_20240125.exe").alias_version is None


def test_a_commit_behind_a_version_is_no_part_of_it_but_a_date_or_revision_is() -> None:
    assert split("imx-codec-4.10.0-464e9d8.bin").version == "4.10.0"
    assert split("mawk-1.3.4-20250131.tgz").version == "1.3.4-20250131"
    assert split("CUnit-2.1-3.tar.bz2").version == "2.1-3"


def test_the_platform_is_told_as_it_was_written() -> None:
    assert split("node-v20.11.0-linux-x64.tar.xz").platform == "linux-x64"
    assert split("foo-1.0-py3-none-any.whl").platform == "py3-none-any"
    assert split("qt-4.8.0.lion.bottle.tar.gz").platform == "lion"


def test_a_known_project_decides_where_the_version_begins() -> None:
    assert split("libfoo-2-1.4-x.tar.gz", project="libfoo-2").name == "libfoo-2"
    assert split("argtable2-13.tar.gz", project="argtable").version == "13"
    assert split("less643.tar.gz", project="less").version == "643"
    assert split("lua5.tar.gz", project="lua").version == "5"
    assert split("lua5.tar.gz").version is None
    assert split("Foo_Bar-1.2.tar.gz", project="foo-bar").name == "Foo_Bar"
    assert split("libidn2-2.3.0.tar.gz", project="libidn").name == "libidn2"
    assert split("v1.2", project="foo").name == "foo"


def test_siblings_decide_where_one_name_alone_does_not() -> None:
    siblings = ["foo3d-2-7.tar.gz", "lua-5.3.tar.gz", "lua-5.4.tar.gz", "lua-5.2.tar.gz"]

    assert split_file("lua5.tar.gz", siblings=siblings).version == "5"
    assert split_tag("lua5", siblings=["lua-5.2", "lua-5.3"]).version == "5"
    assert split_file("luajit-2.1.tar.gz", siblings=siblings).name == "luajit"


def test_a_folder_is_read_as_a_whole_and_in_its_order() -> None:
    names = ["zip-3.0.tar.gz", "zip-3.0.tar.gz.asc", "zip2.tar.gz", "zip-2.31.tar.gz", "README"]

    found = split_folder(names)

    assert [one.input for one in found] == names
    assert [one.version for one in found] == ["3.0", "3.0", "2", "2.31", None]
    assert [one.kind for one in found][:2] == ["source", "signature"]


def test_a_folder_named_like_the_version_makes_surer() -> None:
    assert split("unzip60.tar.gz", folder="60").confidence > split("unzip60.tar.gz").confidence


def test_a_patch_between_two_versions_brings_the_later() -> None:
    assert split("foo-1.2-1.3.diff.gz").version == "1.3"
    assert split("foo_1.2-1.3.diff.gz").version == "1.2-1.3"


@pytest.mark.parametrize("evil", ["\x1b[31m", "\n", "\x00", "\u202e", "\u200b", "\ud800", "\x9b"])
def test_control_and_invisible_characters_make_a_name_unknown(evil: str) -> None:
    for text in (f"foo-1.0{evil}.tar.gz", f"v1.0{evil}", f"https://x.example/{evil}foo-1.0.zip"):
        found = split(text)

        assert (found.version, found.kind) == (None, "unknown")


def test_digits_that_only_look_like_digits_are_no_version() -> None:
    assert split("foo-1.０.tar.gz").version is None
    assert split("v１.2").version is None


def test_a_name_that_no_file_system_holds_is_not_taken_apart() -> None:
    assert split("foo-1." + "1" * LONGEST + ".tar.gz").version is None


HOSTILE = [
    "a-" * 250,
    "1.2-" * 120,
    "a1" * 250,
    "1a" * 250,
    "rc" * 250,
    "1" * 500,
    "1." * 250,
    "a." * 250 + "1",
    "-src" * 125,
    "1.2" + "-linux" * 80,
    "1.2" + ".rc1" * 120 + "!",
    "a" * 255 + "1" * 255 + "!",
    "x86_64" * 80,
    "_" * 500,
    "1_" * 250,
    "v" * 500 + "1.2",
    "@" * 250 + "1.2" * 80,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_a_hostile_name_is_answered_at_once(text: str) -> None:
    # An expression that backtracks without bound would hang here.
    for shape in (text, text + ".tar.gz", "https://x.example/" + text * 12, text * 2000):
        assert split(shape).input == shape


def test_many_are_split_like_one() -> None:
    names = [*HARD, *TAGS, *URLS, *KINDS, *EXACT]

    assert list(split_many(names)) == [split(name) for name in names]
    assert [one.name for one in split_many(["v1.2"], project="foo")] == ["foo"]
