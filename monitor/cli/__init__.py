"""The command `monitor`: parse, call, print.

Commands are loaded when they are used, so that `monitor --help` starts at
once. Exit codes: 0 for an answer, 1 where this machine is at fault, 2 for a
wrong question, 3 when an upstream failed, 10 when something newer is there.
"""

from __future__ import annotations

import atexit
import os
import sys
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from monitor.runtime import Runtime
    from monitor.settings import Config, Settings

COMMANDS: dict[str, tuple[str, str, str]] = {
    "accept": ("proposals", "accept", "Say yes to a proposal."),
    "ack": ("watch", "ack", "Say that you have seen a project's newest version."),
    "ask": ("develop", "ask", "Put one question to a source; nothing is stored."),
    "backup": ("keep", "backup", "Copy the database while it is in use."),
    "check": ("check", "check", "Ask upstreams now: what is the newest version?"),
    "completion": ("completion", "completion", "Print the completion script of your shell."),
    "config": ("config", "config", "Check the settings, or show what holds."),
    "decline": ("proposals", "decline", "Say no to a proposal."),
    "doctor": ("doctor", "doctor", "What is missing on this machine, and how to get it."),
    "export": ("transfer", "export", "Write what is watched for another program."),
    "export-db": ("keep", "export_db", "Write all that is known as JSON lines."),
    "feed": ("feed", "feed", "Follow the event log, or write the JSON feed."),
    "hold": ("hold", "hold", "Keep a release, or a project, from being built."),
    "import": ("transfer", "import_", "Find the upstreams of recipes, lock files and lists."),
    "list": ("show", "list_", "List the watched projects."),
    "man": ("manual", "man", "Print the manual page."),
    "new": ("develop", "new", "Begin a provider: a module and its test."),
    "notify": ("notify", "notify", "Tell people now, or try whether that works."),
    "nudge": ("nudge", "nudge", "Have a project asked now: somebody says that it changed."),
    "outdated": ("outdated", "outdated", "What you ship that has something newer upstream."),
    "poll": ("poll", "poll", "Make one round of visits and store what they bring."),
    "proposals": ("proposals", "list_", "List what only you can decide."),
    "providers": ("providers", "providers", "List the providers and what they can answer."),
    "queue": ("queue", "queue", "The queue of builds: list, take, done, fail, mark, work."),
    "record": ("develop", "record", "Keep a real answer, to be replayed."),
    "restore": ("keep", "restore", "Bring back a backup."),
    "retract": ("hold", "retract", "Take back an announcement that was wrong."),
    "run": ("run", "run", "Run the daemon."),
    "show": ("show", "show", "Show all that is known of a project."),
    "sources": ("status", "sources", "List the configured sources and how they are."),
    "status": ("status", "status", "How it goes: freshness, errors, what waits."),
    "unhold": ("hold", "unhold", "Let a held release be built again."),
    "unwatch": ("watch", "unwatch", "Watch a project no longer."),
    "version": ("version", "version", "Compare, sort and split versions."),
    "watch": ("watch", "watch", "Watch a project from now on."),
    "why": ("why", "why", "Show what a version's verdict, recipe and build rest on."),
}
"""Name → module, its attribute, and what it does in a line."""

MACHINE, WRONG, UPSTREAM, NEWER = 1, 2, 3, 10
"""Exit codes beside 0."""


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
    """What every command begins with; each part is made when it is first needed.

    `config` and `state` are the folders that were asked for, `record` and
    `replay` those of recorded answers. `by_hand` is set by commands that put a
    single question for the person at the terminal.
    """

    def __init__(
        self,
        config: str | None = None,
        state: str | None = None,
        record: str | None = None,
        replay: str | None = None,
    ) -> None:
        self.config = config
        self.state_option = state
        self.record = record
        self.replay = replay

    @property
    def environ(self) -> dict[str, str]:
        """The environment, with what was said on the command line in place of it."""
        environ = dict(os.environ)
        for name, folder in (
            ("STATE__DIR", self.state_option),
            ("NETWORK__RECORD", self.record),
            ("NETWORK__REPLAY", self.replay),
        ):
            if folder:
                place = os.path.abspath(os.path.expanduser(folder))  # noqa: PTH100, PTH111
                environ[f"MONITOR_{name}"] = place
        return environ

    @property
    def place(self) -> Config:
        """The folder that the settings are read from."""
        from monitor.errors import SettingsError
        from monitor.settings import Config

        try:
            return Config.find(self.config, self.environ)
        except RuntimeError as error:  # neither $HOME nor an entry for this user
            raise SettingsError("$HOME", str(error), "set it, or use --config DIR") from error

    @cached_property
    def settings(self) -> Settings:
        from monitor.errors import SettingsError
        from monitor.settings import load

        try:
            return load(self.place)
        except RuntimeError as error:
            raise SettingsError("$HOME", str(error), "set it, or use --state DIR") from error

    @cached_property
    def runtime(self) -> Runtime:
        from monitor.runtime import Runtime

        return Runtime.of(self.settings)

    @cached_property
    def state(self) -> Path:
        """The folder of the database. Readers get there without reading all settings."""
        from monitor.cli.places import quick_state

        found = quick_state(self.config, self.environ)
        if found is None:
            from pathlib import Path

            return Path(self.settings.state.dir)
        return found

    @property
    def remembers(self) -> bool:
        """Is there a database?"""
        return (self.state / "monitor.db").exists()

    @cached_property
    def reader(self) -> sqlite3.Connection:
        """The store, for reading. Raises StoreError where there is none."""
        from monitor.store import open_reader

        return open_reader(self.state)

    def do(self, act: str, /, **arguments: Any) -> Any:
        """Have something written: by the daemon where one runs, else by us."""
        import time

        from monitor.acts import perform

        return perform(self.runtime, act, int(time.time()), **arguments)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 an answer, 1 this machine is at fault, 2 a wrong question,"
    " 3 an upstream failed, 10 something newer is there.",
)
@click.option("--config", metavar="DIR", help="Folder of the settings, in place of the usual one.")
@click.option("--state", metavar="DIR", help="Folder of the database, in place of the settings'.")
@click.option("--record", metavar="DIR", help="Keep every answer of an upstream in that folder.")
@click.option("--replay", metavar="DIR", help="Answer from that folder; open no connection.")
@click.version_option(package_name="release-monitor", prog_name="monitor", message="%(version)s")
@click.pass_context
def cli(
    ctx: click.Context,
    config: str | None,
    state: str | None,
    record: str | None,
    replay: str | None,
) -> None:
    """Watch every place where software is published.

    `monitor check requests` asks once; `monitor run` watches, keeps a database
    of versions, a JSON feed and a queue of builds.
    """
    ctx.obj = App(config, state, record, replay)


def main() -> None:
    """The entry point: runs a command, and says in one line what went wrong."""
    atexit.register(_end_as_decided)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # None where whoever called us has closed it
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(prog_name="monitor", standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.Abort:
        code = 130
    except KeyboardInterrupt:
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        # Whoever read our output has had enough (`monitor list | head`).
        _silence()
        code = 141
    except Exception as error:
        code = complain(error)
    sys.exit(code if isinstance(code, int) else 0)


def _end_as_decided() -> None:
    """Ctrl-C while Python puts itself away would end a command by the signal that is done; and what
    standard error cannot take, on a full disk perhaps, with a code that nobody gave."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def complain(error: Exception) -> int:
    """Say what went wrong and what to do; returns the exit code."""
    from monitor.cli.render import complaint
    from monitor.errors import FetchError, MonitorError, ReadError, StoreError

    foreseen = error if isinstance(error, MonitorError) else _foreseen(error)
    complaint(foreseen)
    if os.environ.get("MONITOR_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(foreseen, FetchError | ReadError):
        return UPSTREAM
    return MACHINE if isinstance(foreseen, StoreError) else WRONG


def _foreseen(error: Exception) -> Any:
    """What Python says of the machine, as an error that says what to do."""
    import sqlite3

    from monitor.errors import StoreError, UsageError

    if isinstance(error, UnicodeError):
        return UsageError("an argument", "is not UTF-8", "write names in UTF-8, or as a purl")
    if isinstance(error, sqlite3.Error):
        if error.sqlite_errorname == "SQLITE_FULL":
            what, remedy = "the disk is full", "make room; nothing that was told is lost"
            return StoreError("the database", what, remedy)
        return StoreError("the database", str(error), "`monitor doctor` looks at it")
    if isinstance(error, OSError):
        import errno

        remedies = {
            errno.ENOSPC: "the disk is full: make room",
            errno.EDQUOT: "your quota is used up: make room",
            errno.EROFS: "it is read-only: choose another folder",
            errno.EACCES: "you have no right to that: choose another folder, or another user",
            errno.EMFILE: "too many files are open: raise `ulimit -n`",
        }
        if error.errno == errno.ENOSPC and not error.filename:
            _silence()
        where = str(error.filename or "output")
        what = error.strerror or str(error)
        return StoreError(where, what, remedies.get(error.errno or 0, "`monitor doctor` may help"))
    what = f"{type(error).__name__}: {str(error)[:300]}"
    remedy = "this is a mistake of the program; MONITOR_DEBUG=1 shows where, please report it"
    return StoreError("monitor", what, remedy)


def _silence() -> None:
    """Drop what is still to be written, so that the end of the program does not fail on it."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
