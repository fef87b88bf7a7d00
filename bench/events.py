"""What events cost: an idle daemon that hears 20 workers, beside one that neither hears nor asks; and one heartbeat, beside Celery's way.

Celery's way is what Flower does with each: kombu's message is decoded and goes into Celery's event state.
"""

import json
import threading
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from celery.events.state import State

from bench.cpu import cpu_ms_of, cpu_s_of_pid, interleaved
from bench.daemon import daemon, write_config
from bench.figures import Figure, by_round
from bench.servers import serving
from bench.site import Site
from watchdog.demo.processes import Process
from watchdog.sources.events.heard import Memory
from watchdog.sources.events.messages import worker_event
from watchdog.sources.events.tasks.messages import task_events
from watchdog.sources.events.tasks.runs import Runs

__all__ = ["IDLE", "STARTING_S", "beating", "events", "heartbeat", "idle", "task_messages"]

IDLE = "an idle daemon that hears {workers} workers {where}: CPU in {round_s:g} s; floor: without events and questions to workers"
FREQ_S = 2.0
STARTING_S = 15.0
CHANNEL = "/0.celeryev/worker.heartbeat"
OF_A_RUN = 4
"""Events of one run: sent, received, started, succeeded."""
TOGETHER = 25
"""Runs whose events a busy worker sends in one message."""


def events(
    folder: Path,
    *,
    workers: int = 20,
    rounds: int = 5,
    round_s: float = 40.0,
    starting_s: float = STARTING_S,
    every: str = "10s",
    heartbeats: int = 20_000,
) -> Iterator[Figure]:
    """CPU of an idle daemon that looks so often, and of a single heartbeat."""
    site = Site(workers, 0, time.time())
    with serving(site, folder) as servers, redis.Redis.from_url(servers.redis_url) as broker:
        target = {"flower": servers.flower_url, "redis": servers.redis_url}
        with beating(site.workers, lambda beat: broker.publish(CHANNEL, beat)):
            pairs = idle(folder, target, {**target, "celery.ask_workers": False}, rounds, round_s, starting_s, every)
        yield by_round(IDLE.format(workers=workers, where="on Redis", round_s=round_s), "s", pairs, 1.2)
    messages = [heartbeat(name, number) for number, name in enumerate(site.workers)] * (heartbeats // workers)
    of_one = [(ours / len(messages), theirs / len(messages)) for ours, theirs in interleaved(rounds, *_ways(messages))]
    yield by_round("a heartbeat, decoded and remembered: CPU; floor: Celery's event state", "ms", of_one, 1 / 3)
    runs = heartbeats // OF_A_RUN
    alone = [task_messages(number, 1) for number in range(runs)]
    busy = [task_messages(number * TOGETHER, TOGETHER) for number in range(max(runs // TOGETHER, 1))]
    for what, batches, at_once in (("alone", alone, 1), (f"{TOGETHER} runs together", busy, TOGETHER)):
        count = OF_A_RUN * at_once * len(batches)
        pairs = [(ours / count, theirs / count) for ours, theirs in interleaved(rounds, *_ways_of_tasks([m for b in batches for m in b]))]
        yield by_round(f"an event of a task, {what}: CPU; floor: Celery's event state", "ms", pairs, 1 / 3)


def _ways_of_tasks(messages: Sequence[bytes]) -> tuple[Callable[[], float], Callable[[], float]]:
    def ours() -> None:
        runs = Runs()
        runs.opens(0.0)
        for message in messages:
            for event in task_events(message) or ():
                runs.hears(event)

    def theirs() -> None:
        state = State()
        for message in messages:
            body = json.loads(b64decode(json.loads(message)["body"]))
            for event in body if isinstance(body, list) else [body]:
                state.event({**event, "local_received": event["timestamp"]})

    return (lambda: cpu_ms_of(ours)), (lambda: cpu_ms_of(theirs))


def _ways(messages: Sequence[bytes]) -> tuple[Callable[[], float], Callable[[], float]]:
    def ours() -> None:
        memory = Memory()
        memory.opens(0.0)
        for at, message in enumerate(messages):
            event = worker_event(message)
            if event is None:
                raise AssertionError("expected an event")
            memory.hears(event, at, at)

    def theirs() -> None:
        state = State()
        for message in messages:
            envelope = json.loads(message)
            event = json.loads(b64decode(envelope["body"]))
            state.event({**event, "local_received": event["timestamp"]})

    return (lambda: cpu_ms_of(ours)), (lambda: cpu_ms_of(theirs))


def idle(
    folder: Path,
    hearing: Mapping[str, object],
    deaf: Mapping[str, object],
    rounds: int,
    round_s: float,
    starting_s: float,
    every: str = "10s",
) -> list[tuple[float, float]]:
    """CPU seconds in each round of two daemons that run beside each other; the second one hears no events."""
    with ExitStack() as stack:
        one = stack.enter_context(_running(folder / "hearing", hearing, every))
        other = stack.enter_context(_running(folder / "deaf", {**deaf, "events": "off"}, every))
        time.sleep(starting_s)
        return [_spent(one, other, round_s) for _ in range(rounds)]


@contextmanager
def _running(folder: Path, target: Mapping[str, object], every: str) -> Iterator[Process]:
    write_config(folder, {"interval": every, "database": "watchdog.db"}, {"target": [{"name": "site", **target}]})
    with daemon(folder) as process:
        yield process


def _spent(one: Process, other: Process, round_s: float) -> tuple[float, float]:
    before = [cpu_s_of_pid(process.pid) for process in (one, other)]
    time.sleep(round_s)
    first, second = (cpu_s_of_pid(process.pid) - began for process, began in zip((one, other), before, strict=True))
    return first, second


@contextmanager
def beating(names: Sequence[str], publish: Callable[[bytes], object]) -> Iterator[None]:
    """Each worker sends a heartbeat every 2 s, each at its own time, while the block runs."""
    ended = threading.Event()

    def beat() -> None:
        number = 0
        while not ended.wait(FREQ_S / len(names)):
            name = names[number % len(names)]
            publish(heartbeat(name, number // len(names)))
            number += 1

    thread = threading.Thread(target=beat, name="beating")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def heartbeat(name: str, number: int) -> bytes:
    """As kombu and Celery 5.7 write it."""
    load = {"active": 0, "processed": number, "loadavg": [2.45, 1.67, 1.94]}
    software = {"sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux", "timestamp": time.time(), "type": "worker-heartbeat"}
    body = {"hostname": name, "utcoffset": 0.0, "pid": 1000, "clock": number, "freq": FREQ_S, **load, **software}
    delivery = {"delivery_info": {"exchange": "celeryev", "routing_key": "worker.heartbeat"}, "priority": 0, "body_encoding": "base64"}
    properties = {"delivery_mode": 1, **delivery, "delivery_tag": "4a888ff0-1c3b-4f30-ab1e-13e020d65aac"}
    return _published(name, body, properties)


def _published(name: str, body: object, properties: dict[str, object]) -> bytes:
    envelope = {"body": b64encode(json.dumps(body).encode()).decode(), "content-encoding": "utf-8", "content-type": "application/json"}
    return json.dumps({**envelope, "headers": {"hostname": name}, "properties": properties}).encode()


def task_messages(first: int, count: int) -> list[bytes]:
    """The messages of some runs: each is sent in a message of its own, the rest in one, as a worker sends it every half second."""
    name, now = "celery@web-1", time.time()
    properties: dict[str, object] = {"delivery_mode": 1, "delivery_info": {"exchange": "celeryev"}, "body_encoding": "base64"}
    ids = [f"4a888ff0-1c3b-4f30-ab1e-{number:012d}" for number in range(first, first + count)]
    common = {"utcoffset": 0, "pid": 1000, "clock": first, "timestamp": now}
    described = {
        "name": f"shop.task_{first % 50}",
        "args": "(4711,)",
        "kwargs": "{'dry': True}",
        "retries": 0,
        "eta": None,
        "expires": None,
    }
    sent = [{**common, **described, "type": "task-sent", "uuid": i, "hostname": "gen7@app", "queue": "q", "routing_key": "q"} for i in ids]
    of_worker: list[dict[str, object]] = []
    for task_id in ids:
        of_task = {**common, "uuid": task_id, "hostname": name}
        of_worker += [
            {**of_task, **described, "type": "task-received", "root_id": task_id, "parent_id": None},
            {**of_task, "type": "task-started"},
            {**of_task, "type": "task-succeeded", "result": "'done'", "runtime": 0.05},
        ]
    return [_published("gen7@app", one, properties) for one in sent] + [_published(name, of_worker, properties)]
