"""Reading a Dockerfile: its instructions, and where values may stand in it.

The grammar is the builders' (`docs.docker.com/reference/dockerfile`): one
instruction a line, a backslash at the end continues it, a line that begins with
`#` is a comment, and RUN, CMD and ENTRYPOINT have a JSON form that no shell reads.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

MARK = "upstream-value-"  # how sample values begin, so that they can be found in the result

_RUNS_PROGRAMS = {"RUN", "CMD", "ENTRYPOINT"}
_TAKES_PROGRAM = re.compile(r"-[A-Za-z]*[ceC]|--(?:eval|command|exec|run)")  # `sh -lc`, `perl -e`
_LABELS = re.compile(r'(?:[a-z0-9.-]+="[^"\\$]*"\s*)+')
_ARG = re.compile(r'[A-Z][A-Z0-9_]*=(?:"[^"\\$]*"|[^\s"\'\\$]*)')
_MAY_HOLD = {"LABEL": _LABELS, "ARG": _ARG}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its keyword in capitals, and the rest joined to one line."""

    keyword: str
    rest: str

    @property
    def arguments(self) -> list[str] | None:
        """The arguments of the JSON form, or None where a shell would read the line."""
        try:
            found = json.loads(self.rest)
        except ValueError:
            return None
        if isinstance(found, list) and found and all(isinstance(part, str) for part in found):
            return found
        return None


def instructions(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile in their order, without comments and empty lines."""
    found, pending = [], ""
    for line in [*text.split("\n"), ""]:
        if line.lstrip().startswith("#") or (not line.strip() and not pending):
            continue
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending[:-1] + " "
            continue
        keyword, _, rest = pending.partition(" ")
        found.append(Instruction(keyword.upper(), rest.strip()))
        pending = ""
    return found


def shape(text: str) -> tuple[tuple[str, str], ...]:
    """What no value may change: lines, first line, instructions, and every program that is run."""
    found = [("lines", str(text.count("\n"))), ("first", text.partition("\n")[0])]
    for step in instructions(text):
        arguments = step.arguments
        if step.keyword in _RUNS_PROGRAMS and arguments is not None:
            programs = [a for a, b in zip(arguments, ["-c", *arguments], strict=False) if _runs(b)]
            found.append((step.keyword, json.dumps([len(arguments), *programs])))
        elif step.keyword in {"LABEL", "ARG"}:
            found.append((step.keyword, " ".join(re.findall(r"[A-Za-z0-9_.-]+(?==)", step.rest))))
        else:
            found.append((step.keyword, step.rest))
    return tuple(found)


def complaints(text: str) -> list[str]:
    """Where a Dockerfile rendered with sample values (`MARK…`) has one where none may be."""
    found = [
        f"line {number}: an upstream value in a comment"
        for number, line in enumerate(text.split("\n"), 1)
        if line.lstrip().startswith("#") and MARK in line
    ]
    steps = instructions(text)
    if not steps or steps[0].keyword not in {"FROM", "ARG"}:
        found.append("the first instruction must be FROM")
    variables = [s.rest.partition("=")[0] for s in steps if s.keyword == "ARG" and MARK in s.rest]
    for step in steps:
        arguments = step.arguments
        if arguments is None and "<<" in step.rest:
            found.append(f"{step.keyword}: here-documents are not portable")
        if arguments is None and (read := _variables_in(step.rest, variables)):
            found.append(f"{step.keyword}: the upstream value ${read} would be expanded here")
        if MARK not in step.rest:
            continue
        if step.keyword in _RUNS_PROGRAMS:
            found += _argument_complaints(step.keyword, arguments)
        elif (step.keyword == "LABEL" and _LABELS.fullmatch(step.rest)) or (
            step.keyword == "ARG" and _ARG.fullmatch(step.rest)
        ):
            continue
        else:
            found.append(f"{step.keyword}: no upstream value may stand here")
    return found


def _argument_complaints(keyword: str, arguments: list[str] | None) -> list[str]:
    if arguments is None:
        return [f"{keyword}: a shell would read the upstream value; use the JSON form"]
    return [
        f"{keyword}: an upstream value inside a program; pass it as an argument of its own"
        for before, argument in zip(["-c", *arguments], arguments, strict=False)
        if MARK in argument and _runs(before)
    ]


def _runs(before: str) -> bool:
    """Whether what follows this argument is a program text."""
    return _TAKES_PROGRAM.fullmatch(before) is not None


def _variables_in(rest: str, variables: list[str]) -> str | None:
    return next((v for v in variables if re.search(rf"\$\{{?{re.escape(v)}\b", rest)), None)
