"""An incident, and what was said of it, at an earlier time."""

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import an_incident
from watchdog.core.incidents.explain.as_it_was import Sent, acknowledged_then, as_it_was, last_moment, notified_then
from watchdog.core.incidents.lifecycle import Ended, State, Transition
from watchdog.core.incidents.messages import DROPPED, Event
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.model.severity import Severity

OVER = an_incident(
    State.RESOLVED,
    started_at=NOW,
    fired_at=NOW + 30,
    resolved_at=NOW + 200,
    ended=Ended.RECOVERED,
    severity=Severity.CRITICAL,
    closed_by="ada",
)
MOVES = [
    Transition(OVER.id, NOW, "", "pending", "breach"),
    Transition(OVER.id, NOW + 30, "pending", "firing", "breach held 30s"),
    Transition(OVER.id, NOW + 100, "firing", "firing", "escalated from warning to critical"),
    Transition(OVER.id, NOW + 200, "firing", "recovering", "clear"),
    Transition(OVER.id, NOW + 260, "recovering", "resolved", "recovered"),
]


@pytest.mark.parametrize(
    ("at", "state", "severity"),
    [
        (0.0, State.PENDING, Severity.WARNING),
        (30.0, State.FIRING, Severity.WARNING),
        (99.0, State.FIRING, Severity.WARNING),
        (100.0, State.FIRING, Severity.CRITICAL),
        (210.0, State.RECOVERING, Severity.CRITICAL),
        (259.0, State.RECOVERING, Severity.CRITICAL),
    ],
)
def test_state_and_severity_are_those_of_the_time(at: float, state: State, severity: Severity) -> None:
    was = as_it_was(OVER, MOVES, NOW + at)
    assert was is not None
    assert (was.state, was.severity, was.open, was.ended, was.closed_by) == (state, severity, True, None, "")


def test_it_had_not_fired_before_it_did() -> None:
    was = as_it_was(OVER, MOVES, NOW + 12)
    assert was is not None
    assert (was.fired_at, was.held_s) == (None, 12.0)


def test_it_was_quiet_since_it_recovered() -> None:
    was = as_it_was(OVER, MOVES, NOW + 215)
    assert was is not None
    assert was.quiet_s == 15.0


@pytest.mark.parametrize("at", [-1.0, 260.0, 1000.0])
def test_it_was_not_there_before_and_after(at: float) -> None:
    assert as_it_was(OVER, MOVES, NOW + at) is None


def test_the_moment_that_says_most_is_the_last_at_which_it_fired_or_the_first_of_one_to_come() -> None:
    assert last_moment(MOVES, NOW + 1000) == pytest.approx(NOW + 200, abs=0.01)
    assert last_moment(MOVES, NOW - 1000) == NOW + 30
    assert last_moment([MOVES[0], Transition(OVER.id, NOW + 5, "pending", "dropped", "clear")], NOW + 9) == pytest.approx(NOW + 5, abs=0.01)


def sent(event: Event, at: float, state: str = "delivered") -> Sent:
    return Sent("ops", event, Severity.WARNING, 1, state, NOW + at)


def test_a_receiver_knew_what_had_been_made_for_it_by_then() -> None:
    both = [sent(Event.FIRST, 30), sent(Event.RESOLVED, 260)]
    known = [notified_then(both, OVER.id, "ops", NOW + at) for at in (29, 30, 300)]
    assert [one.event if one else None for one in known] == [None, Event.FIRST, Event.RESOLVED]
    assert notified_then(both, OVER.id, "dev", NOW + 300) is None


def test_what_was_given_up_was_not_heard() -> None:
    known = notified_then([sent(Event.FIRST, 30, "dead")], OVER.id, "ops", NOW + 40)
    assert known is not None
    assert (known.event, known.refused, known.settings) == (None, Event.FIRST, DROPPED)


def test_an_acknowledgement_holds_from_when_it_was_given_until_it_was_taken_back() -> None:
    given = Acknowledgement(OVER.id, NOW, Severity.WARNING, until=NOW + 10)
    held = [bool(acknowledged_then([given, replace(given, incident="other")], NOW + at)) for at in (-1, 0, 9, 10)]
    assert held == [False, True, True, False]
