"""The lab's crates.io: the sparse index, the RSS feeds on the static host, the .crate files.

Sources of the shapes
- sparse index, its paths, `config.json` and validators: rust-lang/cargo
  `doc/book/src/reference/registry-index.md`; lines checked against recorded `crates/index-*`.
- RSS, windows and escaping: rust-lang/crates.io `src/worker/jobs/rss/sync_*_feed.rs` (updates: all
  of the last 60 minutes and at least 100; crates: 60 minutes and 50; one crate: 24 hours and 10).
- the document of one version (`/api/v1/crates/<crate>/<version>`, served on the static host here):
  rust-lang/crates.io `src/views.rs` (EncodableVersion): `published_by` is null where a workflow
  published it, and then `trustpub_data` says which. Only what is read of it is there; unverified.
Unverified: the byte order of elements inside an RSS item (no recorded feed), the text of a 404.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.lab.answers import Answer, Ask, Clock, LabError, as_json, rfc2822, seconds, strong, tag
from tests.lab.artefacts import make_crate

UPDATES = (timedelta(minutes=60), 100)
CRATES = (timedelta(minutes=60), 50)
ONE_CRATE = (timedelta(hours=24), 10)


@dataclass(slots=True)
class CrateVersion:
    """One line of an index file."""

    crate: str
    version: str
    created: datetime
    data: bytes
    yanked: bool = False
    rust_version: str | None = None
    uploader: str = "lab"
    trustpub: Mapping[str, str] | None = None
    licence: str = "MIT OR Apache-2.0"
    repository: str | None = None

    def line(self) -> str:
        """As the index writes it: compact JSON, `pubtime` included."""
        row = {
            "name": self.crate,
            "vers": self.version,
            "deps": [],
            "cksum": hashlib.sha256(self.data).hexdigest(),
            "features": {},
            "yanked": self.yanked,
            "pubtime": seconds(self.created),
        }
        if self.rust_version:
            row["rust_version"] = self.rust_version
        return json.dumps(row, separators=(",", ":"))


@dataclass(slots=True)
class Crate:
    """One crate: its versions in the order of publication."""

    name: str
    created: datetime
    changed: datetime
    versions: dict[str, CrateVersion] = field(default_factory=dict)


def index_path(name: str) -> str:
    """Where the index keeps a crate: "1/a", "2/ab", "3/a/abc", "se/rd/serde"; lower case."""
    name = name.lower()
    match len(name):
        case 1 | 2:
            return f"{len(name)}/{name}"
        case 3:
            return f"3/{name[0]}/{name}"
    return f"{name[:2]}/{name[2:4]}/{name}"


class Crates:
    """State and answers of both hosts; `now` is the lab's clock (for the windows)."""

    def __init__(self, now: Clock) -> None:
        self.crates: dict[str, Crate] = {}  # by lower-case name
        self._now = now

    # what happens

    def publish(
        self,
        project: str,
        version: str,
        files: Mapping[str, bytes] | None,
        at: datetime,
        *,
        rust_version: str | None = None,
        uploader: str = "lab",
        trustpub: Mapping[str, str] | None = None,
        licence: str = "MIT OR Apache-2.0",
        repository: str | None = None,
    ) -> None:
        """Add a version. `files` may hold the one .crate; else it is made.

        `trustpub` is the workflow that published it ("provider", "repository"), else `uploader`.
        """
        entry = self.crates.setdefault(project.lower(), Crate(project, at, at))
        if version in entry.versions:
            raise LabError(f"{project} {version}: a version can be published once only")
        data = next(iter(files.values())) if files else make_crate(project, version)
        entry.versions[version] = CrateVersion(
            entry.name,
            version,
            at,
            data,
            rust_version=rust_version,
            uploader=uploader,
            trustpub=trustpub,
            licence=licence,
            repository=repository,
        )
        entry.changed = max(entry.changed, at)

    def yank(self, project: str, version: str, reason: str | None = None) -> None:
        """Flip `yanked` in the index; RSS does not say it, and the index knows no reason."""
        self._mark(project, version, True)

    def unyank(self, project: str, version: str) -> None:
        """Flip it back."""
        self._mark(project, version, False)

    def _mark(self, project: str, version: str, yanked: bool) -> None:
        entry, found = self.find(project, version)
        found.yanked, entry.changed = yanked, self._now()

    def withdraw(self, project: str, version: str | None = None) -> None:
        """Remove a version's line, or the whole crate (then 404)."""
        if version is None:
            self._crate(project)
            del self.crates[project.lower()]
            return
        entry, _ = self.find(project, version)
        del entry.versions[version]
        entry.changed = self._now()

    def find(self, project: str, version: str) -> tuple[Crate, CrateVersion]:
        """The crate and that version. Raises LabError."""
        entry = self._crate(project)
        if version not in entry.versions:
            raise LabError(f"{project} {version}: no such version")
        return entry, entry.versions[version]

    def _crate(self, project: str) -> Crate:
        if project.lower() not in self.crates:
            raise LabError(f"{project}: no such crate")
        return self.crates[project.lower()]

    # what is asked

    def answer_index(self, ask: Ask, static: str) -> Answer | None:
        """The index host. `static` is the address of the static host."""
        if ask.path == "/config.json":
            return _valid(as_json({"dl": f"{static}/crates", "api": static}))
        entry = self.crates.get(ask.path.rpartition("/")[2])
        if entry is None or not entry.versions or ask.path != f"/{index_path(entry.name)}":
            return None
        body = "".join(f"{version.line()}\n" for version in entry.versions.values()).encode()
        answer = Answer(body, type="text/plain", modified=entry.changed)
        answer.headers["Cache-Control"] = "public,max-age=600"
        return _valid(answer)

    def answer_static(self, ask: Ask) -> Answer | None:
        """The static host: feeds and files."""
        match ask.path.strip("/").split("/"):
            case ["rss", "updates.xml"]:
                found = self._windowed(self._versions(), UPDATES)
                return self._feed(ask, "crates.io: recent updates", found)
            case ["rss", "crates.xml"]:
                return self._newest(ask)
            case ["rss", "crates", name] if name.removesuffix(".xml") in self.crates:
                entry = self.crates[name.removesuffix(".xml")]
                found = self._windowed(entry.versions.values(), ONE_CRATE)
                return self._feed(
                    ask, f'crates.io: recent updates to the "{entry.name}" crate', found
                )
            case ["api", "v1", "crates", name, version]:
                return self._document(name, version)
            case ["crates", name, version, "download"]:
                return self._file(name, version)
            case ["crates", name, file] if file.startswith(f"{name}-") and file.endswith(".crate"):
                return self._file(name, file[len(name) + 1 : -len(".crate")])
        return None

    def _document(self, name: str, version: str) -> Answer | None:
        try:
            entry, found = self.find(name, version)
        except LabError:
            return None
        run = {"run_id": "1", "sha": "0" * 40}
        document = {
            "crate": entry.name,
            "num": found.version,
            "checksum": hashlib.sha256(found.data).hexdigest(),
            "crate_size": len(found.data),
            "created_at": found.created.isoformat(),
            "license": found.licence,
            "published_by": None if found.trustpub else {"id": 1, "login": found.uploader},
            "repository": found.repository,
            "rust_version": found.rust_version,
            "trustpub_data": dict(found.trustpub) | run if found.trustpub else None,
            "yanked": found.yanked,
            "yank_message": None,
        }
        return _valid(as_json({"version": document}))

    def _versions(self) -> list[CrateVersion]:
        return [version for entry in self.crates.values() for version in entry.versions.values()]

    def _windowed(
        self, found: Iterable[CrateVersion], window: tuple[timedelta, int]
    ) -> list[CrateVersion]:
        newest = sorted(found, key=lambda version: version.created, reverse=True)
        age, least = window
        fresh = sum(version.created > self._now() - age for version in newest)
        return newest[: max(fresh, least)]

    def _feed(self, ask: Ask, title: str, found: list[CrateVersion]) -> Answer:
        items = [
            _item(
                f"New crate version published: {version.crate} v{version.version}",
                f"{ask.base}/crates/{version.crate}/{version.version}",
                version.created,
                tag("crates:name", version.crate) + tag("crates:version", version.version),
            )
            for version in found
        ]
        return _rss(ask, title, "Recent version publishes on the crates.io package registry", items)

    def _newest(self, ask: Ask) -> Answer:
        age, least = CRATES
        newest = sorted(self.crates.values(), key=lambda crate: crate.created, reverse=True)
        fresh = sum(crate.created > self._now() - age for crate in newest)
        items = [
            _item(
                f"New crate created: {crate.name}",
                f"{ask.base}/crates/{crate.name}",
                crate.created,
                tag("crates:name", crate.name),
            )
            for crate in newest[: max(fresh, least)]
        ]
        return _rss(ask, "crates.io: newest crates", "Newest crates registered on crates.io", items)

    def _file(self, name: str, version: str) -> Answer | None:
        entry = self.crates.get(name.lower())
        if entry is None or version not in entry.versions:
            return None
        data = entry.versions[version].data
        return Answer(data, type="application/gzip", etag=strong(data))


def _valid(answer: Answer) -> Answer:
    answer.etag = strong(answer.body)
    return answer


def _item(title: str, link: str, at: datetime, more: str) -> str:
    return (
        f"<item>{tag('title', title)}{tag('link', link)}{tag('description', 'made by the lab')}"
        f'<guid isPermaLink="true">{link}</guid>{tag("pubDate", rfc2822(at))}{more}</item>'
    )


def _rss(ask: Ask, title: str, text: str, items: list[str]) -> Answer:
    body = (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"'
        ' xmlns:atom="http://www.w3.org/2005/Atom" xmlns:crates="https://crates.io/"><channel>'
        f"{tag('title', title)}{tag('link', ask.base + '/')}{tag('description', text)}"
        "<language>en</language>"
        f'<atom:link href="{ask.base}{ask.path}" rel="self" type="application/rss+xml"/>'
        f"{''.join(items)}</channel></rss>"
    ).encode()
    return _valid(Answer(body, type="application/rss+xml"))
