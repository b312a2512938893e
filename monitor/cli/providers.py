"""`monitor providers`: what is known, and what each can answer."""

from __future__ import annotations

import sys
from typing import Any

import click

from monitor.cli.render import clean, print_json, styled, table


@click.command()
@click.argument("name", required=False)
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
def providers(name: str | None, json: bool) -> None:
    """List the providers and what each can answer; with NAME, its settings."""
    import providers as known

    rows = [_provider(known, one) for one in ([name] if name else known.names())]
    if json:
        print_json(rows)
        return
    if name is None:
        table(
            ("PROVIDER", "ANSWERS", "VERSIONS ARE", "WHAT IT IS"),
            [
                (row["name"], " ".join(row["answers"]), row["ordering"] or "", row["about"])
                for row in rows
            ],
        )
        return
    row = rows[0]
    click.echo(f"{styled(row['name'], bold=True)}: {clean(row['about'])}")
    click.echo(f"  answers   {', '.join(row['answers'])}")
    click.echo(f"  ordering  {row['ordering'] or 'depends on its settings'}")
    click.echo(f"  purl      pkg:{row['purl']}" if row["purl"] else "")
    click.echo()
    table(
        ("SETTING", "DEFAULT", "WHAT IT IS"),
        [
            (one["name"], "required" if one["required"] else repr(one["default"]), one["doc"])
            for one in row["settings"]
        ],
    )


def _provider(known: Any, name: str) -> dict[str, Any]:
    import inspect

    from monitor.errors import MonitorError

    settings = known.settings_of(name)
    needed = {one.name: "https://upstream.invalid/x" for one in settings if one.required}
    provider = None
    answers = ["depends on its settings"]
    try:
        provider = known.load(name, **needed)
        kinds = ("feed", "index", "versions", "traits")
        answers = [kind for kind in kinds if getattr(provider, kind)]
    except MonitorError:
        pass
    module = inspect.getmodule(type(provider)) if provider is None else None
    module = sys.modules.get(f"providers.{name}") or module
    return {
        "name": name,
        "about": (inspect.getdoc(module) or "").partition("\n")[0],
        "answers": answers,
        "ordering": provider.ordering if provider else None,
        "purl": provider.purl if provider else None,
        "settings": [
            {"name": one.name, "required": one.required, "default": one.default, "doc": one.doc}
            for one in settings
        ],
    }
