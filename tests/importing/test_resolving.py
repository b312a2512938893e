"""Recipes resolve to the best upstream, with tags, folders, and reasons."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import convert

from monitor.importing.resolving import resolved
from monitor.importing.result import Imported, Recipe
from monitor.rules import Rules, template

KNOWN = ("github", "pypi", "gnu", "git", "folder", "crates", "rsync")
BASE = Recipe(name="tool", origin="here:1", version="1.2.3")


def of(**facts: object) -> Imported:
    return resolved(replace(BASE, **facts), KNOWN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "folder", "tree"),
    [
        ("https://d.example/pub/tool-1.2.3.tar.gz", "https://d.example/pub/", False),
        ("https://d.example/tool/1.2.3/tool-1.2.3.tar.gz", "https://d.example/tool/", True),
        ("https://d.example/tool/v1.2/tool-1.2.3.tar.gz", "https://d.example/tool/", True),
        ("https://d.example/tool-1.2.3/src/tool.tar.gz", "https://d.example/", True),
        ("https://d.example/x86/tool-1.2.3.zip", "https://d.example/x86/", False),
        ("https://d.example/1.2/1.2.3/tool-1.2.3.tar.xz", "https://d.example/", True),
    ],
)
def test_a_folder_is_cut_before_what_names_the_version(
    address: str, folder: str, tree: bool
) -> None:
    found = of(sources=(address,))
    assert found.upstream == ("folder", folder)
    assert bool(found.settings.get("tree")) is tree


@pytest.mark.parametrize(
    ("tag", "rules"),
    [
        ("v1.2.3", {}),
        ("1.2.3", {}),
        ("tool-1.2.3", {}),
        ("cli/v1.2.3", {"tag": "cli/v{version}"}),
        ("v1_2_3", {"transform": ("underscores",)}),
        ("OTHER_1_2_3", {"tag": "OTHER_{version}", "transform": ("underscores",)}),
    ],
)
def test_a_tag_that_needs_a_template_gets_one(tag: str, rules: dict[str, object]) -> None:
    found = of(sources=(f"https://github.com/owner/tool/archive/{tag}.tar.gz",))
    assert found.upstream == ("github", "owner/tool")
    assert found.rules == rules
    judged = convert(found.rules, Rules)
    if judged.tag:
        assert template(judged.tag, "owner/tool").match(tag)


def test_a_forge_comes_before_a_repository_and_that_before_a_folder() -> None:
    archive = "https://d.example/tool/tool-1.2.3.tar.gz"
    assert of(sources=(archive,)).upstream == ("folder", "https://d.example/tool/")
    assert of(sources=(archive,), repositories=("https://h.example/t.git",)).upstream == (
        "git",
        "https://h.example/t.git",
    )
    forge = "https://github.com/o/tool/archive/1.2.3.zip"
    assert of(sources=(forge,), repositories=("https://h.example/t.git",)).upstream == (
        "github",
        "o/tool",
    )


def test_an_archive_of_something_else_does_not_decide() -> None:
    found = of(
        sources=(
            "https://d.example/pub/tool-1.2.3.tar.gz",
            "https://github.com/else/where/archive/9.zip",
        )
    )
    assert found.upstream == ("folder", "https://d.example/pub/")


def test_a_lacking_provider_is_a_state_of_its_own_with_another_way() -> None:
    found = of(sources=("https://gitlab.com/group/tool/-/archive/1.2.3/tool-1.2.3.tar.gz",))
    assert (found.state, found.upstream) == ("lacking", ("gitlab", "group/tool"))
    assert found.instead == "git+https://gitlab.com/group/tool.git"
    assert "gitlab" in (found.reason or "")
    gem = of(upstream=("rubygems", "rake"))
    assert (gem.state, gem.purl) == ("lacking", "pkg:gem/rake")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"sources": ("https://d.example/get.php?file=1",)}, "question"),
        ({"sources": ("https://d.example/tool-latest.zip",)}, "does not name the version"),
        ({"sources": ("svn+https://d.example/svn/trunk",)}, "svn"),
        ({"sources": ("mirror://gentoo/tool-1.2.3.tar.gz",)}, "distribution"),
        ({}, "no source"),
        ({"reason": "a metapackage"}, "a metapackage"),
    ],
)
def test_without_an_upstream_there_is_a_reason(facts: dict[str, object], said: str) -> None:
    found = of(**facts)
    assert found.state == "unresolved"
    assert said in (found.reason or "")


def test_what_was_not_carried_over_or_is_less_than_certain_is_said() -> None:
    assert "homepage" in (of(homepage=("https://github.com/o/tool",)).note or "")
    assert "https" in (of(sources=("ftp://d.example/pub/tool-1.2.3.tar.gz",)).note or "")
    assert "top of a server" in (of(sources=("https://d.example/tool-1.2.3.tar.gz",)).note or "")
