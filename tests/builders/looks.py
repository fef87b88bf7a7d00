"""Looks at a fake cluster, again and again as a daemon does, and single rows and cells of what was read."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from tests.builders.answers import INTERVAL, NOW, a_target
from tests.builders.cluster import Cluster
from watchdog.core.history.series import Moment
from watchdog.core.model.queries import Query
from watchdog.core.model.reading import DEFAULT_WINDOW_S, Past, Seen, read_tables
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Asking, Cell, Look, Reading, Row, Sample
from watchdog.core.model.self_seen import SelfSeen
from watchdog.core.model.target import Target
from watchdog.tables import TABLES


class Watch:
    """Polls a fake cluster again and again, each time with the memory of earlier polls, passed through msgspec as the store does."""

    def __init__(self, cluster: Cluster, target: Target | None = None, *, rounds: int = 3) -> None:
        self.cluster, self.target, self.rounds = cluster, target or a_target(), rounds
        self.past = Past()
        self.moment = Moment(self.past, Seen({}, {}, {}), 0.0, None, self.target.interval_s)
        """The last look as history sees it."""
        self.skew = 0.0
        """Our clock less Flower's."""
        self.took_s = 0.0
        """How long each look takes to ask."""
        self.reused: frozenset[Query] = frozenset()
        """Queries that are not asked again: their last answer is used."""
        self._last: Mapping[Query, object] = {}

    def look(self, after: float = INTERVAL, *, window_s: float = DEFAULT_WINDOW_S) -> Mapping[str, Reading]:
        """One look, `after` seconds later (0 at the first); workers online go on beating meanwhile."""
        self.cluster.beating(after)
        return self.at_once(window_s=window_s)

    def at_once(self, *, window_s: float = DEFAULT_WINDOW_S) -> Mapping[str, Reading]:
        """One look, at the cluster as it is."""
        now = self.cluster.now + self.skew
        seen = read_tables(TABLES, self.target, self.past, self._ask(now), now, {window_s: TABLES})
        self.moment = Moment(self.past, seen, now, self.moment.now or None, self.target.interval_s)
        memories = {name: table_memory(name, memory) for name, memory in seen.memories.items()}
        self.past = self.past.plus(replace(seen, memories=memories), 4 * max(window_s, DEFAULT_WINDOW_S))
        return seen.windows[window_s]

    def _ask(self, now: float) -> Replies:
        self.cluster.asked = []
        found = Replies()
        for _ in range(self.rounds):
            wanted = dict.fromkeys(
                query
                for name, table in TABLES.items()
                if not table.own
                for query in table.asks(Asking(self.target, self.past.memories.get(name), found, now, self.past.memories))
                if not found.asked(query)
            )
            for source in ("redis", "rabbitmq", "results", "flower", "events", "celery"):
                answers = [(query, self._answer(query, source)) for query in wanted if self._source_of(query) == source]
                found = found.plus(answers, {source: 1.0}, reused=self.reused.intersection(wanted))
        self._last = found.answers
        return replace(found, took_s=self.took_s)

    def _answer(self, query: Query, source: str) -> object:
        return self._last[query] if query in self.reused else self.cluster.answer(query, source)

    def _source_of(self, query: Query) -> str:
        return "redis" if query.source == "results" and "results" not in self.target.sources else query.source


def table_memory(table: str, memory: object) -> object:
    """The memory as it comes back from the store."""
    kind = type(TABLES[table].memory())
    through_json = msgspec.json.decode(msgspec.json.encode(memory), type=kind)
    assert through_json == memory, f"{table}: memory changed on its way through JSON"
    return msgspec.msgpack.decode(msgspec.msgpack.encode(memory), type=kind)


def row(reading: Reading, *key: str, table: str = "") -> Row:
    """The row of that key."""
    names = TABLES[table].key if table else ("name",)
    return next(r for r in reading.rows if r.key(names) == key)


def cell(reading: Reading, name: str, column: str) -> Cell:
    """One cell of the row whose name (or pattern) that is; of the only row where the name is empty."""
    rows = [r for r in reading.rows if not name or name in (r.cells.get("name"), r.cells.get("pattern"))]
    assert rows, f"no row {name}"
    return rows[0].cells[column]


def gap(reading: Reading, name: str, column: str) -> str:
    """Why a cell is a gap; empty where it is none."""
    rows = [r for r in reading.rows if not name or name in (r.cells.get("name"), r.cells.get("pattern"))]
    assert rows, f"no row {name}"
    return rows[0].gaps.get(column, "")


def names(reading: Reading) -> list[str]:
    return sorted(str(r.cells["name"]) for r in reading.rows)


def a_look(
    answers: Replies | None = None, *, now: float = NOW, memory: object = None, history: tuple[Sample, ...] = (), **changes: Any
) -> Look:
    look = Look(a_target(), memory, answers or Replies(), now, DEFAULT_WINDOW_S, history)
    return replace(look, **changes)


def a_self_seen(**changes: Any) -> SelfSeen:
    return replace(SelfSeen(cycle_s=0.1, database_bytes=4096), **changes)


def number(value: Cell) -> float:
    """The cell, known to be a number."""
    assert isinstance(value, float)
    return value
