"""RubyGems: the list that grows, and the pages of single gems."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from monitor.errors import UsageError
from monitor.model import Cursor, File, Mention, Partial, Release, Unread
from providers import rubygems
from tests.formats.answers import answer
from tests.formats.test_growing import ask

GEMS = rubygems.provider("https://gems.example")
HEAD = "created_at: 2024-04-01T00:00:05Z\n---\n"
DIGESTS = [f"{n:032x}" for n in range(10)]


def listed(*entries):
    """A list with these entries, each with a digest of its own."""
    return HEAD + "".join(f"{one} {DIGESTS[n]}\n" for n, one in enumerate(entries))


def page(*lines):
    return "---\n" + "".join(f"{line}\n" for line in lines)


def read_page(body, project="foo"):
    return list(GEMS.versions.read(answer(body, project=project)))


def fed(before, after):
    """What the feed says of `after` when it has seen `before`."""
    first = list(GEMS.feed.read(ask(before.encode(), None)))
    [cursor] = [one.value for one in first if isinstance(one, Cursor)]
    found = list(GEMS.feed.read(ask(after.encode(), cursor)))
    if found == [GEMS.feed.since(None)]:
        found = list(GEMS.feed.read(ask(after.encode(), None)))
    return [one for one in found if not isinstance(one, Cursor)]


def test_each_gem_is_mentioned_with_the_last_digest_of_its_page():
    body = listed("- 1", "-A 0.0.0", ".cat 0.0.1", "foo 1.0,1.1,2.0-java", "bar 1", "foo 2.1")

    assert list(GEMS.index.read(answer(body))) == [
        Mention("-", DIGESTS[0]),
        Mention("-A", DIGESTS[1]),
        Mention(".cat", DIGESTS[2]),
        Mention("foo", DIGESTS[5]),
        Mention("bar", DIGESTS[4]),
    ]


def test_rows_say_the_same_as_findings(monkeypatch):
    monkeypatch.setattr(rubygems, "BATCH", 2)
    body = listed(*(f"foo{n % 7} 1.{n}" for n in range(10)))
    rows = [row for rows in GEMS.index.bulk(answer(body)) for row in rows]

    assert [Mention(row[0], row[3]) for row in rows] == list(GEMS.index.read(answer(body)))
    assert len(rows) == 7


def test_B05_a_bad_line_is_a_dead_letter_and_many_of_them_no_list():
    body = listed("foo 1.0", "bar 1.0") + "rubbish\n"

    assert [type(one) for one in GEMS.index.read(answer(body))] == [Mention, Mention, Unread]
    with pytest.raises(ValueError, match="5 of 7"):
        list(GEMS.index.bulk(answer(body + "rubbish\n" * 4)))


def test_A12_a_list_that_ends_within_a_line_is_not_read():
    with pytest.raises(ValueError, match="within a line"):
        list(GEMS.index.read(answer(listed("foo 1.0")[:-3])))


def test_what_is_appended_is_released_and_a_yank_asks_for_its_gem():
    before = listed("foo 1.0", "bar 1.0")
    more = "".join(
        f"{line} {DIGESTS[9]}\n"
        for line in ("foo 1.1", "foo 1.1-java", "- 2", "bar -1.0", "baz 1,-2-x86-mingw32,3")
    )

    assert fed(before, before + more) == [
        Release("foo", "1.1"),
        Release("foo", "1.1"),
        Release("-", "2"),
        Mention("bar"),
        Release("baz", "1"),
        Mention("baz"),
        Release("baz", "3"),
    ]


def test_a_first_look_at_the_list_tells_nothing_but_where_it_ends():
    found = list(GEMS.feed.read(ask(listed("foo 1.0").encode(), None)))

    assert [type(one) for one in found] == [Cursor, Partial]


def test_D08_a_list_that_was_written_anew_tells_no_release_and_says_so():
    found = fed(listed("foo 1.0", "bar 1.0", "foo 1.1"), listed("bar 1.0", "foo 1.0,1.1"))

    assert [type(one) for one in found] == [Partial]


def test_D08_where_the_seam_of_a_part_does_not_fit_the_whole_is_asked_for():
    before = listed(*(f"gem{n} 1.0" for n in range(10))).encode()
    [cursor, _] = GEMS.feed.read(ask(before, None))
    after = HEAD.encode() + b"x" * len(before) + b"\n"
    [again] = GEMS.feed.read(ask(after, cursor.value))

    assert again == GEMS.feed.since(None)
    assert again.headers == ()


def test_a_version_has_a_file_for_each_platform_and_the_earliest_date():
    digest = "b" * 64
    found = read_page(
        page(
            f"1.0.0 |checksum:{digest},created_at:2009-07-25T18:02:12Z",
            f"1.0.0-x86_64-linux-gnu dep:>= 1.0&< 2,other:= 3|checksum:{digest},ruby:>= 2.7.0,"
            "created_at:2009-07-24T00:00:00Z",
            "0.9 |ruby:>= 2",
        )
    )
    first = datetime(2009, 7, 24, tzinfo=UTC)

    assert found[0] == Release(
        "foo",
        "1.0.0",
        published=first,
        files=(
            File(
                "https://gems.example/gems/foo-1.0.0.gem",
                f"sha256:{digest}",
                name="foo-1.0.0.gem",
                published=datetime(2009, 7, 25, 18, 2, 12, tzinfo=UTC),
                kind="source",
            ),
            File(
                "https://gems.example/gems/foo-1.0.0-x86_64-linux-gnu.gem",
                f"sha256:{digest}",
                name="foo-1.0.0-x86_64-linux-gnu.gem",
                published=first,
                kind="binary",
            ),
        ),
    )
    assert (found[1].version, found[1].published, found[1].files[0].digest) == ("0.9", None, None)


def test_B05_a_bad_line_makes_a_page_partial():
    found = read_page(page("1.0 |checksum:x", "rubbish", "\x1b 1|"))

    assert [type(one) for one in found] == [Release, Unread, Unread, Partial]


def test_B01_a_gem_without_versions_is_empty():
    assert read_page(page()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "x" * 300])
def test_what_cannot_be_a_gem_is_not_asked_for(name):
    with pytest.raises(UsageError):
        GEMS.versions.of(name)


def test_the_versions_of_a_real_gem_are_read_from_its_page_as_the_other_interface_has_them(shared):
    """The recorded answer of the slow interface, written as the page that the index has."""
    recorded = json.loads((shared / "data/rubygems/nokogiri-versions.json").read_text())
    lines = []
    for one in recorded:
        platform = "" if one["platform"] == "ruby" else f"-{one['platform']}"
        lines.append(
            f"{one['number']}{platform} |checksum:{one['sha']},created_at:{one['created_at'][:19]}Z"
        )
    found = read_page(page(*lines), "nokogiri")

    assert all(isinstance(one, Release) for one in found)
    assert {one.version for one in found} == {one["number"] for one in recorded}
    assert sum(len(one.files) for one in found) == len(recorded)
    assert {file.digest for one in found for file in one.files} == {
        f"sha256:{one['sha']}" for one in recorded
    }


def test_B05_a_line_that_is_no_text_keeps_no_other_from_being_read():
    """The feed would stand still until the list is written anew."""
    before = listed("foo 1.0").encode()
    after = before + f"b\xe4r 1.0 {DIGESTS[2]}\nfoo 1.1 {DIGESTS[3]}\n".encode("latin-1")
    cursor = next(one for one in GEMS.feed.read(ask(before, None)) if isinstance(one, Cursor))
    said = [type(one) for one in GEMS.feed.read(ask(after, cursor.value))]

    assert said == [Unread, Release, Cursor]
    assert [type(one) for one in GEMS.index.read(answer(after))] == [Mention, Unread]
    lines = page("1.0 |checksum:x", "2.\xe4 |checksum:x").encode("latin-1")
    found = list(GEMS.versions.read(answer(lines, project="foo")))
    assert [type(one) for one in found] == [Release, Unread, Partial]
