"""`monitor outdated`: what you ship that has something newer upstream."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import NEWER, App
from monitor.cli.render import ago, clean, complaints, iso, print_json, table
from monitor.errors import UsageError

if TYPE_CHECKING:
    import sqlite3

    from monitor.cli.shipped import Shipped
    from monitor.sources import Source

_NAMED = 5
"""Packages that are named of all that could not be compared for one reason."""


@click.command()
@click.option("--against", type=click.Path(path_type=Path), metavar="FILE",
              help="Table of what you ship; - is standard input.")  # fmt: skip
@click.option("--owner", metavar="NAME", help="Only what that person or team looks after.")
@click.option("--every", is_flag=True, help="Show also what is up to date.")
@click.option("--bump", is_flag=True, help="Print a bump record per update, for scripts.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_context
def outdated(
    ctx: click.Context,
    against: Path | None,
    owner: str | None,
    every: bool,
    bump: bool,
    json: bool,
) -> None:
    """Compare what you ship with what was last seen upstream.

    What you ship is what `watch --current` and packages.toml say, or FILE: lines
    of package, upstream, packaged version; two columns are taken as package and
    version. CSV with or without a head, tabs, or blanks; "#" begins a comment.

    A bump record is one JSON object: package, purl, old, new, file, address,
    digest, size, owner. Exit code 10 where something is newer. Nothing is asked
    of an upstream: `monitor check --all` does that.
    """
    app: App = ctx.obj
    rows, wrong = _rows(app, _shipped(app, against))
    if owner is not None:
        rows = _owned(rows, owner)
    newer = [row for row in rows if row["newest"]]
    if bump:
        print_json(_bump(app.reader, row) for row in newer)
    elif json:
        print_json(_exact(row) for row in (rows if every else newer))
    else:
        _print(rows, newer, every)
    complaints(wrong, "--every tells all", every=every)
    if against is None:  # what is left out is said, so that nobody takes it for up to date
        complaints(app.runtime.placed()[1], "`monitor config check` tells all")
    ctx.exit(2 if wrong else NEWER if newer else 0)


def _owned(rows: list[dict[str, Any]], owner: str) -> list[dict[str, Any]]:
    """Those of that owner. Raises UsageError where there are none, with the owners there are."""
    found = [row for row in rows if (row["owner"] or "").lower() == owner.lower()]
    if not found:
        there = sorted({row["owner"] for row in rows if row["owner"]})
        known = ", ".join(there[:10]) + (", …" if len(there) > 10 else "")
        remedy = f"owners are: {known}" if there else "say `owner` in packages.toml"
        raise UsageError(f"--owner {owner}", "looks after nothing here", remedy)
    return found


def _shipped(app: App, against: Path | None) -> list[Shipped]:
    from monitor.cli.shipped import Shipped, read

    if against is not None:
        return read(against)
    found = _packages(app)
    told = {one.upstream for one in found}
    from monitor.store import projects

    for row in projects.watched(app.reader):
        if row["current"] and row["purl"] not in told:
            name = row["name"] or row["purl"].rpartition("/")[2]
            found.append(Shipped(name, row["purl"], row["current"], owner=row["owner"]))
    if not found:
        raise UsageError(
            "outdated",
            "it is not known what you ship",
            "say `monitor watch PKG --current VERSION`, write packages.toml, or use --against FILE",
        )
    return sorted(found, key=lambda one: one.package.lower())


def _packages(app: App) -> list[Shipped]:
    """What packages.toml says, as it is now. Several may be of one project, each with its pin."""
    import msgspec

    from monitor.cli.shipped import Shipped
    from monitor.rules import Rules

    app.reader  # noqa: B018 - whoever has not begun yet is told that first
    decode = msgspec.json.Decoder(Rules).decode
    return [
        Shipped(
            said["name"],
            source.purl(name),
            said["current"],
            owner=said["owner"],
            rules=decode(said["rules"]),
        )
        for source, name, said in app.runtime.placed()[0]
        if said.get("current")
    ]


def _rows(app: App, shipped: list[Shipped]) -> tuple[list[dict[str, Any]], list[UsageError]]:
    from monitor.store import projects

    rows, wrong = [], []
    known = _Known(app)
    for one in shipped:
        try:
            project = known.project(one)
        except UsageError as error:
            if one.where:
                wrong.append(UsageError(f"{one.where}{one.package}", error.what, error.remedy))
            else:  # packages.toml has it since a moment ago
                rows.append(_compared(app, one, {"id": None, "purl": one.upstream}, []))
            continue
        listings = projects.listings(app.reader, project["id"])
        rows.append(_compared(app, one, project, listings))
    return rows, wrong


class _Known:
    """Finds the projects of a whole table: what it takes is read once, and no table searched."""

    def __init__(self, app: App) -> None:
        from monitor.store import projects

        self._app = app
        self._names: dict[str, set[str]] = {}
        for purl, name in projects.names(app.reader):
            parts = purl.lower().split("/")
            for text in {
                (name or "").lower(),
                *("/".join(parts[n:]) for n in range(1, len(parts))),
            }:
                self._names.setdefault(text, set()).add(purl)

    def project(self, one: Shipped) -> sqlite3.Row:
        """The one that is meant: its id and purl. Raises UsageError."""
        from monitor.store import projects

        text = one.upstream or one.package
        rows = [projects.by_purl(self._app.reader, purl) for purl in sorted(self._purls(text))]
        found = [row for row in rows if row]
        if len(found) == 1:
            return found[0]
        if found:
            purls = ", ".join(row["purl"] for row in found[:5])
            raise UsageError(text, "means several projects", f"one of: {purls}")
        raise UsageError(text, "is not watched", f"`monitor watch {text}` begins it")

    def _purls(self, text: str) -> set[str]:
        """A purl, source/name, an address; else a watched name; else a name at any source."""
        if "/" in text or ":" in text:
            found = {source.purl(name) for source, name in self._app.runtime.resolve(text)}
            return found or self._names.get(text.lower(), set())
        if found := self._names.get(text.lower(), set()):
            return found
        return {source.purl(text) for source in self._app.runtime.sources.values()}


def _compared(
    app: App,
    one: Shipped,
    project: sqlite3.Row | dict[str, Any],
    listings: list[dict[str, Any]],
) -> dict[str, Any]:
    from monitor.runtime import default_source
    from monitor.store.appraise import appraise, rules_of

    db = app.reader
    place = next((p for p in listings if p["answered"]), listings[0] if listings else None)
    row: dict[str, Any] = {
        "package": one.package,
        "purl": project["purl"],
        "project": project["id"],
        "packaged": one.version,
        "newest": None,
        "published": None,
        "seen": None,
        "state": None,
        "source": place["source"] if place else None,
        "answered": place["answered"] if place else None,
        "outcome": "not asked yet",
        "owner": one.owner,
    }
    if place is None:
        return row
    source: Source = app.runtime.sources.get(place["source"]) or default_source(place["provider"])
    rules, scheme = rules_of(db, source, project["id"], one.rules)
    judged = appraise(db, source, project["id"], rules=rules)
    found = _newer(judged, one.version, scheme, rules)
    if judged.newest:
        row["outcome"] = "newer" if found else "up to date"
    elif place["answered"] or judged.verdicts:
        row["outcome"] = "no versions"
    else:
        row["outcome"] = place["outcome"] or "not asked yet"
    shown = found or judged.stable or judged.newest
    if shown is None:
        return row
    from monitor.store import glance

    facts = next(v for v in glance.live(db, project["id"]) if v["version"] == shown)
    from monitor.store import states

    return row | {
        "newest": found,
        "published": facts["published"],
        "seen": facts["first_seen"],
        "state": states[facts["state"]].value,
    }


def _newer(judged: Any, packaged: str, scheme: str, rules: Any) -> str | None:
    """What is newer than the packaged version; a pre-release only for who ships one."""
    from monitor.judge import Candidate, judge

    own = judged.verdicts.get(packaged)
    if own is None:
        own = judge([Candidate(packaged)], scheme=scheme, rules=rules)[0]
    best, before = (judged.verdicts.get(name or "") for name in (judged.stable, judged.newest))
    if best is not None and best.key > own.key:
        return str(best.candidate.version)
    if before is not None and before.key > own.key and (best is None or not own.stable):
        return str(before.candidate.version)
    return None


def _exact(row: dict[str, Any]) -> dict[str, Any]:
    told = {key: value for key, value in row.items() if key != "project"}
    return told | {key: iso(row[key]) for key in ("published", "seen", "answered")}


def _bump(db: sqlite3.Connection, row: dict[str, Any]) -> dict[str, Any]:
    """What a script needs to edit a recipe. Without a known archive the file's facts are null."""
    from monitor.store import glance

    files = [
        file for file in glance.artefact(db, row["project"], row["newest"]) if not file["yanked"]
    ]
    files.sort(key=lambda file: (file["kind"] not in ("source", "sdist"), file["kind"] or "~"))
    file = files[0] if files else {}
    return {
        "package": row["package"],
        "purl": row["purl"],
        "old": row["packaged"],
        "new": row["newest"],
        "file": file.get("name") or (file.get("url") or "").rpartition("/")[2] or None,
        "address": file.get("url"),
        "digest": file.get("digest"),
        "size": file.get("size"),
        "owner": row["owner"],
    }


def _print(rows: list[dict[str, Any]], newer: list[dict[str, Any]], every: bool) -> None:
    now = int(time.time())
    shown = rows if every else newer
    table(
        ("PACKAGE", "PACKAGED", "NEWEST", "AGE", "STATE", "OWNER", "UPSTREAM"),
        [
            (
                row["package"],
                row["packaged"],
                row["newest"] or "",
                ago(row["published"] or row["seen"], now) if row["newest"] else "",
                row["outcome"] if row["state"] in ("listed", None) else row["state"],
                row["owner"] or "",
                row["purl"],
            )
            for row in shown
        ],
    )
    click.echo(f"{len(newer)} of {len(rows)} packages have something newer")
    waiting: dict[str, list[str]] = {}
    for row in () if every else rows:
        if row["outcome"] not in ("newer", "up to date"):
            waiting.setdefault(row["outcome"], []).append(clean(row["package"]))
    for outcome, names in waiting.items():
        told = ", ".join(names[:_NAMED])
        more = f" and {len(names) - _NAMED} more (--every)" if len(names) > _NAMED else ""
        click.echo(f"not compared, {outcome}: {told}{more}")
