"""The programs that build and run images: podman, buildah with podman, docker.

Each works in a storage root of its own below the state folder, so that sweeping
can touch nothing of the user's (docker's engine keeps its own; there the labels
tell ours). The flags are the ones measured to work without a container engine,
as root or not, on unified and on hybrid cgroups:

* the build has the host's network and certificates, and `--force-rm` leaves no
  working container behind;
* the run has no network, a read-only root, no capabilities, and limits. Both
  `nofile` and `nproc` are given: podman's defaults exceed what an unprivileged
  machine may set. crun refuses hybrid cgroups, so there runc is asked for.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipeline import child
from pipeline.child import Finished

DEBIAN_PACKAGES = ("buildah", "podman", "runc")
CERTIFICATES = Path("/etc/ssl/certs")
BUNDLE = CERTIFICATES / "ca-certificates.crt"
NOBODY = "65534:65534"
_RUN_ROOT_LIMIT = 50
_PROBE = 60.0  # seconds for a question such as `podman info`
_LABEL = "release-monitor.purl"

Tick = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one container may use."""

    memory: str = "1g"  # a number with k, m or g
    processes: int = 256
    seconds: float = 300.0


class BackendError(Exception):
    """The back-end itself does not work; the job is not to blame. One line, and what to do."""


class BuildError(Exception):
    """A build ended without an image."""

    def __init__(self, finished: Finished) -> None:
        self.finished = finished
        super().__init__(finished.text.strip().rpartition("\n")[2][:300])


class Backend(Protocol):
    """Builds images from Dockerfiles and runs them."""

    @property
    def name(self) -> str: ...

    def build(
        self,
        dockerfile: Path,
        tag: str,
        *,
        context: Path | None = None,
        arguments: Mapping[str, str] | None = None,
        seconds: float = 3600.0,
        log: Path | None = None,
        tick: Tick | None = None,
    ) -> str:
        """Build an image, without files where there is no `context`; its id ("sha256:…").

        Raises BuildError.
        """

    def run(
        self,
        image: str,
        argv: Sequence[str],
        limits: Limits,
        *,
        network: bool = False,
        log: Path | None = None,
        tick: Tick | None = None,
    ) -> Finished:
        """Run `argv` after the image's entry point; how it ended."""

    def image(self, reference: str) -> str | None:
        """The id of an image that is here, or None."""

    def remove(self, reference: str) -> None:
        """Remove an image; nothing happens where there is none."""

    def sweep(self) -> bool:
        """Clear away what killed workers left; False while another worker is at work here."""


@dataclass(slots=True)
class Podman:
    """podman, and buildah for the builds where it is installed. One storage root for both."""

    state: Path
    builder: str = "podman"  # or "buildah"
    driver: str = "overlay"
    runtime: str | None = None
    limited: bool = True  # whether cgroups can be used for memory and processes
    transient: Path = Path()  # podman's run root; see `_run_root`
    _lock: int | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return "podman" if self.builder == "podman" else "buildah and podman"

    def build(
        self,
        dockerfile: Path,
        tag: str,
        *,
        context: Path | None = None,
        arguments: Mapping[str, str] | None = None,
        seconds: float = 3600.0,
        log: Path | None = None,
        tick: Tick | None = None,
    ) -> str:
        empty = self.state / "empty"
        empty.mkdir(parents=True, exist_ok=True)
        identity = self.state / f"{uuid.uuid4().hex}.iid"
        settings = dict(arguments or {})
        volumes = []
        if BUNDLE.is_file():
            # Mounted, not baked in; pip and Python are told, as they may look elsewhere.
            volumes = ["-v", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
            settings = {"PIP_CERT": str(BUNDLE), "SSL_CERT_FILE": str(BUNDLE), **settings}
        argv = [self.builder, *self._global(), "bud" if self.builder == "buildah" else "build"]
        argv += ["--isolation", "chroot", "--layers", "--force-rm", "--timestamp", "0", *volumes]
        for key, value in sorted(settings.items()):
            argv += ["--build-arg", f"{key}={value}"]
        argv += [
            "-t",
            tag,
            "--iidfile",
            str(identity),
            "-f",
            str(dockerfile),
            str(context or empty),
        ]
        try:
            finished = self._call(argv, seconds, log=log, tick=tick)
            if finished.status != 0 or finished.timed_out or not identity.is_file():
                raise BuildError(finished)
            return _identity(identity.read_text())
        finally:
            identity.unlink(missing_ok=True)

    def run(
        self,
        image: str,
        argv: Sequence[str],
        limits: Limits,
        *,
        network: bool = False,
        log: Path | None = None,
        tick: Tick | None = None,
    ) -> Finished:
        name = f"release-monitor-{uuid.uuid4().hex}"
        flags = ["--rm", "--name", name, *_confined(limits, network=network)]
        flags += ["--timeout", str(max(1, round(limits.seconds)))]
        if self.limited:
            flags += ["--memory", limits.memory, "--memory-swap", limits.memory]
            flags += ["--pids-limit", str(limits.processes)]
        else:
            # Without cgroups the kernel can still bound each process's own data; the runtime,
            # which sets the limit before it starts anything, needs some for itself.
            size = max(_bytes(limits.memory), 128 << 20)
            flags += ["--ulimit", f"data={size}:{size}"]
        call = ["podman", *self._global(), "--cgroup-manager", "cgroupfs"]
        call += ["--runtime", self.runtime] if self.runtime else []
        # podman passes SIGTERM on to a process that may ignore it, so its own --timeout comes
        # first, and the name lets us end what is left.
        finished = None
        try:
            finished = self._call(
                [*call, "run", *flags, image, *argv], limits.seconds + 30, log=log, tick=tick
            )
        finally:
            if finished is None or finished.timed_out:
                with suppress(BackendError):
                    self._call([*call, "rm", "--force", "--time", "1", name], _PROBE)
        timed_out = finished.timed_out or (finished.status == 255 and _said_nothing(finished))
        return Finished(finished.status, finished.output, timed_out)

    def image(self, reference: str) -> str | None:
        argv = ["podman", *self._global(), "image", "inspect", "--format", "{{.Id}}", reference]
        found = self._call(argv, _PROBE)
        return _identity(found.text) if found.status == 0 else None

    def remove(self, reference: str) -> None:
        self._call(["podman", *self._global(), "rmi", "--force", reference], _PROBE * 5)

    def sweep(self) -> bool:
        self.state.mkdir(parents=True, exist_ok=True)
        handle = self._hold()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(handle, fcntl.LOCK_SH)
            return False
        try:
            for left in self.state.glob("*.iid"):
                left.unlink(missing_ok=True)
            self._remove_containers()
        finally:
            fcntl.flock(handle, fcntl.LOCK_SH)
        return True

    def purge(self) -> None:
        """Remove every image, container and folder of this storage root; for `make clean`, tests.

        A plain `rm -r` does not do: the storage keeps itself mounted.
        """
        self._remove_containers()
        self._call(["podman", *self._global(), "rmi", "--all", "--force"], _PROBE * 5)
        self.close()
        overlay = self.state / "storage" / "overlay"
        if overlay.is_mount() and shutil.which("umount"):
            self._call(["umount", str(overlay)], _PROBE)
        for folder in (self.state, self.transient):
            shutil.rmtree(folder, ignore_errors=True)

    def _remove_containers(self) -> None:
        # Also the "external" ones: working containers of builds that were killed so early
        # that neither podman nor buildah counts them among its own.
        call = ["podman", *self._global()]
        listing = self._call([*call, "ps", "--all", "--external", "--quiet"], _PROBE)
        if listing.status == 0 and (left := listing.text.split()):
            self._call([*call, "rm", "--force", "--time", "1", *left], _PROBE * 5)
            listing = self._call([*call, "ps", "--all", "--external", "--quiet"], _PROBE)
        if listing.status != 0 or listing.text.split():
            said = listing.text.strip().rpartition("\n")[2]
            raise BackendError(f"{self.name} cannot clear {self.state}: {said[:300]}")

    def close(self) -> None:
        """Let the lock go; other workers may sweep then."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _hold(self) -> int:
        """The lock that all workers here share; children inherit it, and it lives as they do."""
        if self._lock is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._lock = os.open(self.state / "lock", flags, 0o600)
        return self._lock

    def _global(self) -> list[str]:
        places = ["--root", str(self.state / "storage"), "--runroot", str(self.transient)]
        return [*places, "--storage-driver", self.driver]

    def _call(
        self,
        argv: Sequence[str],
        seconds: float,
        *,
        log: Path | None = None,
        tick: Tick | None = None,
    ) -> Finished:
        kept = () if self._lock is None else (self._lock,)
        # conmon leaves a file `oom` in the folder it works in.
        self.state.mkdir(parents=True, exist_ok=True)
        return _call(argv, seconds, log=log, tick=tick, keep_open=kept, folder=self.state)


@dataclass(slots=True)
class Docker:
    """A docker client whose engine answers. Build arguments are all that reaches the build."""

    state: Path

    @property
    def name(self) -> str:
        return "docker"

    def build(
        self,
        dockerfile: Path,
        tag: str,
        *,
        context: Path | None = None,
        arguments: Mapping[str, str] | None = None,
        seconds: float = 3600.0,
        log: Path | None = None,
        tick: Tick | None = None,
    ) -> str:
        empty = self.state / "empty"
        empty.mkdir(parents=True, exist_ok=True)
        argv = ["docker", "build", "--network", "host", "--force-rm", "--tag", tag]
        for key, value in sorted((arguments or {}).items()):
            argv += ["--build-arg", f"{key}={value}"]
        argv += ["--file", str(dockerfile), str(context or empty)]
        finished = _call(argv, seconds, log=log, tick=tick)
        found = self.image(tag) if finished.status == 0 and not finished.timed_out else None
        if found is None:
            raise BuildError(finished)
        return found

    def run(
        self,
        image: str,
        argv: Sequence[str],
        limits: Limits,
        *,
        network: bool = False,
        log: Path | None = None,
        tick: Tick | None = None,
    ) -> Finished:
        name = f"release-monitor-{uuid.uuid4().hex}"
        flags = ["--rm", "--name", name, "--label", _LABEL, *_confined(limits, network=network)]
        flags += ["--memory", limits.memory, "--memory-swap", limits.memory]
        flags += ["--pids-limit", str(limits.processes)]
        finished = None
        try:
            finished = _call(
                ["docker", "run", *flags, image, *argv], limits.seconds, log=log, tick=tick
            )
        finally:
            if finished is None or finished.timed_out:
                with suppress(BackendError):
                    _call(["docker", "rm", "--force", name], _PROBE)
        return finished

    def image(self, reference: str) -> str | None:
        found = _call(["docker", "image", "inspect", "--format", "{{.Id}}", reference], _PROBE)
        return _identity(found.text) if found.status == 0 else None

    def remove(self, reference: str) -> None:
        _call(["docker", "rmi", "--force", reference], _PROBE * 5)

    def sweep(self) -> bool:
        wanted = ["docker", "ps", "--all", "--quiet", "--filter", f"label={_LABEL}"]
        wanted += ["--filter", "status=exited", "--filter", "status=created"]
        for container in _call(wanted, _PROBE).text.split():
            _call(["docker", "rm", "--force", container], _PROBE)
        return True


def detect(state: Path, prefer: str | None = None) -> Backend:
    """The first back-end that works: podman (with buildah), then docker; or the one asked for.

    Raises BackendError with one line for each that does not work, saying what is missing.
    """
    makers: dict[str, Callable[[Path], Backend]] = {"podman": _podman, "docker": _docker}
    if prefer is not None and prefer not in makers:
        raise BackendError(f"{prefer}: no such back-end; there are {', '.join(makers)}")
    missing = []
    for name, make in makers.items():
        if prefer in {None, name}:
            try:
                return make(state)
            except BackendError as error:
                missing.append(f"{name}: {error}")
    packages = " ".join(DEBIAN_PACKAGES)
    raise BackendError("; ".join(missing) + f" (on Debian: apt-get install {packages})")


def _podman(state: Path) -> Podman:
    if shutil.which("podman") is None:
        raise BackendError("podman is not installed")
    state = (state / "containers").absolute()
    state.mkdir(parents=True, exist_ok=True)
    unified = Path("/sys/fs/cgroup/cgroup.controllers").is_file()
    runtime = None
    if not unified:
        # crun: "cgroups in hybrid mode not supported"
        runtime = _runc()
        if runtime is None:
            raise BackendError("runc is not installed, and crun cannot use this machine's cgroups")
    builder = "buildah" if shutil.which("buildah") else "podman"
    limited = os.geteuid() == 0 or unified
    said = ""
    for driver in ("overlay", "vfs"):
        found = Podman(state, builder, driver, runtime, limited, _run_root(state))
        if (state / "storage").is_dir() and not (state / "storage" / driver).is_dir():
            continue  # one storage root, one driver: what was chosen first stays
        probe = _call(
            ["podman", *found._global(), "info", "--format", "{{.Store.GraphDriverName}}"], _PROBE
        )
        if probe.status == 0 and probe.text.split()[-1:] == [driver]:
            return found
        said = probe.text.strip().rpartition("\n")[2]
        shutil.rmtree(state / "storage", ignore_errors=True)
    raise BackendError(f"podman does not work here: {said[:200]}")


def _run_root(state: Path) -> Path:
    """Podman's run root for this storage root: what a reboot may clear, and a short path.

    podman refuses one of more than 50 characters, so it cannot lie in the state folder.
    """
    key = hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
    name, user = f"release-monitor-{key}", os.getuid()
    folders = [os.environ.get("XDG_RUNTIME_DIR"), "/run" if user == 0 else None]
    for folder in [*filter(None, folders), tempfile.gettempdir(), "/tmp"]:  # noqa: S108 (checked)
        path = Path(folder, name)
        if len(str(path)) > _RUN_ROOT_LIMIT:
            continue
        try:
            path.mkdir(mode=0o700, exist_ok=True)
            found = path.lstat()
        except OSError:
            continue
        if stat.S_ISDIR(found.st_mode) and found.st_uid == user and not found.st_mode & 0o022:
            return path
    raise BackendError("no folder for podman's run root; set XDG_RUNTIME_DIR to one of your own")


def _runc() -> str | None:
    return shutil.which("runc", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")


def _docker(state: Path) -> Docker:
    if shutil.which("docker") is None:
        raise BackendError("docker is not installed")
    probe = _call(["docker", "version", "--format", "{{.Server.Version}}"], _PROBE)
    if probe.status != 0:
        raise BackendError("the docker client finds no engine; start it, or set DOCKER_HOST")
    return Docker((state / "docker").absolute())


def _confined(limits: Limits, *, network: bool) -> list[str]:
    flags = ["--network", "host" if network else "none", "--read-only", "--tmpfs", "/tmp"]  # noqa: S108
    flags += ["--cap-drop", "all", "--security-opt", "no-new-privileges", "--user", NOBODY]
    flags += ["--ulimit", "nofile=1024:4096"]
    flags += ["--ulimit", f"nproc={max(limits.processes, 1024)}:{max(limits.processes, 4096)}"]
    return [*flags, "-e", "HOME=/tmp", "-e", "PYTHONDONTWRITEBYTECODE=1", "-e", "PYTHONHASHSEED=0"]


def _bytes(size: str) -> int:
    """ "512m" as a number of bytes."""
    units = {"k": 10, "m": 20, "g": 30}
    number, unit = (size[:-1], size[-1].lower()) if size[-1:].isalpha() else (size, "")
    return int(number) << units.get(unit, 0)


def _said_nothing(finished: Finished) -> bool:
    """podman's own --timeout ends a container with 255, without a word of podman itself."""
    return not finished.text.rstrip().rpartition("\n")[2].startswith("Error:")


def _identity(text: str) -> str:
    found = text.strip().rpartition("\n")[2]
    return found if found.startswith("sha256:") else f"sha256:{found}"


def _call(
    argv: Sequence[str],
    seconds: float,
    *,
    log: Path | None = None,
    tick: Tick | None = None,
    keep_open: Sequence[int] = (),
    folder: Path | None = None,
) -> Finished:
    try:
        return child.run(
            argv, timeout=seconds, log=log, tick=tick, keep_open=keep_open, folder=folder
        )
    except OSError as error:
        raise BackendError(f"{argv[0]}: {error.strerror or error}") from error
