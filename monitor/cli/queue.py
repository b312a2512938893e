"""`monitor queue`: the queue of builds, for people and for workers."""

from __future__ import annotations

from typing import Any

import click

from monitor.cli import App
from monitor.cli.render import ago, as_json, clean, print_json, table, timed

_STATES = ("waiting", "held", "ready", "taken", "done", "failed", "superseded", "revoked")
_TIMES = ("added", "look_at", "free_at", "marked", "written")


@click.group()
def queue() -> None:
    """The queue of builds.

    A worker takes a job, builds the Dockerfile that it names, and reports
    `done` or `fail` with the job's fence; docs/queue-format.md has the rules.
    """


@queue.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is done, failed or given up.")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES),
              help="Only jobs in this state.")  # fmt: skip
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def list_(app: App, everything: bool, states: tuple[str, ...], json: bool) -> None:
    """List the jobs, the most urgent first.

    WHEN is what comes next, where that has a time: the next decision, the end of
    a worker's lease, the next attempt. Else it is when the recipe was written.
    """
    import time

    from monitor.store import jobs

    if not states and not everything:
        states = ("waiting", "held", "ready", "taken")
    rows = jobs.listed(app.reader, states, limit=-1)
    if json:
        print_json(timed(row, *_TIMES) for row in rows)
        return
    now = int(time.time())
    if not rows:
        click.echo("nothing waits: `monitor queue list --all` shows also what is over")
        return
    table(
        ("JOB", "RELEASE", "STATE", "MARKED", "TRIES", "WHEN", "NOTE"),
        [
            (
                row["id"],
                f"{row['purl']}@{row['version']}",
                row["state"],
                "yes" if row["marked"] else "no",
                row["attempts"],
                ago(_next(row, now) or row["written"] or row["added"]),
                row["failure"] or _holder(row, now) or "",
            )
            for row in rows
        ],
    )


def _holder(row: dict[str, Any], now: int) -> str | None:
    """Who has a job; of one whose lease has ended, that anybody may take it."""
    if row["state"] != "taken":
        return None
    over = row["free_at"] is not None and row["free_at"] <= now
    return f"free again: the lease of {row['worker']} has ended" if over else str(row["worker"])


@queue.command()
@click.option("--worker", required=True, help="Your name, as others shall see it.")
@click.pass_obj
def take(app: App, worker: str) -> None:
    """Take the most urgent job. Prints it as JSON, or null where there is none."""
    job = app.do("queue.take", worker=worker)
    click.echo(as_json(None if job is None else _taken(app, job)))


@queue.command()
@click.argument("job", type=int)
@click.option("--fence", type=int, required=True, help="The fence that `take` printed.")
@click.pass_obj
def renew(app: App, job: int, fence: int) -> None:
    """Keep a job that takes long. Prints it as `take` does, with the new end of the lease."""
    click.echo(as_json(_taken(app, app.do("queue.renew", job=job, fence=fence))))


@queue.command()
@click.argument("job", type=int)
@click.option("--fence", type=int, required=True, help="The fence that `take` printed.")
@click.option("--result", default="{}", metavar="JSON", help="What came of it.")
@click.pass_obj
def done(app: App, job: int, fence: int, result: str) -> None:
    """Report that a job's build went well."""
    _print_ended(app.do("queue.done", job=job, fence=fence, result=_json(result)))


@queue.command()
@click.argument("job", type=int)
@click.option("--fence", type=int, required=True, help="The fence that `take` printed.")
@click.option("--class", "failure", default="build", help="Class of failure.", show_default=True)
@click.option("--text", default="", help="What went wrong; the end of the log.")
@click.pass_obj
def fail(app: App, job: int, fence: int, failure: str, text: str) -> None:
    """Report that a job's build failed."""
    _print_ended(app.do("queue.fail", job=job, fence=fence, failure=failure, text=text))


@queue.command()
@click.argument("which", nargs=-1, required=True)
@click.pass_obj
def mark(app: App, which: tuple[str, ...]) -> None:
    """Let builders have these jobs: by number, recipe name, or purl@version."""
    _mark(app, which, on=True)


@queue.command()
@click.argument("which", nargs=-1, required=True)
@click.pass_obj
def unmark(app: App, which: tuple[str, ...]) -> None:
    """Take these jobs from the builders' sight."""
    _mark(app, which, on=False)


@queue.command()
@click.argument("which", nargs=-1, required=True)
@click.pass_obj
def retry(app: App, which: tuple[str, ...]) -> None:
    """Have failed jobs tried again: by number, recipe name, or purl@version."""
    for one in which:
        job = app.do("queue.retry", which=one)
        click.echo(f"{job['purl']}@{job['version']}: {job['state']}")


@queue.command()
@click.argument("which", nargs=-1, required=True)
@click.pass_obj
def regenerate(app: App, which: tuple[str, ...]) -> None:
    """Make recipes anew: by number, recipe name, or purl@version.

    A recipe is never overwritten but by this. One that comes out different has
    another digest, and is built again.
    """
    for one in which:
        job = app.do("queue.regenerate", which=one)
        what = "written anew" if job["changed"] else "came out the same"
        click.echo(f"{job['name']}: {what}")


@queue.command()
@click.option("--json", "json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def reconcile(app: App, json: bool) -> None:
    """Make the folders agree with the database, and take up what make has built.

    Recipes that are missing are written, marks that were copied by hand are
    taken over. Markers and logs of a build by make (build/dockerimages/*.image,
    build/explored/*.json and their logs) become results of their jobs. Strangers
    and recipes changed by hand are named and left alone.
    """
    told = app.do("queue.reconcile")
    if json:
        click.echo(as_json(told))
        return
    words = {
        "written": "recipes written",
        "restored": "recipes brought back",
        "revoked": "recipes moved to revoked/",
        "marked": "marks written",
        "unmarked": "marks removed",
        "by_hand": "marks taken over that were copied by hand",
        "built": "found built",
        "explored": "found explored",
        "failed": "found failed",
        "running": "being built, or failed within the last ten minutes",
        "edited": "changed by hand, left alone",
        "strangers": "not ours, left alone",
    }
    said = [(words[key], names) for key, names in told.items() if names]
    for head, names in said:
        more = f" and {len(names) - 10} more" if len(names) > 10 else ""
        click.echo(clean(f"{head}: {', '.join(names[:10])}{more}"))
    if not said:
        click.echo("everything agrees")


@queue.command()
@click.option("--worker", help="Your name, as others shall see it.")
@click.option("--once", is_flag=True, help="End after one job, or none.")
@click.option("--drain", is_flag=True, help="End when the queue is empty.")
@click.option("--backend", type=click.Choice(["podman", "docker"]), help="What builds.")
@click.option("--base", default="auto", show_default=True, help='"auto" makes a base image here.')
@click.option("--build-arg", "arguments", multiple=True, metavar="NAME=VALUE", help="For builds.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object per job.")
@click.pass_context
def work(
    ctx: click.Context,
    worker: str | None,
    once: bool,
    drain: bool,
    backend: str | None,
    base: str,
    arguments: tuple[str, ...],
    json: bool,
) -> None:
    """Be a worker: take jobs, build their images, check that the package imports, report.

    Needs podman (with buildah and runc) or docker. Ends with 1 where a job failed.
    """
    import os
    import socket
    from datetime import timedelta
    from pathlib import Path

    from monitor.cli.worker_queue import ActsQueue
    from monitor.errors import StoreError
    from pipeline.backends import BackendError, detect
    from pipeline.worker import Settings, work

    app: App = ctx.obj
    state = Path(app.state) / "worker"
    settings = Settings(
        name=worker or f"{socket.gethostname()}:{os.getpid()}",
        logs=Path(app.settings.queue.dir) / "build" / "dockerimages",
        lease=timedelta(seconds=min(300.0, app.settings.queue.lease)),
        arguments=dict(_pairs(arguments)),
        base=None if base == "none" else base,
    )
    failed = 0
    try:
        for outcome in work(
            ActsQueue(app), detect(state, backend), settings, once=once, drain=drain
        ):
            failed += outcome.failure is not None
            if json:
                click.echo(as_json(_outcome(outcome)))
            else:
                _say(outcome)
    except BackendError as error:
        raise StoreError(
            "queue work", str(error), "`monitor doctor` says what is missing"
        ) from error
    ctx.exit(1 if failed else 0)


def _next(row: dict[str, Any], now: int) -> int | None:
    """When something happens to a job by itself, where that has a time."""
    if row["look_at"]:
        return int(row["look_at"])
    free = row["free_at"] if row["state"] in ("ready", "taken") else None
    return int(free) if free and free > now else None


def _taken(app: App, job: dict[str, Any]) -> dict[str, Any]:
    """A job as docs/queue-format.md promises it to whoever has it."""
    return {
        "id": job["id"],
        "fence": job["fence"],
        "purl": f"{job['purl']}@{job['version']}",
        "version": job["version"],
        "recipe": job["name"],
        "path": str(app.runtime.queue_folder / "build" / job["name"]),
        "digest": job["digest"],
        "attempts": job["attempts"],
        "lease_ends": job["free_at"],
    }


def _print_ended(job: dict[str, Any]) -> None:
    """What became of a job that was reported: done, failed, or ready to be tried again."""
    told = {
        "id": job["id"],
        "purl": f"{job['purl']}@{job['version']}",
        "recipe": job["name"],
        "state": job["state"],
        "failure": job["failure"],
        "attempts": job["attempts"],
    }
    click.echo(as_json(told))


def _pairs(arguments: tuple[str, ...]) -> list[tuple[str, str]]:
    found = []
    for text in arguments:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--build-arg")
        found.append((name, value))
    return found


def _outcome(outcome: Any) -> dict[str, Any]:
    return {
        "job": outcome.job.id,
        "purl": outcome.job.purl,
        "built": outcome.built.as_json() if outcome.built else None,
        "failure": outcome.failure,
        "text": outcome.text,
        "accepted": outcome.accepted,
    }


def _say(outcome: Any) -> None:
    if outcome.built:
        seconds = outcome.built.build_seconds + outcome.built.check_seconds
        modules = ", ".join(outcome.built.imported) or "nothing to import"
        click.echo(f"{outcome.job.purl}: built in {seconds:.1f} s, imports {modules}")
    else:
        from monitor.formats.build_log import gist

        why = clean(gist(outcome.text))
        click.echo(f"{outcome.job.purl}: failed ({outcome.failure}): {why}", err=True)


def _mark(app: App, which: tuple[str, ...], *, on: bool) -> None:
    from monitor.cli.hold import myself

    for one in which:
        job = app.do("queue.mark", which=one, on=on, who=myself())
        told = f"{job['name']}: {'marked' if on else 'not marked'}"
        if on and job["held"]:
            told += f", but held until `monitor unhold`: {job['held']}"
        click.echo(clean(told))


def _json(text: str) -> dict[str, Any]:
    import json

    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="--result") from error
    if not isinstance(found, dict):
        raise click.BadParameter("it must be a JSON object", param_hint="--result")
    return found
