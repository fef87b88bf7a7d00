import pytest

from tests.builders.answers import NOW, a_failure, a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, cell, gap, names
from watchdog.core.model.queries import ReadEventCounters
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.rows import Reading
from watchdog.tables.tasks.names import NAMELESS

WEB, GPU = "celery@web-1", "celery@gpu-1"
JOB = "shop.pay"


def counting(**events: float) -> Cluster:
    cluster = healthy()
    count(cluster, **events)
    return cluster


def count(cluster: Cluster, worker: str = WEB, task: str = JOB, /, **events: float) -> None:
    for event, number in events.items():
        cluster.counts[(worker, task, event)] = cluster.counts.get((worker, task, event), 0.0) + number


def watching(cluster: Cluster, looks: int = 2, **target: object) -> Watch:
    watch = Watch(cluster, a_target(**target))
    for number in range(looks):
        watch.look(0 if number == 0 else 10)
    return watch


def tasks(watch: Watch, after: float = 10, window_s: float = 300.0) -> Reading:
    return watch.look(after, window_s=window_s)["tasks"]


def test_on_a_first_look_names_are_known_and_counts_idle() -> None:
    reading = tasks(Watch(counting(succeeded=5)), 0)
    assert (names(reading), reading.idle["failed"]) == ([JOB], "failed needs a second poll")


def test_counts_before_the_first_look_are_not_counted() -> None:
    watch = watching(counting(succeeded=500, failed=500), 1)
    assert cell(tasks(watch), JOB, "finished") == 0.0


def test_what_happened_between_two_looks_is_counted() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, succeeded=3, failed=1, received=4, started=4, retried=2, revoked=1)
    reading = tasks(watch)
    assert [cell(reading, JOB, c) for c in ("received", "started", "succeeded", "failed", "retried", "revoked", "finished")] == [
        4.0,
        4.0,
        3.0,
        1.0,
        2.0,
        1.0,
        4.0,
    ]


def test_the_error_rate_is_exact_over_several_looks() -> None:
    watch = watching(counting(succeeded=1000))
    for _ in range(3):
        count(watch.cluster, succeeded=7, failed=1)
        tasks(watch)
    count(watch.cluster, succeeded=2, failed=4)
    assert cell(tasks(watch), JOB, "error_rate") == 7 / 30


def test_a_rate_without_a_finished_task_is_0() -> None:
    assert cell(tasks(watching(counting(succeeded=5))), JOB, "error_rate") == 0.0


def test_retries_are_counted_against_what_finished() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, succeeded=4, retried=2)
    assert cell(tasks(watch), JOB, "retry_rate") == 0.5


def test_a_rate_a_minute_covers_what_was_watched() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, succeeded=10)
    assert cell(tasks(watch), JOB, "per_min") == 30.0


def test_workers_are_summed_after_the_difference() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, GPU, succeeded=3)
    count(watch.cluster, WEB, succeeded=2)
    assert cell(tasks(watch), JOB, "succeeded") == 5.0


def test_a_series_that_appears_between_two_looks_counts_from_0() -> None:
    watch = watching(healthy())
    count(watch.cluster, failed=4)
    assert cell(tasks(watch), JOB, "failed") == 4.0


def test_what_lies_before_the_window_no_longer_counts() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, failed=4)
    counts = [cell(tasks(watch, window_s=60.0), JOB, "failed") for _ in range(9)]
    assert (counts[0], counts[6], counts[7]) == (4.0, 4.0, 0.0)


# --- resets -----------------------------------------------------------------------------------------------------------


def test_a_restarted_flower_counts_from_0() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.counts = {(WEB, JOB, "succeeded"): 2000.0}
    watch.cluster.flower_started_at = watch.cluster.now
    assert cell(tasks(watch), JOB, "succeeded") == 2000.0


def test_a_counter_that_fell_was_reset() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.counts = {(WEB, JOB, "succeeded"): 4.0}
    assert cell(tasks(watch), JOB, "succeeded") == 4.0


def test_a_vanished_series_counts_nothing() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.counts = {}
    assert cell(tasks(watch), JOB, "succeeded") == 0.0


def test_a_series_that_vanished_and_came_back_counts_from_0() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.counts = {}
    tasks(watch)
    watch.cluster.counts = {(WEB, JOB, "succeeded"): 3.0}
    assert cell(tasks(watch), JOB, "succeeded") == 3.0


def test_a_flower_that_does_not_say_when_it_started_is_read_by_its_counters() -> None:
    watch = watching(counting(succeeded=1000))
    watch.cluster.flower_started_at = None  # type: ignore[assignment]
    tasks(watch)
    count(watch.cluster, succeeded=5)
    assert cell(tasks(watch), JOB, "succeeded") == 1005.0


# --- time not watched -------------------------------------------------------------------------------------------------


def test_after_three_hours_without_a_look_windowed_columns_are_idle_not_0() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, failed=400)
    reading = tasks(watch, 3 * 3600)
    assert ("failed" in reading.idle, "last_seen_s" in reading.idle) == (True, False)


def test_what_happened_in_three_hours_without_a_look_is_not_counted_as_recent() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, failed=400)
    tasks(watch, 3 * 3600)
    assert cell(tasks(watch), JOB, "failed") == 0.0


def test_a_window_shorter_than_the_time_between_two_looks_is_idle_not_0() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, failed=400)
    assert tasks(watch, window_s=5.0).idle["failed"] == "failed needs two polls within 5s"


def test_a_minute_without_flower_is_counted_when_it_is_back() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.gaps["flower"] = "flower: connection refused"
    for _ in range(6):
        tasks(watch)
    watch.cluster.gaps.clear()
    count(watch.cluster, failed=4)
    assert cell(tasks(watch), JOB, "failed") == 4.0


def test_a_clock_set_back_counts_each_failure_once() -> None:
    watch = watching(counting(succeeded=5))
    watch.skew = -3600.0
    count(watch.cluster, failed=4)
    tasks(watch)
    assert cell(tasks(watch), JOB, "failed") == 4.0


def test_while_the_counters_cannot_be_read_tasks_are_rows_full_of_gaps() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.gaps[ReadEventCounters] = "flower: 500"
    reading = tasks(watch)
    assert (reading.unread, gap(reading, JOB, "error_rate")) == ("flower: 500", "flower: 500")


# --- names, ages ------------------------------------------------------------------------------------------------------


def test_what_flower_counts_without_a_name_is_a_row_of_the_nameless() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, WEB, "", succeeded=7)
    count(watch.cluster, failed=2)
    reading = tasks(watch)
    assert (cell(reading, NAMELESS, "succeeded"), cell(reading, JOB, "failed")) == (7.0, 2.0)


def unregistered(watch: Watch, *ids: str) -> None:
    """So many messages of `shop.new` more, which no worker registers: counted without a name, listed with it in the exception."""
    watch.cluster.tasks += [a_failure(task_id, "NotRegistered('shop.new')", name=None) for task_id in ids]
    count(watch.cluster, WEB, "", failed=len(ids))


def test_failures_of_an_unregistered_task_are_counted_under_its_name() -> None:
    watch = watching(counting(succeeded=5))
    unregistered(watch, "a", "b", "c")
    reading = tasks(watch)
    assert (cell(reading, "shop.new", "failed"), cell(reading, NAMELESS, "failed")) == (3.0, 0.0)


def test_a_failure_without_a_name_waits_for_the_list_that_tells_it() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, WEB, "", failed=2)
    before = tasks(watch)
    watch.cluster.tasks = [a_failure(task_id, "NotRegistered('shop.new')", name=None) for task_id in ("a", "b")]
    after = tasks(watch)
    assert (cell(before, NAMELESS, "failed"), cell(after, NAMELESS, "failed"), cell(after, "shop.new", "failed")) == (0.0, 0.0, 2.0)


def test_one_that_the_list_never_tells_is_one_of_the_nameless_after_a_minute() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, WEB, "", failed=2)
    tasks(watch)
    assert cell(tasks(watch, after=60), NAMELESS, "failed") == 2.0


def test_the_cluster_counts_the_nameless_too() -> None:
    watch = watching(counting(succeeded=5))
    unregistered(watch, "a", "b", "c")
    assert watch.look()["cluster"].rows[0].cells["error_rate"] == 1.0


# --- one run, one failure ---------------------------------------------------------------------------------------------

LIMIT = "ExceptionWithTraceback()"


def at_its_limit(task_id: str) -> TaskSeen:
    return a_failure(task_id, LIMIT, traceback_last="billiard.exceptions.TimeLimitExceeded: TimeLimitExceeded(1,)")


def test_a_hard_time_limit_that_sends_its_failure_twice_is_one() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.tasks = [at_its_limit(f"l{n}") for n in range(6)]
    count(watch.cluster, failed=12, succeeded=94)
    reading = tasks(watch)
    assert (cell(reading, JOB, "failed"), cell(reading, JOB, "error_rate")) == (6.0, 0.06)


def test_its_second_event_may_come_a_look_later() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.tasks = [at_its_limit("l1")]
    count(watch.cluster, failed=1)
    tasks(watch)
    count(watch.cluster, failed=1)
    assert cell(tasks(watch), JOB, "failed") == 1.0


def test_one_that_is_rejected_at_its_limit_sends_one_failure_and_is_counted() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.tasks = [at_its_limit(f"l{n}") for n in range(3)]
    count(watch.cluster, failed=3, rejected=3)
    assert cell(tasks(watch), JOB, "failed") == 3.0


def test_true_failures_are_not_halved() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.tasks = [a_failure(f"f{n}") for n in range(10)]
    count(watch.cluster, failed=10)
    assert cell(tasks(watch), JOB, "failed") == 10.0


def test_beyond_what_flower_lists_its_share_holds_for_all() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.tasks = [at_its_limit(f"l{n}") for n in range(200)]
    count(watch.cluster, failed=1000)
    assert cell(tasks(watch), JOB, "failed") == 500.0


# --- what never ran, and what runs again ------------------------------------------------------------------------------


def expired(task_id: str, at: float) -> TaskSeen:
    return a_task(task_id, "REVOKED", started=None, revoked=at, expires=at - 5)


def test_tasks_that_expired_are_told_from_those_that_were_revoked() -> None:
    watch = watching(counting(succeeded=5))
    now = watch.cluster.now
    watch.cluster.tasks = [expired("e1", now), expired("e2", now), a_task("r1", "REVOKED", started=None, revoked=now)]
    count(watch.cluster, revoked=3)
    reading = tasks(watch)
    assert (cell(reading, JOB, "revoked"), cell(reading, JOB, "expired")) == (3.0, 2.0)


def test_one_that_had_expired_before_any_worker_received_it_has_no_name() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.tasks = [a_task(f"e{n}", "REVOKED", name=None, received=None, started=None, revoked=NOW) for n in range(3)]
    count(watch.cluster, WEB, "", revoked=3)
    assert cell(tasks(watch), NAMELESS, "expired") == 3.0


def test_one_that_was_terminated_while_it_ran_has_not_expired() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.tasks = [a_task("t", "REVOKED", revoked=NOW, expires=NOW - 5)]
    count(watch.cluster, revoked=1)
    assert cell(tasks(watch), JOB, "expired") == 0.0


def expiring(watch: Watch, looks: int, after: float = 10) -> Reading:
    """In each look one message more expires, and nothing runs."""
    for _ in range(looks):
        now = watch.cluster.now + after
        watch.cluster.tasks = [expired(f"e{now}", now), *watch.cluster.tasks]
        count(watch.cluster, revoked=1)
        reading = tasks(watch, after)
    return reading


def test_messages_that_expire_and_none_that_runs_are_a_row() -> None:
    reading = expiring(watching(counting(revoked=1)), 15)
    assert [cell(reading, JOB, c) for c in ("expired_in_a_row", "expired_row_s")] == [15.0, 140.0]


def test_a_run_ends_the_row_and_makes_its_length_usual() -> None:
    watch = watching(counting(succeeded=5))
    expiring(watch, 15)
    count(watch.cluster, succeeded=1)
    tasks(watch)
    reading = expiring(watch, 2)
    assert [cell(reading, JOB, c) for c in ("expired_in_a_row", "expired_row_usual")] == [2.0, 15.0]


def test_a_run_that_has_only_begun_ends_the_row_too() -> None:
    watch = watching(counting(succeeded=5))
    expiring(watch, 15)
    count(watch.cluster, started=1)
    assert cell(tasks(watch), JOB, "expired_in_a_row") == 0.0


def test_a_row_is_over_when_nothing_expires_any_more() -> None:
    watch = watching(counting(revoked=1))
    expiring(watch, 15)
    assert [cell(tasks(watch, 500), JOB, "expired_in_a_row"), cell(tasks(watch, 200), JOB, "expired_in_a_row")] == [15.0, 0.0]


def test_a_row_goes_on_at_the_pace_of_its_schedule() -> None:
    assert cell(expiring(watching(counting(revoked=1)), 9, after=3600), JOB, "expired_in_a_row") == 9.0


def test_of_messages_without_a_name_any_run_ends_the_row() -> None:
    watch, rows = watching(counting(succeeded=5)), []
    for runs in (0, 0, 1):
        now = watch.cluster.now + 10
        unnamed = a_task(f"e{now}", "REVOKED", name=None, received=None, started=None, revoked=now)
        watch.cluster.tasks = [unnamed, *watch.cluster.tasks]
        count(watch.cluster, WEB, "", revoked=1)
        count(watch.cluster, succeeded=runs)
        rows.append(cell(tasks(watch), NAMELESS, "expired_in_a_row"))
    assert rows == [1.0, 2.0, 0.0]


def test_a_row_before_the_first_look_is_known_by_that_look() -> None:
    cluster = counting(revoked=9)
    cluster.tasks = [expired(f"e{n}", NOW - 20 - 10 * n) for n in range(9)]
    first = Watch(cluster).look(0)["tasks"]
    assert cell(first, JOB, "expired_in_a_row") == 9.0


def test_what_had_expired_before_the_first_look_is_counted_by_that_look_alone() -> None:
    cluster = counting(revoked=1)
    cluster.tasks = [expired("e1", NOW - 30)]
    watch = Watch(cluster)
    first = watch.look(0)["tasks"]
    count(watch.cluster, revoked=1)
    assert (cell(first, JOB, "expired"), cell(tasks(watch), JOB, "expired")) == (1.0, 1.0)


def test_a_message_that_is_started_again_without_an_end_is_redelivered() -> None:
    watch = watching(counting(succeeded=5))
    for nth in range(4):
        watch.cluster.tasks = [a_task("p1", started=NOW + nth * 30)]
        reading = tasks(watch)
    assert (cell(reading, JOB, "redelivered"), cell(reading, JOB, "most_redelivered")) == (3.0, 3.0)


def test_a_retry_is_no_redelivery() -> None:
    watch = watching(counting(succeeded=5))
    for nth in range(4):
        watch.cluster.tasks = [a_task("p1", started=NOW + nth * 30, retries=nth)]
        reading = tasks(watch)
    assert cell(reading, JOB, "most_redelivered") == 0.0


def test_a_task_that_replaced_another_is_no_redelivery() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.tasks = [a_task("p1", started=NOW)]
    tasks(watch)
    watch.cluster.tasks = [a_task("p1", name="shop.other", started=NOW + 5)]
    assert cell(tasks(watch), JOB, "most_redelivered") == 0.0


# --- what its last runs prove -----------------------------------------------------------------------------------------


def test_runs_that_all_fail_are_evidence_and_the_first_of_them_is_not_forgotten() -> None:
    watch = watching(counting())
    for _ in range(5):
        count(watch.cluster, failed=1)
        reading = tasks(watch, after=600)
    told = [cell(reading, JOB, c) for c in ("suspect_runs", "suspect_failed", "failed_in_a_row", "has_succeeded")]
    assert told == [5.0, 5.0, 5.0, False]


def test_as_many_failures_as_usual_prove_nothing() -> None:
    watch = watching(counting())
    count(watch.cluster, failed=5, succeeded=95)
    assert cell(tasks(watch), JOB, "failure_odds") == 1.0


def test_what_a_task_did_a_week_ago_is_still_evidence() -> None:
    watch = watching(counting())
    for _ in range(5):
        count(watch.cluster, failed=1)
        reading = tasks(watch)
        for _ in range(7):
            watch.look(86400)
    assert cell(reading, JOB, "failed_in_a_row") == 5.0


def test_a_long_row_of_successes_ends_what_was_proved() -> None:
    watch = watching(counting())
    count(watch.cluster, failed=500)
    burning = cell(tasks(watch), JOB, "failure_odds")
    count(watch.cluster, succeeded=54)
    assert [burning, cell(tasks(watch), JOB, "failure_odds")] == [pytest.approx(1e12), 1.0]


def test_time_that_passes_proves_nothing_more() -> None:
    watch = watching(counting())
    count(watch.cluster, failed=60, succeeded=80)
    low = cell(tasks(watch), JOB, "error_rate_low")
    for _ in range(40):
        count(watch.cluster, received=1)
        last = cell(tasks(watch), JOB, "error_rate_low")
    assert last == low


def test_the_exception_of_its_failures_is_named_with_an_example() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.tasks = [a_failure("a", "KeyError('x')"), a_failure("b", "KeyError('y')"), a_failure("c", "ValueError('z')")]
    count(watch.cluster, failed=3)
    reading = tasks(watch)
    assert cell(reading, JOB, "exception") == "KeyError"


def test_what_is_usual_is_not_known_before_a_day_is_over() -> None:
    watch = watching(counting())
    count(watch.cluster, failed=100, succeeded=900)
    early = cell(tasks(watch), JOB, "usual_error_rate")
    count(watch.cluster, failed=1, succeeded=9)
    assert [early, cell(tasks(watch, after=90_000), JOB, "usual_error_rate")] == [0.0, pytest.approx(0.1)]


# --- ages ---------------------------------------------------------------------------------------------------------------


def test_the_events_of_clients_are_not_remembered() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, "gen123@client", sent=5)
    tasks(watch)
    assert "gen123@client" not in str(watch.past.memories["tasks"])


def test_other_apps_workers_are_not_counted() -> None:
    watch = watching(counting(succeeded=5), workers=("celery@web-*",))
    count(watch.cluster, GPU, failed=100)
    count(watch.cluster, WEB, failed=1)
    assert cell(tasks(watch), JOB, "failed") == 1.0


def test_last_success_and_last_seen_are_ages() -> None:
    watch = watching(counting(succeeded=5))
    count(watch.cluster, succeeded=1)
    tasks(watch)
    count(watch.cluster, failed=1)
    reading = [tasks(watch), tasks(watch)][-1]
    assert (cell(reading, JOB, "last_success_s"), cell(reading, JOB, "last_seen_s")) == (20.0, 10.0)


def test_a_task_that_flower_no_longer_counts_is_forgotten_by_name() -> None:
    watch = watching(counting(succeeded=5), forget_after_s=60.0)
    watch.cluster.counts = {}
    readings = [tasks(watch) for _ in range(8)]
    assert [(JOB,) in r.forgotten for r in readings].count(True) == 1
    assert names(readings[-1]) == []


def test_without_flower_every_column_is_idle() -> None:
    reading = Watch(healthy(), a_target(sources=frozenset({"redis"}))).look(0)["tasks"]
    assert reading.idle["failed"] == "needs Flower, and this target has no `flower`"


@pytest.mark.parametrize("event", ["sent", "progress"])
def test_events_that_no_column_counts_make_no_row(event: str) -> None:
    watch = watching(healthy())
    count(watch.cluster, **{event: 3})
    assert (names(tasks(watch)), watch.cluster.now > NOW) == ([], True)


def test_another_flower_whose_counters_are_older_is_no_restart() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.flower_started_at = NOW - 3 * 86400
    watch.cluster.counts = {(WEB, JOB, "failed"): 5000.0}
    reading = tasks(watch)
    assert reading.idle["failed"] == "failed needs a second poll"


def test_from_the_look_after_on_another_flower_is_counted() -> None:
    watch = watching(counting(succeeded=5))
    watch.cluster.flower_started_at = NOW - 3 * 86400
    watch.cluster.counts = {(WEB, JOB, "failed"): 5000.0}
    tasks(watch, 20)
    watch.cluster.counts = {(WEB, JOB, "failed"): 5002.0}
    assert cell(tasks(watch), JOB, "failed") == 2.0


def test_a_wider_filter_counts_nothing_that_happened_before_it() -> None:
    cluster = counting(succeeded=5)
    count(cluster, GPU, JOB, failed=5000)
    narrow = watching(cluster, workers=(WEB,))
    wide = Watch(cluster, a_target(workers=(WEB, GPU)))
    wide.past = narrow.past
    count(cluster, GPU, JOB, failed=1)
    assert cell(tasks(wide), JOB, "failed") == 1.0
