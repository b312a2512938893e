"""One changeable server that speaks PyPI, crates.io, RubyGems and GitHub on loopback.

    with Registry() as lab:
        lab.publish("pypi", "demo-lib", "1.0")
        ...  # anything may poll lab.pypi_url, lab.crates_index_url, lab.github_api_url

Every host of the real registries has a prefix here: `/pypi`, `/crates` (the sparse index),
`/crates-static`, `/rubygems`, `/github` (the API), `/github-web` (the site). The same methods can
be called from another process: `control.Control(lab.control_url).publish(ecosystem="pypi", …)`
posts JSON to `/_lab/publish`. Shapes and their sources are described in `pypi`, `crates`,
`rubygems` and `github`.
"""

from __future__ import annotations

import asyncio
import base64
import copy
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.lab.answers import Answer, Ask, Clock, LabError, utc
from tests.lab.control import ACTIONS
from tests.lab.crates import Crates
from tests.lab.github import GitHub
from tests.lab.large import many_names
from tests.lab.pypi import PyPI
from tests.lab.rendering import cut_short, rendered
from tests.lab.rubygems import RubyGems

_LOGGED = 100_000  # requests that are remembered


@dataclass(slots=True)
class Fault:
    """What goes wrong for requests whose path matches `path` (a shell pattern), `times` times.

    `status` None leaves the answer as it is, to be only delayed, cut or given headers. `cut` sends
    that many bytes of the body, announces all, and drops the connection.
    """

    path: str
    status: int | None = 503
    times: int | None = 1  # None: until healed
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0  # seconds
    cut: int | None = None


@dataclass(frozen=True, slots=True)
class Logged:
    """One request that was answered. `sent` are the bytes of the body."""

    at: datetime
    method: str
    path: str  # with the query
    status: int
    headers: Mapping[str, str]
    sent: int


@dataclass(frozen=True, slots=True)
class _Shelves:
    pypi: PyPI
    crates: Crates
    rubygems: RubyGems
    github: GitHub


class Registry:
    """The server, its state and its faults. Methods may be called from any thread.

    Raises LabError for what does not exist. `port` 0 takes a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._lock = threading.RLock()
        self._clock = Clock()
        self._faults: list[Fault] = []
        self._frozen: dict[str, _Shelves] = {}
        self._log: deque[Logged] = deque(maxlen=_LOGGED)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        clock = self._clock
        self._shelves = _Shelves(PyPI(), Crates(clock), RubyGems(clock), GitHub(clock))
        self.url = ""

    # its parts, for a test that needs more than the methods below

    @property
    def pypi(self) -> PyPI:
        """PyPI's state."""
        return self._shelves.pypi

    @property
    def crates(self) -> Crates:
        """The state of crates.io."""
        return self._shelves.crates

    @property
    def rubygems(self) -> RubyGems:
        """The state of RubyGems."""
        return self._shelves.rubygems

    @property
    def github(self) -> GitHub:
        """GitHub's state."""
        return self._shelves.github

    # addresses

    @property
    def pypi_url(self) -> str:
        """Stands for the home of PyPI: `/simple/`, `/rss/`, `/pypi/` lie below."""
        return f"{self.url}/pypi"

    @property
    def crates_index_url(self) -> str:
        """Stands for the sparse index of crates.io."""
        return f"{self.url}/crates"

    @property
    def crates_static_url(self) -> str:
        """Stands for the static host of crates.io (RSS, files)."""
        return f"{self.url}/crates-static"

    @property
    def rubygems_url(self) -> str:
        """Stands for RubyGems: `/versions`, `/info/`, `/gems/` lie below."""
        return f"{self.url}/rubygems"

    @property
    def github_api_url(self) -> str:
        """Stands for the API's host."""
        return f"{self.url}/github"

    @property
    def github_url(self) -> str:
        """Stands for the site (Atom, downloads)."""
        return f"{self.url}/github-web"

    @property
    def control_url(self) -> str:
        """For `Control`."""
        return f"{self.url}/_lab"

    def urls(self) -> dict[str, str]:
        """All addresses by name."""
        names = (
            "pypi_url crates_index_url crates_static_url rubygems_url github_api_url github_url"
            " control_url"
        )
        return {name: getattr(self, name) for name in names.split()}

    # what happens upstream

    def now(self) -> datetime:
        """The lab's time: the real one, unless `set_time` stopped it."""
        return self._clock()

    def set_time(self, at: datetime | str | None) -> None:
        """Stop the clock at that time, or (None) let it run."""
        self._clock.stopped = utc(at)

    def publish(
        self,
        ecosystem: str,
        project: str,
        version: str,
        files: Mapping[str, bytes] | None = None,
        at: datetime | str | None = None,
        **more: Any,
    ) -> None:
        """Publish a version now (or "at" a time); `files` are made where none are given.

        more: `requires_python`, `source`, `publisher`, `info`, `owners` (pypi); `rust_version`,
        `uploader`, `trustpub`, `licence`, `repository` (crates); `platform` (rubygems);
        `prerelease`, `draft`, `release` (github; False is a tag only), `author`, `licence`.
        """
        with self._lock:
            self._of(ecosystem).publish(project, version, files, utc(at) or self.now(), **more)

    def yank(self, ecosystem: str, project: str, version: str, reason: str | None = None) -> None:
        """Yank a version (pypi, crates, rubygems)."""
        with self._lock:
            self._of(ecosystem, "yank").yank(project, version, reason)

    def unyank(self, ecosystem: str, project: str, version: str) -> None:
        """Take a yank back."""
        with self._lock:
            self._of(ecosystem, "unyank").unyank(project, version)

    def withdraw(self, ecosystem: str, project: str, version: str | None = None) -> None:
        """Delete a version, or the whole project."""
        with self._lock:
            self._of(ecosystem).withdraw(project, version)

    def retag(self, project: str, version: str, sha: str | None = None) -> str:
        """Let a tag on GitHub point elsewhere; the new commit is returned."""
        with self._lock:
            return self.github.retag(project, version, sha)

    def rename(self, project: str, name: str) -> None:
        """Rename a repository on GitHub; the old name redirects."""
        with self._lock:
            self.github.rename(project, name)

    def set_prerelease(self, project: str, version: str, flag: bool = True) -> None:
        """Set the pre-release flag of a release on GitHub."""
        with self._lock:
            self.github.set_prerelease(project, version, flag)

    def set_status(self, project: str, status: str) -> None:
        """Set a PyPI project's status: active, archived, deprecated, quarantined."""
        with self._lock:
            self.pypi.set_status(project, status)

    def rewrite(self) -> None:
        """RubyGems writes its list of all versions anew, as on the first day of a month."""
        with self._lock:
            self.rubygems.rewrite()

    def many_projects(self, n: int) -> None:
        """Add n synthetic names to PyPI's index."""
        with self._lock:
            self.pypi.fill(many_names(n))

    def _of(self, ecosystem: str, action: str = "publish") -> Any:
        known = ("pypi", "crates", "rubygems", "github")
        shelf = getattr(self, ecosystem) if ecosystem in known else None
        if shelf is None or not hasattr(shelf, action):
            raise LabError(f"{ecosystem}: cannot {action} there; know {', '.join(known)}")
        return shelf

    # what goes wrong

    def fail(
        self,
        path: str,
        status: int | None = 503,
        times: int | None = 1,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        delay: float = 0.0,
        cut: int | None = None,
    ) -> None:
        """Let the next `times` requests to `path` (pattern, with prefix) go wrong; see Fault."""
        with self._lock:
            self._faults.append(Fault(path, status, times, headers or {}, body, delay, cut))

    def heal(self) -> None:
        """Forget all faults and frozen answers."""
        with self._lock:
            self._faults.clear()
            self._frozen.clear()

    def freeze(self, path: str) -> None:
        """Keep answering `path` (pattern, with prefix) from this state, as a stale cache does."""
        with self._lock:
            self._frozen[path] = copy.deepcopy(self._shelves)

    def thaw(self, path: str) -> None:
        """End that."""
        with self._lock:
            self._frozen.pop(path, None)

    # what was asked

    def requests(self, path: str = "*") -> list[Logged]:
        """The requests so far whose path (with query) matches the pattern, oldest first."""
        with self._lock:
            return [entry for entry in self._log if fnmatchcase(entry.path, path)]

    def counts(self) -> dict[str, int]:
        """Requests by path (with query)."""
        with self._lock:
            return dict(Counter(entry.path for entry in self._log))

    def forget(self) -> None:
        """Empty the log."""
        with self._lock:
            self._log.clear()

    # the server

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Serve from a thread of its own; returns when the port answers. Raises OSError."""
        ready: threading.Event = threading.Event()
        failed: list[BaseException] = []

        def run() -> None:
            try:
                asyncio.run(self._serve(ready))
            except BaseException as error:
                failed.append(error)
                ready.set()

        self._thread = threading.Thread(target=run, name="lab-registry", daemon=True)
        self._thread.start()
        ready.wait()
        if failed:
            self._thread.join()
            raise failed[0]

    def stop(self) -> None:
        """End the server and wait for it."""
        if self._loop and self._stop and self._thread and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=256 * 1024 * 1024)
        app.router.add_route("*", "/_lab/{action}", self._controlled)
        app.router.add_route("*", "/{path:.*}", self._asked)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self.port)
            await site.start()
            self.port = runner.addresses[0][1]
            self.url = f"http://127.0.0.1:{self.port}"
            ready.set()
            await self._stop.wait()
        finally:
            await runner.cleanup()

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = request.rel_url.raw_path
        with self._lock:
            fault = self._fault(path)
            if fault and fault.status is not None:
                answer = Answer(fault.body, fault.status)
            else:
                answer = self._answer(request, path, headers)
            status, fields, body = rendered(answer, headers)
            if fault:
                fields |= fault.headers
            sent = 0 if request.method == "HEAD" else len(body)
            full = request.rel_url.raw_path_qs
            self._log.append(Logged(self.now(), request.method, full, status, headers, sent))
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault and fault.cut is not None:
            return await cut_short(request, status, fields, body, fault.cut)
        return web.Response(body=body, status=status, headers=fields)

    def _fault(self, path: str) -> Fault | None:
        for fault in self._faults:
            if fnmatchcase(path, fault.path):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return fault
        return None

    def _answer(self, request: web.Request, path: str, headers: Mapping[str, str]) -> Answer:
        if request.method not in {"GET", "HEAD"}:
            return Answer(status=405, headers={"Allow": "GET, HEAD"})
        frozen = (held for match, held in self._frozen.items() if fnmatchcase(path, match))
        shelves = next(frozen, self._shelves)
        prefix, _, rest = path.removeprefix("/").partition("/")
        ask = Ask(f"/{rest}", dict(request.rel_url.query), headers, f"{self.url}/{prefix}")
        answer: Answer | None = None
        match prefix:
            case "pypi":
                answer = shelves.pypi.answer(ask)
            case "crates":
                answer = shelves.crates.answer_index(ask, self.crates_static_url)
            case "crates-static":
                answer = shelves.crates.answer_static(ask)
            case "rubygems":
                answer = shelves.rubygems.answer(ask)
            case "github":
                answer = shelves.github.answer_api(ask, self.github_url)
            case "github-web":
                answer = shelves.github.answer_web(ask)
        return answer or Answer(b"404 Not Found\n", 404)

    async def _controlled(self, request: web.Request) -> web.Response:
        action = request.match_info["action"]
        if action not in ACTIONS:
            return web.json_response({"error": f"{action}: no such action"}, status=404)
        try:
            arguments = await request.json() if request.can_read_body else {}
            if files := arguments.get("files"):
                arguments["files"] = {k: base64.b64decode(v) for k, v in files.items()}
            if isinstance(arguments.get("body"), str):
                arguments["body"] = arguments["body"].encode()
            result = getattr(self, action)(**arguments)
        except (LabError, TypeError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        if action == "requests":
            result = [asdict(entry) | {"at": entry.at.isoformat()} for entry in result]
        return web.json_response({"result": result})


def ago(**parts: float) -> datetime:
    """A time before now: `ago(days=3)`."""
    return datetime.now(UTC) - timedelta(**parts)
