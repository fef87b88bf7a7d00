"""What a worker's `conf` says of how it runs tasks, as Celery 5.7 shows it."""

from typing import Any

import pytest

from watchdog.core.model.servers.worker_replies import WorkerSettings
from watchdog.sources.worker_settings import SETTINGS, worker_settings


def test_a_worker_that_changes_nothing_has_the_defaults_of_celery() -> None:
    from celery.app.defaults import NAMESPACES

    def default(name: str) -> Any:
        space, _, option = name.partition("_")
        return NAMESPACES[space][option].default

    told = worker_settings({name: default(name) for name in SETTINGS if name != "result_expires"})
    assert told == WorkerSettings()


@pytest.mark.parametrize(
    ("shown", "seconds"),
    [("2:00:00", 7200.0), ("1 day, 0:00:00", 86400.0), ("3 days, 1:02:03", 262923.0), ("0:00:01.500000", 1.0), (60, 60.0), (None, None)],
)
def test_the_expiry_of_results_is_read_as_celery_shows_it(shown: object, seconds: float | None) -> None:
    assert worker_settings({"result_expires": shown}).result_expires_s == seconds


@pytest.mark.parametrize("shown", ["soon", [1], -5, True, 1e300])
def test_an_expiry_that_cannot_be_read_counts_as_not_reported(shown: object) -> None:
    assert worker_settings({"result_expires": shown}).result_expires_s == 86400.0


def test_limits_and_flags_are_read() -> None:
    told = worker_settings({"task_acks_late": True, "task_time_limit": 5.5, "worker_max_tasks_per_child": 7})
    assert told == WorkerSettings(acks_late=True, time_limit_s=5.5, max_tasks_per_child=7)


@pytest.mark.parametrize("name", ["task_time_limit", "worker_max_memory_per_child"])
def test_a_limit_of_nothing_is_no_limit(name: str) -> None:
    assert worker_settings({name: 0}) == worker_settings({name: None}) == WorkerSettings()


def test_a_flag_of_another_type_counts_as_not_reported() -> None:
    assert worker_settings({"task_acks_late": "********"}) == WorkerSettings()
