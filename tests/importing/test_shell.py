"""Recipes in shell language are followed as bash would, and nothing is run."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.importing import shell_tools
from monitor.importing.shell import UNKNOWN, read

WORDS = [
    "${pkgver//./_}",
    "${pkgver/./-}",
    "${pkgver#*.}",
    "${pkgver##*.}",
    "${pkgver%.*}",
    "${pkgver%%.*}",
    "${pkgver:0:3}",
    "${pkgver: -2}",
    "${pkgver::1}",
    "${pkgver/#1/one}",
    "${pkgver/%c1/end}",
    "${pkgname^}",
    "${pkgname^^}",
    "${pkgname%-[a-z]*}",
    "${missing:-other}",
    "${pkgname:+set}",
    "${#pkgver}",
    "$pkgname-${pkgver}",
    "'$pkgname'\"$pkgver\"",
    '"a\\"b\\$c"',
    "$(echo $pkgver | tr . _)",
    "$(echo ${pkgver} | cut -d. -f1-2)",
    "$(cut -d. -f1 <<< $pkgver)",
    "$(printf '%02d%02d' 3 7)",
    "$(echo $pkgver | sed 's/\\.//g')",
    "$(echo $pkgver | sed -E 's/([0-9]+)\\.([0-9]+).*/\\2-\\1/')",
    "$((3 * 7 + 1))",
    "$'tab\\there'",
    "a{b,c}d",
    "`echo $pkgname`",
]
GIVEN = "pkgname=foo-bin\npkgver=1.2.3_rc1\n"


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash says what is right")
@pytest.mark.parametrize("word", WORDS)
def test_a_word_expands_as_bash_expands_it(word: str) -> None:
    script = f'{GIVEN}row=({word})\nprintf "%s|" "${{row[@]}}"'
    expected = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    ).stdout
    shell = read(f"{GIVEN}row=({word})\n")
    assert "".join(f"{one}|" for one in shell.row("row")) == expected


def test_conditions_that_can_be_decided_are() -> None:
    text = """
if [[ ${PV} == *9999* ]]; then A=live; else A=release; fi
case $CARCH in x86_64) B=intel;; aarch64) B=arm;; *) B=other;; esac
[ "$PV" = 1.2 ] && C=yes || C=no
"""
    shell = read(text, {"PV": "1.2", "CARCH": "aarch64"})
    assert (shell.text("A"), shell.text("B"), shell.text("C")) == ("release", "arm", "yes")
    assert shell.elsewhere["A"] == "live"


def test_functions_and_here_documents_are_left_out() -> None:
    text = """
build() {
  echo "}" && version=wrong
}
cat <<EOF
version=wrong
EOF
version=right
one_line() { version=wrong; }
"""
    assert read(text).text("version") == "right"


def test_no_program_is_run_and_no_file_is_read(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    shell = read(f"a=$(touch {mark})\nb=`touch {mark}`\nc=$(cat /etc/hostname)\ntouch {mark}\n")
    assert not mark.exists()
    assert shell.text("a") == shell.text("b") == shell.text("c") == UNKNOWN


def test_values_that_grow_without_end_are_given_up() -> None:
    text = "a=xxxxxxxxxxxxxxxx\n" + "a=$a$a$a$a\n" * 50
    assert len(read(text).text("a")) <= 65536
    assert UNKNOWN in read("x=" + "${x:-" * 500 + "}" * 500).text("x")


@given(st.text(alphabet="ab$(){}[]'\"`\\ =;|&<>#\n!*?/:%,.-1", max_size=120))
def test_any_text_is_read_without_an_error(text: str) -> None:
    read(text)


@pytest.mark.parametrize(
    ("version", "span", "expected"),
    [
        ("1.2.3", "1-2", "1.2"),
        ("1.2.3", "2-", "2.3"),
        ("1.2b_rc3", "3", "b"),
        ("1.2", "1-9", "1.2"),
    ],
)
def test_gentoos_ver_cut_follows_its_specification(version: str, span: str, expected: str) -> None:
    assert shell_tools.ver_cut(version, span) == expected


def test_gentoos_ver_rs_follows_its_specification() -> None:
    assert shell_tools.ver_rs("1.2.3", ["1-2", "_"]) == "1_2_3"
    assert shell_tools.ver_rs("1.2.3", ["2", "-"]) == "1.2-3"
    assert shell_tools.ver_rs("1.2.3b_rc4", ["3", "-"]) == "1.2.3-b_rc4"
