"""What was refused, in the audit log, so that nobody can fill it: some lines for each person and hour, then one that counts the rest.

In: records of what was refused. Out: lines of the audit log. The count is written when it has doubled: it says "at least".
"""

import threading
from collections.abc import Callable

from msgspec.structs import replace

from watchdog.core.actions.record import ActionRecord
from watchdog.store import Store

__all__ = ["MOST_LINES", "Refusals"]

MOST_LINES = 20
"""Lines for each person within an hour."""
HOUR_S = 3600.0
MOST_PERSONS = 1000
"""How many are counted by themselves. All others together have the lines of one."""
OTHERS = ""


class _Hour:
    """What one person was refused within an hour. `rest`: the id of the line that counts what has none of its own."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.count = 0
        self.rest = ""


class Refusals:
    """The refusals of a process. Thread-safe."""

    def __init__(self, store: Store, clock: Callable[[], float], most_persons: int = MOST_PERSONS) -> None:
        self._store, self._clock, self._most_persons = store, clock, most_persons
        self._hours: dict[str, _Hour] = {}
        self._one_by_one = threading.Lock()

    def write(self, record: ActionRecord) -> None:
        """Write it down, or count it. Raises StoreError."""
        with self._one_by_one:
            hour = self._hour(record.author)
            hour.count += 1
            more = hour.count - MOST_LINES
            if more <= 0:
                self._store.add_action(record)
            elif not hour.rest:
                self._store.add_action(replace(record, text=_counted(record, more)))
                hour.rest = record.id
            elif more & (more - 1) == 0:
                self._store.end_action(hour.rest, record.outcome, _counted(record, more), self._clock())

    def _hour(self, person: str) -> _Hour:
        now = self._clock()
        self._hours = {name: hour for name, hour in self._hours.items() if 0 <= now - hour.since < HOUR_S}
        name = person if person in self._hours or len(self._hours) < self._most_persons else OTHERS
        return self._hours.setdefault(name, _Hour(now))


def _counted(record: ActionRecord, more: int) -> str:
    return f"{record.text}; at least {more} more within the hour, of which this is the first"
