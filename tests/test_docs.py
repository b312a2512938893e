"""What the pages name is there: links, commands, options, settings, make targets, libraries."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import msgspec
import pytest

from monitor.cli import cli
from monitor.homes import home_of
from monitor.settings import Settings
from tests.docs.pages import PAGES, ROOT, agree, blocks, masked

SHELL = {"|", "||", "&&", ";", "&", "(", ")"}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def inline(page: Path) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(page))


# ── links ─────────────────────────────────────────────────────────────────────────────


@each_page
def test_every_relative_link_leads_somewhere(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / unquote(path)).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """What a page's headings are called in addresses, as forges make them."""
    heads = re.findall(r"^#+ +(.+)$", prose(page), flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", head.replace("`", "").lower()).strip().replace(" ", "-")
        for head in heads
    }


def test_every_page_is_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        for target in re.findall(r"\]\(([^)\s#]+)", prose(page)):
            if "://" not in target:
                waiting.append((page.parent / target).resolve())
    assert set(PAGES) - reached == set()


# ── commands ──────────────────────────────────────────────────────────────────────────


def simple_commands(text: str) -> list[list[str]]:
    """The programs that a line of shell starts, each with its words."""
    text = re.sub(r"<<'?(\w+)'?\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("|&;()"):
            found.append([])
        else:
            found[-1].append(word)
    return [without_prefix(words) for words in found if words]


def without_prefix(words: list[str]) -> list[str]:
    """Without variables, `sudo` and their like in front."""
    while words and (re.match(r"\w+=", words[0]) or words[0] in ("sudo", "exec", "time")):
        words = words[1:]
        while words and words[0].startswith("-"):
            words = words[2:]
    return words


def problem(words: list[str]) -> str | None:
    """What is wrong with a `monitor …`: no such command, no such option."""
    command: click.Command = cli
    ctx = click.Context(cli, info_name="monitor")
    rest = words[1:]
    while rest:
        word = rest.pop(0)
        if word in ("…", "...") or "<" in word or word in (">", ">>"):
            continue
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            options = [p for p in command.get_params(ctx) if isinstance(p, click.Option)]
            known = {opt for p in options for opt in (*p.opts, *p.secondary_opts)}
            if name not in known:
                return f"{' '.join(words)}: no option {name}"
            taken = next(p for p in options if name in (*p.opts, *p.secondary_opts))
            if not taken.is_flag and not taken.count and "=" not in word and rest:
                rest.pop(0)
        elif isinstance(command, click.Group):
            if word.isupper():  # a stand-in: `monitor COMMAND --help`
                return None
            inner = command.get_command(ctx, word)
            if inner is None:
                return f"{' '.join(words)}: no command {word}"
            command, ctx = inner, click.Context(inner, info_name=word, parent=ctx)
    return None


@each_page
def test_every_command_shown_exists_with_its_options(page):
    wrong = []
    shown = [c.text for block in blocks(page) for c in block.commands]
    shown += [text for text in inline(page) if re.match(r"monitor [a-z-]", text)]
    for text in shown:
        for words in simple_commands(text):
            if words and Path(words[0]).name == "monitor":
                wrong.append(problem(words))
    assert [one for one in wrong if one] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("monitor check pypi/requests --current 2.0 --json", None),
        ("monitor checks pypi/requests", "no command checks"),
        ("monitor check --curent 2.0", "no option --curent"),
        ("X=1 monitor queue list --all | head", None),
        ("sudo -u monitor monitor queue lst", "no command lst"),
        ("monitor --config a queue list --al", "no option --al"),
    ],
)
def test_a_command_that_is_not_there_is_found_out(text, wrong):
    found = [problem(w) for w in simple_commands(text) if w and w[0] == "monitor"]
    assert (found[0] is None) if wrong is None else found[0].endswith(wrong)


@each_page
def test_every_make_target_named_is_one(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {m[1] for text in inline(page) if (m := re.match(r"make ([a-z]+)\b", text))}
    if page.name in ("README.md", "CONTRIBUTING.md"):
        for block in blocks(page):
            for command in block.commands:
                named |= set(re.findall(r"^make ([a-z]+)\b", command.text))
    assert named - targets == set()


REFERENCE = {"importing.md"}
"""Pages that show how a command is written, not what happens; it is played on another page."""


@each_page
def test_a_session_is_run_or_says_why_not(page):
    from tests.docs.test_sessions import PLAYED

    if page.name in REFERENCE:
        return
    silent = [
        f"line {block.line}"
        for block in blocks(page)
        if block.commands and not (block.skipped or block.by) and page not in PLAYED
    ]
    assert silent == []


def test_what_a_page_leaves_to_another_test_is_run_there_and_nothing_else_is():
    from tests.docs.test_installed import RUN

    assert {block.by for page in PAGES for block in blocks(page) if block.by} == RUN


def test_what_differs_from_run_to_run_is_masked_and_nothing_else():
    assert agree(("a  2026-11-21 22:00:01  b",), ["a 2031-01-02 03:04:05 b"])
    assert agree(("one", "…", "two"), ["one", "x", "y", "two"])
    assert agree(("one …",), ["one more"])
    assert agree(("5 minutes ago",), ["now"])
    assert not agree(("2.32.3",), ["2.32.4"])
    assert not agree(("one",), ["one", "two"])
    assert not agree(("one", "two"), ["one"])
    assert masked("127.0.0.1:80 x") == "HOST x"


# ── settings ──────────────────────────────────────────────────────────────────────────


def sections() -> dict[str, set[str]]:
    """The tables of monitor.toml with their keys."""
    found = {}
    for info in msgspec.structs.fields(Settings):
        try:
            found[info.name] = {inner.name for inner in msgspec.structs.fields(info.type)}
        except TypeError:
            continue
    return found


@each_page
def test_every_setting_named_exists(page):
    known = sections()
    wrong = []
    for text in inline(page):
        if (dotted := re.match(r"([a-z]+)\.([a-z_]+)\b(?!\()", text)) and dotted[1] in known:
            files = {"toml", "py", "json", "schema", "md", "service", "timer", "db", "sock", "conf"}
            modules = {p.stem for p in (ROOT / "monitor" / dotted[1]).glob("*")}
            if dotted[2] not in known[dotted[1]] | files | modules:
                wrong.append(text)
    variables = re.findall(r"MONITOR_([A-Z]+)__([A-Z_]+)", page.read_text("utf-8"))
    wrong += [f"{a}__{b}" for a, b in variables if b.lower() not in known.get(a.lower(), ())]
    assert wrong == []


@each_page
def test_every_piece_of_toml_can_be_read(page):
    for block in blocks(page):
        if block.kind == "toml":
            tomllib.loads(block.text)


# ── libraries, hosts ──────────────────────────────────────────────────────────────────

SMALL_PRINT = {"idna", "yarl"}
"""Parts of aiohttp's and httpx2's own that are named only because they are imported."""


def test_the_readme_says_what_each_library_is_for():
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["notify"]]
    names = {re.split(r"[<>=\[]", one)[0] for one in wanted} - SMALL_PRINT
    _, _, table = (ROOT / "README.md").read_text().partition("## Which library does what")
    told = set()
    for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE):
        told |= {word.strip() for word in row.split(",")}
    assert told - {"library", "---"} == names


def test_no_registry_s_host_and_no_path_of_a_machine_is_in_the_repository():
    """The patterns are put together here, so that this file does not hold them itself."""
    hosts = [home_of("pkg:pypi/pip"), home_of("pkg:npm/x")]
    words = [re.escape(re.sub(r"^https?://(www\.)?", "", host)) for host in hosts]
    words += [
        r"(registry|replicate)\." + "npmjs",
        r"(deb|snapshot|packages|sources)\.debian" + r"\.org",
    ]
    words += [r"(^|[\"' (=:])/" + "work/", r"files\.python" + "hosted"]
    found = subprocess.run(
        ["git", "grep", "-nIE", "-e", "|".join(words), "--", ":!requirements.lock"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode in (0, 1), found.stderr
    assert found.stdout == ""


def test_the_map_shows_every_layer_that_the_import_contracts_name():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    modules = [name.rpartition(".")[2] for layer in layers for name in layer.split(" | ")]
    _, _, section = (ROOT / "docs" / "architecture.md").read_text().partition("## Layers")
    shown = re.findall(r"`(?:monitor\.)?(\w+)`", section.partition("\n## ")[0])

    assert [name for name in modules if name not in shown] == []
    assert sorted(modules, key=shown.index) == modules
