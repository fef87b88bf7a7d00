"""Whether a worker that went was replaced: as many of its kind are online again as when it was last online.

Of its kind are those whose names fold to the same, and that serve its queues where both are known: a worker for another queue
replaces nobody. Once replaced stays replaced: a later scaling down is no news of a worker that is long gone.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from watchdog.tables.fleet import KnownWorker
from watchdog.tables.worker_names import kind_of

__all__ = ["with_peers"]

Serving = tuple[str, frozenset[str] | None]


def with_peers(known: Mapping[str, KnownWorker], now: float) -> dict[str, KnownWorker]:
    """Note at each online worker how many peers are online with it, and at each other whether it was replaced."""
    online = Counter(_serving(w) for w in known.values() if w.state == "online" and not w.unknown)
    return {name: _beside(worker, _peers(worker, online), now) for name, worker in known.items()}


def _beside(worker: KnownWorker, peers: int, now: float) -> KnownWorker:
    if worker.online_at is None:
        return worker
    if worker.online_at == now:
        return replace(worker, peers_online=peers)
    return replace(worker, replaced=True) if peers >= worker.peers_online and not worker.replaced else worker


def _peers(worker: KnownWorker, online: Counter[Serving]) -> int:
    kind, queues = _serving(worker)
    return sum(count for (k, q), count in online.items() if k == kind and (q is None or queues is None or q >= queues))


def _serving(worker: KnownWorker) -> Serving:
    seen = worker.inspection
    return kind_of(worker.name), None if seen is None or seen.queues is None else frozenset(seen.queues)
