"""What one look adds to history: what happened since the look before, once; gauges as they are; nothing where nobody could look."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch
from watchdog.core.history.series import Fold, Part, Value
from watchdog.core.model.queries import FailedTasks, ReadEventCounters, WorkerHeartbeats
from watchdog.core.model.replies import TaskMetaSeen, TaskSeen
from watchdog.core.model.sketch import Sketch
from watchdog.tables import TABLES
from watchdog.tables.history.kept import KEPT, slice_of

WEB, JOB = "celery@web-1", "shop.pay"


class Watched:
    """A healthy cluster, looked at twice, so that counts have something to be compared with."""

    def __init__(self) -> None:
        self.cluster = healthy()
        self.counts((JOB, "succeeded", 100.0))
        self.watch = Watch(self.cluster)
        self.watch.look(0)
        self.watch.look()

    @classmethod
    def at_a_start(cls, **target: Any) -> "Watched":
        """A healthy cluster that was not looked at yet, and of which nothing was counted."""
        started = cls.__new__(cls)
        started.cluster = healthy()
        started.watch = Watch(started.cluster, a_target(**target))
        return started

    def counts(self, *events: tuple[str, str, float]) -> None:
        for task, event, count in events:
            key = (WEB, task, event)
            self.cluster.counts[key] = self.cluster.counts.get(key, 0.0) + count

    def ends(self, number: int, **changes: Any) -> None:
        """A task that ends 5 s before the next look."""
        at = self.cluster.now + 5
        failed = "exception" in changes
        end = {"failed" if failed else "succeeded": at}
        given = {"name": JOB, "worker": WEB, "received": at - 4, "started": at - 2, "timestamp": at, **end, **changes}
        self.cluster.tasks.insert(0, a_task(f"t{number}", "FAILURE" if failed else "SUCCESS", **given))
        self.counts((JOB, "failed" if failed else "succeeded", 1.0))

    def adds(self, after: float = 10.0) -> dict[str, Part]:
        """The parts of the next look."""
        self.watch.look(after)
        return dict(slice_of(self.watch.moment).parts)

    def value(self, parts: dict[str, Part], table: str, series: str, *key: str) -> Value:
        return parts[table].rows[key][KEPT[table].place(series)]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_every_series_with_a_column_names_one_of_its_table() -> None:
    for kept in KEPT.values():
        assert kept.table in TABLES
        for series in kept.series:
            assert series.column == "" or TABLES[kept.table].column(series.column) is not None, (kept.table, series.name)


def test_names_of_series_are_unique_in_their_table() -> None:
    assert all(len({s.name for s in kept.series}) == len(kept.series) for kept in KEPT.values())


def test_counts_are_what_happened_since_the_look_before(watched: Watched) -> None:
    watched.counts((JOB, "succeeded", 7.0), (JOB, "failed", 2.0), (JOB, "retried", 1.0))
    parts = watched.adds()
    assert [watched.value(parts, "tasks", name, JOB) for name in ("succeeded", "failed", "retried")] == [7.0, 2.0, 1.0]
    assert (JOB,) not in watched.adds()["tasks"].rows


def test_a_flower_that_restarted_counts_from_zero_and_takes_nothing_away(watched: Watched) -> None:
    watched.cluster.counts = {(WEB, JOB, "succeeded"): 3.0}
    watched.cluster.flower_started_at = watched.cluster.now + 1
    assert watched.value(watched.adds(), "tasks", "succeeded", JOB) == 3.0


def test_counts_after_a_time_without_an_answer_cover_that_time(watched: Watched) -> None:
    began = watched.cluster.now
    watched.cluster.gaps["flower"] = "flower: no answer"
    blind = watched.adds(60.0)
    assert not {"tasks", "workers", "errors"} & blind.keys()
    del watched.cluster.gaps["flower"]
    watched.counts((JOB, "succeeded", 70.0))
    parts = watched.adds()
    assert watched.value(parts, "tasks", "succeeded", JOB) == 70.0
    assert (parts["tasks"].since, parts["tasks"].until) == (began, began + 70.0)


def test_each_run_is_in_one_sketch_alone(watched: Watched) -> None:
    found = []
    for nth, runtime in enumerate((2.0, 8.0)):
        watched.ends(nth, runtime=runtime)
        for _ in range(4):  # a task is listed in the look after the one that counts it, at most once in half a minute
            rows = watched.adds(20.0)["tasks"].rows.values()
            found += [row[3].total_s for row in rows if isinstance(row[3], Sketch) and row[3].count]
    assert found == [2.0, 8.0]


def test_what_ran_long_before_the_first_list_is_no_news() -> None:
    cluster = healthy()
    cluster.counts[WEB, JOB, "succeeded"] = 1.0
    cluster.tasks = [old(cluster)]
    watch = Watch(cluster)
    watch.look(0)
    watch.look(40.0)
    assert all(sketch == Sketch() for row in slice_of(watch.moment).parts["tasks"].rows.values() for sketch in row[3:])


def old(cluster: Cluster) -> TaskSeen:
    at = cluster.now - 3000
    return a_task("old", "SUCCESS", name=JOB, worker=WEB, received=at, started=at, succeeded=at, timestamp=at, runtime=1.0)


def test_failures_are_filed_by_task_exception_and_queue(watched: Watched) -> None:
    watched.ends(1, exception="TimeoutError('late')", routing_key="emails")
    parts = watched.adds()
    key = (JOB, "TimeoutError", "emails")
    assert [watched.value(parts, "errors", name, *key) for name in ("count", "timed", "seconds")] == [1.0, 1.0, 2.0]
    assert watched.adds()["errors"].rows == {}


@pytest.mark.parametrize("late", [False, True])
def test_a_failure_has_the_memory_that_its_run_reported_even_if_it_is_listed_later(watched: Watched, late: bool) -> None:
    watched.cluster.tasks = [a_task("t1", name=JOB, worker=WEB, started=watched.cluster.now)]
    watched.cluster.metas["t1"] = TaskMetaSeen("PROGRESS", 0.5, "resize", "{}", peak_memory=3e8)
    watched.watch.look(30.0)
    watched.cluster.tasks = []
    if late:
        watched.watch.look(30.0)
    for number in (1, 2):  # one of them reported nothing
        watched.ends(number, exception="TimeoutError('late')", routing_key="emails")
    assert watched.value(watched.adds(30.0), "errors", "memory_max", JOB, "TimeoutError", "emails") == 3e8


def test_whether_a_failure_is_the_first_of_its_kind_is_unknown_on_the_first_day(watched: Watched) -> None:
    watched.ends(1, exception="TimeoutError('late')", routing_key="emails")
    assert watched.value(watched.adds(), "errors", "new", JOB, "TimeoutError", "emails") is None


@pytest.mark.parametrize("blind_first", [False, True])
def test_what_is_heard_before_the_first_reading_is_counted_from_when_it_was_listened_to(blind_first: bool) -> None:
    heard = Watched.at_a_start(hears_tasks=True)
    if blind_first:
        heard.cluster.gaps[ReadEventCounters] = heard.cluster.gaps[FailedTasks] = "events: not connected yet"
        assert not {"tasks", "errors"} & heard.adds(0).keys()
        heard.cluster.gaps.clear()
    heard.cluster.flower_started_at = heard.cluster.now + 1  # when it began to listen
    heard.ends(1)
    heard.ends(2, exception="TimeoutError('late')", routing_key="emails")
    parts, kinds = heard.adds(), (JOB, "TimeoutError", "emails")
    assert [heard.value(parts, "tasks", name, JOB) for name in ("succeeded", "failed")] == [1.0, 1.0]
    assert (heard.value(parts, "errors", "count", *kinds), parts["tasks"].since, parts["errors"].since) == (
        1.0, heard.cluster.flower_started_at, heard.cluster.flower_started_at,
    )  # fmt: skip


def test_what_flower_counted_before_the_first_look_is_no_news() -> None:
    seen = Watched.at_a_start()
    seen.ends(1, exception="TimeoutError('late')")
    assert not {"tasks", "errors"} & seen.adds(0).keys()


def test_failures_that_could_not_be_listed_are_no_zero(watched: Watched) -> None:
    watched.cluster.gaps[FailedTasks] = "flower: no answer"
    assert "errors" not in watched.adds()


def test_what_a_worker_took_is_the_rise_of_its_counter(watched: Watched) -> None:
    beat = watched.cluster.beats[WEB]
    watched.cluster.beats[WEB] = replace(beat, processed=(beat.processed or 0) + 9)
    parts = watched.adds()
    assert watched.value(parts, "workers", "processed", WEB) == 9.0
    assert watched.value(parts, "workers", "online", WEB) == 1.0


def test_what_a_worker_took_is_unknown_without_its_heartbeat(watched: Watched) -> None:
    watched.cluster.gaps[WorkerHeartbeats] = "flower: no answer"
    parts = watched.adds()
    assert [watched.value(parts, "workers", name, WEB) for name in ("processed", "active")] == [None, None]


def test_a_worker_that_was_killed_is_offline_not_unknown(watched: Watched) -> None:
    watched.cluster.dies(WEB)
    for _ in range(12):
        parts = watched.adds()
    assert watched.value(parts, "workers", "online", WEB) == 0.0


def test_queues_are_kept_with_their_lengths(watched: Watched) -> None:
    name = next(key for (key,) in watched.adds()["queues"].rows)
    watched.cluster.lists[name] = 12
    parts = watched.adds()
    assert [watched.value(parts, "queues", series, name) for series in ("length", "length_max")] == [12.0, 12.0]
    assert watched.value(parts, "cluster", "backlog") == 12.0


def test_redis_without_an_answer_leaves_flowers_figures(watched: Watched) -> None:
    watched.cluster.gaps["redis"] = "redis: no answer"
    parts = watched.adds()
    assert "queues" not in parts
    assert watched.value(parts, "cluster", "backlog") is None
    assert watched.value(parts, "cluster", "workers_online") is not None


def test_percentiles_are_kept_as_sketches() -> None:
    assert {s.name for s in KEPT["tasks"].series if s.fold is Fold.SKETCH} == {"runtime", "wait"}
