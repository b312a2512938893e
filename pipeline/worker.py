"""A small worker: takes a job, builds its recipe, checks that it imports, reports.

It knows the queue and nothing else of the monitor: `Queue` is what it must do,
`docs/queue-format.md` what it promises. Several workers may run at once, here or
elsewhere; a job has a lease, and a fence that makes a late report void.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from pipeline import base as base_image
from pipeline import failures
from pipeline.backends import Backend, BackendError, BuildError, Limits
from pipeline.child import Finished, printable
from pipeline.failures import Failure

log = logging.getLogger(__name__)

REPOSITORY = "localhost/release-monitor"
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_CHECK = (Path(__file__).parent / "check_import.py").read_text("utf-8")
_TAIL = 4_000  # characters of a log that are reported


@dataclass(frozen=True, slots=True)
class Job:
    """One recipe to build, as the queue hands it out.

    `fence`    grows with every lease of this job; a report with an old one is refused
    `purl`     with version
    `recipe`   its name, safe as a file name and an image reference
    `path`     where the recipe lies
    `digest`   "sha256:<hex>" of the recipe's bytes when it was queued
    `attempts` how often it was taken, this time included
    """

    id: int
    fence: int
    purl: str
    version: str
    recipe: str
    path: Path
    digest: str
    attempts: int = 1

    @property
    def image(self) -> str:
        """The reference of the image that is built."""
        return f"{REPOSITORY}/{self.recipe}:latest"


@dataclass(frozen=True, slots=True)
class Built:
    """What a job's success is: plain values, for JSON.

    `imported`  modules that were imported; empty where there is nothing to import
    `installed` the version the installed distribution says it is (None: not Python)
    """

    image: str
    image_id: str
    backend: str
    build_seconds: float
    check_seconds: float
    imported: tuple[str, ...] = ()
    installed: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one job ended. `accepted` is False when the lease was lost and nobody listened."""

    job: Job
    built: Built | None = None
    failure: Failure | None = None
    text: str = ""
    accepted: bool = True


class Queue(Protocol):
    """What a worker needs of the queue. Calls may raise whatever; the worker ends then."""

    def take(self, worker: str, lease: timedelta) -> Job | None:
        """The next job, leased to this worker; None when there is nothing to do."""

    def renew(self, job: int, fence: int, lease: timedelta) -> bool:
        """Lengthen the lease; False when it was lost."""

    def done(self, job: int, fence: int, result: Mapping[str, Any]) -> bool:
        """Report success; False when the lease was lost."""

    def fail(self, job: int, fence: int, failure: str, text: str) -> bool:
        """Report a failure of that class; False when the lease was lost."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a worker works.

    `name`       who it is, for `monitor queue list`
    `lease`      how long a job is its own without a word; renewed at a third of it
    `arguments`  build arguments, such as PIP_INDEX_URL; for builds that need an index of their own
    `base`       "auto": make the local base image; None: the recipes name another one
    `logs`       folder for NAME.image (the marker) and NAME.image.log, as make leaves them
    `keep`       whether images stay after the check
    """

    name: str
    logs: Path
    lease: timedelta = timedelta(minutes=5)
    limits: Limits = field(default_factory=Limits)
    build_seconds: float = 3600.0
    arguments: Mapping[str, str] = field(default_factory=dict)
    base: str | None = "auto"
    keep: bool = True


class LeaseLost(Exception):
    """The lease ran out, or the job was taken back: the work is void."""


class _Failed(Exception):
    def __init__(self, failure: Failure, text: str) -> None:
        self.failure, self.text = failure, text


def prepare(backend: Backend, settings: Settings) -> None:
    """Once, before the first job: clear away what killed workers left, make the base image.

    Raises BackendError when this machine cannot build.
    """
    backend.sweep()
    if settings.base == "auto":
        base_image.ensure(backend)


def work(
    queue: Queue,
    backend: Backend,
    settings: Settings,
    *,
    once: bool = False,
    drain: bool = False,
    pause: float = 2.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Outcome]:
    """Work, yielding each job's outcome.

    `once` ends after one job or none, `drain` when the queue is empty; else it goes
    on for ever, looking for work every `pause` seconds. After a failure of this
    machine it waits, longer each time, and prepares anew: BackendError ends the work.
    """
    prepare(backend, settings)
    in_a_row = 0
    while True:
        outcome = work_once(queue, backend, settings)
        if outcome is not None:
            yield outcome
        if once or (drain and outcome is None):
            return
        if outcome is None:
            sleep(pause)
        elif outcome.failure is Failure.INFRASTRUCTURE:
            # A machine that cannot build must not use up the attempts of the whole queue.
            in_a_row += 1
            sleep(min(300.0, pause * 2**in_a_row))
            prepare(backend, settings)
        else:
            in_a_row = 0


def work_once(queue: Queue, backend: Backend, settings: Settings) -> Outcome | None:
    """Take one job, carry it out and report it; None when there is none.

    A job that this machine fails (`infrastructure`) is reported as such and free for
    others. Interrupts pass through: the build is ended, and the lease runs out.
    """
    job = queue.take(settings.name, settings.lease)
    if job is None:
        return None

    def tick() -> None:
        if not queue.renew(job.id, job.fence, settings.lease):
            raise LeaseLost

    try:
        built = _carry_out(job, backend, settings, tick)
    except LeaseLost:
        log.warning("job %d: the lease was lost; its work is dropped", job.id)
        return Outcome(job, text="the lease was lost", accepted=False)
    except _Failed as error:
        accepted = queue.fail(job.id, job.fence, error.failure, error.text)
        return Outcome(job, failure=error.failure, text=error.text, accepted=accepted)
    return Outcome(job, built, accepted=queue.done(job.id, job.fence, built.as_json()))


def _carry_out(job: Job, backend: Backend, settings: Settings, tick: Callable[[], None]) -> Built:
    if not _NAME.fullmatch(job.recipe):
        raise _Failed(Failure.INFRASTRUCTURE, f"{job.recipe[:80]!r} is no name of a recipe")
    _verify(job)
    marker = settings.logs / f"{job.recipe}.image"
    record = settings.logs / f"{job.recipe}.image.log"
    try:
        settings.logs.mkdir(parents=True, exist_ok=True)
        marker.unlink(missing_ok=True)
        record.write_bytes(b"")
        started = time.monotonic()
        image_id = _build(job, backend, settings, record, _every(settings.lease, tick))
        built = time.monotonic()
        facts = _check(job, backend, settings, record, _every(settings.lease, tick))
        checked = time.monotonic()
        marker.write_text(image_id + "\n")
    except BackendError as error:
        raise _Failed(Failure.INFRASTRUCTURE, str(error)) from error
    except OSError as error:
        where = error.filename or settings.logs
        raise _Failed(Failure.INFRASTRUCTURE, f"{where}: {error.strerror}") from error
    finally:
        if not settings.keep:
            backend.remove(job.image)
    return Built(
        image=job.image,
        image_id=image_id,
        backend=backend.name,
        build_seconds=round(built - started, 3),
        check_seconds=round(checked - built, 3),
        imported=tuple(facts.get("modules", ())),
        installed=facts.get("version"),
    )


def _verify(job: Job) -> None:
    """The recipe is the one that was queued: nobody changed it meanwhile."""
    try:
        found = "sha256:" + hashlib.sha256(job.path.read_bytes()).hexdigest()
    except OSError as error:
        text = f"{job.path}: {error.strerror}; `monitor queue reconcile` writes recipes anew"
        raise _Failed(Failure.INFRASTRUCTURE, text) from error
    if found != job.digest:
        text = f"{job.path}: it was changed after it was queued; `monitor queue regenerate` or "
        raise _Failed(Failure.INFRASTRUCTURE, text + "`unmark` and `mark` it")


def _build(
    job: Job, backend: Backend, settings: Settings, record: Path, tick: Callable[[], None]
) -> str:
    try:
        return backend.build(
            job.path,
            job.image,
            arguments=settings.arguments,
            seconds=settings.build_seconds,
            log=record,
            tick=tick,
        )
    except BuildError as error:
        ended = error.finished
        if ended.timed_out:
            text = f"the build took more than {settings.build_seconds:.0f} s\n"
            raise _Failed(Failure.TIMEOUT, text + _tail(ended.text)) from error
        raise _Failed(failures.of_build(ended.text), _tail(ended.text)) from error


def _check(
    job: Job, backend: Backend, settings: Settings, record: Path, tick: Callable[[], None]
) -> dict[str, Any]:
    """Import it in a container without network. What is not Python only has to start."""
    python = job.purl.startswith("pkg:pypi/")
    # -I: what lies in the working folder is no module of anybody's.
    argv = ["-I", "-c", _CHECK, _project(job.purl)] if python else []
    ended = backend.run(job.image, argv, settings.limits, log=record, tick=tick)
    if ended.timed_out:
        text = f"the import took more than {settings.limits.seconds:.0f} s\n"
        raise _Failed(Failure.TIMEOUT, text + _tail(ended.text))
    facts = _facts(ended) if python else {}
    if ended.status in {137, -9}:
        raise _Failed(Failure.RESOURCES, f"killed at {settings.limits.memory}\n{_tail(ended.text)}")
    if ended.status in {125, 126, 127}:
        raise _Failed(Failure.INFRASTRUCTURE, _tail(ended.text))
    if ended.status != 0 or (python and not facts):
        reasons = dict(facts.get("failed", {}))
        text = printable("\n".join(f"{name}: {why}" for name, why in reasons.items()))
        full = any(str(why).startswith("MemoryError") for why in reasons.values())
        raise _Failed(Failure.RESOURCES if full else Failure.IMPORT, text or _tail(ended.text))
    if python and not _same_version(str(facts.get("version")), job.version):
        text = f"the artefact says it is {facts.get('version')!r}, not {job.version!r}"
        raise _Failed(Failure.IMPORT, printable(text))
    return facts


def _facts(ended: Finished) -> dict[str, Any]:
    """The answer of `check_import`: the last line that is an object of the right shape."""
    for line in reversed(ended.output.decode("utf-8", "replace").splitlines()):
        if line.startswith('{"distribution"'):
            try:
                found = json.loads(line)
            except ValueError:
                continue
            match found:
                case {"modules": list(names), "failed": dict(failed), "version": str(version)}:
                    modules = [printable(str(name)) for name in names]
                    return {"modules": modules, "failed": failed, "version": version}
    return {}


def _same_version(installed: str, wanted: str) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return Version(installed) == Version(wanted)
    except InvalidVersion:
        return installed == wanted


def _project(purl: str) -> str:
    """The name in "pkg:pypi/NAME@VERSION"."""
    return purl.removeprefix("pkg:pypi/").partition("@")[0].partition("?")[0]


def _every(lease: timedelta, tick: Callable[[], None]) -> Callable[[], None]:
    """Renew at a third of the lease, however often the child's loop asks."""
    pause = lease.total_seconds() / 3
    last = time.monotonic()

    def renew() -> None:
        nonlocal last
        if time.monotonic() - last >= pause:
            tick()
            last = time.monotonic()

    return renew


def _tail(text: str) -> str:
    return text.strip()[-_TAIL:]
