"""The connection to one Redis: to a fixed address, or to the master that sentinels name. In: settings. Out: a connected wire.

Both kinds keep their connection, use the batch's deadline, and report afterwards which server they used, for the reasons.
"""

from collections.abc import Callable
from typing import Protocol

from watchdog.net.deadline import Deadline
from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.connection import Wire
from watchdog.sources.redis.reasons import Asked
from watchdog.sources.redis.sentinel_address import SentinelAddress
from watchdog.sources.redis.sentinels import SentinelLine
from watchdog.sources.redis.settings import RedisServerSettings

__all__ = ["DirectLine", "Line", "line_to"]


class Line(Protocol):
    """A way to reach one Redis. `connected` may raise `connection.FAILURES`; then close it."""

    @property
    def open(self) -> bool:
        """Whether a connection is kept, as far as is known."""
        ...

    @property
    def asked(self) -> Asked:
        """The server it leads to, for use in reasons."""
        ...

    def connected(self) -> Wire:
        """A connected wire."""
        ...

    def require_master(self, role: str | None) -> None:
        """Check the role that INFO reported; raises one of `FAILURES` if the line is for masters only."""
        ...

    def close(self) -> None:
        """Disconnect; never raises."""
        ...


class DirectLine:
    """The connection to a fixed address."""

    def __init__(self, settings: RedisServerSettings, address: RedisAddress, deadline: Deadline, name: str) -> None:
        self.asked = Asked(address, settings.timeout, settings.connect_timeout, name)
        self._wire = Wire(address, timeout=settings.timeout, connect_timeout=settings.connect_timeout, deadline=deadline)

    @property
    def open(self) -> bool:
        """Whether a connection is kept."""
        return self._wire.open

    def connected(self) -> Wire:
        """The wire, connected."""
        self._wire.connect()
        return self._wire

    def require_master(self, role: str | None) -> None:
        """No check: a configured address may be a replica, which rules report."""

    def close(self) -> None:
        """Disconnect."""
        self._wire.close()


def line_to(settings: RedisServerSettings, clock: Callable[[], float], name: str) -> Line:
    """The kind of line for these settings; `name` is the source's."""
    place, deadline = settings.place, Deadline(clock)
    if isinstance(place, SentinelAddress):
        return SentinelLine(settings, place, deadline, clock, name)
    return DirectLine(settings, place, deadline, name)
