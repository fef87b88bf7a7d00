from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_server, a_target, a_task, an_inspection
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap, names
from watchdog.core.model.queries import InspectAll, Inspected, InspectOne, Ping, RunningTasks, WorkerHeartbeats, WorkersTasks, WorkerStatus
from watchdog.core.model.replies import MessageHead, WorkerBeat
from watchdog.core.model.rows import Reading
from watchdog.tables.workers.silence import RETURNED

WEB, GPU, DEAF = "celery@web-1", "celery@gpu-1", "celery@solo-1"
PODS = ("celery@web-7d9f8b6c5-zzzz2", "celery@web-7d9f8b6c5-bbbb5", "celery@web-7d9f8b6c5-cccc4")
NEW_PODS = ("celery@web-65c9f7d8b4-dddd5", "celery@web-65c9f7d8b4-ffff6", "celery@web-65c9f7d8b4-gggg7")


def watching(cluster: Cluster | None = None, looks: int = 2, **target: object) -> Watch:
    watch = Watch(cluster or healthy(), a_target(**target))
    for number in range(looks):
        watch.look(0 if number == 0 else 10)
    return watch


def workers(watch: Watch, after: float = 10) -> Reading:
    return watch.look(after)["workers"]


def state(watch: Watch, name: str = WEB, after: float = 10) -> object:
    reading = workers(watch, after)
    return cell(reading, name, "state") or f"unknown: {gap(reading, name, 'state')}"


def refreshed(watch: Watch) -> list[str]:
    return [q.worker if isinstance(q, InspectOne) else "*" for q in watch.cluster.asked if isinstance(q, InspectOne | InspectAll)]


# --- coming and going -------------------------------------------------------------------------------------------------


def test_a_worker_that_beats_is_online() -> None:
    assert state(watching()) == "online"


def test_a_killed_worker_is_lost_at_the_look_that_finds_it_silent() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    assert state(watch) == "lost"


def test_a_killed_worker_is_asked_before_it_counts_as_lost() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    workers(watch)
    assert refreshed(watch) == [WEB]


def test_a_killed_worker_keeps_its_last_values() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    assert cell(workers(watch), WEB, "processed") == 100.0


def test_a_killed_worker_is_silent_since_it_was_last_online() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    workers(watch)
    assert cell(workers(watch), WEB, "silent_s") == 20.0


def test_a_worker_that_stopped_cleanly_has_left() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    assert [state(watch) for _ in range(3)] == ["left"] * 3


def test_a_worker_that_left_is_not_asked() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    workers(watch)
    assert refreshed(watch) == []


def test_a_worker_that_ran_out_of_memory_says_goodbye_and_has_left() -> None:
    watch = watching()
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=1)
    watch.cluster.leaves(WEB)
    assert state(watch) == "left"


def test_a_stopped_process_is_lost_and_online_again_once_it_continues() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    states = [state(watch), state(watch)]
    watch.cluster.online[WEB] = True
    watch.cluster.answering.add(WEB)
    assert [*states, state(watch)] == ["lost", "lost", "online"]


def late_task_events(cluster: Cluster, name: str, *, listed_online: bool) -> None:
    cluster.online[name] = listed_online
    cluster.beats[name] = replace(cluster.beats[name], heartbeats=(cluster.now - 2.3, cluster.now - 2.3))


def test_a_warm_shutdown_whose_last_tasks_end_after_the_goodbye_has_left() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    states = [state(watch)]
    late_task_events(watch.cluster, WEB, listed_online=True)
    states.append(cell(watch.at_once()["workers"], WEB, "state"))
    watch.cluster.now += 10
    watch.cluster.online[WEB] = False
    states.append(cell(watch.at_once()["workers"], WEB, "state"))
    assert states == ["left", "left", "left"]


@pytest.mark.parametrize("listed_online", [True, False])
def test_a_goodbye_and_a_late_task_event_between_two_looks_are_a_goodbye(listed_online: bool) -> None:
    watch = watching()
    watch.cluster.now += 10
    watch.cluster.leaves(WEB)
    late_task_events(watch.cluster, WEB, listed_online=listed_online)
    assert cell(watch.at_once()["workers"], WEB, "state") == "left"


def test_a_late_task_event_is_a_goodbye_on_a_first_look_too() -> None:
    cluster = healthy()
    cluster.leaves(WEB)
    late_task_events(cluster, WEB, listed_online=False)
    assert state(watching(cluster, 0), after=0) == "left"


def test_a_worker_restarted_in_place_is_online_again() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    workers(watch)
    beat = watch.cluster.beats[WEB]
    watch.cluster.beats[WEB] = replace(beat, hellos=2, pulses=(beat.pulses or 0) + 1, pid=99, processed=0)
    watch.cluster.online[WEB] = True
    assert state(watch) == "online"


def test_a_worker_restarted_in_place_and_then_killed_is_lost() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    workers(watch)
    beat = watch.cluster.beats[WEB]
    at = watch.cluster.now
    watch.cluster.beats[WEB] = replace(beat, heartbeats=(at + 1, at + 3), hellos=2, pulses=(beat.pulses or 0) + 2, pid=99)
    assert state(watch) == "lost"


def test_a_graceful_restart_between_two_looks_goes_unnoticed_but_for_the_count() -> None:
    watch = watching()
    beat = watch.cluster.beats[WEB]
    watch.cluster.beats[WEB] = replace(beat, goodbyes=1, hellos=2, pid=99)
    reading = workers(watch)
    assert (cell(reading, WEB, "state"), cell(reading, WEB, "restarts")) == ("online", 1.0)


def test_a_killed_worker_that_once_restarted_gracefully_is_lost() -> None:
    watch = watching()
    beat = watch.cluster.beats[WEB]
    watch.cluster.beats[WEB] = replace(beat, goodbyes=1, hellos=1, pid=99)
    workers(watch)
    watch.cluster.dies(WEB)
    assert state(watch) == "lost"


def test_a_restart_in_a_container_with_the_same_pid_is_counted() -> None:
    watch = watching()
    beat = watch.cluster.beats[WEB]
    watch.cluster.beats[WEB] = replace(beat, processed=3, hellos=(beat.hellos or 0) + 1)
    assert cell(workers(watch), WEB, "restarts") == 1.0


def test_a_restart_counts_within_the_window_alone() -> None:
    watch = watching()
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], pid=99)
    counts = [cell(workers(watch), WEB, "restarts") for _ in range(32)]
    assert (counts[0], counts[-1]) == (1.0, 0.0)


def test_after_a_goodbye_an_unreadable_dashboard_does_not_bring_it_back() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    workers(watch)
    watch.cluster.gaps[WorkerHeartbeats] = "flower: 500"
    watch.cluster.online[WEB] = True
    assert state(watch) == "left"


# --- pools and flags that look dead -----------------------------------------------------------------------------------


def solo(*runtimes: float, pool: str | None = "solo", unlisted: str = "") -> Watch:
    """A watched cluster with a worker that falls silent; its last runs took so long."""
    cluster = healthy()
    cluster.add(DEAF, pool=pool)
    watch = watching(cluster)
    cluster.dies(DEAF)
    cluster.tasks = [a_task(f"s{nth}", "SUCCESS", worker=DEAF, runtime=runtime) for nth, runtime in enumerate(runtimes)]
    cluster.gaps |= {WorkersTasks: unlisted} if unlisted else {}
    return watch


def states(watch: Watch, looks: int) -> list[object]:
    return [state(watch, DEAF) for _ in range(looks)]


def test_a_solo_worker_that_is_silent_is_believed_to_be_at_work() -> None:
    watch = solo()
    reading = workers(watch)
    assert [cell(reading, DEAF, c) for c in ("state", "active", "queues")] == ["online", 1.0, "indexing"]


def test_it_is_believed_for_an_hour_where_nothing_is_known_of_its_tasks() -> None:
    seen = states(solo(), 370)
    assert (set(seen[:358]), seen[-1]) == ({"online"}, "lost")


def test_it_is_believed_for_as_long_as_its_tasks_may_plausibly_run() -> None:
    seen = states(solo(20.0, 3.0), 13)
    assert (set(seen[:9]), seen[-1]) == ({"online"}, "lost")


def test_one_whose_tasks_are_short_is_lost_soon() -> None:
    assert states(solo(0.2), 8)[-1] == "lost"


def test_a_silence_that_it_came_back_from_once_is_believed_the_next_time() -> None:
    watch = solo(0.2)
    states(watch, 15)
    watch.cluster.online[DEAF] = True
    watch.cluster.answering.add(DEAF)
    assert state(watch, DEAF) == "online"
    watch.cluster.dies(DEAF)
    seen = states(watch, 26)
    assert (set(seen[:15]), seen[-1]) == ({"online"}, "lost")


def test_once_lost_it_is_no_replaced_worker() -> None:
    watch = solo(0.2)
    for _ in range(9):
        reading = workers(watch)
    assert cell(reading, DEAF, "replaced") is False


def test_where_it_cannot_be_asked_how_long_its_tasks_run_it_is_unknown_for_a_while() -> None:
    seen = states(solo(unlisted="flower: 503"), 40)
    assert ("solo pool" in str(seen[0]), seen[-1]) == (True, "lost")


def test_a_worker_of_unknown_pool_is_not_lost_by_silence_alone() -> None:
    assert "solo pool" in str(states(solo(pool=None), 1)[0])


def test_green_threads_that_do_not_yield_are_believed_for_two_minutes() -> None:
    seen = states(solo(pool="gevent"), 15)
    assert (seen[0], seen[-1]) == ("online", "lost")


def test_a_prefork_worker_is_never_silent_for_a_task() -> None:
    assert states(solo(pool="prefork"), 3)[-1] == "lost"


# --- clocks -----------------------------------------------------------------------------------------------------------


def shifted(cluster: Cluster, name: str, by: float) -> None:
    """One task event of a worker whose clock is ahead by so much."""
    beat = cluster.beats[name]
    cluster.beats[name] = replace(beat, heartbeats=tuple(sorted((*beat.heartbeats[1:], cluster.now + by))))


def ahead(by: float = 32_400.0) -> Watch:
    """A watched cluster; before each look web-1 has run a task, by a clock that is ahead."""
    watch = watching(healthy())
    watch.cluster.beating(10)
    shifted(watch.cluster, WEB, by)
    watch.at_once()
    return watch


def test_a_heartbeat_that_lies_ahead_of_now_proves_nothing() -> None:
    watch = ahead()
    dead = watch.cluster.beats[WEB]
    watch.cluster.answering.discard(WEB)
    states = []
    for _ in range(4):
        watch.cluster.beating(10)
        watch.cluster.beats[WEB] = dead  # and Flower goes on saying that it is online
        states.append(cell(watch.at_once()["workers"], WEB, "state"))
    assert states[-1] == "lost"


def test_new_heartbeats_show_that_it_lives_whatever_its_clock_says() -> None:
    watch = ahead()
    states = []
    for _ in range(5):
        watch.cluster.beating(10)
        shifted(watch.cluster, WEB, 32_400.0)
        states.append(cell(watch.at_once()["workers"], WEB, "state"))
    assert states == ["online"] * 5


def test_on_a_first_look_whoever_lies_ahead_of_now_is_asked() -> None:
    cluster = healthy()
    shifted(cluster, WEB, 32_400.0)
    watch = Watch(cluster)
    assert cell(watch.at_once()["workers"], WEB, "state") == "online"
    assert any(isinstance(query, InspectOne | InspectAll) for query in cluster.asked)


@pytest.mark.parametrize("by", [90.0, 7200.0, 32_400.0])
def test_a_clock_that_is_ahead_is_known_by_how_much(by: float) -> None:
    assert cell(ahead(by).at_once()["workers"], WEB, "clock_drift_s") == pytest.approx(by, abs=1)


def test_a_heartbeat_that_was_sent_while_a_slow_look_was_asking_is_by_a_right_clock() -> None:
    watch = watching(healthy())
    watch.took_s = 20.0
    watch.cluster.beating(10)
    shifted(watch.cluster, WEB, 18.0)
    assert cell(watch.at_once()["workers"], WEB, "clock_drift_s") == 0.0


def worked(cluster: Cluster, name: str) -> None:
    """Time passes in which it takes a task; the entry that lies ahead of now stays the last in Flower's list."""
    ahead_of_now = cluster.beats[name].heartbeats[-1]
    cluster.beating(10)
    beat = cluster.beats[name]
    cluster.beats[name] = replace(beat, heartbeats=(*beat.heartbeats[1:], ahead_of_now), processed=(beat.processed or 0) + 1)


def test_a_clock_that_was_set_right_is_right_again_once_it_takes_tasks() -> None:
    watch = ahead()
    drifts = []
    for _ in range(3):
        worked(watch.cluster, WEB)
        drifts.append(cell(watch.at_once()["workers"], WEB, "clock_drift_s"))
    assert drifts == [pytest.approx(32_400.0, abs=1), 0.0, 0.0]


def test_a_clock_is_not_taken_for_right_by_the_silence_of_idle_hours() -> None:
    watch = ahead(90.0)
    for _ in range(20):
        reading = workers(watch)
    assert cell(reading, WEB, "clock_drift_s") == pytest.approx(90.0, abs=1)


def test_a_clock_that_is_behind_is_known_once_two_tasks_agree() -> None:
    watch = watching(healthy())
    for _ in range(2):
        watch.cluster.beating(10)
        shifted(watch.cluster, WEB, -18_000.0)
        reading = watch.at_once()["workers"]
    assert cell(reading, WEB, "clock_drift_s") == pytest.approx(-18_000.0, abs=5)


def test_a_pause_between_heartbeats_is_no_clock_that_is_behind() -> None:
    watch = watching(healthy())
    paused = watch.cluster.now - 60
    for _ in range(2):
        watch.cluster.beating(10)
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], heartbeats=(paused, watch.cluster.now - 3, watch.cluster.now - 1))
        reading = watch.at_once()["workers"]
    assert cell(reading, WEB, "clock_drift_s") == 0.0


def event_long_ago(watch: Watch, seconds: float) -> object:
    """Its state after a look at a worker that sends no heartbeats, so long after its last event; Flower lists it as online all the same."""
    watch.cluster.beating(10)
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], pulses=0, freq_s=60.0, heartbeats=(watch.cluster.now - seconds,))
    return cell(watch.at_once()["workers"], WEB, "state")


@pytest.mark.parametrize(("seconds", "asked"), [(5.0, False), (20.0, True)])
def test_one_that_sends_no_heartbeats_and_falls_silent_is_asked(seconds: float, asked: bool) -> None:
    watch, seen = watching(healthy()), []
    for _ in range(3):
        event_long_ago(watch, seconds)
        seen.append(InspectOne(WEB) in watch.cluster.asked)
    assert any(seen) is asked


@pytest.mark.parametrize(("answers", "state"), [(True, "online"), (False, "lost")])
def test_one_that_sends_no_heartbeats_is_online_while_it_answers(answers: bool, state: str) -> None:
    watch = watching(healthy())
    if not answers:
        watch.cluster.answering.discard(WEB)
    assert [event_long_ago(watch, 20.0) for _ in range(8)][-1] == state


def test_a_first_look_at_one_that_left_or_that_sends_no_heartbeats_finds_no_drift() -> None:
    cluster = healthy()
    cluster.leaves(GPU)
    del cluster.beats[WEB]
    reading = Watch(cluster).look(0)["workers"]
    assert [(cell(reading, name, "clock_drift_s"), gap(reading, name, "clock_drift_s")) for name in (GPU, WEB)] == [(0.0, ""), (0.0, "")]


@pytest.mark.parametrize("after", [10, 30])
def test_the_pauses_of_a_solo_pool_are_no_clock_that_is_behind(after: float) -> None:
    """Each time it comes back the last heartbeats before its task lie as far before the first one after it."""
    watch = watching(healthy())
    drifts = []
    for _ in range(4):
        watch.cluster.beating(after)
        now = watch.cluster.now
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], heartbeats=(now - 21, now - 19, now - 3, now - 1))
        drifts.append(cell(watch.at_once()["workers"], WEB, "clock_drift_s"))
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], heartbeats=(now - 19, now - 3, now - 1, now))
        drifts.append(cell(watch.at_once()["workers"], WEB, "clock_drift_s"))
    assert drifts == [0.0] * 8


def test_a_lone_worker_whose_clock_is_ahead_is_the_one_that_is_wrong() -> None:
    watch = watching(healthy(WEB))
    watch.cluster.beating(10)
    shifted(watch.cluster, WEB, 7200.0)
    assert cell(watch.at_once()["workers"], WEB, "clock_drift_s") == pytest.approx(7200.0, abs=2)


def test_a_flower_whose_clock_is_ahead_makes_no_workers_clock_wrong() -> None:
    watch = Watch(healthy())
    watch.skew = -60.0
    for _ in range(3):
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("state", "clock_drift_s")] == ["online", pytest.approx(0.0, abs=2)]


# --- restarts ---------------------------------------------------------------------------------------------------------


def restarts(watch: Watch, pid: int, *, goodbye: bool = False) -> None:
    beat = watch.cluster.beats[WEB]
    watch.cluster.beats[WEB] = replace(beat, pid=pid, hellos=(beat.hellos or 0) + 1, goodbyes=(beat.goodbyes or 0) + goodbye)


def test_a_restart_without_a_goodbye_is_a_crash() -> None:
    watch = watching(healthy())
    for pid in (101, 102, 103):
        restarts(watch, pid)
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("restarts", "crashes")] == [3.0, 3.0]


def test_one_after_a_goodbye_is_none() -> None:
    watch = watching(healthy())
    restarts(watch, 101, goodbye=True)
    reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("restarts", "crashes")] == [1.0, 0.0]


def test_two_processes_under_one_name_do_not_restart() -> None:
    watch = watching(healthy())
    for pid in (101, 17, 101, 17, 101):
        restarts(watch, pid)
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("restarts", "duplicate")] == [1.0, True]


def test_two_processes_under_one_name_and_one_pid_do_not_restart() -> None:
    watch = watching(healthy())
    for processed in (500, 10, 501, 11, 502, 12):
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], processed=processed)
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("restarts", "crashes", "duplicate")] == [0.0, 0.0, True]


def test_a_worker_that_flower_knows_by_its_tasks_alone_for_a_moment_is_no_second_worker() -> None:
    """Right after its restart it shows no pid."""
    watch = watching(healthy())
    beat = watch.cluster.beats[WEB]
    duplicates = []
    for pid in (None, beat.pid, beat.pid):
        watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], pid=pid)
        duplicates.append(cell(workers(watch), WEB, "duplicate"))
    assert duplicates == [False] * 3


def beats_come(watch: Watch, more: int, looks: int) -> Reading:
    """So many heartbeats above the usual five come between one look and the next."""
    for _ in range(looks):
        beat = watch.cluster.beats[WEB]
        watch.cluster.beats[WEB] = replace(beat, pulses=(beat.pulses or 0) + more)
        reading = workers(watch)
    return reading


def test_heartbeats_that_come_twice_as_often_are_those_of_two_processes() -> None:
    assert cell(beats_come(watching(healthy()), 5, looks=4), WEB, "duplicate") is True


def test_heartbeats_that_were_held_up_are_no_second_worker() -> None:
    watch = watching(healthy())
    for _ in range(3):
        beats_come(watch, 0, looks=2)
        assert cell(beats_come(watch, 30, looks=1), WEB, "duplicate") is False


def test_a_count_that_was_kept_and_then_jumps_is_no_second_worker() -> None:
    watch = watching(healthy())
    for _ in range(4):
        for more in (-5, -5, 10):
            assert cell(beats_come(watch, more, looks=1), WEB, "duplicate") is False


def test_one_hello_that_was_lost_is_no_second_worker() -> None:
    watch = watching(healthy())
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], processed=3)
    assert cell(workers(watch), WEB, "duplicate") is False


# --- what is left behind ----------------------------------------------------------------------------------------------


def test_of_a_worker_that_is_gone_it_is_known_what_it_left() -> None:
    watch = watching(healthy())
    watch.cluster.tasks = [a_task("t1", worker=WEB)]
    watch.cluster.dies(WEB)
    for _ in range(3):
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("abandoned", "unserved")] == [1.0, "indexing"]


def test_of_a_worker_that_was_lost_it_is_known_who_is_left_and_what_is_still_served() -> None:
    cluster = healthy()
    for name in (WEB, "celery@web-2", "celery@web-3"):
        cluster.add(name, queues=("analysis", "indexing"))
    cluster.add(WEB, queues=("analysis", "indexing", "thumbs"))
    watch = watching(cluster)
    cluster.dies("celery@web-2")
    for _ in range(3):
        reading = workers(watch)
    lost = [cell(reading, "celery@web-2", c) for c in ("peers", "peers_before", "served", "unserved")]
    assert lost == [2.0, 3.0, "analysis,indexing", ""]


def test_a_queue_that_nobody_else_consumes_is_not_served() -> None:
    cluster = healthy()
    cluster.add(WEB, queues=("indexing", "thumbs"))
    cluster.add("celery@web-2", queues=("indexing",))
    watch = watching(cluster)
    cluster.dies(WEB)
    for _ in range(3):
        reading = workers(watch)
    assert [cell(reading, WEB, c) for c in ("served", "unserved")] == ["indexing", "thumbs"]


def test_a_task_that_was_ignored_long_ago_is_none_that_a_worker_left() -> None:
    watch = watching(healthy())
    watch.cluster.tasks = [a_task("ignored", worker=WEB)]
    for _ in range(3):
        workers(watch)
    watch.cluster.leaves(WEB)
    assert cell(workers(watch), WEB, "abandoned") == 0.0


def test_a_task_that_ran_beside_an_ignored_one_is_left() -> None:
    watch = watching(healthy())
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=1)
    watch.cluster.tasks = [a_task("ignored", worker=WEB), a_task("runs", worker=WEB)]
    for _ in range(3):
        workers(watch)
    watch.cluster.leaves(WEB)
    assert cell(workers(watch), WEB, "abandoned") == 1.0


def test_a_task_that_began_after_the_last_heartbeat_is_left() -> None:
    watch = watching(healthy())
    workers(watch)
    watch.cluster.tasks = [a_task("memory", worker=WEB)]
    watch.cluster.leaves(WEB)
    assert cell(workers(watch), WEB, "abandoned") == 1.0


@pytest.mark.parametrize(("gone", "left"), [(False, 0.0), (True, None)])
def test_where_flower_lists_no_tasks_only_what_a_worker_left_that_is_gone_is_in_doubt(gone: bool, left: float | None) -> None:
    watch = watching(healthy())
    watch.cluster.gaps[RunningTasks] = "flower: 405"
    if gone:
        watch.cluster.leaves(WEB)
    assert cell(workers(watch), WEB, "abandoned") == left


def test_a_queue_that_another_worker_consumes_is_served() -> None:
    cluster = healthy()
    cluster.add("celery@web-2", queues=("indexing",))
    watch = watching(cluster)
    cluster.dies(WEB)
    for _ in range(3):
        reading = workers(watch)
    assert cell(reading, WEB, "unserved") == ""


def test_a_solo_worker_that_stopped_cleanly_has_left() -> None:
    cluster = healthy()
    cluster.add("celery@solo-1", pool="solo")
    watch = watching(cluster)
    cluster.leaves("celery@solo-1")
    assert state(watch, "celery@solo-1") == "left"


def test_a_solo_worker_that_was_lost_is_forgotten_like_any_other() -> None:
    cluster = healthy()
    cluster.add(DEAF, pool="solo")
    watch = watching(cluster, forget_after_s=60.0)
    cluster.dies(DEAF)
    cluster.tasks = [a_task("s1", "SUCCESS", worker=DEAF, runtime=0.2)]
    assert DEAF not in [names(workers(watch)) for _ in range(20)][-1]


def without_heartbeat(cluster: Cluster, name: str) -> None:
    """Flower calls it offline 120 s after its last task event; it answers."""
    cluster.add(name)
    cluster.online[name] = False
    cluster.beats[name] = replace(cluster.beats[name], heartbeats=(cluster.now - 300,), pulses=0, hellos=0)


def test_a_worker_without_heartbeat_is_kept_online_by_answered_refreshes() -> None:
    cluster = healthy()
    without_heartbeat(cluster, "celery@quiet")
    watch = watching(cluster, 1)
    assert [state(watch, "celery@quiet") for _ in range(20)] == ["online"] * 20


def test_a_worker_without_heartbeat_is_asked_every_30_seconds() -> None:
    cluster = healthy()
    without_heartbeat(cluster, "celery@quiet")
    watch = watching(cluster, 1)
    asked = []
    for _ in range(6):
        workers(watch)
        asked.append(refreshed(watch))
    assert asked == [[], [], ["celery@quiet"], [], [], ["celery@quiet"]]


def test_a_worker_without_heartbeat_that_no_longer_answers_is_lost() -> None:
    cluster = healthy()
    without_heartbeat(cluster, "celery@quiet")
    watch = watching(cluster)
    cluster.answering.discard("celery@quiet")
    assert [state(watch, "celery@quiet") for _ in range(3)][-1] == "lost"


def test_a_worker_without_heartbeat_is_unknown_not_lost_while_it_cannot_be_asked() -> None:
    cluster = healthy()
    without_heartbeat(cluster, "celery@quiet")
    watch = watching(cluster)
    cluster.gaps[InspectOne] = "flower: 503"
    assert str([state(watch, "celery@quiet") for _ in range(12)][-1]).startswith("unknown: it sends no heartbeats")


def test_what_a_worker_without_heartbeat_does_is_a_gap_not_its_last_word() -> None:
    cluster = healthy()
    without_heartbeat(cluster, "celery@quiet")
    reading = workers(watching(cluster))
    assert [gap(reading, "celery@quiet", c) for c in ("active", "processed", "saturated")] == [
        "no heartbeats of it are heard, though it answers"
    ] * 3


def test_a_worker_that_never_sent_an_event_is_found_in_the_inspect_cache() -> None:
    cluster = healthy()
    cluster.cache["celery@quiet"] = an_inspection("celery@quiet", NOW - 20)
    cluster.answering.add("celery@quiet")
    assert state(watching(cluster, 0), "celery@quiet", after=0) == "online"


def test_a_worker_that_never_sent_an_event_is_found_by_the_refresh_of_all() -> None:
    watch = watching()
    watch.cluster.answering.add("celery@quiet")
    assert [names(workers(watch)) for _ in range(31)][-1] == [GPU, "celery@quiet", WEB]


# --- renamed, rolled, scaled ------------------------------------------------------------------------------------------


def rolled(stop: str) -> list[tuple[object, object]]:
    cluster = healthy(*PODS)
    watch = watching(cluster)
    seen: list[tuple[object, object]] = []
    for old, new in zip(PODS, NEW_PODS, strict=True):
        getattr(cluster, stop)(old)
        workers(watch)
        cluster.add(new)
        reading = workers(watch)
        seen.append((cell(reading, old, "state"), cell(reading, old, "replaced")))
    return seen


def test_pods_killed_in_a_rolling_restart_are_lost_but_replaced() -> None:
    assert rolled("dies") == [("lost", True)] * 3


def test_pods_stopped_in_a_rolling_restart_have_left() -> None:
    assert rolled("leaves") == [("left", True)] * 3


def test_a_lost_pod_is_not_replaced_while_fewer_are_online() -> None:
    watch = watching(healthy(*PODS))
    watch.cluster.dies(PODS[0])
    assert cell(workers(watch), PODS[0], "replaced") is False


def test_a_replaced_pod_stays_replaced_when_the_deployment_is_scaled_down() -> None:
    watch = watching(healthy(*PODS))
    watch.cluster.dies(PODS[0])
    workers(watch)
    watch.cluster.add(NEW_PODS[0])
    workers(watch)
    watch.cluster.leaves(PODS[1])
    assert cell(workers(watch), PODS[0], "replaced") is True


def test_a_worker_of_another_kind_replaces_nobody() -> None:
    watch = watching(healthy(*PODS))
    watch.cluster.dies(PODS[0])
    workers(watch)
    watch.cluster.add("celery@gpu-7d9f8b6c5-hhhh8")
    assert cell(workers(watch), PODS[0], "replaced") is False


@pytest.mark.parametrize(("kinds", "replaced"), [((), False), (("celery@gpu-*",), True)])
def test_a_worker_whose_name_says_nothing_replaces_another_where_the_target_says_that_they_are_of_one_kind(
    kinds: tuple[str, ...], replaced: bool
) -> None:
    watch = watching(healthy("celery@gpu-brave-otter"), kinds=kinds)
    watch.cluster.dies("celery@gpu-brave-otter")
    workers(watch)
    watch.cluster.add("celery@gpu-calm-heron")
    reading = workers(watch)
    assert cell(reading, "celery@gpu-brave-otter", "replaced") is replaced
    assert cell(reading, "celery@gpu-calm-heron", "kind") == ("celery@gpu-*" if kinds else "celery@gpu-calm-heron")


def test_a_worker_of_the_same_kind_for_another_queue_replaces_nobody() -> None:
    cluster = healthy()
    cluster.add("celery@worker-1", queues=("a",))
    cluster.add("celery@worker-2", queues=("b",))
    watch = watching(cluster)
    cluster.dies("celery@worker-1")
    workers(watch)
    cluster.add("celery@worker-3", queues=("b",))
    assert cell(workers(watch), "celery@worker-1", "replaced") is False


def test_a_worker_for_more_queues_than_the_lost_one_replaces_it() -> None:
    cluster = healthy()
    cluster.add("celery@worker-1", queues=("a",))
    watch = watching(cluster)
    cluster.dies("celery@worker-1")
    workers(watch)
    cluster.add("celery@worker-2", queues=("a", "b"))
    assert cell(workers(watch), "celery@worker-1", "replaced") is True


def test_a_worker_never_seen_online_is_not_replaced() -> None:
    cluster = healthy(*PODS)
    cluster.dies(PODS[0])
    assert cell(workers(watching(cluster, 0), 0), PODS[0], "replaced") is False


def released(newcomers: int, **changes: Any) -> Watch:
    """Three pods were killed, and some came a little later, before anybody looked."""
    cluster = healthy(*PODS, *NEW_PODS[:newcomers])
    killed_at = cluster.now - 60
    for name in PODS:
        cluster.dies(name)
        cluster.beats[name] = replace(cluster.beats[name], heartbeats=(killed_at - 2, killed_at))
    for name in NEW_PODS[:newcomers]:
        cluster.cache[name] = an_inspection(name, at=cluster.now, **{"uptime_s": 50.0, **changes})
    return watching(cluster, 0)


def test_pods_that_died_before_the_first_look_are_replaced_by_as_many_that_came_after_them() -> None:
    reading = workers(released(3), 0)
    assert [(cell(reading, name, "state"), cell(reading, name, "replaced")) for name in PODS] == [("lost", True)] * 3


@pytest.mark.parametrize(
    ("newcomers", "changes"), [(2, {}), (3, {"uptime_s": 300.0}), (3, {"uptime_s": None}), (3, {"queues": ("others",)})]
)
def test_fewer_or_older_or_other_pods_replace_nobody(newcomers: int, changes: dict[str, Any]) -> None:
    reading = workers(released(newcomers, **changes), 0)
    assert [cell(reading, name, "replaced") for name in PODS] == [False] * 3


def test_one_that_was_restarted_in_its_place_is_no_newcomer() -> None:
    watch = released(3)
    watch.cluster.beats |= {name: replace(watch.cluster.beats[name], hellos=2) for name in NEW_PODS}
    assert [cell(workers(watch, 0), name, "replaced") for name in PODS] == [False] * 3


def test_while_one_of_its_kind_may_be_online_it_is_not_known_whether_a_lost_worker_is_replaced() -> None:
    cluster = healthy()
    cluster.add("celery@solo-1", pool="solo")
    cluster.add("celery@solo-2", pool="prefork")
    watch = watching(cluster)
    cluster.dies("celery@solo-2")
    workers(watch)
    cluster.dies("celery@solo-1")
    cluster.gaps[WorkersTasks] = "flower: 503"
    assert "solo pool" in gap(workers(watch), "celery@solo-2", "replaced")


def test_a_pod_with_a_new_name_is_inspected_in_the_look_that_finds_it() -> None:
    watch = watching(healthy(*PODS))
    watch.cluster.add(NEW_PODS[0], queues=("new",))
    del watch.cluster.cache[NEW_PODS[0]]
    watch.cluster.inspections[NEW_PODS[0]] = an_inspection(NEW_PODS[0], queues=("new",))
    assert cell(workers(watch), NEW_PODS[0], "queues") == "new"


# --- Flower away ------------------------------------------------------------------------------------------------------


def test_while_flower_does_not_answer_no_state_is_known_and_no_row_goes() -> None:
    watch = watching()
    watch.cluster.gaps["flower"] = "flower: connection refused"
    reading = workers(watch)
    assert (reading.unread, names(reading), gap(reading, WEB, "state")) == (
        "flower: connection refused",
        [GPU, WEB],
        "flower: connection refused",
    )


def test_after_flower_restarted_workers_are_unknown_for_10_seconds_and_then_online() -> None:
    watch = watching()
    beats, cache = watch.cluster.beats, watch.cluster.cache
    watch.cluster.restarts_flower()
    first = [state(watch, after=1), state(watch, after=4)]
    watch.cluster.beats, watch.cluster.cache, watch.cluster.online = beats, cache, {WEB: True, GPU: True}
    assert all("flower: up since" in str(s) for s in first)
    assert state(watch, after=4) == "online"


def test_a_worker_lost_while_flower_restarted_is_lost_10_seconds_later() -> None:
    watch = watching()
    watch.cluster.restarts_flower()
    watch.cluster.answering.clear()
    states = [state(watch, after=5), state(watch, after=5), state(watch, after=5)]
    assert states[2] == "lost"


def test_a_restarted_flower_that_lists_all_again_at_once_is_noticed_by_its_start() -> None:
    watch = watching()
    watch.cluster.flower_started_at = watch.cluster.now
    watch.cluster.dies(WEB)
    assert "flower: up since" in str(state(watch))


def test_one_restart_of_flower_counts_once_however_late_its_counters_show_it() -> None:
    watch = watching()
    beats, cache, started = watch.cluster.beats, watch.cluster.cache, watch.cluster.flower_started_at
    watch.cluster.restarts_flower()
    watch.cluster.flower_started_at = started
    workers(watch)
    watch.cluster.beats, watch.cluster.cache, watch.cluster.online = beats, cache, {WEB: False, GPU: True}
    watch.cluster.answering.discard(WEB)
    watch.cluster.flower_started_at = started + 86400
    assert [state(watch), state(watch)] == ["lost", "lost"]


def test_after_flower_was_down_silence_is_not_believed_for_10_seconds() -> None:
    watch = watching()
    watch.cluster.gaps["flower"] = "flower: connection refused"
    workers(watch)
    del watch.cluster.gaps["flower"]
    watch.cluster.dies(WEB)
    assert [str(state(watch, after=5))[:16], str(state(watch, after=5))[:16], state(watch, after=5)] == [
        "unknown: flower:",
        "unknown: flower:",
        "lost",
    ]


def test_a_worker_left_behind_by_a_goodbye_stays_left_over_flowers_restart() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    workers(watch)
    beats, cache = watch.cluster.beats, watch.cluster.cache
    watch.cluster.restarts_flower()
    states = [state(watch, after=5)]
    watch.cluster.beats, watch.cluster.cache, watch.cluster.online = {GPU: beats[GPU]}, {GPU: cache[GPU]}, {GPU: True}
    assert [*states, state(watch), state(watch)] == ["left"] * 3


# --- the broker away --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["redis: connection refused", "redis: no answer within 2s"])
def test_while_the_broker_is_away_workers_are_unknown_not_lost(reason: str) -> None:
    watch = watching()
    watch.cluster.gaps["redis"] = reason
    watch.cluster.dies(WEB)
    watch.cluster.dies(GPU)
    assert [state(watch), state(watch, GPU)] == ["unknown: redis: not answering"] * 2


def test_while_the_broker_is_away_nobody_is_asked() -> None:
    watch = watching()
    watch.cluster.gaps["redis"] = "redis: connection refused"
    watch.cluster.dies(WEB)
    for _ in range(40):
        workers(watch)
        assert refreshed(watch) == []


def test_for_10_seconds_after_the_broker_is_back_workers_are_unknown() -> None:
    watch = watching()
    watch.cluster.gaps["redis"] = "redis: connection refused"
    watch.cluster.dies(WEB)
    watch.cluster.dies(GPU)
    workers(watch)
    del watch.cluster.gaps["redis"]
    assert ["redis: back since" in str(state(watch, after=4)) for _ in range(3)] == [True] * 3


def test_a_worker_that_did_not_come_back_with_the_broker_is_lost() -> None:
    watch = watching()
    watch.cluster.gaps["redis"] = "redis: connection refused"
    watch.cluster.dies(WEB)
    workers(watch)
    del watch.cluster.gaps["redis"]
    assert [state(watch), state(watch)][-1] == "lost"


def test_a_restarted_redis_counts_as_just_returned() -> None:
    watch = watching()
    watch.cluster.server = a_server(run_id="run-2", uptime_s=4.0)
    watch.cluster.dies(WEB)
    assert "redis: back since 4s" in str(state(watch))


def test_a_failover_to_another_server_counts_as_just_returned() -> None:
    watch = watching()
    watch.cluster.server = a_server(run_id="run-2", uptime_s=86400.0)
    watch.cluster.dies(WEB)
    assert "redis: back since 0s" in str(state(watch))


def test_on_a_first_look_a_young_redis_counts_as_just_returned() -> None:
    cluster = healthy()
    cluster.server = a_server(uptime_s=3.0)
    cluster.dies(WEB)
    assert "redis: back since 3s" in str(state(watching(cluster, 0), after=0))


def test_a_goodbye_is_believed_while_the_broker_settles() -> None:
    watch = watching()
    watch.cluster.gaps["redis"] = "redis: connection refused"
    workers(watch)
    del watch.cluster.gaps["redis"]
    watch.cluster.leaves(WEB)
    assert state(watch) == "left"


# --- all silent together ----------------------------------------------------------------------------------------------


def all_silent(watch: Watch, *, alive: bool) -> None:
    for name in watch.cluster.online:
        watch.cluster.online[name] = False
    if not alive:
        watch.cluster.answering.clear()


def test_when_flower_loses_its_events_workers_that_answer_are_online() -> None:
    watch = watching()
    all_silent(watch, alive=True)
    assert [state(watch) for _ in range(12)] == ["online"] * 12


@pytest.mark.parametrize("skew", [-180.0, 180.0])
def test_lost_events_are_no_lost_workers_whatever_flowers_clock_says(skew: float) -> None:
    watch = Watch(healthy())
    watch.skew = skew
    watch.look(0)
    watch.look()
    all_silent(watch, alive=True)
    assert [state(watch) for _ in range(12)] == ["online"] * 12


def test_when_all_were_killed_all_are_lost_at_once() -> None:
    watch = watching()
    all_silent(watch, alive=False)
    reading = workers(watch)
    assert [cell(reading, WEB, "state"), cell(reading, GPU, "state")] == ["lost", "lost"]


def test_when_all_are_silent_and_cannot_be_asked_they_are_unknown() -> None:
    watch = watching()
    all_silent(watch, alive=False)
    watch.cluster.gaps |= {InspectOne: "flower: no answer within 5s", InspectAll: "flower: no answer within 5s"}
    assert state(watch) == "unknown: flower: no answer within 5s"


def test_while_nobody_is_heard_they_are_asked_once_a_minute() -> None:
    """A Flower whose broker was away is deaf for as long again: only a refresh shows that all is well."""
    watch = watching()
    all_silent(watch, alive=True)
    watch.cluster.gaps[InspectOne] = watch.cluster.gaps[InspectAll] = "flower: no answer within 5s"
    for _ in range(40):
        workers(watch)
    del watch.cluster.gaps[InspectOne], watch.cluster.gaps[InspectAll]
    assert "online" in [state(watch) for _ in range(7)]


def test_who_does_not_answer_at_once_when_a_broker_is_back_is_not_lost_yet() -> None:
    watch = watching()
    all_silent(watch, alive=False)
    watch.cluster.gaps[InspectOne] = watch.cluster.gaps[InspectAll] = "flower: no answer within 5s"
    for _ in range(40):
        workers(watch)
    del watch.cluster.gaps[InspectOne], watch.cluster.gaps[InspectAll]
    states = [state(watch) for _ in range(14)]
    assert "lost" not in states[: states.index(f"unknown: {RETURNED}") + 5]
    assert states[-1] == "lost"


def test_many_silent_workers_are_asked_together() -> None:
    watch = watching(healthy(*(f"celery@web-{n}" for n in range(5))))
    all_silent(watch, alive=True)
    workers(watch)
    assert refreshed(watch) == ["*"]


def test_those_who_answer_are_online_and_the_others_lost() -> None:
    watch = watching()
    all_silent(watch, alive=True)
    watch.cluster.answering.discard(GPU)
    reading = workers(watch)
    assert [cell(reading, WEB, "state"), cell(reading, GPU, "state")] == ["online", "lost"]


def test_a_worker_killed_while_flower_hears_nothing_is_lost_within_half_a_minute() -> None:
    watch = watching()
    all_silent(watch, alive=True)
    workers(watch)
    watch.cluster.answering.discard(WEB)
    assert [state(watch) for _ in range(3)][-1] == "lost"


def test_a_refresh_that_repeats_an_old_answer_is_no_answer() -> None:
    watch = watching()
    watch.cluster.cache[WEB] = replace(watch.cluster.cache[WEB], at=watch.cluster.now + 5)
    watch.cluster.dies(WEB)
    assert state(watch) == "lost"


def refreshed_by_somebody_else(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody presses Refresh in Flower; watchdog reuses the answer that it got before (`Inspected.good_for_s`)."""
    held, answer = dict(watch.cluster.cache), watch.cluster.answer
    monkeypatch.setattr(watch.cluster, "answer", lambda query, source: held if isinstance(query, Inspected) else answer(query, source))
    watch.cluster.cache = {name: replace(seen, at=watch.cluster.now) for name, seen in held.items()}


def test_who_answered_somebody_elses_refresh_and_then_died_does_not_answer_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watching()
    refreshed_by_somebody_else(watch, monkeypatch)
    watch.cluster.dies(WEB)
    assert state(watch) == "lost"


def test_what_somebody_elses_refresh_found_earlier_says_nothing_of_flowers_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watching(healthy())
    refreshed_by_somebody_else(watch, monkeypatch)
    watch.cluster.beating(25)
    watch.cluster.dies(WEB)
    assert [row.cells["clock_drift_s"] for row in workers(watch).rows] == [0.0, 0.0]


def test_on_a_first_look_nobody_known_is_a_claim_that_everybody_is_asked_about() -> None:
    cluster = Cluster()
    cluster.answering.add(WEB)
    watch = watching(cluster, 0)
    assert (names(workers(watch, 0)), refreshed(watch)) == ([WEB], ["*"])


# --- forgetting -------------------------------------------------------------------------------------------------------


def test_a_lost_worker_is_forgotten_after_forget_after() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    seen = [WEB in names(workers(watch)) for _ in range(9)]
    assert seen == [True] * 6 + [False] * 3


def test_a_forgotten_worker_is_named_as_such() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    forgotten = [workers(watch).forgotten for _ in range(9)]
    assert (forgotten[5], forgotten[6], forgotten[8]) == (frozenset(), frozenset({(WEB,)}), frozenset({(WEB,)}))


def test_a_forgotten_worker_is_not_resurrected_while_flower_still_lists_it() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    assert not any(WEB in names(reading) for reading in [workers(watch) for _ in range(60)][7:])


def test_a_forgotten_worker_is_not_asked() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    for number in range(20):
        workers(watch)
        assert number < 7 or WEB not in refreshed(watch)


def test_a_forgotten_worker_that_comes_back_is_online() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    for _ in range(9):
        workers(watch)
    watch.cluster.online[WEB] = True
    assert state(watch) == "online"


def test_an_expected_worker_is_never_forgotten() -> None:
    watch = watching(forget_after_s=60.0, expected_workers=(WEB,))
    watch.cluster.dies(WEB)
    assert [state(watch) for _ in range(20)][-1] == "lost"


def test_an_expected_worker_never_seen_is_lost() -> None:
    assert state(watching(expected_workers=("celery@backup-1",)), "celery@backup-1") == "lost"


def test_a_glob_of_expected_workers_makes_no_row_by_itself() -> None:
    assert names(workers(watching(expected_workers=("celery@backup-*",)))) == [GPU, WEB]


def test_workers_dead_for_days_are_not_seen_on_a_first_look() -> None:
    cluster = healthy()
    cluster.add("celery@old-1")
    cluster.dies("celery@old-1")
    cluster.beats["celery@old-1"] = replace(cluster.beats["celery@old-1"], heartbeats=(NOW - 2 * 86400,))
    cluster.cache["celery@old-1"] = replace(cluster.cache["celery@old-1"], at=NOW - 2 * 86400)
    assert names(workers(watching(cluster, 0), 0)) == [GPU, WEB]


def test_nothing_is_forgotten_while_the_broker_is_away() -> None:
    watch = watching(forget_after_s=60.0)
    watch.cluster.dies(WEB)
    workers(watch)
    watch.cluster.gaps["redis"] = "redis: connection refused"
    assert WEB in [names(workers(watch)) for _ in range(20)][-1]


def test_a_worker_that_died_while_nobody_looked_for_an_hour_is_lost_not_forgotten() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    watch.cluster.beating(3700)
    assert [state(watch), state(watch), state(watch)] == ["lost"] * 3


def test_a_worker_last_online_days_ago_is_forgotten_when_watching_goes_on() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    watch.cluster.beating(3 * 86400)
    assert WEB not in names(workers(watch))


def test_with_purge_offline_workers_a_killed_worker_is_lost_with_its_last_values() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    del watch.cluster.beats[WEB]
    reading = workers(watch)
    assert (cell(reading, WEB, "state"), cell(reading, WEB, "processed")) == ("lost", 100.0)


def test_with_purge_offline_workers_one_that_was_purged_before_the_first_look_is_not_seen() -> None:
    cluster = healthy()
    cluster.online["celery@purged-1"] = False
    assert names(workers(watching(cluster, 0), 0)) == [GPU, WEB]


def test_with_purge_offline_workers_a_worker_that_left_stays_left() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    workers(watch)
    del watch.cluster.beats[WEB]
    assert state(watch) == "left"


def test_other_apps_workers_are_not_ours() -> None:
    assert names(workers(watching(workers=("celery@web-*",)))) == [WEB]


# --- asking -----------------------------------------------------------------------------------------------------------


def test_nobody_is_asked_on_a_healthy_cluster() -> None:
    watch = watching(looks=0)
    workers(watch, 0)
    assert refreshed(watch) == []


def test_a_worker_online_but_not_in_the_cache_is_asked_once() -> None:
    cluster = healthy()
    del cluster.cache[WEB]
    watch = watching(cluster, 0)
    asked = []
    for number in range(3):
        workers(watch, 10 if number else 0)
        asked.append(refreshed(watch))
    assert asked == [[WEB], [], []]


def test_a_worker_that_does_not_answer_is_asked_again_later_and_later() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    asked_at = []
    for number in range(27):
        workers(watch)
        if refreshed(watch):
            asked_at.append(number * 10)
    assert asked_at == [0, 10, 30, 70, 150]


def test_after_a_404_all_are_asked_at_most_once_a_minute() -> None:
    cluster = healthy()
    del cluster.cache[WEB]
    cluster.answering.discard(WEB)
    watch = watching(cluster, 0)
    asked = []
    for number in range(12):
        workers(watch, 10 if number else 0)
        asked += [number * 10] if "*" in refreshed(watch) else []
    assert asked == [0, 70]


def test_everybody_is_asked_every_5_minutes() -> None:
    watch = watching(looks=0)
    asked = []
    for number in range(92):
        workers(watch, 10 if number else 0)
        asked += [number * 10] if "*" in refreshed(watch) else []
    assert asked == [300, 600, 900]


def test_a_clock_set_back_does_not_stop_the_asking() -> None:
    watch = watching()
    watch.skew = -7200.0
    workers(watch)
    assert refreshed(watch) == ["*"]


def test_an_old_inspection_is_asked_for_again_on_a_first_look() -> None:
    cluster = healthy()
    cluster.cache[WEB] = replace(cluster.cache[WEB], at=NOW - 700)
    watch = watching(cluster, 0)
    workers(watch, 0)
    assert refreshed(watch) == [WEB]


def test_the_inspection_of_an_earlier_process_is_asked_for_again_at_once() -> None:
    watch = watching()
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], pid=99)
    workers(watch)
    assert refreshed(watch) == [WEB]


def test_a_worker_that_never_says_its_queues_is_asked_once_a_minute() -> None:
    cluster = healthy()
    cluster.cache[WEB] = cluster.inspections[WEB] = replace(cluster.cache[WEB], queues=None)
    watch = watching(cluster, 0)
    asked = []
    for number in range(14):
        workers(watch, 10 if number else 0)
        asked += [number * 10] if refreshed(watch) else []
    assert asked == [0, 60, 120]


def test_a_worker_that_was_asked_while_it_started_is_asked_again_soon() -> None:
    cluster = healthy()
    cluster.cache[WEB] = cluster.inspections[WEB] = replace(cluster.cache[WEB], queues=None, uptime_s=1.0)
    watch = watching(cluster, 0)
    workers(watch, 0)
    workers(watch, 10)
    assert refreshed(watch) == [WEB]


def test_a_flower_whose_clock_is_far_behind_does_not_make_every_inspection_old() -> None:
    watch = Watch(healthy())
    watch.skew = 900.0
    watch.look(0)
    asked = []
    for _ in range(5):
        workers(watch)
        asked += refreshed(watch)
    assert (asked, cell(workers(watch), WEB, "queues")) == ([], "indexing")


def test_an_inspection_that_is_asked_in_vain_is_backed_off() -> None:
    watch = watching()
    watch.cluster.dies(WEB)
    watch.cluster.gaps[InspectOne] = "flower: no answer within 5s"
    asked = 0
    for _ in range(27):
        workers(watch)
        asked += len(refreshed(watch))
    assert asked == 5


# --- first looks ------------------------------------------------------------------------------------------------------


def test_a_first_look_sees_a_killed_worker_as_lost() -> None:
    cluster = healthy()
    cluster.dies(WEB)
    assert state(watching(cluster, 0), after=0) == "lost"


def test_a_first_look_within_10_seconds_of_flowers_start_does_not_believe_silence() -> None:
    cluster = healthy()
    cluster.dies(WEB)
    cluster.flower_started_at = NOW - 3
    assert "flower: up since 3s" in str(state(watching(cluster, 0), after=0))


def test_a_first_look_without_the_dashboard_does_not_call_a_silent_worker_lost_before_asking() -> None:
    cluster = healthy()
    cluster.dies(WEB)
    cluster.gaps |= {WorkerHeartbeats: "flower: 500", InspectOne: "flower: 503"}
    assert state(watching(cluster, 0), after=0).__class__ is str
    assert str(state(watching(cluster, 0), after=0)).startswith("unknown")


def test_a_worker_that_status_lists_and_the_dashboard_does_not_is_online() -> None:
    cluster = healthy()
    del cluster.beats[WEB]
    assert state(watching(cluster, 0), after=0) == "online"


def test_without_redis_configured_a_killed_worker_is_lost() -> None:
    watch = watching(sources=frozenset({"flower"}))
    watch.cluster.dies(WEB)
    assert state(watch) == "lost"


@pytest.mark.parametrize("query", [Ping, WorkerStatus, WorkerHeartbeats, Inspected])
def test_no_gap_of_one_look_makes_an_online_worker_lost(query: type) -> None:
    watch = watching()
    watch.cluster.gaps[query] = "gone"
    during = [state(watch) for _ in range(5)]
    watch.cluster.gaps.clear()
    assert "lost" not in [*during, *(state(watch, after=3) for _ in range(5))]


def test_an_odd_beat_without_counts_is_believed_as_it_stands() -> None:
    watch = watching()
    beat: WorkerBeat = replace(watch.cluster.beats[WEB], hellos=None, goodbyes=None, pulses=None, heartbeats=())
    watch.cluster.dies(WEB)
    watch.cluster.beats[WEB] = beat
    assert state(watch) == "left"


def test_heads_of_queues_do_not_disturb_the_fleet() -> None:
    watch = watching()
    watch.cluster.lists["indexing"] = 3
    watch.cluster.heads["indexing"] = MessageHead("a", None)
    assert state(watch) == "online"


# --- lost and back ----------------------------------------------------------------------------------------------------


def comes_and_goes(watch: Watch, *, restarts: bool = False) -> None:
    cluster, beat = watch.cluster, watch.cluster.beats[WEB]
    cluster.dies(WEB)
    watch.look()
    cluster.online[WEB] = True
    cluster.answering.add(WEB)
    if restarts:
        cluster.beats[WEB] = replace(beat, pid=(beat.pid or 0) + 1)
    watch.look()


def test_a_process_that_was_lost_and_is_heard_again_is_counted() -> None:
    watch = watching()
    for _ in range(2):
        comes_and_goes(watch)
    assert cell(workers(watch), WEB, "returns") == 2.0


def test_another_process_under_its_name_is_a_restart_instead() -> None:
    watch = watching()
    comes_and_goes(watch, restarts=True)
    reading = workers(watch)
    assert (cell(reading, WEB, "returns"), cell(reading, WEB, "restarts")) == (0.0, 1.0)


def test_a_worker_that_said_goodbye_did_not_get_lost() -> None:
    watch = watching()
    watch.cluster.leaves(WEB)
    watch.look()
    watch.cluster.add(WEB)
    assert cell(workers(watch), WEB, "returns") == 0.0
