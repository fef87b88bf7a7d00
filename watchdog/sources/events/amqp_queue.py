"""Events on RabbitMQ, or another AMQP broker: a queue of our own on Celery's exchange of events, read through kombu.

In: where the broker is. Out: events, as `Listening`. The queue belongs to the connection: the broker deletes it when that ends, however it
ends. It holds a limited number of messages, so that a watchdog that stands still fills no broker; what was then dropped is not passed over
in silence: `LostError`. Imported at the first use: kombu is slow to import.

The socket itself has a timeout: py-amqp's `read_timeout` ends no read in the middle of a frame.
"""

import time
import uuid
from select import POLLIN, poll
from typing import Any

from amqp import spec
from kombu import Connection

from watchdog.sources.celery.broker import amqp_arguments, close_amqp
from watchdog.sources.celery.settings import CelerySettings
from watchdog.sources.events.amqp_deliveries import Deliveries, Frame, messages_waiting
from watchdog.sources.events.amqp_reasons import LostError, denial, fault
from watchdog.sources.events.listening import DENIED_WAIT_S, DeniedError, Fault, Heard, Hearing, Opened
from watchdog.sources.events.messages import worker_event_in
from watchdog.sources.events.tasks.messages import task_events_in

__all__ = ["AmqpQueue"]

EXCHANGE = "celeryev"
"""Celery's default `event_exchange`, of type topic. Workers declare it; we do not, for it would stay."""
WORKERS, TASKS = "worker.#", "task.#"
NAME = "celeryev.watchdog"
"""How the names of our queues begin: as those of Celery's own monitors do, which is what people exclude."""
MOST_MESSAGES, MOST_BYTES = 20_000, 64 * 1024 * 1024
"""What the broker keeps for us; beyond that, it drops the oldest, and says so to nobody."""
NEARLY = 0.5
"""From which share of that on something may have been dropped: the answer is a little late, and the bytes are estimated."""
EXPIRES_MS = 60_000
HEARTBEAT_S = 10
"""After two of these without a word, either side takes the other for lost."""
AT_ONCE_S = 1.0
"""After so long the reader looks after everything else, though more messages wait."""
CLOSING_S = 0.5
ASKED_S = 5.0
"""An answer that has not come by then went by while py-amqp waited for another one."""
TOGETHER, TOGETHER_BYTES = 500, 2 * 1024 * 1024
"""What is handed over at a time: so many messages, or so much text."""


class AmqpQueue:
    """A queue on the exchange of events of one virtual host."""

    def __init__(self, settings: CelerySettings) -> None:
        self._settings, self._place = settings, settings.amqp
        self._amqp: Any = None
        self._channel: Any = None
        self._queue = ""
        self._without_tasks = False
        self._tried_at = 0.0
        self._events: list[Heard] = []
        self._bytes, self._each = 0, 0.0
        self._asked_at: float | None = None

    def open(self, *, tasks: bool) -> Opened:
        """Connect, declare the queue, bind it, consume it."""
        amqp = self._amqp = self._connected()
        began = time.monotonic()
        self._queue, self._events, self._bytes, self._asked_at = f"{NAME}.{uuid.uuid4()}", [], 0, None
        channel = self._channel = amqp.channel()
        channel.auto_decode = False  # by an encoding that the message names: JSON has its own
        limits = {"x-max-length": MOST_MESSAGES, "x-max-length-bytes": MOST_BYTES, "x-expires": EXPIRES_MS}
        with denial("declare a queue", self._place):
            channel.queue_declare(self._queue, exclusive=True, auto_delete=True, arguments=limits)
        with denial("bind its queue to the exchange celeryev", self._place):
            channel.queue_bind(self._queue, EXCHANGE, WORKERS)
        no_tasks = self._denied_tasks() if tasks else ""
        with denial("consume its queue", self._place):
            channel.basic_consume(self._queue, no_ack=True, exclusive=True, callback=self._hears_aside)
        now = time.monotonic()
        self._without_tasks, self._tried_at = bool(no_tasks), now
        return Opened(no_tasks, now - began)

    def read(self, hearing: Hearing) -> bool:
        """Hand over what has come; see to it that the broker takes us for alive, and we it."""
        began = time.monotonic()
        if self._without_tasks and began - self._tried_at >= DENIED_WAIT_S:
            self._tried_at = began
            if not self._denied_tasks():
                self._without_tasks = False
                hearing.tasks_follow()
        more = self._reads(hearing, began + AT_ONCE_S)
        self._amqp.heartbeat_tick()
        return more

    def let_tasks_go(self) -> None:
        """Unbind the tasks."""
        self._without_tasks = False
        with denial("unbind its queue from the exchange celeryev for task.#", self._place):
            channel = self._amqp.channel()
            channel.queue_unbind(self._queue, EXCHANGE, TASKS)
            channel.close()

    def take_tasks(self, hearing: Hearing) -> None:
        """Bind them again; if that is refused, every minute."""
        self._tried_at, self._without_tasks = time.monotonic(), bool(self._denied_tasks())
        if not self._without_tasks:
            hearing.tasks_follow()

    def fault(self, error: Exception, *, was_open: bool) -> Fault:
        """Why nothing is heard. py-amqp raises errors of many types when a connection ends."""
        return fault(error, self._place, was_open=was_open)

    def close(self) -> None:
        """Close the connection, with which the broker deletes the queue; a broker that hangs is not waited for for long."""
        amqp, self._amqp, self._channel = self._amqp, None, None
        close_amqp(amqp, CLOSING_S)

    def _connected(self) -> Any:
        """A connection of py-amqp, after one attempt; kombu itself would try for longer."""
        settings = self._settings
        arguments = amqp_arguments(self._place, timeout_s=settings.timeout, connect_timeout_s=settings.connect_timeout)
        options = {**arguments.pop("transport_options"), "client_properties": {"connection_name": "watchdog: events"}}
        amqp: Any = Connection(**arguments, heartbeat=HEARTBEAT_S, transport_options=options).transport.establish_connection()
        amqp.sock.settimeout(settings.timeout)
        return amqp

    def _denied_tasks(self) -> str:
        """Bind the tasks as well: empty, or why they cannot be heard. A refusal closes the channel that asked, so it is one of its own."""
        try:
            with denial("bind its queue to the exchange celeryev for task.#", self._place, "nothing is heard of tasks"):
                channel = self._amqp.channel()
                channel.queue_bind(self._queue, EXCHANGE, TASKS)
                channel.close()
        except DeniedError as error:
            return str(error)
        return ""

    def _reads(self, hearing: Hearing, until: float) -> bool:
        """Read as long as there is anything, `until` then at most. Returns whether there may be more."""
        amqp = self._amqp
        deliveries = Deliveries(self._hears, self._answered)
        readable = poll()
        readable.register(amqp.sock, POLLIN)
        pending = getattr(amqp.sock, "pending", None)  # what TLS has read and not handed over
        if readable.poll(0):
            self._asks_what_waits()
        while (pending is not None and pending()) or readable.poll(0):
            deliveries.read(amqp.sock)
            amqp.bytes_recv += 1  # the broker speaks, and so needs no heartbeat
            if len(self._events) >= TOGETHER or self._bytes >= TOGETHER_BYTES:
                self._asks_what_waits()
                self._hands_over(hearing)
                if hearing.ending or time.monotonic() > until:
                    return True
        self._hands_over(hearing)
        return False

    def _hands_over(self, hearing: Hearing) -> None:
        self._each = self._bytes / len(self._events) if self._events else self._each
        events, self._events, self._bytes = self._events, [], 0
        if events:
            hearing.take(events)

    def _hears(self, key: bytes, body: bytes) -> None:
        self._events.append(task_events_in(body) if key.startswith(b"task.") else worker_event_in(body))
        self._bytes += len(body)

    def _hears_aside(self, message: Any) -> None:
        """Called by py-amqp for a message that comes while it waits for an answer. The body of an empty one is no bytes."""
        key = str(message.delivery_info["routing_key"]).encode(errors="replace")
        self._hears(key, message.body if isinstance(message.body, bytes) else b"")

    def _asks_what_waits(self) -> None:
        """Ask how many messages wait, without waiting for the answer: it comes after those that are on their way."""
        now = time.monotonic()
        if self._asked_at is None or now - self._asked_at > ASKED_S:
            self._asked_at = now
            passive: tuple[object, ...] = (0, self._queue, True, False, False, False, False, {})
            self._channel.send_method(spec.Queue.Declare, "BsbbbbbF", passive)

    def _answered(self, frame: Frame) -> None:
        """A frame that is no message. Raises LostError if so much waits that the broker may have dropped some."""
        waiting = messages_waiting(frame)
        if waiting is None:
            self._amqp.on_inbound_frame(frame)
            return
        self._asked_at = None
        each = self._bytes / len(self._events) if self._events else self._each
        if waiting >= NEARLY * MOST_MESSAGES or waiting * each >= NEARLY * MOST_BYTES:
            raise LostError
