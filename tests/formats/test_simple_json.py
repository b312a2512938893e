"""The list of all projects of a Python index."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats import simple_json
from monitor.model import Cursor, Mention, Unread
from tests.formats.answers import answer

INDEX = simple_json.Index("https://up.example/simple/", "application/json")
META = {"_last-serial": 9, "api-version": "1.4"}


def read(body):
    return [one for one in INDEX.read(answer(body)) if not isinstance(one, Cursor)]


def page(*projects):
    return {"meta": META, "projects": list(projects)}


def project(name="argset", serial=7):
    return {"_last-serial": serial, "name": name}


def test_each_project_is_mentioned_with_the_serial_of_its_last_change():
    assert read(page(project(), project("0", 3))) == [Mention("argset", "7"), Mention("0", "3")]


@pytest.mark.parametrize("layout", [{"indent": 1}, {"separators": (",", ":")}, {}])
def test_D04_the_list_s_own_serial_is_its_cursor_however_it_is_laid_out(layout):
    body = json.dumps(page(project(), project("z", 3)), **layout)

    assert list(INDEX.read(answer(body)))[-1] == Cursor("9")
    assert list(INDEX.bulk(answer(body)))[-1] == Cursor("9")


def test_an_index_without_a_serial_has_no_cursor():
    body = {"meta": {"api-version": "1.4"}, "projects": [project()]}

    assert list(INDEX.read(answer(body))) == [Mention("argset", "7")]
    assert len(list(INDEX.bulk(answer(body)))) == 1


def test_an_index_without_serials_mentions_the_projects_alone():
    assert read(page({"name": "x"})) == [Mention("x", None)]


def test_B01_an_empty_list_is_empty():
    assert read(page()) == []


@pytest.mark.parametrize("layout", [{"indent": 1}, {"separators": (",", ":")}, {}])
def test_a_long_list_is_read_in_pieces_whatever_the_layout(layout, monkeypatch):
    monkeypatch.setattr(simple_json, "PIECE", 200)
    projects = [project(f"p{number}", number) for number in range(300)]

    assert read(json.dumps(page(*projects), **layout)) == [
        Mention(f"p{number}", str(number)) for number in range(300)
    ]


def test_rows_say_the_same_as_findings():
    body = page(*[project(f"p{number}", number) for number in range(50)], {"name": "\x1b", "x": 1})
    *batches, cursor = INDEX.bulk(answer(body))
    rows = [row for rows in batches for row in rows]

    assert cursor == Cursor("9")
    assert [Mention(row[0], row[3]) for row in rows] == [
        mention for mention in read(body) if isinstance(mention, Mention)
    ]


def test_B05_a_list_of_strange_entries_brings_no_bulk():
    body = page(*[project(f"p{number}") for number in range(100)], *[{"name": None}] * 9)

    with pytest.raises(ValueError, match="9 of 109"):
        list(INDEX.bulk(answer(body)))


def test_keys_that_we_do_not_know_and_objects_within_projects_are_passed_over(monkeypatch):
    monkeypatch.setattr(simple_json, "PIECE", 40)
    odd = {"name": "x},{", "more": {"a": {"b": 1}}, "_last-serial": 1}

    assert read({**page(project(), odd, project("z")), "more": [1]}) == [
        Mention("argset", "7"),
        Mention("x},{", "1"),
        Mention("z", "7"),
    ]


@pytest.mark.parametrize(
    "bad", [{"name": None}, {"name": 5}, {}, "x", {"name": "a\nb"}, {"name": ""}]
)
def test_B05_one_bad_entry_is_a_dead_letter_and_all_others_are_read(bad, monkeypatch):
    monkeypatch.setattr(simple_json, "PIECE", 100)
    projects = [project(f"p{number}") for number in range(100)]
    found = read(page(*projects[:50], bad, *projects[50:]))

    assert [type(finding) for finding in found].count(Unread) == 1
    assert [m.project for m in found if isinstance(m, Mention)] == [p["name"] for p in projects]


@pytest.mark.parametrize("cut", [1, 2, 5, 40, 300])
def test_A10_a_list_that_ends_before_its_end_raises(cut, monkeypatch):
    monkeypatch.setattr(simple_json, "PIECE", 100)
    body = json.dumps(page(*[project(f"p{number}") for number in range(30)]))

    with pytest.raises(ValueError):
        read(body[:-cut])


@pytest.mark.parametrize(
    "body",
    [
        '{"meta":{},"projects":[{"name":"a","name":"b"}]}',
        '{"meta":{},"projects":[{"name":"a"}],"projects":[]}',
    ],
)
def test_B11_a_key_that_is_given_twice_is_refused(body):
    with pytest.raises(ValueError, match="duplicate"):
        read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sorry</html>",
        b"[]",
        b"null",
        b'{"message": "slow down"}',
        b"\xff\xfe",
        b'{"projects": []}',
    ],
)
def test_A01_what_is_no_such_list_is_not_read(body):
    with pytest.raises(ValueError):
        read(body)


@given(st.lists(st.tuples(st.text(min_size=1), st.integers(0, 2**53))), st.integers(50, 400))
def test_every_list_is_read_as_by_a_plain_decoder(entries, piece):
    body = page(*[project(name, serial) for name, serial in entries])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simple_json, "PIECE", piece)
        found = read(body)

    assert len(found) == len(entries)
    assert [f for f in found if isinstance(f, Mention)] == [
        Mention(name, str(serial))
        for name, serial in entries
        if name.isprintable() and name == name.strip() and len(name) < 256
    ]
