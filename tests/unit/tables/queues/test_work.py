"""What is done with a queue's messages: in execution, worked off, waited; and when nobody knows."""

from typing import Any

from msgspec.structs import replace

from tests.builders.answers import NOW, a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.queries import SucceededTasks
from watchdog.core.model.replies import WorkerHeard
from watchdog.core.model.rows import Reading
from watchdog.core.model.target import Target

WEB, GPU = "celery@web-1", "celery@gpu-1"
NOTHING_KNOWN = "consumes several queues, and of what it executes now it is not known which it came from"


def both(active: int = 0) -> Cluster:
    """`celery@web-1` consumes two queues and executes so many tasks."""
    cluster = Cluster(now=NOW)
    cluster.add(WEB, queues=("indexing", "training"))
    cluster.beats[WEB] = replace(cluster.beats[WEB], active=active)
    return cluster


def queues(cluster: Cluster) -> Reading:
    return Watch(cluster).look(0)["queues"]


def test_what_workers_of_one_queue_execute_came_from_it() -> None:
    cluster = healthy()
    cluster.beats[WEB] = replace(cluster.beats[WEB], active=3)
    seen = queues(cluster)
    assert (cell(seen, "indexing", "active"), cell(seen, "training", "active")) == (3.0, 0.0)


def test_what_a_worker_of_several_queues_executes_is_told_apart_by_its_list_of_tasks() -> None:
    cluster = both(active=2)
    cluster.tasks = [a_task("r1", routing_key="training"), a_task("r2", routing_key="training")]
    seen = queues(cluster)
    assert (cell(seen, "indexing", "active"), cell(seen, "training", "active")) == (0.0, 2.0)


def test_a_list_that_does_not_match_what_the_worker_executes_proves_nothing() -> None:
    cluster = both(active=2)
    cluster.tasks = [a_task("r1", routing_key="training")]
    assert NOTHING_KNOWN in gap(queues(cluster), "training", "active")


def test_a_task_whose_sender_names_no_queue_proves_nothing() -> None:
    cluster = both(active=1)
    cluster.tasks = [a_task("r1", routing_key=None)]
    assert NOTHING_KNOWN in gap(queues(cluster), "training", "active")


def test_a_worker_that_executes_nothing_executes_nothing_of_any_queue() -> None:
    assert cell(queues(both()), "indexing", "active") == 0.0


def test_without_redis_what_is_executed_is_known_too() -> None:
    cluster = healthy()
    cluster.lengths = {"indexing": 3}
    seen = Watch(cluster, a_target(sources=frozenset({"flower"}))).look(0)["queues"]
    assert (cell(seen, "indexing", "active"), "priorities" in seen.idle) == (0.0, True)


# --- over the window ----------------------------------------------------------------------------------------------------


def done(task_id: str, queue: str | None, waited_s: float = 2.0, **changes: Any) -> Any:
    sent = NOW - 30
    return a_task(
        task_id, "SUCCESS", sent=sent, received=sent + 1, started=sent + waited_s, succeeded=NOW, runtime=1.0, routing_key=queue, **changes
    )


def over_a_minute(cluster: Cluster, *tasks: Any, succeeded: float = 0.0, task: str = "shop.pay") -> Reading:
    """The table a minute later; meanwhile so many tasks succeeded, of which Flower lists these."""
    cluster.counts = {(WEB, task, "succeeded"): 10.0}
    watch = Watch(cluster)
    watch.look(0)
    cluster.counts = {(WEB, task, "succeeded"): 10.0 + succeeded}
    cluster.tasks = list(tasks)
    watch.look(30)
    return watch.look(30)["queues"]


def test_a_queue_with_workers_of_its_own_works_off_what_they_take() -> None:
    cluster = healthy()
    watch = Watch(cluster)
    watch.look(0)
    cluster.beats[WEB] = replace(cluster.beats[WEB], processed=130)
    assert cell(watch.look(60)["queues"], "indexing", "finished_per_min") == 30.0


def test_queues_that_share_workers_share_what_their_tasks_did() -> None:
    tasks = [done("a", "indexing"), done("b", "indexing"), done("c", "indexing"), done("d", "training")]
    seen = over_a_minute(both(), *tasks, succeeded=12.0)
    assert (cell(seen, "indexing", "finished_per_min"), cell(seen, "training", "finished_per_min")) == (9.0, 3.0)


def test_without_the_senders_word_queues_that_share_workers_have_no_rate() -> None:
    seen = over_a_minute(both(), done("a", None), succeeded=12.0)
    assert "task_send_sent_event is off" in gap(seen, "indexing", "finished_per_min")


def test_the_wait_is_from_sending_to_start() -> None:
    seen = over_a_minute(both(), done("a", "indexing", 4.0), done("b", "indexing", 8.0), done("c", "training", 1.0), succeeded=3.0)
    assert (cell(seen, "indexing", "wait_avg_s"), cell(seen, "training", "wait_avg_s")) == (6.0, 1.0)


def test_neither_an_eta_nor_a_retry_is_a_wait() -> None:
    tasks = [done("a", "indexing", 4.0), done("b", "indexing", 20.0, has_eta=True), done("c", "indexing", 20.0, retries=1)]
    assert cell(over_a_minute(both(), *tasks, succeeded=3.0), "indexing", "wait_avg_s") == 4.0


def test_a_queue_from_which_nothing_was_taken_has_no_wait() -> None:
    assert cell(over_a_minute(both(), done("a", "training"), succeeded=1.0), "indexing", "wait_avg_s") == 0.0


def test_a_list_of_runs_that_flower_does_not_give_leaves_a_gap() -> None:
    cluster = both()
    cluster.gaps[SucceededTasks] = "no answer"
    assert gap(over_a_minute(cluster, succeeded=5.0), "indexing", "wait_avg_s") == "no answer"


# --- without Flower -------------------------------------------------------------------------------------------------------

HEARD = a_target(sources=frozenset({"redis", "celery", "events"}), hears_tasks=True)
UNHEARD = a_target(sources=frozenset({"redis", "celery", "events"}))
EVENTS_ALONE = a_target(sources=frozenset({"redis", "events"}), hears_tasks=True, declared_queues=("indexing",))


def heard(cluster: Cluster) -> Cluster:
    """Each worker is heard, as Flower would have it."""
    cluster.heard = {name: WorkerHeard(beat, 1.0, spoke_busy=True) for name, beat in cluster.beats.items()}
    return cluster


def a_minute_later(target: Target, cluster: Cluster, *tasks: Any, processed: int = 0, succeeded: float = 0.0) -> Reading:
    """The table a minute later; meanwhile the worker took so many tasks, so many succeeded, and these are what was heard."""
    cluster.counts = {(WEB, "shop.pay", "succeeded"): 10.0}
    watch = Watch(heard(cluster), target)
    watch.look(0)
    cluster.counts = {(WEB, "shop.pay", "succeeded"): 10.0 + succeeded}
    cluster.tasks = list(tasks)
    cluster.beats[WEB] = replace(cluster.beats[WEB], processed=100 + processed)
    heard(cluster)
    watch.look(30)
    return watch.look(30)["queues"]


def test_without_flower_what_workers_execute_is_by_their_own_word() -> None:
    cluster = healthy()
    cluster.beats[WEB] = replace(cluster.beats[WEB], active=3)
    assert cell(a_minute_later(HEARD, cluster), "indexing", "active") == 3.0


def test_without_flower_queues_that_share_workers_are_told_apart_by_the_events_of_their_tasks() -> None:
    tasks = [done("a", "indexing", 4.0), done("b", "indexing", 8.0), done("c", "training", 1.0)]
    seen = a_minute_later(HEARD, both(), *tasks, succeeded=12.0)
    assert [cell(seen, "indexing", column) for column in ("finished_per_min", "wait_avg_s")] == [8.0, 6.0]


def test_without_the_events_of_tasks_a_queue_with_workers_of_its_own_has_its_rate_and_no_wait() -> None:
    seen = a_minute_later(UNHEARD, healthy(), processed=30)
    assert (cell(seen, "indexing", "finished_per_min"), 'events = "all"' in seen.idle["wait_avg_s"]) == (30.0, True)


def test_without_the_events_of_tasks_queues_that_share_workers_have_no_rate() -> None:
    assert 'events = "all"' in gap(a_minute_later(UNHEARD, both(), processed=30), "indexing", "finished_per_min")


def test_a_rate_needs_a_second_look_without_flower_too() -> None:
    assert "finished_per_min" in Watch(heard(healthy()), UNHEARD).look(0)["queues"].idle


def test_workers_that_take_tasks_and_say_nothing_of_them_leave_a_gap_and_no_zero() -> None:
    seen = a_minute_later(HEARD, both(), processed=30)
    why = {gap(seen, "indexing", column) for column in ("finished_per_min", "wait_avg_s")}
    assert (len(why), f"{WEB} took 30 tasks, and no event" in why.pop()) == (1, True)


def test_where_workers_are_not_asked_the_events_of_tasks_tell_what_was_worked_off() -> None:
    seen = a_minute_later(EVENTS_ALONE, healthy(), done("a", "indexing", 4.0), succeeded=3.0)
    assert ([cell(seen, "indexing", c) for c in ("finished_per_min", "wait_avg_s")], "active" in seen.idle) == ([3.0, 4.0], True)


# --- priority lists ------------------------------------------------------------------------------------------------------


def test_what_waits_in_each_priority_list_is_shown_in_the_order_of_service() -> None:
    cluster = healthy()
    cluster.lists |= {"indexing": 4, "indexing\x06\x163": 2, "indexing\x06\x169": 1}
    seen = queues(cluster)
    assert (cell(seen, "indexing", "priorities"), cell(seen, "indexing", "length")) == ("0:4 3:2 9:1", 7.0)


def test_a_queue_without_priorities_shows_none() -> None:
    cluster = healthy()
    cluster.lists |= {"indexing": 4}
    assert cell(queues(cluster), "indexing", "priorities") == ""
