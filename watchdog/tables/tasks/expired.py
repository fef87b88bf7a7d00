"""Count messages of a task that expired in a row without a run between them: work that is never done, even if there is little of it.

Input: what was remembered, what every task did since. Output: what to remember. Messages of a beat schedule may expire by design while
their worker is busy; then a run follows, and the length of that row is remembered. For messages without a name any run ends the row.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from watchdog.core.model.rows import Sample
from watchdog.tables.tasks.listed import EVENTS, SPAN
from watchdog.tables.tasks.names import NAMELESS

__all__ = ["ExpiredRow", "rows_after"]

RUNS = tuple(EVENTS.index(event) for event in ("started", "succeeded", "failed", "retried"))
EXPIRED = EVENTS.index("expired")
LEAST_QUIET_S = 600.0
OF_ONE_S = 3 * 3600.0
"""How long a single message counts as the start of a row: when the next one is due is unknown."""
KEPT_S = 8 * 86400.0


class ExpiredRow(Struct, frozen=True):
    """A task's row: its length, and when the first and the last message expired (epoch seconds). `longest`: longest row ended by a run."""

    count: float = 0.0
    began: float = 0.0
    last: float = 0.0
    longest: float = 0.0

    def now(self, now: float) -> float:
        """Return the length of the row while it continues.

        It is 0 once nothing has expired for three times the mean interval, and at least ten minutes.
        """
        quiet_s = 3 * (self.last - self.began) / (self.count - 1) if self.count > 1 else OF_ONE_S
        return self.count if now - self.last <= max(quiet_s, LEAST_QUIET_S) else 0.0


def rows_after(known: Mapping[str, ExpiredRow], samples: Iterable[Sample]) -> dict[str, ExpiredRow]:
    """Return task -> its row, after these samples."""
    found = dict(known)
    for sample in samples:
        ran = {task: any(_numbers(sample, task, *RUNS)) for task in sample.values if task != SPAN}
        ran[NAMELESS] = any(ran.values())
        for task, has_run in ran.items():
            (expired,) = _numbers(sample, task, EXPIRED)
            if expired or task in found:
                found[task] = _after(found.get(task, ExpiredRow()), expired, sample.at, has_run=has_run)
    return {task: row for task, row in found.items() if row.last >= max((sample.at for sample in samples), default=0.0) - KEPT_S}


def _after(row: ExpiredRow, expired: float, at: float, *, has_run: bool) -> ExpiredRow:
    count = row.now(at)
    if has_run:
        return replace(row, count=0.0, longest=max(row.longest, count + expired), last=at if expired else row.last)
    if not expired:
        return row
    return replace(row, count=count + expired, began=row.began if count else at, last=at)


def _numbers(sample: Sample, task: str, *places: int) -> tuple[float, ...]:
    numbers = sample.values.get(task, ())
    return tuple((numbers[place] or 0.0) if place < len(numbers) else 0.0 for place in places)
