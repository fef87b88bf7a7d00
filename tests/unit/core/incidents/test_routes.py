"""Which receivers a tree of routes leads to."""

from datetime import UTC
from typing import Any

import pytest

from tests.builders.answers import NOW
from tests.builders.incidents import a_told, an_incident
from watchdog.core.incidents.lifecycle import Ended, State
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import Deploy
from watchdog.core.incidents.quiet.inhibition import Cause
from watchdog.core.incidents.quiet.matchers import parse_matchers
from watchdog.core.incidents.quiet.reasons import NOT_QUIET, Quiet
from watchdog.core.incidents.quiet.silences import Silence
from watchdog.core.incidents.quiet.windows import Span, Window
from watchdog.core.incidents.routing import Recipient, Route, Routing, Terms
from watchdog.core.incidents.wanted import Decision, JudgedIncident, Why, decision
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity
from watchdog.core.text.times_of_day import DAYS


def route(to: str = "", match: str = "", after_s: float = 0.0, min_severity: Severity = Severity.INFO, **more: object) -> Route:
    receivers = {name: Terms(after_s=after_s) for name in to.split()}
    matchers = parse_matchers(match) if match else ()
    return Route(receivers, matchers, min_severity, **more)  # type: ignore[arg-type]  # goes_on and routes


def reached(routing: Routing, severity: Severity = Severity.WARNING, **labels: str) -> list[str]:
    return [way.receiver for way in routing.ways({"rule": "WorkerLost", "severity": severity.value, **labels}, severity)]


DATA = route("data", "team=data")
CRITICAL = route("pager", min_severity=Severity.CRITICAL, goes_on=True)
REST = route("chat")
ALWAYS = Window("always", (Span(frozenset(range(len(DAYS))), 0, 0, UTC),))


@pytest.mark.parametrize(
    ("severity", "labels", "to"),
    [
        (Severity.WARNING, {}, ["chat"]),
        (Severity.WARNING, {"team": "data"}, ["data"]),
        (Severity.CRITICAL, {}, ["pager", "chat"]),
        (Severity.CRITICAL, {"team": "data"}, ["pager", "data"]),
    ],
)
def test_the_first_route_that_selects_ends_the_search_unless_it_goes_on(severity: Severity, labels: dict[str, str], to: list[str]) -> None:
    assert reached(Routing([CRITICAL, DATA, REST]), severity, **labels) == to


def test_routes_below_decide_if_one_of_them_selects() -> None:
    tree = Routing([route("web", "team=web", routes=(route("web-night", "rule=WorkerLost"), route("", "rule=Noise"))), REST])
    assert reached(tree, team="web") == ["web-night"]
    assert reached(tree, team="web", rule="Other") == ["web"]
    assert reached(tree, team="web", rule="Noise") == []
    assert reached(tree, team="db") == ["chat"]


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_routes_to_a_receiver_the_one_counts_that_notifies_it_sooner(order: int) -> None:
    """What one route mutes at night, and another does not, is what the second one is there for."""
    muted, always, later = Terms(mutes=(ALWAYS,)), Terms(), Terms(after_s=60.0)
    for others in ([muted, always], [muted, always, later], [later, always]):
        routing = Routing([Route({"ops": terms}, goes_on=True) for terms in others[::order]])
        assert routing.terms(an_incident(), Recipient("ops")) == always


def test_a_receiver_that_no_route_leads_to_is_not_notified() -> None:
    routing = Routing([DATA, REST])
    incident = an_incident(labels={"team": "data"})
    terms = {name: routing.terms(incident, Recipient(name)) for name in ("data", "chat")}
    assert (terms["data"] is not None, terms["chat"]) == (True, None)


def test_without_routes_everybody_is_notified() -> None:
    assert Routing().terms(an_incident(), Recipient("ops")) == Terms()


def test_what_a_receiver_selects_holds_as_well() -> None:
    assert Routing([REST]).terms(an_incident(), Recipient("chat", min_severity=Severity.CRITICAL)) is None


def test_of_two_ways_to_a_receiver_the_one_without_delay_counts() -> None:
    routing = Routing([route("boss", after_s=900.0, goes_on=True), route("boss")])
    terms = routing.terms(an_incident(), Recipient("boss"))
    assert terms is not None
    assert terms.after_s == 0.0


# --- the next in line -------------------------------------------------------------------------------------------------

BOSS = Routing([route("boss", after_s=900.0)])


def to_boss(after_s: float, *, quiet: Quiet = NOT_QUIET, told: Event | None = None, **changes: Any) -> Decision:
    incident = an_incident(fired_at=NOW, **changes)
    heard = None if told is None else a_told(told, receiver="boss")
    return decision(JudgedIncident(incident, Verdict.BREACH), heard, Recipient("boss"), NOW + after_s, routing=BOSS, quiet=quiet)


def test_the_next_in_line_is_notified_once_it_has_fired_that_long() -> None:
    assert (to_boss(899.0).why, to_boss(899.0).at, to_boss(900.0).event) == (Why.LATER, NOW + 900.0, Event.FIRST)


@pytest.mark.parametrize(("after_end_s", "at_once"), [(0.0, False), (899.0, False), (900.0, True)])
def test_time_under_a_silence_or_a_deploy_does_not_count_for_the_next_in_line(after_end_s: float, at_once: bool) -> None:
    """The first in line hears of it when the silence ends; the next one waits from then on."""
    silence = Silence("01S", parse_matchers("rule=QueueBacklogHigh"), NOW - 60.0, NOW + 3600.0)
    deploy = Deploy("01D", "v512", ("prod",), NOW - 60.0, NOW + 3600.0)
    now = NOW + 3600.0 + after_end_s
    for quiet in (Quiet((), [silence], now), Quiet((), (), now, deploys=[deploy])):
        decided = to_boss(3600.0 + after_end_s, quiet=quiet, deploy=True)
        assert (decided.event, decided.at) == ((Event.FIRST, None) if at_once else (None, NOW + 4500.0))


def test_a_silence_that_was_over_before_it_fired_or_is_about_something_else_delays_nothing() -> None:
    over = Silence("01S", parse_matchers("rule=QueueBacklogHigh"), NOW - 600.0, NOW - 60.0)
    other = Silence("01T", parse_matchers("rule=WorkerLost"), NOW - 60.0, NOW + 800.0)
    assert to_boss(900.0, quiet=Quiet((), [over, other], NOW + 900.0)).event is Event.FIRST


def test_what_is_acknowledged_by_then_is_not_passed_on() -> None:
    known = Quiet((), (), NOW, acknowledged={"01INCIDENT": Acknowledgement("01INCIDENT", NOW, Severity.WARNING)})
    assert to_boss(900.0, quiet=known).why is Why.QUIET


def test_an_acknowledgement_does_not_hold_for_something_worse() -> None:
    known = Quiet((), (), NOW, acknowledged={"01INCIDENT": Acknowledgement("01INCIDENT", NOW, Severity.WARNING)})
    assert to_boss(900.0, quiet=known, severity=Severity.ERROR).event is Event.FIRST


def test_an_acknowledged_incident_ends_for_all_who_were_told() -> None:
    known = Quiet((), (), NOW, acknowledged={"01INCIDENT": Acknowledgement("01INCIDENT", NOW, Severity.CRITICAL)})
    over = an_incident(State.RESOLVED, ended=Ended.RECOVERED, resolved_at=NOW)
    told = a_told(Event.FIRST, receiver="boss")
    assert decision(JudgedIncident(over, Verdict.NONE), told, Recipient("boss"), NOW, routing=BOSS, quiet=known).event is Event.RESOLVED


def test_the_next_in_line_waits_from_when_it_became_so_severe_that_it_is_for_it() -> None:
    """A warning of two hours that becomes critical wakes somebody; the next in line must not be woken in the same second."""
    hour, boss = 3600.0, Recipient("boss")
    severe_since = {"warning": NOW - 2 * hour, "error": NOW - hour, "critical": NOW - 60}
    incident = an_incident(severity=Severity.CRITICAL, fired_at=NOW - 2 * hour, severe_since=severe_since)

    def waits(least: Severity, now: float = NOW) -> float | None:
        routing = Routing([route("boss", after_s=900.0, min_severity=least)])
        return decision(JudgedIncident(incident, Verdict.BREACH), None, boss, now, routing=routing, quiet=NOT_QUIET).at

    assert [waits(least) for least in (Severity.CRITICAL, Severity.ERROR, Severity.WARNING)] == [NOW + 840, None, None]
    assert waits(Severity.CRITICAL, NOW + 840) is None


@pytest.mark.parametrize(("ahead_s", "at_once"), [(3.0, False), (3600.0, True)])
def test_what_fires_a_moment_from_now_is_not_passed_on_at_once(ahead_s: float, at_once: bool) -> None:
    """The incident of a shared server comes after that of another target, whose cycle may have begun later. A clock is set back further."""
    assert (to_boss(-ahead_s).event is Event.FIRST) is at_once


# --- what a receiver hears of a cause ---------------------------------------------------------------------------------

EFFECT = an_incident(severity=Severity.CRITICAL)


@pytest.mark.parametrize(
    ("of_the_cause", "of_the_effect", "fired_s", "held_back"),
    [
        (Terms(), Terms(), 60.0, True),
        (Terms(mutes=(ALWAYS,)), Terms(), 60.0, False),
        (Terms(mutes=(ALWAYS,)), Terms(mutes=(ALWAYS,)), 60.0, True),
        (Terms(), Terms(mutes=(ALWAYS,)), 60.0, True),
        (Terms(after_s=900.0), Terms(), 899.0, False),
        (Terms(after_s=900.0), Terms(), None, False),
        (Terms(after_s=900.0), Terms(), 900.0, True),
        (Terms(after_s=900.0), Terms(after_s=900.0), 60.0, True),
        (Terms(), Terms(after_s=900.0), 60.0, True),
    ],
)
def test_a_cause_of_which_a_receiver_hears_later_does_not_hold_back(
    of_the_cause: Terms, of_the_effect: Terms, fired_s: float | None, held_back: bool
) -> None:
    fired_at = None if fired_s is None else NOW - fired_s
    cause = an_incident(id="01CAUSE", rule="Cause", key={}, fired_at=fired_at, inhibits=(EFFECT.rule,))
    routing = Routing([Route({"ops": of_the_effect}, min_severity=Severity.CRITICAL), Route({"ops": of_the_cause})])
    quiet = Quiet([Cause(cause)], (), NOW)
    made = decision(JudgedIncident(EFFECT, Verdict.BREACH), None, Recipient("ops"), NOW, routing=routing, quiet=quiet)
    assert (made.reason is not None and made.reason.cause is not None) is held_back
