"""`monitor hold`, `unhold` and `retract`: a person's word."""

from __future__ import annotations

import click

from monitor.cli import App
from monitor.cli.completion import of_watched
from monitor.cli.render import as_json, clean
from monitor.cli.which import split_version
from monitor.errors import UsageError


@click.command()
@click.argument("what", metavar="PKG[@VERSION]", shell_complete=of_watched)
@click.option("--why", required=True, help="The reason, for everyone who will wonder.")
@click.option("--who", help="In whose name, in place of yours.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def hold(app: App, what: str, why: str, who: str | None, json: bool) -> None:
    """Keep a version, or a whole project, from being built until `monitor unhold`.

    It is recorded and told as before; only its recipe waits.
    """
    name, version = split_version(what)
    done = app.do("hold", what=name, version=version or "", who=who or myself(), why=why)
    _say(done, "held", json)


@click.command()
@click.argument("what", metavar="PKG[@VERSION]", shell_complete=of_watched)
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def unhold(app: App, what: str, json: bool) -> None:
    """Let a held version, or project, be built again."""
    name, version = split_version(what)
    done = app.do("hold", what=name, version=version or "", who=myself(), why="", on=False)
    _say(done, "no longer held", json)


@click.command()
@click.argument("what", metavar="PKG@VERSION", shell_complete=of_watched)
@click.option("--why", required=True, help="What was wrong with it.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def retract(app: App, what: str, why: str, json: bool) -> None:
    """Take back an announcement of ours that was wrong.

    Events never change: a further one says that this release was none, and its
    recipe is revoked. What the upstream took back itself (a yank) is no matter for this.
    """
    name, version = split_version(what)
    if version is None:
        raise UsageError(what, "which version?", f"write {what}@VERSION")
    done = app.do("retract", what=name, version=version, why=why)
    if json:
        click.echo(as_json(done))
    else:
        told = f"retracted: {done['purl']} {done['version']} (event {done['event']})"
        click.echo(clean(told))


def _say(done: dict[str, object], word: str, json: bool) -> None:
    if json:
        click.echo(as_json(done))
    else:
        note = " (no such version was seen yet)" if done.get("seen") is False else ""
        click.echo(clean(f"{word}: {done['purl']} {done['version'] or 'as a whole'}{note}"))


def myself() -> str:
    """The name of whoever runs this."""
    import getpass
    import os

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return f"user {os.getuid()}"
