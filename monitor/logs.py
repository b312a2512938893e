"""One line for each thing that happened: for people on a terminal, as JSON under systemd."""

from __future__ import annotations

import logging
import os
import sys

import structlog

from monitor.settings import LogSettings


def set_up(settings: LogSettings) -> None:
    """Configure structlog by the settings. Lines go to standard error."""
    as_json = settings.format == "json" or (
        settings.format == "auto" and "JOURNAL_STREAM" in os.environ
    )
    renderer: structlog.typing.Processor
    if as_json:
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty() and "NO_COLOR" not in os.environ, pad_event_to=8
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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("scrapy").setLevel(logging.ERROR)
