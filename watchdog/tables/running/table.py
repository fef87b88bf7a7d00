"""`running`: one row per executing task: the 100 that Flower shows as started for longest, with what they report.

A task whose worker was killed stays started in Flower forever: its row stays, with `worker_state` lost. A task that Flower shows as started
but its worker does not execute has no row: see `contradicted`.
"""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from watchdog.core.model.demand import NOT_READ
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import STARTED_TASKS, InspectOne, Query, ReadEventCounters
from watchdog.core.model.replies import EventCounters, Replies, TaskSeen
from watchdog.core.model.rows import Asking, Cell, Column, Kind, Look, Reading, Row, Table
from watchdog.core.model.servers.heard import CountHeard
from watchdog.core.model.target import Target
from watchdog.tables.running.contradicted import contradiction, ended_by_its_worker, workers_to_ask
from watchdog.tables.running.memory import METAS_PER_POLL, REUSED_S, KnownRun, Running, listed_runs, metas, running_of, runs_now
from watchdog.tables.running.results_place import ResultsPlace, results_place
from watchdog.tables.workers.memory import KnownWorkers, inspections, known_workers_of, refreshing

__all__ = ["TABLE"]

N, T = Kind.NUMBER, Kind.TEXT
COLUMNS = (
    Column("id", T, "the task's id"),
    Column("name", T, "the task's name"),
    Column("worker", T, "the worker that executes it"),
    Column("worker_state", T, "that worker's state; lost also where its process has restarted since", allowed=("online", "left", "lost")),
    Column("worker_active", N, "tasks that worker executes now, by its own heartbeat", "tasks", 0.0),
    Column("also_on", T, "other workers that are online and execute it at the same time, by its events", neutral=""),
    Column("queue", T, "the queue it came from, if its sender or its worker reports it"),
    Column("running_s", N, "since it started", "s", 0.0),
    Column(
        "progress",
        N,
        "its own progress, 0 to 1, from update_state: `progress`, `current` of `total` and the like, or `percent`",
        "ratio",
        0.0,
    ),
    Column(
        "step",
        T,
        "what it is at, from update_state: `step`, `current_step`, `stage`, `phase`, `status`, `message` or `description`",
        neutral="",
    ),
    Column("meta", T, "all it reports by update_state, JSON", neutral="{}"),
    Column("progress_still_s", N, "since its progress or step last moved; 0 where it reports none", "s", 0.0),
    Column(
        "peak_memory",
        N,
        "the most memory it has reported, from update_state: `peak_memory` in bytes",
        "bytes",
        0.0,
    ),
    Column("arguments", T, "its arguments, as its worker's events have them; only with `show_arguments`", neutral=""),
)
UNTOLD = 'flower keeps one worker for each task: events of tasks tell (`events = "auto"`, the default), and they are not heard'
OF_PROGRESS = ("progress", "step", "meta", "progress_still_s", "peak_memory")
HIDDEN = "hidden: show_arguments of this target is false"
FIXED = ("id", "name", "worker")
"""What is valid for a task even if nothing can be polled."""
PROCESS_SLACK_S = 5.0
"""Clocks differ: a task counts as one of an earlier process only if it started this much before the current process."""
CLOCK_AHEAD = "its worker's clock is ahead, and it was not watched from its beginning on"
RESTARTED = "flower: restarted, and has not reported this task since"
UNHEARD = "events: nothing was heard of this task since they are listened to again"
MISSED = "the event that reports it was missed"
NO_QUEUE = "its sender does not report it (task_send_sent_event is off), and its worker consumes several queues"


def asks(asking: Asking) -> Iterable[Query]:
    """Return the queries for running tasks and their reports; none if nobody reads the table."""
    if asking.target.without_tasks or not asking.demand.wants("running"):
        return []
    wanted: list[Query] = [STARTED_TASKS, *refreshing(_in_doubt(asking))]
    if asking.demand.wants("running", *OF_PROGRESS):
        place = _place(asking.target, asking.replies, known_workers_of(asking.memories.get("workers")))
        wanted += () if place.why_not else metas(asking, place)
    return wanted


def _in_doubt(asking: Asking) -> list[InspectOne]:
    """Return refreshes of workers that execute fewer tasks than Flower shows, once both are known."""
    memory, listed = running_of(asking.memory), asking.replies.get(STARTED_TASKS, tuple[TaskSeen, ...])
    if isinstance(listed, Gap):
        return []
    return workers_to_ask(listed_runs(memory, listed, asking.target, asking.now), asking.replies, memory.inspected, asking.now)


def read(look: Look) -> Reading:
    """Return a row for every running task."""
    why = look.target.without_tasks or NOT_READ
    if look.target.without_tasks or not look.demand.wants("running"):
        return Reading(idle={c.name: why for c in COLUMNS})
    memory, known_workers = running_of(look.memory), known_workers_of(look.before["workers"].memory if "workers" in look.before else None)
    place = _place(look.target, look.replies, known_workers)
    why = place.why_not or ("" if look.demand.wants("running", *OF_PROGRESS) else NOT_READ)
    idle = dict.fromkeys(OF_PROGRESS, why) if why else {}
    if not look.target.show_arguments:
        idle["arguments"] = HIDDEN
    if not (look.target.hears_tasks or look.target.hears_beside_flower) or isinstance(look.replies.answers.get(CountHeard()), Gap):
        idle["also_on"] = UNTOLD
    listed = look.replies.get(STARTED_TASKS, tuple[TaskSeen, ...])
    if isinstance(listed, Gap):
        rows = tuple(_blind_row(run, listed.reason, idle) for run in memory.known.values() if not run.ended)
        return Reading(rows, unread=listed.reason, idle=idle, memory=memory)
    now = runs_now(memory, listed, look, place, _lists_since(look, known_workers))
    told = {run.id: replace(run, ended=run.ended or ended_by_its_worker(run, known_workers, look.now)) for run in now.known.values()}
    now = replace(now, known=told)
    workers = _Workers(look, known_workers, tuple(told.values()))
    over = [run for run in now.known.values() if not run.listed and (run.ended or workers.done_with(run))]
    forgotten = [run for run in now.known.values() if not run.listed and look.now - run.seen_at > look.target.forget_after_s]
    now = replace(now, known={task_id: run for task_id, run in now.known.items() if run not in over and run not in forgotten})
    cut = f"only the {STARTED_TASKS.limit} tasks that run for longest are listed" if len(listed) >= STARTED_TASKS.limit else None
    return Reading(
        rows=tuple(_row(run, look, workers, idle) for run in now.known.values() if not run.ended),
        partial=cut,
        idle=idle,
        memory=now,
        forgotten=frozenset((run.id,) for run in forgotten if run not in over),
    )


def _lists_since(look: Look, known_workers: KnownWorkers) -> float | None:
    """Return when what lists tasks began to do so: at Flower's last start, or when the connection over which events come was opened."""
    if not look.target.hears_tasks:
        return known_workers.flower.back_at
    counters = look.replies.get(ReadEventCounters(), EventCounters)
    if isinstance(counters, Gap) or counters.started_at is None:
        return None
    return counters.started_at - REUSED_S  # what is heard is no list that was reused


def _place(target: Target, replies: Replies, known_workers: KnownWorkers) -> ResultsPlace:
    """Return where results are stored, by what the workers reported in this poll or an earlier one; the last inspected comes first."""
    seen = sorted(inspections(replies, known_workers, target).values(), key=lambda i: (-(i.at or 0.0), i.name))
    return results_place(target, (i.conf for i in seen if i.conf is not None))


class _Workers:
    """What this poll knows of the workers."""

    def __init__(self, look: Look, known_workers: KnownWorkers, runs: tuple[KnownRun, ...]) -> None:
        workers = look.before.get("workers", Reading(unread="the workers were not read"))
        self.look, self.known_workers, self.runs, self.unread = look, known_workers, runs, workers.unread
        self.rows: Mapping[Cell, Row] = {row.cells["name"]: row for row in workers.rows}

    def state(self, run: KnownRun) -> tuple[Cell, str]:
        """Return (the worker's state, or why it is unknown)."""
        row = self.rows.get(run.worker)
        if run.worker is None:
            return None, MISSED
        if row is None:
            why = self.unread or self.known_workers.flower.unsettled(self.look.now)
            return (None, why) if why else ("lost", "")  # Flower lists a worker until it restarts: one that is not listed is gone
        if row.cells.get("state") == "online" and self._of_earlier_process(run, row):
            return "lost", ""
        return row.cells["state"], row.gaps.get("state", "")

    def active(self, run: KnownRun) -> tuple[Cell, str]:
        """Return (how many tasks it executes, or why that is unknown)."""
        row = self.rows.get(run.worker)
        if row is None:
            _, why = self.state(run)
            return (None, why) if why else (0.0, "")
        active = row.cells["active"]
        if isinstance(active, float) and (why := contradiction(str(run.worker), active, self.runs, self.look.now)):
            return None, why
        return active, row.gaps.get("active", "")

    def also_on(self, run: KnownRun) -> tuple[Cell, str]:
        """Return (the other workers that are online and execute it, or why that is unknown)."""
        others: list[str] = []
        for worker, started in run.also_on or ():
            state, why = self.state(replace(run, worker=worker, started=started))
            if state is None:
                return None, why
            others += [worker] if state == "online" else []
        return ", ".join(sorted(others)), ""

    def queue(self, run: KnownRun) -> tuple[Cell, str]:
        """Return (the queue it came from, or why that is unknown): from its sender, or because its worker consumes only one."""
        row = self.rows.get(run.worker)
        queues = row.cells.get("queues") if row is not None else None
        only = queues if isinstance(queues, str) and queues and "," not in queues else None
        queue = run.queue or only
        return (queue, "") if queue else (None, NO_QUEUE)

    def done_with(self, run: KnownRun) -> bool:
        """Whether the worker of a task that Flower lost cannot be executing it any more."""
        state, active = self.state(run)[0], self.active(run)[0]
        return state in ("left", "lost") or (state == "online" and active == 0)

    def _of_earlier_process(self, run: KnownRun, row: Row) -> bool:
        known, uptime = self.known_workers.known.get(run.worker or ""), row.cells.get("uptime_s")
        if run.started is None or (run.absent_at is not None and isinstance(uptime, float) and run.absent_at > self.look.now - uptime):
            return False
        if isinstance(uptime, float) and run.started < self.look.now - uptime - PROCESS_SLACK_S:
            return True
        return known is not None and any(run.started < at - PROCESS_SLACK_S for at in known.restarted_at)


def _row(run: KnownRun, look: Look, workers: _Workers, idle: Mapping[str, str]) -> Row:
    if not run.listed:
        return _blind_row(run, UNHEARD if look.target.hears_tasks else RESTARTED, idle)
    running_s = run.running_s(look.now, look.replies.took_s)
    started = (running_s, MISSED if run.started is None else CLOCK_AHEAD)
    told: dict[str, tuple[Cell, str]] = {
        "id": (run.id, ""),
        "name": (run.name, MISSED),
        "worker": (run.worker, MISSED),
        "worker_state": workers.state(run),
        "worker_active": workers.active(run),
        "also_on": workers.also_on(run),
        "queue": workers.queue(run),
        "running_s": started,
        "arguments": (run.arguments, MISSED),
        **_report(run, look.now),
    }
    cells = {name: cell for name, (cell, _) in told.items() if name not in idle}
    return Row(cells, {name: told[name][1] for name, cell in cells.items() if cell is None})


def _report(run: KnownRun, now: float) -> dict[str, tuple[Cell, str]]:
    """Return what it reports, with reasons for gaps."""
    report = run.report
    why = f"results: not queried yet, {METAS_PER_POLL} tasks per poll" if report is None else report.gap
    if report is None or why:
        return dict.fromkeys(OF_PROGRESS, (None, why))
    says = report.progress is not None or report.step is not None
    still_s = max(now - report.moved_at, 0.0) if says else 0.0
    return {
        "progress": (report.progress or 0.0, ""),
        "step": (report.step or "", ""),
        "meta": (report.meta or "{}", ""),
        "progress_still_s": (still_s, ""),
        "peak_memory": (report.peak_memory or 0.0, ""),
    }


def _blind_row(run: KnownRun, why: str, idle: Mapping[str, str]) -> Row:
    fixed: dict[str, tuple[Cell, str]] = {"id": (run.id, ""), "name": (run.name, MISSED), "worker": (run.worker, MISSED)}
    told = fixed | {c.name: (None, why) for c in COLUMNS if c.name not in FIXED and c.name not in idle}
    return Row({name: cell for name, (cell, _) in told.items()}, {name: reason for name, (cell, reason) in told.items() if cell is None})


TABLE = Table("running", "a task that is executing", ("id",), COLUMNS, asks, read, memory=Running, needs=("workers",))
