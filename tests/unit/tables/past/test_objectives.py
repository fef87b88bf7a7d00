"""`objectives`: what is counted, what is not, and when nobody knows."""

from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, a_look
from watchdog.core.model.queries import ReadEventCounters, SucceededTasks
from watchdog.core.model.rows import Cell, Reading
from watchdog.core.model.target import Objective
from watchdog.tables.past.objectives import TABLE

WEB, PAY = "celery@web-1", "shop.pay"
IN_TIME = Objective("indexing", 0.9, queue="indexing", max_wait_s=300.0)
SUCCEED = Objective("pay", 0.9, task="shop.*")


class Counted:
    """A cluster on which runs succeed and fail between looks."""

    def __init__(self, *objectives: Objective, looks: int = 2) -> None:
        self.cluster: Cluster = healthy()
        self.cluster.counts[WEB, PAY, "succeeded"] = 100.0
        self.watch = Watch(self.cluster, a_target(objectives=objectives))
        for nth in range(looks):
            self.watch.look(10 if nth else 0)

    def runs(self, *waited_s: float, ago: float = 1.0, changes: Mapping[str, Any] = MappingProxyType({})) -> None:
        """So many runs of the queue `indexing` end now, each after it has waited that long."""
        for nth, wait in enumerate(waited_s):
            at = self.cluster.now + 10 - ago + nth / 1000
            times = {"sent": at - wait - 1, "received": at - 1.5, "started": at - 1, "succeeded": at, "runtime": 1.0}
            task = a_task(f"{at}", "SUCCESS", name=PAY, worker=WEB, routing_key="indexing", **times)
            self.cluster.tasks.insert(0, replace(task, **changes))
        self.count("succeeded", len(waited_s))

    def count(self, event: str, runs: int) -> None:
        self.cluster.counts[WEB, PAY, event] = self.cluster.counts.get((WEB, PAY, event), 0.0) + runs

    def look(self, after: float = 40.0) -> Reading:
        """A look after the lists are old enough to be queried again."""
        self.watch.look(10)
        return self.watch.look(after)["objectives"]

    def cells(self, *names: str) -> list[Cell]:
        (row,) = self.look().rows
        return [row.cells[name] for name in names]

    def gap(self, name: str) -> str:
        (row,) = self.look().rows
        return row.gaps.get(name, "")


def test_runs_that_started_in_time_and_late_are_told_apart() -> None:
    counted = Counted(IN_TIME)
    counted.runs(10.0, 299.0, 301.0, 4000.0)
    assert counted.cells("runs", "missed", "share") == [4.0, 2.0, 0.5]


def test_a_run_is_counted_once_however_often_it_is_listed() -> None:
    counted = Counted(IN_TIME)
    counted.runs(10.0, 4000.0)
    counted.look()
    counted.runs(20.0)
    assert counted.cells("runs", "missed") == [3.0, 1.0]


def test_what_ended_before_watchdog_looked_does_not_count() -> None:
    counted = Counted(IN_TIME)
    counted.runs(4000.0, ago=3600.0)
    assert counted.cells("runs", "budget_left") == [0.0, 1.0]


def test_runs_of_another_queue_do_not_count() -> None:
    counted = Counted(IN_TIME)
    counted.runs(4000.0, changes={"routing_key": "training"})
    assert counted.cells("runs") == [0.0]


@pytest.mark.parametrize("change", [{"has_eta": True}, {"retries": 2}])
def test_a_run_that_had_to_wait_does_not_count(change: dict[str, object]) -> None:
    counted = Counted(IN_TIME)
    counted.runs(4000.0, changes=change)
    assert counted.cells("runs") == [0.0]


def test_where_no_sender_reports_when_it_sends_nobody_knows() -> None:
    counted = Counted(IN_TIME)
    counted.runs(10.0, changes={"routing_key": None, "sent": None})
    assert counted.gap("share") == f"the senders of {PAY} do not report when and where it is sent (task_send_sent_event is off)"


def test_a_list_that_is_not_answered_is_a_gap_and_adds_nothing() -> None:
    counted = Counted(IN_TIME)
    counted.runs(10.0)
    counted.look()
    counted.runs(4000.0)
    counted.cluster.gaps[SucceededTasks(PAY, 100)] = "flower: 500"
    blind = counted.gap("missed")
    counted.cluster.gaps.clear()
    assert (blind, counted.cells("runs", "missed")) == ("flower: 500", [2.0, 1.0])


def test_a_tenth_may_be_missed_so_that_two_tenths_burn_twice_as_fast() -> None:
    counted = Counted(IN_TIME)
    counted.runs(*[10.0] * 8, 400.0, 400.0)
    burns = counted.cells("burn_5m", "burn_1h", "burn_6h", "budget_left")
    assert burns == pytest.approx([2.0, 2.0, 2.0, -1.0])


def test_after_an_hour_without_runs_the_short_windows_are_empty() -> None:
    counted = Counted(IN_TIME)
    counted.runs(*[400.0] * 8)
    counted.look()
    for _ in range(25):
        counted.watch.look(160)
    assert counted.cells("burn_5m", "missed_1h", "missed_6h", "gone_in_s") == [0.0, 0.0, 8.0, inf]


def test_of_a_task_every_success_and_failure_counts() -> None:
    counted = Counted(SUCCEED)
    counted.count("succeeded", 95)
    counted.count("failed", 5)
    assert counted.cells("what", "runs", "missed", "share", "budget_left") == pytest.approx(["succeed", 100.0, 5.0, 0.95, 0.5])


def test_while_flower_does_not_answer_nobody_knows_and_what_was_counted_stays() -> None:
    counted = Counted(SUCCEED)
    counted.count("failed", 5)
    counted.look()
    counted.cluster.gaps[ReadEventCounters()] = "flower: 503"
    blind = counted.gap("share")
    counted.cluster.gaps.clear()
    assert (blind, counted.cells("missed")) == ("flower: 503", [5.0])


def test_a_fresh_install_has_its_whole_budget() -> None:
    assert Counted(IN_TIME).cells("runs", "share", "budget_left", "burn_1h") == [0.0, 1.0, 1.0, 0.0]


def test_as_long_as_tasks_were_looked_at_once_nothing_can_be_counted() -> None:
    tasks = Reading(idle={"finished": "finished needs a second poll"})
    reading = TABLE.read(a_look(target=a_target(objectives=(SUCCEED,)), before={"tasks": tasks}))
    assert (reading.idle["share"], "share" in reading.rows[0].cells) == ("finished needs a second poll", False)


def test_another_wait_is_another_question() -> None:
    counted = Counted(IN_TIME)
    counted.runs(4000.0)
    counted.look()
    counted.watch.target = a_target(objectives=(Objective("indexing", 0.9, queue="indexing", max_wait_s=60.0),))
    assert counted.cells("missed") == [0.0]


def test_without_an_objective_the_table_is_idle() -> None:
    assert "no [[target.objective]]" in Watch(healthy()).look(0)["objectives"].idle["share"]
