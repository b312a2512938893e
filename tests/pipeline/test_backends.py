"""What can build here, what cannot and why; and what is left behind: nothing."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import backends, base, child
from pipeline.backends import BackendError, BuildError, Limits, Podman, detect


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def no_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what the test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_without_any_back_end_one_line_says_what_is_missing(no_programs: Path, tmp_path: Path):
    with pytest.raises(BackendError) as error:
        detect(tmp_path)
    text = str(error.value)
    assert "\n" not in text
    assert "podman is not installed; docker: docker is not installed" in text
    assert f"apt-get install {' '.join(backends.DEBIAN_PACKAGES)}" in text


def test_a_docker_client_without_an_engine_is_not_chosen(no_programs: Path, tmp_path: Path):
    program(no_programs, "docker", 'echo "Cannot connect to the Docker daemon" >&2; exit 1')
    with pytest.raises(BackendError, match="no engine"):
        detect(tmp_path, prefer="docker")


def test_a_docker_client_with_an_engine_is_chosen(no_programs: Path, tmp_path: Path):
    program(no_programs, "docker", "echo 28.0.1")
    assert detect(tmp_path).name == "docker"


def test_docker_is_called_with_the_arguments_that_confine(no_programs: Path, tmp_path: Path):
    calls = tmp_path / "calls"
    program(no_programs, "docker", f'for a in "$@"; do echo "$a"; done >> {calls}; echo abc')
    docker = detect(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    built = docker.build(tmp_path / "Dockerfile", "localhost/x:1", arguments={"PIP_INDEX_URL": "u"})
    docker.run("localhost/x:1", ["-c", "$(id)"], Limits(memory="64m", processes=7))
    said = calls.read_text().splitlines()
    assert built == "sha256:abc"
    for pair in (
        ["--network", "none"],
        ["--cap-drop", "all"],
        ["--memory", "64m"],
        ["-c", "$(id)"],
    ):
        assert pair in [said[n : n + 2] for n in range(len(said))]
    assert {"--read-only", "--force-rm", "PIP_INDEX_URL=u"} <= set(said)


def test_unknown_back_ends_are_refused(tmp_path: Path):
    with pytest.raises(BackendError, match="there are podman, docker"):
        detect(tmp_path, prefer="lxc")


def test_podmans_run_root_is_short_private_and_one_for_each_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("long" * 20)))
    one, other = (backends._run_root(tmp_path / name) for name in ("one", "other"))
    try:
        assert one != other
        assert one == backends._run_root(tmp_path / "one")
        assert len(str(one)) <= 50
        assert stat.S_IMODE(one.stat().st_mode) == 0o700
    finally:
        one.rmdir()
        other.rmdir()


@pytest.mark.slow
def test_containers_are_confined(backend: Podman):
    facts = (
        "import os;s=dict(l.split(':\\t',1) for l in open('/proc/self/status') if ':\\t' in l);"
        "print(os.listdir('/sys/class/net'), os.getuid());"
        "print(s['CapEff'].strip(), s['NoNewPrivs'].strip())"
    )
    ended = backend.run(base.REFERENCE, ["-c", facts], Limits())
    assert ended.text.split("\n")[:2] == ["['lo'] 65534", "0000000000000000 1"]
    write = backend.run(base.REFERENCE, ["-c", "open('/usr/x', 'w')"], Limits())
    assert "Read-only file system" in write.text


@pytest.mark.slow
def test_memory_and_processes_are_limited(backend: Podman):
    if not backend.limited:
        pytest.skip("no cgroups for this user here")
    eats = backend.run(base.REFERENCE, ["-c", "b = bytearray(300 << 20)"], Limits(memory="64m"))
    assert eats.status == 137
    forks = "import os\nfor n in range(99):\n if not os.fork(): import time; time.sleep(9)"
    ended = backend.run(base.REFERENCE, ["-c", forks], Limits(processes=20))
    assert "Resource temporarily unavailable" in ended.text


@pytest.mark.slow
def test_a_container_that_ignores_sigterm_is_ended(backend: Podman):
    text = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    started = time.monotonic()
    ended = backend.run(base.REFERENCE, ["-c", text], Limits(seconds=1))
    assert ended.timed_out
    assert time.monotonic() - started < 30
    assert left(backend) == []


@pytest.mark.slow
def test_a_failing_build_leaves_no_container_and_says_why(backend: Podman, tmp_path: Path):
    recipe = tmp_path / "Dockerfile"
    recipe.write_text('FROM localhost/release-monitor-base\nRUN ["python3", "-c", "1/0"]\n')
    with pytest.raises(BuildError) as error:
        backend.build(recipe, "localhost/release-monitor/x__1:latest")
    assert "ZeroDivisionError" in error.value.finished.text
    assert left(backend) == []


@pytest.mark.slow
def test_the_same_recipe_gives_the_same_image(backend: Podman, tmp_path: Path):
    recipe, tag = tmp_path / "Dockerfile", "localhost/release-monitor/same__1:latest"
    recipe.write_text('FROM localhost/release-monitor-base\nLABEL a="1"\n')
    first = backend.build(recipe, tag)
    backend.remove(tag)
    assert backend.image(tag) is None
    assert backend.build(recipe, tag) == first
    backend.remove(tag)


@pytest.mark.slow
@pytest.mark.parametrize("pause", [0.0, 0.3])
def test_what_a_killed_worker_left_is_swept(backend: Podman, tmp_path: Path, pause: float):
    recipe = tmp_path / "Dockerfile"
    sleep = 'RUN ["python3", "-c", "import time; time.sleep(60)"]'
    recipe.write_text(f"FROM localhost/release-monitor-base\n{sleep}\n")
    argv = [backend.builder, *backend._global(), "bud" if backend.builder == "buildah" else "build"]
    argv += ["--isolation", "chroot", "--layers", "-f", str(recipe), str(tmp_path)]
    build = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    until = time.monotonic() + 20
    while not left(backend) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(pause)
    os.killpg(build.pid, 9)
    build.wait()
    assert left(backend) != []
    assert backend.sweep()
    assert left(backend) == []


@pytest.mark.slow
def test_nobody_sweeps_while_another_worker_or_its_build_lives(backend: Podman):
    program_text = (
        "import sys, time, pathlib\n"
        "from pipeline.backends import Podman\n"
        "p = Podman(*[pathlib.Path(sys.argv[1]), *sys.argv[2:4]], sys.argv[4] or None, True,\n"
        "           pathlib.Path(sys.argv[5]))\n"
        "print(p.sweep(), flush=True)\n"
    )
    facts = [backend.builder, backend.driver, backend.runtime or "", str(backend.transient)]
    argv = [sys.executable, "-c", program_text, str(backend.state), *facts]
    root = Path(__file__).parents[2]
    assert backend.sweep()
    said = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
    backend.close()
    said = subprocess.run(argv, cwd=root, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "True"
    assert backend.sweep()


@pytest.mark.slow
def test_the_base_image_is_made_once_for_an_interpreter(backend: Podman):
    assert base.ensure(backend) == base.ensure(backend) == backend.image(base.REFERENCE)


def left(backend: Podman) -> list[str]:
    """Containers of builds and runs that are still there."""
    argv = ["podman", *backend._global(), "ps", "--all", "--external", "--quiet"]
    return child.run(argv, timeout=60).text.split()


@pytest.mark.slow
def test_podman_builds_where_buildah_is_not_installed(backend: Podman, tmp_path: Path):
    recipe, tag = tmp_path / "Dockerfile", "localhost/release-monitor/alone__1:latest"
    recipe.write_text('FROM localhost/release-monitor-base\nARG WHO\nRUN ["python3", "-V"]\n')
    alone = replace(backend, builder="podman")
    built = alone.build(recipe, tag, arguments={"WHO": "me"}, log=tmp_path / "log")
    assert alone.image(tag) == built
    assert "Python 3" in (tmp_path / "log").read_text()
    alone.remove(tag)
