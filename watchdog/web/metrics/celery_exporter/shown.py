"""One target as the metrics of celery-exporter show it.

In: what was read. Out: rows of tables that could be read, and nothing of others.
"""

from collections.abc import Mapping

from msgspec import Struct

from watchdog.core.model.rows import Reading, Row

__all__ = ["UNKNOWN", "ShownTarget"]

UNKNOWN = "unknown"
"""The queue, or the host, of what came from nobody knows where."""


class ShownTarget(Struct, frozen=True):
    """One target: its name, its tables, and its filter of workers."""

    target: str
    readings: Mapping[str, Reading]
    workers: tuple[str, ...]

    def rows(self, table: str) -> tuple[Row, ...]:
        """Return the rows of a table; none if it could not be read."""
        return self.readings[table].rows if self.could_read(table) else ()

    def could_read(self, table: str) -> bool:
        """Whether a table could be read."""
        reading = self.readings.get(table)
        return reading is not None and reading.unread is None and "name" not in reading.idle
