"""The row cache: the values made of rows as last read, so that unchanged rows are neither read whole nor decoded again.

The file remains the source of truth. Whatever writes a row gives it a mark that no other write has. It is random and not counted: a write
that was rolled back, or that a failover lost, leaves no number for another one to use again. So a row whose mark is as before is as before,
whoever writes: a cycle, an operator's command, another process. In: the keys and marks of all rows, and how to read some of them. Out:
their values, the same objects as long as the marks are equal.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from watchdog.core.incidents.lifecycle import Incident
from watchdog.core.incidents.messages import Notified
from watchdog.store.records import incident_from_cells, notified_from_cells

__all__ = ["CachedRows", "CachedTarget", "new_mark"]

Value = TypeVar("Value")
Cells = tuple[object, ...]
Marked = tuple[object, ...]
"""The key of a row, and its mark."""


def new_mark() -> int:
    """Return a mark for all rows that one statement writes.

    0 is that of rows which were not written since there are marks: of who restores a dump from before beneath a running worker, that worker
    notices nothing until it is started anew.
    """
    return secrets.randbits(62) + 1


class CachedRows(Generic[Value]):
    """The rows of one query. Not thread-safe."""

    def __init__(self, make: Callable[[Cells], Value], key_width: int) -> None:
        """`make` computes a value from a row's cells and nothing else; the first `key_width` of them are its key."""
        self._make, self._width = make, key_width
        self._marked: list[Marked] = []
        self._values: Mapping[Any, Value] = {}

    def values(self, marked: Iterable[Marked], read: Callable[[Sequence[object]], Iterable[Cells]]) -> Mapping[Any, Value]:
        """Key -> value of each row, in order; the same object if nothing changed. Cached rows that are not among these are dropped.

        `read`: given the first parts of keys, returns at least the rows with these keys: their cells, and the mark.
        """
        now = list(marked)
        if now != self._marked:
            kept = dict(zip(self._marked, self._values.values(), strict=True))
            changed = [one for one in now if one not in kept]
            rows = read(list({one[0] for one in changed})) if changed else ()
            made = {row[: self._width]: self._make(row[:-1]) for row in rows}
            # without the lock, a row may be gone by now, and is left out; or be newer than its mark, and is read again next time
            self._marked = [one for one in now if one in kept or one[:-1] in made]
            self._values = {one[:-1]: kept[one] if one in kept else made[one[:-1]] for one in self._marked}
        return self._values


class CachedTarget(Struct, frozen=True):
    """The cache of one target's open incidents and notification log, passed from load to load."""

    open: CachedRows[Incident] = field(default_factory=lambda: CachedRows(incident_from_cells, 1))
    notified: CachedRows[Notified] = field(default_factory=lambda: CachedRows(notified_from_cells, 2))
