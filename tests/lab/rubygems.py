"""The lab's RubyGems: the compact index, which grows by lines and is written anew, and the gems.

Sources of the shapes
- `/versions`, `/info/<gem>`, their headers (ETag made of the body, `Repr-Digest` of the whole file
  also with a part of it) and the monthly rewrite: rubygems/guides
  `rubygems-org-compact-index-api.md`, rubygems/rubygems.org `config/deploy/versions-list-update-*`.
Unverified: what `/info/` says of a gem whose versions are all yanked (here: no line), the text of a
404. The bytes of a gem are made up; nobody unpacks them here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tests.lab.answers import Answer, Ask, Clock, LabError, seconds, strong


@dataclass(slots=True)
class Gem:
    """One gem: its versions with platform ("1.0-java") in the order of publication."""

    name: str
    versions: dict[str, tuple[datetime, bytes]] = field(default_factory=dict)

    def page(self) -> bytes:
        """`/info/<gem>`."""
        lines = ["---"]
        for full, (at, data) in self.versions.items():
            digest = hashlib.sha256(data).hexdigest()
            lines.append(f"{full} |checksum:{digest},ruby:>= 3.0,created_at:{seconds(at)}")
        return ("\n".join(lines) + "\n").encode()

    def line(self, said: str) -> str:
        """A line of `/versions`; the digest is that of the page."""
        return f"{self.name} {said} {hashlib.md5(self.page(), usedforsecurity=False).hexdigest()}"


class RubyGems:
    """State and answers."""

    def __init__(self, now: Clock) -> None:
        self.gems: dict[str, Gem] = {}
        self.ranges = True  # False: a server that sends the whole file whatever is asked
        self._now = now
        self._created = now()
        self._lines: list[str] = []

    # what happens

    def publish(
        self,
        project: str,
        version: str,
        files: Mapping[str, bytes] | None,
        at: datetime,
        *,
        platform: str | None = None,
    ) -> None:
        """Push a version, for one platform or for any. A line is appended to the list."""
        gem = self.gems.setdefault(project, Gem(project))
        full = f"{version}-{platform}" if platform else version
        if full in gem.versions:
            raise LabError(f"{project} {full}: a version can be pushed once only")
        data = next(iter(files.values())) if files else f"{project}-{full}.gem".encode()
        gem.versions[full] = (at, data)
        self._lines.append(gem.line(full))

    def yank(self, project: str, version: str, reason: str | None = None) -> None:
        """Yank a version for all platforms: a line for each is appended, the page loses them."""
        gem = self._gem(project)
        gone = [full for full in gem.versions if full.partition("-")[0] == version]
        if not gone:
            raise LabError(f"{project} {version}: no such version")
        for full in gone:
            del gem.versions[full]
            self._lines.append(gem.line(f"-{full}"))

    def withdraw(self, project: str, version: str | None = None) -> None:
        """Yank a version, or all of them and the gem with them."""
        if version is not None:
            self.yank(project, version)
            return
        for full in {full.partition("-")[0] for full in self._gem(project).versions}:
            self.yank(project, full)
        del self.gems[project]

    def rewrite(self) -> None:
        """The first day of a month: one line for each gem, in order; yanks vanish."""
        self._created = self._now()
        self._lines = [
            gem.line(",".join(gem.versions)) for _, gem in sorted(self.gems.items()) if gem.versions
        ]

    def shuffle(self) -> None:
        """Other lines in another order that say the same: as a rewrite by other rules would."""
        self._lines = [
            gem.line(full)
            for _, gem in sorted(self.gems.items(), key=lambda item: item[0][::-1])
            for full in reversed(gem.versions)
        ]

    def _gem(self, project: str) -> Gem:
        if project not in self.gems:
            raise LabError(f"{project}: no such gem")
        return self.gems[project]

    # what is asked

    @property
    def versions(self) -> bytes:
        """`/versions` as it stands."""
        lines = [f"created_at: {seconds(self._created)}", "---", *self._lines]
        return ("\n".join(lines) + "\n").encode()

    def answer(self, ask: Ask) -> Answer | None:
        match ask.path.strip("/").split("/"):
            case ["versions"]:
                return self._text(self.versions)
            case ["info", name] if name in self.gems:
                return self._text(self.gems[name].page())
            case ["gems", file]:
                return self._file(file)
        return None

    def _file(self, file: str) -> Answer | None:
        for gem in self.gems.values():
            for full, (_, data) in gem.versions.items():
                if file == f"{gem.name}-{full}.gem":
                    return Answer(data, type="application/octet-stream", etag=strong(data))
        return None

    def _text(self, body: bytes) -> Answer:
        answer = Answer(body, etag=strong(body), ranges=self.ranges)
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        answer.headers["Repr-Digest"] = f"sha-256=:{digest}:"
        answer.headers["Cache-Control"] = "max-age=60"
        return answer
