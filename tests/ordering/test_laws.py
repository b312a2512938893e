"""What holds for every scheme and every text whatever."""

from __future__ import annotations

import itertools
import random
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import UsageError
from monitor.ordering import (
    canonical,
    compare,
    is_prerelease,
    key_function,
    schemes,
    sort_key,
    unreadable,
)
from monitor.ordering.encoding import LONGEST, number, text

from . import samples

lawful = settings(deadline=None, max_examples=60)  # the machine may be busy
every_scheme = pytest.mark.parametrize("scheme", schemes())

_PIECES = (
    ". - _ + ~ ^ : ! @ 0 00 1 01 2 9 10 20240101 a A b m p r v x rc RC alpha beta pre dev final ga "
    "sp post snapshot SNAPSHOT foo -r1 _alpha _p1 -TRIAL .0 .x- -dev T10"
)
versions = st.one_of(
    st.lists(st.sampled_from(_PIECES.split(" ")), max_size=8).map("".join),
    st.lists(st.integers(0, 10**30), min_size=1, max_size=6).map(lambda n: ".".join(map(str, n))),
    st.text(max_size=12),
)


@every_scheme
@lawful
@given(version=st.one_of(st.text(), st.characters(categories=["Cs", "Cf", "Cc", "Nd"]), versions))
def test_no_text_whatever_raises(scheme: str, version: str) -> None:
    key = sort_key(scheme, version)
    reason = unreadable(scheme, version)
    assert key.startswith(b"\x00") == (reason is not None)
    assert canonical(scheme, version) is not None
    prerelease = is_prerelease(scheme, version)
    if reason is not None:
        assert reason.isascii()
        assert reason.isprintable()
        assert canonical(scheme, version) == version
        assert prerelease is None


@every_scheme
@lawful
@given(a=versions, b=versions, c=versions)
def test_the_order_is_total_antisymmetric_and_transitive(
    scheme: str, a: str, b: str, c: str
) -> None:
    assert compare(scheme, a, a) == 0
    assert compare(scheme, a, b) == -compare(scheme, b, a)
    low, middle, high = sorted((a, b, c), key=key_function(scheme))
    assert compare(scheme, low, middle) <= 0
    assert compare(scheme, middle, high) <= 0
    assert compare(scheme, low, high) <= 0
    if compare(scheme, low, high) == 0:
        assert compare(scheme, low, middle) == compare(scheme, middle, high) == 0


@every_scheme
@lawful
@given(a=versions, b=versions)
def test_comparing_is_comparing_keys_and_equal_versions_are_alike(
    scheme: str, a: str, b: str
) -> None:
    left, right = sort_key(scheme, a), sort_key(scheme, b)
    assert compare(scheme, a, b) == (left > right) - (left < right)
    if left == right:
        assert (unreadable(scheme, a) is None) == (unreadable(scheme, b) is None)
        if unreadable(scheme, a):
            assert a == b


@every_scheme
@lawful
@given(readable=versions, not_readable=st.text())
def test_what_cannot_be_read_is_below_all_that_can(
    scheme: str, readable: str, not_readable: str
) -> None:
    if unreadable(scheme, readable) is None and unreadable(scheme, not_readable):
        assert compare(scheme, not_readable, readable) == -1


@every_scheme
@lawful
@given(version=versions)
def test_the_canonical_form_equals_the_version_and_is_its_own(scheme: str, version: str) -> None:
    form = canonical(scheme, version)
    if len(form) > LONGEST:  # Maven spells separators out
        return
    assert compare(scheme, form, version) == 0
    assert canonical(scheme, form) == form


# Where the order itself knows what a pre-release is. The generic order knows words by their first
# letters only, and to Perl's an underscore does not count.
_BY_THE_ORDER = [s for s in schemes() if s not in ("cpan", "generic", "calver", "gnome")]


@pytest.mark.parametrize("scheme", _BY_THE_ORDER)
def test_equal_versions_are_both_pre_releases_or_neither(scheme: str) -> None:
    for a, b in samples.pairs(scheme, None, 5_000):
        if compare(scheme, a, b) == 0:
            assert is_prerelease(scheme, a) == is_prerelease(scheme, b), (a, b)


@every_scheme
def test_sqlite_sorts_keys_as_the_scheme_sorts_versions(scheme: str) -> None:
    versions = samples.real(scheme)
    random.Random(4).shuffle(versions)
    with sqlite3.connect(":memory:") as database:
        database.execute("create table v (version text, sortkey blob)")
        database.executemany(
            "insert into v values (?, ?)", [(v, sort_key(scheme, v)) for v in versions]
        )
        rows = database.execute("select version from v order by sortkey").fetchall()
    database.close()
    for (a,), (b,) in itertools.pairwise(rows):
        assert compare(scheme, a, b) <= 0


@every_scheme
def test_a_common_version_has_a_key_of_few_bytes(scheme: str) -> None:
    version = "v1.2.3" if scheme == "go" else "2024.2.3" if scheme == "calver" else "1.2.3"
    assert len(sort_key(scheme, version)) <= (9 if scheme == "debian" else 6)


@every_scheme
def test_every_scheme_reads_most_of_its_own_real_versions(scheme: str) -> None:
    versions = samples.real(scheme)
    read = [version for version in versions if unreadable(scheme, version) is None]
    assert len(read) >= 0.95 * len(versions), set(versions) - set(read)


@lawful
@given(a=st.integers(0, 2**2000), b=st.integers(0, 2**2000))
def test_numbers_of_any_size_keep_their_order(a: int, b: int) -> None:
    assert (number(a) < number(b)) == (a < b)
    assert (number(a) == number(b)) == (a == b)
    assert number(a)[0] in range(0x10, 0xC8)
    if a != b:  # prefix-free: what follows a number never decides between two
        assert not number(b).startswith(number(a))


def test_numbers_keep_their_order_where_the_code_grows_longer() -> None:
    edges = [0, 159, 160, 4255, 4256, 2**16, 2**24, 2**32, 2**40, 2**48, 2**56, 10**255]
    around = sorted({max(0, edge + step) for edge in edges for step in (-1, 0, 1)})
    codes = [number(value) for value in around]
    assert codes == sorted(codes)
    assert len(number(159)) == 1
    assert len(number(2026)) == 2
    assert len(number(20_240_101)) == 5


@lawful
@given(a=st.text("abz09", max_size=4), b=st.text("abz09", max_size=4), rest=st.binary(max_size=2))
def test_texts_keep_their_order_whatever_follows(a: str, b: str, rest: bytes) -> None:
    if a < b:
        assert text(a) + rest < text(b)


def test_an_unknown_scheme_is_a_wrong_question_that_names_the_schemes() -> None:
    for ask in (
        lambda: sort_key("pep-440", "1.0"),
        lambda: compare("", "1", "2"),
        lambda: unreadable("os", "1"),
        lambda: canonical("__init__", "1"),
        lambda: is_prerelease("encoding", "1"),
    ):
        with pytest.raises(UsageError, match="pep440, semver, gem"):
            ask()


def test_schemes_are_loaded_when_they_are_first_asked_for() -> None:
    code = (
        "import sys, monitor.ordering as o; o.sort_key('pvp', '1.0');"
        "print(*sorted(m for m in sys.modules if m.startswith('monitor.ordering.')))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert loaded == ["monitor.ordering.encoding", "monitor.ordering.pvp"]
