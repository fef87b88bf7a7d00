"""What an action will touch, what of it will have no effect, and why it cannot be done.

In: the request, and the cluster as it is known now. Out: `Foreseen`. What a pool ignores without a word is said here, before anything is
sent: Celery itself answers "ok" to most of it.
"""

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from watchdog.core.actions.kinds import KINDS
from watchdog.core.actions.on_runs import foresee_runs
from watchdog.core.actions.on_workers import ON_WORKERS, named
from watchdog.core.actions.request import Cluster, Foreseen, QueueKnown, Request, WorkerKnown
from watchdog.core.text.suggestions import did_you_mean
from watchdog.core.text.wording import counted

__all__ = ["foresee"]


def foresee(request: Request, cluster: Cluster) -> Foreseen:
    """Everything that can be said before."""
    if request.kind == "retry":
        return foresee_runs(request, cluster)
    if not KINDS[request.kind].command:
        return Foreseen(tuple(_of_queues(request, cluster)), tuple(_notes_of_queues(request, cluster)), tuple(_no_queue(request, cluster)))
    if cluster.silence:
        return Foreseen(faults=(cluster.silence,))
    chosen, faults = _chosen(request.workers, cluster)
    if faults:
        return Foreseen(faults=faults)
    if not chosen:
        return Foreseen(faults=("no worker answers, and none is known; nothing was sent",))
    touches, notes = ON_WORKERS[request.kind](request, chosen, cluster)
    silent = [worker.name for worker in chosen if not worker.answers]
    if silent:
        notes = [*notes, f"no answer now from {named(silent)}: busy with a task of a solo pool, or gone; it is told all the same"]
    return Foreseen(tuple(touches), tuple(notes), (), tuple(worker.name for worker in chosen))


def _chosen(patterns: Collection[str], cluster: Cluster) -> tuple[list[WorkerKnown], tuple[str, ...]]:
    """The workers meant, by name; and a fault for each pattern that means none."""
    known = cluster.workers
    if not patterns:
        return [known[name] for name in sorted(known)], ()
    found: dict[str, WorkerKnown] = {}
    faults = []
    for pattern in patterns:
        matched = [name for name in known if name == pattern] or [name for name in known if fnmatchcase(name, pattern)]
        if not matched:
            others = f"; there are {named(sorted(known))}" if known else "; there is none"
            faults.append(f'no worker "{pattern}" answers, nor was one seen a moment ago{did_you_mean(pattern, known) or others}')
        found |= {name: known[name] for name in matched}
    return [found[name] for name in sorted(found)], tuple(faults)


# --- queues ---------------------------------------------------------------------------------------------------------


def _of_queues(request: Request, cluster: Cluster) -> Iterator[str]:
    found = cluster.queues.get(request.queue or "")
    if found is None:
        return
    lists = ", ".join(f"{_list_name(key, found)} {length}" for key, length in found.lengths.items() if length)
    where = f" ({lists})" if len([n for n in found.lengths.values() if n]) > 1 else ""
    if request.kind == "purge":
        yield f"{found.name}: {counted(found.length, 'message')}{where} deleted for good"
        return
    other = cluster.queues.get(request.other or "")
    there = f", where {counted(other.length, 'message')} wait" if other and other.length else ""
    if request.only is None:
        yield f"{found.name}: {counted(found.length, 'message')}{where} moved to {request.other}{there}"
    else:
        matching = "those" if cluster.matching is None else counted(cluster.matching, "message")
        yield f"{found.name}: {matching} of {request.only}, of {found.length}, moved to {request.other}{there}"


def _list_name(key: str, queue: QueueKnown) -> str:
    """A list of a queue by its priority step: the first has none in its key."""
    first = next(iter(queue.lengths), key)
    return "priority 0:" if key == first else f"priority {key.rpartition(chr(0x16))[2] or key}:"


def _notes_of_queues(request: Request, cluster: Cluster) -> Iterator[str]:
    found = cluster.queues.get(request.queue or "")
    if found is not None and not found.length:
        yield f"nothing waits in {found.name}"
    if request.kind == "purge":
        yield "what workers have fetched already is not in the queue any more, and stays: reserved tasks, and those with an ETA"
        return
    yield "what workers have fetched already is not in the queue any more, and is not moved"
    if request.only is not None and cluster.matching is None:
        yield "how many they are is not known before: RabbitMQ shows no message without taking it from its queue"
        yield "until it has ended, workers do not get the other messages; these return to their places then, marked as redelivered"
    if request.other and not cluster.consumed(request.other):
        if cluster.silence:
            yield f"whether a worker consumes {request.other} is not known: {cluster.silence}"
        else:
            served = {name for worker in cluster.workers.values() for name in worker.queues or ()}
            yield f"no worker that answered consumes {request.other}{did_you_mean(request.other, served)}"


def _no_queue(request: Request, cluster: Cluster) -> Iterator[str]:
    if request.queue not in cluster.queues:
        yield cluster.silence or f'the queue "{request.queue}" could not be read'
    if request.kind == "move" and request.queue == request.other:
        yield f'expected another queue to move to, found "{request.other}" twice'
