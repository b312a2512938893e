"""The verdicts: every candidate, alone and among the others, by the first rule that decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from monitor import ordering
from monitor.judge import kin, series, shapes, spelling, words
from monitor.judge.company import Doubt, Member, doubts
from monitor.judge.previews import previews
from monitor.judge.verdicts import Candidate, Verdict
from monitor.model import State
from monitor.rules import Rules, pattern, terms

PLAIN: Final = Rules()

# Registries where the scheme's own rule is a contract: their tools treat "1.0.0-final" as a
# pre-release, so do we. Elsewhere words like "final" overrule it (fault C06).
_BINDING: Final = frozenset({"pep440", "semver", "gem", "nuget", "go", "composer", "cpan"})

# These have no rule beside words, and `monitor.judge.words` reads them with more care.
_ONLY_WORDS: Final = frozenset({"generic", "calver"})

# What stands behind "+" there is build metadata: "0.11.0+wasi-snapshot-preview1" is stable.
_METADATA: Final = frozenset({"pep440", "semver", "go", "nuget"})

# Distributions pack snapshots as what they ship: "0.5.3+git20230121-2" is their release.
_DISTRIBUTIONS: Final = frozenset({"debian", "rpm", "alpine"})

_R_DEVELOPMENT: Final = 9000  # 1.2.3.9000 is what comes after 1.2.3

_SPOILT: Final = frozenset(State) - {State.LISTED, State.DEPRECATED}
_DATELESS: Final = 40_000  # larger numbers are dates, not marks of a pre-release


@dataclass(slots=True)
class _Open:
    """A candidate on its way to its verdict."""

    candidate: Candidate
    version: str
    name: str | None = None
    epoch: int = 0
    release: bool = True
    stable: bool = True
    counts: bool = True
    rule: str = "release"
    reason: str = "nothing speaks against it"
    key: bytes = b"\x00\x00"

    def no_release(self, rule: str, reason: str) -> None:
        self.release = self.stable = self.counts = False
        self.rule, self.reason = rule, reason

    def no_newest(self, rule: str, reason: str) -> None:
        self.counts = False
        self.rule, self.reason = rule, reason


def judge(
    candidates: Iterable[Candidate],
    *,
    scheme: str,
    rules: Rules = PLAIN,
    project: str | None = None,
) -> list[Verdict]:
    """One verdict per candidate, in their order; what is decided does not depend on that order.

    `scheme` is the provider's; the rules may name another. `project` is its
    published name, which tags may contain. Pure: judging what is stored again
    under other rules asks nobody. Raises UsageError for an unknown scheme.
    """
    scheme = rules.scheme or scheme
    all_open = [_alone(c, scheme, rules, project) for c in candidates]
    _mark_strangers(all_open, project)
    if rules.tag is None:  # what a template holds around the version says nothing
        _mark_unfinished_tags(all_open, project)
    allowed = _keys(rules.allow, scheme)
    for epoch in {o.epoch for o in all_open}:
        members = [
            Member(n, o.version, o.key, o.candidate.published, o.candidate.first_seen)
            for n, o in enumerate(all_open)
            if o.release and o.rule != "unreadable" and o.epoch == epoch
        ]
        found = doubts(members)
        if scheme in spelling.BY_WORDS:
            stable = [m for m in members if all_open[m.name].stable]
            found = previews(stable) | found
        for n, doubt in found.items():
            if all_open[n].key[1:] not in allowed:
                _apply(all_open[n], doubt)
    _mark_what_does_not_count(all_open, scheme, rules)
    among = series.depth(o.version for o in all_open if o.release)
    return [
        Verdict(
            candidate=o.candidate,
            version=o.version,
            release=o.release,
            stable=o.stable,
            counts=o.counts,
            stream=series.stream_of(scheme, o.version, rules, among) if o.release else "",
            key=o.key,
            rule=o.rule,
            reason=o.reason,
        )
        for o in all_open
    ]


def is_stable(
    scheme: str, version: str, *, flag: bool | None = None, rules: Rules | None = None
) -> bool:
    """Is this version, by itself, a release and no pre-release? `flag` is the forge's."""
    rules = rules or PLAIN
    found = _alone(Candidate(version, prerelease=flag), rules.scheme or scheme, rules, None)
    return found.release and found.stable


def key_function(
    scheme: str, rules: Rules = PLAIN, project: str | None = None
) -> Callable[[str], bytes]:
    """What all spellings of one version have in common, for loops: "v1.0", "1.0", "release-1.0".

    Equal to `Verdict.key` but for the leading byte of the epoch, which may
    depend on dates. Takes what a candidate's `version` is.
    """
    scheme = rules.scheme or scheme
    known = ordering.key_function(scheme)

    def key(version: str) -> bytes:
        if spelling.flaw(version) is None:
            reading = spelling.read(Candidate(version), rules, project, scheme)
            version = spelling.sortable(scheme, reading.version) if reading else version
        return known(version)

    return key


def stream_of(scheme: str, version: str, rules: Rules | None = None) -> str:
    """The series of this version by itself; among others, the verdict's `stream` knows more."""
    return series.stream_of((rules and rules.scheme) or scheme, version, rules)


def _alone(c: Candidate, scheme: str, rules: Rules, project: str | None) -> _Open:
    """What the spelling, the scheme, the flag and the rules say of one candidate."""
    o = _Open(c, c.version)
    if reason := spelling.flaw(c.version) or (c.tag and spelling.flaw(c.tag)):
        o.no_release("unprintable" if "U+" in reason else "no-version", reason)
        return o
    reading = spelling.read(c, rules, project, scheme)
    if reading is None:
        o.no_release("tag-template", f'the tag does not fit "{rules.tag}"')
        o.key = b"\x00" + ordering.sort_key(scheme, c.version)
        return o
    version = o.version = reading.version
    o.name = reading.name
    o.epoch = _epoch(c, version, rules)
    sortable = spelling.sortable(scheme, version)
    unreadable = ordering.unreadable(scheme, version)
    if unreadable:
        o.epoch = 0  # below everything that can be read, in whatever epoch
    o.key = bytes((o.epoch,)) + ordering.sort_key(scheme, sortable)
    if c.outside is not None:
        o.no_release("other-source", c.outside)
        return o
    for text in rules.exclude:
        if pattern(text, "exclude").search(c.spelling):
            o.no_release("exclude", f"`exclude` holds {text!r}")
            return o
    if rules.include and not any(pattern(t, "include").search(c.spelling) for t in rules.include):
        o.no_release("include", "no pattern of `include` is found in it")
        return o
    if reading.moving and (unreadable or o.key[1:] not in _keys(rules.allow, scheme)):
        o.no_release("branch-name", reading.moving)
        return o
    if unreadable:
        o.stable = o.counts = False
        o.rule, o.reason = "unreadable", f"not a version of scheme {scheme}: {unreadable}"
        return o
    if found := _unfinished(c, version, scheme, rules):
        o.rule, o.reason = found
        o.stable = False
    return o


def _unfinished(c: Candidate, version: str, scheme: str, rules: Rules) -> tuple[str, str] | None:
    """The rule by which this is a pre-release: the most cautious of all voices."""
    by_scheme = scheme not in _ONLY_WORDS and ordering.is_prerelease(scheme, version)
    said = version.partition("+")[0] if scheme in _METADATA else version
    if by_scheme and (scheme in _BINDING or not words.only_finished(shapes.bare(said))):
        return "scheme-prerelease", f"a pre-release by the rule of {scheme}"
    if word := words.unfinished(said, snapshots=scheme not in _DISTRIBUTIONS):
        return "word", f"{word!r} says that it is not finished"
    if c.prerelease:
        return "forge-flag", "its upstream marks it as a pre-release"
    parts = [int(part) for part in shapes.numbers(version)]
    if scheme == "r" and len(parts) > 2 and parts[-1] >= _R_DEVELOPMENT:
        return (
            "scheme-prerelease",
            f"a last number of {parts[-1]} marks development versions of R's",
        )
    odd = bool(rules.odd_minors) and len(parts) > 1 and parts[1] % 2 == 1
    if odd and (rules.odd_before is None or parts[0] < rules.odd_before):
        return "odd-minor", f"minor {parts[1]} is odd: a development release"
    if rules.unstable_from is not None:
        high = [n for n in parts[1:] if rules.unstable_from <= n < _DATELESS]
        if high:
            return "high-number", f"{high[0]} is at least {rules.unstable_from}: before the next"
    return None


def _mark_strangers(all_open: Sequence[_Open], project: str | None) -> None:
    releases = [o for o in all_open if o.release]
    tags = [kin.Tagged(o.name, o.version, o.key, o.stable) for o in releases]
    for n in kin.strangers(tags, project):
        name = (releases[n].name or "").rstrip("/")
        releases[n].no_release("other-name", f"the tag is of {name!r}")


def _mark_unfinished_tags(all_open: Sequence[_Open], project: str | None) -> None:
    """Words around the version count too ("1.101580-TRIAL"), unless all tags have them."""
    said = [spelling.around(o.candidate, o.version, project) for o in all_open]
    tagged = [s for s, o in zip(said, all_open, strict=True) if o.release]
    shared = frozenset.intersection(*tagged) if len(tagged) > 1 else frozenset()
    for o, names in zip(all_open, said, strict=True):
        if o.release and o.stable and (own := sorted(names - shared)):
            o.stable = False
            o.rule, o.reason = "word", f"{own[0]!r} beside the version says that it is not finished"


def _apply(o: _Open, doubt: Doubt) -> None:
    o.no_release(doubt.rule, doubt.reason)
    o.release, o.counts = doubt.release, doubt.counts


def _mark_what_does_not_count(all_open: Sequence[_Open], scheme: str, rules: Rules) -> None:
    """States, `skip`, `pin` and the policy of pre-releases, in this order."""
    skipped = _keys(rules.skip, scheme)
    pinned = terms(rules.pin) if rules.pin is not None else ()
    for o in all_open:
        if not (o.release and o.counts):
            continue
        state = o.candidate.state
        if state in _SPOILT:
            assert state is not None
            o.no_newest(f"state-{state.value}", f"its state is {state.value}: kept, never newest")
        elif o.key[1:] in skipped:
            o.no_newest("skip", "`skip` lists it")
        elif pinned and not all(_within(o, op, bound, scheme) for op, bound in pinned):
            o.no_newest("pin", f"outside of {rules.pin}")
        elif not o.stable and rules.prereleases == "forbid":
            o.no_newest(o.rule, f"{o.reason}; `prereleases` forbids it")
        elif not o.stable and rules.prereleases == "allow" and o.rule != "number-among-dates":
            o.stable, o.rule = True, "prereleases-allowed"
            o.reason += "; `prereleases` allows it"
    counting = [o for o in all_open if o.release and o.counts]
    sound = [o for o in counting if o.candidate.state is not State.DEPRECATED]
    if any(o.stable for o in sound):  # where all are deprecated, the newest is still one of them
        for o in counting:
            if o.candidate.state is State.DEPRECATED:
                o.no_newest("state-deprecated", "deprecated, while other versions are not")


def _within(o: _Open, operator: str, bound: str, scheme: str) -> bool:
    if not operator:
        own, series_of = shapes.numbers(o.version), shapes.numbers(bound)
        same = [a.lstrip("0") == b.lstrip("0") for a, b in zip(own, series_of, strict=False)]
        return len(own) >= len(series_of) and all(same)
    key, limit = o.key[1:], ordering.sort_key(scheme, spelling.sortable(scheme, bound))
    return {
        "<": key < limit,
        "<=": key <= limit,
        ">": key > limit,
        ">=": key >= limit,
        "==": key == limit,
        "!=": key != limit,
    }[operator]


def _epoch(c: Candidate, version: str, rules: Rules) -> int:
    published = c.published.isoformat() if c.published else None
    return next((e.number for e in rules.epochs if e.fits(version, published)), 0)


@lru_cache(maxsize=256)
def _keys(versions: tuple[str, ...], scheme: str) -> frozenset[bytes]:
    """The sort keys of versions in the settings, in whatever spelling they are given."""
    found = set()
    for version in versions:
        reading = spelling.read(Candidate(version), PLAIN, None, scheme)
        text = reading.version if reading else version
        found.add(ordering.sort_key(scheme, spelling.sortable(scheme, text)))
    return frozenset(found)
