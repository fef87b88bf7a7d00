"""Why the engine's broker takes no looks, in a sentence without secrets: what was expected there, what was found, what to do.

In: an exception of kombu or redis-py, and the settings of the broker. Out: a sentence. Most are those of any Redis that watchdog asks; here
are those whose cure is another for a Redis of its own, to which messages are written.
"""

import re

from kombu.exceptions import OperationalError
from msgspec.structs import replace
from redis import exceptions as redis_errors
from redis.sentinel import MasterNotFoundError

from watchdog.core.text.exception_chain import exception_chain
from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.reasons import Asked, failure
from watchdog.sources.redis.sentinel_address import SentinelAddress
from watchdog.sources.redis.sentinel_reasons import NO_SENTINEL
from watchdog.sources.redis.settings import RedisServerSettings

__all__ = ["ALLOWED", "reason_of"]

NAME = "engine.broker"
_CONNECTING = re.compile(r"connecting to (?P<host>[^ ]+):(?P<port>[0-9]{1,5})\b")
ALLOWED = "~* &* +@all -@dangerous"
"""What a user of that Redis must be allowed to do, as its ACL says it."""


def reason_of(error: Exception, broker: RedisServerSettings) -> str:
    """What kombu's or redis-py's exception means for this broker."""
    cause = next((one for one in exception_chain(error) if isinstance(one, Exception) and not isinstance(one, OperationalError)), error)
    place = broker.place
    said = (_of_sentinels(cause, place) if isinstance(place, SentinelAddress) else "") or _of_its_own(cause, place.masked)
    if said:
        return f"{NAME}: {said}"
    asked = Asked(place, broker.timeout, broker.connect_timeout, NAME) if isinstance(place, RedisAddress) else _master(cause, place, broker)
    return failure(cause, asked)


def _master(cause: Exception, place: SentinelAddress, broker: RedisServerSettings) -> Asked:
    """The master that was asked. Its address is in what redis-py says of a connection; otherwise, that of a sentinel stands for it."""
    found = _CONNECTING.search(str(cause))
    host, port = (found["host"], int(found["port"])) if found else place.sentinels[0]
    found_by = f' (the master "{place.master}", according to its sentinels)' if found else " (a sentinel of it)"
    return Asked(replace(place.to_master, host=host, port=port), broker.timeout, broker.connect_timeout, NAME, found_by)


def _of_its_own(cause: Exception, place: str) -> str:
    """What such a Redis refuses, but one that is only read does not; empty for anything else."""
    if isinstance(cause, redis_errors.NoPermissionError):
        return (
            f"the ACL of this user denies a command or a key that Celery needs at {place} (NOPERM); allow it with "
            f"ACL SETUSER name {ALLOWED}"
        )
    if isinstance(cause, redis_errors.OutOfMemoryError):
        return (
            f"{place} is full (OOM): expected a Redis of its own, where next to nothing lies; what fills it, or is `maxmemory` too small?"
        )
    if isinstance(cause, redis_errors.ResponseError) and "DB index" in str(cause):
        return f"{place} has no database of that number (its `databases` setting is smaller); leave the number out, any database will do"
    return ""


def _of_sentinels(cause: Exception, place: SentinelAddress) -> str:
    """What sentinels said in place of the master's address; empty for what the master itself refuses."""
    if isinstance(cause, MasterNotFoundError):
        return (
            f'no sentinel of {place.masked} names a master "{place.master}" that is up: do they run there, on those ports, and is that '
            "the name after `sentinel monitor` in sentinel.conf?"
        )
    if isinstance(cause, redis_errors.ResponseError) and "unknown command" in str(cause) and "sentinel" in str(cause).lower():
        return f"{place.masked} {NO_SENTINEL}"
    return ""
