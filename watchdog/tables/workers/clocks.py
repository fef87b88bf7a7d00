"""Worker clocks and Flower's view of a worker: how far the clock is off, and whether a worker is heard if its heartbeats lie in the future.

Celery's event state dates a task event by the worker's clock, and a heartbeat by Flower's (celery/events/state.py, seen on 5.7). So one
task of a worker whose clock or time zone is 9 hours ahead puts a heartbeat 9 hours into the future, and for that long Flower reports the
worker as alive. The same entries show how far the clock is off. Input: Flower's heartbeats, what is remembered, the current time. Output: a
drift in seconds, or whether a worker is heard.
"""

from watchdog.core.model.replies import WorkerBeat

__all__ = ["AHEAD_S", "Drift", "drift_after", "is_heard", "is_new"]

AHEAD_S = 5.0
"""Seconds. A heartbeat further ahead of our clock is not evidence; Flower's clock may be ahead by less."""
SILENT_S = 15.0
HEARD_S = 10.0
"""Seconds for which a new heartbeat counts as heard; heartbeats come every 2 s."""
BEHIND_S = 12.0
"""Seconds. Heartbeats are 2 s apart; an entry that far before the others is a task event, dated by the worker's clock."""
AGREE_S = 5.0

Drift = tuple[float | None, float | None]
"""(Seconds by which the clock is ahead of Flower's, None if unknown; a value seen in only one poll: behind, or right again)."""


def is_new(before: WorkerBeat | None, now: WorkerBeat | None) -> bool:
    """Whether a heartbeat was heard since the previous poll."""
    if now is None or before is None:
        return False
    if None in (before.pulses, now.pulses):
        return now.heartbeats != before.heartbeats
    return (now.pulses, now.hellos) != (before.pulses, before.hellos)


def is_heard(beat: WorkerBeat | None, *, listed: bool, heard_at: float | None, before: WorkerBeat | None, now: float) -> bool:
    """Whether Flower can be believed that a worker is online. `heard_at`: when a new heartbeat was last seen, by our clock.

    Flower lists a worker that sends no heartbeats as online for two minutes after its last task event (measured on 2.2: Celery assumes one
    heartbeat a minute); a refresh tells sooner.
    """
    if listed and beat is not None and beat.pulses == 0 and beat.heartbeats and beat.heartbeats[-1] < now - SILENT_S:
        return False
    if not listed or beat is None or not beat.heartbeats or beat.heartbeats[-1] <= now + AHEAD_S:
        return listed
    return is_new(before, beat) or (heard_at is not None and 0 <= now - heard_at <= HEARD_S)


def drift_after(
    known: Drift, before: WorkerBeat | None, beat: WorkerBeat | None, flower_ahead_s: float, now: float, asking_s: float = 0.0
) -> Drift:
    """Return the drift after this poll. `flower_ahead_s`: seconds by which Flower's clock is ahead of ours.

    `asking_s`: how long this poll took. A heartbeat that was sent meanwhile is by no clock that is ahead.
    """
    drift, candidate = known
    if beat is None or not beat.heartbeats:
        return known
    now += flower_ahead_s
    last, first = beat.heartbeats[-1], beat.heartbeats[0]
    same = before is not None and before.heartbeats
    if last > now + AHEAD_S + asking_s and not (same and before is not None and before.heartbeats[-1] == last):
        return last - now, None
    if drift is not None and drift > AHEAD_S and _took_a_task(before, beat):
        return (0.0, None) if candidate == 0.0 else (drift, 0.0)  # one alone may be a heartbeat that reports a task after its event
    if beat.online and _put_before(before, beat):
        behind = first - now
        agrees = candidate is not None and abs(candidate - behind) <= AGREE_S
        return (behind if agrees else drift), behind
    return (0.0 if drift is None else drift), candidate


def _put_before(before: WorkerBeat | None, beat: WorkerBeat) -> bool:
    """Whether an entry is new and yet earlier than those of the previous poll.

    A gap before a later entry may be a real pause, as with a solo pool.
    """
    if before is None or not before.heartbeats or len(beat.heartbeats) < 2:
        return False
    first, second = beat.heartbeats[:2]
    return second - first > BEHIND_S and first < before.heartbeats[-1] and first not in before.heartbeats


def _took_a_task(before: WorkerBeat | None, beat: WorkerBeat) -> bool:
    """Whether it took a task since the previous poll. The events of that task were dated by its clock."""
    if before is None or before.processed is None or beat.processed is None:
        return False
    return before.pid == beat.pid and beat.processed > before.processed
