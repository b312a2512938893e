"""`monitor why`: from what an upstream answered to what was built of it, on one screen."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import App
from monitor.cli.completion import of_watched
from monitor.cli.render import ago, as_json, clean, iso, size, styled, timed
from monitor.cli.which import split_version
from monitor.errors import UsageError

if TYPE_CHECKING:
    import sqlite3

    from monitor.judge import Verdict
    from monitor.store.appraise import Appraisal

SHOWN = 5
"""Rejected candidates that are shown one by one; the others are counted by rule."""


@click.command()
@click.argument("what", metavar="PKG@VERSION", shell_complete=of_watched)
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def why(app: App, what: str, json: bool) -> None:
    """Show what a version rests on: answer, verdict, policy, recipe, build, events.

    Without @VERSION, the newest one is meant. Nothing is asked of an upstream.
    """
    facts = _facts(app, *split_version(what))
    if json:
        click.echo(as_json(facts))
    else:
        _print(facts, int(time.time()))


def _facts(app: App, name: str, wanted: str | None) -> dict[str, Any]:
    from monitor.store import glance, projects

    db = app.reader
    row = projects.one(db, name)
    versions = projects.versions(db, row["id"])
    if wanted is None:
        wanted = _newest(app, db, row, versions, name)
    version = _version(row, versions, wanted)
    seen = glance.sighting(db, version["id"])
    judged = _judged(app, db, row["id"], seen, name)
    leader = next((v["version"] for v in versions if v["id"] == version["alias"]), None)
    own = judged.verdicts.get(leader or version["version"])
    return {
        "purl": row["purl"],
        "packages": projects.packages_of(db, row["id"]),
        "version": version["version"],
        "alias_of": leader,
        "published": iso(version["published"]),
        "state": version["state"],
        "tag": version["tag"],
        "revision": version["revision"],
        "conflict": projects.conflict(db, row["id"]),
        "ignored": {
            one["source"]: one["ignored"]
            for one in projects.listings(db, row["id"])
            if one["ignored"]
        },
        "proposals": [timed(one, "at") for one in glance.proposals(db, row["id"])],
        "observed": timed(seen, "at") | {"also": glance.also_at(db, version["id"])},
        "verdict": _verdict(own) if own else None,
        "newest": {"stable": judged.stable, "any": judged.newest},
        "candidates": len(judged.verdicts),
        "rejected": [_verdict(one) for one in _rejected(judged, own)],
        "says": [timed(one, "at") for one in glance.says(db, version["id"])],
        "unanswered": _unanswered(glance.unanswered(db, version["id"])),
        "held": projects.held(db, row["id"], version["version"]),
        "wanted": _wanted(app, row["purl"]),
        "decisions": [timed(one, "at") for one in projects.decisions(db, version["id"])],
        "files": [
            timed(one, "published")
            for one in glance.artefact(db, row["id"], version["version"])
        ],
        "jobs": [
            timed(one, "added", "look_at", "written", "marked") | {"result": _result(one["result"])}
            for one in glance.jobs_of(db, version["id"])
        ],
        "events": [
            timed(one, "at") for one in glance.events_of(db, row["id"], 100, version["id"])
        ],
    }  # fmt: skip


def _unanswered(inquiry: dict[str, Any] | None) -> dict[str, Any] | None:
    """The open question what a version says of itself."""
    return None if inquiry is None else timed(inquiry, "added", "due")


def _wanted(app: App, purl: str) -> str | None:
    """The `match` of the entry of builds.toml that asks for builds of this project."""
    rule = app.runtime.context.rule(purl)
    return rule.match if rule is not None else None


def _newest(
    app: App,
    db: sqlite3.Connection,
    row: sqlite3.Row,
    versions: list[dict[str, Any]],
    name: str,
) -> str | None:
    """The version that is meant where none is said: as judged now."""
    from monitor.store import glance

    if not versions:
        return None
    judged = _judged(app, db, row["id"], glance.sighting(db, versions[0]["id"]), name)
    return judged.stable or judged.newest or str(versions[0]["version"])


def _version(
    row: sqlite3.Row, versions: list[dict[str, Any]], wanted: str | None
) -> dict[str, Any]:
    """The version that is meant. Raises UsageError with those that there are."""
    found = [one for one in versions if wanted in (one["version"], one["tag"] or one["version"])]
    if found:
        return found[0]
    from difflib import get_close_matches

    there = [one["version"] for one in versions]
    near = get_close_matches(wanted or "", there, 5) or there[:5]
    raise UsageError(
        f"{row['purl']}@{wanted or 'newest'}",
        "is not known here",
        f"there are {', '.join(near)}" if near else "no version of it is known yet",
    )


def _judged(
    app: App, db: sqlite3.Connection, project: int, seen: dict[str, Any], name: str
) -> Appraisal:
    """By the rules of the package that was named, where several share the project."""
    from monitor.runtime import default_source
    from monitor.store import projects
    from monitor.store.appraise import appraise, rules_of

    source = app.runtime.sources.get(seen["source"]) or default_source(seen["provider"])
    own = projects.package_rules(db, project, name)
    return appraise(db, source, project, rules=own and rules_of(db, source, project, own)[0])


def _rejected(judged: Appraisal, own: Verdict | None) -> list[Verdict]:
    """What is no release, or does not count; those that would stand above this version first."""
    others = [
        one
        for one in judged.verdicts.values()
        if not (one.release and one.counts) and one is not own
    ]
    key = own.key if own else b""
    return sorted(others, key=lambda one: (one.key > key, one.key), reverse=True)


def _verdict(one: Verdict) -> dict[str, Any]:
    from monitor.cli.check import what_it_is

    return {
        "version": one.candidate.version,
        "spelling": one.candidate.spelling,
        "read_as": one.version,
        "is": what_it_is(one),
        "stream": one.stream,
        "rule": one.rule,
        "reason": one.reason,
    }


def _result(text: str | None) -> Any:
    if text is None or not text.startswith(("{", "[")):
        return text
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text


# ── for people ────────────────────────────────────────────────────────────────────────


def _print(facts: dict[str, Any], now: int) -> None:
    click.echo(styled(f"{clean(facts['purl'])}@{clean(facts['version'])}", bold=True))
    if facts["packages"]:
        _line("packages", ", ".join(facts["packages"]))
    if facts["alias_of"]:
        _line("the same as", facts["alias_of"])
    seen = facts["observed"]
    _line("observed", f"{_when(seen['at'], now)} at {seen['source']} ({seen['mechanism']})")
    _line("", seen["url"])
    proof = [f"validator {seen['validator']}" if seen["validator"] else "", seen["digest"] or ""]
    if any(proof):
        _line("", ", ".join(part for part in proof if part))
    if seen["also"]:
        _line("", f"also at {', '.join(seen['also'])}")
    tag = f"tag {facts['tag']}" if facts["tag"] else ""
    at = f"at {facts['revision']}" if facts["revision"] else ""
    published = _when(facts["published"], now) if facts["published"] else "at an unknown time"
    _line(
        "published", ", ".join(p for p in (published, facts["state"], f"{tag} {at}".strip()) if p)
    )
    _print_verdict(facts)
    _print_traits(facts, now)
    _print_policy(facts, now)
    for job in facts["jobs"]:
        _print_job(job, now)
    if facts["events"]:
        told = ", ".join(f"{one['seq']} {one['kind']}" for one in reversed(facts["events"]))
        _line("events", told)


def _print_verdict(facts: dict[str, Any]) -> None:
    own, newest = facts["verdict"], facts["newest"]
    if own is None:
        _line("judged", "not yet")
    else:
        series = f", series {own['stream']}" if own["stream"] else ""
        _line("judged", f"{own['is']}{series}: {own['rule']}, {own['reason']}")
    also = "" if newest["any"] == newest["stable"] else f", {newest['any']} before a release"
    _line("newest", f"{newest['stable'] or 'no stable one'}{also}, of {facts['candidates']}")
    if facts["conflict"]:
        each = (f"{version} at {name}" for name, version in facts["conflict"].items())
        _line("differs", ", ".join(each))
    for name, some in facts["ignored"].items():
        _line("ignored", f"at {name} {some}")
    for asked in facts["proposals"]:
        _line("asked", f"{asked['reason']}: monitor accept {asked['id']}, or decline")
    rejected = facts["rejected"]
    if not rejected:
        _line("rejected", "none")
    for number, one in enumerate(rejected[:SHOWN]):
        head = f"rejected {len(rejected)}" if number == 0 else ""
        _line(head, f"{one['spelling']}: {one['is']}: {one['rule']}, {one['reason']}")
    if rest := Counter(one["rule"] for one in rejected[SHOWN:]):
        _line("", "more: " + ", ".join(f"{count} {rule}" for rule, count in rest.most_common()))


def _print_traits(facts: dict[str, Any], now: int) -> None:
    for number, one in enumerate(facts["says"]):
        before = f", and {one['before']} before" if one["before"] else ""
        name = one["name"].replace("_", " ")
        _line("says" if number == 0 else "", f"{name}: {one['value']}{before}")
    if (asked := facts["unanswered"]) is not None:
        why = f": {asked['error']}" if asked["error"] else ""
        said = f"not all is known, asked again {_when(asked['due'], now)}{why}"
        _line("" if facts["says"] else "says", said)


def _print_policy(facts: dict[str, Any], now: int) -> None:
    if facts["held"]:
        _line("held", facts["held"])
    if not facts["decisions"]:
        _line("policy", _undecided(facts))
    for number, one in enumerate(facts["decisions"]):
        text = f"{_when(one['at'], now)}: {one['verdict']}: {one['rule']}, {one['reason']}"
        _line("policy" if number == 0 else "", text)
    for number, file in enumerate(facts["files"][:3]):
        told = [file["name"] or file["url"].rpartition("/")[2]]
        told += [size(file["size"])] if file["size"] else []
        told += [file["digest"] or "no digest", *(["yanked"] if file["yanked"] else [])]
        _line("files" if number == 0 else "", ", ".join(told))
    if len(facts["files"]) > 3:
        _line("", f"and {len(facts['files']) - 3} more")


def _undecided(facts: dict[str, Any]) -> str:
    """Why the policy has said nothing of a version."""
    if facts["jobs"]:
        return "not yet"
    if not facts["wanted"]:
        return "no entry of builds.toml asks for it"
    if any(one["kind"] == "released" for one in facts["events"]):
        return "not asked: no entry of builds.toml asked for it when it was released"
    return "not asked: it was there at the first look at its project or source, and is no news"


def _print_job(job: dict[str, Any], now: int) -> None:
    if job["name"]:
        marked = f"marked {_when(job['marked'], now)}" if job["marked"] else "not marked"
        _line("recipe", f"{job['name']}, written {_when(job['written'], now)}, {marked}")
        _line("", job["digest"])
    else:
        _line("recipe", "none yet")
    tries = f", {job['attempts']} attempt{'s' if job['attempts'] > 1 else ''}"
    worker = f" by {job['worker']}" if job["worker"] else ""
    _line("build", f"job {job['id']} is {job['state']}{tries if job['attempts'] else ''}{worker}")
    if job["failure"]:
        _line("", f"failed: {job['failure']}")
    result = job["result"]
    if isinstance(result, dict):
        _line("", ", ".join(f"{key} {_short(value)}" for key, value in sorted(result.items())))
    elif result:
        _line("", str(result).strip().splitlines()[-1])


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else as_json(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _line(head: str, text: str) -> None:
    click.echo(f"  {head:<12}{clean(text)}")


def _when(at: str | None, now: int) -> str:
    if at is None:
        return "never"
    from datetime import datetime

    seconds = int(datetime.fromisoformat(at).timestamp())
    return f"{at[:16].replace('T', ' ')} ({ago(seconds, now)})"
