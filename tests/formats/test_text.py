"""Addresses that pages refer to."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats.text import checked, web_address
from monitor.model import Release, Unread

BASE = "https://up.example/simple/foo/"


@given(st.from_regex(r"https?://[a-z.:0-9-]{1,9}(/[a-zA-Z.~%0-9@-]{0,4}){0,4}", fullmatch=True))
def test_a_whole_address_is_taken_at_once_and_is_what_joining_gives(address):
    found = web_address(BASE, address)

    assert found is None or found == urljoin(BASE, address)


@pytest.mark.parametrize(
    "reference", ["javascript:x()", "https://u@h.example/", "a b", "ftp://h.example/x"]
)
def test_what_leads_nowhere_on_the_web_is_no_address(reference):
    assert web_address(BASE, reference) is None


@pytest.mark.parametrize("odd", [["1.0"], None, 1.0, "1" * 3_000_000, ""])
def test_B04_what_cannot_be_a_name_or_version_at_all_is_a_dead_letter(odd):
    assert isinstance(checked(Release("aurora", odd)), Unread)
    assert isinstance(checked(Release(odd, "1.0")), Unread)
