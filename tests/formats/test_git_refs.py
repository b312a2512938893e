"""The output of `git ls-remote`, and tags as versions."""

from __future__ import annotations

import pytest

from monitor.errors import FetchError
from monitor.formats import git_refs, tags
from monitor.model import Outcome, Unread
from tests.formats.answers import answer

A, B, C = "a" * 40, "b" * 40, "c" * 64


def read(body):
    return list(git_refs.tags(answer(body)))


def test_an_annotated_tag_stands_for_its_commit_whichever_line_comes_first():
    assert read(f"{A}\trefs/tags/v1\n{B}\trefs/tags/v1^{{}}\n") == [("v1", B)]
    assert read(f"{B}\trefs/tags/v1^{{}}\n{A}\trefs/tags/v1\n") == [("v1", B)]


def test_branches_and_other_refs_are_passed_over_and_long_ids_are_read():
    assert read(f"{A}\tHEAD\n{A}\trefs/heads/v9\n{C}\trefs/tags/rel/1.0\n") == [("rel/1.0", C)]


def test_a_repository_without_tags_has_none():
    assert read("") == []
    assert read(f"{A}\tHEAD\n") == []


@pytest.mark.parametrize(
    "name",
    ["v1..2", "v1.lock", "v1\x1b[31m", "a b", "v~1", "-x", ".x", "x/.y", "x.", "@{1}", "a\\b"],
)
def test_B24_a_name_that_git_does_not_allow_is_a_dead_letter(name):
    good, bad = read(f"{A}\trefs/tags/v1\n{A}\trefs/tags/{name}\n")

    assert good == ("v1", A)
    assert isinstance(bad, Unread)
    assert bad.raw.isprintable()


def test_B24_bytes_that_are_no_text_are_a_dead_letter():
    assert [type(tag) for tag in read(A.encode() + b"\trefs/tags/v\xff\n")] == [Unread]


def test_B24_more_refs_than_any_repository_has_are_refused(monkeypatch):
    monkeypatch.setattr(git_refs, "MOST", 10)

    with pytest.raises(FetchError) as error:
        read("".join(f"{A}\trefs/tags/v{i}\n" for i in range(11)))

    assert error.value.outcome is Outcome.HOSTILE


@pytest.mark.parametrize(
    "body", [b"<html>Sorry</html>", b"[]", b"null", b"\xff\xfe", b"fatal: no\n"]
)
def test_A01_what_is_no_list_of_refs_is_not_read(body):
    with pytest.raises(ValueError):
        read(body)


@pytest.mark.parametrize(
    ("names", "versions"),
    [
        (["v1.0", "nightly", "latest"], {"v1.0": "1.0"}),
        (["v1.0", "core-1.2", "docs-2.0"], {"v1.0": "1.0"}),
        (
            ["foo-1.0", "FOO_1_1", "release-1.2"],
            {"foo-1.0": "1.0", "FOO_1_1": "1_1", "release-1.2": "1.2"},
        ),
        (["garglk-1.0", "garglk-1.1", "x-9"], {"garglk-1.0": "1.0", "garglk-1.1": "1.1"}),
        ([], {}),
    ],
)
def test_tags_of_other_products_and_of_no_version_are_left_out(names, versions):
    assert tags.versions(names, "foo") == versions


def test_the_recorded_refs_hold_six_versions(shared):
    found = read((shared / "data/git/ls-remote.txt").read_bytes())

    assert [name for name, _ in found][:2] == ["v1.0.0", "v1.0.1"]
    assert len(tags.versions([name for name, _ in found], "x")) == 6
