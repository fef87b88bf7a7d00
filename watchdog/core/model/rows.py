"""Tables as values: what columns mean, what a cell can hold, and what one look read.

A cell holds a value; or is a **gap** (asked, no usable answer: `Row.gaps` says why); or its whole column is **idle**
(nothing can fill it here, or it needs a second look: `Reading.idle` says why).
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from watchdog.core.model.demand import Demand
from watchdog.core.model.queries import Query
from watchdog.core.model.replies import Replies
from watchdog.core.model.target import Target

__all__ = ["Asking", "Cell", "Column", "Kind", "Look", "Param", "Reading", "Row", "Sample", "Table", "number"]

Cell = float | str | bool | None
Key = tuple[str, ...]
Param = float | str | bool
"""A number, text or flag that a rule names and a configuration may set."""
"""The key cells of a row, in the order of its table's key; () for a table of one row."""


class Kind(StrEnum):
    """What a column holds. Numbers are compared as reals; a boolean is a truth value by itself."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"


class Column(Struct, frozen=True):
    """One column: its name, kind, unit and meaning; `neutral` is what it holds where there is nothing to measure."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    neutral: Cell = None
    allowed: tuple[str, ...] = ()
    windowed: bool = False
    later: str = ""
    """Why no source can fill it yet; empty where one can."""


class Row(Struct, frozen=True):
    """One row: column -> cell, and for each gap the reason. A gap's cell is None; an idle column is absent from both.

    A value with a reason beside it is a lower bound (`queues.oldest_s`): a condition that it makes true holds, and nothing else is known.
    """

    cells: Mapping[str, Cell]
    gaps: Mapping[str, str] = field(default_factory=dict)

    def key(self, names: tuple[str, ...]) -> Key:
        """Its key cells."""
        return tuple(str(self.cells[name]) for name in names)


class Sample(Struct, frozen=True):
    """What one cycle keeps for windowed columns: key -> numbers, at `at` (epoch seconds)."""

    at: float
    values: Mapping[str, tuple[float | None, ...]]


class Reading(Struct, frozen=True):
    """What one look read of one table.

    `unread`: nothing of it could be read, and why (rows, if any, are remembered ones full of gaps).
    `partial`: read in part, so that an absent key is unknown, not clear; and why.
    `idle`: column -> why no value can be had here, or not yet.
    """

    rows: tuple[Row, ...] = ()
    unread: str | None = None
    partial: str | None = None
    idle: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None
    """Rows may be missing because a question was not answered, and which: what is not there is then not known to be well."""
    memory: object = None
    sample: Sample | None = None
    note: str = ""
    """What a reader of the values should know of how they were had, though nothing is amiss; empty where there is nothing to say."""
    forgotten: frozenset[Key] = frozenset()
    """Keys let go after `forget_after`: they are no longer there, but not because all is well."""
    without_page: frozenset[Key] = frozenset()
    """Keys that Flower has no page of, as far as it is known: a link to one would not be found."""


class Asking(Struct, frozen=True):
    """What a table knows when it asks: its target, its memory, the replies of the rounds before, and now (epoch seconds)."""

    target: Target
    memory: object
    replies: Replies
    now: float
    memories: Mapping[str, object] = field(default_factory=dict)
    """The memories of all tables, for what one table asks by what another remembers (queues by workers' conf)."""
    demand: Demand = field(default_factory=Demand)
    """What is read: a table or column that is costly and not wanted is not asked for."""


class Look(Struct, frozen=True):
    """What a table knows when it reads: the replies, its memory and history, and the tables read before it."""

    target: Target
    memory: object
    replies: Replies
    now: float
    window_s: float
    history: tuple[Sample, ...] = ()
    """Oldest first, without this look's own sample; at least the longest window deep, as far as it was watched."""
    before: Mapping[str, Reading] = field(default_factory=dict)
    self_seen: object = None
    """What watchdog knows of itself (`core.selfwatch.SelfSeen`); set for the reserved target `watchdog` alone."""
    demand: Demand = field(default_factory=Demand)
    """What is read: a costly column that is not wanted is idle."""


class Table(Struct, frozen=True):
    """One table: its columns and key, what it asks, how it reads. `memory` makes an empty memory (msgspec-serialisable dataclass)."""

    name: str
    row_is: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    asks: Callable[[Asking], Iterable[Query]]
    read: Callable[[Look], Reading]
    memory: Callable[[], object] = lambda: None
    needs: tuple[str, ...] = ()
    """Tables that must be read before it."""
    own: bool = False
    """Whether it belongs to the reserved target `watchdog`."""

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((c for c in self.columns if c.name == name), None)


def number(value: float | None) -> float | None:
    """A number as a cell holds it: a real; None stays None."""
    return None if value is None else float(value)
