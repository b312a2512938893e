"""The native tools that judge our orders, asked in batches.

Each oracle takes pairs of versions and answers, for each pair, -1, 0, 1, or None where
the tool refuses one of the two. One process answers all pairs: `dpkg --compare-versions`
20,000 times would take a quarter of an hour, so Debian's order is asked of `Dpkg::Version`,
dpkg's own Perl code (a sample is put to the program itself as well); RPM's of the Lua inside
RPM; Maven's of the program that its artifact library is when started.

A missing tool skips its tests with the reason; where `CI` is set, it fails them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

Pairs = Sequence[tuple[str, str]]
Answers = list[int | None]

# What `make` is to install so that no oracle is missing, by oracle.
DEBIAN_PACKAGES: dict[str, tuple[str, ...]] = {
    "dpkg": ("dpkg", "libdpkg-perl", "perl"),
    "rpm": ("rpm",),
    "gem": ("ruby",),
    "perl": ("perl",),
    "npm": ("nodejs", "node-semver"),
    "maven": ("default-jre-headless", "libmaven3-core-java"),
    "composer": ("php-cli", "php-composer-semver"),
}

_MAVEN = Path("/usr/share/java/maven-artifact-3.x.jar")
_NODE_MODULES = Path("/usr/share/nodejs")
_COMPOSER = Path("/usr/share/php/Composer/Semver/autoload.php")


def missing(oracle: str) -> None:
    """Skip, or fail where CI promises the tool."""
    reason = f"{oracle} is not installed: apt-get install {' '.join(DEBIAN_PACKAGES[oracle])}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _ask(command: list[str], pairs: Pairs, env: dict[str, str] | None = None) -> Answers:
    """Tabs between the two, a line for each pair; the tool answers a line with -1, 0, 1 or `?`."""
    text = "".join([f"{a}\t{b}\n" for a, b in pairs])
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers: Answers = [None if line == "?" else int(line) for line in done.stdout.split()]
    assert len(answers) == len(pairs)
    return answers


def _have(oracle: str, program: str) -> str:
    path = shutil.which(program)
    if path is None:
        missing(oracle)
    assert path is not None
    return path


_DPKG = r"""
use strict; use warnings; use Dpkg::Version;
while (<STDIN>) {
    chomp; my @pair = split /\t/, $_, -1;
    my ($x, $y) = map { Dpkg::Version->new($_, check => 1) } @pair;
    print defined $x && defined $y ? $x <=> $y : '?', "\n";
}
"""


def dpkg(pairs: Pairs) -> Answers:
    perl = _have("dpkg", "perl")
    if subprocess.run(
        [perl, "-MDpkg::Version", "-e", "1"], capture_output=True, check=False
    ).returncode:
        missing("dpkg")
    return _ask([perl, "-e", _DPKG], pairs)


def dpkg_itself(pairs: Pairs) -> Answers:
    """One process for each question: for a sample only."""
    program = _have("dpkg", "dpkg")

    def holds(a: str, relation: str, b: str) -> bool:
        ran = subprocess.run(
            [program, "--compare-versions", a, relation, b], capture_output=True, check=False
        )
        return ran.returncode == 0

    return [1 if holds(a, "gt", b) else 0 if holds(a, "eq", b) else -1 for a, b in pairs]


def dpkg_refuses(versions: Sequence[str]) -> list[bool]:
    """Whether `dpkg --validate-version` refuses: one process for each question."""
    program = _have("dpkg", "dpkg")
    command = [program, "--validate-version", "--"]
    return [
        subprocess.run([*command, version], capture_output=True, check=False).returncode != 0
        for version in versions
    ]


_RPM = r"""
for line in io.lines() do
  local a, b = line:match("^(.-)\t(.*)$")
  local ok, answer = pcall(rpm.vercmp, a, b)
  print(ok and answer or "?")
end
"""


def rpm(pairs: Pairs, folder: Path) -> Answers:
    program = _have("rpm", "rpmlua")
    script = folder / "compare.lua"
    script.write_text(_RPM)
    return _ask([program, str(script)], pairs)


_GEM = r"""
STDIN.each_line do |line|
  a, b = line.chomp.split("\t", -1)
  ok = Gem::Version.correct?(a) && Gem::Version.correct?(b)
  puts ok ? (Gem::Version.new(a) <=> Gem::Version.new(b)) : "?"
end
"""


def gem(pairs: Pairs) -> Answers:
    return _ask([_have("gem", "ruby"), "-e", _GEM], pairs)


_PERL = r"""
use strict; use warnings; use version 0.9913;
while (<STDIN>) {
    chomp; my @pair = split /\t/, $_, -1;
    my ($x, $y) = map { version::is_lax($_) ? eval { version->parse($_) } : undef } @pair;
    print defined $x && defined $y ? $x <=> $y : '?', "\n";
}
"""


def perl(pairs: Pairs) -> Answers:
    return _ask([_have("perl", "perl"), "-e", _PERL], pairs)


def packaging(pairs: Pairs) -> Answers:
    from packaging.version import InvalidVersion, Version

    def ask(a: str, b: str) -> int | None:
        try:
            x, y = Version(a), Version(b)
        except InvalidVersion:
            return None
        return (x > y) - (x < y)

    return [ask(a, b) for a, b in pairs]


_NPM = r"""
const semver = require("semver");
const lines = require("fs").readFileSync(0, "utf8").split("\n").slice(0, -1);
console.log(lines.map((line) => {
  const [a, b] = line.split("\t").map((text) => semver.parse(text));
  return a && b ? semver.compare(a, b) : "?";
}).join("\n"));
"""


def npm(pairs: Pairs) -> Answers:
    """npm's `semver`: Debian's package of it, or the copy that npm itself carries."""
    node = _have("npm", "node")
    homes = [_NODE_MODULES]
    program = shutil.which("npm")
    if program:
        homes.append(Path(program).resolve().parents[1] / "node_modules")
    homes = [home for home in homes if (home / "semver" / "package.json").is_file()]
    if not homes:
        missing("npm")
    return _ask([node, "-e", _NPM], pairs, {"NODE_PATH": str(homes[0])})


def maven(pairs: Pairs) -> Answers:
    """Started as a program, `ComparableVersion` compares each of its arguments with the next."""
    return [answer for answer, _, _ in maven_spelled(pairs)]


def maven_spelled(pairs: Pairs) -> list[tuple[int, str, str]]:
    """Maven's answer and its canonical form of both versions."""
    java = _have("maven", "java")
    if not _MAVEN.is_file():
        missing("maven")
    signs = {"<": -1, "==": 0, ">": 1}
    answers: list[tuple[int, str, str]] = []
    for at in range(0, len(pairs), 10_000):  # what one command line holds
        versions = [version for pair in pairs[at : at + 10_000] for version in pair]
        done = subprocess.run(
            [java, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-jar", str(_MAVEN), *versions],
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        comparisons: list[int] = []
        forms: list[str] = []
        for line in done.stdout.splitlines()[1:]:
            if line.startswith("   "):
                comparisons.append(signs[line.split()[1]])
            else:
                forms.append(line.partition(" -> ")[2].rpartition("; tokens: ")[0])
        assert len(forms) == len(versions)
        pairs_of_forms = zip(forms[::2], forms[1::2], strict=True)
        answers += [
            (sign, a, b) for sign, (a, b) in zip(comparisons[::2], pairs_of_forms, strict=True)
        ]
    return answers


_COMPOSER_ASKS = r"""
require $argv[1];
$parser = new Composer\Semver\VersionParser();
while (($line = fgets(STDIN)) !== false) {
    [$a, $b] = explode("\t", rtrim($line, "\n"));
    try {
        $x = $parser->normalize($a); $y = $parser->normalize($b);
        echo version_compare($x, $y), "\n";
    } catch (UnexpectedValueException $refused) { echo "?\n"; }
}
"""


def composer(pairs: Pairs) -> Answers:
    php = _have("composer", "php")
    if not _COMPOSER.is_file():
        missing("composer")
    return _ask([php, "-r", _COMPOSER_ASKS, "--", str(_COMPOSER)], pairs)


if __name__ == "__main__":  # what the Makefile installs
    print(*sorted({name for names in DEBIAN_PACKAGES.values() for name in names}), file=sys.stdout)
