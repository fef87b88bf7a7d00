from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.builders.answers import NOW
from tests.builders.incidents import a_finding, a_rule
from watchdog.core.incidents.lifecycle import Incident, State, Transition, begin, step, watched_seconds
from watchdog.core.judging.findings import Verdict
from watchdog.core.model.severity import Severity

INTERVAL = 10.0
BLIND = (Verdict.UNKNOWN, Verdict.NONE)


@dataclass(frozen=True)
class Cycle:
    """One cycle: how much later by the clock (which may be set back), and what the rule said."""

    after_s: float
    verdict: Verdict
    severity: Severity


cycles = st.lists(
    st.builds(
        Cycle,
        after_s=st.one_of(st.floats(0.1, 30.0), st.sampled_from([INTERVAL, 3600.0, 86400.0, -3600.0, 0.0])),
        verdict=st.sampled_from(list(Verdict)),
        severity=st.sampled_from(list(Severity)),
    ),
    max_size=40,
)
rules = st.builds(
    a_rule,
    for_s=st.sampled_from([0.0, 10.0, 30.0, 300.0]),
    keep_firing_for_s=st.sampled_from([0.0, 10.0, 60.0]),
)


@dataclass(frozen=True)
class Lived:
    """What one cycle made of the incident."""

    before: Incident
    after: Incident
    cycle: Cycle
    watched_s: float
    moves: list[Transition]


def live(rule: object, sequence: list[Cycle]) -> list[Lived]:
    """One incident through its cycles, until it ends."""
    now = NOW
    finding = a_finding(rule=rule)  # type: ignore[arg-type]
    incident, _ = begin(finding, "prod", now)
    incident, moves = step(incident, finding, 0.0, now)
    lived = [Lived(incident, incident, Cycle(0.0, Verdict.BREACH, Severity.WARNING), 0.0, moves)]
    for cycle in sequence:
        if not incident.open:
            break
        watched_s = watched_seconds(now + cycle.after_s, now, INTERVAL)
        now += cycle.after_s
        finding = a_finding(cycle.verdict, rule, severity=cycle.severity)  # type: ignore[arg-type]
        after, moves = step(incident, finding, watched_s, now)
        lived.append(Lived(incident, after, cycle, watched_s, moves))
        incident = after
    return lived


@given(rules, cycles)
def test_a_gap_never_moves_an_incident(rule: object, sequence: list[Cycle]) -> None:
    for lived in live(rule, sequence):
        assert lived.cycle.verdict not in BLIND or lived.after == lived.before


@given(rules, cycles)
def test_what_fires_was_seen_in_breach_for_as_long_as_the_rule_says(rule: object, sequence: list[Cycle]) -> None:
    seen_s = 0.0
    for lived in live(rule, sequence)[1:]:
        if lived.before.state is State.PENDING and lived.cycle.verdict is Verdict.BREACH:
            seen_s += lived.watched_s
        if lived.before.state is State.PENDING and lived.after.state is State.FIRING:
            assert seen_s >= rule.for_s  # type: ignore[attr-defined]


@given(rules, cycles)
def test_what_recovered_was_seen_clear_for_as_long_as_the_rule_says(rule: object, sequence: list[Cycle]) -> None:
    quiet_s = 0.0
    for lived in live(rule, sequence)[1:]:
        if lived.cycle.verdict is Verdict.BREACH or lived.before.state is not State.RECOVERING:
            quiet_s = 0.0
        elif lived.cycle.verdict is Verdict.CLEAR:
            quiet_s += lived.watched_s
        if lived.after.state is State.RESOLVED and lived.after.ended == "recovered":
            assert quiet_s >= rule.keep_firing_for_s  # type: ignore[attr-defined]


@given(rules, cycles)
def test_no_cycle_counts_more_than_two_intervals(rule: object, sequence: list[Cycle]) -> None:
    for lived in live(rule, sequence)[1:]:
        assert 0.0 <= lived.after.held_s - lived.before.held_s <= 2 * INTERVAL
        assert lived.after.quiet_s - lived.before.quiet_s <= 2 * INTERVAL


@given(rules, cycles)
def test_severity_never_falls(rule: object, sequence: list[Cycle]) -> None:
    ranks = [lived.after.severity.rank for lived in live(rule, sequence)]
    assert ranks == sorted(ranks)


@given(rules, cycles)
def test_severity_is_the_worst_breach_so_far(rule: object, sequence: list[Cycle]) -> None:
    life = live(rule, sequence)
    worst = max((lv.cycle.severity.rank for lv in life if lv.cycle.verdict is Verdict.BREACH), default=0)
    assert life[-1].after.severity.rank == worst


@given(rules, cycles)
def test_every_end_has_a_reason_and_a_time(rule: object, sequence: list[Cycle]) -> None:
    last = live(rule, sequence)[-1].after
    assert last.open or (last.ended is not None and last.resolved_at is not None)


@given(rules, cycles)
def test_only_what_fired_resolves_and_only_what_never_fired_is_dropped(rule: object, sequence: list[Cycle]) -> None:
    last = live(rule, sequence)[-1].after
    assert last.open or (last.state is State.RESOLVED) == (last.fired_at is not None)


@given(rules, cycles)
def test_transitions_tell_the_whole_way(rule: object, sequence: list[Cycle]) -> None:
    state = "pending"
    for lived in live(rule, sequence):
        for move in lived.moves:
            assert (move.before, move.before == move.after) == (state, move.reason.startswith("escalated"))
            state = move.after
        assert state == lived.after.state


@given(rules, cycles)
def test_moves_go_to_a_fixed_point(rule: object, sequence: list[Cycle]) -> None:
    """The same verdict again, with no time passing, moves nothing but what a beginning of quiet or a first firing would."""
    for lived in live(rule, sequence):
        if lived.after.open and lived.cycle.verdict is not Verdict.NOT_COVERED:
            finding = a_finding(lived.cycle.verdict, rule, severity=lived.cycle.severity)  # type: ignore[arg-type]
            again, moves = step(lived.after, finding, 0.0, NOW)
            assert (moves, replace(again, severity=lived.after.severity)) == ([], lived.after)
