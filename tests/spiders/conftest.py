"""A transport that may ask this machine, does not wait long, and can be watched."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import pytest

from monitor.errors import FetchError
from monitor.model import Outcome, Request
from monitor.settings import NetworkSettings
from spiders import transport
from spiders.thrifty import Known

QUICK = NetworkSettings(
    allow_private=("127.0.0.1:*",),
    pace=0,
    retries=0,
    retry_wait=0.01,
    retry_wait_max=0.02,
    connect_timeout=2,
    stall_timeout=2,
    deadline=10,
)


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Kept:
    """Validators in a dictionary."""

    known: dict[tuple[str, str], Known] = field(default_factory=dict)

    def get(self, url: str, identity: str) -> Known | None:
        return self.known.get((url, identity))


@pytest.fixture
def network():
    """`network(**changes)`: the settings of the tests, changed."""

    def make(**changes):
        return msgspec.structs.replace(QUICK, **changes)

    return make


@pytest.fixture
def going(network):
    """`async with going(**changes) as fetch`: fetch(url or Request) by a transport."""

    @asynccontextmanager
    async def go(*, validators=None, pauses=None, clock=None, guard=None, **changes):
        more = {"clock": clock} if clock else {}
        settings = network(**changes)
        made = guard(settings) if guard else None
        async with transport(
            settings, validators=validators, pauses=pauses, guard=made, **more
        ) as way:

            async def fetch(asked, **kwargs):
                request = asked if isinstance(asked, Request) else Request(asked, **kwargs)
                return await way.fetch(request)

            fetch.transport = way
            yield fetch

    return go


async def failing(awaitable) -> FetchError:
    """The FetchError that it ends with."""
    with pytest.raises(FetchError) as caught:
        await awaitable
    return caught.value


async def outcome(awaitable) -> Outcome:
    """How it ends."""
    try:
        await awaitable
    except FetchError as error:
        return error.outcome
    return Outcome.OK


async def settled() -> None:
    """Let everything that is ready go on."""
    for _ in range(5):
        await asyncio.sleep(0)
