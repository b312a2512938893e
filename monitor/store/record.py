"""Bring the store up to date with one visit, and say what changed.

Everything that a visit taught (versions, files, states), what it caused
(events), how far the source's cursor has come and the validators of the
answers are one transaction: after a crash the same page is read again, which
changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from monitor.model import Json, Kind, Outcome, Release, Unread
from monitor.plausible import Gate, doubt_serial, gap, item, keys_of, risen, window_cursor
from monitor.schedule import DAY, HOUR
from monitor.sources import Source, Wanted
from monitor.store import standstill
from monitor.store.addresses import MOST_TEXT, Answer, bury, printable, remember
from monitor.store.changeset import seconds
from monitor.store.due import LEASE
from monitor.store.events import tell
from monitor.store.known import Enrolled, enrol
from monitor.store.recorder import ABSENT, Recorder

DENIALS = 3
"""So often, and over a day at least, an upstream says that a project is gone before we believe
it (fault A07)."""

LEGAL = 451


class Visit(msgspec.Struct):
    """One question followed to its end. `project` is the upstream's name, for `versions`.

    `next` is when to ask again, None where only an announcement makes it due; `lease` is the due
    time that the claim left behind, so that an announcement made meanwhile is not overwritten,
    and a visit that somebody else has claimed since is not recorded.
    `complete`: what the answer leaves out is absent.
    """

    source: Source
    mechanism: str
    at: int
    outcome: Outcome
    next: int | None
    project: str | None = None
    lease: int | None = None
    confirm: Callable[[], int | None] = lambda: None  # when to ask again, should it be doubted
    answers: list[Answer] = []
    releases: list[Release] = []
    mentions: list[str] = msgspec.field(
        default_factory=list
    )  # a feed says that they changed, not how
    unread: list[Unread] = []
    poisoned: dict[str | None, str] = msgspec.field(
        default_factory=dict
    )  # projects to do without, and why
    ignored: list[str] = []
    renamed: str | None = None  # what the upstream calls the project now
    cursor: str | None = None
    complete: bool = False
    partial: str | None = None  # why a feed may have passed over something
    error: str | None = None
    remedy: str | None = None
    status: int | None = None  # of the answer that ended it, where it was refused

    @property
    def digest(self) -> str:
        """Names the answer as a whole: what a baseline rests on."""
        return ",".join((answer.digest or b"").hex()[:16] for answer in self.answers[:100])


class Result(msgspec.Struct):
    """What a visit came to: the events it told, and the outcome after the gate has spoken."""

    outcome: Outcome
    events: list[int] = []
    released: int = 0
    added: int = 0
    doubt: str | None = None
    token: str | None = None  # names what is doubted, to recognise the answer that confirms it
    reset: bool = False  # the upstream has begun to count anew
    moved: bool = False  # the window of a feed is another one
    first: bool = False  # a project's versions were looked at for the first time
    other_hands: bool = False  # the project is back, and seems to be somebody else's
    ask: list[str] = []  # projects that became due by it
    woken: int = 0  # jobs that waited for what it brought


class PoisonedError(Exception):
    """One of many projects cannot be stored (fault D10); nothing of the visit is.

    `project` is its name at the upstream, None where it was not found out. The visit can be
    recorded again without it (`Visit.poisoned`): the others are stored, and it is kept as a dead
    letter and asked by itself.
    """

    def __init__(self, project: str | None, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.project = project


def poison(project: str | None, error: Exception) -> None:
    """Raises PoisonedError where what went wrong is that project alone, and not the disk."""
    if not isinstance(error, sqlite3.Error) or isinstance(error, _OF_VALUES):
        raise PoisonedError(project, error) from error


_OF_VALUES = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError)


class OvertakenError(Exception):
    """Somebody else has claimed the same visit since (fault D18): what this one brought is not
    written. Theirs says the same, or something newer."""


def nobody(purl: str) -> bool:
    """No project's files are wanted."""
    return False


def record(
    db: sqlite3.Connection, visit: Visit, *, wanted: Wanted = nobody, gate: Gate | None = None
) -> Result:
    """Store what a feed or one project's versions said. The caller commits.

    Index walks are staged instead, see `monitor.store.bulk`.
    """
    result = Result(visit.outcome)
    enrolled: Enrolled | None = None
    if visit.outcome is Outcome.OK and not doubtful_serial(db, visit, result):
        recorder = Recorder(db, visit, wanted, gate or Gate(), result)
        if visit.mechanism == "feed":
            _feed(recorder)
        else:
            assert visit.project is not None
            enrolled = recorder.project(visit.project, visit.releases)
            if visit.renamed is not None:
                recorder.moved(visit.project, visit.renamed)
    finish(db, visit, result, enrolled)
    return result


def finish(
    db: sqlite3.Connection, visit: Visit, result: Result, enrolled: Enrolled | None = None
) -> None:
    """What every visit leaves behind, whatever it asked."""
    for letter in visit.unread:
        bury(db, visit.source.id, letter, visit.at)
    for name, why in visit.poisoned.items():
        if name is not None:
            bury(db, visit.source.id, Unread(name, why), visit.at)
    if result.outcome in (Outcome.OK, Outcome.UNCHANGED):
        remember(db, visit.source.id, visit.answers, visit.at)
    if visit.project is None:
        _keep_question(db, visit, result)
    else:
        _keep_listing(db, visit, result, enrolled)


def doubtful_serial(db: sqlite3.Connection, visit: Visit, result: Result) -> bool:
    """Park a visit whose serial went back. A second one that says so again is believed: the
    upstream has begun to count anew (`result.reset`), and what its numbers hid is asked for."""
    if visit.cursor is None:
        return False
    row = db.execute(
        "SELECT cursor, doubt FROM question WHERE source = ? AND mechanism = ?",
        (visit.source.id, visit.mechanism),
    ).fetchone()
    reason = row and doubt_serial(row["cursor"], visit.cursor)
    if reason is None:
        return False
    said, _, more = (row["doubt"] or "").partition(";")
    again = said.startswith(SERIAL)
    result.reset = again and doubt_serial(said.removeprefix(SERIAL), visit.cursor) is None
    kind = Kind.RESET
    if not result.reset:
        result.outcome, result.doubt, kind = Outcome.SUSPECT, reason, Kind.SUSPECT
        result.token = f"{SERIAL}{visit.cursor}"
    if not more:
        payload: Json = {"provider": visit.source.provider.name, "mechanism": visit.mechanism}
        payload |= {"reason": reason} | ({"alarm": True} if result.reset else {})
        result.events.append(tell(db, kind, visit.at, source=visit.source.id, payload=payload))
    return not result.reset


SERIAL = "serial "
"""Begins the doubt that a serial leaves behind; others may stand behind it, after a semicolon."""


# ── feeds ─────────────────────────────────────────────────────────────────────────────


def _feed(recorder: Recorder) -> None:
    """Each item is news, except in the first window we ever see."""
    visit = recorder.visit
    grouped: dict[str, list[Release]] = defaultdict(list)
    for release in visit.releases:
        grouped[release.project].append(release)
    first = "feed" not in recorder.baseline
    old = _risen(recorder)

    def news(release: Release) -> bool:
        return not first and item(release.project, release.version) not in old

    done: set[str] = set()
    if not visit.poisoned:
        try:
            done = recorder.first_sight(grouped, news)
        except Exception as error:
            poison(None, error)
            raise
    for name, releases in grouped.items():
        if name in done or name in visit.poisoned:
            continue
        try:
            recorder.releases(name, releases, news=news, complete=False)
        except Exception as error:
            poison(name, error)
            raise
    mentions = [*visit.mentions, *(name for name in visit.poisoned if name is not None)]
    if mentions and not first:
        _ask_for(recorder, mentions)
    recorder.meet()
    if first:
        recorder.tell_baseline(None, len(grouped), len(visit.releases))
    if recorder.result.reset:
        _repair(recorder.db, visit)
    elif visit.partial is not None and not first:
        _miss(recorder.db, visit, recorder.result, visit.partial)
    if visit.cursor is None and visit.releases:
        _compare_windows(recorder)


def _ask_for(recorder: Recorder, mentions: Iterable[str]) -> None:
    """Projects that a feed mentions are asked what changed, if we ask for them at all."""
    source, at = recorder.source, recorder.visit.at
    for name in dict.fromkeys(mentions):
        asked = recorder.db.execute(
            "UPDATE listing SET due = min(coalesce(due, ?1), ?1) WHERE source = ?2"
            " AND project = (SELECT id FROM project WHERE purl = ?3) AND (?4 OR due IS NOT NULL)",
            (at, source.id, source.purl(name), source.follow == "all"),
        ).rowcount
        if asked:
            recorder.result.ask.append(name)


def _risen(recorder: Recorder) -> frozenset[str]:
    """Items that came up from below the window, and are dated before our first look."""
    visit, since = recorder.visit, recorder.baseline.get("feed")
    if visit.cursor is not None or since is None:
        return frozenset()
    row = recorder.db.execute(
        "SELECT window FROM question WHERE source = ? AND mechanism = 'feed'", (visit.source.id,)
    ).fetchone()
    page = {item(one.project, one.version): seconds(one.published) for one in visit.releases}
    return frozenset(
        one for one in risen(row and row["window"], page) if since > (page[one] or since)
    )


def _compare_windows(recorder: Recorder) -> None:
    """Notice releases that fell out of the window between two looks (fault D01)."""
    db, visit = recorder.db, recorder.visit
    page = [item(release.project, release.version) for release in visit.releases]
    row = db.execute(
        "SELECT window FROM question WHERE source = ? AND mechanism = 'feed'", (visit.source.id,)
    ).fetchone()
    if row and gap(keys_of(row["window"]), page):
        _miss(db, visit, recorder.result)
    window = window_cursor(page)
    recorder.result.moved = row is None or row["window"] != window
    db.execute(
        "UPDATE question SET window = ? WHERE source = ? AND mechanism = 'feed'",
        (window, visit.source.id),
    )


def _miss(db: sqlite3.Connection, visit: Visit, result: Result, reason: str | None = None) -> None:
    """A feed has passed over something: it is told, and repaired.

    What was missed is found by the next look at the index that begins after
    the gap was noticed; until then the gap stays open.
    """
    before = db.execute(
        "SELECT gap FROM question WHERE source = ? AND mechanism = 'feed'", (visit.source.id,)
    ).fetchone()
    payload: Json = {"provider": visit.source.provider.name, "repaired_by": _repair(db, visit)}
    if reason is not None:
        payload["reason"] = reason
    if before is None or before["gap"] is None:
        seq = tell(db, Kind.GAP, visit.at, source=visit.source.id, payload=payload)
        result.events.append(seq)


def _repair(db: sqlite3.Connection, visit: Visit) -> str | None:
    """Have the index walked at once, or else the projects asked that somebody watches. Returns
    which of the two it is; None where there is neither."""
    facts = {"source": visit.source.id, "at": visit.at}
    if "index" in visit.source.mechanisms:
        db.execute(
            "UPDATE question SET gap = :at WHERE source = :source AND mechanism = 'feed'", facts
        )
        db.execute(
            "UPDATE question SET due = min(due, :at)"
            " WHERE source = :source AND mechanism = 'index'",
            facts,
        )
        return "index"
    if visit.source.provider.versions is None:
        return None
    db.execute(
        "UPDATE listing SET due = min(due, :at)"
        " WHERE source = :source AND due IS NOT NULL AND leased IS NULL",
        facts,
    )
    return "versions"


# ── the books ─────────────────────────────────────────────────────────────────────────


def _keep_question(db: sqlite3.Connection, visit: Visit, result: Result) -> None:
    """Note how a feed or an index went, and when it is due next."""
    facts = _facts(visit, result)
    facts["moved"] = result.outcome is Outcome.OK and standstill.moved(visit, result)
    row = db.execute(
        f"""
        UPDATE question SET {_COMMON}, cursor = coalesce(:cursor, cursor),
            due = CASE WHEN :lease IS NOT NULL AND due <> :lease THEN due ELSE :next END,
            baseline = CASE WHEN :baseline THEN coalesce(baseline, :at) ELSE baseline END,
            moved = CASE WHEN {_MOVED} THEN :at ELSE moved END,
            behind = CASE WHEN {_MOVED} THEN NULL ELSE behind END,
            stalled = CASE WHEN {_MOVED} THEN NULL ELSE stalled END
        WHERE source = :source AND mechanism = :mechanism AND {_OURS}
        RETURNING moved, behind, stalled, error
        """,
        facts,
    ).fetchone()
    if row is not None:
        standstill.look(db, visit, result, row)
    elif visit.lease is not None:
        raise OvertakenError
    if visit.mechanism == "feed" and result.outcome is Outcome.GONE:
        _drop_cursor(db, visit, result)
    if visit.mechanism == "index" and facts["good"]:
        db.execute(
            "UPDATE question SET gap = NULL"
            " WHERE source = :source AND mechanism = 'feed' AND gap <= :at",
            facts,
        )


def _drop_cursor(db: sqlite3.Connection, visit: Visit, result: Result) -> None:
    """The upstream says that what we ask from on is not there any more (fault D07): next time it
    is asked from its beginning."""
    dropped = db.execute(
        "UPDATE question SET cursor = NULL"
        " WHERE source = ? AND mechanism = 'feed' AND cursor IS NOT NULL",
        (visit.source.id,),
    ).rowcount
    if dropped:
        _miss(db, visit, result, "its feed no longer reaches back to where we were")


def _keep_listing(
    db: sqlite3.Connection, visit: Visit, result: Result, enrolled: Enrolled | None
) -> None:
    """The same of one project."""
    assert visit.project is not None
    project, listing = enrolled or enrol(db, visit.source, visit.project, visit.at)
    facts = _facts(visit, result) | {"project": project}
    gone, denied, lost = listing.gone, listing.denied, listing.lost
    if result.outcome is Outcome.GONE:
        gone, denied = gone or visit.at, denied + 1
        if lost is None and denied >= DENIALS and visit.at - gone >= DAY:
            lost = visit.at
            _tell_lost(db, visit, result, project, gone)
    elif facts["good"]:
        if lost is not None and not result.other_hands:
            seq = _tell_project(db, visit, Kind.RESTORED, project, {"reason": "it is back"})
            result.events.append(seq)
        gone, denied, lost = None, 0, None
    if result.token == ABSENT:
        facts["next"] = min(visit.next or visit.at + HOUR, visit.at + HOUR)
    kept = db.execute(
        f"""
        UPDATE listing SET {_COMMON}, ignored = CASE WHEN :read THEN :ignored ELSE ignored END,
            gone = :gone, denied = :denied, lost = :lost,
            baseline = CASE WHEN :first THEN :at ELSE baseline END,
            due = CASE WHEN due IS NULL THEN NULL
                       WHEN :lease IS NOT NULL AND due <> :lease THEN due ELSE :next END
        WHERE source = :source AND project = :project AND {_OURS}
        """,
        facts
        | {
            "gone": gone,
            "denied": denied,
            "lost": lost,
            "first": result.first,
            "read": result.outcome is Outcome.OK,
            "ignored": ignored(visit.ignored),
        },
    ).rowcount
    if not kept and visit.lease is not None:
        raise OvertakenError
    if result.released and visit.source.mechanisms:
        standstill.released(db, visit)


def ignored(found: list[str]) -> str | None:
    """What is kept of it: how many there are, and the first of them."""
    if not found:
        return None
    some = ", ".join(printable(text)[:40] for text in found[:3])
    return f"{len(found)}: {some}{', …' if len(found) > 3 else ''}"


_MOVED = "(:moved OR :cursor IS NOT cursor AND :cursor IS NOT NULL OR :good AND moved IS NULL)"

_COMMON = """
    asked = :at, leased = NULL, outcome = :outcome, error = :error, remedy = :remedy,
    doubt = CASE WHEN :heard THEN :doubt ELSE doubt END,
    answered = CASE WHEN :good THEN :at ELSE answered END,
    changed = CASE WHEN :changed THEN :at ELSE changed END,
    fails = CASE WHEN :good THEN 0 ELSE fails + 1 END
"""

# A claim leaves its time behind; another one means that another worker has the visit now.
_OURS = f"(:lease IS NULL OR leased = :lease - {LEASE})"


def _facts(visit: Visit, result: Result) -> dict[str, object]:
    good = result.outcome in (Outcome.OK, Outcome.UNCHANGED)
    error = None if good else printable(result.doubt or visit.error or "")[:MOST_TEXT]
    return {
        "source": visit.source.id,
        "mechanism": visit.mechanism,
        "at": visit.at,
        "outcome": result.outcome.value,
        "error": error,
        "remedy": None if good else visit.remedy,
        "good": good,
        "heard": visit.outcome in (Outcome.OK, Outcome.UNCHANGED),
        "changed": bool(result.events) and good,
        "next": visit.next if result.outcome is visit.outcome else visit.confirm(),
        "lease": visit.lease,
        "cursor": visit.cursor if result.outcome is Outcome.OK else None,
        "doubt": result.token,
        "baseline": good and visit.outcome is Outcome.OK,
    }


def _tell_lost(
    db: sqlite3.Connection, visit: Visit, result: Result, project: int, since: int
) -> None:
    """An upstream has denied a project for long enough. Its versions are kept as they are."""
    elsewhere = db.execute(
        "SELECT 1 FROM listing WHERE project = ? AND source <> ? AND answered IS NOT NULL"
        " AND lost IS NULL",
        (project, visit.source.id),
    ).fetchone()
    if elsewhere is None:
        why = "legal" if visit.status == LEGAL else "gone"
        payload = {"reason": why, "since": since, "status": visit.status}
        result.events.append(_tell_project(db, visit, Kind.WITHDRAWN, project, payload))


def _tell_project(
    db: sqlite3.Connection, visit: Visit, kind: Kind, project: int, payload: dict[str, object]
) -> int:
    told = {"provider": visit.source.provider.name} | payload
    return tell(db, kind, visit.at, project=project, source=visit.source.id, payload=told)
