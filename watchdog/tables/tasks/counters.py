"""The memory of the `tasks` table, and what every task did since the previous poll, from Flower's event counters and lists.

Input: the counters, the lists, what is remembered, the current time. Output: what to remember, and this poll's sample. The lists correct
two errors of the counters (both measured with Celery 5.7): a hard time limit sends task-failed twice for one run, and events of tasks that
Flower does not know are counted without a name.
"""

from collections import Counter
from collections.abc import Mapping
from math import exp

from msgspec import Struct, field
from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.replies import EventCounters, EventCounts, Replies
from watchdog.core.model.rows import Look, Sample
from watchdog.core.model.servers.both_counts import Ours, Rise
from watchdog.core.model.servers.heard import FAILURES_HEARD, CountHeard, Heard
from watchdog.core.model.target import Target, covers
from watchdog.tables.tasks.expired import ExpiredRow, rows_after
from watchdog.tables.tasks.failure_rates import USUAL, Evidence, weighed
from watchdog.tables.tasks.failures import LISTED, Failure, Failures
from watchdog.tables.tasks.heard_runs import Hearing
from watchdog.tables.tasks.listed import COUNTED, EVENTS, SPAN
from watchdog.tables.tasks.names import NAMELESS
from watchdog.tables.tasks.outcomes import Outcomes
from watchdog.tables.tasks.runtimes import TimedTask
from watchdog.tables.tasks.usual_errors import PAST_S
from watchdog.tables.workers.dark import Heard as HeardOfWorkers

__all__ = [
    "NTH", "Habit", "TaskCounters", "counted_by_events", "failures_heard", "of_another_flower", "of_tasks", "remember", "sample_of",
    "suspected_now", "with_evidence",
]  # fmt: skip

EVIDENCE_S = 8 * 86400.0
"""How long evidence is kept while a task does not run: a task that runs once a week is reported at its fifth failure."""
SUSPECTED_S = 86400.0
HABIT_AFTER_S = 86400.0
HABIT_RUNS = 500.0
"""With less observation, the usual rate is unknown."""
TWICE = "TimeLimitExceeded"
CLOCKS_APART_S = 60.0
"""How far Flower's clock may be behind ours before a restart is taken for another Flower."""
UNHEARD_S = 30.0
"""How long a failure that Flower lists may be heard later than that; then it counts."""
UNNAMED_S = 60.0
"""How long a failure without a name waits for the list of failures, which may be older than the counters."""
_COUNTED = frozenset(COUNTED)
NTH = {event: nth for nth, event in enumerate(EVENTS)}


class Habit(Struct, frozen=True):
    """How often a task usually fails: runs and failures since `since` (epoch seconds), with exponentially decreasing weight."""

    since: float
    at: float
    failed: float = 0.0
    runs: float = 0.0

    def rate(self, now: float) -> float:
        """Return failed of finished; 0 while too little is known."""
        return self.failed / self.runs if now - self.since >= HABIT_AFTER_S and self.runs >= HABIT_RUNS else 0.0

    def runs_at(self, now: float) -> float:
        """Return the weighted number of runs now."""
        return self.runs * exp(-max(now - self.at, 0.0) / PAST_S)


class TaskCounters(Struct, frozen=True):
    """The memory of the `tasks` table: the counters as last read, and when each task was last active (epoch seconds).

    Tasks whose name Flower missed are counted as `NAMELESS`.
    """

    read_at: float | None = None
    started_at: float | None = None
    counts: EventCounts = field(default_factory=dict)
    last_success: Mapping[str, float] = field(default_factory=dict)
    last_seen: Mapping[str, float] = field(default_factory=dict)
    runtimes: Mapping[str, TimedTask] = field(default_factory=dict)
    earlier: tuple[Sample, ...] = ()
    """What happened in the hour before the first poll, as far as Flower listed it."""
    failures: Failures = field(default_factory=Failures)
    outcomes: Outcomes = field(default_factory=Outcomes)
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """Task -> the evidence from its runs."""
    suspected: Mapping[str, float] = field(default_factory=dict)
    """Task -> when it was last suspected to fail too often as a whole (epoch seconds)."""
    habits: Mapping[str, Habit] = field(default_factory=dict)
    expired_rows: Mapping[str, ExpiredRow] = field(default_factory=dict)
    owed: Mapping[str, float] = field(default_factory=dict)
    """Task -> failures that were listed and whose second event has not been counted yet."""
    unnamed: float = 0.0
    """Failures counted without a name that wait for the list of failures to name them."""
    unnamed_since: float = 0.0
    heard: HeardOfWorkers = field(default_factory=HeardOfWorkers)
    ours: Ours = field(default_factory=Ours)
    counted_since: float | None = None
    """Since when whatever tasks did was counted: no Flower lost what it had not told, unless it was heard."""
    hearing: Hearing = field(default_factory=Hearing)
    unheard: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Failures that Flower lists and that were not heard, while events count: task id -> its task, and since when."""


def of_another_flower(memory: TaskCounters, counters: EventCounters, now: float) -> bool:
    """Whether these counters started before the last reading but are not the same: another Flower answers now.

    Its whole life would count as what happened since, so counting starts anew, as in a first poll.
    """
    if memory.read_at is None or counters.started_at is None or counters.started_at == memory.started_at:
        return False
    return now - counters.started_at > now - memory.read_at + CLOCKS_APART_S


def of_tasks(counters: EventCounters) -> EventCounters:
    """Return the counters of task events, of all workers; those of tasks whose name Flower missed as `NAMELESS`."""
    counts = {worker: found for worker, tasks in counters.counts.items() if (found := _of_worker(tasks))}
    return EventCounters(counters.started_at, counts)


def _of_worker(tasks: Mapping[str, Mapping[str, float]]) -> Mapping[str, Mapping[str, float]]:
    if "" not in tasks and all(map(_COUNTED.issuperset, tasks.values())):  # the usual case
        return tasks
    found: dict[str, dict[str, float]] = {}
    for task, events in tasks.items():
        for event, count in events.items():
            if event in _COUNTED:
                named = found.setdefault(task or NAMELESS, {})
                named[event] = named.get(event, 0.0) + count
    return found


def counted_by_events(replies: Replies) -> EventCounters | None:
    """Return what events counted, where they are heard beside Flower."""
    counted = replies.get(CountHeard(), EventCounters)
    return None if isinstance(counted, Gap) else of_tasks(counted)


def failures_heard(replies: Replies) -> frozenset[str]:
    """Return the failed tasks that events list, where they count."""
    failed = replies.get(FAILURES_HEARD, Heard)
    return frozenset() if isinstance(failed, Gap) else frozenset(task.id for task in failed.tasks)


def sample_of(
    memory: TaskCounters, failures: Failures, rise: Rise, target: Target, now: float, *, heard: frozenset[str] | None
) -> tuple[Sample, TaskCounters]:
    """Return what every task did on this target's workers since the counters were last read, and the memory with corrections.

    `heard`: the failed tasks that were heard of; None: failures were not listed in this poll.
    """
    rose, ours = _rises(rise.counts, target), rise.ours
    new_by_id = {task_id: failure for task_id, failure in failures.known.items() if memory.failures.known.get(task_id) != failure}
    new = list(new_by_id.values())
    cut = len(new) >= LISTED.limit
    owed = {} if ours.told else _count_once(rose, memory.owed, new, cut=cut)
    unheard = _unheard(memory, new_by_id, heard, now) if ours.told else {}
    overdue = Counter(task for task_id, (task, _) in memory.unheard.items() if task_id not in unheard and task_id not in (heard or ()))
    if rise.turned and heard is not None and not cut:
        _count_by_list(rose, [failure for task_id, failure in new_by_id.items() if task_id not in unheard])
        unnamed = 0.0
    else:
        unnamed = _file_by_name(rose, memory.unnamed, [failure for failure in new if not failure.named])
    for task, count in overdue.items():
        rose.setdefault(task, [0.0] * len(EVENTS))[NTH["failed"]] += count
    since = memory.unnamed_since if memory.unnamed else now
    if unnamed and now - since >= UNNAMED_S:
        rose.setdefault(NAMELESS, [0.0] * len(EVENTS))[NTH["failed"]] += unnamed
        unnamed = 0.0
    span = max(now - memory.read_at, 0.0) if memory.read_at is not None else 0.0
    sample = Sample(now, {SPAN: (span,), **{task: tuple(numbers) for task, numbers in rose.items() if any(numbers)}})
    return sample, replace(memory, owed=owed, unnamed=unnamed, unnamed_since=since, ours=ours, unheard=unheard)


def _rises(counts: EventCounts, target: Target) -> dict[str, list[float]]:
    rose: dict[str, list[float]] = {}
    for worker, tasks in counts.items():
        if not covers(worker, target.workers):
            continue
        for task, events in tasks.items():
            numbers = rose.setdefault(task, [0.0] * len(EVENTS))
            for event, count in events.items():
                numbers[NTH[event]] += count
    return rose


def _count_by_list(rose: dict[str, list[float]], new: list[Failure]) -> None:
    """Count the failures that were not listed before, where one hands over to another: the two do not hear everything at once."""
    of_task = Counter(failure.task for failure in new)
    for task in {*rose, *of_task}:
        rose.setdefault(task, [0.0] * len(EVENTS))[NTH["failed"]] = float(of_task[task])


def _count_once(rose: dict[str, list[float]], owed: Mapping[str, float], new: list[Failure], *, cut: bool) -> dict[str, float]:
    """Remove the second event of runs: as many as are listed and not explained by new runs. Return those not yet removed.

    A run that is rejected at its time limit (acks_late) sends one event. If the list is cut, its share of such runs is used for all.
    """
    still: dict[str, float] = {}
    of_task: dict[str, list[Failure]] = {}
    for failure in new:
        of_task.setdefault(failure.task, []).append(failure)
    for task in {*owed, *of_task}:
        numbers, mine = rose.get(task, [0.0] * len(EVENTS)), of_task.get(task, [])
        twice = sum(failure.exception == TWICE for failure in mine)
        counted = numbers[NTH["failed"]]
        left = owed.get(task, 0.0) + max(twice - numbers[NTH["rejected"]], 0.0)
        excess = counted * twice / (len(mine) + twice) if cut and mine else counted - len(mine)
        taken = max(min(left, excess, counted), 0.0) if not cut else max(min(excess, counted), 0.0)
        if task in rose:
            numbers[NTH["failed"]] -= taken
        if left > taken and not cut:
            still[task] = left - taken
    return still


def _unheard(memory: TaskCounters, new: Mapping[str, Failure], heard: frozenset[str] | None, now: float) -> Mapping[str, tuple[str, float]]:
    """Return the failures that Flower alone lists while events count: they are heard a little later, or Flower was late with them."""
    if heard is None:
        return memory.unheard
    waiting = {task_id: told for task_id, told in memory.unheard.items() if task_id not in heard and now - told[1] < UNHEARD_S}
    return {**waiting, **{task_id: (failure.task, now) for task_id, failure in new.items() if task_id not in heard}}


def _file_by_name(rose: dict[str, list[float]], unnamed: float, new: list[Failure]) -> float:
    """Assign failures counted without a name to the names in the list. Return how many still wait."""
    nameless = rose.get(NAMELESS, [0.0] * len(EVENTS))
    unnamed, nameless[NTH["failed"]] = unnamed + nameless[NTH["failed"]], 0.0
    for name, count in Counter(failure.task for failure in new).items():
        told = min(float(count), unnamed)
        unnamed -= told
        rose.setdefault(name, [0.0] * len(EVENTS))[NTH["failed"]] += told
    return unnamed


def remember(memory: TaskCounters, counters: EventCounters, sample: Sample, look: Look) -> TaskCounters:
    """Return the memory with the counters as read now, each task's last activity, evidence and habits."""
    moved = [task for task in sample.values if task != SPAN]
    names = {task for worker, tasks in counters.counts.items() if covers(worker, look.target.workers) for task in tasks}
    seen = {**dict.fromkeys(sorted(names), look.now), **memory.last_seen, **dict.fromkeys(moved, look.now)}
    succeeded = [task for task in moved if (sample.values[task][NTH["succeeded"]] or 0) > 0]
    success = {**memory.last_success, **(dict.fromkeys(succeeded, look.now) if memory.read_at is not None else {})}
    kept = {t: at for t, at in seen.items() if t in names or look.now - at <= look.target.forget_after_s}
    samples = [sample] if memory.read_at is not None else []
    evidence = {t: found for t, found in with_evidence(memory, samples).items() if look.now - seen.get(t, 0.0) <= EVIDENCE_S}
    return replace(
        memory,
        read_at=look.now,
        started_at=counters.started_at,
        counts=counters.counts,
        last_success={t: at for t, at in success.items() if t in kept},
        last_seen=kept,
        evidence=evidence,
        suspected=suspected_now(memory.suspected, evidence, look.now),
        expired_rows=rows_after(memory.expired_rows, samples),
        habits={t: habit for t, habit in _habits(memory.habits, samples).items() if t in kept},
    )


def with_evidence(memory: TaskCounters, samples: list[Sample]) -> dict[str, Evidence]:
    """Return the evidence of each task's runs, with these samples added."""
    found = dict(memory.evidence)
    for sample in samples:
        for task, failed, finished in _finished(sample):
            habit = memory.habits.get(task)
            usual = habit.rate(sample.at) if habit is not None else USUAL
            found[task] = weighed(found.get(task) or Evidence(), failed, finished, usual)
    return found


def suspected_now(known: Mapping[str, float], evidence: Mapping[str, Evidence], now: float) -> dict[str, float]:
    """Return task -> when it was last suspected, for as long as a window may reach back to it."""
    still = {task: now for task, found in evidence.items() if found.suspected}
    return {**{task: at for task, at in known.items() if now - at <= SUSPECTED_S}, **still}


def _finished(sample: Sample) -> list[tuple[str, float, float]]:
    """Return (task, failed, finished) for tasks that finished any runs."""
    runs = []
    for task, numbers in sample.values.items():
        if task != SPAN and len(numbers) > NTH["failed"]:
            failed = max(numbers[NTH["failed"]] or 0.0, 0.0)
            finished = failed + (numbers[NTH["succeeded"]] or 0.0)
            runs += [(task, failed, finished)] if finished > 0 else []
    return runs


def _habits(habits: Mapping[str, Habit], samples: list[Sample]) -> dict[str, Habit]:
    found = dict(habits)
    for sample in samples:
        for task, failed, finished in _finished(sample):
            habit = found.get(task) or Habit(sample.at, sample.at)
            left = exp(-max(sample.at - habit.at, 0.0) / PAST_S)
            found[task] = Habit(habit.since, sample.at, habit.failed * left + failed, habit.runs * left + finished)
    return found
