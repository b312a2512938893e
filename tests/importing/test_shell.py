"""Recipes in shell language are followed as bash would, and nothing is run."""

from __future__ import annotations

import shutil
import subprocess
import sys
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


HOSTILE = {
    "a replacement for every character": f"v={'a' * 60000}\nx=${{v//a/{'b' * 60000}}}\n" * 3,
    "a pattern tried at every place": f"v={'a' * 60000}\nx=${{v/%*b/c}}\ny=${{v%%*b*c*d}}\n" * 20,
    "sed that grows with each command": f"v={'a' * 60000}\nx=$(echo $v | sed '"
    + ";".join(f"s/{a}/{b * 30}/g" for a, b in zip("abcdef", "bcdefg", strict=True))
    + "')\n",
    "an array of large values": f"a={'x' * 60000}\nb=({'$a ' * 3000})\n"
    'c=("${b[@]}" "${b[@]}")\n',
    "an array that doubles": "a=(x x x x)\n" + 'a=("${a[@]}" "${a[@]}")\n' * 60 + 'x="${a[*]}"\n',
    "loops in loops": "for a in {1..200}; do for b in {1..200}; do x+=yyyy; done; done\n" * 5,
    "quotes that never close": 'x="\n' * 30000,
    "brackets that never close": "x=$(\n" * 20000 + "y=(\n" * 20000,
    "functions that never end": "f() {\n" * 20000,
    "braces in one long word": f"x=({'{a,b}' * 20000})\ny=({'{a,' * 20000})\n",
    "nested expansions": f"x={'${x:-' * 20000}{'}' * 20000}\n",
    "branches beside many variables": "".join(f"v{n}=1\n" for n in range(4000))
    + "if false; then x=1; fi\n" * 4000,
    "more statements than any recipe": "".join(
        f"source_{n}=(https://h.example/a{n}-1.tar.gz)\n" for n in range(20000)
    ),
    "a command of a hundred thousand parts": "a|" * 50000 + "a\n",
    "numbers beyond any": "x=$((9999999999**9999999999))\na[999999999]=x\n"
    "y=$(printf '%0999999999d' 5)\n",
    "sets of characters": "x=$(echo a | tr '"
    + "".join(f"{chr(0x100 + n)}-{chr(0x10000 + n)}" for n in range(3000))
    + "' b)\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_recipe_costs_more_than_a_moment_and_a_little_memory(text: str) -> None:
    """In a process of its own, with little memory; what the recipe said before is known."""
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (10, 10))\n"
        "from monitor.importing.shell import read\n"
        "print(read(sys.stdin.read()).text('pkgname'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=f"pkgname=tool\n{text}",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("tool\n", 0), done.stderr[-500:]
