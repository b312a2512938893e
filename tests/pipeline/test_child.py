"""Programs are run with limits, and end with everything they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import child

PYTHON = sys.executable


def python(text: str, **settings: object) -> child.Finished:
    return child.run([PYTHON, "-c", text], **{"timeout": 30, **settings})


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_output_and_status_come_back_and_the_log_has_them_too(tmp_path: Path):
    log = tmp_path / "log"
    ended = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", log=log)
    assert ended.status == 3
    assert sorted(ended.text.split()) == ["err", "out"]
    assert log.read_bytes() == ended.output


def test_F13_arguments_are_never_read_by_a_shell(tmp_path: Path):
    hostile = [f"$(touch {tmp_path}/x)", "; id", "`id`", "a\nb", "*"]
    ended = child.run([PYTHON, "-c", "import sys; print(sys.argv[1:])", *hostile], timeout=30)
    assert ended.output.decode().strip() == str(hostile)
    assert list(tmp_path.iterdir()) == []


def test_what_stays_too_long_is_ended_with_its_children(tmp_path: Path):
    note = tmp_path / "pid"
    text = (
        "import subprocess, sys, pathlib, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(p.pid)); time.sleep(99)"
    )
    ended = python(text, timeout=1.5)
    assert ended.timed_out
    time.sleep(0.2)
    assert not alive(int(note.read_text()))


def test_what_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(child, "GRACE", 0.3)
    text = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(99)"
    ended = python(text, timeout=1)
    assert ended.timed_out
    assert ended.status == -signal.SIGKILL


def test_a_grandchild_that_keeps_the_pipe_does_not_keep_us():
    text = (
        "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'])\n"
        "print('done', flush=True)"
    )
    ended = python(text)
    assert (ended.status, ended.text.strip(), ended.timed_out) == (0, "done", False)


def test_a_flood_of_output_is_bounded_at_both_ends(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(child, "HEAD", 10_000)
    monkeypatch.setattr(child, "TAIL", 100_000)
    text = "print('first'); print('x' * 5_000_000); print('last')"
    ended = python(text, log=tmp_path / "log")
    assert len(ended.output) < 300_000
    assert ended.text.startswith("first")
    assert ended.text.endswith("last\n")
    assert "bytes left out" in ended.text
    assert (tmp_path / "log").stat().st_size == 10_000


def test_the_tick_can_end_the_child(tmp_path: Path):
    note, calls = tmp_path / "pid", []

    def tick() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise LookupError

    text = f"import os, pathlib, time; pathlib.Path({str(note)!r}).write_text(str(os.getpid()))\n"
    with pytest.raises(LookupError):
        python(text + "time.sleep(99)", tick=tick, every=0.4)
    assert not alive(int(note.read_text()))


def test_when_we_are_killed_the_child_goes_too(tmp_path: Path):
    note = tmp_path / "pid"
    inner = f"import os, pathlib, time; pathlib.Path({str(note)!r}).write_text(str(os.getpid()))"
    inner += "; time.sleep(99)"
    outer = f"from pipeline import child; child.run([{PYTHON!r}, '-c', {inner!r}], timeout=99)"
    parent = subprocess.Popen([PYTHON, "-c", outer], cwd=Path(__file__).parents[2])
    while not (note.exists() and note.read_text()):
        time.sleep(0.02)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    until = time.monotonic() + 5
    while alive(int(note.read_text())) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(int(note.read_text()))


def test_a_missing_program_is_told_as_such():
    with pytest.raises(FileNotFoundError):
        child.run(["no-such-program-here"], timeout=5)


def test_F21_what_is_shown_cannot_drive_a_terminal():
    assert child.printable("a\x1b[2Jb\r\nc\x00\td\u202e") == "a�[2Jb\nc�\td�"
