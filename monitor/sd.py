"""Tell systemd how we are (sd_notify(3)): READY, STATUS, WATCHDOG, STOPPING."""

from __future__ import annotations

import os
import socket


def notify(*lines: str) -> None:
    """Send these assignments to the service manager; without one, nothing happens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
        try:
            line.sendto("\n".join(lines).encode(), address)
        except OSError:
            return  # the manager is gone; there is nobody to tell


def watchdog_seconds() -> float | None:
    """How often systemd wants to hear from us, or None where it does not watch."""
    if os.environ.get("WATCHDOG_PID") not in (None, str(os.getpid())):
        return None
    try:
        return int(os.environ["WATCHDOG_USEC"]) / 1e6
    except (KeyError, ValueError):
        return None
