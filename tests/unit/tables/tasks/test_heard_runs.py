"""How long runs took that were heard: over the window, beside what Flower lists, and when that is not known."""

from typing import Any

import pytest

from tests.builders.answers import a_target
from tests.builders.both_tell import EAR_LATER_S, NAME, World
from tests.builders.cluster import healthy
from tests.builders.looks import Watch
from watchdog.core.model.demand import NOT_READ, Demand
from watchdog.core.model.queries import Query, SucceededTasks
from watchdog.core.model.rows import Cell
from watchdog.core.model.sketch import Sketch
from watchdog.core.model.target import Objective
from watchdog.sources.base import Answers
from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.tables.history.kept import slice_of
from watchdog.tables.past.usual import Habits
from watchdog.tables.tasks.names import NAMELESS
from watchdog.tables.tasks.table import TaskCounters

TABLES = ("workers", "tasks")
ALONE: dict[str, Any] = {"sources": frozenset({"events"}), "hears_tasks": True, "hears_beside_flower": False}
LONG = 4
"""So many looks that Flower is asked anew for a task's last runs."""


def succeeds(world: World, *runtimes: float) -> None:
    for runtime in runtimes:
        world.ends("succeeded", runtime=runtime)


def looks(world: World, times: int = 1) -> World:
    for _ in range(times):
        world.look()
    return world


def cells(world: World, *columns: str, name: str = NAME) -> list[Cell]:
    (row,) = (row for row in world.readings["tasks"].rows if row.cells["name"] == name)
    return [row.cells[column] for column in columns]


def average(world: World) -> Cell:
    return cells(world, "runtime_avg")[0]


def heard(**target: Any) -> World:
    return looks(World(tables=TABLES, **target), 2)


@pytest.mark.parametrize("target", [{}, ALONE])
def test_a_look_knows_of_all_that_ended_before_it(target: dict[str, Any]) -> None:
    world = heard(**target)
    succeeds(world, *[1.0] * 300, *[4.0] * 100)
    assert average(looks(world)) == pytest.approx(1.75)


def test_what_ended_before_the_window_is_left_out() -> None:
    world = heard()
    succeeds(world, 9.0)
    looks(world, 25)
    succeeds(world, 1.0)
    looks(world)
    both = average(world)
    assert (both, average(looks(world, 8))) == (5.0, 1.0)


def test_after_the_window_they_are_neutral_again() -> None:
    world = heard()
    succeeds(world, 9.0)
    assert cells(looks(world, 35), "runtime_avg", "runtime_p95", "wait_p95") == [0.0, 0.0, 0.0]


def test_a_success_without_a_runtime_is_a_gap() -> None:
    world = heard()
    world.ends("succeeded", runtime=None)
    (row,) = looks(world).readings["tasks"].rows
    assert "no runtime" in row.gaps["runtime_p95"]


def test_other_apps_runs_are_left_out() -> None:
    world = heard(workers=("celery@one",))
    succeeds(world, 1.0)
    world.events.runs.hears(TaskEvent("theirs", "task-succeeded", "celery@theirs", world.now, NAME, runtime=9.0))
    assert average(looks(world)) == 1.0


def test_runs_of_a_task_without_a_name_have_times_too() -> None:
    world = heard(**ALONE)
    world.events.runs.hears(TaskEvent("unnamed", "task-succeeded", "celery@one", world.now, runtime=3.0))
    assert cells(looks(world), "runtime_avg", name=NAMELESS) == [3.0]


# --- beside Flower ----------------------------------------------------------------------------------------------------------


def test_runs_from_before_events_were_heard_are_flowers() -> None:
    world = World(tables=TABLES)
    world.events_go()
    looks(world)
    succeeds(world, 2.0, 2.0)
    looks(world, LONG)
    world.events_come()
    looks(world, 2)
    succeeds(world, 5.0)
    assert average(looks(world, LONG)) == 3.0


def test_what_flower_lists_too_counts_once_when_events_are_gone() -> None:
    world = heard()
    succeeds(world, *[1.0] * 10)
    looks(world)
    world.events_go()
    looks(world, LONG)
    succeeds(world, *[4.0] * 5)
    assert average(looks(world, LONG)) == 2.0


def test_a_flower_that_is_away_makes_no_runtime_unknown() -> None:
    world = heard()
    world.flower_goes()
    succeeds(world, 1.0, 3.0)
    assert average(looks(world)) == 2.0


def test_runtimes_that_are_heard_are_known_though_nobody_reads_them() -> None:
    world = heard()
    world.demand = Demand({})
    succeeds(world, 1.0, 3.0)
    known = average(looks(world))
    world.events_go()
    idle = looks(world).readings["tasks"].idle
    assert (known, idle["runtime_avg"]) == (2.0, NOT_READ)


class Asked:
    """Counts the lists of successes that Flower is asked for."""

    def __init__(self, world: World) -> None:
        self.lists = 0
        self._ask = world.flower.ask
        world.flower.ask = self  # type: ignore[method-assign, assignment]

    def __call__(self, queries: list[Query]) -> Answers:
        self.lists += sum(isinstance(query, SucceededTasks) for query in queries)
        return self._ask(queries)


def test_while_events_are_heard_flower_lists_a_tasks_runs_once() -> None:
    world = heard()
    asked = Asked(world)
    for _ in range(20):
        succeeds(world, 1.0)
        looks(world)
    assert asked.lists == 1


def test_while_they_are_not_it_lists_them_again_and_again() -> None:
    world = heard()
    world.events_go()
    asked = Asked(world)
    for _ in range(20):
        succeeds(world, 1.0)
        looks(world)
    assert asked.lists >= 4


# --- breaks -----------------------------------------------------------------------------------------------------------------


def test_a_daemon_that_starts_anew_goes_on_with_what_it_had_heard() -> None:
    world = heard()
    succeeds(world, *[1.0] * 3)
    looks(world)
    world.daemon_begins_anew()
    looks(world, 2)
    succeeds(world, 5.0)
    assert average(looks(world)) == 2.0


def test_a_look_that_was_not_stored_loses_no_run() -> None:
    world = heard()
    succeeds(world, 1.0)
    stored = world.past
    looks(world)
    world.past = stored
    succeeds(world, 3.0)
    assert average(looks(world)) == 2.0


def test_without_flower_a_break_leaves_what_was_heard_before_and_after() -> None:
    world = heard(**ALONE)
    succeeds(world, 1.0)
    looks(world)
    world.events_go()
    succeeds(world, 100.0)
    looks(world)
    assert average(world) is None
    world.events_come()
    succeeds(world, 3.0)
    assert average(looks(world)) == 2.0


def test_a_success_of_which_no_run_was_heard_leaves_a_gap_not_0() -> None:
    cluster = healthy()
    cluster.counts = {("celery@web-1", NAME, "succeeded"): 1.0}
    watch = Watch(cluster, a_target(sources=frozenset({"redis", "events"}), hears_tasks=True))
    watch.look(0)
    cluster.counts = {("celery@web-1", NAME, "succeeded"): 2.0}
    (row,) = (row for row in watch.look()["tasks"].rows if row.cells["name"] == NAME)
    assert row.gaps["runtime_p95"] == "no end of a run of it was heard within the window"


def test_its_memory_says_up_to_where_it_has_read() -> None:
    world = heard()
    memory = world.past.memories["tasks"]
    assert isinstance(memory, TaskCounters)
    assert memory.hearing.mark is not None
    assert memory.hearing.spans == ((world.events.runs.counters().started_at, world.now + EAR_LATER_S),)


# --- tables that read them ----------------------------------------------------------------------------------------------------


def test_history_keeps_each_run_once() -> None:
    world = heard()
    succeeds(world, *[1.0] * 300)
    counts = []
    for _ in range(3):
        looks(world)
        row = slice_of(world.moment).parts["tasks"].rows.get((NAME,), ())
        counts += [sketch.count for sketch in row if isinstance(sketch, Sketch)][:1]
    assert (counts[:1], sum(counts)) == ([300], 300)


def test_what_was_heard_long_ago_and_is_listed_anew_is_the_same_run() -> None:
    world = heard()
    counts = []

    def counted() -> None:
        looks(world)
        row = slice_of(world.moment).parts["tasks"].rows.get((NAME,), ())
        counts.extend([sketch.count for sketch in row if isinstance(sketch, Sketch)][:1])

    for _ in range(40):
        succeeds(world, 1.0)
        counted()
    world.events_go()
    counted()
    world.events_come()
    for _ in range(5):
        counted()
    assert sum(counts) == 40


def test_an_objective_counts_all_runs_that_started_in_time_and_late() -> None:
    promise = Objective("mails", 0.9, queue="mails", max_wait_s=300.0)
    world = looks(World(tables=(*TABLES, "objectives"), objectives=(promise,)), 2)
    for waited in [10.0] * 250 + [400.0] * 50:
        world.ends("succeeded", waited=waited, queue="mails")
    (row,) = looks(world).readings["objectives"].rows
    assert [row.cells[name] for name in ("runs", "missed")] == [300.0, 50.0]
    (row,) = looks(world, 5).readings["objectives"].rows
    assert row.cells["runs"] == 300.0


def test_an_objective_whose_senders_say_nothing_is_unknown() -> None:
    promise = Objective("mails", 0.9, queue="mails", max_wait_s=300.0)
    world = looks(World(tables=(*TABLES, "objectives"), objectives=(promise,), **ALONE), 2)
    succeeds(world, 1.0)
    (row,) = looks(world, 3).readings["objectives"].rows
    assert "task_send_sent_event is off" in row.gaps["share"]


def test_what_usually_runs_is_learned_of_all() -> None:
    world = looks(World(tables=(*TABLES, "queues", "usual")), 2)
    succeeds(world, *[2.0] * 300)
    (row,) = looks(world).readings["usual"].rows
    memory = world.past.memories["usual"]
    assert isinstance(memory, Habits)
    assert (row.cells["runs"], memory.took[NAME].today.count) == (300.0, 300)
    assert row.cells["runtime_p95"] == pytest.approx(2.0, rel=0.02)
