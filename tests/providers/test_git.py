"""Any git repository."""

from __future__ import annotations

import subprocess

import pytest

from monitor.errors import UsageError
from monitor.model import Ignored, Release, Unread
from providers.git import provider, read_tags
from tests.formats.answers import answer

VERSIONS = provider().versions


@pytest.mark.parametrize(
    ("project", "url"),
    [
        ("https://up.example/a/foo.git", "git+https://up.example/a/foo.git"),
        ("git+https://up.example/a/foo", "git+https://up.example/a/foo"),
        ("http://up.example/foo", "git+http://up.example/foo"),
        ("git://up.example/foo", "git://up.example/foo"),
    ],
)
def test_the_address_says_that_git_is_spoken(project, url):
    request = VERSIONS.of(project)

    assert (request.url, request.project) == (url, project)


@pytest.mark.parametrize(
    "project", ["ext::sh -c id", "file:///etc", "-u", "ssh://x", "foo", "/srv/x"]
)
def test_R8_no_other_way_to_reach_a_repository_is_asked_for(project):
    with pytest.raises(UsageError):
        VERSIONS.of(project)


def test_a_server_of_repositories_has_projects_with_short_names():
    request = provider(url="https://up.example/{project}.git").versions.of("group/foo")

    assert (request.url, request.project) == ("git+https://up.example/group/foo.git", "group/foo")


def test_real_tags_of_a_real_repository_become_versions_with_their_commits(tmp_path):
    def git(*arguments):
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@up.example", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    git("init", "-q", ".")
    git("commit", "-q", "--allow-empty", "-m", "one")
    git("tag", "v1.0")
    git("tag", "-a", "v1.1", "-m", "annotated")
    git("tag", "nightly")
    commit = git("rev-parse", "HEAD").strip()
    found = list(
        read_tags(answer(git("ls-remote", "--tags", "."), project="https://up.example/foo"))
    )

    assert found.pop(0) == Ignored("nightly")
    assert [(f.version, f.tag, f.revision) for f in found] == [
        ("1.0", "v1.0", commit),
        ("1.1", "v1.1", commit),
    ]


def test_B24_a_bad_name_is_a_dead_letter_and_the_others_are_versions():
    body = f"{'a' * 40}\trefs/tags/v1\x1b\n{'a' * 40}\trefs/tags/v2.0\n"
    found = list(read_tags(answer(body, project="https://up.example/foo")))

    assert [type(finding) for finding in found] == [Unread, Release]


def test_the_recorded_refs_are_six_versions(shared):
    body = (shared / "data/git/ls-remote.txt").read_bytes()
    found = list(read_tags(answer(body, project="https://up.example/foo.git")))

    assert [finding.version for finding in found] == [f"1.0.{number}" for number in range(6)]
