"""Backups, and what a restored store says (faults H11, H12)."""

from __future__ import annotations

import random
import sqlite3

import pytest

from monitor.errors import StoreError
from monitor.model import Kind, Mention
from monitor.store import NAME, epoch, open_reader, open_writer
from monitor.store.backup import FOLDER, backup, check, daily, restore
from monitor.store.lock import Busy, lock
from tests.store.shelf import AT, DAY, Shelf, release


@pytest.fixture
def filled(shelf, tmp_path):
    shelf.add("shelf", "feed", "index", "versions", follow="all")
    shelf.index(*(Mention(f"p{n}", "1") for n in range(50)))
    shelf.feed(*(release("1.0", f"p{n}") for n in range(10)))
    shelf.feed(*(release("1.0", f"p{n}") for n in range(3, 13)))
    return shelf


def again(folder, at):
    """The same program after a restart."""
    found = Shelf(folder, at)
    found.add("shelf", "feed", "index", "versions", follow="all")
    return found


def test_H12_a_restored_store_has_another_epoch_and_announces_nothing_twice(filled, tmp_path):
    copy = tmp_path / "copy.db"
    backup(filled.db, copy)
    filled.feed(*(release("1.0", f"p{n}") for n in range(6, 16)))  # told, and then lost
    told, life = filled.count(Kind.RELEASED), epoch(filled.db)
    filled.db.close()
    former = restore(filled.folder, copy, filled.at + DAY)
    shelf = again(filled.folder, filled.at + DAY)

    assert (told, shelf.count(Kind.RELEASED)) == (6, 3)
    assert epoch(shelf.db) != life
    shelf.feed(*(release("1.0", f"p{n}") for n in range(6, 16)))
    shelf.versions("0.9", "1.0", release("1.1", "p14", at=AT + 500), project="p14")
    shelf.index(*(Mention(f"p{n}", "2") for n in range(50)))
    assert shelf.count(Kind.RELEASED) == 3
    assert "1.0" in shelf.states("p15")  # known, and no news
    shelf.feed(*(release("1.0", f"p{n}") for n in range(7, 17)))
    assert shelf.released("p16") == ["1.0"]
    shelf.db.close()
    assert former is not None
    assert check(sqlite3.connect(former)) == []


def test_H12_what_may_have_been_queued_since_is_not_queued_again(filled, tmp_path):
    from monitor.store import jobs

    at = filled.at
    for version, look_at in ((1, at + 60), (2, at + 9 * DAY)):
        jobs.propose(filled.db, version, "*", at)
        filled.db.execute("UPDATE job SET look_at = ? WHERE version = ?", (look_at, version))
    copy = tmp_path / "copy.db"
    backup(filled.db, copy)
    filled.db.close()
    restore(filled.folder, copy, at + DAY)
    db = open_writer(filled.folder)

    assert [row["state"] for row in jobs.listed(db)] == ["superseded", "waiting"]
    db.close()


def test_a_damaged_or_strange_file_is_no_backup_and_changes_nothing(filled, tmp_path):
    strange, torn = tmp_path / "strange.db", tmp_path / "torn.db"
    other = sqlite3.connect(strange)
    other.execute("CREATE TABLE t (a)")
    other.commit()
    other.close()
    backup(filled.db, torn)
    with torn.open("r+b") as file:
        file.truncate(torn.stat().st_size // 2)
    life = epoch(filled.db)
    filled.db.close()
    for file in (strange, torn):
        with pytest.raises(StoreError):
            restore(filled.folder, file)
    db = open_reader(filled.folder)

    assert epoch(db) == life
    db.close()


def test_a_folder_that_is_in_use_is_not_restored(filled, tmp_path):
    backup(filled.db, tmp_path / "copy.db")
    with lock(filled.folder), pytest.raises(Busy):
        restore(filled.folder, tmp_path / "copy.db")


def test_one_backup_a_day_is_made_and_the_oldest_ones_go(filled):
    made = [daily(filled.db, filled.folder, 3, AT + n * DAY // 2) for n in range(10)]

    assert sum(path is not None for path in made) == 6
    assert len(list((filled.folder / FOLDER).iterdir())) == 3


def test_H11_a_damaged_database_is_noticed_and_drives_no_backup_out(filled):
    kept = daily(filled.db, filled.folder, 1, AT)
    filled.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    filled.db.close()
    path, dice = filled.folder / NAME, random.Random(1)
    body = bytearray(path.read_bytes())
    for _ in range(100):
        body[dice.randrange(4096, len(body))] ^= 0xFF
    path.write_bytes(body)

    found = sqlite3.connect(path)
    assert check(found)
    found.close()
    with pytest.raises(StoreError):
        _another_day(filled.folder)
    assert kept is not None
    assert kept.exists()


def _another_day(folder):
    db = open_reader(folder)
    try:
        daily(db, folder, 1, AT + DAY)
    finally:
        db.close()


def test_H09_writes_go_on_while_a_reader_holds_on(filled):
    reader = open_reader(filled.folder)
    reader.execute("BEGIN")
    before = reader.execute("SELECT count(*) FROM event").fetchone()[0]
    filled.feed(*(release("1.0", f"p{n}") for n in range(6, 16)))

    assert reader.execute("SELECT count(*) FROM event").fetchone()[0] == before
    reader.execute("COMMIT")
    assert reader.execute("SELECT count(*) FROM event").fetchone()[0] == before + 3
    reader.close()
