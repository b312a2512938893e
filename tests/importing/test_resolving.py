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
        ("https://d.example/pub/tool-1.2.3.tar.gz", "https://d.example/pub/#tool", False),
        ("https://d.example/tool/1.2.3/tool-1.2.3.tar.gz", "https://d.example/tool/", True),
        ("https://d.example/tool/v1.2/tool-1.2.3.tar.gz", "https://d.example/tool/", True),
        ("https://d.example/tool-1.2.3/src/tool.tar.gz", "https://d.example/#tool", True),
        ("https://d.example/x86/tool-1.2.3.zip", "https://d.example/x86/#tool", False),
        ("https://d.example/1.2/1.2.3/tool-1.2.3.tar.xz", "https://d.example/#tool", True),
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
    assert found.upstream == ("folder", "https://d.example/pub/#tool")


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


def test_in_a_shared_folder_the_archives_are_named() -> None:
    shared = of(sources=("https://d.example/pub/tool-1.2.3.tar.gz",))
    assert shared.upstream == ("folder", "https://d.example/pub/#tool")
    own = of(sources=("https://d.example/tool/tool-1.2.3.tar.gz",))
    assert own.upstream == ("folder", "https://d.example/tool/")


@pytest.mark.parametrize("file", ["tool-1.2.3.deb", "Tool-1.2.3.AppImage", "tool.tar.gz"])
def test_what_a_folder_is_not_searched_for_is_said(file: str) -> None:
    found = of(sources=(f"https://d.example/tool/1.2.3/x/{file}",))
    assert "does not read as a source archive" in (found.note or "")


def test_the_main_archive_is_known_among_what_a_recipe_bundles() -> None:
    commit = "a448a3915ddac716ce76e4b8cbf0e7f4153ed1e2"
    found = of(
        sources=(
            f"https://github.com/other/vendored/archive/{commit}.tar.gz",
            f"https://github.com/other/tool-grammar/archive/{commit}.tar.gz",
            "https://github.com/maker/tool/archive/v1.2.3.tar.gz",
        )
    )
    assert found.upstream == ("github", "maker/tool")
    # A registry's file beside an archive that cannot be placed is a part, not the thing.
    beside = of(
        sources=(
            "https://hg.d.example/tool/archive/1.2.3.tar.bz2",
            "https://repo1.maven.example/maven2/org/acme/part/9.1/part-9.1.jar",
        )
    )
    assert beside.upstream is None
    assert "hg" in (beside.reason or "")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://d.example/a/c72ad2c1-1c92-4e74-923f-a8ca1332c0cb/tool-1.2.3.sh", "one release"),
        ("https://d.example/attachments/download/6/tool-1.2.3.tar.gz", "attachment"),
        ("https://d.example/exe/fetch.php/download/tool-1.2.3.tar.gz", "question"),
        ("https://d.example/gitweb/?p=tool.git;a=snapshot;h=1.2.3;sf=tgz", "git repository"),
        ("https://distcache.freebsd.org/ports-distfiles/tool-1.2.3.tar.gz", "distribution"),
        ("https://x.example/pub/gentoo/distfiles/tool-1.2.3.tar.gz", "distribution"),
    ],
)
def test_where_the_next_release_will_not_lie_is_no_upstream(address: str, said: str) -> None:
    found = of(sources=(address,))
    assert found.upstream is None
    assert said in (found.reason or "")


@pytest.mark.parametrize(
    ("address", "kind", "project"),
    [
        (
            "https://www.apache.org/dyn/closer.lua?action=download&filename=tool/1.2.3/tool-1.2.3.tar.gz",
            "folder",
            "https://archive.apache.org/dist/tool/",
        ),
        (
            "https://c.example/team/tool.git/snapshot/tool-1.2.3.tar.gz",
            "git",
            "https://c.example/team/tool.git",
        ),
        (
            "https://b.example/rest/api/latest/projects/AP/repos/tool/archive?at=refs%2Ftags%2F1.2.3&format=tgz",
            "git",
            "https://b.example/scm/ap/tool.git",
        ),
        ("https://d.example/tool/tool123/tool-1.2.3.tar.gz", "folder", "https://d.example/tool/"),
    ],
)
def test_the_way_behind_an_address_is_found(address: str, kind: str, project: str) -> None:
    assert of(sources=(address,)).upstream == (kind, project)


@pytest.mark.parametrize(
    ("address", "instead"),
    [
        (
            "https://www.cpan.org/authors/id/A/AB/ABIGAIL/Tool-1.2.3.tar.gz",
            "folder/https://www.cpan.org/authors/id/A/AB/ABIGAIL/#Tool",
        ),
        (
            "https://download.kde.org/stable/release-service/1.2.3/src/tool-1.2.3.tar.xz",
            "folder-tree/https://download.kde.org/stable/release-service/#tool",
        ),
        ("https://pecl.php.net/get/tool-1.2.3.tgz", "pecl/tool"),
        ("https://downloads.sourceforge.net/project/tool/tool-1.2.3.tar.gz", None),
    ],
)
def test_what_lacks_a_provider_is_asked_in_the_best_other_way(
    address: str, instead: str | None
) -> None:
    found = of(sources=(address,))
    assert found.state == "lacking"
    assert found.instead == instead
