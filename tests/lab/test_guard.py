"""The guard of conftest: tests reach this machine and nothing else."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import pytest

import tests.conftest as guard

pytest_plugins = ["pytester"]


def test_a_connection_outside_is_refused_and_written_down(refused: list[str]) -> None:
    with socket.socket() as probe:
        with pytest.raises(OSError, match="do not leave this machine") as caught:
            probe.connect(("192.0.2.1", 80))
        assert caught.value.errno == errno.ENETUNREACH
        assert probe.connect_ex(("192.0.2.2", 80)) == errno.ENETUNREACH
    with socket.socket(socket.AF_INET6) as probe, pytest.raises(OSError, match="2001:db8::1"):
        probe.connect(("2001:db8::1", 80))
    assert [address.split("'")[1] for address in refused] == [
        "192.0.2.1",
        "192.0.2.2",
        "2001:db8::1",
    ]


def test_names_are_not_asked_for_and_only_real_ones_are_written_down(refused: list[str]) -> None:
    for name in ("host.invalid", "www.example.org"):
        with pytest.raises(socket.gaierror, match="ask no name server"):
            socket.create_connection((name, 80))
    assert refused == ["www.example.org"]


def test_a_test_that_strays_without_saying_so_fails(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(Path(guard.__file__).read_text())
    pytester.makepyfile(
        """
        import socket

        def stray():
            with socket.socket() as probe:
                assert probe.connect_ex(("192.0.2.1", 80))

        def test_by_accident():
            stray()

        def test_on_purpose(refused):
            stray()
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*Failed: tried to connect to ('192.0.2.1', 80)*"])


def test_a_missing_server_skips_and_under_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server not installed"):
        guard.need("no-such-server")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-server not installed"):
        guard.need("no-such-server")
    guard.need()


def test_loopback_and_local_sockets_are_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
        socket.create_connection(("localhost", server.getsockname()[1])).close()


@pytest.mark.parametrize(
    ("address", "local"),
    [
        (("127.0.0.1", 1), True),
        (("127.9.9.9", 1), True),
        (("::1", 1, 0, 0), True),
        (("localhost", 1), True),
        (("/run/some.sock"), True),
        (("10.0.0.1", 1), False),
        (("169.254.169.254", 80), False),
        (("example.invalid", 80), False),
        (("127.0.0.1.example.invalid", 80), False),
    ],
)
def test_only_addresses_of_this_machine_are_local(address: object, local: bool) -> None:
    assert guard.is_local(address) is local
