# ruff: noqa: SIM117  (servers and transports are different things)
"""Group G: where requests may go, and who gets to see a secret."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import subprocess
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import FetchError, SettingsError
from monitor.model import Outcome, Request
from monitor.settings import Credential, NetworkSettings
from spiders.address import _strictly, take_apart, without_secrets
from spiders.credentials import Credentials
from spiders.engine import Engine
from spiders.guard import Guard
from tests.spiders.conftest import failing, outcome
from tests.spiders.upstream import Upstream, answer

PUBLIC = NetworkSettings(contact="mailto:us@monitor.example")

NOTATIONS = [
    *("127.0.0.1", "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001", "0x7f.0.0.1"),
    *("0177.0.0.1", "127.0.0.1.", "0.0.0.0", "0", "10.0.0.1", "172.16.0.1", "192.168.1.1"),
    *("100.64.0.1", "169.254.169.254", "169.254.169.254.", "224.0.0.1", "255.255.255.255"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"),
    *("[64:ff9b:1::1]", "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2002:7f00:1::]"),
    *(
        "[::127.0.0.1]",
        "[fe80::1%25eth0]",
        "１２７.０.０.１",
        "198.18.0.1",
        "192.0.2.1",
        "240.0.0.1",
    ),
]


@pytest.mark.parametrize("host", NOTATIONS)
def test_g01_no_notation_of_an_address_inside_is_asked(host):
    with pytest.raises(Exception, match=r"not public|hides where|one link") as caught:
        Guard(PUBLIC).check(f"http://{host}/")
    assert caught.value.outcome is Outcome.HOSTILE


@pytest.mark.parametrize(
    "host", ["1.1.1.1", "[2606:4700::1111]", "[64:ff9b::101:101]", "a.example"]
)
def test_g01_public_addresses_are_asked(host):
    assert Guard(PUBLIC).check(f"https://{host}/").scheme == "https"


class Resolving(Guard):
    """Resolves every name to the next of these answers."""

    answers: ClassVar = [("127.0.0.1",)]

    def ask_system(self, host):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def resolving(*answers):
    return type("Resolving", (Resolving,), {"answers": list(answers)})


async def test_g01_a_name_that_leads_inside_is_not_asked(going, monkeypatch):
    async with (
        Upstream(answer(b"secret")) as up,
        going(
            contact="x", guard=resolving(("127.0.0.1",)), allow_ports=(f"a.example:{up.port}",)
        ) as fetch,
    ):
        error = await failing(fetch(f"http://a.example:{up.port}/"))
    assert error.outcome is Outcome.HOSTILE
    assert up.connections == 0


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest/", "http://b.example/"])
async def test_g02_a_redirect_to_the_inside_is_not_followed(going, target):
    async with Upstream(answer(b"", "302 Found", Location=target)) as up:
        async with going(contact="x", guard=resolving(("10.1.2.3",))) as fetch:
            assert await outcome(fetch(up.url())) is Outcome.HOSTILE
    assert len(up.asked) == 1


async def test_g03_the_address_that_was_checked_is_the_one_that_is_connected_to(going):
    """A name with another answer each time: it is resolved once, and that answer is used."""
    guard = resolving(("127.0.0.1",), ("127.0.0.2",))
    async with Upstream(answer(b"first")) as up:
        host = f"flip.example:{up.port}"
        async with going(allow_private=(host,), guard=guard) as fetch:
            assert (await fetch(f"http://{host}/")).bytes() == b"first"
    assert up.connections == 1
    assert guard.answers == [("127.0.0.2",)]


async def test_g03_a_name_that_turns_inward_is_refused_from_then_on():
    guard = resolving(("93.184.216.34",), ("127.0.0.1",))(PUBLIC)
    assert await guard.resolve("flip.example", 80) == ("93.184.216.34",)
    guard._resolved.clear()  # as if a minute had passed
    assert (await failing(guard.resolve("flip.example", 80))).outcome is Outcome.HOSTILE
    assert guard.approved == {("93.184.216.34", 80)}


def test_g03_no_socket_is_made_for_an_address_that_was_not_approved():
    engine = Engine(PUBLIC, Guard(PUBLIC))
    with pytest.raises(PermissionError):
        engine._socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80)))


async def test_g03_one_private_address_among_public_ones_is_enough_to_refuse(going):
    async with going(contact="x", guard=resolving(("93.184.216.34", "10.0.0.1"))) as fetch:
        assert await outcome(fetch("http://mixed.example/")) is Outcome.HOSTILE


@pytest.mark.parametrize(
    "url",
    ["http://a.example:25/", "http://a.example:6379/", "https://a.example:22/", "https://a.example:80/",
     "rsync://a.example:22/m/", "git://a.example:80/r", "git+https://a.example:8443/r"],
)  # fmt: skip
async def test_g04_ports_of_other_services_are_refused(going, url):
    async with going(contact="x") as fetch:
        assert await outcome(fetch(url)) is Outcome.HOSTILE


def test_g04_one_remedy_is_enough_for_a_server_of_ones_own_on_another_port():
    with pytest.raises(FetchError) as refused:
        Guard(PUBLIC).check("http://127.0.0.1:8731/new.json")
    assert refused.value.remedy
    assert "network.allow_private" in refused.value.remedy


async def test_g06_open_and_closed_ports_are_refused_with_the_same_words(going):
    async with Upstream(answer(b"x")) as up:
        private = {"allow_private": (), "contact": "x", "ports": {"http": (up.port, 1)}}
        async with going(**private) as fetch:
            said = [
                str(await failing(fetch(f"http://127.0.0.1:{port}/"))).replace(f":{port}", ":N")
                for port in (up.port, 1)
            ]
    assert said[0] == said[1]
    assert up.connections == 0


CANARY = "canary-6f1d2c"


@pytest.fixture
def credential(tmp_path):
    """`credential(origin)`: settings with one secret that is bound to it."""
    (tmp_path / "forge").write_text(CANARY)
    (tmp_path / "forge").chmod(0o600)

    def make(origin, **more):
        return {
            "credentials_folder": str(tmp_path),
            "credentials": {"forge": Credential(origin=origin, **more)},
        }

    return make


async def test_g07_a_secret_is_sent_to_its_origin_only(going, credential):
    async with Upstream(answer(b"other")) as other:

        def script(asked, _):
            if asked.target == "/away":
                return answer(b"", "302 Found", Location=other.url("/"))
            return answer(b"own")

        async with Upstream(script) as up, going(**credential(up.url())) as fetch:
            await fetch(up.url("/x"))
            await fetch(up.url("/away"))
            await fetch(other.url("/direct"))
    assert {asked.headers.get("authorization") for asked in up.asked} == {f"Bearer {CANARY}"}
    assert all("authorization" not in asked.headers for asked in other.asked)


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "Private-Token", "Proxy-Auth"])
async def test_g07_headers_that_may_be_secrets_do_not_follow_a_redirect_elsewhere(going, name):
    async with Upstream(answer(b"ok")) as other:
        away = answer(b"", "302 Found", Location=other.url("/"))
        async with Upstream(away) as up, going() as fetch:
            await fetch(Request(up.url(), headers=((name, CANARY), ("accept-language", "en"))))
    assert up.asked[0].headers[name.lower()] == CANARY
    assert CANARY not in str(other.asked)
    assert other.asked[0].headers["accept-language"] == "en"


async def test_g08_a_password_in_an_address_becomes_a_header_and_is_never_shown(going):
    async with Upstream(answer(b"", "500 Oops")) as up, going() as fetch:
        error = await failing(fetch(f"http://u:{CANARY}@127.0.0.1:{up.port}/x?token={CANARY}&a=1"))
    assert up.asked[0].headers["authorization"].startswith("Basic ")
    assert CANARY not in str(error)
    assert "a=1" in str(error)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h.example/a@1", "https://h.example/a@1"),
        ("https://h.example/?access_token=x&b=2", "https://h.example/?access_token=…&b=2"),
        ("https://h.example/?q=1;api_key=x", "https://h.example/?q=1;api_key=…"),
        ("https://h.example/\x1b[31m", "https://h.example/\\x1b[31m"),
    ],
)
def test_g08_addresses_are_shown_without_secrets(url, shown):
    assert without_secrets(url) == shown


async def test_g09_a_secret_is_in_no_log_and_no_error(going, credential, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)

    async def echo(asked, writer):
        writer.write(f"HTTP/1.1 {asked.headers['authorization']}\r\n\r\n".encode())
        await writer.drain()

    async with Upstream(echo) as up:
        async with going(**credential(up.url()), record=str(tmp_path / "kept")) as fetch:
            error = await failing(fetch(up.url()))
    assert CANARY not in caplog.text + str(error)
    assert CANARY not in repr(
        Credentials(NetworkSettings(**credential("https://x.example")))._by_origin
    )


async def test_g10_a_rejected_secret_is_said_once_and_not_sent_again(going, credential):
    async with Upstream(answer(b"", "401 No")) as up, going(**credential(up.url())) as fetch:
        errors = [await failing(fetch(up.url(f"/{n}"))) for n in range(3)]
    assert {error.outcome for error in errors} == {Outcome.BLOCKED}
    assert "credential forge was rejected" in errors[0].what
    assert len(up.asked) == 1


async def test_g10_where_it_is_allowed_the_question_is_asked_without_it(going, credential):
    def script(asked, _):
        return answer(b"", "401 No") if "authorization" in asked.headers else answer(b"ok")

    async with Upstream(script) as up, going(**credential(up.url(), anonymous=True)) as fetch:
        assert (await fetch(up.url())).bytes() == b"ok"


async def test_g11_a_secret_without_a_host_does_not_start(going, credential):
    with pytest.raises(SettingsError, match="forge: is not bound"):
        async with going(**credential(None)):
            pass


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
async def test_g12_a_secret_that_others_can_read_does_not_start(going, credential, tmp_path, mode):
    (tmp_path / "forge").chmod(mode)
    with pytest.raises(SettingsError, match="can be read by others"):
        async with going(**credential("https://forge.example")):
            pass


async def test_g14_public_servers_are_not_asked_without_a_contact(going):
    async with going(contact=None) as fetch:
        error = await failing(fetch("https://forge.example/"))
    assert error.outcome is Outcome.BLOCKED
    assert "network.contact" in error.remedy


async def test_g14_the_contact_is_sent_along_and_hosts_may_opt_out(going):
    async with Upstream(answer(b"ok")) as up:
        async with going(contact="mailto:us@x.example", opt_out=(".forge.example",)) as fetch:
            await fetch(up.url())
            assert await outcome(fetch("https://git.forge.example/")) is Outcome.BLOCKED
    assert "(+mailto:us@x.example)" in up.asked[0].headers["user-agent"]


async def test_a24_a_stalled_name_does_not_hold_up_another(going):
    import threading

    stalled = threading.Event()

    class Stalling(Guard):
        def ask_system(self, host):
            if host == "slow.example":
                stalled.wait(5)
            raise OSError("no such name")

    async with going(contact="x", guard=Stalling, connect_timeout=0.2) as fetch:
        first = await failing(fetch("https://slow.example/"))
        second = await failing(fetch("https://fast.example/"))
        stalled.set()
    assert first.outcome is second.outcome is Outcome.RETRY


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """`certificates(name, *options)`: a certificate that signs itself, as a pair of files."""
    folder = tmp_path_factory.mktemp("tls")

    def make(name, *options):
        key, cert = folder / f"{name}.key", folder / f"{name}.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", key, "-out", cert, "-subj", f"/CN={name}", *options],
            check=True, capture_output=True,
        )  # fmt: skip
        return cert, key

    return make


def _server(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.mark.parametrize(
    ("name", "options", "trusted", "reason"),
    [
        ("self", ["-addext", "subjectAltName=IP:127.0.0.1"], False, "self-signed"),
        ("other", ["-addext", "subjectAltName=DNS:other.example"], True, "mismatch"),
        ("old", ["-addext", "subjectAltName=IP:127.0.0.1", "-days", "-1"], True, "expired"),
    ],
)
async def test_a22_bad_certificates_are_refused_with_the_reason(
    going, certificates, name, options, trusted, reason
):
    if name == "old":
        # This openssl cannot make a certificate that ended; `x509` can.
        options = options[:2]
        cert, key = certificates(name, *options)
        subprocess.run(
            ["openssl", "x509", "-in", cert, "-signkey", key, "-days", "-1", "-out", cert],
            check=False, capture_output=True,
        )  # fmt: skip
    else:
        cert, key = certificates(name, *options)
    async with Upstream(answer(b"x"), tls=_server(cert, key)) as up:
        async with going(ca_file=str(cert) if trusted else None) as fetch:
            error = await failing(fetch(up.url()))
    assert error.outcome is Outcome.RETRY
    assert reason in error.what
    assert up.asked == []


async def test_a21_https_does_not_become_http_and_own_authorities_are_trusted(going, certificates):
    cert, key = certificates("good", "-addext", "subjectAltName=IP:127.0.0.1")
    async with Upstream(answer(b"plain")) as plain:

        def script(asked, _):
            if asked.target == "/down":
                return answer(b"", "302 Found", Location=plain.url())
            return answer(b"safe")

        async with Upstream(script, tls=_server(cert, key)) as up:
            async with going(ca_file=str(cert)) as fetch:
                assert (await fetch(up.url())).bytes() == b"safe"
                assert await outcome(fetch(up.url("/down"))) is Outcome.HOSTILE
    assert plain.asked == []


async def test_a23_a_handshake_that_hangs_ends_in_time(going):
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:  # accepts, and says nothing
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        began = loop.time()
        async with going(connect_timeout=0.3) as fetch:
            error = await failing(fetch(url))
    assert loop.time() - began < 2
    assert error.outcome is Outcome.RETRY


async def test_the_gateway_takes_every_http_request_with_its_address_as_the_path(going):
    def script(asked, _):
        if asked.target.endswith("/old"):
            return answer(b"", "302 Found", Location="/new?a=1")
        return answer(asked.target.encode())

    async with Upstream(script) as up, going(gateway=up.url("/gw/"), allow_private=()) as fetch:
        reply = await fetch("https://forge.example/a/old")
        assert reply.bytes() == b"/gw/https/forge.example/new?a=1"
        assert reply.url == "https://forge.example/new?a=1"
        assert await outcome(fetch("http://10.0.0.1/")) is Outcome.HOSTILE


@pytest.mark.parametrize("entry", ["127.0.0.1", "a.example:", "a.example:x", ":80"])
async def test_an_exception_that_does_not_name_host_and_port_does_not_start(going, entry):
    with pytest.raises(SettingsError, match="host and port"):
        async with going(allow_private=(entry,)):
            pass


def test_an_address_is_the_same_however_it_is_spelled():
    assert take_apart("HTTP://ExAmPle.EXAMPLE.:80/x").url == "http://example.example/x"
    assert take_apart("https://bücher.example/ä").url == "https://xn--bcher-kva.example/%C3%A4"


_HOSTS = st.sampled_from(
    [
        "a.example",
        "a-b.example.",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "1.2.3.4.5",
        "-a",
        "a..b",
        "x" * 64,
    ]
)
_PATHS = st.text("aZ0/.%~:@;=&?!*'()+,$-_# [\\\tä", max_size=12)


@given(
    scheme=st.sampled_from(["http", "https", "HTTP", "rsync", "ftp"]),
    host=_HOSTS,
    port=st.sampled_from(["", ":", ":80", ":0443", ":65535", ":65536", ":99999", ":x"]),
    path=_PATHS,
)
def test_a_plain_address_is_taken_apart_like_any_other(scheme, host, port, path):
    url = f"{scheme}://{host}{port}{path}"

    assert _said(take_apart.__wrapped__, url) == _said(_strictly, url)


def _said(read, url):
    try:
        return read(url)
    except FetchError as error:
        return str(error)
