"""Whatever a worker says, or somebody else in its name, becomes a reply or is left out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.model.replies import HeldMessages
from watchdog.sources.celery.answers import held, inspected, ponged, scheduled

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NOW = 1000.0


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3), st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_nothing_that_is_said_is_raised(said: dict[str, Any], more: dict[str, Any]) -> None:
    assert ponged(said) <= said.keys()
    assert held(said).keys() <= said.keys()
    assert scheduled(said).keys() <= said.keys()
    assert inspected({"stats": said, "active": more, "conf": more, "active_queues": more}, NOW).keys() <= said.keys()


def test_who_says_pong_is_alive_and_who_reports_an_error_is_not_known_to_be() -> None:
    assert ponged({"celery@a": {"ok": "pong"}, "celery@b": {"error": "no"}, "celery@c": "pong", "x" * 501: {"ok": "pong"}}) == {"celery@a"}


def test_held_messages_are_counted_by_routing_key() -> None:
    request = {"id": "1", "delivery_info": {"routing_key": "indexing"}}
    said = {"celery@a": [request, request, {"delivery_info": {"routing_key": 7}}, "?"], "celery@b": {"error": "no"}}
    assert held(said) == {"celery@a": HeldMessages({"indexing": 2, "": 2})}


def test_messages_with_an_eta_are_counted() -> None:
    assert scheduled({"celery@a": [{}, {}], "celery@b": {"error": "no"}}) == {"celery@a": 2}


@pytest.mark.parametrize("part", ["active_queues", "active", "conf"])
def test_a_worker_that_leaves_out_a_part_is_known_all_the_same(part: str) -> None:
    parts: dict[str, dict[str, object]] = {
        "stats": {"celery@a": {"pid": 7, "pool": {"max-concurrency": 2}}},
        "active_queues": {"celery@a": [{"name": "indexing"}]},
        "active": {"celery@a": [{"id": "t1"}]},
        "conf": {"celery@a": {}},
    }
    del parts[part]
    seen = inspected(parts, NOW)["celery@a"]
    assert (seen.pid, seen.pool_size, seen.at) == (7, 2, NOW)
