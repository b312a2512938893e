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

    quiet()

    given = app.settings.network
    return given if given.contact else replace(given, contact=BY_HAND)


def quiet() -> None:
    """Further attempts are not told line by line: what is printed is the answer."""
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks([])
