"""What a target did in a time: exact figures from slices, and what nobody saw."""

from msgspec.structs import replace

from tests.builders.report import DAY, MIDNIGHT, WINDOW, cluster, queues, tasks
from watchdog.core.history.series import Slice
from watchdog.core.report.figures import gather, target_report
from watchdog.core.report.report import FailingTask, Span, TargetReport, WaitingQueue
from watchdog.tables.history.kept import KEPT

HOUR = 3600.0


def report(*slices: Slice, window: Span = WINDOW) -> TargetReport:
    return target_report("prod", gather(slices, KEPT, window), least_gap_s=120.0)


def test_counts_of_the_time_are_added_up_by_task() -> None:
    found = report(
        tasks(MIDNIGHT, MIDNIGHT + 300, {"shop.pay": (5, 1, 2, []), "shop.mail": (3, 0, 0, [])}),
        tasks(MIDNIGHT + 300, MIDNIGHT + 600, {"shop.pay": (5, 2, 0, [])}),
    )
    assert (found.processed, found.succeeded, found.failed, found.retried) == (16, 13, 3, 2)
    assert found.failing == (FailingTask("shop.pay", 3, 13),)


def test_a_count_that_began_before_the_time_enters_with_its_share() -> None:
    found = report(tasks(MIDNIGHT - HOUR, MIDNIGHT + HOUR, {"shop.pay": (100, 50, 0, [])}))
    assert (found.succeeded, found.failed) == (50, 25)


def test_what_lies_outside_of_the_time_is_left_out() -> None:
    found = report(tasks(MIDNIGHT - 300, MIDNIGHT, {"a": (7, 0, 0, [])}), tasks(MIDNIGHT + DAY, MIDNIGHT + DAY + 300, {"a": (7, 0, 0, [])}))
    assert found.processed is None


def test_tasks_that_nobody_counted_are_unknown_and_not_zero() -> None:
    found = report(cluster(MIDNIGHT, MIDNIGHT + DAY))
    assert (found.processed, found.failed, found.uncounted_s) == (None, None, DAY)


def test_a_day_without_a_task_is_zero() -> None:
    assert report(tasks(MIDNIGHT, MIDNIGHT + DAY, {})).processed == 0


def test_the_slowest_tasks_come_first_by_their_95th_percentile() -> None:
    found = report(
        tasks(MIDNIGHT, MIDNIGHT + 300, {"quick": (100, 0, 0, [1.0] * 100), "slow": (20, 0, 0, [10.0] * 10 + [30.0] * 10)}),
    )
    assert [(one.name, one.listed, one.succeeded, one.average_s) for one in found.slow] == [
        ("slow", 20, 20, 20.0),
        ("quick", 100, 100, 1.0),
    ]
    assert abs(found.slow[0].p95_s - 30.0) <= 0.02 * 30.0


def test_percentiles_are_of_all_looks_together() -> None:
    slow = [tasks(MIDNIGHT + 300 * n, MIDNIGHT + 300 * (n + 1), {"a": (10, 0, 0, [float(n + 1)] * 10)}) for n in range(10)]
    assert abs((report(*slow).slow[0].p95_s) - 10.0) <= 0.02 * 10.0


def test_a_task_of_which_flower_lists_few_runs_weighs_as_much_as_it_ran() -> None:
    found = report(tasks(MIDNIGHT, MIDNIGHT + 300, {"busy": (990, 0, 0, [1.0] * 10), "rare": (10, 0, 0, [100.0] * 10)}))
    assert found.average_s is not None
    assert abs(found.average_s - (990 * 1.0 + 10 * 100.0) / 1000) < 1e-9


def test_queues_come_by_their_longest_wait_and_one_without_a_readable_wait_after_them() -> None:
    found = report(
        queues(MIDNIGHT, MIDNIGHT + 300, {"a": (10, 5.0), "b": (90, None), "empty": (0, None)}),
        queues(MIDNIGHT + 300, MIDNIGHT + 600, {"a": (2, 60.0), "b": (7, None), "c": (1, 20.0)}),
    )
    assert found.queues == (WaitingQueue("a", 60.0, 10.0), WaitingQueue("c", 20.0, 1.0), WaitingQueue("b", None, 90.0))
    assert found.queues_in_all == 4


def test_the_time_in_which_nobody_looked_is_a_gap() -> None:
    found = report(cluster(MIDNIGHT, MIDNIGHT + 2 * HOUR), cluster(MIDNIGHT + 3 * HOUR, MIDNIGHT + DAY))
    assert found.gaps == (Span(MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR),)
    assert found.watched_s == DAY - HOUR


def test_a_count_over_a_pause_does_not_hide_that_nobody_looked() -> None:
    found = report(cluster(MIDNIGHT, MIDNIGHT + HOUR), cluster(MIDNIGHT + 3 * HOUR, MIDNIGHT + DAY),
                   tasks(MIDNIGHT, MIDNIGHT + DAY, {"a": (1, 0, 0, [])}))  # fmt: skip
    assert found.watched_s == DAY - 2 * HOUR


def test_the_pause_between_two_looks_is_no_gap() -> None:
    found = report(cluster(MIDNIGHT, MIDNIGHT + 2 * HOUR), cluster(MIDNIGHT + 2 * HOUR + 100, MIDNIGHT + DAY))
    assert (found.gaps, found.watched_s) == ((), DAY)


def test_of_many_gaps_the_longest_are_listed_in_the_order_of_time() -> None:
    looks = [cluster(MIDNIGHT + n * HOUR, MIDNIGHT + (n + 1) * HOUR - 300 - 60 * (n % 7)) for n in range(24)]
    found = report(*looks)
    assert (len(found.gaps), found.gaps_in_all) == (5, 24)
    assert [gap.since for gap in found.gaps] == sorted(gap.since for gap in found.gaps)
    assert min(gap.seconds for gap in found.gaps) == 600.0


def test_a_table_that_was_not_read_for_a_while_says_for_how_long() -> None:
    found = report(cluster(MIDNIGHT, MIDNIGHT + DAY), queues(MIDNIGHT, MIDNIGHT + 20 * HOUR, {"a": (1, 1.0)}))
    assert found.queues_unread_s == 4 * HOUR


def test_a_time_without_any_look_has_no_figures_and_is_one_gap() -> None:
    assert report() == replace(TargetReport("prod"), gaps=(WINDOW,), gaps_in_all=1)


def test_the_time_since_the_last_look_is_no_gap_unless_it_is_long() -> None:
    found = report(cluster(MIDNIGHT, MIDNIGHT + DAY - 60))
    assert (found.gaps, found.watched_s) == ((), DAY)


def test_a_short_time_without_any_look_is_not_taken_for_watched() -> None:
    assert report(window=Span(MIDNIGHT, MIDNIGHT + 60)).watched_s == 0.0
