"""RSS and Atom."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import FetchError
from monitor.formats import rss
from monitor.formats.dates import utc
from monitor.model import Outcome
from tests.formats.answers import answer


def feed(*items: str) -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{"".join(items)}</channel></rss>'


def item(title: str = "foo 1.0", date: str = "Tue, 22 Mar 2022 16:54:42 GMT") -> str:
    return (
        f"<item><title>{title}</title><link>https://up.example/{len(title)}</link>"
        f"<pubDate>{date}</pubDate></item>"
    )


def test_an_entry_has_its_title_link_and_date():
    (found,) = rss.items(answer(feed(item())))

    assert (found.title, found.link) == ("foo 1.0", "https://up.example/7")
    assert found.published == datetime(2022, 3, 22, 16, 54, 42, tzinfo=UTC)


def test_atom_is_read_with_its_alternate_link_and_its_update_where_nothing_else_is_said():
    (found,) = rss.items(
        answer(
            '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>tag:1</id><title>v1.2</title>'
            '<link rel="alternate" href="https://up.example/v1.2"/>'
            "<updated>2020-01-01T02:00:00+02:00</updated></entry></feed>"
        )
    )

    assert (found.title, found.link, found.id) == ("v1.2", "https://up.example/v1.2", "tag:1")
    assert found.published == datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("Sun, 01 Jan 2023 10:00:00 UT", 10),
        ("Sun, 01 Jan 2023 10:00:00 UTC", 10),
        ("Sun, 01 Jan 2023  10:00:00  GMT", 10),
        ("Sun, 01 Jan 2023 10:00:00 +0200", 8),
        ("1 Jan 2023 10:00:00 EST", 15),
        ("2023-01-01T10:00:00Z", 10),
        ("2023-01-01T10:00:00.123456789+01:00", 9),
        ("2023-01-01 10:00:00", 10),
    ],
)
def test_a_date_is_read_in_every_zone_and_spelling(text, hour):
    found = utc(text)

    assert found is not None
    assert found.replace(microsecond=0) == datetime(2023, 1, 1, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2023-13-01", None, 5, "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_date_was_not_said(text):
    assert utc(text) is None


@given(st.text(max_size=60))
def test_no_text_makes_the_reading_of_dates_fail(text):
    assert utc(text) is None or utc(text).tzinfo is UTC


def test_D03_entries_without_a_date_or_with_a_wrong_one_are_read_all_the_same():
    first, second = rss.items(answer(feed(item(date="soon"), item("bar 2"))))

    assert (first.published, second.title) == (None, "bar 2")


def test_an_empty_feed_has_no_entries():
    assert rss.items(answer(feed())) == []


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {c} "{"&" + p + ";" * 1}&{p};&{p};">'
        for p, c in zip("abcdefg", "bcdefgh", strict=True)
    )
    + "]>"
    + feed(item("&h;"))[21:]
)
EXTERNAL = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + feed(item("&x;"))[21:]
REMOTE = '<!doctype rss SYSTEM "http://127.0.0.1:9/x.dtd">' + feed(item())[21:]


@pytest.mark.parametrize("body", [BOMB, EXTERNAL, REMOTE, BOMB.encode("utf-16")])
def test_B09_document_types_and_entities_are_refused_before_a_parser_sees_them(body):
    begun = time.process_time()
    with pytest.raises(FetchError) as error:
        rss.items(answer(body))

    assert error.value.outcome is Outcome.HOSTILE
    assert time.process_time() - begun < 0.1


def test_B10_a_feed_nested_without_end_is_refused():
    with pytest.raises(FetchError) as error:
        rss.items(answer(feed("<a>" * 100_000 + "</a>" * 100_000)))

    assert error.value.outcome is Outcome.HOSTILE


def test_a_feed_beyond_the_size_limit_is_refused(monkeypatch):
    monkeypatch.setattr(rss, "LARGEST", 100)

    with pytest.raises(FetchError):
        rss.items(answer(feed(item())))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_A12_a_feed_that_ends_before_its_end_is_not_read(share):
    whole = feed(*[item(f"foo {i}") for i in range(50)])

    with pytest.raises(ValueError, match="ends before"):
        rss.items(answer(whole[: int(len(whole) * share)]))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_B06_a_feed_is_read_in_the_encoding_that_it_declares(encoding):
    name = encoding.removesuffix("-sig")
    text = feed(item("Fußnote 1.0")).replace('"1.0"?', f'"1.0" encoding="{name}"?')

    (found,) = rss.items(answer(text.encode(encoding)))

    assert found.title == "Fußnote 1.0"


def test_B06_a_feed_in_another_encoding_than_declared_is_not_guessed_at():
    with pytest.raises(ValueError, match="encoding"):
        rss.items(answer(feed(item("Fußnote 1.0")).encode("latin-1")))


@pytest.mark.parametrize(
    "body", [b"", b"<html>Sorry</html>", b"[]", b"null", b"\xff\xfe", b"<rss>"]
)
def test_A01_what_is_no_feed_is_not_read(body):
    with pytest.raises(ValueError):
        rss.items(answer(body))


@pytest.mark.parametrize(
    ("file", "count"),
    [("pypi/updates.xml", 100), ("pypi/packages.xml", 40), ("hackage/recent.rss", 67)],
)
def test_recorded_feeds_are_read_whole(shared, file, count):
    found = rss.items(answer((shared / "data" / file).read_bytes()))

    assert len(found) == count
    assert all(entry.title and entry.link and entry.published for entry in found)
