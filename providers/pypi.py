"""PyPI, the Python Package Index, and every index that speaks its JSON.

Feed      /rss/updates.xml     the newest hundred releases, half an hour of a busy day
Index     /simple/             every project, with the serial of its last change
Versions  /simple/<project>/   every file of every version, with dates, digests and yanks

Documented in https://packaging.python.org/en/latest/specifications/simple-repository-api/
A yank, a removal or a quarantine never shows in the feed; it moves the serial.
Files cannot be added to releases older than 14 days, so old versions are settled.

Settings
  url  address of the index, without /simple/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
from packaging.utils import canonicalize_name

from monitor.formats import python_files, rss, simple_json
from monitor.formats.dates import utc
from monitor.formats.text import address_of, checked, unread, web_address
from monitor.model import File, Finding, Partial, Release, Reply, State
from monitor.protocols import Ask, Provider, home_of

JSON = "application/vnd.pypi.simple.v1+json"
PURL = "pypi"
HOME = "pkg:pypi/pip"
URLS = (r"{home}/(?:project|simple|pypi)/(?P<project>[A-Za-z0-9][A-Za-z0-9._-]*)(?:/.*)?",)


def provider(url: str = home_of(HOME)) -> Provider:
    url = url.rstrip("/")
    return Provider(
        name="pypi",
        ordering="pep440",
        purl=PURL,
        feed=Ask(url + "/rss/updates.xml", read_updates),
        index=simple_json.Index(url + "/simple/", accept=JSON),
        versions=Ask(url + "/simple/{project}/", read_files, accept=JSON),
        normalise=canonicalize_name,
        poll=timedelta(minutes=5),
        walk=timedelta(minutes=60),
        pace=5.0,
        urls=tuple(pattern.replace("{home}", re.escape(home_of(HOME))) for pattern in URLS),
    )


def read_updates(reply: Reply) -> Iterator[Finding]:
    """The newest releases: "GeoMeshPy 0.0.11", linked to the page of that version."""
    for item in rss.items(reply):
        project, _, version = item.title.rpartition(" ")
        yield checked(Release(project, version, item.published, page=item.link or None))


class _File(msgspec.Struct):
    filename: str
    url: str
    hashes: dict[str, str]
    yanked: bool | str = False  # the reason, where the author gave one
    size: int | None = None
    upload_time: str | None = msgspec.field(default=None, name="upload-time")


class _Status(msgspec.Struct):
    status: str = "active"
    reason: str | None = None


class _Page(msgspec.Struct):
    name: str
    files: list[_File]
    versions: list[str] | None = None  # since API version 1.1
    status: _Status | None = msgspec.field(default=None, name="project-status")


def read_files(reply: Reply) -> Iterator[Finding]:
    """Every version of one project, with all its files.

    Raises ValueError when the page is of another project than the one asked for.
    """
    page = _page(reply)
    asked = reply.request.project
    if asked and canonicalize_name(asked) != canonicalize_name(page.name):
        raise ValueError(f"the page is of {page.name!r}, not of {asked!r}")
    if page.status and page.status.status == "quarantined":
        yield Partial(page.status.reason or "the project is quarantined: its files are hidden")
    files = {file.filename: file for file in page.files}
    versions, strays = python_files.by_version(page.name, files, page.versions)
    for version, its in versions.items():
        yield checked(_release(reply, page, version, [files[name] for name in its]))
    for name in strays:
        yield unread(name, "a file of no version")


_decode = msgspec.json.Decoder(_Page).decode
_OF_FILE = tuple(b'"%b"' % field.encode_name.encode() for field in msgspec.structs.fields(_File))
_OF_PAGE = (b'"name"', b'"files"', b'"versions"', b'"project-status"', b'"status"')
_WITH_DIGEST = (b'"hashes"', b'"core-metadata"', b'"data-dist-info-metadata"')


def _page(reply: Reply) -> _Page:
    """The page, typed. A key that is given twice is an error, as in `Reply.json`."""
    body = reply.bytes()
    try:
        page = _decode(body)
    except msgspec.MsgspecError:
        return msgspec.convert(reply.json(), _Page)  # says why, in its words
    # Where each key that matters stands no more often than it can, none is there twice.
    once = (
        b"\\" not in body
        and all(body.count(key) <= len(page.files) for key in _OF_FILE)
        and all(body.count(key) <= 1 for key in _OF_PAGE)
        and body.count(b'"sha256"') <= sum(map(body.count, _WITH_DIGEST))
    )
    return page if once else msgspec.convert(reply.json(), _Page)


def _release(reply: Reply, page: _Page, version: str, files: list[_File]) -> Release:
    here = address_of(reply)
    first: datetime | None = None
    found = []
    yanked = bool(files)
    for file in files:
        at, its = utc(file.upload_time), file.yanked is not False
        if at is not None and (first is None or at < first):
            first = at
        yanked = yanked and its
        # The address may be relative to the page.
        if url := web_address(here, file.url):
            name = file.filename
            digest, kind = _digest(file.hashes), python_files.kind(name)
            found.append(File(url, digest, file.size, name, at, its, kind))
    status = page.status.status if page.status else "active"
    if status == "quarantined":
        state, reason = State.QUARANTINED, page.status and page.status.reason
    elif yanked:
        state, reason = (
            State.YANKED,
            next((f.yanked for f in files if isinstance(f.yanked, str)), None),
        )
    elif status == "deprecated":
        state, reason = State.DEPRECATED, page.status and page.status.reason
    else:
        state, reason = State.LISTED, None
    return Release(
        page.name,
        version,
        published=first,
        state=state,
        reason=reason or None,
        files=tuple(found),
    )


def _digest(hashes: dict[str, str]) -> str | None:
    if (best := hashes.get("sha256")) is not None:
        return f"sha256:{best}"
    return next((f"{name}:{digest}" for name, digest in hashes.items()), None)
