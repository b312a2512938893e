"""`monitor watch`, `unwatch` and `ack`."""

from __future__ import annotations

import click

from monitor.cli import App
from monitor.cli.completion import of_watched
from monitor.cli.render import clean, print_json
from monitor.errors import UsageError


@click.command()
@click.argument("what", nargs=-1, required=True)
@click.option("--name", help="What you call it.")
@click.option("--current", metavar="VERSION", help="The version that you ship.")
@click.option("--owner", help="Who looks after it.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def watch(
    app: App,
    what: tuple[str, ...],
    name: str | None,
    current: str | None,
    owner: str | None,
    json: bool,
) -> None:
    """Watch projects from now on: WHAT is a purl, source/project, or an address.

    Their versions are asked for at the next `monitor poll`, or at once where the
    daemon runs. packages.toml holds many of them in a file.
    """
    if len(what) > 1 and (name or current):
        raise UsageError("watch", "--name and --current are of one project", "name them one by one")
    for text in what:
        done = app.do("watch", what=text, name=name, current=current, owner=owner)
        if json:
            print_json([done])
        else:
            word = "watching" if done["new"] else "already watched:"
            click.echo(clean(f"{word} {done['purl']} at {done['source']}"))


@click.command()
@click.argument("what", nargs=-1, required=True, shell_complete=of_watched)
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def unwatch(app: App, what: tuple[str, ...], json: bool) -> None:
    """Watch projects no longer. What is known of them stays."""
    for text in what:
        done = app.do("unwatch", what=text)
        if json:
            print_json([done])
            continue
        word = "no longer watched:" if done["watched"] else "was not watched:"
        click.echo(clean(f"{word} {done['purl']}"))


@click.command()
@click.argument("what", shell_complete=of_watched)
@click.argument("version", required=False)
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def ack(app: App, what: str, version: str | None, json: bool) -> None:
    """Say that you have seen VERSION (or the newest stable one) of a project."""
    done = app.do("ack", what=what, version=version)
    if json:
        print_json([done])
        return
    click.echo(clean(f"seen: {done['purl']} {done['version']}"))
