from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import an_inspection
from tests.builders.cluster import healthy
from tests.builders.looks import Watch, cell, gap
from tests.builders.worker_states import NEW_PODS, PODS, watching, workers
from watchdog.core.model.queries import WorkersTasks


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
