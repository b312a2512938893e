"""The one writer: a thread that owns the writing connection.

Whatever is to be written comes as a function of the connection. Functions
that wait together are committed together (one `fsync` for many visits), each
in a savepoint of its own: one that fails takes none of the others with it,
and nobody is told "done" before the commit is on disk.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from monitor.errors import StoreError
from monitor.store import blaming, open_writer, transaction

T = TypeVar("T")
Task = tuple[Callable[[sqlite3.Connection], Any], "Future[Any] | _Awaited"]

MOST = 256
"""Functions committed together at most."""


class Writer:
    """Opens the store of a folder and writes to it until it is closed.

    `progress` counts commits; the daemon's watchdog is fed from it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.progress = 0
        self._broken: BaseException | None = None
        self._closed = False
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="writer", daemon=True)
        self._thread.start()
        ready.result()

    def submit(self, write: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Have it written; the future holds its result once it is committed."""
        done: Future[T] = Future()
        if self._closed:
            done.set_exception(StoreError(str(self.folder), "the store was closed"))
        else:
            self._tasks.put((write, done))
        return done

    async def write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """As `submit`, awaited. A caller that is cancelled meanwhile does not undo the write."""
        if self._closed:
            raise StoreError(str(self.folder), "the store was closed")
        waiting = _Awaited(asyncio.get_running_loop())
        self._tasks.put((write, waiting))
        result: T = await waiting.future
        return result

    def __call__(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """As `submit`, waited for."""
        return self.submit(write).result()

    def close(self) -> None:
        """Write what waits, then close the database."""
        self._closed = True
        self._tasks.put(None)
        self._thread.join()

    def _run(self, ready: Future[None]) -> None:
        try:
            db = open_writer(self.folder)
        except BaseException as error:
            ready.set_exception(error)
            return
        ready.set_result(None)
        try:
            while batch := self._next():
                self._commit(db, batch)
        finally:
            db.close()

    def _next(self) -> list[Task]:
        """Wait for a task, then take all that wait beside it. Empty: we are to end."""
        batch: list[Task] = []
        task = self._tasks.get()
        while task is not None:
            batch.append(task)
            if len(batch) >= MOST or self._tasks.empty():
                return batch
            task = self._tasks.get()
        if batch:
            self._tasks.put(None)
        return batch

    def _commit(self, db: sqlite3.Connection, batch: list[Task]) -> None:
        done: list[tuple[Future[Any] | _Awaited, Any]] = []
        try:
            self._commit_all(db, batch, done)
        finally:
            _wake(future for _, future in batch if isinstance(future, _Awaited))

    def _commit_all(
        self,
        db: sqlite3.Connection,
        batch: list[Task],
        done: list[tuple[Future[Any] | _Awaited, Any]],
    ) -> None:
        try:
            if self._broken is not None:
                raise self._broken
            with blaming(self.folder), transaction(db):
                for write, future in batch:
                    if future.set_running_or_notify_cancel():
                        self._one(db, write, future, done)
        except BaseException as error:
            if _lost_writes(error):
                self._broken = error
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        self.progress += 1
        for future, result in done:
            future.set_result(result)

    def _one(
        self,
        db: sqlite3.Connection,
        write: Callable[[sqlite3.Connection], Any],
        future: Future[Any] | _Awaited,
        done: list[tuple[Future[Any] | _Awaited, Any]],
    ) -> None:
        """One function in its savepoint. Raises only what concerns the whole batch: the disk."""
        try:
            with transaction(db):
                done.append((future, write(db)))
        except Exception as error:
            if not db.in_transaction or (isinstance(error, sqlite3.Error) and not _own(error)):
                raise
            future.set_exception(error)


class _Awaited:
    """A future of a loop, as the writer's thread may treat it: the loop hears of it in `_wake`."""

    __slots__ = ("_done", "_error", "_result", "future", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None

    def set_running_or_notify_cancel(self) -> bool:
        return not self.future.cancelled()

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


def _wake(waiting: Iterable[_Awaited]) -> None:
    """Tell those who wait what came of it: a loop is woken once for all of them."""
    loops: dict[asyncio.AbstractEventLoop, list[_Awaited]] = {}
    for one in waiting:
        loops.setdefault(one.loop, []).append(one)
    for loop, some in loops.items():
        with suppress(RuntimeError):  # the loop ended meanwhile
            loop.call_soon_threadsafe(_tell_all, some)


def _tell_all(waiting: list[_Awaited]) -> None:
    for one in waiting:
        one.tell()


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
