"""Projects that several sources show: presence, absence and disagreement."""

from __future__ import annotations

import pytest

from monitor.model import Kind, Outcome, State
from monitor.store import projects
from tests.store.shelf import DAY, release


@pytest.fixture
def two(shelf):
    """A main source and its mirror, with the same purls."""
    shelf.add("main", "versions", purl="pypi", ordering="pep440")
    shelf.add("mirror", "versions", purl="pypi", ordering="pep440")
    shelf.versions("1.0", "1.1", "1.2", source="main")
    shelf.versions("1.0", "1.1", "1.2", source="mirror")
    return shelf


def test_a_mirror_announces_nothing_twice(two):
    two.versions("1.0", "1.1", "1.2", "1.3", source="main")
    two.versions("1.0", "1.1", "1.2", "1.3", source="mirror")

    assert two.released() == ["1.3"]
    assert two.db.execute("SELECT count(*) FROM project").fetchone()[0] == 1


def test_what_one_source_drops_is_not_gone_while_another_shows_it(two):
    for _ in range(3):
        two.versions("1.0", "1.1", source="main")
        two.versions("1.0", "1.1", "1.2", source="mirror")

    assert two.told() == []
    assert two.states()["1.2"] is State.LISTED


@pytest.mark.parametrize("order", [("main", "mirror"), ("mirror", "main")])
def test_what_all_sources_drop_is_missing_then_withdrawn_whoever_showed_it_first(two, order):
    for _ in range(3):
        for source in order:
            two.versions("1.0", "1.1", source=source)

    assert two.told(Kind.MISSING, Kind.WITHDRAWN) == [("missing", "1.2"), ("withdrawn", "1.2")]


def test_a_mirror_that_lags_takes_nothing_away(two):
    two.versions("1.0", "1.1", "1.2", "1.3", source="main")
    for _ in range(3):
        two.versions("1.0", "1.1", "1.2", source="mirror")

    assert two.told() == [("released", "1.3")]


def test_C16_where_sources_disagree_the_more_cautious_is_believed_and_nothing_flaps(two):
    for _ in range(4):
        two.versions("1.0", "1.1", release("1.2", state=State.YANKED), source="main")
        two.versions("1.0", "1.1", release("1.2", state=State.LISTED), source="mirror")

    assert two.told(Kind.YANKED, Kind.RESTORED) == [("yanked", "1.2")]
    assert two.states()["1.2"] is State.YANKED


def test_C16_a_yank_ends_when_all_sources_say_so(two):
    yanked, listed = release("1.2", state=State.YANKED), release("1.2", state=State.LISTED)
    for source in ("main", "mirror"):
        two.versions("1.0", "1.1", yanked, source=source)
    two.versions("1.0", "1.1", listed, source="main")
    assert two.states()["1.2"] is State.YANKED
    two.versions("1.0", "1.1", listed, source="mirror")

    assert two.told(Kind.YANKED, Kind.RESTORED) == [("yanked", "1.2"), ("restored", "1.2")]


def test_C16_what_each_source_calls_newest_is_visible_where_they_differ(two):
    assert projects.conflict(two.db, two.project()) == {}
    two.versions("1.0", "1.1", "1.2", "1.3", source="mirror")

    assert projects.conflict(two.db, two.project()) == {"main": "1.2", "mirror": "1.3"}


def test_a_project_that_one_source_denies_is_not_gone(two):
    for _ in range(4):
        two.failed(Outcome.GONE, after=DAY, source="main")

    assert two.told() == []
    for _ in range(4):
        two.failed(Outcome.GONE, after=DAY, source="mirror")
    assert two.told() == [("withdrawn", None)]


def test_an_index_beside_another_source_counts_what_it_shows(shelf):
    shelf.add("main", "versions", purl="pypi", ordering="pep440")
    shelf.add("tree", "index", purl="pypi", ordering="pep440")
    shelf.versions("1.0", "1.1", "1.2", source="main")
    shelf.index(*(release(f"1.{n}") for n in range(3)), source="tree")
    for _ in range(3):
        shelf.versions("1.0", "1.1", source="main")
    assert shelf.states()["1.2"] is State.LISTED
    for _ in range(3):
        shelf.index(release("1.0"), release("1.1"), source="tree")
        shelf.versions("1.0", "1.1", source="main")

    assert shelf.states()["1.2"] is State.WITHDRAWN
    assert shelf.count(Kind.WITHDRAWN) == 1
