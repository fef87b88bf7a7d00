"""How long runs took, of all that were heard: told to each reader once, and in memory that is bounded."""

from typing import Any

import pytest

from watchdog.core.model.servers.timings import Mark, Timing, TimingsHeard
from watchdog.core.model.sketch import quantile
from watchdog.sources.events.tasks import timings
from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.sources.events.tasks.runs import Runs

ONE, MAIL = "celery@one", "shop.mail"


class Told:
    """An ear to which runs are told, from second 100 on."""

    def __init__(self) -> None:
        self.runs, self.now, self.number = Runs(), 100.0, 0
        self.runs.opens(self.now)

    def event(self, kind: str, at: float, task_id: str, **changes: Any) -> None:
        self.runs.hears(TaskEvent(task_id, f"task-{kind}", changes.pop("worker", ONE), at, **changes))

    def ends(self, runtime: float | None = 1.0, *, sent: float | None = 0.0, wait: float = 0.5, **changes: Any) -> str:
        """A run is received, waits, runs, and succeeds; `sent`: when its sender says that it sent it, to the queue `mails`."""
        self.number += 1
        task_id = f"run {self.number}"
        if sent is not None:
            self.event("sent", sent, task_id, name=MAIL, routing_key="mails")
        self.event("received", 10.0, task_id, name=MAIL, **changes)
        self.event("started", 10.0 + wait, task_id)
        self.event("succeeded", 12.0, task_id, runtime=runtime)
        return task_id

    def passes(self, seconds: float = 2.0) -> None:
        """Time passes, in which something else came."""
        self.now += seconds
        self.runs.timings.passes(self.now)

    def read(self, after: Mark | None = None, reader: str = "prod") -> TimingsHeard:
        return self.runs.timings.read(reader, after)

    def timing(self, task: str = MAIL) -> Timing:
        return self.read().timings[task]


def count(heard: TimingsHeard) -> int:
    return sum(timing.count for timing in heard.timings.values())


def test_all_successes_are_timed_not_the_last_hundred() -> None:
    told = Told()
    for runtime in range(1, 301):
        told.ends(float(runtime))
    timing = told.timing()
    assert (timing.count, timing.runtimes.count, timing.runtimes.mean_s) == (300, 300, 150.5)
    assert quantile(timing.runtimes, 0.95) == pytest.approx(285.0, rel=0.02)


def test_a_run_waits_in_its_worker_and_since_it_was_sent() -> None:
    told = Told()
    told.ends(sent=8.0, wait=0.5)
    timing = told.timing()
    (came,) = timing.came
    assert (timing.waits.mean_s, came.queue, came.count, came.waits.mean_s) == (0.5, "mails", 1, 2.5)


@pytest.mark.parametrize("change", [{"eta": "2026-11-29T12:00:00"}, {"retries": 1}])
def test_a_run_that_had_to_wait_shows_nothing_of_its_queue(change: dict[str, Any]) -> None:
    told = Told()
    told.ends(sent=8.0, **change)
    (came,) = told.timing().came
    assert (came.count, came.waits.count) == (1, 0)


def test_a_success_without_a_runtime_counts_without_one() -> None:
    told = Told()
    told.ends(None)
    assert (told.timing().count, told.timing().runtimes.count) == (1, 0)


@pytest.mark.parametrize("runtime", [float("inf"), float("nan"), 1e300])
def test_a_duration_that_is_none_is_left_out(runtime: float) -> None:
    told = Told()
    told.ends(runtime)
    assert told.timing().runtimes.count == 0


def test_failures_are_not_timed() -> None:
    told = Told()
    told.event("received", 1.0, "a", name=MAIL)
    told.event("failed", 2.0, "a")
    assert count(told.read()) == 0


def test_a_run_that_two_workers_execute_counts_at_each_end() -> None:
    told = Told()
    told.event("received", 1.0, "a", name=MAIL)
    told.event("started", 2.0, "a")
    told.event("started", 3.0, "a", worker="celery@two")
    told.event("succeeded", 4.0, "a", runtime=2.0)
    told.event("succeeded", 9.0, "a", worker="celery@two", runtime=6.0)
    heard = [told.runs.timings.read("prod", None, (worker,)).timings[MAIL] for worker in (ONE, "celery@two")]
    assert [timing.runtimes.total_s for timing in heard] == [2.0, 6.0]


# --- the sender's word ----------------------------------------------------------------------------------------------------


def test_a_sender_that_is_heard_after_the_end_says_the_queue() -> None:
    told = Told()
    late = told.ends(sent=None)
    told.event("sent", 8.0, late, name=MAIL, routing_key="mails")
    assert [(came.queue, came.count, came.waits.mean_s) for came in told.timing().came] == [("mails", 1, 2.5)]


def test_a_queue_is_unknown_only_after_its_sender_had_time_to_speak() -> None:
    told = Told()
    told.ends(sent=None)
    first = told.read()
    told.passes()
    second = told.read(first.mark)
    told.passes()
    third = told.read(second.mark)
    came = [[(one.queue, one.count) for one in heard.timings.get(MAIL, Timing()).came] for heard in (first, second, third)]
    assert (came, count(first), count(third)) == ([[], [], [(None, 1)]], 1, 0)


# --- readers --------------------------------------------------------------------------------------------------------------


def test_a_reader_is_told_what_came_since_it_read() -> None:
    told = Told()
    told.ends()
    first = told.read()
    told.passes(10.0)
    told.ends()
    told.ends()
    second = told.read(first.mark)
    assert (count(first), first.since, count(second), second.since) == (1, 100.0, 2, 100.0)
    assert count(told.read(second.mark)) == 0


def test_it_says_since_when_it_tells_all() -> None:
    told = Told()
    told.passes(10.0)
    first = told.read()
    told.passes(10.0)
    assert told.read(first.mark).since == 110.0


def test_who_reads_again_is_told_the_same_again_and_more() -> None:
    told = Told()
    first = told.read()
    told.ends()
    told.read(first.mark)
    told.ends()
    assert count(told.read(first.mark)) == 2


def test_readers_do_not_disturb_each_other() -> None:
    told = Told()
    slow = told.read(reader="slow")
    fast = told.read(reader="fast")
    for _ in range(50):
        told.ends()
        fast = told.read(fast.mark, reader="fast")
        assert count(fast) == 1
    assert count(told.read(slow.mark, reader="slow")) == 50


def test_what_was_heard_over_an_earlier_connection_is_no_part_of_it() -> None:
    told = Told()
    told.ends()
    before = told.read()
    told.ends()
    told.runs.opens(500.0)
    told.ends()
    heard = told.read(before.mark)
    assert (count(heard), heard.since, heard.mark.opened_at) == (1, 500.0, 500.0)


# --- memory ---------------------------------------------------------------------------------------------------------------


def slots(told: Told) -> int:
    return len(told.runs.timings._slots)


def test_what_all_have_read_is_not_kept() -> None:
    told, mark = Told(), None
    for _ in range(100):
        told.ends()
        mark = told.read(mark).mark
    assert slots(told) <= 3


def test_one_who_never_reads_again_costs_one_slot() -> None:
    told, mark = Told(), None
    told.read(reader="gone")
    for _ in range(100):
        told.ends()
        mark = told.read(mark).mark
    assert slots(told) <= 5


def test_if_more_comes_than_is_kept_the_oldest_is_dropped_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timings, "MOST_NUMBERS", 50)
    told = Told()
    for nth in range(1000):
        told.passes(1.0)
        told.ends(1.1 ** (nth % 200))
        assert sum(slot.size for slot in told.runs.timings._slots) <= 70
    heard = told.read()
    assert 0 < count(heard) < 50
    assert heard.since > 1000.0
