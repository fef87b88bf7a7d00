"""A cluster of which Flower and events both tell, each as long as it does, and a daemon that looks at it every ten seconds."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from tests.builders.answers import a_target
from tests.builders.looks import table_memory
from watchdog.core.history.series import Moment
from watchdog.core.model.demand import Demand
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, Seen, read_tables
from watchdog.core.model.rows import Reading
from watchdog.polling.poller import Poller
from watchdog.sources.base import Answers
from watchdog.sources.events.tasks.answers import answer
from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.sources.events.tasks.runs import Runs
from watchdog.tables import TABLES
from watchdog.tables.tasks.counters import NTH, TaskCounters

__all__ = ["BEGAN", "EVERY_S", "NAME", "World"]

READ = ("workers", "tasks", "errors", "running")
EVERY_S, BEGAN, NAME = 10.0, 1_800_000_000.0, "shop.mail"
EAR_LATER_S = 0.05
"""The ear is asked after the look has begun."""
LONG = 3
"""So many looks that no answer of Flower is reused any more."""


class Telling:
    """A source that knows of tasks what its `Runs` heard, if it answers at all."""

    longest_s = 1.0

    def __init__(self, name: str) -> None:
        self.name, self.runs, self.why_not = name, Runs(), ""
        self.begins(BEGAN - 100.0)

    def begins(self, now: float) -> None:
        self.runs = Runs()
        self.runs.opens(now)

    def ask(self, queries: Sequence[Query]) -> Answers:
        return Answers({query: Gap(self.why_not) if self.why_not else answer(query, self.runs) for query in queries}, 1.0)

    def close(self) -> None:
        """Nothing is open."""


class World:
    """A daemon that looks every ten seconds at a cluster of which Flower and events tell."""

    def __init__(self, *, tables: Sequence[str] = READ, **target: Any) -> None:
        self.tables = {name: TABLES[name] for name in TABLES if name in tables}
        self.flower, self.events = Telling("flower"), Telling("events")
        self.target = a_target(**{"sources": frozenset({"flower", "events"}), "hears_beside_flower": True, **target})
        self.poller, self.past, self.now = self._started(), Past(), BEGAN
        self.demand = Demand()
        self.readings: Mapping[str, Reading] = {}
        self.moment = Moment(self.past, Seen({}, {}, {}), 0.0, None, EVERY_S)
        self.sent = 0
        self.ended = {"failed": 0, "succeeded": 0}
        self.counted = {"failed": 0.0, "succeeded": 0.0}
        self.listed: list[str] = []
        self.late: list[TaskEvent] = []
        self.early: list[TaskEvent] = []
        self.look()

    def _started(self) -> Poller:
        return Poller(self.target, {name: one for name, one in self._sources() if name in self.target.sources}, self.tables)

    def _sources(self) -> list[tuple[str, Telling]]:
        return [("flower", self.flower), ("events", self.events)]

    def ends(self, how: str, *, late: bool = False, early: bool = False, waited: float | None = None, queue: str = "", **said: Any) -> None:
        """A task starts and ends between two looks; `late`: Flower hears of it after the next one; `early`: the daemon does.

        `waited`: how long before its start it was sent to `queue`, if its sender says so; `said`: what its last event says besides.
        """
        self.sent, self.now = self.sent + 1, self.now + 0.01
        self.ended[how] += 1
        for kind in (*(() if waited is None else ("sent",)), "received", "started", how):
            event = TaskEvent(f"{how} {self.sent}", f"task-{kind}", "celery@one", self.now, NAME, exception="Refused()")
            event = replace(event, **said) if kind == how else event
            event = replace(event, timestamp=self.now - (waited or 0.0), routing_key=queue) if kind == "sent" else event
            self.late += [event] if late else []
            if not late:
                self.flower.runs.hears(event)
            if early:
                self.early.append(event)
            elif not self.events.why_not:
                self.events.runs.hears(event)

    def events_go(self) -> None:
        self.events.why_not = "events: they cost too much"

    def events_come(self) -> None:
        """They are heard over a new connection, if they were not."""
        if self.events.why_not:
            self.events.why_not = ""
            self.events.runs.opens(self.now)

    def flower_goes(self) -> None:
        self.flower.why_not = "flower: no answer"

    def flower_comes(self) -> None:
        self.flower.why_not = ""

    def flower_begins_anew(self) -> None:
        """It forgets all that it told; that was looked at before."""
        if not self.flower.why_not:
            for _ in range(LONG):
                self.look()
            self.flower.begins(self.now)

    def daemon_begins_anew(self) -> None:
        """What it heard is gone with it."""
        self.poller = self._started()
        self.events.begins(self.now)

    def look(self) -> None:
        self.now += EVERY_S
        self.events.runs.timings.passes(self.now + EAR_LATER_S)
        replies = self.poller.ask(self.past, self.now, demand=self.demand)
        seen = read_tables(self.tables, self.target, self.past, replies, self.now, demand=self.demand)
        self.readings = seen.windows[DEFAULT_WINDOW_S]
        self.moment = Moment(self.past, seen, self.now, self.now - EVERY_S, EVERY_S)
        self._adds_up(self.past.memories.get("tasks", TaskCounters()), seen)
        self.past = self.past.plus(replace(seen, memories={n: table_memory(n, m) for n, m in seen.memories.items()}), 3600.0)
        for event in self.late:
            self.flower.runs.hears(event)
        for event in self.early if not self.events.why_not else ():
            self.events.runs.hears(event)
        self.late.clear()
        self.early.clear()

    def _adds_up(self, before: object, seen: Seen) -> None:
        now, sample = seen.memories["tasks"], seen.samples.get("tasks")
        assert isinstance(before, TaskCounters)
        assert isinstance(now, TaskCounters)
        self.listed += [task for task, failure in now.failures.known.items() if before.failures.known.get(task) != failure]
        numbers = sample.values.get(NAME, ()) if sample is not None else ()
        for how in self.counted:
            self.counted[how] += (numbers[NTH[how]] or 0.0) if numbers else 0.0

    def settles(self) -> None:
        """All answer again, for so long that nothing is older than now."""
        self.flower_comes()
        self.events_come()
        for _ in range(4 * LONG):
            self.look()

    def unread(self) -> str | None:
        """Why the last look knew nothing of tasks."""
        seen = read_tables(self.tables, self.target, self.past, self.poller.ask(self.past, self.now), self.now)
        return seen.windows[DEFAULT_WINDOW_S]["tasks"].unread
