"""What every test may use: recorded answers, the lab's servers, a guard against the network."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_strayed: list[str] = []  # addresses outside this machine that a test tried to reach


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Path:
    """The folder with recorded answers (`data/`); a test that needs it is skipped without it."""
    named = os.environ.get("MONITOR_SHARED")
    folder = Path(named) if named else pytestconfig.rootpath.parent / "shared"
    if not (folder / "data").is_dir():
        pytest.skip("no recorded data: set MONITOR_SHARED to the folder that holds data/")
    return folder


def _is_local(address: Any) -> bool:
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


@pytest.fixture(scope="session", autouse=True)
def _guarded_sockets() -> Iterator[None]:
    """Let this process connect to this machine only, whichever library does it."""
    plain = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}

    def guard(name: str) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            if _is_local(address):
                return plain[name](self, address)
            _strayed.append(str(address))
            if name == "connect_ex":
                return errno.ENETUNREACH
            raise OSError(errno.ENETUNREACH, f"tests do not leave this machine: {address}")

        return connect

    with pytest.MonkeyPatch.context() as patch:
        for name in plain:
            patch.setattr(socket.socket, name, guard(name))
        yield


@pytest.fixture(autouse=True)
def no_network(_guarded_sockets: None) -> Iterator[None]:
    """Fail a test that tried to leave this machine, even where the code under test forgave it."""
    _strayed.clear()
    yield
    if _strayed:
        pytest.fail(f"tried to connect to {', '.join(sorted(set(_strayed)))}")
