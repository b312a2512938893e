"""The recorded names of a distribution: which are right, and why the others cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.formats import archive_names, tree_json
from monitor.formats.archive_names import split
from tests.formats.answers import answer

# Names whose recorded version does not follow from the name; the reason stands with each.
AMBIGUOUS = {
    # The distribution counts the code name of a series, or the variant, as part of the version;
    # a word that nobody knows is elsewhere no part of it.
    "kodi-21.3-Omega.tar.gz": "21.3",
    "dacapo-9.12-MR1-bach.jar": "9.12-MR1",
    # The machine is counted as part of the version.
    "imx-gpu-g2d-6.4.11.p4.2-aarch64-846e12e.bin": "6.4.11.p4.2",
    "imx-gpu-viv-6.4.11.p4.2-aarch64-846e12e.bin": "6.4.11.p4.2",
    # The revision is cut in the middle: 6linaro1.
    "ux500-firmware_1.1.3-6linaro1.tar.gz": "1.1.3",
    # Two versions: the compiler's and the toolchain's. As in 7.1-1.10.1, both are taken.
    "riscv64-unknown-elf-toolchain-10.2.0-2020.12.8-x86_64-linux-centos6.tar.gz": (
        "10.2.0-2020.12.8"
    ),
    # The version is a random identifier.
    "monolite-linux-1A5E0066-58DC-428A-B21C-0AD6CDAE2789-latest.tar.gz": "428A",
}


@pytest.fixture(scope="module")
def rows(shared: Path) -> list[list[str]]:
    lines = (shared / "data" / "archive-names.tsv").read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines[1:]]


@pytest.mark.parametrize("known", [False, True], ids=["name alone", "project known"])
def test_nearly_all_recorded_names_give_the_recorded_version(
    rows: list[list[str]], known: bool
) -> None:
    wrong = [
        file
        for file, version, package in rows
        if split(file, project=package if known else None).version != version
    ]

    assert len(wrong) <= 0.005 * len(rows), wrong
    assert set(wrong) <= AMBIGUOUS.keys()


def test_each_miss_is_the_one_explained(rows: list[list[str]]) -> None:
    said = {file: split(file).version for file, _, _ in rows if file in AMBIGUOUS}

    assert said == AMBIGUOUS


def test_a_recorded_version_is_never_said_surely_and_wrongly_without_a_dot(
    rows: list[list[str]],
) -> None:
    for file, version, _ in rows:
        found = split(file)

        if found.version != version and found.version and "." not in found.version:
            assert found.confidence < 0.9, file


def test_every_recorded_name_is_read_the_short_way_as_the_long_way(
    rows: list[list[str]], shared: Path
) -> None:
    listed = tree_json.folders(answer((shared / "data/gnu/tree.json.gz").read_bytes()))
    names = {file for file, _, _ in rows} | {file[0] for folder in listed for file in folder.files}
    assert len(names) > 40_000

    for name in names:
        assert split(name) == archive_names._split_long(name, None, None, ())
