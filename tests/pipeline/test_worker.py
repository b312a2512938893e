"""Jobs are really built, from the lab's registry, and really imported."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from monitor.recipe_names import REPOSITORY as NAMED_BY_THE_MONITOR
from monitor.recipe_names import image_reference
from pipeline.backends import BackendError, Limits, Podman
from pipeline.failures import Failure
from pipeline.worker import REPOSITORY, work, work_once
from tests.lab.artefacts import make_source_archive
from tests.pipeline.conftest import Workshop

pytestmark = pytest.mark.slow


def test_a_published_wheel_becomes_an_image_in_which_it_imports(
    backend: Podman, workshop: Workshop
):
    workshop.lab.publish("pypi", "demo-lib", "1.0")
    job = workshop.job("pypi", "demo-lib", "1.0", workshop.file("demo-lib", "1.0"))
    outcome = work_once(workshop.queue, backend, workshop.settings())

    assert outcome is not None
    assert outcome.built is not None, outcome.text
    assert outcome.built.imported == ("demo_lib",)
    assert outcome.built.installed == "1.0"
    assert backend.image(job.image) == outcome.built.image_id
    assert workshop.queue.results[job.id]["image_id"] == outcome.built.image_id
    logs = workshop.folder / "dockerimages"
    assert (logs / "demo-lib__1.0.image").read_text().strip() == outcome.built.image_id
    assert "demo" in (logs / "demo-lib__1.0.image.log").read_text()
    shown = backend.run(job.image, [], Limits())
    assert "Name: demo-lib" in shown.text


def test_a_source_archive_is_built_and_dependencies_are_resolved(
    backend: Podman, workshop: Workshop
):
    workshop.lab.publish("pypi", "demo-lib", "1.0")
    workshop.lab.publish("pypi", "demo-sdist", "2.0")
    file = workshop.file("demo-sdist", "2.0", kind=".tar.gz")
    workshop.job("pypi", "demo-sdist", "2.0", file)
    workshop.publish("top", "1", {"top.py": "import demo_lib\n"}, requires=("demo-lib>=1",))
    outcomes = list(work(workshop.queue, backend, workshop.settings(), drain=True))
    assert [o.built.imported if o.built else o.text for o in outcomes] == [
        ("demo_sdist",),
        ("top",),
    ]


def test_dependencies_are_resolved_as_of_the_releases_moment(backend: Podman, workshop: Workshop):
    workshop.lab.publish("pypi", "dep", "1.0", at="2026-01-01T00:00:00Z")
    workshop.publish(
        "top", "1", {"top.py": "import dep; print(dep.__version__)\n"}, requires=("dep",)
    )
    workshop.lab.publish("pypi", "dep", "2.0", at="2099-01-01T00:00:00Z")
    outcome = work_once(workshop.queue, backend, workshop.settings())
    assert outcome is not None
    assert outcome.built is not None, outcome.text
    log = (workshop.folder / "dockerimages/top__1.image.log").read_text()
    assert "dep-1.0" in log
    assert "dep-2.0" not in log


def test_an_archive_of_another_ecosystem_is_verified_and_unpacked(
    backend: Podman, workshop: Workshop
):
    data = make_source_archive("hello", "2.12")
    workshop.lab.publish("pypi", "carrier", "1", {"hello-2.12.tar.gz": data})
    file = workshop.file("carrier", "2.12", kind=".tar.gz")
    job = workshop.job("generic", "hello", "2.12", file)
    outcome = work_once(workshop.queue, backend, workshop.settings())
    assert outcome is not None
    assert outcome.built is not None, outcome.text
    assert backend.run(job.image, [], Limits()).text.split() == ["hello-2.12"]


def test_imports_see_no_network_and_cannot_write(backend: Podman, workshop: Workshop):
    source = """
import os
assert os.listdir("/sys/class/net") == ["lo"], "network"
assert os.getuid() == 65534, "root"
for place in ("/", os.path.dirname(__file__)):
    try:
        open(os.path.join(place, "x"), "w")
    except OSError:
        continue
    raise AssertionError("could write to " + place)
print("loud", flush=True)
"""
    workshop.publish("curious", "1", {"curious.py": source})
    outcome = work_once(workshop.queue, backend, workshop.settings())
    assert outcome is not None
    assert outcome.built is not None, outcome.text


def test_a_package_that_does_not_import_fails_with_its_error(backend: Podman, workshop: Workshop):
    workshop.publish("broken", "1", {"broken/__init__.py": "import nowhere_to_be_found\n"})
    outcome = work_once(workshop.queue, backend, workshop.settings())
    assert outcome is not None
    assert outcome.failure is Failure.IMPORT
    assert "No module named 'nowhere_to_be_found'" in outcome.text
    assert not (workshop.folder / "dockerimages/broken__1.image").exists()


def test_an_artefact_of_another_version_is_not_taken(backend: Podman, workshop: Workshop):
    workshop.publish("liar", "2.0", {"liar.py": ""}, says="1.0")
    outcome = work_once(workshop.queue, backend, workshop.settings())
    assert outcome is not None
    assert outcome.failure in {Failure.IMPORT, Failure.RESOLVE, Failure.BUILD}
    assert outcome.built is None


def test_E03_bytes_that_changed_after_the_release_are_not_installed(
    backend: Podman, workshop: Workshop
):
    workshop.lab.publish("pypi", "changed", "1.0")
    file = structs.replace(workshop.file("changed", "1.0"), digest="sha256:" + "0" * 64)
    workshop.job("pypi", "changed", "1.0", file)
    archive = workshop.lab
    archive.publish("pypi", "carrier", "1", {"x-1.tar.gz": make_source_archive("x", "1")})
    file = structs.replace(
        workshop.file("carrier", "1", kind=".tar.gz"), digest="sha256:" + "1" * 64
    )
    workshop.job("generic", "x", "1", file)
    outcomes = list(work(workshop.queue, backend, workshop.settings(), drain=True))
    assert [o.failure for o in outcomes] == [Failure.DIGEST, Failure.DIGEST], outcomes


def test_missing_dependencies_and_missing_files_are_told_apart(backend: Podman, workshop: Workshop):
    workshop.publish("needy", "1", {"needy.py": ""}, requires=("does-not-exist-anywhere",))
    workshop.lab.publish("pypi", "vanished", "1.0")
    gone = structs.replace(workshop.file("vanished", "1.0"))
    workshop.job("pypi", "vanished", "1.0", gone)
    workshop.lab.withdraw("pypi", "vanished", "1.0")
    workshop.lab.fail("/pypi/files/*vanished*", status=404, times=99)
    outcomes = list(work(workshop.queue, backend, workshop.settings(), drain=True))
    assert [o.failure for o in outcomes] == [Failure.RESOLVE, Failure.DOWNLOAD], outcomes


def test_an_import_without_end_is_ended(backend: Podman, workshop: Workshop):
    workshop.publish("endless", "1", {"endless.py": "while True: pass\n"})
    settings = workshop.settings(limits=Limits(seconds=2))
    outcome = work_once(workshop.queue, backend, settings)
    assert outcome is not None
    assert outcome.failure is Failure.TIMEOUT


@pytest.mark.parametrize("limited", [True, False], ids=["by cgroups", "without cgroups"])
def test_an_import_that_eats_the_memory_is_ended(
    backend: Podman, workshop: Workshop, limited: bool
):
    if limited and not backend.limited:
        pytest.skip("no cgroups for this user here")
    workshop.publish("greedy", "1", {"greedy.py": "x = bytearray(600 << 20)\n"})
    settings = workshop.settings(limits=Limits(memory="128m", seconds=30))
    its = replace(backend, limited=limited)
    outcome = work_once(workshop.queue, its, settings)
    assert outcome is not None
    assert outcome.failure is Failure.RESOURCES


def test_a_build_that_takes_too_long_is_ended_and_leaves_nothing(
    backend: Podman, workshop: Workshop
):
    workshop.lab.publish("pypi", "slow", "1.0")
    workshop.job("pypi", "slow", "1.0", workshop.file("slow", "1.0"))
    workshop.lab.fail("/pypi/files/*", delay=60, times=99)
    outcome = work_once(workshop.queue, backend, workshop.settings(build_seconds=2))
    assert outcome is not None
    assert outcome.failure is Failure.TIMEOUT
    assert working_containers(backend) == []


def test_I06_a_lost_lease_ends_the_build_and_nothing_is_reported(
    backend: Podman, workshop: Workshop
):
    workshop.lab.publish("pypi", "slow", "1.0")
    job = workshop.job("pypi", "slow", "1.0", workshop.file("slow", "1.0"))
    workshop.lab.fail("/pypi/files/*", delay=60, times=99)
    workshop.queue.lose_after = 1
    outcome = work_once(workshop.queue, backend, workshop.settings(lease=timedelta(seconds=3)))
    assert outcome is not None
    assert not outcome.accepted
    assert workshop.queue.renewals == 2
    assert job.id not in workshop.queue.results
    assert working_containers(backend) == []


def test_a_recipe_that_was_changed_after_queueing_is_not_built(backend: Podman, workshop: Workshop):
    job = workshop.publish("demo", "1", {"demo.py": ""})
    job.path.write_text(job.path.read_text() + "RUN id\n")
    outcome = work_once(workshop.queue, backend, workshop.settings())
    assert outcome is not None
    assert outcome.failure is Failure.INFRASTRUCTURE
    assert "changed" in outcome.text


def test_a_machine_that_cannot_build_does_not_use_up_the_queue(
    backend: Podman, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
):
    for name in ("one", "two", "three"):
        workshop.publish(name, "1", {f"{name}.py": ""})
    pauses: list[float] = []
    working = work(workshop.queue, backend, workshop.settings(), drain=True, sleep=pauses.append)
    assert next(working).built is not None
    monkeypatch.setenv("PATH", "")
    assert next(working).failure is Failure.INFRASTRUCTURE
    with pytest.raises(BackendError, match="No such file"):
        next(working)
    assert len(workshop.queue.jobs) == 1, "the third is left for others"
    assert len(pauses) == 1


def test_two_workers_share_one_storage_root(backend: Podman, workshop: Workshop):
    for name in ("left", "right"):
        workshop.publish(name, "1", {f"{name}.py": ""})
    outcomes: list[object] = []
    second = replace(backend, _lock=None)
    assert second.sweep() is False, "the first worker is at work"

    def one(its: Podman) -> None:
        outcomes.append(work_once(workshop.queue, its, workshop.settings()))

    workers = [threading.Thread(target=one, args=(its,)) for its in (backend, second)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    second.close()
    assert sorted(o.built.imported for o in outcomes) == [("left",), ("right",)]


def test_images_need_not_stay(backend: Podman, workshop: Workshop):
    job = workshop.publish("demo", "7", {"demo.py": ""})
    outcome = work_once(workshop.queue, backend, workshop.settings(keep=False))
    assert outcome is not None
    assert outcome.built is not None, outcome.text
    assert backend.image(job.image) is None


def test_an_empty_queue_ends_a_drain_at_once(backend: Podman, workshop: Workshop):
    assert list(work(workshop.queue, backend, workshop.settings(), drain=True)) == []
    assert list(work(workshop.queue, backend, workshop.settings(), once=True)) == []


def test_the_worker_and_the_monitor_agree_on_images_without_knowing_each_other(
    workshop: Workshop,
):
    job = workshop.publish("demo", "1", {"demo.py": ""})
    assert REPOSITORY == NAMED_BY_THE_MONITOR
    assert job.image == image_reference(job.recipe)


def working_containers(backend: Podman) -> list[str]:
    """What a build left behind, half a second after its end."""
    from pipeline import child

    time.sleep(0.5)
    argv = ["buildah", *backend._global(), "containers", "--quiet"]
    if backend.builder != "buildah":
        argv = ["podman", *backend._global(), "ps", "--all", "--external", "--quiet"]
    return child.run(argv, timeout=60).text.split()
