"""PyPI, the Python Package Index, and every index that speaks its JSON.

Feed      /rss/updates.xml     the newest hundred releases, half an hour of a busy day
Index     /simple/             every project, with the serial of its last change
Versions  /simple/<project>/   every file of every version, with dates, digests and yanks
Traits    /pypi/<project>/<version>/json, /integrity/…/provenance   licence, owners, who attests it

Documented in https://packaging.python.org/en/latest/specifications/simple-repository-api/
A yank, a removal or a quarantine never shows in the feed; it moves the serial.
Files cannot be added to releases older than 14 days, so old versions are settled.
What attests a file (PEP 740) is checked by the index when it is uploaded; we take its word for who
that is, and look out for changes. A release without any wheel runs code of its own (`setup.py`, or
what builds it) where it is installed.

Settings
  url  address of the index, without /simple/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from packaging.utils import canonicalize_name

from monitor.formats import python_files, rss, simple_json
from monitor.formats.attestations import attested, identity
from monitor.formats.dates import utc
from monitor.formats.text import address_of, checked, unread, web_address
from monitor.homes import home_of
from monitor.model import About, File, Finding, Partial, Release, Reply, Request, State, Trait
from monitor.protocols import Ask, Provider

JSON = "application/vnd.pypi.simple.v1+json"
INTEGRITY = "application/vnd.pypi.integrity.v1+json"
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
        traits=Traits(url),
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
    provenance: str | msgspec.UnsetType | None = msgspec.UNSET  # since API version 1.3
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
        and (
            (digests := body.count(b'"sha256"')) <= len(page.files)
            or digests <= sum(map(body.count, _WITH_DIGEST))
        )
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
            if (proof := file.provenance) is not None:
                proof = None if proof is msgspec.UNSET else web_address(here, proof)
            else:
                proof = ""
            found.append(File(url, digest, file.size, name, at, its, kind, proof))
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


# ── what a release says of itself ─────────────────────────────────────────────────────


class _Info(msgspec.Struct):
    classifiers: list[str] = []
    license: str | None = None
    license_expression: str | None = None
    project_urls: dict[str, str] | None = None


class _Role(msgspec.Struct):
    user: str


class _Ownership(msgspec.Struct):
    roles: list[_Role] = []
    organization: str | None = None


class _Document(msgspec.Struct):
    info: _Info
    ownership: _Ownership | None = None


class _Bundle(msgspec.Struct):
    publisher: dict[str, Any]


class _Provenance(msgspec.Struct):
    attestation_bundles: list[_Bundle]


@dataclass(frozen=True, slots=True)
class Traits:
    """The document of a release, and what attests one file of each kind."""

    url: str
    files: bool = True
    late: int = 0
    pace: float = 5.0

    def seen(self, release: Release) -> Iterator[Trait]:
        """Are its files attested, and does installing them run code of theirs?"""
        said = [file.provenance for file in release.files if file.provenance is not None]
        if value := attested([bool(proof) for proof in said]):
            yield Trait(About.PROVENANCE, value)
        if release.files:
            wheels = any((file.name or "").endswith(".whl") for file in release.files)
            yield Trait(About.INSTALL_HOOK, "no" if wheels else "yes")

    def of(self, release: Release) -> Iterator[Request]:
        project, version = canonicalize_name(release.project), quote(release.version)
        yield Request(f"{self.url}/pypi/{project}/{version}/json", project=release.project)
        proofs = {file.kind: file.provenance for file in reversed(release.files) if file.provenance}
        for address in proofs.values():
            yield Request(address, INTEGRITY, project=release.project)

    def read(self, reply: Reply) -> Iterator[Finding]:
        """Documented as "JSON API" and "Integrity API" in the index's own documentation."""
        if reply.request.accept == INTEGRITY:
            found = msgspec.convert(reply.json(), _Provenance)
            for bundle in found.attestation_bundles:
                yield Trait(About.IDENTITY, identity(bundle.publisher))
            return
        document = msgspec.convert(reply.json(), _Document)
        if licence := _licence(document.info):
            yield Trait(About.LICENCE, licence)
        if source := _source(document.info.project_urls or {}):
            yield Trait(About.SOURCE, source)
        if owners := _owners(document.ownership):
            yield Trait(About.OWNERS, " ".join(owners))


# The names that https://packaging.python.org/en/latest/specifications/well-known-project-urls/
# gives to the address of the source repository.
_SOURCES = ("source", "repository", "sourcecode", "github")
_TROVE = "License :: "


def _licence(info: _Info) -> str | None:
    if info.license_expression:
        return info.license_expression
    trove = [name.rpartition(" :: ")[2] for name in info.classifiers if name.startswith(_TROVE)]
    if trove and trove != ["OSI Approved"]:
        return " AND ".join(sorted(trove))
    first = (info.license or "").strip().partition("\n")[0]
    return first if len(first) <= 100 else None  # else the text of the licence itself


def _source(addresses: dict[str, str]) -> str | None:
    named = {re.sub(r"[^a-z0-9]", "", name.lower()): to for name, to in addresses.items()}
    return next((named[name] for name in _SOURCES if name in named), None)


def _owners(ownership: _Ownership | None) -> Iterable[str]:
    if ownership is None:
        return ()
    names = {role.user for role in ownership.roles}
    return sorted(names | ({f"@{ownership.organization}"} if ownership.organization else set()))
