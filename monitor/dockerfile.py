"""A release → the text of its Dockerfile. Pure: no file, no clock, no network.

What comes from upstream is a value, never text of the recipe. Each value must
match a strict pattern, or the release is refused (`UnfitRelease`): nothing is
escaped and hoped for. Values stand in JSON-form arguments and labels only, and
every rendered recipe is checked to have exactly its template's instructions.
FROM comes from the settings alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from monitor.errors import MonitorError, SettingsError
from monitor.instructions import MARK, complaints, shape
from monitor.model import File

FIRST_LINE = (
    "# Written by release-monitor from a template; docs/queue-format.md says what it promises."
)
LOCAL_BASE = "localhost/release-monitor-base"  # made by `monitor queue work --base auto`

# What a value may look like. Nothing here can end a line, a JSON string or a word, name a
# variable ($), escape (\), comment (#) or open a here-document (<<).
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "purl": re.compile(r"pkg:[a-z][a-z0-9.+-]{0,30}/[A-Za-z0-9._~%/@+:!?=&-]{1,500}"),
    "name": re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@/+-]{0,198}[A-Za-z0-9+])?"),
    "version": re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+!~:^@/-]{0,198}[A-Za-z0-9+~])?"),
    "url": re.compile(
        r"https?://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
        r"/(?:[A-Za-z0-9._~/+@:!*,()&=?-]|%[0-9A-Fa-f]{2}){0,1500}"
    ),
    "digest": re.compile(r"(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})"),
    "filename": re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!~-]{0,250}"),
    "as_of": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?Z"),
}
PYPI_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")
PYPI_VERSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+!-]{0,198}[A-Za-z0-9])?")

_BASE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]*(?::[0-9]{1,5})?(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
    r"(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?"
)


class UnfitRelease(MonitorError):
    """No recipe can be made of this release: `where` is its purl, `what` says why."""


@dataclass(frozen=True, slots=True)
class Template:
    """A template and the helper scripts it may embed as JSON strings.

    `text`     jinja2 source of a Dockerfile; its first line is `FIRST_LINE`
    `scripts`  name → source, reachable in the template as `scripts["name.py"]`
    """

    name: str
    text: str
    scripts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a recipe is made from.

    `purl`      with version, canonical: "pkg:pypi/requests@2.18.4"
    `project`   name for the installer: as the registry normalises it
    `version`   the published spelling
    `artefact`  the one file it pins; see `monitor.artefacts.choose`
    `at`        when the release became eligible; dependencies are resolved as of then
    """

    purl: str
    project: str
    version: str
    artefact: File
    at: datetime


def check_base(base: str, where: str = "builds.toml: base") -> str:
    """The base image as FROM names it. Raises SettingsError unless it cannot move under us.

    "auto" is our own local base image. Other images are pinned by digest, except
    those of this machine ("localhost/…").
    """
    if base == "auto":
        return LOCAL_BASE
    match = _BASE.fullmatch(base)
    if match is None:
        raise SettingsError(where, f"{base!r} is no image reference", 'such as "auto"')
    if not match["digest"] and not base.startswith("localhost/"):
        remedy = "append @sha256:…, as `podman image inspect` or `docker image inspect` show it"
        raise SettingsError(where, f"{base!r} can change from one build to the next", remedy)
    return base


def render(template: Template, recipe: Recipe, *, base: str) -> str:
    """The text of the recipe; the same arguments always give the same text.

    Raises UnfitRelease when a value from upstream does not match its pattern, and
    SettingsError when the template or the base image is at fault.
    """
    base = check_base(base)
    values = _values(recipe)
    text = _fill(template, {**values, "base": base})
    if shape(text) != _shape_of(_Key(template), base, values["pinned"]):
        # Cannot happen with the patterns above; the last line of defence for new templates.
        raise UnfitRelease(recipe.purl, "its values would change the recipe's instructions")
    return text


def recipe_digest(text: str) -> str:
    """ "sha256:<hex>" of a recipe's text: what a job and its result are about."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def lint(template: Template) -> list[str]:
    """What is wrong with a template, in words; empty when it is sound.

    Upstream values may stand in JSON-form RUN, CMD and ENTRYPOINT arguments (not in
    one that is itself a program, after `-c` and the like) and in LABEL and ARG
    values; nowhere else, and above all not in FROM, comments and shell lines.
    """
    first = template.text.partition("\n")[0]
    found = [] if first == FIRST_LINE else [f"line 1 must be {FIRST_LINE!r}"]
    for pinned in (True, False):
        try:
            marked = _fill(template, {**_samples(pinned), "base": LOCAL_BASE})
        except SettingsError as error:
            return [*found, error.what]
        found += [complaint for complaint in complaints(marked) if complaint not in found]
    return found


# ── values ────────────────────────────────────────────────────────────────────────────


def _values(recipe: Recipe) -> dict[str, Any]:
    file, pypi = recipe.artefact, recipe.purl.startswith("pkg:pypi/")
    at = recipe.at.astimezone(UTC).replace(tzinfo=None)
    values: dict[str, Any] = {
        "purl": _fit(recipe, "purl", recipe.purl),
        "name": _fit(recipe, "name", recipe.project, PYPI_NAME if pypi else None),
        "version": _fit(recipe, "version", recipe.version, PYPI_VERSION if pypi else None),
        "url": _fit(recipe, "url", file.url.partition("#")[0]),
        "filename": _fit(recipe, "filename", file_name(file)),
        "as_of": _fit(recipe, "as_of", at.isoformat() + "Z"),
        "digest": _fit(recipe, "digest", file.digest) if file.digest else None,
    }
    values["pinned"] = values["digest"] is not None
    values["requirement"] = f"{values['name']} @ {values['url']}"
    if values["pinned"]:
        # pip checks a direct address against the digest in its fragment.
        values["requirement"] += "#" + values["digest"].replace(":", "=")
    return values


def _fit(recipe: Recipe, what: str, value: str, pattern: re.Pattern[str] | None = None) -> str:
    if (pattern or PATTERNS[what]).fullmatch(value):
        return value
    remedy = "write a recipe for it by hand, if you trust it"
    raise UnfitRelease(recipe.purl, f"its {what} {value[:120]!r} cannot stand in a recipe", remedy)


def file_name(file: File) -> str:
    """The file's own name: as given, or the last part of its address."""
    from urllib.parse import unquote, urlsplit

    return file.name or unquote(urlsplit(file.url).path.rpartition("/")[2])


# ── rendering ─────────────────────────────────────────────────────────────────────────


def _fill(template: Template, values: Mapping[str, Any]) -> str:
    """One pass of jinja2: sandboxed, undefined names are errors, values are never templates."""
    import jinja2

    try:
        text = _compiled(template.text).render(**values, scripts=template.scripts)
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"template {template.name}" + (f", line {line}" if line else "")
        raise SettingsError(where, str(error), "mend the template") from error
    return str(text).rstrip("\n") + "\n"


@lru_cache(maxsize=64)
def _compiled(source: str) -> Any:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    # ASCII, one line, quotes and backslashes escaped; str() of an undefined name raises.
    environment.filters = {"json": lambda value: json.dumps(str(value))}
    environment.globals = {}
    return environment.from_string(source)


class _Key:
    """A template as a cache key: by what it says."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.key = (template.text, tuple(sorted(template.scripts.items())))

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.key == other.key


@lru_cache(maxsize=64)
def _shape_of(key: _Key, base: str, pinned: bool) -> tuple[tuple[str, str], ...]:
    return shape(_fill(key.template, {**_samples(pinned), "base": base}))


def _samples(pinned: bool) -> dict[str, Any]:
    """Values that stand out, to see where a template puts what comes from upstream."""
    marks: dict[str, Any] = {
        name: f"{MARK}{name}"
        for name in ("purl", "name", "version", "url", "filename", "as_of", "requirement")
    }
    return {**marks, "digest": f"{MARK}digest" if pinned else None, "pinned": pinned}
