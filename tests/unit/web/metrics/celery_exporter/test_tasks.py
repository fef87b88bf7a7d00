"""Tasks under the names of celery-exporter: by host and queue, and no more series than are bearable."""

from collections.abc import Mapping

from tests.builders.metrics import samples
from watchdog.core.model.rows import Reading, Row
from watchdog.tables.tasks.counters import TaskCounters
from watchdog.tables.tasks.runtimes import TimedTask
from watchdog.web.metrics.celery_exporter.shown import ShownTarget
from watchdog.web.metrics.celery_exporter.tasks import MOST_SERIES, TaskFamilies, queues_of_tasks
from watchdog.web.metrics.celery_exporter.totals import Runtimes, TaskTotals

Counts = Mapping[str, Mapping[str, Mapping[str, float]]]
COUNTS: Counts = {"celery@web-1": {"shop.charge": {"received": 5.0, "succeeded": 4.0}}, "b@web-1": {"shop.charge": {"succeeded": 2.0}}}


def of(name: str, counts: Counts = COUNTS, totals: TaskTotals | None = None, workers: tuple[str, ...] = ()) -> dict[str, float]:
    families = TaskFamilies()
    shown = ShownTarget("prod", {"queues": Reading((Row({"name": "emails"}), Row({"name": "idle"})))}, workers)
    families.add(shown, TaskCounters(1.0, counts=counts), totals or TaskTotals(queues={"shop.charge": frozenset({"emails"})}))
    return samples(families.metrics(), name)


LABELS = 'hostname="web-1",name="shop.charge",queue_name="emails",target="prod"'


def test_workers_of_a_host_are_added_up() -> None:
    assert of("celery_task_succeeded_total") == {LABELS: 6.0}


def test_what_did_not_happen_is_zero() -> None:
    assert of("celery_task_retried_total") == {LABELS: 0.0}


def test_workers_of_another_target_do_not_count() -> None:
    assert of("celery_task_succeeded_total", workers=("b@*",)) == {LABELS: 2.0}


def test_what_was_received_is_known_to_have_been_sent() -> None:
    assert of("celery_task_sent_total") == {LABELS: 5.0}


def test_a_task_of_several_queues_is_of_an_unknown_one() -> None:
    several = TaskTotals(queues={"shop.charge": frozenset({"emails", "other"})})
    assert list(of("celery_task_succeeded_total", totals=several)) == [LABELS.replace("emails", "unknown")]


def test_every_queue_can_be_chosen_in_a_dashboard() -> None:
    assert of("celery_task_received_total") == {LABELS: 5.0, 'queue_name="idle",target="prod"': 0.0}


def test_failures_have_their_exception() -> None:
    failed = of("celery_task_failed_total", totals=TaskTotals(failed={("shop.charge", "web-1", "KeyError"): 3.0}))
    unknown = LABELS.replace("emails", "unknown")
    assert failed == {f'exception="",{unknown}': 0.0, f'exception="KeyError",{unknown}': 3.0}


def test_buckets_hold_everything_below_their_bound() -> None:
    one_each = TaskTotals(runtimes={"shop.charge": Runtimes((1,) * 15, 40.0)})
    found = of("celery_task_runtime_bucket", totals=one_each)
    assert (list(found.values()), list(of("celery_task_runtime_count", totals=one_each).values())) == ([*range(1, 16)], [15])


def test_too_many_hosts_are_added_up() -> None:
    counts = {f"celery@web-{nth}": {"shop.charge": {"succeeded": 1.0}} for nth in range(MOST_SERIES + 1)}
    assert of("celery_task_succeeded_total", counts) == {LABELS.replace("web-1", "all"): MOST_SERIES + 1}


def test_queues_are_learned_from_runs_failures_what_runs_and_what_waits() -> None:
    readings = {
        "running": Reading((Row({"id": "1", "name": "a", "queue": "of-running"}),)),
        "queues": Reading((Row({"name": "of-waiting", "head_task": "a"}),)),
        "errors": Reading((Row({"task": "a", "exception": "E", "queue": "of-failures"}),)),
    }
    memory = TaskCounters(runtimes={"a": TimedTask(1.0, queues=("of-runs",))})
    expected = {"a": frozenset({"of-running", "of-waiting", "of-failures", "of-runs"})}
    assert queues_of_tasks(ShownTarget("prod", readings, ()), memory, {}) == expected
