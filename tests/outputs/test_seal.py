"""The feed is signed, chained and dated: what is altered or held back is found (E23, E24)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.outputs.feed_check import check
from monitor.outputs.json_feed import item_digest, publish, sealed
from monitor.outputs.seal import Seal, UnsealedError
from monitor.settings import FeedSettings
from tests.conftest import need
from tests.outputs.test_json_feed import VALIDATOR, Memory, event, read

AT = 1_790_000_000
DAY = 86400
SMALL = FeedSettings(page_size=4)
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "verify.py"


@pytest.fixture
def seal(tmp_path):
    need("ssh-keygen")
    (tmp_path / "state").mkdir()
    return Seal.of(tmp_path / "state")


@pytest.fixture
def feed(tmp_path, seal):
    """Forty-two events: ten full pages and two events."""
    folder = tmp_path / "feed"
    publish(Memory().grow(42), folder, SMALL, at=AT, seal=seal)
    return folder


def looked_at(folder, seal=None, at=AT, **more):
    def reader(path):
        file = folder / path
        return file.read_bytes() if file.exists() else None

    return check(reader, at, public=seal and seal.public, **more)


def page(folder, number):
    return folder / f"pages/a1b2.4/000/{number:07d}.json"


def test_E23_what_was_published_is_found_whole_and_signed(feed, seal):
    found = looked_at(feed, seal)

    assert (found.problems, found.signed, found.stale) == ([], True, False)
    assert (found.pages, found.items) == (10, 46)
    assert read(feed) == list(range(42, 0, -1))


@pytest.mark.parametrize("share", [n / 40 for n in range(40)])
def test_E23_one_byte_that_differs_is_found_with_its_page_and_entry(feed, seal, share):
    file = page(feed, 7)
    sound = file.read_bytes()
    at = int(share * (len(sound) - 1))
    file.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])

    found = looked_at(feed, seal)

    first = found.problems[0]
    assert first.page == 7
    begin = sound.index(b'"items":[') + len(b'"items":[')
    bounds = [sound.index(b'"id":"monitor:a1b2.%d"' % n) - 1 for n in (32, 31, 30, 29)]
    inside = [n for n, start in zip((32, 31, 30, 29), bounds, strict=True) if start + 7 < at]
    if begin + 7 < at < len(sound) - 4:
        assert first.entry in (inside[-1], inside[-1] - 1)
    assert found.signed


def test_E23_each_item_whose_text_was_changed_is_named(feed, seal):
    file = page(feed, 7)
    for number in (29, 30, 31, 32):
        sound = file.read_text()
        file.write_text(sound.replace(f'"version":"1.{number}"', '"version":"6.6.6"'))
        [problem] = looked_at(feed, seal).problems
        assert (problem.page, problem.entry) == (7, number)
        file.write_text(sound)


def test_E23_who_makes_the_digests_anew_is_found_by_the_next_page_and_the_log(feed, seal):
    file = page(feed, 7)
    document = json.loads(file.read_bytes())
    document["items"][1]["title"] = "Nothing happened"
    document["items"][1]["_digest"] = item_digest(document["items"][1])
    file.write_text(json.dumps(document, separators=(",", ":")) + "\n")

    [problem] = looked_at(feed, seal).problems
    assert (problem.page, problem.entry) == (7, None)

    from monitor.outputs.feed_items import item

    log = Memory().grow(42)
    [problem] = looked_at(
        feed, seal,
        log=lambda first, last: [
            sealed(item(one, "a1b2")) for one in log.all if first <= one.seq <= last
        ],
    ).problems  # fmt: skip
    assert (problem.page, problem.entry) == (7, 31)


def test_E23_a_chain_that_was_made_anew_from_one_page_on_is_not_signed(feed, seal, tmp_path):
    """The attacker has all pages and no key: he can only publish under another one."""
    (tmp_path / "other").mkdir()
    other = Seal.of(tmp_path / "other")
    shutil.rmtree(feed)
    forged = Memory().grow(42)
    forged.all[30] = event(31, reason="harmless")
    publish(forged, feed, SMALL, at=AT, seal=other)

    found = looked_at(feed, seal)
    assert not found.signed
    assert "not of " + seal.fingerprint in str(found.problems[0])
    assert looked_at(feed, other).problems == []


def test_E23_what_is_altered_before_the_next_page_is_full_is_not_taken_over(tmp_path, seal):
    """The next page carries the digest of what we wrote, not of what stands there now."""
    log, folder = Memory().grow(32), tmp_path / "feed"
    publish(log, folder, SMALL, at=AT, seal=seal)
    file = page(folder, 7)
    file.write_text(file.read_text().replace('"version":"1.30"', '"version":"6.6.6"'))
    publish(log.grow(10), folder, SMALL, at=AT, seal=Seal.of(seal.folder))

    [problem] = looked_at(folder, seal).problems
    assert (problem.page, problem.entry) == (7, 30)


@pytest.mark.parametrize("how", ["page", "head", "signature"])
def test_E23_what_is_taken_away_is_missed(feed, seal, how):
    file = page(feed, 3) if how == "page" else feed / "feed.json"
    if how == "signature":
        document = json.loads(file.read_bytes())
        document["_monitor"]["signature"] = None
        file.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    else:
        file.unlink()

    problem = looked_at(feed, seal).problems[0]
    assert problem.page == (3 if how == "page" else None)
    assert ("not signed" if how == "signature" else "not there") in problem.what


def test_E23_the_chain_outlives_dropped_pages_and_another_epoch(tmp_path, seal):
    folder, kept = tmp_path / "feed", FeedSettings(page_size=4, keep=2)
    log = Memory()
    for _ in range(9):
        publish(log.grow(5), folder, kept, at=AT, seal=seal)
        assert looked_at(folder, seal).problems == []
    publish(Memory("next").grow(45), folder, kept, at=AT, seal=seal)
    assert looked_at(folder, seal).problems == []


def test_E23_the_key_is_the_owners_alone_and_one_that_others_read_is_refused(seal):
    path = seal.folder / "feed-key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(StoreError, match="others may read"):
        Seal.of(seal.folder)


def test_E23_where_nothing_can_sign_the_feed_goes_without(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnsealedError, match="not installed"):
        Seal.of(tmp_path)
    publish(Memory().grow(9), tmp_path / "feed", SMALL, at=AT)
    VALIDATOR.validate(json.loads((tmp_path / "feed/feed.json").read_bytes()))
    assert looked_at(tmp_path / "feed").problems == []


def test_E23_a_consumer_checks_it_with_openssh_alone(feed, seal, tmp_path):
    import time

    publish(Memory().grow(42), feed, SMALL, at=int(time.time()), seal=seal)

    def verified():
        command = [sys.executable, EXAMPLE, feed / "feed.json", seal.folder / "feed-key.pub"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert verified().returncode == 0, verified().stderr
    file = page(feed, 7)
    file.write_text(file.read_text().replace('"version":"1.30"', '"version":"6.6.6"'))
    assert "page 7: monitor:a1b2.30 was altered" in verified().stderr


def test_E24_a_head_that_is_older_than_its_validity_is_stale(feed, seal):
    head = json.loads((feed / "feed.json").read_bytes())["_monitor"]

    assert (head["issued"], head["expires"]) == ("2026-09-21T14:13:20Z", "2026-09-22T14:13:20Z")
    assert not looked_at(feed, seal, at=AT + DAY).stale
    assert looked_at(feed, seal, at=AT + DAY + 1).stale


def test_E24_the_head_is_issued_anew_although_nothing_happens(tmp_path, seal):
    log, folder = Memory().grow(5), tmp_path / "feed"
    issued = []
    for hours in range(0, 48, 2):
        publish(log, folder, SMALL, at=AT + hours * 3600, seal=seal)
        found = looked_at(folder, seal, at=AT + hours * 3600)
        assert (found.problems, found.stale) == ([], False)
        issued.append(found.issued)
    assert len(set(issued)) == 8  # four times within a day


def test_E24_a_head_dated_ahead_by_a_wrong_clock_is_issued_anew(tmp_path, seal):
    log, folder = Memory().grow(5), tmp_path / "feed"
    publish(log, folder, SMALL, at=AT + 900 * DAY, seal=seal)
    publish(log, folder, SMALL, at=AT, seal=seal)
    assert not looked_at(folder, seal, at=AT).stale
    assert looked_at(folder, seal, at=AT).issued == "2026-09-21T14:13:20Z"


def test_a_head_that_stands_is_not_written_again(feed, seal):
    before = (feed / "feed.json").stat().st_ino
    publish(Memory().grow(42), feed, SMALL, at=AT + 3600, seal=seal)
    assert (feed / "feed.json").stat().st_ino == before
