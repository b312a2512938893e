"""GitHub: releases, tags, and their pages."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from io import BytesIO

import pytest

from monitor.errors import UsageError
from monitor.model import Partial, Release, Renamed, Reply, Request
from providers.github import provider
from spiders.walk import walk
from tests.formats.answers import answer

API = "https://api.github.example"
VERSIONS = provider(url=API, site="https://github.example").versions


def release(tag="v1.0", **said):
    return {
        "tag_name": tag,
        "draft": False,
        "prerelease": False,
        "html_url": f"https://github.example/o/foo/releases/tag/{tag}",
        "published_at": "2026-01-02T03:04:05Z",
        "assets": [],
    } | said


def tag(name="v1.0", commit="a" * 40):
    return {"name": name, "commit": {"sha": commit, "url": "x"}}


def read(body, url=None, **headers):
    request = VERSIONS.of("o/foo")
    reply = answer(body, url or request.url, "o/foo", **headers)
    return list(VERSIONS.read(reply))


def test_a_release_has_date_page_flag_and_files():
    asset = {
        "name": "foo.tgz",
        "browser_download_url": "https://github.example/o/foo/releases/download/v1.0/foo.tgz",
        "size": 5,
        "digest": "sha256:" + "ab" * 32,
    }
    found, more = read([release(assets=[asset], prerelease=True)])

    assert (found.project, found.version, found.tag) == ("o/foo", "1.0", "v1.0")
    assert found.published == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.prerelease is True
    assert [(f.name, f.size, f.digest) for f in found.files] == [
        ("foo.tgz", 5, "sha256:" + "ab" * 32)
    ]
    assert isinstance(more, Request)
    assert more.url == f"{API}/repos/o/foo/tags?per_page=100"


def test_drafts_and_names_that_are_no_version_are_left_out():
    found = read([release(draft=True, published_at=None), release("nightly"), release("v2.0")])

    assert [f.version for f in found if isinstance(f, Release)] == ["2.0"]


def test_a_tag_without_a_release_is_a_version_with_its_commit():
    (found,) = read([tag("v0.9", "b" * 40)], f"{API}/repos/o/foo/tags?per_page=100")

    assert (found.version, found.revision, found.published) == ("0.9", "b" * 40, None)
    assert found.prerelease is None


def test_B15_all_pages_of_both_lists_are_walked_and_the_walk_ends():
    found = asyncio.run(walked(Server(releases=250, tags=310)))
    dated = {f.version for f in found if f.published}

    assert len({f.version for f in found}) == 310
    assert len(dated) == 250


def test_a_list_of_tags_alone_is_found_although_there_is_no_release():
    assert len(asyncio.run(walked(Server(releases=0, tags=3)))) == 3


def test_B17_a_full_page_without_a_next_link_is_partial():
    body = [tag(f"v1.{number}") for number in range(100)]

    assert [f for f in read(body, f"{API}/repos/o/foo/tags") if isinstance(f, Partial)]
    assert not [
        f
        for f in read(body, f"{API}/repos/o/foo/tags", link='<https://x>; rel="first"')
        if isinstance(f, Partial)
    ]


def test_R9_a_next_page_on_another_server_is_refused():
    with pytest.raises(ValueError, match="another server"):
        read([], link='<https://evil.example/repos?page=2>; rel="next"')


@pytest.mark.parametrize(
    "body", [{"message": "Not Found"}, [{"tag_name": "v1"}], [{"name": "v1"}], None, [[]], ["x"]]
)
def test_B04_an_answer_of_another_shape_is_not_read(body):
    with pytest.raises(ValueError):
        read(body)


@pytest.mark.parametrize(
    "project", ["foo", "o/..", "../foo", "o/foo/bar", "o/f?x", "", "o/", "a b/c"]
)
def test_what_is_no_repository_is_a_wrong_question(project):
    with pytest.raises(UsageError, match="owner/name"):
        VERSIONS.of(project)


def test_an_own_server_takes_the_place_of_the_public_one():
    own = provider(url="https://ghe.example/api/v3/")

    assert own.versions.of("o/foo").url.startswith("https://ghe.example/api/v3/repos/o/foo/")


class Server:
    """GitHub's two lists, in pages with links as RFC 8288 has them."""

    def __init__(self, releases, tags):
        self.lists = {
            "releases": [release(f"v1.{number}") for number in range(releases)],
            "tags": [tag(f"v1.{number}") for number in range(tags)],
        }

    async def fetch(self, request):
        path, _, query = request.url.partition("?")
        page = int(dict(part.split("=") for part in query.split("&")).get("page", 1))
        entries = self.lists[path.rpartition("/")[2]]
        headers = {}
        if page * 100 < len(entries):
            first = f'<{path}?per_page=100&page=1>; rel="first"'
            headers["link"] = f'{first}, <{path}?per_page=100&page={page + 1}>; rel="next"'
        body = json.dumps(entries[page * 100 - 100 : page * 100]).encode()
        return Reply(request, BytesIO(body), headers=headers, url=request.url, size=len(body))


async def walked(server):
    return [finding async for finding in walk(VERSIONS.of("o/foo"), VERSIONS.read, server)]


@pytest.mark.parametrize(("name", "told"), [("new/foo", ["new/foo"]), ("O/Foo", []), ("o/foo", [])])
def test_C19_a_repository_that_has_tags_alone_tells_its_new_name_too(name, told):
    one = tag() | {"commit": {"sha": "a" * 40, "url": f"{API}/repos/{name}/commits/{'a' * 40}"}}
    found = read([one], f"{API}/repos/o/foo/tags?per_page=100")

    assert [one.name for one in found if isinstance(one, Renamed)] == told
