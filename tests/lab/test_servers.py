"""The real servers: what they answer, against recorded shapes, and that nothing is left of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Literal

import pytest

from tests.conftest import need
from tests.lab import servers, tools
from tests.lab.answers import LabError
from tests.lab.client import get
from tests.lab.gitrepo import GitRepo
from tests.lab.servers import Apache, GitHttp, Nginx, Rsyncd, Server

RSYNC_ROW = re.compile(r"\S{10,11} +[\d,.]+ \d{4}/\d\d/\d\d \d\d:\d\d:\d\d  ?\S.*")
APACHE_ROW = re.compile(r'<a href="[^"]+">[^<]+</a> +\d{4}-\d\d-\d\d \d\d:\d\d +[\d.]+[KMG]? *')
NGINX_ROW = re.compile(r'<a href="[^"]+">[^<]+</a> +\d\d-\w{3}-\d{4} \d\d:\d\d +(-|\d+[KMG]?)')
REF_ROW = re.compile(r"[0-9a-f]{40}\t(HEAD|refs/\S+)")


def run(*command: str) -> str:
    environment = os.environ | {"LC_ALL": "C", "TZ": "UTC", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def put(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * 1234)


def runs(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_rsyncd_lists_its_module_in_the_recorded_form(rsyncd: Rsyncd, shared: Path) -> None:
    put(rsyncd.folder, "gnu/hello/hello-2.12.tar.gz", "gnu/gtk+/with space.txt")
    listing = run("rsync", "--list-only", "-r", "--no-motd", rsyncd.url).splitlines()
    recorded = (shared / "data/rsync/sourceforge-mirror.txt").read_text().splitlines()
    for row in [*listing, *recorded]:
        assert RSYNC_ROW.fullmatch(row), row
    assert [row.rpartition(":")[2][3:] for row in listing if row.startswith("-")] == [
        "gnu/gtk+/with space.txt",
        "gnu/hello/hello-2.12.tar.gz",
    ]
    assert run("rsync", rsyncd.url.removesuffix("pub/")).split() == [
        "pub",
        "pub",
        "of",
        "the",
        "lab",
    ]


def test_rsyncd_turns_away_whom_it_is_told_to(tmp_path: Path) -> None:
    need("rsync")
    with Rsyncd(tmp_path, {"other": tmp_path}, ["hosts deny = *"]) as server:
        url = server.module_url("other")
        done = subprocess.run(["rsync", url], capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert "access denied" in done.stderr


@pytest.mark.parametrize("style", ["fancy", "table", "plain"])
def test_apache_shows_folders_in_each_style(
    tmp_path: Path, style: Literal["fancy", "table", "plain"]
) -> None:
    need("apache2")
    put(tmp_path, "pub/gtk+-3.24.tar.xz", "pub/sub/x")
    with Apache(tmp_path, style=style) as server:
        page = get(f"{server.url}pub/")
        assert page.status_code == 200
        assert 'href="gtk+-3.24.tar.xz"' in page.text
        assert 'href="sub/"' in page.text
        mark = {"fancy": "<pre>", "table": "<table>", "plain": "<ul>"}[style]
        assert mark in page.text
        assert bool(APACHE_ROW.search(page.text)) == (style == "fancy")
        assert "etag" not in page.headers
        assert "last-modified" not in page.headers
        file = get(f"{server.url}pub/gtk+-3.24.tar.xz")
        assert file.headers["content-type"] == "application/x-xz"
        assert get(file.url, if_none_match=file.headers["etag"]).status_code == 304


def test_apache_rows_look_as_recorded_ones(apache: Apache, shared: Path) -> None:
    recorded = (shared / "data/listings/apache-glibc.html").read_text(errors="replace")
    put(apache.folder, "glibc-2.38.tar.xz")
    form = re.compile(r'<a href="glibc-[^"]+">')
    assert form.search(recorded)
    assert form.search(get(apache.url).text)
    for page in (recorded, get(apache.url).text):
        assert "?C=N;O=D" in page
        assert "Parent Directory" in page or page != recorded


def test_apache_shows_validators_of_folders_if_asked_to_but_never_answers_304(
    tmp_path: Path,
) -> None:
    need("apache2")
    put(tmp_path, "pub/a-1.tar.gz")
    os.utime(tmp_path / "pub", (1_700_000_000, 1_700_000_000))
    with Apache(tmp_path, track_modified=True) as server:
        page = get(f"{server.url}pub/")
        assert page.headers["last-modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
        same = get(page.url, if_none_match=page.headers["etag"])
        assert (same.status_code, same.headers["etag"]) == (200, page.headers["etag"])
        put(tmp_path, "pub/a-2.tar.gz")
        assert get(page.url).headers["etag"] != page.headers["etag"]


def test_nginx_shows_folders_in_each_format(tmp_path: Path, shared: Path) -> None:
    need("nginx")
    put(tmp_path, "pub/gtk+-3.24.tar.xz", "pub/sub/x")
    with Nginx(tmp_path, format="html") as server:
        page = get(f"{server.url}pub/")
        assert 'href="gtk%2B-3.24.tar.xz"' in page.text
        assert "etag" not in page.headers
    recorded = (shared / "data/listings/util-linux.html").read_text()
    for text in (page.text, recorded):
        rows = [line for line in text.splitlines() if line.startswith("<a ")]
        assert rows
        assert all(NGINX_ROW.fullmatch(row.strip()) for row in rows), rows
    with Nginx(tmp_path, format="json") as server:
        rows_json = json.loads(get(f"{server.url}pub/").content)
        assert [(row["name"], row["type"], row.get("size")) for row in rows_json] == [
            ("sub", "directory", None),
            ("gtk+-3.24.tar.xz", "file", 1234),
        ]
    with Nginx(tmp_path, format="xml", exact_size=False) as server:
        assert '<file mtime="' in get(f"{server.url}pub/").text


def test_nginx_gives_files_with_validators(nginx: Nginx) -> None:
    put(nginx.folder, "news.xml")
    first = get(f"{nginx.url}news.xml")
    assert first.headers["content-type"] == "text/xml"
    assert get(first.url, if_none_match=first.headers["etag"]).status_code == 304
    assert get(first.url, if_modified_since=first.headers["last-modified"]).status_code == 304


def test_git_lists_light_annotated_and_moved_tags(githttp: GitHttp, shared: Path) -> None:
    repository = GitRepo(githttp.folder / "tool.git")
    light = repository.tag("light", annotated=False)
    first = repository.tag("v1.0")
    url = f"{githttp.url}tool.git"

    def refs() -> dict[str, str]:
        rows = run("git", "ls-remote", url).splitlines()
        recorded = (shared / "data/git/ls-remote.txt").read_text().splitlines()
        assert all(REF_ROW.fullmatch(row) for row in [*rows, *recorded])
        return {name: oid for oid, name in (row.split("\t") for row in rows)}

    before = refs()
    assert before["refs/tags/light"] == light
    assert before["refs/tags/v1.0^{}"] == first != before["refs/tags/v1.0"]
    moved = repository.tag("v1.0")
    repository.delete_tag("light")
    assert refs()["refs/tags/v1.0^{}"] == moved != first
    assert repository.tags() == {"v1.0": moved}


@pytest.mark.parametrize("protocol", [True, False])
def test_git_speaks_version_two_only_where_it_may(tmp_path: Path, protocol: bool) -> None:
    need("apache2", "git")
    GitRepo(tmp_path / "tool.git").tag("v1.0")
    with GitHttp(tmp_path, protocol=protocol) as server:
        url = f"{server.url}tool.git/info/refs?service=git-upload-pack"
        answer = get(url, git_protocol="version=2")
        assert (b"version 2" in answer.content) == protocol
        assert (b"refs/tags/v1.0" in answer.content) != protocol
        assert get(f"{server.url}none.git/info/refs?service=git-upload-pack").status_code == 404


def test_git_can_be_cloned_over_http(githttp: GitHttp, tmp_path: Path) -> None:
    GitRepo(githttp.folder / "tool.git").tag("v1.0")
    target = tmp_path / "clone"
    run("git", "clone", "-q", "--filter=tree:0", f"{githttp.url}tool.git", str(target))
    assert run("git", "-C", str(target), "tag").split() == ["v1.0"]


@pytest.mark.parametrize("kind", [Rsyncd, Apache, Nginx, GitHttp])
def test_nothing_is_left_of_a_server(tmp_path: Path, kind: type[Server]) -> None:
    need(kind.program)
    with kind(tmp_path) as server:  # type: ignore[call-arg]
        pid, home, port = server.pid, server.home, server.port
        family = [
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit() and _session(int(entry.name)) == pid
        ]
        assert pid in family
        assert all(runs(number) for number in family)
    assert not any(runs(number) for number in family)
    assert not home.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with pytest.raises(LabError, match="does not run"):
        _ = server.pid


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    need("apache2")
    with pytest.raises(LabError, match="NoSuchDirective"):
        Apache(tmp_path, config="NoSuchDirective on").start()


def test_a_failed_test_keeps_the_log_and_says_where(tmp_path: Path) -> None:
    need("nginx")
    server = Nginx(tmp_path)
    with pytest.raises(ZeroDivisionError) as caught, server:
        _ = 1 / 0
    assert str(server.home) in caught.value.__notes__[0]
    assert (server.home / "error.log").exists()
    shutil.rmtree(server.home)


def test_a_port_that_was_taken_meanwhile_is_left_to_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("nginx")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        ports = iter([taken])
        real = servers.free_port
        monkeypatch.setattr(servers, "free_port", lambda: next(ports, None) or real())
        with Nginx(tmp_path) as server:
            assert server.port != taken
            assert get(server.url).status_code == 200


def test_missing_programs_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(tools, "_PLACES", ())
    assert tools.missing() == tools.DEBIAN_PACKAGES
    assert tools.available() == frozenset()
    with pytest.raises(LabError, match=r"nginx is not installed; .*tests\.lab install"):
        tools.need("nginx")
    with pytest.raises(LabError, match="no apt-get here"):
        tools.install()
