"""What is known about upstreams: one module each, named as in the configuration.

A provider is a module with a docstring and one function:

    def provider(*, url: str = "https://…") -> Provider

Its keyword arguments are the settings of a source, so that a mirror, a second
server or the one of a test needs no further code; the docstring says under
"Settings" what they mean. To add one is to add a module here, or elsewhere an
entry point of the group `monitor.providers`; nothing else lists them.

What readers owe, beyond `monitor.protocols`:

- Bytes in, findings out; no network, no clock. The wrong shape raises, and the
  walk names the address. A well-formed empty answer is empty. One bad entry
  among many is an `Unread`.
- Names and versions are told as published. `Release.files` comes with address,
  digest and size as far as the upstream tells them.
- A version may be told more than once in a walk (by a release and by its tag):
  what one says and another does not is put together, by version.
- A feed yields a `Cursor` only where the upstream itself has one (a serial, a
  sequence). The window of any other feed is remembered by what stands in it:
  when the next one has nothing in common with it, something was missed. One of
  digits alone never falls. Where serials are seen out of order, `since` asks for
  some of what was told already: that is no news.
- A feed may mention a project (`Mention`) of which it does not say what changed:
  it is asked, where anybody follows it.
- A feed says `Partial` where its answer does not reach back to the cursor, or
  was cut off; the index is walked, or the projects are asked.

- `traits` (`monitor.protocols.Traits`) is for what one release says of itself, where the upstream
  tells it: its reader yields `Trait`s, and nothing of what was not said.

An index whose answer is large can be read in bulk as well. Its mechanism then
has, beside `read`, the method

    def bulk(self, reply: Reply) -> Iterator[list[Row] | Cursor]

which says the same in lists of some thousand tuples, ready for `executemany`,
without a value of ours for each:

    Row = (project, version, published, revision, page)

`version` is None for a mention; `published` is in whole seconds since 1970 or
None; `page` is the address of the source archive, where the index is one of
files. Names and versions are checked as they are for `read`. An answer that is
not whole, or of which more than one entry in a hundred cannot be read, raises.
Single dead letters are told by `read` alone, and so are files: a bulk index has
no room for them, the versions of one project do (`monitor.model.File`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from monitor.protocols import Provider

Row = tuple[str, str | None, int | None, str | None, str | None]

GROUP = "monitor.providers"
_REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Setting:
    """One keyword argument of a provider."""

    name: str
    required: bool
    default: Any = None  # None also where there is none
    doc: str = ""


@cache
def names() -> tuple[str, ...]:
    """All providers, ours and those that other packages bring, in alphabetical order."""
    return tuple(sorted({*_ours(), *_theirs()}))


def load(name: str, **settings: Any) -> Provider:
    """The provider of that name with these settings.

    Raises UsageError for a name nobody has, SettingsError for a setting that
    the provider does not take, lacks, or finds wrong.
    """
    make = _maker(name)
    known = {setting.name: setting for setting in settings_of(name)}
    for key in settings:
        if key not in known:
            raise SettingsError(
                f"{name}: {key}",
                "the provider has no such setting",
                _nearest(key, known) or f"it takes: {', '.join(known) or 'nothing'}",
            )
    for setting in known.values():
        if setting.required and setting.name not in settings:
            raise SettingsError(
                f"{name}: {setting.name}", "is missing", setting.doc or "the provider needs it"
            )
    try:
        return make(**settings)
    except SettingsError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise SettingsError(f"{name}: {', '.join(settings)}", str(error)) from error


def settings_of(name: str) -> tuple[Setting, ...]:
    """What the provider takes, with defaults and one sentence each."""
    import inspect  # beyond what `find` and `names` need

    make = _maker(name)
    told = _told(inspect.getdoc(inspect.getmodule(make)) or "")
    return tuple(
        Setting(
            key,
            required=parameter.default is parameter.empty,
            default=None if parameter.default is parameter.empty else parameter.default,
            doc=told.get(key, ""),
        )
        for key, parameter in inspect.signature(make).parameters.items()
    )


def find(url: str) -> list[tuple[str, str]]:
    """Which (provider, project) an address belongs to; empty where nobody knows it.

    A registry or forge comes before what is known of any server of its kind.

    Does not import the providers: an address is known by the constant `URLS` of their source.
    """
    import re2

    found = []
    for name, module in sorted(_facts().items(), key=lambda item: item[1].purl == "generic"):
        for pattern in module.urls:
            if match := re2.fullmatch(pattern, url):
                project = (name, match.group("project"))
                if project not in found:
                    found.append(project)
    return found


def for_purl(purl_type: str) -> tuple[str, ...]:
    """The providers whose projects have this purl type, e.g. "pypi"."""
    return tuple(name for name, module in _facts().items() if module.purl == purl_type)


@dataclass(frozen=True, slots=True)
class _Facts:
    purl: str
    urls: tuple[str, ...]


@cache
def _facts() -> Mapping[str, _Facts]:
    """Purl type and addresses of each provider.

    Ours are read from the source, without running it: a look-up must not cost
    the import of every library that some provider needs.
    """
    facts = {name: _from_source(path) for name, path in _ours().items()}
    for name in _theirs():
        provider = load(name)
        facts[name] = _Facts(provider.purl, provider.urls)
    return facts


def _from_source(path: Path) -> _Facts:
    """The module-level constants `PURL` and `URLS`; `{home}` in these is `home_of(HOME)`."""
    import ast

    constants: dict[str, Any] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                constants[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    urls = constants.get("URLS", ())
    if any("{home}" in pattern for pattern in urls):
        import re2

        from monitor.homes import home_of

        home = re2.escape(home_of(constants["HOME"]))
        urls = [pattern.replace("{home}", home) for pattern in urls]
    return _Facts(constants.get("PURL", "generic"), tuple(urls))


@cache
def _ours() -> Mapping[str, Path]:
    folder = Path(__file__).parent
    return {path.stem: path for path in sorted(folder.glob("*.py")) if path.stem[0] != "_"}


@cache
def _theirs() -> Mapping[str, Any]:
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group=GROUP) if point.name not in _ours()}


def _maker(name: str) -> Callable[..., Provider]:
    from importlib import import_module

    if name in _ours():
        module = import_module(f"{__name__}.{name}")
    elif name in _theirs():
        module = import_module(_theirs()[name].module)
    else:
        raise UsageError(
            name,
            "there is no such provider",
            _nearest(name, names()) or f"there are: {', '.join(names())}",
        )
    make: Callable[..., Provider] = module.provider
    return make


def _nearest(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str | None:
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1, cutoff=0.4)
    if not close:
        return None
    return f"did you mean {close[0]}? There are: {', '.join(known)}"


def _told(doc: str) -> dict[str, str]:
    """The lines under "Settings" in a docstring: "name  what it means", more lines indented."""
    told: dict[str, str] = {}
    last = None
    _, _, lines = doc.partition("\nSettings\n")
    for line in lines.splitlines():
        if not line.strip():
            break
        word, _, rest = line.strip().partition("  ")
        if len(line) - len(line.lstrip()) <= 4 and rest:
            last, told[word] = word, rest.strip()
        elif last:
            told[last] += " " + line.strip()
    return told
