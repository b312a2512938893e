"""The lab's PyPI: its shapes against recorded answers, its windows, and the real pip."""

from __future__ import annotations

import email.utils
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.answers import LabError
from tests.lab.artefacts import make_sdist, make_wheel
from tests.lab.client import get
from tests.lab.pypi_pages import JSON, accepted
from tests.lab.registry import Registry, ago


def children(element: Element) -> list[str]:
    return [child.tag for child in element]


def pip(registry: Registry, *arguments: str) -> subprocess.CompletedProcess[str]:
    alone = {"PIP_CONFIG_FILE": os.devnull, "PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}
    options = ["--isolated", "--no-cache-dir", "--disable-pip-version-check", "-q"]
    index = ["--index-url", f"{registry.pypi_url}/simple/"]
    command = [sys.executable, "-m", "pip", arguments[0], *options, *index, *arguments[1:]]
    return subprocess.run(command, env=alone, capture_output=True, text=True, check=False)


def test_project_page_has_the_recorded_keys_and_types(registry: Registry, shared: Path) -> None:
    recorded = json.loads((shared / "data/pypi/numpy-simple.json").read_text())
    registry.publish("pypi", "demo", "1.0", requires_python=">=3.8")
    ours = get(f"{registry.pypi_url}/simple/demo/", accept=JSON).json()
    assert ours.keys() == recorded.keys()
    assert ours["meta"].keys() == recorded["meta"].keys()
    for file in ours["files"]:
        assert file.keys() == recorded["files"][0].keys()
        assert file["hashes"].keys() == recorded["files"][0]["hashes"].keys()
        assert file["upload-time"].endswith("Z")


def test_project_document_has_the_recorded_keys(registry: Registry, shared: Path) -> None:
    recorded = json.loads((shared / "data/pypi/flask.json").read_text())
    registry.publish("pypi", "demo", "1.0")
    ours = get(f"{registry.pypi_url}/pypi/demo/json").json()
    assert ours.keys() == recorded.keys()
    assert ours["info"].keys() == recorded["info"].keys()
    assert ours["urls"][0].keys() == recorded["urls"][0].keys()
    assert ours["urls"][0]["digests"].keys() == recorded["urls"][0]["digests"].keys()


@pytest.mark.parametrize(("name", "window"), [("updates", 100), ("packages", 40)])
def test_feeds_have_the_recorded_elements_and_window(
    registry: Registry, shared: Path, name: str, window: int
) -> None:
    recorded = fromstring((shared / f"data/pypi/{name}.xml").read_bytes())
    for number in range(window + 5):
        registry.publish("pypi", f"p{number}", "1.0", {}, at=ago(minutes=200 - number))
    ours = fromstring(get(f"{registry.pypi_url}/rss/{name}.xml").content)
    assert ours.attrib == recorded.attrib
    assert children(ours[0])[:4] == children(recorded[0])[:4]
    assert children(ours[0]).count("item") == children(recorded[0]).count("item") == window
    items = (ours.find("channel/item"), recorded.find("channel/item"))
    assert items[0] is not None
    assert items[1] is not None
    assert children(items[0]) == children(items[1])
    for item in filter(None, items):
        date = item.findtext("pubDate") or ""
        assert date == email.utils.format_datetime(
            email.utils.parsedate_to_datetime(date), usegmt=True
        )


def test_updates_are_newest_first(registry: Registry) -> None:
    registry.publish("pypi", "old", "1.0", at=ago(days=2))
    registry.publish("pypi", "new", "1.0")
    registry.publish("pypi", "old", "1.1", at=ago(days=1))
    found = fromstring(get(f"{registry.pypi_url}/rss/updates.xml").content)
    titles = [item.findtext("title") for item in found.iter("item")]
    assert titles == ["new 1.0", "old 1.1", "old 1.0"]


def test_the_index_moves_its_serials_with_each_change(registry: Registry) -> None:
    registry.publish("pypi", "Demo_One", "1.0")
    registry.publish("pypi", "other", "1.0")

    def index() -> dict[str, int]:
        answer = get(f"{registry.pypi_url}/simple/", accept=JSON)
        assert answer.headers["x-pypi-last-serial"] == str(answer.json()["meta"]["_last-serial"])
        return {row["name"]: row["_last-serial"] for row in answer.json()["projects"]}

    before = index()
    registry.yank("pypi", "demo.one", "1.0", "broken")
    after = index()
    assert list(before) == ["Demo_One", "other"]
    assert after["Demo_One"] > max(before.values())
    assert after["other"] == before["other"]
    registry.withdraw("pypi", "Demo_One")
    assert list(index()) == ["other"]


def test_yank_shows_its_reason_and_is_taken_back(registry: Registry) -> None:
    registry.publish("pypi", "demo", "1.0")

    def yanked() -> set[bool | str]:
        page = get(f"{registry.pypi_url}/simple/demo/", accept=JSON).json()
        return {file["yanked"] for file in page["files"]}

    assert yanked() == {False}
    registry.yank("pypi", "demo", "1.0")
    assert yanked() == {True}
    registry.yank("pypi", "demo", "1.0", "broken & bad")
    assert yanked() == {"broken & bad"}
    assert 'data-yanked="broken &amp; bad"' in get(f"{registry.pypi_url}/simple/demo/").text
    registry.unyank("pypi", "demo", "1.0")
    assert yanked() == {False}


def test_versions_are_ordered_and_info_names_the_newest_that_counts(registry: Registry) -> None:
    for version in ("1.10", "1.9", "2.0rc1", "1.11", "1!0.1.dev1"):
        registry.publish("pypi", "demo", version)
    registry.yank("pypi", "demo", "1.11")
    page = get(f"{registry.pypi_url}/simple/demo/", accept=JSON).json()
    assert page["versions"] == ["1.9", "1.10", "1.11", "2.0rc1", "1!0.1.dev1"]
    document = get(f"{registry.pypi_url}/pypi/demo/json").json()
    assert document["info"]["version"] == "1.10"
    one = get(f"{registry.pypi_url}/pypi/demo/1!0.1.dev1/json").json()
    assert one["info"]["version"] == "1!0.1.dev1"
    assert "releases" not in one


def test_other_spellings_redirect_to_the_normalised_name(registry: Registry) -> None:
    registry.publish("pypi", "Demo.Lib", "1.0")
    for path in ("simple/Demo.Lib/", "simple/demo_lib/", "simple/demo-lib"):
        answer = get(f"{registry.pypi_url}/{path}")
        assert answer.status_code == 301
        assert answer.headers["location"] == f"{registry.pypi_url}/simple/demo-lib/"


def test_a_file_name_can_be_used_once_only(registry: Registry) -> None:
    registry.publish("pypi", "demo", "1.0")
    with pytest.raises(LabError, match="once only"):
        registry.publish("pypi", "demo", "1.0")


def test_quarantined_projects_are_not_served_and_archived_ones_say_so(registry: Registry) -> None:
    registry.publish("pypi", "demo", "1.0")
    registry.set_status("demo", "archived")
    page = get(f"{registry.pypi_url}/simple/demo/", accept=JSON).json()
    assert page["project-status"] == {"status": "archived"}
    registry.set_status("demo", "quarantined")
    assert get(f"{registry.pypi_url}/simple/demo/").status_code == 404


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        (JSON, JSON),
        (f"{JSON}, text/html;q=0.1", JSON),
        ("text/html, application/vnd.pypi.simple.v1+json;q=0.5", "text/html"),
        ("image/png", "text/html"),
    ],
)
def test_content_type_follows_the_accept_header(header: str, kind: str) -> None:
    assert accepted(header) == kind


@pytest.mark.parametrize("kind", ["--only-binary", "--no-binary"])
def test_the_real_pip_installs_from_it(registry: Registry, tmp_path: Path, kind: str) -> None:
    registry.publish("pypi", "Lab-Demo", "1.0")
    registry.publish("pypi", "Lab-Demo", "1.1", source="answer = 42\n")
    done = pip(registry, "install", "--target", str(tmp_path), kind, ":all:", "lab.demo==1.1")
    assert done.returncode == 0, done.stderr
    said = subprocess.run(
        [sys.executable, "-c", "import lab_demo; print(lab_demo.answer)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "42\n"


def test_the_real_pip_passes_over_yanked_and_newer_python_releases(
    registry: Registry, tmp_path: Path
) -> None:
    registry.publish("pypi", "lab-demo", "1.0")
    registry.publish("pypi", "lab-demo", "1.1")
    registry.publish("pypi", "lab-demo", "1.2", requires_python=">=99")
    registry.yank("pypi", "lab-demo", "1.1")
    done = pip(registry, "download", "--dest", str(tmp_path), "lab-demo")
    assert done.returncode == 0, done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["lab_demo-1.0-py3-none-any.whl"]


@given(st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z]{1,4})?", fullmatch=True), st.integers(0, 99))
def test_equal_arguments_give_equal_files(name: str, number: int) -> None:
    version = f"1.{number}"
    assert make_wheel(name, version) == make_wheel(name, version)
    assert make_sdist(name, version) == make_sdist(name, version)
    assert make_wheel(name, version) != make_wheel(name, version, "other = True\n")


def test_a_file_that_is_attested_has_a_provenance_object(registry: Registry) -> None:
    publisher = {"kind": "GitHub", "repository": "lab/demo", "workflow": "publish.yml"}
    registry.publish("pypi", "demo", "1.0", publisher=publisher)
    registry.publish("pypi", "demo", "1.1")
    files = get(f"{registry.pypi_url}/simple/demo/", accept=JSON).json()["files"]
    addresses = [file["provenance"] for file in files]

    found = get(addresses[0])
    assert found.headers["content-type"] == "application/vnd.pypi.integrity.v1+json"
    [bundle] = found.json()["attestation_bundles"]
    assert bundle["publisher"] == publisher
    assert addresses[2:] == [None, None]
    absent = addresses[0].replace("1.0", "1.1")
    assert get(absent).status_code == 404
