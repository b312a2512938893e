"""The words that stand around a version, by class; all in lower case.

Each class says what a word *means* beside a version, whichever project uses it: how the file is
packed, what is in it, for which machine it was built. Nothing here names a project.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "CONTENTS",
    "CUTTING",
    "EXTENSIONS",
    "MACHINES",
    "MARKERS",
    "MOVING",
    "NAMES_WITH_NUMBERS",
    "PLATFORMS",
    "RELEASED",
    "SIDE_EXTENSIONS",
    "SYSTEMS",
    "UNFINISHED",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _kinds(**groups: str) -> dict[str, str]:
    return {word: kind for kind, words in groups.items() for word in words.split()}


EXTENSIONS: Final = _kinds(
    source="""
        tar.gz tar.xz tar.bz2 tar.zst tar.zstd tar.lz tar.lzma tar.lzo tar.lz4 tar.br tar.z
        tar tgz txz tbz tbz2 tb2 tlz tzst taz zip 7z cpio cpio.gz shar crate sdist src.rpm
        src.rock el tcl py pl rb lua sh awk php c cc cpp cxx h hh hpp hxx f f90 f77 java js
        mjs cjs ts go rs hs ml d s asm el.gz py.gz pl.gz sh.gz c.gz c.xz h.gz ttf otf otc ttc pcf.gz
        bdf.gz bdf woff woff2 css tex vim nroff gem rock spk xpi tm oxt vsx nupkg vsix phar pyz war
        ear jar aar cab lha lzh arj ace rar zoo gz bz2 xz zst lzma lz Z z
    """,
    binary="""
        vbox-extpack deb udeb rpm drpm apk whl egg exe msi msu msix msixbundle appx appxbundle
        dmg pkg
        mpkg appimage flatpak snap run bin iso img img.gz img.xz img.zst qcow2 vmdk ova ipa
        aab xapk conda txz.pkg pkg.tar.xz pkg.tar.zst pkg.tar.gz 7z.exe zip.exe so dll dylib
        elf hex uf2 fw rom out com bundle vhd vhdx sfx
    """,
    patch="""
        patch diff patch.gz diff.gz patch.xz diff.xz patch.bz2 diff.bz2 patch.zst diff.zst
        xdelta vcdiff debdiff delta dpatch patch.lzma patch.zip diff.zip
    """,
    metadata="""
        dsc changes news readme lsm meta json xml pom txt html htm yaml yml toml ini cfg md
        rst pdf ps ps.gz torrent zsync buildinfo sbom cdx.json spdx.json spdx intoto.jsonl
        provenance md5sums.txt changelog spec ebuild info module log csv tsv rss atom ico
        png svg jpg gif nfo nuspec cabal gemspec rockspec filelist filelist.json contents
        ver
    """,
)
"""What an extension makes of a file; looked up from the longest to the shortest."""

SIDE_EXTENSIONS: Final = _kinds(
    signature="""
        sig sign asc gpg pgp sigstore minisig sig.asc p7s sigstore.json crt pem cert
        bundle.sigstore
    """,
    digest="""
        md5 md5sum md5sums sha1 sha1sum sha224 sha256 sha256sum sha256sums sha384 sha512
        sha512sum sha512sums b2 b2sum blake2b blake3 rmd160 sha sha256.txt sha512.txt
        md5.txt sha1.txt sha3 digest digests dgst checksum checksums hash sm3 sha256sum.txt
        sha512sum.txt sums sum
    """,
)
"""Extensions of a file *about* another one; what stands before them is that one's whole name."""

_MACHINES: Final = """
    x32 x86_64 x86-64 amd64 x64 ia64 ia32 x86 i386 i486 i586 i686 i86pc 386 arm arm64 aarch64 armv5
    armv6 armv6l armv7 armv7l armv7a armv7hl armv8 armv8l armhf armel arm32 arm64e arm64ec
    arm32v6 arm32v7 arm64v8 armv5te armv6hf aarch64_be aarch32 mips mipsel mips64 mips64el
    mipsle mips64le mips64r6el ppc ppc64 ppc64le ppc64el powerpc powerpc64 powerpc64le s390
    s390x riscv riscv32 riscv64 riscv64gc riscv64imac sparc sparc64 sparcv9 loong64 loongarch64
    m68k sh4 alpha64 hppa hppa64 wasm wasm32 wasm64 armeabi thumbv7em 32bit 64bit 32 64
    universal universal2 fat amd64v2 amd64v3 x86_64v2 x86_64v3 x64v3 arm-64 noarch any
"""
_SYSTEMS: Final = """
    linux linux32 linux64 linuxarm linuxarm64 lnx lin64 gnulinux mac macos macosx osx osx64
    osx32 macintosh darwin darwin64 apple mac64 macarm macarm64 macx64 ios iphoneos android
    androideabi ohos windows win win32 win64 winarm64 winarm winx64 winx86 winnt win9x winxp
    windows32 windows64 windows10 w32 w64 mswin mswin32 mswin64 mingw mingw32 mingw64 mingwrt
    msys msys2 cygwin cygwin32 cygwin64 ucrt ucrt64 clang64 clang32 clangarm64 dos msdos djgpp
    os2 amiga amigaos aros beos haiku unix unx posix bsd freebsd freebsd64 netbsd openbsd
    dragonfly solaris sunos illumos aix hpux irix tru64 osf1 vms plan9 minix qnx hurd wasi
    emscripten js-wasm musl musleabi musleabihf muslgnueabihf glibc gnu gnueabi gnueabihf
    gnuabi64 gnuspe uclibc uclibceabihf libc6 eabi eabihf hf softfloat hardfloat msvc msvcrt
    vs2015 vs2017 vs2019 vs2022 gtk wx ubuntu debian fedora centos rhel redhat suse opensuse
    sles alpine archlinux slackware gentoo mandriva precise trusty xenial bionic focal jammy
    noble lucid wheezy jessie stretch buster bullseye bookworm trixie sid lion mountain_lion
    mountainlion mavericks yosemite el_capitan sierra high_sierra mojave catalina big_sur
    monterey ventura sonoma sequoia tahoe arm64_monterey arm64_ventura arm64_sonoma
    arm64_sequoia x86_64_linux bottle intel microsoft apple_silicon silicon raspberrypi raspbian
    rpi chromeos steamos nintendo switch unknown pc none manylinux manylinux1 manylinux2010
    manylinux2014 musllinux python3 py2 py3 cuda rocm
"""

MACHINES: Final = _words(_MACHINES) - _words("32 64 386 fat any noarch universal")
"""Machines alone; with one of these at the end of its name a file is a binary."""

PLATFORMS: Final = _words(_MACHINES + _SYSTEMS)
"""Machines and systems; after a version they say for what a binary was built."""

CONTENTS: Final = _words("""
    src source sources srcs code sourcecode srconly sourceonly orig all full bin bins binary
    binaries dist distrib distribution release rel stable final complete tar tarball archive
    package pkg unpackaged static shared dynamic standalone stand-alone portable setup install
    installer offline online web exe executable cli gui console headless server desktop dev-src
    devel doc docs documentation manual man html pdf data theme dict fonts font vendor vendored
    deps dep single file bundle bundled uber shaded all-deps with-dependencies
    jar-with-dependencies assembly javadoc sdk min minimal slim lite light nolibs nojre nojdk
    jre jdk public opensource oss gpl lgpl bsd-src free community ce ee enterprise nc commercial
    academic autotools cmake meson makefile automake waf scons msbuild opam dune hackage cabal
    debian tarfile unix-src noinst only export exported fixed nogdb multiarch nightly-build
    signed unsigned stripped debug nodebug dbg dbgsym relwithdebinfo ga generic normal maven
    plugin sfx zip tgz targz update upgrade netinstall selfcontained self-contained
    framework-dependent library lib libs headers include includes tests testsuite examples
    samples demo tools utils runtime combined merged modules headless-server latest current
    bootstrapper minsrc origsrc srcdist rt x deb rpm build
""")
"""What is in the file, how it was packed, that it is a release; after a version no part of it."""

UNFINISHED: Final = _words("""
    alpha beta gamma rc cr preview prerelease pre dev devel post patch pl rev hotfix update upd
    snapshot nightly svn git hg bzr cvs build snap test milestone eap ea sp tp dp rel ga mr lts
    ubuntu debian deb dfsg nmu jre jdk trial ds stable incubating esr
""")
"""Words that belong to a version, mostly with a number: how finished it is, which patch of it."""

CUTTING: Final = _words("""
    with without release src source srconly sources bin binary binaries
""")
"""Words behind a dotted version after which nothing more of it comes (3.97-with-nspr-4.35)."""

SYSTEMS: Final = _words("""
    msys msys2 msvc mingw mingw32 mingw64 cygwin cygwin32 cygwin64 gcc clang linux windows win32
    win64 macos macosx osx darwin freebsd netbsd openbsd solaris ubuntu debian fedora centos rhel
    alpine opensuse glibc musl
""")
"""Systems whose own version may follow (1.3.12-msys-1.0.13)."""

RELEASED: Final = _words("final release ga")
"""Words that a version may truly end with, behind a dot (`5.3.39.RELEASE`, `20.0.1.Final`)."""

MARKERS: Final = _words("""
    nightly v ver version vers release releases releasing rel tag tags stable final rev revision
    r build
    b snapshot milestone prod production update upstream orig source src debian ubuntu dist
    patch import vendor branch heads refs
""")
"""Words in front of a version, in a tag, that only announce it."""

MOVING: Final = _words("latest current nightly snapshot master main trunk head")
"""Words in place of a version, for what moves: no version, and no part of the name before it."""

NAMES_WITH_NUMBERS: Final = _words("""
    1 2 3 4 5 6 7 8 9 16 32 64 128 256 384 512 1024 2d 3d 4d 4k 8k
""")
"""Numbers glued to a word that usually belong to it (`bzip2`, `base64`, `sha256`)."""
