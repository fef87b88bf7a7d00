"""What Flower shows of one worker, taken apart: a goodbye, a new life after it, a restart.

A worker that is told to stop says goodbye at once and then finishes its tasks. The events of these tasks reach Flower
after the goodbye, count there as heartbeats, and make the worker look online for 4 s, then silent (measured on 2.2 with a
warm shutdown). So a goodbye stands until Flower has counted a new `worker-online` or `worker-heartbeat`, or shows another pid.
"""

from collections.abc import Mapping

from watchdog.core.model.replies import WorkerBeat
from watchdog.tables.workers.clocks import is_heard
from watchdog.tables.workers.memory import KnownWorkers

__all__ = ["heard_of", "lives_again", "restarted", "said_goodbye", "said_more_goodbyes", "took_turns"]


def heard_of(status: Mapping[str, bool], beats: Mapping[str, WorkerBeat], known_workers: KnownWorkers, now: float) -> dict[str, bool]:
    """Who is online by Flower's word, without those of whom it says so only because a heartbeat lies ahead of now."""
    heard = {}
    for name, listed in status.items():
        known = known_workers.known.get(name)
        before, heard_at = (known.beat, known.heard_at) if known else (None, None)
        heard[name] = is_heard(beats.get(name), listed=listed, heard_at=heard_at, before=before, now=now)
    return heard


def said_more_goodbyes(before: WorkerBeat | None, now: WorkerBeat | None) -> bool:
    """Whether it said goodbye since the look before."""
    return before is not None and now is not None and (now.goodbyes or 0) > (before.goodbyes or 0)


def said_goodbye(before: WorkerBeat | None, now: WorkerBeat, *, listed_online: bool) -> bool:
    """Whether it said goodbye since the look before (or, on a first look, ever) and has not been heard to come back."""
    if not now.heartbeats and not listed_online:
        return True
    if now.goodbyes is None or now.hellos is None:
        return False
    if before is None:
        return not listed_online and now.goodbyes >= max(now.hellos, 1)
    goodbyes, hellos = before.goodbyes or 0, before.hellos or 0
    if now.goodbyes < goodbyes or now.hellos < hellos:  # Flower restarted and counts anew
        goodbyes = hellos = 0
    return now.goodbyes > goodbyes and now.hellos <= hellos


def lives_again(before: WorkerBeat | None, now: WorkerBeat, *, listed_online: bool) -> bool:
    """Whether a worker that had said goodbye (`before` is what was seen of it then) has been heard anew."""
    if before is None or None in (before.pulses, now.pulses):
        return listed_online or bool(now.heartbeats)
    another = None not in (before.pid, now.pid) and before.pid != now.pid
    return another or (now.pulses, now.hellos) != (before.pulses, before.hellos)


def took_turns(before: WorkerBeat | None, now: WorkerBeat | None) -> bool:
    """Whether its task count fell under one pid without a hello: not a restart, which says hello, but another process of that name.

    In containers every worker may have the same pid.
    """
    if before is None or now is None or None in (before.pid, before.processed, before.hellos):
        return False
    fell = now.processed is not None and before.processed is not None and now.processed < before.processed
    return fell and (now.pid, now.hellos) == (before.pid, before.hellos)


def restarted(before: WorkerBeat | None, now: WorkerBeat | None) -> bool:
    """Whether it is another process now: another pid, or (in a container, where the pid is always 1) a task count that fell."""
    if before is None or now is None:
        return False
    if None not in (before.pid, now.pid) and before.pid != now.pid:
        return True
    return before.processed is not None and now.processed is not None and now.processed < before.processed
