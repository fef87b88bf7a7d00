"""When a remedy is begun, and why it is not."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.builders.answers import NOW, a_target
from tests.builders.incidents import a_finding, a_rule, an_incident
from watchdog.core.incidents.decide import Situation, decide
from watchdog.core.incidents.lifecycle import Incident, State
from watchdog.core.incidents.plan import Loaded, Plan
from watchdog.core.incidents.quiet.acknowledgements import Acknowledgement
from watchdog.core.incidents.quiet.deploys import new_deploy
from watchdog.core.incidents.quiet.silences import new_silence
from watchdog.core.incidents.remedies.attempt import LONGEST_S, Attempt, Helped
from watchdog.core.incidents.routing import Recipient
from watchdog.core.judging.findings import Finding, Judgement, Verdict
from watchdog.core.model.reading import Seen
from watchdog.core.model.rows import Reading, Row
from watchdog.core.rules.remedy import Remedy

REMEDY = Remedy("restart-consumer", most=2, within_s=3600.0)
RULE = a_rule(for_s=0.0, remedy=REMEDY)
WORKER = Row({"name": "celery@w1", "state": "online", "queues": "indexing,mail"})
READINGS = {"workers": Reading((WORKER,)), "sources": Reading((Row({"name": "redis", "up": True}),))}
FIRING = an_incident(fired_at=NOW - 60)
ATTEMPT = Attempt(
    "01A", FIRING.id, FIRING.fingerprint, "prod", "QueueBacklogHigh", "restart-consumer", "indexing", ("celery@w1",), NOW - 40,
    most=2, within_s=3600.0, outcome="done", ended_at=NOW - 39,
)  # fmt: skip


def look(
    verdict: Verdict = Verdict.BREACH,
    *,
    remedy: Remedy = REMEDY,
    incident: Incident = FIRING,
    allowed: tuple[str, ...] = ("restart-consumer",),
    readings: dict[str, Reading] | None = None,
    finding: dict[str, Any] | None = None,
    **loaded: Any,
) -> Plan:
    rule = replace(RULE, remedy=remedy)
    situation = Situation(a_target(), NOW, (Recipient("ops"),), readings=readings or READINGS, remedies=frozenset(allowed))
    found: Finding = a_finding(verdict, rule=rule, **(finding or {}))
    return decide(situation, [Judgement(rule, (found,))], Loaded(open=(incident,), previous_cycle_at=NOW - 10, **loaded), Seen({}, {}, {}))


def begun(plan: Plan) -> list[tuple[str, ...]]:
    return [one.workers for one in plan.attempts if one.at == NOW and one.ended_at is None]


def said(plan: Plan) -> str:
    return plan.incidents[0].remedy


def test_it_is_begun_on_the_workers_that_consume_the_queue() -> None:
    assert begun(look()) == [("celery@w1",)]


def test_it_waits_until_the_incident_has_fired_for_long_enough() -> None:
    plan = look(remedy=replace(REMEDY, after_s=61.0))
    assert (begun(plan), said(plan)) == ([], "restart-consumer is done once this has fired for 1m1s")


def test_what_is_not_allowed_is_not_done() -> None:
    assert begun(look(allowed=())) == []


@pytest.mark.parametrize("verdict", [Verdict.CLEAR, Verdict.UNKNOWN, Verdict.NOT_COVERED])
def test_only_what_is_seen_to_be_in_breach_has_a_remedy(verdict: Verdict) -> None:
    assert begun(look(verdict)) == []


def test_what_is_pending_has_none() -> None:
    slow = replace(RULE, for_s=600.0)
    situation = Situation(a_target(), NOW, readings=READINGS, remedies=frozenset({"restart-consumer"}))
    loaded = Loaded(open=(an_incident(State.PENDING),), previous_cycle_at=NOW - 10)
    assert decide(situation, [Judgement(slow, (a_finding(rule=slow),))], loaded, Seen({}, {}, {})).attempts == ()


@pytest.mark.parametrize(
    ("readings", "why"),
    [
        ({**READINGS, "sources": Reading((Row({"name": "redis", "up": False}),))}, "redis cannot be asked"),
        ({**READINGS, "sources": Reading((Row({"name": "flower", "up": None}, {"up": "timeout"}),))}, "flower cannot be asked"),
        ({**READINGS, "workers": Reading(unread="flower: timeout")}, "the workers are not known: flower: timeout"),
        ({"sources": READINGS["sources"]}, "the workers are not known"),
        ({**READINGS, "workers": Reading((Row({"name": "w", "queues": "mail", "state": "online"}),))}, "no worker online is known to"),
        ({**READINGS, "workers": Reading((Row({"name": "w", "queues": "indexing", "state": "lost"}),))}, "no worker online is known to"),
        ({**READINGS, "workers": Reading((WORKER, Row({"name": "w2", "queues": "indexing"}, {"state": "?"})))}, "w2 is online is not"),
    ],
    ids=["the broker is down", "Flower is unknown", "workers unread", "no workers", "others", "lost", "one is unknown"],
)  # fmt: skip
def test_never_while_blind(readings: dict[str, Reading], why: str) -> None:
    plan = look(readings=readings)
    assert (begun(plan), why in said(plan)) == ([], True)


def test_one_witness_of_the_workers_is_enough() -> None:
    sources = Reading((Row({"name": "redis", "up": True}), Row({"name": "flower", "up": True}), Row({"name": "events", "up": False})))
    assert begun(look(readings={**READINGS, "sources": sources})) == [("celery@w1",)]


def test_results_that_cannot_be_reached_are_no_reason_against_it() -> None:
    sources = Reading((Row({"name": "redis", "up": True}), Row({"name": "results", "up": False})))
    assert begun(look(readings={**READINGS, "sources": sources})) == [("celery@w1",)]


def test_what_must_still_hold_is_asked_for() -> None:
    assert "when_still does not hold" in said(look(finding={"still": False}))


ACKNOWLEDGED = Acknowledgement(FIRING.id, NOW - 5, FIRING.severity, "mine", "ada")


@pytest.mark.parametrize(
    ("loaded", "why"),
    [
        ({"acknowledged": {FIRING.id: ACKNOWLEDGED}}, "it is acknowledged"),
        ({"silences": (new_silence("rule=QueueBacklogHigh", NOW - 5, 60.0, "", "ada"),)}, "it is silenced"),
        ({"deploys": (new_deploy("v512", ("prod",), NOW - 5, 60.0, "ada"),)}, "deploy v512 goes on"),
    ],
    ids=["acknowledged", "silenced", "deploy"],
)
def test_nothing_is_done_where_a_person_has_it(loaded: dict[str, Any], why: str) -> None:
    plan = look(**loaded)
    assert (begun(plan), why in said(plan)) == ([], True)


def test_a_deploy_of_another_target_does_not_matter() -> None:
    assert begun(look(deploys=(new_deploy("v512", ("staging",), NOW - 5, 60.0, "ada"),))) == [("celery@w1",)]


def test_another_attempt_on_the_same_worker_is_waited_for_whatever_it_is_about() -> None:
    other = replace(ATTEMPT, id="01B", incident="other", fingerprint="other", target="staging", outcome="begun", ended_at=None)
    plan = look(attempts=(other,))
    assert (begun(plan), "another one is under way on celery@w1" in said(plan)) == ([], True)


def test_an_attempt_that_never_ended_is_not_waited_for_for_ever() -> None:
    other = replace(ATTEMPT, incident="other", fingerprint="other", at=NOW - LONGEST_S, outcome="begun", ended_at=None)
    assert begun(look(attempts=(other,))) == [("celery@w1",)]


def test_two_incidents_of_one_look_share_no_worker() -> None:
    mail = replace(FIRING, id="01MAIL", fingerprint="mail", key={"name": "mail"})
    situation = Situation(a_target(), NOW, readings=READINGS, remedies=frozenset({"restart-consumer"}))
    findings = (a_finding(rule=RULE), a_finding(rule=RULE, key=("mail",)))
    plan = decide(situation, [Judgement(RULE, findings)], Loaded(open=(FIRING, mail), previous_cycle_at=NOW - 10), Seen({}, {}, {}))
    assert len(plan.attempts) == 1


# --- how often ----------------------------------------------------------------------------------------------------------


def earlier(*ages_s: float) -> tuple[Attempt, ...]:
    return tuple(replace(ATTEMPT, id=f"0{n}", at=NOW - age, ended_at=NOW - age, helped=Helped.NO) for n, age in enumerate(ages_s))


def test_no_more_than_at_most() -> None:
    plan = look(attempts=earlier(600, 300))
    assert (begun(plan), said(plan).endswith("restart-consumer is not done again (at most 2 per 1h): it is up to you now")) == ([], True)


def test_what_is_long_ago_does_not_count() -> None:
    assert begun(look(attempts=earlier(3601, 300))) == [("celery@w1",)]


def test_what_was_done_about_an_earlier_incident_of_the_same_queue_counts() -> None:
    attempts = tuple(replace(one, incident="01EARLIER") for one in earlier(600, 300))
    assert begun(look(attempts=attempts)) == []


def test_a_clock_that_was_set_back_does_not_make_more_of_them() -> None:
    assert begun(look(attempts=earlier(-600, -300))) == []


def test_the_same_look_again_after_a_kill_does_not_begin_it_again() -> None:
    plan = look()
    assert begun(look(incident=plan.incidents[0], attempts=plan.attempts)) == []


# --- whether it helped --------------------------------------------------------------------------------------------------


def settled(plan: Plan) -> list[Helped]:
    return [one.helped for one in plan.attempts if one.id == ATTEMPT.id]


def test_it_helped_if_the_rule_is_clear_afterwards() -> None:
    assert settled(look(Verdict.CLEAR, attempts=(ATTEMPT,))) == [Helped.YES]


def test_what_was_clear_before_it_ended_proves_nothing() -> None:
    assert settled(look(Verdict.CLEAR, attempts=(replace(ATTEMPT, ended_at=None),))) == []


def test_it_did_not_help_if_the_breach_goes_on_two_looks_later() -> None:
    assert settled(look(attempts=(ATTEMPT,))) == [Helped.NO]


def test_that_is_not_said_too_soon() -> None:
    assert settled(look(attempts=(replace(ATTEMPT, ended_at=NOW - 19),))) == []


def test_nor_while_nobody_can_see_it() -> None:
    assert settled(look(Verdict.UNKNOWN, attempts=(ATTEMPT,))) == []


def test_what_is_not_settled_is_not_tried_again() -> None:
    assert begun(look(attempts=(replace(ATTEMPT, ended_at=NOW - 19),))) == []


def test_the_next_attempt_begins_with_the_look_that_finds_the_last_one_without_effect() -> None:
    plan = look(attempts=(ATTEMPT,))
    assert begun(plan) == [("celery@w1",)]
    assert said(plan) == (
        "restart-consumer of indexing on celery@w1: done, and it did not help (1 of at most 2 per 1h); again: begun (2 of at most 2 per 1h)"
    )


def test_of_what_was_closed_by_hand_nobody_knows_whether_it_helped() -> None:
    assert settled(look(Verdict.CLEAR, incident=replace(FIRING, id="01OTHER"), attempts=(ATTEMPT,))) == [Helped.UNKNOWN]


def test_attempts_of_other_targets_are_settled_there() -> None:
    assert settled(look(attempts=(replace(ATTEMPT, target="staging"),))) == []


def test_the_history_says_what_came_of_one_before_the_next_begins() -> None:
    reasons = [one.reason.partition(": ")[2] for one in look(attempts=(ATTEMPT,)).transitions]
    assert reasons == ["done, and it did not help (1 of at most 2 per 1h)", "begun (2 of at most 2 per 1h)"]


def test_each_attempt_is_a_line_of_the_history() -> None:
    assert [(one.before, one.after) for one in look().transitions] == [("firing", "firing")]


# --- on trial -------------------------------------------------------------------------------------------------------------


def on_trial(**loaded: Any) -> Plan:
    rule = replace(RULE, trial=True)
    situation = Situation(a_target(), NOW, readings=READINGS, remedies=frozenset({"restart-consumer"}))
    loaded = {"open": (replace(FIRING, trial=True),), "previous_cycle_at": NOW - 10, **loaded}
    return decide(situation, [Judgement(rule, (a_finding(rule=rule),))], Loaded(**loaded), Seen({}, {}, {}))


def test_on_trial_it_is_said_what_would_have_been_done_and_nothing_is() -> None:
    (attempt,) = on_trial().attempts
    assert (attempt.outcome, attempt.ended_at, attempt.helped) == ("declined", NOW, Helped.TRIAL)
    assert said(on_trial()) == "restart-consumer of indexing on celery@w1: on trial, would have been done (1 of at most 2 per 1h)"


def test_what_was_on_trial_does_not_count_afterwards() -> None:
    tried = tuple(replace(one, outcome="declined", helped=Helped.TRIAL) for one in earlier(600, 300))
    assert begun(look(attempts=tried)) == [("celery@w1",)]
