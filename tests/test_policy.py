"""Which releases deserve a build, and when: with literals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.model import State
from monitor.policy import Facts, decide, rule_for
from monitor.settings import Build

AT, DAY = 1_790_000_000, 86400
RULE = Build(match="pkg:pypi/*", minimum_age=3.0 * DAY)
READY = Facts(True, State.LISTED, AT - 4 * DAY, True, files=2, last_file=AT - 4 * DAY)


def decided(at=AT, rule=RULE, **more):
    found = decide(replace(READY, **more), rule, at, high_water=10, settle=300)
    return found.verdict, found.rule


@pytest.mark.parametrize(
    ("facts", "verdict", "rule"),
    [
        ({}, "eligible", "old-enough"),
        ({"state": State.YANKED}, "refused", "state-yanked"),
        ({"state": State.MISSING}, "refused", "state-missing"),
        ({"held": "held by me: why"}, "held", "hold"),
        ({"pinned": "skipped"}, "refused", "pin"),
        ({"stable": False}, "refused", "stable-only"),
        ({"newest": False}, "superseded", "newest-wins"),
        ({"first_seen": AT - DAY}, "wait", "minimum-age"),
        ({"files": 0}, "wait", "files-unknown"),
        ({"unverifiable": 2}, "wait", "digest-unknown"),
        ({"unverifiable": 1}, "eligible", "old-enough"),
        ({"last_file": AT - 100}, "wait", "settling"),
        ({"burst": True}, "wait", "burst"),
        ({"backlog": 10}, "wait", "high-water"),
        ({"backlog": 9}, "eligible", "old-enough"),
    ],
)
def test_each_fact_decides_by_its_own_rule(facts, verdict, rule):
    assert decided(**facts) == (verdict, rule)


def test_E12_the_age_is_reached_to_the_second():
    assert decided(AT + 3 * DAY - 1, first_seen=AT)[0] == "wait"
    assert decided(AT + 3 * DAY, first_seen=AT)[0] == "eligible"
    waiting = decide(replace(READY, first_seen=AT), RULE, AT, high_water=10)
    assert waiting.look_at == AT + 3 * DAY


def test_C18_a_release_without_a_date_waits_from_our_first_sight():
    assert decided(AT + 2 * DAY, first_seen=AT) == ("wait", "minimum-age")


def test_E14_what_mends_a_known_hole_does_not_wait():
    assert decided(first_seen=AT, advisory=True, last_file=AT - 999)[0] == "eligible"


def test_a_state_that_speaks_against_it_comes_before_all_else():
    assert decided(state=State.QUARANTINED, advisory=True, held="x") == (
        "refused",
        "state-quarantined",
    )


def test_the_first_entry_that_fits_decides():
    rules = [Build(match="pkg:pypi/a*"), Build(match="pkg:pypi/*", priority=5)]

    assert rule_for("pkg:pypi/abc", rules) is rules[0]
    assert rule_for("pkg:pypi/b", rules) is rules[1]
    assert rule_for("pkg:cargo/b", rules) is None
    assert rule_for("pkg:pypi/[x]", [Build(match="pkg:pypi/[x]")]) is not None


def test_E09_by_new_hands_it_must_be_twice_as_old():
    assert decided(first_seen=AT - 4 * DAY, new_hands=True) == ("wait", "new-maintainer")
    waits = decide(replace(READY, new_hands=True), RULE, AT, high_water=10)
    assert waits.look_at == AT + 2 * DAY
    assert decided(first_seen=AT - 6 * DAY, new_hands=True) == ("eligible", "old-enough")


def test_E08_what_it_says_of_itself_is_waited_for_so_long_and_no_longer():
    assert decided(awaited=AT + 1) == ("wait", "traits-unknown")
    assert decided(awaited=AT) == ("eligible", "old-enough")
