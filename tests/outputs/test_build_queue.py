"""The folders of the build queue, and the make that builds from them (docs/queue-format.md)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.dockerfile import FIRST_LINE, recipe_digest
from monitor.errors import SettingsError, StoreError, UsageError
from monitor.outputs import build_queue, files
from monitor.outputs.build_queue import (
    Expected,
    Place,
    mark,
    reconcile,
    revoke,
    unmark,
    write_recipe,
)
from monitor.recipe_names import image_reference, recipe_name

AT = datetime(2026, 3, 1, 12, 0, 0, 500, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
NAME = "requests__2.18.4"
TEXT = "FROM scratch\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_queue.prepare(tmp_path)
    return tmp_path


def view(folder: Path) -> dict[str, tuple[str, datetime]]:
    """Everything in the folders: place/name → text, time."""
    found = {}
    for path in sorted(folder.glob("*/*")):
        content = files.read_plain(path)
        assert content is not None
        found[str(path.relative_to(folder))] = (content[0].decode(), content[1])
    return found


def expected(place: Place, name: str = NAME, text: str = TEXT, at: datetime = AT) -> Expected:
    return Expected(name, place, at, recipe_digest(text), lambda: text)


def test_a_recipe_is_dated_when_its_content_was_written(folder: Path):
    assert write_recipe(folder, NAME, TEXT, AT)
    assert view(folder) == {f"all/{NAME}": (TEXT, AT)}


def test_I08_a_recipe_is_never_overwritten(folder: Path):
    write_recipe(folder, NAME, TEXT, AT)
    assert not write_recipe(folder, NAME, "FROM elsewhere\n", LATER)
    assert view(folder) == {f"all/{NAME}": (TEXT, AT)}


def test_regenerating_is_explicit_and_reaches_the_mark(folder: Path):
    write_recipe(folder, NAME, TEXT, AT)
    mark(folder, NAME)
    build_queue.regenerate(folder, NAME, "FROM elsewhere\n", LATER)
    new = ("FROM elsewhere\n", LATER)
    assert view(folder) == {f"all/{NAME}": new, f"build/{NAME}": new}


def test_marking_keeps_the_time_as_cp_p_does(folder: Path):
    write_recipe(folder, NAME, TEXT, AT)
    assert mark(folder, NAME)
    assert not mark(folder, NAME)
    assert view(folder)[f"build/{NAME}"] == (TEXT, AT)
    assert unmark(folder, NAME)
    assert not unmark(folder, NAME)
    assert list(view(folder)) == [f"all/{NAME}"]


def test_marking_what_is_not_there_says_what_to_do(folder: Path):
    with pytest.raises(StoreError, match="reconcile"):
        mark(folder, NAME)


def test_E15_a_revoked_recipe_is_kept_aside_and_no_longer_built(folder: Path):
    write_recipe(folder, NAME, TEXT, AT)
    mark(folder, NAME)
    assert revoke(folder, NAME)
    assert not revoke(folder, NAME)
    assert view(folder) == {f"revoked/{NAME}": (TEXT, AT)}


def test_E16_a_recipe_whose_warning_was_withdrawn_comes_back_unmarked(folder: Path):
    write_recipe(folder, NAME, TEXT, AT)
    mark(folder, NAME)
    revoke(folder, NAME)
    assert build_queue.restore(folder, NAME)
    assert not build_queue.restore(folder, NAME)
    assert view(folder) == {f"all/{NAME}": (TEXT, AT)}


@pytest.mark.parametrize(
    "name", ["", "..", "../x__1", "a/b__1", "-rf__1", "A__1", "a__$x", "a", "a__1\n"]
)
def test_F01_nothing_but_a_recipes_name_is_taken(folder: Path, name: str):
    for act in (mark, unmark, revoke):
        with pytest.raises(UsageError):
            act(folder, name)
    with pytest.raises(UsageError):
        write_recipe(folder, name, TEXT, AT)
    assert view(folder) == {}


def test_F06_a_planted_link_is_refused(folder: Path, tmp_path: Path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (folder / "all" / NAME).symlink_to(victim)
    with pytest.raises(StoreError, match="link"):
        write_recipe(folder, NAME, TEXT, AT)
    (folder / "all" / NAME).unlink()
    write_recipe(folder, NAME, TEXT, AT)
    (folder / "build" / NAME).symlink_to(victim)
    with pytest.raises(StoreError, match="link"):
        mark(folder, NAME)
    assert victim.read_text() == "mine"


# ── after a crash ─────────────────────────────────────────────────────────────────────

STEPS: dict[str, Callable[[Path], object]] = {
    "nothing was done": lambda folder: None,
    "a part was written": lambda folder: (folder / "all" / ".tmp-12").write_text("FRO"),
    "the recipe was written": lambda folder: write_recipe(folder, NAME, TEXT, AT),
    "an older recipe stands there": lambda folder: write_recipe(
        folder, NAME, "FROM old\n", AT - timedelta(days=1)
    ),
    "it was marked": lambda folder: (write_recipe(folder, NAME, TEXT, AT), mark(folder, NAME)),
    "it was marked from an older one": lambda folder: (
        write_recipe(folder, NAME, "FROM old\n", AT - timedelta(days=1)),
        mark(folder, NAME),
    ),
    "its mark was taken for revoking": lambda folder: write_recipe(folder, NAME, TEXT, AT),
    "it was revoked": lambda folder: (write_recipe(folder, NAME, TEXT, AT), revoke(folder, NAME)),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("place", list(Place))
def test_H03_killed_after_each_step_the_files_become_what_the_store_says(
    folder: Path, step: str, place: Place
):
    STEPS[step](folder)
    reconcile(folder, [expected(place)])
    want = {Place.ALL: ["all"], Place.BUILD: ["all", "build"], Place.REVOKED: ["revoked"]}
    found = view(folder)
    assert sorted(found) == [f"{where}/{NAME}" for where in want[place]]
    if place is not Place.REVOKED:
        assert set(found.values()) == {(TEXT, AT)}
    again = reconcile(folder, [expected(place)])
    assert again == build_queue.Reconciled()


def test_reconciling_asks_for_texts_only_where_it_must_write(folder: Path):
    write_recipe(folder, NAME, TEXT, AT)
    asked = []
    known = Expected(NAME, Place.BUILD, AT, recipe_digest(TEXT), lambda: asked.append(1) or TEXT)
    done = reconcile(folder, iter([known]))
    assert done.marked == [NAME]
    assert not asked


def test_what_people_put_there_is_reported_and_left_alone(folder: Path):
    write_recipe(folder, NAME, TEXT, AT)
    files.write_whole(folder / "all" / NAME, b"FROM mended-by-hand\n", mtime=LATER)
    shutil.copy2(folder / "all" / NAME, folder / "build" / NAME)
    (folder / "all" / "special__1").write_text("FROM scratch\n")
    done = reconcile(folder, [expected(Place.ALL)], adopt_marks=True)
    assert done.edited == [NAME]
    assert done.by_hand == [NAME]
    assert done.strangers == ["all/special__1"]
    assert len(view(folder)) == 3


def test_a_mark_the_store_does_not_have_goes_where_marks_are_the_policys(folder: Path):
    write_recipe(folder, NAME, TEXT, AT)
    mark(folder, NAME)
    assert reconcile(folder, [expected(Place.ALL)]).unmarked == [NAME]
    assert list(view(folder)) == [f"all/{NAME}"]


def test_templates_come_with_the_program_or_from_a_folder(tmp_path: Path):
    assert build_queue.load_template("pypi").text.startswith("# Written by release-monitor")
    text = f'{FIRST_LINE}\nFROM {{{{ base }}}}\nLABEL a="{{{{ version }}}}"\n'
    (tmp_path / "mine.Dockerfile.j2").write_text(text)
    (tmp_path / "help.py").write_text("print()")
    found = build_queue.load_template("mine", tmp_path)
    assert (found.text, dict(found.scripts)) == (text, {"help.py": "print()"})
    for name in ("unknown", "../mine", ""):
        with pytest.raises(SettingsError):
            build_queue.load_template(name, tmp_path)


def test_F10_a_template_that_splices_is_refused_when_it_is_read(tmp_path: Path):
    text = f"{FIRST_LINE}\nFROM {{{{ base }}}}\nRUN echo {{{{ version }}}}\n"
    (tmp_path / "mine.Dockerfile.j2").write_text(text)
    with pytest.raises(SettingsError, match="a shell would read"):
        build_queue.load_template("mine", tmp_path)


# ── the seed's make ───────────────────────────────────────────────────────────────────

DOCS = Path(__file__).parents[2] / "docs" / "queue-format.md"
MAKEFILE = DOCS.read_text().partition("```make\n")[2].partition("```")[0]

# Stands in for the docker client: refuses what is not good, and notes the tag of the rest.
DOCKER = """#!/bin/sh
grep -q good || exit 1
echo "$4" >> built
"""

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def made(root: Path) -> list[str]:
    """What `make -r -j -k` built this time, sorted."""
    (root / "built").unlink(missing_ok=True)
    path = {"PATH": f"{root}:{os.environ['PATH']}"}
    argv = ["make", "-r", "-j4", "-k"]
    subprocess.run(argv, cwd=root, env=path, capture_output=True, check=False)
    tags = (root / "built").read_text().split() if (root / "built").exists() else []
    assert all(image_reference(tag.rpartition("/")[2], "1") == f"{tag}:1" for tag in tags)
    return sorted(tag.rpartition("/")[2] for tag in tags)


def furnish(root: Path) -> Path:
    """A folder with the documented Makefile, a docker client and empty queue folders."""
    (root / "Makefile").write_text(MAKEFILE)
    (root / "docker").write_text(DOCKER)
    (root / "docker").chmod(0o755)
    build_queue.prepare(root / "dockerfiles")
    return root


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    return furnish(tmp_path)


@needs_make
def test_make_builds_what_is_marked_and_again_only_what_changed(workplace: Path):
    queue, now = workplace / "dockerfiles", datetime.now(UTC)
    names = ["requests__2.18.4", "cargo__serde__1.0.1", "github__psf--2frequests__v2.32.3"]
    for name in names:
        write_recipe(queue, name, "good\n", now - timedelta(days=2))
        mark(queue, name)
    assert made(workplace) == sorted(names)
    assert made(workplace) == []

    mark(queue, names[0])  # again, as `cp -p -u` would
    reconcile(queue, [expected(Place.BUILD, n, "good\n", now - timedelta(days=2)) for n in names])
    assert made(workplace) == []

    build_queue.regenerate(queue, names[1], "good, new\n", datetime.now(UTC) + timedelta(seconds=2))
    assert made(workplace) == [names[1]]


@needs_make
def test_with_k_one_bad_recipe_stops_no_other(workplace: Path):
    queue, at = workplace / "dockerfiles", datetime.now(UTC) - timedelta(days=1)
    for name, text in (("a__1", "good\n"), ("b__1", "bad\n"), ("c__1", "good\n")):
        write_recipe(queue, name, text, at)
        mark(queue, name)
    assert made(workplace) == ["a__1", "c__1"]


@needs_make
def test_a_recipe_marked_by_hand_with_cp_p_is_built_like_ours(workplace: Path):
    queue = workplace / "dockerfiles"
    write_recipe(queue, NAME, "good\n", AT)
    copy = "cp -p -u dockerfiles/all/* dockerfiles/build/"
    subprocess.run(["sh", "-c", copy], cwd=workplace, check=True)
    assert made(workplace) == [NAME]
    assert not mark(queue, NAME), "it is marked already, and its time is the same"


@needs_make
@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=12))
def test_F05_whatever_upstream_calls_it_make_can_build_it(
    tmp_path_factory: pytest.TempPathFactory, releases: list[tuple[str, str]]
):
    root = furnish(tmp_path_factory.mktemp("make"))
    nasty = [("a%", "$x"), ("a b", "#"), ("x:", "="), ("~", "*"), ("1", "1.c"), ("1", "1")]
    names = {recipe_name("pypi", *release) for release in [*releases, *nasty]}
    for name in names:
        write_recipe(root / "dockerfiles", name, "good\n", AT)
        mark(root / "dockerfiles", name)
    assert made(root) == sorted(names)
