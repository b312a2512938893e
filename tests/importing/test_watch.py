"""uscan's watch files beyond the plain ones that `made` makes up."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.importing import Imported, read


def of(tmp_path: Path, text: str) -> Imported:
    path = tmp_path / "tool" / "debian" / "watch"
    path.parent.mkdir(parents=True)
    path.write_text(text, "utf-8")
    [found] = read(path)
    return found


REDIRECTOR = "https://qa.debian.org/cgi-bin/fakeupstream.cgi?upstream="


@pytest.mark.parametrize(
    ("text", "upstream"),
    [
        ("Version: 5\n\nTemplate: CRAN\nPackage: tool\n", ("cran", "tool")),
        ("Version: 5\n\nTemplate: Crates\nDist: tool\n", ("crates", "tool")),
        (f"version=4\n{REDIRECTOR}crates.io/tool .*/tool-(\\d.*)/download\n", ("crates", "tool")),
        (
            f"version=4\n{REDIRECTOR}npmjs/@scope/tool .*=tool-(\\d.*)\\.tgz\n",
            ("npm", "@scope/tool"),
        ),
        (
            "version=4\nhttps://cpan.metacpan.org/authors/id/ .*/Tool-Kit@ANY_VERSION@.*\n",
            ("cpan", "Tool-Kit"),
        ),
    ],
)
def test_where_a_watch_file_leads(text: str, upstream: tuple[str, str], tmp_path: Path) -> None:
    assert of(tmp_path, text).upstream == upstream


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"version=4\n{REDIRECTOR}SVN_r/https://s.example/ .*\n", "redirector"),
        ("Version: 5\n\nTemplate: Frobnicate\nDist: tool\n", "template 'frobnicate'"),
        ("version=4\n", "watches nothing"),
    ],
)
def test_what_leads_nowhere_says_why(text: str, said: str, tmp_path: Path) -> None:
    found = of(tmp_path, text)
    assert found.upstream is None
    assert said in (found.reason or "")


def test_who_follows_commits_is_told_that_releases_are_watched(tmp_path: Path) -> None:
    found = of(tmp_path, 'version=4\nopts="mode=git" https://g.example/tool.git HEAD\n')
    assert found.upstream == ("git", "https://g.example/tool.git")
    assert "newest commit" in (found.note or "")
