"""Figures of one table over time as a JSON document: the history in steps of equal length.

In: slices of history, what is asked. Out: a document. A step in which nobody could look has no part.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from watchdog.core.history.folding import fold_parts
from watchdog.core.history.series import Kept, Part, Slice
from watchdog.core.incidents.payload import iso
from watchdog.core.text.wording import counted
from watchdog.status.documents.status import PartDocument, part_document

__all__ = ["MOST_STEPS", "HistoryAsked", "HistoryDocument", "SeriesDocument", "TooMuchError", "history_document"]

MOST_STEPS = 1000
MOST_ROWS = 50_000
"""Rows of one answer, in all its parts; more take seconds to write, and nobody can read them."""


class TooMuchError(ValueError):
    """More rows than one answer may have."""


class HistoryAsked(Struct, frozen=True):
    """Figures of one table from `since` to `until` (epoch seconds), in steps. `keys`: values that a row's key must contain."""

    target: str
    kept: Kept
    since: float
    until: float
    step_s: float
    series: tuple[str, ...]
    keys: tuple[str, ...] = ()


class SeriesDocument(Struct, frozen=True, kw_only=True):
    """One figure. `fold`: how the values of several looks become one."""

    name: str
    unit: str
    fold: Literal["last", "min", "max", "mean", "sum", "sketch"]
    meaning: str


class HistoryDocument(Struct, frozen=True, kw_only=True):
    """Figures of one table over time: one part for each step in which it could be read, oldest first. `key`: the columns of the key."""

    version: Literal[1] = 1
    target: str
    table: str
    key: Sequence[str]
    since: str
    until: str
    step_s: float
    series: Sequence[SeriesDocument]
    parts: Sequence[PartDocument]


def history_document(slices: Iterable[Slice], asked: HistoryAsked) -> HistoryDocument:
    """The document; `TooMuchError` if it would be too long."""
    kept = asked.kept
    steps: dict[int, list[Part]] = {}
    keys: dict[int, set[tuple[str, ...]]] = {}
    for one in slices:
        part = one.parts.get(kept.table)
        if part is None:
            continue
        step = int(one.at // asked.step_s)
        mine = _chosen(part, asked)
        steps.setdefault(step, []).append(mine)
        keys.setdefault(step, set()).update(mine.rows)
    rows = sum(len(found) for found in keys.values())
    if rows > MOST_ROWS:
        found = f"{counted(rows, 'row')} in {counted(len(steps), 'step')}"
        raise TooMuchError(f"expected at most {MOST_ROWS} rows, found {found}; name a key, a longer step or a shorter window")
    shown = _shown(kept, asked.series)
    return HistoryDocument(
        target=asked.target,
        table=kept.table,
        key=list(kept.key),
        since=iso(asked.since),
        until=iso(asked.until),
        step_s=asked.step_s,
        series=[
            SeriesDocument(name=series.name, unit=series.unit, fold=series.fold.value, meaning=series.meaning) for series in shown.series
        ],
        parts=[part_document(_narrowed(fold_parts(steps[step], kept), kept, shown), shown) for step in sorted(steps)],
    )


def _chosen(part: Part, asked: HistoryAsked) -> Part:
    if not asked.keys:
        return part
    return Part(part.since, part.until, {key: row for key, row in part.rows.items() if set(asked.keys) <= set(key)})


def _shown(kept: Kept, names: Sequence[str]) -> Kept:
    return Kept(kept.table, kept.key, tuple(series for series in kept.series if series.name in names), kept.look)


def _narrowed(part: Part, kept: Kept, shown: Kept) -> Part:
    """The same part with the figures that are shown alone."""
    places = [kept.place(series.name) for series in shown.series]
    return Part(part.since, part.until, {key: tuple(row[place] for place in places) for key, row in part.rows.items()})
