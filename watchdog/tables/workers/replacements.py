"""Whether a worker that went was replaced: as many of its kind are online again as when it was last online.

Of its kind are those whose names fold to the same, and that serve its queues where both are known: a worker for another queue
replaces nobody. Once replaced stays replaced: a later scaling down is no news of a worker that is long gone. Where nobody saw it online, it
is replaced by as many as died with it, under names that Flower had not heard before, and that began after it fell silent.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from watchdog.tables.workers.memory import KnownWorker
from watchdog.tables.workers.names import kind_of

__all__ = ["peers_online", "with_peers"]

TOGETHER_S = 60.0
"""Those that fell silent within so long of each other died together."""
BORN_S = 2.0
"""A heartbeat in Flower may be so much later than the birth of who follows."""

Serving = tuple[str, frozenset[str] | None]
"""A worker's kind, and its queues where they are known."""


def with_peers(known: Mapping[str, KnownWorker], now: float) -> dict[str, KnownWorker]:
    """Note at each online worker how many peers are online with it, and at each other whether it was replaced."""
    peers = peers_online(known)
    beside = {name: _beside(worker, peers[name], now) for name, worker in known.items()}
    unseen = [worker for worker in beside.values() if _died_unseen(worker)]
    if unseen:
        beside |= {worker.name: replace(worker, replaced=True) for worker in _succeeded(unseen, beside.values())}
    return beside


def peers_online(known: Mapping[str, KnownWorker]) -> dict[str, int]:
    """How many workers of each one's kind that serve its queues are online, itself included."""
    serving = {name: _serving(worker) for name, worker in known.items()}
    online = _Online((name, serving[name]) for name, worker in known.items() if worker.state == "online" and not worker.unknown)
    return {name: online.peers(serving[name]) for name in known}


def _beside(worker: KnownWorker, peers: int, now: float) -> KnownWorker:
    if worker.online_at is None or worker.busy:
        return worker
    if worker.online_at == now:
        return worker if worker.peers_online == peers else replace(worker, peers_online=peers)
    return replace(worker, replaced=True) if peers >= worker.peers_online and not worker.replaced else worker


def _died_unseen(worker: KnownWorker) -> bool:
    """Whether it was dead when it was first looked at."""
    lost = worker.state == "lost" and not worker.unknown and not worker.replaced
    return lost and worker.online_at is None and worker.beat is not None and bool(worker.beat.heartbeats)


def _succeeded(unseen: Iterable[KnownWorker], known: Iterable[KnownWorker]) -> Iterable[KnownWorker]:
    """Of those that nobody saw online: whom as many newcomers of its kind that serve its queues came after as died with it."""
    died: dict[str, list[float]] = {}
    for worker in unseen:
        died.setdefault(kind_of(worker.name), []).append(_last_heard(worker))
    born: dict[str, list[tuple[float, frozenset[str] | None]]] = {kind: [] for kind in died}
    for worker in known:
        if worker.born_at is not None and kind_of(worker.name) in born and _is_new(worker):
            born[kind_of(worker.name)].append((worker.born_at, _serving(worker)[1]))
    for worker in unseen:
        (kind, queues), at = _serving(worker), _last_heard(worker)
        after = sum(when > at - BORN_S and (queues is None or theirs is None or queues <= theirs) for when, theirs in born[kind])
        if after >= sum(abs(when - at) <= TOGETHER_S for when in died[kind]):
            yield worker


def _is_new(worker: KnownWorker) -> bool:
    """Whether it is online under a name that is new to Flower: one that was restarted in its place has said hello before."""
    return worker.state == "online" and not worker.unknown and worker.beat is not None and worker.beat.hellos == 1


def _last_heard(worker: KnownWorker) -> float:
    return worker.beat.heartbeats[-1] if worker.beat is not None and worker.beat.heartbeats else 0.0


class _Online:
    """Who is online, by kind and queue: comparing each with each would cost a thousand workers a second."""

    def __init__(self, online: Iterable[tuple[str, Serving]]) -> None:
        self._of_kind: Counter[str] = Counter()
        self._silent: Counter[str] = Counter()  # whose queues are not known: they may serve any
        self._of_queue: dict[tuple[str, str], set[str]] = {}
        self._peers: dict[Serving, int] = {}
        for name, (kind, queues) in online:
            self._of_kind[kind] += 1
            self._silent[kind] += queues is None
            for queue in queues or ():
                self._of_queue.setdefault((kind, queue), set()).add(name)

    def peers(self, serving: Serving) -> int:
        """How many of that kind serve at least these queues, as far as is known."""
        found = self._peers.get(serving)
        if found is None:
            kind, queues = serving
            sharing = [self._of_queue.get((kind, queue), set()) for queue in queues or ()]
            both = len(set.intersection(*sharing)) + self._silent[kind] if sharing else self._of_kind[kind]
            found = self._peers[serving] = both
        return found


def _serving(worker: KnownWorker) -> Serving:
    seen = worker.inspection
    return kind_of(worker.name), None if seen is None or seen.queues is None else frozenset(seen.queues)
