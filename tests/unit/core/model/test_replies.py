"""Answers about many keys, over several rounds of one look."""

from watchdog.core.model.gaps import Gap
from watchdog.core.model.queries import ListLengths, SetMembers
from watchdog.core.model.replies import Held, Replies

FIRST, SECOND, BOUND = ListLengths(("a", "b", "c")), ListLengths(("d",)), SetMembers(("a",))
REFUSED = Gap("redis: WRONGTYPE")
DOWN = Gap("redis: connection refused")
LENGTHS = Held(frozenset("abc"), {"a": 3}, {"b": REFUSED})


def test_what_keys_hold_is_known_together_whichever_query_asked() -> None:
    replies = Replies({FIRST: LENGTHS, SECOND: Held(frozenset("d"), {"d": 1}), BOUND: Held(frozenset("a"), {"a": frozenset("x")})})
    assert replies.held(ListLengths) == Held(frozenset("abcd"), {"a": 3, "d": 1}, {"b": REFUSED})
    assert replies.held(SetMembers).found == {"a": frozenset("x")}


def test_a_query_that_was_not_answered_is_a_gap_of_each_of_its_keys() -> None:
    replies = Replies({FIRST: LENGTHS, SECOND: DOWN})
    assert replies.held(ListLengths) == Held(frozenset("abcd"), {"a": 3}, {"b": REFUSED, "d": DOWN})


def test_what_was_not_asked_is_neither_found_nor_a_gap() -> None:
    assert Replies().held(ListLengths) == Held()


def test_each_key_that_could_not_be_read_is_a_gap_of_its_source() -> None:
    assert list(Replies({FIRST: LENGTHS, SECOND: DOWN}).gaps("redis")) == [(FIRST, REFUSED), (SECOND, DOWN)]
    assert list(Replies({FIRST: LENGTHS}).gaps("flower")) == []
