"""The folders of the build queue; `docs/queue-format.md` is what they promise.

    all/NAME       recipes, one a release; never overwritten
    build/NAME     marks: copies of recipes that shall be built, with their times
    revoked/NAME   recipes whose release was taken back

The store knows what should be here; these functions make it so. Each leaves the
folders whole when it is killed half-way, and doing it again completes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path

from monitor.dockerfile import Template, lint, recipe_digest
from monitor.errors import SettingsError, StoreError, UsageError
from monitor.outputs import files
from monitor.recipe_names import is_recipe_name


class Place(StrEnum):
    """Where a recipe belongs: written, marked for building, or taken back."""

    ALL = "all"
    BUILD = "build"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Expected:
    """A recipe as the store has it. `text` is asked for only when it must be written."""

    name: str
    place: Place
    at: datetime  # when its content was written
    digest: str
    text: Callable[[], str]
    adopt: bool = True  # may a mark that the store does not have be somebody's wish?


@dataclass(slots=True)
class Reconciled:
    """What `reconcile` did and found; names, sorted.

    `written` `marked` `unmarked` `revoked` `restored`   put right
    `edited`     differ from the store and are newer: changed by hand, left alone
    `by_hand`    marked by copying a recipe that the store has as unmarked, left alone
    `strangers`  files the store knows nothing of, left alone
    """

    written: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    by_hand: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


def prepare(folder: Path) -> None:
    """Make the folders where they are missing. Raises StoreError."""
    for place in Place:
        try:
            (folder / place).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = error.strerror or str(error)
            remedy = files.remedy_for(error) or "choose another folder: [queue] dir"
            raise StoreError(str(folder / place), what, remedy) from error


def write_recipe(folder: Path, name: str, text: str, at: datetime) -> bool:
    """Write all/NAME; False where it is there already, whatever it says. Raises StoreError."""
    return files.write_whole(_path(folder, Place.ALL, name), text.encode(), mtime=at, replace=False)


def regenerate(folder: Path, name: str, text: str, at: datetime) -> None:
    """Write all/NAME anew, and its mark where there is one. Only when somebody asked for it."""
    files.write_whole(_path(folder, Place.ALL, name), text.encode(), mtime=at)
    if files.read_plain(_path(folder, Place.BUILD, name)) is not None:
        mark(folder, name)


def mark(folder: Path, name: str) -> bool:
    """Copy all/NAME to build/NAME with its time; False where that is so already.

    Raises StoreError, also when there is no such recipe.
    """
    source = _path(folder, Place.ALL, name)
    found = files.read_plain(source)
    if found is None:
        raise StoreError(str(source), "no such recipe", "`monitor queue reconcile` writes it anew")
    target = _path(folder, Place.BUILD, name)
    if files.read_plain(target) == found:
        return False
    return files.write_whole(target, found[0], mtime=found[1])


def unmark(folder: Path, name: str) -> bool:
    """Remove build/NAME; False where there is none."""
    return files.remove(_path(folder, Place.BUILD, name))


def revoke(folder: Path, name: str) -> bool:
    """Move all/NAME to revoked/NAME and take its mark away; False where nothing was left to do."""
    unmarked = unmark(folder, name)  # first: a recipe that is revoked must not be built
    source, target = _path(folder, Place.ALL, name), _path(folder, Place.REVOKED, name)
    return files.move(source, target) or unmarked


def restore(folder: Path, name: str) -> bool:
    """Move revoked/NAME back to all/NAME, unmarked; False where there was nothing to do.

    A recipe that was written anew meanwhile stays, and the revoked one goes.
    """
    source, target = _path(folder, Place.REVOKED, name), _path(folder, Place.ALL, name)
    if files.read_plain(target) is not None:
        return files.remove(source)
    return files.move(source, target)


def reconcile(
    folder: Path, expected: Iterable[Expected], *, adopt_marks: bool = False
) -> Reconciled:
    """Make the folders what the store says, after a crash or a restore (H03).

    `adopt_marks`  with True a mark that the store does not have is somebody's `cp -p`
                   (reported in `by_hand`); with False it is a leftover and removed

    Only for the one writer. Raises StoreError.
    """
    prepare(folder)
    here = {}
    for place in Place:
        files.sweep(folder / place)
        here[place] = set(_names(folder / place))
    done = Reconciled()
    for recipe in expected:
        present = {place for place in Place if recipe.name in here[place]}
        for place in present:
            here[place].discard(recipe.name)
        if recipe.place is Place.REVOKED:
            _settle_revoked(folder, recipe, present, done)
        else:
            _settle(folder, recipe, present, done, adopt_marks=adopt_marks)
    done.strangers = sorted(f"{place}/{name}" for place in Place for name in here[place])
    return done


def load_template(name: str, folder: Path | None = None) -> Template:
    """The template NAME.Dockerfile.j2 and the scripts beside it.

    From `folder`, else from those that come with the program. Raises SettingsError,
    also for a template in which upstream text could become more than a value.
    """
    place = folder or resources.files("pipeline") / "templates"
    if not name.isidentifier():
        raise SettingsError("builds.toml: template", f"{name!r} is no name of a template")
    try:
        text = (place / f"{name}.Dockerfile.j2").read_text("utf-8")
        scripts = {
            entry.name: entry.read_text("utf-8")
            for entry in sorted(place.iterdir(), key=lambda entry: entry.name)
            if entry.name.endswith(".py") and entry.name != "__init__.py"
        }
    except (OSError, UnicodeDecodeError) as error:
        remedy = "the templates that come with the program are `pypi` and `generic`"
        raise SettingsError(f"{place}/{name}.Dockerfile.j2", str(error), remedy) from error
    template = Template(name, text, scripts)
    if complaints := lint(template):
        where = f"{place}/{name}.Dockerfile.j2"
        raise SettingsError(where, "; ".join(complaints), "docs/queue-format.md, Templates")
    return template


def _settle(
    folder: Path, recipe: Expected, present: set[Place], done: Reconciled, *, adopt_marks: bool
) -> None:
    name = recipe.name
    if Place.REVOKED in present:
        restore(folder, name)
        done.restored.append(name)
    if not present & {Place.ALL, Place.REVOKED}:
        write_recipe(folder, name, recipe.text(), recipe.at)
        done.written.append(name)
    elif (found := files.read_plain(_path(folder, Place.ALL, name))) is not None:
        content, at = found
        if recipe_digest(content.decode("utf-8", "surrogateescape")) != recipe.digest:
            if at > recipe.at:
                done.edited.append(name)
            else:  # killed between the store's commit and the file of a `regenerate`
                regenerate(folder, name, recipe.text(), recipe.at)
                done.written.append(name)
    if recipe.place is Place.BUILD:
        if mark(folder, name):
            done.marked.append(name)
    elif Place.BUILD in present:
        if adopt_marks and recipe.adopt:
            done.by_hand.append(name)
        else:
            unmark(folder, name)
            done.unmarked.append(name)


def _settle_revoked(folder: Path, recipe: Expected, present: set[Place], done: Reconciled) -> None:
    if present == {Place.REVOKED}:
        return
    if not revoke(folder, recipe.name):
        path = _path(folder, Place.REVOKED, recipe.name)
        files.write_whole(path, recipe.text().encode(), mtime=recipe.at)
    done.revoked.append(recipe.name)


def _path(folder: Path, place: Place, name: str) -> Path:
    if not is_recipe_name(name):
        raise UsageError(repr(name[:200]), "no name of a recipe", "such as requests__2.18.4")
    return folder / place / name


def _names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if not entry.name.startswith(".")]
