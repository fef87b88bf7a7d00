"""Find the queues and the names of their keys, from bindings in Redis, in addition to what conf and workers report.

Bindings are sets `<prefix>_kombu.binding.<exchange>` whose members end in the queue's name (kombu/transport/redis.py). Known exchanges are
read each cycle. New ones are found by a resumed SCAN: with large steps until one round is complete, so that a single poll knows the queues
beside 100,000 results; then `SCAN_BUDGET` keys per cycle. Never KEYS.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import Struct, field

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query, ScanKeys, SetMembers
from watchdog.core.model.replies import KeysFound, Replies

__all__ = ["BINDING", "Bindings", "after", "binding_keys", "bound_queues", "exchanges", "prefix_in_force", "scan"]

BINDING = frozenset[type[Query]]((ScanKeys, SetMembers))
"""The queries whose answers are bindings."""
MARK = "_kombu.binding."
PATTERN = "*" + MARK + "*"
SCAN_BUDGET = 1000
FIRST_BUDGET = 200_000


class Bindings(Struct, frozen=True):
    """The memory of the bindings: their keys, the queues they name, and the position of the scan."""

    keys: frozenset[str] = frozenset()
    cursor: int = 0
    whole: bool = False
    """Whether one round of the scan is complete."""
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def queues(self) -> frozenset[str]:
        """Every queue that is bound."""
        return frozenset[str]().union(*self.members.values())


def scan(bindings: Bindings) -> ScanKeys:
    """Return this cycle's step of the scan."""
    return ScanKeys(bindings.cursor, PATTERN, SCAN_BUDGET if bindings.whole else FIRST_BUDGET)


def binding_keys(bindings: Bindings, replies: Replies) -> frozenset[str]:
    """Return the known bindings, and those found by this cycle's scan."""
    found = replies.get(scan(bindings), KeysFound)
    if isinstance(found, Gap):
        return bindings.keys
    return bindings.keys.union(filter(_for_tasks, frozenset(found.keys) - bindings.keys))


def after(replies: Replies, bindings: Bindings, prefix: str, separator: str) -> Bindings:
    """Return the bindings after these replies; a gap leaves them unchanged."""
    found = replies.get(scan(bindings), KeysFound)
    cursor, whole = (bindings.cursor, bindings.whole) if isinstance(found, Gap) else (found.cursor, bindings.whole or found.cursor == 0)
    sets, keys = replies.held(SetMembers), binding_keys(bindings, replies)
    unread = bindings.members.keys() - sets.asked.difference(sets.gaps)
    members = {key: queues for key, queues in bindings.members.items() if key in unread} if unread else {}
    members |= {key: bound_queues(found, separator) for key, found in sets.found.items()}
    ours = {key: queues for key, queues in members.items() if queues and key in keys and key.startswith(prefix + MARK)}
    gone = sets.asked.difference(sets.found, sets.gaps)
    return Bindings(keys - gone, cursor, whole, ours)


def exchanges(bindings: Bindings, replies: Replies, prefix: str) -> list[SetMembers]:
    """Return the query of the bindings that are not read yet; none if all are."""
    unread = binding_keys(bindings, replies) - replies.held(SetMembers).asked
    keys = sorted(key for key in unread if key.startswith(prefix + MARK))
    return [SetMembers(tuple(keys))] if keys else []


@lru_cache(maxsize=10_000)  # they rarely change, and there is one per queue
def bound_queues(members: frozenset[str], separator: str) -> frozenset[str]:
    """Return the queues named by binding members (`routing key SEP pattern SEP queue`)."""
    return frozenset(queue for _, mark, queue in (m.rpartition(separator) for m in members) if mark and queue)


def prefix_in_force(said: str | None, before: str | None, keys: Iterable[str]) -> str | Gap:
    """Return the key prefix: as configured or reported by a worker, otherwise the one shared by the bindings. Empty while unknown.

    A gap if several apps use this Redis and nothing says which one is ours: any choice would show empty queues.
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
    """Whether it is an exchange for tasks, not for events or remote control."""
    _, mark, exchange = key.partition(MARK)
    return bool(mark) and bool(exchange) and exchange != "celeryev" and not exchange.endswith(".pidbox")
