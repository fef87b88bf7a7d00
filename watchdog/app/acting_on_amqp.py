"""Queues of RabbitMQ that are purged or moved, or get failed runs again: what is known before, and then the action itself.

In: a target with `celery = "amqp://…"`, a request. Out: the `Cluster` with its queues, then an `Outcome`. Nothing is raised.
"""

from collections.abc import Callable

from msgspec.structs import replace

from watchdog.app.retrying import not_all_sent, send_again
from watchdog.config.settings import TargetSettings
from watchdog.core.actions.outcome import Answer, Outcome, Word, outcome_of
from watchdog.core.actions.request import Cluster, QueueKnown, Request
from watchdog.sources.celery.amqp_address import is_amqp
from watchdog.sources.celery.settings import CelerySettings

__all__ = ["amqp_of", "on_amqp_queues", "with_amqp_queues"]


def amqp_of(settings: TargetSettings) -> CelerySettings | None:
    """The broker that speaks AMQP, if the target names one and no Redis beside it."""
    celery = settings.celery
    if settings.redis is not None or celery is None or celery.url is None:
        return None
    return celery if is_amqp(celery.url.get_secret_value()) else None


def with_amqp_queues(celery: CelerySettings, request: Request, cluster: Cluster) -> Cluster:
    """The cluster with the queues of the request; without them, and with the reason, if one cannot be read."""
    from watchdog.sources.control.amqp import BrokerError, QueuesOnAmqp  # noqa: PLC0415 - imports kombu, which is slow

    names = [name for name in (request.queue, request.other) if name]
    if request.kind == "shutdown":
        names += sorted({queue for worker in cluster.workers.values() for queue in worker.queues or ()})
    queues = QueuesOnAmqp(celery)
    try:
        found = {name: queues.length(name) for name in dict.fromkeys(names)}
    except BrokerError as error:
        return replace(cluster, silence=cluster.silence or str(error))
    finally:
        queues.close()
    known = {name: QueueKnown(name, {name: length}) for name, length in found.items() if length is not None}
    missing = next((name for name, length in found.items() if length is None), None)
    if missing is not None and request.kind in ("purge", "move"):
        vhost = celery.amqp.virtual_host[:100]
        return Cluster(
            cluster.workers, silence=f'RabbitMQ has no queue "{missing}" in the virtual host {vhost}: a worker that consumes it makes it'
        )
    return replace(cluster, queues=known)


def on_amqp_queues(celery: CelerySettings, request: Request, cluster: Cluster, progress: Callable[[str], None]) -> Outcome:
    """Purge, move or send again, and tell how many messages that were."""
    from watchdog.sources.control.amqp import BrokerError, QueuesOnAmqp  # noqa: PLC0415

    if request.kind == "retry":
        return _sent_again(celery, cluster)
    queue, other, done = request.queue or "", request.other or "", 0
    queues = QueuesOnAmqp(celery)
    try:
        if request.kind == "purge":
            done = queues.purge(queue)
        else:
            for moved in queues.move(queue, other, cluster.queues[queue].length, request.only):
                done += moved
                progress(f"{done} moved")
    except BrokerError as error:
        whole = "no message is lost, at most one is in both queues" if request.kind == "move" else "whether they are deleted is not known"
        return Outcome(Word.PARTLY if done else Word.UNKNOWN, {queue: Answer(None, f"{done} done, then: {error}; {whole}")})
    finally:
        queues.close()
    verb = "deleted" if request.kind == "purge" else f"moved to {other}"
    return outcome_of((), {queue: Answer(worked=True, text=f"{done} {verb}")})


def _sent_again(celery: CelerySettings, cluster: Cluster) -> Outcome:
    from watchdog.sources.control.again import amqp_message_of, mark_of  # noqa: PLC0415
    from watchdog.sources.control.amqp import BrokerError, QueuesOnAmqp  # noqa: PLC0415

    queues, answers = QueuesOnAmqp(celery), dict[str, Answer]()
    try:
        send_again(cluster.runs, lambda run: queues.send_once(run.queue, mark_of(run, ""), amqp_message_of(run)), answers)
    except BrokerError as error:
        return not_all_sent(str(error), answers)
    finally:
        queues.close()
    return outcome_of((), answers)
