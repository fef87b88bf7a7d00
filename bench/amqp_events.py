"""What events cost on RabbitMQ: an idle daemon that hears 20 workers, beside one that does not; and an event, beside Celery's way.

Celery's way is its EventReceiver and its event state, as Flower uses them. Both read what waits for them in a queue of their own, from the
socket to memory; publishing is not counted.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kombu
from celery import Celery
from celery.events import EventReceiver
from celery.events.state import State

from bench.cpu import cpu_ms_of, interleaved
from bench.events import IDLE, STARTING_S, beating, heartbeat, idle, task_messages
from bench.figures import Figure, Skipped, by_round
from bench.servers import serving
from bench.site import Site
from tests.servers.rabbitmq import RabbitMQ, found
from watchdog.sources.celery.settings import CelerySettings
from watchdog.sources.events.amqp_queue import AmqpQueue
from watchdog.sources.events.ear import Ear
from watchdog.sources.events.envelope import body_of
from watchdog.sources.events.listening import Heard

__all__ = ["amqp_events"]

TOGETHER = 8
"""Runs whose events a busy worker sends in one message: 24 events, as many as Celery collects at most."""
HEARTBEAT = "worker.heartbeat"
PAUSE_S = 0.2
"""Between two reads, as the ear has one: the broker may be slower than the reader."""
KEPT_MS = 600_000
"""For Celery's queue: its own default would drop what waits for 5 s."""


def amqp_events(
    folder: Path,
    *,
    workers: int = 20,
    rounds: int = 5,
    round_s: float = 40.0,
    starting_s: float = STARTING_S,
    heartbeats: int = 5_000,
    messages: int = 2_000,
) -> Iterator[Figure | Skipped]:
    """CPU of an idle daemon, of a heartbeat, and of an event of a task."""
    if found() is None:
        yield Skipped("events from RabbitMQ", "RabbitMQ is not installed")
        return
    server = RabbitMQ(folder)
    server.start()
    try:
        pairs = _idle(folder, server.url, workers, rounds, round_s, starting_s)
        yield by_round(IDLE.format(workers=workers, where="on RabbitMQ", round_s=round_s), "s", pairs, 1.2)
        beats = [_body(heartbeat(f"celery@web-{number % 20}", number)) for number in range(heartbeats)]
        pairs = interleaved(rounds, *_ways(server.url, HEARTBEAT, beats))
        of_one = [(ours / heartbeats, theirs / heartbeats) for ours, theirs in pairs]
        yield by_round("a heartbeat from RabbitMQ, from its socket to memory: CPU; floor: Celery's EventReceiver", "ms", of_one, 1 / 3)
        busy = [_body(task_messages(number * TOGETHER, TOGETHER)[-1]) for number in range(messages)]
        count = 3 * TOGETHER * messages
        pairs = interleaved(rounds, *_ways(server.url, "task.multi", busy))
        of_one = [(ours / count, theirs / count) for ours, theirs in pairs]
        yield by_round("an event of a task of a busy worker, likewise: CPU; floor: Celery's EventReceiver", "ms", of_one, 1 / 3)
    finally:
        server.kill()


def _idle(folder: Path, url: str, workers: int, rounds: int, round_s: float, starting_s: float) -> list[tuple[float, float]]:
    """CPU seconds of two daemons in each round: one that hears workers and may ask them, one that believes Flower."""
    site = Site(workers, 0, time.time())
    with serving(site, folder) as servers, _publishing(url) as publish, beating(site.workers, lambda beat: publish(HEARTBEAT, _body(beat))):
        target = {"flower": servers.flower_url, "celery.url": url}
        return idle(folder, target, {**target, "celery.ask_workers": False}, rounds, round_s, starting_s)


class _Counting:
    """An ear without a thread, which counts the messages."""

    ending = False

    def __init__(self, queue: AmqpQueue) -> None:
        self._ear = Ear(queue, lambda _: None, tasks=True)
        self.taken = 0

    def take(self, events: Sequence[Heard]) -> None:
        self.taken += len(events)
        self._ear.take(events)

    def tasks_follow(self) -> None:
        raise AssertionError("nobody was refused anything")


def _ways(url: str, key: str, bodies: Sequence[bytes]) -> tuple[Callable[[], float], Callable[[], float]]:
    def ours() -> float:
        _publish(url, key, ())
        queue = AmqpQueue(CelerySettings.model_validate({"url": url, "timeout": "60s"}))
        queue.open(tasks=True)
        _publish(url, key, bodies)
        counting = _Counting(queue)

        def read() -> None:
            while counting.taken < len(bodies):
                if not queue.read(counting):
                    time.sleep(PAUSE_S)

        spent = cpu_ms_of(read)
        queue.close()
        return spent

    def theirs() -> float:
        app = Celery("bench", broker=url, set_as_current=False)
        app.conf.event_queue_ttl = KEPT_MS / 1000
        state, seen = State(), 0
        with kombu.Connection(url) as connection:
            receiver = EventReceiver(connection, handlers={"*": state.event}, app=app)
            wanted = sum(len(json.loads(body)) if body.startswith(b"[") else 1 for body in bodies)

            def count(event: dict[str, Any]) -> None:
                nonlocal seen
                seen += 1
                state.event(event)

            receiver.handlers = {"*": count}
            with receiver.consumer_context() as (of_events, _, _):
                _publish(url, key, bodies)

                def read() -> None:
                    while seen < wanted:
                        of_events.drain_events(timeout=60)

                return cpu_ms_of(read)

    return ours, theirs


def _publish(url: str, key: str, bodies: Sequence[bytes]) -> None:
    with _publishing(url) as publish:
        for body in bodies:
            publish(key, body)
    time.sleep(1.0)  # until the broker has sent what fits into the socket


@contextmanager
def _publishing(url: str) -> Iterator[Callable[[str, bytes], None]]:
    """Publishes a body under a routing key, as a worker does."""
    with kombu.Connection(url) as connection, connection.channel() as channel:
        exchange = kombu.Exchange("celeryev", "topic", channel=channel)
        exchange.declare()
        sender = {"headers": {"hostname": "celery@web-1"}, "content_type": "application/json", "content_encoding": "utf-8"}
        yield lambda key, body: exchange.publish(exchange.Message(body, 1, **sender), key)


def _body(message: bytes) -> bytes:
    body = body_of(message)
    if body is None:
        raise AssertionError("expected an event")
    return body
