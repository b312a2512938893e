"""Fault C14 without settings: which tags in a list are the project's own."""

from __future__ import annotations

import pytest

from monitor.judge import newest
from tests.judge.builders import by_version, judged

OWN = ("v2.40.0", "v2.41.0", "v2.42.1")


def spelled(*tags: str, project: str | None = None) -> str | None:
    found = newest(judged(*tags, project=project)).stable
    return found.candidate.version if found else None


@pytest.mark.parametrize(
    "part", ["dua-core-v3.1.0", "sdk/typescript/v2.42.1", "pr-37967-screenshots-v7"]
)
@pytest.mark.parametrize("project", [None, "dua"])
def test_C14_a_part_of_the_repository_is_not_newest(part, project):
    verdicts = judged(*OWN, "dua-core-v2.0.0", part, project=project)

    assert newest(verdicts).stable.candidate.version == "v2.42.1"
    assert by_version(verdicts)[part].rule == "other-name"


def test_C14_other_products_in_a_list_of_installers_are_not_newest():
    known = ("3.12.1", "3.13.0", "3.14.7", "3.15.0rc1")

    assert spelled(*known, "miniforge3-26.3.2-3", "pypy3.11-7.3.20") == "3.14.7"


def test_a_project_that_begins_to_write_its_name_goes_on():
    assert spelled("v1.7", "v1.8", "v1.9", "foo-2.0", "foo-2.1") == "foo-2.1"
    assert spelled("v1.0", "release-1.1", "foo-1.2") == "foo-1.2"
    assert spelled("v1.2", "1.2.1", "release-1.3", "foo-1.4", "1.5-rc1", "20160708") == "foo-1.4"


@pytest.mark.parametrize("part", ["kuttl/v2.0.0", "pr-379-shots-v2"])
def test_c14_a_folder_or_a_mere_number_does_not_go_on_with_the_count(part):
    assert spelled("1.41.0", "1.42.1", "1.42.3", part) == "1.42.3"
    assert spelled("1.41.0", "1.42.1", "1.42.3", "kn-2.0.0") == "kn-2.0.0"


def test_c14_a_part_of_the_project_does_not_go_on_with_its_count():
    assert spelled("2.41.0", "2.42.0", "2.42.1", "dua-core-v3.0.0", project="dua") == "2.42.1"
    assert spelled("2.41.0", "2.42.0", "2.42.1", "dua-v3.0.0", project="dua") == "dua-v3.0.0"


def test_a_project_that_ceases_to_write_its_name_goes_on():
    assert spelled("curl-7_9", "curl-8_0", "curl-8_1_0", "v8.2") == "v8.2"


def test_C14_a_number_far_off_is_of_another_package():
    assert spelled("v0.37.0", "v0.38.0", "v0.39.1", "charts-1.13.2") == "v0.39.1"


def test_where_all_tags_have_names_none_is_preferred():
    assert spelled("jdk8u402-b06", "jdk-21.0.1", "jdk-21.0.2") == "jdk-21.0.2"


def test_a_word_beside_few_versions_says_that_they_are_not_finished():
    known = ("1.6.0", "1.7.1", "rc-1", "rc-2", "rc-3", "test-release-9", "weekly.2026.08")

    assert spelled(*known) == "1.7.1"
    assert spelled("rc/v4.1.0.1", "v3.10.0", "v3.11.1") == "v3.11.1"


def test_a_word_that_all_tags_have_says_nothing():
    assert spelled("dev-2025-01", "dev-2025-02") == "dev-2025-02"
