"""The command `monitor`: parse, call, print.

Commands are loaded when they are used, so that `monitor --help` starts at
once. Exit codes: 0 for an answer, 1 where this machine is at fault, 2 for a
wrong question, 3 when an upstream failed, 10 when something newer is there.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import sqlite3

    from monitor.runtime import Runtime
    from monitor.settings import Settings

COMMANDS: dict[str, tuple[str, str, str]] = {
    "ack": ("watch", "ack", "Say that you have seen a project's newest version."),
    "check": ("check", "check", "Ask upstreams now: what is the newest version?"),
    "feed": ("feed", "feed", "Follow the event log, or write the JSON feed."),
    "list": ("show", "list_", "List the watched projects."),
    "poll": ("poll", "poll", "Make one round of visits and store what they bring."),
    "providers": ("show", "providers", "List the providers and what they can answer."),
    "queue": ("queue", "queue", "The queue of builds: list, take, done, fail, mark, work."),
    "run": ("run", "run", "Run the daemon."),
    "show": ("show", "show", "Show all that is known of a project."),
    "sources": ("show", "sources", "List the configured sources and how they are."),
    "status": ("show", "status", "How it goes: freshness, errors, what waits."),
    "unwatch": ("watch", "unwatch", "Watch a project no longer."),
    "version": ("version", "version", "Compare, sort and split versions."),
    "watch": ("watch", "watch", "Watch a project from now on."),
}
"""Name → module, its attribute, and what it does in a line."""

WRONG, UPSTREAM, NEWER = 2, 3, 10


class Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"monitor.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else " `monitor --help` lists all."
            ctx.fail(f"There is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in sorted(COMMANDS)])


class App:
    """What every command begins with; each part is made when it is first needed."""

    def __init__(self, config: str | None = None, state: str | None = None) -> None:
        self.config = config
        self.state_option = state

    @cached_property
    def settings(self) -> Settings:
        from monitor.settings import Config, load

        environ = dict(os.environ)
        if self.state_option:
            place = os.path.abspath(os.path.expanduser(self.state_option))  # noqa: PTH100, PTH111
            environ["MONITOR_STATE__DIR"] = place
        return load(Config.find(self.config, environ))

    @cached_property
    def runtime(self) -> Runtime:
        from monitor.runtime import Runtime

        return Runtime.of(self.settings)

    @property
    def state(self) -> str:
        return self.settings.state.dir

    @cached_property
    def reader(self) -> sqlite3.Connection:
        """The store, for reading. Raises StoreError where there is none."""
        from pathlib import Path

        from monitor.store import open_reader

        return open_reader(Path(self.state))

    def do(self, act: str, **arguments: Any) -> Any:
        """Have something written: by the daemon where one runs, else by us."""
        import time

        from monitor.acts import perform

        return perform(self.runtime, act, int(time.time()), **arguments)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", metavar="DIR", help="Folder of the settings, in place of the usual one.")
@click.option("--state", metavar="DIR", help="Folder of the database, in place of the settings'.")
@click.version_option(package_name="release-monitor", prog_name="monitor", message="%(version)s")
@click.pass_context
def cli(ctx: click.Context, config: str | None, state: str | None) -> None:
    """Watch every place where software is published.

    `monitor check requests` asks once; `monitor run` watches, keeps a database
    of versions, a JSON feed and a queue of builds.
    """
    ctx.obj = App(config, state)


def main() -> None:
    """The entry point: runs a command, and says in one line what went wrong."""
    from monitor.errors import MonitorError

    try:
        code = cli.main(prog_name="monitor", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MonitorError as error:
        sys.exit(complain(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has had enough (`monitor list | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    sys.exit(code if isinstance(code, int) else 0)


def complain(error: Exception) -> int:
    """Say what went wrong and what to do; returns the exit code."""
    from monitor.errors import FetchError, MonitorError, ReadError, StoreError

    assert isinstance(error, MonitorError)
    click.echo(f"monitor: {error.where}: {error.what}", err=True)
    if error.remedy:
        click.echo(f"  → {error.remedy}", err=True)
    if isinstance(error, FetchError | ReadError):
        return UPSTREAM
    return 1 if isinstance(error, StoreError) else WRONG
