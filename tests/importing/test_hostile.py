"""Trees come from anywhere: what they hold costs a moment, a little memory, and itself only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.importing import read


def _doubling(pattern: str, first: str) -> str:
    lines = [first, *(pattern.format(new=n, old=n - 1) for n in range(1, 40))]
    return "".join(f"{line}\n" for line in lines)


MAKE = "TOOL_VERSION = 1.0\n{}TOOL_SITE = https://h.example/$(X)\n$(eval $(generic-package))\n"
SPACK = "from spack.package import *\nclass Tool(Package):\n{}    version('1.0')\n"
HOSTILE = {
    "makefile, doubled": (
        "tool.mk",
        MAKE.format(_doubling("A{new} = $(A{old})$(A{old})", "A0 = aaaaaaaa") + "X = $(A39)\n"),
    ),
    "makefile, replaced": (
        "tool.mk",
        MAKE.format(f"A = {'a' * 19000}\nX = $(subst a,{'b' * 19000},$(A))\n"),
    ),
    "makefile, patterns": (
        "tool.mk",
        MAKE.format(
            f"A = {'a ' * 9000}\nX = $(patsubst %,{'%' * 9000},$(A))$(A:%=%{'b' * 9000})\n"
        ),
    ),
    "makefile, nested": ("tool.mk", MAKE.format(f"X = {'$(' * 9000}{')' * 9000}\n")),
    "python, f-strings": (
        "package.py",
        SPACK.format(_doubling("    a{new} = f'{{a{old}}}{{a{old}}}'", "    a0 = 'xxxxxxxx'")),
    ),
    "python, sums": (
        "package.py",
        SPACK.format(_doubling("    a{new} = a{old} + a{old}", "    a0 = 'x'")),
    ),
    "python, nested": ("package.py", SPACK.format(f"    url = {'(' * 5000}1{')' * 5000}\n")),
    "python, signs": ("package.py", SPACK.format(f"    url = {'-' * 100000}1\n")),
    "toml, nested": ("nvchecker.toml", f"[a{'.a' * 5000}]\nsource = 'pypi'\n"),
    "json, nested": ("projects.json", f'{{"projects": {"[" * 100000}{"]" * 100000}}}'),
    "watch file, brackets": ("watch", f"version=4\nhttps://h.example/{'(' * 50000}\n"),
}


@pytest.mark.parametrize(("name", "text"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_recipe_costs_a_moment_and_a_little_memory(
    name: str, text: str, tmp_path: Path
) -> None:
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / name).write_text(text, "utf-8")
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (10, 10))\n"
        "from monitor.errors import UsageError\n"
        "from monitor.importing import read\n"
        "try:\n"
        "    found = list(read(Path(sys.argv[1])))\n"
        "    assert all(one.upstream or one.reason for one in found)\n"
        "except UsageError:\n"
        "    pass\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "tool" / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]


@pytest.mark.parametrize("beside", ["a device", "a pipe", "a folder"])
def test_what_lies_beside_a_recipe_may_be_no_file(beside: str, tmp_path: Path) -> None:
    folder = tmp_path / "dev-util" / "tool"
    folder.mkdir(parents=True)
    (folder / "tool-1.0.ebuild").write_text(
        'EAPI=8\nSRC_URI="https://github.com/o/tool/archive/1.0.tar.gz"\n'
    )
    metadata = folder / "metadata.xml"
    if beside == "a device":
        metadata.symlink_to("/dev/zero")
    elif beside == "a pipe":
        os.mkfifo(metadata)
    else:
        metadata.mkdir()
    [found] = read(tmp_path)
    assert found.upstream == ("github", "o/tool")


def test_addresses_by_the_thousand_are_not_all_looked_at(tmp_path: Path) -> None:
    recipe = tmp_path / "tool" / "PKGBUILD"
    recipe.parent.mkdir()
    many = " ".join(f"https://h.example/{'x' * 300}/{n}-1.0.tar.gz" for n in range(2000))
    recipe.write_text(
        f"pkgname=tool\npkgver=1.0\nsource=(https://h.example/tool/tool-1.0.tar.gz {many})\n"
    )
    [found] = read(recipe)
    assert found.upstream == ("folder", "https://h.example/tool/")


def test_a_recipe_that_was_not_read_to_its_end_says_so(tmp_path: Path) -> None:
    recipe = tmp_path / "PKGBUILD"
    recipe.write_text(
        "pkgname=tool\n" + "x=$x$x\n" * 30000 + "source=(https://h.example/a-1.tgz)\n"
    )
    [found] = read(recipe)
    assert "not read to its end" in (found.reason or "")


def test_what_a_recipe_calls_itself_stays_on_its_line(tmp_path: Path) -> None:
    recipe = tmp_path / "PKGBUILD"
    recipe.write_text("pkgname=$'\\e[31mred\\n'\npkgver=1\nsource=(https://h.example/a/a-1.tgz)\n")
    [found] = read(recipe)
    assert found.upstream
