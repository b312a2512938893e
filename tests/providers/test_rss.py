"""Any feed of releases. What the titles of real feeds say, the recordings prove."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import rss

NAMES = st.from_regex(r"[A-Za-z][a-z0-9+]{0,4}([-_][a-z0-9+]{1,4}){0,2}", fullmatch=True)
NUMBERS = st.lists(st.integers(0, 999_999), min_size=2, max_size=4)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("aurora 1.2.3", ("aurora", "1.2.3")),
        ("Aurora release 1.2", ("Aurora", "1.2")),
        ("aurora-2 1.2", ("aurora-2", "1.2")),
        ("version 1.2", (None, "1.2")),
        ("aurora is here", (None, None)),
    ],
)
def test_a_title_says_name_and_version(title, said):
    assert rss._split(title, None) == said


@given(NAMES, NUMBERS, st.sampled_from([None, "other"]))
def test_a_plain_title_is_read_at_once_and_means_what_the_long_way_says(name, numbers, project):
    title = f"{name} {'.'.join(map(str, numbers))}"

    assert rss._split(title, project) == rss._split_long(title, project)
