"""A single look without Flower hears nothing of tasks: what needs that is idle, with the reason, and is no failure of the look."""

from watchdog.core.model.replies import Replies
from watchdog.core.model.rows import Look, Reading
from watchdog.core.model.schedules.periodic import Scheduler
from watchdog.core.model.schedules.schedule import Schedule
from watchdog.core.model.target import Target
from watchdog.tables.periodic import schedulers, schedules
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.workers.memory import KnownWorkers

HEARD = "`watchdog run` hears it from the workers' events, a single look does not"


def idle(kind: str) -> tuple[dict[str, str], dict[str, str]]:
    """The idle columns of `schedulers` and of `schedules`, of a target with such a scheduler and an hourly task."""
    target = Target(
        "prod",
        frozenset({"redis", "celery"}),
        schedules=(Schedule("reports.hourly", 3600.0),),
        schedulers=(Scheduler(kind, key_prefix="redbeat:"),),
        heard_by_daemon=frozenset({"tasks"}),
    )
    before = {name: Reading() for name in ("queues", "running")}
    before |= {"workers": Reading(memory=KnownWorkers()), "tasks": Reading(memory=TaskCounters())}
    first = schedulers.TABLE.read(Look(target, None, Replies(), 1e9, 300.0, before=before))
    second = schedules.TABLE.read(Look(target, None, Replies(), 1e9, 300.0, before={**before, "schedulers": first}))
    return dict(first.idle), dict(second.idle)


def test_whether_a_task_is_late_is_heard_by_the_daemon_alone() -> None:
    assert idle("beat")[1] == {"last_success_s": HEARD, "overdue_s": HEARD}


def test_whether_beat_sends_is_heard_by_the_daemon_alone() -> None:
    assert idle("beat")[0] == dict.fromkeys(("silent_s", "missed", "sent_twice", "twice"), HEARD)


def test_redbeat_notes_its_runs_where_a_single_look_reads_them() -> None:
    assert idle("redbeat")[0] == dict.fromkeys(("sent_twice", "twice"), HEARD)
