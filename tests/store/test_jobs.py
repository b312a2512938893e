"""The queue of builds: leases, fences, attempts, asides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from monitor.errors import UsageError
from monitor.model import Kind
from monitor.policy import Decision
from monitor.store import jobs, projects
from monitor.store.writer import Writer
from tests.store.shelf import AT, Shelf, release

GO = Decision("eligible", "old-enough", "now")


@pytest.fixture
def queue(shelf):
    """Three released versions with marked recipes."""
    shelf.add("shelf", "feed")
    shelf.feed(release("1.0"))
    shelf.feed(*(release(f"1.{n}") for n in (1, 2, 3)))
    fill(shelf)
    return shelf


def fill(shelf, marked=True):
    for row in shelf.db.execute("SELECT DISTINCT version FROM event WHERE kind = 'released'"):
        jobs.propose(shelf.db, row["version"], "*", AT)
    for job in jobs.to_decide(shelf.db, AT, 100_000):
        jobs.queue(
            shelf.db, job, name=f"foo__{job['label']}", recipe=f"FROM x # {job['label']}",
            digest=job["label"], at=AT, marked=marked, decision=GO,
        )  # fmt: skip


def take(shelf, at=AT, worker="w", lease=100, attempts=3):
    return jobs.take(shelf.db, worker, at, lease, attempts)


def fail(shelf, job, failure="timeout", at=AT, attempts=3):
    return jobs.fail(
        shelf.db,
        job["id"],
        job["fence"],
        at,
        failure=failure,
        text="x",
        attempts=attempts,
        pause=10,
    )


def test_a_job_is_given_to_one_worker_at_a_time(queue):
    given = [take(queue) for _ in range(4)]

    assert [job and job["version"] for job in given] == ["1.1", "1.2", "1.3", None]


def test_I06_a_silent_workers_job_is_free_again_and_its_late_report_is_refused(queue):
    first = take(queue)
    again = take(queue, AT + 101)
    assert again["id"] == first["id"]
    with pytest.raises(UsageError, match="not yours"):
        jobs.done(queue.db, first["id"], first["fence"], AT + 102, {})
    jobs.done(queue.db, again["id"], again["fence"], AT + 102, {"image": "x"})

    assert queue.count(Kind.BUILT) == 1


def test_a_report_behind_the_end_of_the_lease_is_refused_though_nobody_else_has_it(queue):
    job = take(queue)
    with pytest.raises(UsageError, match="lease"):
        jobs.done(queue.db, job["id"], job["fence"], AT + 100, {})
    assert queue.count(Kind.BUILT) == 0


def test_a_renewed_lease_holds(queue):
    job = take(queue)
    jobs.renew(queue.db, job["id"], job["fence"], AT + 99, 100)

    assert take(queue, AT + 150)["id"] != job["id"]
    jobs.done(queue.db, job["id"], job["fence"], AT + 198, {})


def test_the_same_report_twice_is_one_event(queue):
    job = take(queue)
    for _ in range(2):
        jobs.done(queue.db, job["id"], job["fence"], AT, {"explored": True})
    other = take(queue)
    for _ in range(2):
        fail(queue, other, "build")

    assert queue.told(Kind.EXPLORED, Kind.FAILED) == [("explored", "1.1"), ("failed", "1.2")]


def test_a_passing_failure_is_tried_again_after_a_pause_that_doubles(queue):
    at, waits = AT, []
    job = take(queue, at)
    for _ in range(2):
        waits.append(fail(queue, job, at=at)["free_at"] - at)
        at += waits[-1]
        while (job := take(queue, at))["version"] != "1.1":
            pass
    assert fail(queue, job, at=at)["state"] == "failed"
    assert waits == [10, 20]
    assert queue.count(Kind.FAILED) == 1


def test_a_failure_of_the_release_is_not_tried_again(queue):
    assert fail(queue, take(queue), "build")["state"] == "failed"


def test_a_job_whose_workers_all_fell_silent_ends(queue):
    for n in range(3):
        while (job := take(queue, AT + 101 * n)) and job["version"] != "1.1":
            pass
    while take(queue, AT + 400):
        pass
    [first] = [job for job in jobs.listed(queue.db) if job["version"] == "1.1"]

    assert (first["state"], first["failure"]) == ("failed", "timeout")


def test_a_failed_job_can_be_tried_again_by_a_person_only(queue):
    fail(queue, take(queue), "build")
    jobs.propose(queue.db, 2, "another rule", AT)
    assert len(jobs.listed(queue.db)) == 3
    with pytest.raises(UsageError):
        jobs.retry(queue.db, "foo__1.2", AT)
    jobs.retry(queue.db, "foo__1.1", AT)

    assert take(queue)["version"] == "1.1"


def test_an_unmarked_job_is_given_to_nobody(queue):
    jobs.mark(queue.db, "foo__1.1", AT, on=False, who="me")
    jobs.mark(queue.db, "foo__1.1", AT, on=False, who="me")
    assert take(queue)["version"] == "1.2"
    jobs.mark(queue.db, "pkg:generic/shelf/foo@1.1", AT, on=True, who="me")

    assert take(queue)["version"] == "1.1"
    assert queue.count(Kind.UNMARKED) == 1


def test_E15_a_revoked_release_is_taken_from_whoever_builds_it(queue):
    job = take(queue)
    version = queue.db.execute("SELECT version FROM job WHERE id = ?", (job["id"],)).fetchone()[0]
    assert jobs.revoke(queue.db, version, "malware", AT) == ["foo__1.1"]
    with pytest.raises(UsageError):
        jobs.done(queue.db, job["id"], job["fence"], AT, {})
    jobs.revive(queue.db, version, AT)

    assert jobs.show(queue.db, job["id"])["state"] == "waiting"
    assert jobs.show(queue.db, job["id"])["name"] == "foo__1.1"


def test_a_built_release_that_is_restored_is_not_built_again(queue):
    job = take(queue)
    jobs.done(queue.db, job["id"], job["fence"], AT, {"image": "x"})
    version = queue.db.execute("SELECT version FROM job WHERE id = ?", (job["id"],)).fetchone()[0]
    jobs.revoke(queue.db, version, "yanked", AT)
    jobs.revive(queue.db, version, AT)

    assert jobs.show(queue.db, job["id"])["state"] == "done"


def test_newest_wins_takes_what_no_builder_has(queue):
    take(queue)  # 1.1
    [newest] = [row for row in jobs.listed(queue.db) if row["version"] == "1.3"]
    versions = [
        row["id"] for row in queue.db.execute("SELECT id FROM version WHERE version < '1.3'")
    ]
    jobs.supersede_older(queue.db, jobs.find(queue.db, str(newest["id"])), versions, AT)

    assert {job["version"]: job["state"] for job in jobs.listed(queue.db)} == {
        "1.1": "taken", "1.2": "superseded", "1.3": "ready",
    }  # fmt: skip


def test_a_held_release_is_given_to_nobody_even_before_the_policy_has_noticed(queue):
    projects.hold(queue.db, queue.project(), "1.1", AT, who="me", why="no")

    assert take(queue)["version"] == "1.2"


def test_I08_the_same_release_is_never_queued_twice(queue):
    before = jobs.listed(queue.db)
    for rule in ("*", "pkg:*", "pkg:generic/*"):
        for row in queue.db.execute("SELECT id FROM version").fetchall():
            if row["id"] > 1:
                jobs.propose(queue.db, row["id"], rule, AT)

    assert jobs.listed(queue.db) == before


def test_I06_eight_claimers_get_each_job_once(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.add("shelf", "feed")
    shelf.db.execute("BEGIN")
    shelf.db.execute("COMMIT")
    shelf.feed(release("1.0"))
    shelf.feed(*(release(f"2.{n}") for n in range(400)))
    fill(shelf)
    shelf.db.close()
    writer = Writer(tmp_path)

    def work(name):
        done = []
        while job := writer(lambda db: jobs.take(db, name, AT, 100, 3)):
            writer(lambda db, job=job: jobs.done(db, job["id"], job["fence"], AT, {}))
            done.append(job["version"])
        return done

    with ThreadPoolExecutor(8) as pool:
        done = [version for found in pool.map(work, "abcdefgh") for version in found]
    writer.close()

    assert len(done) == len(set(done)) == 400
