"""One entry of redbeat, as redbeat 2.4 writes it."""

import json
from typing import Any

import pytest

from watchdog.core.model.schedules.periodic import PeriodicTask, RedbeatEntry
from watchdog.core.text.names import LONGEST_NAME
from watchdog.sources.periodic.cron import cron_of
from watchdog.sources.periodic.redbeat import redbeat_entry

INTERVAL = {"__type__": "interval", "every": 30.0, "relative": False}
RAN = {"__type__": "datetime", "year": 2026, "month": 11, "day": 28, "hour": 12, "minute": 0, "second": 0, "microsecond": 0}


def held(schedule: object, meta: object = None, **more: Any) -> list[bytes]:
    definition = {"name": "tick", "task": "shop.tick", "args": [], "kwargs": {}, "options": {}, "schedule": schedule, "enabled": True}
    fields = [b"definition", json.dumps(definition | more).encode()]
    return fields if meta is None else [*fields, b"meta", json.dumps(meta).encode()]


def test_an_interval() -> None:
    assert redbeat_entry(held(INTERVAL)) == RedbeatEntry(PeriodicTask("tick", "shop.tick", 30.0))


def test_a_crontab_with_numbers_and_lists() -> None:
    cron = {"__type__": "crontab", "minute": 30, "hour": [2, 3], "day_of_week": "mon-fri", "day_of_month": "*", "month_of_year": "*"}
    assert redbeat_entry(held(cron)) == RedbeatEntry(PeriodicTask("tick", "shop.tick", cron=cron_of("30", "2,3", "*", "*", "mon-fri")))


@pytest.mark.parametrize("zone", ["UTC", 0, 0.0])
def test_when_it_last_ran(zone: object) -> None:
    entry = redbeat_entry(held(INTERVAL, {"last_run_at": {**RAN, "timezone": zone}}))
    assert entry is not None
    assert entry.task is not None
    assert entry.task.last_run_at == 1_795_867_200.0


def test_an_entry_that_is_switched_off_is_none() -> None:
    assert redbeat_entry(held(INTERVAL, enabled=False)) == RedbeatEntry()


def test_an_entry_that_is_gone_is_none() -> None:
    assert redbeat_entry([]) == RedbeatEntry()


def test_an_rrule_is_said_not_guessed() -> None:
    assert redbeat_entry(held({"__type__": "rrule", "freq": 3})) == RedbeatEntry(unread="it runs by an rrule, which watchdog does not read")


def test_a_shadow_is_the_name_that_its_runs_have() -> None:
    entry = redbeat_entry(held(INTERVAL, options={"shadow": "Nightly sum"}))
    assert entry == RedbeatEntry(PeriodicTask("tick", "shop.tick", 30.0, runs_as="Nightly sum"))


@pytest.mark.parametrize("shadow", [3, ["a"], "x" * (LONGEST_NAME + 1)], ids=["number", "list", "too long"])
def test_a_shadow_that_names_no_run_is_said(shadow: object) -> None:
    entry = redbeat_entry(held(INTERVAL, options={"shadow": shadow}))
    assert entry is not None
    assert (entry.task, "`shadow`" in entry.unread) == (None, True)


@pytest.mark.parametrize("raw", [b"{", b"[" * 100_000, b"3", b"\xff", b'{"name": 1}', b"x" * 1_000_000])
def test_what_is_no_entry_is_said(raw: bytes) -> None:
    entry = redbeat_entry([b"definition", raw])
    assert entry is not None
    assert entry.unread.startswith("redis: expected an entry of redbeat")


@pytest.mark.parametrize("raw", [None, b"x", 3, [b"a"], [1, 2]])
def test_another_reply_is_none(raw: object) -> None:
    assert redbeat_entry(raw) is None
