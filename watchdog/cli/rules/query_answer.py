"""The result of a query, for people and machines: its rows, and why cells without a value have none.

In: one target's readings and the rows from SQLite. Out: an `Answer`; a page, a JSON document or CSV of several answers.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from watchdog.cli.output.page import Block, Grid, Ink, Line
from watchdog.core.incidents.payload import iso, json_cell
from watchdog.core.model.rows import Kind, Reading, Table
from watchdog.core.text.durations import format_duration
from watchdog.core.text.phrasing import format_value
from watchdog.core.text.sanitize import sanitize
from watchdog.core.text.wording import counted

__all__ = ["Answer", "NoValue", "answered", "csv_text", "query_document", "query_page"]

Cell = float | str | bool | None
_LISTED = 5


class NoValue(Struct, frozen=True):
    """Why a column that was read has no value in some rows (`keys`), or in all rows of its table."""

    target: str
    table: str
    column: str
    reason: str
    keys: tuple[str, ...] = ()


class Answer(Struct, frozen=True):
    """One target's answer. `unread`: tables that could not be read, and why."""

    target: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    gaps: tuple[NoValue, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    seen_at: float | None = None
    """When a daemon saw it (epoch seconds); None: it was read for this query."""

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each table that was not read and each column without a value."""
        unread = tuple(f"{self.target}: {table} could not be read: {why}" for table, why in self.unread.items())
        columns: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
        for gap in self.gaps:
            if gap.reason not in self.unread.values():
                columns.setdefault((gap.table, gap.reason, gap.keys), []).append(gap.column)
        return unread + tuple(_note(self.target, *why, names) for why, names in columns.items())


def answered(
    target: str,
    tables: Mapping[str, Table],
    reads: Mapping[str, frozenset[str]],
    readings: Mapping[str, Reading],
    result: tuple[Sequence[str], Sequence[Sequence[object]]],
    seen_at: float | None = None,
) -> Answer:
    """The rows from SQLite, with booleans restored, and the missing values of the columns that were read."""
    names, rows = result
    truths = {c.name for name in reads for c in tables[name].columns if c.kind is Kind.BOOLEAN}
    others = {c.name for name in reads for c in tables[name].columns if c.kind is not Kind.BOOLEAN}
    as_truth = [name in truths - others for name in names]
    cells = tuple(tuple(_cell(cell, truth) for cell, truth in zip(row, as_truth, strict=True)) for row in rows)
    gaps = tuple(gap for name, columns in reads.items() for gap in _missing(target, tables[name], columns, readings[name]))
    unread = {name: why for name in reads if (why := readings[name].unread)}
    return Answer(target, tuple(names), cells, gaps, unread, seen_at)


def _cell(cell: object, truth: bool) -> Cell:  # noqa: FBT001
    if truth and cell in (0, 1):
        return bool(cell)
    if cell is None or isinstance(cell, str | float | int):
        return cell
    return str(cell)


def _missing(target: str, table: Table, columns: frozenset[str], reading: Reading) -> Iterator[NoValue]:
    for column in (c.name for c in table.columns if c.name in columns):
        if column in reading.idle:
            yield NoValue(target, table.name, column, reading.idle[column])
            continue
        keys: dict[str, list[str]] = {}
        for row in reading.rows:
            if column in row.gaps:
                keys.setdefault(row.gaps[column], []).append(", ".join(row.key(table.key)))
        yield from (NoValue(target, table.name, column, reason, tuple(of)) for reason, of in keys.items())
    if reading.partial:
        yield NoValue(target, table.name, "*", f"read in part: {reading.partial}")
    if reading.note and reading.note != reading.partial:
        yield NoValue(target, table.name, "*", reading.note)


def _note(target: str, table: str, reason: str, all_keys: Sequence[str], columns: Sequence[str]) -> str:
    keys = [key for key in all_keys if key]
    listed = ", ".join(keys[:_LISTED]) + (f" and {len(keys) - _LISTED} more" if len(keys) > _LISTED else "")
    return f"? {target}: {table}.{', '.join(columns)}{f' of {listed}' if keys else ''}: {reason}"


def _joined(answers: Sequence[Answer], most: int) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """All rows together; with several targets, each row begins with its target."""
    if not answers:
        return (), []
    several = len(answers) > 1
    columns = ("target", *answers[0].columns) if several else answers[0].columns
    return columns, [((answer.target, *row) if several else row) for answer in answers for row in answer.rows[:most]]


def _cut(answers: Sequence[Answer], most: int) -> list[str]:
    return [f"{answer.target}: only the first {most} rows are shown" for answer in answers if len(answer.rows) > most]


def query_page(answers: Sequence[Answer], footer: str, most: int, now: float = 0.0) -> list[Block]:
    """The rows as a table, with a `?` for each missing value, and below it the reasons; `now`, for how long ago a daemon saw them."""
    columns, rows = _joined(answers, most)
    grid = Grid(columns, tuple(tuple("?" if cell is None else format_value(cell) for cell in row) for row in rows))
    notes = [note for answer in answers for note in answer.notes] + _cut(answers, most)
    page: list[Block] = [grid] if columns else []
    page += [Line.of(Ink(note, "odd")) for note in notes]
    oldest = min((answer.seen_at for answer in answers if answer.seen_at is not None), default=None)
    seen = "" if oldest is None else f"as watchdog saw it {format_duration(max(round(now - oldest), 0))} ago · "
    return [*page, Line.of(Ink(f"{counted(len(rows), 'row')} · {seen}{footer}", "faint"))]


def query_document(answers: Sequence[Answer], most: int) -> dict[str, Any]:
    """The rows as objects, with null for each missing value, and the reasons."""
    columns, rows = _joined(answers, most)
    return {
        "version": 1,
        "columns": list(columns),
        "rows": [dict(zip(columns, map(json_cell, row), strict=True)) for row in rows],
        "gaps": [
            {"target": g.target, "table": g.table, "column": g.column, "reason": g.reason, "keys": list(g.keys)}
            for answer in answers
            for g in answer.gaps
        ],
        "unread": [{"target": a.target, "table": table, "reason": why} for a in answers for table, why in a.unread.items()],
        "seen_at": {a.target: None if a.seen_at is None else iso(a.seen_at) for a in answers},
        "cut": bool(_cut(answers, most)),
    }


def csv_text(answers: Sequence[Answer], most: int) -> str:
    """The rows as CSV with a header; a missing value is an empty field."""
    columns, rows = _joined(answers, most)
    text = io.StringIO()
    usual, quoted = (csv.writer(text, lineterminator="\n", quoting=quoting) for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    cells = [["" if cell is None else _csv_cell(cell) for cell in row] for row in rows]
    for row in ([list(columns)] if columns else []) + cells:
        # GitHub's runner executes a line that begins with `::`; quotes prevent that without changing the value
        (quoted if str(row[0]).lstrip().startswith("::") else usual).writerow(row)
    return text.getvalue()


def _csv_cell(cell: Cell) -> object:
    if isinstance(cell, bool):
        return str(cell).lower()
    plain = sanitize(cell) if isinstance(cell, str) else json_cell(cell)
    return cell if plain is None else plain
