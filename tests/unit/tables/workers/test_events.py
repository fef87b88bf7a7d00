"""What the workers' own events change in `workers`: beside Flower, while Flower is away, and without Flower."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import INTERVAL, a_beat, a_conf, a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap, names
from watchdog.core.model.queries import HearWorkers, Ping, WorkerHeartbeats, WorkerStatus
from watchdog.core.model.replies import WorkerHeard
from watchdog.core.model.rows import Cell
from watchdog.core.model.target import Target

WEB, GPU = "celery@web-1", "celery@gpu-1"
BOTH = a_target(sources=frozenset({"flower", "redis", "events"}))
ALONE = a_target(sources=frozenset({"redis", "events"}))


def heard(name: str = WEB, ago_s: float = 1.0, **changes: Any) -> WorkerHeard:
    of_beat = {key: changes.pop(key) for key in list(changes) if key in ("pid", "heartbeats", "goodbyes", "hellos", "active", "processed")}
    return replace(WorkerHeard(a_beat(name, **of_beat), ago_s, spoke_busy=True), **changes)


def cluster_heard(*names: str) -> Cluster:
    cluster = healthy()
    cluster.heard = {name: heard(name) for name in names or (WEB, GPU)}
    return cluster


def goodbye(name: str = WEB) -> WorkerHeard:
    return heard(name, 3.0, gone=True, heartbeats=(), goodbyes=1)


# --- beside Flower --------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_heard_is_online_although_flower_forgot_it() -> None:
    cluster = cluster_heard()
    del cluster.online[WEB], cluster.beats[WEB], cluster.cache[WEB]
    read = Watch(cluster, BOTH).look(0)["workers"]
    assert (cell(read, WEB, "state"), cell(read, WEB, "pid"), cell(read, WEB, "silent_s")) == ("online", 17, 1.0)


def test_a_worker_that_is_heard_is_online_although_flower_says_it_is_not() -> None:
    cluster = cluster_heard()
    cluster.online[WEB] = False
    assert cell(Watch(cluster, BOTH).look(0)["workers"], WEB, "state") == "online"


def test_a_worker_that_was_heard_and_is_silent_is_lost_although_flower_says_it_is_online() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, BOTH)
    watch.look(0)
    cluster.heard[WEB] = heard(ago_s=16)
    cluster.answering.discard(WEB)
    assert cell(watch.look()["workers"], WEB, "state") == "lost"


def test_a_silent_worker_that_answers_is_online() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, BOTH)
    watch.look(0)
    cluster.heard[WEB] = heard(ago_s=16)
    assert cell(watch.look()["workers"], WEB, "state") == "online"


def test_of_a_worker_that_was_never_heard_flowers_word_stands() -> None:
    cluster = cluster_heard(GPU)
    assert cell(Watch(cluster, BOTH).look(0)["workers"], WEB, "state") == "online"


def test_between_heard_and_silent_flowers_word_stands() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, BOTH)
    watch.look(0)
    cluster.heard[WEB] = heard(ago_s=8)
    said = cell(watch.look()["workers"], WEB, "state")
    cluster.dies(WEB)
    assert (said, cell(watch.look()["workers"], WEB, "state")) == ("online", "lost")


def test_a_goodbye_that_was_heard_is_no_loss_although_flower_missed_it() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, BOTH)
    watch.look(0)
    cluster.dies(WEB)
    cluster.heard[WEB] = goodbye()
    assert cell(watch.look()["workers"], WEB, "state") == "left"


def test_a_worker_that_returns_after_a_goodbye_is_online() -> None:
    cluster = cluster_heard()
    cluster.heard[WEB] = goodbye()
    cluster.leaves(WEB)
    watch = Watch(cluster, BOTH)
    left = cell(watch.look(0)["workers"], WEB, "state")
    cluster.heard[WEB] = heard()
    assert (left, cell(watch.look()["workers"], WEB, "state")) == ("left", "online")


def test_two_processes_that_take_turns_are_a_duplicate_at_once() -> None:
    cluster = cluster_heard()
    cluster.heard[WEB] = heard(turned_s=2.0)
    read = Watch(cluster, BOTH).look(0)["workers"]
    assert (cell(read, WEB, "duplicate"), cell(read, GPU, "duplicate")) == (True, False)


def test_a_clock_that_is_off_shows_without_any_task() -> None:
    cluster = cluster_heard()
    cluster.heard[WEB] = heard(ahead_s=90.0)
    cluster.heard[GPU] = heard(GPU, ahead_s=-0.5)
    read = Watch(cluster, BOTH).look(0)["workers"]
    assert (cell(read, WEB, "clock_drift_s"), cell(read, GPU, "clock_drift_s")) == (90.0, 0.0)


def test_workers_of_another_target_are_not_its_own() -> None:
    watch = Watch(cluster_heard(WEB, "celery@other-1"), replace(BOTH, workers=("celery@web-*",)))
    assert names(watch.look(0)["workers"]) == [WEB]


def test_where_nothing_can_be_heard_all_is_as_flower_says() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, BOTH)
    watch.look(0)
    cluster.gaps["events"] = "events: the ACL of this user denies the channel"
    cluster.heard[WEB] = heard(ago_s=60)
    cluster.leaves(GPU)
    read = watch.look()["workers"]
    assert (read.unread, cell(read, WEB, "state"), cell(read, GPU, "state")) == (None, "online", "left")


def test_channels_have_the_prefix_of_the_workers_keys() -> None:
    cluster = cluster_heard()
    cluster.cache[WEB] = replace(cluster.cache[WEB], conf=a_conf(key_prefix="shop_"))
    cluster.cache[GPU] = replace(cluster.cache[GPU], conf=a_conf(key_prefix="shop_"))
    watch = Watch(cluster, BOTH)
    for _ in range(2):
        watch.look()
        assert [query for query in cluster.asked if isinstance(query, HearWorkers)] == [HearWorkers("shop_")]


def test_a_prefix_from_the_configuration_wins() -> None:
    cluster = cluster_heard()
    Watch(cluster, replace(BOTH, key_prefix="mine_")).look(0)
    assert HearWorkers("mine_") in cluster.asked


# --- while Flower is away -------------------------------------------------------------------------------------------------


def without_flower(cluster: Cluster, watch: Watch) -> None:
    """Flower goes after a first look."""
    watch.look(0)
    cluster.gaps["flower"] = "flower: connection refused"


def test_while_flower_is_away_those_heard_are_online_and_those_silent_are_lost() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, BOTH)
    without_flower(cluster, watch)
    cluster.heard[GPU] = heard(GPU, ago_s=20)
    read = watch.look()["workers"]
    assert (read.unread, cell(read, WEB, "state"), cell(read, GPU, "state")) == (None, "online", "lost")


def test_while_flower_is_away_a_worker_that_was_never_heard_is_unknown() -> None:
    cluster = cluster_heard(WEB)
    watch = Watch(cluster, BOTH)
    without_flower(cluster, watch)
    assert gap(watch.look()["workers"], GPU, "state") == "flower: connection refused"


def test_while_flower_is_away_a_silent_solo_worker_is_unknown() -> None:
    cluster = cluster_heard()
    cluster.cache[GPU] = replace(cluster.cache[GPU], pool="solo")
    watch = Watch(cluster, BOTH)
    without_flower(cluster, watch)
    cluster.heard[GPU] = heard(GPU, ago_s=60, spoke_busy=False)
    assert "solo" in gap(watch.look()["workers"], GPU, "state")


def test_without_flower_and_without_events_the_table_is_unread() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, BOTH)
    without_flower(cluster, watch)
    cluster.gaps["events"] = "events: connection refused"
    assert watch.look()["workers"].unread == "flower: connection refused"


def test_when_flower_is_back_nobody_has_left_or_restarted() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, BOTH)
    without_flower(cluster, watch)
    watch.look()
    del cluster.gaps["flower"]
    cluster.flower_started_at = cluster.now
    read = watch.look()["workers"]
    assert [(cell(read, name, "state"), cell(read, name, "restarts"), cell(read, name, "duplicate")) for name in (WEB, GPU)] == [
        ("online", 0.0, False)
    ] * 2


def test_where_flower_shows_no_heartbeats_those_heard_are_no_substitute_for_its_page() -> None:
    cluster = cluster_heard(WEB)
    cluster.gaps[WorkerHeartbeats] = "flower: no page"
    read = Watch(cluster, BOTH).look(0)["workers"]
    assert (cell(read, WEB, "state"), gap(read, WEB, "active")) == ("online", "flower: no page")


# --- what a worker left behind ----------------------------------------------------------------------------------------------


def gone_in_the_middle(last: WorkerHeard, since_s: float = 3600.0) -> Cell:
    """What is abandoned by a worker that was heard to execute a task, and then so. `since_s`: how long events have been heard by now."""
    cluster = cluster_heard()
    cluster.heard[WEB], cluster.tasks = heard(active=1), [a_task("t1", worker=WEB)]
    watch = Watch(cluster, replace(ALONE, hears_tasks=True))
    watch.look(0)
    cluster.heard[WEB] = last
    watch.look()
    if since_s < INTERVAL:
        cluster.tasks, cluster.flower_started_at = [], cluster.now + INTERVAL - since_s
    return cell(watch.look()["workers"], WEB, "abandoned")


@pytest.mark.parametrize("last", [heard(ago_s=20), goodbye()], ids=["lost", "left"])
def test_without_flower_the_events_of_tasks_tell_what_a_worker_left_unfinished(last: WorkerHeard) -> None:
    assert gone_in_the_middle(last) == 1.0


def test_what_a_lost_worker_executed_stands_though_events_are_heard_anew() -> None:
    assert gone_in_the_middle(heard(ago_s=20), since_s=5.0) == 1.0


def test_one_that_said_goodbye_may_have_finished_its_task_while_nothing_was_heard() -> None:
    assert gone_in_the_middle(goodbye(), since_s=5.0) == 0.0


@pytest.mark.parametrize("target", [replace(ALONE, hears_tasks=True), replace(BOTH, hears_beside_flower=True)], ids=["alone", "beside"])
def test_what_a_cold_shutdown_cut_off_and_did_not_come_again_has_not_ended(target: Target) -> None:
    """It runs no more, so that it is not listed; without acks_late it is lost."""
    cluster = cluster_heard(WEB)
    watch = Watch(cluster, target)
    watch.look(0)
    cluster.heard[WEB], cluster.cut_off = goodbye(), {WEB: 2}
    assert cell(watch.look()["workers"], WEB, "abandoned") == 2.0


# --- without Flower -------------------------------------------------------------------------------------------------------


def test_events_alone_show_who_there_is_and_what_they_do() -> None:
    cluster = cluster_heard()
    cluster.heard[WEB] = heard(active=2, processed=31)
    read = Watch(cluster, ALONE).look(0)["workers"]
    assert names(read) == [GPU, WEB]
    assert [cell(read, WEB, column) for column in ("state", "active", "processed", "load1", "version")] == ["online", 2, 31, 0.5, "5.7.0"]
    assert {"pool_size", "queues", "uptime_s", "abandoned"} <= read.idle.keys()
    assert not any(isinstance(query, WorkerStatus) for query in cluster.asked)


def test_events_alone_tell_nothing_of_their_settings() -> None:
    assert "neither" in Watch(cluster_heard(), ALONE).look(0)["conf"].idle["acks_late"]


@pytest.mark.parametrize(("last", "state"), [(heard(ago_s=20), "lost"), (goodbye(), "left")])
def test_events_alone_tell_a_loss_from_a_goodbye(last: WorkerHeard, state: str) -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, ALONE)
    watch.look(0)
    cluster.heard[WEB] = last
    assert cell(watch.look()["workers"], WEB, "state") == state


def test_a_silent_worker_that_may_be_a_solo_pool_is_unknown_for_half_an_hour() -> None:
    cluster = cluster_heard()
    cluster.heard[WEB] = heard(spoke_busy=False)
    watch = Watch(cluster, ALONE)
    watch.look(0)
    cluster.heard[WEB] = heard(ago_s=20, spoke_busy=False)
    states = [gap(watch.look()["workers"], WEB, "state") for _ in range(170)]
    assert all("solo pool" in state for state in states)
    for _ in range(20):
        read = watch.look()["workers"]
    assert cell(read, WEB, "state") == "lost"


def test_all_that_fall_silent_together_are_lost_after_half_a_minute() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, ALONE)
    watch.look(0)
    cluster.heard = {name: heard(name, ago_s=20) for name in (WEB, GPU)}
    first = gap(watch.look()["workers"], WEB, "state")
    cluster.heard = {name: heard(name, ago_s=31) for name in (WEB, GPU)}
    assert ("together" in first, cell(watch.look()["workers"], WEB, "state")) == (True, "lost")


def test_right_after_the_connection_was_opened_silence_proves_nothing() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, ALONE)
    watch.look(0)
    cluster.heard, cluster.heard_since_s = {}, 4.0
    assert "heard since 4s" in gap(watch.look()["workers"], WEB, "state")


def test_while_the_broker_is_away_nobody_is_lost() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, ALONE)
    watch.look(0)
    cluster.gaps[Ping] = "redis: connection refused"
    cluster.heard[WEB] = heard(ago_s=40)
    assert "redis" in gap(watch.look()["workers"], WEB, "state")


def test_where_nothing_is_heard_the_table_is_unread_with_the_reason() -> None:
    cluster = cluster_heard()
    cluster.gaps["events"] = "events: the ACL of this user denies the channel"
    assert Watch(cluster, ALONE).look(0)["workers"].unread == "events: the ACL of this user denies the channel"


def test_where_no_worker_was_ever_heard_the_table_is_idle_as_they_may_send_no_heartbeats() -> None:
    cluster = cluster_heard()
    cluster.heard = {}
    read = Watch(cluster, ALONE).look(0)
    assert "no worker has been heard yet" in read["workers"].idle["state"]
    assert "no worker has been heard yet" in read["cluster"].idle["workers_online"]


def test_where_workers_are_expected_and_none_is_heard_there_is_none() -> None:
    cluster = cluster_heard()
    cluster.heard = {}
    watch = Watch(cluster, replace(ALONE, min_workers=1))
    cluster.heard_since_s = 4.0
    assert "heard since 4s" in str(watch.look(0)["workers"].unread)
    cluster.heard_since_s = 14.0
    assert cell(watch.look()["cluster"], "", "workers_online") == 0


def test_what_no_event_tells_is_no_zero() -> None:
    read = Watch(cluster_heard(), ALONE).look(0)["cluster"]
    assert (cell(read, "", "workers_online"), {"capacity", "utilization"} <= read.idle.keys()) == (2, True)


# --- the source itself ----------------------------------------------------------------------------------------------------


def test_sources_say_since_when_events_are_heard_or_why_they_are_not() -> None:
    cluster = cluster_heard()
    watch = Watch(cluster, BOTH)
    well = watch.look(0)["sources"]
    cluster.gaps["events"] = "events: the ACL of this user denies the channel"
    denied = watch.look()["sources"]
    assert (cell(well, "events", "up"), cell(well, "events", "restarted_s")) == (True, 3600.0)
    assert (cell(denied, "events", "up"), cell(denied, "events", "error")) == (False, "events: the ACL of this user denies the channel")
    assert cell(denied, "redis", "error") == cell(denied, "flower", "error") == ""
