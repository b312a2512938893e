"""Servers that show their files: GNU, rsync, ls-lR, folder pages; and feeds of any kind."""

from __future__ import annotations

import asyncio
from io import BytesIO

import pytest
from msgspec import structs

import providers
from monitor.model import Partial, Release, Reply, Request, Unread
from spiders.walk import walk
from tests.formats.answers import answer

ROW = "-rw-r--r--          12 2026/09/01 12:34:56 {}\n"
TOP = "drwxr-xr-x        4096 2026/11/21 20:34:49 .\n"


def listing(*paths):
    return TOP + "".join(ROW.format(path) for path in paths)


def versions(findings):
    return [(f.project, f.version) for f in findings if isinstance(f, Release)]


def test_gnu_s_projects_are_the_folders_of_its_server():
    index = providers.load("gnu").index
    paths = [
        "README",
        "bash/bash-5.0.tar.gz",
        "bash/bash-5.0.tar.gz.sig",
        "bash/bash-doc-3.2.tar.gz",
    ]
    (found,) = index.read(answer(listing(*paths, "bash/bash-latest.tar.gz"), index.all().url))

    assert (found.project, found.version) == ("bash", "5.0")
    assert [(f.url, f.kind) for f in found.files] == [
        ("https://ftp.gnu.org/gnu/bash/bash-5.0.tar.gz", "source"),
        ("https://ftp.gnu.org/gnu/bash/bash-5.0.tar.gz.sig", "signature"),
    ]


def test_one_gnu_project_is_asked_for_by_its_folder():
    mechanism = providers.load(
        "gnu", url="rsync://up.example/gnu", files="https://up.example"
    ).versions
    request = mechanism.of("gtk+")
    (found,) = mechanism.read(answer(listing("gtk+-3.0.tar.xz"), request.url, "gtk+"))

    assert request == Request("rsync://up.example/gnu/gtk+/", project="gtk+")
    assert (found.project, found.version) == ("gtk+", "3.0")
    assert found.files[0].url == "https://up.example/gtk+/gtk+-3.0.tar.xz"


def test_rsync_s_addresses_have_no_escapes():
    mechanism = providers.load("rsync", url="rsync://up.example/m").versions
    request = mechanism.of("a b@c")
    (found,) = mechanism.read(answer(listing("sub dir/foo-1.0.zip"), request.url, "a b@c"))

    assert request.url == "rsync://up.example/m/a b@c/"
    assert found.files[0].url == "rsync://up.example/m/a b@c/sub dir/foo-1.0.zip"


def test_A12_a_listing_that_is_not_whole_or_mostly_strange_brings_no_bulk():
    index = providers.load("rsync", url="rsync://up.example/m").index
    good = listing(*[f"foo-1.{number}.zip" for number in range(50)])

    assert list(index.bulk(answer(good + "one strange line\n")))
    with pytest.raises(ValueError, match="within a line"):
        list(index.bulk(answer(good[:-5])))
    with pytest.raises(ValueError, match="cannot be read"):
        list(index.bulk(answer(good + "strange\n" * 9)))


def test_the_recorded_tree_of_gnu_has_three_hundred_projects(shared):
    index = providers.load("gnu", tree="https://up.example/tree.json.gz").index
    body = (shared / "data/gnu/tree.json.gz").read_bytes()
    found = list(index.read(answer(body, index.all().url)))
    releases = {(f.project, f.version): f for f in found if isinstance(f, Release)}
    rows = {(r[0], r[1]): r for rows in index.bulk(answer(body)) for r in rows}

    assert len({project for project, _ in releases}) > 300
    assert len(releases) > 5000
    assert rows.keys() == releases.keys()
    assert {r.published and int(r.published.timestamp()) for r in releases.values()} == {
        row[2] for row in rows.values()
    }
    bash = releases["bash", "5.0"]
    assert bash.files[0].url == "https://ftp.gnu.org/gnu/bash/bash-5.0.tar.gz"
    assert "signature" in [file.kind for file in bash.files]


def test_a_recorded_mirror_by_rsync_has_its_archives(shared):
    index = providers.load("rsync", url="rsync://up.example/wicket/").index
    body = (shared / "data/rsync/wicket.txt").read_bytes()

    assert ("apache-wicket", "1.4.23") in versions(index.read(answer(body)))


def test_recorded_debian_has_the_upstream_archive_and_not_the_packaging(shared):
    index = providers.load("ls_lr", url="https://up.example/debian/ls-lR.gz", under="pool").index
    body = (shared / "data/ls-lR/debian.txt").read_bytes()
    found = [f for f in index.read(answer(body)) if isinstance(f, Release)]
    rows = [row for rows in index.bulk(answer(body)) for row in rows]

    assert ("asterisk-addons", "1.6.2.1") in versions(found)
    assert all("-" not in f.version for f in found)
    assert (
        found[0].files[0].url.startswith("https://up.example/debian/pool/main/a/asterisk-addons/")
    )
    assert sorted(row[:2] for row in rows) == sorted(versions(found))


def page(*names):
    links = "".join(f'<a href="{name}">x</a> 2026-09-01 12:34 1K\n' for name in names)
    return f"<h1>Index of /</h1><pre>{links}</pre>"


def test_a_folder_s_page_has_the_versions_of_its_project():
    mechanism = providers.load("folder", url="https://up.example/pub/{project}/").versions
    request = mechanism.of("foo")
    found = mechanism.read(
        answer(page("foo-1.0.zip", "foo-doc-1.0.zip", "old/"), request.url, "foo")
    )

    assert request.url == "https://up.example/pub/foo/"
    assert versions(found) == [("foo", "1.0")]


def test_a_folder_s_address_may_be_the_project():
    mechanism = providers.load("folder").versions
    request = mechanism.of("https://up.example/pub/a%20b/")
    body = page("foo-1.0.zip", "foo-1.1.zip", "bar-9.zip")
    found = mechanism.read(answer(body, request.url, request.project))

    assert request.url == "https://up.example/pub/a%20b/"
    assert versions(found) == [(request.project, "1.0"), (request.project, "1.1")]


def test_in_a_shared_folder_the_name_of_the_archives_follows_the_address():
    mechanism = providers.load("folder").versions
    request = mechanism.of("https://up.example/pub/#bar")
    body = page("foo-1.0.zip", "foo-1.1.zip", "bar-9.zip", "bar-doc-9.zip", "8.0.zip")
    found = mechanism.read(answer(body, request.url, request.project))

    assert request.url == "https://up.example/pub/"
    assert versions(found) == [("https://up.example/pub/#bar", "9")]
    gone = mechanism.read(answer(page("foo-1.0.zip"), request.url, request.project))
    assert versions(gone) == []


def test_the_last_part_of_an_address_is_the_name_before_what_most_are_called():
    mechanism = providers.load("folder").versions
    request = mechanism.of("https://up.example/pub/bar/")
    body = page("foo-1.0.zip", "foo-1.1.zip", "bar-9.zip")

    found = versions(mechanism.read(answer(body, request.url, request.project)))
    assert found == [("https://up.example/pub/bar/", "9")]


SITE = {
    "https://up.example/pub/": page("foo/", "bar/", "../", "readme.txt"),
    "https://up.example/pub/foo/": page("foo-1.0.zip", "old%20ones/"),
    "https://up.example/pub/foo/old%20ones/": page("foo-0.9.zip", "self/"),
    "https://up.example/pub/bar/": page("bar-2.0.zip", "baz-3.0.zip"),
}


async def walk_the_site(mechanism, request):
    class Site:
        async def fetch(self, request):
            # "self" shows its parent again and again, as a link to above does.
            url = request.url.replace("self/", "")
            body = SITE[url].encode()
            return Reply(request, BytesIO(body), url=request.url, size=len(body))

    # The crawl carries trees; the walk is told that this is none, and goes the same way.

    flat = structs.replace(request, tree=False)
    return [finding async for finding in walk(flat, mechanism.read, Site())]


def test_B19_a_tree_is_followed_and_ends_although_a_folder_contains_itself():
    index = providers.load(
        "folder", url="https://up.example/pub/", tree=True, projects="folder"
    ).index
    request = index.all()
    found = asyncio.run(walk_the_site(index, request))

    assert request.tree
    assert set(versions(found)) == {("foo", "1.0"), ("foo", "0.9"), ("bar", "2.0")}
    addresses = {file.url for f in found for file in f.files}
    assert "https://up.example/pub/foo/old%20ones/foo-0.9.zip" in addresses


def test_without_tree_no_folder_is_followed():
    index = providers.load("folder", url="https://up.example/pub/").index

    found = list(index.read(answer(page("foo-1.0.zip", "old/"), "https://up.example/pub/")))

    assert versions(found) == [("foo", "1.0")]
    assert not [finding for finding in found if isinstance(finding, Request)]


@pytest.mark.parametrize(
    ("title", "project", "version"),
    [
        ("foo 1.2", "foo", "1.2"),
        ("foo 1.2 released", "foo", "1.2"),
        ("Foo Bar version 1.2.3 (stable)", "Foo Bar", "1.2.3"),
        ("foo-1.2.tar.gz", "foo", "1.2"),
        ("Released: foo v2.0-rc1", "foo", "2.0-rc1"),
    ],
)
def test_a_title_says_name_and_version(title, project, version):
    feed = providers.load("rss", url="https://up.example/feed").feed
    found = list(feed.read(answer(rss(title))))

    assert versions(found) == [(project, version)]


def test_a_known_project_needs_the_version_alone():
    feed = providers.load("rss", url="https://up.example/feed", project="foo").feed

    assert versions(feed.read(answer(rss("v1.2", "Release 1.3")))) == [
        ("foo", "1.2"),
        ("foo", "1.3"),
    ]


def test_a_title_without_a_version_is_a_dead_letter():
    feed = providers.load("rss", url="https://up.example/feed").feed
    found = list(feed.read(answer(rss("Merry Christmas"))))

    assert [type(finding) for finding in found] == [Unread]


def test_the_feed_of_one_project_is_partial():
    mechanism = providers.load("rss", url="https://up.example/{project}/tags.atom").versions
    request = mechanism.of("a/foo")
    found = list(mechanism.read(answer(rss("v1.2"), request.url, "a/foo")))

    assert request.url == "https://up.example/a/foo/tags.atom"
    assert [type(finding) for finding in found] == [Partial, Release]
    assert versions(found) == [("a/foo", "1.2")]


def rss(*titles):
    items = "".join(
        f"<item><title>{title}</title><pubDate>Tue, 22 Mar 2022 16:54:42 GMT</pubDate></item>"
        for title in titles
    )
    return f"<rss version='2.0'><channel>{items}</channel></rss>"
