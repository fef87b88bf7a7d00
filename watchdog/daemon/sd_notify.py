"""Notifications to systemd as in sd_notify(3): a datagram to the socket in $NOTIFY_SOCKET; nothing if it is not set."""

import socket
from collections.abc import Mapping

__all__ = ["Notifier", "watchdog_period_s"]


class Notifier:
    """Sends `READY=1`, `WATCHDOG=1` and the like; silent outside systemd, and never raises."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def say(self, *lines: str) -> None:
        """Send these assignments in one datagram."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            return


def watchdog_period_s(environ: Mapping[str, str]) -> float | None:
    """`WatchdogSec` as systemd passes it (WATCHDOG_USEC), in seconds; None if the unit has none."""
    try:
        period = int(environ.get("WATCHDOG_USEC", "")) / 1e6
    except ValueError:
        return None
    return period if period > 0 else None
