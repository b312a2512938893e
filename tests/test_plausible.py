"""The gate and the overlap of feeds. Faults B01 to B03, B14, C12, D01 to D04, D14, D17."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.plausible import (
    WINDOW,
    Gate,
    doubt_index,
    doubt_name,
    doubt_serial,
    doubt_versions,
    expected_interval,
    gap,
    item,
    keys_of,
    window_cursor,
)

counts = st.integers(0, 100_000)


def versions(**said: int) -> str | None:
    return doubt_versions(**{"live": 40, "dropped": 0, "added": 0, "known": 40} | said)


def index(**said: int) -> str | None:
    usual = {
        "live_versions": 37_560,
        "dropped_versions": 0,
        "projects_before": 5_547,
        "projects_now": 5_547,
    }
    return doubt_index(**usual | said)


def test_an_ordinary_answer_is_believed():
    assert versions(added=1) is None
    assert versions(dropped=1, added=1) is None
    assert index(projects_now=5_550) is None


def test_b01_an_empty_answer_about_a_known_project_is_not_believed():
    assert "all 40" in (versions(dropped=40) or "")
    assert versions(live=1, dropped=1, known=1)
    assert versions(live=2, dropped=2, known=7)


def test_b01_a_first_look_at_nothing_is_no_fault():
    assert versions(live=0, known=0) is None


def test_b03_a_list_with_only_the_newest_in_it_is_not_believed():
    assert "39 of 40" in (versions(dropped=39) or "")


@pytest.mark.parametrize(
    ("live", "dropped", "believed"),
    [(3, 2, True), (3, 3, False), (10, 3, False), (20, 2, True), (40, 4, True), (40, 5, False)],
)
def test_b02_more_than_two_and_a_tenth_may_not_vanish_at_once(live, dropped, believed):
    assert (versions(live=live, dropped=dropped, known=live) is None) is believed


def test_b14_a_page_that_now_shows_other_things_is_not_believed():
    # All dates of the page are taken for versions: nothing known is left, much is new.
    assert versions(dropped=40, added=40)
    assert "21 new" in (versions(added=21) or "")
    assert versions(added=20) is None


def test_C12_a_first_look_brings_any_number_of_versions():
    assert versions(live=0, added=3_000, known=0) is None


def test_a34_an_answer_about_another_project_is_not_believed():
    assert doubt_name("requests", "urllib3")
    assert doubt_name("Foo_Bar", "foo-bar", lambda n: n.lower().replace("_", "-")) is None
    assert doubt_name("Foo_Bar", "foo-bar")
    assert doubt_name("requests", None) is None


def test_d14_an_index_that_loses_more_than_a_hundredth_is_parked():
    assert index(dropped_versions=375) is None
    assert "376 of" in (index(dropped_versions=376) or "")
    assert index(dropped_versions=37_560)
    assert index(live_versions=50, dropped_versions=2) is None
    assert index(live_versions=50, dropped_versions=3)


@pytest.mark.parametrize(
    ("before", "now", "believed"),
    [
        (5_547, 2_773, False),
        (5_547, 2_775, True),
        (5_547, 8_321, False),
        (5_547, 8_319, True),
        (100, 50, False),
        (100, 51, True),
        (4, 9, True),
        (4, 0, False),
        (0, 886_323, True),
    ],
)
def test_d17_a_list_that_halves_or_grows_by_half_is_parked(before, now, believed):
    assert (index(live_versions=0, projects_before=before, projects_now=now) is None) is believed


def test_d04_a_serial_that_went_back_was_reset():
    assert doubt_serial("10000000", "5")
    assert doubt_serial("5", "5") is None
    assert doubt_serial("9", "10") is None
    assert doubt_serial(None, "5") is doubt_serial("5", None) is None
    assert doubt_serial("9 abc", "5") is doubt_serial("9", "5x") is None


def test_the_numbers_are_settings():
    strict = Gate(drop_share=0.0, drop_floor=0, add_limit=1)

    assert doubt_versions(live=40, dropped=1, added=0, known=40, gate=strict)
    assert doubt_versions(live=40, dropped=0, added=2, known=40, gate=strict)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"drop_share": 2}, Gate)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"drop_shares": 0.2}, Gate)


@given(counts, counts, counts, counts)
def test_what_drops_nothing_and_adds_little_is_always_believed(live, dropped, added, known):
    reason = doubt_versions(live=live, dropped=min(dropped, live), added=added, known=known)

    if not min(dropped, live) and added <= 20:
        assert reason is None
    if known and live and dropped >= live:
        assert reason


def page(*numbers: int) -> list[str]:
    return [item("project", f"1.{n}") for n in numbers]


def test_d01_a_page_that_does_not_overlap_leaves_a_gap():
    seen = keys_of(window_cursor(page(*range(40))))

    assert gap(seen, page(*range(100, 140)))
    assert not gap(seen, page(*range(39, 79)))


def test_d01_a_first_look_and_an_unchanged_page_are_no_gap():
    assert not gap(frozenset(), page(1, 2))
    assert not gap(keys_of(None), page(1, 2))
    assert not gap(keys_of(window_cursor(page(1, 2))), page(1, 2))


def test_an_empty_page_proves_nothing():
    assert gap(keys_of(window_cursor(page(1))), [])
    assert not gap(frozenset(), [])


def test_d02_identity_is_project_and_version_and_nothing_else():
    assert item("a", "1.0") != item("a\n1.0", "")
    assert not gap(keys_of(window_cursor([item("a", "1.0")])), [item("a", "1.0")])


@given(st.lists(st.integers(0, 500), min_size=1, max_size=300), st.randoms(use_true_random=False))
def test_d03_the_order_of_a_page_does_not_matter(numbers, chance):
    shown = page(*numbers)
    shuffled = list(shown)
    chance.shuffle(shuffled)

    seen = keys_of(window_cursor(page(*range(0, 400, 3))))
    assert gap(seen, shown) == gap(seen, shuffled)


def test_a_cursor_is_short_and_remembers_the_newest():
    cursor = window_cursor(page(*range(1_000)))

    assert len(cursor) <= 17 * WINDOW
    assert keys_of(cursor) == keys_of(window_cursor(page(*range(WINDOW))))
    assert len(keys_of(window_cursor(page(1, 1, 1)))) == 1


@pytest.mark.parametrize("cursor", ["", "24891358", "2024-01-01T00:00:00Z", "zz" * 8, "\n"])
def test_another_cursors_text_remembers_nothing(cursor):
    assert keys_of(cursor) == frozenset()


@given(st.lists(st.text(max_size=20), max_size=300))
def test_any_items_can_be_remembered(items):
    cursor = window_cursor(items)

    assert len(keys_of(cursor)) == min(WINDOW, len(set(items)))
    assert not items or not gap(keys_of(cursor), items)


@pytest.mark.parametrize(
    ("window", "expected"),
    [(1836.0, 612.0), (90.0, 60.0), (0.0, 60.0), (169_200.0, 3600.0), (None, 3600.0)],
)
def test_a_feed_is_asked_three_times_within_its_window(window, expected):
    assert expected_interval(window) == expected


def test_the_bounds_of_the_distance_are_the_callers():
    assert expected_interval(3000.0, shortest=2000.0) == 2000.0
    assert expected_interval(3000.0, longest=300.0) == 300.0
