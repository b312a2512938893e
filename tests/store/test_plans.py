"""What a visit and a turn of the policy cost does not grow with what is stored."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from monitor import digests, publish
from monitor.model import Mention
from monitor.settings import Build, Builds
from monitor.store import events, jobs, projects
from tests.store.shelf import release

GROWING = {"project", "listing", "version", "sighting", "event", "file", "job", "decision", "trait"}


@contextmanager
def statements(db: sqlite3.Connection) -> Iterator[list[str]]:
    """Those that are run meanwhile, with their values."""
    found: list[str] = []
    db.set_trace_callback(found.append)
    try:
        yield found
    finally:
        db.set_trace_callback(None)


def scans(db: sqlite3.Connection, found: list[str]) -> set[tuple[str, str]]:
    """Tables that are gone through from end to end, with the statement that does it.

    A partial index of what is open is no such thing: it holds little.
    """
    bad = set()
    for one in found:
        if not re.match(r"\s*(SELECT|UPDATE|DELETE)", one):
            continue
        for row in db.execute(f"EXPLAIN QUERY PLAN {one}"):
            said = row["detail"].split(" ")
            partial = re.search(
                r"INDEX (job_free|job_waiting|job_failed|listing_due)", row["detail"]
            )
            newest = re.search(r"max\(|ORDER BY seq DESC", one)
            if said[0] == "SCAN" and said[1] in GROWING and not partial and not newest:
                bad.add((row["detail"], " ".join(one.split())))
    return bad


@pytest.fixture
def full(shelf):
    """Two sources that know one another's projects, an index among them, and a watched project."""
    shelf.add("main", "feed", "index", "versions", purl="pypi", ordering="pep440")
    shelf.add("tree", "index", purl="pypi", ordering="pep440")
    shelf.feed(release("1.0"))
    shelf.index(Mention("foo", "1"), Mention("bar", "1"))
    shelf.versions("1.0", "1.1")
    shelf.index(release("1.0"), release("1.0", "own"), source="tree")
    shelf.db.execute("INSERT INTO watch (project, added) VALUES (1, 0)")
    return shelf


@pytest.mark.parametrize("large", [False, True])
def test_a_visit_goes_through_no_table_that_grows(full, large):
    full.large = large
    with statements(full.db) as found:
        full.versions("1.0", "1.1", "1.2")
        full.feed(release("1.3"), release("1.0", "f00"), release("1.0", "new"))
        full.index(release("1.0"), release("1.1"), release("1.0", "other"), source="tree")

    assert scans(full.db, found) == set()


def test_a_turn_of_the_policy_goes_through_no_table_that_grows(full):
    builds = Builds(settle=0.0, build=(Build(match="pkg:pypi/*", minimum_age=0.0),))
    context = publish.Context(builds, {one.id: one for one in full.sources.values()})
    full.versions(release("1.2", digests="a"))
    with statements(full.db) as found:
        publish.advance(full.db, context, full.at)
        digests.missing(full.db, full.at)
        jobs.take(full.db, "worker", full.at, 60, 3)

    assert full.db.execute("SELECT count(*) FROM job").fetchone()[0] == 1
    assert scans(full.db, found) == set()


def test_who_watches_little_is_asked_no_more_than_that(full):
    with statements(full.db) as found:
        assert projects.watched_ids(full.db) == {"pkg:pypi/foo": 1}
        projects.names(full.db)
        events.of_watched(full.db)

    assert scans(full.db, found) == set()
