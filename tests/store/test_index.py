"""Whole indexes: baseline, steps, doubt, and what a list of names sets going."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Kind, Mention, Outcome, State
from monitor.store import bulk, events, projects, staging, transaction
from tests.store.shelf import DAY, Shelf, found, release


def tree(count, *, newest=0, leave=()):
    """Projects p0, p1, … with versions 1.0 … 1.<newest>."""
    return [
        release(f"1.{v}", f"p{n}")
        for n in range(count)
        for v in range(newest + 1)
        if (n, v) not in leave
    ]


def names(count, revision="1"):
    return [Mention(f"p{n}", revision) for n in range(count)]


# ── indexes of versions ───────────────────────────────────────────────────────────────


def test_the_first_walk_is_one_baseline_event(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(100, newest=2))
    [event] = events.follow(shelf.db, 0)

    assert event.kind is Kind.BASELINE
    assert (event.payload["projects"], event.payload["versions"]) == (100, 300)
    assert event.payload["digest"]


def test_a_version_that_a_later_walk_shows_is_news_once(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(3))
    for _ in range(3):
        shelf.index(*tree(3), release("1.1", "p1"))

    assert shelf.told() == [("released", "1.1")]


def test_a_project_that_appears_later_is_news(shelf):
    """Decision 3: the baseline is of the source, not of the project."""
    shelf.add("shelf", "index")
    shelf.index(*tree(30))
    shelf.index(*tree(31))

    assert shelf.released("p30") == ["1.0"]


def test_an_archive_of_years_that_appears_at_once_is_no_news(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(30))
    shelf.index(*tree(30), *(release(f"1.{n}", "old") for n in range(300)))

    assert shelf.released("old") == []
    assert len(shelf.states("old")) == 300


def test_an_absent_version_is_missing_then_withdrawn(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(50, newest=2))
    shelf.index(*tree(50, newest=2, leave={(7, 1)}))
    assert shelf.question("index")["doubt"]  # the next walk asks past all caches
    shelf.index(*tree(50, newest=2, leave={(7, 1)}))

    assert shelf.told() == [("missing", "1.1"), ("withdrawn", "1.1")]
    assert shelf.question("index")["doubt"] is None


def test_a_project_that_is_absent_as_a_whole_is_doubted_then_missing(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(300))
    shelf.index(*tree(299))
    assert shelf.told() == [("suspect", None)]
    assert shelf.states("p299") == {"1.0": State.LISTED}
    shelf.index(*tree(299))
    shelf.index(*tree(299))

    assert shelf.told(Kind.MISSING, Kind.WITHDRAWN) == [("missing", "1.0"), ("withdrawn", "1.0")]
    assert shelf.listing("p299")["doubt"] is None


def test_D14_a_walk_that_leaves_out_a_lot_is_parked_whole(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(100))
    result = shelf.index(*tree(95), release("9.0", "p1"))

    assert result.outcome is Outcome.SUSPECT
    assert shelf.told() == [("suspect", None)]
    assert "9.0" not in shelf.states("p1")


def test_D14_a_second_walk_that_agrees_is_believed(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(100))
    shelf.index(*tree(70))
    result = shelf.index(*tree(69))

    assert result.outcome is Outcome.OK
    assert shelf.states("p0") == {"1.0": State.LISTED}


def test_D14_a_second_walk_that_leaves_out_far_more_is_doubted_again(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(1000))
    shelf.index(*tree(900))

    assert shelf.index(*tree(500)).outcome is Outcome.SUSPECT


def test_an_incomplete_walk_takes_nothing_away(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(10))
    visit = shelf.visit("index", complete=False)
    with transaction(shelf.db):
        bulk.apply(shelf.db, visit, found(visit.source, tree(2)))

    assert shelf.told() == []
    assert shelf.states("p9") == {"1.0": State.LISTED}


def test_what_comes_back_is_restored_and_no_news(shelf):
    shelf.add("shelf", "index")
    shelf.index(*tree(50, newest=2))
    for _ in range(2):
        shelf.index(*tree(50, newest=2, leave={(7, 1)}))
    shelf.index(*tree(50, newest=2))

    assert shelf.released("p7") == []
    assert shelf.told()[-1] == ("restored", "1.1")


def test_B22_spellings_of_one_version_in_a_first_walk_are_one_version(shelf):
    shelf.add("shelf", "index")
    shelf.index(release("1.0"), release("v1.0"), release("1.1"))
    rows = {row["version"]: row for row in projects.versions(shelf.db, shelf.project())}

    assert rows["v1.0"]["alias"] == rows["1.0"]["id"]
    assert rows["1.0"]["alias"] is rows["1.1"]["alias"] is None


def test_a_release_with_several_files_is_one_version_with_all_of_them(shelf):
    shelf.add("shelf", "index")
    shelf.index(release("1.0"))
    shelf.index(release("1.0"), release("1.1", digests="abc"))
    version = shelf.db.execute("SELECT id FROM version WHERE version = '1.1'").fetchone()[0]

    assert shelf.released() == ["1.1"]
    assert len(projects.files(shelf.db, version)) == 3


NAMES = st.sampled_from(["a", "b", "c", "d", "known"])
WALK = st.lists(
    st.one_of(
        st.builds(Mention, NAMES, st.sampled_from([None, "1", "2"])),
        st.builds(
            release,
            st.sampled_from(["1.0", "1.00", "2.0", "odd"]),
            NAMES,
            at=st.sampled_from([None, 1000, 2000]),
            state=st.sampled_from([None, State.YANKED]),
            digests=st.sampled_from([(), ("a",), ("a", "b")]),
        ),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(WALK, WALK)
def test_a_small_walk_leaves_what_a_large_one_would(first, second):
    left = []
    for large in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            shelf = Shelf(Path(folder), large=large)
            shelf.add("elsewhere", "versions")
            shelf.versions("1.0", project="known")
            shelf.add("shelf", "index")
            for walk in (first, second):
                shelf.index(*walk)
            left.append(
                {
                    table: shelf.db.execute(f"SELECT * FROM {table}").fetchall()
                    for table in ("project", "listing", "version", "also", "event", "question")
                }
            )
            shelf.db.close()
    for table, rows in left[0].items():
        assert [tuple(row) for row in rows] == [tuple(row) for row in left[1][table]], table


def test_a_walk_that_never_ended_leaves_nothing(shelf):
    source = shelf.add("shelf", "index")
    shelf.index(*tree(3))
    before = list(shelf.db.iterdump())
    staging.begin(shelf.db)
    staging.stage(shelf.db, found(source, tree(1)))
    staging.clear(shelf.db)

    assert list(shelf.db.iterdump()) == before


# ── indexes of names ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("follow", "due"), [("all", True), ("watched", False)])
def test_a_moved_revision_makes_a_followed_project_due(shelf, follow, due):
    shelf.add("shelf", "index", "versions", follow=follow)
    shelf.index(*names(20))
    assert shelf.db.execute("SELECT count(*) FROM listing WHERE due IS NOT NULL").fetchone()[0] == 0
    shelf.index(*names(19), Mention("p19", "2"), Mention("new", "3"))
    rows = shelf.db.execute("SELECT name FROM listing WHERE due IS NOT NULL ORDER BY name")

    assert [row["name"] for row in rows] == (["new", "p19"] if due else [])


def test_who_follows_only_what_is_watched_leaves_an_index_of_everything_alone(shelf):
    few = shelf.add("few", "feed", "index", "versions", follow="watched")
    every = shelf.add("every", "feed", "index", "versions", follow="all")
    only = shelf.add("only", "index", follow="watched")

    assert few.mechanisms == ("feed",)
    assert every.mechanisms == ("feed", "index")
    assert only.mechanisms == ("index",)  # there is no other way to ask


def test_the_first_versions_of_a_project_that_the_list_gained_are_news(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    shelf.index(*names(20))
    shelf.index(*names(20), Mention("new", "3"))
    shelf.versions("0.1", "0.2", project="new")

    assert shelf.released("new") == ["0.1", "0.2"]


def test_C12_the_first_versions_of_a_project_that_was_there_are_news_if_they_are_younger(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    shelf.index(*names(20))
    start = shelf.at
    shelf.versions(
        "0.1", release("0.2", "p1", at=start - DAY), release("0.3", "p1", at=start + 30),
        project="p1",
    )  # fmt: skip

    assert shelf.released("p1") == ["0.3"]


def test_a_project_that_the_list_lost_is_asked_why(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    shelf.index(*names(30))
    shelf.index(*names(29))
    assert shelf.listing("p29")["due"] == shelf.at
    for _ in range(3):
        shelf.failed(Outcome.GONE, "p29", after=DAY)

    assert shelf.told() == [("withdrawn", None)]


def test_D17_a_list_that_shrinks_by_half_overnight_is_parked(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    shelf.index(*names(1000))
    result = shelf.index(*names(499, "2"))

    assert result.outcome is Outcome.SUSPECT
    assert shelf.db.execute("SELECT count(*) FROM listing WHERE due IS NOT NULL").fetchone()[0] == 0
    assert shelf.index(*names(500, "2")).outcome is Outcome.OK  # said twice, save for one


@pytest.mark.parametrize("kind", [names, tree])
def test_a_walk_costs_in_proportion_to_its_length(shelf, kind):
    """Counted in steps of SQLite's machine, which no load of the computer changes."""
    shelf.add("shelf", "index")
    steps = []
    for count in (2_000, 2_001, 2_900, 4_000, 4_001):
        taken = []
        shelf.db.set_progress_handler(lambda taken=taken: taken.append(1), 1000)
        assert shelf.index(*kind(count)).outcome is Outcome.OK
        steps.append(len(taken))

    assert steps[4] <= 3 * steps[1]


def test_what_a_feed_has_shown_before_the_first_walk_is_not_asked_for_it(shelf):
    """The other projects of a first look are not asked either; who came first is chance."""
    shelf.add("shelf", "feed", "index", "versions", follow="all")
    shelf.feed(release("1.0", "p1"))
    shelf.index(*names(3))

    assert shelf.listing("p1")["due"] is None
