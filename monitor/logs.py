"""One line for each thing that happened: for people on a terminal, as JSON under systemd."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TextIO, cast

import structlog

from monitor.settings import LogSettings


class _Lines:
    """Standard error, as far as there is one: closed, full or a pipe that nobody reads, it must
    never end whoever has something to say."""

    def write(self, text: str) -> int:
        try:
            return sys.stderr.write(text) if sys.stderr else 0
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            if sys.stderr:
                sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr is not None and sys.stderr.isatty()


def set_up(settings: LogSettings) -> None:
    """Configure structlog by the settings. Lines go to standard error."""
    as_json = settings.format == "json" or (
        settings.format == "auto" and "JOURNAL_STREAM" in os.environ
    )
    lines = _Lines()
    renderer: structlog.typing.Processor
    if as_json:
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=lines.isatty() and "NO_COLOR" not in os.environ, pad_event_to=8
        )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
            structlog.processors.ExceptionRenderer()
            if as_json
            else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", lines)),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("scrapy").setLevel(logging.ERROR)
    _quiet_retries()


def _quiet_retries() -> None:
    """A further attempt is no news: the visit tells how it ended. Who looks closely sees them."""
    from stamina.instrumentation import RetryDetails, set_on_retry_hooks

    def tell(details: RetryDetails) -> None:
        wait = round(details.wait_for, 1)
        structlog.get_logger().debug("again", error=str(details.caused_by), wait=wait)

    set_on_retry_hooks([tell])
