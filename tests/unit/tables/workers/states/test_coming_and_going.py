import pytest
from msgspec.structs import replace

from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import cell
from tests.builders.worker_states import WEB, refreshed, state, watching, workers
from watchdog.core.model.queries import WorkerHeartbeats


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
