"""Where one task is looked for, and what is known of it."""

from collections.abc import Mapping

import pytest

from tests.builders.answers import a_conf, an_inspection
from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import Inspected, Query, RecentTasks, StoredResult, WholeTask
from watchdog.core.model.reading import Past
from watchdog.core.model.replies import StoredResultSeen, TaskSeen, WholeTaskSeen
from watchdog.core.model.servers.worker_queries import InspectWorkers
from watchdog.core.model.target import Target
from watchdog.polling.poller import Poller
from watchdog.sources.base import Answers
from watchdog.tables.running.one_task import OneTask, one_task, table_of_task

WHOLE = "5bbc3642-ff83-442c-9dc9-ed150e4335aa"
BOTH = Target("prod", sources=frozenset({"flower", "redis"}))
PREFIX = "celery-task-meta-"


class FakeSource:
    """Answers from a table; whatever is not in it is unknown to it."""

    longest_s = 1.0

    def __init__(self, name: str, answers: Mapping[Query, object]) -> None:
        self.name, self._answers, self.asked = name, answers, list[Query]()

    def ask(self, queries: list[Query]) -> Answers:
        self.asked += queries
        return Answers({query: self._answers.get(query, self._nothing(query)) for query in queries})

    def close(self) -> None:
        pass

    def _nothing(self, query: Query) -> object:
        match query:
            case WholeTask(task_id):
                return WholeTaskSeen(task_id)
            case StoredResult():
                return StoredResultSeen()
            case RecentTasks():
                return ()
        return {}


def looked(asked_for: str, answers: Mapping[Query, object], target: Target = BOTH) -> tuple[OneTask, list[Query]]:
    """What is known of it, and all that was asked."""
    sources = {name: FakeSource(name, answers) for name in target.sources}
    poller = Poller(target, sources, {"task": table_of_task(asked_for)})  # type: ignore[arg-type]
    found = one_task(target, poller.ask(Past(), 0.0), asked_for)
    return found, [query for source in sources.values() for query in source.asked]


def listed(*ids: str, worker: str = "w@h") -> tuple[TaskSeen, ...]:
    return tuple(TaskSeen(one, "shop.pay", "SUCCESS", worker) for one in ids)


def test_a_task_is_asked_for_in_flower_and_in_the_result_backend() -> None:
    seen, stored = WholeTaskSeen(WHOLE, "SUCCESS"), StoredResultSeen("SUCCESS")
    found, _ = looked(WHOLE, {WholeTask(WHOLE): seen, StoredResult(PREFIX + WHOLE): stored})
    assert (found.seen, found.stored) == (seen, stored)


def test_the_list_of_tasks_is_not_asked_for_where_the_id_is_whole() -> None:
    _, asked = looked(WHOLE, {})
    assert RecentTasks() not in asked


def test_the_beginning_of_an_id_finds_the_only_task_that_begins_so() -> None:
    answers = {RecentTasks(): listed(WHOLE, "77"), WholeTask(WHOLE): WholeTaskSeen(WHOLE, "SUCCESS")}
    found, _ = looked("5bbc", answers)
    assert (found.id, found.seen.state) == (WHOLE, "SUCCESS")


def test_what_is_stored_of_it_is_found_too() -> None:
    answers = {RecentTasks(): listed(WHOLE), StoredResult(PREFIX + WHOLE): StoredResultSeen("FAILURE")}
    assert looked("5bbc", answers)[0].stored.status == "FAILURE"


def test_of_several_that_begin_so_none_is_taken() -> None:
    found, _ = looked("5b", {RecentTasks(): listed("5b1", "5b2")})
    assert (found.found, [match.id for match in found.matches]) == (False, ["5b1", "5b2"])


def test_a_short_id_that_is_whole_is_found_before_any_that_begin_so() -> None:
    found, asked = looked("nightly", {WholeTask("nightly"): WholeTaskSeen("nightly", "STARTED")})
    assert (found.seen.state, RecentTasks() in asked) == ("STARTED", False)


def test_a_task_of_another_targets_worker_is_not_found() -> None:
    target = Target("prod", sources=frozenset({"flower", "redis"}), workers=("mine@*",))
    found, _ = looked(WHOLE, {WholeTask(WHOLE): WholeTaskSeen(WHOLE, "SUCCESS", worker="theirs@h")}, target)
    assert not found.found


def test_without_flower_the_result_backend_is_asked() -> None:
    target = Target("prod", sources=frozenset({"redis"}))
    found, _ = looked(WHOLE, {StoredResult(PREFIX + WHOLE): StoredResultSeen("SUCCESS")}, target)
    assert (found.stored.status, found.flower_gap) == ("SUCCESS", "this target has no `flower`")


def test_without_flower_workers_say_where_results_are_stored() -> None:
    target = Target("prod", sources=frozenset({"redis", "celery"}))
    answers = {
        InspectWorkers(): {"w@h": an_inspection("w@h", conf=a_conf(result_backend="redis://h/1", results_db=1))},
        StoredResult(PREFIX + WHOLE, 1): StoredResultSeen("SUCCESS"),
    }
    assert looked(WHOLE, answers, target)[0].stored.status == "SUCCESS"


def test_where_nobody_says_that_a_task_that_is_not_in_the_brokers_database_is_not_called_missing() -> None:
    found, _ = looked(WHOLE, {}, Target("prod", sources=frozenset({"redis", "celery"})))
    assert (found.everywhere, found.results_gap.partition(",")[0]) == (False, "no worker says where results are stored")


@pytest.mark.parametrize(
    ("broken", "gaps"),
    [
        ({WholeTask(WHOLE): Gap("flower: down"), Inspected(): {"w@h": an_inspection("w@h")}}, ("flower: down", "")),
        ({StoredResult(PREFIX + WHOLE): Gap("redis: down")}, ("", "redis: down")),
    ],
)
def test_a_place_that_could_not_be_asked_is_named(broken: Mapping[Query, object], gaps: tuple[str, str]) -> None:
    found, _ = looked(WHOLE, broken)
    assert (found.flower_gap, found.results_gap, found.everywhere) == (*gaps, False)


def test_a_backend_that_is_not_redis_is_named() -> None:
    found, asked = looked(WHOLE, {}, Target("prod", sources=frozenset({"flower"})))
    assert "needs the Redis that holds the results" in found.results_gap
    assert [type(query) for query in asked] == [WholeTask, Inspected]
