# ruff: noqa: E501 - addresses and recipes are easier to read whole
"""Recipes made up in the shape of each format, each with the upstream that it must lead to.

`recipes(format, seed, count)` yields file name, text and (kind, project). Names, owners and
versions are invented; hosts are those that the formats' own documentation uses, or reserved.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Made = tuple[str, str, tuple[str, str]]

_FIRST = [
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heron",
    "iris",
    "juniper",
    "kelp",
    "larch",
    "maple",
    "nova",
]
_SECOND = ["tool", "kit", "view", "sync", "parse", "shell", "core", "gate", "flow", "cast"]


@dataclass
class Project:
    name: str
    owner: str
    version: str


def project(rng: random.Random) -> Project:
    name = rng.choice(_FIRST) + rng.choice(["", "-"]) + rng.choice(_SECOND)
    version = ".".join(str(rng.randrange(30)) for _ in range(rng.choice([2, 3, 3, 4])))
    return Project(name, rng.choice(_FIRST) + rng.choice(_SECOND), version)


def archives(one: Project, name: str, version: str) -> list[tuple[str, tuple[str, str]]]:
    """Archive addresses in words of the recipe's language, and where they lead.

    `name` and `version` are how that language writes the variables.
    """
    plain, owner = one.name, one.owner
    return [
        (
            f"https://github.com/{owner}/{name}/archive/v{version}.tar.gz",
            ("github", f"{owner}/{plain}"),
        ),
        (
            f"https://github.com/{owner}/{name}/archive/refs/tags/{version}.tar.gz",
            ("github", f"{owner}/{plain}"),
        ),
        (
            f"https://github.com/{owner}/{name}/releases/download/v{version}/{name}-{version}.tar.xz",
            ("github", f"{owner}/{plain}"),
        ),
        (
            f"https://gitlab.com/{owner}/sub/{name}/-/archive/v{version}/{name}-v{version}.tar.bz2",
            ("gitlab", f"{owner}/sub/{plain}"),
        ),
        (
            f"https://gitlab.forge.example/{owner}/{name}/-/archive/{version}/{name}-{version}.tar.gz",
            ("gitlab", f"{owner}/{plain}"),
        ),
        (
            f"https://codeberg.org/{owner}/{name}/archive/{version}.tar.gz",
            ("gitea", f"{owner}/{plain}"),
        ),
        (
            f"https://bitbucket.org/{owner}/{name}/get/{version}.tar.gz",
            ("bitbucket", f"{owner}/{plain}"),
        ),
        (
            f"https://files.registry.example/packages/source/{plain[0]}/{name}/{name}-{version}.tar.gz",
            ("pypi", plain),
        ),
        (
            f"https://downloads.sourceforge.net/project/{name}/{name}/{version}/{name}-{version}.tar.gz",
            ("sourceforge", plain),
        ),
        (f"https://www.cpan.org/authors/id/A/AB/ABIGAIL/{name}-{version}.tar.gz", ("cpan", plain)),
        (f"https://ftp.gnu.org/gnu/{name}/{name}-{version}.tar.gz", ("gnu", plain)),
        (
            f"https://download.gnome.org/sources/{name}/1.2/{name}-{version}.tar.xz",
            ("gnome", plain),
        ),
        (f"https://rubygems.org/downloads/{name}-{version}.gem", ("rubygems", plain)),
        (
            f"https://hackage.haskell.org/package/{name}-{version}/{name}-{version}.tar.gz",
            ("hackage", plain),
        ),
        (
            f"https://launchpad.net/{name}/trunk/{version}/+download/{name}-{version}.tar.gz",
            ("launchpad", plain),
        ),
        (f"https://registry.js.example/{name}/-/{name}-{version}.tgz", ("npm", plain)),
        (f"https://static.crates.io/crates/{name}/{name}-{version}.crate", ("crates", plain)),
        (
            f"https://download.savannah.nongnu.org/releases/{name}/{name}-{version}.tar.gz",
            ("savannah", plain),
        ),
        (
            f"https://www.x.org/releases/individual/lib/{name}-{version}.tar.xz",
            ("xorg", f"lib/{plain}"),
        ),
        (
            f"https://dist.example.org/pub/{name}/{name}-{version}.tar.gz",
            ("folder", f"https://dist.example.org/pub/{plain}/"),
        ),
        (
            f"https://dist.example.org/{name}/{version}/{name}-{version}.zip",
            ("folder", f"https://dist.example.org/{plain}/"),
        ),
    ]


def pkgbuild(rng: random.Random) -> Made:
    one = project(rng)
    suffix = rng.choice(["", "-bin", "-lts"])
    address, wanted = rng.choice(archives(one, "$_pkgname", "${pkgver//_/-}"))
    renamed = rng.choice(["", "${pkgname}-$pkgver.tar.gz::"])
    text = f"""# Maintainer: Somebody <somebody@example.org>
_pkgname={one.name}
pkgname={one.name}{suffix}
pkgver={one.version}
pkgrel=1
arch=('x86_64')
url="https://{one.name}.example.org"
source=("{renamed}{address}"
        fix-{{build,tests}}.patch)
build() {{
  cd "$_pkgname-$pkgver"
  make CFLAGS="${{CFLAGS}} }}"
}}
"""
    return "PKGBUILD", text, wanted


def srcinfo(rng: random.Random) -> Made:
    one = project(rng)
    address, wanted = rng.choice(archives(one, one.name, one.version))
    text = f"pkgbase = {one.name}\n\tpkgver = {one.version}\n\tpkgrel = 1\n\tsource = {address}\n\npkgname = {one.name}\n"
    return ".SRCINFO", text, wanted


def apkbuild(rng: random.Random) -> Made:
    one = project(rng)
    address, wanted = rng.choice(archives(one, "$pkgname", "$pkgver"))
    text = f"""# Maintainer: Somebody Else <else@example.org>
pkgname={one.name}
pkgver={one.version}
pkgrel=0
url="https://{one.name}.example.org/"
source="$pkgname-$pkgver.tar.gz::{address}
\tfix.patch
\t$pkgname.initd
\t"
builddir="$srcdir/$pkgname-$pkgver"

check() {{
	make check
}}
"""
    return "APKBUILD", text, wanted


def ebuild(rng: random.Random) -> Made:
    one = project(rng)
    one.name = one.name.replace("-", "")
    address, wanted = rng.choice(archives(one, "${PN}", "${MY_PV}"))
    # Where an archive lies in a mere folder, a repository would be the better upstream.
    live = (
        'EGIT_REPO_URI="https://other.example.org/elsewhere.git"' if wanted[0] != "folder" else ":"
    )
    text = f"""EAPI=8
inherit cmake
MY_PV="${{PV/_beta/-beta}}"
if [[ ${{PV}} == *9999* ]]; then
	inherit git-r3
	{live}
else
	SRC_URI="{address} -> ${{P}}.archive
		doc? ( https://docs.example.org/${{P}}-doc.pdf )"
	KEYWORDS="~amd64"
fi
HOMEPAGE="https://{one.name}.example.org"
LICENSE="MIT"
src_prepare() {{
	default
}}
"""
    return f"dev-util/{one.name}/{one.name}-{one.version}-r1.ebuild", text, wanted


def termux(rng: random.Random) -> Made:
    one = project(rng)
    address, wanted = rng.choice(archives(one, one.name, "${TERMUX_PKG_VERSION}"))
    text = f"""TERMUX_PKG_HOMEPAGE=https://{one.name}.example.org
TERMUX_PKG_DESCRIPTION="Something (that works)"
TERMUX_PKG_VERSION="{one.version}"
TERMUX_PKG_REVISION=1
TERMUX_PKG_SRCURL={address}
TERMUX_PKG_AUTO_UPDATE=true

termux_step_make() {{
	make
}}
"""
    return f"packages/{one.name}/build.sh", text, wanted


def buildroot(rng: random.Random) -> Made:
    one = project(rng)
    prefix = one.name.upper().replace("-", "_")
    address, wanted = rng.choice(archives(one, one.name, f"$({prefix}_VERSION)"))
    site, _, source = address.rpartition("/")
    if wanted[0] == "github" and rng.random() < 0.5:
        site, source = f"$(call github,{one.owner},{one.name},v$({prefix}_VERSION))", ""
    lines = [f"{prefix}_VERSION = {one.version}", f"{prefix}_SITE = {site}"]
    lines += [f"{prefix}_SOURCE = {source}"] if source else []
    lines += [
        f"{prefix}_DEPENDENCIES = zlib \\",
        "\thost-pkgconf",
        "",
        f"define {prefix}_INSTALL",
        "\tA = B",
        "endef",
        "",
    ]
    lines.append(rng.choice(["$(eval $(autotools-package))", "$(eval $(host-generic-package))"]))
    return f"package/{one.name}/{one.name}.mk", "\n".join(lines) + "\n", wanted


def spack(rng: random.Random) -> Made:
    one = project(rng)
    folder = one.name.replace("-", "_")
    name = "".join(part.title() for part in one.name.split("-"))
    choice = rng.randrange(5)
    versions = (
        f'    version("{one.version}", sha256="{"0" * 64}")\n    version("main", branch="main")\n'
    )
    if choice == 0:
        base, body, wanted = (
            "PythonPackage",
            f'    pypi = "{one.name}/{one.name}-{one.version}.tar.gz"\n',
            ("pypi", one.name),
        )
    elif choice == 1:
        base, body, wanted = "RPackage", f'    cran = "{one.name}"\n', ("cran", one.name)
    elif choice == 2:
        base, body, wanted = (
            "Package",
            f'    git = "https://github.com/{one.owner}/{one.name}.git"\n',
            ("github", f"{one.owner}/{one.name}"),
        )
    else:
        address, wanted = rng.choice(archives(one, one.name, one.version))
        base, body = (
            "CMakePackage",
            f'    homepage = "https://x.example.org"\n    url = "{address}"\n',
        )
    text = f'from spack.package import *\n\n\nclass {name}({base}):\n    """Something."""\n\n{body}{versions}'
    return f"packages/{folder}/package.py", text, wanted


def watch(rng: random.Random) -> Made:
    one = project(rng)
    github = ("github", f"{one.owner}/{one.name}")
    choices: list[tuple[str, tuple[str, str]]] = [
        (
            f"version=4\nhttps://github.com/{one.owner}/{one.name}/tags .*/v?(\\d\\S+)\\.tar\\.gz\n",
            github,
        ),
        (
            f'version=4\nopts="filenamemangle=s%(?:.*?)?v?(\\d[\\d.]*)\\.tar\\.gz%{one.name}-$1.tar.gz%" \\\n  https://github.com/{one.owner}/{one.name}/tags \\\n  (?:.*?/)?v?(\\d[\\d.]*)\\.tar\\.gz debian uupdate\n',
            github,
        ),
        (
            f"version=3\nhttp://sf.net/{one.name}/{one.name}-(.+)\\.tar\\.gz\n",
            ("sourceforge", one.name),
        ),
        (
            f"version=4\nhttps://pypi.registry.example/{one.name}/{one.name}-(.+)\\.(?:zip|tgz|tar\\.gz)\n",
            ("pypi", one.name),
        ),
        (
            f'version=4\nopts="mode=git, pgpmode=none" https://git.example.org/{one.name}.git refs/tags/v([\\d.]+)\n',
            ("git", f"https://git.example.org/{one.name}.git"),
        ),
        (
            f"version=4\nhttps://metacpan.org/release/{one.name} .*/{one.name}-v?@ANY_VERSION@@ARCHIVE_EXT@$\n",
            ("cpan", one.name),
        ),
        (
            f"version=4\nhttps://dist.example.org/pub/ {one.name}-(\\d[\\d.]*)@ARCHIVE_EXT@\n",
            ("folder", f"https://dist.example.org/pub/#{one.name}"),
        ),
        (f"Version: 5\n\nTemplate: GitHub\nOwner: {one.owner}\nProject: {one.name}\n", github),
        (
            f"Version: 5\n\nSource: https://gitlab.com/{one.owner}/{one.name}/-/tags\nMatching-Pattern: .*/v?@ANY_VERSION@@ARCHIVE_EXT@\n",
            ("gitlab", f"{one.owner}/{one.name}"),
        ),
        (
            f"http://ftp.gnu.org/gnu/{one.name}/{one.name}-(.*)\\.tar\\.gz debian\n",
            ("gnu", one.name),
        ),
    ]
    text, wanted = rng.choice(choices)
    return f"{one.name}/debian/watch", text, wanted


def nvchecker(rng: random.Random) -> Made:
    one = project(rng)
    choices: list[tuple[str, tuple[str, str]]] = [
        (
            f'source = "github"\ngithub = "{one.owner}/{one.name}"\nuse_max_tag = true\nprefix = "v"',
            ("github", f"{one.owner}/{one.name}"),
        ),
        (f'source = "pypi"\npypi = "{one.name}"', ("pypi", one.name)),
        (
            f'source = "gitlab"\ngitlab = "{one.owner}/{one.name}"\nhost = "gitlab.forge.example"',
            ("gitlab", f"{one.owner}/{one.name}"),
        ),
        (
            f'source = "gitea"\ngitea = "{one.owner}/{one.name}"\nhost = "codeberg.org"',
            ("gitea", f"{one.owner}/{one.name}"),
        ),
        (
            f'source = "git"\ngit = "https://git.example.org/{one.name}.git"',
            ("git", f"https://git.example.org/{one.name}.git"),
        ),
        (f'source = "gems"\ngems = "{one.name}"', ("rubygems", one.name)),
        (f'source = "cratesio"\ncratesio = "{one.name}"', ("crates", one.name)),
        (f'source = "cpan"\ncpan = "{one.name}"', ("cpan", one.name)),
        (
            f'source = "regex"\nurl = "https://dist.example.org/{one.name}/"\nregex = "{one.name}-([0-9.]+).tar"',
            ("folder", f"https://dist.example.org/{one.name}/"),
        ),
    ]
    body, wanted = rng.choice(choices)
    return "nvchecker.toml", f'["{one.name}"]\n{body}\n', wanted


def anitya(rng: random.Random) -> Made:
    import json

    one = project(rng)
    entry: dict[str, object] = {
        "id": rng.randrange(9999),
        "name": one.name,
        "version": one.version,
        "homepage": f"https://{one.name}.example.org",
        "version_prefix": "v",
        "regex": None,
    }
    choices: list[tuple[dict[str, object], tuple[str, str]]] = [
        (
            {"backend": "GitHub", "version_url": f"{one.owner}/{one.name}"},
            ("github", f"{one.owner}/{one.name}"),
        ),
        ({"backend": "PyPI", "version_url": None}, ("pypi", one.name)),
        (
            {"backend": "folder", "version_url": f"https://dist.example.org/{one.name}"},
            ("folder", f"https://dist.example.org/{one.name}/"),
        ),
        (
            {"backend": "GitLab", "version_url": f"https://gitlab.com/{one.owner}/{one.name}"},
            ("gitlab", f"{one.owner}/{one.name}"),
        ),
        ({"backend": "GNU project", "version_url": ""}, ("gnu", one.name)),
        ({"backend": "Sourceforge", "version_url": one.name}, ("sourceforge", one.name)),
        (
            {
                "backend": "custom",
                "homepage": f"https://github.com/{one.owner}/{one.name}",
                "version_url": "",
            },
            ("github", f"{one.owner}/{one.name}"),
        ),
    ]
    more, wanted = rng.choice(choices)
    return "projects.json", json.dumps({"projects": [entry | more], "total": 1}), wanted


MAKERS: dict[str, Callable[[random.Random], Made]] = {
    "pkgbuild": pkgbuild,
    "srcinfo": srcinfo,
    "apkbuild": apkbuild,
    "ebuild": ebuild,
    "termux": termux,
    "buildroot": buildroot,
    "spack": spack,
    "watch": watch,
    "nvchecker": nvchecker,
    "anitya": anitya,
}


def recipes(kind: str, seed: int, count: int) -> Iterator[Made]:
    """That many recipes of a format; the same ones for the same seed."""
    rng = random.Random(f"{kind} {seed}")
    for _ in range(count):
        yield MAKERS[kind](rng)
