"""`schedules`: from what the wait is counted, and when nobody knows."""

from msgspec.structs import replace

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ReadEventCounters
from watchdog.core.model.replies import EventCounters, Replies
from watchdog.core.model.rows import Cell, Look, Reading
from watchdog.core.model.schedules.schedule import Schedule
from watchdog.core.model.target import Target
from watchdog.tables.periodic.schedules import TABLE, SchedulesSeen
from watchdog.tables.tasks.counters import TaskCounters

HOURLY = Schedule("reports.hourly", every_s=3600.0, grace_s=600.0)
TARGET = Target("prod", frozenset({"flower"}), schedules=(HOURLY,))
BEGAN = 1_000_000.0


class Watched:
    """Looks, one after the other, of one Flower."""

    def __init__(self) -> None:
        self.memory: object = None
        self.tasks = Reading(memory=TaskCounters())
        self.counted_since = 1.0

    def look(self, at: float, *, succeeded_at: float | None = None, gap: str = "", partial: str | None = None) -> dict[str, Cell]:
        success = {} if succeeded_at is None else {"reports.hourly": BEGAN + succeeded_at}
        counters = Gap(gap) if gap else EventCounters(1.0, {})
        tasks = Reading(partial=partial, memory=TaskCounters(last_success=success, counted_since=self.counted_since))
        before = {"tasks": tasks, "running": Reading(), "schedulers": Reading()}
        look = Look(TARGET, self.memory, Replies({ReadEventCounters(): counters}), BEGAN + at, 300.0, before=before)
        reading = TABLE.read(look)
        self.memory = reading.memory
        (row,) = reading.rows
        return {**row.cells, **{f"why {name}": why for name, why in row.gaps.items()}}


def overdue(cells: dict[str, Cell]) -> Cell:
    return cells["overdue_s"]


def test_before_a_success_was_seen_the_wait_begins_with_the_first_look() -> None:
    watched = Watched()
    assert [overdue(watched.look(at)) for at in (0.0, 4200.0, 4260.0)] == [0.0, 0.0, 60.0]


def test_a_success_begins_the_wait_anew() -> None:
    watched = Watched()
    watched.look(0.0)
    watched.look(3000.0, succeeded_at=3000.0)
    assert [overdue(watched.look(at, succeeded_at=3000.0)) for at in (7200.0, 7230.0)] == [0.0, 30.0]


def test_a_success_is_remembered_longer_than_the_task_is() -> None:
    watched = Watched()
    watched.look(10.0, succeeded_at=10.0)
    assert watched.look(90_010.0)["last_success_s"] == 90_000.0


def test_without_a_success_the_cell_says_since_when_nobody_saw_one() -> None:
    watched = Watched()
    watched.look(0.0)
    assert watched.look(7200.0)["why last_success_s"] == "no success was seen since watchdog began to look, 2h ago"


def test_while_flower_does_not_answer_nobody_knows() -> None:
    watched = Watched()
    watched.look(0.0)
    blind = watched.look(9000.0, gap="flower: 503")
    assert (overdue(blind), blind["why overdue_s"]) == (None, "flower: 503")


def test_while_events_are_missing_nobody_knows() -> None:
    watched = Watched()
    watched.look(0.0)
    assert watched.look(9000.0, partial="workers send no events")["why overdue_s"] == "workers send no events"


def test_after_a_time_in_which_nobody_counted_the_wait_begins_again() -> None:
    watched = Watched()
    watched.look(0.0)
    watched.counted_since = BEGAN + 4000.0
    assert [overdue(watched.look(at)) for at in (4100.0, 8290.0, 8310.0)] == [0.0, 0.0, 10.0]


def test_a_flower_that_was_only_away_goes_on_counting() -> None:
    watched = Watched()
    watched.look(0.0)
    watched.look(2000.0, gap="flower: 503")
    assert overdue(watched.look(4260.0)) == 60.0


def test_without_schedules_the_table_says_so() -> None:
    look = Look(replace(TARGET, schedules=()), None, Replies({}), BEGAN, 300.0, before={"tasks": Reading()})
    assert set(TABLE.read(look).idle.values()) == {"no [[target.schedule]] is configured"}


def test_its_memory_survives_the_database() -> None:
    import msgspec

    watched = Watched()
    watched.look(10.0, succeeded_at=10.0)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(watched.memory), type=SchedulesSeen) == watched.memory
