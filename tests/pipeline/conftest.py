"""A back-end that really builds, one base image for all, and a workshop that makes jobs."""

from __future__ import annotations

import hashlib
import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor import artefacts
from monitor.dockerfile import Recipe, recipe_digest, render
from monitor.model import File
from monitor.outputs import build_queue
from monitor.recipe_names import recipe_name
from pipeline import backends, base
from pipeline.backends import BackendError, Limits, Podman
from pipeline.worker import Job, Settings
from tests.lab.artefacts import make_zip
from tests.lab.registry import Registry


@pytest.fixture(scope="session")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """podman with a storage root of this session, and the base image in it."""
    state = tmp_path_factory.mktemp("backend")
    try:
        found = backends.detect(state, prefer="podman")
    except BackendError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    assert isinstance(found, Podman)
    found.sweep()
    base.ensure(found)
    yield found
    found.purge()
    assert not found.state.exists()
    assert not found.transient.exists()


@dataclass
class Shelf:
    """A queue in memory that keeps the promises of docs/queue-format.md."""

    jobs: list[Job] = field(default_factory=list)
    fences: dict[int, int] = field(default_factory=dict)
    results: dict[int, Any] = field(default_factory=dict)
    renewals: int = 0
    lose_after: int | None = None  # how many renewals are granted

    def take(self, worker: str, lease: timedelta) -> Job | None:
        if not self.jobs:
            return None
        job = self.jobs.pop(0)
        self.fences[job.id] = job.fence
        return job

    def renew(self, job: int, fence: int, lease: timedelta) -> bool:
        self.renewals += 1
        if self.lose_after is not None and self.renewals > self.lose_after:
            self.fences[job] += 1
        return self.fences[job] == fence

    def done(self, job: int, fence: int, result: Mapping[str, Any]) -> bool:
        if self.fences[job] == fence:
            self.results[job] = json.loads(json.dumps(result))
        return self.fences[job] == fence

    def fail(self, job: int, fence: int, failure: str, text: str) -> bool:
        if self.fences[job] == fence:
            self.results[job] = (failure, text)
        return self.fences[job] == fence


@dataclass
class Workshop:
    """Publishes in the lab, writes recipes, and makes jobs of them."""

    lab: Registry
    folder: Path
    queue: Shelf = field(default_factory=Shelf)

    def settings(self, **changes: Any) -> Settings:
        arguments = {"PIP_INDEX_URL": f"{self.lab.pypi_url}/simple/", "PIP_RETRIES": "0"}
        limits = Limits(memory="512m", seconds=60)
        made = {"name": "test", "logs": self.folder / "dockerimages", "limits": limits}
        return Settings(**{**made, "arguments": arguments, "base": None, **changes})

    def file(self, project: str, version: str, *, kind: str = ".whl") -> File:
        """The lab's file, as its index shows it."""
        ask = urllib.request.Request(
            f"{self.lab.pypi_url}/simple/{project}/",
            headers={"Accept": "application/vnd.pypi.simple.v1+json"},
        )
        with urllib.request.urlopen(ask) as reply:
            page = json.load(reply)
        found = next(
            f
            for f in page["files"]
            if f["filename"].endswith(kind) and f"-{version}" in f["filename"]
        )
        return File(found["url"], f"sha256:{found['hashes']['sha256']}", found["size"])

    def job(self, purl_type: str, project: str, version: str, file: File) -> Job:
        """Write the recipe, mark it, and queue it."""
        at = datetime.now(UTC)
        purl = f"pkg:{purl_type}/{project}@{version}"
        template = build_queue.load_template("pypi" if purl_type == "pypi" else "generic")
        chosen = artefacts.choose(purl, [file], target=artefacts.Target.here())
        text = render(template, Recipe(purl, project, version, chosen, at), base="auto")
        name = recipe_name(purl_type, project, version)
        queue = self.folder / "dockerfiles"
        build_queue.prepare(queue)
        build_queue.write_recipe(queue, name, text, at)
        build_queue.mark(queue, name)
        number = len(self.queue.jobs) + len(self.queue.fences) + 1
        job = Job(number, 1, purl, version, name, queue / "build" / name, recipe_digest(text))
        self.queue.jobs.append(job)
        return job

    def publish(
        self,
        project: str,
        version: str,
        modules: Mapping[str, str],
        *,
        requires: tuple[str, ...] = (),
        says: str | None = None,
    ) -> Job:
        """Publish a wheel with these modules, and queue it."""
        stem = f"{project.replace('-', '_')}-{version}"
        data = wheel(project, says or version, modules, requires=requires, stem=stem)
        self.lab.publish("pypi", project, version, {f"{stem}-py3-none-any.whl": data})
        return self.job("pypi", project, version, self.file(project, version))


def wheel(
    project: str, version: str, modules: Mapping[str, str], *, requires: tuple[str, ...], stem: str
) -> bytes:
    """A pure wheel with any modules and requirements (binary distribution format)."""
    info = f"{stem}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {project}", f"Version: {version}"]
    lines += [f"Requires-Dist: {name}" for name in requires]
    files = {path: text.encode() for path, text in modules.items()}
    files[f"{info}/METADATA"] = ("\n".join(lines) + "\n").encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = [f"{path}," for path in files]
    rows = [f"{row},{len(files[row.rstrip(',')])}" for row in record]
    files[f"{info}/RECORD"] = ("\n".join([*rows, f"{info}/RECORD,,"]) + "\n").encode()
    return make_zip(files)


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@pytest.fixture
def workshop(registry: Registry, tmp_path: Path) -> Workshop:
    return Workshop(registry, tmp_path)
