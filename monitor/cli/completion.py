"""`monitor completion`: the script that completes commands, options and names in your shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from monitor.cli import App


@click.command()
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash: eval "$(monitor completion bash)"     in ~/.bashrc
    zsh:  eval "$(monitor completion zsh)"      in ~/.zshrc, after compinit
    fish: monitor completion fish > ~/.config/fish/completions/monitor.fish

    Names of sources and of what you watch are completed as well.
    """
    from click.shell_completion import get_completion_class

    from monitor.cli import cli

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "monitor", "_MONITOR_COMPLETE").source())


def of_watched(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """What is watched and begins so: by its purl where one is being typed, else by its name."""
    from monitor.errors import MonitorError

    try:
        app = _app(ctx)
        if not app.remembers:
            return []
        from monitor.store import projects

        known = projects.names(app.reader)
    except MonitorError:  # a shell that asks is told nothing
        return []
    pick = [purl if begun.startswith("pkg:") or not name else name for purl, name in known]
    return sorted({one for one in pick if one.startswith(begun)})


def of_sources(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The configured sources that begin so."""
    from monitor.errors import MonitorError

    try:
        return sorted(name for name in _app(ctx).settings.sources if name.startswith(begun))
    except MonitorError:
        return []


def _app(ctx: click.Context) -> App:
    """What `monitor` itself was told: no command has been called yet."""
    from monitor.cli import App

    said = ctx.find_root().params
    return App(said.get("config"), said.get("state"))
