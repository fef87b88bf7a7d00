"""Decodes what workers say of themselves. In: their replies, as kombu decoded them. Out: reply types, without what has another shape.

Workers may be of any version and their names and texts are theirs: nothing here trusts a type. `stats` and its companions are read by the
decoder of Flower's `/api/workers`, which hands out the same objects.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from watchdog.core.model.replies import HeldMessages, WorkerInspection
from watchdog.core.text.names import LONGEST_NAME, short_named
from watchdog.sources.flower.inspections import read_leniently

__all__ = ["held", "inspected", "ponged", "scheduled"]


def ponged(said: Mapping[str, object]) -> frozenset[str]:
    """The workers that answered a ping."""
    return frozenset(name for name, reply in said.items() if isinstance(reply, Mapping) and "ok" in reply and len(name) <= LONGEST_NAME)


def inspected(parts: Mapping[str, Mapping[str, object]], now: float) -> dict[str, WorkerInspection]:
    """Worker -> what it says of itself. `parts`: command -> worker -> reply; `now`: epoch seconds."""
    names = [name for name, stats in parts.get("stats", {}).items() if isinstance(stats, Mapping)]
    entries = {name: {"timestamp": now, **{part: said[name] for part, said in parts.items() if name in said}} for name in names}
    found = read_leniently(msgspec.json.encode(entries))
    return found if isinstance(found, dict) else {}


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
