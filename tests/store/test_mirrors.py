"""Projects that several sources show: presence, absence and disagreement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.model import Kind, Outcome, State
from monitor.store import due, events, projects, traits
from providers.pypi import Traits
from tests.store.shelf import AT, DAY, release


@pytest.fixture
def two(shelf):
    """A main source and its mirror, with the same purls."""
    shelf.add("main", "versions", purl="pypi", ordering="pep440")
    shelf.add("mirror", "versions", purl="pypi", ordering="pep440")
    shelf.versions("1.0", "1.1", "1.2", source="main")
    shelf.versions("1.0", "1.1", "1.2", source="mirror")
    return shelf


def test_a_mirror_announces_nothing_twice(two):
    two.versions("1.0", "1.1", "1.2", "1.3", source="main")
    two.versions("1.0", "1.1", "1.2", "1.3", source="mirror")

    assert two.released() == ["1.3"]
    assert two.db.execute("SELECT count(*) FROM project").fetchone()[0] == 1


def test_what_one_source_drops_is_not_gone_while_another_shows_it(two):
    for _ in range(3):
        two.versions("1.0", "1.1", source="main")
        two.versions("1.0", "1.1", "1.2", source="mirror")

    assert two.told() == []
    assert two.states()["1.2"] is State.LISTED


@pytest.mark.parametrize("order", [("main", "mirror"), ("mirror", "main")])
def test_what_all_sources_drop_is_missing_then_withdrawn_whoever_showed_it_first(two, order):
    for _ in range(3):
        for source in order:
            two.versions("1.0", "1.1", source=source)

    assert two.told(Kind.MISSING, Kind.WITHDRAWN) == [("missing", "1.2"), ("withdrawn", "1.2")]


def test_a_mirror_that_lags_takes_nothing_away(two):
    two.versions("1.0", "1.1", "1.2", "1.3", source="main")
    for _ in range(3):
        two.versions("1.0", "1.1", "1.2", source="mirror")

    assert two.told() == [("released", "1.3")]


def test_C16_where_sources_disagree_the_more_cautious_is_believed_and_nothing_flaps(two):
    for _ in range(4):
        two.versions("1.0", "1.1", release("1.2", state=State.YANKED), source="main")
        two.versions("1.0", "1.1", release("1.2", state=State.LISTED), source="mirror")

    assert two.told(Kind.YANKED, Kind.RESTORED) == [("yanked", "1.2")]
    assert two.states()["1.2"] is State.YANKED


def test_C16_a_yank_ends_when_all_sources_say_so(two):
    yanked, listed = release("1.2", state=State.YANKED), release("1.2", state=State.LISTED)
    for source in ("main", "mirror"):
        two.versions("1.0", "1.1", yanked, source=source)
    two.versions("1.0", "1.1", listed, source="main")
    assert two.states()["1.2"] is State.YANKED
    two.versions("1.0", "1.1", listed, source="mirror")

    assert two.told(Kind.YANKED, Kind.RESTORED) == [("yanked", "1.2"), ("restored", "1.2")]


def test_C16_what_each_source_calls_newest_is_visible_where_they_differ(two):
    assert projects.conflict(two.db, two.project()) == {}
    two.versions("1.0", "1.1", "1.2", "1.3", source="mirror")

    assert projects.conflict(two.db, two.project()) == {"main": "1.2", "mirror": "1.3"}


def test_a_project_that_one_source_denies_is_not_gone(two):
    for _ in range(4):
        two.failed(Outcome.GONE, after=DAY, source="main")

    assert two.told() == []
    for _ in range(4):
        two.failed(Outcome.GONE, after=DAY, source="mirror")
    assert two.told() == [("withdrawn", None)]


def test_an_index_beside_another_source_counts_what_it_shows(shelf):
    shelf.add("main", "versions", purl="pypi", ordering="pep440")
    shelf.add("tree", "index", purl="pypi", ordering="pep440")
    shelf.versions("1.0", "1.1", "1.2", source="main")
    shelf.index(*(release(f"1.{n}") for n in range(3)), source="tree")
    for _ in range(3):
        shelf.versions("1.0", "1.1", source="main")
    assert shelf.states()["1.2"] is State.LISTED
    for _ in range(3):
        shelf.index(release("1.0"), release("1.1"), source="tree")
        shelf.versions("1.0", "1.1", source="main")

    assert shelf.states()["1.2"] is State.WITHDRAWN
    assert shelf.count(Kind.WITHDRAWN) == 1


# ── sources of different rank ─────────────────────────────────────────────────────────


@pytest.fixture
def ranked(shelf):
    """A main source that is believed, and a mirror, with the same purls."""
    shelf.add("main", "versions", purl="pypi", ordering="pep440", priority=1)
    shelf.add("mirror", "versions", purl="pypi", ordering="pep440")
    shelf.versions("1.0", "1.1", "1.2", source="main")
    shelf.versions("1.0", "1.1", "1.2", source="mirror")
    return shelf


def newest(shelf):
    row = projects.by_purl(shelf.db, "pkg:pypi/foo")
    found = {one["id"]: one["version"] for one in projects.versions(shelf.db, row["id"])}
    return found[row["stable"]]


def test_C16_what_only_a_source_of_lower_priority_shows_is_kept_and_never_newest(ranked):
    ranked.versions("1.0", "1.1", "1.2", "1.3", source="mirror")

    assert newest(ranked) == "1.2"
    assert ranked.told() == []
    assert ranked.states()["1.3"] is State.LISTED
    assert projects.conflict(ranked.db, ranked.project()) == {"main": "1.2", "mirror": "1.3"}


def test_C16_it_is_announced_once_when_the_source_that_is_believed_shows_it(ranked):
    for _ in range(2):
        ranked.versions("1.0", "1.1", "1.2", "1.3", source="mirror")
        ranked.versions("1.0", "1.1", "1.2", source="main")
    assert ranked.told() == []
    for source in ("main", "mirror", "main"):
        ranked.versions("1.0", "1.1", "1.2", "1.3", source=source)

    assert ranked.told() == [("released", "1.3")]
    assert newest(ranked) == "1.3"
    assert projects.conflict(ranked.db, ranked.project()) == {}


def test_C16_another_spelling_of_the_believed_source_counts(ranked):
    ranked.versions("1.0", "1.1", "1.2", "1.3", source="mirror")
    ranked.versions("1.0", "1.1", "1.2", "1.3.0", source="main")

    assert newest(ranked) == "1.3"
    assert ranked.told() == [("released", "1.3")]


@pytest.fixture
def private(shelf):
    """A company's index that has its projects to itself, and a public one."""
    shelf.add("company", "versions", purl="pypi", ordering="pep440", exclusive=True)
    shelf.add("public", "versions", purl="pypi", ordering="pep440")
    shelf.versions(release("1.0", digests="a"), release("1.1", digests="b"), source="company")
    return shelf


def test_E21_a_higher_version_elsewhere_of_a_name_of_our_own_is_ignored_and_an_alarm(private):
    for _ in range(3):
        private.versions("99.0", source="public")
        private.versions("1.0", "1.1", source="company")

    assert newest(private) == "1.1"
    assert private.told() == [("suspect", "99.0")]
    [alarm] = [e for e in events.follow(private.db, 0) if e.kind is Kind.SUSPECT]
    assert alarm.payload["alarm"]
    assert "company has this project to itself" in alarm.payload["reason"]


def test_E21_a_name_that_was_taken_before_we_came_is_an_alarm_too(shelf):
    shelf.add("public", "versions", purl="pypi", ordering="pep440")
    shelf.versions("99.0", source="public")
    shelf.add("company", "versions", purl="pypi", ordering="pep440", exclusive=True)
    shelf.versions("1.0", "1.1", source="company")

    assert newest(shelf) == "1.1"
    assert shelf.told(Kind.RELEASED, Kind.SUSPECT) == [("suspect", "99.0")]


def test_E21_neither_files_nor_states_of_ours_come_from_elsewhere(private):
    for _ in range(2):
        private.versions(
            release("1.1", digests="f", state=State.YANKED), release("1.0"), source="public"
        )
        private.versions(
            release("1.0", digests="a"), release("1.1", digests="b", state=State.LISTED),
            source="company",
        )  # fmt: skip

    assert private.states() == {"1.0": State.LISTED, "1.1": State.LISTED}
    digests = {row["digest"] for row in private.db.execute("SELECT digest FROM file")}
    assert digests == {f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"}
    assert private.told() == []


def test_E21_our_own_release_is_told_although_the_number_was_taken_elsewhere(private):
    private.versions("99.0", source="public")
    private.versions("1.0", "1.1", "99.0", source="company")

    assert private.told(Kind.RELEASED) == [("released", "99.0")]
    assert newest(private) == "99.0"


def test_E21_a_source_that_is_no_longer_configured_keeps_nobody_out(private):
    private.versions("99.0", source="public")
    due.rank(private.db, [private.sources["public"]])
    private.versions("99.0", "99.1", source="public")

    assert newest(private) == "99.1"


# ── feeds of a source that is believed ────────────────────────────────────────────────


@pytest.fixture
def fed(shelf):
    """As `ranked`, and the main source has a feed; both have shown 1.0."""
    shelf.add("main", "feed", "versions", purl="pypi", ordering="pep440", priority=1)
    shelf.add("mirror", "versions", purl="pypi", ordering="pep440")
    others = [release(f"{n}", "other", at=AT - DAY) for n in range(3)]
    shelf.feed(*others, release("1.0", at=AT - DAY), source="main")
    shelf.versions("1.0", source="mirror")
    return shelf


@pytest.mark.parametrize("asked", [True, False])
def test_D03_what_rises_from_below_the_window_is_no_news_where_its_source_is_believed(fed, asked):
    if asked:
        fed.versions("1.0", source="main")
    left = [release(f"{n}", "other", at=AT - DAY) for n in range(1, 3)]
    risen = release("0.9", at=AT - 9 * DAY)
    fed.feed(*left, release("1.0", at=AT - DAY), risen, source="main")

    assert fed.told() == []
    assert "0.9" in fed.states()


@pytest.mark.parametrize("asked", [True, False])
def test_C16_a_feed_of_the_believed_source_announces_what_the_mirror_had_before(fed, asked):
    if asked:
        fed.versions("1.0", source="main")
    fed.versions("1.0", "1.1", source="mirror")
    assert fed.told() == []
    for _ in range(2):
        fed.feed(release("1.1", at=fed.at), release("1.0", at=AT - DAY), source="main")
    fed.versions("1.0", "1.1", source="main")

    assert fed.told() == [("released", "1.1")]


@pytest.mark.parametrize(("exclusive", "priority"), [(True, 0), (False, 1)])
def test_E21_no_stranger_is_asked_about_a_release_of_our_own(shelf, exclusive, priority):
    """It would learn our versions, and tell of a stranger's what is taken for ours."""
    shelf.add("company", "versions", purl="pypi", exclusive=exclusive, priority=priority)
    shelf.add("public", "versions", purl="pypi")
    for source in ("company", "public"):
        shelf.versions("1.0", source=source)
    shelf.versions("1.0", "1.1", source="company")
    public = shelf.sources["public"]
    asked = Traits("https://up.example")
    able = {public.id: replace(public, provider=replace(public.provider, traits=asked))}
    traits.enlist(shelf.db, able, lambda purl, watched: (0, 0), shelf.at)

    assert shelf.released() == ["1.1"]
    asked_for = shelf.db.execute("SELECT count(*) FROM inquiry WHERE NOT quiet").fetchone()[0]
    assert asked_for == (0 if exclusive else 1)


def test_C16_what_a_believed_feed_shows_at_first_or_from_below_its_window_is_no_news(shelf):
    """Its mirror has shown both before, and was not believed."""
    shelf.add("main", "feed", "versions", purl="pypi", ordering="pep440", priority=1)
    shelf.add("mirror", "versions", purl="pypi", ordering="pep440")
    shelf.versions("1.0", source="mirror")
    others = [release(f"{n}", "other", at=AT - DAY) for n in range(3)]
    shelf.feed(*others, release("1.0", at=AT - DAY), source="main")
    shelf.versions("0.9", "1.0", source="mirror")
    shelf.feed(*others[1:], release("1.0", at=AT - DAY), release("0.9", at=AT - 9), source="main")

    assert shelf.told() == []
