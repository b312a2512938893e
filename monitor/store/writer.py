"""The one writer: whoever has its turn owns the writing connection.

Whatever is to be written comes as a function of the connection. Functions
that wait together are committed together (one `fsync` for many visits), each
in a savepoint of its own: one that fails takes none of the others with it,
and nobody is told "done" before the commit is on disk.

They run in a thread of the writer. What is quick runs in the loop that gave
it, and only its commit, which waits for the disk, is done by a thread: two
threads that take turns at every statement spend more on the turns than on the
statements. It has no savepoint either, and if one of a batch fails all of them
are undone, and run again by the thread: see docs/decisions/0004.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from monitor.errors import StoreError
from monitor.store import BUSY, blaming, open_writer, transaction

T = TypeVar("T")
Task = tuple[Callable[[sqlite3.Connection], Any], "Future[Any] | _Awaited"]

MOST = 256
"""Functions committed together at most."""

AWAY = 0.02
"""Seconds for which quick functions may keep a loop from its sockets until they are committed."""


class Writer:
    """Opens the store of a folder and writes to it until it is closed.

    `progress` counts commits; the daemon's watchdog is fed from it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.progress = 0
        self._broken: BaseException | None = None
        self._closed = False
        self._turn = threading.Lock()
        self._tasks: queue.Queue[Task | None] = queue.Queue()
        self._quick: deque[Task] = deque()
        self._minding: asyncio.AbstractEventLoop | None = None  # will see to what is quick
        self._commits: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        ready: Future[sqlite3.Connection] = Future()
        self._writing = threading.Thread(
            target=self._run, args=(ready,), name="writer", daemon=True
        )
        self._writing.start()
        self._db = ready.result()
        self._committing = threading.Thread(target=self._commit, name="commits", daemon=True)
        self._committing.start()

    def submit(self, write: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Have it written; the future holds its result once it is committed."""
        done: Future[T] = Future()
        if self._closed:
            done.set_exception(StoreError(str(self.folder), "the store was closed"))
        else:
            self._tasks.put((write, done))
        return done

    async def write(self, write: Callable[[sqlite3.Connection], T], *, quick: bool = False) -> T:
        """As `submit`, awaited. A caller that is cancelled meanwhile does not undo the write.

        `quick` says that it takes a millisecond or two, and that it may run twice: it changes
        nothing but the database. What a loop gives is written in the order in which it was
        given, quick or not.
        """
        if self._closed:
            raise StoreError(str(self.folder), "the store was closed")
        loop = asyncio.get_running_loop()
        waiting = _Awaited(loop)
        self._quick.append((write, waiting))
        if not quick or self._tasks.unfinished_tasks:
            self._give_away()
        elif self._minding is not loop:
            self._minding = loop
            loop.call_soon(self._flush, loop)
        result: T = await waiting.future
        return result

    def __call__(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """As `submit`, waited for."""
        return self.submit(write).result()

    def close(self) -> None:
        """Write what waits, then close the database."""
        self._closed = True
        self._give_away()
        self._tasks.put(None)
        self._writing.join()
        self._commits.put(None)
        self._committing.join()

    # ── in the threads ────────────────────────────────────────────────────────────────

    def _run(self, ready: Future[sqlite3.Connection]) -> None:
        try:
            db = open_writer(self.folder)
        except BaseException as error:
            ready.set_exception(error)
            return
        ready.set_result(db)
        try:
            while tasks := self._next():
                with self._turn:
                    batch = _Batch(db)
                    with self._answering(batch, tasks):
                        if self._broken is not None:
                            raise self._broken
                        batch.begin()
                        for task in tasks:
                            batch.run(task)
                        self._conclude(batch)
                _wake(tasks)
                for _ in tasks:
                    self._tasks.task_done()
        finally:
            with self._turn:
                db.close()

    def _next(self) -> list[Task]:
        """Wait for a task, then take all that wait beside it. Empty: we are to end."""
        tasks: list[Task] = []
        task = self._tasks.get()
        while task is not None:
            tasks.append(task)
            if len(tasks) >= MOST or self._tasks.empty():
                return tasks
            task = self._tasks.get()
        if tasks:
            self._tasks.put(None)
        return tasks

    def _commit(self) -> None:
        """Commit what loops have run, so that they need not wait for the disk."""
        while (batch := self._commits.get()) is not None:
            if batch.db.in_transaction:  # else it has failed in the loop
                with self._answering(batch, batch.tasks):
                    self._conclude(batch)
            self._turn.release()
            _wake(batch.tasks, self._flush)

    def _conclude(self, batch: _Batch) -> None:
        batch.db.execute("COMMIT")
        self.progress += 1
        for future, result in batch.done:
            future.set_result(result)

    @contextmanager
    def _answering(self, batch: _Batch, tasks: Iterable[Task]) -> Iterator[None]:
        """What goes wrong in here concerns the whole batch: all of its functions are told so."""
        try:
            with blaming(self.folder):
                yield
        except BaseException as error:
            with suppress(sqlite3.Error):
                batch.roll_back()
            if _lost_writes(error):
                self._broken = error
            for _, future in tasks:
                if not future.done():
                    future.set_exception(error)

    # ── in the loop ───────────────────────────────────────────────────────────────────

    def _give_away(self) -> None:
        """Let the thread do what waits here, in its order."""
        while self._quick:
            self._tasks.put(self._quick.popleft())

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        """Do what is quick and have it committed.

        Where somebody else is writing, be it another program, the thread is better at waiting.
        """
        self._minding = None
        if not self._quick:
            return
        if (
            self._broken is not None
            or self._tasks.unfinished_tasks
            or not self._turn.acquire(blocking=False)
        ):
            self._give_away()
            return
        batch = _Batch(self._db)
        if not batch.begin_at_once():
            self._turn.release()
            self._give_away()
            return
        end = monotonic() + AWAY
        with self._answering(batch, batch.tasks):
            whole = batch.run_bare(self._quick.popleft())
            while whole and self._quick and len(batch.tasks) < MOST and monotonic() < end:
                whole = batch.run_bare(self._quick.popleft())
            if not whole:
                batch.roll_back()
                self._turn.release()
                self._quick.extendleft(reversed(batch.tasks))
                self._give_away()
                return
        self._minding = loop
        self._commits.put(batch)


class _Batch:
    """Functions that are committed together. Whoever has one has the connection's turn."""

    __slots__ = ("db", "done", "tasks")

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.tasks: list[Task] = []
        self.done: list[tuple[Future[Any] | _Awaited, Any]] = []

    def begin(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")

    def begin_at_once(self) -> bool:
        """Begin without waiting for another program; False where that cannot be."""
        self.db.execute("PRAGMA busy_timeout = 0")
        try:
            self.begin()
        except sqlite3.Error:
            return False
        finally:
            self.db.execute(f"PRAGMA busy_timeout = {BUSY}")
        return True

    def run(self, task: Task) -> None:
        """One function in its savepoint. Raises only what concerns the whole batch: the disk."""
        self.tasks.append(task)
        write, future = task
        if not future.set_running_or_notify_cancel():
            return
        try:
            with transaction(self.db):
                self.done.append((future, write(self.db)))
        except Exception as error:
            if self._concerns_all(error):
                raise
            future.set_exception(error)

    def run_bare(self, task: Task) -> bool:
        """The same without a savepoint, for which SQLite copies every page before it changes it.

        False where the function fails: then the batch is to be undone, and each run by itself.
        """
        self.tasks.append(task)
        write, future = task
        if not future.set_running_or_notify_cancel():
            return True
        try:
            self.done.append((future, write(self.db)))
        except Exception as error:
            if self._concerns_all(error):
                raise
            for ran, _ in self.done:
                if isinstance(ran, _Awaited):
                    ran.keep()  # who is cancelled from now on does not undo what was done
            return False
        return True

    def _concerns_all(self, error: Exception) -> bool:
        """Is it the disk's fault, and not that of the function?"""
        return not self.db.in_transaction or (isinstance(error, sqlite3.Error) and not _own(error))

    def roll_back(self) -> None:
        if self.db.in_transaction:  # a full disk makes SQLite roll back by itself
            self.db.execute("ROLLBACK")


class _Awaited:
    """A future of a loop, as the writer's thread may treat it: the loop hears of it in `_wake`."""

    __slots__ = ("_begun", "_done", "_error", "_result", "future", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self._begun = False
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None

    def set_running_or_notify_cancel(self) -> bool:
        return self._begun or not self.future.cancelled()

    def keep(self) -> None:
        """It has run once; should it have to run again, it does in any case."""
        self._begun = True

    def done(self) -> bool:
        return self._done

    def set_result(self, result: Any) -> None:
        self._done, self._result = True, result

    def set_exception(self, error: BaseException) -> None:
        self._done, self._error = True, error

    def tell(self) -> None:
        """In the loop: hand over what came of it."""
        if self.future.done():
            return  # cancelled meanwhile
        if self._error is not None:
            self.future.set_exception(self._error)
        else:
            self.future.set_result(self._result)


def _wake(
    tasks: Iterable[Task], after: Callable[[asyncio.AbstractEventLoop], None] | None = None
) -> None:
    """Tell those who wait what came of it: a loop is woken once for all of them."""
    loops: dict[asyncio.AbstractEventLoop, list[_Awaited]] = {}
    for _, one in tasks:
        if isinstance(one, _Awaited):
            loops.setdefault(one.loop, []).append(one)
    for loop, some in loops.items():
        with suppress(RuntimeError):  # the loop ended meanwhile
            loop.call_soon_threadsafe(_tell_all, loop, some, after)


def _tell_all(
    loop: asyncio.AbstractEventLoop,
    waiting: list[_Awaited],
    after: Callable[[asyncio.AbstractEventLoop], None] | None,
) -> None:
    for one in waiting:
        one.tell()
    if after is not None:
        after(loop)


_OWN_FAULT = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    sqlite3.NotSupportedError,
)
"""Errors of the function that was to be written, not of the disk."""


def _own(error: sqlite3.Error) -> bool:
    """Is it the fault of the function, and not of the disk?"""
    plain = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_ERROR
    return isinstance(error, _OWN_FAULT) or plain


_FSYNC = (1034, 1290)  # SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC


def _lost_writes(error: BaseException) -> bool:
    """Did `fsync` fail? What it should have written may be gone, whatever the next says (H05)."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) in _FSYNC
