"""One notification out of the box: what happened, in a short message, by apprise.

apprise (the extra `notify`) speaks to mail servers, chats and phones; it opens
its own connections, only to the addresses that the operator set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from monitor.errors import FetchError, SettingsError
from monitor.model import Event, Outcome
from monitor.settings import NetworkSettings, NotifySettings

LINES = 20
"""Events told one by one in a message; the others are counted."""


def wanted(settings: NotifySettings) -> Callable[[Event], bool]:
    """Is this an event that the settings ask to be told of?"""

    def asked_for(event: Event) -> bool:
        if event.kind.value not in settings.kinds:
            return False
        if settings.stable_only and event.payload.get("stable") is False:
            return False
        return any(fnmatchcase(event.project, pattern) for pattern in settings.match)

    return asked_for


def compose(events: Sequence[Event]) -> tuple[str, str]:
    """Title and body of one message about these events, oldest first."""
    shown = [_line(event) for event in events[:LINES]]
    if len(events) > LINES:
        shown.append(f"and {len(events) - LINES} more")
    title = shown[0] if len(events) == 1 else f"{len(events)} pieces of news about releases"
    return title, "\n".join(shown)


def _line(event: Event) -> str:
    what = f"{event.project} {event.version}" if event.version else event.project
    reason = event.payload.get("reason") or event.payload.get("page") or ""
    told = f"{what or event.source or ''}: {event.kind.value}" + (f" ({reason})" if reason else "")
    return "".join(c if c.isprintable() else "?" for c in told)[:300]


def send(settings: NotifySettings, network: NetworkSettings, title: str, body: str) -> None:
    """Send one message to every address.

    Raises SettingsError where apprise is missing or an address is none,
    FetchError where one of them did not take it.
    """
    try:
        import apprise
    except ImportError as error:
        raise SettingsError(
            "notify.urls",
            "apprise is not installed",
            "pip install 'release-monitor[notify]', or leave notify.urls empty",
        ) from error
    for number, address in enumerate(_addresses(settings, network)):
        where = f"notify.urls[{number}]"  # the address itself holds secrets
        messenger = apprise.Apprise()
        if not messenger.add(address):
            raise SettingsError(where, "apprise does not know such an address", "see its manual")
        sent = messenger.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT)
        if not sent:
            raise FetchError(
                f"{where} ({address.partition('://')[0]})",
                "did not take the message",
                "is that address right, and its server there? `monitor notify --test` tries it",
                outcome=Outcome.RETRY,
            )


def _addresses(settings: NotifySettings, network: NetworkSettings) -> list[str]:
    """The addresses; one without "://" is a file that holds it, so that it can be kept secret."""
    found = []
    for given in settings.urls:
        if "://" in given:
            found.append(given)
            continue
        path = Path(network.credentials_folder or "") / given
        try:
            found.append(path.read_text("utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                str(path), "the address for notices cannot be read", "put it into that file"
            ) from error
    return found
