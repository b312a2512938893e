"""What is known: `list`, `show`, `status`, `sources`, `providers`."""

from __future__ import annotations

import time
from typing import Any

import click

from monitor.cli import UPSTREAM, App
from monitor.cli.render import ago, as_json, clean, print_json, span, table


@click.command("list")
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def list_(app: App, json: bool) -> None:
    """List the watched projects with their newest versions."""
    from monitor.store import projects

    rows = projects.watched(app.reader)
    for row in rows:
        row.pop("stable_key")
    if json:
        print_json(rows)
        return
    if not rows:
        click.echo("nothing is watched yet: `monitor watch pypi/requests` begins it")
        return
    table(
        ("PROJECT", "STABLE", "NEWEST", "SINCE", "CHECKED", "NOTE"),
        [
            (
                row["purl"],
                row["stable"] or "-",
                row["newest"] if row["newest"] != row["stable"] else "",
                ago(row["stable_published"] or row["stable_seen"]),
                ago(row["answered"]),
                row["outcome"] if row["error"] else "",
            )
            for row in rows
        ],
    )


@click.command()
@click.argument("what")
@click.option("--limit", default=20, show_default=True, help="Versions shown; 0 shows all.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(app: App, what: str, limit: int, json: bool) -> None:
    """Show all that is known of a project: its versions, where they were seen, its events."""
    from monitor.store import events, projects

    db = app.reader
    row = projects.one(db, what.partition("@")[0] if "/" not in what.rpartition("@")[2] else what)
    versions = projects.versions(db, row["id"])
    places = projects.listings(db, row["id"])
    told = events.of_project(db, row["id"], 10)
    by_id = {version["id"]: version["version"] for version in versions}
    facts: dict[str, Any] = {
        "purl": row["purl"],
        "stable": by_id.get(row["stable"]),
        "newest": by_id.get(row["newest"]),
        "sources": places,
        "versions": [_version(version) for version in versions],
        "events": [
            {"seq": event.seq, "kind": event.kind.value, "version": event.version, "at": event.at}
            for event in told
        ],
    }
    if json:
        click.echo(as_json(facts))
        return
    click.echo(f"{facts['purl']}")
    click.echo(f"  newest stable  {facts['stable'] or '-'}")
    if facts["newest"] != facts["stable"]:
        click.echo(f"  newest         {facts['newest'] or '-'}")
    for place in places:
        state = place["error"] or place["outcome"] or "not asked yet"
        click.echo(f"  at {place['source']:<12}  {clean(state)}, checked {ago(place['answered'])}")
    shown = versions[: limit or None]
    click.echo()
    table(
        ("VERSION", "IS", "STATE", "PUBLISHED", "SEEN", "AT"),
        [
            (
                version["version"],
                {1: "stable", 0: "pre-release"}.get(version["stable"], "-"),
                version["state"],
                ago(version["published"]),
                ago(version["first_seen"]),
                version["source"],
            )
            for version in shown
        ],
    )
    if len(versions) > len(shown):
        click.echo(f"… and {len(versions) - len(shown)} older ones: --limit 0 shows all")
    if told:
        click.echo()
        table(
            ("EVENT", "KIND", "VERSION", "WHEN"),
            [
                (event.seq, event.kind.value, event.version, ago(_seconds(event.at)))
                for event in told
            ],
        )


def _version(version: dict[str, Any]) -> dict[str, Any]:
    left_out = ("id", "sort_key", "alias")
    return {key: value for key, value in version.items() if key not in left_out}


def _seconds(moment: Any) -> int | None:
    return int(moment.timestamp()) if moment else None


@click.command()
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def status(ctx: click.Context, json: bool) -> None:
    """How it goes: how fresh each source is, what failed, what waits.

    Exit code 3 where a source's news is older than it may be.
    """
    app: App = ctx.obj
    from monitor.acts import call
    from monitor.store import epoch, events, projects

    db, now = app.reader, int(time.time())
    running, _ = call(app.runtime.socket, "ping", {})
    sources = _sources(app, db, now)
    facts = {
        "daemon": "running" if running else "not running",
        "cursor": f"{epoch(db)}.{events.head(db)}",
        "counts": projects.counts(db),
        "sources": sources,
        "troubled": projects.troubled(db),
    }
    stale = any(source["stale"] for source in sources)
    if json:
        click.echo(as_json(facts))
        ctx.exit(UPSTREAM if stale else 0)
    counts: dict[str, Any] = facts["counts"]  # type: ignore[assignment]
    click.echo(f"daemon {facts['daemon']}, log at {facts['cursor']}")
    jobs = ", ".join(f"{n} {state}" for state, n in counts["jobs"].items()) or "none"
    click.echo(
        f"{counts['project']} projects ({counts['watch']} watched),"
        f" {counts['version']} versions, jobs: {jobs}"
    )
    if counts["dead"] or counts["hold"]:
        click.echo(f"{counts['dead']} unreadable entries, {counts['hold']} holds")
    click.echo()
    _print_sources(sources, now)
    troubled: list[dict[str, Any]] = facts["troubled"]  # type: ignore[assignment]
    if troubled:
        click.echo()
        table(
            ("PROJECT", "SOURCE", "OUTCOME", "FAILS", "NEXT", "WHY"),
            [
                (t["purl"], t["source"], t["outcome"], t["fails"], ago(t["due"], now), t["error"])
                for t in troubled
            ],
        )
    ctx.exit(UPSTREAM if stale else 0)


@click.command()
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def sources(app: App, json: bool) -> None:
    """List the configured sources: provider, mechanisms, how they are."""
    from pathlib import Path

    db = app.reader if (Path(app.state) / "monitor.db").exists() else None
    now = int(time.time())
    rows = _sources(app, db, now)
    if json:
        print_json(rows)
    else:
        _print_sources(rows, now)


def _sources(app: App, db: Any, now: int) -> list[dict[str, Any]]:
    """Each question of each configured source; a source without one stands there all the same."""
    from monitor.schedule import stale
    from monitor.store import projects

    known = {(row["source"], row["mechanism"]): row for row in projects.sources(db)} if db else {}
    rows = []
    for name, source in sorted(app.runtime.sources.items()):
        for mechanism in source.mechanisms or ("versions",):
            row = known.get((name, mechanism), {})
            fresh = source.fresh if mechanism == "feed" else max(source.fresh, 2 * source.walk)
            added = row.get("asked") is not None
            rows.append(
                {
                    "source": name,
                    "provider": source.provider.name,
                    "mechanism": mechanism,
                    "answered": row.get("answered"),
                    "outcome": row.get("outcome"),
                    "error": row.get("error"),
                    "remedy": row.get("remedy"),
                    "fails": row.get("fails", 0),
                    "due": row.get("due"),
                    "gap": row.get("gap"),
                    "baseline": row.get("baseline"),
                    "stale": added and stale(row.get("answered"), now, fresh),
                    "fresh": fresh,
                }
            )
    return rows


def _print_sources(rows: list[dict[str, Any]], now: int) -> None:
    table(
        ("SOURCE", "PROVIDER", "ASKED FOR", "ANSWERED", "OUTCOME", "NEXT", "NOTE"),
        [
            (
                row["source"],
                row["provider"],
                row["mechanism"],
                ago(row["answered"], now),
                row["outcome"] or "-",
                ago(row["due"], now),
                _note(row),
            )
            for row in rows
        ],
    )


def _note(row: dict[str, Any]) -> str:
    parts = [row["error"] or ""]
    if row["remedy"] and row["error"]:
        parts.append(f"→ {row['remedy']}")
    if row["gap"]:
        parts.append("waits for the index to repair a gap")
    if row["stale"]:
        parts.append(f"STALE: should answer every {span(row['fresh'])}")
    return "; ".join(part for part in parts if part)


@click.command()
@click.argument("name", required=False)
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def providers(app: App, name: str | None, json: bool) -> None:
    """List the providers and what each can answer; with NAME, its settings."""
    import providers as known

    rows = []
    for one in [name] if name else known.names():
        settings = known.settings_of(one)
        needed = {setting.name: "x" for setting in settings if setting.required}
        rows.append(_provider(known, one, settings, needed))
    if json:
        print_json(rows)
        return
    if name is None:
        table(
            ("PROVIDER", "ANSWERS", "SETTINGS", "WHAT IT IS"),
            [
                (row["name"], " ".join(row["answers"]), " ".join(row["settings"]), row["about"])
                for row in rows
            ],
        )
        return
    row = rows[0]
    click.echo(f"{row['name']}: {row['about']}\n\nanswers: {', '.join(row['answers'])}\n")
    table(
        ("SETTING", "DEFAULT", "WHAT IT IS"),
        [(s.name, "required" if s.required else repr(s.default), s.doc) for s in settings],
    )


def _provider(known: Any, name: str, settings: Any, needed: dict[str, str]) -> dict[str, Any]:
    import inspect

    from monitor.errors import MonitorError

    about, answers = "", []
    module = inspect.getmodule(known._maker(name))
    about = (inspect.getdoc(module) or "").partition("\n")[0]
    try:
        filled = {key: f"https://example.invalid/{value}" for key, value in needed.items()}
        provider = known.load(name, **filled)
        answers = [m for m in ("feed", "index", "versions") if getattr(provider, m)]
    except MonitorError:
        answers = ["depends on its settings"]
    return {
        "name": name,
        "answers": answers,
        "settings": [setting.name for setting in settings],
        "about": about,
    }
