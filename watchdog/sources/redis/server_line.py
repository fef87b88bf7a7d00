"""The line to the Redis that is asked: to one address, or to the master that sentinels name. In: settings. Out: a connected wire.

Both lines keep their connection, share the batch's deadline, and tell afterwards whom they asked, for the reasons.
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
    """A way to one Redis. `connected` may raise `redis_wire.FAILURES`; then close it."""

    @property
    def open(self) -> bool:
        """Whether a connection is kept, as far as is known."""
        ...

    @property
    def asked(self) -> Asked:
        """Whom it leads to, as reasons speak of it."""
        ...

    def connected(self) -> Wire:
        """A wire that is connected to it."""
        ...

    def require_master(self, role: str | None) -> None:
        """What INFO said of its role meanwhile; raises one of `FAILURES` where the line is for masters only."""
        ...

    def close(self) -> None:
        """Disconnect; never raises."""
        ...


class DirectLine:
    """To one address."""

    def __init__(self, settings: RedisServerSettings, address: RedisAddress, deadline: Deadline, name: str) -> None:
        self.asked = Asked(address, settings.timeout, settings.connect_timeout, name)
        self._wire = Wire(address, timeout=settings.timeout, connect_timeout=settings.connect_timeout, deadline=deadline)

    @property
    def open(self) -> bool:
        """Whether a connection is kept."""
        return self._wire.open

    def connected(self) -> Wire:
        """The one wire."""
        self._wire.connect()
        return self._wire

    def require_master(self, role: str | None) -> None:
        """Whoever names an address has named that one, replica or not: rules speak of it."""

    def close(self) -> None:
        """Disconnect."""
        self._wire.close()


def line_to(settings: RedisServerSettings, clock: Callable[[], float], name: str) -> Line:
    """The line that these settings ask for; `name` is the source's."""
    place, deadline = settings.place, Deadline(clock)
    if isinstance(place, SentinelAddress):
        return SentinelLine(settings, place, deadline, clock, name)
    return DirectLine(settings, place, deadline, name)
