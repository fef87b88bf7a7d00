"""Lookers: cycles of one target over a world that a function of time describes, beside others that look at the same target.

In: a store, a world. Out: one more looker. What its tables remember, and what they keep for their windows, decides what fires: one that
does not know what another saw is found out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

from msgspec import Struct

from watchdog.core.history.frames import WHOLE_EVERY_S, Recorder
from watchdog.core.history.series import Fold, Keeping, Kept, Moment, Part, Series, Slice
from watchdog.core.incidents.decide import Situation
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.evaluator import Evaluator, Evaluators
from watchdog.core.model.queries import ListLengths, Query, ReadEventCounters
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past
from watchdog.core.model.replies import EventCounters
from watchdog.core.model.rows import Asking, Column, Kind, Look, Reading, Row, Sample, Table
from watchdog.core.model.target import Target
from watchdog.core.rules.files import read_rules
from watchdog.core.rules.overrides import tune
from watchdog.daemon.cycle import Cycle, Done, Recorded
from watchdog.polling.poller import Poller
from watchdog.sources.base import Answers
from watchdog.store import OvertakenError, Store

__all__ = ["TABLES", "Looker", "World", "left"]

RULES = """
[[rule]]
name = "QueueBacklogHigh"
from = "queues"
when = "length > 50"
keep_firing_for = "15s"
severity = "warning"
escalate = [{ when = "length > 500", severity = "critical" }]
summary = "{{ name }} holds {{ length | number }} messages"

[[rule]]
name = "QueueStaysHigh"
from = "queues"
when = "high_for >= 3"
for = "10s"
severity = "warning"
summary = "{{ name }} was high in {{ high_for | number }} looks in a row"

[[rule]]
name = "QueueWasHigh"
from = "queues"
when = "most > 300"
severity = "info"
summary = "{{ name }} held {{ most | number }} messages"

[[rule]]
name = "TasksRun"
from = "queues"
when = "handled > 400"
severity = "info"
summary = "{{ name }}: {{ handled | number }} tasks since the look before"
"""


@dataclass
class World:
    """What there is to see at `now`. `meanwhile` is called once, as somebody asks: what happens while it waits for the answer."""

    lengths: Callable[[float], Mapping[str, float]]
    handled: Callable[[float], float] = lambda _: 0.0
    now: float = 0.0
    meanwhile: Callable[[], object] | None = None

    def ask(self, queries: Sequence[Query]) -> Answers:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return Answers({query: self._answer(query) for query in queries})

    def _answer(self, query: Query) -> object:
        if isinstance(query, ListLengths):
            return dict(self.lengths(self.now))
        return EventCounters(0.0, {"celery@web-1": {"index": {"succeeded": self.handled(self.now)}}})


class _Remembered(Struct, frozen=True):
    high_for: Mapping[str, float] = {}
    handled: float | None = None


_COLUMNS = [Column("name", Kind.TEXT, ""), *(Column(name, Kind.NUMBER, "") for name in ("length", "high_for", "handled"))]
_LENGTHS, _COUNTERS = ListLengths(("all",)), ReadEventCounters()


def _read(look: Look) -> Reading:
    lengths: Mapping[str, float] = look.replies.answers[_LENGTHS]  # type: ignore[assignment]
    counters: EventCounters = look.replies.answers[_COUNTERS]  # type: ignore[assignment]
    before = look.memory if isinstance(look.memory, _Remembered) else _Remembered()
    total = sum(count for *_, count in counters.each())
    handled = 0.0 if before.handled is None else total - before.handled if total >= before.handled else total  # it began to count anew
    high_for = {name: before.high_for.get(name, 0.0) + 1 if length > 50 else 0.0 for name, length in lengths.items()}
    since = look.now - look.window_s
    rows = [
        Row(
            {
                "name": name,
                "length": length,
                "high_for": high_for[name],
                "handled": handled,
                "most": _most(look.history, name, length, since),
            }
        )
        for name, length in lengths.items()
    ]
    sample = Sample(look.now, {name: (length,) for name, length in lengths.items()})
    return Reading(tuple(rows), memory=_Remembered(high_for, total), sample=sample)


def _most(history: Sequence[Sample], name: str, length: float, since: float) -> float:
    return max(length, *(sample.values.get(name, (0.0,))[0] or 0.0 for sample in history if sample.at >= since), 0.0)


def _asks(_: Asking) -> tuple[Query, ...]:
    return _LENGTHS, _COUNTERS


TABLES: Mapping[str, Table] = {
    "queues": Table(
        "queues", "a queue", ("name",), (*_COLUMNS, Column("most", Kind.NUMBER, "", windowed=True)), _asks, _read, memory=_Remembered
    )
}
_KEPT = Kept(
    "queues",
    ("name",),
    (Series("length", Fold.MAX, "messages"),),
    lambda moment: Part(moment.since, moment.now, {row.key(("name",)): (float(row.cells["length"] or 0.0),) for row in _rows(moment)}),
)


def _rows(moment: Moment) -> tuple[Row, ...]:
    return moment.seen.windows[DEFAULT_WINDOW_S]["queues"].rows


@dataclass
class _Source:
    world: World
    name: str
    longest_s: float = 1.0
    asked: list[Query] = field(default_factory=list)
    forgot: int = 0

    def ask(self, queries: Sequence[Query]) -> Answers:
        self.asked += queries
        return self.world.ask(queries)

    def forget(self) -> None:
        self.forgot += 1

    def close(self) -> None:
        """Nothing is open."""


class Looker:
    """One process's cycle of a target, with everything that it keeps from look to look."""

    def __init__(self, store: Store, world: World, *, alone: bool = False, target: str = "prod", configuration: str | None = None) -> None:
        rules, faults, _ = read_rules({"rules.toml": RULES}, TABLES)
        assert not faults, faults
        self.world, self.sources = world, {name: _Source(world, name) for name in ("redis", "flower")}
        self.evaluators = Evaluators(lambda: Evaluator(TABLES, stopwatch=perf_counter))
        watched = Target(target, frozenset(self.sources))
        self.cycle = Cycle(
            Poller(watched, self.sources, TABLES),
            TABLES,
            tune(rules, (), target),
            self.evaluators,
            store,
            Situation(watched, 0.0, (Recipient("ops"), Recipient("boss")), loaded_rules=frozenset(rule.name for rule in rules)),
            clock=lambda: world.now,
            past=partial(_past, store, target),
            history=Recorded(
                Keeping({"queues": _KEPT}),
                lambda moment: Slice(moment.now, {"queues": part} if (part := _KEPT.look(moment)) is not None else {}),
                Recorder(TABLES, WHOLE_EVERY_S),
                3600.0,
            ),
            alone=alone,
            configuration=configuration,
        )

    def look(self) -> Done | None:
        """One look; None if another overtook it."""
        with suppress(OvertakenError):
            return self.cycle.run()
        return None

    def asked(self, query: type[Query]) -> int:
        """How often its sources were asked this."""
        return sum(isinstance(one, query) for source in self.sources.values() for one in source.asked)

    def close(self) -> None:
        """Free what it holds."""
        self.evaluators.close()


def _past(store: Store, target: str, now: float) -> Past:
    return Past(store.load_memories(target, {"queues": _Remembered}), store.load_samples(target, now - 900))


def left(store: Store, tables: Iterable[str]) -> dict[str, list[tuple[object, ...]]]:
    """The rows of these tables, without the marks of writes, which are random."""
    connection = store._file.connection()
    found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    return {name: sorted(map(_unmarked, rows), key=repr) for name, rows in found.items()}


def _unmarked(row: Any) -> tuple[object, ...]:
    return tuple(row[name] for name in row.keys() if name != "mark")  # noqa: SIM118 - a row iterates over its values
