import pytest

from tests.builders.answers import a_server
from tests.builders.cluster import healthy
from tests.builders.worker_states import GPU, WEB, refreshed, state, watching, workers


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
