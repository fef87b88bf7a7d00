"""The polling half of a cycle: tables say what they want to know, and the sources are asked, in at most three rounds.

Each round is one batch per source; the same query from two tables is asked once; an answer is reused while it is valid (`Query.good_for_s`;
longer if it is costly: `pace`), and a failed query replaces it by a gap at once. The broker is asked before Flower, so that one that hangs
is known before Flower is asked anything that would wait for it. After `stop` nothing more is asked, and an unfinished poll has no result.
"""

import threading
import time
from collections.abc import Callable, Mapping
from functools import cached_property

from msgspec.structs import replace

from watchdog.core.model.demand import Demand
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query
from watchdog.core.model.reading import EVERYTHING, Past, belongs
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Asking, Table
from watchdog.core.model.servers.heard import OF_TASKS
from watchdog.core.model.target import Target
from watchdog.polling.beside_flower import NAMED, BesideFlower
from watchdog.polling.pace import PollPace
from watchdog.sources.base import Interruptible, Remembering, Source

__all__ = ["Poller", "StoppedError"]

ROUNDS = 3
ORDER = ("redis", "rabbitmq", "results", "flower")
STANDS_IN = {"results": "redis"}
"""Source -> the one asked instead if the target lacks it: results are in the broker's Redis unless `results` says otherwise."""


class StoppedError(Exception):
    """watchdog is stopping or reloading: there is no answer, and nothing can be concluded from that."""


class Poller:
    """Polls the sources of one target. Used by one cycle at a time."""

    def __init__(
        self, target: Target, sources: Mapping[str, Source], tables: Mapping[str, Table], stopwatch: Callable[[], float] = time.monotonic
    ) -> None:
        self.target, self._stopwatch = target, stopwatch
        self._sources = {name: sources[name] for name in (*ORDER, *sources) if name in sources}
        self._tables = {name: table for name, table in tables.items() if belongs(table, target)}
        self._good: dict[Query, tuple[float, object]] = {}
        self._pace = PollPace()
        self._beside = BesideFlower(sources["events"]) if target.hears_beside_flower and "events" in sources else None
        self._stopping = threading.Event()

    @cached_property
    def longest_s(self) -> float:
        """The longest that polling may take, by the sources' timeouts (seconds)."""
        names_s = self._sources["flower"].longest_s if self._beside is not None else 0.0
        return ROUNDS * sum(source.longest_s for source in self._sources.values()) + names_s

    def stop(self) -> None:
        """From any thread: the running batch is the last. `ask` raises StoppedError from now on."""
        self._stopping.set()
        for source in self._sources.values():
            if isinstance(source, Interruptible):
                source.interrupt()

    def forget(self) -> None:
        """Reuse no earlier answer: somebody else has asked since, and tables remember newer ones."""
        self._good = {}
        for source in self._sources.values():
            if isinstance(source, Remembering):
                source.forget()

    def ask(self, past: Past, now: float, progress: Callable[[str], None] = lambda _: None, *, demand: Demand = EVERYTHING) -> Replies:
        """Ask everything that the tables want to know at `now`, for the columns in `demand`. `progress` receives the source being asked."""
        self._go_on()
        began = self._stopwatch()
        replies = Replies(self._heard())
        for _ in range(ROUNDS):
            wanted = self._wanted(past, replies, now, demand)
            if not wanted:
                break
            for name, source in self._sources.items():
                batch = [q for q in wanted if self._source_of(q) == name]
                replies = self._batch(source, batch, replies, now, progress) if batch else replies
        self._go_on()  # what a source says that was interrupted is not what is there
        self._good = {q: (at, answer) for q, (at, answer) in self._good.items() if replies.asked(q)}
        self._pace.keep(self._good)
        return replace(replies, took_s=self._stopwatch() - began)

    def _heard(self) -> Mapping[Query, object]:
        """What events counted of tasks beside Flower, before anything else is asked."""
        if self._beside is None:
            return {}
        heard, changed = self._beside.hear()
        if changed:
            self._good = {query: answer for query, answer in self._good.items() if type(query) not in OF_TASKS}
            if self._beside.lacks_names:
                self._beside.learn(self._sources["flower"].ask(NAMED).replies.values())
        return heard

    def _source_of(self, query: Query) -> str:
        if type(query) in OF_TASKS and self.target.hears_tasks:
            return "events"
        return query.source if query.source in self._sources else STANDS_IN.get(query.source, query.source)

    def _wanted(self, past: Past, replies: Replies, now: float, demand: Demand) -> list[Query]:
        """The queries of the tables that have not been asked yet."""
        asked = dict.fromkeys(
            query
            for name, table in self._tables.items()
            for query in table.asks(Asking(self.target, past.memories.get(name), replies, now, past.memories, demand))
        )
        return [query for query in asked if not replies.asked(query)] if replies.answers else list(asked)

    def _batch(self, source: Source, batch: list[Query], replies: Replies, now: float, progress: Callable[[str], None]) -> Replies:
        heard = source.name == "events"  # costs nothing, and is never older than now
        reused = {} if heard else {q: self._good[q][1] for q in batch if q.good_for_s and self._still_good(q, now)}
        fresh = [q for q in batch if q not in reused] if reused else batch
        if not fresh:
            return replies.plus(self._with_heard(source, reused), reused=reused)
        self._go_on()
        progress(f"asking {source.name} of {self.target.name}")
        answers = source.ask(fresh)
        got = answers.replies
        if len(got) < len(fresh):
            got = {**dict.fromkeys(fresh, Gap(f"{source.name}: gave no answer to this question")), **got}
        for query, answer in got.items():
            if query.good_for_s and not isinstance(answer, Gap):
                self._good[query] = (now, answer)
        self._pace.note(answers.took_s, got)
        latency = {} if answers.latency_ms is None else {source.name: answers.latency_ms}
        return replies.plus(self._with_heard(source, {**reused, **got}), latency, reused=reused)

    def _with_heard(self, source: Source, answers: Mapping[Query, object]) -> Mapping[Query, object]:
        return self._beside.added_to(answers) if self._beside is not None and source.name == "flower" else answers

    def _go_on(self) -> None:
        if self._stopping.is_set():
            raise StoppedError

    def _still_good(self, query: Query, now: float) -> bool:
        at, _ = self._good.get(query, (None, None))
        return at is not None and 0 <= now - at < self._pace.good_for_s(query)

    def close(self) -> None:
        """Close the sources' sockets."""
        for source in self._sources.values():
            source.close()
