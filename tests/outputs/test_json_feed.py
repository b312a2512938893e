"""The JSON feed: what its readers are promised in docs/feed-format.md."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import StoreError
from monitor.model import Event, Kind
from monitor.outputs import feed_items, json_feed
from monitor.outputs.json_feed import publish
from monitor.settings import FeedSettings

SCHEMA = json.loads((Path(json_feed.__file__).parent / "feed.schema.json").read_text())
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True)
SMALL = FeedSettings(page_size=4)


class Memory:
    """A log in memory; `asked` counts how many events were read."""

    def __init__(self, epoch="a1b2", numbers=()):
        self.epoch = epoch
        self.all = []
        self.asked = 0
        for number in numbers:
            self.all.append(event(number))

    def grow(self, count):
        for number in range(self.head() + 1, self.head() + 1 + count):
            self.all.append(event(number))
        return self

    def head(self):
        return self.all[-1].seq if self.all else 0

    def events(self, after, limit):
        found = [e for e in self.all if e.seq > after][: min(limit, 3)]  # a log may give less
        self.asked += len(found)
        return found


def event(number, **payload):
    return Event(
        Kind.RELEASED,
        "pkg:pypi/argset",
        f"1.{number}",
        "pypi",
        {"provider": "pypi", "published": 1_700_000_000 + number} | payload,
        seq=number,
        at=datetime.fromtimestamp(1_700_000_100 + number, UTC),
    )


def read(folder):
    """All numbers that a reader meets who follows `next_url` to the end, newest first."""
    path, numbers = folder / "feed.json", []
    while True:
        page = json.loads(path.read_bytes())
        VALIDATOR.validate(page)
        numbers += [int(item["_release"]["cursor"].split(".")[1]) for item in page["items"]]
        if "next_url" not in page:
            return numbers
        path = path.parent / page["next_url"]


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@given(steps=st.lists(st.integers(0, 13), max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_reader_who_walks_back_meets_every_event_once(tmp_path_factory, steps):
    folder, log = tmp_path_factory.mktemp("feed"), Memory()
    for step in steps:
        log.grow(step)
        assert publish(log, folder, SMALL) == log.head()
        assert read(folder) == list(range(log.head(), 0, -1))


@given(numbers=st.sets(st.integers(1, 60)), cut=st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_numbers_may_have_holes(tmp_path_factory, numbers, cut):
    folder, log = tmp_path_factory.mktemp("feed"), Memory(numbers=sorted(numbers))
    early = Memory(numbers=sorted(n for n in numbers if n <= cut))
    publish(early, folder, SMALL)
    publish(log, folder, SMALL)
    assert read(folder) == sorted(numbers, reverse=True)


def test_a_full_page_is_never_written_again(tmp_path):
    log = Memory().grow(9)
    publish(log, tmp_path, SMALL)
    before = {p: (p.stat().st_ino, p.read_bytes()) for p in (tmp_path / "pages").rglob("*.json")}
    for _ in range(6):
        publish(log.grow(3), tmp_path, SMALL)
    assert len(before) == 2
    assert all((p.stat().st_ino, p.read_bytes()) == was for p, was in before.items())


def test_the_folder_is_the_same_however_it_came_about(tmp_path):
    steps, whole = tmp_path / "steps", tmp_path / "whole"
    log = Memory()
    for step in (1, 2, 3, 4, 5, 6, 7):
        publish(log.grow(step), steps, SMALL)
    publish(log, whole, SMALL)
    assert tree(steps) == tree(whole)


def test_the_order_of_hashes_does_not_change_a_byte(tmp_path):
    program = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from tests.outputs.test_json_feed import Memory, SMALL, event, publish\n"
        "log = Memory().grow(3)\n"
        "log.all.append(event(4, seen={k: 1 for k in {'b', 'a', 'c', 'd', 'e'}}))\n"
        "publish(log, Path(sys.argv[1]), SMALL)\n"
    )
    root = Path(__file__).resolve().parents[2]
    found = []
    for seed in ("1", "2", "77"):
        folder = tmp_path / seed
        environ = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", program, str(folder), str(root)]
        subprocess.run(command, env=environ, check=True, cwd=root)
        found.append(tree(folder))
    assert found[0] == found[1] == found[2]


def test_I12_a_reader_always_sees_a_whole_feed_while_it_is_replaced(tmp_path):
    log, stop, seen, wrong = Memory().grow(1), threading.Event(), set(), []
    publish(log, tmp_path, SMALL)

    def loop():
        while not stop.is_set():
            try:
                numbers = read(tmp_path)
                seen.add(numbers[0])
                if numbers != list(range(numbers[0], 0, -1)):
                    wrong.append(numbers)
            except Exception as error:
                wrong.append(error)

    reader = threading.Thread(target=loop)
    reader.start()
    for _ in range(300):
        publish(log.grow(1), tmp_path, SMALL)
    stop.set()
    reader.join()
    assert not wrong
    assert seen


def test_a_crash_between_two_files_is_made_good_by_the_next_run(tmp_path, monkeypatch):
    log, whole, write = Memory().grow(30), tmp_path / "whole", json_feed.write_whole
    publish(log, whole, SMALL)
    for survives in range(8):
        folder = tmp_path / str(survives)
        publish(Memory().grow(3), folder, SMALL)
        left = [survives]

        def crash(*args, left=left, **kwargs):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return write(*args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(json_feed, "write_whole", crash)
            try:
                publish(log, folder, SMALL)
            except KeyboardInterrupt:
                assert read(folder) == [3, 2, 1]
        publish(log, folder, SMALL)
        assert tree(folder) == tree(whole)


def test_killed_at_any_moment_the_feed_stays_whole_and_goes_on(tmp_path):
    program = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from tests.outputs.test_json_feed import Memory, SMALL, publish\n"
        "log = Memory().grow(int(sys.argv[3]))\n"
        "print(flush=True)\n"
        "while True: publish(log.grow(3), Path(sys.argv[1]), SMALL)\n"
    )
    root, folder, dice = Path(__file__).resolve().parents[2], tmp_path / "feed", random.Random(3)
    head = 0
    for _ in range(8):
        command = [sys.executable, "-c", program, str(folder), str(root), str(head)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(dice.random() / 20)
            process.kill()
        if (folder / "feed.json").exists():
            numbers = read(folder)
            assert numbers == list(range(numbers[0], 0, -1))
            head = max(head, numbers[0])
    head += 4  # a page may have been written whose events the feed did not name yet
    publish(Memory().grow(head), folder, SMALL)
    publish(Memory().grow(head), tmp_path / "whole", SMALL)
    assert head > 4
    assert tree(tmp_path / "whole") == tree(folder)


def test_only_what_is_new_is_read_from_the_log(tmp_path):
    log = Memory().grow(4000)
    publish(log, tmp_path, FeedSettings(page_size=100))
    log.grow(1)
    log.asked = 0
    publish(log, tmp_path, FeedSettings(page_size=100))
    assert log.asked <= 201
    log.asked = 0
    publish(log, tmp_path, FeedSettings(page_size=100))
    assert log.asked == 0


def test_another_epoch_gets_pages_of_its_own_and_leaves_the_others_to_their_readers(tmp_path):
    publish(Memory("one").grow(9), tmp_path, SMALL)
    before = tree(tmp_path / "pages")
    publish(Memory("two").grow(6), tmp_path, SMALL)
    assert read(tmp_path) == [6, 5, 4, 3, 2, 1]
    assert before.items() <= tree(tmp_path / "pages").items()
    assert json.loads((tmp_path / "feed.json").read_bytes())["_monitor"]["epoch"] == "two"


def test_another_page_size_cuts_anew(tmp_path):
    log = Memory().grow(30)
    publish(log, tmp_path, SMALL)
    publish(log, tmp_path, FeedSettings(page_size=7))
    assert read(tmp_path) == list(range(30, 0, -1))


def test_old_pages_are_dropped_and_the_feed_says_from_where_on_it_is_complete(tmp_path):
    log, kept = Memory(), FeedSettings(page_size=4, keep=2)
    for _ in range(13):
        publish(log.grow(2), tmp_path, kept)
    feed = json.loads((tmp_path / "feed.json").read_bytes())
    assert feed["_monitor"]["oldest"] == 17
    assert [i["id"] for i in feed["items"]] == [f"monitor:a1b2.{n}" for n in range(26, 20, -1)]
    assert len(list((tmp_path / "pages").rglob("*.json"))) == 2


def test_links_are_absolute_where_the_address_is_known(tmp_path):
    known = FeedSettings(page_size=4, base_url="https://news.example/releases")
    publish(Memory().grow(20), tmp_path, known)
    feed = json.loads((tmp_path / "feed.json").read_bytes())
    assert feed["feed_url"] == "https://news.example/releases/feed.json"
    assert feed["next_url"].startswith("https://news.example/releases/pages/a1b2.4/000/")


def test_a_new_title_is_told_without_an_event(tmp_path):
    log = Memory().grow(2)
    publish(log, tmp_path, SMALL)
    publish(log, tmp_path, FeedSettings(page_size=4, title="Ours"))
    assert json.loads((tmp_path / "feed.json").read_bytes())["title"] == "Ours"


@pytest.mark.parametrize("left", [b"", b"{", b"[]", b'{"_monitor": 3}', b"\xff"])
def test_a_feed_that_cannot_be_read_is_written_anew(tmp_path, left):
    (tmp_path / "feed.json").write_bytes(left)
    publish(Memory().grow(9), tmp_path, SMALL)
    assert read(tmp_path) == list(range(9, 0, -1))


def test_a_removed_page_comes_back(tmp_path):
    log = Memory().grow(30)
    publish(log, tmp_path, SMALL)
    shutil.rmtree(tmp_path / "pages")
    publish(log.grow(1), tmp_path, SMALL)
    assert read(tmp_path) == list(range(31, 0, -1))


def test_an_empty_log_is_a_valid_feed(tmp_path):
    assert publish(Memory(), tmp_path, SMALL) == 0
    assert read(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/feed"):
        publish(Memory().grow(1), tmp_path / "file" / "feed", SMALL)


def test_an_item_has_every_field_of_the_promise(tmp_path):
    told = {
        "previous": "1.0",
        "newest": True,
        "newest_stable": True,
        "stable": True,
        "stream": "1",
        "newest_of_stream": True,
        "published": 1_700_000_000,
        "first_seen": 1_700_000_050,
        "eligible": None,
        "page": "https://argset.example/1.1",
        "files": [{"address": "https://f.example/a.whl", "digest": "sha256:aa", "size": 3}],
        "job": 12,
        "reason": None,
        "address": "https://argset.example/feed",
    }
    item = feed_items.item(event(1, **told), "a1b2")
    assert item == {
        "id": "monitor:a1b2.1",
        "url": "https://argset.example/1.1",
        "title": "argset 1.1 was released",
        "content_text": (
            "argset 1.1 was released.\nBefore: 1.0\nPublished: 2023-11-14T22:13:20Z\n"
            "Seen: 2023-11-14T22:14:10Z\nSource: pypi\nPage: https://argset.example/1.1"
        ),
        "date_published": "2023-11-14T22:15:01Z",
        "tags": ["released", "pypi", "newest", "newest-stable"],
        "_release": {
            "kind": "released",
            "cursor": "a1b2.1",
            "purl": "pkg:pypi/argset",
            "project": "argset",
            "version": "1.1",
            "previous": "1.0",
            "newest": True,
            "newest_stable": True,
            "stable": True,
            "stream": "1",
            "newest_of_stream": True,
            "published": "2023-11-14T22:13:20Z",
            "first_seen": "2023-11-14T22:14:10Z",
            "eligible": None,
            "source": "pypi",
            "provider": "pypi",
            "page": "https://argset.example/1.1",
            "files": [
                {
                    "address": "https://f.example/a.whl",
                    "digest": "sha256:aa",
                    "size": 3,
                    "name": None,
                }
            ],
            "job": 12,
            "reason": None,
            "details": {"address": "https://argset.example/feed"},
        },
    }


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=8,
)
FILES = st.lists(
    st.fixed_dictionaries(
        {"address": st.text()},
        optional={
            "digest": st.text() | st.none(),
            "size": st.integers(0, 2**50) | st.none(),
            "name": st.text() | st.none(),
        },
    ),
    max_size=3,
)
EVENTS = st.builds(
    Event,
    st.sampled_from(Kind),
    st.text() | st.builds("pkg:generic/{}".format, st.text()),
    st.none() | st.text(),
    st.none() | st.text(),
    st.dictionaries(st.sampled_from(feed_items._TOLD) | st.text(), ANYTHING, max_size=6).map(
        lambda payload: payload | {"files": []}
    )
    | st.fixed_dictionaries({"files": FILES, "page": st.text(), "reason": st.text()}),
    st.integers(1, 2**40),
    st.datetimes(timezones=st.just(UTC)),
)


@given(happening=EVENTS)
@settings(max_examples=300, deadline=None)
def test_whatever_an_event_holds_its_item_keeps_the_schema(happening):
    item = json_feed.sealed(feed_items.item(happening, "e"))
    document = {
        "version": json_feed.VERSION,
        "title": "t",
        "_monitor": {"epoch": "e", "page": 0, "first": 1, "last": 1, "before": None},
        "items": [item],
    }
    VALIDATOR.validate(json.loads(json_feed.encoded(document)))


def test_the_schema_knows_every_kind_and_every_field():
    kinds = SCHEMA["$defs"]["release"]["properties"]["kind"]["enum"]
    assert set(kinds) == {kind.value for kind in Kind} == {k.value for k in feed_items._SAYS}
    fields = SCHEMA["$defs"]["release"]["required"]
    assert fields == list(feed_items.item(event(1), "e")["_release"])


@pytest.mark.parametrize(
    "broken",
    [
        {"kind": "invented"},
        {"cursor": "7"},
        {"version": "1.0\u202e"},
        {"published": 1700000000},
        {"page": "javascript:alert(1)"},
        {"newest": "yes"},
        {"files": [{"address": "x"}]},
    ],
)
def test_the_schema_refuses_what_breaks_the_promise(broken):
    item = feed_items.item(event(1), "e")
    item["_release"] |= broken
    document = {"version": json_feed.VERSION, "title": "t", "items": [item]}
    document["_monitor"] = {"epoch": "e", "page": 0, "first": 1, "last": 1, "before": None}
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1.0\x1b[31m", "1.0\ufffd[31m"),
        ("safe\u202egnp.exe", "safe\ufffdgnp.exe"),
        ("zero\u200bwidth\ufeff", "zero\ufffdwidth\ufffd"),
        ("two\nlines\r\nand\ta tab", "two lines  and a tab"),
        ("lone \ud800", "lone \ufffd"),
        ("Grüße, 世界 🎉 1\u00a0000", "Grüße, 世界 🎉 1\u00a0000"),
        ("x" * 5000, "x" * 2000),
    ],
)
def test_I16_text_of_an_upstream_steers_nothing(text, shown):
    assert feed_items.clean(text) == shown


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://a b", "", None, 3,
     'https://x.example/"onclick=', "https://x.example/<b>", "https://x.example/\u202e", "file:///"],
)  # fmt: skip
def test_I16_what_is_no_plain_web_address_becomes_no_link(address):
    assert feed_items.link(address) is None


def test_I16_markup_is_inert_even_inside_a_page_of_html(tmp_path):
    log = Memory()
    attack = "</script><script>alert(1)</script>&lt;"
    log.all.append(event(1, reason=attack))
    publish(log, tmp_path, SMALL)
    data = (tmp_path / "feed.json").read_bytes()
    assert not set(b"<>&") & set(data)
    item = json.loads(data)["items"][0]
    assert item["_release"]["reason"] == attack
    assert "content_html" not in item


def test_a_scoped_name_is_shown_as_it_is_known():
    assert feed_items.name_of("pkg:npm/%40angular/core") == "@angular/core"
    assert feed_items.name_of("hackage") is None


def test_the_page_of_the_promise_names_every_field_and_every_kind():
    page = (Path(__file__).resolve().parents[2] / "docs" / "feed-format.md").read_text()
    fields = [*SCHEMA["$defs"]["release"]["required"], *SCHEMA["$defs"]["item"]["required"]]
    fields += SCHEMA["$defs"]["head"]["required"]
    for word in [*fields, *(kind.value for kind in Kind)]:
        assert f"`{word}`" in page, word


@pytest.mark.parametrize(
    ("newest", "title"),
    [
        ("1.2{what}", "The newest stable version of argset is now 1.2{what}"),
        (None, "argset has no stable version any more"),
    ],
)
def test_another_newest_is_named_in_the_title(newest, title):
    told = {"previous": "1.3", "stable_version": newest, "states": ["yanked"]}
    changed = Event(
        Kind.LATEST_CHANGED,
        "pkg:pypi/argset",
        None,
        "pypi",
        told,
        1,
        datetime(2026, 1, 1, tzinfo=UTC),
    )

    assert feed_items.item(changed, "a1b2")["title"] == title
