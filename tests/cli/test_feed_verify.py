"""`monitor feed verify`: is the feed what was published? (faults E23, E24)"""

from __future__ import annotations

import json
import shutil

import pytest

from tests.cli.conftest import Cli
from tests.conftest import need


@pytest.fixture
def fed(cli: Cli, registry) -> Cli:
    """A feed of a few pages."""
    need("ssh-keygen")
    toml = cli.config / "monitor.toml"
    toml.write_text(toml.read_text() + "\n[feed]\npage_size = 4\n")
    registry.publish("pypi", "aurora", "1.0")
    assert cli("poll").code == 0
    for number in range(1, 7):
        registry.publish("pypi", "aurora", f"1.{number}")
        assert cli("poll").code == 0
    return cli


def alter(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_E23_verify_says_whole_or_names_the_first_bad_entry_and_its_page(fed: Cli):
    feed = fed.state / "feed"
    assert fed("feed", "verify").out.startswith("whole: ")
    pages = sorted(feed.rglob("00*.json"))
    first, second = [n for n, p in enumerate(pages) if '"source":"pypi"' in p.read_text()][-3:-1]
    for number in (second, first):
        alter(pages[number], '"source":"pypi"', '"source":"pipy"')
    page = json.loads(pages[first].read_text())
    bad = [i["id"] for i in page["items"] if i["_release"]["source"] == "pipy"]

    said = fed("feed", "verify")
    told = fed("feed", "verify", "--json").json

    assert said.code == 1
    assert said.out.splitlines()[0].startswith(f"page {first}, entry {bad[0].rpartition('.')[2]}: ")
    assert [one["page"] for one in told["problems"]] == [first, second]
    assert told["signed"]


def test_E23_the_chain_outlives_a_backup_and_its_restoration(fed: Cli, registry, tmp_path):
    assert fed("backup", tmp_path / "copy.db").code == 0
    registry.publish("pypi", "aurora", "2.0")
    assert fed("poll").code == 0
    before = fed("feed", "verify", "--json").json
    assert fed("restore", tmp_path / "copy.db").code == 0
    assert fed("poll").code == 0

    after = fed("feed", "verify", "--json").json
    assert (after["problems"], after["signed"]) == ([], True)
    assert after["epoch"] != before["epoch"]
    assert after["key"] == before["key"]


def test_E23_a_copy_is_checked_by_the_key_alone(fed: Cli, tmp_path):
    copy, key = tmp_path / "mirror", tmp_path / "key.pub"
    shutil.copytree(fed.state / "feed", copy)
    shutil.copy(fed.state / "feed-key.pub", key)
    shutil.rmtree(fed.state)
    assert fed("feed", "verify", copy, "--key", key).code == 0
    page = next(p for p in sorted(copy.rglob("00*.json")) if "aurora" in p.read_text())
    alter(page, "aurora", "aurore")

    said = fed("feed", "verify", copy, "--key", key)
    assert (said.code, said.out.startswith(f"page {int(page.stem)}, entry ")) == (1, True)
    (tmp_path / "none.pub").write_text("nothing")
    assert fed("feed", "verify", copy, "--key", tmp_path / "none.pub").code == 2


def test_E23_a_machine_without_ssh_keygen_writes_its_feed_and_says_so(
    fed: Cli, registry, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    said = fed("feed", "--write")
    assert said.code == 0
    assert "the feed is not signed: is not installed; install OpenSSH" in said.err
    head = json.loads((fed.state / "feed" / "feed.json").read_text())["_monitor"]
    assert head["signature"] is head["key"] is None


def test_E24_a_feed_that_stood_still_is_stale(fed: Cli, time_machine):
    import time

    time_machine.move_to(time.time() + 2 * 86400)
    said = fed("feed", "verify")
    assert said.code == 1
    assert "stale: issued" in said.out
    assert fed("feed", "--write").code == 0
    assert fed("feed", "verify").code == 0
