"""Compressed bodies."""

from __future__ import annotations

import bz2
import gzip
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import FetchError
from monitor.formats import compressed
from monitor.model import Outcome
from tests.formats.answers import answer

PACK = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
TEXT = b"".join(b"%d\n" % number for number in range(30_000))


def read(body, **limits):
    return b"".join(compressed.blocks(answer(body), **limits))


@pytest.mark.parametrize("codec", PACK)
def test_what_was_compressed_comes_out_in_bounded_blocks(codec, monkeypatch):
    monkeypatch.setattr(compressed, "BLOCK", 10_000)
    blocks = list(compressed.blocks(answer(PACK[codec](TEXT))))

    assert b"".join(blocks) == TEXT
    assert max(map(len, blocks)) <= 10_000


@pytest.mark.parametrize("codec", PACK)
def test_several_streams_one_after_the_other_are_one_text(codec):
    assert read(PACK[codec](b"one\n") + PACK[codec](b"two\n")) == b"one\ntwo\n"


def test_what_is_not_compressed_stays_as_it_is():
    assert read(TEXT) == TEXT
    assert read(b"") == b""


@pytest.mark.parametrize("codec", PACK)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95, 0.9999])
def test_A13_a_truncated_body_is_refused(codec, share):
    packed = PACK[codec](TEXT)

    with pytest.raises((ValueError, EOFError)):
        read(packed[: int(len(packed) * share)])


@pytest.mark.parametrize("codec", PACK)
def test_A13_a_damaged_body_and_trailing_garbage_are_refused(codec):
    packed = bytearray(PACK[codec](TEXT))
    with pytest.raises(ValueError):
        read(bytes(packed) + b"garbage garbage")
    packed[len(packed) // 2] ^= 0xFF
    with pytest.raises((ValueError, EOFError)):
        read(bytes(packed))


@pytest.mark.parametrize("outer", PACK)
def test_A14_a_body_that_is_compressed_twice_is_refused(outer):
    with pytest.raises(ValueError, match="twice"):
        read(PACK[outer](gzip.compress(TEXT)))


@pytest.mark.parametrize("codec", PACK)
def test_A15_a_bomb_is_given_up_at_the_limit(codec):
    with pytest.raises(FetchError) as error:
        read(PACK[codec](bytes(20_000_000)), largest=5_000_000)

    assert error.value.outcome is Outcome.HOSTILE


@given(st.binary(max_size=100), st.sampled_from([b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\x00"]))
def test_no_bytes_bring_anything_but_an_error_of_reading(data, magic):
    with pytest.raises((ValueError, EOFError)):
        read(magic + data)
