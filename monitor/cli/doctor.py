"""`monitor doctor`: what is missing on this machine, and how to get it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from monitor.cli import MACHINE, WRONG, App
from monitor.cli.render import clean, print_json, size, styled
from monitor.errors import MonitorError

Grade = Literal["good", "advice", "missing", "wrong"]

ROOM = 1 << 30
"""Bytes of free disk below which the doctor speaks up."""

OLDEST_SQLITE = (3, 38, 0)
"""STRICT tables (3.37) and unixepoch (3.38)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `advice`: works without; `missing`, `wrong`: something will not work."""

    what: str
    grade: Grade
    found: str
    remedy: str | None = None


@click.command()
@click.option("--json", "json", is_flag=True, help="Print one JSON object per thing looked at.")
@click.pass_context
def doctor(ctx: click.Context, json: bool) -> None:
    """Look at this machine and the settings: what is missing, and how to get it.

    Exit code 0 where all is well (advice does not count), 1 where something of
    the machine is missing, 2 where the settings are wrong. Nothing is changed,
    and no upstream is asked.
    """
    app: App = ctx.obj
    found = list(examine(app))
    if json:
        print_json(
            {"what": one.what, "grade": one.grade, "found": one.found, "remedy": one.remedy}
            for one in found
        )
    else:
        for one in found:
            _print(one)
    grades = {one.grade for one in found}
    ctx.exit(WRONG if "wrong" in grades else MACHINE if "missing" in grades else 0)


def examine(app: App) -> Iterator[Finding]:
    """Look at everything; one thing that cannot be looked at does not hide the others."""
    yield _python()
    yield _sqlite()
    yield from _settings(app)
    try:
        settings: Any = app.settings
    except MonitorError:
        settings = None
    looks: list[Callable[[], Iterator[Finding]]] = [lambda: _clock(app)]
    if settings is not None:
        looks += [
            lambda: _contact(settings),
            lambda: _state(app),
            lambda: _database(app),
            lambda: _daemon(app),
            lambda: _programs(app, settings),
            lambda: _builders(app, settings),
            lambda: _notices(settings),
        ]
    for look in looks:
        try:
            yield from look()
        except MonitorError as error:
            yield Finding(error.where, "missing", error.what, error.remedy)
        except OSError as error:
            where = str(error.filename or "the machine")
            yield Finding(where, "missing", error.strerror or str(error))


def _print(one: Finding) -> None:
    colour = {"good": "green", "advice": "yellow", "missing": "red", "wrong": "red"}[one.grade]
    mark = styled(f"{one.grade:<8}", fg=colour)
    click.echo(f"{mark} {clean(one.what)}: {clean(one.found)}")
    if one.remedy:
        click.echo(f"         → {clean(one.remedy)}")


# ── one thing each ────────────────────────────────────────────────────────────────────


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info < (3, 14):
        return Finding("Python", "good", version)
    return Finding("Python", "missing", version, "3.11, 3.12 or 3.13 is needed")


def _sqlite() -> Finding:
    found = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return Finding("SQLite", "good", found)
    oldest = ".".join(map(str, OLDEST_SQLITE))
    return Finding(
        "SQLite", "missing", found, f"{oldest} or later is needed: a newer Python or system"
    )


def _settings(app: App) -> Iterator[Finding]:
    from monitor.cli.config import mistakes

    try:
        problems, folder = mistakes(app), app.place.folder
    except MonitorError as error:
        yield Finding(error.where, "wrong", error.what, error.remedy)
        return
    for problem in problems:
        yield Finding(problem.where, "wrong", problem.what, problem.remedy)
    if not problems:
        sources = app.settings.sources
        grade: Grade = "good" if sources else "advice"
        remedy = None if sources else f"add a file to {folder}/sources; `check` works without"
        yield Finding("settings", grade, f"{folder}, {len(sources)} sources", remedy)


def _contact(settings: Any) -> Iterator[Finding]:
    if settings.network.contact:
        yield Finding("contact", "good", settings.network.contact)
    else:
        yield Finding(
            "contact",
            "advice",
            "none is set: the daemon asks no public server",
            f"{own_folder(settings.folder)}/monitor.toml:"
            ' [network] contact = "mailto:you@your.example"',
        )


def own_folder(folder: Path) -> str:
    """Where to write a setting; what was installed with the program is nobody's to change."""
    from monitor.settings.places import home, shipped

    if folder != shipped() or (folder.parent / "pyproject.toml").exists():
        return str(folder)
    own = home(os.environ, "XDG_CONFIG_HOME", ".config") / "release-monitor"
    return f"copy {folder} to {own} (or /etc/release-monitor); there, {own}"


def _state(app: App) -> Iterator[Finding]:
    folder = app.state
    there = next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))
    writable = os.access(there, os.W_OK | os.X_OK)
    user = f"user {os.geteuid()}"
    if writable:
        yield Finding(
            "state folder", "good", f"{folder}" + ("" if folder.exists() else " (to be made)")
        )
    else:
        yield Finding(
            "state folder",
            "missing",
            f"{folder}: {user} may not write there",
            "run this as the daemon's user, or choose another folder with --state DIR",
        )
    free = shutil.disk_usage(there).free
    grade: Grade = "good" if free >= ROOM else "missing"
    yield Finding("disk", grade, f"{size(free)} free", None if free >= ROOM else "make room")


def _database(app: App) -> Iterator[Finding]:
    if not app.remembers:
        yield Finding("database", "good", "none yet: `monitor run` or `monitor poll` makes it")
        return
    from monitor.store import backup

    path = str(app.state / "monitor.db")
    if problems := backup.check(app.reader):
        remedy = "`monitor restore FILE` brings back a backup"
        yield Finding(path, "missing", "; ".join(problems[:3]), remedy)
    else:
        yield Finding("database", "good", f"{path}, {size(Path(path).stat().st_size)}, whole")
    newest = max((app.state / backup.FOLDER).glob("*.db"), default=None)
    if newest is not None:
        yield Finding("backup", "good", str(newest))


def _daemon(app: App) -> Iterator[Finding]:
    from monitor.acts import call

    running, _ = call(app.runtime.socket, "ping", {})
    yield Finding("daemon", "good", "running" if running else "not running")


def _programs(app: App, settings: Any) -> Iterator[Finding]:
    used = {source.provider for source in settings.sources.values()}
    schemes = {str(value).partition("://")[0] for s in settings.sources.values()
               for value in s.settings.values() if "://" in str(value)}  # fmt: skip
    for program, why, needed in (
        ("rsync", "rsync listings", bool(used & {"rsync", "gnu"}) or "rsync" in schemes),
        ("git", "tags of repositories", "git" in used),
        ("ssh-keygen", "signing the feed", False),
    ):
        found = shutil.which(program)
        if found:
            yield Finding(program, "good", found)
        else:
            grade: Grade = "missing" if needed else "advice"
            package = {"ssh-keygen": "openssh-client"}.get(program, program)
            remedy = f"on Debian: apt-get install {package}"
            yield Finding(program, grade, f"not installed; needed for {why}", remedy)


def _builders(app: App, settings: Any) -> Iterator[Finding]:
    wanted = settings.queue.enabled and bool(settings.builds.build)
    there = {name: shutil.which(name) for name in ("podman", "buildah", "runc", "docker")}
    if there["podman"] or there["docker"]:
        for name, path in there.items():
            if path:
                yield Finding(name, "good", path)
        unified = Path("/sys/fs/cgroup/cgroup.controllers").is_file()
        if there["podman"] and not there["runc"] and not there["docker"] and not unified:
            yield Finding("runc", "missing" if wanted else "advice",
                          "not installed; this machine's cgroups need it",
                          "on Debian: apt-get install runc")  # fmt: skip
    else:
        yield Finding(
            "podman",
            "missing" if wanted else "advice",
            "neither podman nor docker is installed; `monitor queue work` needs one",
            "on Debian: apt-get install podman buildah runc",
        )
    place = app.state / "worker"
    if wanted and place.exists():
        yield Finding("base image", "good", f"made by the worker, below {place}")


def _notices(settings: Any) -> Iterator[Finding]:
    if not settings.notify.urls:
        return
    from importlib.util import find_spec

    if find_spec("apprise"):
        yield Finding("apprise", "good", f"tells {len(settings.notify.urls)} addresses")
    else:
        yield Finding("apprise", "missing", "not installed; notify.urls needs it",
                      "pip install 'release-monitor[notify]'")  # fmt: skip


def _clock(app: App) -> Iterator[Finding]:
    """A clock that is wrong shows against what was written before."""
    now = time.time()
    program = Path(__file__).stat().st_mtime
    if now < program - 86400:
        yield Finding(
            "clock", "missing", "stands before this program was installed", "set it: timedatectl"
        )
        return
    yield Finding("clock", "good", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)))
