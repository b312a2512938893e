"""`monitor proposals`, `accept` and `decline`: what only a person can decide."""

from __future__ import annotations

import time
from typing import Any

import click

from monitor.cli import App
from monitor.cli.hold import myself
from monitor.cli.render import ago, as_json, clean, print_json, styled, timed

_ASKED = {
    "admit": "is it a release all the same?",
    "epoch": "does the new numbering stand above the old one?",
    "rename": "shall it be watched in place of this one?",
}


@click.command("proposals")
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def list_(app: App, json: bool) -> None:
    """List what only you can decide: doubtful versions, new numberings, other names.

    Nothing of it is assumed meanwhile. Answer with `monitor accept` or `monitor decline`.
    """
    from monitor.store import glance

    found = glance.proposals(app.reader)
    if json:
        print_json(timed(_told(one), "at") for one in found)
        return
    if not found:
        click.echo("nothing waits for you")
    for line in lines(found, int(time.time())):
        click.echo(line)


@click.command()
@click.argument("number", type=int)
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def accept(app: App, number: int, json: bool) -> None:
    """Say yes to proposal NUMBER of `monitor proposals`.

    Versions that are admitted are announced now; a numbering is applied to what is
    known, and tells no release.
    """
    _answer(app, number, json, accept=True)


@click.command()
@click.argument("number", type=int)
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def decline(app: App, number: int, json: bool) -> None:
    """Say no to proposal NUMBER: all stays as it is, and it is not asked again."""
    _answer(app, number, json, accept=False)


def lines(found: list[dict[str, Any]], now: int) -> list[str]:
    """Proposals as people read them, with the commands that answer them."""
    told = []
    for one in found:
        head = styled(f"{one['id']}  {clean(one['purl'])}", bold=True)
        told.append(f"{head}  {ago(one['at'], now)}: {clean(one['reason'])}")
        told.append(f"   {clean(_subject(one))}: {_ASKED[one['kind']]}")
        told.append(f"   → monitor accept {one['id']}, or monitor decline {one['id']}")
    return told


def _subject(one: dict[str, Any]) -> str:
    versions = str(one["subject"]).split(" ")
    if one["kind"] != "admit" or len(versions) <= 5:
        return str(one["subject"])
    return f"{' '.join(versions[:5])} and {len(versions) - 5} more"


def _told(one: dict[str, Any]) -> dict[str, Any]:
    return {key: one[key] for key in ("id", "purl", "kind", "subject", "reason", "at")}


def _answer(app: App, number: int, json: bool, *, accept: bool) -> None:
    done = app.do("answer", number=number, accept=accept, who=myself())
    if json:
        click.echo(as_json(done))
        return
    word = "accepted" if accept else "declined"
    click.echo(clean(f"{word}: {done['purl']}: {done['subject']}"))
