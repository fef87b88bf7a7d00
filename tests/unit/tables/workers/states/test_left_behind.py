import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_task, an_inspection
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import cell, gap, names
from tests.builders.worker_states import DEAF, GPU, WEB, refreshed, state, watching, workers
from watchdog.core.model.queries import InspectOne, RunningTasks


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
