"""A folder of wheels that pip can install from, made of what this environment holds.

The pages install the program as anybody would: with pip and pipx, which fetch its dependencies.
The tests reach no registry, so the dependencies that are installed here are put back into wheels
(the files that their RECORD lists, without what an installation adds). `lock` writes the hashes of
these in the place of the published ones, so that `--require-hashes` is put to work as well.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import sys_tags

_ADDED = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
"""What an installation writes beside the files of a wheel."""

TOOLS = ("hatchling", "editables", "pip", "setuptools", "wheel")
"""What builds and installs a package, as far as it is here."""


def closure(*names: str) -> dict[str, Distribution]:
    """These distributions and all that they require on this machine, by normalised name."""
    found: dict[str, Distribution] = {}
    waiting = [(name, frozenset[str]()) for name in names]
    while waiting:
        name, extras = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        known = key in found
        found.setdefault(key, distribution(name))
        for line in found[key].requires or ():
            wanted = Requirement(line)
            if wanted.marker is None:
                fits = not known
            else:
                fits = any(wanted.marker.evaluate({"extra": extra}) for extra in (extras or {""}))
            if fits and (re.sub(r"[-_.]+", "-", wanted.name).lower() not in found or wanted.extras):
                waiting.append((wanted.name, frozenset(wanted.extras)))
    return found


def repack(dist: Distribution, folder: Path) -> Path:
    """Write the wheel that `dist` was installed from, but for its scripts: pip makes them anew."""
    said = dist.read_text("WHEEL") or ""
    tags = set(re.findall(r"^Tag: (\S+)$", said, re.MULTILINE))
    tag = next(str(tag) for tag in sys_tags() if str(tag) in tags)
    stem = f"{re.sub(r'[-_.]+', '_', dist.metadata['Name'])}-{dist.version}"
    wheel = folder / f"{stem}-{tag}.whl"
    record = []
    info = ""
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for file in dist.files or ():
            name = file.as_posix()
            if name.startswith("..") or file.suffix == ".pyc":
                continue
            if file.parent.name.endswith(".dist-info"):
                info = file.parent.as_posix()
                if file.name in _ADDED:
                    continue
            data = Path(str(file.locate())).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")
            archive.writestr(name, data)
        record.append(f"{info}/RECORD,,")
        archive.writestr(f"{info}/RECORD", "\n".join(record) + "\n")
    return wheel


def make(folder: Path) -> dict[str, Path]:
    """The wheels of the program's dependencies and of the tools, by name."""
    from importlib.metadata import PackageNotFoundError

    folder.mkdir(parents=True)
    wheels = {}
    ours = closure("release-monitor")
    del ours["release-monitor"]
    for name in TOOLS:
        try:
            ours |= closure(name)
        except PackageNotFoundError:
            continue
    for name, dist in ours.items():
        wheels[name] = repack(dist, folder)
    return wheels


def lock(wheels: dict[str, Path]) -> str:
    """A lock file of these wheels."""
    lines = []
    for name, wheel in sorted(wheels.items()):
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines.append(f"{name}=={wheel.name.split('-')[1]} --hash=sha256:{digest}")
    return "\n".join(lines) + "\n"


def environment(folder: Path) -> dict[str, str]:
    """The variables by which pip installs from there, and from nowhere else."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_CACHE_DIR": "1",
    }
