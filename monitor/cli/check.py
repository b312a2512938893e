"""`monitor check`: what is the newest version, now?"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import NEWER, UPSTREAM, WRONG, App
from monitor.cli.completion import of_watched
from monitor.cli.render import ago, clean, complaints, iso, print_json, styled, table
from monitor.cli.which import Meant, all_watched, ambiguous, meant
from monitor.errors import FetchError, MonitorError, ReadError, UsageError

if TYPE_CHECKING:
    from monitor.checking import Checked
    from monitor.judge import Verdict


@click.command()
@click.argument("package", nargs=-1, metavar="PKG...", shell_complete=of_watched)
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
    project that you watch; PKG@VERSION says which version you have. No
    configuration and no database is needed, and nothing is stored.

    Exit codes: 0 nothing newer, 10 something newer than --current (or than
    what is known), 3 an upstream failed, 2 a wrong question; with several
    packages the first of 2, 3, 10 that holds for one.
    """
    app: App = ctx.obj
    if not package and not everything:
        raise UsageError("check", "what shall be checked?", "name a package, or say --all")
    if package and everything:
        raise UsageError("check", "--all and names do not go together", "leave one of them out")
    if current is not None and len(package) != 1:
        raise UsageError(
            "--current", "is the version of one package", "write PKG@VERSION for several"
        )
    asked = all_watched(app) if everything else meant(app, list(package))
    answers = asyncio.run(_ask(app, asked))
    rows = [
        _row(one, current or one.have, *answer) for one, answer in zip(asked, answers, strict=True)
    ]
    if json:
        print_json(
            _with_candidates(row, checked) if explain else row
            for row, (checked, _) in zip(rows, answers, strict=True)
        )
    elif explain:
        _explain_all(rows, answers)
    elif len(rows) == 1 and answers[0][1] is None:
        _print_one(rows[0])
    else:
        _print_table([row for row in rows if not row["error"]])
    codes = []
    for row, (_, error) in zip(rows, answers, strict=True):
        codes.append(_code(row, error))
    if not json:
        complaints([error for _, error in answers if error is not None], "--json tells all")
    ctx.exit(next((code for code in (WRONG, UPSTREAM, NEWER) if code in codes), 0))


Answer = tuple["Checked | None", MonitorError | None]


async def _ask(app: App, asked: list[Meant]) -> list[Answer]:
    if all(one.error for one in asked):
        return [(None, one.error) for one in asked]
    from monitor.checking import check as put
    from monitor.cli.byhand import network
    from spiders import transport

    async with transport(network(app)) as way:

        async def one(question: Meant) -> Answer:
            if question.error is not None:
                return None, question.error
            rules = _rules(question)
            try:
                found = await asyncio.gather(
                    *(put(source, project, way, rules=rules) for source, project in question.places)
                )
            except MonitorError as error:
                return None, error
            return _agreed(question, found)

        return list(await asyncio.gather(*(one(question) for question in asked)))


def _agreed(question: Meant, found: list[Checked]) -> Answer:
    """What several sources said of one question, put together."""
    from monitor.checking import first_answer

    best = first_answer(found)
    if not question.bare:
        return best, best.problem
    known = {answer.purl: answer for answer in found if answer.problem is None}
    if len(known) > 1:
        return None, ambiguous(question.text, list(known))
    if not known and isinstance(best.problem, UsageError):
        asked = ", ".join(answer.source.name for answer in found)
        return None, UsageError(
            question.text,
            f"nobody knows it (asked {asked})",
            "write it as provider/name, such as github/owner/name, or give an address",
        )
    return best, best.problem


def _rules(question: Meant) -> Any:
    text = (question.known or {}).get("rules") or "{}"
    if text == "{}":
        return None
    import msgspec

    from monitor.rules import Rules

    return msgspec.json.decode(text, type=Rules)


def _row(
    one: Meant, current: str | None, checked: Checked | None, error: MonitorError | None
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "package": one.text,
        "purl": checked.purl if checked else None,
        "outcome": "wrong question" if isinstance(error, UsageError) else "failed",
        "current": current,
        "stable": None,
        "prerelease": None,
        "newer": None,
        "published": None,
        "state": None,
        "source": checked.source.name if checked else None,
        "versions": len(checked.verdicts) if checked else 0,
        "page": None,
        "error": f"{error.where}: {error.what}" if error else None,
        "remedy": error.remedy if error else None,
        "checked": iso(checked.at) if checked else None,
    }
    if checked is None or error is not None:
        return row
    best, before = checked.newest.stable, checked.newest.prerelease
    newer = checked.newer_than(current) if current else None
    shown = newer or best or before
    row |= {
        "outcome": "newer" if newer else "nothing newer" if shown else "no versions",
        "stable": best.candidate.version if best else None,
        "prerelease": before.candidate.version if before else None,
        "newer": newer.candidate.version if newer else None,
    }
    if shown:
        row |= _release(checked, shown)
    return row


def _release(checked: Checked, shown: Verdict) -> dict[str, Any]:
    release = checked.releases[shown.candidate.version]
    return {
        "published": iso(release.published),
        "page": release.page or (release.files[0].url if release.files else None),
        "state": str(shown.candidate.state) if shown.candidate.state else None,
    }


def _code(row: dict[str, Any], error: MonitorError | None) -> int:
    if isinstance(error, FetchError | ReadError):
        return UPSTREAM
    if error is not None:
        return WRONG
    return NEWER if row["newer"] else 0


# ── for people ────────────────────────────────────────────────────────────────────────


def _print_one(row: dict[str, Any]) -> None:
    click.echo(styled(clean(row["purl"]), bold=True))
    if row["outcome"] == "no versions":
        _line("versions", _none(row))
        return
    when = f"published {row['published'][:10]} ({_age(row)})" if row["published"] else ""
    facts = ", ".join(part for part in (when, row["state"]) if part)
    of_stable = row["newer"] in (None, row["stable"]) and row["stable"]
    _line("newest stable", row["stable"] or "none", facts if of_stable else "")
    if row["prerelease"]:
        _line("pre-release", row["prerelease"], "" if of_stable else facts)
    if row["current"]:
        note = f"{row['newer']} is newer" if row["newer"] else "nothing is newer"
        room = len(row["stable"] or "")
        _line("you have", row["current"].ljust(room), note)
    _line("seen at", row["page"] or row["source"])


def _line(head: str, *parts: object) -> None:
    click.echo(f"  {head:<14} " + "   ".join(clean(part) for part in parts if part))


def _none(row: dict[str, Any]) -> str:
    if not row["versions"]:
        return f"none; {row['source']} knows the project, and shows no version of it"
    return f"{row['versions']}, and none of them counts: --explain says why"


def _age(row: dict[str, Any]) -> str:
    if not row["published"]:
        return "-"
    from datetime import datetime

    return ago(int(datetime.fromisoformat(row["published"]).timestamp()))


def _print_table(rows: list[dict[str, Any]]) -> None:
    table(
        ("PACKAGE", "STABLE", "PRE-RELEASE", "HAVE", "", "PUBLISHED", "STATE", "SOURCE"),
        [
            (
                row["purl"],
                row["stable"] or "none",
                row["prerelease"] or "",
                row["current"] or "",
                "older" if row["newer"] else "",
                _age(row),
                row["state"] or row["outcome"],
                row["source"],
            )
            for row in rows
        ],
    )


def _explain_all(rows: list[dict[str, Any]], answers: list[Answer]) -> None:
    for row, (checked, error) in zip(rows, answers, strict=True):
        if checked is not None and error is None:
            _print_one(row)
            click.echo()
            explain_candidates(checked.verdicts, checked.newest.stable, checked.newest.prerelease)
            if checked.partial:
                click.echo(f"not all versions were told: {clean(checked.partial)}")


def explain_candidates(
    verdicts: list[Verdict], stable: Verdict | None, before: Verdict | None
) -> None:
    """Every candidate, highest first, with what it is and the rule that says so."""
    rows = []
    for one in sorted(verdicts, key=lambda one: one.key, reverse=True):
        mark = "newest stable" if one is stable else "newest" if one is before else ""
        spelling = one.candidate.spelling
        shown = spelling if spelling == one.version else f"{spelling} → {one.version}"
        rows.append((shown, mark or what_it_is(one), one.stream, one.rule, one.reason))
    table(("VERSION", "IS", "SERIES", "RULE", "WHY"), rows)


def what_it_is(one: Verdict) -> str:
    """A verdict in a word or two."""
    if not one.release:
        return "rejected"
    word = "stable" if one.stable else "pre-release"
    return word if one.counts else f"{word}, left out"


def _with_candidates(row: dict[str, Any], checked: Checked | None) -> dict[str, Any]:
    if checked is None:
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
                "published": iso(one.candidate.published),
                "state": str(one.candidate.state),
            }
            for one in sorted(checked.verdicts, key=lambda one: one.key, reverse=True)
        ]
    }
