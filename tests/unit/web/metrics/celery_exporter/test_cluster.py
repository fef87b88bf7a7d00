"""Workers and queues under the names of celery-exporter; what is unknown of them has no series."""

import pytest

from tests.builders.metrics import samples
from watchdog.core.model.rows import Cell, Reading, Row
from watchdog.web.metrics.celery_exporter.cluster import GONE_S, queue_families, worker_families
from watchdog.web.metrics.celery_exporter.shown import ShownTarget

WEB = 'hostname="web-1",target="prod"'
EMAILS = 'queue_name="emails",target="prod"'


def worker(name: str = "celery@web-1", state: str | None = "online", **cells: Cell) -> Row:
    given: dict[str, Cell] = {"name": name, "state": state, "active": 1.0, "pool_size": 4.0, "queues": "emails,other"}
    given.update(cells)
    return Row(given)


def of_workers(name: str, *workers: Row) -> dict[str, float]:
    return samples(worker_families([ShownTarget("prod", {"workers": Reading(workers)}, ())]), name)


def of_queues(name: str, *workers: Row, workers_unread: str | None = None, **cells: Cell) -> dict[str, float]:
    queue: dict[str, Cell] = {"name": "emails", "length": 3.0, "consumers": 2.0}
    queue.update(cells)
    readings = {"workers": Reading(workers, unread=workers_unread), "queues": Reading((Row(queue),))}
    return samples(queue_families([ShownTarget("prod", readings, ())]), name)


@pytest.mark.parametrize(
    ("states", "up"),
    [(("online",), 1.0), (("lost",), 0.0), (("lost", "online"), 1.0), (("left",), 0.0)],
)
def test_a_host_is_up_while_a_worker_of_it_is_online(states: tuple[str, ...], up: float) -> None:
    assert of_workers("celery_worker_up", *(worker(f"{nth}@web-1", state) for nth, state in enumerate(states))) == {WEB: up}


def test_a_worker_whose_state_is_unknown_is_neither_up_nor_down() -> None:
    assert of_workers("celery_worker_up", worker(state=None)) == {}


def test_a_worker_that_said_goodbye_a_while_ago_is_gone() -> None:
    assert of_workers("celery_worker_up", worker(state="left", silent_s=GONE_S + 1)) == {}


def test_a_lost_worker_stays_down() -> None:
    assert of_workers("celery_worker_up", worker(state="lost", silent_s=GONE_S * 5)) == {WEB: 0.0}


def test_a_lost_worker_that_was_replaced_is_gone_after_a_while() -> None:
    assert of_workers("celery_worker_up", worker(state="lost", silent_s=GONE_S + 1, replaced=True)) == {}


def test_workers_of_a_host_are_added_up() -> None:
    assert of_workers("celery_worker_tasks_active", worker("a@web-1", active=1.0), worker("b@web-1", active=2.0)) == {WEB: 3.0}


def test_what_is_unknown_of_one_worker_is_unknown_of_its_host() -> None:
    assert of_workers("celery_worker_tasks_active", worker("a@web-1"), worker("b@web-1", active=None)) == {}


def test_a_queue_has_its_length() -> None:
    assert of_queues("celery_queue_length") == {EMAILS: 3.0}


def test_a_length_that_is_a_gap_is_no_series() -> None:
    assert of_queues("celery_queue_length", length=None) == {}


def test_a_queue_has_as_many_processes_as_its_workers() -> None:
    assert of_queues("celery_active_process_count", worker(), worker("celery@web-2"), worker("c@x", queues="other")) == {EMAILS: 8.0}


def test_a_queue_without_a_worker_has_no_process() -> None:
    assert of_queues("celery_active_process_count", worker(state="lost")) == {EMAILS: 0.0}


@pytest.mark.parametrize("one", [worker(queues=None), worker(pool_size=None), worker(state=None)])
def test_processes_are_unknown_where_a_worker_is(one: Row) -> None:
    assert of_queues("celery_active_process_count", one) == {}


def test_processes_are_unknown_where_workers_could_not_be_read() -> None:
    assert of_queues("celery_active_process_count", workers_unread="flower: refused") == {}
