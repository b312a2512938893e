"""`monitor backup`, `restore` and `export-db`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.cli import App
from monitor.cli.render import as_json, clean, size
from monitor.errors import StoreError, UsageError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def backup(app: App, file: Path, json: bool) -> None:
    """Copy the database to FILE, whole, while it is in use.

    A FILE that is there is replaced once the copy is complete. The daemon makes
    one a day by itself ([daemon] backup_keep).
    """
    from monitor.store import epoch, events
    from monitor.store.backup import backup as copy

    if file.is_dir():
        raise UsageError(str(file), "is a folder", "name a file")
    if file.resolve() == (app.state / "monitor.db").resolve():
        raise UsageError(str(file), "is the database itself", "name another file")
    db = app.reader
    copy(db, file)
    told = {"file": str(file), "size": file.stat().st_size}
    told["cursor"] = f"{epoch(db)}.{events.head(db)}"
    if json:
        click.echo(as_json(told))
    else:
        click.echo(f"{clean(file)}: {size(file.stat().st_size)}, log at {told['cursor']}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def restore(app: App, file: Path, json: bool) -> None:
    """Put a backup in the place of the database. No daemon may run.

    The log begins another life: readers of the feed see that and read it anew,
    and nothing is announced twice. The database that was there is kept aside.
    """
    from monitor.acts import call
    from monitor.store import backup as copies

    running, _ = call(app.runtime.socket, "ping", {})
    if running:
        raise StoreError(
            str(app.state), "a daemon runs on this database", "stop it first, then restore"
        )
    former = copies.restore(app.state, file)
    told = _after(app) | {"former": str(former) if former else None}
    if json:
        click.echo(as_json(told))
    else:
        click.echo(f"restored {clean(file)} to {clean(app.state)}, log at {told['cursor']}")
        if former:
            click.echo(f"the database that was there is kept: {clean(former)}")


def _after(app: App) -> dict[str, str | None]:
    from monitor.store import epoch, events, open_reader

    db = open_reader(app.state)
    try:
        return {"state": str(app.state), "cursor": f"{epoch(db)}.{events.head(db)}"}
    finally:
        db.close()


@click.command("export-db")
@click.argument("file", type=click.Path(path_type=Path), default="-")
@click.pass_obj
def export_db(app: App, file: Path) -> None:
    """Write all that is known as JSON lines, for other programs.

    Each line has a `table` beside its columns; times are seconds since 1970. FILE
    is replaced once it is whole; without it, lines go to standard output.
    """
    from monitor.store.dump import lines

    if str(file) == "-":
        for line in lines(app.reader):
            sys.stdout.write(line + "\n")
        return
    aside = file.with_name(file.name + ".tmp")
    count = 0
    try:
        with aside.open("w", encoding="utf-8") as out:
            for line in lines(app.reader):
                out.write(line + "\n")
                count += 1
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
    click.echo(f"{clean(file)}: {count} lines")
