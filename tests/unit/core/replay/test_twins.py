"""Targets that share a server: its incident is told once."""

from msgspec.structs import replace

from watchdog.core.incidents.messages import Event
from watchdog.core.model.severity import Severity
from watchdog.core.replay.spell import Notification, Spell
from watchdog.core.replay.twins import told_once

TOLD = (Notification("ops", Event.FIRST, 100.0),)
FIRST = Spell("BrokerUnreachable", "a", {"name": "redis"}, Severity.CRITICAL, 100.0, 900.0, TOLD, "refused", server="4f2a")
SECOND = replace(FIRST, target="b", fired_at=101.0)


def tellers(*spells: Spell) -> list[tuple[str, str]]:
    """Target, and which one tells in its stead."""
    return [(one.target, one.told_as if not one.told else one.target) for one in told_once(spells)]


def test_the_one_that_fired_first_is_told() -> None:
    assert tellers(SECOND, FIRST) == [("a", "a"), ("b", "a")]


def test_another_server_is_told_of_too() -> None:
    assert tellers(FIRST, replace(SECOND, server="77b0")) == [("a", "a"), ("b", "b")]


def test_one_that_is_over_holds_nothing_back() -> None:
    assert tellers(FIRST, replace(SECOND, fired_at=901.0)) == [("a", "a"), ("b", "b")]


def test_one_that_was_told_to_nobody_holds_nothing_back() -> None:
    assert tellers(replace(FIRST, told=()), SECOND) == [("a", ""), ("b", "b")]


def test_a_worse_one_is_told_too() -> None:
    assert tellers(replace(FIRST, severity=Severity.WARNING), SECOND) == [("a", "a"), ("b", "b")]


def test_what_is_about_no_server_is_told_by_each() -> None:
    assert tellers(replace(FIRST, server=""), replace(SECOND, server="")) == [("a", "a"), ("b", "b")]
