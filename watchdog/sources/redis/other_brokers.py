"""Brokers of Celery that watchdog does not speak to: what it can know of their workers all the same.

In: the scheme of a `broker_url`. Out: a sentence for whoever wrote it. Which brokers carry events and remote control is what Celery's own
documentation says of them (Backends and Brokers), and whether kombu's transport delivers to many at once.
"""

__all__ = ["OTHER_BROKERS", "instead"]

SEEN_BY_FLOWER = frozenset({"filesystem", "mongodb", "gcpubsub", "pgmq", "qpid"})
"""They carry events and remote control, on which Flower relies."""
SEEN_BY_NOBODY = frozenset({
    "sqs", "zookeeper", "kafka", "confluentkafka", "azurestoragequeues", "azureservicebus", "consul", "etcd", "pyro", "slmq",
    "sqla", "sqlalchemy",
})  # fmt: skip
OF_ONE_PROCESS = "memory"
OF_RABBITMQ = frozenset({"amqp", "amqps", "pyamqp", "librabbitmq"})
OTHER_BROKERS = SEEN_BY_FLOWER | SEEN_BY_NOBODY | OF_RABBITMQ | {OF_ONE_PROCESS}


def instead(scheme: str) -> str:
    """Return what works for a broker of this scheme, which is one of `OTHER_BROKERS`; empty for any other text."""
    if scheme in OF_RABBITMQ:
        return 'RabbitMQ is named by celery = "amqp://…", its management API by rabbitmq = "http://…:15672"'
    if scheme in SEEN_BY_FLOWER:
        return f"watchdog does not speak {scheme}, but Flower does: name it in `flower`, and no broker"
    if scheme in SEEN_BY_NOBODY:
        return (
            f"over {scheme}, Celery's workers send no events and answer no questions, so neither watchdog nor Flower can see them; what "
            "works is a task that pings a service which misses it, and the lengths of queues that their provider shows"
        )
    return "a broker in memory is within one process, and nothing else can see it" if scheme == OF_ONE_PROCESS else ""
