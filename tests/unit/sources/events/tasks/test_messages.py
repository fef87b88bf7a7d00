"""Events of tasks on the wire: one, many at once, those of somebody's own, and what cannot be read."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.sources.events.tasks.messages import task_events

RECEIVED = {
    "hostname": "celery@web-1",
    "utcoffset": 0,
    "pid": 17,
    "clock": 5,
    "uuid": "3a7d",
    "name": "shop.order",
    "args": "(4711,)",
    "kwargs": "{}",
    "root_id": "3a7d",
    "parent_id": None,
    "retries": 0,
    "eta": None,
    "expires": None,
    "timestamp": 1795908864.85,
    "type": "task-received",
}
"""As Celery 5.7 sends it."""


def message(body: object) -> bytes:
    """As kombu 5.7 publishes it on Redis."""
    written = b64encode(json.dumps(body).encode()).decode()
    return json.dumps({"body": written, "content-type": "application/json", "properties": {"body_encoding": "base64"}}).encode()


def test_one_event_is_read() -> None:
    (event,) = task_events(message(RECEIVED)) or []
    assert (event.uuid, event.type, event.hostname, event.name, event.args, event.retries) == (
        "3a7d", "task-received", "celery@web-1", "shop.order", "(4711,)", 0,
    )  # fmt: skip


def test_many_events_in_one_message_are_read_in_their_order() -> None:
    events = task_events(message([RECEIVED, {**RECEIVED, "type": "task-started"}])) or []
    assert [event.type for event in events] == ["task-received", "task-started"]


@pytest.mark.parametrize("field", ["name", "args", "retries", "timestamp", "exception"])
def test_a_field_of_an_unexpected_type_is_left_out_and_its_event_read(field: str) -> None:
    events = task_events(message([{**RECEIVED, field: ["odd"]}, RECEIVED])) or []
    assert ([event.uuid for event in events], getattr(events[0], field)) == (["3a7d", "3a7d"], None)


@pytest.mark.parametrize("missing", ["uuid", "type", "hostname"])
def test_an_event_without_what_every_event_has_is_left_out(missing: str) -> None:
    odd = {name: value for name, value in RECEIVED.items() if name != missing}
    assert [event.type for event in task_events(message([odd, RECEIVED])) or []] == ["task-received"]


def test_an_endless_id_is_left_out() -> None:
    assert task_events(message({**RECEIVED, "uuid": "x" * 501})) == []


@given(st.binary() | st.text().map(message) | st.recursive(st.integers() | st.text(), st.lists).map(message))
def test_whatever_is_sent_is_no_error(raw: bytes) -> None:
    found: Any = task_events(raw)
    assert found is None or isinstance(found, list)
