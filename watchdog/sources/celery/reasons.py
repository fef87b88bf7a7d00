"""Reasons why the workers could not be asked, one sentence per cause: what was tried, what came back, what to fix.

In: an exception of kombu or of the broker's client. Out: a sentence without secrets, and for how long nothing more should be tried.
"""

from amqp.exceptions import AccessRefused as AmqpAccessRefused
from amqp.exceptions import AMQPError
from kombu.exceptions import ContentDisallowed, OperationalError
from msgspec import Struct
from redis import exceptions as redis_errors

from watchdog.core.text.exception_chain import exception_chain
from watchdog.sources.celery.amqp_address import AmqpAddress
from watchdog.sources.celery.broker import Place
from watchdog.sources.celery.line import HANGS_S
from watchdog.sources.redis.address import RedisAddress
from watchdog.sources.redis.reasons import Asked, failure
from watchdog.sources.redis.sentinel_address import SentinelAddress

__all__ = ["Refusal", "refusal"]

PAGE = "docs/flower.md says what to allow; or switch this off, celery = {ask_workers = false}"
SERIALIZER = "Workers reply in their task_serializer, whatever they were asked in: use JSON there, or celery = {ask_workers = false}"

REFUSED_S = 600.0
"""After a denial: somebody has to change something first."""


class Refusal(Struct, frozen=True):
    """Why nothing was asked. `quiet_s`: for how long nothing more should be tried."""

    reason: str
    quiet_s: float = 0.0


def refusal(error: Exception, place: Place, timeout_s: float, connect_timeout_s: float) -> Refusal:
    """The reason for an exception."""
    chain = list(exception_chain(error))
    cause = next((one for one in chain if not isinstance(one, OperationalError)), error)
    known = cause if isinstance(cause, Exception) else error
    if any(isinstance(one, redis_errors.NoPermissionError | AmqpAccessRefused) for one in chain):
        what = "the broker refused the login, or denied it" if isinstance(place, AmqpAddress) else "its ACL denied a command"
        return Refusal(f"celery: the user of {place.masked} may not ask workers ({what}): {PAGE}", REFUSED_S)
    if isinstance(known, ContentDisallowed):
        return Refusal(f"celery: expected replies in JSON, and a worker at {place.masked} replied in another form. {SERIALIZER}")
    quiet_s = HANGS_S if any(isinstance(one, TimeoutError) for one in chain) else 0.0
    if isinstance(place, AmqpAddress):
        return Refusal(_of_amqp(known, place), quiet_s)
    address = place if isinstance(place, RedisAddress) else _of_sentinels(place)
    reason = failure(known, Asked(address, timeout_s, connect_timeout_s, "celery"))
    return Refusal(reason, REFUSED_S if isinstance(known, redis_errors.AuthenticationError) else quiet_s)


def _of_sentinels(place: SentinelAddress) -> RedisAddress:
    host, port = place.sentinels[0]
    return RedisAddress(scheme=place.to_master.scheme, host=host, port=port, db=place.to_master.db)


def _of_amqp(error: Exception, place: AmqpAddress) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"celery: connection refused by {place.masked}: is the broker running there, on that port?"
    if isinstance(error, TimeoutError):
        return f"celery: no answer from {place.masked} in time: the broker hangs, blocks publishers, or a firewall is in between"
    if isinstance(error, AMQPError):
        return f"celery: {place.masked} refused ({type(error).__name__}): are user, password and virtual host right?"
    return f"celery: no conversation with {place.masked} ({type(error).__name__})"
