"""Tries again where that is worth it, with growing, random pauses. (stamina)

Stands outside politeness: a further attempt waits for the pace of its host
like any other request.
"""

from __future__ import annotations

from monitor.errors import FetchError
from monitor.model import Outcome, Reply, Request
from monitor.protocols import Transport
from monitor.settings import NetworkSettings
from spiders.address import take_apart


class Patient:
    """Asks again after failures that pass; others, and long waits, are the visit's affair."""

    def __init__(self, inner: Transport, network: NetworkSettings) -> None:
        self._inner = inner
        self._network = network

    async def fetch(self, request: Request) -> Reply:
        try:
            return await self._inner.fetch(request)
        except FetchError as error:
            if not self._is_worth_it(error):
                raise
            first = error
        return await self._again(request, first)

    async def _again(self, request: Request, first: FetchError) -> Reply:
        import stamina

        network = self._network
        address = take_apart(request.url)
        further = network.of_host(address.host, address.port).retries or 0
        async for attempt in stamina.retry_context(
            on=self._is_worth_it,
            attempts=1 + further,
            timeout=None,
            wait_initial=network.retry_wait,
            wait_max=network.retry_wait_max,
            wait_jitter=network.retry_wait,
        ):
            with attempt:
                if attempt.num == 1:
                    # It was made already: nearly every request succeeds, and so costs nothing here.
                    raise first
                return await self._inner.fetch(request)
        raise first

    def _is_worth_it(self, error: Exception) -> bool:
        if not isinstance(error, FetchError):
            return False
        wait = error.retry_after or 0.0
        return (
            error.outcome in (Outcome.RETRY, Outcome.THROTTLED) and wait <= self._network.patience
        )
