"""What is known: `list` and `show`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import App
from monitor.cli.completion import of_watched
from monitor.cli.render import ago, as_json, clean, print_json, styled, table, timed

if TYPE_CHECKING:
    from monitor.rules import Rules
    from monitor.store.appraise import Appraisal

_TIMES = ("added", "newest_published", "stable_published", "stable_seen", "answered")
_PLACE_TIMES = ("added", "baseline", "due", "asked", "answered", "changed", "gone")


@click.command("list")
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def list_(app: App, json: bool) -> None:
    """List the watched projects with their newest versions, as last seen.

    Nothing is asked: `monitor check --all` asks now.
    """
    from monitor.store import projects

    rows = [_own(app, row) if row["shared"] else row for row in projects.watched(app.reader)]
    if json:
        print_json(timed(_without(row, "stable_key", "rules", "shared"), *_TIMES) for row in rows)
        return
    if not rows:
        click.echo("nothing is watched yet: `monitor watch pypi/requests` begins it")
        return
    now = int(time.time())
    table(
        ("PROJECT", "STABLE", "NEWEST", "SINCE", "YOURS", "CHECKED", "NOTE"),
        [
            (
                f"{row['purl']} ({row['name']})" if row["shared"] else row["purl"],
                row["stable"] or "-",
                row["newest"] if row["newest"] != row["stable"] else "",
                ago(row["stable_published"] or row["stable_seen"], now),
                row["current"] or row["acked"] or "",
                ago(row["answered"], now),
                row["outcome"] if row["error"] else "",
            )
            for row in rows
        ],
    )


def _own(app: App, row: dict[str, Any]) -> dict[str, Any]:
    """One of several packages of a project: what is newest by its own rules."""
    import msgspec

    from monitor.rules import Rules
    from monitor.store import glance

    judged = _appraised(app, row["shared"], msgspec.json.decode(row["rules"], type=Rules))
    live = {one["version"]: one for one in glance.live(app.reader, row["shared"])}
    newest, stable = live.get(judged.newest or "", {}), live.get(judged.stable or "", {})
    return row | {
        "newest": judged.newest,
        "newest_published": newest.get("published"),
        "stable": judged.stable,
        "stable_published": stable.get("published"),
        "stable_seen": stable.get("first_seen"),
    }


def _appraised(app: App, project: int, own: Rules | None) -> Appraisal:
    """A project judged anew, by the rules of one of its packages or by its own."""
    from monitor.runtime import default_source
    from monitor.store import glance, projects
    from monitor.store.appraise import Appraisal, appraise, rules_of

    versions = projects.versions(app.reader, project)
    if not versions:
        return Appraisal()
    seen = glance.sighting(app.reader, versions[0]["id"])
    source = app.runtime.sources.get(seen["source"]) or default_source(seen["provider"])
    return appraise(
        app.reader, source, project, rules=rules_of(app.reader, source, project, own)[0]
    )


@click.command()
@click.argument("what", shell_complete=of_watched)
@click.option("--limit", default=20, show_default=True, help="Versions shown; 0 shows all.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(app: App, what: str, limit: int, json: bool) -> None:
    """Show all that is known of a project: its versions, where they were seen, its events.

    WHAT is a purl, source/name, or the name of a watched project.
    """
    from monitor.cli.which import without_version
    from monitor.store import glance, projects

    db = app.reader
    name = without_version(what)
    row: Any = projects.one(db, name)
    own = projects.package_rules(db, row["id"], name)
    versions = projects.versions(db, row["id"])
    places = projects.listings(db, row["id"])
    told = glance.events_of(db, row["id"], 10)
    asked = glance.proposals(db, row["id"])
    if (own is not None or row["newest"] is None) and versions:
        row = _judged(app, row, versions, own)
    by_id = {version["id"]: version["version"] for version in versions}
    facts: dict[str, Any] = {
        "purl": row["purl"],
        "packages": projects.packages_of(db, row["id"]),
        "stable": by_id.get(row["stable"]),
        "newest": by_id.get(row["newest"]),
        "conflict": projects.conflict(db, row["id"]),
        "proposals": [timed(one, "at") for one in asked],
        "sources": [timed(place, *_PLACE_TIMES) for place in places],
        "says": [timed(one, "at") for one in glance.says(db, row["stable"] or row["newest"])],
        "versions": [_version(version, by_id) for version in versions],
        "events": [timed(event, "at") for event in told],
    }
    if json:
        click.echo(as_json(facts))
        return
    now = int(time.time())
    click.echo(styled(clean(facts["purl"]), bold=True))
    click.echo(f"  newest stable  {clean(facts['stable'])}")
    if facts["newest"] != facts["stable"]:
        click.echo(f"  newest         {clean(facts['newest'])}")
    if facts["packages"]:
        whose = f"as {name} has it; shared by" if own is not None else "shared by"
        click.echo(clean(f"  packages       {whose} {', '.join(facts['packages'])}"))
    for place in places:
        waits = "seen with its source" if place["due"] is None else "not asked yet"
        state = place["error"] or place["outcome"] or waits
        line = f"  at {place['source']:<12}{clean(state)}, answered {ago(place['answered'], now)}"
        click.echo(line)
        if place["error"] and place["remedy"]:
            click.echo(f"    → {clean(place['remedy'])}")
        if place["ignored"]:
            click.echo(f"    ignored {clean(place['ignored'])}")
    for one in facts["says"]:
        before = f", and {clean(one['before'])} before" if one["before"] else ""
        click.echo(f"  {one['name'].replace('_', ' '):<15}{clean(one['value'])}{before}")
    if conflict := facts["conflict"]:
        each = ", ".join(f"{version} at {name}" for name, version in conflict.items())
        click.echo(f"  sources differ: the newest is {clean(each)}{_believed(db, row['id'])}")
    if asked:
        from monitor.cli.proposals import lines

        click.echo()
        for line in lines(asked, now):
            click.echo(line)
    click.echo()
    shown = versions[: limit or None]
    _print_versions(shown, now)
    if len(versions) > len(shown):
        click.echo(f"… and {len(versions) - len(shown)} older ones: --limit 0 shows all")
    if told:
        click.echo()
        table(
            ("EVENT", "KIND", "VERSION", "WHEN"),
            [
                (event["seq"], event["kind"], event["version"] or "", ago(event["at"], now))
                for event in told
            ],
        )


def _believed(db: Any, project: int) -> str:
    from monitor.store.ranks import ranking

    ranks = ranking(db, project)
    return f"; {clean(ranks.said)} is believed" if ranks else ""


def _judged(
    app: App, row: Any, versions: list[dict[str, Any]], own: Rules | None
) -> dict[str, Any]:
    """A project that nobody watches is not judged when it is seen, so it is now; and so is one
    of several packages."""
    found = _appraised(app, row["id"], own)
    ids = {version["version"]: version["id"] for version in versions}
    for version in versions:
        if verdict := found.verdicts.get(version["version"]):
            version["stable"] = verdict.stable if verdict.release else None
    return dict(row) | {
        "stable": ids.get(found.stable or ""),
        "newest": ids.get(found.newest or ""),
    }


def _print_versions(versions: list[dict[str, Any]], now: int) -> None:
    if not versions:
        click.echo("no version is known")
        return
    table(
        ("VERSION", "IS", "STATE", "PUBLISHED", "SEEN", "AT"),
        [
            (
                version["version"],
                {1: "stable", 0: "pre-release"}.get(version["stable"], "-"),
                version["state"],
                ago(version["published"], now),
                ago(version["first_seen"], now),
                version["source"],
            )
            for version in versions
        ],
    )


def _version(version: dict[str, Any], by_id: dict[int, str]) -> dict[str, Any]:
    told = timed(_without(version, "id", "sort_key", "alias"), "published", "first_seen")
    told["stable"] = None if version["stable"] is None else bool(version["stable"])
    told["flag"] = None if version["flag"] is None else bool(version["flag"])
    return told | {"alias_of": by_id.get(version["alias"])}


def _without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}
