"""crates.io."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from monitor.model import Partial, Release, State, Unread
from providers.crates import SparseIndex, read_updates
from tests.formats.answers import answer

INDEX = SparseIndex("https://index.example")


def line(vers="1.2.3", **said):
    return json.dumps(
        {"name": "Foo", "vers": vers, "cksum": "01" * 32, "yanked": False, "deps": []} | said
    )


def read(*lines, project="foo"):
    return list(INDEX.read(answer("\n".join(lines) + "\n", project=project)))


@pytest.mark.parametrize(
    ("crate", "path"),
    [("a", "1/a"), ("ab", "2/ab"), ("ABC", "3/a/abc"), ("serde_json", "se/rd/serde_json")],
)
def test_a_crate_s_file_is_found_by_its_name(crate, path):
    request = INDEX.of(crate)

    assert (request.url, request.project) == (f"https://index.example/{path}", crate)


@pytest.mark.parametrize("crate", ["", "../x", "a/b", "a b", "é", "x" * 65])
def test_what_cannot_be_a_crate_is_not_asked_for(crate):
    with pytest.raises(ValueError):
        INDEX.of(crate)


def test_each_line_is_a_version_with_its_archive():
    plain, yanked = read(line(pubtime="2025-11-18T08:58:23Z"), line("2.0.0+meta", yanked=True))

    assert (plain.project, plain.version, plain.state) == ("Foo", "1.2.3", State.LISTED)
    assert plain.published == datetime(2025, 11, 18, 8, 58, 23, tzinfo=UTC)
    assert plain.files[0].digest == "sha256:" + "01" * 32
    assert plain.files[0].url.endswith("/Foo/Foo-1.2.3.crate")
    assert (yanked.version, yanked.state, yanked.published) == ("2.0.0+meta", State.YANKED, None)


def test_B05_a_broken_line_is_a_dead_letter_and_the_answer_partial():
    found = read(line("1.0.0"), '{"name": "Foo"', line("1.1.0"))

    assert [type(finding) for finding in found] == [Release, Release, Unread, Partial]


@pytest.mark.parametrize("said", [{"vers": 1.10}, {"yanked": None}, {"cksum": 5}, {"name": None}])
def test_B04_a_line_of_another_shape_is_not_read(said):
    with pytest.raises(ValueError):
        read(line(**said))


def test_A34_the_file_of_another_crate_is_refused():
    with pytest.raises(ValueError, match="in the file of"):
        read(line(), project="bar")


def test_the_feed_names_crate_and_version_in_its_titles():
    body = (
        '<rss version="2.0" xmlns:crates="https://crates.io/"><channel><item>'
        "<title>New crate version published: foo v1.2.0-rc.1</title>"
        "<link>https://up.example/foo/1.2.0-rc.1</link><guid>x</guid>"
        "<pubDate>Sat, 22 Jun 2024 15:57:19 +0000</pubDate><crates:name>foo</crates:name></item>"
        "<item><title>Something else</title></item></channel></rss>"
    )
    release, strange = read_updates(answer(body))

    assert (release.project, release.version) == ("foo", "1.2.0-rc.1")
    assert type(strange) is Unread


@pytest.mark.parametrize(
    ("crate", "count", "dated"), [("amethyst", 19, 0), ("sentry", 3, 3), ("libc", 65, 1)]
)
def test_recorded_files_are_read_whole(shared, crate, count, dated):
    body = (shared / "data/crates" / f"index-{crate}").read_bytes()
    found = list(INDEX.read(answer(body, project=crate)))

    assert len(found) == count
    assert sum(release.published is not None for release in found) == dated
