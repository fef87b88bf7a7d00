import pytest

from tests.builders.answers import a_conf, a_target
from tests.builders.cluster import healthy
from tests.builders.looks import Watch
from watchdog.core.model.replies import WorkerConf
from watchdog.tables.queues.other_broker import broker_elsewhere

OURS = a_target(redis_db=0)


def conf(db: int | None = 0, transport: str | None = "redis") -> WorkerConf:
    return a_conf(transport=transport, broker_db=db)


@pytest.mark.parametrize("confs", [[conf()], [conf(1), conf(0)], [conf(None)], [conf(1, None)], [], [conf(1, "sentinel"), conf(0)]])
def test_a_redis_that_may_be_the_workers_is_theirs(confs: list[WorkerConf]) -> None:
    assert broker_elsewhere(OURS, confs, bound_here=True) is None


def test_another_database_is_named_beside_the_configured_one() -> None:
    why = broker_elsewhere(OURS, [a_conf(transport="redis", broker_db=1)], bound_here=False)
    assert why == "redis: configured is database 0, the workers use 1: set the database in this target's `redis`"


def test_another_kind_of_broker_is_named_where_no_queue_is_bound_here() -> None:
    amqp = [a_conf(transport="amqp")]
    assert "the workers' broker is amqp" in str(broker_elsewhere(OURS, amqp, bound_here=False))
    assert broker_elsewhere(OURS, amqp, bound_here=True) is None


def test_queues_and_broker_are_gaps_then() -> None:
    cluster = healthy()
    for name in list(cluster.cache):
        cluster.add(name, conf=a_conf(transport="redis", broker_db=1))
    seen = Watch(cluster, OURS).look(0)
    assert (seen["queues"].unread or "").startswith("redis: configured is database 0, the workers use 1")
    assert seen["broker"].rows[0].gaps["unacked"] == seen["queues"].unread
