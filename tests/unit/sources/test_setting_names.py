"""A worker's settings are found however its app spells them."""

from collections.abc import Mapping

import pytest

from watchdog.core.model.replies import WorkerConf
from watchdog.sources.flower.inspections import inspections
from watchdog.sources.setting_names import as_documented

QUEUES = '[{"name": "shop"}]'


def conf_of(settings: str) -> WorkerConf:
    found = inspections(f'{{"one@host": {{"timestamp": 1, "conf": {settings}}}}}'.encode())
    assert isinstance(found, Mapping)
    conf = found["one@host"].conf
    assert conf is not None
    return conf


@pytest.mark.parametrize("name", ["task_queues", "CELERY_TASK_QUEUES", "SHOP_CELERY_TASK_QUEUES", "CELERY_QUEUES"])
def test_the_queues_of_an_app_are_found(name: str) -> None:
    assert conf_of(f'{{"{name}": {QUEUES}}}').queues == ("shop",)


def test_queues_may_be_an_object_of_names() -> None:
    assert conf_of('{"task_queues": {"cpu": {"exchange": "cpu", "routing_key": "********"}, "io": {"exchange": "io"}}}').queues == (
        "cpu",
        "io",
    )


@pytest.mark.parametrize("name", ["result_backend", "CELERY_RESULT_BACKEND"])
def test_its_result_backend_is_found(name: str) -> None:
    assert conf_of(f'{{"{name}": "redis://localhost/1"}}').result_backend == "redis://localhost/1"


@pytest.mark.parametrize("name", ["task_acks_late", "CELERY_TASK_ACKS_LATE", "CELERY_ACKS_LATE"])
def test_how_it_runs_tasks_is_found(name: str) -> None:
    settings = conf_of(f'{{"{name}": true}}').settings
    assert settings is not None
    assert settings.acks_late


def test_a_longer_name_with_the_same_end_is_another_setting() -> None:
    assert as_documented({"CELERY_TASK_SOFT_TIME_LIMIT": 5}, ["task_time_limit", "time_limit"]) == {"time_limit": 5}


def test_the_documented_name_wins() -> None:
    conf = {"CELERY_TASK_DEFAULT_QUEUE": "theirs", "task_default_queue": "ours"}
    assert as_documented(conf, ["task_default_queue"]) == {"task_default_queue": "ours"}


def test_what_is_not_reported_is_not_found() -> None:
    assert as_documented({"CELERY_TIMEZONE": "UTC"}, ["task_queues"]) == {}


def test_a_setting_that_is_null_is_reported() -> None:
    assert as_documented({"CELERY_RESULT_EXPIRES": None}, ["result_expires"]) == {"result_expires": None}
