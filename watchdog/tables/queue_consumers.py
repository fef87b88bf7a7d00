"""Who consumes what: known only where every online worker's queues are known and fresh, else a gap.

In: the `workers` reading and the fleet behind it. A queue without consumers is a claim about all workers, so one
worker that has not told its queues leaves every count open.
"""

from dataclasses import dataclass, field

from watchdog.core.gaps import Gap
from watchdog.core.rows import Reading
from watchdog.tables.fleet import Fleet

__all__ = ["Consumers", "Taken", "consumers"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a queue's consumers have taken so far, each, and whether all of them execute nothing now."""

    by_consumer: dict[str, float]
    all_idle: bool


@dataclass(frozen=True, slots=True)
class Consumers:
    """Queue -> the online workers that consume it, with what each has processed and executes now."""

    by_queue: dict[str, list[str]] = field(default_factory=dict)
    processed: dict[str, float] = field(default_factory=dict)
    active: dict[str, float] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    """Consumer -> why it is not known what it does."""
    unknown: str | None = None
    """Why the counts are not known."""

    @property
    def queues(self) -> frozenset[str]:
        """Every queue that somebody consumes."""
        return frozenset(self.by_queue)

    def count(self, queue: str) -> int | Gap:
        """How many online workers consume it."""
        return Gap(self.unknown) if self.unknown is not None else len(self.by_queue.get(queue, ()))

    def taken(self, queue: str) -> Taken | Gap:
        """What its consumers do; a gap where they, or what they do, are not known."""
        names = self.by_queue.get(queue, [])
        why = self.unknown or next((f"{name}: {self.silent[name]}" for name in names if name in self.silent), None)
        if why is not None:
            return Gap(why)
        return Taken({name: self.processed[name] for name in names}, all(self.active[name] == 0 for name in names))


def consumers(workers: Reading | None, fleet: Fleet) -> Consumers:
    """Who consumes what, by this look's workers."""
    if workers is None or workers.unread is not None:
        return Consumers(unknown=workers.unread if workers is not None else "the workers were not read")
    found = Consumers(unknown=_unknown(workers))
    for row in workers.rows:
        name = str(row.cells["name"])
        if row.cells.get("state") != "online":
            continue
        inspection = fleet.known[name].inspection
        for queue in sorted(set((inspection.queues if inspection else None) or ())):
            found.by_queue.setdefault(queue, []).append(name)
        for column, where in (("processed", found.processed), ("active", found.active)):
            number = row.cells.get(column)
            if isinstance(number, float):
                where[name] = number
            else:
                found.silent[name] = row.gaps.get(column, "it does not say")
    return found


def _unknown(workers: Reading) -> str | None:
    for row in workers.rows:
        if "state" in row.gaps:
            return f"{row.cells['name']} may consume it: {row.gaps['state']}"
        if row.cells.get("state") == "online" and "queues" in row.gaps:
            return f"the queues of {row.cells['name']} are not known: {row.gaps['queues']}"
    return None
