from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import INTERVAL, NOW, a_target, a_task, an_inspection
from tests.builders.cluster import Cluster, healthy
from tests.builders.looks import Watch, row
from watchdog.core.model.queries import InspectOne, RunningTasks, TaskMeta, WorkerStatus
from watchdog.core.model.replies import TaskMetaSeen
from watchdog.core.model.rows import Cell, Reading, Row

WEB = "celery@web-1"


def running(**changes: Any) -> Cluster:
    """A healthy cluster in which `t1` runs."""
    cluster = healthy()
    cluster.tasks = [a_task(**changes)]
    cluster.beats[WEB] = replace(cluster.beats[WEB], active=1)
    return cluster


def look(watch: Watch, after: float = INTERVAL) -> Reading:
    return watch.look(after)["running"]


def first(cluster: Cluster, **target: Any) -> Row:
    return row(Watch(cluster, a_target(**target)).look(0)["running"], "t1", table="running")


def reporting(progress: float | None = None, step: str | None = None) -> TaskMetaSeen:
    return TaskMetaSeen("PROGRESS", progress, step, "{}")


def still_s(watch: Watch) -> Cell:
    return row(look(watch), "t1", table="running").cells["progress_still_s"]


# --- who runs what ----------------------------------------------------------------------------------------------------


def test_a_task_that_runs_is_a_row_from_the_first_look_on() -> None:
    seen = first(running())
    assert [seen.cells[c] for c in ("name", "worker", "worker_state", "queue", "running_s")] == [
        "shop.pay",
        WEB,
        "online",
        "indexing",
        60.0,
    ]


def test_a_task_that_ended_is_no_row() -> None:
    watch = Watch(running())
    look(watch, 0)
    watch.cluster.tasks = []
    assert (look(watch).rows, look(watch).partial) == ((), None)


def test_of_a_first_look_a_clock_that_is_ahead_leaves_it_open_how_long_a_task_runs() -> None:
    assert "clock is ahead" in first(running(started=NOW + 32_400)).gaps["running_s"]


def test_what_started_while_a_slow_first_look_was_asking_is_by_no_clock_that_is_ahead() -> None:
    watch = Watch(running(started=NOW + 12))
    watch.took_s = 10.0
    assert row(look(watch, 0), "t1", table="running").cells["running_s"] == 0.0


def test_a_clock_that_is_a_little_ahead_makes_no_negative_time() -> None:
    assert first(running(started=NOW + 3)).cells["running_s"] == 0.0


@pytest.mark.parametrize("drift_s", [32_400.0, -18_000.0])
def test_a_task_that_is_watched_from_its_beginning_runs_as_long_as_we_saw_it(drift_s: float) -> None:
    watch = Watch(healthy())
    look(watch, 0)
    watch.cluster.tasks = [a_task(started=watch.cluster.now + 10 + drift_s)]
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=1)
    for _ in range(30):
        told = row(look(watch), "t1", table="running").cells
    assert isinstance(told["running_s"], float)
    assert 280 <= told["running_s"] <= 430
    assert told["worker_state"] == "online"


def test_a_task_by_a_clock_that_is_ahead_is_known_to_run_for_as_long_as_it_was_seen() -> None:
    watch = Watch(running(started=NOW + 32_400))
    look(watch, 0)
    for _ in range(12):
        reading = look(watch, 300)
    assert row(reading, "t1", table="running").cells["running_s"] == 3600.0


def test_without_a_task_sent_event_the_queue_is_that_of_a_worker_with_only_one() -> None:
    assert first(running(routing_key=None)).cells["queue"] == "indexing"


def test_without_a_task_sent_event_the_queue_of_a_worker_with_several_is_a_gap() -> None:
    cluster = running(routing_key=None)
    cluster.add(WEB, queues=("indexing", "training"))
    assert "task_send_sent_event" in first(cluster).gaps["queue"]


@pytest.mark.parametrize("column", ["name", "worker", "worker_state", "worker_active", "running_s"])
def test_what_flower_missed_is_a_gap(column: str) -> None:
    assert "missed" in first(running(name=None, worker=None, started=None)).gaps[column]


def test_other_apps_tasks_are_no_rows() -> None:
    assert Watch(running(), a_target(workers=("celery@gpu-*",))).look(0)["running"].rows == ()


def hearing(*also_on: tuple[str, float | None]) -> Row:
    """The row of `t1` where events tell of tasks, and name these workers besides its own."""
    cluster = running(also_on=also_on)
    cluster.add("celery@web-2", queues=("indexing",))
    return first(cluster, hears_tasks=True)


def test_other_workers_that_execute_it_too_are_named() -> None:
    assert hearing(("celery@web-2", NOW - 30)).cells["also_on"] == "celery@web-2"


def test_a_task_of_one_worker_is_executed_nowhere_else() -> None:
    assert hearing().cells["also_on"] == ""


def test_a_worker_that_is_gone_executes_nothing_besides() -> None:
    assert hearing(("celery@web-9", NOW - 30)).cells["also_on"] == ""


def test_where_flower_lists_tasks_the_other_workers_are_not_known() -> None:
    assert "events of tasks tell" in look(Watch(running()), 0).idle["also_on"]


def test_how_busy_its_worker_is_stands_beside_it() -> None:
    cluster = running()
    cluster.beats[WEB] = replace(cluster.beats[WEB], active=3)
    assert first(cluster).cells["worker_active"] == 3.0


# --- more tasks shown as started than its worker executes --------------------------------------------------------------


def ignored(*ids: str, active: int, executes: tuple[str, ...] | None) -> Cluster:
    """`t1` and these are shown as started on web-1, whose heartbeat says `active`; asked alone, it says what it `executes`."""
    cluster = running()
    cluster.tasks += [a_task(task_id) for task_id in ids]
    cluster.beats[WEB] = replace(cluster.beats[WEB], active=active)
    cluster.inspections[WEB] = an_inspection(WEB, active=executes)
    return cluster


def ids(reading: Reading) -> set[Cell]:
    return {r.cells["id"] for r in reading.rows}


def test_the_worker_says_which_of_them_run_in_the_same_look() -> None:
    assert ids(Watch(ignored("i1", "i2", active=1, executes=("t1",))).look(0)["running"]) == {"t1"}


def test_what_its_worker_did_not_execute_stays_ended_while_flower_lists_it() -> None:
    watch = Watch(ignored("i1", active=1, executes=("t1",)))
    look(watch, 0)
    watch.cluster.inspections = {}
    assert ids(look(watch)) == {"t1"}


def test_a_task_that_is_started_again_runs_again() -> None:
    watch = Watch(ignored("i1", active=1, executes=("t1",)))
    look(watch, 0)
    watch.cluster.tasks[1] = a_task("i1", started=watch.cluster.now)
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=2)
    assert ids(look(watch)) == {"t1", "i1"}


def test_a_worker_that_executes_nothing_has_no_rows() -> None:
    assert ids(Watch(ignored("i1", active=0, executes=())).look(0)["running"]) == set()


def test_where_the_worker_cannot_be_asked_the_reason_names_both_facts() -> None:
    cluster = ignored("i1", "i2", active=1, executes=None)
    cluster.gaps[InspectOne] = "flower: 503"
    why = row(Watch(cluster).look(0)["running"], "t1", table="running").gaps["worker_active"]
    assert "3 tasks are reported as started on celery@web-1, whose heartbeat reports 1" in why


def test_a_worker_that_executes_as_many_as_are_shown_is_not_asked() -> None:
    cluster = ignored("i1", active=2, executes=("t1",))
    Watch(cluster).look(0)
    assert not any(isinstance(query, InspectOne) for query in cluster.asked)


def test_what_began_just_now_is_no_contradiction() -> None:
    cluster = running(started=NOW - 2)
    cluster.beats[WEB] = replace(cluster.beats[WEB], active=0)
    assert ids(Watch(cluster).look(0)["running"]) == {"t1"}


def test_a_worker_is_asked_again_after_a_minute_at_the_earliest() -> None:
    cluster = ignored("i1", active=1, executes=None)
    watch = Watch(cluster)
    asked = []
    for _ in range(13):
        cluster.asked.clear()
        look(watch)
        asked.append(any(isinstance(query, InspectOne) for query in cluster.asked))
    assert sum(asked) == 3


# --- workers that are gone --------------------------------------------------------------------------------------------


def test_the_task_of_a_killed_worker_stays_and_says_that_its_worker_is_lost() -> None:
    watch = Watch(running())
    look(watch, 0)
    watch.cluster.dies(WEB)
    readings = [look(watch) for _ in range(3)]
    assert row(readings[-1], "t1", table="running").cells["worker_state"] == "lost"


def test_the_task_of_a_worker_that_was_forgotten_long_ago_is_on_a_lost_worker() -> None:
    assert first(running(worker="celery@old-1")).cells["worker_state"] == "lost"


def test_while_workers_cannot_be_seen_their_state_is_a_gap() -> None:
    cluster = running(worker="celery@old-1")
    cluster.gaps[WorkerStatus] = "flower: 500"
    assert first(cluster).gaps["worker_state"] == "flower: 500"


def test_a_task_that_began_before_its_workers_process_is_one_of_a_lost_worker() -> None:
    cluster = running()
    cluster.add(WEB, queues=("indexing",), uptime_s=0.0, active=1)  # inspected 30 s ago: its process is 30 s old
    assert first(cluster).cells["worker_state"] == "lost"


def test_a_task_that_began_after_its_workers_process_is_one_of_an_online_worker() -> None:
    cluster = running(started=NOW - 20)
    cluster.add(WEB, queues=("indexing",), uptime_s=0.0, active=1)
    assert first(cluster).cells["worker_state"] == "online"


# --- gaps -------------------------------------------------------------------------------------------------------------


def test_while_the_list_cannot_be_read_tasks_are_rows_full_of_gaps() -> None:
    watch = Watch(running())
    look(watch, 0)
    watch.cluster.gaps[RunningTasks] = "flower: 500"
    reading = look(watch)
    assert (reading.unread, row(reading, "t1", table="running").gaps["running_s"]) == ("flower: 500", "flower: 500")


def test_a_list_as_long_as_its_limit_lacks_some() -> None:
    cluster = healthy()
    cluster.tasks = [a_task(f"t{n}") for n in range(101)]
    assert "100" in str(Watch(cluster).look(0)["running"].partial)


def test_a_task_of_which_flower_lost_sight_by_a_restart_is_unknown_not_over() -> None:
    watch = Watch(running(started=NOW - 3000))
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=1)
    look(watch, 0)
    watch.cluster.tasks, watch.cluster.flower_started_at = [], watch.cluster.now
    readings = [look(watch) for _ in range(30)]
    assert "restarted" in row(readings[-1], "t1", table="running").gaps["running_s"]


def heard(started: float) -> Watch:
    """A look at a task that was heard to start, with its worker at work."""
    watch = Watch(running(started=started), a_target(hears_tasks=True))
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=1)
    look(watch, 0)
    return watch


def test_a_task_that_is_not_heard_of_since_the_connection_was_opened_again_is_unknown_not_over() -> None:
    watch = heard(started=NOW - 3000)
    watch.cluster.tasks, watch.cluster.flower_started_at = [], watch.cluster.now + 1
    readings = [look(watch) for _ in range(30)]
    assert "nothing was heard of this task since" in row(readings[-1], "t1", table="running").gaps["running_s"]


def test_a_task_that_ended_while_events_were_heard_is_over_at_once() -> None:
    watch = heard(started=NOW - 3000)
    watch.cluster.tasks = []
    assert look(watch).rows == ()


def test_a_short_task_of_which_flower_lost_sight_is_let_go() -> None:
    watch = Watch(running())
    look(watch, 0)
    watch.cluster.tasks, watch.cluster.flower_started_at = [], watch.cluster.now
    assert look(watch).rows == ()


def test_a_task_of_which_flower_lost_sight_is_over_once_its_worker_does_nothing() -> None:
    watch = Watch(running(started=NOW - 3000))
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=1)
    look(watch, 0)
    watch.cluster.tasks, watch.cluster.flower_started_at = [], watch.cluster.now
    look(watch)
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=0)
    assert look(watch).rows == ()


def test_a_task_of_which_flower_lost_sight_is_forgotten_by_name() -> None:
    watch = Watch(running(started=NOW - 3000), a_target(forget_after_s=30.0))
    watch.cluster.beats[WEB] = replace(watch.cluster.beats[WEB], active=1)
    look(watch, 0)
    watch.cluster.tasks, watch.cluster.flower_started_at = [], watch.cluster.now
    assert [("t1",) in look(watch).forgotten for _ in range(6)].count(True) == 1


# --- what they report -------------------------------------------------------------------------------------------------


def test_a_task_that_reports_nothing_has_no_progress_and_does_not_stand_still() -> None:
    watch = Watch(running())
    look(watch, 0)
    seen = row(look(watch), "t1", table="running")
    assert [seen.cells[c] for c in ("progress", "step", "meta", "progress_still_s")] == [0.0, "", "{}", 0.0]


def test_what_a_task_reports_is_seen_in_the_first_look() -> None:
    cluster = running()
    cluster.metas["t1"] = TaskMetaSeen("PROGRESS", 0.4, "resize", '{"progress":0.4}')
    seen = first(cluster)
    assert [seen.cells[c] for c in ("progress", "step", "meta")] == [0.4, "resize", '{"progress":0.4}']


def test_progress_that_does_not_move_stands_still_since_it_last_did() -> None:
    watch = Watch(running())
    watch.cluster.metas["t1"] = reporting(0.4)
    look(watch, 0)
    assert [still_s(watch), still_s(watch)] == [10.0, 20.0]


def test_the_most_memory_that_was_ever_reported_is_kept_while_it_runs() -> None:
    watch = Watch(running())
    found = []
    for reported in (3e8, 2e8, None):
        watch.cluster.metas["t1"] = replace(reporting(0.4), peak_memory=reported)
        found.append(row(look(watch), "t1", table="running").cells["peak_memory"])
    assert found == [3e8, 3e8, 3e8]


@pytest.mark.parametrize("moved", [reporting(0.5, "a"), reporting(0.4, "b")])
def test_progress_that_moves_does_not_stand_still(moved: TaskMetaSeen) -> None:
    watch = Watch(running())
    watch.cluster.metas["t1"] = reporting(0.4, "a")
    look(watch, 0)
    look(watch)
    watch.cluster.metas["t1"] = moved
    assert still_s(watch) == 0.0


def test_progress_that_cannot_be_read_is_a_gap_and_goes_on_standing_still() -> None:
    watch = Watch(running())
    watch.cluster.metas["t1"] = reporting(0.4)
    look(watch, 0)
    watch.cluster.gaps[TaskMeta] = "redis: denied"
    blind = row(look(watch), "t1", table="running")
    watch.cluster.gaps.clear()
    assert (blind.gaps["progress_still_s"], still_s(watch)) == ("redis: denied", 20.0)


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "REVOKED"])
def test_a_task_that_has_ended_by_its_result_is_no_row_though_flower_still_lists_it(status: str) -> None:
    cluster = running()
    cluster.metas["t1"] = TaskMetaSeen(status)
    assert Watch(cluster).look(0)["running"].rows == ()


def test_a_task_that_has_ended_is_not_asked_for_again() -> None:
    watch = Watch(running())
    watch.cluster.metas["t1"] = TaskMetaSeen("SUCCESS")
    look(watch, 0)
    look(watch)
    assert [q for q in watch.cluster.asked if isinstance(q, TaskMeta)] == []


def test_a_task_that_began_again_under_its_id_is_a_row_again() -> None:
    watch = Watch(running())
    watch.cluster.metas["t1"] = TaskMetaSeen("SUCCESS")
    look(watch, 0)
    watch.cluster.metas.clear()
    watch.cluster.tasks = [a_task(started=NOW + 5)]
    assert len(look(watch).rows) == 1


def test_of_many_tasks_at_most_fifty_a_look_are_asked_again_in_turn() -> None:
    cluster = healthy()
    cluster.tasks = [a_task(f"t{n:02}") for n in range(80)]
    watch = Watch(cluster)
    look(watch, 0)
    asked = []
    for _ in range(2):
        look(watch)
        asked.append({q.key for q in watch.cluster.asked if isinstance(q, TaskMeta)})
    assert ([len(keys) for keys in asked], len(asked[0] | asked[1])) == ([50, 50], 80)


def test_in_a_first_look_every_task_is_asked() -> None:
    cluster = healthy()
    cluster.tasks = [a_task(f"t{n:02}") for n in range(80)]
    assert [r.gaps for r in Watch(cluster).look(0)["running"].rows if r.gaps] == []


def test_without_redis_progress_is_idle() -> None:
    reading = Watch(running(), a_target(sources=frozenset({"flower"}))).look(0)["running"]
    assert set(reading.idle) == {"progress", "step", "meta", "progress_still_s", "peak_memory", "arguments", "also_on"}


def test_where_results_do_not_live_in_redis_progress_is_idle_and_says_so() -> None:
    cluster = running()
    for name, seen in cluster.cache.items():
        conf = seen.conf
        assert conf is not None
        cluster.cache[name] = replace(seen, conf=replace(conf, result_backend="db+postgresql://***@db/results"))
    assert "db+postgresql" in Watch(cluster).look(0)["running"].idle["progress"]


def workers_say(cluster: Cluster, **conf: object) -> None:
    """What every worker's conf says."""
    for name, seen in cluster.cache.items():
        assert seen.conf is not None
        cluster.cache[name] = replace(seen, conf=replace(seen.conf, **conf))


def progress(cluster: Cluster, **target: object) -> object:
    """What the running task reports; else why its progress is idle."""
    reading = Watch(cluster, a_target(**target)).look(0)["running"]
    return reading.idle.get("progress") or reading.rows[0].cells["progress"]


def reports(cluster: Cluster) -> Cluster:
    cluster.metas["t1"] = reporting(0.4)
    return cluster


def test_results_in_another_database_of_the_broker_are_found_by_what_the_workers_say() -> None:
    cluster = reports(running())
    cluster.results_db = 1
    assert progress(cluster) == 0.0
    workers_say(cluster, result_backend="redis://h:6379/1", results_db=1)
    assert progress(cluster) == 0.4


def test_the_worker_that_was_inspected_last_says_where_results_live() -> None:
    cluster = reports(running())
    cluster.results_db = 2
    workers_say(cluster, result_backend="redis://h:6379/1", results_db=1)
    old = cluster.cache[WEB]
    assert old.conf is not None
    assert old.at is not None
    cluster.cache[WEB] = replace(old, at=old.at + 1, conf=replace(old.conf, results_db=2))
    assert progress(cluster) == 0.4


def test_results_on_another_server_are_idle_until_results_names_it() -> None:
    cluster = reports(running())
    workers_say(cluster, result_backend="redis://***@other:6379/0", results_elsewhere=True)
    assert "redis://***@other:6379/0): set `results`" in str(progress(cluster))
    assert progress(cluster, sources=frozenset({"flower", "redis", "results"})) == 0.4


def test_results_are_read_where_the_broker_is_no_redis() -> None:
    cluster = reports(running())
    assert progress(cluster, sources=frozenset({"flower", "results"})) == 0.4


def test_what_results_names_counts_more_than_what_the_workers_say() -> None:
    cluster = reports(running())
    workers_say(cluster, result_backend="redis://h:6379/7", results_db=7)
    assert progress(cluster, sources=frozenset({"flower", "redis", "results"})) == 0.4


@pytest.mark.parametrize(("said", "in_keys"), [("shop", "shop_"), ("shop:", "shop:"), ("a.", "a.")])
def test_a_prefix_is_joined_to_keys_as_celery_does(said: str, in_keys: str) -> None:
    cluster = reports(running())
    cluster.results_prefix = in_keys
    assert progress(cluster, sources=frozenset({"flower", "results"}), results_prefix=said) == 0.4


def test_a_prefix_that_the_workers_hide_is_to_be_set() -> None:
    cluster = reports(running())
    workers_say(cluster, result_backend="redis://h:6379/0", results_db=0, results_prefix=None)
    assert "key_prefix" in str(progress(cluster))


def test_results_that_do_not_answer_make_progress_a_gap_and_nothing_else() -> None:
    cluster = reports(running())
    cluster.gaps["results"] = "results: connection refused"
    readings = Watch(cluster, a_target(sources=frozenset({"flower", "redis", "results"}))).look(0)
    row = readings["running"].rows[0]
    assert {reason for reason in row.gaps.values() if reason.startswith("results")} == {"results: connection refused"}
    assert "progress" in row.gaps
    assert "latency_ms" not in readings["broker"].rows[0].gaps


def test_without_flower_every_column_is_idle() -> None:
    reading = Watch(healthy(), a_target(sources=frozenset({"redis"}))).look(0)["running"]
    assert reading.idle["running_s"] == "needs Flower, and this target has no `flower`"


# --- arguments ----------------------------------------------------------------------------------------------------------------


def test_arguments_are_hidden_by_default() -> None:
    reading = look(Watch(running(arguments="('4711',)")), 0)
    assert reading.idle["arguments"] == "hidden: show_arguments of this target is false"
    assert "4711" not in str(reading)


def test_arguments_are_shown_where_the_target_says_so() -> None:
    assert first(running(arguments="('4711',)"), show_arguments=True).cells["arguments"] == "('4711',)"


def test_arguments_that_flower_missed_are_unknown() -> None:
    assert first(running(arguments=None), show_arguments=True).gaps["arguments"] == "the event that reports it was missed"


def test_arguments_that_are_hidden_again_are_forgotten() -> None:
    watch = Watch(running(arguments="('4711',)"), a_target(show_arguments=True))
    look(watch, 0)
    watch.target = a_target()
    assert "4711" not in str(look(watch))
