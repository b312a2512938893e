"""The one writer: group commit, failures of one and of all, full disks, locks, schemas."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from monitor.errors import StoreError, UsageError
from monitor.model import Kind
from monitor.store import NAME, events, open_reader, open_writer
from monitor.store.backup import check
from monitor.store.lock import Busy, lock
from monitor.store.writer import AWAY, Writer


@pytest.fixture
def writer(tmp_path):
    found = Writer(tmp_path / "state")
    yield found
    found.close()


def tell(text="x"):
    return lambda db: events.tell(db, Kind.GAP, 1, payload={"text": text})


def texts(folder):
    db = open_reader(folder)
    try:
        return [event.payload["text"] for event in events.follow(db, 0)]
    finally:
        db.close()


def held_up(writer, *writes):
    """Submit these while the writer is busy, so that they are committed together."""
    go = threading.Event()
    first = writer.submit(lambda db: go.wait())
    while not writer._tasks.empty():
        pass
    done = [writer.submit(write) for write in writes]
    before = writer.progress
    go.set()
    first.result()
    return done, before


def test_what_waits_together_is_committed_together(writer):
    done, before = held_up(writer, *(tell(n) for n in range(100)))

    assert [one.result() for one in done] == list(range(1, 101))
    assert writer.progress - before <= 2  # what held them up, and they
    assert texts(writer.folder) == list(range(100))


@pytest.mark.parametrize(
    "fault",
    [
        lambda db: 1 / 0,
        lambda db: db.execute("INSERT INTO event (seq, at) VALUES (1, NULL)"),
        lambda db: db.execute("SELECT nothing FROM nowhere"),
        lambda db: db.execute("INSERT INTO listing VALUES (9, 9)"),
    ],
)
def test_a_function_that_fails_takes_none_of_the_others_with_it(writer, fault):
    def half(db):
        tell("half")(db)
        fault(db)

    done, _ = held_up(writer, tell("a"), half, tell("b"))

    done[0].result()
    with pytest.raises((ZeroDivisionError, sqlite3.Error)):
        done[1].result()
    done[2].result()
    assert texts(writer.folder) == ["a", "b"]


def test_an_error_of_ours_reaches_the_caller_as_it_is(writer):
    def refuse(db):
        raise UsageError("job 1", "no")

    with pytest.raises(UsageError, match="job 1"):
        writer(refuse)


def test_a_write_that_was_cancelled_before_its_turn_is_not_made(writer):
    go = threading.Event()
    writer.submit(lambda db: go.wait())
    late = writer.submit(tell("late"))
    assert late.cancel()
    go.set()
    writer(tell("next"))

    assert texts(writer.folder) == ["next"]


def test_closing_writes_what_waits_and_then_takes_nothing(tmp_path):
    writer = Writer(tmp_path)
    done = [writer.submit(tell(n)) for n in range(50)]
    writer.close()

    assert all(one.done() for one in done)
    assert texts(tmp_path) == list(range(50))
    with pytest.raises(StoreError, match="closed"):
        writer(tell("late"))


# ── full disks ────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small(tmp_path):
    """A real file system of 4 MB."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)],
        check=False, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("only root may mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_H04_a_full_disk_is_a_clean_error_and_loses_nothing(small):
    writer = Writer(small)
    acknowledged, refused = 0, []
    for n in range(60):
        if n % 3 == 1:
            (small / "filler").write_bytes(b"")
            room = shutil.disk_usage(small).free
            (small / "filler").write_bytes(bytes(max(0, room - 8192 * (n % 4))))
        elif n % 3 == 2:
            (small / "filler").unlink()
        for _ in range(4):
            try:
                writer(tell("x" * 3000 + str(n)))
                acknowledged += 1
            except StoreError as error:
                refused.append(error)
    (small / "filler").unlink(missing_ok=True)
    writer(tell("there is room again"))
    writer.close()

    assert refused
    assert all("disk is full" in (error.remedy or "") for error in refused)
    assert all(str(small) in error.where for error in refused)
    assert len(texts(small)) == acknowledged + 1
    db = sqlite3.connect(small / NAME)
    assert check(db) == []
    db.close()


def test_H05_a_limit_of_the_file_size_is_a_clean_error_too(tmp_path):
    """Also for those who may not mount: a quota, told by the kernel as EFBIG."""
    script = """
import resource, sys
from pathlib import Path
from monitor.errors import StoreError
from monitor.model import Kind
from monitor.store import events
from monitor.store.writer import AWAY, Writer
writer, told = Writer(Path(sys.argv[1])), 0
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
try:
    for _ in range(1000):
        writer(lambda db: events.tell(db, Kind.GAP, 1, payload={"text": "x" * 2000}))
        told += 1
except StoreError as error:
    assert error.remedy, error
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    writer(lambda db: events.tell(db, Kind.GAP, 1, payload={"text": "again"}))
    writer.close()
    print(told)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert len(texts(tmp_path)) == int(done.stdout) + 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match=str(tmp_path)):
        open_writer(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(StoreError, match="state"):
        open_writer(tmp_path / "state")
    with pytest.raises(StoreError, match="state"), lock(tmp_path / "state"):
        pass


# ── locks and schemas ─────────────────────────────────────────────────────────────────


def test_H08_a_second_writer_is_refused_and_told_who_is_there(tmp_path):
    script = """
import sys, time
from pathlib import Path
from monitor.store.lock import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(Busy, match=f"process {other.pid}"), lock(tmp_path):
            pass
        other.kill()
        other.wait()
    with lock(tmp_path):  # the lock dies with its holder
        pass


def test_H17_a_database_of_a_newer_program_is_refused_and_not_touched(tmp_path):
    open_writer(tmp_path).close()
    db = sqlite3.connect(tmp_path / NAME)
    db.execute("PRAGMA user_version = 9999")
    db.close()
    body = (tmp_path / NAME).read_bytes()
    for opening in (open_writer, open_reader):
        with pytest.raises(StoreError, match="schema 9999"):
            opening(tmp_path)

    assert (tmp_path / NAME).read_bytes() == body


def test_H17_a_database_of_somebody_else_is_refused(tmp_path):
    db = sqlite3.connect(tmp_path / NAME)
    db.execute("CREATE TABLE event (a)")
    db.close()
    with pytest.raises(StoreError, match="not a database of ours"):
        open_writer(tmp_path)


def test_H17_killed_while_it_migrates_a_database_is_old_or_new_and_never_between(tmp_path):
    script = """
import os, signal, sqlite3, sys
from pathlib import Path
from monitor import store
connect, left = store._connect, int(sys.argv[2])
def counted(path, *, uri):
    db = connect(path, uri=uri)
    def step(statement):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
    db.set_trace_callback(step)
    return db
store._connect = counted
store.open_writer(Path(sys.argv[1])).close()
"""
    for left in (*range(1, 30, 4), *range(30, 75, 3)):
        place = tmp_path / str(left)
        subprocess.run([sys.executable, "-c", script, str(place), str(left)], check=False)
        tables = 0
        if (place / NAME).exists():
            db = sqlite3.connect(place / NAME)
            version = db.execute("PRAGMA user_version").fetchone()[0]
            tables = db.execute(
                "SELECT count(*) FROM sqlite_master WHERE name IN ('event', 'job', 'pause')"
            ).fetchone()[0]
            db.close()
            assert (version, tables) in ((0, 0), (1, 3))
        db = open_writer(place)
        assert db.execute("SELECT count(*) FROM event").fetchone()[0] == 0
        db.close()


def test_there_is_nothing_to_read_before_anything_was_written(tmp_path):
    with pytest.raises(StoreError, match="no database yet"):
        open_reader(tmp_path)


def test_a_reader_cannot_write(tmp_path):
    open_writer(tmp_path).close()
    db = open_reader(tmp_path)
    with pytest.raises(sqlite3.OperationalError):
        tell()(db)
    db.close()


def test_a_folder_with_strange_letters_is_read_as_it_is_named(tmp_path):
    place = Path(tmp_path) / "a?b#c%d &=é"
    open_writer(place).close()
    open_reader(place).close()


# ── in a loop ─────────────────────────────────────────────────────────────────────────


async def test_what_a_loop_gives_is_written_in_its_order_quick_or_not(writer):
    dice = random.Random(4)
    told = []

    async def give(number):
        told.append(number)
        await writer.write(tell(number), quick=dice.random() < 0.7)

    async with asyncio.TaskGroup() as group:
        for number in range(400):
            group.create_task(give(number))
            if dice.random() < 0.2:
                await asyncio.sleep(0)

    assert texts(writer.folder) == told


async def test_quick_writes_of_one_turn_are_committed_together(writer):
    before = writer.progress
    await asyncio.gather(*(writer.write(tell(n), quick=True) for n in range(50)))

    assert writer.progress - before == 1
    assert texts(writer.folder) == list(range(50))


async def test_a_quick_write_runs_in_the_loop_and_a_long_one_does_not(writer):
    def who(db):
        return threading.current_thread()

    assert await writer.write(who, quick=True) is threading.current_thread()
    assert await writer.write(who) is not threading.current_thread()


async def test_a_quick_write_that_fails_takes_none_of_the_others_with_it(writer):
    def half(db):
        tell("half")(db)
        raise UsageError("job 1", "no")

    writes = [tell("a"), half, tell("b")]
    done = await asyncio.gather(
        *(writer.write(one, quick=True) for one in writes), return_exceptions=True
    )

    assert [type(one) for one in done] == [int, UsageError, int]
    assert texts(writer.folder) == ["a", "b"]


async def test_who_is_cancelled_does_not_undo_a_quick_write_that_has_to_run_again(writer):
    ran = []
    caller = None

    def first(db):
        ran.append(tell("a")(db))

    def fails(db):
        if len(ran) == 1:
            caller.cancel()  # it was done; what fails is another
        raise UsageError("job 1", "no")

    caller = asyncio.create_task(writer.write(first, quick=True))
    with pytest.raises(UsageError):
        await asyncio.gather(writer.write(fails, quick=True))
    with pytest.raises(asyncio.CancelledError):
        await caller

    await writer.write(tell("b"))
    assert len(ran) == 2
    assert texts(writer.folder) == ["a", "b"]


async def test_who_was_cancelled_before_does_not_run_when_others_run_again(writer):
    def fails(db):
        raise UsageError("job 1", "no")

    gone = asyncio.create_task(writer.write(tell("gone"), quick=True))
    others = [asyncio.create_task(writer.write(one, quick=True)) for one in (fails, tell("a"))]
    await asyncio.sleep(0)
    gone.cancel()
    done = await asyncio.gather(*others, return_exceptions=True)

    assert [type(one) for one in done] == [UsageError, int]
    assert texts(writer.folder) == ["a"]


async def test_another_program_that_writes_keeps_no_loop_waiting(writer):
    other = sqlite3.connect(writer.folder / NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(writer.write(tell("late"), quick=True))
    while writer._quick or not writer._tasks.unfinished_tasks:
        await asyncio.sleep(0)  # the loop turns all the while
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()

    await waiting
    assert texts(writer.folder) == ["late"]


async def test_a_loop_sees_to_its_sockets_between_many_quick_writes(writer):
    def slow(db):
        time.sleep(0.001)

    turns = 0
    writes = asyncio.gather(*(writer.write(slow, quick=True) for _ in range(200)))
    while not writes.done():
        turns += 1
        await asyncio.sleep(0)

    assert turns >= 200 * 0.001 / AWAY


def test_closing_writes_what_a_loop_has_left_behind(tmp_path):
    writer = Writer(tmp_path)

    async def leave():
        for n in range(5):
            asyncio.get_running_loop().create_task(writer.write(tell(n), quick=True))
        await asyncio.sleep(0)

    asyncio.run(leave())
    writer.close()

    assert texts(tmp_path) == list(range(5))


def test_one_writer_serves_one_loop_after_the_other(writer):
    for n in range(3):
        asyncio.run(writer.write(tell(n), quick=True))

    assert texts(writer.folder) == list(range(3))


async def test_H04_a_full_disk_is_a_clean_error_in_a_loop_too(small):
    writer = Writer(small)
    filler = small / "filler"
    filler.write_bytes(bytes(max(0, shutil.disk_usage(small).free - 8192)))
    refused = await asyncio.gather(
        *(writer.write(tell("x" * 9000), quick=True) for _ in range(20)), return_exceptions=True
    )
    filler.unlink()
    await writer.write(tell("there is room again"), quick=True)
    writer.close()

    assert all(isinstance(one, StoreError) for one in refused)
    assert all("disk is full" in (one.remedy or "") for one in refused)
    assert texts(small) == ["there is room again"]
