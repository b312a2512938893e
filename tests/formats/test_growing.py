"""Files that only grow, read from where we were."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from monitor.formats import growing
from monitor.model import Reply

URL = "https://up.example/versions"


def ask(body, cursor, *, ranges=True):
    """What a server that holds `body` answers, as the transport brings it."""
    request = growing.since(URL, cursor)
    start = re.fullmatch(r"bytes=(\d+)-", dict(request.headers).get("range", ""))
    if ranges and start and int(start[1]) < len(body):
        return Reply(request, BytesIO(body[int(start[1]) :]), status=206)
    # Beyond the end: the transport asks again without the range.
    return Reply(structs.replace(request, headers=()), BytesIO(body))


def read(body, cursor, **how):
    """What is new in it, the next cursor, and why that may not be all."""
    found = growing.appended(ask(body, cursor, **how))
    if found is None:
        found = growing.appended(ask(body, None))
    assert found is not None
    return found.text, found.cursor.value, found.anew


LINES = st.lists(st.binary(max_size=300).map(lambda line: line.replace(b"\n", b"") + b"\n"))


@given(LINES.filter(bool), st.lists(LINES, max_size=6), st.booleans())
def test_D08_what_is_appended_is_read_once_and_nothing_else(base, more, ranges):
    body = b"".join(base)
    _, cursor, anew = read(body, None)
    assert anew
    for lines in more:
        added = b"".join(lines)
        body += added
        text, cursor, anew = read(body, cursor, ranges=ranges)
        assert (text, anew) == (added, None)


@given(LINES.filter(bool), LINES.filter(bool), st.booleans())
def test_D08_a_file_that_was_written_anew_is_known_by_its_seam(before, after, ranges):
    old, new = b"".join(before), b"".join(after)
    _, cursor, _ = read(old, None)
    text, cursor, anew = read(new, cursor, ranges=ranges)

    if new.startswith(old):
        assert (text, anew) == (new[len(old) :], None)
    elif len(old) <= growing.SEAM:  # all of it is compared
        assert text == b""
        assert anew
    assert read(new + b"x\n", cursor, ranges=ranges) == (b"x\n", *read(new + b"x\n", cursor)[1:])


def test_D08_only_the_seam_and_what_is_new_are_asked_for():
    body = b"".join(b"gem-%d 1.0\n" % n for n in range(100_000))
    _, cursor, _ = read(body, None)
    reply = ask(body + b"late 1.0\n", cursor)

    assert reply.status == 206
    assert len(reply.bytes()) == growing.SEAM + 9


def test_a_line_that_is_not_whole_yet_is_read_when_it_is():
    _, cursor, _ = read(b"a\n", None)
    text, cursor, _ = read(b"a\nb\nc", cursor)
    assert text == b"b\n"
    text, _, anew = read(b"a\nb\ncd\n", cursor)

    assert (text, anew) == (b"cd\n", None)


@pytest.mark.parametrize("cursor", ["", "9", "9 4 xyz", "7 9 0123456789abcdef", "-1 0 0"])
def test_a_cursor_of_something_else_is_none(cursor):
    assert growing.since(URL, cursor).headers == ()


def test_A33_a_server_that_sends_the_whole_file_is_read_behind_the_seam():
    _, cursor, _ = read(b"a\nb\n", None)

    assert read(b"a\nb\nc\n", cursor, ranges=False)[0] == b"c\n"
    assert read(b"b\na\nc\n", cursor, ranges=False)[0] == b""


def test_what_has_no_lines_is_no_such_file():
    with pytest.raises(ValueError, match="no line"):
        growing.appended(Reply(growing.since(URL, None), BytesIO(b"[]")))
