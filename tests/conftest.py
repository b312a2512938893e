"""What every test may use: recorded answers, the lab's servers, a guard against the network."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:  # the lab is loaded by the tests that use it only
    from tests.lab.registry import Registry
    from tests.lab.servers import Apache, GitHttp, Nginx, Rsyncd
    from tests.lab.world import World

_RESERVED = (".invalid", ".test", ".example")  # RFC 2606: nobody has them, asking is harmless
_strayed: list[str] = []  # addresses outside this machine that a test tried to reach


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are no name: what was packed at collection holds the time of day, and the processes
    that share the work would call one test differently."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Path:
    """The folder with recorded answers (`data/`); a test that needs it is skipped without it."""
    named = os.environ.get("MONITOR_SHARED")
    folder = Path(named) if named else pytestconfig.rootpath.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("no recorded data: set MONITOR_SHARED to the folder that holds data/")
    return folder


def is_local(address: Any) -> bool:
    """Whether a socket address is on this machine."""
    if not isinstance(address, tuple):  # AF_UNIX: a path
        return True
    host = str(address[0])
    if host in {"", "localhost"}:
        return True
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return ip.is_loopback or ip.is_unspecified


def _is_literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def _guarded_sockets() -> Iterator[None]:
    """Let this process connect to this machine only, whichever library does it, and ask no DNS."""
    plain = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}

    def guard(name: str) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            if is_local(address):
                return plain[name](self, address)
            _strayed.append(str(address))
            if name == "connect_ex":
                return errno.ENETUNREACH
            raise OSError(errno.ENETUNREACH, f"tests do not leave this machine: {address}")

        return connect

    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or is_local((name,)) or _is_literal(name):
            return resolve(host, *rest, **more)
        if not name.endswith(_RESERVED):
            _strayed.append(name)
        raise socket.gaierror(socket.EAI_NONAME, f"tests ask no name server: {name}")

    with pytest.MonkeyPatch.context() as patch:
        for name in plain:
            patch.setattr(socket.socket, name, guard(name))
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        yield


@pytest.fixture
def refused() -> list[str]:
    """For a test that means to be turned away: what it tried to reach, still in vain."""
    return _strayed


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, _guarded_sockets: None) -> Iterator[None]:
    """Fail a test that tried to leave this machine, even where the code under test forgave it.

    A test that does so on purpose asks for `refused`.
    """
    _strayed.clear()
    yield
    if _strayed and "refused" not in request.fixturenames:
        pytest.fail(f"tried to connect to {', '.join(sorted(set(_strayed)))}")


def lacking(reason: str) -> NoReturn:
    """Skip with the reason; under CI what is missing is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need(*programs: str) -> None:
    """Skip the test where a program of the lab is missing; under CI that is a failure."""
    from tests.lab.tools import find, install_hint

    if absent := [program for program in programs if find(program) is None]:
        lacking(f"{', '.join(absent)} not installed; {install_hint(absent)}")


@pytest.fixture
def registry() -> Iterator[Registry]:
    """An empty PyPI, crates.io, RubyGems and GitHub that the test can change."""
    from tests.lab.registry import Registry

    with Registry() as server:
        yield server


@pytest.fixture
def rsyncd(tmp_path: Path) -> Iterator[Rsyncd]:
    """rsyncd; write into `rsyncd.folder`, which is its module "pub"."""
    need("rsync")
    from tests.lab.servers import Rsyncd

    with Rsyncd(_made(tmp_path / "rsyncd")) as server:
        yield server


@pytest.fixture
def apache(tmp_path: Path) -> Iterator[Apache]:
    """Apache httpd with its usual folder pages; write into `apache.folder`."""
    need("apache2")
    from tests.lab.servers import Apache

    with Apache(_made(tmp_path / "apache")) as server:
        yield server


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    """nginx with its usual folder pages; write into `nginx.folder`."""
    need("nginx")
    from tests.lab.servers import Nginx

    with Nginx(_made(tmp_path / "nginx")) as server:
        yield server


@pytest.fixture
def githttp(tmp_path: Path) -> Iterator[GitHttp]:
    """git over HTTP; put bare repositories (`tests.lab.gitrepo`) into `githttp.folder`."""
    need("apache2", "git")
    from tests.lab.servers import GitHttp

    with GitHttp(_made(tmp_path / "git")) as server:
        yield server


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """All servers with content; `world.hand` publishes more."""
    need("rsync", "apache2", "nginx", "git")
    from tests.lab.world import World

    with World(_made(tmp_path / "world")) as running:
        yield running


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
