"""The connection to the master that sentinels name. They are asked in turn, and the named server must itself confirm that it is the master.

A sentinel that missed the failover names the old master, which refuses connections or has become a replica: then the next sentinel is
asked. A kept connection is not trusted for long either, because an old master that is cut off from the others still answers: every
`ASKED_AGAIN_S` one sentinel is asked whether it is still the master; if that sentinel does not answer, the connection is kept.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from watchdog.core.model.replies import RedisServer
from watchdog.net.deadline import Deadline
from watchdog.net.descriptor_limits import raise_if_own
from watchdog.sources.redis.address import at
from watchdog.sources.redis.commands import packed_words
from watchdog.sources.redis.connection import FAILURES, TooLargeError, Wire
from watchdog.sources.redis.reasons import Asked, failure
from watchdog.sources.redis.sentinel_address import SentinelAddress
from watchdog.sources.redis.sentinel_reasons import NO_SENTINEL, UNKNOWN_MASTER, nobody_knows, why_not
from watchdog.sources.redis.server import redis_server
from watchdog.sources.redis.settings import RedisServerSettings

__all__ = ["NoMasterError", "NotMasterError", "SentinelLine"]

ASKED_AGAIN_S = 10.0
WHO_IS_IT = ("SENTINEL", "get-master-addr-by-name")
ITS_ROLE = packed_words("INFO", "replication")
"""INFO rather than ROLE: the README's ACL line allows it."""

Place = tuple[str, int]


class NoMasterError(RedisError):
    """No master could be reached; the text is the complete reason, without the source's name."""


class NotMasterError(RedisConnectionError):
    """The server that was named as the master, or was the master before, says that it is a replica."""


class _Search(Struct):
    """The results of one search for the master: of each sentinel, and of each address that was named."""

    said: dict[Place, str]
    refused: dict[Place, str]


class SentinelLine:
    """The connection to the current master."""

    def __init__(
        self, settings: RedisServerSettings, place: SentinelAddress, deadline: Deadline, clock: Callable[[], float], name: str
    ) -> None:
        self._settings, self._place, self._deadline, self._clock, self._name = settings, place, deadline, clock, name
        self._order = list(place.sentinels)
        self._budget = Deadline(clock)
        self._wire: Wire | None = None
        self._named: Place | None = None
        self._asked_at = 0.0
        self.asked = Asked(place.to_master, settings.timeout, settings.connect_timeout, name)

    @property
    def open(self) -> bool:
        """Whether a connection is kept."""
        return self._wire is not None and self._wire.open

    def connected(self) -> Wire:
        """The connection to the master; NoMasterError if none can be reached."""
        if self.open and self._moved():
            self.close()
        if self._wire is None or not self._wire.open:
            self._wire = self._found()
        else:
            self._wire.connect()
        return self._wire

    def require_master(self, role: str | None) -> None:
        """NotMasterError for a replica. If the ACL denies INFO the role is unknown, and the sentinel is trusted."""
        if role not in (None, "master"):
            raise NotMasterError(f"{self.asked.place} reports that it is a replica: is a failover under way?")

    def close(self) -> None:
        """Disconnect; the next batch searches for the master again."""
        if self._wire is not None:
            self._wire.close()
        self._wire = None

    def _moved(self) -> bool:
        """Whether a sentinel names another master by now."""
        if self._clock() - self._asked_at < ASKED_AGAIN_S:
            return False
        self._asked_at = self._clock()
        named = self._ask(self._order[0], self._settings.connect_timeout)
        if isinstance(named, str):
            self._order = [*self._order[1:], self._order[0]]
            return False
        return named != self._named

    def _found(self) -> Wire:
        """A connection to the first address that a sentinel names and that is a master."""
        s, search = self._settings, _Search({}, {})
        self._budget.start(s.connect_timeout + s.timeout)
        for sentinel, named in self._names(search):
            self.asked = self._asked_of(named, sentinel)
            wire = Wire(self.asked.address, timeout=s.timeout, connect_timeout=s.connect_timeout, deadline=self._deadline)
            try:
                wire.connect()
                self.require_master(_role(wire))
            except (*FAILURES, TooLargeError) as error:
                wire.close()
                raise_if_own(error)
                search.refused[named] = str(error) if isinstance(error, NotMasterError) else failure(error, self.asked)
                continue
            self._named, self._asked_at = named, self._clock()
            self._order = [sentinel, *(other for other in self._order if other != sentinel)]
            return wire
        raise NoMasterError(self._why(search))

    def _names(self, search: _Search) -> Iterator[tuple[Place, Place]]:
        """(sentinel, the address it names), each address once, until the time is used up."""
        for number, sentinel in enumerate(list(self._order)):
            if self._budget.over:
                search.said[sentinel] = "was not queried, because no time was left"
                continue
            named = self._ask(sentinel, self._budget.left() / (len(self._order) - number))
            if isinstance(named, str):
                search.said[sentinel] = named
                continue
            search.said[sentinel] = f"names {at(*named)}"
            if named not in search.refused:
                yield sentinel, named

    def _ask(self, sentinel: Place, seconds: float) -> Place | str:
        """The address that this sentinel names, or why there is none."""
        s, half = self._settings, seconds / 2
        address = replace(self._place.to_sentinel, host=sentinel[0], port=sentinel[1])
        wire = Wire(address, timeout=min(s.timeout, half), connect_timeout=min(s.connect_timeout, half), deadline=self._deadline)
        try:
            wire.connect()
            raw = next(iter(wire.exchange(packed_words(*WHO_IS_IT, self._place.master), 1)))
        except (*FAILURES, TooLargeError) as error:
            raise_if_own(error)
            return why_not(error, address, self._name)
        finally:
            wire.close()
        if isinstance(raw, Exception):
            return why_not(raw, address, self._name)
        match raw:
            case None:
                return UNKNOWN_MASTER
            case [bytes(host), bytes(port)] if port.isdigit():
                return host.decode("utf-8", "replace"), int(port)
        return NO_SENTINEL

    def _asked_of(self, named: Place, sentinel: Place) -> Asked:
        address = replace(self._place.to_master, host=named[0], port=named[1])
        found_by = f' (the master "{self._place.master}", according to the sentinel {at(*sentinel)})'
        return Asked(address, self._settings.timeout, self._settings.connect_timeout, self._name, found_by)

    def _why(self, search: _Search) -> str:
        said = {at(*sentinel): words for sentinel, words in search.said.items()}
        if not search.refused:
            return nobody_knows(self._place.master, said)
        others = [f"the sentinel {place} {words}" for place, words in said.items() if not words.startswith("names ")]
        reasons = [reason.removeprefix(f"{self._name}: ") for reason in search.refused.values()]
        return "; ".join([*reasons, *others])


def _role(wire: Wire) -> str | None:
    """`master` or `slave`; None if unknown."""
    raw = next(iter(wire.exchange(ITS_ROLE, 1)))
    server = None if isinstance(raw, ResponseError) else redis_server(raw)
    return server.role if isinstance(server, RedisServer) else None
