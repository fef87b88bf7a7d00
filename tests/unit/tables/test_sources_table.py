import pytest

from tests.builders.answers import NOW, a_server, a_target, a_task
from tests.builders.cluster import healthy
from tests.builders.looks import Watch, cell, gap, names
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import HearWorkers, ListLengths, Ping, ReadEventCounters, TaskMeta, WorkerStatus
from watchdog.core.model.replies import EventCounters, Replies, WorkersHeard
from watchdog.core.model.rows import Look, Reading
from watchdog.core.model.servers.heard import CountHeard, EventsMeasured, MeasureEvents
from watchdog.tables.sources import TABLE


def sources(watch: Watch, after: float = 10) -> Reading:
    return watch.look(after)["sources"]


def test_every_configured_source_is_a_row() -> None:
    assert names(sources(Watch(healthy()), 0)) == ["flower", "redis"]


def test_a_source_that_is_not_configured_is_none() -> None:
    assert names(sources(Watch(healthy(), a_target(sources=frozenset({"redis"}))), 0)) == ["redis"]


def test_a_source_whose_first_question_is_answered_is_up() -> None:
    reading = sources(Watch(healthy()), 0)
    assert [(cell(reading, n, "up"), cell(reading, n, "error")) for n in ("flower", "redis")] == [(True, ""), (True, "")]


def test_a_source_whose_first_question_fails_is_not_up_and_says_why() -> None:
    watch = Watch(healthy())
    watch.cluster.gaps[WorkerStatus] = "flower: 401, set username and password"
    reading = sources(watch, 0)
    assert (cell(reading, "flower", "up"), cell(reading, "flower", "error")) == (False, "flower: 401, set username and password")


def test_what_else_failed_is_told_of_a_source_that_is_up() -> None:
    watch = Watch(healthy())
    watch.cluster.gaps[ListLengths(("indexing",))] = "redis: WRONGTYPE"
    reading = sources(watch, 0)
    assert (cell(reading, "redis", "up"), cell(reading, "redis", "error")) == (True, "redis: WRONGTYPE")


LET_GO = Gap("events: those of tasks cost 3.0% of a core")


@pytest.mark.parametrize(("counted", "error"), [(EventCounters(NOW, {}), ""), (LET_GO, LET_GO.reason)], ids=["heard", "let go"])
def test_beside_flower_it_is_told_why_nothing_is_heard_of_tasks(counted: object, error: str) -> None:
    target = a_target(sources=frozenset({"flower", "events"}), hears_beside_flower=True)
    replies = Replies({HearWorkers(): WorkersHeard(60.0, {}), CountHeard(): counted})
    reading = TABLE.read(Look(target, None, replies, NOW, 300.0))
    assert (cell(reading, "events", "up"), cell(reading, "events", "error")) == (True, error)


@pytest.mark.parametrize(("counted", "heard"), [(EventCounters(NOW - 60, {}), ("workers and tasks", 60.0)), (LET_GO, ("workers", 0.0))])
def test_it_is_told_whose_events_are_heard_and_what_they_take(counted: object, heard: tuple[str, float]) -> None:
    target = a_target(sources=frozenset({"flower", "events"}), hears_beside_flower=True)
    measured = EventsMeasured(45.0, 0.0003, 0.01)
    replies = Replies({HearWorkers(): WorkersHeard(90.0, {}), CountHeard(): counted, MeasureEvents(): measured})
    reading = TABLE.read(Look(target, None, replies, NOW, 300.0))
    cells = [cell(reading, "events", column) for column in ("hears", "tasks_heard_s", "restarted_s", "per_s", "core_share", "core_allowed")]
    assert cells == [*heard, 90.0, 45.0, 0.0003, 0.01]


def test_what_is_not_measured_yet_is_a_gap() -> None:
    target = a_target(sources=frozenset({"events"}), hears_tasks=True)
    replies = Replies({HearWorkers(): WorkersHeard(90.0, {}), MeasureEvents(): Gap("events: not measured yet")})
    assert gap(TABLE.read(Look(target, None, replies, NOW, 300.0)), "events", "per_s") == "events: not measured yet"


def test_staleness_is_since_it_was_last_up() -> None:
    watch = Watch(healthy())
    sources(watch, 0)
    watch.cluster.gaps["redis"] = "redis: connection refused"
    assert [cell(sources(watch), "redis", "stale_s") for _ in range(3)] == [10.0, 20.0, 30.0]


def test_a_source_never_up_is_not_stale() -> None:
    watch = Watch(healthy())
    watch.cluster.gaps["redis"] = "redis: connection refused"
    assert cell(sources(watch, 0), "redis", "stale_s") == 0.0


def test_latency_of_a_source_that_is_down_is_a_gap() -> None:
    watch = Watch(healthy())
    watch.cluster.gaps[Ping] = "redis: connection refused"
    watch.cluster.gaps[WorkerStatus] = "flower: connection refused"
    reading = sources(watch, 0)
    assert cell(reading, "redis", "up") is False


def test_since_when_it_runs_is_a_gap_where_it_does_not_say() -> None:
    watch = Watch(healthy())
    watch.cluster.gaps[ReadEventCounters] = "flower: 500"
    assert gap(sources(watch, 0), "flower", "restarted_s") == "flower: 500"


def test_redis_says_its_version() -> None:
    assert cell(sources(Watch(healthy()), 0), "redis", "version") == "7.0.15"


def test_the_table_is_never_unread() -> None:
    watch = Watch(healthy())
    watch.cluster.gaps |= {"redis": "redis: connection refused", "flower": "flower: connection refused"}
    reading = sources(watch, 0)
    assert (reading.unread, [cell(reading, n, "up") for n in ("flower", "redis")]) == (None, [False, False])


def test_results_of_their_own_are_a_row_of_their_own() -> None:
    watch = Watch(healthy(), a_target(sources=frozenset({"flower", "redis", "results"})))
    watch.cluster.results_server = a_server(version="valkey 8.1.8")
    watch.cluster.gaps["redis"] = "redis: connection refused"
    reading = sources(watch, 0)
    assert [(n, cell(reading, n, "up")) for n in names(reading)] == [("flower", True), ("redis", False), ("results", True)]
    assert cell(reading, "results", "version") == "valkey 8.1.8"


def test_results_that_are_lost_are_not_the_brokers_loss() -> None:
    watch = Watch(healthy(), a_target(sources=frozenset({"flower", "redis", "results"})))
    watch.cluster.gaps["results"] = "results: connection refused"
    reading = sources(watch, 0)
    assert [(cell(reading, n, "up"), cell(reading, n, "error")) for n in ("redis", "results")] == [
        (True, ""),
        (False, "results: connection refused"),
    ]


def test_results_that_the_broker_does_not_give_are_what_else_failed_of_it() -> None:
    watch = Watch(healthy())
    watch.cluster.tasks = [a_task("t1")]
    watch.cluster.gaps[TaskMeta] = "redis: denied"
    assert cell(sources(watch, 0), "redis", "error") == "redis: denied"
