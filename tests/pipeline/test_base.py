"""The root file system for the base image, from whichever interpreter runs us."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from pipeline import base

ROOT = Path(__file__).parents[2]
PACK = """
import sys
from pipeline import base
python = base.interpreter()
with open(sys.argv[1], "wb") as file:
    base.write_rootfs(file, python, base._pip(python))
print(python.executable)
"""


def is_new_enough(interpreter: str) -> bool:
    if not Path(interpreter).exists():
        return False
    ask = [interpreter, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(ask, check=False).returncode == 0


def pack(interpreter: str, target: Path) -> None:
    subprocess.run(
        [interpreter, "-c", PACK, str(target)], cwd=ROOT, check=True, capture_output=True
    )


def test_the_tar_is_whole_ordered_and_the_same_every_time():
    python = base.interpreter()
    pip = base._pip(python)
    packed = []
    for _ in range(2):
        file = io.BytesIO()
        base.write_rootfs(file, python, pip)
        packed.append(file.getvalue())
    assert packed[0] == packed[1]
    with tarfile.open(fileobj=io.BytesIO(packed[0])) as tar:
        members = tar.getmembers()
    names = [member.name for member in members]
    assert len(names) == len(set(names))
    assert {member.mtime for member in members} == {0}
    assert {(member.uid, member.gid) for member in members} == {(0, 0)}
    seen = {"."}
    for name in names:
        assert str(Path(name).parent) in seen, f"{name} comes before its folder"
        seen.add(name)
    assert any(name.endswith("libc.so.6") for name in names)
    assert any(name.endswith("pip/__main__.py") for name in names)
    assert not any("__pycache__" in name or "EXTERNALLY-MANAGED" in name for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("interpreter", [sys.executable, "/usr/bin/python3"])
def test_the_interpreter_runs_in_it_and_pip_too(interpreter: str, tmp_path: Path):
    """With chroot, so that nothing of this machine can help."""
    chroot = shutil.which("chroot", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if chroot is None or os.geteuid() != 0:
        pytest.skip("may not chroot here")
    if not is_new_enough(interpreter):
        pytest.skip(f"no Python 3.11 or later at {interpreter}")
    pack(interpreter, tmp_path / "rootfs.tar")
    rootfs = tmp_path / "rootfs"
    subprocess.run(["mkdir", str(rootfs)], check=True)
    with tarfile.open(tmp_path / "rootfs.tar") as tar:
        tar.extractall(rootfs, filter="fully_trusted")
    test = (
        "import ssl, sqlite3, lzma, bz2, zlib, ctypes, hashlib, json, subprocess, venv, sys;"
        "hashlib.sha512(); import pip._internal.cli.main;"
        "print(pip.__version__, sys.version_info[:2])"
    )
    enter = [chroot, str(rootfs), "/usr/local/bin/python3", "-c", test]
    said = subprocess.run(enter, capture_output=True, text=True, check=False, env={"PATH": "/bin"})
    assert said.returncode == 0, said.stderr
    assert "(3, 1" in said.stdout


def test_paths_are_merged_into_usr_as_debian_does():
    assert (
        base._merged(Path("/lib/x86_64-linux-gnu/libc.so.6"))
        == "usr/lib/x86_64-linux-gnu/libc.so.6"
    )
    assert base._merged(Path("/lib64/ld-linux-x86-64.so.2")) == "usr/lib64/ld-linux-x86-64.so.2"
    assert base._merged(Path("/opt/python/bin/../bin/python3")) == "opt/python/bin/python3"


def test_the_dynamic_linkers_of_other_machines_belong_to_the_family():
    for name in ("ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2", "libm.so.6", "libstdc++.so.6"):
        assert base._FAMILY.fullmatch(name)
    for name in ("libssl.so.3", "libc.so", "libcap.so.2"):
        assert not base._FAMILY.fullmatch(name)
