"""`monitor import` and `monitor export`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import App
from monitor.cli.render import clean, print_json, table

if TYPE_CHECKING:
    from monitor.importing import Imported
    from monitor.importing.exporting import Row

__all__ = ["export", "import_"]

FORMATS = [
    "anitya",
    "apkbuild",
    "buildroot",
    "cabal",
    "cargo",
    "composer",
    "ebuild",
    "gemfile",
    "go",
    "list",
    "lock",
    "mix",
    "npm",
    "nvchecker",
    "pipfile",
    "pkgbuild",
    "requirements",
    "spack",
    "srcinfo",
    "stack",
    "termux",
    "watch",
]
"""The names in `monitor.importing.FORMATS`, repeated so that help imports nothing."""


@click.command("import")
@click.argument(
    "paths", nargs=-1, required=True, metavar="FILE|DIR...", type=click.Path(path_type=Path)
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    metavar="NAME",
    help="The format, where name and content do not say.",
)
@click.option(
    "--write",
    "target",
    metavar="FILE",
    help="Add entries to FILE; packages.toml is the configuration's.",
)
@click.option("--watch", is_flag=True, help="Watch what was found, as `monitor watch` does.")
@click.option(
    "--dry-run", is_flag=True, help="With --write: print what would be added, and write nothing."
)
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def import_(
    app: App,
    paths: tuple[Path, ...],
    format_: str | None,
    target: str | None,
    watch: bool,
    dry_run: bool,
    json: bool,
) -> None:
    """Find the upstreams of recipes, lock files and lists.

    Understands nvchecker.toml, requirements and lock files, plain lists, uscan
    watch files, PKGBUILD and .SRCINFO, ebuilds, APKBUILDs, Buildroot, Termux and
    Spack packages, Anitya's export, and folders of these. Nothing is run, and
    no upstream is asked. Each recipe comes with its upstream, or the reason why not.
    """
    if target and watch:
        raise click.UsageError("--write and --watch: choose one")
    found = list(_found(app, paths, format_))
    if not found:
        raise click.UsageError(
            f"{', '.join(map(str, paths))}: no recipe, lock file or list in there"
        )
    if json:
        print_json(_object(one) for one in found)
    elif not (target and dry_run):
        _show(found)
    if target:
        _write(app, _place(app, target), found, dry_run=dry_run, quiet=json)
    elif watch and not dry_run:
        _watch(app, found, quiet=json)
    _count(found)


def _found(app: App, paths: tuple[Path, ...], format_: str | None) -> Iterator[Imported]:
    import providers
    from monitor.importing import read

    known = {*providers.names(), *app.settings.sources}
    for path in paths:
        with _bar() as progress:
            yield from read(path, format=format_, known=known, progress=progress)


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on the error terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading recipes", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _object(one: Imported) -> dict[str, Any]:
    return {
        "name": one.name,
        "packaged": one.packaged,
        "state": one.state,
        "upstream": "/".join(one.upstream) if one.upstream else None,
        "provider": one.upstream[0] if one.upstream else None,
        "project": one.upstream[1] if one.upstream else None,
        "purl": one.purl,
        "instead": one.instead,
        "rules": one.rules,
        "settings": one.settings,
        "owner": one.owner,
        "reason": one.reason,
        "note": one.note,
        "origin": one.origin,
    }


def _show(found: list[Imported]) -> None:
    resolved = [one for one in found if one.upstream]
    table(
        ("PACKAGE", "PACKAGED", "UPSTREAM", "NOTE"),
        [(one.name, one.packaged, "/".join(one.upstream or ()), _note(one)) for one in resolved],
    )
    unresolved = [one for one in found if one.upstream is None]
    if unresolved:
        click.echo("\nWithout an upstream:" if resolved else "Without an upstream:")
        for one in unresolved:
            click.echo(f"  {clean(one.name)}  {clean(one.reason)}  ({clean(one.origin)})")


def _note(one: Imported) -> str:
    parts = [f"tags {one.rules['tag']}"] if "tag" in one.rules else []
    parts += [part for part in (one.reason, one.note) if part]
    return "; ".join(parts)


def _count(found: list[Imported]) -> None:
    states = Counter(one.state for one in found)
    parts = [f"{len(found)} recipes", f"{states['resolved']} resolved"]
    if states["lacking"]:
        parts.append(f"{states['lacking']} need a provider that this version does not have")
        lacking = Counter((one.upstream or ("",))[0] for one in found if one.state == "lacking")
        parts[-1] += f" ({', '.join(f'{kind} {n}' for kind, n in lacking.most_common())})"
        if ways := sum(one.state == "lacking" and one.instead is not None for one in found):
            parts.append(f"{ways} of these are asked in another way until then")
    parts.append(f"{states['unresolved']} without an upstream")
    click.echo(", ".join(parts), err=True)


def _place(app: App, target: str) -> Path:
    """A bare name is a file of the configuration folder."""
    path = Path(target).expanduser()
    if path.parent == Path() and not target.startswith("./"):
        return Path(app.settings.folder) / target
    return path


def _write(app: App, path: Path, found: list[Imported], *, dry_run: bool, quiet: bool) -> None:
    import providers
    from monitor.errors import StoreError
    from monitor.importing.entries import added, sources_needed
    from monitor.outputs.files import write_whole

    try:
        text = path.read_text("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(str(path), f"cannot be read: {error}") from error
    existing = _existing(text, path)
    after, count, kept = added(text, existing, found)
    _existing(after, path)  # what we would write must be read back
    beside = path.parent == Path(app.settings.folder)
    needed = sources_needed(found, app.settings.sources, providers.names()) if beside else {}
    if dry_run:
        click.echo(after[len(text) :].lstrip("\n"), nl=False)
        for name, content in needed.items():
            click.echo(f"\n# sources/{name}.toml\n{content}", nl=False)
        return
    if count:
        write_whole(path, after.encode())
    for name, content in needed.items():
        file = path.parent / "sources" / f"{name}.toml"
        file.parent.mkdir(exist_ok=True)
        write_whole(file, content.encode(), replace=False)
    if not quiet:
        said = f"{path}: {count} entries added" + (f", {kept} were there" if kept else "")
        click.echo(said + (f"; new sources: {', '.join(sorted(needed))}" if needed else ""))


def _existing(text: str, path: Path) -> tuple[Any, ...]:
    """The packages in a `packages.toml`. Raises SettingsError where it is wrong."""
    from monitor.settings.reading import parse

    settings, problems = parse({"packages.toml": text}, {}, str(path.parent))
    if problems:
        raise problems[0]
    return settings.packages


def _watch(app: App, found: list[Imported], *, quiet: bool) -> None:
    from monitor.errors import SettingsError, UsageError
    from monitor.importing.entries import spelled

    done = 0
    for one in found:
        what = spelled(one)
        if what is None or one.state != "resolved":
            continue
        try:
            app.do("watch", what=what, name=one.name, current=one.packaged, owner=one.owner)
        except (UsageError, SettingsError) as error:
            click.echo(f"{clean(one.name)}: {clean(error)}", err=True)
        else:
            done += 1
    if not quiet:
        click.echo(f"watching {done} projects")


@click.command()
@click.option(
    "--format",
    "format_",
    type=click.Choice(["nvchecker", "table", "toml"]),
    default="table",
    show_default=True,
    help="nvchecker: its configuration. table: text with tabs. toml: packages.toml.",
)
@click.option("--packages", is_flag=True, help="What packages.toml says, without the database.")
@click.pass_obj
def export(app: App, format_: str, packages: bool) -> None:
    """Write what is watched for other programs.

    Takes the watched projects of the database; where there is none yet, or with
    --packages, the entries of packages.toml.
    """
    from monitor.importing.exporting import nvchecker_text, table_text, toml_text

    write = {"nvchecker": nvchecker_text, "table": table_text, "toml": toml_text}[format_]
    click.echo(write(_rows(app, packages)), nl=False)


def _rows(app: App, packages: bool) -> list[Row]:
    from monitor.errors import StoreError

    if not packages:
        try:
            return _watched(app)
        except StoreError:
            if not app.settings.packages:
                raise
    return _packages(app)


def _packages(app: App) -> list[Row]:
    import msgspec

    from monitor.importing.exporting import Row
    from monitor.rules import Rules

    defaults = msgspec.to_builtins(Rules())
    rows = []
    for one in app.settings.packages:
        rules = {k: v for k, v in msgspec.to_builtins(one.judged).items() if v != defaults[k]}
        rows.append(Row(one.called, one.upstreams[0], one.packaged, None, one.owner, rules))
    return rows


def _watched(app: App) -> list[Row]:
    import msgspec

    from monitor.importing.exporting import Row
    from monitor.sources import project_of
    from monitor.store import projects

    listed = projects.spelled(app.reader)
    rows = []
    for one in projects.watched(app.reader):
        rules = msgspec.json.decode(one["rules"]) if one.get("rules") else {}
        purl = one["purl"]
        # A purl leaves the scheme of an address out; the source spells it whole.
        upstream = "/".join(listed[purl]) if purl in listed else purl
        name = one["name"] or project_of(purl).rpartition("/")[2]
        rows.append(
            Row(name, upstream, one["current"], one["stable"] or one["newest"], one["owner"], rules)
        )
    return rows
