"""How things are printed: nothing a terminal would obey, nothing wider than it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import render


@given(st.text())
def test_F21_no_text_of_an_upstream_reaches_a_terminal_as_a_command(text):
    shown = render.clean(text)

    assert shown.isprintable()
    if text.isprintable():
        assert shown == text


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=5))
def test_a_table_fits_the_width_and_keeps_one_line_a_row(rows):
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr(render.click, "echo", printed.append)
        patch.setenv("COLUMNS", "40")
        render.table(("ONE", "TWO"), rows)

    lines = "\n".join(printed).split("\n") if printed else []
    assert all(render._width(line) <= 40 for line in lines)
    assert len(lines) in (0, len(rows) + 1)


def test_a_column_that_says_nothing_is_left_out(capsys):
    render.table(("A", "B", "C"), [("1", "", "-"), ("2", "x", "-")])

    assert capsys.readouterr().out.splitlines() == ["A  B", "1", "2  x"]


def test_wide_letters_take_two_columns(capsys):
    render.table(("NAME", "VERSION"), [("日本", "1"), ("ab", "2")])

    _, wide, narrow = capsys.readouterr().out.splitlines()
    assert (wide, narrow) == ("日本  1", "ab    2")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "now"), (1, "1 s ago"), (59, "59 s ago"), (60, "1 minute ago"), (7200, "2 hours ago"),
     (-300, "in 5 minutes"), (86400 * 40, "1 month ago"), (86400 * 800, "2 years ago")],
)  # fmt: skip
def test_times_are_told_in_words(seconds, words):
    assert render.ago(1_000_000_000 - seconds, 1_000_000_000) == words


def test_programs_get_exact_times():
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    assert render.iso(moment) == render.iso(int(moment.timestamp())) == "2026-01-02T03:04:05Z"
    assert json.loads(render.as_json({"at": moment})) == {"at": "2026-01-02T03:04:05Z"}


@given(st.integers(min_value=0, max_value=1 << 45))
def test_sizes_are_short(count):
    assert len(render.size(count)) <= 13


class Terminal:
    def __init__(self, tty):
        self.tty = tty

    def isatty(self):
        return self.tty


@pytest.mark.parametrize(
    ("tty", "environ", "colours"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False),
     (True, {"NO_COLOR": ""}, True), (True, {"TERM": "dumb"}, False)],
)  # fmt: skip
def test_colours_are_for_terminals_that_want_them(monkeypatch, tty, environ, colours):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert render.colourful(Terminal(tty)) is colours
    assert not render.colourful(None)
