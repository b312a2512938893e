"""What stopped people who had never seen this program, and no longer does."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import render
from monitor.store.lock import holder, lock
from tests.cli.conftest import Cli, write_sources
from tests.conftest import lacking


def packages(cli: Cli, text: str) -> None:
    (cli.config / "packages.toml").write_text(text)


def projects_of(cli: Cli, source: str, *names: str) -> None:
    file = cli.config / "sources" / f"{source}.toml"
    file.write_text(f"projects = {list(names)!r}\n" + file.read_text())


# ── packages.toml ─────────────────────────────────────────────────────────────────────


def test_what_packages_toml_says_holds_where_a_source_names_the_project_as_well(cli, registry):
    registry.publish("crates", "ripgrep", "14.1.1")
    packages(cli, '[[package]]\nname = "rg"\nupstream = "pkg:cargo/ripgrep"\npackaged = "14.0.0"\n')
    projects_of(cli, "crates", "ripgrep")
    cli("poll", "crates")

    (row,) = cli("list", "--json").lines
    assert (row["name"], row["current"]) == ("rg", "14.0.0")


def test_lists_are_in_the_order_of_names_whatever_their_case(cli):
    names = ("zope", "Pillow", "attrs")
    packages(
        cli, "".join(f'[[package]]\nupstream = "pypi/{name}"\npackaged = "1"\n' for name in names)
    )
    cli("poll", "pypi")

    assert [row["name"] for row in cli("list", "--json").lines] == ["attrs", "Pillow", "zope"]
    shown = [row["package"] for row in cli("outdated", "--every", "--json").lines]
    assert shown == ["attrs", "Pillow", "zope"]


def test_a_package_that_nobody_can_be_asked_about_is_not_passed_over_in_silence(cli, registry):
    registry.publish("pypi", "requests", "2.0")
    packages(
        cli,
        '[[package]]\nupstream = "pypi/requests"\npackaged = "2.0"\n'
        '[[package]]\nupstream = "pkg:npm/react"\npackaged = "18.0.0"\n',
    )
    cli("poll", "pypi")

    assert "pkg:npm/react: no configured source knows it" in cli("outdated").err
    checked = cli("config", "check")
    assert "pkg:npm/react" in checked.err
    assert ": usable, but see above; " in checked.out
    assert checked.out.endswith(", 2 packages\n")


def test_a_project_of_the_settings_is_changed_there(cli, registry):
    registry.publish("pypi", "requests", "2.0")
    packages(cli, '[[package]]\nupstream = "pypi/requests"\npackaged = "1.0"\n')
    cli("poll", "pypi")

    for words in (["watch", "pypi/requests", "--current", "2.0"], ["unwatch", "requests"]):
        refused = cli(*words)
        assert refused.code == 2
        assert "is watched because the settings name it" in refused.err
    assert cli("watch", "pypi/requests").out == "already watched: pkg:pypi/requests at pypi\n"
    (row,) = cli("list", "--json").lines
    assert row["current"] == "1.0"


def test_a_version_without_quotes_is_told_with_them(cli):
    packages(cli, '[[package]]\nupstream = "pypi/requests"\npackaged = 2.31\n')
    assert 'put it in quotes: "2.31"' in cli("config", "check").err


def test_settings_without_a_contact_are_not_called_good(cli, registry):
    write_sources(cli.config, registry)
    file = cli.config / "monitor.toml"
    assert ": good; " in cli("config", "check").out
    file.write_text(file.read_text().replace("contact = ", "#"))

    checked = cli("config", "check")
    assert checked.code == 0
    assert f"{file}: [network] contact =" in checked.err
    assert ": good; " not in checked.out


# ── names ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "names no project"),
        (" ", "names no project"),
        ("pypi/", "write it as pypi/NAME"),
        ("npm/react", "there is no provider for npm yet"),
        ("PYPI/requests", "did you mean pypi/requests"),
        ("junegunn/fzf", "did you mean github/junegunn/fzf"),
    ],
)
def test_a_name_that_means_nothing_is_told_what_would(cli, name, told):
    asked = cli("check", name)

    assert asked.code == 2
    assert told in asked.err
    assert "mistake of the program" not in asked.err


def test_what_cannot_be_a_repository_is_not_proposed_as_one(cli):
    assert "did you mean" not in cli("check", "../etc").err


# ── polls ─────────────────────────────────────────────────────────────────────────────


def test_a_quiet_poll_gives_cron_nothing_to_send_unless_something_failed(cli, registry):
    quiet = cli("poll", "crates", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")

    registry.fail(urlsplit(registry.crates_static_url).path + "/*", status=503, times=None)
    failed = cli("poll", "crates", "--quiet")
    assert (failed.code, failed.out) == (3, "")
    assert "503" in failed.err


def test_a_quota_that_does_not_suffice_for_all_is_not_spent_on_halves(cli, registry):
    """GitHub allows sixty questions an hour, and a repository takes two."""
    names = [f"owner/tool{number}" for number in range(40)]
    for name in names:
        registry.publish("github", name, "v1.0")
    packages(cli, "".join(f'[[package]]\nupstream = "github/{name}"\n' for name in names))

    first = cli("poll", "github", "--json").lines
    answered = {row["project"] for row in first if row["outcome"] == "ok"}
    assert len(answered) >= 15  # the other half of the quota is spread over the hour
    asked = len(registry.requests(urlsplit(registry.github_api_url).path + "/repos/*"))
    assert asked <= 2 * len(answered) + 2


def test_who_waits_longest_is_asked_first_where_a_quota_does_not_suffice(cli, registry):
    for name in ("owner/a", "owner/b", "owner/c"):
        registry.publish("github", name, "v1.0")
        cli("watch", f"github/{name}")
    registry.fail(urlsplit(registry.github_api_url).path + "/repos/owner/b/*")
    cli("poll", "github")

    assert cli("poll", "github", "--json").lines[0]["project"] == "owner/b"


def test_H04_a_host_that_is_given_a_rest_is_told_with_the_reason(cli, registry):
    for number in range(12):
        cli("watch", f"pypi/p{number}")
    registry.fail("/pypi/*", status=503, times=None)

    errors = [row["error"] for row in cli("poll", "pypi", "--json").lines]
    rested = [error for error in errors if "is given a rest" in error]
    assert rested
    assert all("503" in error for error in rested)


# ── this machine ──────────────────────────────────────────────────────────────────────


def test_who_has_the_folder_is_seen_without_touching_it(tmp_path):
    assert holder(tmp_path) is None
    with lock(tmp_path):
        assert (holder(tmp_path) or "").startswith("process ")
    assert holder(tmp_path) is None


def test_a_full_disk_is_told_as_one_whoever_met_it(capsys):
    from monitor.cli import complain

    db = sqlite3.connect(":memory:")
    db.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.Error) as full:
        db.executescript("CREATE TABLE a (b); CREATE TABLE c (d); CREATE TABLE e (f);")

    assert complain(full.value) == 1
    assert "the disk is full" in capsys.readouterr().err


# ── the terminal ──────────────────────────────────────────────────────────────────────


@given(st.lists(st.tuples(*[st.text("abcdefgh", min_size=1, max_size=12)] * 6), min_size=1))
def test_a_terminal_too_narrow_for_columns_is_told_everything_all_the_same(rows):
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr(render.click, "echo", printed.append)
        patch.setenv("COLUMNS", "40")
        render.table(("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX"), rows)

    told = "\n".join(printed)
    assert all(len(line) <= 40 for line in told.split("\n"))
    if max(len(cell) for row in rows for cell in row) >= 12:
        words = told.split()
        assert all(cell in words for row in rows for cell in row)


def completing(cli: Cli, registry, shell: str, script: str) -> list[str]:
    """What a shell proposes; the program is found as it is in real life."""
    if shutil.which(shell) is None:
        lacking(f"{shell} is not installed: apt-get install {shell}")
    registry.publish("pypi", "requests", "2.0")
    cli("watch", "pypi/requests")
    program = Path(sys.executable).with_name("monitor")
    environ = cli.environ() | {
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "MONITOR_CONFIG": str(cli.config),
        "MONITOR_STATE__DIR": str(cli.state),
    }
    done = subprocess.run(
        [shell, "-c", script], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


BEGUN = (("monitor que", "queue"), ("monitor show req", "requests"), ("monitor poll cra", "crates"))


@pytest.mark.parametrize(("line", "proposed"), BEGUN)
def test_bash_completes_commands_sources_and_what_is_watched(cli, registry, line, proposed):
    words = line.split()
    script = (
        'eval "$(monitor completion bash)"; '
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
        '_monitor_completion monitor; echo "${COMPREPLY[@]}"'
    )
    assert completing(cli, registry, "bash", script) == [proposed]


@pytest.mark.parametrize(("line", "proposed"), BEGUN)
def test_fish_completes_commands_sources_and_what_is_watched(cli, registry, line, proposed):
    script = f"monitor completion fish | source; complete -C'{line}' | cut -f1"
    assert completing(cli, registry, "fish", script) == [proposed]


@pytest.mark.parametrize(("line", "proposed"), BEGUN)
def test_zsh_completes_commands_sources_and_what_is_watched(cli, registry, line, proposed):
    """In a terminal of its own: zsh completes nowhere else."""
    script = f"""
zmodload zsh/zpty
zpty shell zsh -f
zpty -w shell 'autoload -Uz compinit; compinit -u -D; eval "$(monitor completion zsh)"'
zpty -w shell 'print rea""dy'
zpty -r -m shell line '*ready*'
zpty -n -w shell $'{line}\\t'
zpty -r -m shell line '*{proposed}*'
print -r -- {proposed}
zpty -d shell
"""
    assert completing(cli, registry, "zsh", script) == [proposed]
