"""Task messages as kombu writes them to Redis: their task, and their address."""

import base64
import json
from typing import Any

import pytest

from watchdog.core.actions.messages import readdressed, task_of

BODY = base64.b64encode(b'[[1, "caf\xc3\xa9"], {}, {"callbacks": null}]').decode()


def message(**changes: object) -> bytes:
    found: dict[str, Any] = {
        "body": BODY,
        "headers": {"task": "shop.pay", "id": "1", "retries": 0, "big": 2**70, "half": 0.1},
        "properties": {"delivery_info": {"exchange": "old", "routing_key": "old"}, "priority": 3, "body_encoding": "base64"},
    }
    return json.dumps({**found, **changes}).encode()


def test_the_task_is_in_the_headers() -> None:
    assert task_of(message()) == "shop.pay"


def test_in_protocol_1_the_task_is_in_the_body() -> None:
    body = base64.b64encode(json.dumps({"task": "shop.old", "id": "1", "args": []}).encode()).decode()
    assert task_of(message(headers={}, body=body)) == "shop.old"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"headers": 1, "body": 5}', b'{"body": "%%%"}'])
def test_what_is_no_message_has_no_task(raw: bytes) -> None:
    assert task_of(raw) is None


def test_only_the_address_changes() -> None:
    before, after = json.loads(message()), json.loads(readdressed(message(), "new"))
    before["properties"]["delivery_info"] = {"exchange": "", "routing_key": "new"}
    assert after == before


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b'{"properties": {}}', b'{"properties": {"delivery_info": 1}}'])
def test_what_is_no_message_stays_as_it_is(raw: bytes) -> None:
    assert readdressed(raw, "new") == raw
