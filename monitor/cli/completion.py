"""`monitor completion`: the script that completes commands, options and names in your shell."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash: eval "$(monitor completion bash)"     in ~/.bashrc
    zsh:  eval "$(monitor completion zsh)"      in ~/.zshrc, after compinit
    fish: monitor completion fish > ~/.config/fish/completions/monitor.fish
    """
    from click.shell_completion import get_completion_class

    from monitor.cli import cli

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "monitor", "_MONITOR_COMPLETE").source())
