"""Which incidents a receiver is for, and when it is reminded."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_message, a_notice, a_told, an_incident
from watchdog.core.incidents.lifecycle import Ended, Incident, State
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.notify import decide_notifications
from watchdog.core.incidents.plan import Loaded
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.reasons import NOT_QUIET
from watchdog.core.incidents.routing import NO_ROUTES, Recipient, Terms
from watchdog.core.incidents.wanted import JudgedIncident, decision
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity

B, C, U = Verdict.BREACH, Verdict.CLEAR, Verdict.UNKNOWN
OPS = Recipient("ops")
HOUR, DAY = 3600.0, 86400.0
WARNING, CRITICAL = an_incident(), an_incident(severity=Severity.CRITICAL)


def event(
    incident: Incident, to: Recipient, *, told: Event | None = None, after_s: float = 0.0, sequence: int = 1, verdict: Verdict = B
) -> Event | None:
    notified = None if told is None else replace(a_told(told, severity=incident.severity, sequence=sequence), at=NOW)
    return decision(JudgedIncident(incident, verdict), notified, to, NOW + after_s, routing=NO_ROUTES, quiet=NOT_QUIET).event


def reminded(**terms: Any) -> Recipient:
    return Recipient("ops", terms=Terms(**terms))


def ops(**selects: Any) -> Recipient:
    return Recipient("ops", **selects)


@pytest.mark.parametrize(
    ("to", "takes"),
    [
        (OPS, True),
        (ops(min_severity=Severity.WARNING), True),
        (ops(min_severity=Severity.ERROR), False),
        (ops(matchers=parse_matchers("name=indexing")), True),
        (ops(matchers=parse_matchers("name=training")), False),
        (ops(min_severity=Severity.ERROR, matchers=parse_matchers("name=indexing")), False),
    ],
)
def test_a_receiver_is_notified_of_what_it_selects(to: Recipient, takes: bool) -> None:
    assert (event(WARNING, to) is Event.FIRST) is takes


def test_an_incident_that_becomes_severe_enough_is_a_first_notification() -> None:
    assert event(replace(WARNING, severity=Severity.ERROR), ops(min_severity=Severity.ERROR)) is Event.FIRST


def test_who_was_notified_hears_the_end_whatever_the_route_says_by_then() -> None:
    over = an_incident(State.RESOLVED, ended=Ended.RECOVERED, resolved_at=NOW)
    assert event(over, ops(min_severity=Severity.CRITICAL), told=Event.FIRST) is Event.RESOLVED


def test_what_waits_for_a_receiver_that_is_for_other_incidents_now_is_withdrawn() -> None:
    loaded = Loaded(waiting=(a_message(),))
    narrow = ops(min_severity=Severity.CRITICAL)
    assert decide_notifications([JudgedIncident(WARNING, B)], loaded, [narrow], "prod", NOW, "watchdog") == ((), ("01MESSAGE",))


# --- reminders --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sequence", "due_s"), [(1, HOUR), (2, 2 * HOUR), (3, 4 * HOUR), (5, 16 * HOUR), (6, DAY), (10, DAY)])
def test_a_critical_incident_is_repeated_after_an_hour_and_then_after_twice_the_time_each(sequence: int, due_s: float) -> None:
    assert event(CRITICAL, OPS, told=Event.FIRST, sequence=sequence, after_s=due_s - 1) is None
    assert event(CRITICAL, OPS, told=Event.FIRST, sequence=sequence, after_s=due_s) is Event.REMINDER


def test_after_the_last_reminder_there_is_none() -> None:
    assert event(CRITICAL, reminded(repeat_most=2), told=Event.REMINDER, sequence=2, after_s=DAY) is Event.REMINDER
    assert event(CRITICAL, reminded(repeat_most=2), told=Event.REMINDER, sequence=3, after_s=30 * DAY) is None
    assert event(CRITICAL, reminded(repeat_most=0), told=Event.FIRST, after_s=DAY) is None


@pytest.mark.parametrize(
    ("incident", "repeat_s", "after_s", "said"),
    [
        (WARNING, None, DAY, None),
        (WARNING, 600.0, 599.0, None),
        (WARNING, 600.0, 600.0, Event.REMINDER),
        (CRITICAL, 0.0, DAY, None),
        (CRITICAL, 3 * DAY, 2 * DAY, None),
        (CRITICAL, 3 * DAY, 3 * DAY, Event.REMINDER),
    ],
)
def test_repeat_is_for_every_severity_and_none_switches_it_off(
    incident: Incident, repeat_s: float, after_s: float, said: Event | None
) -> None:
    assert event(incident, reminded(repeat_s=repeat_s), told=Event.FIRST, after_s=after_s) is said


@pytest.mark.parametrize(("incident", "verdict"), [(CRITICAL, U), (an_incident(State.RECOVERING, severity=Severity.CRITICAL), C)])
def test_nobody_is_reminded_of_what_is_not_seen_to_fire(incident: Incident, verdict: Verdict) -> None:
    assert event(incident, OPS, told=Event.FIRST, after_s=DAY, verdict=verdict) is None


def test_nobody_is_reminded_of_what_was_refused() -> None:
    notified = replace(a_told(Event.FIRST, refused=Event.ESCALATED, settings="s1", severity=Severity.CRITICAL), at=NOW)
    one, to = JudgedIncident(CRITICAL, B), Recipient("ops", settings="s1")
    assert decision(one, notified, to, NOW + HOUR, routing=NO_ROUTES, quiet=NOT_QUIET).event is None


def test_a_reminder_that_waits_is_withdrawn_when_the_incident_recovers() -> None:
    reminder = a_message(notices=(a_notice(CRITICAL, Event.REMINDER, sequence=2),))
    told = a_told(Event.FIRST, severity=Severity.CRITICAL)
    loaded = Loaded(notified={(CRITICAL.id, "ops"): told}, waiting=(reminder,))
    recovering = JudgedIncident(an_incident(State.RECOVERING, severity=Severity.CRITICAL), C)
    assert decide_notifications([recovering], loaded, [Recipient("ops")], "prod", NOW, "watchdog") == ((), ("01MESSAGE",))
