"""`monitor version`: compare, sort, judge and take apart versions. Asks nobody, stores nothing."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

import click

if TYPE_CHECKING:
    from monitor.formats.archive_names import Split
    from monitor.judge import Verdict

__all__ = ["version"]

_CHUNK: Final = 1 << 16
# Bytes that are no UTF-8 stay visible, as \udcXX; what some take for a line's end, as \u2028.
_ODD: Final = re.compile("[\ud800-\udfff\x85\u2028\u2029]").search
_SHOWN: Final = 80  # characters of a text that a message repeats
_SIGNS: Final = {-1: "<", 0: "=", 1: ">"}


class _WrongQuestion(click.ClickException):
    exit_code = 2


class _NoAnswer(click.ClickException):
    exit_code = 1


@click.group()
def version() -> None:
    """Compare, sort, judge and take apart versions.

    Lists are read from standard input, one entry a line.
    """


@version.command()
@click.argument("scheme")
@click.argument("a")
@click.argument("b")
def compare(scheme: str, a: str, b: str) -> None:
    """Print <, = or >: how version A stands to version B in SCHEME.

    What SCHEME cannot read is below all that it can; the reason goes to
    standard error.
    """
    from monitor import ordering

    with _wrong_questions_told():
        click.echo(_SIGNS[ordering.compare(scheme, a, b)])
        for text in dict.fromkeys((a, b)):
            if reason := ordering.unreadable(scheme, text):
                shown = ascii(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
                click.echo(f"{shown} is no version of scheme {scheme}: {reason}", err=True)


@version.command("sort")
@click.argument("scheme")
@click.option("-r", "--reverse", is_flag=True, help="Highest first.")
@click.option("-u", "--unique", is_flag=True, help="Of versions equal in SCHEME, only the first.")
def sort_(scheme: str, reverse: bool, unique: bool) -> None:
    """Sort versions by SCHEME, lowest first.

    What SCHEME cannot read comes below all that it can; equal versions keep
    their order. Empty lines are left out.
    """
    from monitor import ordering

    with _wrong_questions_told():
        key = ordering.key_function(scheme)
    versions = [line for line in _lines() if line]
    if unique:
        first: dict[bytes, str] = {}
        for text in versions:
            first.setdefault(key(text), text)
        versions = list(first.values())
    versions.sort(key=key, reverse=reverse)
    _write(_encoded(text) for text in versions)


@version.command()
@click.option("--project", metavar="NAME", help="The project all lines belong to, where known.")
def split(project: str | None) -> None:
    """Take names apart: file names, tags and addresses, one a line.

    Prints one JSON object a line, in the order of the input: input, name,
    version (as published), kind (source, signature, digest, patch, binary,
    metadata, unknown), extension, platform, confidence (0 to 1) and
    alias_version (1.84.0, where 1_84_0 was published).
    """
    import msgspec

    from monitor.formats.archive_names import split_many

    encoder = msgspec.json.Encoder()
    out = _output()
    for lines in _chunks():
        found = list(split_many(lines, project=project))
        if all(map(str.isascii, lines)):
            out.write(encoder.encode_lines(found))
        else:
            out.writelines(
                _escaped(one) if _ODD(one.input) else encoder.encode(one) + b"\n" for one in found
            )
        out.flush()


@version.command()
@click.argument("scheme")
@click.option("--stable", is_flag=True, help="Leave out pre-releases.")
@click.option("--streams", is_flag=True, help="One of each series, highest series first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per version.")
@click.option("--project", metavar="NAME", help="The project's name, which tags may contain.")
def latest(scheme: str, stable: bool, streams: bool, as_json: bool, project: str | None) -> None:
    """Print the newest of the versions or tags on standard input, as it was written there.

    What is no release (branches, nightlies, dates among numbers) does not
    count. Exit code 1 if nothing is left, as after empty input.
    """
    from monitor import judge

    candidates = [judge.Candidate(line) for line in _lines() if line]
    with _wrong_questions_told():
        verdicts = judge.judge(candidates, scheme=scheme, project=project)
    if stable:
        verdicts = [verdict for verdict in verdicts if verdict.stable]
    if streams:
        found = list(judge.streams(verdicts).values())
    else:
        newest = judge.newest(verdicts).any
        found = [newest] if newest else []
    if not found:
        what = "stable version" if stable else "version"
        raise _NoAnswer(f"no {what} among {len(candidates)} lines of standard input")
    _write(
        _judged(verdict) if as_json else _encoded(verdict.candidate.version) for verdict in found
    )


@version.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per scheme.")
def schemes(as_json: bool) -> None:
    """List the schemes: by whose rules versions can be compared."""
    from importlib import import_module

    from monitor import ordering

    width = max(map(len, ordering.schemes()))
    for scheme in ordering.schemes():
        said = (import_module(f"monitor.ordering.{scheme}").__doc__ or "").partition("\n")[0]
        if as_json:
            _write([_json({"scheme": scheme, "order": said})])
        else:
            click.echo(f"{scheme:{width}}  {said}")


@contextmanager
def _wrong_questions_told() -> Iterator[None]:
    """A question that cannot be answered ends with one line and exit code 2."""
    from monitor.errors import UsageError

    try:
        yield
    except UsageError as error:
        raise _WrongQuestion(str(error)) from None


def _output() -> BinaryIO:
    if sys.stdout is None:
        raise _NoAnswer("standard output is closed: there is nowhere to write to")
    return sys.stdout.buffer


def _chunks() -> Iterator[list[str]]:
    """The lines of standard input, as many at a time as have arrived: quick, and prompt in a pipe.

    A closed one has none.
    """
    if sys.stdin is None:
        return
    stdin = sys.stdin.buffer
    read: Callable[[int], bytes] = getattr(stdin, "read1", stdin.read)
    rest: list[bytes] = []  # pieces of a line whose end has not come yet
    while chunk := read(_CHUNK):
        end = chunk.rfind(b"\n")
        if end >= 0:
            yield _decoded(b"".join([*rest, chunk[:end]]))
            rest = []
        if end + 1 < len(chunk):
            rest.append(chunk[end + 1 :])
    if rest:
        yield _decoded(b"".join(rest))


def _lines() -> Iterator[str]:
    for lines in _chunks():
        yield from lines


def _decoded(lines: bytes) -> list[str]:
    """Lines as texts, without Windows' line ends; bytes that are no UTF-8 as lone surrogates."""
    text = lines.decode("utf-8", "surrogateescape")
    if "\r" in text:
        return [line.removesuffix("\r") for line in text.split("\n")]
    return text.split("\n")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape") + b"\n"


def _escaped(found: Split) -> bytes:
    import msgspec

    return _json(msgspec.structs.asdict(found))


def _judged(verdict: Verdict) -> bytes:
    return _json(
        {
            "version": verdict.candidate.version,
            "stable": verdict.stable,
            "stream": verdict.stream,
            "rule": verdict.rule,
            "reason": verdict.reason,
        }
    )


def _json(value: dict[str, object]) -> bytes:
    import json

    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _write(lines: Iterable[bytes]) -> None:
    out = _output()
    out.writelines(lines)
    out.flush()
