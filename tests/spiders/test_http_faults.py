# ruff: noqa: SIM117, PTH208  (servers and transports are different things)
"""Group A of the fault catalogue: what servers do wrong, and what becomes of it."""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from monitor.errors import FetchError
from monitor.model import Outcome, Request
from spiders.verdict import retry_after
from spiders.walk import walk
from tests.spiders.conftest import Clock, Kept, failing, outcome
from tests.spiders.upstream import Upstream, answer

JSON = "application/json"


@pytest.mark.parametrize(
    ("body", "accept"),
    [
        (b"<!DOCTYPE html><title>Oops</title>Something went wrong", JSON),
        (b"Something went wrong", JSON),
        (b"  \n<html><body>Oops", "application/rss+xml, application/xml"),
        (b"", JSON),
    ],
)
async def test_a01_a_page_in_place_of_data_is_invalid(going, body, accept):
    async with Upstream(answer(body, Content_Type="text/html")) as up, going() as fetch:
        assert await outcome(fetch(up.url(), accept=accept)) is Outcome.INVALID


async def test_a01_a_page_in_place_of_a_listing_file_is_invalid(going):
    async with Upstream(answer(b"<html>Sorry")) as up, going() as fetch:
        assert await outcome(fetch(up.url("/pub/ls-lR"))) is Outcome.INVALID


async def test_a01_json_under_a_wrong_content_type_is_data(going):
    async with Upstream(answer(b'{"a": 1}', Content_Type="text/html")) as up, going() as fetch:
        assert (await fetch(up.url(), accept=JSON)).json() == {"a": 1}


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>",
        b"<html><head><title>Making sure you&#39;re not a bot!</title></head></html>",
        b"<html><head><title>Access Denied</title></head><body>Reference #18.2</body></html>",
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "503 Service Unavailable"])
async def test_a02_a_bot_wall_is_blocked_and_its_whole_host_left_alone(going, page, status):
    async with Upstream(answer(page, status)) as up, going() as fetch:
        first = await failing(fetch(up.url("/a"), accept=JSON))
        second = await failing(fetch(up.url("/b")))

    assert first.outcome is second.outcome is Outcome.BLOCKED
    assert first.retry_after >= 3600
    assert len(up.asked) == 1


async def test_a02_a_folder_that_offers_a_file_named_like_a_wall_is_read(going):
    page = b'<html><title>Index of /</title><a href="anubis-1.0.tar.gz">anubis captcha</a></html>'
    async with Upstream(answer(page)) as up, going() as fetch:
        assert (await fetch(up.url())).size == len(page)


async def test_a03_a_403_with_a_spent_quota_pauses_that_host_and_no_other(going):
    clock = Clock()
    spent = answer(
        b"{}", "403 Forbidden", X_RateLimit_Remaining="0", X_RateLimit_Reset=str(int(clock()) + 90)
    )
    async with Upstream(spent) as up, Upstream(answer(b"ok")) as other, going(clock=clock) as fetch:
        first = await failing(fetch(up.url("/a")))
        second = await failing(fetch(up.url("/b")))
        assert (await fetch(other.url())).bytes() == b"ok"
        assert len(up.asked) == 1
        clock.now += 91
        await failing(fetch(up.url("/c")))

    assert first.outcome is second.outcome is Outcome.THROTTLED
    assert first.retry_after == 90
    assert len(up.asked) == 2


async def test_a03_a_plain_403_is_blocked_and_its_host_is_still_asked(going):
    def script(asked, _):
        return answer(b"no", "403 Forbidden") if asked.target == "/secret" else answer(b"ok")

    async with Upstream(script) as up, going() as fetch:
        assert await outcome(fetch(up.url("/secret"))) is Outcome.BLOCKED
        assert await outcome(fetch(up.url("/open"))) is Outcome.OK


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 1),
        ("-5", 1),
        ("315360000", 86_400),
        ("Fri, 15 Jan 2027 08:02:00 GMT", 120),
        ("Fri, 15 Jan 2007 08:02:00 GMT", 1),
        ("soon", None),
        ("nan", None),
    ],
)
def test_a04_retry_after_is_obeyed_within_bounds(said, seconds):
    assert retry_after(said, 1_800_000_000.0) == seconds


async def test_a04_a_pause_outlives_a_restart(going):
    from spiders.pauses import Pauses

    clock, kept = Clock(), []
    async with Upstream(answer(b"", "429 Slow", Retry_After="600")) as up:
        async with going(clock=clock, pauses=Pauses(changed=kept.append)) as fetch:
            assert (await failing(fetch(up.url()))).retry_after == 600
        async with going(clock=clock, pauses=Pauses(kept)) as fetch:
            clock.now += 100
            assert (await failing(fetch(up.url()))).retry_after == 500
    assert len(up.asked) == 1


async def test_a04_without_a_length_the_pauses_grow(going):
    clock, lengths = Clock(), []
    async with Upstream(answer(b"", "429 Slow", Retry_After="later")) as up:
        async with going(clock=clock) as fetch:
            for _ in range(4):
                lengths.append((await failing(fetch(up.url()))).retry_after)
                clock.now += lengths[-1]
    assert lengths == [30, 60, 120, 240]


async def test_a05_a_tenth_of_a_quota_is_left_to_others(going):
    clock, left = Clock(), 100

    def script(_, __):
        nonlocal left
        left -= 1
        return answer(
            b"{}", X_RateLimit_Limit="100", X_RateLimit_Remaining=str(left), X_RateLimit_Reset="2"
        )

    async with Upstream(script) as up, going(clock=clock, concurrency=20, patience=0.05) as fetch:
        ends = [await outcome(fetch(up.url(f"/{n}"))) for n in range(150)]

    assert len(up.asked) <= 90
    assert set(ends) == {Outcome.OK, Outcome.THROTTLED}


async def test_a05_with_a_small_quota_projects_are_answered_one_after_the_other(going):
    """Two requests a project (releases, then tags): what was begun is ended before more begins."""
    clock, left = Clock(), 60

    def script(asked, _):
        nonlocal left
        left -= 1
        return answer(
            b"{}", X_RateLimit_Limit="60", X_RateLimit_Remaining=str(left), X_RateLimit_Reset="3600"
        )

    async with Upstream(script) as up, going(clock=clock, patience=0.05) as fetch:

        def read(reply):
            if not reply.request.url.endswith("/tags"):
                yield structs.replace(reply.request, url=reply.request.url + "/tags")

        async def visit(number):
            async for _ in walk(Request(up.url(f"/{number}")), read, fetch.transport):
                pass

        ends = await asyncio.gather(*(outcome(visit(n)) for n in range(40)))

    done = ends.count(Outcome.OK)
    assert len(up.asked) == 2 * done
    assert 15 <= done <= 17
    assert set(ends) == {Outcome.OK, Outcome.THROTTLED}


async def test_a05_a_spent_quota_tells_how_to_have_a_larger_one(going):
    spent = answer(
        b"{}", X_RateLimit_Limit="60", X_RateLimit_Remaining="2", X_RateLimit_Reset="3600"
    )
    async with Upstream(spent) as up, going() as fetch:
        await fetch(up.url())
        error = await failing(fetch(up.url("/2")))
    origin = up.url().rstrip("/")
    assert f'[network.credentials.NAME] origin = "{origin}"' in (error.remedy or "")


async def test_a_slot_goes_to_who_waits_even_where_others_gave_up(going):
    busy = asyncio.Event()

    async def script(*_):
        await busy.wait()
        return answer(b"ok")

    async with Upstream(script) as up, going(concurrency=1) as fetch:
        first, gave_up, last = (
            asyncio.create_task(outcome(fetch(up.url(f"/{n}")))) for n in range(3)
        )
        while not up.asked:
            await asyncio.sleep(0)
        gave_up.cancel()
        busy.set()
        assert await first is Outcome.OK
        assert await last is Outcome.OK
    assert len(up.asked) == 2


async def test_a06_a_failing_host_is_given_a_rest_and_others_are_not(going):
    async with Upstream(answer(b"", "503 Down")) as bad, Upstream(answer(b"ok")) as good:
        async with going() as fetch:
            ends = [await outcome(fetch(bad.url(f"/{n}"))) for n in range(50)]
            assert await outcome(fetch(good.url())) is Outcome.OK
    assert set(ends) == {Outcome.RETRY}
    assert len(bad.asked) == 5


async def test_a06_after_its_rest_a_host_is_probed_with_one_request(going, monkeypatch):
    monkeypatch.setattr("spiders.polite._DOWN", 0.05)
    healthy = False

    async def script(*_):
        await asyncio.sleep(0.02)
        return answer(b"ok") if healthy else answer(b"", "503 Down")

    async with Upstream(script) as up, going(concurrency=10) as fetch:
        for n in range(5):
            await outcome(fetch(up.url(f"/{n}")))
        await asyncio.sleep(0.06)
        healthy = True
        ends = await asyncio.gather(*(outcome(fetch(up.url(f"/{n}"))) for n in range(10)))
        assert sorted(ends) == [Outcome.OK] + [Outcome.RETRY] * 9
        assert len(up.asked) == 6
        assert await outcome(fetch(up.url())) is Outcome.OK


async def test_a06_what_passes_is_tried_again_with_the_same_question(going):
    ends = iter([answer(b"", "502 Bad"), answer(b"", "504 Slow"), answer(b"ok")])
    async with Upstream(lambda *_: next(ends)) as up, going(retries=2) as fetch:
        assert (await fetch(up.url())).bytes() == b"ok"
    assert len(up.asked) == 3


@pytest.mark.parametrize("status", [404, 410, 451])
async def test_a07_a08_what_is_not_there_is_gone_with_its_status(going, status):
    async with Upstream(answer(b"", f"{status} Gone")) as up, going(retries=2) as fetch:
        error = await failing(fetch(up.url()))
    assert (error.outcome, error.status, len(up.asked)) == (Outcome.GONE, status, 1)


@pytest.mark.parametrize(
    ("status", "says", "told", "not_told"),
    [
        ("400 No", b'{"error": "unknown parameter: per_page"}', ["per_page=100"], ["page=2"]),
        ("422 No", b'{"errors": [{"field": "page"}]}', ["page=2"], ["per_page=100"]),
        ("400 No", b"Bad Request", ["per_page=100", "page=2", "x-version: 3"], []),
        ("400 No", b"X-Version 3 was removed", ["x-version: 3", "was removed"], ["page=2"]),
        ("406 No", b"cannot accept that", ["accept: application/json"], ["page=2"]),
        ("405 No", b"<html><title>page</title>", ["(405)"], ["<html>"]),
    ],
)
async def test_d16_a_refused_question_names_what_of_it_is_refused(
    going, status, says, told, not_told
):
    async with Upstream(answer(says, status)) as up, going() as fetch:
        url = up.url("/api?per_page=100&page=2&private_token=hush")
        error = await failing(fetch(url, accept=JSON, headers=(("x-version", "3"),)))

    assert error.outcome is Outcome.INVALID
    assert error.where.startswith(up.url("/api?per_page=100"))
    assert all(word in error.what for word in told)
    assert not any(word in error.what for word in not_told)
    assert "hush" not in str(error)


async def test_d16_words_of_a_refusal_steer_nothing(going):
    async with Upstream(answer(b"\x1b[31m no\n\nERROR fake", "400 No")) as up, going() as fetch:
        error = await failing(fetch(up.url()))

    assert error.what.isprintable()


async def test_a09_a_refused_connection_is_tried_again_later(going):
    async with Upstream(b"") as up:
        url = up.url()
    async with going() as fetch:
        error = await failing(fetch(url))
    assert error.outcome is Outcome.RETRY
    assert "no connection" in error.what


async def test_a09_a10_a_body_cut_at_any_byte_is_never_an_answer(going):
    body = os.urandom(200)
    whole = answer(body)
    end = 0

    async def script(_, writer):
        writer.write(whole[:end])
        await writer.drain()

    async with Upstream(script) as up:
        for end in range(0, len(whole), 2):  # noqa: B007  (the script reads it)
            async with going() as fetch:
                assert await outcome(fetch(up.url())) is not Outcome.OK


async def test_a10_a_body_shorter_than_its_length_is_not_an_answer(going):
    async def script(_, writer):
        writer.write(answer(b'{"a": 1}' * 100, length=1000))
        await writer.drain()

    async with Upstream(script) as up, going() as fetch:
        assert await outcome(fetch(up.url())) is Outcome.RETRY


async def test_a11_chunks_without_a_last_one_are_not_an_answer(going):
    async def script(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n")
        await writer.drain()

    async with Upstream(script) as up, going() as fetch:
        assert await outcome(fetch(up.url())) is Outcome.RETRY


async def test_a12_an_answer_without_an_announced_end_says_so(going):
    async with Upstream(answer(b"a\nb\n", length=None)) as up, going() as fetch:
        assert (await fetch(up.url())).headers[":unframed"] == "1"
    async with Upstream(answer(b"a\nb\n")) as up, going() as fetch:
        assert ":unframed" not in (await fetch(up.url())).headers


def _compressed(codec, data):
    match codec:
        case "gzip":
            return gzip.compress(data)
        case "deflate":
            return zlib.compress(data)
        case "br":
            import brotli

            return brotli.compress(data)
        case _:
            from backports import zstd

            return zstd.compress(data)


CODECS = ["gzip", "deflate", "br", "zstd"]


@pytest.mark.parametrize("codec", CODECS)
async def test_a13_compressed_data_is_undone_whole_or_not_at_all(going, codec):
    data = bytes(random.Random(1).choices(b"abcdefgh ", k=40_000))
    packed = _compressed(codec, data)
    body = packed

    def script(*_):
        return answer(body, Content_Encoding=codec)

    async with Upstream(script) as up, going() as fetch:
        assert (await fetch(up.url())).bytes() == data
        for end in [*range(1, len(packed), len(packed) // 12), len(packed) - 1]:
            body = packed[:end]
            assert await outcome(fetch(up.url())) is Outcome.INVALID
        body = packed + b"garbage"
        assert await outcome(fetch(up.url())) is Outcome.INVALID


@pytest.mark.parametrize(
    ("body", "encoding", "end"),
    [
        (b'{"a": 1}', "gzip", Outcome.OK),
        (gzip.compress(b'{"a": 1}'), "gzip", Outcome.OK),
        (gzip.compress(gzip.compress(b'{"a": 1}')), "gzip", Outcome.INVALID),
        (gzip.compress(gzip.compress(b'{"a": 1}')), "gzip, gzip", Outcome.INVALID),
        (b'{"a": 1}', "lzw", Outcome.INVALID),
    ],
)
async def test_a14_a_content_encoding_that_lies_is_found_by_the_bytes(going, body, encoding, end):
    async with Upstream(answer(body, Content_Encoding=encoding)) as up, going() as fetch:
        assert await outcome(fetch(up.url(), accept=JSON)) is end


@pytest.mark.parametrize("codec", CODECS)
async def test_a15_a_bomb_is_hostile_and_takes_little_memory(going, codec):
    bomb = _compressed(codec, bytes(100_000_000))
    async with Upstream(answer(bomb, Content_Encoding=codec)) as up:
        async with going(max_decompressed=20_000_000) as fetch:
            tracemalloc.start()
            try:
                assert await outcome(fetch(up.url())) is Outcome.HOSTILE
                assert tracemalloc.get_traced_memory()[1] < 16_000_000
            finally:
                tracemalloc.stop()


async def test_a16_an_endless_body_ends_at_the_limit(going):
    async def script(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    async with Upstream(script) as up, going(max_body=3_000_000) as fetch:
        assert await outcome(fetch(up.url())) is Outcome.HOSTILE


async def _drip(_, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def test_a17_a_drip_is_given_up_although_it_never_pauses(going):
    async with Upstream(_drip) as up, going(min_rate_after=0.2) as fetch:
        error = await failing(fetch(up.url()))
    assert error.outcome is Outcome.RETRY
    assert "drips" in error.what


async def test_a17_a18_the_deadline_holds_for_everything(going):
    async with Upstream(_drip) as up, going(deadline=0.3, min_rate_after=60) as fetch:
        error = await failing(fetch(up.url()))
    assert error.outcome is Outcome.RETRY
    assert "0.3 s" in error.what


async def test_a18_black_holes_leave_no_task_and_no_socket_behind(going):
    async def silent(_, __):
        await asyncio.sleep(60)

    before, sockets = len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))
    async with Upstream(silent) as up:
        async with going(stall_timeout=0.3, deadline=1, concurrency=100) as fetch:
            ends = await asyncio.gather(*(outcome(fetch(up.url(f"/{n}"))) for n in range(100)))
            assert set(ends) == {Outcome.RETRY}
    await asyncio.sleep(0.1)
    assert len(asyncio.all_tasks()) <= before
    assert len(os.listdir("/proc/self/fd")) <= sockets


@pytest.mark.parametrize(
    "location", ["/a", "/b", "{target}x", "{target}/{target}"], ids=["self", "pair", "grow", "deep"]
)
async def test_a19_redirects_without_end_are_invalid_after_five_requests(going, location):
    def script(asked, _):
        to = {"/a": "/b", "/b": "/a"}.get(asked.target, "/a") if location == "/b" else location
        return answer(b"", "302 Found", Location=to.format(target=asked.target))

    async with Upstream(script) as up, going() as fetch:
        assert await outcome(fetch(up.url("/a"))) is Outcome.INVALID
    assert len(up.asked) <= 5


async def test_a19_a_circle_is_noticed_when_it_closes(going):
    async with Upstream(answer(b"", "302 Found", Location="/a#again")) as up, going() as fetch:
        assert "circle" in (await failing(fetch(up.url("/a")))).what
    assert len(up.asked) == 1


async def test_a20_a_permanent_redirect_is_followed_and_reported(going):
    def script(asked, _):
        if asked.target == "/old":
            return answer(b"", "301 Moved", Location="/new")
        return answer(b"ok")

    async with Upstream(script) as up, going() as fetch:
        reply = await fetch(up.url("/old"))
        assert (reply.bytes(), reply.url) == (b"ok", up.url("/new"))
        assert reply.headers[":moved"] == up.url("/new")
        assert reply.request.url == up.url("/old")


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "gopher://127.0.0.1/", "javascript:1"],
)
async def test_a21_a_redirect_to_another_scheme_is_hostile(going, target):
    async with Upstream(answer(b"", "302 Found", Location=target)) as up, going() as fetch:
        assert await outcome(fetch(up.url())) is Outcome.HOSTILE
    assert len(up.asked) == 1


async def test_a26_ten_thousand_headers_are_hostile(going):
    many = {f"X-{n}": "1" for n in range(10_000)}
    async with Upstream(answer(b"ok", **many)) as up, going() as fetch:
        assert await outcome(fetch(up.url())) is Outcome.HOSTILE


async def test_a27_a_header_of_a_megabyte_is_hostile(going):
    async with Upstream(answer(b"ok", X_Big="a" * 1_000_000)) as up, going() as fetch:
        assert await outcome(fetch(up.url())) is Outcome.HOSTILE


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=40)), max_size=6))
def test_a27_whatever_stands_in_headers_only_a_fetch_error_is_raised(going, headers):
    head = b"".join(name + b": " + value + b"\r\n" for name, value in headers)

    async def play():
        async def script(_, writer):
            writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 2\r\n\r\nok")
            await writer.drain()

        async with Upstream(script) as up, going(stall_timeout=0.3) as fetch:
            try:
                reply = await fetch(up.url())
            except FetchError:
                return
            assert all(value.encode() is not None for value in reply.headers.values())

    asyncio.run(play())


async def test_a29_an_unasked_not_modified_is_asked_once_more_in_full(going):
    def script(asked, _):
        return answer(b"ok") if "cache-control" in asked.headers else answer(b"", "304 Same")

    async with Upstream(script) as up, going() as fetch:
        assert (await fetch(up.url())).bytes() == b"ok"
    async with Upstream(answer(b"", "304 Same")) as up, going() as fetch:
        assert await outcome(fetch(up.url())) is Outcome.INVALID
    assert len(up.asked) == 2


async def test_a35_one_page_from_many_hosts_is_not_believed(going):
    page = answer(b"<html><title>Welcome to the hotel</title></html>")
    async with going(allow_private=tuple(f"127.0.0.{n}:*" for n in range(1, 21))) as fetch:
        ends = []
        for n in range(1, 21):
            async with Upstream(page, host=f"127.0.0.{n}") as up:
                ends.append(await outcome(fetch(up.url())))
    assert ends.count(Outcome.BLOCKED) == 15


async def test_a35_one_page_from_few_mirrors_is_an_answer(going):
    page = answer(b"<html><title>Index of /</title></html>")
    async with going(allow_private=tuple(f"127.0.0.{n}:*" for n in range(1, 5))) as fetch:
        for n in range(1, 5):
            async with Upstream(page, host=f"127.0.0.{n}") as up:
                assert await outcome(fetch(up.url())) is Outcome.OK


async def test_what_is_not_http_is_invalid(going):
    async def script(_, writer):
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()

    async with Upstream(script) as up, going() as fetch:
        assert await outcome(fetch(up.url())) is Outcome.INVALID


async def test_a_large_body_is_on_disk_and_a_small_one_in_memory(going):
    async with Upstream(lambda a, _: answer(bytes(int(a.target[1:])))) as up, going() as fetch:
        small, large = await fetch(up.url("/1000")), await fetch(up.url("/3000000"))
        assert not hasattr(small.body, "name")
        assert large.body.fileno() > 0
        assert large.size == 3_000_000 == len(large.bytes())
        large.body.close()


async def test_an_answer_of_which_one_piece_fills_the_memory_is_an_answer_all_the_same(going):
    body = b'{"a": "' + b"x" * 3_000_000 + b'"}'
    packed = answer(gzip.compress(body), Content_Encoding="gzip", Content_Type=JSON)
    async with Upstream(packed) as up, going() as fetch:
        assert (await fetch(up.url(), accept=JSON)).size == len(body)


async def test_a_large_page_in_place_of_data_is_seen_through_although_it_is_on_disk(going):
    page = b"<!DOCTYPE html><title>Oops</title>" + b"x" * 3_000_000
    packed = answer(gzip.compress(page), Content_Encoding="gzip", Content_Type=JSON)
    async with Upstream(packed) as up, going() as fetch:
        assert await outcome(fetch(up.url(), accept=JSON)) is Outcome.INVALID


async def test_the_address_is_sent_as_it_was_written(going):
    path = "/a%2Fb/%7Euser/+1.0%2B2?q=a%20b+c&x=%C3%A4"
    async with Upstream(answer(b"ok")) as up, going() as fetch:
        await fetch(up.url(path))
    assert up.asked[0].target == path


async def test_a28_a30_validators_go_back_as_they_came_and_the_digest_decides(going):
    kept, etag, body = Kept(), 'W/"a b"', b"one"

    def script(asked, _):
        if asked.headers.get("if-none-match") == etag:
            return answer(b"", "304 Not Modified", ETag=etag)
        return answer(body, ETag=etag, Last_Modified="Thu, 01 Jan 2099 00:00:00 GMT")

    from spiders.thrifty import fresh, validators_of

    async with Upstream(script) as up, going(validators=kept) as fetch:
        url = up.url()
        identity, known = validators_of(await fetch(url))
        kept.known[url, identity] = known
        assert (await fetch(url)).unchanged
        assert up.asked[-1].headers["if-none-match"] == etag
        etag = '"rotated"'
        same = await fetch(url)  # an ETag that changes although the body does not
        assert same.unchanged
        assert validators_of(same)[1].etag == etag
        etag, body = 'W/"a b"', b"two"  # and one that does not although the body does
        assert (await fetch(url)).unchanged
        assert (await fetch(fresh(Request(url)))).bytes() == b"two"
        assert "if-none-match" not in up.asked[-1].headers


async def test_a30_a_validator_that_never_helps_is_no_longer_sent(going):
    kept, count = Kept(), 0

    def script(*_):
        nonlocal count
        count += 1
        return answer(b"same", ETag=f'"{count}"')

    from spiders.thrifty import validators_of

    async with Upstream(script) as up, going(validators=kept) as fetch:
        for _ in range(6):
            identity, known = validators_of(await fetch(up.url()))
            kept.known[up.url(), identity] = known
    assert ["if-none-match" in asked.headers for asked in up.asked] == [
        False, True, True, True, False, False
    ]  # fmt: skip


async def test_a31_a_date_is_sent_back_verbatim(going):
    kept = Kept()
    said = "Thu, 1 Jan 1970 00:00:00 +0000"

    from spiders.thrifty import Known

    async with Upstream(answer(b"", "304 Same")) as up, going(validators=kept) as fetch:
        kept.known[up.url(), ""] = Known(None, said, "sha256:00")
        assert (await fetch(up.url())).unchanged
    assert up.asked[0].headers["if-modified-since"] == said


@pytest.mark.parametrize(
    ("tail", "status", "body"),
    [
        (answer(b"56789", "206 Partial", Content_Range="bytes 5-9/10"), 206, b"56789"),
        (answer(b"0123456789"), 200, b"0123456789"),
        (answer(b"23456", "206 Partial", Content_Range="bytes 2-6/10"), 200, b"0123456789"),
        (answer(b"", "416 No", Content_Range="bytes */10"), 200, b"0123456789"),
    ],
)
async def test_a33_the_tail_of_a_file_is_checked_else_the_whole_is_fetched(
    going, tail, status, body
):
    def script(asked, _):
        return tail if "range" in asked.headers else answer(b"0123456789")

    async with Upstream(script) as up, going() as fetch:
        reply = await fetch(up.url(), headers=(("range", "bytes=5-"),))
        assert (reply.status, reply.bytes()) == (status, body)
    assert up.asked[0].headers["accept-encoding"] == "identity"


async def test_a33_a_tail_with_nothing_new_is_unchanged(going):
    nothing = answer(b"", "416 No", Content_Range="bytes */10")
    async with Upstream(nothing) as up, going() as fetch:
        assert (await fetch(up.url(), headers=(("range", "bytes=10-"),))).unchanged


async def test_j05_what_is_given_up_holds_no_slot(going):
    silent = True

    async def script(*_):
        if silent:
            await asyncio.sleep(60)
        return answer(b"ok")

    async with Upstream(script) as up, going(deadline=0.2, concurrency=2) as fetch:
        ends = await asyncio.gather(*(outcome(fetch(up.url(f"/{n}"))) for n in range(4)))
        assert set(ends) == {Outcome.RETRY}
        silent = False
        assert await outcome(fetch(up.url("/after"))) is Outcome.OK


async def test_j13_a_hundred_equal_questions_are_one_request(going):
    async def script(*_):
        await asyncio.sleep(0.05)
        return answer(bytes(2_000_000))

    async with Upstream(script) as up, going() as fetch:
        asks = [fetch(up.url(), project=f"p{n}") for n in range(100)]
        replies = await asyncio.gather(*asks)
        for reply in replies:
            reply.body.read(10)  # a position of its own
            assert len(reply.bytes()) == 2_000_000
            reply.body.close()
        assert len({reply.request.project for reply in replies}) == 100
    assert len(up.asked) == 1


async def test_j13_when_the_first_to_ask_is_cancelled_the_others_still_get_an_answer(going):
    async def script(*_):
        await asyncio.sleep(0.1)
        return answer(b"ok")

    async with Upstream(script) as up, going() as fetch:
        first, second = asyncio.create_task(fetch(up.url())), asyncio.create_task(fetch(up.url()))
        await asyncio.sleep(0.03)
        first.cancel()
        assert (await second).bytes() == b"ok"


async def test_j14_a_host_never_has_more_than_its_share_at_once(going):
    async def script(*_):
        await asyncio.sleep(0.005)
        return answer(b"ok")

    async with Upstream(script) as up, going() as fetch:
        await asyncio.gather(*(fetch(up.url(f"/{n}")) for n in range(60)))
    assert up.most_open == 2


async def test_j14_a_pace_spreads_the_requests(going):
    loop, times = asyncio.get_running_loop(), []

    def script(*_):
        times.append(loop.time())
        return answer(b"ok")

    async with Upstream(script) as up, going(pace=20) as fetch:
        await asyncio.gather(*(fetch(up.url(f"/{n}")) for n in range(6)))
    assert times[-1] - times[0] > 5 * 0.045
