"""What people are shown of one target, as a value: on a terminal, on the page, as JSON.

In: the last look (or a live one), a day of history, the incidents. Out: `TargetShown`, and `TableShown` to read its tables with.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from watchdog.core.history.trends import Day
from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.reasons import Reason
from watchdog.core.model.rows import Reading, Row
from watchdog.store.sql import Daemons

__all__ = ["TableShown", "TargetShown"]

LISTED = 3
"""How many reasons of gaps a panel lists."""


class TargetShown(Struct, frozen=True):
    """One target. Times are epoch seconds.

    `seen_at`: when its tables were read; None: never, and `why_not` says why. `live`: read just now for this command. `watched`: whether a
    daemon runs on the database; None: unknown, or there is no database. `daemons`: who they are, where several may share it.
    `utc_offset_s`: of the clock that people read here.
    """

    name: str
    now: float
    readings: Mapping[str, Reading] = field(default_factory=dict)
    seen_at: float | None = None
    why_not: str = ""
    live: bool = False
    watched: bool | None = None
    daemons: Daemons | None = None
    interval_s: float = 0.0
    day: Day = field(default_factory=Day)
    incidents: tuple[Incident, ...] | None = ()
    """None: there is no database that keeps them."""
    quiet: Mapping[str, Reason] = field(default_factory=dict)
    """Id of an incident -> why nobody is notified of it."""
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)
    """Id of an incident -> who knows of it."""
    notified: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Id of an incident -> the receivers that were notified of it."""
    deploys: tuple[Deploy, ...] = ()
    utc_offset_s: float = 0.0

    def table(self, name: str) -> "TableShown":
        """One of its tables; it is unread if there was no look at all."""
        reading = self.readings.get(name)
        return TableShown(name, reading if reading is not None else Reading(unread=self.why_not or "not seen yet"))

    def clock(self, at: float) -> str:
        """`14:00`, as the clock here shows it."""
        minutes = int((at + self.utc_offset_s) // 60) % (24 * 60)
        return f"{minutes // 60:02}:{minutes % 60:02}"


class TableShown(Struct, frozen=True):
    """One table as it was read."""

    name: str
    reading: Reading

    @property
    def rows(self) -> tuple[Row, ...]:
        """Its rows; remembered ones where it could not be read."""
        return self.reading.rows

    def has(self, column: str) -> bool:
        """Whether a column can be shown: something could fill it here."""
        return column not in self.reading.idle

    def reasons(self, columns: Iterable[str]) -> Iterator[str]:
        """Why cells of these columns have no value: the most frequent reasons, and why rows may be missing."""
        counted: dict[str, int] = {}
        for row in self.rows:
            for why in {row.gaps[column] for column in columns if column in row.gaps and row.cells.get(column) is None}:
                counted[why] = counted.get(why, 0) + 1
        yield from sorted(counted, key=lambda why: -counted[why])[:LISTED]
