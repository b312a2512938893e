"""What counts as a release, which one is newest, and of which series: pure functions.

    verdicts = judge(candidates, scheme="generic", rules=Rules(odd_minors=True))
    newest(verdicts).stable
    streams(verdicts)["4.2"]

Every candidate gets a verdict with the rule that made it. Judging looks at the
whole list, since what is odd shows only among others; it asks nobody, so
changed rules apply to what is stored (`differences` says what they change).
"""

from __future__ import annotations

from monitor.judge.epochs import Proposal, propose_epoch
from monitor.judge.judging import is_stable, judge, key_function, stream_of
from monitor.judge.verdicts import (
    Candidate,
    Difference,
    Newest,
    Standing,
    Verdict,
    differences,
    newest,
    standing,
    streams,
)

__all__ = [
    "Candidate",
    "Difference",
    "Newest",
    "Proposal",
    "Standing",
    "Verdict",
    "differences",
    "is_stable",
    "judge",
    "key_function",
    "newest",
    "propose_epoch",
    "standing",
    "stream_of",
    "streams",
]
