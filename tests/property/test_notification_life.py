from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.fake_store import FakeStore, Fate
from tests.builders.incidents import a_finding, a_rule
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import State
from watchdog.core.incidents.messages import Event, Notice
from watchdog.core.incidents.plan import Plan
from watchdog.core.incidents.routing import Recipient, Terms
from watchdog.core.judging.findings import Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule

RULE = a_rule(for_s=0.0, keep_firing_for_s=0.0, summary="")
SLOW = a_rule("Slow", summary="", for_s=15.0, keep_firing_for_s=15.0, identity="slow")
CAUSE = replace(SLOW, inhibits=(RULE.name,))
USUAL = Terms()
APART, CAUSED = (RULE, SLOW), (RULE, CAUSE)
"""Two rules that have nothing to do with each other; the same where the second explains the first."""
KEYS = [("indexing",), ("training",)]
NAMES = ("ops", "dev")
B, C = Verdict.BREACH, Verdict.CLEAR
FIRE = (Event.FIRST, Event.ESCALATED)
LIVES = settings(max_examples=100, deadline=None)


@dataclass(frozen=True)
class Turn:
    """One cycle: what each rule says of each key; then some attempts at delivery, each with its fate."""

    verdicts: tuple[Verdict, ...]
    severities: tuple[Severity, ...]
    attempts: tuple[tuple[str, Fate], ...]
    blind: bool


def turns(fates: list[Fate]) -> st.SearchStrategy[list[Turn]]:
    verdict = st.sampled_from([Verdict.BREACH, Verdict.BREACH, Verdict.CLEAR, Verdict.UNKNOWN])
    severity = st.sampled_from([Severity.WARNING, Severity.WARNING, Severity.ERROR, Severity.CRITICAL])
    attempt = st.tuples(st.sampled_from(NAMES), st.sampled_from(fates))
    turn = st.builds(
        Turn,
        verdicts=st.tuples(*[verdict] * 4),
        severities=st.tuples(*[severity] * 4),
        attempts=st.lists(attempt, max_size=2).map(tuple),
        blind=st.booleans(),
    )
    return st.lists(turn, min_size=1, max_size=8)


HARMLESS = [Fate.DELIVERED, Fate.NEVER_ARRIVED, Fate.MAYBE, Fate.CRASHED]
ANYTHING = [*HARMLESS, Fate.REFUSED]


def cycle(store: FakeStore, turn: Turn, now: float, rules: tuple[Rule, ...] = APART, terms: Terms = USUAL) -> Plan:
    """What a cycle does: load, judge, decide, commit."""
    judgements = []
    for place, rule in enumerate(rules):
        open_keys = {tuple(i.key.values()) for i in store.incidents.values() if i.open and i.rule == rule.name}
        if turn.blind and place == 1:
            judgements.append(Judgement(rule, unknown="could not look"))
            continue
        findings = []
        for number, key in enumerate(KEYS):
            verdict, severity = turn.verdicts[2 * place + number], turn.severities[2 * place + number]
            if verdict is not Verdict.CLEAR or key in open_keys:
                findings.append(a_finding(verdict, rule, key, severity=severity))
        judgements.append(Judgement(rule, tuple(findings)))
    situation = Situation(a_target(), now, tuple(Recipient(name, settings=store.settings, terms=terms) for name in NAMES))
    plan = decide(situation, judgements, store.load(), Seen({}, {}, {}))
    store.commit(plan)
    return plan


def live(sequence: list[Turn], rules: tuple[Rule, ...] = APART) -> FakeStore:
    store = FakeStore()
    for number, turn in enumerate(sequence):
        cycle(store, turn, NOW + 10.0 * number, rules)
        for receiver, fate in turn.attempts:
            store.deliver(receiver, fate)
    return store


def all_out(store: FakeStore, rules: tuple[Rule, ...] = APART) -> FakeStore:
    """Every fire goes out, and everything that waits arrives."""
    out = Turn((Verdict.CLEAR,) * 4, (Severity.WARNING,) * 4, (), blind=False)
    for number in range(6):
        cycle(store, out, NOW + 10_000.0 + 10.0 * number, rules)
    for number in range(3):
        store.deliver_all(NAMES)
        cycle(store, out, NOW + 20_000.0 + 10.0 * number, rules)
    store.deliver_all(NAMES)
    return store


def events(notices: list[Notice]) -> list[Event]:
    return [n.event for n in notices]


def is_a_story(told: list[Event]) -> bool:
    """first, escalated any number of times, then the end at most once."""
    if not told:
        return True
    body = told[1:-1] if told[-1] is Event.RESOLVED else told[1:]
    return told[0] is Event.FIRST and all(event is Event.ESCALATED for event in body)


EITHER = pytest.mark.parametrize("rules", [APART, CAUSED], ids=["apart", "caused"])


@EITHER
@LIVES
@given(sequence=turns(ANYTHING))
def test_each_receiver_hears_first_then_escalations_then_the_end(sequence: list[Turn], rules: tuple[Rule, ...]) -> None:
    store = live(sequence, rules)
    assert {key: events(n) for key, n in store.heard.items() if not is_a_story(events(n))} == {}


@EITHER
@LIVES
@given(sequence=turns(ANYTHING))
def test_everybody_told_of_a_fire_hears_that_it_is_out_or_refused_to(sequence: list[Turn], rules: tuple[Rule, ...]) -> None:
    store = all_out(live(sequence, rules), rules)
    dead = [entry.message for entry in store.outbox if entry.state == "dead"]
    refused = {(m.receiver, n.incident) for m in dead for n in m.notices if n.event is Event.RESOLVED}
    assert [key for key, notices in store.heard.items() if events(notices)[-1] is not Event.RESOLVED and key not in refused] == []


@LIVES
@given(turns(HARMLESS))
def test_without_refusals_every_fire_that_burns_is_told_to_everybody(sequence: list[Turn]) -> None:
    store = live(sequence)
    burning = Turn((Verdict.BREACH,) * 4, sequence[-1].severities, (), blind=False)
    cycle(store, burning, NOW + 1000.0)
    store.deliver_all(NAMES)
    firing = [i for i in store.incidents.values() if i.state is State.FIRING]
    untold = [(name, i.id) for i in firing for name in NAMES if not store.heard.get((name, i.id))]
    assert (untold, [i.severity for i in firing]) == ([], [store.heard[name, i.id][-1].severity for i in firing for name in NAMES[:1]])


@LIVES
@given(turns(ANYTHING))
def test_reminders_come_only_while_the_fire_is_seen_and_change_nothing_else(sequence: list[Turn]) -> None:
    store, often = FakeStore(), Terms(repeat_s=10.0, repeat_most=3)
    for number, turn in enumerate(sequence):
        plan = cycle(store, turn, NOW + 20.0 * number, terms=often)
        reminded = [n.incident for m in plan.messages for n in m.notices if n.event is Event.REMINDER]
        assert {store.incidents[i].state for i in reminded} <= {State.FIRING}
        for receiver, fate in turn.attempts:
            store.deliver(receiver, fate)
    for told in all_out(store).heard.values():
        said = events(told)
        assert is_a_story([event for event in said if event is not Event.REMINDER])
        assert said.count(Event.REMINDER) <= often.repeat_most


@LIVES
@given(turns(ANYTHING))
def test_nobody_is_notified_of_a_fire_while_its_cause_fires(sequence: list[Turn]) -> None:
    """Unless the receiver has not heard of the cause (it was to join a group later), and it cannot be seen now: neither would be told."""
    store = FakeStore()
    for number, turn in enumerate(sequence):
        plan = cycle(store, turn, NOW + 10.0 * number, CAUSED)
        causes = {
            tuple(i.key.values()): i.id
            for i in store.incidents.values()
            if i.rule == CAUSE.name and i.open and i.state is not State.PENDING
        }
        unseen = {key for key, verdict in zip(KEYS, turn.verdicts[2:], strict=True) if turn.blind or verdict is Verdict.UNKNOWN}
        said = [(m.receiver, tuple(n.key.values())) for m in plan.messages for n in m.notices if n.event in FIRE and n.rule == RULE.name]
        explained = [(receiver, key) for receiver, key in said if key in causes]
        assert [(receiver, key) for receiver, key in explained if key not in unseen or store.heard.get((receiver, causes[key]))] == []
        for receiver, fate in turn.attempts:
            store.deliver(receiver, fate)


@LIVES
@given(turns(HARMLESS))
def test_what_still_fires_when_its_cause_is_out_is_told_to_everybody(sequence: list[Turn]) -> None:
    store = live(sequence, CAUSED)
    for later_s in (1000.0, 1010.0, 1020.0, 1030.0):
        cycle(store, Turn((B, B, C, C), (Severity.CRITICAL,) * 4, (), blind=False), NOW + later_s, CAUSED)
    store.deliver_all(NAMES)
    firing = [i for i in store.incidents.values() if i.state is State.FIRING]
    assert len(firing) == len(KEYS)
    assert [(name, i.id) for i in firing for name in NAMES if not store.heard.get((name, i.id))] == []


@LIVES
@given(turns(HARMLESS))
def test_sequences_count_from_1_without_a_hole(sequence: list[Turn]) -> None:
    store = all_out(live(sequence))
    assert {key: [n.sequence for n in told] for key, told in store.heard.items()} == {
        key: list(range(1, len(told) + 1)) for key, told in store.heard.items()
    }


@LIVES
@given(turns(ANYTHING))
def test_an_escalation_is_always_to_something_worse(sequence: list[Turn]) -> None:
    for told in live(sequence).heard.values():
        fires = [n.severity.rank for n in told if n.event in FIRE]
        assert fires == sorted(set(fires))


@LIVES
@given(turns(ANYTHING))
def test_when_all_is_out_and_said_nothing_waits(sequence: list[Turn]) -> None:
    store = all_out(live(sequence))
    assert [entry.message.id for entry in store.outbox if entry.state == "waiting"] == []


@LIVES
@given(turns(ANYTHING))
def test_what_never_left_is_lost_only_when_its_fire_is_out(sequence: list[Turn]) -> None:
    """A cycle that withdraws what waits says it anew, unless the incident has ended, or was said meanwhile."""
    store = FakeStore()
    for number, turn in enumerate(sequence):
        before = waiting_firsts(store)
        cycle(store, turn, NOW + 10.0 * number)
        gone = before - waiting_firsts(store)
        assert [i for _, i in gone if store.incidents[i].open] == []
        for receiver, fate in turn.attempts:
            store.deliver(receiver, fate)


def waiting_firsts(store: FakeStore) -> set[tuple[str, str]]:
    letters = [entry.message for entry in store.outbox if entry.never_left]
    return {(m.receiver, n.incident) for m in letters for n in m.notices if n.event is Event.FIRST}


@LIVES
@given(turns([Fate.NEVER_ARRIVED]))
def test_a_receiver_that_is_never_reached_hears_one_first_of_what_burns_when_it_is(sequence: list[Turn]) -> None:
    store = live(sequence)
    burning = {i.id for i in store.incidents.values() if i.state in (State.FIRING, State.RECOVERING)}
    store.deliver_all(NAMES)
    heard = {incident for (_, incident), told in store.heard.items() if events(told) == [Event.FIRST]}
    assert (heard, len(store.heard)) == (burning, len(burning) * len(NAMES))
