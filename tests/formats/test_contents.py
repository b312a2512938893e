"""What is in an archive, however it is packed."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats import contents
from monitor.formats.contents import content_digest, is_generated
from monitor.model import Reply, Request

TREE = {"README": b"hello\n", "src/run.sh": b"#!/bin/sh\n", "src/a.c": b"int a;\n"}
NAMES = st.text("abcdefghij.-é ", min_size=1, max_size=12).filter(lambda n: n.strip(". ") == n)
TREES = st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=8)


def tar(files, *, top="foo-1.0/", runs=(), links=None, order=None, **more):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT, **more) as archive:
        for path in order or files:
            entry = tarfile.TarInfo(top + path)
            entry.size, entry.mode = len(files[path]), 0o775 if path in runs else 0o664
            archive.addfile(entry, io.BytesIO(files[path]))
        for path, target in (links or {}).items():
            entry = tarfile.TarInfo(top + path)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return raw.getvalue()


def zipped(files, *, top="foo-1.0/", runs=()):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(top + path)
            entry.external_attr = (0o100755 if path in runs else 0o100644) << 16
            archive.writestr(entry, data)
    return raw.getvalue()


def digest(data):
    return content_digest(Reply(Request("https://up.example/a"), io.BytesIO(data)))


@given(TREES)
def test_E04_the_same_tree_is_the_same_however_it_is_packed(files):
    plain = tar(files)
    other = tar(files, top="foo-of-tomorrow/", order=sorted(files, reverse=True),
                pax_headers={"comment": "0" * 40})  # fmt: skip
    packed = [gzip.compress(plain, level) for level in (1, 9)]
    packed += [plain, other, bz2.compress(plain), lzma.compress(other), zipped(files)]

    assert len({digest(one) for one in packed}) == 1


@given(TREES, st.data())
def test_E04_another_tree_is_another_one(files, data):
    path = data.draw(st.sampled_from(sorted(files)))
    others = [
        tar(files | {path: files[path] + b"!"}),
        tar(files | {path + "2": b""}),
        tar({path + "2" if name == path else name: body for name, body in files.items()}),
        tar(files, runs=[path]),
        tar(files, links={"zz": path}),
    ]
    first = digest(tar(files))

    assert first not in {digest(one) for one in others}
    assert digest(tar(files, links={"zz": "a"})) != digest(tar(files, links={"zz": "b"}))


def test_E04_what_is_no_archive_is_not_read():
    for data in (b"", b"<html>Sorry</html>", gzip.compress(b""), gzip.compress(b"text"),
                 gzip.compress(tar(TREE))[:-40], zipped(TREE)[:-30], tar({})):  # fmt: skip
        with pytest.raises(ValueError):
            digest(data)


@given(st.binary(max_size=600))
def test_any_bytes_are_read_or_refused(data):
    for body in (data, b"PK\x03\x04" + data, b"\x1f\x8b" + data):
        with contextlib.suppress(ValueError):
            assert digest(body).startswith("tree:")


def test_an_archive_that_claims_too_much_is_refused(monkeypatch):
    header = tarfile.TarInfo("x")
    header.size, header.type = 2**33, tarfile.XHDTYPE
    with pytest.raises(ValueError, match="header"):
        digest(header.tobuf() + bytes(1024))
    monkeypatch.setattr(contents, "MEMBERS", 2)
    for data in (tar(TREE), zipped(TREE)):
        with pytest.raises(ValueError, match="members"):
            digest(data)


@pytest.mark.parametrize(
    ("address", "generated"),
    [
        ("https://github.com/o/r/archive/refs/tags/v1.0.tar.gz", True),
        ("https://github.com/o/r/archive/v1.0.zip", True),
        ("https://codeload.github.com/o/r/tar.gz/refs/tags/v1.0", True),
        ("https://gitlab.com/g/r/-/archive/v1.0/r-v1.0.tar.bz2", True),
        ("https://codeberg.org/o/r/archive/v1.0.tar.gz", True),
        ("https://bitbucket.org/o/r/get/v1.0.tar.gz", True),
        ("https://github.com/o/r/releases/download/v1/r-1.tar.gz", False),
        ("https://ftp.example/archive/foo-1.0.tar.gz", False),
        ("https://ftp.example/foo/foo-1.0.tar.gz", False),
    ],
)
def test_E04_what_forges_make_of_tags_is_known_by_its_address(address, generated):
    assert is_generated(address) is generated
