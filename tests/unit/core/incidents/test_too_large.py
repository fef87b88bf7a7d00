"""What is sent in place of a message that is too large: pure, and the same each time."""

import pytest
from msgspec.structs import replace

from tests.builders.outbox import message, notice
from watchdog.core.incidents.messages import Message, Notice
from watchdog.core.incidents.payload import smaller


def long(name: str) -> Notice:
    return replace(notice(name), description="What it means.", runbook="1. Look at it.")


def incidents(parts: tuple[Message, ...]) -> list[list[str]]:
    return [[one.incident.removeprefix("01INCIDENT") for one in part.notices] for part in parts]


@pytest.mark.parametrize(("names", "halves"), [("AB", [["A"], ["B"]]), ("ABC", [["A", "B"], ["C"]]), ("ABCD", [["A", "B"], ["C", "D"]])])
def test_several_incidents_become_halves_in_their_order_and_keep_their_details(names: str, halves: list[list[str]]) -> None:
    parts = smaller(message("1", *map(long, names)), human=False)
    assert incidents(parts) == halves
    assert all(one.runbook for part in parts for one in part.notices)


def test_one_alone_goes_without_description_and_runbook() -> None:
    [part] = smaller(message("1", long("A")), human=False)
    assert part.notices == (replace(long("A"), description="", runbook=""),)


def test_one_that_has_neither_cannot_be_smaller() -> None:
    assert smaller(message("1", notice("A")), human=False) == ()


def test_what_people_read_stays_one_message() -> None:
    [part] = smaller(message("1", long("A"), long("B")), human=True)
    assert (incidents((part,)), smaller(part, human=True)) == ([["A", "B"]], ())


def test_each_part_has_an_id_of_its_own_and_a_replay_makes_the_same() -> None:
    whole = message("1", long("A"), long("B"))
    first, second = smaller(whole, human=False)
    [short] = smaller(first, human=False)
    assert len({whole.id, first.id, second.id, short.id}) == 4
    assert smaller(whole, human=False) == (first, second)


def test_parts_are_as_old_as_the_message_and_say_whose_they_are() -> None:
    whole = replace(message("1", long("A"), long("B")), since=5.0, service="eu")
    for part in smaller(whole, human=False):
        assert replace(part, id=whole.id, notices=whole.notices) == whole
