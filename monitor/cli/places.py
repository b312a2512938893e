"""Where the database is, for commands that only read it.

Reading all settings costs more time than `monitor list` has. The folder of the
database follows from a few of them, by the rules of `monitor.settings.places`;
a test holds the two together. Where anything is unusual, the answer is None
and the caller reads all settings, which also says what is wrong with them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

_ETC = "/etc/release-monitor"
_SERVICE = "/var/lib/monitor"
_SAYS = re.compile(rb"""^[ \t]*\[?[ \t]*["']?state""", re.MULTILINE).search
"""Could this file set something of `[state]`? Most do not, and need not be parsed."""

_FILES = ("monitor.toml", "packages.toml", "builds.toml", "sources")


def quick_state(config: str | None, environ: Mapping[str, str]) -> Path | None:
    """The folder of the database, or None where it takes all settings to tell."""
    given = environ.get("MONITOR_STATE__DIR", "")
    if given.startswith("/"):
        return Path(os.path.normpath(given))
    if given:
        return None
    folder = _folder(config, environ)
    if folder is None:
        return None
    said = _said(folder)
    if said is None:
        return None
    if said:
        return Path(os.path.normpath(Path(folder) / said))
    if state := environ.get("STATE_DIRECTORY"):
        return Path(state.partition(":")[0])
    if folder == _ETC:
        return Path(_SERVICE)
    base = _home(environ, "XDG_STATE_HOME", ".local/state")
    return None if base is None else Path(base) / "release-monitor"


def _folder(config: str | None, environ: Mapping[str, str]) -> str | None:
    """The folder of the settings; "" where none is configured; None where that is unclear."""
    asked = config or environ.get("MONITOR_CONFIG")
    if asked:
        folder = os.path.abspath(asked)  # noqa: PTH100
        return folder if not asked.startswith("~") and os.path.isdir(folder) else None  # noqa: PTH112
    home = _home(environ, "XDG_CONFIG_HOME", ".config")
    if home is None:
        return None
    candidates = [environ.get("CONFIGURATION_DIRECTORY", "").partition(":")[0]]
    candidates += [f"{home}/release-monitor", _ETC]
    for folder in candidates:
        if folder and any(os.path.exists(f"{folder}/{name}") for name in _FILES):  # noqa: PTH110
            return folder
    return ""


def _said(folder: str) -> str | None:
    """`[state] dir` of that folder's settings, "" where it is not set; None where unclear."""
    if not folder:
        return ""
    try:
        with open(f"{folder}/monitor.toml", "rb") as file:  # noqa: PTH123
            text = file.read()
        if not _SAYS(text):
            return ""
        import tomllib

        said = tomllib.loads(text.decode()).get("state", {}).get("dir", "")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, AttributeError):
        return None
    return said if isinstance(said, str) and not said.startswith("~") else None


def _home(environ: Mapping[str, str], variable: str, otherwise: str) -> str | None:
    given = environ.get(variable, "")
    if given.startswith("/"):
        return given
    home = environ.get("HOME")
    return f"{home}/{otherwise}" if home else None
