"""Real files for the lab to publish: wheels, sdists, crates and source archives.

Equal arguments give equal bytes, so that digests in tests stay the same. The
wheels and sdists are small but complete: the real pip installs them.

Wheel: packaging.python.org, "Binary distribution format". Sdist: PEP 643 and
"Source distribution format"; its build backend lies in the archive itself
(PEP 517, `backend-path`), so that installing it needs no network.
Crate: a gzipped tar with one folder `name-version` (doc.rust-lang.org/cargo).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip file can write down
_MTIME = 315_532_800  # the same moment in seconds since 1970

_BACKEND = '''"""Builds the wheel of this one project, with nothing but the standard library."""
import base64, hashlib, pathlib, zipfile

HERE = pathlib.Path(__file__).parent
NAME, VERSION, MODULE, TAG = {name!r}, {version!r}, {module!r}, {stem!r}


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = f"{{TAG}}.dist-info"
    files = {{
        f"{{MODULE}}.py": (HERE / f"{{MODULE}}.py").read_bytes(),
        f"{{info}}/METADATA": (HERE / "PKG-INFO").read_bytes(),
        f"{{info}}/WHEEL": b"Wheel-Version: 1.0\\nGenerator: lab\\n"
        b"Root-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    record = ""
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{{name}},sha256={{digest}},{{len(data)}}\\n"
    files[f"{{info}}/RECORD"] = (record + f"{{info}}/RECORD,,\\n").encode()
    wheel = f"{{TAG}}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / wheel, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return wheel
'''


def normalise(name: str) -> str:
    """One spelling per project (packaging.python.org, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def module_of(name: str) -> str:
    """The module that our wheel of project `name` brings: "Demo-Lib" gives "demo_lib"."""
    return normalise(name).replace("-", "_")


def stem_of(name: str, version: str) -> str:
    """The first two parts of a wheel's or sdist's file name (PEP 625)."""
    return f"{module_of(name)}-{version}"


def default_source(name: str, version: str) -> str:
    """A module that can say its own name and version."""
    return f'"""{name}, made by the lab."""\n\nname = {name!r}\n__version__ = {version!r}\n'


def metadata(name: str, version: str, *, requires_python: str | None = None) -> bytes:
    """The METADATA (PKG-INFO) of a project without dependencies."""
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}"]
    lines.append(f"Summary: {name}, made by the lab")
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    return ("\n".join(lines) + "\n").encode()


def make_wheel(
    name: str, version: str, source: str | None = None, *, requires_python: str | None = None
) -> bytes:
    """A py3-none-any wheel with one module, named like the project, holding `source`."""
    info = f"{stem_of(name, version)}.dist-info"
    files = {
        f"{module_of(name)}.py": (source or default_source(name, version)).encode(),
        f"{info}/METADATA": metadata(name, version, requires_python=requires_python),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: lab\n"
        b"Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{_record(data)},{len(data)}\n" for path, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    return make_zip(files)


def _record(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"


def make_sdist(
    name: str, version: str, source: str | None = None, *, requires_python: str | None = None
) -> bytes:
    """A source distribution (.tar.gz) that pip can build without any other package."""
    stem, module = stem_of(name, version), module_of(name)
    backend = _BACKEND.format(name=name, version=version, module=module, stem=stem)
    project = '[build-system]\nrequires = []\nbuild-backend = "build_lab"\nbackend-path = ["."]\n'
    return make_tar_gz(
        {
            f"{stem}/PKG-INFO": metadata(name, version, requires_python=requires_python),
            f"{stem}/pyproject.toml": project.encode(),
            f"{stem}/build_lab.py": backend.encode(),
            f"{stem}/{module}.py": (source or default_source(name, version)).encode(),
        }
    )


def make_crate(name: str, version: str) -> bytes:
    """A .crate file with a manifest and an empty library."""
    manifest = f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2021"\n'
    return make_tar_gz(
        {
            f"{name}-{version}/Cargo.toml": manifest.encode(),
            f"{name}-{version}/src/lib.rs": b"",
        }
    )


def make_source_archive(name: str, version: str) -> bytes:
    """A source archive (.tar.gz) as projects put on their servers: README, Makefile, a program."""
    program = f'#!/bin/sh\necho "{name} {version}"\n'
    makefile = f"all:\n\ninstall:\n\tinstall -D {name} $(DESTDIR)/usr/bin/{name}\n"
    return make_tar_gz(
        {
            f"{name}-{version}/README": f"{name} {version}, made by the lab\n".encode(),
            f"{name}-{version}/Makefile": makefile.encode(),
            f"{name}-{version}/{name}": program.encode(),
        }
    )


def make_tar_gz(files: Mapping[str, bytes], *, level: int = 9) -> bytes:
    """A reproducible .tar.gz of `files` (path to content), all owned by nobody in particular."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime, entry.mode = len(data), _MTIME, 0o755
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), level, mtime=0)


def make_zip(files: Mapping[str, bytes]) -> bytes:
    """A reproducible zip of `files` (path to content)."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return raw.getvalue()
