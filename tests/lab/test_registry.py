"""What the registry server does for all its hosts: faults, stale answers, the log, the control."""

from __future__ import annotations

import select
import socket
import threading
import time

import httpx2
import pytest

from tests.lab.answers import LabError
from tests.lab.client import ask, get
from tests.lab.control import Control
from tests.lab.pypi_pages import JSON
from tests.lab.registry import Registry


def test_a_fault_strikes_as_often_as_told_and_then_heals(registry: Registry) -> None:
    registry.publish("pypi", "demo", "1.0")
    url = f"{registry.pypi_url}/simple/demo/"
    registry.fail("/pypi/simple/*", 429, times=2, headers={"Retry-After": "7"}, body=b"slow down")
    answers = [get(url) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].content == b"slow down"
    registry.fail("/pypi/*", times=None)
    assert [get(url).status_code for _ in range(3)] == [503, 503, 503]
    registry.heal()
    assert get(url).status_code == 200


def test_a_cut_answer_breaks_in_its_middle(registry: Registry) -> None:
    registry.publish("pypi", "demo", "1.0")
    registry.fail("/pypi/simple/demo/", None, cut=20)
    with pytest.raises(httpx2.RemoteProtocolError):
        get(f"{registry.pypi_url}/simple/demo/")
    assert get(f"{registry.pypi_url}/simple/demo/").status_code == 200


def test_a_delayed_answer_holds_up_nobody_else(registry: Registry) -> None:
    registry.publish("pypi", "demo", "1.0")
    registry.fail("/pypi/simple/demo/", None, delay=30)
    with socket.create_connection(("127.0.0.1", registry.port)) as slow:
        slow.sendall(b"GET /pypi/simple/demo/ HTTP/1.1\r\nHost: lab\r\n\r\n")
        while not registry.requests("/pypi/simple/demo/"):
            time.sleep(0.01)
        assert get(f"{registry.pypi_url}/simple/demo/").status_code == 200
        assert select.select([slow], [], [], 0) == ([], [], [])


def test_a_frozen_page_keeps_its_old_serial_until_thawed(registry: Registry) -> None:
    registry.publish("pypi", "demo", "1.0")
    old = registry.pypi.serial
    registry.freeze("/pypi/simple/demo/")
    registry.publish("pypi", "demo", "2.0")
    url = f"{registry.pypi_url}/simple/demo/"
    stale = get(url, accept=JSON)
    assert stale.json()["versions"] == ["1.0"]
    assert stale.headers["x-pypi-last-serial"] == str(old)
    assert "2.0" in get(f"{registry.pypi_url}/rss/updates.xml").text
    registry.thaw("/pypi/simple/demo/")
    assert get(url, accept=JSON).json()["versions"] == ["1.0", "2.0"]


@pytest.mark.parametrize(
    "path", ["pypi/simple/", "pypi/simple/demo/", "pypi/rss/updates.xml", "pypi/pypi/demo/json"]
)
def test_equal_answers_have_equal_strong_etags_and_304(registry: Registry, path: str) -> None:
    registry.publish("pypi", "demo", "1.0")
    first = get(f"{registry.url}/{path}")
    assert first.headers["etag"].startswith('"')
    again = get(f"{registry.url}/{path}", if_none_match=f'"other", {first.headers["etag"]}')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    registry.publish("pypi", "demo", "1.1")
    changed = get(f"{registry.url}/{path}", if_none_match=first.headers["etag"])
    assert changed.status_code == 200


def test_long_texts_are_compressed_where_the_client_takes_it(registry: Registry) -> None:
    registry.many_projects(100)
    url = f"{registry.pypi_url}/simple/"
    packed, plain = get(url), get(url, accept_encoding="identity")
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content)


def test_head_answers_with_headers_alone_and_post_with_405(registry: Registry) -> None:
    registry.publish("pypi", "demo", "1.0")
    url = f"{registry.pypi_url}/simple/demo/"
    assert ask("HEAD", url).content == b""
    assert ask("HEAD", url).headers["etag"] == get(url).headers["etag"]
    assert ask("POST", url).status_code == 405


def test_the_log_tells_what_was_asked_and_not_what_was_controlled(registry: Registry) -> None:
    get(f"{registry.pypi_url}/simple/?x=1", accept=JSON)
    Control(registry.control_url).counts()
    (entry,) = registry.requests()
    assert (entry.path, entry.status, entry.headers["accept"]) == ("/pypi/simple/?x=1", 200, JSON)
    assert registry.counts() == {"/pypi/simple/?x=1": 1}
    registry.forget()
    assert registry.requests() == []


def test_another_process_can_do_all_of_it_over_http(registry: Registry) -> None:
    control = Control(registry.control_url)
    control.publish(
        ecosystem="pypi", project="demo", version="1.0", files={"demo-1.0.tar.gz": b"\x00\xff"}
    )
    page = get(f"{registry.pypi_url}/simple/demo/", accept=JSON).json()
    assert get(page["files"][0]["url"]).content == b"\x00\xff"
    control.fail(path="/pypi/*", status=500, body=b"oops")
    assert get(f"{registry.pypi_url}/simple/").content == b"oops"
    assert [entry["status"] for entry in control.requests()] == [200, 200, 500]
    assert control.urls()["pypi_url"] == registry.pypi_url
    with pytest.raises(LabError, match="none: no such project"):
        control.yank(ecosystem="pypi", project="none", version="1")
    with pytest.raises(LabError, match="cannot yank"):
        control.yank(ecosystem="github", project="none", version="1")
    with pytest.raises(LabError, match="missing"):
        control.publish(ecosystem="pypi")
    with pytest.raises(AttributeError):
        _ = control.stop
    assert get(f"{registry.control_url}/stop").status_code == 404


def test_a_registry_ends_with_its_thread_and_frees_its_port() -> None:
    with Registry() as server:
        url, port = server.pypi_url, server.port
        assert get(f"{url}/simple/").status_code == 200
        with pytest.raises(OSError, match="in use"), Registry(port):
            pass
    assert not [t for t in threading.enumerate() if t.name == "lab-registry"]
    with pytest.raises(httpx2.ConnectError):
        get(f"{url}/simple/")
    with Registry(port) as server:
        assert server.port == port
