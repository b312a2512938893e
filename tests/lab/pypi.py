"""The lab's PyPI: RSS windows, the index and project pages, the files themselves.

Sources of the shapes
- index and project pages (PEP 503, 691, 700, 592, 792; packaging.python.org, "Simple repository
  API"), content types, headers and redirects: pypi/warehouse `warehouse/api/simple.py`,
  `warehouse/packaging/utils.py`; checked against recorded `pypi/numpy-simple.json`.
- RSS: `warehouse/templates/rss/*.xml`; checked against `pypi/updates.xml`, `pypi/packages.xml`.
- project JSON: `warehouse/legacy/api/json.py`; checked against `pypi/flask.json`.
- strong ETag made of the body (upstreams.md section 1), 301 to the normalised name.
Unverified: the path of a file below `/files/`, the text of error pages, the status of a
quarantined project (404).
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, unquote

from packaging.version import InvalidVersion, Version

from tests.lab.answers import Answer, Ask, LabError, as_json, http_date, micros, moved, strong, tag
from tests.lab.artefacts import (
    make_sdist,
    make_wheel,
    module_of,
    normalise,
    stem_of,
)

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
PLAIN = "text/html"
WINDOW, NEWEST, PER_PROJECT = 100, 40, 40  # warehouse/rss/views.py
API_VERSION = "1.4"


@dataclass(slots=True)
class Upload:
    """One file of a release."""

    name: str
    data: bytes
    at: datetime
    sha256: str = ""
    path: str = ""

    def __post_init__(self) -> None:
        self.sha256 = hashlib.sha256(self.data).hexdigest()
        digest = hashlib.blake2b(self.data, digest_size=32).hexdigest()
        self.path = f"{digest[:2]}/{digest[2:4]}/{digest[4:]}/{self.name}"


@dataclass(slots=True)
class PyRelease:
    """One version. `yanked` is True, or the reason, or False."""

    version: str
    created: datetime
    requires_python: str | None = None
    yanked: bool | str = False
    files: dict[str, Upload] = field(default_factory=dict)


@dataclass(slots=True)
class PyProject:
    """One project under its display name; `status` is one of PEP 792's."""

    name: str
    created: datetime
    serial: int = 0
    status: str = "active"
    releases: dict[str, PyRelease] = field(default_factory=dict)


def _order(version: str) -> tuple[int, Version | str]:
    try:
        return (1, Version(version))
    except InvalidVersion:  # as packaging_legacy does: below every valid one
        return (0, version)


class PyPI:
    """State and answers. The serial rises with every change, as warehouse's journal does."""

    def __init__(self, serial: int = 1_000_000) -> None:
        self.projects: dict[str, PyProject] = {}  # by normalised name
        self.bulk: list[tuple[str, int]] = []  # names without content, for size alone
        self.serial = serial
        self._pages: dict[str, tuple[int, Answer]] = {}  # the index, kept while the serial stands
        self._blobs: dict[str, bytes] = {}

    # what happens

    def publish(
        self,
        project: str,
        version: str,
        files: Mapping[str, bytes] | None,
        at: datetime,
        *,
        requires_python: str | None = None,
        source: str | None = None,
    ) -> None:
        """Add a release, or files to one. Without `files`: a wheel and an sdist that install."""
        key = normalise(project)
        entry = self.projects.setdefault(key, PyProject(project, at))
        if files is None:
            stem = stem_of(project, version)
            make = {"source": source, "requires_python": requires_python}
            files = {
                f"{stem}-py3-none-any.whl": make_wheel(project, version, **make),
                f"{stem}.tar.gz": make_sdist(project, version, **make),
            }
        release = entry.releases.setdefault(version, PyRelease(version, at, requires_python))
        for name, data in files.items():
            if name in release.files:
                raise LabError(f"{name}: a file name can be used once only")
            release.files[name] = upload = Upload(name, data, at)
            self._blobs[upload.path] = data
        self._journal(entry, 1 + len(files))

    def yank(self, project: str, version: str, reason: str | None = None) -> None:
        """Mark a release as yanked; it stays in every list but RSS does not say it."""
        entry, release = self.find(project, version)
        release.yanked = reason or True
        self._journal(entry)

    def unyank(self, project: str, version: str) -> None:
        """Take the mark away."""
        entry, release = self.find(project, version)
        release.yanked = False
        self._journal(entry)

    def withdraw(self, project: str, version: str | None = None) -> None:
        """Remove a release with its files, or the whole project."""
        if version is None:
            self.find(project)
            del self.projects[normalise(project)]
            self.serial += 1
            return
        entry, _ = self.find(project, version)
        del entry.releases[version]
        self._journal(entry)

    def set_status(self, project: str, status: str) -> None:
        """active, archived, deprecated or quarantined (PEP 792)."""
        entry, _ = self.find(project)
        entry.status = status
        self._journal(entry)

    def fill(self, names: list[str]) -> None:
        """Add names without content to the index: its size is what they are for."""
        for name in names:
            self.serial += 1
            self.bulk.append((name, self.serial))

    def find(self, project: str, version: str | None = None) -> tuple[PyProject, PyRelease]:
        """The project and that (else an empty) release. Raises LabError."""
        entry = self.projects.get(normalise(project))
        if entry is None:
            raise LabError(f"{project}: no such project")
        if version is None:
            return entry, PyRelease("", entry.created)
        if version not in entry.releases:
            raise LabError(f"{project} {version}: no such release")
        return entry, entry.releases[version]

    def _journal(self, entry: PyProject, rows: int = 1) -> None:
        self.serial += rows
        entry.serial = self.serial

    # what is asked

    def answer(self, ask: Ask) -> Answer | None:
        match [unquote(part) for part in ask.path.strip("/").split("/")]:
            case ["simple"]:
                return self._index(ask) if ask.path.endswith("/") else moved(f"{ask.base}/simple/")
            case ["simple", name]:
                return self._detail(ask, name)
            case ["pypi", name, "json"]:
                return self._json(ask, name, None)
            case ["pypi", name, version, "json"]:
                return self._json(ask, name, version)
            case ["rss", "updates.xml"]:
                return self._updates(ask)
            case ["rss", "packages.xml"]:
                return self._packages(ask)
            case ["rss", "project", name, "releases.xml"]:
                return self._project_rss(ask, name)
            case ["files", *rest]:
                return self._file("/".join(rest))
        return None

    def _index(self, ask: Ask) -> Answer:
        kind = accepted(ask.headers.get("accept", ""))
        held = self._pages.get(kind)
        if held and held[0] == self.serial:
            return held[1]
        rows = [(key, entry.name, entry.serial) for key, entry in self.projects.items()]
        rows += [(normalise(name), name, serial) for name, serial in self.bulk]
        rows.sort()
        if kind == JSON:
            meta = {"_last-serial": self.serial, "api-version": API_VERSION}
            projects = [{"_last-serial": serial, "name": name} for _, name, serial in rows]
            body = json.dumps({"meta": meta, "projects": projects}, separators=(",", ":")).encode()
        else:
            links = "".join(
                f'    <a href="/simple/{key}/">{html.escape(name)}</a>\n' for key, name, _ in rows
            )
            body = _page("Simple index", links, self.serial)
        page = self._cached(Answer(body, type=kind), self.serial)
        self._pages[kind] = (self.serial, page)
        return page

    def _detail(self, ask: Ask, name: str) -> Answer | None:
        key = normalise(name)
        entry = self.projects.get(key)
        if entry is None or entry.status == "quarantined":
            return None
        if name != key or not ask.path.endswith("/"):
            return moved(f"{ask.base}/simple/{key}/")
        kind = accepted(ask.headers.get("accept", ""))
        files = [
            (release, file)
            for _, release in sorted(entry.releases.items(), key=lambda item: _order(item[0]))
            for file in sorted(release.files.values(), key=lambda file: file.name)
        ]
        if kind == JSON:
            status = (
                {} if entry.status == "active" else {"project-status": {"status": entry.status}}
            )
            answer = as_json(
                {
                    "files": [
                        {
                            "core-metadata": False,
                            "data-dist-info-metadata": False,
                            "filename": file.name,
                            "hashes": {"sha256": file.sha256},
                            "provenance": None,
                            "requires-python": release.requires_python,
                            "size": len(file.data),
                            "upload-time": micros(file.at),
                            "url": f"{ask.base}/files/{quote(file.path)}",
                            "yanked": release.yanked,
                        }
                        for release, file in files
                    ],
                    "meta": {"_last-serial": entry.serial, "api-version": API_VERSION},
                    "name": key,
                    "versions": list(dict.fromkeys(release.version for release, _ in files)),
                }
                | status,
                type=JSON,
            )
        else:
            links = "".join(f"    {_link(ask.base, *pair)}<br />\n" for pair in files)
            answer = Answer(_page(f"Links for {key}", links, entry.serial), type=kind)
        return self._cached(answer, entry.serial)

    def _json(self, ask: Ask, name: str, version: str | None) -> Answer | None:
        key = normalise(name)
        entry = self.projects.get(key)
        if entry is None or not entry.releases or entry.status == "quarantined":
            return None
        if name != key:
            middle = f"{key}/{version}" if version else key
            return moved(f"{ask.base}/pypi/{middle}/json")
        ordered = sorted(entry.releases.values(), key=lambda release: _order(release.version))
        chosen = entry.releases.get(version) if version else _newest(ordered)
        if chosen is None:
            return None
        document = {
            "info": _info(ask.base, entry, chosen),
            "last_serial": entry.serial,
            "releases": {r.version: _legacy_files(ask.base, r) for r in ordered},
            "urls": _legacy_files(ask.base, chosen),
            "vulnerabilities": [],
        }
        if version:
            del document["releases"]
        return self._cached(as_json(document), entry.serial)

    def _updates(self, ask: Ask) -> Answer:
        found = [
            (release.created, entry, release)
            for entry in self.projects.values()
            for release in entry.releases.values()
        ]
        found.sort(key=lambda row: row[0], reverse=True)
        items = [
            f"    <item>\n      {tag('title', f'{entry.name} {release.version}')}\n"
            f"      {tag('link', f'{ask.base}/project/{key}/{quote(release.version)}/')}\n"
            f"      {tag('description', f'{entry.name}, made by the lab')}\n"
            f"      {tag('author', 'lab@example.invalid')}\n"
            f"      {tag('pubDate', http_date(at))}\n    </item>\n"
            for at, entry, release in found[:WINDOW]
            for key in [normalise(entry.name)]
        ]
        return self._rss(
            "PyPI recent updates", "Recent updates to the Python Package Index", ask, items
        )

    def _packages(self, ask: Ask) -> Answer:
        found = sorted(self.projects.items(), key=lambda item: item[1].created, reverse=True)
        items = [
            f"    <item>\n      {tag('title', f'{entry.name} added to PyPI')}\n"
            f"      {tag('link', f'{ask.base}/project/{key}/')}\n"
            f"      {tag('guid', f'{ask.base}/project/{key}/')}\n"
            f"      {tag('description', f'{entry.name}, made by the lab')}\n"
            f"      {tag('author', 'lab@example.invalid')}\n"
            f"      {tag('pubDate', http_date(entry.created))}\n    </item>\n"
            for key, entry in found[:NEWEST]
        ]
        text = "Newest packages registered at the Python Package Index"
        return self._rss("PyPI newest packages", text, ask, items)

    def _project_rss(self, ask: Ask, name: str) -> Answer | None:
        entry = self.projects.get(normalise(name))
        if entry is None:
            return None
        found = sorted(entry.releases.values(), key=lambda release: release.created, reverse=True)
        items = [
            f"    <item>\n      {tag('title', release.version)}\n"
            f"      {tag('link', f'{ask.base}/project/{normalise(name)}/{release.version}/')}\n"
            f"      {tag('description', f'{entry.name}, made by the lab')}\n"
            f"      {tag('author', 'lab@example.invalid')}\n"
            f"      {tag('pubDate', http_date(release.created))}\n    </item>\n"
            for release in found[:PER_PROJECT]
        ]
        title = f"PyPI recent updates for {entry.name}"
        return self._rss(
            title, f"Recent updates to the Python Package Index for {entry.name}", ask, items
        )

    def _rss(self, title: str, text: str, ask: Ask, items: list[str]) -> Answer:
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0">\n  <channel>\n'
            f"    {tag('title', title)}\n    {tag('link', ask.base + '/')}\n"
            f"    {tag('description', text)}\n    <language>en</language>\n"
            f"{''.join(items)}  </channel>\n</rss>"
        ).encode()
        return Answer(body, type="text/xml; charset=UTF-8", etag=strong(body))

    def _file(self, path: str) -> Answer | None:
        data = self._blobs.get(path)
        if data is None:
            return None
        return Answer(data, type="application/octet-stream", etag=strong(data))

    @staticmethod
    def _cached(answer: Answer, serial: int) -> Answer:
        answer.etag = strong(answer.body)
        answer.headers |= {
            "X-PyPI-Last-Serial": str(serial),
            "Cache-Control": "max-age=600, public",
            "Vary": "Accept",
        }
        return answer


def accepted(header: str) -> str:
    """The content type for an Accept header: the best of three offers; text/html where all do."""
    best, best_q = PLAIN, 0.0
    for offer in (PLAIN, HTML, JSON):
        q = 0.0
        for part in header.split(","):
            kind, *parameters = (piece.strip() for piece in part.split(";"))
            weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
            group = offer.partition("/")[0] + "/*"
            if kind in {offer, "*/*", group}:
                q = max(q, float(weight))
        if q > best_q:
            best, best_q = offer, q
    return best


def _page(title: str, links: str, serial: int) -> bytes:
    return (
        "<!DOCTYPE html>\n<html>\n  <head>\n"
        f'    <meta name="pypi:repository-version" content="{API_VERSION}">\n'
        f"    <title>{html.escape(title)}</title>\n  </head>\n  <body>\n"
        f"    <h1>{html.escape(title)}</h1>\n{links}  </body>\n</html>\n"
        f"<!--SERIAL {serial}-->"
    ).encode()


def _link(base: str, release: PyRelease, file: Upload) -> str:
    more = ""
    if release.requires_python:
        more += f' data-requires-python="{html.escape(release.requires_python)}"'
    if release.yanked:
        reason = release.yanked if isinstance(release.yanked, str) else ""
        more += f' data-yanked="{html.escape(reason)}"'
    return f'<a href="{base}/files/{quote(file.path)}#sha256={file.sha256}"{more}>{file.name}</a>'


def _newest(ordered: list[PyRelease]) -> PyRelease:
    def rank(release: PyRelease) -> tuple[bool, bool]:
        valid, version = _order(release.version)
        final = bool(valid) and isinstance(version, Version) and not version.is_prerelease
        return (not release.yanked, final)

    return max(reversed(ordered), key=rank)


# fmt: off
_EMPTY = (
    "author", "author_email", "bugtrack_url", "description_content_type", "docs_url",
    "download_url", "dynamic", "home_page", "keywords", "license", "license_files", "maintainer",
    "maintainer_email", "platform", "project_urls", "provides_extra", "requires_dist",
)
# fmt: on


def _info(base: str, entry: PyProject, release: PyRelease) -> dict[str, object]:
    key = normalise(entry.name)
    empty = dict.fromkeys(_EMPTY)
    reason = release.yanked if isinstance(release.yanked, str) else None
    return empty | {
        "classifiers": [],
        "description": f"The module {module_of(entry.name)}.",
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "license_expression": "MIT",
        "name": entry.name,
        "package_url": f"{base}/project/{key}/",
        "project_url": f"{base}/project/{key}/",
        "release_url": f"{base}/project/{key}/{release.version}/",
        "requires_python": release.requires_python,
        "summary": f"{entry.name}, made by the lab",
        "version": release.version,
        "yanked": bool(release.yanked),
        "yanked_reason": reason,
    }


def _legacy_files(base: str, release: PyRelease) -> list[dict[str, object]]:
    reason = release.yanked if isinstance(release.yanked, str) else None
    return [
        {
            "comment_text": None,
            "digests": {
                "blake2b_256": hashlib.blake2b(file.data, digest_size=32).hexdigest(),
                "md5": hashlib.md5(file.data).hexdigest(),
                "sha256": file.sha256,
            },
            "downloads": -1,
            "filename": file.name,
            "has_sig": False,
            "md5_digest": hashlib.md5(file.data).hexdigest(),
            "packagetype": "bdist_wheel" if file.name.endswith(".whl") else "sdist",
            "python_version": "py3" if file.name.endswith(".whl") else "source",
            "requires_python": release.requires_python,
            "size": len(file.data),
            "upload_time": file.at.strftime("%Y-%m-%dT%H:%M:%S"),
            "upload_time_iso_8601": micros(file.at),
            "url": f"{base}/files/{quote(file.path)}",
            "yanked": bool(release.yanked),
            "yanked_reason": reason,
        }
        for file in sorted(release.files.values(), key=lambda file: file.name)
    ]
