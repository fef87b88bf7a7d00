"""A list of tasks as Flower tells it, with what was heard: each task once, as it was heard."""

import pytest

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import FailedTasks, Query, RevokedTasks, RunningTasks, SucceededTasks, WorkersTasks
from watchdog.core.model.replies import TaskSeen
from watchdog.core.model.servers.both_lists import list_of_both
from watchdog.core.model.servers.heard import Heard

NO_ANSWER, LET_GO = Gap("flower: no answer"), Gap("events: they cost too much")
EVERY_LIST = [RunningTasks(), FailedTasks(), RevokedTasks(), SucceededTasks("shop.mail"), WorkersTasks("celery@one")]
ALONE = [FailedTasks(), RevokedTasks(), SucceededTasks("shop.mail")]


def task(task_id: str, at: float = 0.0, worker: str = "flower said so") -> TaskSeen:
    return TaskSeen(task_id, "shop.mail", "STARTED", worker, started=at, timestamp=at)


def ids(listed: tuple[TaskSeen, ...] | Gap) -> list[str]:
    assert not isinstance(listed, Gap)
    return [one.id for one in listed]


@pytest.mark.parametrize("query", EVERY_LIST, ids=lambda query: type(query).__name__)
def test_a_task_that_both_tell_of_is_listed_once_as_it_was_heard(query: Query) -> None:
    assert list_of_both(query, (task("a"),), Heard((task("a", worker="heard"),))) == (task("a", worker="heard"),)


def test_a_task_whose_name_was_said_before_has_flowers_name_for_it() -> None:
    unnamed = TaskSeen("a", None, "FAILURE", "heard")
    assert list_of_both(FailedTasks(), (task("a"),), Heard((unnamed,))) == (TaskSeen("a", "shop.mail", "FAILURE", "heard"),)


@pytest.mark.parametrize("query", EVERY_LIST, ids=lambda query: type(query).__name__)
def test_what_flower_alone_knows_stays(query: Query) -> None:
    assert sorted(ids(list_of_both(query, (task("old"),), Heard((task("new"),))))) == ["new", "old"]


@pytest.mark.parametrize("query", EVERY_LIST, ids=lambda query: type(query).__name__)
def test_where_nothing_is_heard_flowers_word_stands(query: Query) -> None:
    assert list_of_both(query, (task("a"),), LET_GO) == (task("a"),)


def test_what_was_heard_to_end_runs_no_more_though_flower_still_lists_it() -> None:
    assert ids(list_of_both(RunningTasks(), (task("a"), task("b")), Heard((), frozenset({"a"})))) == ["b"]


def test_what_runs_is_in_the_order_of_its_start_and_the_longest_are_kept() -> None:
    assert ids(list_of_both(RunningTasks(limit=2), (task("b", 2.0),), Heard((task("a", 1.0), task("c", 3.0))))) == ["a", "b"]


def test_the_last_successes_are_kept() -> None:
    assert ids(list_of_both(SucceededTasks("shop.mail", 2), (task("b", 2.0), task("a", 1.0)), Heard((task("c", 3.0),)))) == ["c", "b"]


def test_no_failure_that_flower_lists_is_pushed_out_by_those_that_were_heard() -> None:
    assert ids(list_of_both(FailedTasks(limit=1), (task("a", 1.0),), Heard((task("b", 2.0),)))) == ["b", "a"]


@pytest.mark.parametrize("query", ALONE, ids=lambda query: type(query).__name__)
def test_while_flower_does_not_answer_what_has_ended_since_is_listed(query: Query) -> None:
    assert ids(list_of_both(query, NO_ANSWER, Heard((task("a"),)))) == ["a"]


@pytest.mark.parametrize("query", [RunningTasks(), WorkersTasks("celery@one")], ids=lambda query: type(query).__name__)
def test_while_flower_does_not_answer_what_may_have_begun_before_is_unknown(query: Query) -> None:
    assert list_of_both(query, NO_ANSWER, Heard((task("a"),))) == NO_ANSWER
