"""`monitor new`, `record` and `ask`: for authors of providers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli import App
from monitor.cli.render import as_json, clean, iso, size
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.model import Finding, Request
    from monitor.protocols import Reader
    from monitor.sources import Source


@click.command()
@click.argument("source")
@click.argument("project", required=False)
@click.option("--index", is_flag=True, help="Walk the whole index instead of the feed.")
@click.option("--limit", default=0, metavar="N", help="Stop after N findings.")
@click.option("--json", "json", is_flag=True, help="Print one JSON object per line.")
@click.pass_obj
def ask(app: App, source: str, project: str | None, index: bool, limit: int, json: bool) -> None:
    """Ask SOURCE once and print its answer. Nothing is stored.

    SOURCE is a configured source, or a provider with its defaults. With PROJECT,
    ask for the versions of that project; without, read the feed.
    """
    asked = _source(app, source)
    request, read = _question(asked, project, index)
    shown = as_json if json else str
    told = _finding if json else _in_words

    async def print_answer() -> None:
        from monitor.cli.byhand import network
        from spiders import transport
        from spiders.walk import walk

        count = 0
        async with transport(network(app)) as way:
            async for finding in walk(request, read, way):
                click.echo(shown(told(finding)))
                count += 1
                if limit and count >= limit:
                    return

    asyncio.run(print_answer())


def _source(app: App, name: str) -> Source:
    from monitor.runtime import default_source, source_of

    given = app.settings.sources.get(name)
    if given is not None:
        return source_of(name, given, app.settings)
    import providers

    if name not in providers.names():
        from difflib import get_close_matches

        there = sorted({*app.settings.sources, *providers.names()})
        near = get_close_matches(name, there, 1, 0.4)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            name, "there is no such source or provider", f"{hint}There are: {', '.join(there)}"
        )
    return default_source(name)


def _question(source: Source, project: str | None, index: bool) -> tuple[Request, Reader]:
    from monitor.checking import question

    provider = source.provider
    if project and index:
        raise UsageError("ask", "--index and a project do not go together", "leave one out")
    if project and provider.versions:
        return question(source, project)
    if index and provider.index:
        return provider.index.all(), provider.index.read
    if not project and not index and provider.feed:
        return provider.feed.since(None), provider.feed.read
    can = {"feed": "no argument", "index": "--index", "versions": "a PROJECT"}
    there = [text for kind, text in can.items() if getattr(provider, kind)]
    raise UsageError(
        source.name, "cannot answer that", f"it can be asked with {' or '.join(there) or 'nothing'}"
    )


def _finding(finding: Finding) -> dict[str, Any]:
    from datetime import datetime

    import msgspec

    said = msgspec.to_builtins(finding, builtin_types=(datetime,))
    kind = type(finding).__name__.lower()
    return {"finding": kind} | {k: v for k, v in said.items() if v not in (None, ())}


def _in_words(finding: Finding) -> str:
    from monitor.model import Cursor, Mention, Partial, Release, Unread

    match finding:
        case Release():
            facts = [
                (iso(finding.published) or "")[:16].replace("T", " "),
                str(finding.state or ""),
                "pre-release" if finding.prerelease else "",
                f"{len(finding.files)} files" if finding.files else "",
                finding.tag if finding.tag and finding.tag != finding.version else "",
            ]
            told = ", ".join(fact for fact in facts if fact)
            text = f"{finding.project} {finding.version}" + (f"  ({told})" if told else "")
        case Mention():
            text = f"{finding.project} was mentioned" + (
                f" at revision {finding.revision}" if finding.revision else ""
            )
        case Cursor():
            text = f"cursor {finding.value}"
        case Unread():
            text = f"cannot be read: {finding.reason}: {finding.raw[:200]}"
        case Partial():
            text = f"not everything was told: {finding.reason}"
        case _:
            text = str(finding)
    return clean(text)


@click.command()
@click.argument("url")
@click.option("--to", "folder", type=click.Path(path_type=Path), default=Path("recorded"),
              show_default=True, metavar="DIR", help="Where it is kept.")  # fmt: skip
@click.option("--accept", metavar="TYPE", help="The representation that is asked for.")
@click.option("--tree", is_flag=True, help="Follow folders below it, too.")
@click.pass_obj
def record(app: App, url: str, folder: Path, accept: str | None, tree: bool) -> None:
    """Keep a real answer of URL, in the layout of docs/recorded-answers.md.

    `monitor --record DIR check PKG` keeps all that a command asks, `--replay
    DIR` answers from it.
    """
    from msgspec.structs import replace

    from monitor.cli.byhand import network
    from monitor.model import Request
    from spiders import transport
    from spiders.recorded import place_of, visits

    if tree:
        raise UsageError("--tree", "a tree is recorded by asking for it",
                         "monitor --record DIR ask folder ADDRESS")  # fmt: skip
    if "://" not in url:
        raise UsageError(url, "is no address", "such as https://forge.example/releases.json")
    given = network(app)
    place = folder.absolute()

    async def fetch() -> int:
        async with transport(replace(given, record=str(place), replay=None)) as way:
            reply = await way.fetch(Request(url, accept))
            return reply.size or len(reply.bytes())

    count = asyncio.run(fetch())
    kept = visits(place_of(place, url))
    click.echo(f"{clean(kept[-1] if kept else place_of(place, url))}: {size(count)}")


@click.command()
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), metavar="DIR",
              help="Where, if not in providers/ and tests/providers/ of a checkout.")  # fmt: skip
def new(name: str, folder: Path | None) -> None:
    """Begin a provider: a module and its test, which runs at once.

    NAME is what the provider is called in the settings, such as hackage.
    """
    import keyword
    import re

    import providers
    from monitor.cli.templates import module_text, test_text

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UsageError(name, "cannot be the name of a module", "lower-case letters, digits and _")
    if folder is None and name in providers.names():
        raise UsageError(name, "there is such a provider already", "choose another name")
    if folder is not None:
        module, test, package = folder / f"{name}.py", folder / f"test_{name}.py", name
    else:
        if not Path("providers/__init__.py").is_file():
            raise UsageError(
                str(Path.cwd()),
                "is no checkout of this program",
                "go to one, or say --folder DIR for a package of your own",
            )
        module, test = Path(f"providers/{name}.py"), Path(f"tests/providers/test_{name}.py")
        package = f"providers.{name}"
    for path in (module, test):
        if path.exists():
            raise UsageError(str(path), "is there already", "choose another name")
    for path, text in ((module, module_text(name)), (test, test_text(name, package))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        click.echo(f"wrote {clean(path)}")
    click.echo("next: monitor record ADDRESS keeps a real answer; then mend the module's reader")
    if folder is not None:
        click.echo('then name it in your package: [project.entry-points."monitor.providers"]')
