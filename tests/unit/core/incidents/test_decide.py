from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule, a_told, an_absent, an_incident
from watchdog.core.incidents.decide import Situation, decide, end_target
from watchdog.core.incidents.lifecycle import Ended, Incident, State, open_keys
from watchdog.core.incidents.messages import Event
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.findings import Finding, Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.rows import Reading, Sample
from watchdog.core.model.severity import Severity
from watchdog.core.rules.rule import Rule

NOTHING = Seen({}, {}, {})
RULE = a_rule(for_s=0.0)
OPS = (Recipient("ops"),)


def deciding(
    *findings: Finding,
    rule: Rule = RULE,
    open_: tuple[Incident, ...] = (),
    loaded: Loaded | None = None,
    readings: Mapping[str, Reading] | None = None,
    now: float = NOW,
    previous: float | None = NOW - 10,
    seen: Seen = NOTHING,
) -> Plan:
    situation = Situation(a_target(), now, OPS, readings=readings or {})
    loaded = loaded or Loaded(open=open_, previous_cycle_at=previous)
    return decide(situation, [Judgement(rule, findings)], loaded, seen)


def only(plan: Plan) -> Incident:
    assert len(plan.incidents) == 1
    return plan.incidents[0]


# --- beginnings -------------------------------------------------------------------------------------------------------


def test_a_breach_begins_an_incident_and_tells() -> None:
    plan = deciding(a_finding(rule=RULE))
    assert (only(plan).state, [n.event for m in plan.messages for n in m.notices]) == (State.FIRING, [Event.FIRST])


def test_the_message_holds_the_rendered_words() -> None:
    assert deciding(a_finding(rule=RULE)).messages[0].notices[0].summary == "indexing holds 60 messages"


def test_a_breach_that_has_to_hold_tells_nobody_yet() -> None:
    plan = deciding(a_finding(rule=a_rule(for_s=60.0)), rule=a_rule(for_s=60.0))
    assert (only(plan).state, plan.messages) == (State.PENDING, ())


def test_transitions_say_how_it_came() -> None:
    assert [(t.before, t.after) for t in deciding(a_finding(rule=RULE)).transitions] == [("", "pending"), ("pending", "firing")]


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.CLEAR, Verdict.NONE, Verdict.NOT_COVERED])
def test_nothing_but_a_breach_begins_an_incident(verdict: Verdict) -> None:
    assert deciding(a_finding(verdict, RULE)).incidents == ()


def test_two_keys_are_two_incidents() -> None:
    plan = deciding(a_finding(rule=RULE), a_finding(rule=RULE, key=("training",)))
    assert len({i.fingerprint for i in plan.incidents}) == 2


def test_what_a_burning_incident_explains_is_what_its_rule_says_now() -> None:
    """The values of a cause such as `connection refused` stay for hours; a reload that changes `inhibits` must not wait for them."""
    incident = an_incident(inhibits=("Old",), labels=dict(RULE.labels))
    rule = replace(RULE, inhibits=("QueueStuck",))
    assert only(deciding(a_finding(rule=rule), rule=rule, open_=(incident,))).inhibits == ("QueueStuck",)


# --- ends -------------------------------------------------------------------------------------------------------------

MENDED = a_rule(for_s=0.0, keep_firing_for_s=60.0, resolved="{{ name }} holds {{ length }} again")


def ended_well(rule: Rule, finding: Finding, *, looks: int = 7) -> Incident:
    """A fire that is out from now on, a look each 10 s."""
    incident = an_incident()
    for nth in range(looks + 1):
        plan = deciding(finding, rule=rule, open_=(incident,), now=NOW + 10 * nth, previous=NOW + 10 * (nth - 1))
        incident = plan.incidents[0] if plan.incidents else incident
        if not incident.open:
            return incident
    raise AssertionError(f"still {incident.state}")


def test_a_good_end_says_what_is_true_then() -> None:
    assert ended_well(MENDED, a_finding(Verdict.CLEAR, MENDED, length=3.0)).summary == "indexing holds 3 again"


def test_without_words_for_it_an_end_says_what_was() -> None:
    rule = a_rule(for_s=0.0)
    assert ended_well(rule, a_finding(Verdict.CLEAR, rule, length=3.0)).summary == "was: indexing holds 60 messages"


def test_an_end_whose_row_is_gone_says_what_was() -> None:
    assert ended_well(MENDED, an_absent(Verdict.CLEAR, MENDED)).summary == "was: indexing holds 60 messages"


def test_the_time_that_a_fire_is_kept_for_is_no_part_of_it() -> None:
    assert ended_well(MENDED, a_finding(Verdict.CLEAR, MENDED, length=3.0)).resolved_at == NOW


def test_a_rule_that_is_switched_off_covers_nothing_and_is_not_removed() -> None:
    situation = Situation(a_target(), NOW, loaded_rules=frozenset({an_incident().rule}))
    plan = decide(situation, [], Loaded(open=(an_incident(),)), NOTHING)
    assert only(plan).ended is Ended.NOT_COVERED


# --- open incidents ---------------------------------------------------------------------------------------------------


def test_an_incident_that_does_not_change_is_not_written() -> None:
    assert deciding(a_finding(rule=RULE), open_=(an_incident(),)).incidents == ()


def test_a_breach_of_an_open_incident_begins_no_second_one() -> None:
    plan = deciding(a_finding(rule=RULE, length=90.0), open_=(an_incident(),))
    assert (only(plan).id, only(plan).values, only(plan).summary) == ("01INCIDENT", {"length": 90.0}, "indexing holds 90 messages")


def test_commands_name_the_app_of_the_target() -> None:
    rule = replace(RULE, runbook="celery -A {{ app }} purge")
    judgement = Judgement(rule, findings=(a_finding(rule=rule, length=60.0),))
    plan = decide(Situation(a_target(app="shop.celery"), NOW, OPS), [judgement], Loaded(), NOTHING)
    assert only(plan).runbook == "celery -A shop.celery purge"


def test_a_clear_keeps_the_values_of_the_last_breach() -> None:
    plan = deciding(a_finding(Verdict.CLEAR, RULE, length=3.0), open_=(an_incident(),))
    assert (only(plan).state, only(plan).values) == (State.RECOVERING, {"length": 60.0})


def test_watched_time_is_at_most_two_intervals() -> None:
    rule = a_rule(for_s=60.0)
    plan = deciding(a_finding(rule=rule), rule=rule, open_=(an_incident(State.PENDING),), previous=NOW - 3600)
    assert only(plan).held_s == 20.0


def test_without_a_cycle_before_no_time_was_watched() -> None:
    rule = a_rule(for_s=60.0)
    plan = deciding(a_finding(rule=rule), rule=rule, open_=(an_incident(State.PENDING),), previous=None)
    assert plan.incidents == ()


def test_an_escalation_is_the_same_incident_told_again() -> None:
    loaded = Loaded(open=(an_incident(),), notified={("01INCIDENT", "ops"): a_told()}, previous_cycle_at=NOW - 10)
    plan = deciding(a_finding(rule=RULE, severity=Severity.CRITICAL), loaded=loaded)
    assert [(n.incident, n.event, n.severity) for n in plan.messages[0].notices] == [("01INCIDENT", Event.ESCALATED, Severity.CRITICAL)]


def test_an_incident_remembers_since_when_it_has_been_how_severe() -> None:
    worse = only(deciding(a_finding(rule=RULE, severity=Severity.ERROR), open_=(an_incident(),)))
    worst = only(deciding(a_finding(rule=RULE, severity=Severity.CRITICAL), open_=(worse,), now=NOW + 10))
    assert (an_incident().severe_since, worst.severe_since) == ({}, {"warning": NOW - 100, "error": NOW, "critical": NOW + 10})


def test_words_that_name_the_severity_are_rendered_anew_when_it_rises() -> None:
    rule = replace(RULE, summary="{{ severity }}")
    incident = an_incident(summary="warning")
    plan = deciding(a_finding(rule=rule, severity=Severity.CRITICAL), rule=rule, open_=(incident,))
    assert only(plan).summary == "critical"


def test_words_do_not_say_less_than_the_incidents_severity() -> None:
    rule = replace(RULE, summary="{{ severity }}")
    incident = an_incident(summary="critical", severity=Severity.CRITICAL)
    assert only(deciding(a_finding(rule=rule, length=70.0), rule=rule, open_=(incident,))).summary == "critical"


# --- ends -------------------------------------------------------------------------------------------------------------


def ended(plan: Plan) -> tuple[State, Ended | None]:
    return only(plan).state, only(plan).ended


def test_the_incidents_of_a_rule_that_is_gone_end_as_rule_removed() -> None:
    assert ended(decide(Situation(a_target(), NOW), [], Loaded(open=(an_incident(),)), NOTHING)) == (State.RESOLVED, Ended.RULE_REMOVED)


def test_the_incidents_of_a_rule_that_asks_another_table_end_as_rule_changed() -> None:
    assert ended(deciding(rule=a_rule(identity="tasks"), open_=(an_incident(),))) == (State.RESOLVED, Ended.RULE_CHANGED)


def test_a_changed_rule_that_finds_the_same_key_begins_a_new_incident() -> None:
    rule = a_rule(identity="tasks", for_s=0.0)
    plan = deciding(a_finding(rule=rule), rule=rule, open_=(an_incident(),))
    assert sorted(i.state for i in plan.incidents) == [State.FIRING, State.RESOLVED]


def test_what_is_no_longer_covered_ends_as_not_covered() -> None:
    assert ended(deciding(a_finding(Verdict.NOT_COVERED, RULE), open_=(an_incident(),))) == (State.RESOLVED, Ended.NOT_COVERED)


def test_whoever_was_told_hears_every_end() -> None:
    loaded = Loaded(open=(an_incident(),), notified={("01INCIDENT", "ops"): a_told()})
    plan = decide(Situation(a_target(), NOW, OPS), [], loaded, NOTHING)
    assert [(n.event, n.ended) for n in plan.messages[0].notices] == [(Event.RESOLVED, "rule removed")]


@pytest.mark.parametrize("verdict", [Verdict.CLEAR, Verdict.UNKNOWN])
def test_a_row_that_its_table_let_go_ends_as_forgotten_not_as_recovered(verdict: Verdict) -> None:
    readings = {"queues": Reading(forgotten=frozenset({("indexing",)}), partial="cut")}
    assert ended(deciding(an_absent(verdict, RULE), open_=(an_incident(),), readings=readings)) == (State.RESOLVED, Ended.FORGOTTEN)


def test_a_row_that_is_there_is_not_forgotten() -> None:
    readings = {"queues": Reading(forgotten=frozenset({("indexing",)}))}
    assert only(deciding(a_finding(Verdict.CLEAR, RULE), open_=(an_incident(),), readings=readings)).state is State.RECOVERING


def test_an_absent_row_of_a_table_read_whole_recovers() -> None:
    plan = deciding(an_absent(Verdict.CLEAR, RULE), open_=(an_incident(),), readings={"queues": Reading()})
    assert only(plan).state is State.RECOVERING


def test_a_row_absent_from_a_table_read_in_part_stays_open_until_forget_after() -> None:
    readings = {"queues": Reading(partial="cut")}
    plan = deciding(an_absent(Verdict.UNKNOWN, RULE), open_=(an_incident(verdict="unknown", seen_at=NOW - 3590),), readings=readings)
    assert plan.incidents == ()


def test_a_row_absent_from_a_table_read_in_part_for_forget_after_is_forgotten() -> None:
    readings = {"queues": Reading(partial="cut")}
    plan = deciding(an_absent(Verdict.UNKNOWN, RULE), open_=(an_incident(seen_at=NOW - 3610),), readings=readings)
    assert ended(plan) == (State.RESOLVED, Ended.FORGOTTEN)


def test_a_row_absent_from_a_table_that_was_not_read_is_never_forgotten() -> None:
    readings = {"queues": Reading(unread="redis: down", partial="cut")}
    plan = deciding(an_absent(Verdict.UNKNOWN, RULE), open_=(an_incident(verdict="unknown", seen_at=NOW - 36000),), readings=readings)
    assert plan.incidents == ()


def test_a_row_that_is_there_to_be_judged_is_noted_now_and_then() -> None:
    early = deciding(a_finding(rule=RULE), open_=(an_incident(seen_at=NOW - 170),))
    later = deciding(a_finding(rule=RULE), open_=(an_incident(seen_at=NOW - 190),))
    assert (early.incidents, only(later).seen_at) == ((), NOW)


def test_a_target_that_is_no_longer_configured_ends_all_it_had_and_says_so() -> None:
    loaded = Loaded(open=(an_incident(), an_incident(State.PENDING, id="01B")), notified={("01INCIDENT", "ops"): a_told()})
    plan = end_target("prod", loaded, OPS, NOW, "watchdog")
    assert [(i.state, i.ended) for i in plan.incidents] == [
        (State.RESOLVED, Ended.TARGET_REMOVED),
        (State.DROPPED, Ended.TARGET_REMOVED),
    ]
    assert [n.event for n in plan.messages[0].notices] == [Event.RESOLVED]


# --- owed, remembered -------------------------------------------------------------------------------------------------


def test_an_end_still_owed_is_said_and_its_incident_not_written_again() -> None:
    over = an_incident(State.RESOLVED, ended=Ended.RECOVERED, resolved_at=NOW - 20)
    plan = deciding(loaded=Loaded(unsettled=(over,), notified={("01INCIDENT", "ops"): a_told()}))
    assert ([n.event for n in plan.messages[0].notices], plan.incidents) == ([Event.RESOLVED], ())


def test_what_was_seen_is_to_be_remembered() -> None:
    seen = Seen({}, {"queues": "memory"}, {"queues": Sample(NOW, {})})
    plan = deciding(seen=seen)
    assert (plan.memories, plan.samples) == ({"queues": "memory"}, {"queues": Sample(NOW, {})})


def test_open_keys_tell_whether_clear_decides() -> None:
    incidents = [an_incident(), an_incident(State.PENDING, key={"name": "b"}), an_incident(State.RECOVERING, key={"name": "c"})]
    others = [an_incident(rule="Another"), an_incident(identity="tasks"), an_incident(State.RESOLVED)]
    assert open_keys([*incidents, *others])(RULE) == {("indexing",): True, ("b",): False, ("c",): True}


def test_a_receiver_is_not_told_of_its_own_failure() -> None:
    rule = a_rule("DeliveryFailing", table="receivers", reads={"receivers": frozenset({"dead"})}, identity="receivers", summary="x")
    situation = Situation(a_target(name="watchdog"), NOW, (Recipient("ops"), Recipient("dev")))
    plan = decide(situation, [Judgement(rule, (a_finding(rule=rule, key=("ops",)),))], Loaded(), NOTHING)
    assert [m.receiver for m in plan.messages] == ["dev"]
