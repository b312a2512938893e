"""`monitor run`: the daemon."""

from __future__ import annotations

import click

from monitor.cli import App


@click.command()
@click.pass_obj
def run(app: App) -> None:
    """Run the daemon until SIGTERM or Ctrl-C.

    Feeds, indexes and projects are asked when they are due; what is new goes
    to the database, the JSON feed and the build queue. SIGHUP reads the
    settings anew.
    """
    import asyncio

    from monitor.daemon import run as serve
    from monitor.runtime import Runtime

    def reload() -> Runtime:
        return App(app.config, app.state_option).runtime

    runtime = app.runtime
    if not runtime.sources:
        from monitor.errors import SettingsError

        raise SettingsError(
            f"{app.settings.folder}/sources", "no source is configured", "add a file there"
        )
    asyncio.run(serve(runtime, reload))
