"""Answers from files, and the wrapper that writes them. See `docs/recorded-answers.md`.

    <folder>/<scheme>/<host>/<path>             the body as a reader gets it
    <folder>/<scheme>/<host>/<path>@headers     status, headers and time, as JSON; optional
    <folder>/<scheme>/<host>/<path>@2           what the second visit brought, and so on

`path` is the address's path; a query follows after `?`. A path that ends in "/"
is a file `@index` in that folder. A file whose name is also needed for a folder
is called `<name>@1`. Characters that are not plain in a file name are written
as %XX, "@" among them, so that no upstream can choose a name of ours; a name
longer than a file system takes ends in a digest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.errors import FetchError, SettingsError
from monitor.model import Outcome, Reply, Request
from monitor.protocols import Transport
from spiders import verdict
from spiders.address import without_secrets

_PLAIN = re.compile(r"[A-Za-z0-9._~+=,&-]")
_LONGEST = 180  # characters of one file name, before "@2@headers"
_NOT_KEPT = frozenset(
    {"set-cookie", "www-authenticate", "proxy-authenticate", "content-encoding"}
    | {"content-length", "transfer-encoding", "connection", "keep-alive"}
)


def place_of(folder: Path, url: str) -> Path:
    """The file that an address's answer is kept in. Never outside of the folder."""
    url = without_secrets(url)
    scheme, _, rest = url.partition("://")
    rest, _, _ = rest.partition("#")
    location, mark, query = rest.partition("?")
    host, _, path = location.partition("/")
    *folders, name = path.split("/")
    name = _safe(name) if name else "@index"
    if mark:
        name += "?" + _safe(query)
    if len(name) > _LONGEST:
        name = f"{name[:100]}~{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return Path(folder, _safe(scheme), _safe(host.lower()), *map(_safe, folders), name)


def _safe(segment: str) -> str:
    if segment in ("", ".", ".."):
        return segment.replace(".", "%2E") or "%"
    encoded = "".join(
        c if _PLAIN.fullmatch(c) else "".join(f"%{byte:02X}" for byte in c.encode())
        # What is escaped already stays as it is: "%2F" is not "%252F".
        for c in re.sub(r"%([0-9A-Fa-f]{2})", lambda m: f"\0{m[1].upper()}", segment)
    ).replace("%00", "%")
    if len(encoded) > _LONGEST:
        encoded = f"{encoded[:100]}~{hashlib.sha256(encoded.encode()).hexdigest()[:32]}"
    return encoded


def _visit(place: Path, number: int) -> Path:
    return place if number == 1 else place.with_name(f"{place.name}@{number}")


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}@headers")


def _existing(place: Path, number: int) -> Path | None:
    for path in (_visit(place, number), place.with_name(f"{place.name}@{number}")):
        if path.is_file():
            return path
    return None


def visits(place: Path) -> list[Path]:
    """The recorded answers of the address whose file is `place`, in the order of their visits."""
    found: list[Path] = []
    while (path := _existing(place, len(found) + 1)) is not None:
        found.append(path)
    return found


class Recorded:
    """A transport that answers from a folder. The nth question for an address gets its nth visit.

    After the last visit that was recorded, that one is given again.
    """

    def __init__(self, folder: str | Path, clock: Callable[[], float] | None = None) -> None:
        self._folder = Path(folder)
        if not self._folder.is_dir():
            raise SettingsError(str(folder), "is not a folder", "record answers there first")
        self._asked: Counter[str] = Counter()
        self._clock = clock

    async def fetch(self, request: Request) -> Reply:
        place = place_of(self._folder, request.url)
        self._asked[request.url] += 1
        path = None
        for number in range(self._asked[request.url], 0, -1):
            if (path := _existing(place, number)) is not None:
                break
        if path is None:
            rules = place.name == "robots.txt"
            raise FetchError(
                without_secrets(request.url),
                f"no answer is recorded in {self._folder}",
                "record one with --record, or put a file where docs/recorded-answers.md says",
                # Folders made by hand have no rules for robots, and need none.
                outcome=Outcome.GONE if rules else Outcome.RETRY,
                status=404 if rules else None,
            )
        about = _about(path)
        body = path.open("rb")
        try:
            status, headers = int(about.get("status", 200)), dict(about.get("headers", {}))
            at = datetime.now(UTC) if self._clock is None else self._now()
            if status not in (200, 203, 206):
                beginning = body.read(65_536)
                raise verdict.refusal(request, status, headers, beginning, at.timestamp())
            beginning = body.read(16_384)
            if verdict.is_wall(headers, beginning):
                raise verdict.wall(request, status)
            if why := verdict.misfit(request, headers, beginning):
                raise FetchError(
                    without_secrets(request.url), f"sends {why}", outcome=Outcome.INVALID
                )
            body.seek(0)
            digest = hashlib.file_digest(body, "sha256").hexdigest()
            size = body.tell()
            body.seek(0)
            return Reply(
                request,
                body,
                status=status,
                headers=headers,
                url=str(about.get("url") or request.url),
                at=at,
                digest=f"sha256:{digest}",
                size=size,
            )
        except BaseException:
            body.close()
            raise

    def _now(self) -> datetime:
        assert self._clock is not None
        return datetime.fromtimestamp(self._clock(), UTC)


class Recording:
    """Keeps a copy of every answer that the inner transport brings, failures by status included.

    An answer that equals the last one recorded is not written again.
    """

    def __init__(self, inner: Transport, folder: str | Path) -> None:
        self._inner = inner
        self._folder = Path(folder)

    async def fetch(self, request: Request) -> Reply:
        try:
            reply = await self._inner.fetch(request)
        except FetchError as error:
            if error.status is not None and error.outcome is Outcome.GONE:
                self._write(request, b"", {"status": error.status, "headers": {}})
            raise
        if not reply.unchanged and reply.status in (200, 203):
            headers = {
                name: value
                for name, value in reply.headers.items()
                if name not in _NOT_KEPT and not name.startswith(":")
            }
            about = {
                "url": without_secrets(reply.url),
                "status": reply.status,
                "headers": headers,
                "at": reply.at.isoformat(timespec="seconds") if reply.at else None,
            }
            self._write(request, reply.bytes(), about)
            reply.body.seek(0)
        return reply

    def _write(self, request: Request, body: bytes, about: dict[str, Any]) -> None:
        place = place_of(self._folder, request.url)
        try:
            _make_folder(place.parent)
            before = visits(place)
            if before and before[-1].read_bytes() == body:
                return
            path = _visit(place, len(before) + 1)
            if path.is_dir():
                path = place.with_name(f"{place.name}@1")
            _replace(_beside(path), json.dumps(about, indent=1, ensure_ascii=False).encode())
            _replace(path, body)
        except OSError as error:
            raise FetchError(
                str(place),
                f"the answer cannot be recorded: {error.strerror}",
                "is there room, and may this user write there?",
                outcome=Outcome.RETRY,
            ) from error


def _about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(_beside(path).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise FetchError(
            str(_beside(path)),
            f"is not JSON: {error}",
            "correct it or remove it",
            outcome=Outcome.INVALID,
        ) from error
    return about if isinstance(about, dict) else {}


def _make_folder(folder: Path) -> None:
    """Make a folder; a recorded file that stands in its place becomes `<name>@1`."""
    for path in [*reversed(folder.parents), folder]:
        if path.is_file():
            beside = _beside(path)
            if beside.exists():
                beside.rename(_beside(path.with_name(f"{path.name}@1")))
            path.rename(path.with_name(f"{path.name}@1"))
    folder.mkdir(parents=True, exist_ok=True)


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
