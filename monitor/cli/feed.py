"""`monitor feed`: the event log, for reading along; the JSON feed, for writing anew."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import click

from monitor.cli import App
from monitor.cli.render import clean, print_json

if TYPE_CHECKING:
    from monitor.model import Event


@click.command()
@click.option("--after", metavar="CURSOR", help='Events behind this cursor ("epoch.sequence").')
@click.option("--kind", "kinds", multiple=True, help="Only events of this kind; may be repeated.")
@click.option("--watched", is_flag=True, help="Only events of what you watch.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True,
              help="At most so many.")  # fmt: skip
@click.option("--write", is_flag=True, help="Bring the JSON feed's files up to date instead.")
@click.option("--json", "json", is_flag=True, help="Print one JSON Feed item per line.")
@click.pass_obj
def feed(
    app: App,
    after: str | None,
    kinds: tuple[str, ...],
    watched: bool,
    limit: int,
    write: bool,
    json: bool,
) -> None:
    """Print events, oldest first; without --after the newest ones."""
    from monitor.store import epoch, events

    _known(kinds)
    db = app.reader
    life, head = epoch(db), events.head(db)
    if write:
        from monitor.publish import write_feed

        write_feed(db, life, app.runtime.feed_folder, app.settings.feed)
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

        print_json(item(event, life) for event in found)
        return
    for event in found:
        what = event.project + (f"@{event.version}" if event.version else "")
        note = event.payload.get("reason") or ""
        assert event.at is not None
        when = f"{event.at:%Y-%m-%d %H:%M:%S}"
        line = f"{life}.{event.seq}  {when}  {event.kind.value:<14}  {what or event.source}  {note}"
        click.echo(clean(line).rstrip())


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
