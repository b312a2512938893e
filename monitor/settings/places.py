"""Where the settings lie on this machine, and where the program keeps its things.

The thin edge of this package: it reads files and the environment, and hands
their texts to `reading`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from monitor.errors import SettingsError
from monitor.settings.reading import parse
from monitor.settings.shape import NetworkSettings, Settings
from monitor.settings.words import closest

FILES = ("monitor.toml", "packages.toml", "builds.toml")
SYSTEM = Path("/etc/release-monitor")
SYSTEM_STATE = Path("/var/lib/monitor")


@dataclass(frozen=True, slots=True)
class Config:
    """Where to read: a configuration folder, and the environment."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    @classmethod
    def find(cls, option: str | None = None, environ: Mapping[str, str] = os.environ) -> Config:
        """The folder that holds: the one asked for, else the first of these that is there.

        `$MONITOR_CONFIG`, `$CONFIGURATION_DIRECTORY` (systemd sets it),
        `$XDG_CONFIG_HOME/release-monitor`, `/etc/release-monitor`, the shipped one.
        Raises SettingsError where a folder that was asked for is not there.
        """
        for name, asked in (
            ("--config", option),
            ("MONITOR_CONFIG", environ.get("MONITOR_CONFIG")),
        ):
            if asked:
                folder = Path(asked).expanduser().absolute()
                if not folder.is_dir():
                    raise SettingsError(
                        f"{name} {asked}", "no such folder", "create it, or omit it"
                    )
                return cls(folder, environ)
        candidates = [home(environ, "XDG_CONFIG_HOME", ".config") / "release-monitor", SYSTEM]
        if given := environ.get("CONFIGURATION_DIRECTORY"):
            candidates.insert(0, Path(given.partition(":")[0]))
        for folder in candidates:
            if any((folder / name).exists() for name in (*FILES, "sources")):
                return cls(folder, environ)
        return cls(shipped(), environ)


def shipped() -> Path:
    """The configuration that came with the program: of the checkout, or of the wheel."""
    checkout = Path(__file__).resolve().parents[2] / "config"
    if (checkout / "monitor.toml").is_file():
        return checkout
    import sysconfig

    return Path(sysconfig.get_path("data")) / "share" / "release-monitor" / "config"


def home(environ: Mapping[str, str], variable: str, otherwise: str) -> Path:
    """A base folder by the XDG specification; a relative one is ignored, as it asks."""
    given = environ.get(variable, "")
    if given.startswith("/"):
        return Path(given)
    return Path(environ.get("HOME") or Path.home()) / otherwise


def load(config: Config) -> Settings:
    """The settings of that folder, checked, with all folders filled in.

    Raises SettingsError for the first thing that is wrong; `check` tells all of them.
    """
    settings, problems = _load(config)
    if problems:
        raise problems[0]
    return settings


def check(config: Config) -> list[SettingsError]:
    """Everything that is wrong with that folder."""
    return _load(config)[1]


def _load(config: Config) -> tuple[Settings, list[SettingsError]]:
    texts, unread = _texts(config.folder)
    settings, wrong = parse(texts, config.environ, str(config.folder))
    settings = placed(settings, config)
    return settings, unread + wrong + _secrets(settings.network, config)


def _texts(folder: Path) -> tuple[dict[str, str], list[SettingsError]]:
    texts: dict[str, str] = {}
    problems: list[SettingsError] = []
    for path in sorted([*folder.glob("*.toml"), *folder.glob("sources/*.toml")]):
        name = path.relative_to(folder).as_posix()
        if "/" not in name and name not in FILES:
            what = "no settings are read from a file of this name"
            problems.append(SettingsError(str(path), what, closest(name, list(FILES))))
            continue
        try:
            texts[name] = path.read_text("utf-8")
        except UnicodeDecodeError as error:
            what = f"not UTF-8 at byte {error.start}"
            problems.append(SettingsError(str(path), what, "save the file as UTF-8"))
        except OSError as error:
            what = error.strerror or str(error)
            problems.append(SettingsError(str(path), f"cannot be read: {what}"))
    return texts, problems


def placed(settings: Settings, config: Config) -> Settings:
    """The settings with every folder absolute; what was left out gets its usual place. Pure."""
    folder, environ = config.folder, config.environ
    if settings.state.dir:
        state = _under(folder, settings.state.dir)
    elif given := environ.get("STATE_DIRECTORY"):
        state = Path(given.partition(":")[0])
    elif folder == SYSTEM:
        # Someone at a terminal asks about the service, whose variables they do not have.
        state = SYSTEM_STATE
    else:
        state = home(environ, "XDG_STATE_HOME", ".local/state") / "release-monitor"
    network = settings.network
    secrets = network.credentials_folder or environ.get("CREDENTIALS_DIRECTORY") or "credentials"
    return replace(
        settings,
        folder=str(folder),
        state=replace(settings.state, dir=str(state)),
        feed=replace(settings.feed, dir=str(_under(state, settings.feed.dir or "feed"))),
        queue=replace(settings.queue, dir=str(_under(state, settings.queue.dir or "queue"))),
        daemon=replace(
            settings.daemon, socket=str(_under(state, settings.daemon.socket or "control.sock"))
        ),
        network=replace(
            network,
            credentials_folder=str(_under(folder, secrets)),
            record=_optional(folder, network.record),
            replay=_optional(folder, network.replay),
            ca_file=_optional(folder, network.ca_file),
            files=tuple(str(_under(folder, path)) for path in network.files),
        ),
    )


def _under(base: Path, path: str) -> Path:
    return Path(os.path.normpath(base / Path(path).expanduser()))


def _optional(base: Path, path: str | None) -> str | None:
    return None if path is None else str(_under(base, path))


def _secrets(network: NetworkSettings, config: Config) -> list[SettingsError]:
    """Files of secrets that others may read, that are missing, or that no server is named for."""
    base = Path(network.credentials_folder or "")
    by_systemd = str(base) == config.environ.get("CREDENTIALS_DIRECTORY")
    problems = []
    for name, credential in network.credentials.items():
        path = base / (credential.file or name)
        try:
            mode = path.stat().st_mode
        except OSError as error:
            what = f"the secret of network.credentials.{name} cannot be read: {error.strerror}"
            problems.append(SettingsError(str(path), what, "put the token into that file"))
            continue
        # systemd lets the service's user in through its group.
        if mode & (0o007 if by_systemd else 0o077):
            what = f"others may read this secret (mode {mode & 0o777:04o})"
            problems.append(SettingsError(str(path), what, f"chmod 600 {path}"))
    return problems
