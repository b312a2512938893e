"""Several packages of one upstream: each has its own pin, and none speaks for the others."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Cli

OLD = """
[[package]]
name = "postgresql15"
upstream = "pkg:pypi/postgresql"
packaged = "15.1"
pin = "15"
owner = "old team"
"""
NEW = """
[[package]]
name = "postgresql16"
upstream = "pypi/postgresql"
packaged = "16.1"
"""


@pytest.fixture
def shared(cli: Cli, registry) -> Cli:
    """postgresql 15.1 to 16.2, of which two packages are made."""
    for version in ("15.1", "15.2", "16.1", "16.2"):
        registry.publish("pypi", "postgresql", version)
    (cli.config / "packages.toml").write_text(OLD + NEW)
    assert cli("poll").code == 0
    return cli


def test_each_package_is_listed_with_what_is_newest_for_it(shared: Cli):
    rows = {row["name"]: row for row in shared("list", "--json").lines}

    assert {name: (row["current"], row["stable"], row["owner"]) for name, row in rows.items()} == {
        "postgresql15": ("15.1", "15.2", "old team"),
        "postgresql16": ("16.1", "16.2", None),
    }
    table = shared("list").out
    assert "pkg:pypi/postgresql (postgresql15)" in table
    assert "pkg:pypi/postgresql (postgresql16)" in table


def test_why_show_and_check_answer_for_the_package_that_is_named(shared: Cli):
    for name, newest in (("postgresql15", "15.2"), ("postgresql16", "16.2")):
        assert shared("why", name, "--json").json["version"] == newest
        assert shared("show", name, "--json").json["stable"] == newest
        assert shared("check", name, "--json").json["newer"] == newest
    told = shared("why", "postgresql15@16.2", "--json").json
    assert told["verdict"]["rule"] == "pin"
    assert told["packages"] == ["postgresql15", "postgresql16"]
    checked = {row["newer"] for row in shared("check", "--all", "--json").lines}
    assert checked == {"15.2", "16.2"}


def test_a_project_called_by_its_own_name_is_judged_by_what_its_packages_have_in_common(
    shared: Cli,
):
    assert shared("show", "pkg:pypi/postgresql", "--json").json["stable"] == "16.2"
    assert shared("why", "pkg:pypi/postgresql", "--json").json["version"] == "16.2"
    checked = shared("check", "pkg:pypi/postgresql", "--json").json
    assert (checked["stable"], checked["current"]) == ("16.2", None)


def test_a_restart_tells_nothing_whatever_the_order_of_the_packages(shared: Cli):
    before = shared("feed", "--json").lines

    assert shared("poll").code == 0
    (shared.config / "packages.toml").write_text(NEW + OLD)
    assert shared("poll").code == 0

    assert shared("feed", "--json").lines == before


def test_what_is_left_alone_has_the_project_for_itself_again(shared: Cli):
    (shared.config / "packages.toml").write_text(OLD)
    assert shared("poll").code == 0

    (row,) = shared("list", "--json").lines

    assert (row["name"], row["stable"]) == ("postgresql15", "15.2")
    assert shared("show", "postgresql15", "--json").json["packages"] == []
    told = [one["_release"]["kind"] for one in shared("feed", "--json").lines]
    assert told.count("latest_changed") == 1  # its pin holds for all of the project now


def test_what_all_packages_skip_is_skipped_for_the_project(shared: Cli):
    skip = 'skip = ["16.2"]\n'
    (shared.config / "packages.toml").write_text(OLD + skip + NEW + skip)
    assert shared("poll").code == 0

    assert shared("show", "pkg:pypi/postgresql", "--json").json["stable"] == "16.1"


def test_a_project_that_its_source_names_too_keeps_what_its_package_says(shared: Cli):
    source = shared.config / "sources" / "pypi.toml"
    source.write_text(f'projects = ["postgresql"]\n{source.read_text()}')
    (shared.config / "packages.toml").write_text(NEW)
    assert shared("poll").code == 0

    (row,) = shared("list", "--json").lines

    assert (row["name"], row["current"]) == ("postgresql16", "16.1")
    assert "shared" not in json.dumps(row)
