"""`monitor feed`: the event log, for reading along; the JSON feed, for writing and checking it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import click

from monitor.cli import App
from monitor.cli.render import clean, print_json

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from monitor.model import Event
    from monitor.outputs.feed_check import Checked


@click.group(invoke_without_command=True)
@click.option("--after", metavar="CURSOR", help='Events behind this cursor ("epoch.sequence").')
@click.option("--kind", "kinds", multiple=True, help="Only events of this kind; may be repeated.")
@click.option("--watched", is_flag=True, help="Only events of what you watch.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True,
              help="At most so many.")  # fmt: skip
@click.option("--write", is_flag=True, help="Bring the JSON feed's files up to date instead.")
@click.option("--json", "json", is_flag=True, help="Print one JSON Feed item per line.")
@click.pass_context
def feed(
    ctx: click.Context,
    after: str | None,
    kinds: tuple[str, ...],
    watched: bool,
    limit: int,
    write: bool,
    json: bool,
) -> None:
    """Print events, oldest first; without --after the newest ones."""
    if ctx.invoked_subcommand is not None:
        return
    from monitor.store import epoch, events

    app: App = ctx.obj
    _known(kinds)
    db = app.reader
    life, head = epoch(db), events.head(db)
    if write:
        _write(app, life)
        click.echo(f"{app.runtime.feed_folder / 'feed.json'}: {life}.{head}")
        return
    seq = max(0, head - limit) if after is None else _sequence(after, life, head)
    if after is None and (kinds or watched):
        seq = 0  # the newest of these may lie far back
    mine = events.of_watched(db) if watched else lambda event: True
    found: deque[Event] = deque(maxlen=limit if after is None else None)
    for event in events.follow(db, seq):
        if (not kinds or event.kind.value in kinds) and mine(event):
            found.append(event)
        if after is not None and len(found) == limit:
            break
    if json:
        from monitor.outputs.feed_items import item
        from monitor.outputs.json_feed import sealed

        print_json(sealed(item(event, life)) for event in found)
        return
    for event in found:
        what = event.project + (f"@{event.version}" if event.version else "")
        note = event.payload.get("reason") or ""
        assert event.at is not None
        when = f"{event.at:%Y-%m-%d %H:%M:%S}"
        line = f"{life}.{event.seq}  {when}  {event.kind.value:<14}  {what or event.source}  {note}"
        click.echo(clean(line).rstrip())


def _write(app: App, life: str) -> None:
    import time

    from monitor import publish

    settings = app.settings.feed
    seal, why = publish.seal_of(app.runtime.state, settings)
    if why is not None:
        click.echo(f"the feed is not signed: {clean(why.what)}; {clean(why.remedy)}", err=True)
    folder, at = app.runtime.feed_folder, int(time.time())
    publish.write_feed(app.reader, life, folder, settings, at=at, seal=seal)


@feed.command()
@click.argument("where", required=False, metavar="[FOLDER]")
@click.option("--key", metavar="FILE", help="Public key that must have signed it.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def verify(ctx: click.Context, where: str | None, key: str | None, json: bool) -> None:
    """Check that the JSON feed is what was published: every page, its order, its signature.

    FOLDER is that of our own feed, or a copy from a mirror. Names the first
    entry that was altered, and its page. Exit code 1 where anything is wrong, or the
    head is older than it may be.
    """
    from pathlib import Path

    from monitor.cli import MACHINE

    app: App = ctx.obj
    own = where is None or Path(where).resolve() == app.runtime.feed_folder.resolve()
    found = _checked(app, Path(where) if where else app.runtime.feed_folder, key, own=own)
    told = {
        "epoch": found.epoch,
        "head": found.head,
        "pages": found.pages,
        "items": found.items,
        "issued": found.issued,
        "expires": found.expires,
        "key": found.key,
        "signed": found.signed,
        "stale": found.stale,
        "problems": [
            {"page": one.page, "entry": one.entry, "what": one.what} for one in found.problems
        ],
    }
    if json:
        print_json([told])
    else:
        for problem in found.problems:
            click.echo(clean(str(problem)))
        if found.stale:
            click.echo(f"feed.json: stale: issued {found.issued}, to be believed until"
                       f" {found.expires}: who serves it holds news back")  # fmt: skip
        proof = f"signed by {found.key}" if found.signed else "its signature was not looked at"
        word = "altered" if found.problems else "stale" if found.stale else "whole"
        click.echo(
            clean(f"{word}: {found.items} entries in {found.pages} pages and feed.json, {proof}")
        )
        if found.problems and own:
            told_by = "the daemon or `monitor poll` writes its pages anew from the log, to the byte"
            click.echo(clean(f"→ look at it, then remove {app.runtime.feed_folder}: {told_by}"))
    ctx.exit(MACHINE if found.problems or found.stale else 0)


def _checked(app: App, folder: Path, key: str | None, *, own: bool) -> Checked:
    import time
    from pathlib import Path

    from monitor.errors import UsageError
    from monitor.outputs import feed_check, seal
    from monitor.store import epoch, events

    public = None
    file = Path(key) if key else app.state / f"{seal.KEY}.pub"
    if key or file.exists():
        try:
            public = " ".join(file.read_text().split()[:2])
            seal.fingerprint(public)
        except (OSError, ValueError) as error:
            raise UsageError(
                str(file), f"is no public key: {error}", "feed-key.pub is one"
            ) from error

    def read(path: str) -> bytes | None:
        try:
            return (folder / path).read_bytes()
        except FileNotFoundError:
            return None

    def items(first: int, last: int) -> list[dict[str, Any]]:
        from monitor.outputs.feed_items import item
        from monitor.outputs.json_feed import sealed

        found = events.after(app.reader, first - 1, last - first + 1)
        return [sealed(item(one, life)) for one in found]

    life = epoch(app.reader) if own and app.remembers else ""
    return feed_check.check(read, int(time.time()), public=public, log=items if life else None)


def _known(kinds: tuple[str, ...]) -> None:
    """Raises UsageError for a kind of events that there is not."""
    from monitor.errors import UsageError
    from monitor.model import Kind

    there = [kind.value for kind in Kind]
    for kind in kinds:
        if kind not in there:
            raise UsageError(
                kind, "there is no such kind of event", f"there are: {', '.join(there)}"
            )


def _sequence(cursor: str, epoch: str, head: int) -> int:
    """The number in a cursor; an error where it is of another life of the log, or ahead of it."""
    from monitor.errors import UsageError

    life, _, number = cursor.rpartition(".")
    if not number.isdigit():
        raise UsageError(cursor, "is no cursor", f'such as "{epoch}.{head}"')
    if life and life != epoch:
        raise UsageError(
            cursor,
            f"belongs to another life of the log than {epoch}",
            "the database was restored: read the feed from its beginning",
        )
    if int(number) > head:
        raise UsageError(cursor, f"lies ahead of the newest event, {epoch}.{head}")
    return int(number)
