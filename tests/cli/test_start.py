"""What every command begins with: it is found, starts light, and knows its folders."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import COMMANDS, cli
from monitor.cli.manual import commands, docs, page
from monitor.cli.places import quick_state
from monitor.settings import Config
from monitor.settings.places import load
from tests.cli.conftest import ROOT, Cli

HEAVY = ("sqlite_utils", "msgspec", "aiohttp", "httpx2", "asyncio", "rich", "lxml", "scrapy")


def test_every_command_of_the_table_is_there_and_says_what_it_does():
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)

        assert command is not None
        assert command.name == name
        assert command.help


def test_every_option_of_every_command_is_explained():
    for name, command in commands():
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.name}"


def test_the_page_of_commands_is_what_the_code_says():
    assert (ROOT / "docs" / "commands.md").read_text("utf-8") == docs()
    assert (ROOT / "docs" / "monitor.1").read_text("utf-8") == page()


def test_the_manual_page_has_every_command_and_no_line_that_roff_obeys_by_chance():
    told = page()
    requests = {line.split()[0] for line in told.splitlines() if line.startswith((".", "'"))}

    assert requests <= {".TH", ".SH", ".SS", ".B", ".PP", ".TP", ".br", '.\\"'}
    for name, _ in commands():
        assert f".SS monitor {name}".replace("-", "\\-") in told


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["show", "nothing"], ["version", "-h"]]
)
def test_a_short_command_imports_nothing_that_takes_long(cli: Cli, arguments: list[str]):
    cli("poll", "crates")
    done = cli.apart(*arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip() for line in done.err.splitlines()}

    assert "click" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        ("", {}),
        ("[state]\n", {}),
        ('[state]\ndir = "here"\n', {}),
        ('[state]\ndir = "/srv/there/../x"\n', {}),
        ('state = { dir = "inline" }\n', {}),
        ('state.dir = "dotted"\n', {}),
        ('["state"]\ndir = "quoted"\n', {}),
        ("[network]\npace = 1\n", {"XDG_STATE_HOME": "/srv/state"}),
        ("", {"STATE_DIRECTORY": "/run/one:/run/two"}),
        ("", {"MONITOR_STATE__DIR": "/srv/said"}),
        ("", {"XDG_STATE_HOME": "relative"}),
    ],
)
def test_readers_find_the_database_where_the_settings_put_it(tmp_path, text, environ):
    (tmp_path / "monitor.toml").write_text(text)
    environ = {"HOME": str(tmp_path / "home")} | environ

    quick = quick_state(str(tmp_path), environ)

    assert str(quick) == load(Config.find(str(tmp_path), environ)).state.dir


@given(st.lists(st.sampled_from(["config", "xdg", "systemd", "variable"]), unique=True))
def test_the_folder_of_the_settings_is_chosen_as_the_settings_choose_it(tmp_path_factory, present):
    base = tmp_path_factory.mktemp("places")
    environ, option = {"HOME": str(base / "home")}, None
    for name in present:
        folder = base / name / ("release-monitor" if name == "xdg" else "")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "monitor.toml").write_text(f'[state]\ndir = "/srv/{name}"\n')
        if name == "config":
            option = str(folder)
        else:
            key = {"xdg": "XDG_CONFIG_HOME", "systemd": "CONFIGURATION_DIRECTORY"}
            environ[key.get(name, "MONITOR_CONFIG")] = str(base / name)

    quick = quick_state(option, environ)

    assert quick is not None
    if not Path("/etc/release-monitor").exists():
        assert str(quick) == load(Config.find(option, environ)).state.dir


def test_what_is_unclear_is_left_to_the_settings(tmp_path):
    (tmp_path / "monitor.toml").write_text("[state\n")

    assert quick_state(str(tmp_path), {"HOME": "/x"}) is None
    assert quick_state(str(tmp_path / "missing"), {"HOME": "/x"}) is None
    assert quick_state(None, {}) is None


def test_completion_offers_commands_and_their_options(bare: Cli):
    for shell in ("bash", "zsh", "fish"):
        assert "_MONITOR_COMPLETE" in bare("completion", shell).out

    words = {"_MONITOR_COMPLETE": "bash_complete", "COMP_WORDS": "monitor out", "COMP_CWORD": "1"}
    assert "plain,outdated" in bare.apart(env=words).out
    words |= {"COMP_WORDS": "monitor outdated --b", "COMP_CWORD": "2"}
    assert "plain,--bump" in bare.apart(env=words).out


def test_a_command_that_is_not_there_is_answered_with_the_nearest(bare: Cli):
    said = bare("outdatedd")

    assert (said.code, "'outdated'" in said.err) == (2, True)
