"""Files that others read appear whole or not at all (R6, F06, H04)."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import StoreError
from monitor.outputs import files
from monitor.outputs.files import from_ns, to_ns, write_whole

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def test_content_and_time_are_what_was_asked_for(tmp_path: Path):
    assert write_whole(tmp_path / "a", b"one", mtime=AT)
    assert files.read_plain(tmp_path / "a") == (b"one", AT)
    assert write_whole(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))
def test_times_survive_to_the_microsecond(at: datetime):
    at = at.replace(tzinfo=UTC)
    assert from_ns(to_ns(at)) == at


def test_without_replace_the_first_one_stays(tmp_path: Path):
    assert write_whole(tmp_path / "a", b"first", replace=False)
    assert not write_whole(tmp_path / "a", b"second", replace=False)
    assert (tmp_path / "a").read_bytes() == b"first"


def test_of_many_writers_without_replace_exactly_one_wins(tmp_path: Path):
    wins: list[bytes] = []

    def one(number: int) -> None:
        data = str(number).encode()
        if write_whole(tmp_path / "a", data, replace=False):
            wins.append(data)

    writers = [threading.Thread(target=one, args=(number,)) for number in range(16)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert wins == [(tmp_path / "a").read_bytes()]


def test_a_reader_never_sees_a_part(tmp_path: Path):
    target, contents = tmp_path / "a", {bytes([65 + n]) * 50_000 for n in range(4)}
    write_whole(target, min(contents))
    seen: set[bytes] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(target.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for data in sorted(contents) * 10:
        write_whole(target, data)
    stop.set()
    reader.join()
    assert seen <= contents


@pytest.mark.parametrize("replace", [True, False])
def test_F06_a_link_at_the_target_is_refused_and_its_goal_untouched(tmp_path: Path, replace: bool):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").symlink_to(outside)
    with pytest.raises(StoreError, match="link") as refused:
        write_whole(folder / "a", b"theirs", replace=replace)
    assert str(folder / "a") in str(refused.value)
    assert outside.read_text() == "mine"
    with pytest.raises(StoreError, match="link"):
        files.read_plain(folder / "a")
    with pytest.raises(StoreError, match="link"):
        files.remove(folder / "a")


def test_F06_folders_and_pipes_at_the_target_are_refused(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(StoreError, match=name if name == "folder" else "no file"):
            write_whole(tmp_path / name, b"x")


def test_a_missing_or_wrong_folder_is_named_with_what_to_do(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="create the folder"):
        write_whole(tmp_path / "nowhere" / "a", b"x")
    with pytest.raises(StoreError, match="something else stands"):
        write_whole(tmp_path / "file" / "a", b"x")


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of one megabyte, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=20", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("may not mount a file system here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_H04_a_full_disk_leaves_the_old_file_and_no_part(small_disk: Path):
    write_whole(small_disk / "a", b"old")
    with pytest.raises(StoreError, match="make room") as full:
        write_whole(small_disk / "a", b"x" * (2 << 20))
    assert str(small_disk / "a") in str(full.value)
    assert (small_disk / "a").read_bytes() == b"old"
    assert [p.name for p in small_disk.iterdir()] == ["a"]
    write_whole(small_disk / "a", b"new")
    assert (small_disk / "a").read_bytes() == b"new"


def test_H05_without_inodes_or_write_access_it_says_so(small_disk: Path):
    written = 0

    def fill() -> None:
        nonlocal written
        while written < 40:
            write_whole(small_disk / str(written), b"")
            written += 1

    with pytest.raises(StoreError, match="make room"):
        fill()
    assert 0 < written < 20
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match="read-only"):
        write_whole(small_disk / "0", b"x")


def test_a_write_that_is_cut_short_leaves_no_part(tmp_path: Path):
    write_whole(tmp_path / "a", b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
        with pytest.raises(StoreError, match="large"):
            write_whole(tmp_path / "a", b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


def test_H01_killed_at_any_moment_files_are_whole_and_the_rest_is_swept(tmp_path: Path):
    program = (
        "import sys, pathlib\n"
        "from monitor.outputs.files import write_whole\n"
        "target = pathlib.Path(sys.argv[1]) / 'a'\n"
        "print('go', flush=True)\n"
        "n = 0\n"
        "while True:\n"
        "    n += 1\n"
        "    write_whole(target, bytes([65 + n % 26]) * 200_000)\n"
    )
    for pause in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        child.stdout.readline()
        threading.Event().wait(0.01 + pause * 0.007)
        child.kill()
        child.wait()
        child.stdout.close()
        if (tmp_path / "a").exists():
            data = (tmp_path / "a").read_bytes()
            assert len(data) == 200_000
            assert len(set(data)) == 1
    files.sweep(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} <= {"a"}


def test_moving_and_removing_say_whether_there_was_anything(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    write_whole(tmp_path / "one" / "a", b"x", mtime=AT - timedelta(days=1))
    assert files.move(tmp_path / "one" / "a", tmp_path / "two" / "a")
    assert not files.move(tmp_path / "one" / "a", tmp_path / "two" / "a")
    assert files.read_plain(tmp_path / "two" / "a") == (b"x", AT - timedelta(days=1))
    assert files.remove(tmp_path / "two" / "a")
    assert not files.remove(tmp_path / "two" / "a")
    assert files.read_plain(tmp_path / "two" / "a") is None
