"""Following an answer to its end: pages by `walk`, trees by Scrapy; both to the same findings."""

from __future__ import annotations

import asyncio
import gc
import re
import subprocess
import sys

import pytest

from monitor.errors import FetchError, ReadError
from monitor.model import Outcome, Partial, Release, Request
from spiders.walk import walk
from tests.spiders.conftest import Kept
from tests.spiders.upstream import Upstream, answer


def read_numbers(reply):
    """Lines: "next URL" or a version."""
    for line in reply.lines():
        if line.startswith("next "):
            yield Request(line.removeprefix("next "))
        else:
            yield Release("x", line)


def read_folder(reply):
    """A folder page: folders end in "/", everything else is a version."""
    for name in re.findall(r'href="([^"]+)"', reply.text()):
        if name.endswith("/"):
            yield Request(reply.url + name)
        else:
            yield Release("x", name)


def pages(**bodies):
    def script(asked, _):
        name = asked.target.strip("/").replace("/", "_") or "root"
        return answer(bodies[name]) if name in bodies else answer(b"", "404 No")

    return script


async def found(first, read, way, **limits):
    return [finding async for finding in walk(first, read, way, **limits)]


async def test_a_trail_of_pages_is_followed_once_each(going):
    script = pages(root=b"next {u}/b\n1\n", b=b"2\nnext {u}/\nnext {u}/b\n")

    def with_address(asked, writer):
        return answer(script(asked, writer).partition(b"\r\n\r\n")[2].replace(
            b"{u}", up.url("").encode()
        ))  # fmt: skip

    async with Upstream(with_address) as up, going() as fetch:
        findings = await found(Request(up.url()), read_numbers, fetch.transport)
    assert findings == [Release("x", "1"), Release("x", "2")]
    assert len(up.asked) == 2


async def test_a_trail_without_end_is_hostile(going):
    def script(asked, _):
        return answer(f"next {up.url('/' + str(len(up.asked)))}\n1\n".encode())

    async with Upstream(script) as up, going() as fetch:
        with pytest.raises(FetchError) as caught:
            await found(Request(up.url()), read_numbers, fetch.transport, pages=5)
        assert caught.value.outcome is Outcome.HOSTILE
        assert len(up.asked) == 5
        with pytest.raises(FetchError, match="findings"):
            await found(Request(up.url()), read_numbers, fetch.transport, items=3)


async def test_what_cannot_be_read_names_the_address_and_keeps_the_answer(going):
    async with Upstream(answer(b"{]")) as up, going() as fetch:
        with pytest.raises(ReadError) as caught:
            await found(Request(up.url("/?token=x")), lambda r: [r.json()], fetch.transport)
    assert up.url("/?token=…") in str(caught.value)
    assert caught.value.reply.bytes() == b"{]"


async def test_an_unchanged_first_page_ends_the_walk_and_a_later_one_is_read_in_full(going):
    from spiders.thrifty import validators_of

    kept = Kept()

    def script(asked, _):
        etag = '"1"' if asked.target == "/" else '"2"'
        body = f"next {up.url('/b')}\n1\n".encode() if asked.target == "/" else b"2\n"
        if asked.headers.get("if-none-match") == etag:
            return answer(b"", "304 Same")
        return answer(body, ETag=etag)

    def keep(reply):
        identity, known = validators_of(reply)
        kept.known[reply.request.url, identity] = known

    async with Upstream(script) as up, going(validators=kept) as fetch:
        first = Request(up.url())
        assert len(await found(first, read_numbers, fetch.transport, seen=keep)) == 2
        assert await found(first, read_numbers, fetch.transport) == []
        kept.known.pop((up.url(), ""))
        assert len(await found(first, read_numbers, fetch.transport)) == 2


TREE = {
    "root": b'<a href="a/">a/</a> <a href="1.0">1.0</a>',
    "a": b'<a href="b/">b/</a> <a href="1.1">1.1</a>',
    "a_b": b'<a href="1.2">1.2</a>',
}


def tree(up, path="/"):
    return Request(up.url(path), tree=True)


async def test_a_tree_is_carried_by_scrapy_to_the_same_findings(going):
    async with Upstream(pages(**TREE)) as up, going() as fetch:
        findings = await found(tree(up), read_folder, fetch.transport)
    assert {f.version for f in findings} == {"1.0", "1.1", "1.2"}
    assert {asked.target for asked in up.asked} == {"/robots.txt", "/", "/a/", "/a/b/"}
    assert all("release-monitor" in asked.headers["user-agent"] for asked in up.asked)


async def test_a_folder_that_robots_may_not_enter_makes_the_answer_partial(going):
    rules = {"robots.txt": b"User-agent: *\nDisallow: /a/b/\n"}
    async with Upstream(pages(**TREE, **rules)) as up, going() as fetch:
        findings = await found(tree(up), read_folder, fetch.transport)
    assert any(isinstance(f, Partial) and "robots.txt" in f.reason for f in findings)
    assert "/a/b/" not in {asked.target for asked in up.asked}


async def test_where_rules_cannot_be_had_nothing_is_asked(going):
    def script(asked, _):
        return answer(b"", "503 Down") if asked.target == "/robots.txt" else answer(TREE["root"])

    async with Upstream(script) as up, going() as fetch:
        with pytest.raises(FetchError, match=r"robots\.txt") as caught:
            await found(tree(up), read_folder, fetch.transport)
    assert caught.value.outcome is Outcome.BLOCKED
    assert [asked.target for asked in up.asked] == ["/robots.txt"]


async def test_a_missing_folder_makes_the_answer_partial_and_a_missing_root_fails(going):
    without = {name: page for name, page in TREE.items() if name != "a_b"}
    async with Upstream(pages(**without)) as up, going() as fetch:
        findings = await found(tree(up), read_folder, fetch.transport)
        assert [f for f in findings if isinstance(f, Partial)]
        with pytest.raises(FetchError) as caught:
            await found(tree(up, "/none/"), read_folder, fetch.transport)
    assert caught.value.outcome is Outcome.GONE


async def test_a_tree_that_is_too_deep_or_too_wide_ends(going):
    from spiders.crawl import crawl

    async with Upstream(answer(b'<a href="x/">x</a><a href="1">1</a>')) as up, going() as fetch:
        findings = [f async for f in crawl(tree(up), read_folder, fetch.transport, depth=3)]
        assert any(isinstance(finding, Partial) for finding in findings)
        assert len(up.asked) == 5
        with pytest.raises(FetchError, match="more pages"):
            await found(tree(up), read_folder, fetch.transport, pages=3)


async def test_a_crawl_obeys_the_same_policy_of_addresses(going):
    def read(reply):
        yield Request("http://169.254.169.254/latest/")

    async with Upstream(answer(b"ok")) as up, going(contact="x") as fetch:
        with pytest.raises(FetchError) as caught:
            await found(tree(up), read, fetch.transport)
    assert caught.value.outcome is Outcome.HOSTILE


async def test_what_cannot_be_read_in_a_tree_names_its_address(going):
    def read(reply):
        raise KeyError("versions")
        yield

    async with Upstream(answer(b"ok")) as up, going() as fetch:
        with pytest.raises(ReadError, match="KeyError") as caught:
            await found(tree(up), read, fetch.transport)
    assert caught.value.where == up.url()


async def test_crawls_run_side_by_side_and_again_and_can_be_left(going):
    async with Upstream(pages(**TREE)) as up, going(concurrency=8) as fetch:
        for _ in range(2):
            all_of_them = await asyncio.gather(
                *(found(tree(up), read_folder, fetch.transport) for _ in range(3))
            )
            assert [len(findings) for findings in all_of_them] == [3, 3, 3]
        findings = walk(tree(up), read_folder, fetch.transport)
        await anext(findings)
        await findings.aclose()


def test_scrapy_is_imported_by_a_crawl_only():
    code = (
        "import sys, spiders, spiders.walk, monitor.settings\n"
        "heavy = {'scrapy', 'twisted', 'aiohttp', 'httpx2', 'stamina', 'ssl'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_garbage_is_sought_less_often_while_answers_are_read_and_as_before_afterwards(going):
    before = gc.get_threshold()
    async with going(contact="x"):
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before
