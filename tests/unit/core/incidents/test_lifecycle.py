import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_finding, a_rule, an_incident
from watchdog.core.incidents.lifecycle import MOVES, OPEN, Ended, Incident, State, begin, close, end, step, watched_seconds
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.identity import fingerprint, incident_id, message_id
from watchdog.core.model.severity import Severity

P, F, R, X, D = State.PENDING, State.FIRING, State.RECOVERING, State.RESOLVED, State.DROPPED
B, C, U, N = Verdict.BREACH, Verdict.CLEAR, Verdict.UNKNOWN, Verdict.NONE

SLOW = a_rule(for_s=300.0, keep_firing_for_s=60.0)
"""A rule whose clocks do not run out in one step."""

DESIGN = {
    (P, B): P, (P, C): D, (P, U): P, (P, N): P,
    (F, B): F, (F, C): R, (F, U): F, (F, N): F,
    (R, B): F, (R, C): R, (R, U): R, (R, N): R,
}  # fmt: skip
"""The transition table, at one moment."""


def stepped(incident: Incident, verdict: Verdict, watched_s: float = 0.0, now: float = NOW, **rule: object) -> Incident:
    return step(incident, a_finding(verdict, replace(SLOW, **rule)), watched_s, now)[0]


def new(severity: Severity = Severity.WARNING, **rule: object) -> Incident:
    finding = a_finding(rule=replace(SLOW, **rule), severity=severity)
    incident, _ = begin(finding, "prod", NOW)
    return step(incident, finding, 0.0, NOW)[0]


@pytest.mark.parametrize(("state", "verdict"), DESIGN)
def test_a_verdict_moves_a_state_as_the_design_says(state: State, verdict: Verdict) -> None:
    assert stepped(an_incident(state), verdict).state is DESIGN[state, verdict]


def test_every_open_state_has_a_move_for_breach_and_clear_and_none_for_anything_else() -> None:
    assert set(MOVES) == {(state, verdict) for state in OPEN for verdict in (B, C)}


@pytest.mark.parametrize("state", sorted(OPEN))
@pytest.mark.parametrize("verdict", [U, N])
def test_without_a_verdict_nothing_changes_at_all(state: State, verdict: Verdict) -> None:
    incident = an_incident(state, held_s=12.0, quiet_s=7.0)
    assert step(incident, a_finding(verdict, SLOW), 20.0, NOW) == (incident, [])


@pytest.mark.parametrize(("state", "after"), [(P, D), (F, X), (R, X)])
def test_what_a_rule_no_longer_covers_ends_as_not_covered(state: State, after: State) -> None:
    ended = stepped(an_incident(state), Verdict.NOT_COVERED)
    assert (ended.state, ended.ended) == (after, Ended.NOT_COVERED)


@pytest.mark.parametrize("why", list(Ended))
@pytest.mark.parametrize(("state", "after"), [(P, D), (F, X), (R, X)])
def test_an_end_says_why_and_drops_what_never_fired(state: State, after: State, why: Ended) -> None:
    ended, moves = end(an_incident(state), why, NOW)
    assert (ended.state, ended.ended, ended.resolved_at, moves[0].reason) == (after, why, NOW, why.value)


# --- beginnings -------------------------------------------------------------------------------------------------------


def test_a_breach_begins_pending() -> None:
    assert new().state is P


def test_a_for_of_0_fires_at_once() -> None:
    assert (new(for_s=0.0).state, new(for_s=0.0).fired_at) == (F, NOW)


def test_the_look_that_begins_it_adds_nothing() -> None:
    assert new().held_s == 0.0


def test_it_carries_the_severity_of_its_first_breach() -> None:
    assert new(Severity.CRITICAL).severity is Severity.CRITICAL


def test_a_beginning_is_a_transition_from_nothing() -> None:
    _, first = begin(a_finding(), "prod", NOW)
    assert (first.before, first.after, first.reason) == ("", "pending", "breach")


# --- clocks -----------------------------------------------------------------------------------------------------------


def test_each_later_breach_adds_the_watched_time() -> None:
    assert stepped(stepped(new(), B, 10.0), B, 20.0).held_s == 30.0


def test_it_fires_once_the_breach_has_held_for_long_enough() -> None:
    states = []
    incident = new(for_s=30.0)
    for _ in range(4):
        incident = stepped(incident, B, 10.0, for_s=30.0)
        states.append(incident.state)
    assert states == [P, P, F, F]


def test_blindness_does_not_let_it_fire() -> None:
    incident = new(for_s=30.0)
    for _ in range(10):
        incident = stepped(incident, U, 20.0, for_s=30.0)
    assert (incident.state, incident.held_s) == (P, 0.0)


def test_after_blindness_the_clock_goes_on_where_it_stood() -> None:
    incident = stepped(new(for_s=30.0), B, 20.0, for_s=30.0)
    incident = stepped(incident, U, 20.0, for_s=30.0)
    assert stepped(incident, B, 10.0, for_s=30.0).state is F


def test_the_look_that_begins_recovering_adds_nothing() -> None:
    assert stepped(an_incident(F), C, 20.0).quiet_s == 0.0


def test_it_resolves_once_it_was_quiet_for_long_enough() -> None:
    incident = an_incident(F)
    states = []
    for _ in range(4):
        incident = stepped(incident, C, 20.0)
        states.append(incident.state)
    assert states == [R, R, R, X]


def test_blindness_does_not_let_it_resolve() -> None:
    incident = stepped(an_incident(F), C)
    for _ in range(10):
        incident = stepped(incident, U, 20.0)
    assert (incident.state, incident.quiet_s) == (R, 0.0)


def test_a_new_breach_begins_the_quiet_anew() -> None:
    incident = stepped(stepped(an_incident(F), C), C, 50.0)
    incident = stepped(stepped(incident, B, 10.0), C, 10.0)
    assert (incident.state, incident.quiet_s) == (R, 0.0)


def test_a_new_breach_while_recovering_keeps_when_it_first_fired() -> None:
    incident = stepped(stepped(an_incident(F), C), B, now=NOW + 100)
    assert (incident.state, incident.fired_at) == (F, NOW - 60)


def test_a_keep_firing_for_of_0_resolves_at_once() -> None:
    ended, moves = step(an_incident(F), a_finding(C, replace(SLOW, keep_firing_for_s=0.0)), 10.0, NOW)
    assert (ended.state, ended.ended) == (X, Ended.RECOVERED)
    assert [m.after for m in moves] == ["recovering", "resolved"]


def test_a_pending_one_that_is_clear_is_dropped_for_a_reason() -> None:
    dropped = stepped(an_incident(P), C)
    assert (dropped.state, dropped.ended, dropped.fired_at) == (D, Ended.RECOVERED, None)


@pytest.mark.parametrize(
    ("now", "previous", "watched"),
    [
        (NOW, None, 0.0),
        (NOW, NOW - 10, 10.0),
        (NOW, NOW - 15, 15.0),
        (NOW, NOW - 3600, 20.0),
        (NOW, NOW + 3600, 0.0),
        (NOW, NOW, 0.0),
    ],
)
def test_watched_time_is_at_least_0_and_at_most_two_intervals(now: float, previous: float | None, watched: float) -> None:
    assert watched_seconds(now, previous, 10.0) == watched


# --- severity ---------------------------------------------------------------------------------------------------------


def test_severity_rises_with_a_worse_breach() -> None:
    finding = a_finding(rule=SLOW, severity=Severity.CRITICAL)
    assert step(an_incident(F), finding, 10.0, NOW)[0].severity is Severity.CRITICAL


@pytest.mark.parametrize("verdict", [B, C, U, N])
def test_severity_never_falls(verdict: Verdict) -> None:
    incident = an_incident(F, severity=Severity.CRITICAL)
    finding = a_finding(verdict, SLOW, severity=Severity.INFO)
    assert step(incident, finding, 10.0, NOW)[0].severity is Severity.CRITICAL


def test_a_clear_does_not_raise_the_severity() -> None:
    finding = a_finding(C, SLOW, severity=Severity.CRITICAL)
    assert step(an_incident(F), finding, 10.0, NOW)[0].severity is Severity.WARNING


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_fingerprint_is_the_same_across_cycles_and_restarts() -> None:
    assert fingerprint("R", "prod", {"b": "2", "a": "1"}) == fingerprint("R", "prod", {"a": "1", "b": "2"})


@pytest.mark.parametrize("other", [("S", "prod", {"a": "1"}), ("R", "dev", {"a": "1"}), ("R", "prod", {"a": "2"}), ("R", "prod", {})])
def test_a_fingerprint_tells_rule_target_and_key_apart(other: tuple[str, str, dict[str, str]]) -> None:
    assert fingerprint(*other) != fingerprint("R", "prod", {"a": "1"})


def test_ids_sort_by_time() -> None:
    ids = [incident_id("9f2c", at) for at in (0.0, 1.5, NOW, NOW + 0.001, NOW + 1e6)]
    assert ids == sorted(ids)


def test_an_id_has_26_characters_and_no_dot() -> None:
    made = [incident_id("9f2c", NOW), message_id("ops", "prod", NOW, ["a"]), incident_id("9f2c", -1.0)]
    assert [(len(i), "." in i) for i in made] == [(26, False)] * 3


def test_messages_of_one_moment_to_two_receivers_have_two_ids() -> None:
    assert message_id("ops", "prod", NOW, ["a"]) != message_id("dev", "prod", NOW, ["a"])


def test_a_name_that_holds_half_a_surrogate_has_a_fingerprint() -> None:
    assert len(fingerprint("R", "prod", {"name": "\ud800"})) == 16


# --- closed by hand -----------------------------------------------------------------------------------------------------

SEEN = [
    (F, "breach", True), (F, "", True), (P, "breach", True), (P, "", True), (R, "breach", True), (F, "clear", False), (F, "unknown", False),
    (P, "unknown", False), (R, "", False), (R, "clear", False), (X, "", False), (X, "breach", False),
]  # fmt: skip


@pytest.mark.parametrize(("state", "verdict", "breaching"), SEEN)
def test_an_open_incident_is_breaching_by_its_last_verdict_or_where_none_is_stored_by_its_state(
    state: State, verdict: str, breaching: bool
) -> None:
    assert an_incident(state, verdict=verdict).breaching is breaching


def test_one_that_is_closed_by_hand_keeps_by_whom_and_why() -> None:
    closed, (made,) = close(an_incident(), "ada", "the worker was retired", NOW)
    assert (closed.state, closed.ended, closed.resolved_at) == (X, Ended.CLOSED, NOW)
    assert (closed.closed_by, closed.closed_because) == ("ada", "the worker was retired")
    assert (made.before, made.after, made.reason) == (F, X, "closed by hand by ada: the worker was retired")


def test_a_pending_one_that_is_closed_by_hand_is_dropped() -> None:
    closed, (made,) = close(an_incident(P), "", "a typing error", NOW)
    assert (closed.state, closed.ended, made.reason) == (D, Ended.CLOSED, "closed by hand: a typing error")
