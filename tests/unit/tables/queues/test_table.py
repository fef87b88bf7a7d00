from math import inf

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_conf, a_target, an_inspection
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap, names, number
from watchdog.core.model.queries import (
    InspectAll,
    InspectOne,
    ListLengths,
    OldestMessage,
    Ping,
    Query,
    ScanKeys,
    SetMembers,
    WorkerHeartbeats,
)
from watchdog.core.model.replies import KeysFound, MessageHead, WorkerConf
from watchdog.core.model.rows import Reading

WEB, GPU = "celery@web-1", "celery@gpu-1"
SEP = "\x06\x16"
NO_TIME = "its publisher gives no time; it was seen at the head for 0s, and may be older"


def first_look(cluster: Cluster, **target: object) -> Reading:
    return Watch(cluster, a_target(**target)).look(0)["queues"]


def watching(cluster: Cluster, looks: int = 2, **target: object) -> Watch:
    watch = Watch(cluster, a_target(**target))
    for number_ in range(looks):
        watch.look(0 if number_ == 0 else 10)
    return watch


def with_conf(**conf: object) -> Cluster:
    cluster = healthy()
    for name, seen in cluster.cache.items():
        cluster.cache[name] = replace(seen, conf=a_conf(**conf))
    return cluster


def without_flower(**target: object) -> Watch:
    return Watch(Cluster(), a_target(sources=frozenset({"redis"}), **target))


def bind(cluster: Cluster, queue: str, prefix: str = "", separator: str = SEP) -> None:
    cluster.sets[f"{prefix}_kombu.binding.{queue}"] = frozenset({f"{queue}{separator}{separator}{queue}"})


# --- names ------------------------------------------------------------------------------------------------------------


def test_consumed_and_default_queues_have_a_row() -> None:
    assert names(first_look(healthy())) == ["celery", "indexing", "training"]


def test_queues_declared_in_the_conf_have_a_row() -> None:
    reading = first_look(with_conf(queues=("a", "b"), routed_queues=("c",)))
    assert names(reading) == ["a", "b", "c", "indexing", "training"]


def test_the_default_queue_has_no_row_where_the_conf_names_its_queues() -> None:
    assert "celery" not in names(first_look(with_conf(queues=("a",))))


def test_configured_queues_have_a_row_and_are_declared() -> None:
    reading = first_look(healthy(), declared_queues=("nightly",))
    assert cell(reading, "nightly", "declared") is True


def test_a_consumed_queue_is_not_declared_for_that() -> None:
    assert cell(first_look(healthy()), "indexing", "declared") is False


def test_a_queue_that_is_only_bound_has_a_row_on_the_first_look() -> None:
    cluster = healthy()
    bind(cluster, "ghost")
    cluster.lists["ghost"] = 3
    assert cell(first_look(cluster), "ghost", "length") == 3.0


def test_the_age_of_a_queue_that_is_only_bound_is_read_on_the_first_look() -> None:
    cluster = healthy()
    bind(cluster, "ghost")
    cluster.lists["ghost"] = 3
    cluster.heads["ghost"] = MessageHead("a", NOW - 90)
    assert cell(first_look(cluster), "ghost", "oldest_s") == 90.0


def test_events_and_remote_control_are_no_queues() -> None:
    cluster = healthy()
    for exchange in ("celeryev", "celery.pidbox", "reply.celery.pidbox"):
        bind(cluster, exchange)
    assert names(first_look(cluster)) == ["celery", "indexing", "training"]


def test_a_filter_keeps_other_apps_queues_out() -> None:
    cluster = healthy()
    bind(cluster, "theirs")
    assert names(first_look(cluster, queues=("index*",))) == ["indexing"]


def test_queues_of_another_apps_workers_are_not_asked_for() -> None:
    watch = watching(healthy(), 1, workers=("celery@web-*",))
    assert "training" not in watch.cluster.keys_asked(ListLengths)


def test_a_key_whose_members_hold_no_separator_names_no_queue() -> None:
    cluster = healthy()
    cluster.sets["_kombu.binding.odd"] = frozenset({"no separator"})
    assert "no separator" not in names(first_look(cluster))


def test_a_queue_is_remembered_when_nobody_consumes_it_any_more() -> None:
    watch = watching(healthy())
    watch.cluster.leaves(GPU)
    assert "training" in names(watch.look()["queues"])


def test_an_empty_queue_that_nobody_knows_any_more_is_forgotten_by_name() -> None:
    watch = watching(healthy(), forget_after_s=60.0)
    watch.cluster.leaves(GPU)
    del watch.cluster.cache[GPU]
    readings = [watch.look()["queues"] for _ in range(8)]
    assert ([("training",) in r.forgotten for r in readings].count(True), "training" in names(readings[-1])) == (1, False)


def test_a_queue_that_holds_messages_is_never_forgotten() -> None:
    watch = watching(healthy(), forget_after_s=60.0)
    watch.cluster.lists["training"] = 1
    watch.cluster.leaves(GPU)
    assert "training" in [names(watch.look()["queues"]) for _ in range(20)][-1]


def test_when_all_workers_are_long_gone_their_queues_keep_their_names_and_lengths() -> None:
    watch = watching(with_conf(queues=("indexing",), priority_steps=(0, 1, 2)), forget_after_s=60.0)
    for name in (WEB, GPU):
        watch.cluster.leaves(name)
    watch.cluster.lists |= {"indexing": 5, f"indexing{SEP}2": 2}
    lengths = [cell(watch.look()["queues"], "indexing", "length") for _ in range(20)]
    assert lengths == [7.0] * 20


def test_when_flower_forgot_all_workers_the_key_prefix_still_holds() -> None:
    watch = watching(with_conf(key_prefix="prod:"), forget_after_s=60.0)
    watch.cluster.restarts_flower()
    watch.cluster.answering.clear()
    watch.cluster.lists["prod:celery"] = 4
    assert [cell(watch.look()["queues"], "celery", "length") for _ in range(20)] == [4.0] * 20


# --- keys -------------------------------------------------------------------------------------------------------------


def test_a_length_sums_the_default_priority_lists() -> None:
    cluster = healthy()
    cluster.lists = {"indexing": 1, f"indexing{SEP}3": 2, f"indexing{SEP}6": 0, f"indexing{SEP}9": 4}
    assert cell(first_look(cluster), "indexing", "length") == 7.0


def test_priority_steps_come_from_the_conf() -> None:
    cluster = with_conf(priority_steps=(0, 1, 5))
    cluster.lists = {"indexing": 1, f"indexing{SEP}1": 2, f"indexing{SEP}5": 3, f"indexing{SEP}9": 100}
    assert cell(first_look(cluster), "indexing", "length") == 6.0


def test_the_separator_comes_from_the_conf() -> None:
    cluster = with_conf(separator=":")
    bind(cluster, "ghost", separator=":")
    cluster.lists = {"indexing:3": 2, "ghost:6": 5}
    reading = first_look(cluster)
    assert (cell(reading, "indexing", "length"), cell(reading, "ghost", "length")) == (2.0, 5.0)


def test_the_key_prefix_comes_from_the_conf() -> None:
    cluster = with_conf(key_prefix="prod:")
    cluster.lists = {"prod:indexing": 2, "indexing": 100}
    assert cell(first_look(cluster), "indexing", "length") == 2.0


def test_configured_names_win_over_the_workers() -> None:
    cluster = with_conf(key_prefix="prod:", priority_steps=(0, 1))
    cluster.lists = {"dev:indexing": 2, f"dev:indexing{SEP}4": 3}
    assert cell(first_look(cluster, key_prefix="dev:", priority_steps=(0, 4)), "indexing", "length") == 5.0


def test_where_nobody_says_which_steps_there_are_all_ten_are_read() -> None:
    watch = without_flower(declared_queues=("indexing",))
    watch.cluster.lists = {f"indexing{SEP}{step}": 1 for step in range(1, 10)}
    assert cell(watch.look(0)["queues"], "indexing", "length") == 9.0


def test_an_unknown_prefix_is_found_from_the_bindings() -> None:
    watch = without_flower(declared_queues=("indexing",))
    bind(watch.cluster, "indexing", "prod:")
    watch.cluster.lists["prod:indexing"] = 4
    assert cell(watch.look(0)["queues"], "indexing", "length") == 4.0


def test_a_prefix_found_late_in_the_scan_is_used_from_then_on() -> None:
    watch = without_flower(declared_queues=("indexing",))
    watch.cluster.lists["prod:indexing"] = 4
    watch.cluster.sets["prod:_kombu.binding.indexing"] = frozenset({f"indexing{SEP}{SEP}indexing"})
    watch.cluster.scans = {0: KeysFound(7, ()), 7: KeysFound(0, ("prod:_kombu.binding.indexing",))}
    lengths = [cell(watch.look(10)["queues"], "indexing", "length") for _ in range(4)]
    assert lengths == [0.0, 4.0, 4.0, 4.0]


def test_a_prefix_found_is_kept_when_another_app_moves_in() -> None:
    watch = without_flower(declared_queues=("indexing",))
    bind(watch.cluster, "indexing", "prod:")
    watch.cluster.lists["prod:indexing"] = 4
    watch.look(0)
    bind(watch.cluster, "indexing", "dev:")
    assert cell(watch.look()["queues"], "indexing", "length") == 4.0


def test_several_prefixes_and_nobody_to_say_which_is_ours_is_a_gap_not_empty_queues() -> None:
    watch = without_flower(declared_queues=("indexing",))
    bind(watch.cluster, "indexing", "prod:")
    bind(watch.cluster, "indexing", "dev:")
    assert watch.look(0)["queues"].unread == (
        'redis: found queues under several key prefixes ("dev:", "prod:"): set `key_prefix` of this target\'s `redis`'
    )


def test_a_conf_that_tells_no_transport_options_does_not_mean_that_there_is_no_prefix() -> None:
    cluster = healthy()
    for name, seen in cluster.cache.items():
        cluster.cache[name] = replace(seen, pid=None, pool_size=None)
    bind(cluster, "indexing", "prod:")
    cluster.lists["prod:indexing"] = 4
    assert cell(first_look(cluster), "indexing", "length") == 4.0


def test_the_conf_of_workers_long_gone_does_not_outweigh_that_of_today() -> None:
    cluster = with_conf(priority_steps=(0, 5))
    cluster.cache["celery@a-old"] = an_inspection("celery@a-old", NOW - 86400, conf=WorkerConf(priority_steps=(0, 1)))
    cluster.lists = {f"indexing{SEP}5": 3}
    assert cell(first_look(cluster), "indexing", "length") == 3.0


# --- bindings ---------------------------------------------------------------------------------------------------------


def test_the_scan_is_resumed_where_the_last_look_left_it() -> None:
    cluster = healthy()
    cluster.scans = {0: KeysFound(11, ()), 11: KeysFound(22, ()), 22: KeysFound(0, ())}
    watch = Watch(cluster)
    cursors = []
    for number_ in range(4):
        watch.look(10 if number_ else 0)
        cursors += [q.cursor for q in cluster.asked if isinstance(q, ScanKeys)]
    assert cursors == [0, 11, 22, 0]


def test_until_the_scan_has_been_around_once_an_absent_queue_may_exist() -> None:
    cluster = healthy()
    cluster.scans = {0: KeysFound(11, ()), 11: KeysFound(0, ())}
    watch = Watch(cluster)
    assert [bool(watch.look(10)["queues"].partial) for _ in range(4)] == [True, False, False, False]


def test_the_first_round_of_the_scan_goes_far_and_later_ones_cost_little() -> None:
    cluster = healthy()
    cluster.scans = {0: KeysFound(11, ()), 11: KeysFound(0, ())}
    watch = Watch(cluster)
    budgets = []
    for _ in range(3):
        watch.look(10)
        budgets += [q.budget for q in cluster.asked if isinstance(q, ScanKeys)]
    assert budgets == [200_000, 200_000, 1000]


def test_a_look_that_did_not_see_all_keys_notes_it() -> None:
    cluster = healthy()
    cluster.scans = {0: KeysFound(11, ()), 11: KeysFound(0, ())}
    watch = Watch(cluster)
    assert ["more keys than one poll" in watch.look(10)["queues"].note for _ in range(2)] == [True, False]


def test_known_bindings_are_read_each_look() -> None:
    cluster = healthy()
    bind(cluster, "ghost")
    watch = watching(cluster)
    cluster.scans = {0: KeysFound(0, ())}
    watch.look()
    assert "_kombu.binding.ghost" in cluster.keys_asked(SetMembers)


def test_a_binding_that_cannot_be_read_keeps_its_queues() -> None:
    cluster = healthy()
    bind(cluster, "ghost")
    watch = watching(cluster, forget_after_s=20.0)
    cluster.gaps[SetMembers] = "redis: NOPERM"
    assert "ghost" in [names(watch.look()["queues"]) for _ in range(6)][-1]


def test_a_scan_that_is_denied_costs_no_other_column() -> None:
    cluster = healthy()
    cluster.gaps[ScanKeys] = "redis: NOPERM"
    assert cell(first_look(cluster), "indexing", "length") == 0.0


# --- consumers --------------------------------------------------------------------------------------------------------


def test_consumers_are_the_online_workers_that_serve_it() -> None:
    cluster = healthy()
    cluster.add("celery@web-2", queues=("indexing", "training"))
    reading = first_look(cluster)
    assert [cell(reading, n, "consumers") for n in ("celery", "indexing", "training")] == [0.0, 2.0, 2.0]


def test_a_lost_worker_is_no_consumer() -> None:
    watch = watching(healthy())
    watch.cluster.dies(WEB)
    assert cell(watch.look()["queues"], "indexing", "consumers") == 0.0


def test_a_worker_of_a_kind_of_which_nothing_was_ever_known_leaves_every_count_open() -> None:
    cluster = healthy()
    del cluster.cache[WEB]
    cluster.answering.discard(WEB)
    reading = first_look(cluster)
    assert [gap(reading, n, "consumers") for n in ("celery", "training")] == [
        "the queues of celery@web-1 are not known: flower: the worker has not answered an inspect yet"
    ] * 2


def test_queues_told_more_than_10_minutes_ago_leave_the_counts_of_these_open() -> None:
    cluster = healthy()
    cluster.cache[WEB] = replace(cluster.cache[WEB], at=NOW - 601)
    cluster.answering.discard(WEB)
    reading = first_look(cluster)
    assert ("last inspected 601s ago" in gap(reading, "indexing", "consumers"), cell(reading, "training", "consumers")) == (True, 1.0)


def test_queues_told_long_ago_are_asked_for_first_in_a_first_look_too() -> None:
    cluster = healthy()
    cluster.cache[WEB] = replace(cluster.cache[WEB], at=NOW - 601)
    assert cell(first_look(cluster), "indexing", "consumers") == 1.0


def in_an_unknown_state(worker: str, *queues: str) -> Watch:
    """A cluster and, beside it, a worker whose silence may be its death or not: its state could not be read."""
    cluster = healthy()
    cluster.add(worker, queues=queues)
    watch = watching(cluster)
    cluster.dies(worker)
    cluster.gaps[InspectOne(worker)] = "flower: timeout"
    cluster.gaps[WorkerHeartbeats] = "flower: 500"
    return watch


def test_a_worker_in_an_unknown_state_leaves_the_counts_of_its_own_queues_open() -> None:
    reading = in_an_unknown_state("celery@other-1", "slow").look()["queues"]
    assert gap(reading, "slow", "consumers").startswith("celery@other-1 may consume it: ")


def test_a_worker_in_an_unknown_state_leaves_other_queues_counts_alone() -> None:
    reading = in_an_unknown_state("celery@other-1", "slow").look()["queues"]
    assert [cell(reading, name, "consumers") for name in ("celery", "indexing", "training")] == [0.0, 1.0, 1.0]


def test_a_worker_in_an_unknown_state_consumes_no_queue_that_others_of_its_kind_consume() -> None:
    reading = in_an_unknown_state("celery@web-2", "slow").look()["queues"]
    assert cell(reading, "indexing", "consumers") == 1.0


def test_a_new_process_may_consume_whatever_others_of_its_kind_do() -> None:
    cluster = healthy()
    cluster.add("celery@web-2")
    del cluster.cache["celery@web-2"]
    cluster.answering.discard("celery@web-2")
    reading = first_look(cluster)
    assert (gap(reading, "indexing", "consumers")[:30], cell(reading, "training", "consumers")) == ("the queues of celery@web-2 are", 1.0)


def test_without_flower_consumers_are_idle() -> None:
    watch = without_flower(declared_queues=("indexing",))
    assert watch.look(0)["queues"].idle["consumers"] == "needs `flower` or `celery`, and this target has neither"


def test_while_flower_is_down_consumers_are_a_gap_and_lengths_are_read() -> None:
    watch = watching(healthy())
    watch.cluster.gaps["flower"] = "flower: connection refused"
    watch.cluster.lists["indexing"] = 5
    reading = watch.look()["queues"]
    assert (cell(reading, "indexing", "length"), gap(reading, "indexing", "consumers")) == (5.0, "flower: connection refused")


def test_a_queue_that_comes_to_light_after_the_last_round_is_read_in_the_next_look() -> None:
    cluster = healthy()
    cluster.add("celery@new-1", queues=("late",))
    del cluster.cache["celery@new-1"]
    cluster.inspections["celery@new-1"] = an_inspection("celery@new-1", queues=("late",))
    watch = Watch(cluster)
    cluster.gaps[InspectOne] = "flower: busy"
    watch.look(0)
    cluster.gaps.clear()
    cluster.lists["late"] = 9
    watch.past = replace(watch.past, memories={k: v for k, v in watch.past.memories.items() if k != "queues"})
    assert cell([watch.look()["queues"] for _ in range(3)][-1], "late", "length") == 9.0


def test_a_queue_told_in_the_last_round_makes_the_table_partial_not_its_length_0() -> None:
    cluster = healthy()
    cluster.cache.pop(WEB)
    cluster.inspections[WEB] = an_inspection(WEB, queues=("late",))
    cluster.unlisted.add(WEB)
    watch = Watch(cluster)
    original = cluster.answer

    def answer(query: Query, source: str = "") -> object:
        if isinstance(query, InspectAll):
            cluster.unlisted.clear()
        return original(query, source)

    cluster.answer = answer  # type: ignore[method-assign]
    reading = watch.look(0)["queues"]
    assert ("late" in names(reading), str(reading.partial)[:19]) == (False, "late was discovered")


# --- lengths, ages, trends --------------------------------------------------------------------------------------------


def test_a_key_of_a_wrong_type_is_a_gap_of_its_own_row() -> None:
    cluster = healthy()
    cluster.gaps[ListLengths(("indexing",))] = "redis: WRONGTYPE"
    reading = first_look(cluster)
    assert (gap(reading, "indexing", "length"), cell(reading, "training", "length")) == ("redis: WRONGTYPE", 0.0)


def test_one_priority_list_that_cannot_be_read_makes_the_whole_length_a_gap() -> None:
    cluster = healthy()
    cluster.gaps[ListLengths((f"indexing{SEP}6",))] = "redis: WRONGTYPE"
    assert gap(first_look(cluster), "indexing", "length") == "redis: WRONGTYPE"


def test_the_oldest_message_is_as_old_as_its_publisher_says() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 2
    cluster.heads["indexing"] = MessageHead("a", NOW - 120)
    assert cell(first_look(cluster), "indexing", "oldest_s") == 120.0


def test_without_a_time_the_oldest_message_is_as_old_as_its_stay_at_the_head() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 2
    cluster.heads["indexing"] = MessageHead("a", None)
    watch = watching(cluster, 3)
    assert cell(watch.look()["queues"], "indexing", "oldest_s") == 30.0


@pytest.mark.parametrize(("hears_tasks", "age"), [(True, 90.0), (False, None)])
def test_a_message_without_a_time_is_as_old_as_the_event_of_its_sending_says(hears_tasks: bool, age: float | None) -> None:
    cluster = healthy()
    cluster.lists["indexing"], cluster.heads["indexing"], cluster.sent = 2, MessageHead("a", None), {"a": NOW - 90}
    target = a_target(sources=frozenset({"redis", "events"}), hears_tasks=hears_tasks, key_prefix="", declared_queues=("indexing",))
    assert cell(Watch(cluster, target).look(0)["queues"], "indexing", "oldest_s") == age


def test_the_age_of_a_new_head_is_not_known_where_its_publisher_gives_no_time() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 2
    cluster.heads["indexing"] = MessageHead("a", None)
    watch = watching(cluster, 3)
    cluster.heads["indexing"] = MessageHead("b", None)
    assert gap(watch.look()["queues"], "indexing", "oldest_s") == NO_TIME


def test_the_oldest_of_all_priority_lists_counts() -> None:
    cluster = healthy()
    cluster.lists |= {"indexing": 1, f"indexing{SEP}9": 1}
    cluster.heads |= {"indexing": MessageHead("a", NOW - 5), f"indexing{SEP}9": MessageHead("b", NOW - 50)}
    assert cell(first_look(cluster), "indexing", "oldest_s") == 50.0


def test_a_head_that_cannot_be_read_makes_the_age_a_gap_not_0() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 2
    cluster.gaps[OldestMessage] = "redis: NOPERM"
    reading = first_look(cluster)
    assert (cell(reading, "indexing", "length"), gap(reading, "indexing", "oldest_s")) == (2.0, "redis: NOPERM")


def test_a_head_that_cannot_be_read_for_one_look_does_not_make_the_message_young() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 2
    cluster.heads["indexing"] = MessageHead("a", None)
    watch = watching(cluster, 3)
    cluster.gaps[OldestMessage] = "redis: timeout"
    watch.look()
    cluster.gaps.clear()
    assert cell(watch.look()["queues"], "indexing", "oldest_s") == 40.0


@pytest.mark.parametrize("published_at", [NOW + 3600, inf, -inf])
def test_a_time_that_cannot_be_makes_no_age(published_at: float) -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 2
    cluster.heads["indexing"] = MessageHead("a", published_at)
    assert gap(first_look(cluster), "indexing", "oldest_s") == NO_TIME


def test_an_empty_queue_has_no_age() -> None:
    assert cell(first_look(healthy()), "indexing", "oldest_s") == 0.0


def test_growth_needs_a_second_look() -> None:
    assert first_look(healthy()).idle["growth_per_min"] == "growth_per_min needs a second poll"


def test_growth_is_by_the_minute_over_what_was_watched() -> None:
    cluster = healthy()
    watch = watching(cluster)
    cluster.lists["indexing"] = 10
    assert cell(watch.look()["queues"], "indexing", "growth_per_min") == 30.0


def test_growth_looks_no_further_back_than_the_window() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 1000
    watch = watching(cluster, 4)
    cluster.lists["indexing"] = 10
    growths = [number(cell(watch.look(window_s=60.0)["queues"], "indexing", "growth_per_min")) for _ in range(10)]
    assert (growths[0] < 0, growths[-1]) == (True, 0.0)


def test_a_queue_that_does_not_fall_never_drains() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 10
    watch = watching(cluster)
    assert cell(watch.look()["queues"], "indexing", "drain_s") == inf


def test_on_a_first_look_no_rate_is_known_and_the_queue_counts_as_never_draining() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 60
    assert cell(first_look(cluster), "indexing", "drain_s") == inf


def test_a_falling_queue_drains_in_its_length_over_how_fast_it_fell() -> None:
    cluster = healthy()
    cluster.lists["indexing"] = 100
    watch = watching(cluster, 1)
    cluster.lists["indexing"] = 80
    assert cell(watch.look()["queues"], "indexing", "drain_s") == 40.0


def test_an_empty_queue_has_drained() -> None:
    assert cell(watching(healthy()).look()["queues"], "indexing", "drain_s") == 0.0


def test_a_trend_reaches_over_a_gap() -> None:
    cluster = healthy()
    watch = watching(cluster)
    cluster.gaps[ListLengths(("indexing",))] = "redis: WRONGTYPE"
    watch.look()
    cluster.gaps.clear()
    cluster.lists["indexing"] = 30
    assert cell(watch.look()["queues"], "indexing", "growth_per_min") == 60.0


def test_after_an_hour_without_a_look_growth_needs_a_second_look_again() -> None:
    watch = watching(healthy())
    assert "growth_per_min" in watch.look(3600)["queues"].idle


# --- idle with a backlog ----------------------------------------------------------------------------------------------


def stuck() -> Watch:
    cluster = healthy()
    cluster.lists["indexing"] = 5
    return watching(cluster)


def idle_s(watch: Watch, after: float = 10) -> object:
    return cell(watch.look(after)["queues"], "indexing", "idle_with_backlog_s")


def test_messages_that_wait_while_the_consumer_does_nothing_are_counted() -> None:
    watch = stuck()
    assert [idle_s(watch), idle_s(watch)] == [20.0, 30.0]


def test_only_watched_time_counts() -> None:
    watch = stuck()
    assert idle_s(watch, after=3600) == 30.0


def test_while_the_broker_is_away_nothing_is_counted() -> None:
    watch = stuck()
    watch.cluster.gaps["redis"] = "redis: connection refused"
    for _ in range(10):
        watch.look()
    watch.cluster.gaps.clear()
    assert idle_s(watch) == 30.0


def test_a_consumer_that_takes_one_message_begins_the_count_anew() -> None:
    watch = stuck()
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], processed=101)
    assert idle_s(watch) == 0.0


def test_a_consumer_that_executes_something_is_not_idle() -> None:
    watch = stuck()
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=1)
    assert idle_s(watch) == 0.0


def test_an_empty_queue_is_not_idle_with_a_backlog() -> None:
    watch = stuck()
    watch.cluster.lists["indexing"] = 0
    assert idle_s(watch) == 0.0


def test_a_queue_without_consumers_is_not_idle_with_a_backlog() -> None:
    watch = stuck()
    watch.cluster.leaves(WEB)
    assert idle_s(watch) == 0.0


def test_where_it_is_not_known_what_the_consumer_does_it_is_a_gap() -> None:
    watch = stuck()
    watch.cluster.gaps[WorkerHeartbeats] = "flower: 500"
    reading = watch.look()["queues"]
    assert gap(reading, "indexing", "idle_with_backlog_s") == "celery@web-1: flower: 500"


def test_a_gap_neither_counts_nor_begins_anew() -> None:
    watch = stuck()
    watch.cluster.gaps[WorkerHeartbeats] = "flower: 500"
    watch.look()
    watch.cluster.gaps.clear()
    assert idle_s(watch) == 20.0


def test_a_worker_whose_heartbeats_are_not_heard_is_not_called_idle() -> None:
    watch = stuck()
    for name in (WEB, GPU):
        watch.cluster.online[name] = False
    assert idle_s(watch) is None


# --- gone -------------------------------------------------------------------------------------------------------------


def test_while_redis_does_not_answer_known_queues_are_rows_full_of_gaps() -> None:
    watch = watching(healthy(), declared_queues=("nightly",))
    watch.cluster.gaps["redis"] = "redis: connection refused"
    reading = watch.look()["queues"]
    assert (reading.unread, gap(reading, "indexing", "length"), cell(reading, "nightly", "declared")) == (
        "redis: connection refused",
        "redis: connection refused",
        True,
    )


def test_a_first_look_asks_everything_within_three_rounds() -> None:
    cluster = healthy()
    bind(cluster, "ghost", "prod:")
    for name, seen in cluster.cache.items():
        cluster.cache[name] = replace(seen, conf=a_conf(key_prefix="prod:"))
    cluster.lists = {"prod:ghost": 3, "prod:indexing": 2}
    cluster.heads = {"prod:ghost": MessageHead("a", NOW - 9), "prod:indexing": MessageHead("b", NOW - 8)}
    reading = first_look(cluster)
    assert [(cell(reading, n, "length"), cell(reading, n, "oldest_s")) for n in ("ghost", "indexing")] == [(3.0, 9.0), (2.0, 8.0)]


def test_ping_comes_first() -> None:
    watch = watching(healthy(), 1)
    assert watch.cluster.asked[0] == Ping()
