import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.cluster import healthy
from tests.builders.worker_states import WEB, state, watching
from watchdog.core.model.queries import Inspected, InspectOne, Ping, WorkerHeartbeats, WorkerStatus
from watchdog.core.model.replies import MessageHead, WorkerBeat


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
