"""What people ask of history: a day in figures, and its hours.

In: slices of a target, oldest first, and now (epoch seconds). Out: totals, and one `Hour` each. A count over a time in which nobody looked
is spread over that time. An hour in which nobody could look has no figures; one that was watched in part says for how long.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from watchdog.core.history.folding import fold
from watchdog.core.history.series import Kept, Part, Slice, Value
from watchdog.core.model.sketch import Sketch

__all__ = [
    "HOUR_S", "OF_DAY", "TOTALS", "Day", "Hour", "day_of", "hour_of", "hours_of", "is_complete", "number_of", "runtimes_of", "totals_of",
]  # fmt: skip

HOUR_S = 3600.0
HOURS = 24
TOTALS = ("cluster", "tasks", "errors")
"""The tables that are added up over the day; to add up a thousand queues or workers would take seconds, and nobody looks at their sums."""
OF_DAY = (*TOTALS, "queues")
"""The tables that a day is made of."""


class Hour(Struct, frozen=True):
    """One hour from `begin` on (epoch seconds). `watched_s`: for how long tasks were counted; None: nobody could look.

    `lengths`: queue -> the most messages that waited.
    """

    begin: float
    watched_s: float = 0.0
    succeeded: float | None = None
    failed: float | None = None
    workers_min: float | None = None
    backlog_max: float | None = None
    lengths: Mapping[str, float] = field(default_factory=dict)

    @property
    def finished(self) -> float | None:
        """Tasks that ended in it."""
        return None if self.succeeded is None or self.failed is None else self.succeeded + self.failed


class Day(Struct, frozen=True):
    """The last 24 hours: the figures of `TOTALS` as one part each, and the hours by the clock, the current one last."""

    totals: Mapping[str, Part] = field(default_factory=dict)
    hours: tuple[Hour, ...] = ()

    def watched_s(self) -> float:
        """For how long tasks were counted."""
        return sum(hour.watched_s for hour in self.hours)


def day_of(slices: Sequence[Slice], kept: Mapping[str, Kept], now: float) -> Day:
    """Return the last 24 hours."""
    within = [one for one in slices if now - HOURS * HOUR_S < one.at <= now]
    return Day(totals_of(within, kept).parts, tuple(hour_of(begin, slices, kept) for begin in hours_of(now)))


def hours_of(now: float) -> list[float]:
    """Return when each of the last 24 hours began, by the clock; the current one is the last."""
    current = now // HOUR_S * HOUR_S
    return [current - nth * HOUR_S for nth in range(HOURS - 1, -1, -1)]


def totals_of(slices: Sequence[Slice], kept: Mapping[str, Kept]) -> Slice:
    """Return the figures of `TOTALS` as one slice."""
    return fold(slices, {name: kept[name] for name in TOTALS})


def is_complete(begin: float, slices: Sequence[Slice]) -> bool:
    """Whether nothing will be added to the hour: each table that is read at all was read after its end, and what follows begins there."""
    until: dict[str, float] = {}
    for one in slices:
        until |= {table: max(part.until, until.get(table, 0.0)) for table, part in one.parts.items()}
    return bool(until) and min(until.values()) >= begin + HOUR_S


def hour_of(begin: float, slices: Iterable[Slice], kept: Mapping[str, Kept]) -> Hour:
    """Return one hour."""
    tasks = list(_shares("tasks", begin, slices))
    counted = {name: sum(share * _sum(part, kept["tasks"], name) for part, share, _ in tasks) for name in ("succeeded", "failed")}
    cluster = [part for part, _, _ in _shares("cluster", begin, slices)]
    workers = [number for part in cluster for number in _numbers(part, kept["cluster"], "workers_online_min")]
    backlogs = [number for part in cluster for number in _numbers(part, kept["cluster"], "backlog_max")]
    lengths: dict[str, float] = {}
    place = kept["queues"].place("length_max")
    for part, _, _ in _shares("queues", begin, slices):
        for (name,), row in part.rows.items():  # a thousand queues, perhaps, in each of many slices
            length = row[place] if place < len(row) else None
            if isinstance(length, float) and length >= lengths.get(name, 0.0):
                lengths[name] = length
    return Hour(
        begin,
        watched_s=sum(overlap_s for _, _, overlap_s in tasks),
        succeeded=max(counted["succeeded"], 0.0) if tasks else None,
        failed=max(counted["failed"], 0.0) if tasks else None,
        workers_min=min(workers, default=None),
        backlog_max=max(backlogs, default=None),
        lengths=lengths,
    )


def _shares(table: str, begin: float, slices: Iterable[Slice]) -> Iterator[tuple[Part, float, float]]:
    """Yield (part, the share of it that falls into the hour, how many seconds that is)."""
    for one in slices:
        part = one.parts.get(table)
        if part is None:
            continue
        overlap_s = min(part.until, begin + HOUR_S) - max(part.since, begin)
        if overlap_s > 0:
            yield part, overlap_s / (part.until - part.since), overlap_s


def _numbers(part: Part, kept: Kept, name: str) -> list[float]:
    place = kept.place(name)
    return [number for row in part.rows.values() if (number := number_of(row, place)) is not None]


def _sum(part: Part, kept: Kept, name: str) -> float:
    return sum(_numbers(part, kept, name))


def number_of(row: Sequence[Value], place: int) -> float | None:
    """Return one number of a row; None for a gap, and for a series that is newer than the row."""
    value = row[place] if place < len(row) else None
    return None if isinstance(value, Sketch) else value


def runtimes_of(part: Part, kept: Kept, name: str = "runtime") -> list[tuple[float, Sketch]]:
    """Return (weight, sketch) of each task: Flower lists only some runs of a busy task, so its sketch counts as often as it succeeded.

    Where all were heard, that is the same.
    """
    of_sketch, of_count = kept.place(name), kept.place("succeeded")
    found = []
    for row in part.rows.values():
        sketch = row[of_sketch] if of_sketch < len(row) else None
        if isinstance(sketch, Sketch) and (count := sketch.count):
            found.append((max(number_of(row, of_count) or 0.0, count) / count, sketch))
    return found
