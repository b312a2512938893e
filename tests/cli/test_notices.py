"""What people are told: few messages, of what they asked for, and nothing but text."""

from __future__ import annotations

import signal
import subprocess
import time

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Event, Kind
from monitor.outputs.notices import LINES, compose, wanted
from monitor.settings import NotifySettings
from tests.cli.conftest import ROOT, Cli


def event(kind: Kind = Kind.RELEASED, project: str = "pkg:pypi/x", **payload: object) -> Event:
    return Event(kind, project, "1.0", "pypi", payload)


def test_only_what_was_asked_for_is_told():
    asked = wanted(NotifySettings(kinds=("released", "yanked"), match=("pkg:pypi/*",)))

    assert asked(event())
    assert asked(event(Kind.YANKED))
    assert not asked(event(Kind.QUEUED))
    assert not asked(event(project="pkg:cargo/x"))
    assert not asked(event(stable=False))
    assert wanted(NotifySettings(stable_only=False))(event(stable=False))


@given(st.lists(st.builds(event, project=st.text(min_size=1), reason=st.text()), min_size=1))
def test_F21_each_event_is_one_line_of_plain_text(events):
    title, body = compose(events)

    assert title.isprintable()
    assert all(line.isprintable() for line in body.split("\n"))
    assert len(body.split("\n")) == min(len(events), LINES + 1)


def test_many_events_are_one_message_and_counted():
    title, body = compose([event()] * (LINES + 7))

    assert title.startswith(str(LINES + 7))
    assert body.endswith("and 7 more")


def test_ctrl_c_ends_a_question_without_a_word(cli: Cli, registry):
    registry.fail("/pypi/simple/aurora/", status=None, delay=20, times=None)
    asking = subprocess.Popen(cli.argv("check", "pypi/aurora"), env=cli.environ(), cwd=ROOT,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    end = time.monotonic() + 20
    while not registry.requests("/pypi/simple/aurora/") and time.monotonic() < end:
        time.sleep(0.05)
    asking.send_signal(signal.SIGINT)
    out, err = asking.communicate(timeout=20)

    assert (asking.returncode, out, err.strip()) == (130, b"", b"")
