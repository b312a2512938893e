"""The public upstreams that the pages name, played by the lab.

`[network] gateway` sends every HTTP request as GATEWAY/<scheme>/<host>/<path>; here each host leads
to one of the lab's servers. So the pages show public addresses, and nothing leaves this machine.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from monitor.homes import home_of
from tests.lab.world import Places

_HOP = {"connection", "keep-alive", "transfer-encoding", "host", "te", "trailer", "upgrade"}


def hosts(places: Places) -> dict[str, str]:
    """Which part of the lab stands for which public host."""
    registry = places.registry
    return {
        urlsplit(home_of("pkg:pypi/pip")).netloc: registry["pypi_url"],
        "index.crates.io": registry["crates_index_url"],
        "static.crates.io": registry["crates_static_url"],
        "crates.io": registry["crates_static_url"],
        "rubygems.org": registry["rubygems_url"],
        "api.github.com": registry["github_api_url"],
        "github.com": registry["github_url"],
        "www.zlib.example": f"{places.nginx_url}pool/zlib",
        "less.example": places.nginx_url.rstrip("/"),
        "download.example": f"{places.apache_url}sources".rstrip("/"),
        "git.example": places.git_url.rstrip("/"),
    }


class Gateway:
    """Forwards to the lab what is asked under `url`; `asked` are the addresses, as they were.

    `listening` is a socket in the place of one of its own.
    """

    def __init__(self, places: Places, listening: socket.socket | None = None) -> None:
        self._hosts = hosts(places)
        self.asked: list[str] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                gateway._forward(self)

            do_HEAD = do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, listening is None)
        if listening is not None:
            self._server.socket.close()
            self._server.socket = listening
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _forward(self, asked: BaseHTTPRequestHandler) -> None:
        _, scheme, host, *path = asked.path.split("/", 3)
        self.asked.append(f"{scheme}://{host}/{'/'.join(path)}")
        local = f"http://{host}" if host.startswith("127.0.0.1:") else None
        base = self._hosts.get(host) or local
        if not base:
            asked.send_error(502, f"the lab does not play {host}")
            return
        length = int(asked.headers.get("content-length") or 0)
        body = asked.rfile.read(length) if length else None
        target = urlsplit(f"{base}/{'/'.join(path)}")
        connection = http.client.HTTPConnection(target.netloc, timeout=30)
        headers = {k: v for k, v in asked.headers.items() if k.lower() not in _HOP}
        where = target.path + (f"?{target.query}" if target.query else "")
        connection.request(asked.command, where, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        asked.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() == "location" and value.startswith(base):
                asked.send_header(name, f"{scheme}://{host}{value.removeprefix(base)}")
            elif name.lower() not in {*_HOP, "content-length", "server", "date"}:
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(data)))
        asked.end_headers()
        if asked.command != "HEAD":
            with contextlib.suppress(BrokenPipeError):  # whoever asked has seen enough
                asked.wfile.write(data)
        connection.close()
