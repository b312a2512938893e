"""The network as a single question by hand uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monitor.cli import App

BY_HAND = "a single question, asked by hand"
"""Stands where a contact would: whoever watches is asked for one, whoever looks once is not."""


def network(app: App) -> Any:
    """The network settings, for one question: it needs no contact."""
    from msgspec.structs import replace

    given = app.settings.network
    return given if given.contact else replace(given, contact=BY_HAND)
