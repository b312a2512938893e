"""`monitor import` and `monitor export` from the terminal."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import App
from monitor.cli.transfer import FORMATS, export, import_
from monitor.errors import UsageError
from monitor.importing import FORMATS as KNOWN
from monitor.importing import read
from monitor.settings import Config, load


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "sources").mkdir(parents=True)
    (folder / "monitor.toml").write_text("")
    (folder / "sources" / "pypi.toml").write_text('provider = "pypi"\n')
    return folder


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text(
        "alpha==1.2\n"
        "beta @ https://github.com/owner/beta/archive/cli/v2.0.tar.gz\n"
        "gamma @ https://hackage.haskell.org/package/gamma-3/gamma-3.tar.gz\n"
        "./here\n"
    )
    return path


def run(command: str, config: Path, *arguments: str | Path) -> Result:
    app = App(str(config), str(config.parent / "state"))
    main = {"import": import_, "export": export}[command]
    return CliRunner().invoke(
        main, [str(one) for one in arguments], obj=app, catch_exceptions=False
    )


def packages(config: Path) -> list[dict[str, object]]:
    content = tomllib.loads((config / "packages.toml").read_text("utf-8"))
    found: list[dict[str, object]] = content.get("package", [])
    return found


def test_the_help_names_every_format() -> None:
    assert sorted(FORMATS) == sorted(KNOWN)


def test_what_was_found_and_what_not_is_shown_and_counted(config: Path, requirements: Path) -> None:
    result = run("import", config, requirements)
    assert result.exit_code == 0
    assert "pypi/alpha" in result.stdout
    assert "Without an upstream:" in result.stdout
    assert "4 recipes, 2 resolved, 1 need a provider" in result.stderr
    assert not (config / "packages.toml").exists()


def test_json_says_all_of_each_recipe(config: Path, requirements: Path) -> None:
    lines = [
        json.loads(line)
        for line in run("import", config, requirements, "--json").stdout.splitlines()
    ]
    assert [one["state"] for one in lines] == ["resolved", "resolved", "lacking", "unresolved"]
    assert lines[0]["purl"] == "pkg:pypi/alpha"


def test_entries_are_added_and_read_back(config: Path, requirements: Path) -> None:
    result = run("import", config, requirements, "--write", "packages.toml")
    assert result.exit_code == 0
    settings = load(Config(config, {}))
    alpha, beta, gamma = settings.packages
    assert (alpha.upstream, alpha.packaged) == ("pypi/alpha", "1.2")
    assert (beta.upstream, beta.rules.tag) == ("github/owner/beta", "cli/v{version}")
    assert gamma.upstream == "hackage/gamma"
    assert "# hackage/gamma: needs the provider hackage" in (config / "packages.toml").read_text()
    assert settings.sources["github"].provider == "github"


def test_what_an_operator_wrote_stays_to_the_byte(config: Path, requirements: Path) -> None:
    before = '# ours\n[[package]]\nupstream = "pypi/alpha"  # pinned\npin = "1"'
    (config / "packages.toml").write_text(before)
    run("import", config, requirements, "--write", "packages.toml")
    after = (config / "packages.toml").read_text()
    assert after.startswith(before)
    assert [one["upstream"] for one in packages(config)].count("pypi/alpha") == 1
    run("import", config, requirements, "--write", "packages.toml")
    assert (config / "packages.toml").read_text() == after


def test_a_dry_run_writes_nothing(config: Path, requirements: Path) -> None:
    result = run("import", config, requirements, "--write", "packages.toml", "--dry-run")
    assert tomllib.loads(result.stdout.partition("# sources/")[0])["package"]
    assert not (config / "packages.toml").exists()
    assert not (config / "sources" / "github.toml").exists()


def test_a_folder_of_folders_gets_a_source_with_its_setting(config: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("https://d.example/tool/1.2/tool-1.2.tar.gz\n")
    run("import", config, tmp_path / "list.txt", "--write", "packages.toml")
    settings = load(Config(config, {}))
    assert settings.packages[0].upstream == "folder-tree/https://d.example/tool/"
    assert settings.sources["folder-tree"].settings == {"tree": True}


def test_hostile_names_cannot_leave_their_line(config: Path, tmp_path: Path) -> None:
    forge = "https://github.com/o/x"
    projects = [
        {"name": 'x"]\n[evil]\u2028', "backend": "PyPI\nx = 1", "homepage": forge},
        {"name": "\x1b[31mred", "backend": "PyPI"},
    ]
    text = json.dumps({"projects": projects})
    (tmp_path / "p.json").write_text(text)
    result = run("import", config, tmp_path / "p.json", "--write", "packages.toml")
    assert "\x1b" not in result.output
    assert all(set(one) <= {"upstream", "name"} for one in packages(config))


def test_a_file_that_is_not_there_is_the_askers_mistake(config: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run("import", config, tmp_path / "empty").exit_code == 2
    assert run("import", config, tmp_path / "empty", "--write", "x", "--watch").exit_code == 2


def test_export_for_nvchecker_is_imported_again(
    config: Path, requirements: Path, tmp_path: Path
) -> None:
    run("import", config, requirements, "--write", "packages.toml")
    text = run("export", config, "--format", "nvchecker", "--packages").stdout
    (tmp_path / "nvchecker.toml").write_text(text)
    found = {one.name: one for one in read(tmp_path / "nvchecker.toml")}
    assert found["alpha"].upstream == ("pypi", "alpha")
    assert found["beta"].upstream == ("github", "owner/beta")
    assert found["beta"].rules["tag"] == "cli/v{version}"


def test_export_as_table_and_as_packages(config: Path, requirements: Path) -> None:
    run("import", config, requirements, "--write", "packages.toml")
    rows = run("export", config, "--packages").stdout.splitlines()
    assert rows[1] == "alpha\t1.2\t-\tpypi/alpha\t-"
    again = run("export", config, "--format", "toml", "--packages").stdout
    assert tomllib.loads(again)["package"] == packages(config)


EVERYTHING = """
[forge]
source = "github"
github = "owner/forge"
include_regex = 'release-\\d+(-\\d+)*'
exclude_regex = '.*(rc|beta).*'
prefix = "release-"
from_pattern = '-'
to_pattern = '.'

[part]
source = "github"
github = "owner/forge"
from_pattern = '^cli/v(.*)$'
to_pattern = '\\1'

[numbers]
source = "git"
git = "https://g.example/numbers.git"
from_pattern = 'numbers-(\\d+)_(\\d+)_(\\d+)'
to_pattern = '\\1.\\2.\\3'

[own]
source = "gitlab"
gitlab = "group/own"
host = "gitlab.forge.example"

[early]
source = "pypi"
pypi = "early"
use_pre_release = true

[files]
source = "regex"
url = "https://d.example/download/"
regex = 'files-([0-9.]+)\\.tar'

[gem]
source = "gems"
gems = "gem"
"""


def test_what_nvchecker_says_is_the_same_after_import_and_export(
    config: Path, tmp_path: Path
) -> None:
    first = tmp_path / "nvchecker.toml"
    first.write_text(EVERYTHING)
    before = {one.name: one for one in read(first)}
    run("import", config, first, "--write", "packages.toml")
    assert [one["name"] for one in packages(config)] == list(before)
    text = run("export", config, "--format", "nvchecker", "--packages").stdout
    assert "# not told" not in text
    second = tmp_path / "again" / "nvchecker.toml"
    second.parent.mkdir()
    second.write_text(text)
    after = {one.name: one for one in read(second)}

    facts = {n: (o.upstream, o.settings, {**o.rules, "include": 0}) for n, o in before.items()}
    assert facts == {
        n: (o.upstream, o.settings, {**o.rules, "include": 0}) for n, o in after.items()
    }
    # A template asks for its tags alone, which nvchecker has to be told by a filter.
    assert after["forge"].rules == before["forge"].rules
    assert after["part"].rules["include"] == ("^(?:cli/v(.*))$",)


def test_an_export_tells_what_nvchecker_has_no_setting_for(config: Path) -> None:
    (config / "packages.toml").write_text(
        '[[package]]\nupstream = "pypi/tool"\npin = "4.2"\nskip = ["4.2.1"]\n'
    )
    text = run("export", config, "--format", "nvchecker", "--packages").stdout
    assert "# not told: pin, skip" in text
    assert tomllib.loads(text)["tool"] == {"source": "pypi", "pypi": "tool"}


def test_several_packages_may_have_one_upstream(config: Path, tmp_path: Path) -> None:
    for name, version in (("lang3.12", "3.12.1"), ("lang3.13", "3.13.0")):
        recipe = tmp_path / "recipes" / name / "PKGBUILD"
        recipe.parent.mkdir(parents=True)
        recipe.write_text(
            f"pkgname={name}\npkgver={version}\n"
            "source=(https://github.com/owner/lang/archive/v$pkgver.tar.gz)\n"
        )
    run("import", config, tmp_path / "recipes", "--write", "packages.toml")
    assert [one["name"] for one in packages(config)] == ["lang3.12", "lang3.13"]


def test_what_is_asked_in_another_way_gets_the_source_for_it(config: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(
        "https://download.kde.org/stable/release-service/1.2/src/tool-1.2.tar.xz\n"
        "pkg:hackage/tool-kit\n"
        "pkg:cran/toolbox\n"
        "https://gitlab.com/group/other/-/archive/1.2/other-1.2.tar.gz\n"
    )
    result = run("import", config, tmp_path / "list.txt", "--write", "packages.toml")
    assert "4 need a provider" in result.stderr
    assert "4 of these are asked in another way" in result.stderr
    settings = load(Config(config, {}))
    assert [one.upstream for one in settings.packages] == [
        "folder-tree/https://download.kde.org/stable/release-service/#tool",
        "hackage/tool-kit",
        "cran/toolbox",
        "git/https://gitlab.com/group/other.git",
    ]
    sources = settings.sources
    assert (sources["folder-tree"].provider, sources["folder-tree"].settings) == (
        "folder",
        {"tree": True},
    )
    assert sources["hackage"].provider == "rss"
    assert sources["cran"].provider == "folder"
    assert sources["git"].provider == "git"


@pytest.mark.parametrize("name", ["yarn.lock", "flake.json", "recipe.yaml"])
def test_a_file_of_structure_is_not_read_as_a_list(name: str, config: Path, tmp_path: Path) -> None:
    (tmp_path / name).write_text('tool@^1.0:\n  version "1.2"\n  resolved "https://r.example/x"\n')
    with pytest.raises(UsageError, match="of no format that is read here"):
        run("import", config, tmp_path / name)
