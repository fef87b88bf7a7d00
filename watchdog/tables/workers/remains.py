"""Tasks that Flower shows as started and that do not run: a task that raises Ignore stays so for ever (measured on Flower 2.2).

In: the ids that Flower lists as started on a worker, those of the look before, how many the worker says it executes. Out: the ids of
those that are not executed. Without them a worker that once ignored a task would seem to end in the middle of it.
"""

from collections.abc import Iterable

__all__ = ["never_ended"]


def never_ended(listed: Iterable[str], before: frozenset[str], known: frozenset[str], active: int | None) -> frozenset[str]:
    """Of the tasks listed as started (oldest first) those that a worker, online and heard, does not execute.

    One that was listed in two looks is no race between the list and the heartbeat; where they are more than it executes, the oldest of
    them are over. `known`: those found before, as long as they are listed.
    """
    ids = tuple(listed)
    still = known & frozenset(ids)
    if active is None:
        return still
    lasting = [task_id for task_id in ids if task_id in before]
    surplus = max(len(lasting) - active, 0)
    return frozenset(sorted(lasting, key=lambda task_id: task_id not in still)[:surplus])
