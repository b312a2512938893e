"""A monitor that is to be killed: `python -m tests.crash_child`.

For each line "SECONDS FOLDER" on its input a child is forked, so that a start
costs no imports; it is killed after so many seconds (0: never), and how it
ended is printed. The child plays the same script whenever it is started: feed
windows, an index and looks at projects, each a plain list of releases, and
publishes after each.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from monitor import publish
from monitor.model import File, Outcome, Release
from monitor.protocols import Ask, Provider
from monitor.publish import Context
from monitor.settings import Build, Builds, FeedSettings
from monitor.sources import Source
from monitor.store import bulk, due, epoch, open_reader, staging
from monitor.store.addresses import Answer
from monitor.store.lock import lock
from monitor.store.record import Visit, record
from monitor.store.writer import Writer
from tests.store.shelf import found, nothing

STEPS = 24
AT = 1_790_000_000
_ASK = Ask("https://up.example/", nothing)
SOURCE = Source(
    name="up",
    follow="all",
    provider=Provider(
        name="up", ordering="pep440", purl="pypi", feed=_ASK, index=_ASK, versions=_ASK
    ),
)


def a_release(number: int) -> Release:
    """The release that step `number` publishes: project p<n mod 7>, version 1.<n>."""
    name, version = f"p{number % 7}", f"1.{number}"
    wheel = f"{name}-{version}-py3-none-any.whl"
    address = f"https://up.example/{wheel}"
    return Release(name, version, files=(File(address, f"sha256:{number:064x}", 100, wheel),))


def expected() -> set[tuple[str, str]]:
    """Purl and version of everything that is news: what the first look shows is not."""
    news = map(a_release, range(8, STEPS + 7))
    return {(f"pkg:pypi/{one.project}", one.version) for one in news}


def main(folder: Path) -> None:
    """Play the script from where it was broken off, to its end."""
    with lock(folder):
        writer = Writer(folder)
        writer(lambda db: due.void_leases(db, AT))
        [source] = writer(lambda db: due.enlist(db, [SOURCE], AT))
        reader = open_reader(folder)
        context = Context(
            Builds(build=(Build(match="*", minimum_age=0.0, newest_wins=False),), settle=0.0),
            {source.id: source},
        )
        done = reader.execute("SELECT count(*) FROM address").fetchone()[0]
        for step in range(max(0, done - 1), STEPS + 1):  # the last one again, as after any crash
            _visit(writer, source, step)
            at = AT + 60 * step
            writer(lambda db, at=at: publish.advance(db, context, at))  # type: ignore[misc]
            publish.write_queue(reader, folder / "queue")
            publish.write_feed(reader, epoch(reader), folder / "feed", FeedSettings(page_size=7),
                               at=at, seal=None)  # fmt: skip
        writer.close()


def _visit(writer: Writer, source: Source, step: int) -> None:
    mechanism = ("feed", "index", "versions")[step % 3] if step > 1 else ("feed", "index")[step]
    seen = [a_release(number) for number in range(step + 7)]
    visit = Visit(
        source, mechanism, AT + 60 * step, Outcome.OK, AT + 60 * step + 60,
        answers=[Answer(f"https://up.example/{step}", digest=bytes(32))],
        complete=mechanism != "feed",
    )  # fmt: skip
    if mechanism == "index":
        writer(staging.begin)
        writer(lambda db: staging.stage(db, found(source, seen)))
        writer(lambda db: bulk.apply(db, visit, staging.Batch(), begun=True, wanted=lambda _: True))
        return
    visit.releases = seen[-12:]
    if mechanism == "versions":
        visit.project = f"p{(step + 6) % 7}"
        visit.releases = [one for one in seen if one.project == visit.project]
    writer(lambda db: record(db, visit, wanted=lambda purl: True))


def nursery() -> None:
    """One child after the other. Only its parent kills it: nobody else has its number by then."""
    for line in sys.stdin:
        seconds, _, folder = line.rstrip("\n").partition(" ")
        child = os.fork()
        if not child:
            main(Path(folder))
            os._exit(0)
        if float(seconds):
            time.sleep(float(seconds))
            os.kill(child, signal.SIGKILL)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    nursery()
