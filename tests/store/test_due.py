"""What is due: claims, fairness, clocks, restarts; and what rules and room cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from monitor.model import Kind, Mention, Outcome
from monitor.rules import Rules
from monitor.store import NAME, due, projects, traits, transaction
from monitor.store.appraise import re_evaluate
from monitor.store.record import OvertakenError
from tests.store.shelf import AT, DAY, release

HOUR = 3600


def claim(shelf, at, limit=1000, **more):
    with transaction(shelf.db):
        return due.claim_projects(shelf.db, list(shelf.sources.values()), at, limit, **more)


def fill(shelf, count):
    shelf.index(*(Mention(f"p{n}", "1") for n in range(count)))
    shelf.db.execute("UPDATE listing SET due = ? + project", (AT,))


def named(claimed, mechanism):
    [found] = [one for one in claimed if one.mechanism == mechanism]
    return found


def failed_once(shelf, outcome):
    """One project was asked, and is to be asked again in a day; returns its source."""
    fill(shelf, 1)
    (one,) = claim(shelf, AT + 100)
    shelf.failed(outcome, one.project, lease=one.lease, next=shelf.at + DAY)
    (source,) = shelf.sources.values()
    return source


def test_J03_the_longest_overdue_come_first_and_none_starves(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    fill(shelf, 100)
    order = []
    for n in range(40):
        for one in claim(shelf, AT + 1000 + n, 10):
            order.append(one.project)
            shelf.failed(Outcome.RETRY, one.project, lease=one.lease, next=AT + 1001 + n, after=0)

    assert order[:3] == ["p0", "p1", "p2"]
    assert all(order.count(f"p{n}") == 4 for n in range(100))


def test_what_is_claimed_is_nobody_elses(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    fill(shelf, 10)

    assert len(claim(shelf, AT + 100)) == 10
    assert claim(shelf, AT + 100) == []
    assert len(claim(shelf, AT + 100 + due.LEASE)) == 10


def test_D18_of_two_workers_with_one_feed_the_stale_one_is_refused_whole(shelf):
    source = shelf.add("shelf", "feed", "index")
    shelf.feed(release("1.0"))
    shelf.db.execute("UPDATE question SET due = ?", (shelf.at,))
    with transaction(shelf.db):
        slow = named(due.claim_questions(shelf.db, [source], shelf.at), "feed")
        assert due.claim_questions(shelf.db, [source], shelf.at + due.LEASE - 1) == []
        shelf.at += due.LEASE
        quick = named(due.claim_questions(shelf.db, [source], shelf.at), "feed")
    shelf.feed(release("1.1"), lease=quick.lease, cursor="7")
    told, stored = shelf.told(), dict(shelf.question("feed"))
    with pytest.raises(OvertakenError):
        shelf.feed(release("1.1"), release("0.9"), lease=slow.lease, cursor="6")

    assert shelf.told() == told == [("released", "1.1")]
    assert dict(shelf.question("feed")) == stored
    assert set(shelf.states()) == {"1.0", "1.1"}


def test_D18_while_the_second_worker_is_still_asking_the_stale_one_is_refused_too(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    fill(shelf, 1)
    [slow] = claim(shelf, AT + 100)
    [quick] = claim(shelf, AT + 100 + due.LEASE)
    with pytest.raises(OvertakenError):
        shelf.versions("1.0", project=slow.project, lease=slow.lease)
    with pytest.raises(OvertakenError):
        shelf.failed(Outcome.RETRY, slow.project, lease=slow.lease)
    assert shelf.listing("p0")["leased"] == AT + 100 + due.LEASE
    shelf.versions("1.0", project=quick.project, lease=quick.lease)

    assert shelf.listing("p0")["outcome"] == "ok"


def test_a_visit_that_takes_longer_than_its_lease_is_not_begun_anew_and_its_answer_is_taken(shelf):
    source = shelf.add("shelf", "index", "versions", follow="all")
    fill(shelf, 1)
    long = claim(shelf, AT + 100)
    for hour in range(1, 4):
        with transaction(shelf.db):
            later = due.claim(shelf.db, [source], AT + 100 + hour * HOUR, 10, long)
        assert [one.mechanism for one in later] == (["index"] if hour == 1 else [])
        long += later
    shelf.versions("1.0", project="p0", lease=long[0].lease)

    assert shelf.listing("p0")["outcome"] == "ok"


def test_what_is_announced_during_a_visit_is_asked_after_it_and_not_beside_it(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    fill(shelf, 1)
    [one] = claim(shelf, AT + 100)
    shelf.index(Mention("p0", "2"))
    assert claim(shelf, shelf.at) == []
    shelf.versions("1.0", project="p0", lease=one.lease, next=shelf.at + DAY)

    assert [one.project for one in claim(shelf, shelf.at)] == ["p0"]


def test_what_was_refused_is_due_at_once_where_its_source_is_asked_otherwise(shelf):
    shelf.add("shelf", "feed", "index", "versions", follow="all")
    source = failed_once(shelf, Outcome.BLOCKED)
    assert claim(shelf, shelf.at) == []
    with transaction(shelf.db):
        assert due.ask_anew(shelf.db, source, "without a contact", shelf.at) == 0
        assert due.ask_anew(shelf.db, source, "without a contact", shelf.at) == 0
        assert due.ask_anew(shelf.db, source, "with a contact", shelf.at) == 1

    assert [one.project for one in claim(shelf, shelf.at)] == ["p0"]


def test_an_upstream_that_asked_for_a_pause_keeps_it_whatever_the_settings(shelf):
    shelf.add("shelf", "feed", "index", "versions", follow="all")
    source = failed_once(shelf, Outcome.THROTTLED)
    with transaction(shelf.db):
        due.ask_anew(shelf.db, source, "one", shelf.at)
        assert due.ask_anew(shelf.db, source, "two", shelf.at) == 0


def test_H01_what_a_killed_process_was_asking_is_due_at_once_after_a_restart(shelf):
    shelf.add("shelf", "feed", "index", "versions", follow="all")
    fill(shelf, 10)
    with transaction(shelf.db):
        due.claim_questions(shelf.db, list(shelf.sources.values()), shelf.at + 9 * DAY)
    claim(shelf, AT + 100)
    due.void_leases(shelf.db, AT + 101)

    assert len(claim(shelf, AT + 101)) == 10
    assert shelf.question("feed")["due"] == AT + 101


def test_an_announcement_during_a_visit_is_not_forgotten(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    fill(shelf, 10)
    [one] = claim(shelf, AT + 1, 1)
    shelf.index(*(Mention(f"p{n}", "2") for n in range(10)))
    shelf.versions("1.0", project=one.project, lease=one.lease, next=shelf.at + 9 * DAY)

    assert shelf.listing(one.project)["due"] < shelf.at + 60


def test_H15_a_time_that_a_wrong_clock_put_far_ahead_comes_back(shelf):
    shelf.add("shelf", "feed", "index", "versions", follow="all")
    fill(shelf, 3)
    for table in ("listing", "question"):
        shelf.db.execute(f"UPDATE {table} SET due = 7258118400")  # the year 2200
    due.keep_pause(shelf.db, "up.example", 7258118400, "throttled", "x")
    shelf.add("shelf", "feed", "index", "versions", follow="all")

    for table in ("listing", "question"):
        [latest] = shelf.db.execute(f"SELECT max(due) FROM {table}").fetchone()
        assert latest <= shelf.at + 7 * DAY
    [pause] = due.pauses(shelf.db, shelf.at)
    assert pause["until"] <= shelf.at + DAY


def test_H13_a_clock_that_is_set_shifts_what_is_due_with_it(shelf):
    shelf.add("shelf", "feed", "index", "versions", follow="all")
    fill(shelf, 5)
    before = [
        row[0] for row in shelf.db.execute("SELECT due FROM listing UNION SELECT due FROM question")
    ]
    due.shift(shelf.db, 10 * 365 * DAY)
    assert claim(shelf, AT + 10 * 365 * DAY - 1) == []
    due.shift(shelf.db, -10 * 365 * DAY)
    after = [
        row[0] for row in shelf.db.execute("SELECT due FROM listing UNION SELECT due FROM question")
    ]

    assert after == before


def test_H13_E08_questions_about_releases_outlive_a_clock_that_is_set(shelf):
    """They would be given up as a week old, or wait for the year that the clock came from."""
    shelf.add("shelf", "versions")
    shelf.versions("1.0")
    shelf.db.execute(
        "INSERT INTO inquiry (version, project, source, quiet, added, due, ready)"
        " VALUES (1, 1, 1, 0, ?1, ?1 + 60, ?1 + 600)",
        (AT,),
    )
    shelf.db.execute("INSERT INTO file (version, url, added, tried) VALUES (1, 'u', ?1, ?1)", (AT,))
    for jump in (10 * 365 * DAY, -10 * 365 * DAY):
        shelf.at += jump
        due.shift(shelf.db, jump)
        traits.enlist(shelf.db, {}, lambda purl, watched: None, shelf.at)
        assert tuple(shelf.db.execute("SELECT added, due, ready FROM inquiry").fetchone()) == (
            shelf.at - 60, shelf.at, shelf.at + 540,
        )  # fmt: skip
        assert shelf.db.execute("SELECT tried FROM file").fetchone()[0] == shelf.at - 60


def test_C13_the_dry_run_of_other_rules_equals_the_deed_and_releases_nothing(shelf):
    source = shelf.add("shelf", "versions", ordering="generic")
    for _ in range(2):
        shelf.versions("1.0", "1.1", "1.3", "1.4", "2.0-nightly")
    number = shelf.project()
    rules = Rules(odd_minors=True)
    dry = re_evaluate(shelf.db, source, number, shelf.at, rules=rules)
    again = re_evaluate(shelf.db, source, number, shelf.at, rules=rules)
    done = re_evaluate(shelf.db, source, number, shelf.at, rules=rules, apply=True)

    assert dry == again == done
    assert ("1.3", True, False) in done.versions
    assert shelf.count(Kind.RELEASED) == 0
    rest = re_evaluate(shelf.db, source, number, shelf.at, rules=rules, apply=True)
    assert rest.versions == ()


def test_C13_another_newest_version_by_other_rules_is_told_as_that(shelf):
    source = shelf.add("shelf", "versions")
    for _ in range(2):
        shelf.versions("1.2", "1.3")
    result = re_evaluate(
        shelf.db, source, shelf.project(), shelf.at, rules=Rules(odd_minors=True), apply=True
    )

    assert result.stable == ("1.3", "1.2")
    assert shelf.told() == [("latest_changed", None)]


def test_watching_judges_what_is_known_already(shelf):
    source = shelf.add("shelf", "index")
    shelf.index(*(release(f"1.{n}") for n in range(5)))
    assert projects.by_purl(shelf.db, "pkg:generic/shelf/foo")["stable"] is None
    projects.watch(shelf.db, shelf.project(), shelf.at, source=source)

    assert projects.watched(shelf.db)[0]["stable"] == "1.4"


def test_a_version_costs_a_hundred_bytes_at_most_with_its_indexes(shelf):
    shelf.add("shelf", "index")
    count = 60_000
    shelf.index(
        *(release(f"1.{n % 50}.{n % 7}", f"project-{n // 50}", at=AT) for n in range(count))
    )
    shelf.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = (shelf.folder / NAME).stat().st_size

    assert size / count <= 100


def test_H22_the_same_visits_make_the_same_database_whatever_the_hashes(tmp_path):
    script = """
import sys
from pathlib import Path
from monitor.model import Mention
from tests.store.shelf import Shelf, release
shelf = Shelf(Path(sys.argv[1]))
shelf.add("shelf", "feed", "index", "versions", follow="all")
shelf.index(*(Mention(f"p{n}", "1") for n in range(20)))
shelf.feed(*(release("1.0", f"p{n}") for n in range(9)))
shelf.feed(*(release("1.1", f"p{n}", digests="ab") for n in range(9)))
shelf.versions("1.0", "1.1", "1.1.0", "2.0", project="p3")
shelf.versions("1.0", project="p3")
shelf.db.execute("DELETE FROM meta")
print("\\n".join(line for line in shelf.db.iterdump() if "migrations" not in line))
"""
    dumps = {
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / seed)],
            capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "4711")
    }  # fmt: skip

    assert len(dumps) == 1
    assert "INSERT INTO" in dumps.pop()


def test_J03_claiming_costs_the_same_however_many_projects_are_not_due(shelf):
    """Counted in steps of SQLite's machine, which no load of the computer changes."""
    shelf.add("shelf", "index", "versions", follow="all")
    steps = []
    for count in (500, 5000):
        fill(shelf, count)
        shelf.index(*(Mention(f"p{n}", "1") for n in range(count)))  # a list may only grow twice
        shelf.db.execute(
            "UPDATE listing SET leased = NULL, due = CASE WHEN project <= 10 THEN ? END", (AT,)
        )
        taken = []
        shelf.db.set_progress_handler(lambda: taken.append(1), 100)  # noqa: B023
        assert len(claim(shelf, AT + 1, 100)) == 10
        shelf.db.set_progress_handler(None, 0)
        steps.append(len(taken))

    assert steps[1] <= 2 * steps[0] + 2


def test_J03_a_registry_with_much_to_ask_keeps_nobody_from_asking_another(shelf):
    shelf.add("large", "index", "versions", follow="all")
    shelf.add("small", "versions", follow="all")
    fill(shelf, 500)
    shelf.versions("1.0", project="tiny", source="small")
    shelf.db.execute("UPDATE listing SET due = ? WHERE name = 'tiny'", (AT + 1000,))
    at = AT + 2000

    first = claim(shelf, at, 10)
    later = claim(shelf, at, 40, busy={"large": 30})

    assert [one.project for one in first].count("tiny") == 1
    assert {one.source for one in later} == {"large"}
    assert len(first + later) == len({one.project for one in first + later}) == 50


def test_J03_what_is_watched_is_asked_before_a_hundred_names_that_moved(shelf):
    shelf.add("shelf", "index", "versions", follow="all")
    fill(shelf, 100)
    source = shelf.sources["shelf"]
    with transaction(shelf.db):
        for name in ("p90", "p91", "p92", "p93"):
            projects.watch(shelf.db, shelf.project(name), AT, source=source)

    order = [one.project for one in claim(shelf, AT + 1000, 8)]

    assert order == ["p90", "p91", "p92", "p0", "p93", "p1", "p2", "p3"]  # nor do those starve
    with transaction(shelf.db):
        projects.unwatch(shelf.db, shelf.project("p94"))
        projects.unwatch(shelf.db, shelf.project("p90"))
    assert shelf.listing("p90")["eager"] == 0


def test_a_source_that_wants_few_at_a_time_gets_few(shelf):
    shelf.add("shy", "index", "versions", follow="all")
    fill(shelf, 20)

    assert claim(shelf, AT + 1000, 10, most={"shy": 0}) == []
    assert len(claim(shelf, AT + 1000, 10, most={"shy": 2}, busy={"shy": 1})) == 1
    assert len(claim(shelf, AT + 1000, 10, busy={"shy": 1})) == 10
