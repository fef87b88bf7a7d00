"""Tables that are part of the schema and that no source fills yet: their columns are checked, their rules are idle."""

from watchdog.core.rows import Column, Kind, Look, Reading, Table

__all__ = ["ERRORS", "RUNNING", "SCHEDULES"]

N, T = Kind.NUMBER, Kind.TEXT
LATER = "read from a later release on"


def _table(
    name: str, row_is: str, key: tuple[str, ...], columns: dict[str, tuple[Kind, str]], allowed: dict[str, tuple[str, ...]]
) -> Table:
    declared = tuple(Column(n, kind, what, later=LATER, allowed=allowed.get(n, ())) for n, (kind, what) in columns.items())

    def read(_: Look) -> Reading:
        return Reading(idle={c.name: f"{name} is {LATER}" for c in declared})

    return Table(name, row_is, key, declared, lambda _: (), read)


ERRORS = _table(
    "errors",
    "an exception type of a task",
    ("task", "exception"),
    {
        "task": (T, "the task's name"),
        "exception": (T, "the exception's type"),
        "category": (T, "what kind of failure it is"),
        "queue": (T, "the queue it came from, where known"),
        "count": (N, "failures within the window"),
        "share": (N, "of the task's failures"),
        "duration_avg_s": (N, "how long the failed runs took"),
        "example": (T, "one message"),
    },
    {"category": ("timeout", "memory", "connection", "lost", "other")},
)

RUNNING = _table(
    "running",
    "a task that is executing",
    ("id",),
    {
        "id": (T, "the task's id"),
        "name": (T, "the task's name"),
        "worker": (T, "the worker that executes it"),
        "worker_state": (T, "that worker's state"),
        "queue": (T, "the queue it came from, where known"),
        "running_s": (N, "since it started"),
        "progress": (N, "its own progress, 0 to 1"),
        "step": (T, "its own step"),
        "meta": (T, "what it reports, JSON"),
        "progress_still_s": (N, "since its progress last moved"),
    },
    {"worker_state": ("online", "left", "lost")},
)

SCHEDULES = _table(
    "schedules",
    "a task expected to succeed on a schedule",
    ("task",),
    {
        "task": (T, "the task's name"),
        "every_s": (N, "how often it is expected"),
        "grace_s": (N, "how late it may be"),
        "last_success_s": (N, "since it last succeeded"),
        "overdue_s": (N, "by how much it is late"),
    },
    {},
)
