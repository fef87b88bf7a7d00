"""`flower`: one row for the target's Flower, of what is not told by what it answers: how old it is, and how soon it forgets.

It does not say how many tasks it keeps (`--max_tasks=50`: 50 in 2.2, up to 98 in 2.0). But a task that it listed in the look before,
and does not know now, was dropped from a full list; then the age of its oldest tasks is how far back it reaches.
Asked for only if a rule reads it.
"""

from collections.abc import Iterable
from math import inf
from statistics import median

from msgspec import Struct

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Query, ReadEventCounters, WholeTask, WorkerStatus
from watchdog.core.model.replies import EventCounters, TaskSeen, WholeTaskSeen
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.servers.flower_queries import HasWorkersPage, OldestTasks

__all__ = ["TABLE"]

COLUMNS = (
    Column("before_2", Kind.BOOLEAN, "its version is older than 2.0"),
    Column("reach_s", Kind.NUMBER, "how far back its list of tasks reaches, if it drops old ones; infinite if it does not", "s", inf),
)
NOT_YET = "needs a second look: whether it drops tasks shows between two"


class OldestSeen(Struct, frozen=True):
    """Some of the oldest tasks that it listed at the last look, by id; and when that was (epoch seconds)."""

    ids: tuple[str, ...] = ()
    at: float | None = None


def asks(asking: Asking) -> Iterable[Query]:
    """Return the queries about it, and whether it still knows what it listed before."""
    if "flower" not in asking.target.sources or not asking.demand.wants("flower"):
        return []
    return [WorkerStatus(), ReadEventCounters(), HasWorkersPage(), OldestTasks(), *map(WholeTask, _memory(asking.memory).ids)]


def read(look: Look) -> Reading:
    """Return the single row."""
    if "flower" not in look.target.sources:
        return Reading(idle={c.name: "needs Flower, and this target has no `flower`" for c in COLUMNS})
    status, page = look.replies.get(WorkerStatus(), dict[str, bool]), look.replies.get(HasWorkersPage(), bool)
    cells: dict[str, Cell] = {}
    gaps: dict[str, str] = {}
    if isinstance(status, Gap) or isinstance(page, Gap):
        cells["before_2"], gaps["before_2"] = (
            None,
            status.reason if isinstance(status, Gap) else page.reason if isinstance(page, Gap) else "",
        )
    else:
        cells["before_2"] = not page
    oldest, before = look.replies.get(OldestTasks(), tuple[TaskSeen, ...]), _memory(look.memory)
    if isinstance(oldest, Gap):
        cells["reach_s"], gaps["reach_s"] = None, oldest.reason
        return Reading((Row(cells, gaps),), memory=before)
    memory = OldestSeen(_some(oldest), look.now)
    if before.at is None:
        return Reading((Row(cells, gaps),), idle={"reach_s": NOT_YET}, memory=memory)
    cells["reach_s"] = _reach_s(look, oldest, before)
    return Reading((Row(cells, gaps),), memory=memory)


def _memory(memory: object) -> OldestSeen:
    return memory if isinstance(memory, OldestSeen) else OldestSeen()


def _some(oldest: tuple[TaskSeen, ...]) -> tuple[str, ...]:
    """Return the first, the middle and the last: long ones are kept longer than others that came with them."""
    return tuple(dict.fromkeys(oldest[at].id for at in (0, len(oldest) // 2, len(oldest) - 1))) if oldest else ()


def _reach_s(look: Look, oldest: tuple[TaskSeen, ...], before: OldestSeen) -> float:
    asked = [look.replies.get(WholeTask(one), WholeTaskSeen) for one in before.ids]
    forgot = any(not isinstance(answer, Gap) and answer.state is None for answer in asked)
    received = [task.received for task in oldest if task.received is not None]
    return max(look.now - median(received), 0.0) if forgot and received and not _restarted(look, before) else inf


def _restarted(look: Look, before: OldestSeen) -> bool:
    """Whether it started after the look before: then it forgot everything at once."""
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    return not isinstance(counters, Gap) and counters.started_at is not None and counters.started_at > (before.at or 0.0)


TABLE = Table("flower", "the target's Flower", (), COLUMNS, asks, read, memory=OldestSeen)
