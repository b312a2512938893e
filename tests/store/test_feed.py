"""Feeds: the first window, gaps between windows, cursors."""

from __future__ import annotations

from datetime import timedelta

from monitor.model import Kind, Mention
from monitor.store import events, projects
from tests.store.shelf import AT, release


def window(last, size=10):
    return [release("1.0", f"p{n}") for n in range(last, max(last - size, -1), -1)]


def test_the_first_window_is_a_baseline_and_later_items_are_news_once(shelf):
    shelf.add("shelf", "feed")
    shelf.feed(*window(9))
    assert [event.kind for event in events.follow(shelf.db, 0)] == [Kind.BASELINE]
    for _ in range(3):
        shelf.feed(*window(12))

    assert shelf.told() == [("released", "1.0")] * 3
    assert {e.project.rpartition("/")[2] for e in events.follow(shelf.db, 1)} == {
        "p10",
        "p11",
        "p12",
    }


def test_D03_a_shuffled_window_says_the_same(shelf):
    import random

    shelf.add("shelf", "feed", "index")
    dice = random.Random(5)
    for last in range(9, 60, 3):
        page = window(last)
        dice.shuffle(page)
        shelf.feed(*page)

    assert shelf.count(Kind.RELEASED) == 57 - 9
    assert shelf.count(Kind.GAP) == 0


def test_D02_windows_are_compared_by_project_and_version_alone(shelf):
    shelf.add("shelf", "feed", "index")
    shelf.feed(*window(9))
    shelf.feed(*(release("1.0", f"p{n}", page=f"https://other.example/{n}") for n in range(10)))

    assert shelf.told() == []


def dated(*numbers):
    return [release("1.0", f"p{n}", at=AT - 1000 + 10 * n) for n in numbers]


def test_what_comes_up_from_below_the_window_where_others_are_deleted_is_no_news(shelf):
    shelf.add("shelf", "feed")
    shelf.feed(*dated(9, 8, 7, 6, 5))
    shelf.feed(*dated(9, 7, 5, 4, 3))  # 8 and 6 were deleted
    assert shelf.told() == []
    shelf.feed(*dated(300, 9, 7, 5, 4))

    assert shelf.told() == [("released", "1.0")]


def test_E13_a_back_dated_item_is_news_where_nothing_was_deleted(shelf):
    shelf.add("shelf", "feed")
    shelf.feed(*dated(9, 8, 7))
    shelf.feed(*dated(9, 8, 7, 1))

    assert shelf.told() == [("released", "1.0")]


def test_D01_a_gap_is_told_once_and_closed_by_the_next_whole_look(shelf):
    shelf.add("shelf", "feed", "index")
    shelf.index(*window(99, 100))
    shelf.feed(*window(99))
    for last in (130, 133, 135):
        shelf.feed(*window(last))
    assert shelf.count(Kind.GAP) == 1
    assert shelf.question("feed")["gap"] is not None
    assert shelf.question("index")["due"] <= shelf.at
    shelf.index(*window(135, 136))

    assert shelf.question("feed")["gap"] is None
    shelf.feed(*window(136))
    assert shelf.count(Kind.GAP) == 1
    assert len([e for e in events.follow(shelf.db, 0) if e.kind is Kind.RELEASED]) == 37


def test_D01_a_look_that_began_before_the_gap_does_not_close_it(shelf):
    shelf.add("shelf", "feed", "index")
    shelf.index(*window(9))
    shelf.feed(*window(9))
    began = shelf.at
    shelf.feed(*window(40))
    shelf.index(*window(9), at=began)

    assert shelf.question("feed")["gap"] is not None


def test_D01_another_gap_while_one_is_open_needs_a_later_look(shelf):
    shelf.add("shelf", "feed", "index")
    shelf.index(*window(99, 100))
    shelf.feed(*window(99))
    shelf.feed(*window(120))
    between = shelf.at + 1
    shelf.feed(*window(135))
    shelf.index(*window(125, 126), at=between)
    assert shelf.question("feed")["gap"] is not None
    shelf.index(*window(135, 136))

    assert shelf.question("feed")["gap"] is None


def test_a_gap_without_an_index_is_told_each_time_and_left_behind(shelf):
    shelf.add("shelf", "feed")
    shelf.feed(*window(9))
    for last in (40, 41, 80):
        shelf.feed(*window(last))

    assert shelf.count(Kind.GAP) == 2
    assert shelf.question("feed")["gap"] is None


def test_an_empty_window_moves_nothing(shelf):
    shelf.add("shelf", "feed", "index")
    shelf.feed(*window(9))
    shelf.feed()
    shelf.feed(*window(12))
    assert shelf.count(Kind.GAP) == 0
    shelf.feed()
    shelf.feed(*window(40))

    assert shelf.count(Kind.GAP) == 1


def test_R4_an_upstreams_own_cursor_moves_with_the_data_it_covers(shelf):
    from monitor.store import transaction
    from monitor.store.record import record

    shelf.add("shelf", "feed")
    shelf.feed(*window(9), cursor="100")
    visit = shelf.visit("feed", releases=window(99), cursor="200")
    try:
        with transaction(shelf.db):
            record(shelf.db, visit)
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass

    assert shelf.question("feed")["cursor"] == "100"
    assert shelf.released("p99") == []
    shelf.feed(*window(99), cursor="200")
    assert shelf.question("feed")["cursor"] == "200"
    assert shelf.count(Kind.GAP) == 0


def test_a_release_of_the_feed_makes_a_followed_project_due(shelf):
    shelf.add("shelf", "feed", "versions", follow="all")
    shelf.wanted = False
    shelf.feed(*window(9))
    result = shelf.feed(*window(10))

    assert result.ask == ["p10"]
    assert shelf.listing("p10")["due"] == shelf.at


def test_a_release_that_the_feed_told_is_not_told_again_by_its_project(shelf):
    shelf.add("shelf", "feed", "index", "versions", poll=int(timedelta(minutes=5).total_seconds()))
    shelf.index(*(Mention(f"p{n}", "1") for n in range(10)))
    shelf.feed(*window(9))
    shelf.feed(*window(10))
    shelf.versions(release("1.0", "p10", digests="ab", at=shelf.at), project="p10")

    assert shelf.released("p10") == ["1.0"]


def test_D01_where_only_watched_projects_are_asked_a_gap_has_them_asked_at_once(shelf):
    source = shelf.add("shelf", "feed", "index", "versions", follow="watched")
    shelf.feed(*window(9))
    watched = shelf.project("p9")
    projects.watch(shelf.db, watched, shelf.at, source=source)
    shelf.db.execute("UPDATE listing SET due = due + 99999, leased = NULL WHERE due IS NOT NULL")
    shelf.feed(*window(80))

    due = {row["name"]: row["due"] for row in shelf.db.execute("SELECT * FROM listing")}
    assert due["p9"] == shelf.at
    assert due["p8"] is None
