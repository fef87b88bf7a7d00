"""Which queues there are, and how their keys are named: from bindings in Redis, beside what conf and workers say.

Bindings are sets `<prefix>_kombu.binding.<exchange>` whose members end in the queue's name (kombu/transport/redis.py).
Known exchanges are read each cycle; unknown ones are looked for by SCAN, resumed: far in a look until one round has ended, so that a
single look knows the queues beside 100,000 results, and `SCAN_BUDGET` keys a cycle from then on. Never KEYS.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from msgspec import Struct, field

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ScanKeys, SetMembers
from watchdog.core.model.replies import KeysFound, Replies

__all__ = ["Bindings", "after", "binding_keys", "bound_queues", "exchanges", "prefix_in_force", "scan"]

MARK = "_kombu.binding."
PATTERN = "*" + MARK + "*"
SCAN_BUDGET = 1000
FIRST_BUDGET = 200_000


class Bindings(Struct, frozen=True):
    """What is remembered of the bindings: their keys and the queues they name, and how far the scan has come."""

    keys: frozenset[str] = frozenset()
    cursor: int = 0
    whole: bool = False
    """Whether one round of the scan has ended."""
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def queues(self) -> frozenset[str]:
        """Every queue that is bound."""
        return frozenset(name for names in self.members.values() for name in names)


def scan(bindings: Bindings) -> ScanKeys:
    """This cycle's step of the scan."""
    return ScanKeys(bindings.cursor, PATTERN, SCAN_BUDGET if bindings.whole else FIRST_BUDGET)


def binding_keys(bindings: Bindings, replies: Replies) -> frozenset[str]:
    """The bindings known, and those that this cycle's scan found."""
    found = replies.get(scan(bindings), KeysFound)
    return bindings.keys if isinstance(found, Gap) else bindings.keys | {key for key in found.keys if _for_tasks(key)}


def after(replies: Replies, bindings: Bindings, prefix: str, separator: str) -> Bindings:
    """What is known of the bindings after these replies; a gap leaves it as it was."""
    found = replies.get(scan(bindings), KeysFound)
    cursor, whole = (bindings.cursor, bindings.whole) if isinstance(found, Gap) else (found.cursor, bindings.whole or found.cursor == 0)
    members: dict[str, frozenset[str]] = {}
    gone: set[str] = set()
    keys = binding_keys(bindings, replies)
    for key in keys:
        answer = replies.get(_members(key), frozenset)
        names = bindings.members.get(key, frozenset()) if isinstance(answer, Gap) else bound_queues(answer, separator)
        if names and key.startswith(prefix + MARK):
            members[key] = names
        if not isinstance(answer, Gap) and not answer:
            gone.add(key)
    return Bindings(keys - gone, cursor, whole, members)


def exchanges(bindings: Bindings, replies: Replies, prefix: str) -> Iterator[SetMembers]:
    """The bindings to read."""
    return (_members(key) for key in sorted(binding_keys(bindings, replies)) if key.startswith(prefix + MARK))


@lru_cache(maxsize=20_000)
def _members(key: str) -> SetMembers:
    """Kept: the same object is soon found to be the same question."""
    return SetMembers(key)


@lru_cache(maxsize=10_000)  # they hardly ever change, and there is one a queue
def bound_queues(members: frozenset[str], separator: str) -> frozenset[str]:
    """The queues that binding members (`routing key SEP pattern SEP queue`) name."""
    return frozenset(queue for _, mark, queue in (m.rpartition(separator) for m in members) if mark and queue)


def prefix_in_force(said: str | None, before: str | None, keys: Iterable[str]) -> str | Gap:
    """The key prefix: as configured or said by a worker, else the one that the bindings share. Empty while nothing tells.

    A gap where several apps live here and nothing says which is ours: any choice would show empty queues.
    """
    if said is not None:
        return said
    found = {key[: key.index(MARK)] for key in keys}
    if before is not None and (before in found or not found):
        return before
    if len(found) > 1 and "" not in found:
        names = ", ".join(f'"{prefix}"' for prefix in sorted(found)[:5])
        return Gap(f"redis: found queues under several key prefixes ({names}): set `key_prefix` of this target's `redis`")
    return found.pop() if len(found) == 1 else ""


def _for_tasks(key: str) -> bool:
    """Not the exchanges of events and remote control."""
    _, mark, exchange = key.partition(MARK)
    return bool(mark) and bool(exchange) and exchange != "celeryev" and not exchange.endswith(".pidbox")
