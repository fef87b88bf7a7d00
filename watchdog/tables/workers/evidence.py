"""Liveness evidence about one worker, in Flower's data and in its own events: heard, a goodbye, a return after it, a restart.

Flower says of each worker that it lists whether it is online. Where watchdog itself hears the workers' events (`HearWorkers`), those settle
what Flower may have wrong: who was just heard is online, who said goodbye last has left, and who was heard before and has missed many
heartbeats is silent. Of workers that were not heard since the connection was opened they say nothing: Flower's word stands.

A worker that is told to stop says goodbye at once and then finishes its tasks. The events of these tasks reach Flower after the goodbye,
count there as heartbeats, and make the worker look online for 4 s, then silent (measured on 2.2 with a warm shutdown). So a goodbye stands
until Flower has counted a new `worker-online` or `worker-heartbeat`, or shows another pid.
"""

from collections.abc import Iterable, Mapping

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import STARTED_TASKS, HearWorkers, WorkerHeartbeats, WorkerStatus
from watchdog.core.model.replies import Replies, TaskSeen, WorkerBeat, WorkerHeard, WorkersHeard
from watchdog.core.model.target import Target, covers
from watchdog.tables.workers.clocks import is_heard
from watchdog.tables.workers.memory import KnownWorkers

__all__ = [
    "LISTENING",
    "beats_of",
    "heard_lately",
    "heard_of",
    "listed_by_flower",
    "lives_again",
    "never_ended",
    "own_events",
    "restarted",
    "said_goodbye",
    "said_more_goodbyes",
    "spoken_lately",
    "started_by_worker",
    "took_turns",
    "turns_heard",
    "why_not_heard",
]

LISTENING = frozenset({WorkerStatus, WorkerHeartbeats, HearWorkers})
"""The queries whose answers say who is heard."""
FRESH_BEATS = 2.5
"""A worker heard within so many of its periods is online, whatever Flower says."""
SILENT_BEATS, SILENT_S = 5.0, 15.0
"""One that missed so many, and was silent for so many seconds, is silent, whatever Flower says. Between the two, Flower's word stands."""
USUAL_FREQ_S = 2.0
TOGETHER_S = 30.0
"""How long all must be silent before that counts, if events alone say so: the broker may be failing over."""
TURNS_LATELY_S = 30.0
"""How long after an earlier process was heard again two processes are said to take turns now."""


def own_events(replies: Replies, target: Target) -> WorkersHeard | None:
    """Return what the target's workers said in their events; None if nobody listened."""
    return replies.once(_own_events, target, of=frozenset((HearWorkers,)))


def _own_events(replies: Replies, target: Target) -> WorkersHeard | None:
    heard = next((answer for query, answer in replies.answers.items() if isinstance(query, HearWorkers)), None)
    if not isinstance(heard, WorkersHeard) or not target.workers:
        return heard if isinstance(heard, WorkersHeard) else None
    return WorkersHeard(heard.since_s, {name: one for name, one in heard.workers.items() if covers(name, target.workers)})


def spoken_lately(events: WorkersHeard) -> bool:
    """Whether somebody has been heard within `TOGETHER_S`, or may have been before the connection was opened."""
    return min((events.since_s, *(heard.ago_s for heard in events.workers.values()))) < TOGETHER_S


def turns_heard(heard: WorkerHeard | None) -> bool:
    """Whether two processes were heard to take turns under the name lately."""
    return heard is not None and heard.turned_s is not None and heard.turned_s <= TURNS_LATELY_S


def why_not_heard(replies: Replies) -> str:
    """Return why nobody listened to events."""
    gaps = (answer.reason for query, answer in replies.answers.items() if isinstance(query, HearWorkers) and isinstance(answer, Gap))
    return next(gaps, "events: not heard yet")


def beats_of(replies: Replies, target: Target) -> tuple[Mapping[str, WorkerBeat], str]:
    """Return the heartbeats as Flower shows them, or as they were heard where it shows none; and why they are incomplete, or "".

    They are complete without Flower too: without it, who was not heard is not online.
    """
    return replies.once(_beats_of, target, of=LISTENING)


def _beats_of(replies: Replies, target: Target) -> tuple[Mapping[str, WorkerBeat], str]:
    shown, events = replies.get(WorkerHeartbeats(), dict[str, WorkerBeat]), own_events(replies, target)
    heard = {name: one.beat for name, one in events.workers.items()} if events is not None else {}
    if not isinstance(shown, Gap):
        return {**heard, **shown} if heard else shown, ""
    complete = events is not None and isinstance(replies.get(WorkerStatus(), dict[str, bool]), Gap)
    return heard, "" if complete else shown.reason


def listed_by_flower(replies: Replies, target: Target) -> dict[str, bool]:
    """Return each of the target's workers that Flower lists -> whether it calls it online; nothing if Flower did not answer."""
    status = replies.get(WorkerStatus(), dict[str, bool])
    if isinstance(status, Gap):
        return {}
    return {name: online for name, online in status.items() if covers(name, target.workers)} if target.workers else status


def heard_of(replies: Replies, known_workers: KnownWorkers, target: Target, now: float) -> Mapping[str, bool]:
    """Return who is online: according to Flower, without workers that only seem so because a heartbeat lies in the future; by events."""
    return replies.once(_heard_of, known_workers, target, now, of=LISTENING)


def _heard_of(replies: Replies, known_workers: KnownWorkers, target: Target, now: float) -> Mapping[str, bool]:
    answer = replies.get(WorkerHeartbeats(), dict[str, WorkerBeat])
    beats = {} if isinstance(answer, Gap) else answer
    heard = {}
    for name, listed in listed_by_flower(replies, target).items():
        known = known_workers.known.get(name)
        before, heard_at = (known.beat, known.heard_at) if known else (None, None)
        heard[name] = is_heard(beats.get(name), listed=listed, heard_at=heard_at, before=before, now=now)
    events = own_events(replies, target)
    return heard if events is None else heard | {name: _speaks(one, heard.get(name)) for name, one in events.workers.items()}


def heard_lately(replies: Replies, target: Target) -> frozenset[str]:
    """Return the workers whose events alone show that they are online."""
    events = own_events(replies, target)
    return (
        frozenset() if events is None else frozenset(name for name, heard in events.workers.items() if not heard.gone and _is_fresh(heard))
    )


def _is_fresh(heard: WorkerHeard) -> bool:
    return heard.ago_s <= FRESH_BEATS * (heard.beat.freq_s or USUAL_FREQ_S)


def _speaks(heard: WorkerHeard, by_flower: bool | None) -> bool:  # noqa: FBT001 - what Flower says, not a switch
    """Whether a worker is online by its events; what lies between heard and silent, by Flower's word if there is one."""
    freq_s = heard.beat.freq_s or USUAL_FREQ_S
    if heard.gone or heard.ago_s > max(SILENT_BEATS * freq_s, SILENT_S):
        return False
    return _is_fresh(heard) or by_flower is not False


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


def started_by_worker(replies: Replies) -> dict[str, list[str]] | None:
    """Return each worker -> the ids of the tasks that Flower lists as started on it; None if it did not list them."""
    listed = replies.get(STARTED_TASKS, tuple[TaskSeen, ...])
    if isinstance(listed, Gap):
        return None
    found: dict[str, list[str]] = {}
    for task in listed:
        if task.worker is not None:
            found.setdefault(task.worker, []).append(task.id)
    return found
