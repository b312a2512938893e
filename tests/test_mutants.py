"""A test of a fault would fail if the behaviour were taken away: a sample, tried for real.

Each mutant takes one safeguard out of a copy of the program; the tests named
beside it must notice. A mutant whose text is no longer there must be renewed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("monitor", "providers", "spiders", "pipeline", "tests", "config", "demo", "docs", "bench",
          "examples", "systemd", "pyproject.toml", "README.md")  # fmt: skip

pytestmark = [pytest.mark.slow]


@dataclass(frozen=True)
class Mutant:
    """`old` becomes `new` in `file`; the tests chosen by `tests` and `word` must fail."""

    what: str
    file: str
    old: str
    new: str
    tests: str
    word: str = ""


MUTANTS = [
    Mutant(
        "a release that is not attested as those before is built (E06)",
        "monitor/publish.py",
        "if rule is not None and kind.value in rule.hold and row",
        "if False and row",
        "tests/test_traits_end_to_end.py",
        "E06",
    ),
    Mutant(
        "an attestation that cannot be had is taken for none (E08)",
        "monitor/inquiries.py",
        "if problem.outcome is not Outcome.GONE:",
        "if False:",
        "tests/test_traits_end_to_end.py",
        "E08",
    ),
    Mutant(
        "what is held is taken for what is usual (E06)",
        "monitor/store/traits.py",
        "AND NOT EXISTS (SELECT 1 FROM hold",
        "AND EXISTS (SELECT 1 FROM project) OR EXISTS (SELECT 1 FROM hold",
        "tests/test_traits_end_to_end.py",
        "E06",
    ),
    Mutant(
        "an archive's content is not compared (E04)",
        "monitor/digests.py",
        "    if content == file.content:\n        db.execute",
        "    if True:\n        db.execute",
        "tests/test_generated_archives.py",
    ),
    Mutant(
        "a decompression bomb is let through (A15)",
        "spiders/careful.py",
        "if spool.size > (limits.max_decompressed or 0):",
        "if False:",
        "tests/spiders",
        "a15 or A15",
    ),
    Mutant(
        "an IPv4 address inside an IPv6 one is not looked at (G01)",
        "spiders/guard.py",
        "if (inner := ip.ipv4_mapped or ip.sixtofour) is not None:",
        "if (inner := None) is not None:",
        "tests/spiders/test_guard.py",
    ),
    Mutant(
        "rsync's arguments are not ended before the address (F17)",
        "spiders/rsync.py",
        '            "--",\n',
        "",
        "tests/spiders/test_children.py",
    ),
    Mutant(
        "entities of a feed are read (B09)",
        "monitor/formats/rss.py",
        'if "<!DOCTYPE" in prolog.upper() or "<!ENTITY" in text:',
        "if False:",
        "tests/formats/test_rss.py",
    ),
    Mutant(
        "the loss of everything is believed (B02)",
        "monitor/plausible.py",
        "if live and dropped >= live:",
        "if False:",
        "tests/test_plausible.py",
    ),
    Mutant(
        "a feed's gap is not noticed (D01)",
        "monitor/plausible.py",
        "return bool(previous) and previous.isdisjoint(map(_digest, page))",
        "return False",
        "tests/test_plausible.py",
    ),
    Mutant(
        "a serial that goes back is believed (D04)",
        "monitor/plausible.py",
        "if not _serial(stored) or not _serial(answered) or int(answered) >= int(stored):",
        "if True:",
        "tests/store/test_cursors.py",
        "D04 or A32",
    ),
    Mutant(
        "a source that stands still is not told (D05)",
        "monitor/store/standstill.py",
        "lags = behind is not None and",
        "lags = False and behind is not None and",
        "tests/test_bulk_faults.py",
        "D05",
    ),
    Mutant(
        "a file that was written anew is read on where it was left (D08)",
        "monitor/formats/growing.py",
        "if len(seam) < overlap or _digest(seam) != known[3]:",
        "if False:",
        "tests/formats/test_growing.py",
    ),
    Mutant(
        "a name that was given to somebody else is not noticed (D13)",
        "monitor/store/recorder.py",
        "if former and not same and not aliases:",
        "if False:",
        "tests/test_bulk_faults.py",
        "D13",
    ),
    Mutant(
        "a stale worker's write is taken (D18)",
        "monitor/store/record.py",
        '_OURS = f"(:lease IS NULL OR leased = :lease - {LEASE})"',
        '_OURS = "true"',
        "tests/store/test_due.py",
        "D18",
    ),
    Mutant(
        "an upstream value is not checked before it stands in a recipe (F07)",
        "monitor/dockerfile.py",
        "if (pattern or PATTERNS[what]).fullmatch(value):",
        "if True:",
        "tests/test_dockerfile.py",
    ),
    Mutant(
        "a page of the feed is written over (decision 4)",
        "monitor/outputs/json_feed.py",
        "write_whole(self._file(number), data, replace=False)",
        "write_whole(self._file(number), encoded(document | {'x': self.head}))",
        "tests/outputs/test_json_feed.py",
    ),
    Mutant(
        "the next page takes over what was altered on disk (E23)",
        "monitor/outputs/json_feed.py",
        "return known or digest(found[0])",
        "return digest(found[0])",
        "tests/outputs/test_seal.py",
    ),
    Mutant(
        "the head of a quiet feed is not issued anew (E24)",
        "monitor/outputs/json_feed.py",
        "since <= self.at < since + max(1, valid // ISSUES)",
        "True",
        "tests/outputs/test_seal.py",
    ),
    Mutant(
        "an old release with a high number is announced (C15)",
        "monitor/store/changeset.py",
        "if rule == OLDER:",
        "if False:",
        "tests/cli/test_proposals.py",
        "C15",
    ),
    Mutant(
        "what a stranger shows takes over (E21)",
        "monitor/judge/judging.py",
        "if c.outside is not None:",
        "if False:",
        "tests/store/test_mirrors.py",
        "E21",
    ),
    Mutant(
        "a stranger is asked about a release of our own (E21)",
        "monitor/store/traits.py",
        "able = able & ranks.ids",
        "able = able",
        "tests/store/test_mirrors.py",
        "E21",
    ),
    Mutant(
        "what rises in a believed feed is announced (C16)",
        "monitor/store/changeset.py",
        "return [one for one in late if self.is_news(one)]",
        "return late",
        "tests/store/test_mirrors.py",
        "C16",
    ),
    Mutant(
        "two letters changed about are not noticed (E20)",
        "monitor/lookalike.py",
        "return swapped or a[n + 1 :] == b[n + 1 :]",
        "return a[n + 1 :] == b[n + 1 :]",
        "tests/test_lookalike.py",
    ),
    Mutant(
        "a planted symlink is followed (F06)",
        "monitor/outputs/files.py",
        "if stat.S_ISREG(kind):",
        "if True:",
        "tests/outputs/test_files.py",
    ),
    Mutant(
        "a credential that others can read is taken (G12)",
        "spiders/credentials.py",
        "if mode & others:",
        "if False:",
        "tests/spiders",
        "g12 or G12",
    ),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program, to be spoilt."""
    folder = tmp_path_factory.mktemp("mutants")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, folder / name)
    return folder


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_taking_a_safeguard_away_is_noticed(copy: Path, mutant: Mutant) -> None:
    file = copy / mutant.file
    sound = file.read_text()
    assert sound.count(mutant.old) == 1, f"renew the mutant: {mutant.old!r} in {mutant.file}"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", mutant.tests]
    if mutant.word:
        command += ["-k", mutant.word]
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    environment |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.setdefault("MONITOR_SHARED", str(ROOT.parent / "shared"))
    file.write_text(sound.replace(mutant.old, mutant.new))
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
    finally:
        file.write_text(sound)

    assert ended.returncode == 1, ended.stdout[-2000:] + ended.stderr[-2000:]
    assert " failed" in ended.stdout
