"""What was heard since the connection was opened, for who asks Flower as well: what happened while it was not, Flower knows better."""

import pytest

from tests.unit.sources.events.tasks.test_runs import AT, WORKER, Told
from watchdog.core.model.queries import FailedTasks, Query, RevokedTasks, RunningTasks, SucceededTasks, WorkersTasks
from watchdog.core.model.servers.heard import CountHeard, Heard, ListHeard
from watchdog.sources.events.tasks.answers import answer

LISTS = {"started": RunningTasks(), "failed": FailedTasks(), "revoked": RevokedTasks(), "succeeded": SucceededTasks("shop.order")}


def heard(told: Told, query: Query, *among: str) -> Heard:
    found = answer(ListHeard(query, among), told.runs)
    assert isinstance(found, Heard), found
    return found


@pytest.mark.parametrize(("kind", "query"), LISTS.items())
def test_what_was_heard_over_this_connection_is_listed(kind: str, query: Query) -> None:
    told = Told().hear("received", "started", *([kind] if kind != "started" else []))
    assert [task.id for task in heard(told, query).tasks] == ["1"]


@pytest.mark.parametrize(("kind", "query"), [*LISTS.items(), ("started", WorkersTasks(WORKER))])
def test_what_was_heard_over_an_earlier_connection_is_flowers_to_tell(kind: str, query: Query) -> None:
    told = Told().hear("received", "started", *([kind] if kind != "started" else []))
    told.runs.opens(AT + 100)
    assert heard(told, query).tasks == ()


def test_a_task_that_speaks_again_over_this_connection_is_listed() -> None:
    told = Told().hear("received")
    told.runs.opens(AT + 100)
    assert [task.name for task in heard(told.hear("started"), RunningTasks()).tasks] == ["shop.order"]


def test_zombies_of_an_earlier_connection_push_nothing_out_of_the_list() -> None:
    told = Told()
    for nth in range(5):
        told.hear("started", task_id=f"old {nth}")
    told.runs.opens(AT + 100)
    assert [task.id for task in heard(told.hear("started", task_id="new"), RunningTasks(limit=2)).tasks] == ["new"]


@pytest.mark.parametrize("end", ["succeeded", "failed", "revoked", "retried", "cancelled"])
def test_of_flowers_list_it_is_known_what_runs_no_more(end: str) -> None:
    assert heard(Told().hear("received", "started", end), RunningTasks(), "1", "unheard of").over == {"1"}


def test_what_was_cut_off_and_waits_elsewhere_runs_no_more_where_it_did() -> None:
    told = Told().hear("received", "started", "cancelled").hear("received", worker="celery@web-2")
    assert heard(told, RunningTasks(), "1").over == {"1"}


def test_what_ended_without_a_word_runs_no_more() -> None:
    told = Told().hear("received", "started")
    told.runs.settles({WORKER: AT + 60})
    assert heard(told, RunningTasks(), "1").over == {"1"}


def test_what_runs_or_waits_to_run_is_not_over() -> None:
    told = Told().hear("received", "started").hear("received", task_id="2")
    assert heard(told, RunningTasks(), "1", "2").over == frozenset()


def test_an_end_that_was_heard_over_an_earlier_connection_is_none_of_a_later_run() -> None:
    told = Told().hear("received", "started", "failed")
    told.runs.opens(AT + 100)
    assert heard(told, RunningTasks(), "1").over == frozenset()


def test_what_ended_without_a_word_during_an_earlier_connection_may_run_again() -> None:
    told = Told().hear("received", "started")
    told.runs.settles({WORKER: AT + 60})
    told.runs.opens(AT + 100)
    assert heard(told, RunningTasks(), "1").over == frozenset()


def test_what_is_counted_begins_with_the_connection() -> None:
    told = Told().hear("received", "started", "failed")
    told.runs.opens(AT + 100)
    assert answer(CountHeard(), told.hear("started").runs) == told.runs.counters()
    assert told.counts == {"started": 1.0}


def test_no_other_question_is_answered() -> None:
    assert "do not answer" in str(answer(ListHeard(CountHeard()), Told().runs))
