"""What of Flower's printed arguments is exact enough to be sent again."""

from typing import Any

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.actions.again import Run, run_of
from watchdog.core.model.replies import WholeTaskSeen

PRINTED = 1024
"""How long Celery prints arguments at most (celery/app/amqp.py, argsrepr_maxsize)."""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


def run(args: str | None = "()", kwargs: str | None = "{}", queue: str | None = None, **changes: Any) -> Run:
    seen = {"state": "FAILURE", "name": "shop.pay", "failed": 5.0, "routing_key": "q", **changes}
    return run_of(WholeTaskSeen("1", args=args, kwargs=kwargs, **seen), queue)


@given(st.lists(VALUES, max_size=4).map(tuple))
def test_whatever_was_sent_is_sent_again_exactly_or_not_at_all(args: tuple[object, ...]) -> None:
    found = run(saferepr(args, PRINTED))
    assert found.why_not or found.args == args


def test_what_is_printed_exactly_is_known() -> None:
    found = run("(4711, 'café', [1.5, None], {'dry': True})", "{'by': 'ada'}")
    assert (found.args, found.kwargs, found.queue, found.why_not) == ((4711, "café", [1.5, None], {"dry": True}), {"by": "ada"}, "q", "")


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ("('aaaa...',)", "cut"),
        ("(1, ...)", "cut"),
        (r"('C:\new',)", "backslash"),
        (r"('it\'s',)", "quote"),
        ("(<Order 5>,)", "not text"),
        ("(datetime.date(2026, 11, 28),)", "not text"),
        ("(__import__('os').system('true'),)", "not text"),
        ("(b'x',)", "JSON"),
        ("({1: 2},)", "JSON"),
        ("({1, 2},)", "JSON"),
        ("('***',)", "masked"),
        ("'text'", "JSON"),
        ("(1", "not text"),
        ("[" * 10_000, "not text"),
    ],
)
def test_what_is_not_exact_is_not_sent(args: str, why: str) -> None:
    assert why in run(args).why_not


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"state": None}, "does not list it"),
        ({"state": "SUCCESS"}, "has not failed"),
        ({"name": None}, "missed the event"),
        ({"failed": None}, "missed the event"),
        ({"args": None}, "missed the event"),
        ({"parent_id": "0"}, "workflow"),
        ({"root_id": "0"}, "workflow"),
        ({"routing_key": None}, "add --queue"),
    ],
)
def test_what_is_not_known_enough_of_is_not_sent(changes: dict[str, Any], why: str) -> None:
    assert why in run(**changes).why_not


def test_a_queue_that_is_given_counts() -> None:
    assert run(queue="other").queue == "other"
