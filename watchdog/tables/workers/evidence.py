"""Liveness evidence in Flower's data about one worker: a goodbye, a return after it, a restart.

A worker that is told to stop says goodbye at once and then finishes its tasks. The events of these tasks reach Flower after the goodbye,
count there as heartbeats, and make the worker look online for 4 s, then silent (measured on 2.2 with a warm shutdown). So a goodbye stands
until Flower has counted a new `worker-online` or `worker-heartbeat`, or shows another pid.
"""

from collections.abc import Iterable, Mapping

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import WorkerHeartbeats, WorkerStatus
from watchdog.core.model.replies import Replies, WorkerBeat
from watchdog.core.model.target import Target, covers
from watchdog.tables.workers.clocks import is_heard
from watchdog.tables.workers.memory import KnownWorkers

__all__ = ["heard_of", "listed_by_flower", "lives_again", "never_ended", "restarted", "said_goodbye", "said_more_goodbyes", "took_turns"]


def listed_by_flower(replies: Replies, target: Target) -> dict[str, bool]:
    """Return each of the target's workers that Flower lists -> whether it calls it online; nothing if Flower did not answer."""
    status = replies.get(WorkerStatus(), dict[str, bool])
    if isinstance(status, Gap):
        return {}
    return {name: online for name, online in status.items() if covers(name, target.workers)} if target.workers else status


def heard_of(replies: Replies, known_workers: KnownWorkers, target: Target, now: float) -> Mapping[str, bool]:
    """Return who is online according to Flower, without workers that only seem so because a heartbeat lies in the future."""
    return replies.once(_heard_of, known_workers, target, now)


def _heard_of(replies: Replies, known_workers: KnownWorkers, target: Target, now: float) -> Mapping[str, bool]:
    answer = replies.get(WorkerHeartbeats(), dict[str, WorkerBeat])
    beats = {} if isinstance(answer, Gap) else answer
    heard = {}
    for name, listed in listed_by_flower(replies, target).items():
        known = known_workers.known.get(name)
        before, heard_at = (known.beat, known.heard_at) if known else (None, None)
        heard[name] = is_heard(beats.get(name), listed=listed, heard_at=heard_at, before=before, now=now)
    return heard


def said_more_goodbyes(before: WorkerBeat | None, now: WorkerBeat | None) -> bool:
    """Whether it said goodbye since the previous poll."""
    return before is not None and now is not None and (now.goodbyes or 0) > (before.goodbyes or 0)


def said_goodbye(before: WorkerBeat | None, now: WorkerBeat, *, listed_online: bool) -> bool:
    """Whether it said goodbye since the previous poll (in a first poll: ever) and has not been heard again."""
    if not now.heartbeats and not listed_online:
        return True
    if now.goodbyes is None or now.hellos is None:
        return False
    if before is None:
        return not listed_online and now.goodbyes >= max(now.hellos, 1)
    goodbyes, hellos = before.goodbyes or 0, before.hellos or 0
    if now.goodbyes < goodbyes or now.hellos < hellos:  # Flower restarted and its counters start again
        goodbyes = hellos = 0
    return now.goodbyes > goodbyes and now.hellos <= hellos


def lives_again(before: WorkerBeat | None, now: WorkerBeat, *, listed_online: bool) -> bool:
    """Whether a worker that said goodbye (`before` is its state at that time) has been heard again."""
    if before is None or None in (before.pulses, now.pulses):
        return listed_online or bool(now.heartbeats)
    another = None not in (before.pid, now.pid) and before.pid != now.pid
    return another or (now.pulses, now.hellos) != (before.pulses, before.hellos)


def took_turns(before: WorkerBeat | None, now: WorkerBeat | None) -> bool:
    """Whether its task count fell without a new pid or a hello: another process with that name. A restart would send a hello.

    In containers every worker may have the same pid.
    """
    if before is None or now is None or None in (before.pid, before.processed, before.hellos):
        return False
    fell = now.processed is not None and before.processed is not None and now.processed < before.processed
    return fell and (now.pid, now.hellos) == (before.pid, before.hellos)


def restarted(before: WorkerBeat | None, now: WorkerBeat | None) -> bool:
    """Whether it is another process now: another pid, or (in a container, where the pid is always 1) a lower task count."""
    if before is None or now is None:
        return False
    if None not in (before.pid, now.pid) and before.pid != now.pid:
        return True
    return before.processed is not None and now.processed is not None and now.processed < before.processed


def never_ended(listed: Iterable[str], before: frozenset[str], known: frozenset[str], active: int | None) -> frozenset[str]:
    """Return the tasks listed as started (oldest first) that an online, heard worker does not execute.

    A task that raises Ignore stays listed forever (measured on Flower 2.2); a worker that once ignored one would seem to end in its middle.
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
