"""What holds for whatever an upstream publishes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge import (
    Candidate,
    differences,
    judge,
    key_function,
    newest,
    propose_epoch,
    standing,
    streams,
)
from monitor.model import State
from monitor.ordering import schemes
from monitor.rules import Epoch, Rules

DAY = datetime(2015, 1, 1, tzinfo=UTC)

pieces = st.sampled_from(
    """
    0 1 2 3 9 10 99 2016 20160708 99999 . . . - _ ~ + v rc1 beta a b1 p1 final dev x post1 latest
    release nightly SNAPSHOT master / : ! g12ab34f 1e5 foo- foo- bar/v 1.99.1 1.2.0 2.0.2-0 2.0.2
    011 23-03-28 1.0.2u 24.04
    """.split()  # noqa: SIM905
)
likely = st.builds("".join, st.lists(pieces, min_size=1, max_size=7))
plain = st.builds(".".join, st.lists(st.integers(0, 30).map(str), min_size=1, max_size=4))
versions = st.one_of(plain, likely, st.text(max_size=12))
days = st.none() | st.integers(0, 4000).map(lambda n: DAY + timedelta(days=n))
candidates = st.lists(
    st.builds(
        Candidate,
        versions,
        tag=st.none() | versions,
        published=days,
        prerelease=st.none() | st.booleans(),
        state=st.none() | st.sampled_from(State),
        first_seen=days,
    ),
    max_size=12,
    unique=True,
)
rules = st.builds(
    Rules,
    tag=st.none() | st.just("v{version}"),
    prefix=st.none() | st.just("v"),
    transform=st.lists(st.sampled_from(["underscores", "dashes", "xyyzzpp"]), max_size=2).map(
        tuple
    ),
    prereleases=st.sampled_from(["forbid", "only-if-newer", "allow"]),
    odd_minors=st.none() | st.booleans(),
    unstable_from=st.none() | st.just(90),
    streams=st.none() | st.sampled_from(["major", "minor", "none", r"^(\d)"]),
    pin=st.none() | st.sampled_from(["1", ">=1,<3"]),
    skip=st.just(()) | st.just(("1.0",)),
    epochs=st.just(()) | st.just((Epoch(number=2, match=r"^\d\."),)),
)
names = st.sampled_from(schemes())


@given(names, candidates, rules)
def test_every_candidate_gets_one_verdict_and_nothing_raises(scheme, known, rule):
    verdicts = judge(known, scheme=scheme, rules=rule)
    newest(verdicts)
    streams(verdicts)
    propose_epoch(verdicts)

    assert [verdict.candidate for verdict in verdicts] == known
    for verdict in verdicts:
        assert verdict.rule
        assert verdict.reason
        assert verdict.stable <= verdict.release
        assert verdict.counts <= verdict.release
        assert verdict.release or not verdict.stream


@given(names, candidates, rules, st.randoms(use_true_random=False))
def test_the_order_of_the_answer_does_not_matter(scheme, known, rule, chance):
    shuffled = list(known)
    chance.shuffle(shuffled)
    one = judge(known, scheme=scheme, rules=rule)
    other = judge(shuffled, scheme=scheme, rules=rule)

    assert {v.candidate: v for v in one} == {v.candidate: v for v in other}
    assert newest(one) == newest(other)
    assert streams(one) == streams(other)
    assert propose_epoch(one) == propose_epoch(other)


@given(names, candidates)
def test_the_newest_stable_is_never_a_prerelease_nor_spoilt(scheme, known):
    best = newest(judge(known, scheme=scheme))

    if best.stable:
        assert best.stable.candidate.prerelease is not True
        assert best.stable.candidate.state in {None, State.LISTED, State.DEPRECATED}
        assert best.stable.stable
    if best.stable and best.prerelease:
        assert best.prerelease.key > best.stable.key


@given(names, candidates, rules)
def test_the_newest_of_all_heads_its_series(scheme, known, rule):
    verdicts = judge(known, scheme=scheme, rules=rule)
    best = newest(verdicts).stable

    if best:
        assert standing(best, verdicts).of_stable
        assert standing(best, verdicts).of_stream


@given(names, candidates, rules)
def test_judging_twice_differs_in_nothing(scheme, known, rule):
    before = judge(known, scheme=scheme)
    after = judge(known, scheme=scheme, rules=rule)

    assert judge(known, scheme=scheme, rules=rule) == after
    assert differences(after, after) == []
    changed = {d.candidate: d.after for d in differences(before, after)}
    assert {c: v.rule for c, v in changed.items() if v} == {
        v.candidate: v.rule for v in after if v.candidate in changed
    }


@given(names, candidates, rules, rules)
def test_what_a_changed_rule_changes_is_undone_by_changing_it_back(scheme, known, one, other):
    before = judge(known, scheme=scheme, rules=one)
    after = judge(known, scheme=scheme, rules=other)

    there, back = differences(before, after), differences(after, before)
    assert {(d.candidate, d.before, d.after) for d in there} == {
        (d.candidate, d.after, d.before) for d in back
    }
    applied = {v.candidate: v for v in before} | {d.candidate: d.after for d in there}
    assert newest(v for v in applied.values() if v) == newest(after)


@given(names, versions, rules.filter(lambda r: not r.tag))
@settings(max_examples=200)
def test_the_key_alone_is_the_verdicts_key(scheme, version, rule):
    [verdict] = judge([Candidate(version)], scheme=scheme, rules=rule)

    if verdict.rule not in {"unprintable", "no-version"}:
        assert verdict.key[1:] == key_function(scheme, rule)(version)


@given(st.lists(plain.filter(lambda v: set(v) - set(".9")), min_size=1, max_size=30, unique=True))
def test_among_small_plain_numbers_nobody_is_an_intruder(numbers):
    assert {v.rule for v in judge(map(Candidate, numbers), scheme="generic")} == {"release"}
