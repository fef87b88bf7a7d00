"""One conversation with workers over their remote control: kombu's mailbox (what `app.control.inspect` uses), on a connection of its own.

Workers reply into a queue that exists for the conversation alone. What a conversation that was cut off left in it is no reply of the next
one, which removes it where the queue has the same name. kombu is imported at the first conversation.
"""

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from kombu import Connection, Consumer
from kombu.pidbox import Mailbox

__all__ = ["Conversation", "conversation"]


class _OneMailbox(Mailbox):  # type: ignore[misc]
    """A mailbox whose reply queue has the name that it is given, whichever thread uses it."""

    name_of_replies = ""

    @property
    def oid(self) -> str:
        return self.name_of_replies


class Conversation:
    """Asks workers and collects what they say. `timeout_s`: how long one question waits for all of its answers."""

    def __init__(self, mailbox: Mailbox, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._mailbox, self._timeout_s, self._clock = mailbox, timeout_s, clock

    def ask(self, command: str, workers: Collection[str], **arguments: object) -> dict[str, object]:
        """Return worker -> its reply, as it sent it; those of `workers` that answered in time, or of all workers if none are named.

        kombu would wait for as many messages as there are names. But two processes under one name send two, and a worker that was too late
        for an earlier question sends one to this: so what bears another question's ticket is left out, and each name is waited for.
        """
        ticket, found, missing = str(uuid.uuid4()), dict[str, object](), set(workers)

        def keep(reply: object) -> None:
            for name, said in reply.items() if isinstance(reply, Mapping) else ():
                if name in missing or (not workers and isinstance(name, str)):
                    found.setdefault(name, said)
                    missing.discard(name)

        self._mailbox._publish(  # noqa: SLF001 - what kombu offers beside it counts messages
            command, arguments, destination=list(workers) or None, reply_ticket=ticket, timeout=self._timeout_s
        )
        self._collect(ticket, keep, lambda: bool(workers) and not missing)
        return found

    def _collect(self, ticket: str, keep: Callable[[object], None], complete: Callable[[], bool]) -> None:
        """Give `keep` each reply with this ticket, until they are complete or the time is over; the queue is deleted then.

        What cannot be decoded is raised if it has this ticket: its worker did answer, and is not to be taken for a silent one.
        """
        connection, queue = self._mailbox.connection, self._mailbox.reply_queue
        channel, ends_at = connection.default_channel, self._clock() + self._timeout_s

        def decoded(reply: object, message: Any) -> None:
            if message.headers.get("ticket") == ticket:
                keep(reply)

        def undecodable(message: Any, error: Exception) -> None:
            if message.headers.get("ticket") == ticket:
                raise error

        reading = {"accept": self._mailbox.accept, "no_ack": True, "callbacks": [decoded], "on_decode_error": undecodable}
        try:
            with Consumer(channel, [queue], **reading), suppress(TimeoutError):
                while not complete() and (left_s := ends_at - self._clock()) > 0:
                    connection.drain_events(timeout=left_s)
        finally:
            channel.after_reply_message_received(queue.name)


@contextmanager
def conversation(arguments: Mapping[str, Any], exchange: str, replies: str, timeout_s: float) -> Iterator[Conversation]:
    """A conversation on a new connection; `replies` names its reply queue. Raises whatever kombu and the broker's client raise."""
    with Connection(**arguments) as connection:
        mailbox = _OneMailbox(exchange, type="fanout", connection=connection, accept=["json"], serializer="json", reply_queue_expires=None)
        mailbox.name_of_replies = replies
        channel = connection.default_channel
        _do_no_more(channel)
        try:
            yield Conversation(mailbox, timeout_s)
        except Exception:
            with suppress(Exception):
                mailbox.reply_queue(channel).delete()
            raise


def _do_no_more(channel: Any) -> None:
    """Keep kombu's channel to Redis from what it does for workers: sweeping bindings, and redelivering what is unacknowledged.

    With other names, these are methods that nobody calls; `broker` makes them harmless in any case.
    """
    channel.sweep_bindings = _nothing
    qos = getattr(channel, "qos", None)
    if qos is not None:
        qos.restore_visible = _nothing


def _nothing(*_: object, **__: object) -> int:
    return 0
