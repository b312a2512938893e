"""A base image without a registry: the interpreter that runs us, pip, and glibc's family.

`FROM scratch` plus one tar, written here with fixed times and owners, so that the
same interpreter gives the same image. Works for a Python of pyenv or /usr/local
and for Debian's own, on any machine with glibc. There is no compiler in it: an
sdist with C code needs a real base image (`base = "…@sha256:…"` in builds.toml).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from pipeline.backends import Backend, BackendError, BuildError, Tick

REFERENCE = "localhost/release-monitor-base:latest"  # what FROM says in recipes with base = "auto"

# What manylinux wheels may expect of the machine (PEP 600 and its predecessors).
_FAMILY = re.compile(
    r"(?:ld-linux.*|lib(?:c|m|dl|pthread|rt|resolv|util|nss_dns|nss_files|nsl|mvec|anl|crypt|stdc\+\+"
    r"|gcc_s|z|atomic))\.so\.[0-9.]+"
)
_TOOLS = ("/bin/sh", "/usr/bin/env")
_LEAVE_OUT = {
    "__pycache__",
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idlelib",
    "turtledemo",
}
_ETC = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
_FOLDERS = "etc/ssl/certs tmp var/tmp root proc sys dev run usr/bin usr/lib usr/lib64 usr/sbin"
_DOCKERFILE = """\
FROM scratch
ADD rootfs.tar /
ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8
ENTRYPOINT ["python3"]
"""
_ASK = """
import json, sys, sysconfig
paths = sysconfig.get_paths()
print(json.dumps({
    "executable": sys.executable, "prefix": sys.base_prefix, "stdlib": paths["stdlib"],
    "platstdlib": paths["platstdlib"], "purelib": paths["purelib"], "path": sys.path,
    "version": sys.version,
}))
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What there is to know of the Python that is packed; all paths absolute."""

    executable: Path
    prefix: Path
    stdlib: Path
    platstdlib: Path
    purelib: Path
    path: tuple[Path, ...]
    version: str


def interpreter() -> Interpreter:
    """The Python below the one that runs us: a virtual environment is looked through."""
    executable = getattr(sys, "_base_executable", None) or sys.executable
    said = subprocess.run(
        [executable, "-I", "-c", _ASK], capture_output=True, check=True, timeout=60
    )
    found = json.loads(said.stdout)
    paths = {key: Path(found[key]) for key in ("prefix", "stdlib", "platstdlib", "purelib")}
    return Interpreter(
        executable=Path(found["executable"]).resolve(),
        path=tuple(Path(entry) for entry in found["path"] if Path(entry).is_dir()),
        version=found["version"],
        **paths,
    )


def ensure(backend: Backend, *, tick: Tick | None = None) -> str:
    """The base image's id; it is made where it is missing or of another interpreter.

    Raises BackendError when it cannot be made, saying what is missing.
    """
    python = interpreter()
    pip = _pip(python)
    keyed = f"{REFERENCE.rpartition(':')[0]}:{_key(python, pip)}"
    found = backend.image(keyed)
    if found is not None and backend.image(REFERENCE) == found:
        return found
    with tempfile.TemporaryDirectory(prefix="release-monitor-base-") as folder:
        context = Path(folder)
        with (context / "rootfs.tar").open("wb") as file:
            write_rootfs(file, python, pip)
        (context / "Dockerfile").write_text(_DOCKERFILE)
        try:
            for tag in (keyed, REFERENCE):
                found = backend.build(context / "Dockerfile", tag, context=context, tick=tick)
        except BuildError as error:
            raise BackendError(f"the base image cannot be made: {error}") from error
    assert found is not None
    return found


def write_rootfs(file: object, python: Interpreter, pip: Path) -> None:
    """Write the root file system as a tar: usr-merged, times 0, owner root."""
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        rootfs = _Rootfs(tar)
        for name in _FOLDERS.split():
            rootfs.folder(name, 0o1777 if name.endswith("tmp") else 0o755)
        for name in ("bin", "sbin", "lib", "lib64"):
            rootfs.link(name, f"usr/{name}")
        for name, text in _ETC.items():
            rootfs.data(name, text.encode())
        if Path("/etc/os-release").is_file():
            rootfs.data("etc/os-release", Path("/etc/os-release").read_bytes())

        programs = [python.executable, *(Path(tool) for tool in _TOOLS)]
        for program in programs:
            rootfs.file(program, program.resolve())
        for link in {"python3", f"python{python.stdlib.name.removeprefix('python')}"}:
            rootfs.link(f"usr/local/bin/{link}", str(python.executable))
        extensions = []
        for root in dict.fromkeys((python.stdlib, python.platstdlib)):
            extensions += rootfs.tree(root)
        for library in sorted(_libraries([*programs, *extensions])):
            rootfs.file(library, library.resolve())
        rootfs.pip(python.purelib, pip)


class _Rootfs:
    """A tar in which every path is written once, with its folders before it."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self.tar, self.seen = tar, set[str]()

    def folder(self, name: str, mode: int = 0o755) -> None:
        if name in self.seen or name in {"", "."}:
            return
        self.folder(str(PurePosixPath(name).parent))
        self.seen.add(name)
        info = self._info(name, mode)
        info.type = tarfile.DIRTYPE
        self.tar.addfile(info)

    def link(self, name: str, target: str) -> None:
        if not self._new(name):
            return
        info = self._info(name, 0o777)
        info.type, info.linkname = tarfile.SYMTYPE, target
        self.tar.addfile(info)

    def data(self, name: str, data: bytes, mode: int = 0o644) -> None:
        if not self._new(name):
            return
        info = self._info(name, mode)
        info.size = len(data)
        self.tar.addfile(info, BytesIO(data))

    def file(self, path: Path, source: Path) -> None:
        """The content of `source` at the place of `path`."""
        name = _merged(path)
        if self._new(name):
            mode = 0o755 if os.access(source, os.X_OK) else 0o644
            info = self._info(name, mode)
            info.size = source.stat().st_size
            with source.open("rb") as file:
                self.tar.addfile(info, file)

    def tree(self, root: Path) -> list[Path]:
        """The standard library; the shared objects among its files."""
        shared = []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(
                f for f in folders if f not in _LEAVE_OUT and not f.startswith("config-")
            )
            for name in sorted(names):
                path = Path(folder, name)
                # Debian forbids pip to touch its Python; in the image there is nobody to protect.
                if (
                    name == "EXTERNALLY-MANAGED"
                    or name.endswith((".a", ".whl"))
                    or not path.exists()
                ):
                    continue
                self.file(path, path.resolve())
                if ".so" in name:
                    shared.append(path)
        return shared

    def pip(self, purelib: Path, source: Path) -> None:
        """pip, from a wheel or from the folder it is installed in."""
        if source.suffix == ".whl":
            with zipfile.ZipFile(source) as wheel:
                for name in sorted(wheel.namelist()):
                    if not name.endswith("/"):
                        self.data(_merged(purelib / name), wheel.read(name))
            return
        for folder in sorted([source, *source.parent.glob("pip-*.dist-info")]):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    place = purelib / path.relative_to(source.parent)
                    self.data(_merged(place), path.read_bytes())

    def _new(self, name: str) -> bool:
        if name in self.seen:
            return False
        self.folder(str(PurePosixPath(name).parent))
        self.seen.add(name)
        return True

    @staticmethod
    def _info(name: str, mode: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.mode, info.mtime, info.uname, info.gname = mode, 0, "root", "root"
        return info


def _merged(path: Path) -> str:
    """Where a path of this machine lies in the image: relative, with /usr merged."""
    name = os.path.normpath(path).lstrip("/")
    first = name.partition("/")[0]
    return f"usr/{name}" if first in {"bin", "sbin", "lib", "lib64"} else name


def _libraries(programs: Iterable[Path]) -> set[Path]:
    """The shared libraries these need, as the dynamic linker finds them, and glibc's family."""
    said = subprocess.run(
        ["ldd", *(str(program) for program in programs)],
        capture_output=True,
        text=True,
        check=False,  # it complains of static programs, and lists the rest all the same
        timeout=120,
    )
    found = {Path(path) for path in re.findall(r"(/[^\s:]+\.so[^\s:]*)", said.stdout)}
    libc = next((path for path in found if path.name == "libc.so.6"), None)
    if libc is None:
        raise BackendError("no glibc found (`ldd`); set base to a pinned image in builds.toml")
    found |= {path for path in _siblings(libc) if _FAMILY.fullmatch(path.name)}
    return {path for path in found if path.exists()}


def _siblings(libc: Path) -> Iterator[Path]:
    for folder in {libc.parent, libc.resolve().parent, Path("/usr") / str(libc.parent).lstrip("/")}:
        if folder.is_dir():
            yield from folder.iterdir()


def _pip(python: Interpreter) -> Path:
    """Where pip is to be had: installed beside us or the base interpreter, or as a wheel.

    The newest of them. Raises BackendError where there is none.
    """
    places = [Path(entry) for entry in sys.path if entry] + list(python.path)
    found: dict[tuple[int, ...], Path] = {}
    for place in places:
        for info in place.glob("pip-*.dist-info"):
            if (place / "pip" / "__main__.py").is_file() and info.parent == place:
                found.setdefault(_version(info.name), place / "pip")
    bundled = [python.stdlib / "ensurepip" / "_bundled", Path("/usr/share/python-wheels")]
    for place in bundled:
        for wheel in place.glob("pip-*.whl"):
            found.setdefault(_version(wheel.name), wheel)
    if not found:
        raise BackendError(
            "no pip to put into the base image (on Debian: apt-get install python3-pip)"
        )
    return found[max(found)]


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name.split("-")[1]))


def _key(python: Interpreter, pip: Path) -> str:
    """What the image depends on, short; another interpreter or pip gives another key."""
    stat = python.executable.stat()
    facts = [str(python.executable), stat.st_size, stat.st_mtime_ns, python.version, str(pip)]
    facts += [pip.stat().st_mtime_ns, Path(__file__).read_text()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
