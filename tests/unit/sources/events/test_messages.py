"""An event on the wire: the fields that are read, and what cannot be read."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.sources.events.envelope import pattern_of
from watchdog.sources.events.messages import worker_event

HEARTBEAT = {
    "hostname": "celery@web-1",
    "utcoffset": -9.0,
    "pid": 17,
    "clock": 5,
    "freq": 2.0,
    "active": 1,
    "processed": 100,
    "loadavg": [0.5, 0.4, 0.3],
    "sw_ident": "py-celery",
    "sw_ver": "5.7.0",
    "sw_sys": "Linux",
    "timestamp": 1795908864.85,
    "type": "worker-heartbeat",
}
"""As Celery 5.7 sends it."""


def message(encoding: str | None = "base64", **changes: Any) -> bytes:
    """As kombu 5.7 publishes it on Redis."""
    body = json.dumps({**HEARTBEAT, **changes}).encode()
    written = b64encode(body).decode() if encoding == "base64" else body.decode()
    properties = {
        "delivery_mode": 1,
        "delivery_info": {"exchange": "celeryev", "routing_key": "worker.heartbeat"},
        "body_encoding": encoding,
    }
    return json.dumps({"body": written, "content-type": "application/json", "headers": {}, "properties": properties}).encode()


@pytest.mark.parametrize("encoding", ["base64", None])
def test_a_heartbeat_is_read_from_its_envelope(encoding: str | None) -> None:
    event = worker_event(message(encoding))
    assert event is not None
    assert (event.hostname, event.type, event.pid, event.freq, event.active, event.processed) == (
        "celery@web-1", "worker-heartbeat", 17, 2.0, 1, 100,
    )  # fmt: skip
    assert (event.loadavg, event.sw_ver, event.sw_sys, event.timestamp) == ((0.5, 0.4, 0.3), "5.7.0", "Linux", 1795908864.85)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b'{"body": 3, "properties": {}}',
        b'{"body": "!!!", "properties": {"body_encoding": "base64"}}',
        b'{"body": "gAJ9cQAu", "properties": {"body_encoding": "base64"}}',
        b"[" * 100_000,
        message(hostname=""),
        message(hostname="x" * 501),
        message(hostname=None),
        message(sw_ver="9" * 101),
        message(pid="17"),
        "a text",
        None,
    ],
    ids=repr,
)
def test_what_is_no_event_is_none(raw: object) -> None:
    assert worker_event(raw) is None


@given(st.binary())
def test_no_bytes_do_more_than_not_be_an_event(raw: bytes) -> None:
    assert worker_event(raw) is None


@pytest.mark.parametrize(
    ("prefix", "pattern"),
    [
        ("", "/0.celeryev/worker.*"),
        ("shop_", "shop_/0.celeryev/worker.*"),
        ("{shop}*[a]?\\", "{shop}\\*\\[a\\]\\?\\\\/0.celeryev/worker.*"),
    ],
)
def test_the_prefix_of_keys_stands_before_the_channel_and_is_no_glob(prefix: str, pattern: str) -> None:
    assert pattern_of(prefix, 0, "worker") == pattern
