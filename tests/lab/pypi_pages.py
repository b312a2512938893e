"""What the lab's PyPI keeps, and the pages made of it; their sources stand in `tests.lab.pypi`."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from packaging.version import InvalidVersion, Version

from tests.lab.answers import micros
from tests.lab.artefacts import module_of, normalise

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
PLAIN = "text/html"
API_VERSION = "1.4"


@dataclass(slots=True)
class Upload:
    """One file of a release."""

    name: str
    data: bytes
    at: datetime
    sha256: str = ""
    path: str = ""
    publisher: Mapping[str, str] | None = None  # who attests it

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
    info: dict[str, object] = field(
        default_factory=dict
    )  # of its document, in place of what is made


@dataclass(slots=True)
class PyProject:
    """One project under its display name; `status` is one of PEP 792's."""

    name: str
    created: datetime
    serial: int = 0
    status: str = "active"
    owners: list[str] = field(default_factory=list)  # none: the document says nothing of them
    releases: dict[str, PyRelease] = field(default_factory=dict)


def order(version: str) -> tuple[int, Version | str]:
    """Sorts versions as warehouse does: what PEP 440 does not know comes first."""
    try:
        return (1, Version(version))
    except InvalidVersion:  # as packaging_legacy does: below every valid one
        return (0, version)


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


def page(title: str, links: str, serial: int) -> bytes:
    """A page of the HTML index."""
    return (
        "<!DOCTYPE html>\n<html>\n  <head>\n"
        f'    <meta name="pypi:repository-version" content="{API_VERSION}">\n'
        f"    <title>{html.escape(title)}</title>\n  </head>\n  <body>\n"
        f"    <h1>{html.escape(title)}</h1>\n{links}  </body>\n</html>\n"
        f"<!--SERIAL {serial}-->"
    ).encode()


def link(base: str, release: PyRelease, file: Upload) -> str:
    """One file on an HTML page (PEP 503, 592)."""
    more = ""
    if release.requires_python:
        more += f' data-requires-python="{html.escape(release.requires_python)}"'
    if release.yanked:
        reason = release.yanked if isinstance(release.yanked, str) else ""
        more += f' data-yanked="{html.escape(reason)}"'
    return f'<a href="{base}/files/{quote(file.path)}#sha256={file.sha256}"{more}>{file.name}</a>'


def newest(ordered: list[PyRelease]) -> PyRelease:
    """The release that a project's document is about."""

    def rank(release: PyRelease) -> tuple[bool, bool]:
        valid, version = order(release.version)
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


def info(base: str, entry: PyProject, release: PyRelease) -> dict[str, object]:
    """The part "info" of a project's document."""
    key = normalise(entry.name)
    empty = dict.fromkeys(_EMPTY)
    reason = release.yanked if isinstance(release.yanked, str) else None
    return (
        empty
        | {
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
        | release.info
    )


def provenance(file: Upload) -> dict[str, object]:
    """The provenance object of a file (PEP 740, Appendix 1); its attestations are stand-ins."""
    material = {"certificate": "bGFi", "transparency_entries": [{"logIndex": "1"}]}
    envelope = {"statement": "bGFi", "signature": "bGFi"}
    attestation = {"version": 1, "verification_material": material, "envelope": envelope}
    bundle = {"publisher": dict(file.publisher or {}), "attestations": [attestation]}
    return {"version": 1, "attestation_bundles": [bundle]}


def legacy_files(base: str, release: PyRelease) -> list[dict[str, object]]:
    """The files of a release in a project's document."""
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
