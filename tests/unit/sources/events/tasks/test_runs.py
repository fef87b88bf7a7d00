"""What is remembered of tasks by their events: the states that they are in, and what is counted."""

from collections.abc import Callable
from typing import Any

import pytest

from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.sources.events.tasks.runs import MOST_ENDED, MOST_NAMES, MOST_STARTED, MOST_WAITING, SUCCESSES, Runs

AT = 1_800_000_000.0
WORKER = "celery@web-1"


class Told:
    """Runs that hear events, each a second after the one before."""

    def __init__(self) -> None:
        self.runs = Runs()
        self.runs.opens(AT)
        self._at = AT

    def hear(self, *kinds: str, task_id: str = "1", worker: str = WORKER, name: str | None = "shop.order", **fields: Any) -> "Told":
        for kind in kinds:
            self._at += 1
            named = name if kind in ("sent", "received") else None
            self.runs.hears(TaskEvent(task_id, f"task-{kind}", worker, self._at, named, **fields))
        return self

    @property
    def counts(self) -> dict[str, float]:
        """Event -> how often, of every worker and task together."""
        found: dict[str, float] = {}
        for _, _, event, count in self.runs.counters().each():
            found[event] = found.get(event, 0.0) + count
        return found

    def ids(self) -> dict[str, list[str]]:
        """State -> the tasks that are listed with it."""
        runs = self.runs
        listed = {"started": runs.started(100), "failed": runs.failed(100), "revoked": runs.revoked(100)}
        return {state: [task.id for task in tasks] for state, tasks in listed.items() if tasks}


def test_a_task_that_runs_is_listed_as_started_with_what_its_sender_and_worker_said() -> None:
    told = (
        Told().hear("sent", worker="gen7@app", routing_key="mails").hear("received", args="(4711,)", kwargs="{}", retries=0).hear("started")
    )
    (task,) = told.runs.started(10)
    assert (task.name, task.worker, task.routing_key, task.sent, task.received, task.started, task.arguments) == (
        "shop.order", WORKER, "mails", AT + 1, AT + 2, AT + 3, "(4711,)",
    )  # fmt: skip


def test_behind_a_topic_exchange_its_queue_is_the_one_that_its_sender_names() -> None:
    told = Told().hear("sent", worker="gen7@app", queue="feeds", routing_key="feed.import").hear("received", "started")
    assert [task.routing_key for task in told.runs.started(10)] == ["feeds"]


def test_its_senders_word_may_come_last() -> None:
    (task,) = Told().hear("received", "started").hear("sent", worker="gen7@app", routing_key="mails").runs.started(10)
    assert (task.state, task.worker, task.routing_key) == ("STARTED", WORKER, "mails")


@pytest.mark.parametrize("kinds", [("sent", "received"), ("received", "sent")], ids=" ".join)
def test_a_task_with_a_shadow_is_counted_under_it_whoever_speaks_first(kinds: tuple[str, ...]) -> None:
    told = Told()
    for kind in kinds:
        told.hear(kind, worker=WORKER if kind == "received" else "gen7@app", name="Nightly sum" if kind == "received" else "shop.sum")
    told.hear("started", "succeeded")
    assert {task for _, task, _, _ in told.runs.counters().each()} == {"Nightly sum"}


def test_of_a_message_that_no_worker_has_received_it_is_known_when_it_was_sent() -> None:
    told = Told().hear("sent", task_id="waits", worker="gen7@app").hear("sent", "received", task_id="taken")
    assert told.runs.sent(["waits", "taken", "unknown"]) == {"waits": AT + 1}


def test_a_senders_word_after_the_end_changes_no_end() -> None:
    told = Told().hear("received", "started", "succeeded", runtime=0.5).hear("sent", worker="gen7@app", routing_key="mails")
    (task,) = told.runs.succeeded("shop.order", 10)
    assert (told.ids(), task.state, task.runtime, task.routing_key, told.counts["succeeded"]) == ({}, "SUCCESS", 0.5, "mails", 1.0)


@pytest.mark.parametrize("end", ["failed", "revoked"])
def test_a_task_that_ended_runs_no_more(end: str) -> None:
    assert Told().hear("received", "started", end).ids() == {end: ["1"]}


def test_the_last_failure_is_the_first_one_listed() -> None:
    told = Told()
    for number in range(3):
        told.hear("received", "started", "failed", task_id=str(number), exception="ValueError('x')", traceback="…\nValueError: x\n")
    first, *_ = told.runs.failed(2)
    assert (first.id, first.exception, first.traceback_last, len(told.runs.failed(2))) == ("2", "ValueError('x')", "ValueError: x", 2)


def test_a_failure_reported_twice_is_counted_once() -> None:
    assert Told().hear("received", "started", "failed", "failed").counts["failed"] == 1.0


def test_a_task_that_runs_again_and_fails_again_is_counted_twice() -> None:
    assert Told().hear("received", "started", "failed", "received", "started", "failed").counts["failed"] == 2.0


def test_a_retried_task_waits_until_it_starts_again() -> None:
    told = Told().hear("received", "started", "retried", exception="OSError()")
    waiting = told.ids()
    assert (waiting, told.hear("received", "started").ids(), told.counts["retried"]) == ({}, {"started": ["1"]}, 1.0)


def test_a_message_received_again_while_it_runs_runs_on() -> None:
    assert Told().hear("received", "started", "received").ids() == {"started": ["1"]}


def test_a_failure_that_is_rejected_is_a_failure() -> None:
    assert Told().hear("received", "started", "failed", "rejected").ids() == {"failed": ["1"]}


def test_a_task_that_no_worker_registers_is_counted_without_a_name() -> None:
    told = Told().hear("failed", exception="NotRegistered('shop.new')")
    assert list(told.runs.counters().each()) == [(WORKER, "", "failed", 1.0)]


def test_a_task_that_was_replaced_has_its_new_name() -> None:
    told = Told().hear("received", "started").hear("received", "started", "succeeded", name="shop.other")
    assert [task.id for task in told.runs.succeeded("shop.other", 10)] == ["1"]


def test_an_event_of_the_apps_own_counts_nothing() -> None:
    assert Told().hear("received", "progressed").counts == {"received": 1.0}


def test_a_worker_that_executes_nothing_does_not_execute_what_it_had_started() -> None:
    told = Told().hear("received", "started").hear("received", "started", task_id="2", worker="celery@web-2")
    told.runs.settles({WORKER: AT + 10})
    assert told.ids() == {"started": ["2"]}


def test_an_end_that_is_told_after_all_is_counted_under_the_tasks_name() -> None:
    """So it is after a soft shutdown: a last heartbeat comes before it."""
    told = Told().hear("received", "started")
    told.runs.settles({WORKER: AT + 10})
    told.hear("cancelled", "succeeded")
    assert [task for _, task, event, _ in told.runs.counters().each() if event == "succeeded"] == ["shop.order"]


def test_what_started_after_a_worker_said_so_is_not_settled() -> None:
    told = Told().hear("received", "started")
    told.runs.settles({WORKER: AT + 1})
    assert told.ids() == {"started": ["1"]}


# --- cut off by a cold shutdown, or where a connection was lost --------------------------------------------------------


def test_a_task_that_is_cut_off_runs_no_more_and_neither_failed_nor_succeeded() -> None:
    told = Told().hear("received", "started", "cancelled")
    assert (told.ids(), told.counts, told.runs.cut_off()) == ({}, {"received": 1.0, "started": 1.0}, {WORKER: 1})


def test_its_state_is_the_one_that_celery_has_for_it() -> None:
    assert [task.state for task in Told().hear("received", "started", "cancelled").runs.recent(10)] == ["CANCELLED"]


def test_one_that_comes_again_is_cut_off_no_more() -> None:
    """With acks_late its message goes back to the queue."""
    told = Told().hear("received", "started", "cancelled").hear("received", worker=OTHER)
    assert told.runs.cut_off() == {}
    assert executing(told.hear("started", worker=OTHER)) == [(OTHER, {})]


def test_one_that_another_worker_has_started_before_this_is_told_is_executed_there_alone() -> None:
    """Their events come over connections of their own."""
    assert executing(twice().hear("cancelled")) == [(OTHER, {})]


def test_where_the_one_that_started_it_last_is_cut_off_the_other_goes_on() -> None:
    told = twice().hear("cancelled", worker=OTHER)
    assert (executing(told), told.runs.cut_off()) == ([(WORKER, {})], {})


def test_it_ends_nothing_at_another_worker_if_its_start_was_missed() -> None:
    assert executing(Told().hear("received", "started", worker=OTHER).hear("cancelled")) == [(OTHER, {})]


def test_a_task_that_has_ended_is_not_cut_off() -> None:
    assert Told().hear("received", "started", "succeeded", "cancelled").runs.cut_off() == {}


@pytest.mark.parametrize("back", [lambda told: told.hear("started", task_id="2"), lambda told: told.runs.settles({WORKER: AT + 60})])
def test_a_worker_that_works_again_left_nothing(back: Callable[[Told], object]) -> None:
    told = Told().hear("received", "started", "cancelled")
    back(told)
    assert told.runs.cut_off() == {}


def test_a_worker_that_is_stopping_says_that_it_executes_nothing_too() -> None:
    told = Told().hear("received", "started", "cancelled")
    told.runs.settles({WORKER: AT + 4})
    assert told.runs.cut_off() == {WORKER: 1}


def test_what_was_cut_off_before_the_ear_opened_again_may_have_come_again() -> None:
    told = Told().hear("received", "started", "cancelled")
    told.runs.opens(AT + 60)
    assert told.runs.cut_off() == {}


def test_an_expiry_is_read() -> None:
    told = Told().hear("received", "revoked", expires="2027-01-15T08:00:00+00:00")
    (task,) = told.runs.revoked(10)
    assert (task.expired, task.expires) == (True, 1_800_000_000.0)


def test_counts_begin_anew_when_the_ear_opens_again_and_what_runs_is_still_known() -> None:
    told = Told().hear("received", "started")
    told.runs.opens(AT + 60)
    assert (told.counts, told.runs.counters().started_at, told.ids()) == ({}, AT + 60, {"started": ["1"]})


def test_the_lists_of_one_worker_and_of_all_have_the_last_event_first() -> None:
    told = Told().hear("received", "started").hear("received", task_id="2").hear("received", task_id="3", worker="celery@web-2")
    assert ([task.id for task in told.runs.of_worker(WORKER, 10)], [task.id for task in told.runs.recent(2)]) == (["2", "1"], ["3", "2"])


MOST: dict[str, tuple[int, Callable[[Told, int], object], Callable[[Runs], int]]] = {
    "what waits": (MOST_WAITING, lambda told, n: told.hear("received", task_id=str(n)), lambda runs: len(runs.recent(10**9))),
    "what runs": (MOST_STARTED, lambda told, n: told.hear("started", task_id=str(n)), lambda runs: len(runs.started(10**9))),
    "failures": (MOST_ENDED, lambda told, n: told.hear("failed", task_id=str(n)), lambda runs: len(runs.failed(10**9))),
    "cut off": (MOST_ENDED, lambda told, n: told.hear("cancelled", task_id=str(n)), lambda runs: sum(runs.cut_off().values())),
    "revoked": (MOST_ENDED, lambda told, n: told.hear("revoked", task_id=str(n)), lambda runs: len(runs.revoked(10**9))),
    "successes of a task": (
        SUCCESSES,
        lambda told, n: told.hear("received", "succeeded", task_id=str(n)),
        lambda runs: len(runs.succeeded("shop.order", 10**9)),
    ),
    "tasks with successes": (
        MOST_NAMES,
        lambda told, n: told.hear("received", "succeeded", task_id=str(n), name=f"shop.{n}"),
        lambda runs: len(runs.recent(10**9)),
    ),
}


@pytest.mark.parametrize("what", MOST)
def test_memory_is_bounded(what: str) -> None:
    most, tell, kept = MOST[what]
    told = Told()
    for number in range(most + 10):
        tell(told, number)
    assert kept(told.runs) == most


# --- one task, two workers ----------------------------------------------------------------------------------------------

OTHER = "celery@web-2"


def twice(**fields: Any) -> Told:
    """A task that one worker started, and then another one too."""
    return Told().hear("received", "started").hear("received", "started", worker=OTHER, **fields)


def executing(told: Told) -> list[tuple[str | None, dict[str, float | None]]]:
    """The last worker that started it and when, and those besides."""
    return [(task.worker, dict(task.also_on or ())) for task in told.runs.started(10)]


def test_a_task_that_two_workers_execute_is_of_the_last_and_names_the_first() -> None:
    assert executing(twice()) == [(OTHER, {WORKER: AT + 2})]


def test_a_message_that_waits_at_another_worker_is_not_executed_there() -> None:
    assert executing(Told().hear("received", "started").hear("received", worker=OTHER)) == [(WORKER, {})]


@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_one_execution_ends_and_is_listed_with_its_own_start_while_the_other_goes_on(end: str) -> None:
    told = twice().hear(end)
    ended = told.runs.succeeded("shop.order", 10) or told.runs.failed(10)
    assert executing(told) == [(OTHER, {})]
    assert [(task.worker, task.started) for task in ended] == [(WORKER, AT + 2)]


def test_when_the_last_to_start_ends_the_others_may_be_dead_and_are_forgotten() -> None:
    assert executing(twice().hear("succeeded", worker=OTHER)) == []


def test_both_ends_are_counted_and_listed() -> None:
    told = twice().hear("succeeded").hear("succeeded", worker=OTHER)
    assert told.counts["succeeded"] == 2.0
    assert [task.worker for task in told.runs.succeeded("shop.order", 10)] == [OTHER, WORKER]


def test_a_retry_that_is_told_after_its_next_start_elsewhere_leaves_that_running() -> None:
    assert executing(twice().hear("retried")) == [(OTHER, {})]


def test_a_second_delivery_that_is_revoked_before_it_starts_is_revoked_and_the_first_runs_on() -> None:
    told = Told().hear("received", "started").hear("received", "revoked", worker=OTHER)
    assert told.ids() == {"started": ["1"], "revoked": ["1"]}


def test_of_two_workers_one_that_executes_nothing_does_not_execute_it() -> None:
    told = twice()
    told.runs.settles({OTHER: AT + 9})
    assert executing(told) == [(WORKER, {})]
    told.runs.settles({WORKER: AT + 9})
    assert executing(told) == []


def test_a_task_that_comes_back_to_its_first_worker_is_executed_there_once() -> None:
    assert executing(twice().hear("started")) == [(WORKER, {OTHER: AT + 4})]


def test_a_task_that_was_received_before_is_counted_by_the_name_that_was_learnt() -> None:
    told = Told()
    told.runs.learn({"1": "shop.order"})
    told.hear("started", "failed")
    assert [(task, event) for _, task, event, _ in told.runs.counters().each()] == [("shop.order", "started"), ("shop.order", "failed")]


def test_a_name_is_learnt_of_what_has_begun_too() -> None:
    told = Told().hear("started")
    told.runs.learn({"1": "shop.order"})
    assert [task.name for task in told.hear("failed").runs.failed(1)] == ["shop.order"]


def test_no_more_names_are_kept_than_tasks_that_wait() -> None:
    told = Told()
    told.runs.learn({str(number): "shop.order" for number in range(MOST_WAITING + 1)})
    told.hear("started", task_id="0").hear("started", task_id="1")
    assert [task.name for task in told.runs.started(2)] == [None, "shop.order"]
