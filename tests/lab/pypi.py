"""The lab's PyPI: RSS windows, the index and project pages, the files themselves.

Sources of the shapes
- index and project pages (PEP 503, 691, 700, 592, 792; packaging.python.org, "Simple repository
  API"), content types, headers and redirects: pypi/warehouse `warehouse/api/simple.py`,
  `warehouse/packaging/utils.py`; checked against recorded `pypi/numpy-simple.json`.
- RSS: `warehouse/templates/rss/*.xml`; checked against `pypi/updates.xml`, `pypi/packages.xml`.
- project JSON: `warehouse/legacy/api/json.py`; checked against `pypi/flask.json`.
- provenance objects: PEP 740, "Appendix 1: Data Structures"; publishers as in
  pypi/pypi-attestations (`kind`, `repository`, `workflow`, `environment`); address, content type
  and 404: pypi/warehouse `docs/user/api/integrity.md`.
- `ownership` of the project JSON: the index's documentation, "JSON API"; left out where a test says
  nothing of owners, as in the recorded answer. The bytes of attestations are stand-ins: whoever
  reads them checks none.
- strong ETag made of the body (upstreams.md section 1), 301 to the normalised name.
Unverified: the path of a file below `/files/`, the text of error pages, the status of a
quarantined project (404).
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, unquote

from tests.lab.answers import Answer, Ask, LabError, as_json, http_date, micros, moved, strong, tag
from tests.lab.artefacts import (
    make_sdist,
    make_wheel,
    normalise,
    stem_of,
)
from tests.lab.pypi_pages import (
    API_VERSION,
    JSON,
    PyProject,
    PyRelease,
    Upload,
    accepted,
    info,
    legacy_files,
    link,
    newest,
    order,
    page,
    provenance,
)

INTEGRITY = "application/vnd.pypi.integrity.v1+json"
WINDOW, NEWEST, PER_PROJECT = 100, 40, 40  # warehouse/rss/views.py


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
        publisher: Mapping[str, str] | None = None,
        info: Mapping[str, object] | None = None,
        owners: Sequence[str] | None = None,
    ) -> None:
        """Add a release, or files to one. Without `files`: a wheel and an sdist that install.

        `publisher` attests the files, `info` says more in the document of the release, `owners`
        are the project's from now on.
        """
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
        release.info |= info or {}
        entry.owners = entry.owners if owners is None else list(owners)
        for name, data in files.items():
            if name in release.files:
                raise LabError(f"{name}: a file name can be used once only")
            release.files[name] = upload = Upload(name, data, at, publisher=publisher)
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
            case ["integrity", name, version, file, "provenance"]:
                return self._integrity(name, version, file)
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
            body = page("Simple index", links, self.serial)
        answer = self._cached(Answer(body, type=kind), self.serial)
        self._pages[kind] = (self.serial, answer)
        return answer

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
            for _, release in sorted(entry.releases.items(), key=lambda item: order(item[0]))
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
                            "provenance": (
                                f"{ask.base}/integrity/{key}/{quote(release.version)}/"
                                f"{quote(file.name)}/provenance"
                                if file.publisher
                                else None
                            ),
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
            links = "".join(f"    {link(ask.base, *pair)}<br />\n" for pair in files)
            answer = Answer(page(f"Links for {key}", links, entry.serial), type=kind)
        return self._cached(answer, entry.serial)

    def _json(self, ask: Ask, name: str, version: str | None) -> Answer | None:
        key = normalise(name)
        entry = self.projects.get(key)
        if entry is None or not entry.releases or entry.status == "quarantined":
            return None
        if name != key:
            middle = f"{key}/{version}" if version else key
            return moved(f"{ask.base}/pypi/{middle}/json")
        ordered = sorted(entry.releases.values(), key=lambda release: order(release.version))
        chosen = entry.releases.get(version) if version else newest(ordered)
        if chosen is None:
            return None
        document = {
            "info": info(ask.base, entry, chosen),
            "last_serial": entry.serial,
            "releases": {r.version: legacy_files(ask.base, r) for r in ordered},
            "urls": legacy_files(ask.base, chosen),
            "vulnerabilities": [],
        }
        if version:
            del document["releases"]
        if entry.owners:
            roles = [{"role": "Owner", "user": name} for name in entry.owners]
            document["ownership"] = {"roles": roles, "organization": None}
        return self._cached(as_json(document), entry.serial)

    def _integrity(self, name: str, version: str, file: str) -> Answer | None:
        try:
            _, release = self.find(name, version)
        except LabError:
            return None
        found = release.files.get(file)
        if found is None or not found.publisher:
            return None
        return as_json(provenance(found), type=INTEGRITY)

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
