"""What of Flower's printed arguments is exact enough to be sent again."""

from collections.abc import Sequence
from typing import Any

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.actions.again import Run, run_of
from watchdog.core.actions.on_runs import foresee_runs
from watchdog.core.actions.request import Cluster, Request
from watchdog.core.model.queries import Query
from watchdog.core.model.replies import TaskSeen, WholeTaskSeen
from watchdog.sources.base import Answers
from watchdog.sources.control.again import failed_ids

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


class Listing:
    """A Flower that lists these failed runs."""

    name, longest_s = "flower", 1.0

    def __init__(self, *listed: TaskSeen) -> None:
        self._listed = listed

    def ask(self, queries: Sequence[Query]) -> Answers:
        return Answers(dict.fromkeys(queries, self._listed))

    def close(self) -> None:
        """Nothing is open."""


FULL = tuple(TaskSeen(str(number), "demo.fail" if number % 2 else "demo.ok", "FAILURE", failed=9000.0 - number) for number in range(1000))


def test_a_list_that_is_full_may_lack_earlier_ones() -> None:
    found = failed_ids(Listing(*FULL), "demo.fail", 0.0)
    assert isinstance(found, tuple)
    assert (found[0][0], len(found[0]), found[1]) == ("999", 500, True)


def test_a_list_that_reaches_back_far_enough_lacks_none() -> None:
    assert failed_ids(Listing(*FULL), "demo.fail", 8900.0) == ([str(number) for number in range(99, 0, -2)], False)


def test_that_earlier_ones_may_be_missing_is_said_before_anything_is_sent() -> None:
    cluster = Cluster(runs=(run(),), cut=1000)
    assert any(
        "lists the last 1,000 failed runs" in note
        for note in foresee_runs(Request(kind="retry", target="prod", failed="demo.fail"), cluster).notes
    )
