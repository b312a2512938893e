"""What changed between what was known and what is seen: with literals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.diff import Known, diff, most_cautious
from monitor.model import Kind, Release, State
from monitor.ordering import sort_key


def key(version):
    return sort_key("pep440", version)


def known(*versions, **more):
    return {version: Known(version, key(version), **more) for version in versions}


def found(before, *seen, complete=True):
    releases = [Release("foo", one) if isinstance(one, str) else one for one in seen]
    return diff(before, releases, key=key, complete=complete)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (State.YANKED, Kind.YANKED),
        (State.INSECURE, Kind.REVOKED),
        (State.REVOKED, Kind.REVOKED),
        (State.QUARANTINED, Kind.REVOKED),
        (State.DEPRECATED, Kind.CHANGED),
        (State.END_OF_LIFE, Kind.CHANGED),
    ],
)
def test_each_state_has_its_kind_of_event_and_its_way_back(said, kind):
    [there] = found(known("1.0"), Release("foo", "1.0", state=said)).changed
    [back] = found(known("1.0", state=said), Release("foo", "1.0", state=State.LISTED)).changed

    assert (there.kind, there.state) == (kind, said)
    assert (back.kind, back.state) == (Kind.RESTORED, State.LISTED)


def test_absence_is_missing_then_withdrawn_then_silence():
    for state, kind in ((State.LISTED, Kind.MISSING), (State.MISSING, Kind.WITHDRAWN)):
        [change] = found(known("1.0", state=state)).changed
        assert change.kind is kind
    assert found(known("1.0", state=State.WITHDRAWN)).changed == []


def test_absence_says_nothing_where_the_answer_is_incomplete_or_another_source_has_it():
    assert found(known("1.0"), complete=False).changed == []
    assert found(known("1.0", elsewhere=State.LISTED)).changed == []


def test_what_comes_back_yanked_is_restored_and_yanked():
    [change] = found(
        known("1.0", state=State.MISSING), Release("foo", "1.0", state=State.YANKED)
    ).changed

    assert (change.kind, change.state) == (Kind.RESTORED, State.YANKED)


def test_silence_about_the_state_changes_nothing():
    assert found(known("1.0", state=State.YANKED), "1.0").changed == []


def test_one_answer_that_names_a_version_twice_is_put_together():
    [added] = found(
        {}, Release("foo", "1.0", tag="v1.0"), Release("foo", "1.0", state=State.YANKED)
    ).added

    assert (added.release.tag, added.release.state) == ("v1.0", State.YANKED)


def test_two_new_spellings_in_one_answer_are_one_news():
    result = found(known("0.9"), "0.9", "1.0", "1.0.0", "v1.0")

    assert [one.release.version for one in result.news] == ["1.0"]
    assert [one.alias for one in result.added] == [None, "1.0", "1.0"]


VERSIONS = st.sets(st.sampled_from([f"{a}.{b}" for a in range(3) for b in range(4)]))


@given(VERSIONS, VERSIONS)
def test_everything_seen_is_added_or_known_and_everything_else_is_absent(before, seen):
    result = found(known(*before), *sorted(seen))

    assert {one.release.version for one in result.added} == seen - before
    assert {one.version for one in result.seen} == seen & before
    assert set(result.dropped) == before - seen


@given(st.lists(st.sampled_from(list(State))))
def test_the_more_cautious_is_believed_in_any_order(states):
    assert most_cautious(states) is most_cautious(reversed(states))
    assert most_cautious(states) not in (State.MISSING, State.WITHDRAWN)
