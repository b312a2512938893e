"""What is remembered, shown: list, show, why, outdated, status, and what a person says of it."""

from __future__ import annotations

import json
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.shipped import parse
from monitor.errors import UsageError
from tests.cli.conftest import Cli


@pytest.fixture
def known(cli: Cli, registry) -> Cli:
    """The command with a database in which aurora is watched, at 1.0."""
    for version in ("1.0", "1.1", "2.0rc1"):
        registry.publish("pypi", "aurora", version)
    registry.publish("crates", "lantern", "0.1.0")
    assert cli("watch", "pypi/aurora", "--current", "1.0", "--owner", "me").code == 0
    assert cli("watch", "pkg:cargo/lantern").code == 0
    assert cli("poll").code == 0
    return cli


def test_the_list_tells_the_newest_of_each_watched_project(known: Cli):
    rows = {row["purl"]: row for row in known("list", "--json").lines}

    assert rows["pkg:pypi/aurora"]["stable"] == "1.1"
    assert rows["pkg:pypi/aurora"]["current"] == "1.0"
    assert rows["pkg:cargo/lantern"]["answered"].endswith("Z")
    assert "aurora" in known("list").out


@pytest.mark.parametrize("text", ["aurora", "pypi/aurora", "pkg:pypi/aurora", "aurora@1.0"])
def test_a_project_is_shown_with_versions_and_sources_and_no_news_of_what_was_there(
    known: Cli, text
):
    said = known("show", text, "--json").json

    assert (said["purl"], said["stable"]) == ("pkg:pypi/aurora", "1.1")
    assert [one["version"] for one in said["versions"]] == ["2.0rc1", "1.1", "1.0"]
    assert said["sources"][0]["source"] == "pypi"
    assert said["events"] == []


def test_show_says_how_many_versions_it_left_out(known: Cli):
    said = known("show", "aurora", "--limit", "1")

    assert "… and 2 older ones" in said.out


def test_why_goes_from_the_answer_to_the_rule(known: Cli):
    said = known("why", "aurora@2.0rc1", "--json").json

    assert said["observed"]["source"] == "pypi"
    assert "/pypi/" in said["observed"]["url"]
    assert said["observed"]["digest"].startswith("sha256:")
    assert said["verdict"]["is"] == "pre-release"
    assert said["verdict"]["rule"]
    assert said["newest"]["stable"] == "1.1"
    assert known("why", "aurora", "--json").json["version"] == "1.1"


def test_why_says_that_what_was_there_is_not_built(known: Cli):
    assert "was there at the first look" in known("why", "pypi/aurora@1.1").out
    assert "no entry of builds.toml asks for it" in known("why", "pkg:cargo/lantern@0.1.0").out


def test_why_fits_one_screen(known: Cli, registry):
    for number in range(60):
        registry.publish("pypi", "aurora", f"3.0.dev{number}")
    assert known("poll").code == 0

    said = known("why", "aurora@1.1")

    assert len(said.out.splitlines()) <= 24
    assert "observed" in said.out


def test_why_answers_a_version_that_is_not_there_with_those_that_are(known: Cli):
    said = known("why", "aurora@1.2")

    assert (said.code, "1.1" in said.err) == (2, True)


def test_why_shows_recipe_build_and_result_of_a_release(known: Cli, registry):
    registry.publish("pypi", "aurora", "1.2")
    assert known("poll").code == 0
    job = known("queue", "take", "--worker", "w").json
    assert job["version"] == "1.2"
    done = known("queue", "done", str(job["id"]), "--fence", str(job["fence"]),
                 "--result", json.dumps({"image": "localhost/x"}))  # fmt: skip
    assert done.code == 0

    said = known("why", "aurora@1.2", "--json").json

    (told,) = said["jobs"]
    assert (told["state"], told["name"]) == ("done", "aurora__1.2")
    assert told["result"]["image"] == "localhost/x"
    assert {one["verdict"] for one in said["decisions"]} >= {"eligible"}
    assert {"released", "queued", "built"} <= {one["kind"] for one in said["events"]}
    shown = known("why", "aurora@1.2").out
    assert "aurora__1.2" in shown
    assert "localhost/x" in shown


# ── outdated ──────────────────────────────────────────────────────────────────────────


def test_outdated_compares_with_what_was_said_to_be_shipped(known: Cli):
    said = known("outdated", "--json")

    assert said.code == 10
    assert (said.json["package"], said.json["packaged"], said.json["newest"]) == (
        "aurora", "1.0", "1.1",
    )  # fmt: skip
    assert known("watch", "pypi/aurora", "--current", "1.1").code == 0
    assert known("outdated").code == 0


@pytest.mark.parametrize(
    "table",
    [
        "aurora 1.0\nlantern 0.1.0\n",
        "# mine\naurora\tpypi/aurora\t1.0\nlantern\tpkg:cargo/lantern\t0.1.0\n",
        "package,upstream,version\naurora,pypi/aurora,1.0\nlantern,crates/lantern,0.1.0\n",
        "version;package\n1.0;aurora\n0.1.0;lantern\n",
    ],
)
def test_outdated_reads_a_table_of_what_is_shipped(known: Cli, tmp_path, table):
    file = tmp_path / "shipped"
    file.write_text(table)

    said = known("outdated", "--against", file, "--every", "--json")

    assert {row["package"]: row["outcome"] for row in said.lines} == {
        "aurora": "newer", "lantern": "up to date",
    }  # fmt: skip
    assert said.code == 10


def test_a_line_that_means_nothing_is_named_and_the_others_are_compared(known: Cli, tmp_path):
    file = tmp_path / "shipped"
    file.write_text("aurora 1.0\nnobody 1\n")

    said = known("outdated", "--against", file, "--json")

    assert said.code == 2
    assert f"{file}:2: nobody" in said.err
    assert said.json["newest"] == "1.1"


def test_who_ships_a_pre_release_is_told_of_newer_ones(known: Cli, tmp_path):
    file = tmp_path / "shipped"
    file.write_text("aurora 2.0b1\n")

    assert known("outdated", "--against", file, "--json").json["newest"] == "2.0rc1"


def test_a_bump_record_has_all_that_a_script_needs(known: Cli):
    said = known("outdated", "--bump")

    assert said.code == 10
    record = said.json
    assert (record["package"], record["old"], record["new"]) == ("aurora", "1.0", "1.1")
    assert record["address"].endswith(record["file"])
    assert record["digest"].startswith("sha256:")
    assert record["size"] > 0
    assert record["file"].endswith(".tar.gz")


@given(st.lists(st.tuples(st.from_regex(r"[a-z]{1,8}", fullmatch=True),
                          st.from_regex(r"[0-9.]{1,8}", fullmatch=True)), min_size=1))  # fmt: skip
def test_tables_say_the_same_in_every_notation(rows):
    told = []
    for mark in (" ", "\t", ","):
        text = "".join(f"{name}{mark}{version}\n" for name, version in rows)
        told.append([(one.package, one.version) for one in parse(text, "x")])

    assert told[0] == told[1] == told[2] == rows


@pytest.mark.parametrize("text", ["", "# nothing\n", "onlyname\n", "a,\n", ",1\n"])
def test_a_table_without_package_and_version_is_refused_with_its_line(text):
    with pytest.raises(UsageError, match="package"):
        parse(text, "x")


# ── status ────────────────────────────────────────────────────────────────────────────


def test_status_tells_each_source_and_ends_with_0_while_all_is_fresh(known: Cli):
    said = known("status", "--json")

    assert said.code == 0
    asked = {(row["source"], row["mechanism"]): row["outcome"] for row in said.json["sources"]}
    assert asked["pypi", "feed"] in ("ok", "unchanged")
    assert asked["crates", "versions"] in ("ok", "unchanged")
    assert "daemon not running" in known("status").out


def test_J02_a_source_that_no_longer_answers_is_stale_within_its_target(known: Cli, registry):
    registry.fail("/crates*", status=500, times=None)
    db = sqlite3.connect(known.state / "monitor.db")
    with db:  # three hours ago
        db.execute("UPDATE question SET answered = answered - 10800, asked = asked - 10800")
        db.execute("UPDATE listing SET answered = answered - 10800, asked = asked - 10800")
        db.execute("UPDATE source SET added = added - 10800")
    db.close()
    assert known("poll").code == 3

    said = known("status", "--json")

    assert said.code == 3
    stale = {(row["source"], row["mechanism"]) for row in said.json["sources"] if row["stale"]}
    assert ("crates", "feed") in stale
    assert ("crates", "versions") in stale
    assert ("pypi", "feed") not in stale
    assert "STALE" in known("status").out


def test_a_changed_format_shows_with_its_remedy_at_the_next_look(known: Cli, registry):
    registry.fail("/pypi/simple/aurora/", status=200, body=b"<html>new design</html>", times=None)
    known("poll", "pypi")

    said = known("status")

    assert "pkg:pypi/aurora" in said.out
    assert "invalid" in said.out
    assert "simple/aurora" in said.out


def test_J10_failures_that_are_alike_are_told_once_and_counted(known: Cli, registry):
    for number in range(5):
        registry.publish("crates", f"many{number}", "1.0.0")
        assert known("watch", f"crates/many{number}").code == 0
    registry.fail("/crates/ma/*", status=500, times=None)
    assert known("poll", "crates").code == 3

    told = known("status").out.partition("failing projects")[2]

    assert "and 2 more" in told
    assert told.count("500") <= 2


def test_what_is_held_is_shown_with_who_and_why(known: Cli):
    assert known("hold", "aurora@1.1", "--why", "breaks us", "--who", "me").code == 0

    (held,) = known("status", "--json").json["held"]

    assert (held["purl"], held["version"], held["who"], held["why"]) == (
        "pkg:pypi/aurora", "1.1", "me", "breaks us",
    )  # fmt: skip
    assert "breaks us" in known("status").out
    assert known("unhold", "aurora@1.1").code == 0
    assert known("unhold", "aurora@1.1").code == 2
    assert known("status", "--json").json["held"] == []


def test_a_retraction_is_a_further_event(known: Cli):
    said = known("retract", "aurora@1.1", "--why", "our mistake", "--json")

    assert said.code == 0
    last = known("feed", "--json", "--limit", "1").json
    assert "retracted" in json.dumps(last)
    assert known("retract", "aurora", "--why", "x").code == 2
    assert known("retract", "aurora@9", "--why", "x").code == 2


def test_ack_moves_what_is_compared_with(known: Cli):
    assert known("ack", "lantern").out == "seen: pkg:cargo/lantern 0.1.0\n"
    assert known("ack", "lantern", "--json").lines == [
        {"purl": "pkg:cargo/lantern", "version": "0.1.0"}
    ]
    assert known("ack", "lantern", "9.9").code == 2


def test_what_is_no_longer_watched_is_no_longer_listed(known: Cli):
    [said] = known("unwatch", "aurora", "--json").lines
    assert (said["purl"], said["watched"]) == ("pkg:pypi/aurora", True)

    assert [row["purl"] for row in known("list", "--json").lines] == ["pkg:cargo/lantern"]


def test_providers_and_sources_are_listed_for_people_and_programs(known: Cli):
    assert {"pypi", "crates", "github"} <= {
        row["name"] for row in known("providers", "--json").lines
    }
    assert known("providers", "pypi", "--json").json["settings"]
    assert known("providers", "pipy").code == 2
    assert {row["source"] for row in known("sources", "--json").lines} == {
        "pypi", "crates", "rubygems", "github",
    }  # fmt: skip


@pytest.mark.parametrize("columns", ["80", "40"])
def test_every_table_fits_the_terminal(known: Cli, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)

    for command in (["list"], ["sources"], ["outdated"]):
        assert all(len(line) <= int(columns) for line in known(*command).out.splitlines()), command


def test_events_are_followed_from_a_cursor_and_picked_by_kind(known: Cli, registry):
    registry.publish("pypi", "aurora", "1.2")
    assert known("poll").code == 0
    head = known("status", "--json").json["cursor"]

    assert "released" in known("feed", "--kind", "released").out
    assert known("feed", "--after", head).out == ""
    assert known("feed", "--kind", "nosuch").code == 2
    epoch, _, number = head.partition(".")
    assert known("feed", "--after", f"other.{number}").code == 2  # I03: of another life
    assert known("feed", "--after", f"{epoch}.{int(number) + 1}").code == 2  # of the future
    one = known("feed", "--after", f"{epoch}.0", "--limit", "1", "--json")
    assert one.out == known("feed", "--after", f"{epoch}.0", "--limit", "1", "--json").out  # I01


def test_a_name_or_version_is_given_to_one_project_only(known: Cli):
    assert known("watch", "pypi/a", "pypi/b", "--current", "1").code == 2


# ── a source that is only read as a whole ─────────────────────────────────────────────


def test_a_project_of_a_source_that_is_only_read_as_a_whole_is_watched_with_it(everything: Cli):
    """By its own name or its purl, by command and by the settings; and a round is still made."""
    (everything.config / "packages.toml").write_text(
        '[[package]]\nname = "zlib"\nupstream = "mirror/zlib"\npackaged = "1.0"\n\n'
        '[[package]]\nname = "less"\nupstream = "pkg:generic/news/less"\npackaged = "660"\n'
    )
    assert everything("watch", "apache/gtk+").code == 0
    assert everything("poll", "apache", "mirror", "news").code == 0

    told = {row["purl"]: row for row in everything("list", "--json").lines}
    mine = [told[f"pkg:generic/{name}"] for name in ("apache/gtk%2B", "mirror/zlib", "news/less")]
    assert all(row["stable"] for row in mine)
    assert all(row["answered"] for row in mine)
    assert "not asked yet" not in everything("outdated", "--every").out
    assert everything("watch", "pkg:generic/mirror/zlib").code == 0
    assert everything("poll", "mirror").code == 0


# ── thousands of packages ─────────────────────────────────────────────────────────────


def test_packages_that_share_an_upstream_are_compared_each_by_its_own_pin_and_owner(
    known: Cli, registry
):
    registry.publish("pypi", "aurora", "3.0")
    registry.publish("pypi", "aurora", "3.1")
    assert known("poll").code == 0
    (known.config / "packages.toml").write_text(
        '[[package]]\nname = "aurora1"\nupstream = "pypi/aurora"\npackaged = "1.0"\npin = "1"\n'
        'owner = "Old Team"\n'
        '[[package]]\nname = "aurora3"\nupstream = "pypi/aurora"\npackaged = "3.0"\n'
    )

    told = {row["package"]: row["newest"] for row in known("outdated", "--json").lines}
    mine = known("outdated", "--owner", "old team", "--bump").json
    nobody = known("outdated", "--owner", "new team")

    assert told == {"aurora1": "1.1", "aurora3": "3.1"}
    assert (mine["package"], mine["new"], mine["owner"]) == ("aurora1", "1.1", "Old Team")
    assert (nobody.code, "owners are: Old Team" in nobody.err) == (2, True)


def test_packages_that_no_source_knows_are_told_by_kind_and_counted(known: Cli):
    (known.config / "packages.toml").write_text(
        "".join(f'[[package]]\nupstream = "nowhere/p{n}"\n' for n in range(50))
        + "".join(f'[[package]]\nupstream = "elsewhere/n{n}"\n' for n in range(9))
        + '[[package]]\nupstream = "crate/q"\n[[package]]\nupstream = "git/https://a.example/r"\n'
    )

    for command in (("config", "check"), ("poll",)):
        said = known(*command)
        assert said.code == 0
        assert "nowhere/p0: no configured source knows it, nor 58 more: nowhere (50)" in said.err
        assert "elsewhere (9)" in said.err
        assert "did you mean crates?" in said.err
        assert "add sources/git.toml" in said.err
        assert len(said.err.splitlines()) == 6


def test_what_could_not_be_compared_is_told_by_reason_and_not_one_by_one(known: Cli, tmp_path):
    (known.config / "packages.toml").write_text(
        "".join(
            f'[[package]]\nname = "p{n}"\nupstream = "pypi/p{n}"\npackaged = "1"\n'
            for n in range(30)
        )
    )
    assert known("poll", "--quiet").code == 3
    file = tmp_path / "shipped"
    file.write_text("".join(f"x{n} 1\n" for n in range(30)))

    said = known("outdated")
    against = known("outdated", "--against", file)

    assert "not compared, gone: p0, p1, p10, p11, p12 and 25 more (--every)" in said.out
    assert "… and 27 more like that: --every tells all" in against.err
    assert len(known("outdated", "--against", file, "--every").err.splitlines()) == 60
    assert "unwatch" in known("status").out


def test_slips_of_a_newcomer_are_answered_with_what_was_meant(known: Cli, tmp_path):
    (tmp_path / "notes").write_text("this is no database")

    bare = known("watch", "flask")
    wrong = known("restore", tmp_path / "notes")
    early = known("hold", "aurora@9.9", "--why", "not yet")

    assert (bare.code, "write it as source/project, such as" in bare.err) == (2, True)
    assert "pypi/flask" in bare.err
    assert (wrong.code, "this is no backup of ours" in wrong.err) == (1, True)
    assert (early.code, "no such version was seen yet" in early.out) == (0, True)
    assert "seen yet" not in known("hold", "aurora@1.1", "--why", "broken").out


# ── what the feeds tell of everything, and what of it is ours ─────────────────────────


def test_who_watches_a_few_is_told_of_those_in_poll_feed_and_json_feed(known: Cli, registry):
    toml = known.config / "monitor.toml"
    toml.write_text(toml.read_text() + "\n[feed]\nwatched_only = true\n")
    registry.publish("pypi", "aurora", "1.2")
    for number in range(3):
        registry.publish("pypi", f"stranger{number}", "1.0")

    polled = known("poll")
    mine = known("feed", "--watched", "--kind", "released", "--json").lines
    everything = known("feed", "--kind", "released", "--json").lines
    written = json.loads((known.state / "feed" / "feed.json").read_text())

    assert "4 releases (1 of what you watch)" in polled.out
    assert [one["_release"]["version"] for one in mine] == ["1.2"]
    assert len(everything) == 4
    told = {one["_release"]["purl"] for one in written["items"] if one["_release"]["purl"]}
    assert told == {"pkg:pypi/aurora"}
    assert written["_monitor"]["head"] == int(
        known("feed", "--json").lines[-1]["id"].split(".")[-1]
    )


def test_an_address_that_is_watched_is_exported_whole(cli: Cli):
    (cli.config / "sources" / "folder.toml").write_text('provider = "folder"\n')
    assert cli("watch", "folder/https://d.example/pub/#tool", "--current", "1.0").code == 0

    rows = cli("export").out.splitlines()
    assert rows[1].split("\t")[3] == "folder/https://d.example/pub/#tool"
    page = cli("export", "--format", "nvchecker").out
    assert 'url = "https://d.example/pub/"' in page
    assert 'regex = "tool[-_]v?' in page


# ── more to ask than an upstream allows ───────────────────────────────────────────────


def test_J03_a_poll_beyond_a_quota_answers_what_it_can_and_says_what_is_left(cli: Cli, registry):
    """GitHub allows 60 requests an hour without a token; a project takes two."""
    for number in range(150):
        registry.publish("github", f"o/tool{number}", "v1.0")
    names = ", ".join(f'"o/tool{number}"' for number in range(150))
    source = cli.config / "sources" / "github.toml"
    source.write_text(f"projects = [{names}]\n{source.read_text()}")

    polled = cli("poll", "github")
    listed = [row for row in cli("list", "--json").lines if row["stable"] == "1.0"]

    assert polled.code == 3
    assert 14 <= len(listed) <= 27
    assert "a credential may allow more" in polled.err
    failed = int(polled.out.rpartition(" failed")[0].rpartition(" ")[2])
    left = 150 - len(listed) - failed
    assert f"{left} more projects there were not asked, and stay due" in polled.err
    assert len(registry.requests("/github/*")) == 2 * len(listed)


def test_J10_much_trouble_of_one_kind_hides_no_other(known: Cli, registry):
    """A screen names some of each kind; all are counted."""
    names = ", ".join(f'"nobody/tool{number}"' for number in range(60))
    github = known.config / "sources" / "github.toml"
    github.write_text(f"projects = [{names}]\n{github.read_text()}")
    registry.github.limits[False] = 1000
    assert known("watch", "crates/vanished").code == 0
    assert known("poll", "github", "crates").code == 3

    told = known("status").out.partition("failing projects")[2]

    assert "and 57 more at github: gone" in told
    assert "vanished" in told
