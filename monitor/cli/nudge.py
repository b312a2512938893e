"""`monitor nudge`: somebody says that a project changed."""

from __future__ import annotations

import time

import click

from monitor.cli import App
from monitor.cli.render import as_json, clean, span
from monitor.errors import UsageError


@click.command()
@click.argument("what", nargs=-1, required=True)
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def nudge(app: App, what: tuple[str, ...], json: bool) -> None:
    """Have projects asked now: WHAT is a purl, source/project, or a name.

    For whoever is told of releases (a webhook, a message), and for a project that
    has failed for long. It is asked at its usual pace and once a minute at most;
    what is said of it is not believed, only what its upstream answers. Where the
    daemon does not run, the next `monitor poll` asks. A project that is not known
    here stays unknown.
    """
    told: dict[str, int | None] = {}
    for text in what:
        told |= app.do("nudge", what=text)
    if json:
        click.echo(as_json(told))
    now = int(time.time())
    for purl, due in told.items():
        if not json:
            soon = "is not asked for" if due is None else "is asked "
            if due is not None:
                soon += f"in {span(due - now)}" if due > now else "now"
            click.echo(clean(f"{purl} {soon}"))
    if not told:
        raise UsageError(", ".join(what)[:200], "is not known here", "`monitor watch` adds it")
