"""One project's versions: what is news, what is absent, what is doubted."""

from __future__ import annotations

import pytest

from monitor.model import File, Kind, Outcome, State, Unread
from monitor.store import events, projects
from tests.store.shelf import AT, DAY, release


def test_C12_the_first_look_at_a_project_is_no_news(shelf):
    shelf.add()

    result = shelf.versions(*(f"1.{n}" for n in range(3000)))

    assert (result.added, result.released) == (3000, 0)
    assert [event.kind for event in events.follow(shelf.db, 0)] == [Kind.BASELINE]


def test_what_comes_after_the_first_look_is_news_once(shelf):
    shelf.add()
    shelf.versions("1.0")
    for _ in range(3):
        shelf.versions("1.0", "1.1")

    assert shelf.told() == [("released", "1.1")]


def test_C10_the_same_version_with_another_date_is_no_second_release(shelf):
    shelf.add()
    shelf.versions("1.0")
    for n in range(3):
        shelf.versions("1.0", release("1.1", at=AT + n))

    assert shelf.released() == ["1.1"]


def test_C02_a_release_of_an_old_branch_leaves_the_latest_alone(shelf):
    shelf.add()
    shelf.versions("1.3.8", "1.4.9")
    shelf.versions("1.3.8", "1.4.9", "1.3.9")

    [event] = [e for e in events.follow(shelf.db, 0) if e.kind is Kind.RELEASED]
    assert (event.version, event.payload["newest_stable"]) == ("1.3.9", False)
    assert event.payload["previous"] == "1.3.8"
    assert shelf.count(Kind.LATEST_CHANGED) == 0


def test_C01_a_withdrawn_release_makes_an_older_one_the_latest_and_releases_nothing(shelf):
    shelf.add()
    shelf.versions("1.8", "1.9", "2.0")
    shelf.versions("1.8", "1.9")
    shelf.versions("1.8", "1.9")

    assert shelf.told() == [
        ("missing", "2.0"),
        ("latest_changed", None),
        ("withdrawn", "2.0"),
    ]
    changed = events.after(shelf.db, 0)[-2]
    assert (changed.payload["previous"], changed.payload["stable_version"]) == ("2.0", "1.9")


def test_E17_a_yank_and_its_end_are_two_changes_and_no_release(shelf):
    shelf.add()
    shelf.versions("1.0", "1.1")
    shelf.versions("1.0", release("1.1", state=State.YANKED, reason="broken"))
    assert shelf.states()["1.1"] is State.YANKED
    shelf.versions("1.0", release("1.1", state=State.LISTED))

    assert shelf.told() == [
        ("yanked", "1.1"),
        ("latest_changed", None),
        ("restored", "1.1"),
        ("latest_changed", None),
    ]
    assert events.after(shelf.db, 0)[1].payload["reason"] == "broken"


def test_E18_a_quarantined_project_keeps_its_versions(shelf):
    shelf.add()
    shelf.versions("1.0")
    shelf.versions(release("1.0", state=State.QUARANTINED), complete=False)

    assert shelf.told()[0] == ("revoked", "1.0")
    assert shelf.states() == {"1.0": State.QUARANTINED}


def test_what_an_answer_does_not_say_erases_nothing(shelf):
    shelf.add()
    shelf.versions(
        release("1.0", at=AT, prerelease=False, revision="abc", tag="v1.0", state=State.YANKED)
    )
    shelf.versions("1.0")
    before = projects.versions(shelf.db, shelf.project())
    shelf.versions("1.0")

    assert before[0]["revision"] == "abc"
    assert projects.versions(shelf.db, shelf.project()) == before


# ── absence ───────────────────────────────────────────────────────────────────────────


def test_B01_an_empty_listing_of_a_known_project_is_doubted(shelf):
    shelf.add()
    shelf.versions("1.0", "1.1")

    result = shelf.versions()

    assert result.outcome is Outcome.SUSPECT
    assert set(shelf.states().values()) == {State.LISTED}
    assert shelf.told() == [("suspect", None)]
    assert "all 2 live versions" in shelf.listing()["error"]


def test_B01_an_empty_listing_of_a_new_project_is_no_error(shelf):
    shelf.add()

    result = shelf.versions()

    assert result.outcome is Outcome.OK
    assert shelf.listing()["error"] is None


def test_B02_versions_that_vanish_and_return_are_no_news(shelf):
    shelf.add()
    shelf.versions("1.0", "1.1")
    for _ in range(3):
        shelf.versions()
    assert set(shelf.states().values()) == {State.WITHDRAWN}
    shelf.versions("1.0", "1.1")

    assert shelf.released() == []
    assert set(shelf.states().values()) == {State.LISTED}
    assert shelf.count(Kind.RESTORED) == 2


def test_B02_a_doubt_that_is_not_confirmed_is_forgotten(shelf):
    shelf.add()
    shelf.versions("1.0", "1.1")
    shelf.versions()
    shelf.versions("1.0", "1.1")
    assert shelf.listing()["doubt"] is None

    assert shelf.versions().outcome is Outcome.SUSPECT


def test_B03_a_listing_with_only_the_newest_version_takes_nothing_away(shelf):
    shelf.add()
    shelf.versions(*(f"1.{n}" for n in range(40)))

    result = shelf.versions("1.39")

    assert result.outcome is Outcome.SUSPECT
    assert len(shelf.states()) == 40
    assert shelf.told() == [("suspect", None)]


def test_an_incomplete_answer_says_nothing_of_what_it_leaves_out(shelf):
    shelf.add()
    shelf.versions("1.0", "1.1", "1.2")
    shelf.versions("1.2", "1.3", complete=False)

    assert shelf.told() == [("released", "1.3")]
    assert shelf.states()["1.0"] is State.LISTED


def test_R3_a_missing_version_is_confirmed_before_it_is_withdrawn_and_never_deleted(shelf):
    shelf.add()
    shelf.versions("1.0", "1.1", "1.2")
    shelf.versions("1.0", "1.1")
    assert shelf.states()["1.2"] is State.MISSING
    assert shelf.listing()["doubt"] is not None  # so that the next visit asks past all caches
    shelf.versions("1.0", "1.1")

    assert shelf.states()["1.2"] is State.WITHDRAWN
    assert shelf.listing()["doubt"] is None
    assert [kind for kind, _ in shelf.told(Kind.MISSING, Kind.WITHDRAWN)] == [
        "missing",
        "withdrawn",
    ]


def test_a_version_that_is_missing_is_looked_at_again_soon(shelf):
    """Also where nothing but an announcement would make the project due."""
    shelf.add("shelf", "feed", "versions")
    shelf.versions("1.0", "1.1", "1.2")
    shelf.db.execute("UPDATE listing SET due = 1")
    shelf.versions("1.0", "1.1", next=None)

    assert shelf.listing()["due"] == shelf.at + 3600


def test_many_new_versions_at_once_are_believed_when_they_are_said_twice(shelf):
    shelf.add()
    shelf.versions("1.0")
    assert shelf.versions("1.0", *(f"2.{n}" for n in range(30))).outcome is Outcome.SUSPECT
    assert shelf.released() == []
    result = shelf.versions("1.0", *(f"2.{n}" for n in range(31)))  # one more came meanwhile

    assert (result.outcome, result.released) == (Outcome.OK, 31)


@pytest.mark.parametrize("outcome", [one for one in Outcome if one not in ("ok", "unchanged")])
def test_only_an_answer_that_was_read_changes_versions_and_validators(shelf, outcome):
    shelf.add()
    shelf.versions("1.0")
    before = shelf.db.execute("SELECT * FROM address").fetchall()
    visit = shelf.visit(
        "versions", outcome=outcome, project="foo", releases=[release("2.0")], error="no",
        remedy="wait", complete=True,
    )  # fmt: skip
    shelf._record(visit)

    assert shelf.states() == {"1.0": State.LISTED}
    assert shelf.db.execute("SELECT * FROM address").fetchall() == before
    assert shelf.listing()["outcome"] == outcome.value
    assert shelf.listing()["remedy"] == "wait"


def test_J06_a_project_that_always_fails_is_kept(shelf):
    shelf.add()
    shelf.versions("1.0")
    for _ in range(1000):
        shelf.failed(Outcome.RETRY)

    assert shelf.states() == {"1.0": State.LISTED}
    assert shelf.listing()["fails"] == 1000
    assert projects.troubled(shelf.db, shelf.at) == []  # not due by itself
    shelf.db.execute("UPDATE listing SET due = 5")
    assert projects.troubled(shelf.db, shelf.at)[0]["fails"] == 1000


def test_J08_nothing_new_nothing_found_and_not_asked_look_different(shelf):
    shelf.add()
    shelf.versions("1.0")
    shelf.versions("1.0")
    shelf.versions(project="empty")
    shelf.failed(Outcome.INVALID, "broken")
    rows = {
        name: (
            shelf.listing(name)["outcome"],
            shelf.listing(name)["answered"] is not None,
            len(shelf.states(name)),
        )
        for name in ("foo", "empty", "broken")
    }

    assert rows == {
        "foo": ("ok", True, 1),
        "empty": ("ok", True, 0),
        "broken": ("invalid", False, 0),
    }


# ── gone ──────────────────────────────────────────────────────────────────────────────


def test_A07_one_denial_is_no_event(shelf):
    shelf.add()
    shelf.versions("1.0")
    shelf.failed(Outcome.GONE)
    shelf.versions("1.0")

    assert shelf.told() == []


def test_A07_a_project_that_is_denied_for_a_day_is_gone_once_and_keeps_its_versions(shelf):
    shelf.add()
    shelf.versions("1.0")
    for _ in range(25):
        shelf.failed(Outcome.GONE, after=3600)
    for _ in range(10):
        shelf.failed(Outcome.GONE, after=DAY, status=404)

    assert shelf.told() == [("withdrawn", None)]
    assert events.after(shelf.db, 0)[-1].payload["reason"] == "gone"
    assert shelf.states() == {"1.0": State.LISTED}


def test_A07_denials_are_counted_beside_other_failures(shelf):
    shelf.add()
    shelf.versions("1.0")
    for _ in range(2):
        shelf.failed(Outcome.GONE, after=DAY)
        shelf.failed(Outcome.RETRY, after=DAY)
    assert shelf.told() == []
    shelf.failed(Outcome.GONE)

    assert shelf.told() == [("withdrawn", None)]


def test_A08_a_legal_block_has_a_reason_of_its_own(shelf):
    shelf.add()
    shelf.versions("1.0")
    for _ in range(3):
        shelf.failed(Outcome.GONE, after=DAY, status=451)

    assert events.after(shelf.db, 0)[-1].payload["reason"] == "legal"


def test_a_project_that_comes_back_is_restored_and_no_news(shelf):
    shelf.add()
    shelf.versions("1.0")
    for _ in range(3):
        shelf.failed(Outcome.GONE, after=DAY)
    shelf.versions("1.0")

    assert shelf.told() == [("withdrawn", None), ("restored", None)]


# ── spellings, tags, files ────────────────────────────────────────────────────────────


def test_B22_other_spellings_of_a_version_are_aliases_and_no_news(shelf):
    shelf.add()
    shelf.versions("0.9")
    for spelling in ("1.0", "v1.0", "1.0.0", "release-1.0"):
        shelf.versions("0.9", spelling, complete=False)
    rows = {row["version"]: row for row in projects.versions(shelf.db, shelf.project())}

    assert shelf.told() == [("released", "1.0")]
    assert {name for name, row in rows.items() if row["alias"] == rows["1.0"]["id"]} == {
        "v1.0",
        "1.0.0",
        "release-1.0",
    }


def test_B22_a_version_is_not_missing_while_another_spelling_of_it_is_listed(shelf):
    shelf.add()
    shelf.versions("0.9", "v1.0")
    shelf.versions("0.9", "1.0")
    shelf.versions("0.9", "1.0")
    assert shelf.told() == []
    shelf.versions("0.9")

    assert shelf.told() == [("missing", "v1.0"), ("latest_changed", None)]


def test_B22_what_only_an_alias_says_holds_for_its_version(shelf):
    shelf.add()
    shelf.versions("0.9", "1.0", "v1.0")
    shelf.versions("0.9", release("v1.0", state=State.YANKED))

    assert shelf.told()[0] == ("yanked", "1.0")


def test_E01_a_moved_tag_is_told_with_both_ids_and_is_no_release(shelf):
    shelf.add()
    shelf.versions(release("1.0", revision="aaa"), release("1.1", revision="bbb"))
    for _ in range(2):
        shelf.versions(release("1.0", revision="ccc"), release("1.1", revision="bbb"))

    assert shelf.told() == [("retagged", "1.0")]
    payload = events.after(shelf.db, 0)[-1].payload
    assert (payload["revision_before"], payload["revision"]) == ("aaa", "ccc")
    assert payload["alarm"]


def test_E01_a_tag_that_moves_while_it_is_yanked_is_told_as_both(shelf):
    shelf.add()
    shelf.versions(release("1.0", revision="aaa"), "0.9")
    shelf.versions(release("1.0", revision="ccc", state=State.YANKED), "0.9")

    assert {kind for kind, _ in shelf.told()} == {"yanked", "retagged", "latest_changed"}


def test_E02_most_tags_moved_at_once_are_one_alarm(shelf):
    shelf.add()
    shelf.versions(*(release(f"1.{n}", revision="a") for n in range(76)))
    shelf.versions(*(release(f"1.{n}", revision="b" if n else "a") for n in range(76)))

    assert shelf.told() == [("retagged", None)]
    assert "75 of 76" in events.after(shelf.db, 0)[-1].payload["reason"]


def test_E03_changed_bytes_are_told_once_and_both_digests_are_kept(shelf):
    shelf.add()
    shelf.versions(release("1.0", digests="a"))
    for _ in range(3):
        shelf.versions(release("1.0", digests="b"))
    row = shelf.db.execute("SELECT digest, other FROM file").fetchone()

    assert shelf.told() == [("changed", "1.0")]
    assert tuple(row) == ("sha256:" + "a" * 64, "sha256:" + "b" * 64)


def test_E03_digests_of_different_kinds_are_not_compared(shelf):
    shelf.add()
    first, second = release("1.0", digests="a"), release("1.0", digests="b")
    file = second.files[0]
    other = release("1.0", files=(type(file)(file.url, "md5:" + "b" * 32),))
    shelf.versions(first)
    shelf.versions(other)

    assert shelf.told() == []


def test_C20_a_file_that_comes_hours_later_is_told_and_is_no_second_release(shelf):
    shelf.add()
    shelf.versions("0.9")
    shelf.versions("0.9", release("1.0", digests="a"))
    shelf.versions("0.9", release("1.0", digests="ab"), after=2 * 3600)

    assert shelf.told() == [("released", "1.0"), ("changed", "1.0")]
    assert "alarm" not in events.after(shelf.db, 0)[-1].payload


def test_E06_what_attested_a_published_file_and_is_gone_is_an_alarm_once(shelf):
    shelf.add()
    proof = "https://up.example/proof"
    for said in (proof, None, "", ""):
        file = File("https://up.example/foo-1.0.tar.gz", "sha256:" + "a" * 64, provenance=said)
        shelf.versions(release("1.0", files=(file,)))

    assert shelf.told() == [("changed", "1.0")]
    assert (
        events.after(shelf.db, 0)[-1].payload["reason"] == "what attested a published file is gone"
    )


def test_an_archive_made_of_a_tag_does_not_make_the_release_s_own_files_late(shelf):
    shelf.add()
    made = File("https://up.example/archive/1.0.tar.gz", kind="generated")
    own = File("https://up.example/foo-1.0.tar.gz", "sha256:" + "a" * 64)
    shelf.versions(release("1.0", files=(made,)))
    shelf.versions(release("1.0", files=(own, made)), after=20 * DAY)

    assert shelf.told() == []
    assert len(projects.files(shelf.db, 1)) == 2


def test_E19_a_file_that_comes_weeks_later_is_an_alarm(shelf):
    shelf.add()
    shelf.versions(release("1.0", digests="a"))
    shelf.versions(release("1.0", digests="ab"), after=15 * DAY)

    assert shelf.told() == [("changed", "1.0")]
    assert events.after(shelf.db, 0)[-1].payload["alarm"]


def test_files_of_old_versions_are_no_alarm_when_somebody_begins_to_watch(shelf):
    shelf.add()
    shelf.wanted = False
    shelf.versions(release("1.0", digests="a", at=AT - 900 * DAY))
    shelf.wanted = True
    shelf.versions(release("1.0", digests="ab", at=AT - 900 * DAY))

    assert shelf.told() == []
    assert len(projects.files(shelf.db, 1)) == 2


def test_C11_hundreds_of_releases_within_minutes_are_all_stored_with_one_burst(shelf):
    shelf.add("shelf", "feed", "versions")
    shelf.feed(release("0.1"))
    for n in range(100):
        shelf.feed(*(release(f"1.{n}.{m}") for m in range(8)), after=6)

    assert len(shelf.released()) == 800
    assert shelf.count(Kind.BURST) == 1


def test_B05_what_cannot_be_read_is_kept_once_and_counted(shelf):
    shelf.add("shelf", "feed")
    for _ in range(3):
        shelf.feed(release("1.0"), unread=[Unread("br\x1b[31moken", "no version")])

    [letter] = projects.dead_letters(shelf.db)
    assert (letter["times"], letter["raw"]) == (3, "br\\x1b[31moken")


# ── the same twice ────────────────────────────────────────────────────────────────────


def test_R2_every_version_rests_on_an_answer(shelf):
    shelf.add()
    shelf.versions("1.0")
    shelf.versions("1.0", "1.1")
    rows = shelf.db.execute(
        "SELECT sighting.url, sighting.digest, sighting.at FROM version"
        " JOIN sighting ON sighting.id = version.seen"
    ).fetchall()

    assert len(rows) == 2
    assert all(row["url"] and row["digest"] and row["at"] for row in rows)
    assert all(event.source == "shelf" for event in events.follow(shelf.db, 0))


def test_R5_events_are_numbered_in_the_order_they_are_committed_and_never_altered(shelf):
    import sqlite3

    shelf.add()
    for n in range(5):
        shelf.versions(*(f"1.{m}" for m in range(n + 1)))
    seqs = [event.seq for event in events.follow(shelf.db, 0)]

    assert seqs == list(range(1, len(seqs) + 1))
    for statement in ("UPDATE event SET kind = 'x'", "DELETE FROM event"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            shelf.db.execute(statement)


def test_C17_a_release_from_the_future_is_no_news_at_the_first_look(shelf):
    shelf.add("shelf", "feed", "versions")
    shelf.feed(release("1.0", "bar"))
    shelf.versions(
        release("1.0", at=AT - DAY), release("9.0", at=AT + 999 * DAY), release("1.1", at=AT + 100)
    )

    assert shelf.released() == ["1.1"]
