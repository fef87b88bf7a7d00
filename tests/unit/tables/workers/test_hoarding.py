from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import a_conf, a_target
from tests.builders.cluster import Cluster
from tests.builders.looks import Watch, cell, gap
from watchdog.core.model.queries import InspectOne
from watchdog.core.model.servers.worker_queries import HeldByWorkers, ScheduledByWorkers
from watchdog.core.model.servers.worker_replies import WorkerSettings

HOARDER, IDLE = "celery@hoarder-1", "celery@idle-1"
BOTH = frozenset({"flower", "redis", "celery"})


def a_cluster(prefetch: int = 100, held: int = 59, pool_size: int = 1, idle_active: int = 0, **of_idle: Any) -> Cluster:
    """One worker that has fetched much, another one beside it."""
    cluster = Cluster()
    cluster.add(HOARDER, queues=("indexing",), pool_size=pool_size, active=1)
    cluster.add(IDLE, **{"queues": ("indexing",), "pool_size": 1, **of_idle}, active=idle_active)
    cluster.held[HOARDER] = {"indexing": held}
    _fetching(cluster, HOARDER, prefetch)
    _fetching(cluster, IDLE, 4)
    return cluster


def _fetching(cluster: Cluster, name: str, prefetch: int, reserved: int | None = None) -> None:
    cluster.cache[name] = replace(cluster.cache[name], prefetch=prefetch, reserved=reserved)
    cluster.inspections[name] = cluster.cache[name]


def hoarded(cluster: Cluster, sources: frozenset[str] = BOTH, looks: int = 2) -> object:
    watch = Watch(cluster, a_target(sources=sources))
    for number in range(looks):
        reading = watch.look(10 if number else 0)["workers"]
    value = cell(reading, HOARDER, "hoarded")
    return value if value is not None else gap(reading, HOARDER, "hoarded")


def asked(cluster: Cluster) -> list[tuple[str, ...]]:
    return [query.workers for query in cluster.asked if isinstance(query, HeldByWorkers)]


def test_messages_that_wait_for_one_worker_beside_an_idle_one_are_hoarded() -> None:
    assert hoarded(a_cluster()) == 59


def test_one_look_is_enough() -> None:
    assert hoarded(a_cluster(), looks=1) == 59


def test_without_a_limit_a_worker_may_hoard_anything() -> None:
    assert hoarded(a_cluster(prefetch=0, held=4000)) == 4000


@pytest.mark.parametrize(
    ("cluster", "why"),
    [
        (a_cluster(prefetch=4), "it may hold no more than by default"),
        (a_cluster(prefetch=32, pool_size=8), "nor for each process of its pool"),
        (a_cluster(idle_active=1), "nobody is idle"),
        (a_cluster(queues=("training",)), "the idle one consumes another queue"),
    ],
    ids=["default", "default for a pool", "nobody idle", "another queue"],
)
def test_a_worker_that_hoards_nothing_is_not_even_asked(cluster: Cluster, why: str) -> None:
    assert (hoarded(cluster), asked(cluster)) == (0, []), why


def test_messages_that_wait_for_their_eta_are_not_hoarded() -> None:
    cluster = a_cluster(prefetch=1004, held=0)
    cluster.scheduled[HOARDER] = 1000
    assert hoarded(cluster) == 0


def test_a_few_messages_ahead_are_not_hoarded() -> None:
    assert hoarded(a_cluster(held=4)) == 0


def test_messages_of_a_queue_that_no_idle_worker_consumes_are_not_hoarded() -> None:
    cluster = a_cluster()
    cluster.cache[HOARDER] = replace(cluster.cache[HOARDER], queues=("indexing", "training"))
    cluster.held[HOARDER] = {"training": 59}
    assert hoarded(cluster) == 0


def test_messages_under_a_routing_key_that_is_no_queue_may_be_of_any() -> None:
    cluster = a_cluster()
    cluster.held[HOARDER] = {"orders.eu": 59}
    assert hoarded(cluster) == 59


def test_messages_under_a_routing_key_that_is_no_queue_are_not_hoarded_where_they_may_be_of_a_queue_without_an_idle_worker() -> None:
    cluster = a_cluster()
    cluster.cache[HOARDER] = replace(cluster.cache[HOARDER], queues=("indexing", "feeds"))
    cluster.held[HOARDER] = {"feed.import": 59}
    assert hoarded(cluster) == 0


def test_a_worker_that_is_gone_hoards_nothing() -> None:
    cluster = a_cluster()
    cluster.dies(HOARDER)
    assert hoarded(cluster) == 0


def test_a_worker_that_does_not_say_what_it_holds_leaves_it_unknown() -> None:
    cluster = a_cluster()
    cluster.gaps[HeldByWorkers] = "celery: no answer"
    cluster.gaps[InspectOne] = "flower: no answer"
    assert hoarded(cluster) == "celery: no answer"


@pytest.mark.parametrize("refused", [True, False])
def test_where_workers_cannot_be_asked_flower_asks_them(*, refused: bool) -> None:
    cluster = a_cluster()
    _fetching(cluster, HOARDER, 100, reserved=59)
    if refused:
        cluster.gaps["celery"] = "celery: the broker denied it"
    assert hoarded(cluster, BOTH if refused else frozenset({"flower", "redis"})) == 59


def test_of_a_worker_with_several_queues_flower_does_not_say_from_which_its_messages_came() -> None:
    cluster = a_cluster()
    _fetching(cluster, HOARDER, 100, reserved=59)
    several = replace(cluster.cache[HOARDER], queues=("indexing", "training"))
    cluster.cache[HOARDER] = cluster.inspections[HOARDER] = several
    assert hoarded(cluster, frozenset({"flower", "redis"})) == 0


# --- prefetch_count and scheduled -------------------------------------------------------------------------------------


def columns(cluster: Cluster, name: str = HOARDER) -> tuple[object, object, object]:
    reading = Watch(cluster, a_target(sources=BOTH)).look(0)["workers"]
    return cell(reading, name, "prefetch_count"), cell(reading, name, "scheduled"), gap(reading, name, "scheduled")


def with_multiplier(cluster: Cluster, multiplier: float) -> Cluster:
    for name, seen in cluster.cache.items():
        cluster.cache[name] = replace(seen, conf=replace(a_conf(), settings=WorkerSettings(prefetch_multiplier=multiplier)))
    return cluster


def scheduled_asked(cluster: Cluster) -> set[str]:
    return {name for query in cluster.asked if isinstance(query, ScheduledByWorkers) for name in query.workers}


def test_a_prefetch_count_that_its_settings_explain_holds_no_message_with_an_eta() -> None:
    cluster = with_multiplier(a_cluster(prefetch=4), 4)
    assert (columns(cluster), scheduled_asked(cluster)) == ((4, 0, ""), set())


def test_a_prefetch_count_that_they_do_not_explain_is_asked_about() -> None:
    cluster = with_multiplier(a_cluster(prefetch=14), 4)
    cluster.scheduled[HOARDER] = 10
    assert (columns(cluster), scheduled_asked(cluster)) == ((14, 10, ""), {HOARDER})


def test_ten_thousand_messages_are_not_listed_to_count_them() -> None:
    cluster = with_multiplier(a_cluster(prefetch=10_004), 4)
    prefetch, scheduled, why = columns(cluster)
    assert (prefetch, scheduled, scheduled_asked(cluster)) == (10_004, None, set())
    assert "too many to be listed" in str(why)
