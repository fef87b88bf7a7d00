"""Is a queue served? Consumers that are there, gone, or waiting by design; messages that are taken though nobody is known to take them."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_conf, a_target
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap
from watchdog.core.judging.expectations import read_expectation
from watchdog.core.model.queries import HashSize, InspectAll, InspectOne, Ping
from watchdog.core.model.replies import MessageHead
from watchdog.core.model.rows import Reading
from watchdog.tables import TABLES

WEB, GPU = "celery@web-1", "celery@gpu-1"


def watched(cluster: Cluster, looks: int = 2) -> Watch:
    watch = Watch(cluster)
    for number in range(looks):
        watch.look(0 if number == 0 else 10)
    return watch


def queues(watch: Watch, looks: int = 1, **lengths: int) -> Reading:
    """The last of some looks, the queues as long as given."""
    watch.cluster.lists |= lengths
    return [watch.look()["queues"] for _ in range(looks)][-1]


# --- nobody takes its messages ----------------------------------------------------------------------------------------


def orphaned(worker_goes: str) -> Watch:
    """Five messages in `training`, and its only consumer is gone: it `dies` or `leaves`."""
    watch = watched(healthy())
    getattr(watch.cluster, worker_goes)(GPU)
    watch.cluster.lists["training"] = 5
    return watch


def test_the_kind_of_the_last_consumer_is_the_one_that_the_target_gives_it() -> None:
    """By which WorkersLost holds QueueNoConsumers back."""
    watch = Watch(healthy(), a_target(kinds=("*@gpu-*",)))
    reading = watch.look(0)
    assert {cell(reading["queues"], "training", "kind"), cell(reading["workers"], GPU, "kind")} == {"*@gpu-*"}


def test_messages_of_a_lost_consumer_are_unserved_at_once() -> None:
    assert cell(queues(orphaned("dies")), "training", "unserved") == 5.0


def test_messages_of_a_consumer_that_said_goodbye_are_unserved_after_four_minutes() -> None:
    watch = orphaned("leaves")
    assert [cell(queues(watch, looks), "training", "unserved") for looks in (1, 22, 1)] == [0.0, 0.0, 5.0]


def test_a_consumer_that_comes_back_begins_the_four_minutes_anew() -> None:
    watch = orphaned("leaves")
    queues(watch, 20)
    watch.cluster.add("celery@gpu-2", queues=("training",))
    queues(watch)
    watch.cluster.leaves("celery@gpu-2")
    assert cell(queues(watch, 20), "training", "unserved") == 0.0


def test_what_the_first_look_finds_without_consumers_is_unserved_at_once() -> None:
    cluster = healthy()
    cluster.lists["celery"] = 3
    watch = Watch(cluster)
    assert [cell(watch.look(after)["queues"], "celery", "unserved") for after in (0, 10)] == [3.0, 3.0]


def test_messages_of_an_unknown_consumer_are_a_gap() -> None:
    watch = orphaned("dies")
    watch.cluster.gaps[InspectOne(GPU)] = "flower: timeout"
    watch.cluster.gaps["flower"] = "flower: timeout"
    assert gap(queues(watch), "training", "unserved") == "flower: timeout"


def test_an_empty_queue_has_nothing_unserved_whoever_is_unknown() -> None:
    watch = watched(healthy())
    watch.cluster.gaps["flower"] = "flower: timeout"
    assert cell(queues(watch), "training", "unserved") == 0.0


def test_messages_of_a_lost_consumer_stay_unserved_when_it_is_forgotten() -> None:
    watch = orphaned("dies")
    queues(watch)
    for where in (watch.cluster.online, watch.cluster.beats, watch.cluster.cache):
        del where[GPU]
    assert cell(queues(watch, 3), "training", "unserved") == 5.0


@pytest.mark.parametrize(("goes", "state"), [("dies", "lost"), ("leaves", "left")])
def test_the_last_consumer_is_named_with_what_became_of_it(goes: str, state: str) -> None:
    reading = queues(orphaned(goes))
    assert (cell(reading, "training", "last_consumer"), cell(reading, "training", "last_consumer_state")) == (GPU, state)


def test_a_consumer_that_was_told_to_consume_no_more_is_named_as_online() -> None:
    watch = watched(healthy())
    watch.cluster.cache[GPU] = replace(watch.cluster.cache[GPU], queues=(), at=watch.cluster.now)
    reading = queues(watch, training=5)
    assert (cell(reading, "training", "last_consumer"), cell(reading, "training", "last_consumer_state")) == (GPU, "online")


@pytest.mark.parametrize(("name", "similar"), [("indexnig", "indexing"), ("Indexing", "indexing"), ("nightly", "")])
def test_a_queue_that_nobody_ever_consumed_may_be_a_slip_of_the_pen(name: str, similar: str) -> None:
    cluster = healthy()
    cluster.sets[f"_kombu.binding.{name}"] = frozenset({f"{name}\x06\x16\x06\x16{name}"})
    assert cell(queues(watched(cluster), **{name: 3}), name, "similar") == similar


def test_a_queue_that_lost_its_consumer_is_no_slip_of_the_pen() -> None:
    cluster = healthy()
    cluster.add("celery@gpu-2", queues=("trainings",))
    watch = watched(cluster)
    watch.cluster.dies(GPU)
    assert cell(queues(watch, training=5), "training", "similar") == ""


# --- nobody is known to take them, and they are taken -----------------------------------------------------------------


def unknown_to_flower(**changes: int) -> Watch:
    """592 messages in `celery`, which no worker consumes; a look later it has changed."""
    cluster = healthy()
    cluster.lists["celery"] = 592
    watch = watched(cluster)
    cluster.lists |= changes
    return watch


def test_a_queue_that_nobody_consumes_and_that_falls_has_a_consumer() -> None:
    reading = queues(unknown_to_flower(celery=340))
    says = "no known worker consumes it, and yet it fell from 592 to 340 messages: somebody takes its messages"
    assert (gap(reading, "celery", "consumers"), gap(reading, "celery", "unserved")) == (says, says)


def test_a_queue_that_nobody_consumes_and_whose_head_changes_has_a_consumer() -> None:
    watch = unknown_to_flower()
    watch.cluster.heads["celery"] = MessageHead("another", None)
    assert "had another message at its head" in gap(queues(watch), "celery", "consumers")


def test_a_queue_that_grows_behind_the_same_head_has_none() -> None:
    assert cell(queues(unknown_to_flower(celery=600)), "celery", "consumers") == 0.0


def test_a_queue_that_was_purged_has_none() -> None:
    assert cell(queues(unknown_to_flower(celery=0)), "celery", "consumers") == 0.0


def test_what_was_taken_before_the_last_consumer_was_gone_contradicts_nothing() -> None:
    watch = watched(healthy())
    queues(watch, training=9)
    watch.cluster.dies(GPU)
    assert cell(queues(watch, training=7), "training", "consumers") == 0.0


def test_a_contradiction_is_settled_by_time_where_nothing_is_taken_any_more() -> None:
    assert cell(queues(unknown_to_flower(celery=340), 14), "celery", "consumers") == 0.0


def test_a_contradiction_makes_everybody_be_asked_what_they_consume() -> None:
    watch = unknown_to_flower(celery=340)
    queues(watch, 6)
    watch.cluster.lists["celery"] = 300
    queues(watch, 2)
    assert InspectAll() in watch.cluster.asked


def test_nobody_is_asked_for_a_queue_that_stands() -> None:
    watch = unknown_to_flower()
    queues(watch, 8)
    assert InspectAll() not in watch.cluster.asked


# --- idle consumers ---------------------------------------------------------------------------------------------------


def standing() -> Watch:
    cluster = healthy()
    cluster.lists["indexing"] = 592
    return watched(cluster, 4)


def test_a_queue_that_falls_does_not_stand_still_whatever_its_workers_count() -> None:
    assert cell(queues(standing(), indexing=340), "indexing", "idle_with_backlog_s") == 0.0


def test_a_queue_whose_head_changes_does_not_stand_still() -> None:
    watch = standing()
    watch.cluster.heads["indexing"] = MessageHead("another", None)
    assert cell(queues(watch), "indexing", "idle_with_backlog_s") == 0.0


def test_a_queue_that_grows_behind_the_same_head_stands_still() -> None:
    assert cell(queues(standing(), indexing=700), "indexing", "idle_with_backlog_s") == 40.0


def holding(unacked: int = 4, **inspection: Any) -> Watch:
    """`standing`, and its consumer has a setting by which it holds messages; `unacked` are held by somebody."""
    watch = standing()
    watch.cluster.cache[WEB] = replace(watch.cluster.cache[WEB], at=watch.cluster.now + 1, **inspection)
    watch.cluster.hashes["unacked"] = unacked
    return watch


RATE_LIMITED: dict[str, Any] = {"rate_limited": ("shop.report, 6/h",)}


@pytest.mark.parametrize(
    ("inspection", "waits_for"),
    [
        (RATE_LIMITED, "the rate limit of shop.report, 6/h"),
        ({"conf": a_conf(eta_task_limit=5)}, "ETA tasks that are not due: worker_eta_task_limit is 5"),
        ({"conf": a_conf(eta_task_limit=0)}, ""),
        ({}, ""),
    ],
)
def test_what_holds_messages_back_by_design_is_named(inspection: dict[str, Any], waits_for: str) -> None:
    assert cell(queues(holding(**inspection)), "indexing", "waits_for") == waits_for


@pytest.mark.parametrize("inspection", [RATE_LIMITED, {"conf": a_conf(eta_task_limit=5)}])
def test_waiting_by_design_is_no_standstill(inspection: dict[str, Any]) -> None:
    assert cell(queues(holding(**inspection), 40), "indexing", "idle_with_backlog_s") == 0.0


def test_a_worker_with_a_rate_limit_that_holds_nothing_stands_still() -> None:
    assert cell(queues(holding(unacked=0, **RATE_LIMITED)), "indexing", "idle_with_backlog_s") == 40.0


def test_whether_a_worker_with_a_rate_limit_stands_still_is_unknown_where_it_is_unknown_what_is_held() -> None:
    watch = holding(**RATE_LIMITED)
    watch.cluster.gaps[HashSize] = "redis: NOPERM"
    assert gap(queues(watch), "indexing", "idle_with_backlog_s") == "redis: NOPERM"


def test_who_consumes_a_queue_that_stands_still_is_asked_once() -> None:
    watch = watched(healthy())
    asked = []
    for _ in range(12):
        queues(watch, indexing=592)
        asked.append(InspectAll() in watch.cluster.asked)
    assert asked.count(True) == 1


def test_a_queue_of_a_consumer_that_was_told_to_stop_is_unserved_four_minutes_after_it_stood_still() -> None:
    watch = standing()
    watch.cluster.cache[WEB] = replace(watch.cluster.cache[WEB], at=watch.cluster.now + 1, queues=("priority",))
    unserved = [cell(queues(watch), "indexing", "unserved") for _ in range(24)]
    assert (unserved[:18], unserved[21:]) == ([0.0] * 18, [cell(queues(watch), "indexing", "length")] * 3)


# --- the message served next ------------------------------------------------------------------------------------------


def test_in_a_first_look_the_age_of_a_message_is_unknown_where_its_publisher_gives_no_time() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 5
    assert gap(Watch(cluster).look(0)["queues"], "indexing", "oldest_s").startswith("its publisher gives no time")


def test_a_stay_at_the_head_is_a_bound_that_hides_nothing_shorter() -> None:
    reading = queues(standing())
    assert (cell(reading, "indexing", "oldest_s"), gap(reading, "indexing", "oldest_s")[:28]) == (40.0, "its publisher gives no time;")


def test_the_age_of_a_message_that_was_seen_to_arrive_is_known() -> None:
    reading = queues(watched(healthy()), 3, indexing=1)
    assert (cell(reading, "indexing", "oldest_s"), gap(reading, "indexing", "oldest_s")) == (20.0, "")


def test_after_a_pause_nobody_saw_it_arrive() -> None:
    watch = watched(healthy())
    watch.cluster.lists["indexing"] = 1
    assert gap(watch.look(600)["queues"], "indexing", "oldest_s") != ""


def test_how_long_the_same_message_was_served_next_is_counted_at_any_length() -> None:
    assert cell(queues(watched(healthy()), 61, indexing=1), "indexing", "head_s") == 600.0


def busy(looks: int = 61, **inspection: Any) -> Watch:
    """A message before a consumer that executes another one for some looks."""
    watch = watched(healthy())
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=1)
    watch.cluster.cache[WEB] = replace(watch.cluster.cache[WEB], at=watch.cluster.now, **inspection)
    watch.cluster.hashes["unacked"] = 1
    queues(watch, looks, indexing=1)
    return watch


def test_a_message_before_a_hanging_task_is_stuck() -> None:
    assert cell(queues(busy()), "indexing", "stuck_s") == 610.0


@pytest.mark.parametrize("inspection", [RATE_LIMITED, {"conf": a_conf(eta_task_limit=5)}])
def test_a_message_that_waits_by_design_is_not_stuck(inspection: dict[str, Any]) -> None:
    assert cell(queues(busy(**inspection)), "indexing", "stuck_s") == 0.0


def test_a_message_before_a_hanging_task_is_stuck_whatever_rate_limit_its_saturated_consumer_has() -> None:
    watch = busy(**RATE_LIMITED)
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=watch.cluster.cache[WEB].pool_size)
    assert cell(queues(watch), "indexing", "stuck_s") == 610.0


def test_a_message_that_nobody_takes_is_not_stuck_but_unserved() -> None:
    watch = busy()
    watch.cluster.dies(WEB)
    reading = queues(watch)
    assert (cell(reading, "indexing", "stuck_s"), cell(reading, "indexing", "unserved")) == (0.0, 1.0)


def test_a_message_before_an_idle_consumer_is_not_stuck_but_stands_still() -> None:
    assert cell(queues(standing()), "indexing", "stuck_s") == 0.0


def test_whether_a_message_is_stuck_is_unknown_where_its_consumers_are() -> None:
    watch = busy()
    watch.cluster.gaps["flower"] = "flower: timeout"
    assert gap(queues(watch), "indexing", "stuck_s") == "flower: timeout"


def test_a_message_that_is_not_due_is_not_late() -> None:
    watch = watched(healthy())
    watch.cluster.heads["indexing"] = MessageHead("a", None, eta_at=NOW + 3600)
    assert cell(queues(watch, 61, indexing=1), "indexing", "head_s") == 0.0


def test_a_message_that_has_become_due_waits_from_then_on() -> None:
    watch = watched(healthy())
    watch.cluster.heads["indexing"] = MessageHead("a", None, eta_at=NOW + 100)
    assert cell(queues(watch, 61, indexing=1), "indexing", "head_s") == 520.0


def test_how_long_messages_usually_stay_is_the_median_of_the_last_five() -> None:
    watch = watched(healthy())
    for number, looks in enumerate((3, 3, 3, 40, 2)):
        watch.cluster.heads["indexing"] = MessageHead(f"id-{number}", None)
        queues(watch, looks, indexing=9)
    watch.cluster.heads["indexing"] = MessageHead("next", None)
    assert cell(queues(watch), "indexing", "head_usual_s") == 20.0


def test_the_task_and_the_sender_of_the_message_served_next_are_told() -> None:
    watch = watched(healthy())
    watch.cluster.heads["indexing"] = MessageHead("a", None, "shop.index", "gen7@web-3")
    reading = queues(watch, indexing=1)
    assert (cell(reading, "indexing", "head_task"), cell(reading, "indexing", "head_origin")) == ("shop.index", "gen7@web-3")


def test_a_message_without_an_id_leaves_open_how_long_it_waits() -> None:
    watch = watched(healthy())
    watch.cluster.heads["indexing"] = MessageHead(None, None)
    assert gap(queues(watch, indexing=1), "indexing", "head_s") == "redis: the message served next has no task id"


@pytest.mark.parametrize("column", ["oldest_s", "head_s", "stuck_s"])
def test_a_queue_that_is_emptied_while_it_is_looked_at_keeps_nothing_waiting(column: str) -> None:
    watch = watched(healthy())
    watch.cluster.heads["indexing"] = MessageHead(None, None, nothing=True)
    reading = queues(watch, indexing=1)
    assert (cell(reading, "indexing", column), gap(reading, "indexing", column)) == (0.0, "")


def test_the_columns_of_the_head_can_be_expected() -> None:
    assert read_expectation(TABLES, "queues: head_s < 10").reads == {"queues": frozenset({"head_s"})}


def test_while_the_broker_is_away_nothing_of_it_is_known() -> None:
    watch = watched(healthy())
    watch.cluster.gaps[Ping] = "redis: connection refused"
    assert {gap(queues(watch), "indexing", c) for c in ("head_s", "head_task", "unserved", "oldest_s")} == {"redis: connection refused"}
