"""Written from the structs: `docs/settings.md`, `config/monitor.toml`, `monitor config show`.

The sentence behind each field of a struct is its documentation, in the file,
on the page and nowhere else.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields

from monitor.rules import Epoch, Rules
from monitor.settings.reading import SECTIONS, hints_of
from monitor.settings.shape import (
    Build,
    Builds,
    Credential,
    HostSettings,
    Package,
    Settings,
    Source,
)
from monitor.settings.units import duration_text, size_text
from monitor.settings.words import expected, unit_of

EXAMPLES = {
    "network.contact": '"https://example.org/about-our-crawler"',
    "network.gateway": '"http://127.0.0.1:8080"',
    "network.record": '"recorded"',
    "network.replay": '"recorded"',
    "network.credentials_folder": '"credentials"',
    "network.ca_file": '"own-authority.pem"',
    "feed.base_url": '"https://releases.example.org/"',
}
"""What is not set unless somebody sets it, as it might be set."""

TABLES = {
    "network.hosts": '[network.hosts."forge.example"]\npace = 0.5\nconcurrency = 1\n',
    "network.credentials": '[network.credentials.forge]\norigin = "https://api.forge.example"\n',
}

_HEAD = """\
# Settings of the release monitor.
#
# A line that begins with "#" right before a name shows a setting with its default; take the "#"
# away to change it. "# " stands before explanations, and before what is not set by default.
#
# Durations are written "90s", "10m", "12h" or "3d", sizes "512 KiB" or "64 MiB". Relative folders
# are looked up from this folder; those of the feed, the queue and the socket from the state folder.
# An environment variable goes before this file: MONITOR_NETWORK__PACE=1 sets [network] pace.
# `monitor config check` tells what is wrong, `monitor config show` what holds and where it was set.
"""

_PAGE = """\
# Settings

Written from `monitor/settings/shape.py` by `python -m monitor.settings docs`; a test compares.

The configuration is a folder:

| file | holds |
|---|---|
| `monitor.toml` | everything about the program: state, network, feed, queue, schedule, log |
| `sources/NAME.toml` | one upstream each; adding one is adding a file |
| `packages.toml` | what you ship, and where it comes from |
| `builds.toml` | which projects and releases become recipes |

The first of these is taken: `--config DIR`, `$MONITOR_CONFIG`, `$CONFIGURATION_DIRECTORY` (systemd
sets it), `$XDG_CONFIG_HOME/release-monitor` (`~/.config/release-monitor`), `/etc/release-monitor`,
and last the folder that came with the program. Every file may be missing.

Durations are written `"90s"`, `"10m"`, `"12h"`, `"1h 30m"` or `"3d"` (a plain number is seconds),
sizes `"512 KiB"`, `"64 MiB"` or `"2 GB"` (a plain number is bytes). An environment variable goes
before `monitor.toml`: `MONITOR_NETWORK__PACE=1` sets `pace` of `[network]`; a list may be written
`a,b`. `monitor config check` tells everything that is wrong, with file, line and key;
`monitor config show` tells what holds and where it was set.
"""

_SECRET = re.compile(r"token|password|secret|credential|auth", re.IGNORECASE)


def settings_page() -> str:
    """The text of `docs/settings.md`."""
    parts = [_PAGE]
    known = hints_of(Settings)
    parts.append("## `monitor.toml`\n")
    for name in SECTIONS:
        parts.append(_described(f"`[{name}]`", known[name], level=3))
        if name == "network":
            parts.append(_described('`[network.hosts."HOST"]`', HostSettings, level=4))
            parts.append(_described("`[network.credentials.NAME]`", Credential, level=4))
    parts.append(_described("`sources/NAME.toml`", Source, level=2))
    parts.append(_described("`packages.toml`, `[[package]]`", Package, level=2))
    parts.append(_described("`builds.toml`", Builds, level=2))
    parts.append(_described("`builds.toml`, `[[build]]`", Build, level=3))
    parts.append(
        _described("`[rules]` of a source, `[package.rules]` of a package", Rules, level=2)
    )
    parts.append(_described("`[[rules.epochs]]`", Epoch, level=3))
    return "\n".join(parts)


def shipped_text() -> str:
    """The text of `config/monitor.toml`: every setting with its default and the reason for it."""
    parts = [_HEAD]
    known = hints_of(Settings)
    for name in SECTIONS:
        kind = known[name]
        lines = [f"\n# {_summary(kind)}\n[{name}]"]
        later = []
        for field in fields(kind):
            key = f"{name}.{field.name}"
            said = textwrap.fill(
                sentences(kind)[field.name], 98, initial_indent="# ", subsequent_indent="# "
            )
            if key in TABLES:
                later.append(said + "\n" + textwrap.indent(TABLES[key], "# ").rstrip())
            elif key in EXAMPLES:
                lines.append(f"{said}\n# {field.name} = {EXAMPLES[key]}")
            else:
                value = written(hints_of(kind)[field.name], _default(field))
                lines.append(f"{said}\n#{field.name} = {value}")
        parts.append("\n\n".join(lines + later))
    return "\n".join(parts) + "\n"


def effective(settings: Settings) -> str:
    """All that holds, as TOML, each line with where it was set. Secrets are not shown."""
    tables: list[tuple[tuple[str, ...], Struct]]
    tables = [((name,), getattr(settings, name)) for name in SECTIONS]
    tables += [(("sources", name), source) for name, source in settings.sources.items()]
    tables += [(("builds",), settings.builds)]
    lines = [f"# {settings.folder}", f"# {len(settings.packages)} packages"]
    for path, table in tables:
        lines += ["", *_rows(path, table, settings.origins)]
    return "\n".join(lines) + "\n"


def packages_text(packages: Iterable[Package]) -> str:
    """Those packages as `packages.toml`, what is not said left out; `parse` reads them back."""
    return "\n".join("\n".join(_said("package", package, "[[{}]]")) + "\n" for package in packages)


def _said(path: str, table: Struct, header: str = "[{}]") -> Iterator[str]:
    yield header.format(path)
    below: list[str] = []
    for field in fields(table):
        value = getattr(table, field.name)
        at = f"{path}.{field.name}"
        if value == _default(field) and not field.required:
            continue
        if isinstance(value, Struct):
            below += _said(at, value)
        elif isinstance(value, tuple) and any(isinstance(item, Struct) for item in value):
            below += [line for item in value for line in _said(at, item, "[[{}]]")]
        else:
            yield f"{field.name} = {written(hints_of(type(table))[field.name], value)}"
    yield from below


def _rows(path: tuple[str, ...], table: Struct, origins: dict[str, str]) -> Iterator[str]:
    yield f"[{'.'.join(map(_key, path))}]"
    tables = []
    for field in fields(table):
        value = getattr(table, field.name)
        at = (*path, field.name)
        if value is None:
            continue
        if isinstance(value, Struct):
            if value != _default(field):
                tables.append((at, value))
        elif isinstance(value, dict) and any(isinstance(v, Struct) for v in value.values()):
            tables += [((*at, name), below) for name, below in value.items()]
        elif isinstance(value, tuple) and any(isinstance(v, Struct) for v in value):
            tables += [((*at, str(number)), below) for number, below in enumerate(value)]
        else:
            key = ".".join(at)
            text = written(hints_of(type(table))[field.name], _hidden(key, value))
            yield f"{field.name} = {text}".ljust(48) + f"  # {origins.get(key, 'default')}"
    for at, below in tables:
        yield ""
        yield from _rows(at, below, origins)


def _hidden(key: str, value: Any) -> Any:
    """A value without what only its owner may see."""
    if key == "notify.urls":  # such addresses hold passwords and tokens
        return tuple(v.partition("://")[0] + "://…" if "://" in v else v for v in value)
    if isinstance(value, dict):
        return {k: "…" if _SECRET.search(k) and isinstance(v, str) else v for k, v in value.items()}
    return value


def written(hint: Any, value: Any) -> str:
    """A value as it is written in TOML, in the unit that people use."""
    unit = unit_of(hint)
    if unit == "duration" and isinstance(value, int | float):
        return json.dumps(duration_text(value))
    if unit == "size" and isinstance(value, int | float):
        return json.dumps(size_text(int(value)))
    if isinstance(value, dict):
        inner = get_args(hint)[1] if get_origin(hint) is dict else Any
        pairs = (f"{_key(k)} = {written(inner, v)}" for k, v in value.items())
        return "{ " + ", ".join(pairs) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(Any, v) for v in value) + "]"
    # TOML's strings are JSON's, except for DEL.
    return json.dumps(value, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


@cache
def sentences(kind: type[Struct]) -> dict[str, str]:
    """The text behind each field of a struct, on one line."""
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, text in zip(definition.body, definition.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                found[name] = " ".join(said.split())
    return found


def _described(title: str, kind: type[Struct], *, level: int) -> str:
    lines = [f"{'#' * level} {title}", "", _summary(kind), ""]
    lines += ["| setting | takes | default | |", "|---|---|---|---|"]
    hints, said = hints_of(kind), sentences(kind)
    for field in fields(kind):
        takes = expected(hints[field.name])
        default = _default(field)
        if field.required:
            shown = "required"
        elif default is None or isinstance(default, Struct):
            shown = ""
        else:
            shown = f"`{written(hints[field.name], default)}`"
        cells = (f"`{field.name}`", takes, shown, said[field.name])
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _summary(kind: type[Struct]) -> str:
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())


def _default(field: Any) -> Any:
    if field.default is not NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not NODEFAULT else None
