"""The manual page and `docs/commands.md`, both made from the help texts.

python -m monitor.cli.manual man > monitor.1
python -m monitor.cli.manual docs > docs/commands.md
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

import click

from monitor.cli import COMMANDS, cli

_HEAD = """\
# Commands

Written from the help texts by `python -m monitor.cli.manual docs`; a test compares.

PKG is a purl (`pkg:pypi/requests`), a source or provider and a name (`github/psf/requests`), an
address (a project's page, a repository, an archive), or the name of a project that is watched.
`--json` prints for programs, one object per line; times in it are RFC 3339. Tables fit the
terminal, or `$COLUMNS`; colours appear on terminals only, and not where `$NO_COLOR` is set.

| exit code | means |
|---|---|
| 0 | an answer; nothing newer |
| 1 | this machine is at fault: disk, permissions, database; or a build failed |
| 2 | a wrong question, or wrong settings |
| 3 | an upstream failed; for `status`, news is older than it may be |
| 10 | something newer is there |

With several packages the first of 2, 3, 10 that holds for one.
"""

_FILES = (
    ("~/.config/release-monitor/, /etc/release-monitor/", "the settings; docs/settings.md has all"),
    ("~/.local/state/release-monitor/, /var/lib/monitor/", "database, feed and queue"),
)

_VARIABLES = (
    ("MONITOR_CONFIG", "folder of the settings"),
    ("MONITOR_SECTION__KEY", "one setting, such as MONITOR_NETWORK__CONTACT"),
    ("MONITOR_DEBUG", "show where in the program an error comes from"),
    ("NO_COLOR", "no colours"),
    ("COLUMNS", "how wide tables may be"),
)


@click.command()
def man() -> None:
    """Print the manual page, in the language of man(1)."""
    click.echo(page(), nl=False)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and its subcommands by their full names, groups before what is in them."""
    context = click.Context(cli, info_name="monitor")
    for name in sorted(COMMANDS):
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner, sub in sorted(command.commands.items()):
                yield f"{name} {inner}", sub


def docs() -> str:
    """`docs/commands.md`."""
    parts = [_HEAD, _section("monitor", cli)]
    parts += [_section(f"monitor {name}", command) for name, command in commands()]
    return "\n".join(parts)


def _section(name: str, command: click.Command) -> str:
    lines = [f"## {name}", "", f"    {_usage(name, command)}", ""]
    lines += [*_paragraphs(command), ""]
    if options := list(_options(command)):
        lines += ["| option | |", "|---|---|"]
        lines += [f"| `{flags}` | {_cell(text)} |" for flags, text in options]
        lines.append("")
    return "\n".join(lines)


def _usage(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    return " ".join([name, *command.collect_usage_pieces(context)])


def _paragraphs(command: click.Command) -> list[str]:
    """The help text, its paragraphs as they are; a literal block is indented."""
    text = inspect.cleandoc(command.help or "").partition("\f")[0]
    lines, literal = [], False
    for line in text.splitlines():
        if line == "\b":
            literal = True
            continue
        literal = literal and bool(line.strip())
        lines.append(f"    {line}" if literal else line)
    return lines


def _options(command: click.Command) -> Iterator[tuple[str, str]]:
    context = click.Context(command)
    for option in command.params:
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record is not None:
            yield record


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


# ── man ───────────────────────────────────────────────────────────────────────────────


def page() -> str:
    """`monitor.1`."""
    lines = [
        '.\\" Written from the help texts by "python -m monitor.cli.manual man".',
        '.TH MONITOR 1 "" "release-monitor" "User Commands"',
        ".SH NAME",
        "monitor \\- watch every place where software is published",
        ".SH SYNOPSIS",
        ".B monitor",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]...",
        ".SH DESCRIPTION",
        *_roff(cli),
        ".SH OPTIONS",
        *_roff_options(cli),
        ".SH COMMANDS",
    ]
    for name, command in commands():
        lines += [f".SS {_escape(_usage(f'monitor {name}', command))}", *_roff(command)]
        lines += _roff_options(command)
    lines += [
        ".SH EXIT STATUS",
        *_terms(
            ("0", "an answer; nothing newer"),
            ("1", "this machine is at fault, or a build failed"),
            ("2", "a wrong question, or wrong settings"),
            ("3", "an upstream failed, or news is older than it may be"),
            ("10", "something newer is there"),
        ),
        ".SH ENVIRONMENT",
        *_terms(*_VARIABLES),
        ".SH FILES",
        *_terms(*_FILES),
    ]
    return "\n".join(lines) + "\n"


def _roff(command: click.Command) -> list[str]:
    lines: list[str] = []
    for line in _paragraphs(command):
        if not line:
            lines.append(".PP")
        elif line.startswith("    "):
            lines += [".br", _escape(line.strip())]
        else:
            lines.append(_escape(line))
    return lines


def _roff_options(command: click.Command) -> list[str]:
    return _terms(*_options(command))


def _terms(*terms: tuple[Any, ...]) -> list[str]:
    lines = []
    for head, text in terms:
        lines += [".TP", f"\\fB{_escape(head)}\\fR", _escape(text)]
    return lines


def _escape(text: str) -> str:
    """Plain text: no character of it is a request or an escape of roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return "\\&" + text if text.startswith((".", "'")) else text


if __name__ == "__main__":
    made = {"man": page, "docs": docs}
    sys.stdout.write(made[sys.argv[1]]())
