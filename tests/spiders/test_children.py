# ruff: noqa: SIM117
"""rsync and git: real servers, real programs, and addresses that must never reach a program."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitor.errors import FetchError
from monitor.model import Outcome
from monitor.settings import NetworkSettings
from spiders.address import take_apart
from spiders.child import ChildStream, start
from spiders.guard import Guard
from spiders.rsync import Rsync, failure
from tests.spiders.conftest import failing, outcome
from tests.spiders.upstream import Upstream, answer

NETWORK = NetworkSettings(contact="x", allow_private=("127.0.0.1:*",))

HOSTILE_RSYNC = [
    "-e sh", "--rsh=sh", "host:path", "host::module", "host::module --x", "::module --x", "/etc",
    "rsync://h.example", "rsync://h.example/", "rsync://h.example/-e", "rsync://-e/m",
    "rsync://u:p@h.example/m/", "rsync://h.example/m/../../etc", "rsync://h.example/m/$(id)",
    "rsync://h.example/m/`id`", "rsync://h.example/m/a b", "rsync://h.example/m/a\nb",
    "rsync://h.example/m/*", "rsync://h.example/m/;id", "rsync://h.example:x/m/",
    "rsync://h.example/m/?x", "rsync://h.example/m/#x", "RSYNC_RSH=sh", "rsync:h.example/m",
    "rsync://h.example/m/\x00",
]  # fmt: skip

HOSTILE_GIT = [
    "--upload-pack=touch x", "-oProxyCommand=x", "ext::sh -c touch% x", "fd::17", "file:///etc",
    "/etc", "ssh://-oProxyCommand=x/a", "git@h.example:a", "git+ssh://h.example/a",
    "git+file:///etc", "git://-u/a", "git://h.example/--upload-pack=x", "git+https://h.example/../a",
    "git+https://u:p@h.example/a", "git://h.example/a;id", "git+https://h.example/a\nb",
    "git+ext::sh", "git://h.example/$(touch x)",
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE_RSYNC)
async def test_f17_what_is_no_address_of_an_rsync_server_starts_nothing(going, url, monkeypatch):
    started = _forbid_children(monkeypatch)
    with pytest.raises(FetchError) as caught:
        Rsync(Guard(NETWORK), NETWORK).check(url)
    assert caught.value.outcome is Outcome.HOSTILE
    async with going() as fetch:
        assert await outcome(fetch(url)) in (Outcome.HOSTILE, Outcome.INVALID)
    assert started == []


@pytest.mark.parametrize("url", HOSTILE_GIT)
async def test_f14_f15_what_is_no_address_of_a_repository_starts_nothing(going, url, monkeypatch):
    started = _forbid_children(monkeypatch)
    async with going() as fetch:
        assert await outcome(fetch(url)) in (Outcome.HOSTILE, Outcome.INVALID)
    assert started == []


def _forbid_children(monkeypatch):
    started = []

    async def never(*args, **_):
        started.append(args)
        raise AssertionError("a child was started")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", never)
    return started


def test_f17_the_arguments_are_always_the_same():
    address = take_apart("rsync://127.0.0.1:8730/gnu/emacs/")
    assert Rsync(Guard(NETWORK), NETWORK).arguments(address, "127.0.0.1") == [
        "--list-only", "--recursive", "--no-motd", "--no-human-readable",
        "--timeout=30", "--contimeout=15", "--", "rsync://127.0.0.1:8730/gnu/emacs/",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "complaint", "end"),
    [
        (5, "@ERROR: max connections (2) reached -- try again later", Outcome.THROTTLED),
        (5, "@ERROR: Unknown module 'x'", Outcome.GONE),
        (5, "@ERROR: auth failed on module x", Outcome.BLOCKED),
        (10, "rsync error: error in socket IO", Outcome.RETRY),
        (12, "rsync error: error in rsync protocol data stream", Outcome.RETRY),
        (23, "rsync: opendir failed: Permission denied (13)", Outcome.RETRY),
        (23, 'rsync: change_dir "/x" (in m) failed: No such file or directory (2)', Outcome.GONE),
        (24, "file has vanished", Outcome.RETRY),
        (2, "protocol version mismatch", Outcome.INVALID),
        (-9, "", Outcome.RETRY),
    ],
)
def test_an_exit_status_of_rsync_says_how_the_visit_ends(code, complaint, end):
    assert failure("rsync://h.example/m/", code, complaint).outcome is end


@pytest.fixture(scope="module")
def rsyncd(tmp_path_factory, free_port):
    """The port of an rsync daemon with a module `pub`; one folder in `shut` cannot be read."""
    folder = tmp_path_factory.mktemp("rsyncd")
    (folder / "pub/a b").mkdir(parents=True)
    (folder / "pub/a b/x-1.0.tar.gz").write_bytes(b"12345")
    (folder / "pub/x-1.1 -> y").write_bytes(b"1")
    os.utime(folder / "pub/a b/x-1.0.tar.gz", (1_700_000_000, 1_700_000_000))
    (folder / "pub/latest").symlink_to("a b/x-1.0.tar.gz")
    config = folder / "rsyncd.conf"
    config.write_text(
        f"use chroot = no\nmax connections = 4\nlock file = {folder}/lock\n"
        f"[pub]\npath = {folder}/pub\nmotd file = /etc/hostname\n"
    )
    process = subprocess.Popen(
        ["rsync", "--daemon", "--no-detach", f"--config={config}", f"--port={free_port}",
         "--address=127.0.0.1"],
    )  # fmt: skip
    _wait_for(free_port)
    yield free_port
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def free_port():
    return _free_port()


def _free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port):
    import socket
    import time

    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the server did not start")


async def test_a_module_is_listed_with_exact_sizes_and_times_in_utc(going, rsyncd):
    async with going() as fetch:
        reply = await fetch(f"rsync://127.0.0.1:{rsyncd}/pub/")
    lines = list(reply.lines())
    assert any(
        line.endswith(" 5 2023/11/14 22:13:20 a b/x-1.0.tar.gz") and line.startswith("-rw")
        for line in lines
    )
    assert any(line.endswith(" latest") and line.startswith("l") for line in lines)
    assert any(line.endswith(" x-1.1 -> y") and line.startswith("-") for line in lines)
    assert reply.digest.startswith("sha256:")


async def test_a_module_or_folder_that_is_not_there_is_gone(going, rsyncd):
    async with going() as fetch:
        assert await outcome(fetch(f"rsync://127.0.0.1:{rsyncd}/none/")) is Outcome.GONE
        assert await outcome(fetch(f"rsync://127.0.0.1:{rsyncd}/pub/none/")) is Outcome.GONE


async def test_an_unchanged_listing_is_unchanged(going, rsyncd):
    from spiders.thrifty import validators_of
    from tests.spiders.conftest import Kept

    kept, url = Kept(), f"rsync://127.0.0.1:{rsyncd}/pub/"
    async with going(validators=kept) as fetch:
        identity, known = validators_of(await fetch(url))
        kept.known[url, identity] = known
        assert (await fetch(url)).unchanged


async def test_a_listing_beyond_the_limit_is_hostile(going, rsyncd):
    async with going(max_body=100) as fetch:
        assert await outcome(fetch(f"rsync://127.0.0.1:{rsyncd}/pub/")) is Outcome.HOSTILE


async def test_a_server_that_is_not_there_is_tried_again(going):
    async with going() as fetch:
        assert await outcome(fetch("rsync://127.0.0.1:1/pub/")) is Outcome.RETRY


async def test_an_address_inside_starts_no_child(going, monkeypatch):
    started = _forbid_children(monkeypatch)
    async with going(allow_private=(), contact="x") as fetch:
        assert await outcome(fetch("rsync://10.0.0.1/pub/")) is Outcome.HOSTILE
        assert await outcome(fetch("git+https://169.254.169.254/a")) is Outcome.HOSTILE
        assert await outcome(fetch("git://10.0.0.1/a")) is Outcome.HOSTILE
    assert started == []


async def test_a_program_that_is_missing_is_named_with_what_to_do(going, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    async with going() as fetch:
        error = await failing(fetch("rsync://127.0.0.1:1/pub/"))
    assert error.outcome is Outcome.RETRY
    assert "apt-get install rsync" in error.remedy


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """`fake(name, script)`: a program of that name that runs this Python."""

    def make(name, script):
        path = tmp_path / name
        path.write_text(f"#!{sys.executable}\n{script}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(tmp_path))

    return make


@pytest.mark.parametrize("url", ["rsync://127.0.0.1:1/pub/", "git+http://127.0.0.1:1/a"])
async def test_g13_children_inherit_no_secret(going, fake, monkeypatch, url):
    monkeypatch.setenv("CANARY_TOKEN", "canary")
    monkeypatch.setenv("HTTPS_PROXY", "http://canary.example")
    monkeypatch.setenv("RSYNC_RSH", "canary")
    script = "import os, sys\nprint('1.0.0') if '--version' in sys.argv else print(os.environ)\n"
    fake(url.partition(":")[0].partition("+")[0], script)
    async with going() as fetch:
        said = (await fetch(url)).text()
    assert "canary" not in said
    assert "'HOME': '/nonexistent'" in said


async def test_f18_an_old_program_is_reported(going, fake, caplog, monkeypatch):
    monkeypatch.setattr("spiders.child._warned", set())
    fake("rsync", "print('rsync  version 3.1.0  protocol version 31')\n")
    async with going() as fetch:
        await fetch("rsync://127.0.0.1:1/pub/")
    assert "rsync 3.1.0 is older than 3.2.7" in caplog.text


async def test_f18_a_child_writes_nothing(tmp_path):
    target = tmp_path / "x"
    process = await start("x:", sys.executable, ["-c", _PATIENT_WRITER, str(target)], {})
    stream = ChildStream(process, "x:", lambda code, _: FetchError("x:", "", outcome=Outcome.RETRY))
    with pytest.raises(FetchError):
        await stream.more()
    await stream.close()
    assert not target.exists() or target.stat().st_size == 0


_PATIENT_WRITER = """
import sys, time
time.sleep(0.3)
with open(sys.argv[1], "wb", 0) as file:
    file.write(b"x")
"""


async def test_j05_a_child_that_hangs_is_ended_with_all_that_it_started(going, fake, tmp_path):
    fake(
        "rsync",
        "import os, sys, time\n"
        "if '--version' in sys.argv: sys.exit(print('3.5.0'))\n"
        "child = os.fork()\n"
        "if child: print(os.getpid(), child, flush=True)\n"
        "time.sleep(60)\n",
    )
    seen = []
    original = ChildStream.more

    async def spying(self):
        seen.append(await original(self))
        return seen[-1]

    ChildStream.more = spying
    try:
        async with going(deadline=1.5) as fetch:
            assert await outcome(fetch("rsync://127.0.0.1:1/pub/")) is Outcome.RETRY
    finally:
        ChildStream.more = original
    pids = [int(pid) for pid in b"".join(seen).split()]
    assert len(pids) == 2
    end = time.monotonic() + 10  # a busy machine takes its time to bury them
    while any(map(_is_running, pids)) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    assert not any(map(_is_running, pids))


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A bare repository `a.git` with a plain and an annotated tag, and the folder it is in."""
    folder = tmp_path_factory.mktemp("git")
    environment = {
        **os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@x.example", "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@x.example",
    }  # fmt: skip

    def git(*arguments, cwd=folder):
        subprocess.run(["git", *arguments], cwd=cwd, env=environment, check=True, timeout=30)

    git("init", "-q", "w")
    git("commit", "-q", "--allow-empty", "-m", "one", cwd=folder / "w")
    git("tag", "light-1.0", cwd=folder / "w")
    git("tag", "-a", "-m", "x", "v1.0", cwd=folder / "w")
    git("branch", "other", cwd=folder / "w")
    git("clone", "-q", "--bare", "w", "a.git")
    (folder / "a.git/git-daemon-export-ok").touch()
    return folder


def _http_backend(folder, extra=lambda asked: None):
    """A script for `Upstream` that hands requests to git's own CGI program."""

    async def script(asked, writer):
        if (said := extra(asked)) is not None:
            return said
        path, _, query = asked.target.partition("?")
        length = int(asked.headers.get("content-length", 0))
        body = await asked.body.readexactly(length) if length else b""
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
                "REQUEST_METHOD": asked.method, "CONTENT_LENGTH": str(length),
                "CONTENT_TYPE": asked.headers.get("content-type", ""),
                "GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
                "HOME": "/nonexistent",
            },
        )  # fmt: skip
        out, _ = await process.communicate(body)
        head, _, content = out.partition(b"\r\n\r\n")
        status = "200 OK"
        for line in head.decode().split("\r\n"):
            if line.lower().startswith("status:"):
                status = line.partition(":")[2].strip()
        kind = "application/octet-stream"
        for line in head.decode().split("\r\n"):
            if line.lower().startswith("content-type:"):
                kind = line.partition(":")[2].strip()
        return answer(content, status, Content_Type=kind)

    return script


async def test_tags_come_with_what_they_stand_for_and_branches_do_not(going, repository):
    async with Upstream(_http_backend(repository)) as up, going() as fetch:
        reply = await fetch(up.url("/a.git", "git+http"))
    names = [line.partition("\t")[2] for line in reply.lines()]
    assert names == ["refs/tags/light-1.0", "refs/tags/v1.0", "refs/tags/v1.0^{}"]
    assert {asked.headers.get("git-protocol") for asked in up.asked} == {"version=2"}


async def test_tags_come_through_the_gateway_and_an_own_daemon(going, repository):
    def extra(asked):
        asked.target = asked.target.removeprefix("/gw/https/forge.example")

    async with Upstream(_http_backend(repository, extra)) as up:
        async with going(gateway=up.url("/gw")) as fetch:
            assert len(list((await fetch("git+https://forge.example/a.git")).lines())) == 3
    port = _free_port()
    daemon = subprocess.Popen(
        ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", f"--base-path={repository}"]
    )
    try:
        _wait_for(port)
        async with going() as fetch:
            assert len(list((await fetch(f"git://127.0.0.1:{port}/a.git")).lines())) == 3
            assert await outcome(fetch(f"git://127.0.0.1:{port}/none.git")) is Outcome.GONE
    finally:
        daemon.terminate()
        daemon.wait()


async def test_a_repository_that_moved_is_found_hop_by_hop(going, repository):
    def extra(asked):
        if asked.target.startswith("/old"):
            return answer(b"", "301 Moved", Location=asked.target.replace("/old", "/a.git"))
        return None

    async with Upstream(_http_backend(repository, extra)) as up, going() as fetch:
        reply = await fetch(up.url("/old", "git+http"))
        assert len(list(reply.lines())) == 3
        assert reply.headers[":moved"] == up.url("/a.git", "git+http")


async def test_g02_a_repository_that_moved_inside_is_not_followed(going, repository):
    away = answer(b"", "302 Found", Location="http://10.0.0.1/info/refs?service=git-upload-pack")
    async with Upstream(away) as up, going(contact="x") as fetch:
        assert await outcome(fetch(up.url("/a", "git+http"))) is Outcome.HOSTILE


async def test_a_repository_that_is_not_there_is_gone(going, repository):
    async with Upstream(_http_backend(repository)) as up, going() as fetch:
        assert await outcome(fetch(up.url("/none.git", "git+http"))) is Outcome.GONE


async def test_a_page_in_place_of_a_repository_is_no_answer(going):
    async with Upstream(answer(b"<html>hello", Content_Type="text/html")) as up, going() as fetch:
        assert await outcome(fetch(up.url("/a.git", "git+http"))) is Outcome.INVALID


async def test_g08_a_secret_is_in_no_argument_of_a_child(going, fake, tmp_path):
    from monitor.settings import Credential

    (tmp_path / "forge").write_text("canary")
    (tmp_path / "forge").chmod(0o600)
    fake("git", "import os, sys\nprint(sys.argv, 'canary' in str(os.environ))\n")
    async with going(
        credentials_folder=str(tmp_path),
        credentials={"forge": Credential(origin="http://127.0.0.1:1")},
    ) as fetch:
        own = (await fetch("git+http://127.0.0.1:1/a")).text()
        other = (await fetch("git+http://127.0.0.1:2/a")).text()
    assert "canary" not in own + other
    assert (own.split()[-1], other.split()[-1]) == ("True", "False")
