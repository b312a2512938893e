"""The two programs that run inside containers: unpacking an archive, importing a package."""

from __future__ import annotations

import io
import itertools
import json
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import check_import, failures
from pipeline.failures import Failure
from tests.lab.artefacts import make_source_archive, make_zip
from tests.lab.registry import Registry
from tests.pipeline.conftest import sha256, wheel

ROOT = Path(__file__).parents[2]
UNPACK = ROOT / "pipeline/templates/unpack.py"


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", data: bytes = b"x") -> tuple:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    return info, data


def tar(*members: tuple, mode: str = "w:gz") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return file.getvalue()


@pytest.fixture
def unpack(registry: Registry, tmp_path: Path) -> Callable[..., tuple[int, str, Path]]:
    def run(
        data: bytes, name: str = "x-1.tar.gz", digest: str | None = None
    ) -> tuple[int, str, Path]:
        registry.publish("pypi", "carrier", "1", {name: data})
        page = registry.pypi.find("carrier", "1")[1].files[name]
        address = f"{registry.pypi_url}/files/{page.path}"
        target = tmp_path / "deep" / "src"
        argv = [sys.executable, str(UNPACK), address, name, digest or sha256(data), str(target)]
        said = subprocess.run(argv, capture_output=True, text=True, check=False)
        return said.returncode, said.stderr.strip(), target

    return run


def test_archives_of_every_common_kind_are_unpacked(unpack, tmp_path: Path):
    code, said, target = unpack(make_source_archive("hello", "2.12"))
    assert (code, said) == (0, "")
    assert (target / "hello-2.12" / "README").read_text() == "hello 2.12, made by the lab\n"
    assert (target / "hello-2.12" / "hello").stat().st_mode & stat.S_IXUSR


def count_up():
    """Names for cases whose bytes hold the time of day: every process must call them the same."""
    numbers = itertools.count(1)
    return lambda value: str(next(numbers)) if isinstance(value, bytes) else None


@pytest.mark.parametrize(
    ("name", "data"),
    ids=count_up(),
    argvalues=[
        ("x-1.tar.xz", tar(member("x/a"), mode="w:xz")),
        ("x-1.tar.bz2", tar(member("x/a"), mode="w:bz2")),
        ("x-1.tar", tar(member("x/a"), mode="w:")),
        ("x-1.zip", make_zip({"x/a": b"x"})),
        (
            "x-1.tgz",
            tar(
                member("x", tarfile.DIRTYPE),
                member("x/a"),
                member("x/b", tarfile.SYMTYPE, "a"),
                member("x/c", tarfile.LNKTYPE, "x/a"),
            ),
        ),
    ],
)
def test_every_format_gives_its_files(unpack, name: str, data: bytes):
    code, said, target = unpack(data, name)
    assert (code, said) == (0, "")
    assert {p.read_bytes() for p in (target / "x").iterdir()} == {b"x"}


def evil_zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("../outside", "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    ids=count_up(),
    argvalues=[
        ("x.tar.gz", tar(member("../outside"))),
        ("x.tar.gz", tar(member("/outside"))),
        ("x.tar.gz", tar(member("a/../../outside"))),
        ("x.tar.gz", tar(member("a", tarfile.SYMTYPE, "/etc"))),
        ("x.tar.gz", tar(member("a", tarfile.SYMTYPE, "../.."))),
        ("x.tar.gz", tar(member("b", tarfile.SYMTYPE, "a/.."), member("a", tarfile.SYMTYPE, ".."))),
        ("x.tar.gz", tar(member("a", tarfile.LNKTYPE, "../outside"))),
        ("x.tar.gz", tar(member("a", tarfile.LNKTYPE, "nothing"))),
        ("x.tar.gz", tar(member("a", tarfile.CHRTYPE))),
        ("x.tar.gz", tar(member("a", tarfile.FIFOTYPE))),
        ("x.tar.gz", tar(member("d", tarfile.SYMTYPE, "d2"), member("d"))),
        ("x.zip", evil_zip()),
        ("x.tar.gz", b"not an archive"),
        ("x.zip", b"not an archive"),
        ("x.tar.gz", tar(member("a"))[:-20]),
        ("x.tar.gz", tar()),
    ],
)
def test_F22_hostile_archives_end_the_build_and_touch_nothing_outside(
    unpack, tmp_path: Path, name: str, data: bytes
):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "outside").write_text("mine")
    code, said, _ = unpack(data, name)
    assert code == 1
    assert said.startswith("release-monitor: build: "), said
    assert failures.of_build(said) is Failure.BUILD
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["outside", "src"]
    assert (tmp_path / "deep" / "outside").read_text() == "mine"


def test_E05_bytes_that_do_not_match_are_not_unpacked(unpack):
    code, said, target = unpack(make_source_archive("hello", "1"), digest="sha512:" + "0" * 128)
    assert code == 1
    assert failures.of_build(said) is Failure.DIGEST
    assert list(target.iterdir()) == []


def test_a_server_that_refuses_is_a_failed_download(unpack, registry: Registry):
    registry.fail("/pypi/files/*", status=503, times=9)
    code, said, _ = unpack(make_source_archive("hello", "1"))
    assert (code, failures.of_build(said)) == (1, Failure.DOWNLOAD)


# ── importing ─────────────────────────────────────────────────────────────────────────


def installed(tmp_path: Path, modules: dict[str, str], name: str = "demo") -> Path:
    """A site folder with one installed distribution."""
    data = wheel(name, "1.0", modules, requires=(), stem=f"{name}-1.0")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def check(site: Path, name: str = "demo") -> tuple[int, dict, str]:
    text = Path(check_import.__file__).read_text()
    argv = [sys.executable, "-S", "-c", text, name]
    env = {"PYTHONPATH": str(site)}
    said = subprocess.run(
        argv, cwd=site, capture_output=True, text=True, check=False, env=env, timeout=60
    )
    last = said.stdout.strip().rpartition("\n")[2]
    return said.returncode, json.loads(last) if last else {}, said.stderr


@pytest.mark.parametrize(
    ("modules", "imported"),
    [
        ({"demo.py": ""}, ["demo"]),
        ({"demo/__init__.py": "", "demo/sub/__init__.py": "1/0", "demo/x.py": "1/0"}, ["demo"]),
        ({"demo.py": "", "_demo.py": "1/0"}, ["demo"]),
        ({"_demo.py": ""}, ["_demo"]),
        ({"demo.py": "", "tests/__init__.py": "1/0", "setup.py": "1/0"}, ["demo"]),
        ({"tests/__init__.py": ""}, ["tests"]),
        ({"one.py": "", "two/__init__.py": ""}, ["one", "two"]),
        ({"space/demo/__init__.py": "", "space/other.py": ""}, ["space.demo", "space.other"]),
        ({"demo-stubs/__init__.pyi": ""}, []),
        ({"demo-1.0.data/scripts/run.py": "1/0", "demo.py": ""}, ["demo"]),
        ({"demo/__init__.py": "", "demo/__main__.py": "1/0"}, ["demo"]),
    ],
)
def test_what_a_distribution_brings_is_imported(tmp_path: Path, modules: dict, imported: list):
    code, facts, _ = check(installed(tmp_path, modules))
    assert (code, facts["modules"], facts["failed"]) == (0, imported, {})
    assert facts["version"] == "1.0"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("1/0", "ZeroDivisionError: division by zero"),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_what_does_not_import_is_told_with_its_error(tmp_path: Path, source: str, error: str):
    code, facts, _ = check(installed(tmp_path, {"good.py": "", "bad.py": source}))
    assert code == 1
    assert facts["modules"] == ["good"]
    assert facts["failed"]["bad"].startswith(error)


def test_chatter_and_threads_do_not_disturb_the_answer(tmp_path: Path):
    source = (
        "import threading, time\n"
        "print('{\"distribution\": 1}')\n"
        "threading.Thread(target=time.sleep, args=(99,)).start()\n"
    )
    code, facts, said = check(installed(tmp_path, {"demo.py": source}))
    assert (code, facts["modules"]) == (0, ["demo"])
    assert '{"distribution": 1}' in said


def test_what_is_not_installed_is_told(tmp_path: Path):
    code, facts, said = check(tmp_path, "absent")
    assert (code, facts) == (1, {})
    assert "absent is not installed" in said


@pytest.mark.parametrize(
    ("log", "failure"),
    [
        ("ERROR: No matching distribution found for x", Failure.RESOLVE),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n Expected sha256 0", Failure.DIGEST),
        ("ERROR: HTTP error 404 while getting u\nNo matching distribution found", Failure.DOWNLOAD),
        ("gcc: error: x.c\nerror: command 'gcc' failed", Failure.BUILD),
        ("OSError: [Errno 28] No space left on device", Failure.RESOURCES),
        ("Error: localhost/release-monitor-base: image not known", Failure.INFRASTRUCTURE),
        (
            "Cannot connect to the Docker daemon at unix:///docker.sock. Is it running?",
            Failure.INFRASTRUCTURE,
        ),
        (
            "release-monitor: download: u: timed out\nerror building: exit status 1",
            Failure.DOWNLOAD,
        ),
        ("", Failure.BUILD),
    ],
)
def test_the_class_of_a_failure_is_read_from_the_log(log: str, failure: Failure):
    assert failures.of_build(log) is failure


def test_only_passing_failures_are_worth_another_try():
    assert {f for f in Failure if f.passing} == {
        Failure.DOWNLOAD, Failure.TIMEOUT, Failure.RESOURCES, Failure.INFRASTRUCTURE,
    }  # fmt: skip
