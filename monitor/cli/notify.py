"""`monitor notify`: tell people what is new, for who runs no daemon; and try whether it works."""

from __future__ import annotations

import asyncio
import contextlib

import click

from monitor.cli import App
from monitor.cli.render import several
from monitor.errors import SettingsError


@click.command()
@click.option("--test", is_flag=True, help="Send a test message, and move no bookmark.")
@click.pass_obj
def notify(app: App, test: bool) -> None:
    """Send what happened since the last time to [notify] urls.

    The daemon does so by itself; this is for a timer that runs `monitor poll`.
    Needs the extra: pip install 'release-monitor[notify]'.
    """
    settings = app.settings
    if not settings.notify.urls:
        raise SettingsError(
            f"{settings.folder}/monitor.toml: notify.urls", "is empty",
            'say whom to tell: [notify] urls = ["mailto://…"]',
        )  # fmt: skip
    if test:
        from monitor.outputs.notices import send

        send(settings.notify, settings.network, "A test", "The release monitor can reach you.")
        click.echo(f"sent to {several(len(settings.notify.urls), 'place')}")
        return
    told = asyncio.run(_tell(app))
    click.echo(f"{several(told, 'event')} told" if told else "nothing new to tell")


async def _tell(app: App) -> int:
    from monitor.notifying import tell
    from monitor.store import open_reader
    from monitor.store.lock import lock
    from monitor.store.writer import Writer

    with (
        lock(app.state),
        contextlib.closing(Writer(app.state)) as writer,
        contextlib.closing(open_reader(app.state)) as reader,
    ):
        return await tell(writer, reader, app.settings)
