"""Many incidents at once: 10,000 rows begin to fire in one cycle, and every message is delivered; then 10,000 are open and nothing changes.

The rows are given, so that only judging, deciding, storing and sending are measured, each beside its floor (`bench.storm_floor`), which
sends the same bodies. The cycle, the store and the delivery are the daemon's own. Before the storm one quiet cycle runs. The receiver is
another process.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import structlog
from msgspec.structs import replace

from bench.cpu import cpu_ms_of
from bench.figures import Figure, by_round
from bench.receiver import answering
from bench.storm_floor import StormFloor
from watchdog.config.rulebook import read_rule_book, rules_for
from watchdog.core.incidents.decide import Situation
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.evaluator import Evaluator, Evaluators
from watchdog.core.model.reading import Past
from watchdog.core.model.rows import Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.target import Target
from watchdog.daemon.cycle import Cycle
from watchdog.daemon.delivery import Delivery
from watchdog.polling.poller import Poller
from watchdog.receivers.webhook.receiver import WebhookReceiver
from watchdog.receivers.webhook.settings import WebhookSettings
from watchdog.store import Store
from watchdog.tables import TABLES

__all__ = ["storm"]

INTERVAL_S = 10.0
NOW = 1_800_000_000.0
LIMIT = 100
RULE = f"""
[[rule]]
name = "Jumped"
from = "queues"
when = "length > {LIMIT}"
for = "0s"
summary = "{{{{ name }}}} holds {{{{ length | number }}}} messages"
"""
MOST_STORM, MOST_OPEN = 3.5, 3.0


def storm(folder: Path, *, incidents: int = 10_000, rounds: int = 5, cycles: int = 5) -> Iterator[Figure]:
    """CPU from the rows to the last delivery, and of a cycle after that; each beside its floor."""
    with answering(folder) as url:
        storms: list[tuple[float, float]] = []
        quiet: list[tuple[float, float]] = []
        for n in range(rounds):
            (place := folder / f"storm-{n}").mkdir()
            with _scene(place, url, incidents) as scene:
                scene.cycle.run()
                scene.queues.jump()
                with StormFloor(place, url, scene.queues.rows, LIMIT, scene.clock.now + INTERVAL_S) as floor:
                    storms.append((cpu_ms_of(scene.strike), cpu_ms_of(floor.strike)))
                    _require_same_bodies(place)
                    quiet += [(cpu_ms_of(scene.look), cpu_ms_of(floor.look)) for _ in range(cycles)]
    yield by_round(f"{incidents:,} incidents at once: judged, stored, grouped, delivered, CPU", "ms", storms, MOST_STORM)
    yield by_round(f"a cycle with {incidents:,} open incidents, nothing changing, CPU", "ms", quiet, MOST_OPEN)


def _require_same_bodies(folder: Path) -> None:
    """The floor is one only if it sent the same."""
    sent = []
    for name in ("watchdog.db", "floor.db"):
        with closing(sqlite3.connect(folder / name)) as file:
            sent.append(file.execute("SELECT body FROM messages WHERE state = 'delivered' ORDER BY number").fetchall())
    if sent[0] != sent[1]:
        raise AssertionError("the floor sent other bodies than watchdog")


class Queues:
    """The table `queues` of so many rows, given instead of polled."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.rows = self._with_length(0.0)

    def jump(self) -> None:
        """From now on every queue is long, each by another number."""
        self.rows = self._with_length(1000.0)

    def _with_length(self, length: float) -> tuple[Row, ...]:
        neutral = {column.name: _neutral(column) for column in TABLES["queues"].columns if not column.later}
        given = [(f"orders-{n:05}", length + n if length else 0.0) for n in range(self._size)]
        return tuple(Row({**neutral, "name": name, "length": length}) for name, length in given)

    def table(self) -> Table:
        """The table with these rows."""

        def read(_: Look) -> Reading:
            return Reading(self.rows)

        return replace(TABLES["queues"], asks=lambda _: (), read=read, needs=())


def _neutral(column: Column) -> Cell:
    of_kind: dict[Kind, Cell] = {Kind.NUMBER: 0.0, Kind.TEXT: "", Kind.BOOLEAN: False}
    return of_kind[column.kind] if column.neutral is None else column.neutral


class Clock:
    """Time as an argument."""

    now = NOW

    def __call__(self) -> float:
        """Epoch seconds."""
        return self.now


class Scene(NamedTuple):
    """One daemon's parts, on a database of their own."""

    queues: Queues
    cycle: Cycle
    delivery: Delivery
    clock: Clock

    def strike(self) -> None:
        """One cycle, and all that it has to say."""
        self.clock.now += INTERVAL_S
        done = self.cycle.run()
        sent = self.delivery.drain_once("ops")
        if len(done.plan.incidents) != len(self.queues.rows) or sent != len(done.plan.messages):
            raise AssertionError(f"{len(done.plan.incidents)} incidents began, {sent} of {len(done.plan.messages)} messages were sent")

    def look(self) -> None:
        """One cycle in which nothing changes."""
        self.clock.now += INTERVAL_S
        plan = self.cycle.run().plan
        if plan.incidents or plan.messages:
            raise AssertionError(f"{len(plan.incidents)} incidents changed, {len(plan.messages)} messages were made")


@contextmanager
def _scene(folder: Path, url: str, incidents: int) -> Iterator[Scene]:
    queues, clock = Queues(incidents), Clock()
    tables = {"queues": queues.table()}
    (folder / "rules.toml").write_text(RULE)
    rules = rules_for(read_rule_book([folder / "rules.toml"], tables, shipped=False), "prod", tables)
    settings = WebhookSettings.model_validate({"type": "webhook", "name": "ops", "url": url, "per_second": 1000})
    receiver = WebhookReceiver(settings)
    with Store.open(folder / "watchdog.db") as store, (folder / "log").open("w") as lines:
        evaluator = Evaluator(tables, stopwatch=perf_counter)
        poller = Poller(Target("prod", interval_s=INTERVAL_S), {}, tables)
        situation = Situation(poller.target, 0.0, (Recipient(receiver.name, receiver.human, receiver.settings),))
        cycle = Cycle(poller, tables, rules, Evaluators(lambda: evaluator), store, situation, clock=clock, past=lambda _: Past())
        delivery = Delivery(store, [receiver], clock=clock, log=structlog.wrap_logger(structlog.PrintLogger(lines)))
        try:
            yield Scene(queues, cycle, delivery, clock)
        finally:
            delivery.stop(0.0)
            evaluator.close()
