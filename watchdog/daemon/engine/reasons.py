"""Why the engine's broker takes no looks, in a sentence without secrets."""

from kombu.exceptions import OperationalError

from watchdog.core.text.exception_chain import exception_chain
from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.reasons import Asked, failure
from watchdog.sources.redis.sentinel_address import SentinelAddress
from watchdog.sources.redis.settings import RedisServerSettings

__all__ = ["reason_of"]


def reason_of(error: Exception, broker: RedisServerSettings) -> str:
    """What kombu's or redis-py's exception means for this broker."""
    cause = next((one for one in exception_chain(error) if isinstance(one, Exception) and not isinstance(one, OperationalError)), error)
    place = broker.place
    if isinstance(place, SentinelAddress):
        host, port = place.sentinels[0]
        place = RedisAddress(scheme=place.to_master.scheme, host=host, port=port, db=place.to_master.db)
    return failure(cause, Asked(place, broker.timeout, broker.connect_timeout, "engine"))
