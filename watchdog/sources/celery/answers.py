"""Decodes what workers say of themselves. In: their replies, as kombu decoded them. Out: reply types, without what has another shape.

Workers may be of any version and their names and texts are theirs: nothing here trusts a type. `stats` and its companions are read by the
decoder of Flower's `/api/workers`, which hands out the same objects.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from watchdog.core.model.replies import HeldMessages, WorkerInspection
from watchdog.core.model.schedules.periodic import WorkerPlan
from watchdog.core.text.names import LONGEST_NAME, short_named
from watchdog.sources.flower.inspections import read_leniently
from watchdog.sources.periodic.worker_plans import worker_plans

__all__ = ["held", "inspected", "planned", "ponged", "scheduled"]


def ponged(said: Mapping[str, object]) -> frozenset[str]:
    """The workers that answered a ping."""
    return frozenset(name for name, reply in said.items() if isinstance(reply, Mapping) and "ok" in reply and len(name) <= LONGEST_NAME)


def inspected(parts: Mapping[str, Mapping[str, object]], now: float) -> dict[str, WorkerInspection]:
    """Worker -> what it says of itself. `parts`: command -> worker -> reply; `now`: epoch seconds."""
    names = [name for name, stats in parts.get("stats", {}).items() if isinstance(stats, Mapping)]
    found = read_leniently(_as_flower_has_them(names, parts, {"timestamp": now}))
    return found if isinstance(found, dict) else {}


def planned(parts: Mapping[str, Mapping[str, object]]) -> dict[str, WorkerPlan]:
    """Worker -> the tasks that it registers, and its `beat_schedule`. `parts`: command -> worker -> reply."""
    names = [name for name, conf in parts.get("conf", {}).items() if isinstance(conf, Mapping)]
    found = worker_plans(_as_flower_has_them(names, parts, {}))
    return found if isinstance(found, dict) else {}


def _as_flower_has_them(names: Iterable[str], parts: Mapping[str, Mapping[str, object]], more: Mapping[str, object]) -> bytes:
    """The replies as Flower's `/api/workers` hands them out."""
    return msgspec.json.encode({name: {**more, **{part: said[name] for part, said in parts.items() if name in said}} for name in names})


def held(said: Mapping[str, object]) -> dict[str, HeldMessages]:
    """Worker -> the messages that it holds, by routing key."""
    return short_named({name: HeldMessages(_by_routing_key(reply)) for name, reply in said.items() if isinstance(reply, list)})


def scheduled(said: Mapping[str, object]) -> dict[str, int]:
    """Worker -> how many messages wait in it for their ETA."""
    return short_named({name: len(reply) for name, reply in said.items() if isinstance(reply, list)})


def _by_routing_key(requests: list[object]) -> dict[str, int]:
    keys = Counter(_routing_key(request) for request in requests)
    return dict(keys)


def _routing_key(request: object) -> str:
    info = request.get("delivery_info") if isinstance(request, Mapping) else None
    key = info.get("routing_key") if isinstance(info, Mapping) else None
    return key if isinstance(key, str) and len(key) <= LONGEST_NAME else ""
