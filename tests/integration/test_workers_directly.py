"""Real workers without Flower, and with a Flower that dies: they are asked themselves, again and again, as the daemon does it."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.builders.looks import cell, gap
from tests.processes.cluster import Cluster
from tests.processes.looking import Watching

FORKED, OTHER, ALONE = "celery@forked", "celery@other", "celery@alone"
HURRY = 3.0
"""Where nobody but a worker that is asked says anything, what takes a worker for lost may as well take a third of its time."""


@pytest.fixture
def watch() -> Iterator[Callable[..., Watching]]:
    made: list[Watching] = []

    def make(hurry: float = 1.0, **target: object) -> Watching:
        made.append(Watching(hurry=hurry, **target))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path) as cluster:
        cluster.start_redis()
        cluster.start_worker(FORKED, ["forked"], 2)
        cluster.start_worker(OTHER, ["forked"], 1, "threads")
        yield cluster


def test_without_flower_workers_are_known_by_what_they_say(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    watching = watch(redis=cluster.redis_url)
    watching.until({FORKED: "online", OTHER: "online"})
    workers = watching.table("workers")
    assert (cell(workers, FORKED, "pool_size"), cell(workers, FORKED, "queues"), cell(workers, FORKED, "active")) == (2, "forked", 0)
    assert cell(watching.table("queues"), "forked", "consumers") == 2


def test_without_flower_a_goodbye_is_told_from_a_loss(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    watching = watch(redis=cluster.redis_url, hurry=HURRY)
    watching.until({FORKED: "online", OTHER: "online"})
    cluster.kill_worker(FORKED)
    cluster.kill_worker(OTHER, signal.SIGTERM)
    watching.until({FORKED: "lost", OTHER: "left"})


def test_without_flower_a_frozen_worker_is_lost_and_comes_back(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    watching = watch(redis=cluster.redis_url, hurry=HURRY)
    watching.until({FORKED: "online", OTHER: "online"})
    process = cluster.workers[OTHER]
    process.send(signal.SIGSTOP)
    try:
        watching.until({FORKED: "online", OTHER: "lost"})
    finally:
        process.send(signal.SIGCONT)
    watching.until({FORKED: "online", OTHER: "online"})


def test_without_flower_the_death_of_the_only_worker_is_a_loss(tmp_path: Path, watch: Callable[..., Watching]) -> None:
    with Cluster(tmp_path) as cluster:
        cluster.start_redis()
        cluster.start_worker(FORKED, ["forked"])
        watching = watch(redis=cluster.redis_url, hurry=HURRY)
        watching.until({FORKED: "online"})
        cluster.kill_worker(FORKED)
        watching.until({FORKED: "lost"})


def test_without_flower_a_busy_solo_worker_is_not_lost(tmp_path: Path, watch: Callable[..., Watching]) -> None:
    with Cluster(tmp_path) as cluster:
        cluster.start_redis()
        cluster.start_worker(ALONE, ["alone"], 1, "solo")
        watching = watch(redis=cluster.redis_url)
        watching.until({ALONE: "online"})
        cluster.flood("alone", 1, delay=25.0)
        time.sleep(1)  # it has begun
        ends_at, seen = time.monotonic() + 20, set()
        while time.monotonic() < ends_at:
            seen |= set(watching.workers().values())
            time.sleep(0.2)  # others have work to do meanwhile
        assert seen == {"online"}


def test_where_flower_dies_and_workers_live_they_stay_online(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    cluster.start_flower()
    cluster.wait_ready()
    watching = watch(redis=cluster.redis_url, flower=cluster.flower_url)
    watching.until({FORKED: "online", OTHER: "online"})
    cluster.stop_flower(signal.SIGKILL)
    seen = [watching.workers() for _ in range(4)]
    assert seen == [{FORKED: "online", OTHER: "online"}] * 4
    cluster.kill_worker(FORKED)
    watching.until({FORKED: "lost", OTHER: "online"})
    assert "connection refused" in watching.table("workers").note


def test_where_flower_comes_back_its_word_counts_again(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    cluster.start_flower()
    cluster.wait_ready()
    watching = watch(redis=cluster.redis_url, flower=cluster.flower_url)
    watching.until({FORKED: "online", OTHER: "online"})
    cluster.stop_flower(signal.SIGKILL)
    watching.until({FORKED: "online", OTHER: "online"})
    cluster.start_flower()
    watching.until({FORKED: "online", OTHER: "online"})
    assert watching.table("workers").note == ""


def test_while_the_broker_hangs_no_worker_is_called_lost(cluster: Cluster, watch: Callable[..., Watching]) -> None:
    watching = watch(redis=cluster.redis_url)
    watching.until({FORKED: "online", OTHER: "online"})
    cluster.stop_redis(signal.SIGSTOP)
    try:
        began = time.monotonic()
        workers = watching.table("workers")
        assert time.monotonic() - began < 8
        assert (cell(workers, FORKED, "state"), "redis: no answer" in gap(workers, FORKED, "state")) == (None, True)
    finally:
        cluster.resume_redis()
    watching.until({FORKED: "online", OTHER: "online"})
