"""Counts of a first look: from the tasks that Flower lists, as far back as the list reaches, and each counted once."""

import pytest

from tests.builders.answers import NOW, a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap, names
from watchdog.core.model.demand import Demand
from watchdog.core.model.queries import ReadEventCounters, RecentTasks
from watchdog.core.model.reading import Past, read_tables
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.rows import Reading
from watchdog.tables import TABLES

WEB, GPU = "celery@web-1", "celery@gpu-1"
JOB = "shop.pay"


def ended(number: int, kind: str = "succeeded", ago: float = 30.0, worker: str = WEB) -> TaskSeen:
    """A task that ended so many seconds before now, a second after it began."""
    at = NOW - ago
    state = {"succeeded": "SUCCESS", "failed": "FAILURE"}[kind]
    return a_task(f"{kind}-{number}-{ago}", state, worker=worker, received=at - 2, started=at - 1, timestamp=at, **{kind: at})


def listing(*tasks: TaskSeen, **changes: float) -> Cluster:
    """A Flower that lists these tasks, the last event first, and has counted just their events."""
    cluster = healthy()
    add(cluster, *tasks)
    for name, value in changes.items():
        setattr(cluster, name, value)
    return cluster


def add(cluster: Cluster, *tasks: TaskSeen) -> None:
    cluster.tasks = sorted([*tasks, *cluster.tasks], key=lambda task: -(task.timestamp or 0.0))
    for task in tasks:
        for event in ("received", "started", "succeeded", "failed", "retried", "revoked"):
            if getattr(task, event) is not None and task.name:
                series = (task.worker or "", task.name, event)
                cluster.counts[series] = cluster.counts.get(series, 0.0) + 1


def first(cluster: Cluster, *, window_s: float = 300.0, **target: object) -> Reading:
    return Watch(cluster, a_target(**target)).look(0, window_s=window_s)["tasks"]


TWENTY_AND_TEN = [*(ended(n) for n in range(20)), *(ended(n, "failed") for n in range(10))]


def test_what_flower_lists_is_counted_at_the_first_look() -> None:
    reading = first(listing(*TWENTY_AND_TEN))
    counts = [cell(reading, JOB, column) for column in ("received", "started", "succeeded", "failed", "finished")]
    assert counts == [30.0, 30.0, 20.0, 10.0, 30.0]


def test_rates_are_over_the_window_where_the_list_covers_it() -> None:
    reading = first(listing(*TWENTY_AND_TEN))
    assert (cell(reading, JOB, "error_rate"), cell(reading, JOB, "per_min")) == (10 / 30, 6.0)


def test_what_lies_before_the_window_does_not_count() -> None:
    cluster = listing(ended(1, ago=30), ended(1, ago=400))
    assert [cell(first(cluster, window_s=w), JOB, "succeeded") for w in (60.0, 300.0, 600.0)] == [1.0, 1.0, 2.0]


def test_retries_and_revocations_are_counted() -> None:
    retried = a_task("r", "RETRY", started=NOW - 20, received=NOW - 21, retried=NOW - 19, timestamp=NOW - 19)
    revoked = a_task("v", "REVOKED", started=None, received=NOW - 21, revoked=NOW - 18, timestamp=NOW - 18)
    reading = first(listing(retried, revoked))
    assert (cell(reading, JOB, "retried"), cell(reading, JOB, "revoked")) == (1.0, 1.0)


def test_a_clock_ahead_of_ours_counts_as_now() -> None:
    assert cell(first(listing(ended(1, ago=-60))), JOB, "succeeded") == 1.0


def test_only_the_targets_own_workers_are_counted() -> None:
    cluster = listing(ended(1, "failed"), ended(2, "failed", worker=GPU))
    assert cell(first(cluster, workers=("celery@web-*",)), JOB, "failed") == 1.0


def test_a_task_of_which_flower_missed_the_name_is_no_row() -> None:
    assert names(first(listing(ended(1), a_task("x", "SUCCESS", name=None, succeeded=NOW - 5, timestamp=NOW - 5)))) == [JOB]


# --- how far the list reaches -------------------------------------------------------------------------------------------


def test_a_list_that_covers_the_window_says_so() -> None:
    assert first(listing(*TWENTY_AND_TEN)).note == "counted from Flower's list of tasks, over the last 1h"


def test_a_list_cut_by_its_limit_claims_no_more_than_it_reaches() -> None:
    """2,000 tasks, one each 0.1 s: the list holds those of the last 100 s."""
    cluster = listing(*(ended(n, ago=n / 10) for n in range(2000)))
    reading = first(cluster)
    assert "over the last 1m40s (its last 1000 tasks)" in reading.note
    assert cell(reading, JOB, "succeeded") == 1000.0
    assert cell(reading, JOB, "per_min") == pytest.approx(600.0, rel=0.01)


def test_a_flower_just_started_is_covered_since_then() -> None:
    reading = first(listing(ended(1, ago=20), flower_started_at=NOW - 60))
    assert (reading.note, cell(reading, JOB, "per_min")) == ("counted from Flower's list of tasks, over the last 1m", 1.0)


def test_tasks_kept_from_before_flowers_start_do_not_count() -> None:
    """With --persistent; what ended while Flower was down it never heard."""
    assert cell(first(listing(ended(1, ago=20), ended(2, ago=200), flower_started_at=NOW - 60)), JOB, "succeeded") == 1.0


def test_a_flower_that_keeps_fewer_tasks_than_it_counted_is_covered_back_to_its_oldest() -> None:
    cluster = listing(*TWENTY_AND_TEN)
    cluster.counts[(WEB, JOB, "succeeded")] = 5000.0
    reading = first(cluster)
    assert ("over the last 30s" in reading.note, cell(reading, JOB, "per_min")) == (True, 60.0)


def test_a_task_received_again_and_again_is_no_sign_of_a_full_store() -> None:
    cluster = listing(ended(1, ago=20))
    cluster.counts[(WEB, JOB, "received")] = cluster.counts[(WEB, JOB, "retried")] = 5.0
    reading = first(cluster)
    assert (reading.note, cell(reading, JOB, "per_min")) == ("counted from Flower's list of tasks, over the last 1h", 0.2)


def test_a_flower_that_does_not_say_when_it_started_is_covered_back_to_its_oldest_task() -> None:
    reading = first(listing(ended(1), flower_started_at=None))  # type: ignore[arg-type]
    assert cell(reading, JOB, "per_min") == 2.0


def test_counters_without_a_listed_task_prove_nothing() -> None:
    cluster = healthy()
    cluster.counts[(WEB, JOB, "failed")] = 5.0
    assert first(cluster).idle["failed"] == "failed needs a second poll"


def test_a_list_that_cannot_be_had_leaves_counts_unknown_not_0() -> None:
    cluster = listing(ended(1))
    cluster.gaps[RecentTasks] = "flower: 405"
    assert gap(first(cluster), JOB, "failed") == "flower: 405"


def test_where_nobody_reads_counts_the_list_is_not_asked_and_counts_are_idle() -> None:
    cluster, demand = listing(ended(1)), Demand({"tasks": frozenset({"name"})})
    watch = Watch(cluster)
    found = watch._ask(NOW)
    found = type(found)({q: a for q, a in found.answers.items() if not isinstance(q, RecentTasks)}, found.latency_ms)
    seen = read_tables(TABLES, a_target(), Past(), found, NOW, demand=demand)
    assert seen.windows[300.0]["tasks"].idle["failed"] == "failed needs a second poll"


# --- looks after it -------------------------------------------------------------------------------------------------------


def test_the_next_look_counts_what_was_listed_once() -> None:
    watch = Watch(listing(*TWENTY_AND_TEN))
    watch.look(0)
    add(watch.cluster, ended(99, "failed", ago=-5))
    reading = watch.look()["tasks"]
    assert (cell(reading, JOB, "succeeded"), cell(reading, JOB, "failed"), reading.note) == (20.0, 11.0, "")


def test_the_list_is_asked_at_the_first_look_alone() -> None:
    watch = Watch(listing(*TWENTY_AND_TEN))
    watch.look(0)
    first_asked = RecentTasks() in watch.cluster.asked
    watch.look()
    assert (first_asked, RecentTasks() in watch.cluster.asked) == (True, False)


def test_what_was_listed_leaves_the_window_as_time_passes() -> None:
    watch = Watch(listing(ended(1, ago=30), ended(2, ago=250)))
    counts = [cell(watch.look(10 * (number > 0))["tasks"], JOB, "succeeded") for number in range(32)]
    assert (counts[0], counts[4], counts[5], counts[26], counts[27]) == (2.0, 2.0, 1.0, 1.0, 0.0)


def test_after_an_hour_nothing_of_the_list_is_remembered() -> None:
    watch = Watch(listing(ended(1)))
    watch.look(0)
    watch.look(3700)
    watch.look()
    assert getattr(watch.past.memories["tasks"], "earlier") == ()  # noqa: B009 - the memory's type is the table's own


def test_a_first_look_without_counters_is_followed_by_another_first_look() -> None:
    watch = Watch(listing(*TWENTY_AND_TEN))
    watch.cluster.gaps[ReadEventCounters] = "flower: 500"
    watch.look(0)
    watch.cluster.gaps.clear()
    assert cell(watch.look()["tasks"], JOB, "finished") == 30.0
