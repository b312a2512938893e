"""How it goes: `status` and `sources`."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

import click

from monitor.cli import MACHINE, UPSTREAM, App
from monitor.cli.render import ago, as_json, clean, print_json, several, span, styled, table, timed

WEEK = 7 * 86400

_OF_PROJECT = ("due", "answered", "since")
_TIMES = ("answered", "asked", "due", "gap", "baseline", "moved", "stalled")


@click.command()
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def status(ctx: click.Context, json: bool) -> None:
    """How it goes: how fresh each source is, what failed and what to do, what waits.

    Exit code 3 where a source's news is older than it may be, 1 where the daemon
    cannot write what it learns.
    """
    app: App = ctx.obj
    now = int(time.time())
    facts = _facts(app, now)
    if json:
        click.echo(as_json(_exact(facts)))
    else:
        _print(facts, now)
    stale = any(source["stale"] for source in facts["sources"])
    ctx.exit(MACHINE if facts["trouble"] else UPSTREAM if stale else 0)


@click.command()
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def sources(app: App, json: bool) -> None:
    """List the configured sources: provider, what they are asked for, how that goes."""
    now = int(time.time())
    rows = _sources(app, now)
    if json:
        print_json(timed(row, *_TIMES) for row in rows)
    elif not rows:
        click.echo(f"no source is configured: add a file to {app.settings.folder}/sources")
    else:
        _print_sources(rows, now)


def _facts(app: App, now: int) -> dict[str, Any]:
    from monitor.acts import call
    from monitor.errors import StoreError
    from monitor.store import epoch, events, glance, projects
    from monitor.store.lock import holder

    db = app.reader
    trouble = None
    try:
        running, told = call(app.runtime.socket, "ping", {})
        daemon = "running" if running else "not running"
        trouble = told.get("trouble") if told else None
    except StoreError as error:
        if not isinstance(error.__cause__, PermissionError):
            daemon = f"unknown: {error.what}"
        elif by := holder(app.state):  # it runs as somebody else; the rest can be told
            daemon = f"running as another user ({by})"
        else:
            daemon = "not running"
    return {
        "daemon": daemon,
        "trouble": trouble,
        "cursor": f"{epoch(db)}.{events.head(db)}",
        "counts": projects.counts(db),
        "lag": glance.lag(db, now - WEEK),
        "sources": _sources(app, now),
        "troubled": projects.troubled(db, now),
        "given_up": projects.troubled(db, now, given_up=True),
        "held": glance.holds(db),
        "proposals": glance.proposals(db),
        "paused": glance.pauses(db, now),
        "unread": glance.unread(db),
    }


def _exact(facts: dict[str, Any]) -> dict[str, Any]:
    """The same with the times as programs read them."""
    return facts | {
        "sources": [timed(row, *_TIMES) for row in facts["sources"]],
        "troubled": [timed(row, *_OF_PROJECT) for row in facts["troubled"]],
        "given_up": [timed(row, *_OF_PROJECT) for row in facts["given_up"]],
        "held": [timed(row, "at") for row in facts["held"]],
        "proposals": [timed(row, "at") for row in facts["proposals"]],
        "paused": [timed(row, "until") for row in facts["paused"]],
        "unread": [timed(row, "last") for row in facts["unread"]],
    }


def _sources(app: App, now: int) -> list[dict[str, Any]]:
    """Each question of each configured source, and the visits of its projects put together."""
    questions: dict[tuple[str, str], dict[str, Any]] = {}
    since: dict[str, int] = {}
    if app.remembers:
        from monitor.store import glance, projects

        for row in projects.sources(app.reader):
            questions[row["source"], row["mechanism"]] = row
        for row in glance.visits(app.reader):
            questions[row["source"], "versions"] = row
        since = glance.added(app.reader)
    rows: list[dict[str, Any]] = []
    for name, source in sorted(app.runtime.sources.items()):
        mechanisms = [*source.mechanisms]
        if (name, "versions") in questions or not mechanisms:
            mechanisms.append("versions")
        rows += [
            _source(source, mechanism, questions.get((name, mechanism), {}), since.get(name), now)
            for mechanism in mechanisms
        ]
    return rows


def _source(
    source: Any, mechanism: str, row: dict[str, Any], since: int | None, now: int
) -> dict[str, Any]:
    from monitor.schedule import stale

    fresh = source.fresh if mechanism == "feed" else max(source.fresh, 2 * source.walk)
    late = row.get("due") is not None and now - row["due"] > fresh
    answered = row.get("answered") or since
    old = row.get("asked") is not None and stale(answered, now, fresh)
    if mechanism == "versions":  # one that sleeps is asked rarely: old is no fault by itself
        fresh = source.fresh
        old = bool(row.get("failing")) and stale(answered, now, fresh)
    return {
        "source": source.name,
        "provider": source.provider.name,
        "mechanism": mechanism,
        "projects": row.get("projects"),
        "failing": row.get("failing"),
        "unasked": row.get("unasked"),
        "answered": row.get("answered"),
        "asked": row.get("asked"),
        "outcome": row.get("outcome"),
        "error": row.get("error"),
        "remedy": row.get("remedy"),
        "fails": row.get("fails", 0),
        "due": row.get("due"),
        "under_way": bool(row.get("leased")),
        "gap": row.get("gap"),
        "baseline": row.get("baseline"),
        "moved": row.get("moved"),
        "stalled": row.get("stalled"),
        "stale": old or late or row.get("stalled") is not None,
        "fresh": fresh,
    }


# ── for people ────────────────────────────────────────────────────────────────────────


def _print(facts: dict[str, Any], now: int) -> None:
    counts = facts["counts"]
    click.echo(f"daemon {facts['daemon']}; newest event {facts['cursor']}")
    if trouble := facts["trouble"]:
        click.echo(styled(f"it cannot write: {clean(trouble['where'])}: ", fg="red"), nl=False)
        click.echo(clean(trouble["what"]))
        if trouble["remedy"]:
            click.echo(f"→ {clean(trouble['remedy'])}")
    jobs = ", ".join(f"{n} {state}" for state, n in counts["jobs"].items()) or "none"
    click.echo(
        f"{counts['project']} projects ({counts['watch']} watched),"
        f" {counts['version']} versions, jobs: {jobs}"
    )
    if lag := facts["lag"]:
        click.echo(
            f"{several(lag['releases'], 'release')} in 7 days, seen {span(lag['median'])}"
            f" after they were published (median), at most {span(lag['worst'])}"
        )
    click.echo()
    if facts["sources"]:
        _print_sources(facts["sources"], now)
    else:
        click.echo("no source is configured")
    _print_troubled("failing projects", facts["troubled"], now)
    _print_troubled("no answer for a week; `monitor nudge` asks now", facts["given_up"], now)
    if facts["proposals"]:
        from monitor.cli.proposals import lines

        _head("waits for your word")
        for line in lines(facts["proposals"], now):
            click.echo(f"  {line}")
    if facts["held"]:
        _head("held")
        table(
            ("PROJECT", "VERSION", "SINCE", "BY", "WHY"),
            [
                (h["purl"], h["version"] or "all", ago(h["at"], now), h["who"], h["why"])
                for h in facts["held"]
            ],
            indent="  ",
        )
    if facts["paused"]:
        _head("left alone, as they asked")
        for pause in facts["paused"]:
            click.echo(f"  {pause['host']} for {span(pause['until'] - now)}: {clean(pause['why'])}")
    if facts["unread"]:
        _head("could not be read")
        for row in facts["unread"]:
            click.echo(
                f"  {row['source']}: {row['entries']} entries, last {ago(row['last'], now)}:"
                f" {clean(row['reason'])} in {clean(row['raw'])[:80]}"
            )


def _head(text: str) -> None:
    click.echo()
    click.echo(styled(text, bold=True))


def _print_sources(rows: list[dict[str, Any]], now: int) -> None:
    table(
        ("SOURCE", "PROVIDER", "ASKED FOR", "ANSWERED", "OUTCOME", "NEXT", "NEWS IS"),
        [
            (
                row["source"],
                row["provider"],
                _asked_for(row),
                ago(row["answered"] and min(row["answered"], now), now),
                row["outcome"] or "not asked yet",
                "under way" if row["under_way"] else ago(row["due"] and max(row["due"], now), now),
                "STALE" if row["stale"] else "fresh" if row["answered"] else "",
            )
            for row in rows
        ],
    )
    for row in rows:
        if told := _told(row, now):
            click.echo()
            name = styled(f"{row['source']} {row['mechanism']}", bold=True)
            click.echo(f"{name}: {told[0]}")
            for line in told[1:]:
                click.echo(f"  {line}")


def _asked_for(row: dict[str, Any]) -> str:
    if row["mechanism"] != "versions":
        return str(row["mechanism"])
    if not row["projects"]:
        return "projects (none watched)"
    bad = f", {row['failing']} failing" if row["failing"] else ""
    new = f", {row['unasked']} not asked yet" if row["unasked"] and row["answered"] else ""
    return f"{row['projects']} project{'s' if row['projects'] > 1 else ''}{bad}{new}"


def _told(row: dict[str, Any], now: int) -> list[str]:
    """What there is to say of a source that does not do well, and what to do."""
    lines = []
    if row["error"] and row["mechanism"] != "versions":
        times = f" ({row['fails']} times in a row)" if row["fails"] > 1 else ""
        lines.append(f"{clean(row['error'])}{times}")
        if row["remedy"]:
            lines.append(f"→ {clean(row['remedy'])}")
    if row["gap"]:
        lines.append(f"news was missed {ago(row['gap'], now)}; the index repairs it when it is due")
    if row["stalled"]:
        lines.append(
            f"STANDS STILL: nothing new since {ago(row['moved'], now)}, while projects released;"
            " they are asked one by one"
        )
    elif row["stale"]:
        last = f"the last answer was {ago(row['answered'], now)}" if row["answered"] else "none yet"
        lines.append(f"STALE: should answer every {span(row['fresh'])}; {last}")
        if not row["error"]:
            lines.append("→ is the daemon running? `monitor run`, or `monitor poll` once")
    return lines


def _print_troubled(head: str, troubled: list[dict[str, Any]], now: int) -> None:
    """Failing projects; those that fail alike are told once, and counted."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in troubled:
        kind = (row["source"], row["outcome"], row["remedy"] or "")
        alike.setdefault((*kind, _gist(row)), []).append(row)
    gists = Counter(key[:-1] for key in alike)
    if alike:
        _head(head)
    for key, rows in alike.items():
        source, first = key[0], rows[0]
        names = ", ".join(clean(row["purl"]) for row in rows[:3])
        # Only so many of a kind were read; where their errors are alike, all of them are.
        count = first["alike"] if gists[key[:-1]] == 1 else len(rows)
        more = f" and {count - 3} more" if count > 3 else ""
        then = ago(max(first["due"], now), now)
        click.echo(f"  {names}{more} at {source}: {first['outcome']}, next {then}")
        click.echo(f"    {clean(first['error'])}")
        if first["remedy"]:
            click.echo(f"    → {clean(first['remedy'])}")


def _gist(row: dict[str, Any]) -> str:
    """An error without what is different for every project and at every attempt."""
    what = str(row["error"]).partition(": ")[2] or str(row["error"])
    what = re.sub("'[^']*'", "", what.replace(row["purl"].rpartition("/")[2], ""))
    return "".join(c for c in what if not c.isdigit())
