"""Files of a Python project."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats import python_files


@pytest.mark.parametrize(
    ("file", "version"),
    [
        ("foo-1.0.tar.gz", "1.0"),
        ("foo-1.0.0-py3-none-any.whl", "1.0"),
        ("foo-1.0-1-py3-none-any.whl", "1.0"),
        ("Foo-1.0.win32-py2.6.exe", "1.0"),
        ("foo-1.0.linux-x86_64.tar.gz", "1.0"),
        ("foo-1.0-1.noarch.rpm", "1.0"),
        ("foo-1.0-py2.7-macosx-10.9-x86_64.egg", "1.0"),
        ("foo-2.0rc1-py3-none-any.whl", "2.0.0-RC1"),
        ("foo-2.0.0-RC1.zip", "2.0.0-RC1"),
        ("foo-1!3.0.tar.gz", "1!3.0"),
        ("foo-4+local.1-py3-none-any.whl", "4+local.1"),
        ("foo-2004d.tar.gz", "2004d"),
    ],
)
def test_a_file_belongs_to_the_published_version_however_it_spells_it(file, version):
    versions = ["1.0", "2.0.0-RC1", "1!3.0", "4+local.1", "2004d"]
    found, strays = python_files.by_version("foo", [file], versions)

    assert (found[version], strays) == ([file], [])


@pytest.mark.parametrize("file", ["zope.interface-5.0.tar.gz", "zope_interface-5.0.tar.gz"])
def test_the_name_may_be_spelled_differently_in_a_file(file):
    found, strays = python_files.by_version("Zope.Interface", [file], ["5.0"])

    assert (found, strays) == ({"5.0": [file]}, [])


def test_a_version_without_files_is_a_version():
    assert python_files.by_version("foo", [], ["1.0"]) == ({"1.0": []}, [])


def test_without_a_list_of_versions_the_file_names_tell_them():
    files = ["foo-1.0.tar.gz", "foo-1.0-py3-none-any.whl", "foo-nonsense.zip"]

    assert python_files.by_version("foo", files) == ({"1.0": files[:2]}, ["foo-nonsense.zip"])


def test_a_file_of_another_project_or_version_is_a_stray():
    found, strays = python_files.by_version("foo", ["bar-1.0.zip", "foo-9.zip"], ["1.0"])

    assert (found, strays) == ({"1.0": []}, ["bar-1.0.zip", "foo-9.zip"])


def test_equal_versions_are_one():
    assert python_files.canonical("1.0.0") == python_files.canonical("v1")
    assert python_files.canonical("1.0.post1") == python_files.canonical("1-1")
    assert python_files.canonical("1.0") != python_files.canonical("1.0rc1")


def test_a_version_of_thousands_of_digits_does_not_hide_the_others():
    absurd = "9" * 5000
    files = ["aurora-1.0.tar.gz", f"aurora-{absurd}.tar.gz"]

    found, _ = python_files.by_version("aurora", files, ["1.0", absurd])
    alone, strays = python_files.by_version("aurora", files)

    assert found["1.0"] == alone["1.0"] == ["aurora-1.0.tar.gz"]
    assert strays == [f"aurora-{absurd}.tar.gz"]


@given(
    st.sampled_from(["foo", "Foo.Bar", "foo-2", "a_", "x"]),
    st.lists(
        st.from_regex(r"[0-9]{1,2}(\.[0-9]){0,2}(rc1|\.post1|-1|-py3|_a|\+l)?", fullmatch=True),
        unique=True,
    ),
    st.sampled_from(["", "-1", "-2abc", ".1"]),
    st.sampled_from(["-py3-none-any.whl", "-cp39-cp39-a_1.whl", ".tar.gz", "-py2.7.egg", ".zip"]),
)
def test_names_of_today_are_read_at_once_and_mean_what_the_long_way_says(
    project, versions, build, ending
):
    name = project.lower().replace("-", "_").replace(".", "_")
    files = [f"{name}-{version}{build}{ending}" for version in versions]
    spelled = {python_files.canonical(version): version for version in versions}

    found, strays = python_files.by_version(project, files, versions)

    for file in files:
        expected = python_files._version(project, file, spelled)
        assert file in (strays if expected is None else found[expected])
