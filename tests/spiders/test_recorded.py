"""Recording, and answering from what was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import SettingsError
from monitor.model import Outcome, Request
from spiders.recorded import Recorded, place_of, visits
from tests.spiders.conftest import failing, outcome
from tests.spiders.upstream import Upstream, answer


async def test_what_was_recorded_is_answered_again_visit_by_visit(going, tmp_path):
    bodies = iter([b'{"a": 1}', b'{"a": 1}', b'{"a": 2}'])

    def script(asked, _):
        return answer(next(bodies), ETag='"1"', Set_Cookie="secret=1", Content_Type="x/y")

    async with Upstream(script) as up:
        async with going(record=str(tmp_path)) as fetch:
            for _ in range(3):
                await fetch(up.url("/p/a?q=1"))
        url = up.url("/p/a?q=1")
    async with going(replay=str(tmp_path)) as fetch:
        replies = [await fetch(url) for _ in range(3)]
        assert [reply.json()["a"] for reply in replies] == [1, 2, 2]
        assert replies[0].headers == {"etag": '"1"', "content-type": "x/y"}
        for reply in replies:
            reply.body.close()
    assert sorted(path.name for path in tmp_path.rglob("a*")) == [
        "a?q=1", "a?q=1@2", "a?q=1@2@headers", "a?q=1@headers"
    ]  # fmt: skip
    assert [path.name for path in visits(place_of(tmp_path, url))] == ["a?q=1", "a?q=1@2"]


async def test_a_name_that_is_a_file_and_a_folder_has_room_for_both(going, tmp_path):
    async with Upstream(lambda asked, _: answer(asked.target.encode())) as up:
        paths = ["/r", "/r/x", "/r/", "/r/x/y", "/r/x"]
        async with going(record=str(tmp_path)) as fetch:
            for path in paths:
                await fetch(up.url(path))
        async with going(replay=str(tmp_path)) as fetch:
            for path in paths:
                reply = await fetch(up.url(path))
                assert reply.bytes() == path.encode()
                reply.body.close()
        assert [path.name for path in visits(place_of(tmp_path, up.url("/r")))] == ["r@1"]


async def test_a_plain_file_put_there_by_hand_is_an_answer(going, tmp_path):
    (tmp_path / "rsync/mirror.example/gnu").mkdir(parents=True)
    (tmp_path / "rsync/mirror.example/gnu/@index").write_text("listing\n")
    async with going(replay=str(tmp_path)) as fetch:
        reply = await fetch("rsync://mirror.example/gnu/")
        assert list(reply.lines()) == ["listing"]
        reply.body.close()


async def test_what_was_not_recorded_says_where_it_was_looked_for(going, tmp_path):
    async with going(replay=str(tmp_path)) as fetch:
        error = await failing(fetch("https://a.example/x"))
        assert error.outcome is Outcome.RETRY
        assert str(tmp_path) in error.what
        assert await outcome(fetch("https://a.example/robots.txt")) is Outcome.GONE


async def test_what_was_gone_is_gone_again_and_a_page_in_place_of_data_invalid(going, tmp_path):
    async with Upstream(answer(b"", "404 No")) as up:
        async with going(record=str(tmp_path)) as fetch:
            assert await outcome(fetch(up.url("/x"))) is Outcome.GONE
        url = up.url("/x")
    (tmp_path / "https/a.example").mkdir(parents=True)
    (tmp_path / "https/a.example/page").write_text("<html>Sorry")
    async with going(replay=str(tmp_path)) as fetch:
        assert await outcome(fetch(url)) is Outcome.GONE
        asked = Request("https://a.example/page", accept="application/json")
        assert await outcome(fetch(asked)) is Outcome.INVALID


def test_a_folder_that_is_not_there_is_a_wrong_setting(tmp_path):
    with pytest.raises(SettingsError):
        Recorded(tmp_path / "none")


def test_no_secret_is_in_a_file_name():
    place = place_of(Path("/r"), "https://u:canary@a.example/x?token=canary&b=1")
    assert "canary" not in str(place)


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_address_leads_out_of_the_folder(host, path):
    place = place_of(Path("/r"), f"https://{host}/{path}")
    assert place.is_relative_to("/r/https")
    assert ".." not in place.parts
    assert all(len(part.encode()) <= 255 and "\0" not in part for part in place.parts)
    assert not any("@" in part and part != "@index" for part in place.parts[3:-1])


@given(
    st.tuples(st.text(max_size=30), st.text(max_size=30)),
    st.tuples(st.text(max_size=30), st.text(max_size=30)),
)
def test_different_paths_are_different_files(one, other):
    from urllib.parse import quote

    urls = [f"https://a.example/{quote(a, safe='')}/{quote(b, safe='')}" for a, b in (one, other)]
    places = [place_of(Path("/r"), url) for url in urls]
    assert (urls[0] == urls[1]) == (places[0] == places[1])
