"""Why events are not heard from an AMQP broker, one sentence per cause: what was tried, what came back, what to do.

In: an exception of kombu, py-amqp or a socket. Out: a sentence without secrets, and how long to wait before the next attempt.
"""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from amqp import exceptions as amqp_errors

from watchdog.core.text.exception_chain import exception_chain
from watchdog.net.descriptor_limits import own_limit
from watchdog.sources.celery.amqp_address import AmqpAddress
from watchdog.sources.events.listening import DENIED_WAIT_S, DeniedError, Fault

__all__ = ["LostError", "denial", "fault"]

NO_EXCHANGE_WAIT_S = 5.0
"""The pause before looking again whether a worker has started."""
GRANTS = r"configure and write ^celeryev\.watchdog\., read ^celeryev(\.watchdog\..*)?$"
"""What the user of RabbitMQ needs."""
_TOPIC = re.compile("topic", re.IGNORECASE)


class LostError(Exception):
    """More came than could be read; the broker may have dropped some of it."""


@contextmanager
def denial(what: str, place: AmqpAddress, until_then: str = "Flower's word stands") -> Iterator[None]:
    """Raise DeniedError if the broker refuses what is done here; `what`: that, in words; `until_then`: what a refusal means."""
    try:
        yield
    except amqp_errors.AccessRefused as error:
        needs = "topic permission to read ^(worker|task)\\. on celeryev" if _TOPIC.search(str(error)) else f"these permissions: {GRANTS}"
        where = f"in the virtual host {place.virtual_host[:100]} it needs {needs} (docs/events.md)"
        raise DeniedError(f"RabbitMQ does not let this user {what} (ACCESS_REFUSED): {where}; until then {until_then}") from error


def fault(error: Exception, place: AmqpAddress, *, was_open: bool) -> Fault:
    """Return why nothing is heard."""
    if isinstance(error, DeniedError):
        return Fault(str(error), DENIED_WAIT_S)
    if isinstance(error, LostError):
        return Fault("more came than could be read, and the broker may have dropped the oldest of it: listening anew")
    if isinstance(error, amqp_errors.AccessRefused):
        return Fault(f"{place.masked} refused the login: are user and password right?", DENIED_WAIT_S)
    if isinstance(error, amqp_errors.NotAllowed):
        return Fault(f"{place.masked} refused the virtual host: does it exist, and has the user permissions there?", DENIED_WAIT_S)
    if isinstance(error, amqp_errors.NotFound):
        return Fault(
            f"{place.masked} has no exchange celeryev: no worker has started on this virtual host yet, or the app has an event_exchange "
            "of its own",
            NO_EXCHANGE_WAIT_S,
        )
    sentences = (_network(cause, place) for cause in exception_chain(error))
    found = own_limit(error) or next(filter(None, sentences), None)
    if found is None or (was_open and not isinstance(error, TimeoutError)):
        return Fault(_lost(error, place) if was_open else f"no connection to {place.masked} ({type(error).__name__})")
    return Fault(found)


def _lost(error: Exception, place: AmqpAddress) -> str:
    if isinstance(error, amqp_errors.ConsumerCancelled | amqp_errors.ResourceLocked):
        return f"{place.masked} deleted the queue of the events: it is being declared again"
    if isinstance(error, amqp_errors.ConnectionForced) and "heartbeats" in str(error):
        return f"no answer from {place.masked}: the broker hangs, or the network lost the connection"
    return f"the connection to {place.masked} was lost; it is being opened again"


def _network(cause: BaseException, place: AmqpAddress) -> str | None:
    """The reason for an error of the operating system or TLS."""
    where = place.masked
    if isinstance(cause, socket.gaierror):
        return f"the host name in {where} cannot be resolved (DNS): is it spelt right?"
    if isinstance(cause, ssl.SSLCertVerificationError):
        hint = "is it signed by `ca_file` of celery?" if place.ca_file else "set `ca_file` of celery to the authority that signed it"
        return f"the certificate of {where} cannot be verified, for that host name: {hint}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS with {where}: does that port expect amqps://, and a client certificate?"
    if isinstance(cause, TimeoutError):
        return f"no answer from {where} in time: the broker hangs, or a firewall is in between"
    if isinstance(cause, ConnectionRefusedError):
        return f"connection refused by {where}: is the broker running there, on that port?"
    if isinstance(cause, FileNotFoundError):
        return "`ca_file`, `cert_file` or `key_file` of celery names a file that does not exist"
    if isinstance(cause, OSError) and cause.strerror:
        return f"no connection to {where}: {cause.strerror}"
    return None
