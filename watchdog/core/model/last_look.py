"""What the last cycle of a target saw, as a value that can be stored: the tables' rows, without what only the next cycle needs.

In: the readings of a cycle. Out: a `LastLook`; and readings again, for whoever looks at it later.
"""

from collections.abc import Mapping

from msgspec import Struct, field

from watchdog.core.model.rows import Reading, Row

__all__ = ["LastLook", "TableSeen", "last_look_of"]


class TableSeen(Struct, frozen=True, omit_defaults=True):
    """What was read of one table. The fields are those of `Reading`."""

    rows: tuple[Row, ...] = ()
    unread: str | None = None
    partial: str | None = None
    idle: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None
    note: str = ""

    def reading(self) -> Reading:
        """Return it as a reading, without memory and sample."""
        return Reading(self.rows, self.unread, self.partial, self.idle, self.missing, note=self.note)


class LastLook(Struct, frozen=True):
    """The tables as one cycle saw them at `at` (epoch seconds); `interval_s`: how soon the next one follows."""

    at: float
    interval_s: float
    tables: Mapping[str, TableSeen]

    def readings(self) -> dict[str, Reading]:
        """Return table -> its reading."""
        return {name: table.reading() for name, table in self.tables.items()}


def last_look_of(readings: Mapping[str, Reading], at: float, interval_s: float) -> LastLook:
    """Return what is to be stored of these readings."""
    seen = {name: TableSeen(r.rows, r.unread, r.partial, r.idle, r.missing, r.note) for name, r in readings.items()}
    return LastLook(at, interval_s, seen)
