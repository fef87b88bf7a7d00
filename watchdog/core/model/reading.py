"""From replies to rows: read every table of a target in order, once for each window that a rule asks for.

Input: the tables, their memories and samples, the replies, the current time. Output: readings by window and table, and what to remember.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct, field

from watchdog.core.model.demand import Demand
from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Look, Reading, Sample, Table
from watchdog.core.model.self_seen import SelfSeen
from watchdog.core.model.target import SELF, Target

__all__ = ["DEFAULT_WINDOW_S", "Looks", "Past", "Seen", "belongs", "read_tables"]

DEFAULT_WINDOW_S = 300.0
EVERYTHING = Demand()

Looks = Mapping[float, Mapping[str, Reading]]
"""Window -> table -> what one poll read of it."""


class Past(Struct, frozen=True):
    """What earlier cycles of a target left: each table's memory, and its samples, oldest first."""

    memories: Mapping[str, object] = field(default_factory=dict)
    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)

    def plus(self, seen: "Seen", keep_s: float) -> "Past":
        """Return this past plus one poll. Samples older than `keep_s` (or ahead of the clock) are dropped."""
        samples = dict(self.samples)
        for name, sample in seen.samples.items():
            kept = [s for s in samples.get(name, ()) if 0 <= sample.at - s.at <= keep_s]
            samples[name] = (*kept, sample)
        return Past({**self.memories, **seen.memories}, samples)


class Seen(Struct, frozen=True):
    """The tables as read in one poll: window -> table -> reading; what to remember, and the samples to keep."""

    windows: Looks
    memories: Mapping[str, object]
    samples: Mapping[str, Sample]


def belongs(table: Table, target: Target) -> bool:
    """Whether a table has rows on this target: watchdog's own tables on `watchdog`, the others elsewhere."""
    return table.own == (target.name == SELF)


def read_tables(  # noqa: PLR0913 - everything that a reading depends on
    tables: Mapping[str, Table],
    target: Target,
    past: Past,
    replies: Replies,
    now: float,
    windows: Mapping[float, Iterable[str]] = MappingProxyType({}),
    self_seen: SelfSeen | None = None,
    *,
    demand: Demand = EVERYTHING,
) -> Seen:
    """Read every table for the default window, and for each other window the tables read in it.

    Memories are those of the default window.
    """
    looks = {}
    for window_s in sorted({DEFAULT_WINDOW_S, *windows}):
        readings: dict[str, Reading] = {}
        wanted = set(tables) if window_s == DEFAULT_WINDOW_S else _with_needs(tables, windows[window_s])
        for name, table in tables.items():
            if name not in wanted:
                continue
            history = past.samples.get(name, ())
            look = Look(target, past.memories.get(name), replies, now, window_s, history, readings, self_seen, demand)
            readings[name] = table.read(look) if belongs(table, target) else _elsewhere(table)
        looks[window_s] = readings
    usual = looks[DEFAULT_WINDOW_S]
    memories = {name: r.memory for name, r in usual.items() if r.memory is not None}
    return Seen(looks, memories, {name: r.sample for name, r in usual.items() if r.sample is not None})


def _with_needs(tables: Mapping[str, Table], names: Iterable[str]) -> set[str]:
    """Return these tables, and all that must be read before them."""
    found: set[str] = set()
    for name in names:
        found |= {name, *_with_needs(tables, tables[name].needs)}
    return found


def _elsewhere(table: Table) -> Reading:
    why = f"{table.name} has rows on the target `{SELF}` alone" if table.own else f"`{SELF}` watches itself, not a cluster"
    return Reading(idle={c.name: why for c in table.columns})
