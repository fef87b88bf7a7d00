"""Whether a worker that is gone was replaced: as many workers of its kind are online again as when it was last online.

A replacement has a name that folds to the same kind and serves the same queues, if these are known for both: a worker for another queue is
no replacement. A replaced worker stays replaced: scaling down later says nothing about a worker long gone. A worker that was never seen
online is replaced by as many workers as died with it, with names new to Flower, that started after it fell silent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from watchdog.tables.workers.memory import KnownWorker
from watchdog.tables.workers.names import kind_of

__all__ = ["peers_online", "with_peers"]

TOGETHER_S = 60.0
"""Workers that fell silent within so many seconds of each other died together."""
BORN_S = 2.0
"""A heartbeat in Flower may be so many seconds later than the start of the replacement."""

Serving = tuple[str, tuple[str, ...] | None]
"""A worker's kind, and its queues; None if they are unknown."""


def with_peers(known: Mapping[str, KnownWorker], kinds: tuple[str, ...], now: float) -> dict[str, KnownWorker]:
    """Record for each online worker how many peers are online with it, and for each other whether it was replaced.

    `kinds`: the target's patterns for kinds.
    """
    peers = peers_online(known, kinds)
    beside = {name: _beside(worker, peers[name], now) for name, worker in known.items()}
    unseen = [worker for worker in beside.values() if _died_unseen(worker)]
    if unseen:
        beside |= {worker.name: replace(worker, replaced=True) for worker in _succeeded(unseen, beside.values(), kinds)}
    return beside


def peers_online(known: Mapping[str, KnownWorker], kinds: tuple[str, ...]) -> dict[str, int]:
    """Return for each worker how many workers of its kind that serve its queues are online, itself included."""
    serving = {name: _serving(worker, kinds) for name, worker in known.items()}
    online = _Online((name, serving[name]) for name, worker in known.items() if worker.state == "online" and not worker.unknown)
    return {name: online.peers(serving[name]) for name in known}


def _beside(worker: KnownWorker, peers: int, now: float) -> KnownWorker:
    if worker.online_at is None or worker.busy:
        return worker
    if worker.online_at == now:
        return worker if worker.peers_online == peers else replace(worker, peers_online=peers)
    return replace(worker, replaced=True) if peers >= worker.peers_online and not worker.replaced else worker


def _died_unseen(worker: KnownWorker) -> bool:
    """Whether it was dead at the first poll."""
    lost = worker.state == "lost" and not worker.unknown and not worker.replaced
    return lost and worker.online_at is None and worker.beat is not None and bool(worker.beat.heartbeats)


def _succeeded(unseen: Iterable[KnownWorker], known: Iterable[KnownWorker], kinds: tuple[str, ...]) -> Iterable[KnownWorker]:
    """Yield the workers never seen online for which as many new workers of the kind, serving their queues, started as died together."""
    died: dict[str, list[float]] = {}
    for worker in unseen:
        died.setdefault(kind_of(worker.name, kinds), []).append(_last_heard(worker))
    born: dict[str, list[tuple[float, tuple[str, ...] | None]]] = {kind: [] for kind in died}
    for worker in known:
        kind, queues = _serving(worker, kinds)
        if worker.born_at is not None and kind in born and _is_new(worker):
            born[kind].append((worker.born_at, queues))
    for worker in unseen:
        (kind, queues), at = _serving(worker, kinds), _last_heard(worker)
        after = sum(when > at - BORN_S and (queues is None or theirs is None or set(queues) <= set(theirs)) for when, theirs in born[kind])
        if after >= sum(abs(when - at) <= TOGETHER_S for when in died[kind]):
            yield worker


def _is_new(worker: KnownWorker) -> bool:
    """Whether it is online with a name new to Flower. A worker restarted in place has sent a hello before."""
    return worker.state == "online" and not worker.unknown and worker.beat is not None and worker.beat.hellos == 1


def _last_heard(worker: KnownWorker) -> float:
    return worker.beat.heartbeats[-1] if worker.beat is not None and worker.beat.heartbeats else 0.0


class _Online:
    """Online workers, by kind and queue. Comparing each with each would cost a second for a thousand workers."""

    def __init__(self, online: Iterable[tuple[str, Serving]]) -> None:
        self._of_kind: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()  # their queues are unknown: they may serve any
        self._of_queue: dict[tuple[str, str], set[str]] = {}
        self._peers: dict[Serving, int] = {}
        for name, (kind, queues) in online:
            self._of_kind[kind] += 1
            self._silent[kind] += queues is None
            for queue in queues or ():
                self._of_queue.setdefault((kind, queue), set()).add(name)

    def peers(self, serving: Serving) -> int:
        """Return how many workers of that kind serve at least these queues, as far as known."""
        found = self._peers.get(serving)
        if found is None:
            kind, queues = serving
            sharing = [self._of_queue.get((kind, queue), set()) for queue in queues or ()]
            both = len(set.intersection(*sharing)) + self._silent[kind] if sharing else self._of_kind[kind]
            found = self._peers[serving] = both
        return found


def _serving(worker: KnownWorker, kinds: tuple[str, ...]) -> Serving:
    seen = worker.inspection
    return kind_of(worker.name, kinds), None if seen is None else seen.queues
