"""Messages that are sent once to queues of RabbitMQ, by marks that are kept beside them.

A mark is a message in a queue of its own. Message and mark are published in one transaction: killed at any moment, watchdog leaves both or
neither. While it sends, it alone consumes the marks: so it knows those of before, and no second one sends at the same time. What it took
and does not acknowledge returns to its place. (If RabbitMQ itself crashes as it commits, one of the two may be missing.)

In: an open connection; marks, queues, messages. Out: whether a message was sent, or had been.
"""

import time
import uuid
from typing import Any

from amqp import exceptions as amqp_errors
from amqp.basic_message import Message
from amqp.channel import Channel

__all__ = ["MARKS", "BusyError", "FullError", "SendingOnce", "UnroutedError"]

MARKS = "watchdog.sent-again"
KEPT_MS = 30 * 86_400_000
"""How long marks are kept (milliseconds)."""
PATIENCE_S = 5.0
"""How long to wait for the place of one that was killed a moment ago."""


class BusyError(Exception):
    """Another one sends at this moment."""


class FullError(Exception):
    """The queue refuses messages, and nothing was sent."""


class UnroutedError(Exception):
    """There is no such queue any more, and nothing was sent."""


class SendingOnce:
    """The marks, taken while it lives. A transaction has a channel of its own, as it holds back acknowledgements, too."""

    def __init__(self, connection: Any, timeout_s: float) -> None:
        self._connection, self._timeout_s = connection, timeout_s
        self._tags: dict[str, int] = {}
        """Mark -> its delivery, by which it can be deleted."""
        self._reading = self._channel_of_marks()
        self._sending: Any = None

    def send(self, queue: str, mark: str, message: Message) -> bool:
        """Send a message that is not marked; False: it is."""
        if mark in self._tags:
            return False
        if self._sending is None:
            self._sending = self._channel()
            self._sending.tx_select()
        try:
            self._sending.basic_publish(message, routing_key=queue, mandatory=True)
            self._sending.basic_publish(_of(mark), routing_key=MARKS)
            self._sending.tx_commit()
        except amqp_errors.PreconditionFailed:  # a queue with reject-publish is full: the transaction was done in part
            self._unmark(mark)
            raise FullError from None
        except amqp_errors.ChannelError as error:
            if error.reply_code != NO_ROUTE:
                raise
            self._unmark(mark)
            raise UnroutedError from None
        return True

    def _unmark(self, mark: str) -> None:
        """Delete a mark whose message no queue has."""
        self._sending = None
        self._read_until(mark)
        self._reading.basic_ack(self._tags.pop(mark))
        self._reading.queue_declare(MARKS, passive=True)  # an answer: the acknowledgement before it has arrived

    def _channel_of_marks(self) -> Any:
        """Take all marks; the last is one of our own, behind those of before."""
        until = time.monotonic() + PATIENCE_S
        while True:
            channel = self._channel()
            channel.queue_declare(MARKS, durable=True, auto_delete=False, arguments={"x-message-ttl": KEPT_MS})
            try:
                channel.basic_consume(MARKS, exclusive=True, callback=self._take)
                break
            except amqp_errors.AccessRefused as error:
                if "exclusive" not in str(error):
                    raise
                if time.monotonic() > until:
                    raise BusyError from None
                time.sleep(0.1)
        self._reading, last = channel, uuid.uuid4().hex
        channel.basic_publish(_of(last), routing_key=MARKS)
        self._read_until(last)
        channel.basic_ack(self._tags.pop(last))
        return channel

    def _read_until(self, mark: str) -> None:
        until = time.monotonic() + self._timeout_s
        while mark not in self._tags:
            if time.monotonic() > until:
                raise TimeoutError
            self._connection.drain_events(timeout=self._timeout_s)

    def _take(self, message: Any) -> None:
        body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
        self._tags[body.decode(errors="replace")] = message.delivery_tag

    def _channel(self) -> Any:
        channel = Channel(self._connection, auto_decode=False)
        channel.open()
        return channel


def _of(mark: str) -> Message:
    return Message(mark.encode(), delivery_mode=2)


NO_ROUTE = 312
"""The code with which a message that no queue takes is returned."""
