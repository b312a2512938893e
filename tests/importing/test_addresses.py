"""Addresses name the upstream they belong to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.homes import home_of
from monitor.importing.addresses import is_distribution, place, repository_of


@pytest.mark.parametrize(
    ("address", "kind", "project"),
    [
        ("https://github.com/owner/name/archive/v1.tar.gz", "github", "owner/name"),
        ("git+https://github.com/owner/na.me.git#tag=v1", "github", "owner/na.me"),
        ("git@github.com:owner/name.git", "github", "owner/name"),
        ("https://codeload.github.com/owner/name/tar.gz/v1", "github", "owner/name"),
        ("https://api.github.com/repos/owner/name/tags", "github", "owner/name"),
        ("https://gitlab.com/a/b/c/-/archive/v1/c-v1.tar.gz", "gitlab", "a/b/c"),
        ("https://gitlab.com/a/b/repository/v1/archive.tar.gz", "gitlab", "a/b"),
        ("https://gitlab.com/api/v4/projects/a%2Fb/packages/1", "gitlab", "a/b"),
        ("https://git.sr.ht/~who/what/archive/1.tar.gz", "git", "https://git.sr.ht/~who/what"),
        ("mirror://sourceforge/proj/file-1.tar.gz", "sourceforge", "proj"),
        ("https://proj.sourceforge.net/", "sourceforge", "proj"),
        ("mirror://gnu/make/make-4.tar.gz", "gnu", "make"),
        ("mirror://pypi/f/foo/foo-1.tar.gz", "pypi", "foo"),
        ("mirror://cpan/authors/id/A/AB/ABC/Foo-Bar-1.2.tar.gz", "cpan", "Foo-Bar"),
        ("https://metacpan.org/pod/Foo::Bar", "cpan", "Foo-Bar"),
        ("https://cran.r-project.org/src/contrib/foo.bar_1.2-3.tar.gz", "cran", "foo.bar"),
        ("https://repo1.maven.org/maven2/org/acme/tool/1.2/tool-1.2.jar", "maven", "org.acme:tool"),
        ("https://download.kde.org/stable/frameworks/6.1/karchive-6.1.0.tar.xz", "kde", "karchive"),
        ("https://www.x.org/archive/individual/lib/libX11-1.8.tar.xz", "xorg", "lib/libX11"),
        ("https://cdn.kernel.org/pub/linux/utils/foo/foo-1.2.tar.xz", "kernel", "foo"),
        ("https://registry.js.example/@scope/name/-/name-1.2.tgz", "npm", "@scope/name"),
        ("https://web.archive.org/web/2020/https://github.com/o/n/archive/1.zip", "github", "o/n"),
        ("https://mirror.example/debian/pool/main/f/foo/foo_1.orig.tar.gz", "debian", "foo"),
    ],
)
def test_an_address_names_its_upstream(address: str, kind: str, project: str) -> None:
    found = place(address)
    assert found is not None
    assert (found.kind, found.project) == (kind, project)


def test_the_page_of_a_python_project_names_it() -> None:
    found = place(home_of("pkg:pypi/pip") + "/project/Some.Thing/1.2/")
    assert found is not None
    assert found.upstream == ("pypi", "Some.Thing")


def test_a_file_by_its_digest_names_its_project() -> None:
    found = place(f"https://files.registry.example/packages/ab/cd/{'e' * 60}/some_thing-1.2.tar.gz")
    assert found is not None
    assert found.upstream == ("pypi", "some_thing")


def test_an_own_server_keeps_its_address() -> None:
    found = place("https://gitlab.forge.example/group/tool/-/archive/1.0/tool-1.0.tar.gz")
    assert found is not None
    assert found.settings == {"url": "https://gitlab.forge.example"}
    assert found.repository == "https://gitlab.forge.example/group/tool.git"


@pytest.mark.parametrize(
    "address",
    [
        "https://dist.example.org/foo-1.2.tar.gz",
        "https://github.com/sponsors/someone",
        "mirror://nobody/x",
        "",
    ],
)
def test_an_unknown_address_belongs_nowhere(address: str) -> None:
    assert place(address) is None


def test_what_a_distribution_keeps_is_no_upstream() -> None:
    assert is_distribution("mirror://gentoo/foo-1.2.tar.xz")
    assert is_distribution("https://dev.gentoo.org/~who/foo-1.2.tar.xz")
    assert not is_distribution("https://github.com/owner/name/archive/1.tar.gz")


def test_a_repository_is_spelled_as_git_asks_it() -> None:
    assert repository_of("git+https://h.example/a.git#tag=1") == "https://h.example/a.git"
    assert repository_of("git@h.example:a/b.git") == "https://h.example/a/b.git"
    assert repository_of("svn://h.example/a") is None


@given(st.text(max_size=200))
def test_any_text_is_looked_at_without_an_error(text: str) -> None:
    place(text)
    place("https://" + text)
