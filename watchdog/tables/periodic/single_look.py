"""What a single look cannot know of periodic tasks, where only the daemon hears what tasks do.

In: what was read. Out: the same, with those columns idle: a rule about them has no verdict here, which is no failure of the look.
"""

from collections.abc import Collection, Mapping
from typing import TypeVar

from msgspec.structs import replace

from watchdog.core.model.rows import Look, Reading, Row

__all__ = ["without_tasks"]

T = TypeVar("T")


def without_tasks(reading: Reading, look: Look, columns: Collection[str]) -> Reading:
    """Return the reading without these columns if nothing can be known of what tasks do."""
    why = look.target.without_tasks
    if not why or not reading.rows:
        return reading
    rows = tuple(Row(_other(row.cells, columns), _other(row.gaps, columns)) for row in reading.rows)
    return replace(reading, rows=rows, idle={**reading.idle, **dict.fromkeys(columns, why)})


def _other(cells: Mapping[str, T], columns: Collection[str]) -> dict[str, T]:
    return {name: cell for name, cell in cells.items() if name not in columns}
