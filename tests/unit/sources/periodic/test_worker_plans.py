"""What `/api/workers` says of periodic tasks: the names that apps give their settings, and what is not understood."""

import json
from typing import Any

import pytest

from watchdog.core.model.gaps import Gap
from watchdog.core.model.schedules.periodic import PeriodicTask, PeriodicTasks, WorkerPlan
from watchdog.sources.periodic.worker_plans import worker_plans

TICK = {"tick": {"task": "shop.tick", "schedule": 30.0, "options": {"queue": "fast", "expires": 10}, "args": [1], "kwargs": {"a": "b"}}}
READ = PeriodicTasks((PeriodicTask("tick", "shop.tick", 30.0, queue="fast"),))


def plan(conf: object, registered: object = None) -> WorkerPlan:
    answer = worker_plans(json.dumps({"w@x": {"conf": conf, "registered": registered}}).encode())
    assert not isinstance(answer, Gap)
    return answer["w@x"]


def beat(conf: dict[str, Any]) -> PeriodicTasks:
    found = plan(conf).beat
    assert found is not None
    return found


def test_an_entry_has_its_task_its_interval_and_its_queue() -> None:
    assert beat({"beat_schedule": TICK}) == READ


def test_the_name_of_old_is_read_too() -> None:
    assert beat({"CELERYBEAT_SCHEDULE": TICK}) == READ


def test_the_namespace_of_an_app_is_read_too() -> None:
    assert beat({"CELERY_BEAT_SCHEDULE": TICK}) == READ


def test_the_time_zone_has_the_same_namespace() -> None:
    assert plan({"CELERY_BEAT_SCHEDULE": TICK, "CELERY_TIMEZONE": "Asia/Tokyo", "OTHER_TIMEZONE": "UTC"}).zone == "Asia/Tokyo"


def test_without_a_schedule_the_time_zone_is_known_all_the_same() -> None:
    assert plan({"CELERY_TIMEZONE": "Asia/Tokyo"}).zone == "Asia/Tokyo"


def test_an_app_without_a_time_zone_is_in_utc() -> None:
    assert plan({"beat_schedule": TICK}).zone == "UTC"


def test_an_app_that_keeps_its_hosts_time_is_in_none_that_is_known() -> None:
    assert plan({"beat_schedule": TICK, "enable_utc": False}).zone is None


def test_an_app_without_a_schedule_has_no_entries() -> None:
    assert beat({"task_default_queue": "celery"}) == PeriodicTasks()


def test_a_worker_that_did_not_answer_says_nothing() -> None:
    assert plan(None) == WorkerPlan()


def test_what_is_not_understood_is_named_and_the_rest_is_read() -> None:
    sun = {"task": "shop.sun", "schedule": "<solar: sunset at latitude -37.8, longitude: 144.9>"}
    found = beat({"beat_schedule": {**TICK, "sun": sun, "odd": 3, "nameless": {"schedule": 3}}})
    assert (found.entries, set(found.unread)) == (READ.entries, {"sun", "odd", "nameless"})


def test_a_shadow_is_the_name_that_its_runs_have() -> None:
    found = beat({"beat_schedule": {"nightly": {"task": "shop.sum", "schedule": 60.0, "options": {"shadow": "Nightly sum"}}}})
    assert found == PeriodicTasks((PeriodicTask("nightly", "shop.sum", 60.0, runs_as="Nightly sum"),))


@pytest.mark.parametrize("shadow", [None, ""])
def test_no_shadow_leaves_the_name_of_the_task(shadow: object) -> None:
    (entry,) = beat({"beat_schedule": {"nightly": {"task": "shop.sum", "schedule": 60.0, "options": {"shadow": shadow}}}}).entries
    assert entry.heard_as == "shop.sum"


def test_registered_tasks_are_named_without_what_stands_behind_them() -> None:
    assert plan({}, ["shop.tick", "shop.report [rate_limit=6/h]"]).registered == frozenset({"shop.tick", "shop.report"})


def test_no_secret_is_in_what_is_said_of_an_entry() -> None:
    found = beat({"beat_schedule": {"odd": {"task": "t", "schedule": "hunter2", "kwargs": {"password": "hunter2"}}}})
    assert "hunter2" not in str(found)
