"""What the log of a failed build says, in one line.

A builder ends its log with what it ran ("building at STEP …: exit status 1"); why
that failed stands above it. A build may print what it likes, so the line is for
people only, and is upstream text like any other.
"""

from __future__ import annotations

import re

LONGEST = 300
"""Characters of the line; what is longer is cut."""

_WINDOW = 65_536
"""Characters at the end of a log that are looked at."""

# In this order: what our own steps say, pip's errors, any other error, a Python exception.
_TELLING = tuple(
    re.compile(rf"(?:^|[ \t]){pattern}", re.MULTILINE)
    for pattern in (
        r"(release-monitor: [a-z]+: [^\n]+)",
        r"ERROR: (?!failed to solve|process )([^\n]+)",
        r"(?:fatal )?[Ee]rror: (?!building at |process )([^\n]+)",
        r"([A-Za-z_][\w.]*(?:Error|Exception): [^\n]+)",
    )
)


def gist(log: str) -> str:
    """The last line that tells why, else the last line there is; "" for an empty log."""
    end = log[-_WINDOW:].replace("\r", "\n").strip()
    for telling in _TELLING if "\n" in end else ():
        if found := telling.findall(end):
            return _short(found[-1])
    return _short(end.rpartition("\n")[2])


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
