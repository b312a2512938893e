"""`monitor version` answers on standard output, one line for one question."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli.version import version
from monitor.ordering import schemes

PROGRAM = [sys.executable, "-c", "from monitor.cli.version import version; version()"]


def run(*arguments: str, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(version, arguments, input=stdin)


def objects(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    ("scheme", "a", "b", "sign"),
    [
        ("pep440", "1.0rc1", "1.0", "<"),
        ("pep440", "1.0", "1.0.0", "="),
        ("semver", "1.10.0", "1.9.0", ">"),
        ("debian", "1.0~rc1", "1.0", "<"),
        ("generic", "master", "0.1", "<"),
    ],
)
def test_compare_prints_how_a_stands_to_b(scheme: str, a: str, b: str, sign: str) -> None:
    result = run("compare", scheme, a, b)

    assert (result.stdout, result.exit_code) == (sign + "\n", 0)


def test_compare_says_why_what_it_cannot_read_is_below() -> None:
    result = run("compare", "semver", "1.0.0", "1.0\x1b[2J")

    assert (result.stdout, result.exit_code) == (">\n", 0)
    assert result.stderr.count("\n") == 1
    assert "is no version of scheme semver: " in result.stderr
    assert "\x1b" not in result.stderr


def test_a_version_that_begins_with_a_dash_can_be_compared() -> None:
    assert run("compare", "generic", "--", "-1", "1").exit_code == 0


@pytest.mark.parametrize(
    "question", [("compare", "bogus", "1", "2"), ("sort", "bogus"), ("latest", "bogus")]
)
def test_an_unknown_scheme_is_a_wrong_question_answered_in_one_line(
    question: tuple[str, ...],
) -> None:
    result = run(*question, stdin="1.0\n")

    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert all(scheme in result.stderr for scheme in schemes())


def test_sort_puts_lowest_first_and_what_it_cannot_read_below_all() -> None:
    result = run("sort", "pep440", stdin="1.10\n1.9\nnonsense\n\n1.0rc1\n1.0")

    assert result.stdout.split() == ["nonsense", "1.0rc1", "1.0", "1.9", "1.10"]


def test_sort_reverse_puts_highest_first() -> None:
    assert run("sort", "semver", "-r", stdin="1.0.0\n2.0.0\n").stdout.split() == ["2.0.0", "1.0.0"]


def test_sort_unique_keeps_the_first_of_equal_versions() -> None:
    result = run("sort", "pep440", "--unique", stdin="1.0\n2\n1.0.0\n1\n")

    assert result.stdout.split() == ["1.0", "2"]


def test_sort_keeps_equal_versions_in_their_order() -> None:
    result = run("sort", "pep440", stdin="1.0.0\n1\n1.0\n")

    assert result.stdout.split() == ["1.0.0", "1", "1.0"]


def test_split_prints_one_object_a_line_in_order() -> None:
    lines = ["boost_1_84_0.tar.bz2", "", "v1.2", "https://x.example/foo-1.0.tar.gz.sig"]

    first, second, third, fourth = objects(run("split", stdin="\n".join(lines) + "\n"))

    assert [one["input"] for one in (first, second, third, fourth)] == lines
    assert first == {
        "input": "boost_1_84_0.tar.bz2",
        "name": "boost",
        "version": "1_84_0",
        "kind": "source",
        "extension": "tar.bz2",
        "platform": None,
        "confidence": 0.95,
        "alias_version": "1.84.0",
    }
    assert (second["name"], second["version"]) == (None, None)
    assert (third["name"], third["version"]) == (None, "1.2")
    assert (fourth["kind"], fourth["extension"]) == ("signature", "tar.gz.sig")


def test_split_takes_the_name_of_the_project() -> None:
    (found,) = objects(run("split", "--project", "less", stdin="less643.tar.gz"))

    assert (found["name"], found["version"]) == ("less", "643")


def test_split_takes_windows_line_ends() -> None:
    first, second = objects(run("split", stdin="a-1.0.zip\r\nb-2.0.zip\r\n"))

    assert (first["version"], second["input"]) == ("1.0", "b-2.0.zip")


def test_split_answers_bytes_that_are_no_text_and_goes_on() -> None:
    broken, sound = objects(run("split", stdin=b"foo\xff-1.0.tar.gz\nfoo-2.0.tar.gz\n"))

    assert (broken["kind"], broken["version"]) == ("unknown", None)
    assert broken["input"].encode("utf-8", "surrogateescape") == b"foo\xff-1.0.tar.gz"
    assert sound["version"] == "2.0"


def test_split_keeps_its_count_over_the_borders_of_what_arrives_at_once() -> None:
    many = [f"name-{n}.{n}.tar.gz" for n in range(10_000)]

    found = objects(run("split", stdin="\n".join(many)))

    assert [one["input"] for one in found] == many


def test_split_answers_a_line_before_the_next_one_comes() -> None:
    with subprocess.Popen(
        [*PROGRAM, "split"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"foo-1.0.tar.gz\n")
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        process.stdin.write(b"foo-1.1.tar.gz")
        process.stdin.close()
        second = json.loads(process.stdout.readline())

    assert [first["version"], second["version"]] == ["1.0", "1.1"]


def test_latest_is_the_newest_release_as_it_was_written() -> None:
    lines = "v1.0\nv2.0-rc1\nv1.10\nmaster\n20160708\nv1.9\n"

    assert run("latest", "generic", stdin=lines).stdout == "v2.0-rc1\n"
    assert run("latest", "generic", "--stable", stdin=lines).stdout == "v1.10\n"


def test_latest_of_each_series_begins_with_the_highest() -> None:
    lines = "4.2.1\n5.0.1\n4.2.16\n5.1rc1\n5.0.9\n"

    heads = run("latest", "pep440", "--stable", "--streams", stdin=lines).stdout.split()

    assert heads[0] == "5.0.9"
    assert "4.2.16" in heads
    assert not {"5.1rc1", "4.2.1", "5.0.1"} & set(heads)


def test_latest_as_json_says_why() -> None:
    (found,) = objects(run("latest", "pep440", "--json", stdin="1.0\n2.0rc1\n"))

    assert found["version"] == "2.0rc1"
    assert found["stable"] is False
    assert found["reason"]


def test_latest_of_nothing_is_no_answer() -> None:
    result = run("latest", "pep440", "--stable", stdin="1.0rc1\nnonsense\n")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: no stable version among 2 lines of standard input\n"


def test_schemes_lists_each_with_one_line() -> None:
    lines = run("schemes").stdout.splitlines()

    assert [line.split()[0] for line in lines] == list(schemes())
    assert all(len(line.split()) > 2 for line in lines)


def test_schemes_as_json_say_the_same() -> None:
    lines = objects(run("schemes", "--json"))

    assert [line["scheme"] for line in lines] == list(schemes())
    assert all(line["order"] in run("schemes").stdout for line in lines)


def test_what_is_far_too_long_is_not_repeated_whole() -> None:
    result = run("compare", "generic", "1." * 5000 + "1", "1")

    assert result.stdout == "<\n"
    assert "10001 characters" in result.stderr
    assert len(result.stderr) < 300


LINES = {
    "empty": b"\n\n",
    "one long line": b"a" * 1_000_000,
    "only digits": b"7" * 1_000_000,
    "ten thousand numbers": b"foo-" + b".".join([b"1"] * 10_000) + b".tar.gz",
    "three hundred bytes": b"foo-" + b"1." * 148 + b"zip",
    "nothing but separators": b"-" * 500,
    "nul": b"foo\0-1.0.zip",
    "a lone carriage return": b"foo-1.0.zip\rbar-1.0.zip",
    "other line ends": "foo\u2028-1.0.zip\x85-2.0.zip".encode(),
    "no text": bytes(range(128, 256)),
    "other digits": "foo-１.２.zip".encode(),
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_every_line_gets_an_answer_and_the_next_one_too(line: bytes) -> None:
    found = objects(run("split", stdin=line + b"\nfoo-2.0.tar.gz"))

    assert len(found) == line.count(b"\n") + 2
    assert found[0]["input"].encode("utf-8", "surrogateescape") == line.partition(b"\n")[0]
    assert (found[-1]["name"], found[-1]["version"]) == ("foo", "2.0")


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
@pytest.mark.parametrize("command", ["split", "sort generic"])
def test_a_closed_stream_is_no_mistake_of_the_program(command: str, closed: str) -> None:
    program = f"{sys.executable} -c 'from monitor.cli import main; main()' version {command}"

    result = subprocess.run(["sh", "-c", f"{program} {closed}"], capture_output=True, check=False)

    assert result.returncode == (0 if closed == "<&-" else 1)
    assert b"mistake" not in result.stderr


@pytest.mark.parametrize("arguments", [["split"], ["sort", "generic"]])
def test_a_reader_that_leaves_early_causes_no_traceback(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    names = b"".join(b"foo-%d.0.tar.gz\n" % n for n in range(5000))

    result = subprocess.run(
        [*PROGRAM, *arguments], input=names, stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)

    assert b"Traceback" not in result.stderr


def test_compare_starts_without_what_only_the_other_commands_need() -> None:
    code = (
        "import sys; from monitor.cli.version import version;"
        "version(['compare', 'generic', '1', '2'], standalone_mode=False);"
        "print(sorted({'msgspec', 'monitor.judge', 'monitor.formats'} & set(sys.modules)))"
    )

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert result.stdout.split() == [b"<", b"[]"]
