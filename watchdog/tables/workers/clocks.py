"""What a worker's clock does to Flower's view of it: how far it is off, and whether it is heard though its heartbeats lie ahead of now.

Celery's event state notes a task event by its worker's own time, and a heartbeat by Flower's (celery/events/state.py, seen on 5.7). So one
task of a worker whose clock or time zone is 9 hours ahead puts a heartbeat 9 hours ahead, and Flower says for as long that the worker
lives. The same entries tell how far it is off. In: Flower's heartbeats, what is remembered, now. Out: a drift in seconds, a truth value.
"""

from watchdog.core.model.replies import WorkerBeat

__all__ = ["AHEAD_S", "Drift", "drift_after", "is_heard", "is_new"]

AHEAD_S = 5.0
"""A heartbeat that lies further ahead of our clock proves nothing: Flower's may be ahead by less."""
SILENT_S = 15.0
HEARD_S = 10.0
"""So long a heartbeat that was new holds: they come every 2 s."""
BEHIND_S = 12.0
"""Between two heartbeats that Flower received lie 2 s; an entry so far before the others is a task's, by its worker's clock."""
AGREE_S = 5.0

Drift = tuple[float | None, float | None]
"""(how far the clock is ahead of Flower's, seconds, None where nothing tells; what one look alone makes of it: behind, or right again)."""


def is_new(before: WorkerBeat | None, now: WorkerBeat | None) -> bool:
    """Whether a heartbeat was heard since the look before."""
    if now is None or before is None:
        return False
    if None in (before.pulses, now.pulses):
        return now.heartbeats != before.heartbeats
    return (now.pulses, now.hellos) != (before.pulses, before.hellos)


def is_heard(beat: WorkerBeat | None, *, listed: bool, heard_at: float | None, before: WorkerBeat | None, now: float) -> bool:
    """Whether Flower is to be believed that a worker is online. `heard_at`: when a new heartbeat was last seen, by our clock.

    One that sends no heartbeats is listed as online for two minutes after the last event of a task (measured on 2.2: Celery takes it to
    send one a minute); a refresh tells sooner.
    """
    if listed and beat is not None and beat.pulses == 0 and beat.heartbeats and beat.heartbeats[-1] < now - SILENT_S:
        return False
    if not listed or beat is None or not beat.heartbeats or beat.heartbeats[-1] <= now + AHEAD_S:
        return listed
    return is_new(before, beat) or (heard_at is not None and 0 <= now - heard_at <= HEARD_S)


def drift_after(known: Drift, before: WorkerBeat | None, beat: WorkerBeat | None, flower_ahead_s: float, now: float) -> Drift:
    """The drift after this look; `flower_ahead_s`: how far Flower's own clock is ahead of ours."""
    drift, candidate = known
    if beat is None or not beat.heartbeats:
        return known
    now += flower_ahead_s
    last, first = beat.heartbeats[-1], beat.heartbeats[0]
    same = before is not None and before.heartbeats
    if last > now + AHEAD_S and not (same and before is not None and before.heartbeats[-1] == last):
        return last - now, None
    if drift is not None and drift > AHEAD_S and _took_a_task(before, beat):
        return (0.0, None) if candidate == 0.0 else (drift, 0.0)  # once it may be a heartbeat that tells of a task later than its event
    if beat.online and _put_before(before, beat):
        behind = first - now
        agrees = candidate is not None and abs(candidate - behind) <= AGREE_S
        return (behind if agrees else drift), behind
    return (0.0 if drift is None else drift), candidate


def _put_before(before: WorkerBeat | None, beat: WorkerBeat) -> bool:
    """Whether an entry is new and yet lies before those of the look before. What lies after them may be a true pause: a solo pool's."""
    if before is None or not before.heartbeats or len(beat.heartbeats) < 2:
        return False
    first, second = beat.heartbeats[:2]
    return second - first > BEHIND_S and first < before.heartbeats[-1] and first not in before.heartbeats


def _took_a_task(before: WorkerBeat | None, beat: WorkerBeat) -> bool:
    """Whether it took one since the look before: its events were dated by its clock."""
    if before is None or before.processed is None or beat.processed is None:
        return False
    return before.pid == beat.pid and beat.processed > before.processed
