"""TOML text → checked, frozen settings.

`load(Config.find())` reads `monitor.toml`, `sources/*.toml`, `packages.toml` and
`builds.toml` of a configuration folder. Whatever is wrong is a `SettingsError`
that names file, line and key, and what would be right.
"""

from monitor.plausible import Gate
from monitor.rules import Rules
from monitor.settings.places import Config, check, load, shipped
from monitor.settings.shape import (
    Build,
    Builds,
    Credential,
    DaemonSettings,
    Doubt,
    FeedSettings,
    HostSettings,
    LogSettings,
    NetworkSettings,
    NotifySettings,
    Package,
    QueueSettings,
    ScheduleSettings,
    Settings,
    Source,
    StateSettings,
)

__all__ = [
    "Build",
    "Builds",
    "Config",
    "Credential",
    "DaemonSettings",
    "Doubt",
    "FeedSettings",
    "Gate",
    "HostSettings",
    "LogSettings",
    "NetworkSettings",
    "NotifySettings",
    "Package",
    "QueueSettings",
    "Rules",
    "ScheduleSettings",
    "Settings",
    "Source",
    "StateSettings",
    "check",
    "load",
    "shipped",
]
