"""`watchdog tables`: the schema that rules and queries can use, from the code."""

from typing import TYPE_CHECKING

import click

from watchdog.cli.completion import complete_tables
from watchdog.cli.output.refusals import Refused

if TYPE_CHECKING:
    from watchdog.cli.output.page import Block
    from watchdog.core.model.rows import Column, Table

__all__ = ["tables"]


@click.command(
    epilog="""\b
Examples:
  watchdog tables
  watchdog tables queues
"""
)
@click.argument("name", required=False, shell_complete=complete_tables)
def tables(*, name: str | None) -> None:
    """Show the tables that rules and queries can read.

    With a NAME: one table, with its columns.
    """
    from watchdog.cli.output.page import Grid  # noqa: PLC0415
    from watchdog.cli.output.screen import show  # noqa: PLC0415
    from watchdog.core.text.suggestions import did_you_mean  # noqa: PLC0415
    from watchdog.tables import TABLES  # noqa: PLC0415

    if name is None:
        rows = tuple((t.name, t.row_is, ", ".join(t.key) or "-", ", ".join(c.name for c in t.columns)) for t in TABLES.values())
        show([Grid(("table", "a row is", "key", "columns"), rows)])
        return
    table = TABLES.get(name)
    if table is None:
        raise Refused(f'no table "{name}"{did_you_mean(name, TABLES) or "; there are " + ", ".join(TABLES)}')
    show(table_page(table))


def table_page(table: "Table") -> "list[Block]":
    """One table and its columns."""
    from watchdog.cli.output.page import Grid, Ink, Line  # noqa: PLC0415

    whose = "; on the target `watchdog` alone" if table.own else ""
    head = Line.of(Ink(table.name, "strong"), f": a row is {table.row_is}; key: {', '.join(table.key) or 'none, there is one row'}{whose}")
    rows = tuple((c.name, c.kind.value, c.unit, _meaning(c), _neutral(c)) for c in table.columns)
    return [head, Grid(("column", "kind", "unit", "meaning", "where nothing is"), rows)]


def _meaning(column: "Column") -> str:
    allowed = f" ({', '.join(column.allowed)})" if column.allowed and not all(word in column.meaning for word in column.allowed) else ""
    return f"{column.meaning}{allowed}" + ("; over the window" if column.windowed else "") + (f"; {column.later}" if column.later else "")


def _neutral(column: "Column") -> str:
    from watchdog.core.text.phrasing import format_value  # noqa: PLC0415

    return "" if column.neutral is None else format_value(column.neutral) or "empty"
