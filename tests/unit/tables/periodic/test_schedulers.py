"""`schedulers`: when a scheduler is silent, and when that is not known; what workers say of its tasks."""

from math import inf
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.unit.tables.periodic.watched import BEGAN, EVERY_MINUTE, Watched
from watchdog.core.model.rows import Reading, Row
from watchdog.core.model.schedules.periodic import PeriodicTask, PeriodicTasks, Scheduler, WorkerPlan
from watchdog.core.model.target import Target
from watchdog.sources.periodic.cron import cron_of
from watchdog.tables.periodic.schedulers import SchedulersSeen

NIGHTLY = PeriodicTask("nightly", "shop.nightly", cron=cron_of("30", "2", "*", "*", "*"))
REDBEAT = Scheduler("redbeat", key_prefix="redbeat:")
WAITING = Reading((Row({"name": "celery", "length": 7.0}),))


def missed(watched: Watched, *times: float) -> list[object]:
    return [watched.scheduler_at(at)["missed"] for at in times]


def test_a_fresh_install_has_missed_nothing() -> None:
    assert missed(Watched(), 0.0) == [0.0]


def test_runs_are_missed_one_by_one_once_nothing_comes() -> None:
    watched = Watched(seen={"shop.tick": 0.0})
    assert missed(watched, 0.0, 95.0, 155.0, 215.0) == [0.0, 1.0, 2.0, 3.0]


def test_runs_within_half_a_minute_count_as_one() -> None:
    watched = Watched(entries=(replace(EVERY_MINUTE, every_s=2.0),), seen={"shop.tick": 0.0})
    assert missed(watched, 0.0, 61.0, 91.0, 121.0, 3600.0) == [0.0, 1.0, 2.0, 3.0, 10.0]


def test_any_task_of_it_is_a_sign() -> None:
    watched = Watched(entries=(EVERY_MINUTE, NIGHTLY), seen={"shop.tick": 0.0})
    missed(watched, 0.0)
    watched.seen["shop.nightly"] = 300.0
    assert missed(watched, 305.0) == [0.0]


def test_runs_of_one_second_are_missed_once() -> None:
    twins = tuple(replace(EVERY_MINUTE, entry=f"tick{nth}", task=f"shop.tick{nth}") for nth in range(5))
    assert missed(Watched(entries=twins, seen={"shop.tick1": 0.0}), 0.0, 95.0) == [0.0, 1.0]


def test_a_nightly_task_alone_is_missed_after_its_night() -> None:
    watched = Watched(entries=(NIGHTLY,))
    assert missed(watched, 0.0, 14 * 3600.0, 15 * 3600.0, 3 * 86400.0) == [0.0, 0.0, 1.0, 3.0]


def test_messages_that_wait_prove_no_silence() -> None:
    watched = Watched(seen={"shop.tick": 0.0}, queues=WAITING)
    assert missed(watched, 10.0, 600.0) == [0.0, 0.0]


def test_messages_in_another_queue_do_not_hide_it() -> None:
    watched = Watched(entries=(replace(EVERY_MINUTE, queue="fast"),), seen={"shop.tick": 0.0}, queues=WAITING)
    assert missed(watched, 0.0, 215.0) == [0.0, 3.0]


def test_queues_whose_lengths_are_unknown_leave_it_unknown() -> None:
    watched = Watched(queues=Reading(unread="redis: refused"))
    assert missed(watched, 10.0) == ["redis: refused"]


def test_while_flower_does_not_answer_it_is_unknown() -> None:
    watched = Watched()
    watched.look(0.0)
    watched.gap = "flower: 503"
    assert missed(watched, 600.0) == ["flower: 503"]


def test_after_a_time_in_which_nobody_counted_its_silence_begins_anew() -> None:
    watched = Watched(seen={"shop.tick": 0.0})
    watched.look(0.0)
    watched.counted_since = 2.0
    assert missed(watched, 600.0, 695.0) == [0.0, 1.0]


def test_an_edited_schedule_is_waited_for_anew() -> None:
    watched = Watched(entries=(replace(EVERY_MINUTE, every_s=3600.0),), seen={"shop.tick": 0.0})
    missed(watched, 0.0)
    watched.entries = (EVERY_MINUTE,)
    assert missed(watched, 1800.0) == [0.0]


def test_a_schedule_that_is_empty_misses_nothing() -> None:
    assert missed(Watched(entries=()), 0.0, 86400.0) == [0.0, 0.0]


def test_when_every_worker_is_gone_the_schedule_stays_known() -> None:
    watched = Watched()
    watched.look(0.0)
    watched.online = ()
    assert watched.scheduler_at(10.0)["tasks"] == 1.0


def test_a_list_of_redbeat_that_is_lost_with_its_beat_is_still_expected() -> None:
    """A FLUSHALL takes the list and the lock; the beat cannot extend that, and ends."""
    watched = Watched(scheduler=REDBEAT, lock_life_s=1500.0, seen={"shop.tick": 0.0})
    watched.look(0.0)
    watched.entries, watched.lock_life_s = (), 0.0
    assert missed(watched, 95.0, 215.0) == [1.0, 3.0]


def test_a_list_of_redbeat_that_is_empty_while_its_beat_runs_has_nothing_to_expect() -> None:
    watched = Watched(scheduler=REDBEAT, lock_life_s=1500.0, seen={"shop.tick": 0.0})
    watched.look(0.0)
    watched.entries = ()
    assert missed(watched, 215.0) == [0.0]


def test_the_lock_of_redbeat_is_named_as_its_prefix_has_it() -> None:
    keys = [Watched(scheduler=one).scheduler_at(0.0)["lock_key"] for one in (REDBEAT, Scheduler("beat"))]
    assert keys == ["redbeat::lock", ""]


@pytest.mark.parametrize(
    ("scheduler", "said"),
    [
        (REDBEAT, "redbeat has no entry at redbeat::schedule: is its key prefix, Redis or database another one?"),
        (Scheduler("beat"), "no worker's beat_schedule has an entry: do the workers have the settings of beat?"),
        (Scheduler("beat", exclude=("*",)), ""),
    ],
    ids=["redbeat", "beat", "all excluded"],
)
def test_a_schedule_without_any_entry_says_where_it_was_looked_for(scheduler: Scheduler, said: str) -> None:
    watched = Watched(scheduler=scheduler, entries=())
    watched.look(0.0)
    assert watched.note == said


def test_what_runs_once_is_expected_once() -> None:
    watched = Watched(entries=(PeriodicTask("once", "shop.once", at=1_795_867_200.0 + 600),))
    rows = [watched.task_at(at, "shop.once") for at in (0.0, 600 + 3600.0, 600 + 3 * 3600.0 + 60)]
    assert [(row["every_s"], row["overdue_s"]) for row in rows] == [(inf, 0.0), (inf, 0.0), (inf, 60.0)]


def test_an_excluded_entry_is_left_out() -> None:
    watched = Watched(scheduler=Scheduler("beat", exclude=("shop.n*",)), entries=(EVERY_MINUTE, NIGHTLY))
    assert set(watched.look(0.0)[1]) == {"shop.tick"}


def test_what_is_not_understood_is_counted_with_an_example() -> None:
    row = Watched(unread={"sun": "it runs by the sun"}).scheduler_at(0.0)
    assert (row["entries"], row["not_understood"], row["example"]) == (1.0, 1.0, "sun: it runs by the sun")


def test_a_cron_without_a_time_zone_is_not_understood() -> None:
    row = Watched(entries=(EVERY_MINUTE, NIGHTLY), zone=None).scheduler_at(0.0)
    assert (row["entries"], row["example"]) == (1.0, "nightly: nobody says by which time zone its cron runs: set timezone beside from")


def test_a_configured_time_zone_fills_in() -> None:
    row = Watched(scheduler=Scheduler("beat", zone="Asia/Tokyo"), entries=(NIGHTLY,), zone=None).scheduler_at(0.0)
    assert row["not_understood"] == 0.0


def test_the_worker_that_started_last_says_which_schedule_holds() -> None:
    newer = WorkerPlan(frozenset({"shop.tick"}), PeriodicTasks((NIGHTLY,)), "UTC")
    watched = Watched(more={"new@x": newer})
    assert set(watched.look(0.0)[1]) == {"shop.nightly"}


def test_that_others_report_another_one_is_said() -> None:
    watched = Watched(more={"new@x": WorkerPlan(frozenset(), PeriodicTasks((NIGHTLY,)), "UTC")})
    watched.look(0.0)
    assert watched.note == "workers report 2 schedules of beat; that of the worker that started last is used"


# --- redbeat ------------------------------------------------------------------------------------------------------------


def test_redbeat_notes_each_run_so_that_no_worker_is_needed() -> None:
    watched = Watched(scheduler=REDBEAT, entries=(replace(EVERY_MINUTE, last_run_at=1_795_867_200.0),), gap="flower: 503")
    assert missed(watched, 0.0, 215.0) == [0.0, 3.0]


def test_a_run_that_redbeat_noted_is_a_sign() -> None:
    watched = Watched(scheduler=REDBEAT, entries=(replace(EVERY_MINUTE, last_run_at=1_795_867_200.0),))
    watched.look(0.0)
    watched.entries = (replace(EVERY_MINUTE, last_run_at=1_795_867_200.0 + 180.0),)
    assert missed(watched, 215.0) == [0.0]


def ticking(noted_at: float, queue: str | None = None) -> PeriodicTask:
    return replace(EVERY_MINUTE, queue=queue, last_run_at=BEGAN + noted_at)


def noted_and_not_received(**changes: Any) -> list[object]:
    """A beat whose task was received at first; then it goes on to note runs, and none is received."""
    watched = Watched(**{"scheduler": REDBEAT, "entries": (ticking(0.0),), "seen": {"shop.tick": 0.0}, **changes})
    watched.look(0.0)
    watched.entries = (replace(watched.entries[0], last_run_at=BEGAN + 180.0),)
    return missed(watched, 215.0)


@pytest.mark.parametrize("kind", ["redbeat", "django"])
def test_a_run_that_was_noted_and_never_came_was_not_sent(kind: str) -> None:
    """It is noted first. Sending fails where the result backend is away, and where the broker that it sends to is."""
    assert noted_and_not_received(scheduler=Scheduler(kind, key_prefix="redbeat:")) == [3.0]


@pytest.mark.parametrize(
    "changes",
    [
        {"seen": {}},
        {"gap": "flower: 503"},
        {"queues": WAITING},
        {"queues": Reading(unread="redis: refused")},
        {"target": Target("prod", frozenset({"flower", "redis"}), workers=("celery@web-*",))},
        {"target": Target("prod", frozenset({"flower", "redis"}), queues=("web",))},
        {"entries": (ticking(0.0, "elsewhere"),)},
    ],
    ids=["never received", "no events", "backlog", "no queues", "other workers", "other queues", "an unknown queue"],
)
def test_where_it_cannot_be_seen_what_workers_receive_a_noted_run_is_a_sign(changes: dict[str, Any]) -> None:
    assert noted_and_not_received(**changes) == [0.0]


def test_a_noted_run_of_an_entry_that_cannot_be_seen_is_a_sign_beside_those_that_can() -> None:
    elsewhere = PeriodicTask("other", "shop.other", 60.0, queue="elsewhere", last_run_at=BEGAN + 180.0)
    assert noted_and_not_received(entries=(ticking(0.0), elsewhere)) == [0.0]


@pytest.mark.parametrize(("life_s", "locked"), [(0.0, False), (1200.0, True)])
def test_whether_a_beat_holds_the_lock(life_s: float, locked: bool) -> None:
    assert Watched(scheduler=REDBEAT, lock_life_s=life_s).scheduler_at(0.0)["locked"] is locked


def test_a_lock_that_runs_down_was_not_renewed() -> None:
    watched = Watched(scheduler=REDBEAT, lock_life_s=1500.0)
    watched.look(0.0)
    watched.lock_life_s = 1400.0
    renewed = [watched.scheduler_at(100.0)["renewed_s"]]
    watched.lock_life_s = 1490.0
    assert [*renewed, watched.scheduler_at(110.0)["renewed_s"]] == [100.0, 0.0]


# --- tasks that are scheduled -------------------------------------------------------------------------------------------


def test_a_task_that_no_worker_registers_is_named() -> None:
    assert Watched(registered=frozenset({"other"})).task_at(0.0)["registered"] is False


def test_celerys_own_tasks_are_registered_everywhere() -> None:
    watched = Watched(entries=(PeriodicTask("cleanup", "celery.backend_cleanup", 60.0),), registered=frozenset())
    assert watched.task_at(0.0, "celery.backend_cleanup")["registered"] is True


def test_a_worker_that_has_not_said_what_it_registers_leaves_it_unknown() -> None:
    watched = Watched(registered=frozenset({"other"}), more={"new@x": WorkerPlan(None, None)})
    assert watched.task_at(0.0)["registered"] == "new@x has not said which tasks it registers"


def test_what_was_registered_stays_so_while_nobody_is_online() -> None:
    watched = Watched()
    watched.look(0.0)
    watched.online = ()
    assert watched.task_at(10.0)["registered"] is True


def test_an_interval_of_beat_may_begin_anew_with_it() -> None:
    watched = Watched(succeeded={"shop.tick": 0.0}, seen={"shop.tick": 0.0})
    watched.look(0.0)
    watched.seen["shop.other"] = watched.seen["shop.tick"] = 90.0
    assert [watched.task_at(at)["overdue_s"] for at in (110.0, 180.0, 200.0)] == [0.0, 0.0, 20.0]


def test_an_interval_of_redbeat_does_not() -> None:
    watched = Watched(scheduler=REDBEAT, succeeded={"shop.tick": 0.0}, seen={"shop.tick": 90.0})
    watched.look(0.0)
    assert watched.task_at(130.0)["overdue_s"] == 10.0


def test_while_nothing_of_its_scheduler_is_seen_that_is_told_first() -> None:
    watched = Watched(succeeded={"shop.tick": 0.0}, seen={"shop.tick": 0.0})
    watched.look(0.0)
    assert [(row["missed"], task["shop.tick"]["overdue_s"]) for row, task in map(watched.look, (215.0, 350.0, 370.0))] == [
        (3.0, 0.0),
        (5.0, 0.0),
        (5.0, 10.0),
    ]


def test_tasks_that_run_at_different_times_are_missed_one_after_the_other() -> None:
    hourly = tuple(PeriodicTask(f"e{nth}", f"shop.t{nth}", 3600.0) for nth in range(10))
    watched = Watched(entries=hourly, seen={f"shop.t{nth}": -360.0 * nth for nth in range(10)})
    watched.memories = (None, None)
    watched.look(0.0)
    assert missed(watched, 300.0, 400.0, 1120.0) == [0.0, 1.0, 3.0]


def test_a_task_is_not_late_while_it_runs() -> None:
    watched = Watched(succeeded={"shop.tick": 0.0}, running=Reading((Row({"id": "t1", "name": "shop.tick"}),)))
    watched.look(0.0)
    assert watched.task_at(900.0)["overdue_s"] == 0.0


def test_with_a_grace_of_its_own_it_is() -> None:
    scheduler = Scheduler("beat", grace_s=60.0)
    watched = Watched(scheduler=scheduler, succeeded={"shop.tick": 0.0}, running=Reading((Row({"id": "t1", "name": "shop.tick"}),)))
    watched.look(0.0)
    assert watched.task_at(900.0)["overdue_s"] == 780.0


def test_of_several_entries_the_one_that_is_due_first_counts() -> None:
    watched = Watched(entries=(replace(EVERY_MINUTE, entry="slow", every_s=3600.0), EVERY_MINUTE))
    assert (watched.task_at(0.0)["entries"], watched.task_at(0.0)["every_s"]) == ("slow, tick", 60.0)


def test_an_edited_entry_is_awaited_anew() -> None:
    watched = Watched(entries=(replace(EVERY_MINUTE, every_s=86400.0),), succeeded={"shop.tick": 0.0})
    watched.look(0.0)
    watched.entries = (EVERY_MINUTE,)
    assert watched.task_at(7200.0)["overdue_s"] == 0.0


def test_a_deleted_entry_has_no_row() -> None:
    watched = Watched(entries=(EVERY_MINUTE, NIGHTLY))
    watched.look(0.0)
    watched.entries = (NIGHTLY,)
    assert set(watched.look(600.0)[1]) == {"shop.nightly"}


def test_its_memory_survives_the_database() -> None:
    watched = Watched(scheduler=REDBEAT, entries=(EVERY_MINUTE, NIGHTLY), lock_life_s=1500.0, unread={"sun": "x"})
    watched.look(0.0)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(watched.memories[0]), type=SchedulersSeen)
    assert kept == watched.memories[0]
