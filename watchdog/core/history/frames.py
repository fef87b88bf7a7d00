"""The rows of every look in few bytes: each look as what is different from the look before, by the same process if several look.

In: the readings of a look, by window. Out: a `Frame`; and, of frames in their order, the readings again. What did not change between two
looks is the same object in both, so that it is judged once.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, field

from watchdog.core.model.reading import Looks
from watchdog.core.model.rows import Cell, Key, Reading, Row, Table

__all__ = ["WHOLE_EVERY_S", "Frame", "RecordedLook", "Recorder", "TableFrame", "looks_of"]

WHOLE_EVERY_S = 300.0
"""How often a daemon records a whole frame."""


class Said(Struct, frozen=True, array_like=True):
    """What a reading says beside its rows. The fields are those of `Reading`."""

    unread: str | None = None
    partial: str | None = None
    idle: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None
    forgotten: frozenset[Key] = frozenset()


class RowFrame(Struct, frozen=True, array_like=True, gc=False):
    """One row: its place (beyond the last: it is new), the cells that are new, the columns that it lost, its gaps (None: as before)."""

    place: int
    cells: Mapping[str, Cell]
    without: tuple[str, ...] = ()
    gaps: Mapping[str, str] | None = None


class TableFrame(Struct, frozen=True, array_like=True):
    """One table: the places of rows that are gone, taken out first; rows that are new or different; what else changed (None: nothing)."""

    gone: tuple[int, ...] = ()
    rows: tuple[RowFrame, ...] = ()
    said: Said | None = None


class Frame(Struct, frozen=True, omit_defaults=True):
    """One look at `at` (epoch seconds). `whole`: it says everything, and follows no other. `damaged`: it can no longer be read. `by`: who
    looked, where several processes do; it follows the last one of the same.
    """

    at: float
    interval_s: float
    whole: bool
    windows: Mapping[float, Mapping[str, TableFrame]] = field(default_factory=dict)
    damaged: bool = False
    by: str = ""


class RecordedLook(Struct, frozen=True):
    """What one look saw."""

    at: float
    interval_s: float
    windows: Looks


class _Held(Struct, frozen=True):
    """A table as the frames so far say it: its reading, and the same rows by key, each in its place."""

    reading: Reading
    rows: Mapping[Key, Row]
    said: Said


class Recorder:
    """Makes frames of one target's looks, each following the last one that was written. Not thread-safe."""

    def __init__(self, tables: Mapping[str, Table], every_s: float) -> None:
        """`every_s`: how often a frame is whole, so that what is older can be deleted, and what is damaged costs little."""
        self._tables, self._every_s = tables, every_s
        self._held: Mapping[tuple[float, str], _Held] = {}
        self._since: float | None = None
        self._next: tuple[Mapping[tuple[float, str], _Held], float] = ({}, 0.0)

    def written(self) -> None:
        """The last frame was written: the next one follows it."""
        self._held, self._since = self._next

    def forget(self) -> None:
        """Whether the last frame was written is not known: the next one is whole."""
        self._held, self._since = {}, None

    def frame(self, windows: Looks, at: float, interval_s: float, by: str = "") -> Frame:
        """Return the frame of a look."""
        named = {(window_s, name): one for window_s, tables in windows.items() for name, one in tables.items()}
        whole = self._since is None or at // self._every_s != self._since // self._every_s or named.keys() != self._held.keys()
        before = {} if whole else self._held
        held: dict[tuple[float, str], _Held] = {}
        made: dict[float, dict[str, TableFrame]] = {}
        for (window_s, name), reading in named.items():
            held[window_s, name], frame = _framed(before.get((window_s, name)), reading, self._tables[name].key)
            if frame is not None:
                made.setdefault(window_s, {})[name] = frame
        self._next = held, at
        return Frame(at, interval_s, whole, made, by=by)


def _framed(before: _Held | None, reading: Reading, key: Key) -> tuple[_Held, TableFrame | None]:
    """Return a table as it is held now, and what is new of it; None if nothing is."""
    if before is not None and before.reading is reading:
        return before, None
    now, said = _by_key(reading, key), Said(reading.unread, reading.partial, reading.idle, reading.missing, reading.forgotten)
    known: Mapping[Key, Row] = before.rows if before is not None else {}
    gone = tuple([place for place, name in enumerate(known) if name not in now])
    rows = {name: now[name] for name in known if name in now}
    rows |= now  # what is new stands behind what is known
    frames = tuple([one for place, (name, row) in enumerate(rows.items()) if (one := _row_frame(place, known.get(name), row)) is not None])
    new_said = None if before is not None and before.said == said else said
    nothing = not gone and not frames and new_said is None
    return _Held(reading, rows, said), None if nothing else TableFrame(gone, frames, new_said)


def _by_key(reading: Reading, key: Key) -> Mapping[Key, Row]:
    """Return the rows by key; by their numbers, if two have the same."""
    rows = {row.key(key): row for row in reading.rows}
    return rows if len(rows) == len(reading.rows) else {(str(number),): row for number, row in enumerate(reading.rows)}


def _row_frame(place: int, was: Row | None, row: Row) -> RowFrame | None:
    if was is None:
        return RowFrame(place, row.cells, (), row.gaps or None)
    if was is row:
        return None
    cells = {name: cell for name, cell in row.cells.items() if cell != was.cells.get(name, _ABSENT)}
    without = tuple([name for name in was.cells if name not in row.cells])
    gaps = None if row.gaps == was.gaps else row.gaps
    return RowFrame(place, cells, without, gaps) if cells or without or gaps is not None else None


_ABSENT = object()
"""What a row has in place of a cell that it does not have; equal to no cell."""


def looks_of(frames: Iterable[Frame]) -> Iterator[RecordedLook]:
    """Return the looks again, oldest first. Frames that follow one that is missing are left out, up to the next whole one."""
    last: dict[str, tuple[float, Mapping[float, Mapping[str, Reading]]]] = {}  # who looked -> when, and what was seen
    for frame in frames:
        if frame.damaged:
            last.clear()  # whose it was is not known
            continue
        if frame.whole:
            last = {by: (at, seen) for by, (at, seen) in last.items() if frame.at - at < WHOLE_EVERY_S}
        elif frame.by not in last:
            continue
        windows = {} if frame.whole else {**last[frame.by][1]}
        for window_s, tables in frame.windows.items():
            known = windows.get(window_s, {})
            windows[window_s] = {**known, **{name: _reading(known.get(name, Reading()), one) for name, one in tables.items()}}
        last[frame.by] = frame.at, windows
        yield RecordedLook(frame.at, frame.interval_s, windows)


def _reading(before: Reading, frame: TableFrame) -> Reading:
    gone = frozenset(frame.gone)
    rows = [row for place, row in enumerate(before.rows) if place not in gone] if gone else list(before.rows)
    for one in frame.rows:
        if one.place < len(rows):
            rows[one.place] = _changed(rows[one.place], one)
        else:
            rows.append(Row(one.cells, one.gaps or {}))
    said = frame.said or Said(before.unread, before.partial, before.idle, before.missing, before.forgotten)
    return Reading(tuple(rows), said.unread, said.partial, said.idle, said.missing, forgotten=said.forgotten)


def _changed(row: Row, frame: RowFrame) -> Row:
    cells = {**row.cells, **frame.cells}
    for name in frame.without:
        cells.pop(name, None)
    return Row(cells, row.gaps if frame.gaps is None else frame.gaps)
