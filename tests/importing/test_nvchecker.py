"""nvchecker's configuration: what its settings mean here, and what is said to be left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.importing import Imported, read


def of(tmp_path: Path, body: str) -> Imported:
    path = tmp_path / "nvchecker.toml"
    path.write_text(f"[tool]\n{body}\n", "utf-8")
    [found] = read(path)
    return found


@pytest.mark.parametrize(
    ("pattern", "replacement", "rules"),
    [
        (r"v(\d.+)-lts", r"\1", {"tag": "v{version}-lts"}),
        ("^cli/v(.*)$", r"\g<1>", {"tag": "cli/v{version}"}),
        (
            r"NSPR_(\d+)_(\d+)_RTM",
            r"\1.\2",
            {"tag": "NSPR_{version}_RTM", "transform": ("underscores",)},
        ),
        (r"(\d+)-(\d+)-(\d+)", r"\1.\2.\3", {"transform": ("dashes",)}),
        ("_", ".", {"transform": ("underscores",)}),
        ("_Linux$", "", {"tag": "{version}_Linux"}),
        ("^release-", "", {"prefix": "release-"}),
    ],
)
def test_a_rewriting_of_tags_becomes_rules(
    pattern: str, replacement: str, rules: dict[str, object], tmp_path: Path
) -> None:
    found = of(
        tmp_path,
        f"source = 'github'\ngithub = 'o/tool'\nfrom_pattern = '{pattern}'\n"
        f"to_pattern = '{replacement}'",
    )
    assert found.rules == rules
    assert found.note is None


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        ("-([a-z])", r"\1"),  # "1.0-rc" becomes "1.0rc": no tag begins with "-"
        (r"^(\d{8})\.\d{6}$", r"0.0.0.\1"),
        (r"(\d+)_(\d+)-(\d+)", r"\1.\2.\3"),
        (r"-\d$", ""),
        ("(" * 400 + "a", r"\1"),
        ("(" + "a?" * 3000 + ")", r"\1"),
    ],
)
def test_a_rewriting_that_no_rule_does_is_told(
    pattern: str, replacement: str, tmp_path: Path
) -> None:
    found = of(
        tmp_path,
        f"source = 'github'\ngithub = 'o/tool'\nfrom_pattern = '{pattern}'\n"
        f"to_pattern = '{replacement}'",
    )
    assert found.rules == {}
    assert "from_pattern is not carried over" in (found.note or "")


def test_a_page_that_is_searched_stays_that_page_and_its_archives_are_named(
    tmp_path: Path,
) -> None:
    page = of(
        tmp_path, "source='regex'\nurl='https://d.example/download'\nregex='tool-([\\w.]+).tar.xz'"
    )
    assert page.upstream == ("folder", "https://d.example/download#tool")
    assert "regex" in (page.note or "")
    own = of(tmp_path, "source='regex'\nurl='https://d.example/tool/'\nregex='tool-(.+).tar.xz'")
    assert own.upstream == ("folder", "https://d.example/tool/")
