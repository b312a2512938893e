"""Dates as feeds and registries write them, read as UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def utc(text: object) -> datetime | None:
    """The moment that an ISO 8601 or RFC 822 date names; None for "did not say" or nonsense.

    A date without a zone is taken for UTC. The zones `UT` and `UTC`, two
    spaces in a row, and fractions of any length are understood.
    """
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is UTC:
            return found
    except ValueError:
        pass
    if not (text := " ".join(text.split())):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
