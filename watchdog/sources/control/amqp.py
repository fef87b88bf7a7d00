"""Queues of a broker that speaks AMQP (RabbitMQ), counted, emptied, and moved from one to another; and how Celery's control reaches it.

In: where the broker is, names of queues. Out: how many messages there were. A message is moved by itself: it is taken from its queue
without an acknowledgement, published to the other one, and acknowledged only once the broker has confirmed that it has it there. Whenever
watchdog is killed, none is lost: what was not acknowledged returns to its place, and at most one is in both queues. Imported at first use.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from amqp import exceptions as amqp_errors
from amqp.basic_message import Message
from amqp.channel import Channel
from kombu import Connection

from watchdog.core.actions.messages import task_named
from watchdog.sources.celery.amqp_address import AmqpAddress
from watchdog.sources.celery.broker import amqp_arguments, close_amqp
from watchdog.sources.celery.settings import CelerySettings
from watchdog.sources.control.amqp_once import MARKS, NO_ROUTE, BusyError, FullError, SendingOnce, UnroutedError
from watchdog.sources.events.amqp_reasons import fault
from watchdog.sources.redis.address import at

__all__ = ["BrokerError", "QueuesOnAmqp", "control_arguments"]

PATIENCE_S = 10.0
"""How long the broker has for each answer, at least: it may write a message to several disks before it confirms it."""
CLOSING_S = 2.0
MOST_HELD = 100_000
"""Messages of other tasks that are held back, at most, while those of one task are looked for."""
NAME = "watchdog: actions"
GRANTS = "permission to read these queues, and to write to amq.default"


class BrokerError(Exception):
    """The broker did not do it; the text is a sentence without secrets."""


def control_arguments(settings: CelerySettings) -> dict[str, Any]:
    """How Celery's remote control is to connect; contains the password."""
    place = settings.amqp
    known = amqp_arguments(place, timeout_s=settings.timeout, connect_timeout_s=settings.connect_timeout)
    login = f"{quote(place.username, safe='')}:{quote(place.password, safe='')}"
    url = f"amqp{'s' if place.tls else ''}://{login}@{at(place.host, place.port)}/{quote(place.virtual_host, safe='')}"
    limits = {**known["transport_options"], "read_timeout": max(settings.timeout, PATIENCE_S), "max_retries": 0}
    return {"hostname": url, "connect_timeout": settings.connect_timeout, "ssl": known["ssl"], "transport_options": limits}


class QueuesOnAmqp:
    """The queues of one virtual host, over one connection, which is made when it is needed."""

    def __init__(self, settings: CelerySettings) -> None:
        self._settings = settings
        self._place: AmqpAddress = settings.amqp
        self._amqp: Any = None
        self._once: SendingOnce | None = None

    def close(self) -> None:
        """Close the connection. What was taken and not acknowledged returns to its place."""
        amqp, self._amqp, self._once = self._amqp, None, None
        close_amqp(amqp, CLOSING_S)

    def length(self, queue: str) -> int | None:
        """How many messages wait there; None if there is no such queue."""
        with self._said("look at a queue"):
            channel = self._channel()
            try:
                return int(channel.queue_declare(queue, passive=True).message_count)
            except amqp_errors.NotFound:
                return None

    def purge(self, queue: str) -> int:
        """Delete what waits there, all at once. Returns how many messages that were."""
        with self._said("purge a queue"):
            return int(self._channel().queue_purge(queue))

    def move(self, queue: str, other: str, most: int, only: str | None) -> Iterator[int]:
        """Look at so many messages, the oldest first, and move them behind those that wait in the other queue. Yields 1 for each.

        `only`: those of this task. The others are held back until the end, and then return to their places.
        """
        with self._said("move messages"):
            channel, held = self._channel(), 0
            channel.confirm_select()
            for _ in range(most):
                message = channel.basic_get(queue)
                if message is None:
                    break
                if only is not None and _task_of(message) != only:
                    held += 1
                    if held > MOST_HELD:
                        raise BrokerError(f"more than {MOST_HELD:,} messages of other tasks stand before the rest")
                    continue
                self._published(channel, message, other)
                channel.basic_ack(message.delivery_tag)
                yield 1
            channel.close()

    def send_once(self, queue: str, mark: str, message: Message) -> bool:
        """Put a message into a queue, and keep its mark, in one step. False: this mark is there already, and nothing was sent."""
        with self._said(f"send runs again, which it marks in the queue {MARKS}"):
            if self._amqp is None:
                self._amqp = self._connected()
            try:
                self._once = self._once or SendingOnce(self._amqp, max(self._settings.timeout, PATIENCE_S))
                return self._once.send(queue, mark, message)
            except BusyError:
                raise BrokerError("another watchdog sends runs again at this moment") from None
            except FullError:
                raise BrokerError(_full(queue)) from None
            except UnroutedError:
                raise BrokerError(f"there is no queue {queue}: a worker that consumes it makes it; --queue names another") from None

    def _published(self, channel: Any, message: Message, queue: str) -> None:
        """Publish it, and wait until the broker has it."""
        properties = {name: value for name, value in message.properties.items() if name != "user_id"}  # it must be that of its publisher
        try:
            channel.basic_publish_confirm(Message(message.body, **properties), routing_key=queue, mandatory=True)
        except amqp_errors.MessageNacked:
            raise BrokerError(_full(queue)) from None
        except amqp_errors.ChannelError as error:
            if error.reply_code != NO_ROUTE:
                raise
            raise BrokerError(f"there is no queue {queue} any more") from None

    def _channel(self) -> Any:
        """A channel of its own for each piece of work: a refusal closes it. Bodies stay the bytes that they are."""
        if self._amqp is None:
            self._amqp = self._connected()
        channel = Channel(self._amqp, auto_decode=False)
        channel.open()
        return channel

    def _connected(self) -> Any:
        settings = self._settings
        arguments = amqp_arguments(self._place, timeout_s=settings.timeout, connect_timeout_s=settings.connect_timeout)
        options = {**arguments.pop("transport_options"), "client_properties": {"connection_name": NAME}}
        amqp: Any = Connection(**arguments, transport_options=options).transport.establish_connection()
        amqp.sock.settimeout(max(settings.timeout, PATIENCE_S))
        return amqp

    @contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """Turn what kombu, py-amqp and sockets raise into a sentence."""
        was_open = self._amqp is not None
        try:
            yield
        except BrokerError:
            raise
        except amqp_errors.AccessRefused as error:
            if self._amqp is None:
                raise BrokerError(f"rabbitmq: {fault(error, self._place, was_open=False).reason}") from None
            raise BrokerError(
                f"rabbitmq: it does not let this user {what} (ACCESS_REFUSED): it needs {GRANTS}; retry also to configure and read {MARKS}"
            ) from None
        except amqp_errors.NotFound:
            raise BrokerError(f"rabbitmq: there is no such queue in the virtual host {self._place.virtual_host[:100]}") from None
        except (amqp_errors.AMQPError, OSError) as error:
            raise BrokerError(f"rabbitmq: {fault(error, self._place, was_open=was_open).reason}") from None


def _full(queue: str) -> str:
    return f"{queue} takes no more messages (its x-max-length, with reject-publish)"


def _task_of(message: Message) -> str | None:
    body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
    return task_named(message.properties.get("application_headers"), body)
