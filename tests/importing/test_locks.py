# ruff: noqa: E501 - one lock file a line
"""Requirements, lock files and lists say what they hold, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.errors import UsageError
from monitor.importing import Imported, read

KNOWN = ("github", "pypi", "gnu", "git", "folder", "crates")


def imported(tmp_path: Path, name: str, text: str) -> dict[str, Imported]:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return {one.name: one for one in read(path, known=KNOWN)}


def test_requirements_keep_exact_versions_and_follow_addresses(tmp_path: Path) -> None:
    found = imported(
        tmp_path,
        "requirements.txt",
        """
--index-url https://index.example/simple
Alpha-Tool[extra]==1.2 ; python_version > "3.8" \\
    --hash=sha256:00
beta>=2
-e git+https://github.com/owner/gamma.git@v3.1#egg=gamma
delta @ https://github.com/owner/delta/archive/4.0.zip  # why
-r other.txt
./local
""",
    )
    assert (found["Alpha-Tool"].purl, found["Alpha-Tool"].packaged) == (
        "pkg:pypi/alpha-tool",
        "1.2",
    )
    assert found["Alpha-Tool"].origin.endswith(":3")
    assert (found["beta"].upstream, found["beta"].packaged) == (("pypi", "beta"), None)
    assert (found["gamma"].upstream, found["gamma"].packaged) == (("github", "owner/gamma"), "3.1")
    assert found["delta"].upstream == ("github", "owner/delta")
    assert found["other.txt"].reason
    assert found["local"].reason


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("poetry.lock", '[[package]]\nname = "a"\nversion = "1"\n', ("pypi", "a")),
        ("uv.lock", '[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "x" }\n', ("pypi", "a")),
        ("pdm.lock", '[[package]]\nname = "a"\nversion = "1"\ngit = "https://github.com/o/a.git"\nref = "v1"\n', ("github", "o/a")),
        ("pylock.toml", '[[packages]]\nname = "a"\nversion = "1"\n', ("pypi", "a")),
        ("Cargo.lock", '[[package]]\nname = "a"\nversion = "1"\nsource = "registry+x"\n', ("crates", "a")),
        ("Cargo.toml", '[dependencies]\na = { version = "=1" }\n', ("crates", "a")),
        ("Pipfile.lock", '{"_meta": {}, "default": {"a": {"version": "==1"}}}', ("pypi", "a")),
        ("Gemfile.lock", "GEM\n  remote: x\n  specs:\n    a (1)\n      b (>= 2)\n", ("rubygems", "a")),
        ("package-lock.json", '{"packages": {"": {}, "node_modules/a": {"version": "1"}}}', ("npm", "a")),
        ("composer.lock", '{"packages": [{"name": "a", "version": "v1"}]}', ("packagist", "a")),
        ("go.mod", "module x\nrequire (\n\texample.org/a v1 // indirect\n)\n", ("go", "example.org/a")),
        ("mix.lock", '%{\n  "a": {:hex, :a, "1", "00", [:mix], []},\n}\n', ("hex", "a")),
        ("cabal.project.freeze", "constraints: any.a ==1,\n", ("hackage", "a")),
        ("stack.yaml.lock", "packages:\n- completed:\n    hackage: a-1@sha256:00,1\n", ("hackage", "a")),
    ],
)  # fmt: skip
def test_a_lock_file_names_its_registry(
    name: str, text: str, expected: tuple[str, str], tmp_path: Path
) -> None:
    [found] = imported(tmp_path, name, text).values()
    assert found.upstream == expected
    assert found.packaged in ("1", "v1")


def test_the_projects_own_code_has_no_upstream(tmp_path: Path) -> None:
    text = '[[package]]\nname = "me"\nversion = "0"\nsource = { virtual = "." }\n'
    assert imported(tmp_path, "uv.lock", text)["me"].reason


def test_a_list_takes_purls_projects_and_addresses_and_guesses_nothing(tmp_path: Path) -> None:
    found = imported(
        tmp_path,
        "wanted.txt",
        """# what we ship
pkg:pypi/Alpha@1.2
github/owner/beta 3.4
gamma https://ftp.gnu.org/gnu/gamma/gamma-5.6.tar.gz
delta 7.8
https://git.example.org/epsilon.git
""",
    )
    assert (found["alpha"].upstream, found["alpha"].packaged) == (("pypi", "alpha"), "1.2")
    assert (found["beta"].upstream, found["beta"].packaged) == (("github", "owner/beta"), "3.4")
    assert (found["gamma"].upstream, found["gamma"].packaged) == (("gnu", "gamma"), "5.6")
    assert found["epsilon"].upstream == ("git", "https://git.example.org/epsilon.git")
    assert found["delta"].state == "unresolved"
    assert "bare name" in (found["delta"].reason or "")


def test_a_lock_of_requirements_with_hashes_is_known_whatever_it_is_called(tmp_path: Path) -> None:
    hashes = "".join(f" \\\n    --hash=sha256:{n:064x}" for n in range(5))
    found = imported(tmp_path, "things.lock", f"alpha==1.2{hashes}\nbeta==2.0{hashes}\n")

    assert {name: one.packaged for name, one in found.items()} == {"alpha": "1.2", "beta": "2.0"}


def test_a_list_of_exact_versions_is_one_of_requirements(tmp_path: Path) -> None:
    assert imported(tmp_path, "pinned.txt", "alpha==1\nbeta==2\n")["beta"].upstream == (
        "pypi",
        "beta",
    )


def test_nvcheckers_filters_become_rules_or_are_told(tmp_path: Path) -> None:
    found = imported(
        tmp_path,
        "nvchecker.toml",
        """
[__config__]
oldver = "old.json"
[one]
source = "github"
github = "owner/one"
include_regex = "v1\\\\..*"
[two]
source = "github"
github = "owner/two"
from_pattern = "^rel/(.*)$"
to_pattern = "\\\\1"
[three]
source = "cmd"
cmd = "rm -rf /"
["four.five"]
source = "regex"
url = "https://page.example/x"
regex = "now (.*)"
""",
    )
    assert found["one"].rules == {"include": ("^(?:v1\\..*)$",)}
    assert found["two"].rules == {"tag": "rel/{version}"}
    assert "running a program" in (found["three"].reason or "")
    assert "page.example" in (found["four.five"].reason or "")


def test_what_nvchecker_knew_is_the_packaged_version(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text('{"version": 2, "data": {"one": {"version": "1.2"}}}')
    text = '[__config__]\noldver = "old.json"\n[one]\nsource = "pypi"\npypi = "one"\n'
    assert imported(tmp_path, "nvchecker.toml", text)["one"].packaged == "1.2"


def test_a_tree_of_ebuilds_yields_the_newest_release_of_each(tmp_path: Path) -> None:
    folder = tmp_path / "dev-util" / "tool"
    folder.mkdir(parents=True)
    text = 'SRC_URI="https://github.com/owner/${PN}/archive/v${PV}.tar.gz"\n'
    for version in ("1.9", "1.10", "1.10_rc1", "9999"):
        (folder / f"tool-{version}.ebuild").write_text(text)
    [found] = read(tmp_path)
    assert (found.name, found.packaged) == ("dev-util/tool", "1.10")


def test_srcinfo_is_read_in_place_of_the_pkgbuild_beside(tmp_path: Path) -> None:
    (tmp_path / "PKGBUILD").write_text("pkgname=a\npkgver=1\n")
    (tmp_path / ".SRCINFO").write_text(
        "pkgbase = a\n\tpkgver = 1\n\tsource = https://github.com/o/a/archive/1.zip\n"
    )
    [found] = read(tmp_path)
    assert found.upstream == ("github", "o/a")


def test_a_broken_file_in_a_tree_costs_itself_only(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "uv.lock").write_text("[[package]]\nname = \n")
    (tmp_path / "a" / "requirements.txt").write_text("good==1\n")
    states = {one.name: one.state for one in read(tmp_path)}
    assert states == {"a": "unresolved", "good": "resolved"}


def test_a_wrong_file_is_the_askers_mistake(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("[[package]]\nname = \n")
    with pytest.raises(UsageError):
        list(read(tmp_path / "uv.lock"))
    with pytest.raises(UsageError):
        list(read(tmp_path / "nothing"))
    (tmp_path / "image").write_bytes(b"\0\1\2")
    with pytest.raises(UsageError):
        list(read(tmp_path / "image"))


def test_a_watch_files_options_may_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "tool" / "debian"
    folder.mkdir(parents=True)
    (folder / "changelog").write_text("tool (2:1.2.3+dfsg-4) unstable; urgency=low\n")
    (folder / "watch").write_text(
        "version=3\n\nopts=\\\nrepack,\\\ndversionmangle=s/[\\.\\+]dfsg$//,\\\npgpsigurlmangle=s/$/.asc/ \\\n"
        "  https://d.example/tool/(1\\.\\d+(?:(?:rc|b)\\d)?)/ tool-@ANY_VERSION@\\.tar\\.gz\n"
    )
    [found] = read(tmp_path)
    assert (found.name, found.packaged) == ("tool", "1.2.3")
    assert (found.upstream, found.settings) == (
        ("folder", "https://d.example/tool/"),
        {"tree": True},
    )


def test_a_commit_of_the_recipes_own_files_has_no_upstream(tmp_path: Path) -> None:
    (tmp_path / "APKBUILD").write_text(
        'pkgname=own\npkgver=1\nurl="https://github.com/o/recipes"\nsource="own.sh"\n'
    )
    [found] = read(tmp_path)
    assert found.state == "unresolved"
    assert "files of the recipe itself" in (found.reason or "")
