"""Workers that are heard while they execute a task are told from solo pools, which are not."""

import pytest

from watchdog.sources.events.tasks.messages import TaskEvent
from watchdog.sources.events.tasks.proofs import MOST_RUNS, MOST_WORKERS, Proofs

W = "celery@web-1"


def tell(proofs: Proofs, kind: str, at: float | None, task_id: str = "1", worker: str = W) -> None:
    proofs.hears(TaskEvent(task_id, f"task-{kind}", worker, at))


def a_run(proofs: Proofs, *said: float, end: str = "succeeded") -> set[str]:
    """A run from 10 to 12, and heartbeats dated so. Events of tasks come late, as they are sent together."""
    tell(proofs, "received", 9)
    for at in said:
        proofs.says(W, at)
    tell(proofs, "started", 10)
    tell(proofs, end, 12)
    return proofs.take()


@pytest.mark.parametrize("end", ["succeeded", "failed", "retried"])
def test_a_heartbeat_during_a_run_proves_it(end: str) -> None:
    assert a_run(Proofs(), 11.0, end=end) == {W}


def test_a_task_received_during_a_run_proves_it() -> None:
    proofs = Proofs()
    tell(proofs, "started", 10)
    tell(proofs, "received", 11, "2")
    tell(proofs, "succeeded", 12)
    assert proofs.take() == {W}


def test_a_solo_pool_speaks_before_and_after_its_runs_and_is_never_proven() -> None:
    assert a_run(Proofs(), 9.9, 10.0, 12.0, 12.1) == set()


def test_a_word_of_another_worker_proves_nothing() -> None:
    proofs = Proofs()
    proofs.says("celery@web-2", 11)
    assert a_run(proofs) == set()


def test_an_end_whose_start_was_heard_on_an_earlier_connection_proves_nothing() -> None:
    proofs = Proofs()
    tell(proofs, "started", 10)
    proofs.opens()
    proofs.says(W, 11)
    tell(proofs, "succeeded", 12)
    assert proofs.take() == set()


def test_a_run_that_ended_without_a_word_and_came_again_proves_nothing() -> None:
    proofs = Proofs()
    tell(proofs, "started", 10)
    proofs.says(W, 11)
    tell(proofs, "received", 12)
    tell(proofs, "succeeded", 13)
    assert proofs.take() == set()


def test_it_is_told_once() -> None:
    proofs = Proofs()
    assert (a_run(proofs, 11.0), proofs.take()) == ({W}, set())


def test_what_has_no_time_proves_nothing() -> None:
    proofs = Proofs()
    proofs.says(W, None)
    tell(proofs, "started", None)
    tell(proofs, "succeeded", None)
    assert proofs.take() == set()


def test_memory_is_bounded() -> None:
    proofs = Proofs()
    for number in range(max(MOST_WORKERS, MOST_RUNS) + 10):
        proofs.says(f"celery@{number}", 1)
        tell(proofs, "started", 1, str(number))
    assert (len(proofs._words), len(proofs._begun)) == (MOST_WORKERS, MOST_RUNS)
