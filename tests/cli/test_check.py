"""`monitor check` against the lab: what is meant, what is newest, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.which import split_version
from tests.cli.conftest import Cli, write_sources


def test_the_newest_stable_version_and_the_pre_release_above_it_are_told(cli: Cli, registry):
    for version in ("1.9", "1.10", "2.0rc1"):
        registry.publish("pypi", "aurora", version)

    said = cli("check", "pypi/aurora", "--json").json

    assert (said["purl"], said["stable"], said["prerelease"]) == (
        "pkg:pypi/aurora",
        "1.10",
        "2.0rc1",
    )
    assert (said["state"], said["source"], said["outcome"]) == ("listed", "pypi", "nothing newer")
    assert said["published"].endswith("Z")
    assert "aurora" in said["page"]


@pytest.mark.parametrize(
    "text",
    [
        "pkg:pypi/aurora",
        "pypi/aurora",
        "pypi/Aurora",
        "aurora",
        "pkg:pypi/aurora@1.0",
        "aurora@1.0",
    ],
)
def test_one_project_can_be_named_in_many_ways(cli: Cli, registry, text):
    registry.publish("pypi", "aurora", "1.0")

    said = cli("check", text, "--json")

    assert (said.code, said.json["purl"], said.json["stable"]) == (0, "pkg:pypi/aurora", "1.0")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["pypi/aurora@1.0"], 10),
        (["pypi/aurora@1.1"], 0),
        (["pypi/aurora@1.1.0"], 0),  # PEP 440: the same
        (["pypi/aurora@2.0b1"], 10),  # who has a pre-release is told of newer ones
        (["pypi/aurora@1.2"], 0),
        (["pypi/aurora", "--current", "0.1"], 10),
        (["pypi/nosuch"], 2),
        (["pypi/aurora@1.0", "pypi/nosuch"], 2),
        (["nosuch/aurora"], 2),
        ([], 2),
        (["pypi/aurora", "--all"], 2),
        (["pypi/aurora", "pypi/x", "--current", "1"], 2),
    ],
)
def test_the_exit_code_says_whether_something_newer_is_there(cli: Cli, registry, arguments, code):
    for version in ("1.0", "1.1", "2.0b1", "2.0b2"):
        registry.publish("pypi", "aurora", version)

    assert cli("check", *arguments).code == code


def test_an_upstream_that_fails_ends_with_3_and_says_what_came(cli: Cli, registry):
    registry.publish("pypi", "aurora", "1.0")
    registry.fail("/pypi/simple/aurora/", status=503, times=None)

    said = cli("check", "pypi/aurora@0.9", "crates/x")

    assert said.code == 2  # the wrong question goes before the failure
    assert cli("check", "pypi/aurora@0.9").code == 3
    assert "503" in said.err
    assert "simple/aurora" in said.err


def test_J08_nothing_newer_no_version_and_no_answer_are_three_things(cli: Cli, registry):
    registry.publish("pypi", "aurora", "1.0")
    registry.publish("pypi", "empty", "1.0")
    registry.yank("pypi", "empty", "1.0")
    registry.fail("/pypi/simple/broken/", status=500, times=None)

    said = cli("check", "pypi/aurora", "pypi/empty", "pypi/broken", "--json").lines

    assert [row["outcome"] for row in said] == ["nothing newer", "no versions", "failed"]
    assert "none of them counts" in cli("check", "pypi/empty").out


def test_a_bare_name_that_several_registries_know_is_answered_with_the_candidates(cli, registry):
    registry.publish("pypi", "twin", "1.0")
    registry.publish("crates", "twin", "2.0.0")

    said = cli("check", "twin")

    assert said.code == 2
    assert "pkg:pypi/twin, pkg:cargo/twin" in said.err


def test_a_bare_name_that_nobody_knows_says_who_was_asked(cli: Cli):
    said = cli("check", "nobody-has-this")

    assert said.code == 2
    assert "asked pypi, crates, rubygems" in said.err


def test_a_watched_project_goes_before_the_registries_and_brings_its_version(cli: Cli, registry):
    registry.publish("pypi", "twin", "1.0")
    registry.publish("crates", "twin", "2.0.0")
    assert cli("watch", "crates/twin", "--current", "1.0.0").code == 0

    said = cli("check", "twin", "--json")

    assert (said.code, said.json["purl"], said.json["current"]) == (10, "pkg:cargo/twin", "1.0.0")
    assert cli("check", "--all", "--json").json["newer"] == "2.0.0"


def test_explain_shows_each_candidate_with_its_rule(cli: Cli, registry):
    for version in ("1.0", "1.1", "2.0a1"):
        registry.publish("pypi", "aurora", version)
    registry.yank("pypi", "aurora", "1.1", "broken")

    said = cli("check", "pypi/aurora", "--explain", "--json").json

    told = {one["version"]: one for one in said["candidates"]}
    assert said["stable"] == "1.0"
    assert (told["1.1"]["counts"], told["1.1"]["state"]) == (False, "yanked")
    assert not told["2.0a1"]["stable"]
    assert all(one["rule"] and one["reason"] for one in told.values())
    assert "RULE" in cli("check", "pypi/aurora", "--explain").out


def test_nothing_is_stored_and_no_configuration_is_needed(bare: Cli, registry, monkeypatch):
    registry.publish("pypi", "aurora", "1.0")
    monkeypatch.setenv("MONITOR_NETWORK__GATEWAY", registry.pypi_url)

    said = bare("check", "pypi/aurora")  # the gateway has no such path: it is asked all the same

    assert said.code == 2
    assert "knows no such project" in said.err
    assert not [path for path in bare.folder.rglob("*") if path.suffix == ".db"]


def test_a_project_of_each_provider_of_the_lab_is_checked(everything: Cli, world):
    places = world.places
    asked = {
        "pypi/lab-demo": "1.1",
        "crates/lab-demo": "0.1.0",
        "github/lab/demo": "1.0.0",
        "gnu/hello": "2.12",
        "apache/gtk+": "3.24.38",
        "mirror/less": "661",
        f"git/{places.git_url}tool.git": "1.1",
        f"{places.git_url}tool.git": "1.1",
        f"{places.apache_url}gnu/sed/sed-4.8.tar.gz": "4.9",
        f"{places.apache_url}sources/gtk+/3.24/gtk+-3.24.38.tar.gz": "3.24.38",
        f"{places.nginx_url}pool/less-643.tar.gz": "661",
        f"{places.rsync_url}gnu/hello/hello-2.10.tar.gz": "2.12",
    }  # fmt: skip

    said = everything("check", *asked, "--json")

    assert {row["package"]: row["stable"] for row in said.lines} == asked
    assert said.code == 0


def test_an_index_names_the_nearest_projects_where_it_has_none_of_that_name(everything: Cli):
    said = everything("check", "mirror/lesss")

    assert said.code == 2
    assert "perhaps less" in said.err


@given(st.text(alphabet="ab/@%-._1", max_size=30))
def test_a_version_is_never_lost_nor_taken_from_a_path(text):
    name, version = split_version(text)

    assert text == (name if version is None else f"{name}@{version}")
    assert version is None or "/" not in version


@pytest.mark.parametrize(
    ("text", "halves"),
    [
        ("npm/@scope/name", ("npm/@scope/name", None)),
        ("pkg:npm/%40scope/name@1.0", ("pkg:npm/%40scope/name", "1.0")),
        ("pkg:cargo/x@1.0%2Bmeta", ("pkg:cargo/x", "1.0+meta")),
        ("https://u@host/x@1", ("https://u@host/x@1", None)),
        ("@scope", ("@scope", None)),
        ("x@", ("x@", None)),
    ],
)
def test_names_that_hold_an_at_sign_stay_whole(text, halves):
    assert split_version(text) == halves


def test_control_characters_of_an_upstream_do_not_reach_the_terminal(cli: Cli, registry):
    registry.publish("pypi", "aurora", "1.0")
    registry.yank("pypi", "aurora", "1.0", "\x1b[31mred\x07")

    said = cli("check", "pypi/aurora", "--explain")

    assert "\x1b" not in said.out + said.err
    assert "\x07" not in said.out + said.err


def test_further_attempts_are_not_printed(cli: Cli, registry):
    registry.fail("/pypi/simple/aurora/", status=503, times=None)
    text = (cli.config / "monitor.toml").read_text()
    (cli.config / "monitor.toml").write_text(
        text.replace("retries = 0", 'retries = 1\nretry_wait = "1s"')
    )

    said = cli("check", "pypi/aurora", "--json")

    assert json.loads(said.out)["outcome"] == "failed"
    assert "retry" not in said.err


def test_rules_of_packages_toml_hold_for_a_check(cli: Cli, registry):
    for version in ("4.2.1", "5.0"):
        registry.publish("pypi", "aurora", version)
    (cli.config / "packages.toml").write_text(
        '[[package]]\nupstream = "pypi/aurora"\npackaged = "4.2"\npin = "4.2"\n'
    )
    assert cli("poll").code == 0

    said = cli("check", "aurora", "--json")

    assert (said.code, said.json["newer"]) == (10, "4.2.1")


def test_answers_can_be_recorded_and_replayed_without_any_upstream(cli: Cli, registry, tmp_path):
    registry.publish("pypi", "aurora", "1.0")
    cli.before += ["--record", str(tmp_path / "kept")]
    live = cli("check", "pypi/aurora", "--json").json
    registry.stop()
    cli.before[-2:] = ["--replay", str(tmp_path / "kept")]

    again = cli("check", "pypi/aurora", "--json").json

    assert again | {"checked": 0} == live | {"checked": 0}
    assert cli("check", "pypi/other").code in (2, 3)


def test_settings_of_other_sources_do_not_stand_in_the_way(cli: Cli, registry):
    registry.publish("pypi", "aurora", "1.0")
    write_sources(cli.config, registry)
    (cli.config / "sources" / "wrong.toml").write_text('provider = "nosuch"\n')

    assert cli("check", "pypi/aurora").code == 0
    assert Path(cli.config / "sources" / "wrong.toml").exists()
    assert cli("config", "check").code == 2
