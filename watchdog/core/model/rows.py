"""Tables as values: what columns mean, what a cell can hold, and what one poll read.

A cell holds a value; or is a **gap** (no usable answer: `Row.gaps` says why); or its whole column is **idle** (nothing can fill it here, or
it needs a second poll: `Reading.idle` says why).

Values that exist by the thousand are `gc=False`: made of what exists already, they cannot be part of a reference cycle, so that Python's
collector need not follow them (about a tenth of the CPU of a cycle over 1,000 workers).
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field

from watchdog.core.model.demand import Demand
from watchdog.core.model.queries import Query
from watchdog.core.model.replies import Replies
from watchdog.core.model.servers.timings import Timing
from watchdog.core.model.target import Target

__all__ = ["Asking", "Cell", "Column", "Kind", "Look", "Param", "Reading", "Row", "Sample", "Table", "number"]

Cell = float | str | bool | None
Key = tuple[str, ...]
"""The key cells of a row, in the order of its table's key; () for a table of one row."""
Param = float | str | bool
"""A number, text or flag that a rule names and a configuration may set."""


class Kind(StrEnum):
    """The type of a column. Numbers are compared as reals; a boolean is a condition by itself."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"


class Column(Struct, frozen=True):
    """One column: its name, kind, unit and meaning. `neutral` is its value if there is nothing to measure."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    neutral: Cell = None
    allowed: tuple[str, ...] = ()
    windowed: bool = False
    later: str = ""
    """Why no source can fill it yet; empty if one can."""


class Row(Struct, frozen=True, gc=False):
    """One row: column -> cell, and the reason for each gap. A gap's cell is None; an idle column is absent from both.

    A value that has a reason as well is a lower bound (`queues.oldest_s`): a condition that it makes true holds; anything else is unknown.
    """

    cells: Mapping[str, Cell]
    gaps: Mapping[str, str] = field(default_factory=dict)

    def key(self, names: tuple[str, ...]) -> Key:
        """Return its key cells."""
        return tuple([str(self.cells[name]) for name in names])


class Sample(Struct, frozen=True, gc=False):
    """What one cycle keeps for windowed columns: key -> numbers, at `at` (epoch seconds).

    `timings`: of `tasks`, how long the runs took that were heard since `heard_since`; None: none were heard.
    """

    at: float
    values: Mapping[str, tuple[float | None, ...]]
    heard_since: float | None = None
    timings: Mapping[str, Timing] = field(default_factory=dict)


class Reading(Struct, frozen=True):
    """What one poll read of one table.

    `unread`: why nothing of it could be read (rows, if any, are remembered ones full of gaps).
    `partial`: why it was only partially read, so that an absent key is unknown, not clear.
    `idle`: column -> why no value is available here, or not yet.
    """

    rows: tuple[Row, ...] = ()
    unread: str | None = None
    partial: str | None = None
    idle: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None
    """Which rows may be missing because a query was not answered: an absent row is then not known to be fine."""
    memory: object = None
    sample: Sample | None = None
    note: str = ""
    """How the values were obtained, if readers should know; no problem. Empty if there is nothing to say."""
    forgotten: frozenset[Key] = frozenset()
    """Keys dropped after `forget_after`: they are gone, but not because they recovered."""
    timings: Mapping[str, Timing] = field(default_factory=dict)
    """Of `tasks`, over the window: how long the runs took that were heard, for tables that read it later."""
    without_page: frozenset[Key] = frozenset()
    """Keys for which Flower has no page, as far as known: a link to it would not be found."""


class Asking(Struct, frozen=True):
    """What a table knows when it chooses its queries.

    Its target, its memory, the replies of the rounds before, and the current time (epoch seconds).
    """

    target: Target
    memory: object
    replies: Replies
    now: float
    memories: Mapping[str, object] = field(default_factory=dict)
    """The memories of all tables, for queries that depend on what another table remembers (queues on workers' conf)."""
    demand: Demand = field(default_factory=Demand)
    """The columns that are read. A costly table or column that nobody reads is not queried."""


class Look(Struct, frozen=True):
    """What a table knows when it reads: the replies, its memory and history, and the tables read before it."""

    target: Target
    memory: object
    replies: Replies
    now: float
    window_s: float
    history: tuple[Sample, ...] = ()
    """Samples, oldest first, without that of this poll; they cover at least the longest window, if it was watched that long."""
    before: Mapping[str, Reading] = field(default_factory=dict)
    self_seen: object = None
    """What watchdog knows of itself (`self_seen.SelfSeen`); only set for the reserved target `watchdog`."""
    demand: Demand = field(default_factory=Demand)
    """The columns that are read. A costly column that nobody reads is idle."""


class Table(Struct, frozen=True):
    """One table: its columns and key, its queries, how it is read.

    `memory` creates an empty memory (a struct that msgspec can serialize).
    """

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
        """Return the column of that name."""
        return next((c for c in self.columns if c.name == name), None)


def number(value: float | None) -> float | None:
    """Convert a number to a cell, which is a float; None stays None."""
    return None if value is None else float(value)
