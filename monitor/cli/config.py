"""`monitor config`: are the settings right, and what holds?"""

from __future__ import annotations

from typing import Any

import click

from monitor.cli import WRONG, App
from monitor.cli.render import as_json, clean, complaint, print_json, several


@click.group()
def config() -> None:
    """Check the settings, or show what holds and where it was set."""


@config.command()
@click.option("--json", "json", is_flag=True, help="Print one JSON object per mistake.")
@click.pass_context
def check(ctx: click.Context, json: bool) -> None:
    """Say all that is wrong with the settings, each with file and line.

    Exit code 2 where something is.
    """
    app: App = ctx.obj
    problems = mistakes(app)
    if json:
        print_json({"where": one.where, "what": one.what, "remedy": one.remedy} for one in problems)
        ctx.exit(WRONG if problems else 0)
    for one in problems:
        complaint(one)
    if problems:
        ctx.exit(WRONG)
    notes = _notes(app)
    for one in notes:
        complaint(one)
    told = several(len(app.settings.sources), "source")
    if app.settings.packages:
        told += f", {several(len(app.settings.packages), 'package')}"
    word = "usable, but see above" if notes else "good"
    click.echo(f"{clean(app.place.folder)}: {word}; {told}")


@config.command()
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(app: App, json: bool) -> None:
    """Show every setting that holds, with the file and line where it was set.

    Secrets are not shown.
    """
    from monitor.settings.pages import effective

    if not json:
        click.echo(effective(app.settings), nl=False)
        return
    import tomllib

    told: dict[str, Any] = {"folder": app.settings.folder, "origins": app.settings.origins}
    click.echo(as_json(told | {"settings": tomllib.loads(effective(app.settings))}))


def mistakes(app: App) -> list[Any]:
    """Everything that is wrong: in the files, and in what providers are given."""
    from monitor.errors import MonitorError, SettingsError
    from monitor.runtime import source_of
    from monitor.settings import check as look

    place = app.place
    problems: list[Any] = []
    try:
        app.settings  # noqa: B018 - read once; all mistakes are looked for where there is one
    except SettingsError:
        return list(look(place))
    for name, source in app.settings.sources.items():
        try:
            source_of(name, source, app.settings)
        except MonitorError as error:
            where = f"{place.folder}/sources/{name}.toml: {error.where}"
            problems.append(type(error)(where, error.what, error.remedy))
    return problems


def _notes(app: App) -> list[Any]:
    """What is allowed, and yet surely not what was meant."""
    from monitor.cli.doctor import own_folder
    from monitor.errors import SettingsError

    found: list[Any] = []
    network = app.settings.network
    if not (network.contact or network.gateway or network.replay):
        found.append(
            SettingsError(
                "network.contact",
                "is not set, so no public server is watched",
                f"{own_folder(app.place.folder)}/monitor.toml:"
                ' [network] contact = "mailto:you@your.example"',
            )
        )
    if not app.settings.sources:
        found.append(
            SettingsError(
                f"{app.place.folder}/sources",
                "no source is configured, so nothing is asked",
                'such as a file pypi.toml with the line provider = "pypi"',
            )
        )
        return found
    return found + app.runtime.placed()[1]
