"""Addresses that pages refer to."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats.text import web_address

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
