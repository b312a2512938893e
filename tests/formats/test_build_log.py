"""The line of a build's log that tells why it failed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats.build_log import LONGEST, gist

PIP = """STEP 9/11: RUN ["python3", "-m", "pip", "install", "sample @ https://files.invalid/sample.whl"]
Collecting sample
ERROR: Could not find a version that satisfies the requirement nowhere>=3 (from versions: none)
ERROR: No matching distribution found for nowhere>=3 (from sample)
subprocess exited with status 1
Error: building at STEP "RUN python3 -m pip install sample": exit status 1
"""
DOCKER = """#8 1.204 ERROR: No matching distribution found for nowhere>=3
#8 ERROR: process "python3 -m pip install sample" did not complete successfully: exit code: 1
ERROR: failed to solve: process "python3 -m pip install sample" did not complete successfully
"""


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (PIP, "No matching distribution found for nowhere>=3 (from sample)"),
        (DOCKER, "No matching distribution found for nowhere>=3"),
        ("x\nrelease-monitor: digest: other\nERROR: no\n", "release-monitor: digest: other"),
        ("sample.c:3:10: fatal error: zlib.h: No such file\n1 error\n", "zlib.h: No such file"),
        ("Traceback\n  File\nValueError: no\nexit status 1\n", "ValueError: no"),
        ("one\nCannot connect. Is it running?\n", "Cannot connect. Is it running?"),
        ("sample: ImportError: no", "sample: ImportError: no"),
        ("", ""),
        (" \n\n", ""),
    ],
)
def test_it_is_the_reason_and_not_the_command_that_failed(log, said):
    assert gist(log) == said


@given(st.text(max_size=500) | st.from_regex(r"(ERROR: .{300,600}\n){1,3}", fullmatch=True))
def test_it_is_one_line_of_bounded_length_that_stands_in_the_log(log):
    line = gist(log)

    assert "\n" not in line
    assert len(line) <= LONGEST
    assert line.removesuffix("…") in log.replace("\r", "\n")
