from typing import Any

from msgspec.structs import replace

from tests.builders.answers import NOW, a_target, a_task
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, row
from watchdog.core.model.queries import SucceededTasks
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.rows import Cell, Row
from watchdog.tables.tasks.table import TaskCounters

WEB, JOB = "celery@web-1", "shop.pay"


def a_success(number: int = 0, runtime: float | None = 1.0, at: float = NOW - 5, **changes: Any) -> TaskSeen:
    given = {"received": at - 4, "started": at - 2, "succeeded": at, "runtime": runtime, "timestamp": at, **changes}
    return a_task(f"s{number}", "SUCCESS", **given)


def succeeding(*successes: TaskSeen) -> Cluster:
    cluster = healthy()
    cluster.tasks = list(successes)
    for task in successes:
        key = (WEB, str(task.name), "succeeded")
        cluster.counts[key] = cluster.counts.get(key, 0.0) + 1
    return cluster


def first(cluster: Cluster, name: str = JOB, window_s: float = 300.0) -> Row:
    return row(Watch(cluster).look(0, window_s=window_s)["tasks"], name)


def cells(seen: Row, *columns: str) -> list[Cell]:
    return [seen.cells[column] for column in columns]


def asked(watch: Watch) -> list[str]:
    return [query.task for query in watch.cluster.asked if isinstance(query, SucceededTasks)]


def test_runtimes_are_known_in_a_first_look() -> None:
    assert cells(first(succeeding(a_success(1, 1.0), a_success(2, 3.0))), "runtime_avg", "runtime_p50") == [2.0, 1.0]


def test_percentiles_are_runtimes_that_were() -> None:
    seen = first(succeeding(*(a_success(n, float(n)) for n in range(1, 101))))
    assert cells(seen, "runtime_p50", "runtime_p95", "runtime_p99") == [50.0, 95.0, 99.0]


def test_the_wait_is_from_received_to_started() -> None:
    assert first(succeeding(a_success())).cells["wait_p95"] == 2.0


def test_what_succeeded_before_the_window_is_left_out() -> None:
    cluster = succeeding(a_success(1, 1.0), a_success(2, 9.0, at=NOW - 400))
    assert [first(cluster, window_s=w).cells["runtime_avg"] for w in (300.0, 600.0)] == [1.0, 5.0]


def test_a_task_that_never_succeeded_has_neutral_runtimes() -> None:
    cluster = healthy()
    cluster.counts = {(WEB, JOB, "failed"): 3.0}
    assert first(cluster).cells["runtime_p95"] == 0.0


def test_a_success_without_a_runtime_is_a_gap() -> None:
    assert "no runtime" in first(succeeding(a_success(runtime=None))).gaps["runtime_avg"]


def test_a_list_without_an_answer_is_a_gap() -> None:
    cluster = succeeding(a_success())
    cluster.gaps[SucceededTasks] = "flower: 500"
    assert first(cluster).gaps["runtime_p99"] == "flower: 500"


def test_other_apps_runs_are_left_out() -> None:
    watch = Watch(succeeding(a_success(1, 1.0), a_success(2, 9.0, worker="celery@other-1")), a_target(workers=("celery@web-*",)))
    assert row(watch.look(0)["tasks"], JOB).cells["runtime_avg"] == 1.0


def test_in_a_first_look_the_ten_busiest_tasks_are_asked_and_the_others_are_gaps() -> None:
    watch = Watch(succeeding(*(a_success(n, name=f"t{n:02}") for n in range(12)), a_success(99, name="t11")))
    reading = watch.look(0)["tasks"]
    assert asked(watch)[0] == "t11"
    assert [str(r.cells["name"]) for r in reading.rows if "runtime_avg" in r.gaps] == ["t09", "t10"]


def test_a_task_that_did_nothing_since_it_was_asked_for_is_not_asked_again() -> None:
    watch = Watch(succeeding(a_success()))
    watch.look(0)
    for _ in range(5):
        watch.look()
    assert asked(watch) == []


def grow(watch: Watch, *names: str) -> None:
    for name in names:
        key = (WEB, name, "succeeded")
        watch.cluster.counts[key] = watch.cluster.counts.get(key, 0.0) + 1
        watch.cluster.tasks.insert(0, a_success(len(watch.cluster.tasks), 7.0, at=watch.cluster.now, name=name))


def test_a_task_that_succeeded_again_is_asked_again_after_half_a_minute() -> None:
    watch = Watch(succeeding(a_success()))
    watch.look(0)
    grow(watch, JOB)
    looks = []
    for _ in range(4):
        watch.look()
        looks.append(asked(watch))
    assert looks == [[], [], [JOB], []]


def test_at_most_three_tasks_a_look_are_asked_in_turn() -> None:
    names = [f"t{n}" for n in range(8)]
    watch = Watch(succeeding())
    watch.look(0)
    grow(watch, *names)
    looks = []
    for _ in range(4):
        watch.look()
        looks.append(asked(watch))
    assert [len(look) for look in looks] == [0, 3, 3, 2]
    assert sorted(name for look in looks for name in look) == names


def test_a_task_that_waits_for_its_turn_is_a_gap_not_0() -> None:
    watch = Watch(succeeding())
    watch.look(0)
    grow(watch, *(f"t{n}" for n in range(8)))
    watch.look()
    reading = watch.look()["tasks"]
    assert [("runtime_avg" in row(reading, f"t{n}").gaps) for n in range(8)] == [False] * 3 + [True] * 5


def test_runtimes_are_remembered_while_the_task_is_not_asked() -> None:
    watch = Watch(succeeding(a_success()))
    watch.look(0)
    assert row(watch.look()["tasks"], JOB).cells["runtime_avg"] == 1.0


def test_after_the_window_runtimes_are_neutral_again() -> None:
    watch = Watch(succeeding(a_success()))
    watch.look(0)
    watch.look(200)
    assert row(watch.look(200)["tasks"], JOB).cells["runtime_avg"] == 0.0


def test_a_task_that_is_forgotten_is_forgotten_with_its_runtimes() -> None:
    watch = Watch(succeeding(a_success()), replace(a_target(), forget_after_s=60.0))
    watch.look(0)
    watch.cluster.counts, watch.cluster.tasks = {}, []
    for _ in range(9):
        watch.look()
    memory = watch.past.memories["tasks"]
    assert isinstance(memory, TaskCounters)
    assert memory.runtimes == {}


def test_the_queues_of_runs_are_remembered_as_far_as_senders_report_them() -> None:
    watch = Watch(succeeding(a_success(1, routing_key="emails"), a_success(2, routing_key=None), a_success(3, routing_key="emails")))
    watch.look(0)
    memory = watch.past.memories["tasks"]
    assert isinstance(memory, TaskCounters)
    assert memory.runtimes[JOB].queues == ("emails",)
