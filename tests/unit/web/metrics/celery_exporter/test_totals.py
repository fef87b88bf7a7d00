"""Totals that only grow: failures under their exceptions, each once, and runtimes that stand for every success."""

from collections.abc import Iterable, Mapping

import pytest

from watchdog.core.model.servers.timings import Timing
from watchdog.core.model.sketch import sketch_of
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.tasks.failures import Failure, Failures
from watchdog.tables.tasks.names import NAMELESS
from watchdog.tables.tasks.runtimes import TimedTask
from watchdog.web.metrics.celery_exporter.totals import BUCKETS, NAMED_WITHIN_S, TaskTotals, totals_after

T0 = 1_790_000_000.0
WORKER, HOST, TASK = "celery@web-1", "web-1", "shop.charge"


def failure(exception: str = "ValueError", **changes: object) -> Failure:
    given = {"task": TASK, "exception": exception, "at": T0, "duration_s": 1.0, "queue": None, "example": "", "worker": WORKER} | changes
    return Failure(**given)  # type: ignore[arg-type]


def memory(
    events: Mapping[str, float] | None = None,
    listed: Mapping[str, Failure] | None = None,
    runs: tuple[float, ...] = (),
    *,
    started_at: float = T0 - 1000,
    read_at: float = T0,
    task: str = TASK,
    gap: str = "",
) -> TaskCounters:
    timed = TimedTask(T0, tuple((T0 + nth, runtime, None) for nth, runtime in enumerate(runs)), gap)
    counts = {WORKER: {task: events or {}}}
    return TaskCounters(read_at, started_at, counts, failures=Failures(listed or {}), runtimes={TASK: timed})


class Scraping:
    """Scrapes one target again and again."""

    def __init__(self, *first: TaskCounters) -> None:
        self.totals, self.now = TaskTotals(), T0
        for one in first:
            self.scrape(one)

    def scrape(self, seen: TaskCounters, after: float = 10.0, workers: tuple[str, ...] = (), heard: Iterable[float] = ()) -> TaskTotals:
        self.now += after
        took = sketch_of(heard)
        self.totals = totals_after(self.totals, seen, {}, {TASK: Timing(took.count, took)} if took.count else {}, self.now, workers)
        return self.totals


def test_what_was_before_the_first_scrape_is_not_counted() -> None:
    assert Scraping(memory({"failed": 5.0}, {"a": failure()})).totals.failed == {}


def test_a_failure_counts_under_its_exception_and_host() -> None:
    totals = Scraping(memory({"failed": 5.0})).scrape(memory({"failed": 6.0}, {"a": failure()}))
    assert totals.failed == {(TASK, HOST, "ValueError"): 1.0}


def test_a_failure_that_is_listed_later_counts_once() -> None:
    scraping = Scraping(memory(), memory({"failed": 1.0}))
    scraping.scrape(memory({"failed": 1.0}, {"a": failure()}))
    assert scraping.scrape(memory({"failed": 1.0}, {"a": failure()}, read_at=T0 + 1), NAMED_WITHIN_S + 1).failed == {
        (TASK, HOST, "ValueError"): 1.0
    }


def test_a_failure_that_is_counted_later_counts_once() -> None:
    scraping = Scraping(memory(), memory({}, {"a": failure()}))
    scraping.scrape(memory({"failed": 1.0}, {"a": failure()}))
    assert scraping.scrape(memory({"failed": 1.0}, {"a": failure()}, read_at=T0 + 1), 61).failed == {(TASK, HOST, "ValueError"): 1.0}


def test_a_failure_that_is_never_listed_counts_after_a_minute() -> None:
    scraping = Scraping(memory(), memory({"failed": 3.0}))
    assert scraping.scrape(memory({"failed": 3.0}, read_at=T0 + 1), NAMED_WITHIN_S).failed == {(TASK, HOST, "UnknownException"): 3.0}


def test_a_run_beyond_its_time_limit_counts_once_though_celery_reports_it_twice() -> None:
    scraping = Scraping(memory(), memory({"failed": 2.0}, {"a": failure("TimeLimitExceeded")}))
    assert scraping.scrape(memory({"failed": 2.0}, read_at=T0 + 1), 61).failed == {(TASK, HOST, "TimeLimitExceeded"): 1.0}


def test_a_failure_that_flower_counts_without_a_name_counts_under_the_one_in_the_list() -> None:
    named_by_list = {"a": failure(named=False)}
    scraping = Scraping(memory(task=NAMELESS), memory({"failed": 1.0}, named_by_list, task=NAMELESS))
    assert scraping.scrape(memory({"failed": 1.0}, named_by_list, task=NAMELESS, read_at=T0 + 1), 61).failed == {
        (TASK, HOST, "ValueError"): 1.0
    }


def test_failures_on_workers_of_another_target_do_not_count() -> None:
    scraping = Scraping(memory())
    scraping.scrape(memory({"failed": 3.0}, read_at=T0 + 1), workers=("celery@other-*",))
    assert scraping.scrape(memory({"failed": 3.0}, read_at=T0 + 2), 61, workers=("celery@other-*",)).failed == {}


def test_a_module_before_the_exception_is_left_out() -> None:
    totals = Scraping(memory()).scrape(memory({"failed": 1.0}, {"a": failure("shop.errors.Refused")}))
    assert set(totals.failed) == {(TASK, HOST, "Refused")}


def test_totals_stay_when_flower_restarts() -> None:
    scraping = Scraping(memory(), memory({"failed": 1.0}, {"a": failure()}))
    again = memory({"failed": 1.0}, {"a": failure(), "b": failure()}, started_at=T0 + 5, read_at=T0 + 6)
    assert scraping.scrape(again).failed == {(TASK, HOST, "ValueError"): 2.0}


def test_what_another_flower_counted_before_is_not_new() -> None:
    scraping = Scraping(memory())
    scraping.scrape(memory({"failed": 900.0}, started_at=T0 - 5000, read_at=T0 + 1))
    assert scraping.scrape(memory({"failed": 900.0}, started_at=T0 - 5000, read_at=T0 + 2), 61).failed == {}


def test_a_scrape_that_was_overtaken_adds_nothing() -> None:
    scraping = Scraping(memory(), memory({"failed": 3.0}, read_at=T0 + 2))
    scraping.scrape(memory({"failed": 2.0}, read_at=T0 + 1))
    assert scraping.scrape(memory({"failed": 3.0}, read_at=T0 + 3), 61).failed == {(TASK, HOST, "UnknownException"): 3.0}


def counts_of(totals: TaskTotals) -> dict[float, int]:
    """Upper bound of each bucket that is not empty -> runs in it."""
    return {bound: count for bound, count in zip((*BUCKETS, float("inf")), totals.runtimes[TASK].counts, strict=True) if count}


def test_a_runtime_falls_into_its_bucket() -> None:
    totals = Scraping(memory()).scrape(memory({"succeeded": 3.0}, runs=(0.05, 0.3, 60.0)))
    assert counts_of(totals) == {0.05: 1, 0.5: 1, float("inf"): 1}


def test_listed_runs_stand_for_all_that_succeeded() -> None:
    totals = Scraping(memory()).scrape(memory({"succeeded": 7.0}, runs=(0.05, 0.3)))
    assert counts_of(totals) == {0.05: 4, 0.5: 3}


def test_successes_wait_for_the_next_list() -> None:
    scraping = Scraping(memory(), memory({"succeeded": 7.0}))
    totals = scraping.scrape(memory({"succeeded": 8.0}, runs=(0.05,)))
    assert counts_of(totals) == {0.05: 8}


def test_a_run_that_is_listed_again_counts_once() -> None:
    scraping = Scraping(memory(), memory({"succeeded": 1.0}, runs=(0.05,)))
    assert counts_of(scraping.scrape(memory({"succeeded": 2.0}, runs=(0.05, 0.3)))) == {0.05: 1, 0.5: 1}


def test_a_list_that_could_not_be_read_makes_no_run_new() -> None:
    scraping = Scraping(memory(), memory({"succeeded": 1.0}, runs=(0.05,)), memory({"succeeded": 1.0}, gap="flower: no answer"))
    assert counts_of(scraping.scrape(memory({"succeeded": 1.0}, runs=(0.05,)))) == {0.05: 1}


def test_how_long_they_took_together_is_kept() -> None:
    totals = Scraping(memory()).scrape(memory({"succeeded": 4.0}, runs=(1.0, 2.0)))
    assert totals.runtimes[TASK].total_s == 6.0


def test_runs_that_were_heard_are_all_and_stand_for_no_other() -> None:
    scraping = Scraping(memory({"succeeded": 0.0}))
    scraping.scrape(memory({"succeeded": 0.0}), heard=[0.3, 0.3, 2.0])
    totals = scraping.scrape(memory({"succeeded": 9.0}), heard=[20.0])
    assert totals.runtimes[TASK].total_s == pytest.approx(22.6)
    assert {bound: count for bound, count in zip((*BUCKETS, float("inf")), totals.runtimes[TASK].counts, strict=True) if count} == {
        0.5: 2, 2.5: 1, float("inf"): 1,
    }  # fmt: skip


def test_what_flower_lists_after_that_stands_for_what_was_counted_since() -> None:
    scraping = Scraping(memory())
    scraping.scrape(memory({"succeeded": 9.0}), heard=[0.3])
    totals = scraping.scrape(memory({"succeeded": 11.0}, runs=(2.0,)))
    assert totals.runtimes[TASK].total_s == pytest.approx(4.3)
