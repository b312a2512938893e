"""TOML text → the structs of `shape`. Pure: texts and variables in, settings or problems out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from monitor.errors import SettingsError
from monitor.rules import terms
from monitor.settings.lines import Path, lines_of, nearest
from monitor.settings.shape import Builds, Package, Settings, Source
from monitor.settings.units import duration, size
from monitor.settings.words import closest, expected, shown, unit_of

SECTIONS = (
    "state",
    "network",
    "feed",
    "queue",
    "schedule",
    "gate",
    "log",
    "notify",
    "daemon",
)
PREFIX = "MONITOR_"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+):([0-9]{1,5}|\*)", re.IGNORECASE)
_SECRET = re.compile(r"://[^/?#\s]*@")
_UNITS = {"duration": duration, "size": size}

S = TypeVar("S", bound=Struct)


class _Said(str):
    """The text of an environment variable: read as whatever the setting takes."""

    __slots__ = ()


class Packages(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`packages.toml` as a whole."""

    package: tuple[Package, ...] = ()
    """What you ship, one table each."""


class Reader:
    """Reads one text. What is wrong is collected in `problems`, so that all of it is seen at once.

    `file`       the name of the text in messages
    `origins`    where each value was set, by its path
    `variables`  paths that an environment variable has set, with its name
    """

    def __init__(self, file: str, text: str, variables: Mapping[Path, str] | None = None) -> None:
        self.file = file
        self.text = text
        self.variables = variables or {}
        self.problems: list[SettingsError] = []
        self.paths: list[Path] = []

    def table(self) -> dict[str, Any]:
        """The text as plain values; a problem where it is not TOML."""
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            message = str(error)
            at = re.search(r"\(at line (\d+), column (\d+)\)", message)
            line = at[1] if at else len(self.text.splitlines())  # "at end of document"
            what = f"not TOML: {message.partition(' (at ')[0]}"
            remedy = None
            if message.startswith("Invalid value"):
                remedy = 'text stands in quotes, such as "mailto:you@your.example" or "3d"'
            self.problems.append(SettingsError(f"{self.file}:{line}", what, remedy))
            return {}

    def struct(self, kind: type[S], value: Any, path: Path = ()) -> S | None:
        """That table as a struct, or None where something in it is wrong."""
        if not isinstance(value, dict):
            self.problem(path, f"must be a table, not {shown(value)}")
            return None
        known = hints_of(kind)
        before = len(self.problems)
        for key in value:
            if key not in known:
                self.problem((*path, key), "unknown setting", _meant(kind, key, list(known)))
        taken = {
            key: self.value(hint, value[key], (*path, key))
            for key, hint in known.items()
            if key in value
        }
        for name in required_of(kind):
            if name not in value:
                remedy = _EXAMPLES.get((kind, name), f"it takes {expected(known[name])}")
                self.problem(path, f"{name!r} is missing", remedy)
        if len(self.problems) > before:
            return None
        try:
            return kind(**taken)
        except SettingsError as error:  # what a struct finds wrong with itself
            key = [name for name in error.where.partition("[")[0].split(".") if name in known]
            self.problem((*path, *key), error.what, error.remedy)
            return None

    def value(self, hint: Any, value: Any, path: Path) -> Any:
        """That value as what the setting takes."""
        origin, args = get_origin(hint), get_args(hint)
        if _is_struct(hint):
            return self.struct(hint, value, path)
        if origin is dict and _is_struct(args[1]) and isinstance(value, dict):
            return {key: self.struct(args[1], item, (*path, key)) for key, item in value.items()}
        if origin is tuple and _is_struct(args[0]) and isinstance(value, list):
            return tuple(self.struct(args[0], item, (*path, n)) for n, item in enumerate(value))
        self.paths.append(path)
        reasons = []
        for candidate in _candidates(value):
            try:
                return _convert(candidate, hint)
            except ValueError as error:  # msgspec.ValidationError is one
                reasons.append(error)
        self.problem(path, *_mismatch(hint, value, reasons[0]))
        return None

    def problem(self, path: Path, what: str, remedy: str | None = None) -> None:
        """Keep what is wrong with that key."""
        key = ".".join(f"[{p}]" if isinstance(p, int) else p for p in path).replace(".[", "[")
        where = f"{self.origin(path)}: {key}" if key else self.file
        self.problems.append(SettingsError(where, what, remedy))

    def origin(self, path: Path) -> str:
        """ "file:line" of that key, or the variable that set it."""
        if variable := self.variables.get(path):
            return variable
        line = nearest(self._lines, path)
        return f"{self.file}:{line}" if line else self.file

    @cached_property
    def _lines(self) -> dict[Path, int]:
        return lines_of(self.text)

    def origins(self) -> dict[str, str]:
        """Where each value that was read stands: "network.pace" → "monitor.toml:12"."""
        return {".".join(map(str, path)): self.origin(path) for path in self.paths}


def parse(
    texts: Mapping[str, str], environ: Mapping[str, str], folder: str = ""
) -> tuple[Settings, list[SettingsError]]:
    """The settings in those texts, and all that is wrong with them.

    `texts`    "monitor.toml", "packages.toml", "builds.toml", "sources/NAME.toml" → text;
               what is missing has its defaults
    `environ`  `MONITOR_NETWORK__GATEWAY=…` goes before `[network] gateway`
    `folder`   where the texts came from, for the messages
    """
    problems: list[SettingsError] = []
    base = f"{folder}/" if folder else ""
    found, origins = _sections(base, texts.get("monitor.toml", ""), environ, problems)
    packages = _whole(Packages, f"{base}packages.toml", texts.get("packages.toml", ""), problems)
    builds = _whole(Builds, f"{base}builds.toml", texts.get("builds.toml", ""), problems)
    sources: dict[str, Source] = {}
    for file, text in sorted(texts.items()):
        if file.startswith("sources/"):
            source, at = _source(base + file, text, problems)
            if source and source.name in sources:
                what = f"another source is called {source.name!r}"
                problems.append(SettingsError(f"{base}{file}: name", what, "choose another"))
            elif source:
                sources[source.name] = source
                origins |= {f"sources.{source.name}.{key}": where for key, where in at.items()}
    settings = Settings(
        **found,
        sources=sources,
        packages=packages.package if packages else (),
        builds=builds or Builds(),
        origins=origins,
    )
    return settings, problems


def _sections(
    base: str, text: str, environ: Mapping[str, str], problems: list[SettingsError]
) -> tuple[dict[str, Any], dict[str, str]]:
    said = {
        tuple(name.removeprefix(PREFIX).lower().split("__")): (name, value)
        for name, value in environ.items()
        if name.startswith(PREFIX) and "__" in name
    }
    reader = Reader(f"{base}monitor.toml", text, {path: name for path, (name, _) in said.items()})
    table = reader.table()
    for path, (name, value) in sorted(said.items()):
        _overlay(table, path, _Said(value), name, reader)
    known = hints_of(Settings)
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key not in SECTIONS:
            at = next((p for p in reader.variables if p[0] == key), (key,))
            if isinstance(value, dict):
                reader.problem(at, "unknown table", closest(key, list(SECTIONS)))
            else:
                reader.problem(at, "stands in no table", _table_of(key))
        elif section := reader.struct(known[key], value, (key,)):
            found[key] = section
    _check_sections(Settings(**found), reader)
    problems += reader.problems
    return found, reader.origins()


def _overlay(
    table: dict[str, Any], path: tuple[str, ...], value: _Said, name: str, reader: Reader
) -> None:
    for key in path[:-1]:
        below = table.setdefault(key, {})
        if not isinstance(below, dict):
            reader.problems.append(SettingsError(name, f"{key!r} is no table"))
            return
        table = below
    table[path[-1]] = value


def _whole(kind: type[S], file: str, text: str, problems: list[SettingsError]) -> S | None:
    reader = Reader(file, text)
    found = reader.struct(kind, reader.table())
    if isinstance(found, Packages):
        _check_packages(found, reader)
    if isinstance(found, Builds):
        for number, build in enumerate(found.build):
            if not build.match.startswith(("pkg:", "*")):
                what = f"{shown(build.match)} can match no project"
                remedy = 'write a purl such as "pkg:pypi/*"'
                reader.problem(("build", number, "match"), what, remedy)
    problems += reader.problems
    return found


def _source(
    file: str, text: str, problems: list[SettingsError]
) -> tuple[Source | None, dict[str, str]]:
    reader = Reader(file, text)
    source = reader.struct(Source, reader.table())
    if source and not source.name:
        stem = file.rpartition("/")[2].removesuffix(".toml")
        source = msgspec.structs.replace(source, name=stem)
    if source and not _NAME.fullmatch(source.name):
        what = f"{shown(source.name)} cannot name a source"
        reader.problem(("name",), what, "use small letters, digits, '-', '_' and '.'")
    if source:
        url = source.settings.get("url")
        if isinstance(url, str) and "://" not in url and not url.startswith("{"):
            remedy = f'write the whole of it, such as "https://{url.lstrip("/")}"'
            reader.problem(("settings", "url"), f"{shown(url)} is no address", remedy)
        for key, value in source.settings.items():
            if isinstance(value, str) and _SECRET.search(value):
                reader.problem(("settings", key), *_TOKEN)
    problems += reader.problems
    return (None if reader.problems else source), reader.origins()


_TOKEN = (
    "an address may not hold a user name or token",
    "put the token into a file and name it in a table of network.credentials, with its origin",
)


def _check_sections(settings: Settings, reader: Reader) -> None:
    """What no type can say."""
    network, schedule = settings.network, settings.schedule
    for path, address in (
        (("network", "gateway"), network.gateway),
        (("feed", "base_url"), settings.feed.base_url),
    ):
        if address is None:
            continue
        if _SECRET.search(address):
            reader.problem(path, *_TOKEN)
        elif not _is_http(address):
            reader.problem(path, f"{shown(address)} is not an http or https address")
    if network.contact and not re.search(r"[^@\s]@[^@\s]|://[^/\s]", network.contact):
        what = f"{shown(network.contact)} is no address at which you can be reached"
        remedy = 'write "mailto:you@your.example", or the address of a page'
        reader.problem(("network", "contact"), what, remedy)
    if network.record and network.replay:
        what = "answers cannot be recorded while they are replayed"
        reader.problem(("network", "record"), what, "leave out one of network.record and .replay")
    for key in ("allow_private", "allow_ports"):
        for entry in getattr(network, key):
            if not _HOST.fullmatch(entry):
                what = f"{shown(entry)} names no host and port"
                reader.problem(("network", key), what, 'write it as "mirror.example:8080"')
    for name, credential in network.credentials.items():
        at = ("network", "credentials", name)
        if credential.origin is None or not _is_http(credential.origin):
            what = "this credential is bound to no server, so it could be sent to any"
            reader.problem(at, what, 'add origin = "https://…", the only place it may go to')
        elif _SECRET.search(credential.origin):
            reader.problem(at, *_TOKEN)
    if schedule.min_interval > schedule.max_interval:
        what = "is longer than schedule.max_interval"
        reader.problem(("schedule", "min_interval"), what)


def _check_packages(packages: Packages, reader: Reader) -> None:
    seen: dict[str, int] = {}
    for number, package in enumerate(packages.package):
        upstream = "upstream"
        if not package.upstreams:
            reader.problem(("package", number, upstream), "names no upstream")
            continue
        for address in package.upstreams:
            if "/" not in address.strip("/") or any(c.isspace() for c in address):
                what = f"{shown(address)} names no project"
                remedy = 'write a purl ("pkg:pypi/requests") or a source and a project'
                reader.problem(("package", number, upstream), what, remedy)
        try:
            terms(package.pin or "0")
        except SettingsError as error:
            reader.problem(("package", number, "pin"), error.what, error.remedy)
        name = package.called
        if name in seen:
            what = f"{name!r} is already the name of package number {seen[name] + 1}"
            reader.problem(("package", number), what, "give one of them another `name`")
        seen.setdefault(name, number)


def _is_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


_EXAMPLES = {
    (Source, "provider"): 'such as provider = "pypi"; `monitor providers` lists them',
    (Package, "upstream"): 'such as upstream = "pkg:pypi/requests", or "github/owner/name"',
}


def _meant(kind: type[Struct], key: str, known: list[str]) -> str:
    """What an unknown key should have been. In a source, it may be its provider's."""
    hint = closest(key, known)
    if kind is not Source:
        return hint
    own = f"what the provider itself takes (`monitor providers`) stands under [settings]: {key} = …"
    return f"{hint} Or: {own}" if hint.startswith("did you") else own


def _table_of(key: str) -> str:
    """Where a setting belongs that stands above all tables."""
    homes = [name for name in SECTIONS if key in hints_of(hints_of(Settings)[name])]
    if homes:
        return f"write it below {' or '.join(f'[{name}]' for name in homes)}"
    return f"known tables: {', '.join(sorted(SECTIONS))}"


@cache
def required_of(kind: type[Struct]) -> tuple[str, ...]:
    """The settings of a struct that must be given."""
    return tuple(field.name for field in fields(kind) if field.required)


@cache
def hints_of(kind: type[Struct]) -> dict[str, Any]:
    """What each field of a struct takes, with its limits and units."""
    return get_type_hints(kind, include_extras=True)


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Struct)


def _candidates(value: Any) -> list[Any]:
    """A value, or whatever the text of a variable may mean, the likeliest first."""
    if not isinstance(value, _Said):
        return [value]
    found: list[Any] = [str(value)]
    try:
        found.append(tomllib.loads(f"value = {value}")["value"])
    except tomllib.TOMLDecodeError:
        found.append([part.strip() for part in value.split(",") if part.strip()])
    return found


def _convert(value: Any, hint: Any) -> Any:
    unit = unit_of(hint)
    if unit and isinstance(value, str):
        value = _UNITS[unit](value)
    return msgspec.convert(value, hint)


def _mismatch(hint: Any, value: Any, reason: Exception) -> tuple[str, str | None]:
    """What is wrong with a value, and how to put it right."""
    if unit_of(hint) and isinstance(value, str) and not isinstance(reason, msgspec.ValidationError):
        return str(reason), None
    allowed = expected(hint)
    what = f"must be {allowed}, not {shown(value)}"
    options = [a for a in get_args(hint) if isinstance(a, str)]
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and allowed.startswith("text")
    ):
        return what, f'put it in quotes: "{value}"'
    return what, closest(value, options) if options and isinstance(value, str) else None
