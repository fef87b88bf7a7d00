"""The tables as metrics: each column with numbers is a family, each row a series with the target and the table's key as labels.

In: what was read of each target. Out: metric families. A gap has no series, never a zero; `watchdog_table_unread` says where a whole table
is one. How many rows are shown is bounded; `watchdog_table_rows_left_out` says how many are not.
"""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import Metric

from watchdog.core.model.rows import Reading, Row, Table
from watchdog.tables import TABLES
from watchdog.web.metrics.families import Family
from watchdog.web.metrics.labels import label_value
from watchdog.web.metrics.naming import MetricName, names_of

__all__ = ["FEWEST_SHOWN", "MOST_ROWS", "table_families"]

MOST_ROWS = 2000
"""Rows of a table that are shown, for each target."""
FEWEST_SHOWN: Mapping[str, tuple[int, str]] = {"running": (100, "running_s"), "errors": (500, "count"), "blind": (100, "blind_s")}
"""Table -> how many of its rows are shown, and the column whose highest values come first. Their keys are new again and again: every run
of a task has an id of its own, and Prometheus keeps each series that it has ever seen."""

Readings = Mapping[str, Mapping[str, Reading]]
"""Target -> table -> what was read."""


def table_families(readings: Readings) -> Iterator[Metric]:
    """Yield the families of all tables."""
    unread = Family("watchdog_table_unread", "1 if nothing of the table could be read, or its last look is too old; its cells are unknown")
    partial = Family("watchdog_table_partial", "1 if only a part of the table could be read: rows may be missing")
    rows = Family("watchdog_table_rows", "rows of the table as it was last seen")
    left_out = Family("watchdog_table_rows_left_out", "rows that are not shown here, because there are too many")
    for table in TABLES.values():
        names = names_of(table)
        families = {column: Family(name.name, name.meaning, counter=name.counter) for column, name in names.items()}
        for target, tables in readings.items():
            reading = tables.get(table.name)
            if reading is None or len(reading.idle) == len(table.columns):
                continue
            shown = _shown(table, reading.rows)
            about = {"target": target, "table": table.name}
            unread.add(about, float(reading.unread is not None))
            left_out.add(about, float(len(reading.rows) - len(shown)))
            if reading.unread is None:
                partial.add(about, float(reading.partial is not None or reading.missing is not None))
                rows.add(about, float(len(reading.rows)))
            for row in shown:
                _add(table, row, target, names, families)
        yield from (family.metric for family in families.values())
    yield from (family.metric for family in (unread, partial, rows, left_out))


def _shown(table: Table, rows: Sequence[Row]) -> Sequence[Row]:
    most, column = FEWEST_SHOWN.get(table.name, (MOST_ROWS, ""))
    if len(rows) <= most:
        return rows
    return sorted(rows, key=lambda row: -_number(row, column))[:most] if column else rows[:most]


def _number(row: Row, column: str) -> float:
    cell = row.cells.get(column)
    return cell if isinstance(cell, float) else 0.0


def _add(table: Table, row: Row, target: str, names: Mapping[str, MetricName], families: Mapping[str, Family]) -> None:
    cells = row.cells
    labels = {"target": target} | {key: label_value(str(cells[key])) for key in table.key}
    for column, family in families.items():
        cell = cells.get(column)
        if cell is None or cell == "":
            continue
        name = names[column]
        if isinstance(cell, str):
            family.add({**labels, name.states: label_value(cell)}, 1.0)
        else:
            family.add(labels, cell * name.scale)
