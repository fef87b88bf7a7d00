"""A task with a shadow: its runs are received, counted and listed under that name, and workers register its own."""

import pytest
from msgspec.structs import replace

from tests.unit.tables.periodic.watched import EVERY_MINUTE, Watched
from watchdog.core.model.rows import Cell, Reading, Row
from watchdog.core.model.schedules.periodic import Scheduler
from watchdog.core.model.schedules.schedule import Schedule
from watchdog.core.model.target import Target
from watchdog.tables.periodic.doubles import candidates

NIGHTLY = replace(EVERY_MINUTE, entry="nightly", task="shop.sum", runs_as="Nightly sum", every_s=86400.0)
OFTEN = replace(EVERY_MINUTE, task="shop.sum", runs_as="Sum of the minute")
REGISTERED = frozenset({"shop.sum"})
DAY_S = 86400.0
NAMED = Target("prod", frozenset({"flower", "redis"}), schedules=(Schedule("Named sum", every_s=3600.0),))


def silent(kind: str, sent_at: float) -> Cell:
    """How many runs were missed 215 s after the first of a minute's, when the last one was received at that time."""
    watched = Watched(Scheduler(kind, key_prefix="redbeat:"), entries=(OFTEN,), registered=REGISTERED, seen={"Sum of the minute": 0.0})
    watched.look(0.0)
    watched.seen["Sum of the minute"] = sent_at
    return watched.scheduler_at(215.0)["missed"]


@pytest.mark.parametrize("kind", ["beat", "redbeat"])
def test_a_beat_that_sends_shadows_alone_is_silent_once_it_is_dead(kind: str) -> None:
    assert silent(kind, 0.0) == 3.0


@pytest.mark.parametrize("kind", ["beat", "redbeat"])
def test_one_that_sends_them_is_not(kind: str) -> None:
    assert silent(kind, 180.0) == 0.0


def daily(**changes: object) -> Watched:
    watched = Watched(Scheduler("beat", grace_s=60.0), entries=(NIGHTLY,), registered=REGISTERED)
    watched.look(0.0)
    for name, value in changes.items():
        setattr(watched, name, value)
    return watched


def overdue_a_day_and_an_hour_later(watched: Watched) -> Cell:
    return watched.task_at(DAY_S + 3600.0, "Nightly sum")["overdue_s"]


def test_a_success_of_the_shadow_is_one_of_the_task() -> None:
    assert overdue_a_day_and_an_hour_later(daily(succeeded={"Nightly sum": DAY_S})) == 0.0


def test_one_under_the_tasks_own_name_is_another_run() -> None:
    assert overdue_a_day_and_an_hour_later(daily(succeeded={"shop.sum": DAY_S})) == 3540.0


def test_a_shadow_that_runs_is_not_late() -> None:
    watched = daily(scheduler=Scheduler("beat"), running=Reading((Row({"id": "t1", "name": "Nightly sum"}),)))
    assert watched.task_at(3 * DAY_S, "Nightly sum")["overdue_s"] == 0.0


def test_each_shadow_of_one_task_is_a_row_of_its_own() -> None:
    rows = Watched(entries=(NIGHTLY, OFTEN), registered=REGISTERED).look(0.0)[1]
    assert {name: row["sends"] for name, row in rows.items()} == {"Nightly sum": "shop.sum", "Sum of the minute": "shop.sum"}


def test_a_task_under_its_own_name_sends_nothing_else() -> None:
    assert Watched().task_at(0.0)["sends"] == ""


@pytest.mark.parametrize("glob", ["night*", "shop.*", "Nightly s*"], ids=["entry", "task", "shadow"])
def test_it_is_excluded_by_any_of_its_names(glob: str) -> None:
    watched = Watched(Scheduler("beat", exclude=(glob,)), entries=(replace(EVERY_MINUTE, task="tick"), NIGHTLY))
    assert set(watched.look(0.0)[1]) == {"tick"}


def test_two_beats_are_looked_for_in_the_runs_of_the_shadow() -> None:
    assert [name for name, _ in candidates([(OFTEN, Schedule("Sum of the minute", every_s=60.0))], 0.0)] == ["Sum of the minute"]


# --- whether it is registered -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("registered", "said"), [(REGISTERED, True), (frozenset({"other"}), False)])
def test_workers_register_its_task_and_no_shadow(registered: frozenset[str], said: bool) -> None:
    assert Watched(entries=(NIGHTLY,), registered=registered).task_at(0.0, "Nightly sum")["registered"] is said


def test_a_shadow_that_is_configured_is_registered_as_its_entry_is() -> None:
    named = replace(NAMED, schedules=(Schedule("Nightly sum", every_s=DAY_S),))
    row = Watched(entries=(NIGHTLY,), registered=REGISTERED, target=named).task_at(0.0, "Nightly sum")
    assert (row["origin"], row["registered"]) == ("configured", True)


def test_what_is_configured_and_succeeds_though_nobody_registers_it_is_a_shadow() -> None:
    watched = Watched(target=NAMED)
    before = watched.task_at(0.0, "Named sum")["registered"]
    watched.succeeded = {"Named sum": 60.0}
    assert [before, watched.task_at(60.0, "Named sum")["registered"]] == [False, True]


def test_what_was_registered_and_is_no_longer_is_no_shadow() -> None:
    watched = Watched(target=NAMED, registered=frozenset({"Named sum"}), succeeded={"Named sum": 0.0})
    watched.look(0.0)
    watched.registered, watched.succeeded = frozenset({"other"}), {"Named sum": 130.0}
    assert [watched.task_at(at, "Named sum")["registered"] for at in (60.0, 130.0, 7200.0)] == [False, False, False]


def test_a_success_of_before_it_was_expected_makes_no_shadow_of_what_is_gone() -> None:
    assert Watched(target=NAMED, succeeded={"Named sum": -7200.0}).task_at(0.0, "Named sum")["registered"] is False


def test_what_was_registered_is_no_shadow_however_long_its_last_run_takes() -> None:
    watched = Watched(target=NAMED, registered=frozenset({"Named sum"}))
    watched.look(0.0)
    watched.registered = frozenset({"other"})
    watched.look(60.0)
    watched.succeeded = {"Named sum": 10_800.0}
    assert watched.task_at(10_800.0, "Named sum")["registered"] is False


@pytest.mark.parametrize("kind", ["beat", "redbeat"])
def test_a_beat_whose_tasks_no_worker_knows_still_sends(kind: str) -> None:
    """Each fails under the task's own name."""
    unknown = frozenset({"other"})
    watched = Watched(Scheduler(kind, key_prefix="redbeat:"), entries=(OFTEN,), registered=unknown, seen={"Sum of the minute": 0.0})
    watched.look(0.0)
    watched.seen["shop.sum"] = 180.0
    assert watched.scheduler_at(215.0)["missed"] == 0.0


def test_of_several_that_share_a_shadow_the_one_that_is_missing_is_named() -> None:
    missing = replace(NIGHTLY, entry="other", task="shop.gone")
    row = Watched(entries=(NIGHTLY, missing), registered=REGISTERED).task_at(0.0, "Nightly sum")
    assert (row["sends"], row["registered"]) == ("shop.gone", False)


def test_one_under_a_shadow_that_is_a_tasks_own_name_is_named_if_it_is_missing() -> None:
    own, old = replace(EVERY_MINUTE, task="shop.sum"), replace(EVERY_MINUTE, entry="old", task="shop.old", runs_as="shop.sum")
    row = Watched(entries=(own, old), registered=REGISTERED).task_at(0.0, "shop.sum")
    assert (row["sends"], row["registered"]) == ("shop.old", False)
