"""git: the tags of a repository, by `git ls-remote --tags` in protocol version 2.

Lines `<object id> <tab> refs/tags/<name>`; for an annotated tag a second one,
`…^{}`, with the commit that it stands for. Nothing is fetched. No configuration
of the machine or a user is read, no helper, hook or prompt is started, and the
child connects to the address that was checked. Redirects are not git's affair:
where a repository moved, our own HTTP finds out, hop by hop, and asks there.
"""

from __future__ import annotations

import re

from monitor.errors import FetchError
from monitor.model import Outcome, Request
from monitor.settings import NetworkSettings
from spiders import child
from spiders.address import Address, printable, take_apart, without_secrets
from spiders.credentials import Credentials
from spiders.guard import Guard
from spiders.http import Http

_URL = re.compile(r"git(?:\+https?)?://[A-Za-z0-9.\[][A-Za-z0-9.:\[\]-]*/[A-Za-z0-9_.~+@,=%:/-]+")
_REDIRECTED = re.compile(r"error: 30[12378]\b|redirect")
_OLDEST = (2, 39, 0)
_REFS = 200_000  # tags of one repository
_MEANINGS: dict[tuple[Outcome, int | None], tuple[str, ...]] = {
    (Outcome.BLOCKED, 401): ("authentication failed", "could not read username", "error: 401"),
    (Outcome.BLOCKED, 403): ("error: 403",),
    (Outcome.THROTTLED, 429): ("error: 429",),
    (Outcome.GONE, 404): (
        "not found",
        "does not appear to be a git repository",
        "repository not exported",
        "access denied",
    ),
    (Outcome.INVALID, None): ("is this a git repository?", "unsupported", "invalid server"),
}
_DISCOVERY = "/info/refs?service=git-upload-pack"


class Git:
    """Carries git:, git+http: and git+https: requests."""

    def __init__(
        self,
        guard: Guard,
        network: NetworkSettings,
        http: Http,
        credentials: Credentials,
        program: str = "git",
    ) -> None:
        self._guard = guard
        self._network = network
        self._http = http
        self._credentials = credentials
        self._program = program

    def check(self, url: str) -> Address:
        if not _URL.fullmatch(url) or "/-" in url or ".." in url.split("/"):
            raise FetchError(
                printable(without_secrets(url)),
                "is not an address of a repository that may be asked",
                "write git+https://host/path (or git+http:, git:)",
                outcome=Outcome.HOSTILE,
            )
        return self._guard.check(url)

    async def open(self, request: Request, address: Address) -> GitStream:
        await child.warn_if_old(self._program, _OLDEST)
        return GitStream(self, request, address, await self.start(request, address))

    async def start(self, request: Request, address: Address) -> child.ChildStream:
        target, config, environment = await self._target(request, address)
        settings = {
            "protocol.version": "2",
            "protocol.allow": "never",
            f"protocol.{target.partition(':')[0]}.allow": "always",
            "http.followRedirects": "false",
            "http.userAgent": self._http.agent,
            "http.lowSpeedLimit": "100",
            "http.lowSpeedTime": str(max(1, round(self._network.stall_timeout))),
            "credential.helper": "",
            "core.askPass": "true",
            **config,
        }
        if self._network.ca_file:
            settings["http.sslCAInfo"] = self._network.ca_file
        environment = {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "GIT_ALLOW_PROTOCOL": target.partition(":")[0],
            "GIT_DIR": "/nonexistent",
            **environment,
            # Through the environment: arguments can be read by everyone on this machine.
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        for number, (key, value) in enumerate(settings.items()):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        arguments = ["ls-remote", "--tags", "--quiet", "--", target]
        process = await child.start(request.url, self._program, arguments, environment)

        def explain(code: int, complaint: str) -> FetchError:
            return self._failure(request.url, code, complaint)

        return child.ChildStream(process, address.url, explain)

    async def _target(
        self, request: Request, address: Address
    ) -> tuple[str, dict[str, str], dict[str, str]]:
        """The address for git, with settings and environment that bind it to what was checked."""
        scheme = address.scheme.removeprefix("git+")
        if address.userinfo:
            raise FetchError(
                without_secrets(request.url),
                "an address with a user name in it",
                "put the secret into network.credentials",
                outcome=Outcome.INVALID,
            )
        gateway = self._guard.gateway
        plain = take_apart(f"{scheme}://{address.netloc}{address.path}")
        target, host, port = plain.url, address.host, address.port
        if gateway is not None and scheme != "git":
            target = f"{gateway.url.rstrip('/')}/{scheme}/{plain.netloc}{plain.path}"
            host, port = gateway.host, gateway.port
        try:
            ip = (await self._guard.resolve(host, port))[0]
        except OSError as error:
            raise FetchError(
                without_secrets(request.url),
                f"the name is not resolved: {error.strerror or 'no answer in time'}",
                outcome=Outcome.RETRY,
            ) from error
        shown = f"[{ip}]" if ":" in ip else ip
        if scheme == "git":
            target = f"git://{shown}:{port}{address.path}"
            return target, {}, {"GIT_OVERRIDE_VIRTUAL_HOST": address.netloc}
        config = {"http.curloptResolve": f"{host}:{port}:{shown}"}
        if (secret := self._http.secret(plain)) is not None:
            config["http.extraHeader"] = f"{secret.header}: {secret.value}"
        return target, config, {}

    async def moved(self, request: Request, address: Address) -> Address | None:
        """Where the repository went, found by our own HTTP; None if it did not move."""
        if address.scheme == "git":
            return None
        plain = take_apart(f"{address.url.removeprefix('git+')}{_DISCOVERY}")
        stream = await self._http.open(Request(plain.url), plain)
        await stream.close()
        ended = take_apart(stream.url)
        if ended.url == plain.url or not ended.path.endswith("/info/refs"):
            return None
        path = ended.path.removesuffix("/info/refs")
        return self.check(f"git+{ended.scheme}://{ended.netloc}{path}")

    async def confirm(self, request: Request, address: Address) -> None:
        """FetchError unless there is a repository: git takes any page for one without tags."""
        if address.scheme == "git":
            return
        plain = take_apart(f"{address.url.removeprefix('git+')}{_DISCOVERY}")
        stream = await self._http.open(Request(plain.url), plain)
        await stream.close()
        if stream.headers.get("content-type", "").startswith("text/html"):
            raise FetchError(
                without_secrets(request.url),
                "sends an HTML page in place of a repository",
                "look at the address in a browser; has the repository moved?",
                outcome=Outcome.INVALID,
            )

    def _failure(self, url: str, code: int, complaint: str) -> FetchError:
        words = complaint.lower()
        outcome, status = Outcome.RETRY, None
        for meaning, telling in _MEANINGS.items():
            if any(phrase in words for phrase in telling):
                outcome, status = meaning
                break
        return FetchError(
            without_secrets(url),
            f"git ends with {code}: {self._credentials.redact(child.last_words(complaint))}",
            outcome=outcome,
            status=status,
        )


class GitStream:
    """The refs as they come; starts anew, once, where the repository has moved."""

    def __init__(
        self, git: Git, request: Request, address: Address, stream: child.ChildStream
    ) -> None:
        self._git = git
        self._request = request
        self._address = address
        self._stream = stream
        self._lines = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.url = stream.url

    async def more(self) -> bytes:
        try:
            chunk = await self._stream.more()
            if not chunk and not self._lines:
                await self._git.confirm(self._request, self._address)
        except FetchError as error:
            if ":moved" in self.headers or self._lines or not _REDIRECTED.search(error.what):
                raise
            target = await self._git.moved(self._request, self._address)
            if target is None:
                raise
            self._address = target
            await self._stream.close()
            self._stream = await self._git.start(self._request, target)
            self.headers[":moved"] = target.url
            return await self.more()
        self._lines += chunk.count(b"\n")
        if self._lines > _REFS:
            raise FetchError(
                without_secrets(self._request.url),
                f"has more than {_REFS} tags",
                outcome=Outcome.HOSTILE,
            )
        return chunk

    async def close(self) -> None:
        await self._stream.close()
