"""Upstreams' own cursors: serials that fall, come late, or lead behind what was cut off."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Kind, Mention, Outcome
from monitor.store import events, projects
from tests.store.shelf import DAY, Shelf, release


def names(count, revision="1", *, first=0):
    return [Mention(f"p{n}", str(revision)) for n in range(first, first + count)]


def asked(shelf):
    """Projects that are due now; none is afterwards."""
    rows = shelf.db.execute("SELECT name FROM listing WHERE due <= ?", (shelf.at,)).fetchall()
    shelf.db.execute("UPDATE listing SET due = NULL")
    return sorted(row["name"] for row in rows)


def alarms(shelf):
    return [
        (event.kind, event.source, event.payload["reason"])
        for event in events.follow(shelf.db, 0)
        if event.payload.get("alarm")
    ]


def test_D04_an_index_that_counts_anew_is_doubted_once_and_then_asked_for_everything(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    shelf.index(*names(5, 7), cursor="10000000")
    result = shelf.index(*names(5, 7), Mention("late", "9"), cursor="5")

    assert result.outcome is Outcome.SUSPECT
    assert shelf.question("index")["cursor"] == "10000000"
    assert asked(shelf) == []
    assert shelf.told() == [("suspect", None)]
    result = shelf.index(*names(5, 7), Mention("late", "9"), cursor="6")
    assert result.outcome is Outcome.OK
    # p0 has the revision that it had before the count began anew: that says nothing.
    assert asked(shelf) == ["late", "p0", "p1", "p2", "p3", "p4"]
    assert shelf.question("index")["cursor"] == "6"
    reason = "its serial went back from 10000000 to 6"
    assert alarms(shelf) == [(Kind.RESET, "shelf", reason)]
    shelf.index(*names(5, 7), Mention("late", "9"), cursor="7")
    assert asked(shelf) == []
    assert shelf.told() == [("suspect", None), ("reset", None)]


def test_D04_a_feed_that_counts_anew_has_its_index_walked_and_loses_nothing(shelf):
    shelf.add("shelf", "feed", "index")
    shelf.index(release("1.0"), *(release("1.0", f"p{n}") for n in range(5)))
    shelf.feed(release("1.0"), cursor="900")
    assert shelf.feed(release("1.1"), cursor="3").outcome is Outcome.SUSPECT
    assert shelf.released() == []
    assert shelf.feed(release("1.1"), release("1.2"), cursor="4").outcome is Outcome.OK

    assert shelf.released() == ["1.1", "1.2"]
    assert shelf.question("feed")["gap"] == shelf.question("index")["due"] == shelf.at
    assert [kind for kind, _, _ in alarms(shelf)] == [Kind.RESET]


def test_D04_where_only_watched_projects_are_asked_they_are_when_the_feed_counts_anew(shelf):
    source = shelf.add("shelf", "feed", "versions", follow="watched")
    shelf.feed(release("1.0"), cursor="900")
    projects.watch(shelf.db, shelf.project(), shelf.at, source=source)
    shelf.db.execute("UPDATE listing SET due = due + 99999")
    for _ in range(2):
        shelf.feed(cursor="1")

    assert asked(shelf) == ["foo"]


def test_D04_a_list_that_shrank_as_well_is_doubted_for_that_too_and_the_reset_told_once(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    shelf.index(*names(100), cursor="900")
    outcomes = [shelf.index(*names(10, 2), cursor=str(n)).outcome for n in range(1, 4)]

    assert outcomes == [Outcome.SUSPECT, Outcome.SUSPECT, Outcome.OK]
    assert shelf.count(Kind.RESET) == 1
    assert len(asked(shelf)) == 100


@pytest.mark.parametrize("mechanism", ["feed", "index"])
def test_A32_a_server_that_lags_behind_takes_nothing_back(shelf, mechanism):
    shelf.add("shelf", mechanism)
    look = getattr(shelf, mechanism)
    look(*(release(f"1.{n}") for n in range(10)), cursor="10")
    for _ in range(5):
        assert look(*(release(f"1.{n}") for n in range(9)), cursor="9").outcome is Outcome.SUSPECT
        assert look(*(release(f"1.{n}") for n in range(10)), cursor="10").outcome is Outcome.OK

    assert shelf.count(Kind.RESET) == shelf.count(Kind.MISSING) == 0
    assert shelf.question(mechanism)["cursor"] == "10"


def test_D06_a_late_lower_number_is_read_all_the_same(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    shelf.index(*names(3, 99), cursor="99")
    shelf.index(*names(1, 99), Mention("p1", "101"), Mention("p2", "99"), cursor="101")
    assert asked(shelf) == ["p1"]
    # 100 was given before 101, and is seen after it.
    shelf.index(Mention("p0", "100"), Mention("p1", "101"), Mention("p2", "99"), cursor="101")

    assert asked(shelf) == ["p0"]
    assert shelf.told() == []


def test_D06_a_feed_that_tells_again_what_it_told_tells_once(shelf):
    shelf.add("shelf", "feed")
    shelf.feed(release("0.9"), cursor="99")
    shelf.feed(release("0.9"), release("1.1"), cursor="101")
    shelf.feed(release("0.9"), release("1.0"), release("1.1"), cursor="101")

    assert shelf.released() == ["1.1", "1.0"]


@settings(max_examples=20, deadline=None)  # each has a store of its own
@given(st.permutations(range(1, 9)), st.integers(1, 4))
def test_D06_in_whatever_order_numbers_are_seen_each_release_is_told_once(
    tmp_path_factory, order, at_once
):
    shelf = Shelf(tmp_path_factory.mktemp("shelf"))
    shelf.add("shelf", "feed")
    shelf.feed(cursor="0")
    seen = []
    for first in range(0, len(order), at_once):
        seen += order[first : first + at_once]
        shelf.feed(*(release(f"{n}.0") for n in seen), cursor=str(max(seen)))
    told = shelf.released()
    shelf.db.close()

    assert sorted(told) == [f"{n}.0" for n in range(1, 9)]


def test_D07_a_log_that_no_longer_reaches_back_to_us_has_the_index_walked(shelf):
    shelf.add("shelf", "feed", "index")
    shelf.feed(release("1.0"), cursor="5")
    shelf.feed(release("9.0"), cursor="90000", partial="50,000 rows, and it goes on")

    assert shelf.released() == ["9.0"]
    assert shelf.question("feed")["cursor"] == "90000"
    assert shelf.question("feed")["gap"] == shelf.at >= shelf.question("index")["due"]
    [gap] = [event for event in events.follow(shelf.db, 0) if event.kind is Kind.GAP]
    assert gap.payload["repaired_by"] == "index"
    assert gap.payload["reason"] == "50,000 rows, and it goes on"
    shelf.index(*(release(f"{n}.0") for n in range(1, 10)))
    assert shelf.question("feed")["gap"] is None


def test_D07_a_first_look_that_is_not_whole_misses_nothing(shelf):
    shelf.add("shelf", "feed", "index")
    shelf.feed(release("9.0"), cursor="90000", partial="only the end of it")

    assert shelf.told() == []
    assert shelf.question("feed")["gap"] is None


def test_D07_a_cursor_that_the_upstream_no_longer_knows_is_dropped_and_the_gap_repaired(shelf):
    shelf.add("shelf", "feed", "index")
    shelf.index(release("1.0"))
    shelf.feed(release("1.0"), cursor="5")
    shelf._record(shelf.visit("feed", outcome=Outcome.GONE, error="no", answers=[], after=DAY))

    assert shelf.question("feed")["cursor"] is None
    assert shelf.question("feed")["gap"] == shelf.at >= shelf.question("index")["due"]
    assert shelf.count(Kind.GAP) == 1
    shelf._record(shelf.visit("feed", outcome=Outcome.GONE, error="no", answers=[]))
    assert shelf.count(Kind.GAP) == 1
