"""Messages in priority lists that nobody reads: their step is not among the `priority_steps` of the workers.

A producer with other `priority_steps` puts a message into the list of a step that its workers do not know. It waits there for ever, and
counts in no length. Only looked for if a rule reads the column. In: how keys are named, the lengths of lists. Out: the cells of a row.
"""

from msgspec.structs import replace

from watchdog.core.model.demand import NOT_READ, Demand
from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import Held
from watchdog.core.model.rows import Column, Kind, Row
from watchdog.tables.queues.celery_conf import EVERY_STEP
from watchdog.tables.queues.keys import QueueKeys

__all__ = ["OFF_STEPS", "off_lists", "off_steps_idle", "with_off_steps"]

OFF_STEPS = Column(
    "off_steps",
    Kind.NUMBER,
    "messages in lists of priorities that its workers do not read: not among their priority_steps",
    "messages",
    0.0,
)


def off_lists(queue: str, keys: QueueKeys) -> tuple[str, ...]:
    """Return the keys to ask about, if somebody wants to know; none if the workers' steps are not known."""
    if not keys.conf.said.known:
        return ()
    return tuple(f"{keys.prefix}{queue}{keys.conf.separator}{step}" for step in EVERY_STEP if step and step not in keys.conf.steps)


def off_steps_idle(demand: Demand) -> dict[str, str]:
    """Return why the column is empty, if it is."""
    return {} if demand.wants("queues", OFF_STEPS.name) else {OFF_STEPS.name: NOT_READ}


def with_off_steps(row: Row, keys: QueueKeys, lists: Held[int]) -> Row:
    """Return the row of a queue with this cell."""
    asked = off_lists(str(row.cells["name"]), keys)
    gap = next((lists.gaps[key] for key in asked if key in lists.gaps), None)
    if gap is None and not lists.asked.issuperset(asked):
        gap = Gap("the workers' priority_steps were discovered at the end of this poll; the next one reads the other lists")
    if gap is not None:
        return replace(row, cells={**row.cells, OFF_STEPS.name: None}, gaps={**row.gaps, OFF_STEPS.name: gap.reason})
    return replace(row, cells={**row.cells, OFF_STEPS.name: float(sum(lists.found.get(key, 0) for key in asked))})
