"""RabbitMQ that dies, blocks its publishers, or holds what nobody reads: behind Flower alone, and asked by watchdog itself."""

from tests.scenes.judge import Also, Need
from tests.scenes.lab import Lab
from tests.scenes.plays.common import GONE, one_worker, two_workers
from tests.scenes.scene import Scene

__all__ = ["RABBITMQ"]

DEAF_S = 150.0
"""Flower 2.2 doubles its wait for a broker that is gone, and stays deaf for minutes once it is back; watchdog asks the workers."""


def _rabbit_sick(lab: Lab) -> None:
    """A worker dies while its tasks go on being sent."""
    lab.traffic(1.0, "celery", "other")
    lab.rest_until(50)
    lab.check("RabbitMQ, all is well", (0,))
    lab.step("died")
    lab.cluster.kill_worker("other")
    lab.rest_until(110)
    lab.check("a worker is lost", (1,))
    lab.rest_until(380)


def _rabbit_grows(lab: Lab) -> None:
    lab.traffic(1.0, "celery")
    lab.rest_until(20)
    lab.step("grows")
    lab.send("demo.ok", "celery", count=300, delay=5.0)
    lab.step("misspelt")
    lab.traffic(1.0, "defualt")
    lab.rest_until(690)


def _rabbit_killed(lab: Lab) -> None:
    lab.traffic(1.0, "celery")
    lab.rest_until(30)
    lab.step("killed")
    lab.rabbitmq.kill()
    lab.rest_until(420)
    lab.step("back")
    lab.rabbitmq.start()
    lab.rest_until(600)


def _rabbit_alarmed(lab: Lab) -> None:
    lab.traffic(1.0, "celery")
    lab.rest_until(30)
    lab.step("alarm")
    lab.rabbitmq.set_memory_limit("0")
    lab.rest_until(420)
    lab.step("over")
    lab.rabbitmq.set_memory_limit("0.8")
    lab.rest_until(540)


def _rabbit_down(lab: Lab) -> None:
    lab.traffic(1.0, "celery")
    lab.rest_until(30)
    lab.check("RabbitMQ, all is well", (0,))
    lab.step("killed")
    lab.rabbitmq.kill()
    lab.rest_until(120)
    lab.rabbitmq.start()
    lab.step("back")
    lab.rest_until(290)


def _rabbit_blocked(lab: Lab) -> None:
    """The steps are noted once rabbitmqctl has returned: on a crowded machine it takes a minute to start."""
    lab.traffic(1.0, "celery")
    lab.rest_until(30)
    lab.rabbitmq.set_memory_limit("0")
    lab.step("alarm")
    lab.rest_until(lab.now + 90)
    lab.rabbitmq.set_memory_limit("0.8")
    lab.step("over")
    lab.rest_until(lab.now + 110)


def _two_nodes(lab: Lab) -> None:
    one_worker(lab)
    lab.second_node.start()


def _node_down(lab: Lab) -> None:
    lab.traffic(1.0, "celery")
    lab.rest_until(20)
    lab.step("killed")
    lab.second_node.kill()
    lab.rest_until(380)
    lab.second_node.start()
    lab.step("back")
    lab.rest_until(lab.now + 100)


RABBITMQ = (
    Scene(
        "rabbitmq",
        "RabbitMQ behind Flower alone; one of two workers is killed.",
        400,
        two_workers,
        _rabbit_sick,
        (Need("died", GONE, within_s=60),),
        (Also("died", ("QueueNoConsumers",), "other"),),
        broker="rabbitmq",
    ),
    Scene(
        "rabbitmq_grows",
        "On RabbitMQ a queue grows behind its only process, and one message a second goes to a queue that nobody reads.",
        720,
        one_worker,
        _rabbit_grows,
        (
            Need("grows", ("QueueBacklogHigh",), "celery", within_s=660),
            Need("misspelt", ("QueueNoConsumers",), "defualt", within_s=340),
        ),
        (Also("misspelt", ("QueueBacklogHigh",), "defualt"),),
        broker="rabbitmq",
        asks_rabbitmq=True,
    ),
    Scene(
        "rabbitmq_killed",
        "RabbitMQ is dead for 390 s, behind Flower alone.",
        620,
        one_worker,
        _rabbit_killed,
        (Need("killed", ("Broker*", "Blind", "NoWorkersOnline"), within_s=390, mended="back", end_within_s=DEAF_S),),
        (Also("killed", ("Blind",)),),
        broker="rabbitmq",
    ),
    Scene(
        "rabbitmq_alarm",
        "RabbitMQ is in a memory alarm for 390 s: every publisher hangs.",
        560,
        one_worker,
        _rabbit_alarmed,
        (Need("alarm", ("Broker*", "Blind", "NoWorkersOnline", "WorkerLost"), within_s=390, mended="over", end_within_s=DEAF_S),),
        (Also("alarm", ("Blind", "WorkerEnded", "QueueNoConsumers", *GONE)),),
        broker="rabbitmq",
    ),
    Scene(
        "rabbitmq_down",
        "RabbitMQ is dead for 90 s, and watchdog asks it itself.",
        330,
        one_worker,
        _rabbit_down,
        (Need("killed", ("BrokerUnreachable",), within_s=60, mended="back"),),
        (Also("killed", ("Blind", "WorkerEnded", *GONE)),),
        broker="rabbitmq",
        asks_rabbitmq=True,
    ),
    Scene(
        "rabbitmq_blocked",
        "RabbitMQ is in a memory alarm for 90 s: every publisher hangs, and watchdog asks it itself.",
        500,
        one_worker,
        _rabbit_blocked,
        (Need("alarm", ("BrokerAlarm",), within_s=45, mended="over"),),
        (Also("alarm", ("Blind", "WorkerEnded", *GONE)),),
        broker="rabbitmq",
        asks_rabbitmq=True,
    ),
    Scene(
        "rabbitmq_node_down",
        "One of two nodes of a RabbitMQ cluster is dead for six minutes; the queues are on the other one.",
        560,
        _two_nodes,
        _node_down,
        (Need("killed", ("BrokerNodeDown",), within_s=350, mended="back"),),
        broker="rabbitmq",
        asks_rabbitmq=True,
    ),
)
