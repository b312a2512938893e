"""Secrets: each bound to one origin, read from a file that nobody else can read, never shown."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from monitor.errors import SettingsError
from monitor.settings import Credential, NetworkSettings
from spiders.address import take_apart

Origin = tuple[str, str, int]


@dataclass(slots=True)
class Secret:
    """A credential that was read. `rejected` is set when its upstream refused it."""

    name: str
    header: str
    value: str = field(repr=False)
    anonymous: bool = False
    rejected: bool = False
    fingerprint: str = ""


class Credentials:
    """All secrets, by the origin they may be sent to. SettingsError for one that is not safe."""

    def __init__(self, network: NetworkSettings) -> None:
        self._by_origin: dict[Origin, Secret] = {}
        self._values: list[str] = []
        for name, credential in network.credentials.items():
            origin = _origin(name, credential)
            value = _read(name, credential, network.credentials_folder)
            self._values.append(value)
            self._by_origin[origin] = Secret(
                name,
                credential.header.lower(),
                credential.prefix + value,
                credential.anonymous,
                fingerprint=hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:16],
            )

    def of(self, origin: Origin) -> Secret | None:
        """The secret that is bound to exactly this scheme, host and port."""
        return self._by_origin.get(origin) if self._by_origin else None

    def fingerprint(self, url: str) -> str:
        """Names the secret that goes with an address, without telling it; "" for none."""
        if not self._by_origin:
            return ""
        secret = self._by_origin.get(take_apart(url).origin)
        return "" if secret is None or secret.rejected else secret.fingerprint

    def redact(self, text: str) -> str:
        """The text without any secret that we know."""
        for value in self._values:
            text = text.replace(value, "…")
        return text


def _origin(name: str, credential: Credential) -> Origin:
    where = f"network.credentials.{name}"
    if not credential.origin:
        raise SettingsError(
            where, "is not bound to a host", 'add origin = "https://the.host.it.is.for"'
        )
    address = take_apart(credential.origin)
    if address.path != "/" or address.query or address.userinfo:
        raise SettingsError(where, "origin must be scheme, host and port only")
    return address.origin


def _read(name: str, credential: Credential, folder: str | None) -> str:
    where = f"network.credentials.{name}"
    service = os.environ.get("CREDENTIALS_DIRECTORY")
    base = folder or service
    path = Path(credential.file or name)
    if not path.is_absolute():
        if base is None:
            raise SettingsError(
                where, "no folder to read it from", "set network.credentials_folder"
            )
        path = Path(base) / path
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        # systemd's own folder is closed as a whole; there a group bit stems from its ACL.
        others = 0o007 if service and path.is_relative_to(service) else 0o077
        if mode & others:
            raise SettingsError(
                where, f"{path} can be read by others (mode {mode:04o})", f"chmod 600 {path}"
            )
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise SettingsError(where, f"{path}: {reason}", "put the secret there") from None
    if not value or not value.isprintable() or not value.isascii():
        raise SettingsError(where, f"{path} must hold one line of printable characters")
    return value
