"""Spiders go: they carry a `Request` to its upstream and bring back a `Reply`.

`transport` gives the one that everybody uses, with all manners on:

    Once       equal questions at the same time are one request
    Patient    tries again where that is worth it                  (stamina)
    Polite     a pace per host, Retry-After, quotas                (aiolimiter)
    Thrifty    asks conditionally; unchanged costs nothing
    Recording  keeps a copy, where that is wanted
    Careful    limits on size, time and shape; or Recorded, in place of all network
    Http Rsync Git Files   go, wherever the guard allows           (httpx2 over aiohttp)

Each of the upper ones is a transport itself and knows only the one below.
"""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.protocols import Transport
    from monitor.settings import NetworkSettings
    from spiders.guard import Guard
    from spiders.pauses import Pauses
    from spiders.thrifty import Validators

__all__ = ["seldom_swept", "transport"]

YOUNG = 20_000
"""Objects made until a search for circles among them is worth it."""


@contextmanager
def seldom_swept() -> Iterator[None]:
    """Python's garbage collector, less eager for as long as answers are read.

    They become thousands of small values that refer to nothing above them. Looking for circles
    after every 700 of them takes a sixth of all the time, and finds hardly any.
    """
    before = gc.get_threshold()
    if 0 < before[0] < YOUNG:
        gc.set_threshold(YOUNG, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@asynccontextmanager
async def transport(
    network: NetworkSettings,
    *,
    validators: Validators | None = None,
    pauses: Pauses | None = None,
    clock: Callable[[], float] = time.time,
    guard: Guard | None = None,
) -> AsyncIterator[Transport]:
    """A transport for all schemes, for as long as the context lasts.

    `validators`  where ETags and digests are kept; None asks unconditionally
    `pauses`      which servers are left alone; give one that was restored from the store
    `clock`       seconds since 1970
    Raises SettingsError for credentials that are not bound or not safe. A body larger
    than `network.spool` is an open temporary file: close it, or let `walk` do so.
    """
    from spiders.careful import Careful
    from spiders.credentials import Credentials
    from spiders.once import Once
    from spiders.patient import Patient
    from spiders.pauses import Pauses
    from spiders.polite import Polite
    from spiders.recorded import Recorded, Recording
    from spiders.thrifty import Thrifty

    credentials = Credentials(network)
    if network.replay:
        yield Once(Thrifty(Recorded(network.replay, clock), validators, lambda _: ""))
        return

    from spiders.engine import client
    from spiders.files import Beside, Files
    from spiders.git import Git
    from spiders.guard import Guard
    from spiders.http import Http
    from spiders.rsync import Rsync
    from spiders.stream import Carrier

    guard = guard or Guard(network)
    async with client(network, guard) as engine:
        http = Http(engine, guard, credentials, network)
        git = Git(guard, network, http, credentials)
        carriers: dict[str, Carrier] = {
            "http": http,
            "https": http,
            "rsync": Rsync(guard, network),
            "git": git,
            "git+http": git,
            "git+https": git,
        }
        inner: Transport = Careful(carriers, network, clock)
        if network.record:
            # A copy of "not modified" would be no answer, so everything is asked in full.
            validators, inner = None, Recording(inner, network.record)
        thrifty = Thrifty(inner, validators, credentials.fingerprint)
        polite = Polite(thrifty, network, pauses or Pauses(), clock, credentials.fingerprint)
        here = Careful({"file": Files(network)}, network, clock)
        with seldom_swept():
            yield Beside(here, Once(Patient(polite, network)))
