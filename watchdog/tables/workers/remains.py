"""Tasks that Flower shows as started and that do not run: a task that raises Ignore stays so forever (measured on Flower 2.2).

Input: the ids that Flower lists as started on a worker, those of the previous poll, how many tasks the worker reports as executing. Output:
the ids of those not executed. Without them, a worker that once ignored a task would seem to end in the middle of it.
"""

from collections.abc import Iterable

__all__ = ["never_ended"]


def never_ended(listed: Iterable[str], before: frozenset[str], known: frozenset[str], active: int | None) -> frozenset[str]:
    """Return the tasks listed as started (oldest first) that an online, heard worker does not execute.

    A task listed in two polls is not a race between the list and the heartbeat. If there are more of those than it executes, the oldest
    ones have ended. `known`: those found before, as long as they are listed.
    """
    ids = tuple(listed)
    still = known & frozenset(ids)
    if active is None:
        return still
    lasting = [task_id for task_id in ids if task_id in before]
    surplus = max(len(lasting) - active, 0)
    return frozenset(sorted(lasting, key=lambda task_id: task_id not in still)[:surplus])
