"""The lab's crates.io: index lines against recorded ones, validators, and the feeds' windows."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from tests.lab.answers import LabError
from tests.lab.client import get
from tests.lab.crates import index_path
from tests.lab.registry import Registry, ago

CRATES = "{https://crates.io/}"


def test_index_lines_have_the_recorded_keys_in_the_recorded_order(
    registry: Registry, shared: Path
) -> None:
    recorded = (shared / "data/crates/index-sentry").read_text().splitlines()
    registry.publish("crates", "serde", "1.0.0")
    line = get(f"{registry.crates_index_url}/se/rd/serde").text
    assert list(json.loads(line)) == list(json.loads(recorded[0]))
    assert line == json.dumps(json.loads(line), separators=(",", ":")) + "\n"
    assert any(row.startswith('{"name":"') and ": " not in row for row in recorded)


@pytest.mark.parametrize(
    ("name", "path"),
    [("a", "1/a"), ("ab", "2/ab"), ("ABC", "3/a/abc"), ("Serde_json", "se/rd/serde_json")],
)
def test_crates_lie_where_cargo_looks_for_them(registry: Registry, name: str, path: str) -> None:
    assert index_path(name) == path
    registry.publish("crates", name, "1.0.0")
    assert get(f"{registry.crates_index_url}/{path}").json()["name"] == name
    assert get(f"{registry.crates_index_url}/{name}").status_code == 404


def test_yank_flips_the_index_and_leaves_the_feed(registry: Registry) -> None:
    registry.publish("crates", "serde", "1.0.0", at=ago(days=1))
    feed = get(f"{registry.crates_static_url}/rss/updates.xml")
    index = get(f"{registry.crates_index_url}/se/rd/serde")
    registry.yank("crates", "serde", "1.0.0")
    again = get(f"{registry.crates_index_url}/se/rd/serde", if_none_match=index.headers["etag"])
    assert again.status_code == 200
    assert again.json()["yanked"] is True
    same = get(f"{registry.crates_static_url}/rss/updates.xml", if_none_match=feed.headers["etag"])
    assert same.status_code == 304
    registry.unyank("crates", "serde", "1.0.0")
    assert get(f"{registry.crates_index_url}/se/rd/serde").text == index.text


def test_unchanged_index_files_answer_304_to_either_validator(registry: Registry) -> None:
    registry.publish("crates", "serde", "1.0.0", at=ago(days=1))
    url = f"{registry.crates_index_url}/se/rd/serde"
    first = get(url)
    assert get(url, if_none_match=first.headers["etag"]).status_code == 304
    assert get(url, if_modified_since=first.headers["last-modified"]).status_code == 304
    both = get(url, if_none_match='"x"', if_modified_since=first.headers["last-modified"])
    assert both.status_code == 200  # RFC 9110: If-None-Match decides alone
    registry.publish("crates", "serde", "1.0.1")
    assert get(url, if_modified_since=first.headers["last-modified"]).status_code == 200


def test_withdrawn_versions_lose_their_line_and_empty_crates_are_gone(registry: Registry) -> None:
    registry.publish("crates", "serde", "1.0.0")
    registry.publish("crates", "serde", "1.0.1")
    registry.withdraw("crates", "serde", "1.0.0")
    url = f"{registry.crates_index_url}/se/rd/serde"
    assert [json.loads(line)["vers"] for line in get(url).text.splitlines()] == ["1.0.1"]
    registry.withdraw("crates", "serde")
    assert get(url).status_code == 404
    with pytest.raises(LabError, match="no such crate"):
        registry.yank("crates", "serde", "1.0.1")


def test_the_feed_holds_an_hour_but_at_least_a_hundred(registry: Registry) -> None:
    def titles() -> int:
        feed = fromstring(get(f"{registry.crates_static_url}/rss/updates.xml").content)
        return len(list(feed.iter("item")))

    for number in range(120):
        registry.publish("crates", "old", f"1.0.{number}", at=ago(days=2, minutes=-number))
    assert titles() == 100
    for number in range(130):
        registry.publish("crates", "new", f"1.0.{number}", at=ago(minutes=30, seconds=-number))
    assert titles() == 130
    registry.set_time(ago(hours=-2))
    assert titles() == 100


def test_feed_items_name_crate_and_version(registry: Registry) -> None:
    registry.publish("crates", "serde", "1.0.0+meta")
    feed = fromstring(get(f"{registry.crates_static_url}/rss/updates.xml").content)
    item = feed.find("channel/item")
    assert item is not None
    assert item.findtext(f"{CRATES}name") == "serde"
    assert item.findtext(f"{CRATES}version") == "1.0.0+meta"
    assert item.findtext("title") == "New crate version published: serde v1.0.0+meta"
    assert (item.findtext("pubDate") or "").endswith(" +0000")
    assert item.findtext("guid") == item.findtext("link")
    newest = fromstring(get(f"{registry.crates_static_url}/rss/crates.xml").content)
    assert newest.findtext("channel/item/title") == "New crate created: serde"
    one = fromstring(get(f"{registry.crates_static_url}/rss/crates/serde.xml").content)
    assert len(list(one.iter("item"))) == 1


def test_files_have_the_checksum_of_the_index(registry: Registry) -> None:
    registry.publish("crates", "serde", "1.0.0")
    line = get(f"{registry.crates_index_url}/se/rd/serde").json()
    root = get(f"{registry.crates_index_url}/config.json").json()["dl"]
    for path in ("serde/serde-1.0.0.crate", "serde/1.0.0/download"):
        data = get(f"{root}/{path}").content
        assert hashlib.sha256(data).hexdigest() == line["cksum"]


def test_the_document_of_a_version_says_who_or_which_workflow_published_it(
    registry: Registry,
) -> None:
    registry.publish("crates", "demo", "1.0.0", uploader="ann")
    registry.publish(
        "crates", "demo", "1.0.1", trustpub={"provider": "github", "repository": "lab/demo"}
    )
    first, second = (
        get(f"{registry.crates_static_url}/api/v1/crates/demo/{version}").json()["version"]
        for version in ("1.0.0", "1.0.1")
    )
    assert (first["published_by"]["login"], first["trustpub_data"]) == ("ann", None)
    assert second["published_by"] is None
    assert second["trustpub_data"]["repository"] == "lab/demo"
