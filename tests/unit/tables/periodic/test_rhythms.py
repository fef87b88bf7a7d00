"""`rhythms`: which tasks come regularly, and when one no longer does."""

import random
from collections.abc import Iterable

import msgspec

from watchdog.core.model.demand import NOT_READ, Demand
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ReadEventCounters
from watchdog.core.model.replies import EventCounters, Replies
from watchdog.core.model.rows import Cell, Look, Reading, Sample
from watchdog.core.model.target import Target
from watchdog.tables.periodic.rhythms import TABLE, RhythmsSeen
from watchdog.tables.periodic.schedules import Awaited, SchedulesSeen
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.tasks.listed import EVENTS

BEGAN = 1_000_000.0
TARGET = Target("prod", frozenset({"flower"}))
READ_BY_NOBODY = Demand({})


class Watched:
    """Looks, one after the other. Times are seconds since `BEGAN`."""

    def __init__(self, scheduled: Iterable[str] = ()) -> None:
        self.memory: object = None
        self.counted_since = 1.0
        self.scheduled = SchedulesSeen({task: Awaited(BEGAN) for task in scheduled})

    def look(self, at: float, received: int = 0, gap: str = "", demand: Demand | None = None) -> Reading:
        numbers = (float(received), *[0.0] * (len(EVENTS) - 1))
        before = {
            "tasks": Reading(
                unread=gap or None,
                memory=TaskCounters(counted_since=self.counted_since),
                sample=None if gap else Sample(BEGAN + at, {"shop.tick": numbers}),
            ),
            "schedules": Reading(memory=self.scheduled),
            "schedulers": Reading(),
        }
        counters = Gap(gap) if gap else EventCounters(1.0, {})
        replies = Replies({ReadEventCounters(): counters})
        reading = TABLE.read(Look(TARGET, self.memory, replies, BEGAN + at, 300.0, before=before, demand=demand or Demand()))
        self.memory = reading.memory
        return reading

    def runs(self, *times: float) -> None:
        for at in times:
            self.look(at, 1)

    def row(self, at: float) -> dict[str, Cell] | None:
        rows = self.look(at).rows
        return {**rows[0].cells, **rows[0].gaps} if rows else None


def every(seconds: float, times: int = 7) -> list[float]:
    return [seconds * nth for nth in range(times)]


def test_seven_runs_at_equal_intervals_are_a_rhythm() -> None:
    watched = Watched()
    watched.runs(*every(300.0))
    assert watched.row(1900.0) == {"task": "shop.tick", "usual_s": 300.0, "silent_s": 100.0, "missed": 0.0, "registered": True}


def test_six_runs_are_not() -> None:
    watched = Watched()
    watched.runs(*every(300.0, 6))
    assert watched.row(1600.0) is None


def test_the_clock_of_the_looks_may_be_off_by_their_interval() -> None:
    watched = Watched()
    watched.runs(*(at + random.Random(int(at)).uniform(0, 15) for at in every(300.0)))
    assert watched.row(1900.0) is not None


def test_runs_at_odd_times_are_none() -> None:
    watched = Watched()
    watched.runs(0.0, 300.0, 400.0, 900.0, 1300.0, 1450.0, 2000.0)
    assert watched.row(2100.0) is None


def test_several_at_once_are_none() -> None:
    watched = Watched()
    watched.runs(*every(300.0))
    watched.look(2100.0, 5)
    assert watched.row(2200.0) is None


def test_what_comes_each_minute_has_no_rhythm_that_counters_show() -> None:
    watched = Watched()
    watched.runs(*every(60.0, 20))
    assert watched.row(1200.0) is None


def test_one_that_no_longer_comes_misses_run_after_run() -> None:
    watched = Watched()
    watched.runs(*every(300.0))
    rows = [watched.row(1800.0 + 300.0 * nth) for nth in (1, 3)]
    assert [row and row["missed"] for row in rows] == [1.0, 3.0]


def test_one_that_has_stopped_for_good_is_forgotten() -> None:
    watched = Watched()
    watched.runs(*every(300.0))
    assert watched.row(1800.0 + 21 * 300.0) is None


def test_a_task_that_a_schedule_names_has_no_row() -> None:
    watched = Watched(scheduled=["shop.tick"])
    watched.runs(*every(300.0))
    assert watched.row(1900.0) is None


def test_while_flower_does_not_answer_its_silence_is_unknown() -> None:
    watched = Watched()
    watched.runs(*every(300.0))
    (row,) = watched.look(5000.0, gap="flower: 503").rows
    assert row.gaps == {"silent_s": "flower: 503", "missed": "flower: 503"}


def test_after_a_time_in_which_nobody_counted_it_begins_anew() -> None:
    watched = Watched()
    watched.runs(*every(300.0))
    watched.counted_since = 2.0
    assert watched.row(5000.0) is None


def test_what_nobody_reads_is_not_kept() -> None:
    reading = Watched().look(0.0, 1, demand=READ_BY_NOBODY)
    assert (reading.memory, set(reading.idle.values())) == (None, {NOT_READ})


def test_its_memory_survives_the_database() -> None:
    watched = Watched()
    watched.runs(*every(300.0))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(watched.memory), type=RhythmsSeen) == watched.memory
