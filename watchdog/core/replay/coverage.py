"""What a replay could not judge, and for how long: never the same as quiet.

In: looks, one after the other, and the rules. Out: for each rule without a verdict in some of them, why, and of how much of the time.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from watchdog.core.history.frames import RecordedLook
from watchdog.core.judging.loaded_tables import LoadedTable
from watchdog.core.model.rows import Reading, Table
from watchdog.core.rules.overrides import Tuned
from watchdog.core.text.durations import format_duration

__all__ = ["Coverage", "Covered", "Hidden"]

INTERVALS_APART = 3.0
"""Looks further apart than this many intervals leave a time of which nothing was recorded."""

_Place = tuple[float, str]
"""A table in a window."""
_Known = tuple[str | None, str | None]
"""Why there is no verdict at all, or none on some rows."""


_Shape = tuple[Mapping[str, str], str | None, bool, frozenset[str]]
"""Of a reading, all that decides which rules have a verdict: what is idle, why it was not read, whether it has rows, its gaps."""


class Hidden(Struct, frozen=True):
    """What of one rule could not be judged: for how long not at all, for how long not on every row, and the last reason."""

    rule: str
    nothing_s: float
    some_rows_s: float
    reason: str


class Covered(Struct, frozen=True):
    """How long was recorded, and what of it could not be judged. `failed`: rule -> why it failed."""

    recorded_s: float = 0.0
    rules: int = 0
    hidden: Mapping[str, Hidden] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def never(self) -> Mapping[str, str]:
        """The rules without a single verdict -> why."""
        blind = {name: one.reason for name, one in self.hidden.items() if one.nothing_s >= self.recorded_s}
        return {**blind, **self.failed}


class Coverage:
    """Adds up, look by look."""

    def __init__(self, rules: Sequence[Tuned], tables: Mapping[str, Table]) -> None:
        self._tables, self._count = tables, len(rules)
        self._reads = {(tuned.rule.name, copy.window_s): copy.reads for tuned in rules for copy in tuned.copies if copy.enabled}
        self._places = {(window_s, table) for (_, window_s), reads in self._reads.items() for table in reads}
        self._readings: dict[_Place, Reading | None] = {}
        self._shapes: dict[_Place, _Shape | None] = {}
        self._loaded: dict[_Place, LoadedTable | None] = {}
        self._known: dict[tuple[str, float], _Known] = {}
        self._nothing: dict[str, float] = {}
        self._some: dict[str, float] = {}
        self._reason: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._recorded_s = 0.0
        self._before_at: float | None = None

    def fail(self, rule: str, why: str) -> None:
        """A rule failed."""
        self._failed[rule] = why

    def add(self, look: RecordedLook) -> None:
        """One more look: it stands for the time since the look before, or for one interval."""
        since_s = look.interval_s if self._before_at is None else look.at - self._before_at
        lasted_s = since_s if 0 <= since_s <= INTERVALS_APART * look.interval_s else look.interval_s
        self._before_at = look.at
        self._recorded_s += lasted_s
        changed = {place for place in self._places if self._load(place, look)}
        nothing: set[str] = set()
        some: set[str] = set()
        for (rule, window_s), reads in self._reads.items():
            if changed and any((window_s, table) in changed for table in reads):
                self._known[rule, window_s] = self._verdict(window_s, reads, look)
            whole, rows = self._known.get((rule, window_s), (None, None))
            if whole is not None or rows is not None:
                (nothing if whole is not None else some).add(rule)
                self._reason[rule] = whole or rows or ""
        for rule in nothing:
            self._nothing[rule] = self._nothing.get(rule, 0.0) + lasted_s
        for rule in some - nothing:
            self._some[rule] = self._some.get(rule, 0.0) + lasted_s

    def covered(self) -> Covered:
        """Return what was added up."""
        hidden = {
            rule: Hidden(rule, self._nothing.get(rule, 0.0), self._some.get(rule, 0.0), self._reason[rule])
            for rule in sorted({*self._nothing, *self._some})
        }
        return Covered(self._recorded_s, self._count, hidden, self._failed)

    def _load(self, place: _Place, look: RecordedLook) -> bool:
        """Take the table of this look. Return whether other rules than before may have no verdict."""
        window_s, name = place
        reading = look.windows.get(window_s, {}).get(name)
        before = self._readings.get(place)
        if place in self._readings and reading is before:
            return False
        self._readings[place] = reading
        shape = _shape(reading)
        if place in self._shapes and self._shapes[place] == shape:
            return False
        self._shapes[place] = shape
        self._loaded[place] = None if reading is None else LoadedTable.of(self._tables[name], reading)
        return True

    def _verdict(self, window_s: float, reads: Mapping[str, frozenset[str]], look: RecordedLook) -> _Known:
        partly = None
        for table, columns in sorted(reads.items()):
            loaded = self._loaded.get((window_s, table))
            if loaded is None:
                return _not_recorded(table, window_s, look), None
            why = loaded.idle_reason(columns) or loaded.unread_reason
            if why is not None:
                return why, None
            partly = partly or loaded.any_gap_reason(columns)
        return None, partly


def _not_recorded(table: str, window_s: float, look: RecordedLook) -> str:
    held = [format_duration(one) for one, readings in look.windows.items() if table in readings]
    if held:
        return f"{table} over {format_duration(window_s)} is not recorded, only over {', '.join(held)}"
    return f"{table} is not recorded"


def _shape(reading: Reading | None) -> _Shape | None:
    if reading is None:
        return None
    gaps = frozenset([column for row in reading.rows if row.gaps for column in row.gaps])
    return reading.idle, reading.unread, bool(reading.rows), gaps
