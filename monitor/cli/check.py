"""`monitor check`: what is the newest version, now?"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import NEWER, UPSTREAM, WRONG, App
from monitor.cli.render import ago, clean, print_json, table
from monitor.errors import MonitorError, UsageError

if TYPE_CHECKING:
    from monitor.checking import Checked
    from monitor.sources import Source

BARE = ("pypi", "crates")
"""Where a bare name is looked up that nobody watches: it must be known by exactly one."""


@click.command()
@click.argument("package", nargs=-1, metavar="PKG...")
@click.option("--all", "everything", is_flag=True, help="Check everything that is watched.")
@click.option("--current", metavar="VERSION", help="The version that you have.")
@click.option("--explain", is_flag=True, help="Show every candidate, and the rule that decided.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_context
def check(
    ctx: click.Context,
    package: tuple[str, ...],
    everything: bool,
    current: str | None,
    explain: bool,
    json: bool,
) -> None:
    """Ask upstreams now for the newest versions of PKG.

    PKG is a purl (pkg:pypi/requests), provider/name (github/psf/requests), an
    address (a project's page, a repository, an archive), or the name of a
    project that you watch. No configuration and no database is needed.

    Exit codes: 0 nothing newer, 10 something newer than --current (or than
    what is known), 3 an upstream failed, 2 a wrong question.
    """
    app: App = ctx.obj
    if not package and not everything:
        raise UsageError("check", "what shall be checked?", "name a package, or say --all")
    rows, codes = [], []
    answers = asyncio.run(_ask(app, _questions(app, package, everything), explain))
    for text, have, checked, error in answers:
        row = _row(text, current or have, checked, error)
        codes.append(_code(row, error))
        rows.append(row)
        if explain and checked is not None and not json:
            _explain(checked)
    code = next((code for code in (WRONG, UPSTREAM, NEWER) if code in codes), 0)
    if json:
        print_json(
            _with_candidates(row, checked, explain)
            for row, (_, _, checked, _) in zip(rows, answers, strict=True)
        )
    elif not explain:
        _print(rows)
    for row in rows:
        if row["error"] and not json:
            click.echo(f"monitor: {row['error']}", err=True)
            if row["remedy"]:
                click.echo(f"  → {row['remedy']}", err=True)
    ctx.exit(code)


Question = tuple[str, str | None, "list[tuple[Source, str]]", MonitorError | None]


def _questions(app: App, package: tuple[str, ...], everything: bool) -> list[Question]:
    """What is asked: the text, the version that is had, and whom to ask."""
    known = _known(app)
    found: list[Question] = []
    if everything:
        rows = {row["purl"]: row for row in known.values()}
        return [(purl, _have(row), app.runtime.resolve(purl), None) for purl, row in rows.items()]
    for text in package:
        try:
            found.append(_question(app, text, known))
        except UsageError as error:
            found.append((text, None, [], error))
    return found


def _question(app: App, text: str, known: dict[str, Any]) -> Question:
    named, _, version = text.partition("@") if not text.startswith("pkg:") else (text, "", "")
    if text.startswith("pkg:") and "@" in text.rpartition("/")[2]:
        named, _, version = text.rpartition("@")
    if "://" in text:
        named, version = text, ""
    row = known.get(named)
    purl = row["purl"] if row else named
    places = app.runtime.resolve(purl)
    if not places and row is None and "/" not in named:
        matches = sorted({one["purl"] for one in known.values() if one["name"] == named})
        if len(matches) > 1:
            raise UsageError(named, "means several projects", "one of: " + ", ".join(matches))
        places = [place for name in BARE for place in app.runtime.resolve(f"{name}/{named}")]
    if not places:
        raise UsageError(
            named,
            "no provider knows it",
            "write it as provider/name; `monitor providers` lists them",
        )
    return text, version or (_have(row) if row else None), places, None


def _known(app: App) -> dict[str, Any]:
    """Watched projects by name and by purl; nothing where there is no database."""
    if not (Path(app.state) / "monitor.db").exists():
        return {}
    from monitor.store import projects

    found: dict[str, Any] = {}
    for row in projects.watched(app.reader):
        found[row["purl"]] = row
    for row in list(found.values()):
        found.setdefault(row["name"] or row["purl"], row)
    return found


def _have(row: dict[str, Any]) -> str | None:
    have: str | None = row["current"] or row["acked"] or row["stable"]
    return have


Asked = tuple[str, str | None, "Checked | None", MonitorError | None]


async def _ask(app: App, questions: list[Question], explain: bool) -> list[Asked]:
    from spiders import transport

    async with transport(app.settings.network) as way:

        async def one(question: Question) -> Asked:
            from monitor.checking import check as ask
            from monitor.checking import first_answer

            text, have, places, error = question
            if error or not places:
                return text, have, None, error
            try:
                answers = [await ask(source, project, way) for source, project in places]
            except MonitorError as failed:
                return text, have, None, failed
            best = first_answer(answers)
            known = [answer for answer in answers if answer.problem is None]
            if len({answer.purl for answer in known}) > 1 and "/" not in text:
                names = ", ".join(answer.purl for answer in known)
                problem = UsageError(text, "means several projects", f"one of: {names}")
                return text, have, None, problem
            return text, have, best, best.problem

        return list(await asyncio.gather(*(one(question) for question in questions)))


def _row(
    text: str, current: str | None, checked: Checked | None, error: MonitorError | None
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "package": text,
        "purl": checked.purl if checked else None,
        "current": current,
        "stable": None,
        "prerelease": None,
        "published": None,
        "state": None,
        "newer": None,
        "source": checked.source.name if checked else None,
        "versions": len(checked.verdicts) if checked else 0,
        "page": None,
        "error": f"{error.where}: {error.what}" if error else None,
        "remedy": error.remedy if error else None,
        "checked": checked.at if checked else None,
    }
    if checked is None or error is not None:
        return row
    best, before = checked.newest.stable, checked.newest.prerelease
    shown = best or before
    if best:
        row["stable"] = best.candidate.version
    if before:
        row["prerelease"] = before.candidate.version
    if shown:
        release = checked.releases[shown.candidate.version]
        row["published"] = _iso(release.published)
        row["page"] = release.page
        row["state"] = (release.state or "listed") and str(shown.candidate.state)
    if current and shown:
        row["newer"] = _is_newer(checked, shown.candidate.version, current)
    return row


def _is_newer(checked: Checked, newest: str, current: str) -> bool:
    from monitor.ordering import compare

    scheme = checked.source.rules.scheme or checked.source.provider.ordering
    keys = {one.candidate.version: one.key for one in checked.verdicts}
    if current in keys:
        return keys[newest] > keys[current]
    read = {one.candidate.version: one.version for one in checked.verdicts}
    return compare(scheme, read[newest], current) > 0


def _code(row: dict[str, Any], error: MonitorError | None) -> int:
    from monitor.errors import FetchError, ReadError

    if isinstance(error, FetchError | ReadError):
        return UPSTREAM
    if error is not None:
        return WRONG
    return NEWER if row["newer"] else 0


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _print(rows: list[dict[str, Any]]) -> None:
    shown = [row for row in rows if not row["error"]]
    if not shown:
        return
    table(
        ("PACKAGE", "STABLE", "PRE-RELEASE", "CURRENT", "PUBLISHED", "STATE", "SOURCE"),
        [
            (
                row["purl"],
                row["stable"] or "none",
                row["prerelease"] or "-",
                (row["current"] or "-") + (" (older)" if row["newer"] else ""),
                _age(row["published"]),
                row["state"] or "no versions",
                row["source"],
            )
            for row in shown
        ],
    )


def _age(published: str | None) -> str:
    return ago(int(datetime.fromisoformat(published).timestamp())) if published else "-"


def _explain(checked: Checked) -> None:
    click.echo(f"{checked.purl}: {len(checked.verdicts)} versions at {checked.source.name}")
    best, before = checked.newest.stable, checked.newest.prerelease
    rows = []
    for one in sorted(checked.verdicts, key=lambda one: one.key, reverse=True):
        what = "stable" if one.stable else "pre-release" if one.release else "no release"
        mark = "← newest stable" if one is best else "← newest" if one is before else ""
        if not one.counts and one.release:
            what += ", left out"
        rows.append(
            (one.candidate.spelling, one.version, what, one.stream, one.rule, one.reason, mark)
        )
    table(("PUBLISHED AS", "READ AS", "IS", "STREAM", "RULE", "WHY", ""), rows)
    if checked.partial:
        click.echo(f"not all versions were told: {clean(checked.partial)}")


def _with_candidates(row: dict[str, Any], checked: Checked | None, explain: bool) -> dict[str, Any]:
    if not explain or checked is None:
        return row
    return row | {
        "candidates": [
            {
                "version": one.candidate.version,
                "tag": one.candidate.tag,
                "read_as": one.version,
                "release": one.release,
                "stable": one.stable,
                "counts": one.counts,
                "stream": one.stream,
                "rule": one.rule,
                "reason": one.reason,
            }
            for one in sorted(checked.verdicts, key=lambda one: one.key, reverse=True)
        ]
    }
