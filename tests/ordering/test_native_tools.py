"""Our orders against the tools that own them: 20,000 pairs each, half of them near-equal.

Then odd versions, each against each.

Where we differ on purpose, the difference is described below as a rule, and every differing pair
must fit it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.ordering import canonical, compare, key_function, unreadable

from . import oracles, samples
from .oracles import Answers, Pairs


@pytest.fixture(scope="session")
def recorded(pytestconfig: pytest.Config) -> Path | None:
    """The folder with recorded answers if there is one: without it, our own lists must do."""
    named = os.environ.get("MONITOR_SHARED")
    folder = Path(named) if named else pytestconfig.rootpath.parent / "shared"
    return folder if (folder / "data").is_dir() else None


Difference = tuple[str, str, int | None, int | None]  # a, b, the tool's answer, ours


def differences(scheme: str, pairs: Pairs, answers: Answers) -> list[Difference]:
    """Where the two disagree about the order, or about what can be read at all (None)."""
    refused = {
        version: unreadable(scheme, version) is not None for pair in pairs for version in pair
    }
    found: list[Difference] = []
    for (a, b), theirs in zip(pairs, answers, strict=True):
        ours = None if refused[a] or refused[b] else compare(scheme, a, b)
        if ours != theirs:
            found.append((a, b, theirs, ours))
    return found


def enough(answers: Answers) -> None:
    """The test has a point only if the tool did compare, and found all three answers."""
    counts = {sign: answers.count(sign) for sign in (-1, 0, 1)}
    assert sum(counts.values()) > len(answers) / 2, counts
    assert min(counts.values()) > 500, counts


def test_debian_is_dpkgs_order(recorded: Path | None) -> None:
    pairs = samples.pairs("debian", recorded) + samples.odd_pairs("debian")
    answers = oracles.dpkg(pairs)
    enough(answers)
    different = differences("debian", pairs, answers)
    # dpkg's Perl half lets pass an empty upstream version and a colon in the revision, which
    # the C half, and so we, refuse.
    assert [d for d in different if d[3] is not None] == []
    suspects = sorted({v for a, b, _, _ in different for v in (a, b) if unreadable("debian", v)})
    assert [version for version in suspects if ":" not in version] == []
    assert oracles.dpkg_refuses(suspects) == [True] * len(suspects)


def test_debian_is_the_order_of_the_dpkg_program_itself(recorded: Path | None) -> None:
    pairs = [
        (a, b)
        for a, b in samples.pairs("debian", recorded, 200)
        if not unreadable("debian", a) and not unreadable("debian", b)
    ]
    assert oracles.dpkg_itself(pairs) == [compare("debian", a, b) for a, b in pairs]


def test_rpm_is_rpms_order(recorded: Path | None, tmp_path: Path) -> None:
    pairs = samples.pairs("rpm", recorded) + samples.odd_pairs("rpm")
    answers = oracles.rpm(pairs, tmp_path)
    enough(answers)
    # RPM compares any text; what its spec parser does not let into a version, we do not read.
    different = differences("rpm", pairs, answers)
    assert [d for d in different if _a_spec_file_may_say(d[0]) and _a_spec_file_may_say(d[1])] == []


def _a_spec_file_may_say(version: str) -> bool:
    version = re.sub("^[0-9]*:", "", version)
    main, dash, release = version.rpartition("-") if "-" in version else (version, "", "")
    characters = r"[A-Za-z0-9._+%{}~^]"
    return bool(
        re.fullmatch(rf"{characters}(?:{characters}|-)*", main)
        and re.search("[A-Za-z0-9]", main)
        and (not dash or re.fullmatch(f"{characters}+", release))
    )


# Numbers above these are refused or cut down by the tool; to us they are numbers like others.
_LARGEST = {"semver": 2**53 - 1, "cpan": 2**31 - 1}


@pytest.mark.parametrize(
    ("scheme", "oracle"),
    [
        ("gem", oracles.gem),
        ("pep440", oracles.packaging),
        ("semver", oracles.npm),
        ("cpan", oracles.perl),
    ],
)
def test_the_order_is_the_native_tools(
    scheme: str, oracle: Callable[[Pairs], Answers], recorded: Path | None
) -> None:
    pairs = samples.pairs(scheme, recorded) + samples.odd_pairs(scheme)
    answers = oracle(pairs)
    enough(answers)
    different = differences(scheme, pairs, answers)
    if scheme in _LARGEST:
        different = [d for d in different if _largest_number(d) <= _LARGEST[scheme]]
    assert different == []


def _largest_number(difference: Difference) -> int:
    numbers = re.findall("[0-9]+", " ".join(difference[:2]))
    return max(int(number) for number in numbers)


def test_composer_is_composers_normal_form_in_phps_order(recorded: Path | None) -> None:
    pairs = samples.pairs("composer", recorded) + samples.odd_pairs("composer")
    answers = oracles.composer(pairs)
    enough(answers)
    rest = [
        (a, b, theirs, ours)
        for a, b, theirs, ours in differences("composer", pairs, answers)
        # Branches: Composer only asks whether they are the same.
        if not (_is_branch(a) and _is_branch(b))
        # `STABLE`: Composer asks for small letters here only, and then sorts it below everything.
        and not any("stable" in version.lower() and "stable" not in version for version in (a, b))
        # A date with two more parts: read since Composer 3.4, Debian 12 has 3.3.
        and not (theirs is None and any(_long_date(version) for version in (a, b)))
    ]
    assert rest == []


def _is_branch(version: str) -> bool:
    return version[:4].lower() == "dev-" or version in ("master", "trunk", "default")


def _long_date(version: str) -> bool:
    return bool(re.match(r"v?[0-9]{4}([.:-]?[0-9]{2}){1,6}([.:-]?[0-9]{1,3}){2}", version, re.I))


def test_maven_is_mavens_order_but_for_its_circles(recorded: Path | None) -> None:
    """Each pair that differs lies on a circle of Maven's: a < m <= b, and yet a > b."""
    pairs = samples.pairs("maven", recorded) + samples.odd_pairs("maven")
    answers = oracles.maven(pairs)
    enough(answers)
    different = differences("maven", pairs, answers)
    assert len(different) < len(pairs) / 200
    between = [(a, b, m) for a, b, _, _ in different for m in _beginnings(a) | _beginnings(b)]
    to_left = oracles.maven([(a, m) for a, _, m in between])
    to_right = oracles.maven([(m, b) for _, b, m in between])
    circles: dict[tuple[str, str], str] = {}
    for (a, b, m), left, right in zip(between, to_left, to_right, strict=True):
        ours = compare("maven", a, b)
        if left is not None and right is not None and {left, right} <= {0, ours} != {0}:
            circles[a, b] = m
    assert [d for d in different if d[:2] not in circles] == []


def _beginnings(version: str) -> set[str]:
    """The canonical form cut off at each place, so that a part is missing where another has one."""
    form = canonical("maven", version)
    cuts = [match.start() for match in re.finditer(r"[.-]|(?<=[0-9])(?=[a-z])", form)]
    return {form[:cut] for cut in cuts if form[:cut].strip(".-")} | {form, "0"}


def test_mavens_canonical_form_is_ours_where_it_reads_as_the_same_version(
    recorded: Path | None,
) -> None:
    pairs = samples.pairs("maven", recorded, 5_000)
    for pair, (_, *forms) in zip(pairs, oracles.maven_spelled(pairs), strict=True):
        for version, form in zip(pair, forms, strict=True):
            same = compare("maven", version, form or "0") == 0
            assert canonical("maven", version) == ((form or "0") if same else version.lower())


# Circles in Maven 3.8.7's order: each is less than the next, and the last less than the first.
MAVEN_CIRCLES = [
    # a word is less than any list, whatever the list says of itself against nothing
    ("1-0.alpha", "1", "1-sp"),
    ("1-0.alpha", "1", "1-x"),
    # a zero is more than any word, and equal to nothing
    ("1-0.snapshot.a", "1", "1.x.1"),
    # a list is less than any number, and a list that begins with a list is still a list
    ("0a9", "0", "x9"),
    ("1-final-rc1", "1", "1-pl1"),
]


@pytest.mark.parametrize("circle", MAVEN_CIRCLES, ids=" ".join)
def test_maven_goes_in_circles_where_we_do_not(circle: tuple[str, str, str]) -> None:
    low, middle, high = circle
    assert oracles.maven([(low, middle), (middle, high), (high, low)]) == [-1, -1, -1]
    key = key_function("maven")
    assert key(low) < key(middle) < key(high)
