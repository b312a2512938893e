"""Names that are near a watched one are noticed, whichever way they are near (fault E20)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.lookalike import ELSEWHERE, SPELLING, Watched

WATCHED = Watched(
    ["pkg:pypi/requests", "pkg:pypi/python-dateutil", "pkg:cargo/serde_json", "pkg:pypi/six",
     "pkg:npm/%40acme/widgets"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("purl", "resembles", "how"),
    [
        ("pkg:pypi/requessts", "pkg:pypi/requests", "one letter"),
        ("pkg:pypi/request", "pkg:pypi/requests", "one letter"),
        ("pkg:pypi/requezts", "pkg:pypi/requests", "one letter"),
        ("pkg:pypi/erquests", "pkg:pypi/requests", "one letter"),
        ("pkg:pypi/requesst", "pkg:pypi/requests", "one letter"),
        ("pkg:pypi/requ3sts", "pkg:pypi/requests", "characters that look alike"),
        ("pkg:pypi/rеquests", "pkg:pypi/requests", "characters that look alike"),  # a Cyrillic e
        ("pkg:pypi/dateutil-python", "pkg:pypi/python-dateutil", "the order of its words"),
        ("pkg:pypi/pythondateutil", "pkg:pypi/python-dateutil", SPELLING),
        ("pkg:cargo/serde-json", "pkg:cargo/serde_json", SPELLING),
        ("pkg:npm/requests", "pkg:pypi/requests", ELSEWHERE),
        ("pkg:cargo/six", "pkg:pypi/six", ELSEWHERE),
        ("pkg:npm/widgets", None, None),
    ],
)
def test_E20_what_a_person_would_confuse_is_near(purl, resembles, how):
    found = WATCHED.near(purl)
    assert (found and found.purl, found and found.how) == (resembles, how)


@pytest.mark.parametrize(
    "purl",
    ["pkg:pypi/requests", "pkg:pypi/sax", "pkg:pypi/fix", "pkg:pypi/requestium", "pkg:pypi/quests"],
)
def test_E20_what_is_the_name_itself_or_short_or_farther_is_not(purl):
    assert WATCHED.near(purl) is None


LETTERS = st.text("abcdefgxyz", min_size=6, max_size=12)


def distance(a, b):
    """Damerau and Levenshtein's, the textbook's way (optimal string alignment)."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            cost = a[i - 1] != b[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(LETTERS, st.integers(0, 12), st.sampled_from("abz"), st.sampled_from("dirs"))
def test_E20_every_single_step_is_found(name, at, letter, step):
    at = min(at, len(name) - 1)
    other = {
        "d": name[:at] + name[at + 1 :],
        "i": name[:at] + letter + name[at:],
        "r": name[:at] + letter + name[at + 1 :],
        "s": name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    }[step]
    found = Watched([f"pkg:pypi/{name}"]).near(f"pkg:pypi/{other}")
    assert (found is not None) == (other != name)


@given(LETTERS, LETTERS)
def test_E20_what_is_near_is_one_step_away(name, other):
    found = Watched([f"pkg:pypi/{name}"]).near(f"pkg:pypi/{other}")
    assert (found is not None) == (distance(name, other) == 1)
