"""The names of metrics: one for each column that has numbers, from the table and the column alone, so that they are stable.

In: a table and a column. Out: a `MetricName`. Durations are in seconds and sizes in bytes, as Prometheus wants them, and say so at the end
of the name; other units stay as the column has them. A column that counts up since a start is a counter.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from watchdog.core.model.rows import Column, Kind, Table

__all__ = ["COUNTERS", "MetricName", "names_of"]

COUNTERS = frozenset({("workers", "processed"), ("self", "late_cycles")})
"""(table, column) of what counts up since a start; everything else may fall."""


class MetricName(Struct, frozen=True):
    """A column as a metric. `scale`: what a cell is multiplied by. `states`: the cell is a word, which becomes the label of that name."""

    name: str
    meaning: str
    scale: float = 1.0
    counter: bool = False
    states: str = ""


def names_of(table: Table) -> Mapping[str, MetricName]:
    """Column -> its metric, for every column that has one: numbers, booleans, and words out of a fixed list."""
    return {column.name: metric_name(table, column) for column in _shown(table)}


def _shown(table: Table) -> Iterator[Column]:
    for column in table.columns:
        if column.kind is not Kind.TEXT or (column.allowed and column.name not in table.key):
            yield column


def metric_name(table: Table, column: Column) -> MetricName:
    """Return the metric of one column."""
    base, scale = _in_base_units(column)
    counter = (table.name, column.name) in COUNTERS
    states = column.name if column.kind is Kind.TEXT else ""
    meaning = f"{table.row_is}: {column.meaning}"
    return MetricName(f"watchdog_{table.name}_{base}", meaning, scale, counter, states)


def _in_base_units(column: Column) -> tuple[str, float]:
    """Return the rest of the name, and the factor to the unit that it says."""
    name = column.name
    if column.unit == "ms":
        return f"{name.removesuffix('_ms')}_seconds", 1e-3
    if column.unit == "s" or name.endswith("_s"):
        return f"{name.removesuffix('_s')}_seconds", 1.0
    if column.unit == "bytes":
        return f"{name.removesuffix('_bytes')}_bytes", 1.0
    if name == "count" or name.endswith("_count"):  # Prometheus keeps this ending for histograms
        return f"{name.removesuffix('count')}{column.unit}", 1.0
    return name, 1.0
